//! The special cases of the account's side: bills, traces, tags, objects, images, keys.

use std::time::Duration;

use bytes::Bytes;
use huaweicloud::bss::{self, Detail, FeeQuery, Month};
use huaweicloud::cts::{self, TraceQuery};
use huaweicloud::ims::{self, ImageQuery, ImageSource};
use huaweicloud::obs::{self, Fetched};
use huaweicloud::tms::{self, Resource, ResourceSearch};
use huaweicloud::{Client, ErrorKind, Tag, iam};
use serde_json::{Value, json};

use crate::cases::{self, PROJECT};
use crate::peer::{Answer, Peer, answer};

async fn talk() -> (Peer, Client) {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    (peer, client)
}

fn with_etag(status: u16, body: &str) -> Answer {
    Answer {
        headers: vec![("etag", "\"v1\"".to_owned())],
        ..answer(status, body)
    }
}

#[tokio::test]
async fn fees_are_read_page_by_page_and_an_unreadable_amount_is_counted() {
    let (peer, client) = talk().await;
    let first = json!({"total_count": 3, "currency": "", "fee_records": [
        {"resource_id": "a", "amount": 0.1234567891, "charge_mode": "3"},
        {"resource_id": "b", "amount": null},
    ]});
    let second = json!({"total_count": 3, "fee_records": [{"resource_id": "c", "amount": "-12.50"}]});
    peer.will_answer(
        [answer(200, first.to_string()), answer(200, second.to_string())],
        None,
    );
    let query = FeeQuery::of(Month::new(2026, 1).unwrap(), Detail::Settlement);
    let fees = bss::resource_fees(&client, &query).await.unwrap().value;
    let amounts: Vec<String> = fees.rows.items.iter().map(|fee| fee.amount.to_string()).collect();
    assert_eq!(amounts, ["0.1234567891", "-12.50"], "every digit is kept");
    assert_eq!(
        fees.rows.skipped, 1,
        "whoever adds them up must know that one is missing"
    );
    assert_eq!(fees.currency, "CNY", "no currency means the yuan");
    let offsets: Vec<_> = peer
        .seen()
        .iter()
        .map(|seen| seen.parameter("offset").map(str::to_owned))
        .collect();
    assert_eq!(
        offsets,
        [Some("0".to_owned()), Some("2".to_owned())],
        "rows are counted"
    );
}

#[tokio::test]
async fn days_of_another_month_are_not_asked_for() {
    let (peer, client) = talk().await;
    let day = |month, day| chrono::NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    let query = FeeQuery {
        days: Some((day(1, 31), day(2, 1))),
        ..FeeQuery::of(Month::new(2026, 1).unwrap(), Detail::Day)
    };
    let error = bss::resource_fees(&client, &query).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    let error = bss::resource_records(&client, &query).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "that call knows no days");
    assert!(peer.seen().is_empty(), "nothing is sent");
}

#[tokio::test]
async fn traces_are_followed_by_their_marker_and_their_texts_are_read_as_json() {
    let (peer, client) = talk().await;
    let first = json!({"meta_data": {"marker": "marker-0001"}, "traces": [{
        "trace_id": "1", "time": 1767323045678_i64, "code": "200",
        "user": "{\"name\":\"ada\",\"id\":\"u1\"}",
        "request": "{\"server\":{\"adminPass\":\"******\"}}",
        "response": "not JSON",
    }]});
    let second = json!({"meta_data": {"marker": null}, "traces": [
        {"trace_id": "2", "time": "1767323045000", "user": {"name": "bob"}, "request": ""}
    ]});
    peer.will_answer(
        [answer(200, first.to_string()), answer(200, second.to_string())],
        None,
    );
    let traces = cts::traces(&client, &PROJECT.into(), &TraceQuery::default()).await;
    let traces = traces.unwrap().value.items;
    let names: Vec<&str> = traces
        .iter()
        .map(|trace| trace.user.as_ref().unwrap().name.as_str())
        .collect();
    assert_eq!(names, ["ada", "bob"], "a user comes as text and as an object");
    assert_eq!(traces[0].at.unwrap().timestamp_millis(), 1_767_323_045_678);
    assert_eq!(traces[1].at.unwrap().timestamp_millis(), 1_767_323_045_000);
    assert_eq!(
        traces[0].request,
        Some(json!({"server": {"adminPass": "******"}}))
    );
    assert_eq!(
        traces[0].response,
        Some(Value::from("not JSON")),
        "it is kept as it is"
    );
    assert_eq!(traces[1].request, None);
    assert_eq!(peer.seen()[1].parameter("next"), Some("marker-0001"));
}

#[tokio::test]
async fn traces_that_lead_around_in_a_circle_end() {
    let (peer, client) = talk().await;
    let page = json!({"meta_data": {"marker": "marker-0001"}, "traces": [{"trace_id": "1"}]}).to_string();
    peer.will_answer([], Some(answer(200, page)));
    cts::traces(&client, &PROJECT.into(), &TraceQuery::default())
        .await
        .unwrap();
    assert_eq!(peer.seen().len(), 2, "the marker was known the second time");
}

#[tokio::test]
async fn resources_that_could_not_be_tagged_are_named_although_the_status_is_200() {
    let (peer, client) = talk().await;
    let failed = json!({"failed_resources": [
        {"resource_id": "a", "resource_type": "ecs", "error_code": "TMS.0013", "error_msg": "no such resource"}
    ]});
    peer.will_answer([], Some(answer(200, failed.to_string())));
    let resource = |id: &str| Resource {
        id: id.to_owned(),
        kind: "ecs".to_owned(),
    };
    let both = [resource("a"), resource("b")];
    let set = tms::set_tags(&client, &PROJECT.into(), &both, &[Tag::new("owner", "ada")]).await;
    let deleted = tms::delete_tags(&client, &PROJECT.into(), &both, &["owner"]).await;
    for error in [set.unwrap_err(), deleted.unwrap_err()] {
        assert_eq!(error.status, Some(200));
        let ids: Vec<_> = error.details.iter().map(|part| part.id.as_deref()).collect();
        assert_eq!(ids, [Some("a")], "only that one failed");
    }
    let many: Vec<Resource> = (0..21).map(|_| resource("a")).collect();
    let error = tms::delete_tags(&client, &PROJECT.into(), &many, &["owner"]).await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::Invalid, "21 are too many");
    assert_eq!(peer.seen().len(), 2, "the third is not sent");
}

#[tokio::test]
async fn kinds_that_could_not_be_searched_are_told() {
    let (peer, client) = talk().await;
    let page = json!({"total_count": 0, "resources": [], "errors": [
        {"error_code": "TMS.0001", "error_msg": "denied", "resource_type": "disk"}
    ]});
    peer.will_answer([answer(200, page.to_string())], None);
    let search = ResourceSearch {
        kinds: vec!["disk".to_owned()],
        ..ResourceSearch::default()
    };
    let found = tms::resources(&client, &PROJECT.into(), &search)
        .await
        .unwrap()
        .value;
    assert_eq!(
        found.failures[0].kind, "disk",
        "an empty list proves nothing then"
    );
}

#[tokio::test]
async fn an_object_that_has_not_changed_is_told_from_one_that_has() {
    let (peer, client) = talk().await;
    peer.will_answer(
        [
            with_etag(304, ""),
            with_etag(200, r#"{"error":{"code":"Ecs.0001","message":"m"}}"#),
        ],
        None,
    );
    let same = obs::get_object(&client, "team-policy", "policy.json", Some("\"v1\"")).await;
    assert_eq!(same.unwrap().value, Fetched::Unchanged);
    let other = obs::get_object(&client, "team-policy", "policy.json", Some("\"v0\"")).await;
    let Fetched::Object { etag, content } = other.unwrap().value else {
        panic!("a 200 brings an object");
    };
    assert_eq!(etag.as_deref(), Some("\"v1\""));
    assert!(
        content.starts_with(b"{\"error\""),
        "an object may look like an error"
    );
    assert_eq!(peer.seen()[0].header("if-none-match"), Some("\"v1\""));
    peer.will_answer([answer(304, "")], None);
    let error = obs::get_object(&client, "team-policy", "policy.json", None).await;
    assert!(error.is_err(), "nobody said which version is known");
}

#[tokio::test]
async fn an_object_is_sent_with_its_digest_and_a_missing_one_is_missing() {
    let (peer, client) = talk().await;
    peer.will_answer([with_etag(200, ""), answer(404, "")], None);
    let put = obs::put_object(
        &client,
        "team-policy",
        "a/b",
        "text/plain",
        Bytes::from_static(b"hello"),
    );
    assert_eq!(put.await.unwrap().value.as_deref(), Some("\"v1\""));
    let seen = &peer.seen()[0];
    assert_eq!(seen.header("content-md5"), Some("XUFAKrxLKna5cZ2REBfFkg=="));
    assert_eq!(seen.header("content-type"), Some("text/plain"));
    let error = obs::head_object(&client, "team-policy", "a/b").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing);
}

#[tokio::test]
async fn objects_that_are_too_long_are_neither_read_nor_written() {
    let (peer, client) = talk().await;
    let long = vec![b'a'; obs::MAX_OBJECT + 1];
    let put = obs::put_object(&client, "team-policy", "a", "text/plain", long.clone().into()).await;
    assert_eq!(put.unwrap_err().kind, ErrorKind::Invalid);
    assert!(peer.seen().is_empty(), "it is not sent");
    peer.will_answer([answer(200, long)], None);
    let got = obs::get_object(&client, "team-policy", "a", None).await;
    assert_eq!(got.unwrap_err().kind, ErrorKind::BadAnswer);
}

#[tokio::test]
async fn a_signed_address_is_read_without_the_key() {
    let (peer, client) = talk().await;
    peer.will_answer([with_etag(200, "hello")], None);
    let url = obs::signed_url(&client, "team-policy", "a b/c", Duration::from_secs(60)).unwrap();
    obs::get_signed(&client, &url, None).await.unwrap();
    let seen = &peer.seen()[0];
    assert_eq!(seen.header("authorization"), None, "the address says it all");
    assert_eq!(seen.path, "/team-policy/a%20b/c");
    assert_eq!(seen.parameter("AccessKeyId"), Some(cases::ACCESS_KEY));
    // What the signature covers is known from outside, so it can be made again here.
    let expires: i64 = seen.parameter("Expires").unwrap().parse().unwrap();
    let request = huaweicloud::signing::obs::RequestToSign {
        method: "GET",
        bucket: Some("team-policy"),
        key: Some("a b/c"),
        query: &[],
        headers: &[],
    };
    let text = huaweicloud::signing::obs::string_to_sign(&request, Some(expires));
    let wanted = huaweicloud::signing::obs::signature(&cases::SECRET_KEY.to_owned().into(), &text);
    assert_eq!(seen.parameter("Signature"), Some(wanted.as_str()));
    let week = Duration::from_secs(8 * 24 * 3600);
    let error = obs::signed_url(&client, "team-policy", "a", week).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "that is too long");
}

#[tokio::test]
async fn images_are_followed_by_the_marker_that_the_answer_names() {
    let (peer, client) = talk().await;
    let page = json!({"images": (0..500).map(|id| json!({"id": format!("i{id}")})).collect::<Vec<_>>(),
        "page_info": {"next_marker": "next"}});
    let rest = json!({"images": [{"id": "last"}]});
    peer.will_answer(
        [answer(200, page.to_string()), answer(200, rest.to_string())],
        None,
    );
    let images = ims::images(&client, &ImageQuery::of(ImageSource::Public)).await;
    assert_eq!(images.unwrap().value.items.len(), 501);
    assert_eq!(peer.seen()[1].parameter("marker"), Some("next"));
}

#[tokio::test]
async fn a_key_tells_when_it_was_made_and_used() {
    let (peer, client) = talk().await;
    let key = json!({"credential": {"user_id": "u", "status": "active",
        "create_time": "2020-01-08T06:25:19.014028Z", "last_use_time": ""}});
    peer.will_answer([answer(200, key.to_string())], None);
    let key = iam::own_key(&client).await.unwrap().value;
    assert_eq!(key.created_at.unwrap().timestamp(), 1_578_464_719);
    assert_eq!(key.last_used_at, None, "it was never used");
}
