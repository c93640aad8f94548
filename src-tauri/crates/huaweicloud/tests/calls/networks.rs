//! The special cases of networks and security groups.

use huaweicloud::vpc;
use serde_json::{Value, json};

use crate::cases::{self, PROJECT};
use crate::peer::{Peer, answer};

#[tokio::test]
async fn rules_are_listed_over_two_pages_and_an_odd_row_loses_no_other() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let row = |id: usize| json!({ "id": format!("r-{id}"), "direction": "ingress" });
    let mut first: Vec<Value> = (0..1000).map(row).collect();
    first[7] = json!({ "id": "r-7", "direction": null });
    let second = [
        row(1000),
        json!(null),
        json!({ "id": "r-1001", "direction": "sideways", "protocol": 6, "port_range_min": "22", "port_range_max": 70_000 }),
    ];
    peer.will_answer(
        [
            answer(200, json!({ "security_group_rules": first }).to_string()),
            answer(200, json!({ "security_group_rules": second }).to_string()),
        ],
        None,
    );
    let rules = vpc::security_group_rules(&client, &PROJECT.into(), Some(&"g-1".into()))
        .await
        .unwrap()
        .value;
    assert_eq!((rules.items.len(), rules.skipped), (1001, 2));
    let odd = rules.items.last().unwrap();
    assert_eq!(
        odd.direction,
        vpc::Direction::Other("sideways".to_owned()),
        "a new word is kept"
    );
    assert_eq!(
        (odd.protocol.as_deref(), odd.port_range_min, odd.port_range_max),
        (Some("6"), Some(22), None)
    );
    for seen in peer.seen() {
        assert_eq!(
            seen.parameter("security_group_id"),
            Some("g-1"),
            "every page is of the same group"
        );
    }
    assert_eq!(peer.seen()[1].parameter("marker"), Some("r-999"));
}

#[tokio::test]
async fn a_group_is_read_with_those_of_its_rules_that_can_be_read() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    peer.will_answer(
        [answer(
            200,
            r#"{"security_group":{"id":"g-1","name":"default","security_group_rules":[
                {"id":"r-1","direction":"egress","ethertype":"IPv4"}, [], {"direction":"ingress"}, "odd",
                {"id":"r-2","direction":"ingress","remote_group_id":"g-1"}]}}"#,
        )],
        None,
    );
    let group = vpc::security_group(&client, &PROJECT.into(), &"g-1".into())
        .await
        .unwrap()
        .value;
    let rules: Vec<_> = group.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(rules, ["r-1", "r-2"]);
    assert!(group.rules.iter().all(|rule| !rule.opens_to_all(22)));
}

#[tokio::test]
async fn a_rule_is_sent_with_what_bounds_it_and_nothing_else() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let made = answer(
        201,
        r#"{"security_group_rule":{"id":"r-1","direction":"ingress"}}"#,
    );
    peer.will_answer([], Some(made));
    let mut rule = vpc::CreateSecurityGroupRule {
        group: "g-1".into(),
        direction: vpc::Direction::Ingress,
        ipv6: false,
        protocol: Some("tcp".to_owned()),
        ports: Some((22, 22)),
        remote: vpc::Remote::Range("203.0.113.7/32".to_owned()),
        description: None,
    };
    vpc::create_security_group_rule(&client, &PROJECT.into(), &rule)
        .await
        .unwrap();
    (rule.protocol, rule.ports, rule.remote) = (None, None, vpc::Remote::Group("g-1".into()));
    vpc::create_security_group_rule(&client, &PROJECT.into(), &rule)
        .await
        .unwrap();
    let bodies: Vec<Value> = peer
        .seen()
        .iter()
        .map(|seen| serde_json::from_slice(&seen.body).unwrap())
        .collect();
    assert_eq!(
        bodies,
        [
            json!({ "security_group_rule": { "security_group_id": "g-1", "direction": "ingress", "ethertype": "IPv4",
                "protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "203.0.113.7/32" } }),
            json!({ "security_group_rule": { "security_group_id": "g-1", "direction": "ingress", "ethertype": "IPv4",
                "remote_group_id": "g-1" } }),
        ]
    );
}
