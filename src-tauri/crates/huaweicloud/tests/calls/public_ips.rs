//! The special cases of public addresses.

use huaweicloud::{Tag, eip};
use serde_json::{Value, json};

use crate::cases::{self, PROJECT};
use crate::peer::{Peer, answer};

#[tokio::test]
async fn addresses_are_listed_over_two_pages_and_an_odd_row_loses_no_other() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let row = |id: usize| json!({ "id": format!("e-{id}"), "status": "DOWN" });
    let mut first: Vec<Value> = (0..1000).map(row).collect();
    first[0] = json!(7);
    let second = [
        row(1000),
        json!({ "status": "ACTIVE" }),
        json!({ "id": "e-1001", "status": "ACTIVE", "public_ip_address": "203.0.113.7", "bandwidth_size": "5",
            "port_id": "p-1", "private_ip_address": "no address", "create_time": "2026-01-02 03:04:05",
            "profile": { "order_id": "CS1" } }),
    ];
    peer.will_answer(
        [
            answer(200, json!({ "publicips": first }).to_string()),
            answer(200, json!({ "publicips": second }).to_string()),
        ],
        None,
    );
    let ips = eip::public_ips(&client, &PROJECT.into(), None)
        .await
        .unwrap()
        .value;
    assert_eq!((ips.items.len(), ips.skipped), (1001, 2));
    let seen = peer.seen();
    assert_eq!(seen.len(), 2, "a short page is the last one");
    assert_eq!(seen[1].parameter("marker"), Some("e-999"));
    let free = &ips.items[0];
    assert!(free.is_unbound() && !free.is_paid_by_period());
    let bound = ips.items.last().unwrap();
    assert!(!bound.is_unbound() && bound.is_paid_by_period());
    assert_eq!(bound.address, Some([203, 0, 113, 7].into()));
    assert_eq!(
        (bound.mbit, bound.private_address),
        (Some(5), None),
        "an odd field is left out"
    );
    assert!(bound.created.is_some());
}

#[tokio::test]
async fn an_address_is_unbound_by_an_empty_port_and_its_tags_go_with_their_values() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let changed = answer(200, r#"{"publicip":{"id":"e-1","status":"DOWN"}}"#);
    peer.will_answer([changed.clone(), changed, answer(204, "")], None);
    eip::bind(&client, &PROJECT.into(), &"e-1".into(), &"p-1".into())
        .await
        .unwrap();
    eip::unbind(&client, &PROJECT.into(), &"e-1".into())
        .await
        .unwrap();
    let tags = [Tag::new("owner", "ada")];
    eip::delete_public_ip_tags(&client, &PROJECT.into(), &"e-1".into(), &tags)
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
            json!({ "publicip": { "port_id": "p-1" } }),
            json!({ "publicip": { "port_id": "" } }),
            json!({ "action": "delete", "tags": [{ "key": "owner", "value": "ada" }] }),
        ]
    );
}

#[tokio::test]
async fn quotas_without_their_list_are_no_quotas_and_minus_one_is_no_limit() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    peer.will_answer(
        [
            answer(200, r#"{"quotas":{"resources":[{"type":"publicIp","used":"2","quota":-1},{"used":1,"quota":2}]}}"#),
            answer(200, r#"{"quotas":{}}"#),
            answer(200, r#"{"quotas":{"resources":7}}"#),
        ],
        None,
    );
    let quotas = eip::quotas(&client, &PROJECT.into()).await.unwrap().value;
    assert_eq!((quotas.items.len(), quotas.skipped), (1, 1));
    assert_eq!(
        (quotas.items[0].usage.used, quotas.items[0].usage.left()),
        (2, None)
    );
    for odd in ["no list", "a number"] {
        let error = eip::quotas(&client, &PROJECT.into()).await.unwrap_err();
        assert_eq!(error.kind, huaweicloud::ErrorKind::BadAnswer, "{odd}");
    }
}
