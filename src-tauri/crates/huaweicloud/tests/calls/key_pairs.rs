//! The special cases of key pairs.

use huaweicloud::{ErrorKind, kps};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::cases::{self, PROJECT};
use crate::peer::{Peer, answer};

#[tokio::test]
async fn a_private_key_comes_once_and_is_never_shown() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let pem = "-----BEGIN PRIVATE KEY-----\nnot-a-real-key\n-----END PRIVATE KEY-----\n";
    let pair = json!({ "name": "ada", "type": "ssh", "public_key": "ssh-rsa AAAA", "private_key": pem });
    peer.will_answer([answer(200, json!({ "keypair": pair }).to_string())], None);
    let made = kps::create_key_pair(&client, &PROJECT.into(), "ada", kps::Scope::User)
        .await
        .unwrap();
    assert!(
        made.value.private_key.expose_secret().contains("not-a-real-key"),
        "it is there for the one who asks"
    );
    assert!(
        !format!("{made:?}").contains("not-a-real-key"),
        "but stands in no log"
    );
    let body: Value = serde_json::from_slice(&peer.seen()[0].body).unwrap();
    assert_eq!(
        body,
        json!({ "keypair": { "name": "ada", "type": "ssh", "scope": "user" } }),
        "a public key that is not there is not sent"
    );
}

#[tokio::test]
async fn a_key_pair_without_its_private_half_is_a_bad_answer_that_quotes_nothing() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    for body in [
        r#"{"keypair":{"name":"ada"}}"#,
        r#"{"keypair":{"name":"ada","private_key":["not-a-real-key"]}}"#,
        r#"{"keypair":{"name":null,"private_key":"not-a-real-key"}}"#,
    ] {
        peer.will_answer([answer(200, body)], None);
        let error = kps::create_key_pair(&client, &PROJECT.into(), "ada", kps::Scope::User)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{body}");
        assert!(error.outcome_unknown, "the pair may be there");
        assert!(!format!("{error} {error:?}").contains("not-a-real-key"), "{body}");
    }
}

#[tokio::test]
async fn an_imported_key_is_read_without_a_private_half() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    peer.will_answer(
        [answer(
            200,
            r#"{"keypair":{"name":"ada","type":"ssh","fingerprint":"aa:bb"}}"#,
        )],
        None,
    );
    let pair = kps::import_key_pair(
        &client,
        &PROJECT.into(),
        "ada",
        "ssh-rsa AAAA",
        kps::Scope::Account,
    )
    .await
    .unwrap()
    .value;
    assert_eq!(pair.fingerprint, "aa:bb");
    let body: Value = serde_json::from_slice(&peer.seen()[0].body).unwrap();
    assert_eq!(
        body["keypair"],
        json!({ "name": "ada", "type": "ssh", "scope": "domain", "public_key": "ssh-rsa AAAA" })
    );
}

#[tokio::test]
async fn key_pairs_are_listed_over_two_pages_by_the_marker_that_the_answer_names() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let row = |id: usize| json!({ "keypair": { "name": format!("k-{id}"), "scope": "user" } });
    let first: Vec<Value> = (0..50).map(row).collect();
    let second = [row(50), json!({ "keypair": null }), row(51)];
    peer.will_answer(
        [
            answer(
                200,
                json!({ "keypairs": first, "page_info": { "next_marker": "after-k-49", "current_count": 50 } })
                    .to_string(),
            ),
            answer(
                200,
                json!({ "keypairs": second, "page_info": { "current_count": 3 } }).to_string(),
            ),
        ],
        None,
    );
    let pairs = kps::key_pairs(&client, &PROJECT.into()).await.unwrap().value;
    assert_eq!((pairs.items.len(), pairs.skipped), (52, 1));
    let seen = peer.seen();
    assert_eq!(seen.len(), 2, "a short page is the last one");
    assert_eq!(
        (seen[0].parameter("marker"), seen[1].parameter("marker")),
        (None, Some("after-k-49"))
    );
}

#[tokio::test]
async fn a_key_pair_is_read_in_detail() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    peer.will_answer(
        [answer(
            200,
            r#"{"keypair":{"name":"ada","user_id":"u-1","create_time":"1767323045000","is_key_protection":"False","description":null}}"#,
        )],
        None,
    );
    let detail = kps::key_pair(&client, &PROJECT.into(), "ada")
        .await
        .unwrap()
        .value;
    assert_eq!(detail.user_id, Some("u-1".into()));
    assert_eq!(detail.created.map(|at| at.timestamp()), Some(1_767_323_045));
    assert_eq!(
        (detail.is_private_key_kept, detail.description.as_str()),
        (Some(false), "")
    );
}
