//! Security groups and their rules, ports, free addresses, quotas, and EIPs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Cloud, cloud, fast};
use sandbox::Options;
use serde_json::{Value, json};

const GROUPS: &str = "/v1/{P}/security-groups";
const RULES: &str = "/v1/{P}/security-group-rules";
const ADDRESSES: &str = "/v1/{P}/publicips";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

async fn group(cloud: &Cloud, name: &str) -> Value {
    let body = json!({"security_group": {"name": name}});
    cloud.vpc("POST", GROUPS, Some(&body)).await.ok()["security_group"].clone()
}

#[tokio::test]
async fn a_new_group_admits_nothing_from_outside_until_a_rule_says_so() {
    let cloud = cloud(fast()).await;
    let made = group(&cloud, "dev-门").await;
    let id = made["id"].as_str().unwrap();
    for rule in made["security_group_rules"].as_array().unwrap() {
        if rule["direction"] == "ingress" {
            assert_eq!(rule["remote_group_id"], id, "its members only");
        } else {
            assert_eq!(
                (&rule["remote_group_id"], &rule["protocol"]),
                (&Value::Null, &Value::Null)
            );
        }
    }
    let rule = json!({"security_group_rule": {
        "security_group_id": id, "direction": "ingress", "protocol": "TCP",
        "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "198.51.100.7",
    }});
    let added = cloud.vpc("POST", RULES, Some(&rule)).await.ok()["security_group_rule"].clone();
    assert_eq!(
        (&added["protocol"], &added["remote_ip_prefix"]),
        (&json!("tcp"), &json!("198.51.100.7/32"))
    );
    assert_eq!(added["ethertype"], "IPv4");
    let twice = cloud.vpc("POST", RULES, Some(&rule)).await;
    assert_eq!(twice.code(), (409, "VPC.0602".to_owned()));
    let path = format!("{RULES}?security_group_id={id}&remote_ip_prefix=198.51.100.7/32");
    let found = cloud.vpc("GET", &path, None).await.ok();
    assert_eq!(found["security_group_rules"], json!([added]));
    let shown = cloud.vpc("GET", &format!("{GROUPS}/{id}"), None).await.ok();
    assert_eq!(
        shown["security_group"]["security_group_rules"]
            .as_array()
            .unwrap()
            .len(),
        5
    );

    let path = format!("{RULES}/{}", added["id"].as_str().unwrap());
    assert_eq!(cloud.vpc("DELETE", &path, None).await.status, 204);
    assert_eq!(
        cloud.vpc("DELETE", &path, None).await.code(),
        (404, "VPC.0612".to_owned())
    );
    assert_eq!(
        cloud.vpc("DELETE", &format!("{GROUPS}/{id}"), None).await.status,
        204
    );
    assert_eq!(
        cloud.vpc("GET", &format!("{GROUPS}/{id}"), None).await.code(),
        (404, "VPC.0603".to_owned())
    );
}

#[tokio::test]
async fn each_reason_against_a_group_or_rule_has_its_code() {
    let cloud = cloud(fast()).await;
    let made = group(&cloud, "g").await;
    let id = made["id"].as_str().unwrap();
    for (field, value, status, code) in [
        ("direction", json!("sideways"), 400, "VPC.0601"),
        ("ethertype", json!("IPv5"), 400, "VPC.0601"),
        ("protocol", json!("smoke"), 400, "VPC.0601"),
        ("port_range_max", json!(21), 400, "VPC.0601"),
        ("port_range_min", json!(-1), 400, "VPC.0601"),
        ("port_range_max", json!(65_536), 400, "VPC.0601"),
        ("port_range_min", json!("ssh"), 400, "VPC.0601"),
        ("remote_ip_prefix", json!("198.51.100.0/33"), 400, "VPC.0601"),
        ("remote_ip_prefix", json!("2001:db8::/32"), 400, "VPC.0601"),
        ("remote_group_id", json!(id), 400, "VPC.0601"),
        ("security_group_id", json!("unknown"), 400, "VPC.0601"),
        ("security_group_id", json!(UNKNOWN), 404, "VPC.0603"),
    ] {
        let mut rule = json!({"security_group_rule": {
            "security_group_id": id, "direction": "ingress", "protocol": "tcp",
            "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "198.51.100.0/24",
        }});
        rule["security_group_rule"][field] = value.clone();
        let got = cloud.vpc("POST", RULES, Some(&rule)).await;
        assert_eq!(got.code(), (status, code.to_owned()), "{field} {value}");
    }
    for (wanted, status, code) in [
        (json!({"name": ""}), 400, "VPC.0601"),
        (json!({"name": "a".repeat(65)}), 400, "VPC.0601"),
        (json!({"name": "a b"}), 400, "VPC.0601"),
        (json!({"name": "a", "vpc_id": UNKNOWN}), 404, "VPC.0003"),
    ] {
        let got = cloud
            .vpc("POST", GROUPS, Some(&json!({"security_group": wanted})))
            .await;
        assert_eq!(got.code(), (status, code.to_owned()), "{wanted}");
    }
    let groups = cloud.vpc("GET", GROUPS, None).await.ok();
    let default = groups["security_groups"][0]["id"].as_str().unwrap();
    let got = cloud.vpc("DELETE", &format!("{GROUPS}/{default}"), None).await;
    assert_eq!(got.code(), (409, "VPC.0602".to_owned()), "servers are in it");

    let mut made = groups["security_groups"].as_array().unwrap().len();
    let refusal = loop {
        let body = json!({"security_group": {"name": format!("g{made}")}});
        let got = cloud.vpc("POST", GROUPS, Some(&body)).await;
        if got.status != 200 {
            break got;
        }
        made += 1;
        assert!(made < 1000, "there is no end to groups");
    };
    assert_eq!(refusal.code(), (409, "VPC.0604".to_owned()));
    let quota = cloud
        .vpc("GET", "/v1/{P}/quotas?type=securityGroup", None)
        .await
        .ok();
    let row = &quota["quotas"]["resources"][0];
    assert_eq!((&row["used"], &row["quota"]), (&json!(made), &json!(made)));
    let odd = cloud.vpc("GET", "/v1/{P}/quotas?type=love", None).await;
    assert_eq!(odd.code(), (400, "VPC.1207".to_owned()));
}

#[tokio::test]
async fn a_servers_port_is_listed_and_its_address_is_no_longer_free() {
    let cloud = cloud(fast()).await;
    let subnets = cloud.vpc("GET", "/v1/{P}/subnets", None).await.ok();
    let subnet = subnets["subnets"][0].clone();
    let path = format!(
        "/v2.0/network-ip-availabilities/{}",
        subnet["id"].as_str().unwrap()
    );
    let used = async || {
        let answer = cloud.vpc("GET", &path, None).await.ok();
        answer["network_ip_availability"]["used_ips"].as_u64().unwrap()
    };
    let before = used().await;
    let id = cloud.running("plugged").await;
    assert_eq!(used().await, before + 1);
    let none = cloud
        .vpc("GET", &format!("/v2.0/network-ip-availabilities/{UNKNOWN}"), None)
        .await;
    assert_eq!(
        none.code(),
        (404, "NetworkNotFound".to_owned()),
        "in the native words"
    );

    let ports = cloud
        .vpc("GET", &format!("/v1/{{P}}/ports?device_id={id}"), None)
        .await
        .ok();
    let port = &ports["ports"][0];
    assert_eq!(ports["ports"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&port["status"], &port["network_id"]),
        (&json!("ACTIVE"), &subnet["id"])
    );
    assert_eq!(port["fixed_ips"][0]["subnet_id"], subnet["neutron_subnet_id"]);
    let address = port["fixed_ips"][0]["ip_address"].as_str().unwrap();
    let path = format!("/v1/{{P}}/ports?fixed_ips=ip_address={address}");
    let same = cloud.vpc("GET", &path, None).await.ok();
    assert_eq!(same["ports"][0]["id"], port["id"]);
    let down = cloud.vpc("GET", "/v1/{P}/ports?status=DOWN", None).await.ok();
    assert_eq!(
        down["ports"].as_array().unwrap().len(),
        1,
        "that of the server which is off"
    );
}

fn address(name: &str) -> Value {
    json!({
        "publicip": {"type": "5_bgp"},
        "bandwidth": {"name": name, "size": 5, "share_type": "PER", "charge_mode": "traffic"},
    })
}

#[tokio::test]
async fn an_eip_is_made_at_once_bound_unbound_and_deleted() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("public").await;
    order["server"]["publicip"] = Value::Null;
    let (job, server) = cloud.create(&order).await;
    cloud.settled(&job).await;
    let ports = cloud
        .vpc("GET", &format!("/v1/{{P}}/ports?device_id={server}"), None)
        .await
        .ok();
    let port = ports["ports"][0]["id"].as_str().unwrap();

    let got = cloud.vpc("POST", ADDRESSES, Some(&address("mine"))).await;
    assert_eq!(got.status, 200);
    let id = got.json()["publicip"]["id"].as_str().unwrap().to_owned();
    let path = format!("{ADDRESSES}/{id}");
    let free = cloud.vpc("GET", &path, None).await.ok()["publicip"].clone();
    assert_eq!(
        (&free["status"], &free["bandwidth_name"]),
        (&json!("DOWN"), &json!("mine"))
    );
    assert!(free.get("port_id").is_none());

    let bind = json!({"publicip": {"port_id": port}});
    let bound = cloud.vpc("PUT", &path, Some(&bind)).await.ok()["publicip"].clone();
    assert_eq!(
        (&bound["status"], &bound["port_id"]),
        (&json!("ACTIVE"), &json!(port))
    );
    let shown = cloud.server(&server).await.ok()["server"]["addresses"].to_string();
    assert!(
        shown.contains(free["public_ip_address"].as_str().unwrap()),
        "{shown}"
    );
    assert_eq!(
        cloud.vpc("PUT", &path, Some(&bind)).await.code(),
        (409, "VPC.0510".to_owned())
    );
    assert_eq!(
        cloud.vpc("DELETE", &path, None).await.code(),
        (409, "VPC.0517".to_owned())
    );
    let other = cloud.vpc("POST", ADDRESSES, Some(&address("other"))).await.ok();
    let other = format!("{ADDRESSES}/{}", other["publicip"]["id"].as_str().unwrap());
    assert_eq!(
        cloud.vpc("PUT", &other, Some(&bind)).await.code(),
        (409, "VPC.0511".to_owned())
    );

    let both = json!({"publicip": {"alias": "门", "port_id": port}});
    let named = cloud.vpc("PUT", &other, Some(&both)).await.ok();
    assert_eq!(named["publicip"]["alias"], "门");
    assert!(
        named["publicip"].get("port_id").is_none(),
        "with a name, the port counts for nothing"
    );

    let release = json!({"publicip": {}});
    assert_eq!(
        cloud.vpc("PUT", &path, Some(&release)).await.ok()["publicip"]["status"],
        "DOWN"
    );
    assert_eq!(cloud.vpc("DELETE", &path, None).await.status, 204);
    assert_eq!(
        cloud.vpc("GET", &path, None).await.code(),
        (404, "VPC.0504".to_owned())
    );
    let public = free["public_ip_address"].as_str().unwrap();
    let own = cloud.stretches("name", public).await;
    let goods: Vec<&str> = own
        .iter()
        .map(|stretch| stretch["good"].as_str().unwrap())
        .collect();
    assert_eq!(
        goods,
        ["IdleAddress", "Traffic", "IdleAddress"],
        "free, bound, free again"
    );
    assert!(
        own.iter().all(|stretch| stretch["to"].is_string()),
        "it costs nothing any more"
    );
}

#[tokio::test]
async fn an_eip_has_tags_and_a_quota_and_reasons_against_it() {
    let cloud = cloud(fast()).await;
    let answer = cloud.vpc("POST", ADDRESSES, Some(&address("tagged"))).await.ok();
    let id = answer["publicip"]["id"].as_str().unwrap();
    let tags = format!("/v2.0/{{P}}/publicips/{id}/tags");
    let set =
        json!({"action": "create", "tags": [{"key": "owner", "value": "ada"}, {"key": "x", "value": "y"}]});
    assert_eq!(
        cloud
            .vpc("POST", &format!("{tags}/action"), Some(&set))
            .await
            .status,
        204
    );
    let unset = json!({"action": "delete", "tags": [{"key": "x"}]});
    assert_eq!(
        cloud
            .vpc("POST", &format!("{tags}/action"), Some(&unset))
            .await
            .status,
        204
    );
    let shown = cloud.vpc("GET", &tags, None).await.ok();
    assert_eq!(shown["tags"], json!([{"key": "owner", "value": "ada"}]));
    let odd = json!({"action": "shuffle", "tags": [{"key": "x", "value": "y"}]});
    let got = cloud.vpc("POST", &format!("{tags}/action"), Some(&odd)).await;
    assert_eq!(got.code(), (400, "VPC.1801".to_owned()));

    for (part, field, value, code) in [
        ("publicip", "type", json!("6_carrier_pigeon"), "VPC.0501"),
        ("publicip", "ip_version", json!(6), "VPC.0501"),
        ("publicip", "port_id", json!(UNKNOWN), "VPC.0501"),
        ("publicip", "ip_address", json!("192.0.2.1"), "VPC.0501"),
        ("bandwidth", "size", json!(0), "VPC.0301"),
        ("bandwidth", "size", json!(2001), "VPC.0301"),
        ("bandwidth", "share_type", json!("WHOLE"), "VPC.0301"),
        ("bandwidth", "charge_mode", json!("love"), "VPC.0301"),
        ("bandwidth", "size", json!("five"), "VPC.0501"),
    ] {
        let mut body = address("odd");
        body[part][field] = value.clone();
        let got = cloud.vpc("POST", ADDRESSES, Some(&body)).await;
        assert_eq!(got.code(), (400, code.to_owned()), "{field} {value}");
    }
    cloud.fault(json!({"restriction": "balance"})).await;
    let got = cloud.vpc("POST", ADDRESSES, Some(&address("dear"))).await;
    assert_eq!(got.code(), (403, "VPC.0502".to_owned()));
    cloud.fault(json!({"restriction": null})).await;

    let mut made = cloud.vpc("GET", ADDRESSES, None).await.ok()["publicips"]
        .as_array()
        .unwrap()
        .len();
    let refusal = loop {
        let got = cloud.vpc("POST", ADDRESSES, Some(&address("more"))).await;
        if got.status != 200 {
            break got;
        }
        made += 1;
        assert!(made < 1000, "there is no end to addresses");
    };
    assert_eq!(refusal.code(), (409, "VPC.0521".to_owned()));
    let quota = cloud.vpc("GET", "/v1/{P}/quotas?type=publicIp", None).await.ok();
    let row = &quota["quotas"]["resources"][0];
    assert_eq!((&row["used"], &row["quota"]), (&json!(made), &json!(made)));
    let got = cloud
        .ecs("POST", "/v1.1/{P}/cloudservers", Some(&cloud.order("late").await))
        .await;
    assert_eq!(
        got.refused(),
        (400, "Ecs.0013".to_owned()),
        "the server service asks for the same"
    );

    let listed = cloud.vpc("GET", &format!("{ADDRESSES}?limit=3"), None).await.ok();
    let rows = listed["publicips"].as_array().unwrap();
    let path = format!("{ADDRESSES}?limit=3&marker={}", rows[2]["id"].as_str().unwrap());
    let next = cloud.vpc("GET", &path, None).await.ok();
    assert_eq!(next["publicips"].as_array().unwrap().len(), 3);
    assert!(!rows.contains(&next["publicips"][0]));
    let long = cloud.vpc("GET", &format!("{ADDRESSES}?limit=2001"), None).await;
    assert_eq!(long.code(), (400, "VPC.0501".to_owned()));
}

#[tokio::test]
async fn a_wrong_project_and_a_missing_right_are_told_in_the_networks_words() {
    let cloud = cloud(Options::default()).await;
    let got = cloud.vpc("GET", "/v1/0123/publicips", None).await;
    assert_eq!(got.code(), (400, "VPC.0007".to_owned()));
    let guest = cloud
        .call("guest", "POST", "eip", ADDRESSES, Some(&address("no")))
        .await;
    assert_eq!(guest.code(), (403, "VPC.2201".to_owned()));
    assert!(guest.text.contains("vpc:publicIps:create"), "{}", guest.text);
    let traces = cloud.world().await["traces"].clone();
    let last = traces.as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["trace_name"], &last["code"]),
        (&json!("createEip"), &json!(403))
    );
}
