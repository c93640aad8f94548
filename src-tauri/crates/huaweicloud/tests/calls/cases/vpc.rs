use huaweicloud::vpc;

use super::{Case, PROJECT, SERVER, UUID, case};

pub fn cases() -> Vec<Case> {
    [networks(), groups(), rules()].into_iter().flatten().collect()
}

fn rule(remote: vpc::Remote) -> vpc::CreateSecurityGroupRule {
    vpc::CreateSecurityGroupRule {
        group: UUID.into(),
        direction: vpc::Direction::Ingress,
        ipv6: false,
        protocol: Some("tcp".to_owned()),
        ports: Some((22, 22)),
        remote,
        description: Some("SSH".to_owned()),
    }
}

fn networks() -> Vec<Case> {
    vec![
        case!("vpc" "ListVpcs" "", ["vpcs.id"], "vpcs", |client| {
            vpc::vpcs(client, &PROJECT.into())
        }),
        case!("vpc" "ListSubnets" "of a VPC", ["subnets.id", "subnets.vpc_id"], "subnets", |client| {
            vpc::subnets(client, &PROJECT.into(), Some(&UUID.into()))
        }),
        case!("vpc" "ListSubnets" "all", ["subnets.id", "subnets.vpc_id"], "subnets", |client| {
            vpc::subnets(client, &PROJECT.into(), None)
        }),
        case!("vpc" "ListPorts" "filtered", ["ports.id"], "ports", |client| async {
            let query = vpc::PortQuery {
                server: Some(SERVER.into()),
                subnet: Some(UUID.into()),
                security_group: Some(UUID.into()),
                enterprise_project: Some("all_granted_eps".to_owned()),
            };
            vpc::ports(client, &PROJECT.into(), &query).await
        }),
        case!("vpc" "ListPorts" "all", ["ports.id"], "ports", |client| {
            vpc::ports(client, &PROJECT.into(), &vpc::PortQuery::default())
        }),
        case!("vpc" "ShowNetworkIpAvailabilities" "", ["network_ip_availability"], |client| {
            vpc::address_usage(client, &UUID.into())
        }),
        case!("vpc" "ShowQuota" "", ["quotas.resources.type"], "quotas.resources", |client| {
            vpc::quotas(client, &PROJECT.into())
        }),
    ]
}

fn groups() -> Vec<Case> {
    vec![
        case!("vpc" "ListSecurityGroups" "", ["security_groups.id"], "security_groups", |client| {
            vpc::security_groups(client, &PROJECT.into())
        }),
        case!("vpc" "ShowSecurityGroup" "", ["security_group.id"], |client| {
            vpc::security_group(client, &PROJECT.into(), &UUID.into())
        }),
        case!("vpc" "CreateSecurityGroup" "", ["security_group.id"], |client| {
            vpc::create_security_group(client, &PROJECT.into(), "dev-ada", None)
        }),
        case!("vpc" "CreateSecurityGroup" "in an enterprise project", ["security_group.id"], |client| {
            vpc::create_security_group(client, &PROJECT.into(), "开发", Some("0"))
        }),
        case!("vpc" "DeleteSecurityGroup" "", [], |client| {
            vpc::delete_security_group(client, &PROJECT.into(), &UUID.into())
        }),
    ]
}

fn rules() -> Vec<Case> {
    vec![
        case!(
            "vpc" "ListSecurityGroupRules" "of a group",
            ["security_group_rules.id", "security_group_rules.direction"], "security_group_rules",
            |client| { vpc::security_group_rules(client, &PROJECT.into(), Some(&UUID.into())) }
        ),
        case!(
            "vpc" "ListSecurityGroupRules" "all",
            ["security_group_rules.id", "security_group_rules.direction"], "security_group_rules",
            |client| { vpc::security_group_rules(client, &PROJECT.into(), None) }
        ),
        case!(
            "vpc" "CreateSecurityGroupRule" "for a range",
            ["security_group_rule.id", "security_group_rule.direction"],
            |client| async {
                let rule = rule(vpc::Remote::Range("203.0.113.7/32".to_owned()));
                vpc::create_security_group_rule(client, &PROJECT.into(), &rule).await
            }
        ),
        case!(
            "vpc" "CreateSecurityGroupRule" "for a group",
            ["security_group_rule.id", "security_group_rule.direction"],
            |client| async {
                let rule = vpc::CreateSecurityGroupRule { ipv6: true, ..rule(vpc::Remote::Group(UUID.into())) };
                vpc::create_security_group_rule(client, &PROJECT.into(), &rule).await
            }
        ),
        case!(
            "vpc" "CreateSecurityGroupRule" "for anybody, anything",
            ["security_group_rule.id", "security_group_rule.direction"],
            |client| async {
                let rule = vpc::CreateSecurityGroupRule {
                    direction: vpc::Direction::Egress,
                    protocol: None,
                    ports: None,
                    description: None,
                    ..rule(vpc::Remote::Any)
                };
                vpc::create_security_group_rule(client, &PROJECT.into(), &rule).await
            }
        ),
        case!("vpc" "DeleteSecurityGroupRule" "", [], |client| {
            vpc::delete_security_group_rule(client, &PROJECT.into(), &UUID.into())
        }),
    ]
}
