//! Whatever one sends, the answer is a refusal in the service's words, never a failure of the sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{cloud, fast};
use serde_json::{Value, json};

/// Calls that take a body: method, host, path.
const CALLS: [(&str, &str, &str); 24] = [
    ("POST", "ecs", "/v1.1/{P}/cloudservers"),
    ("POST", "ecs", "/v1/{P}/cloudservers/delete"),
    ("POST", "ecs", "/v1/{P}/cloudservers/action"),
    ("POST", "ecs", "/v1/{P}/cloudservers/resource_instances/action"),
    ("PUT", "ecs", "/v1/{P}/cloudservers/{S}"),
    (
        "POST",
        "ecs",
        "/v1/{P}/cloudservers/{S}/actions/update-auto-terminate-time",
    ),
    ("POST", "ecs", "/v1/{P}/cloudservers/{S}/remote_console"),
    ("PUT", "ecs", "/v1/{P}/cloudservers/{S}/os-reset-password"),
    ("POST", "ecs", "/v1/{P}/cloudservers/{S}/attachvolume"),
    ("PUT", "ecs", "/v1/{P}/cloudservers/{S}/block_device/{D}"),
    ("POST", "ecs", "/v1.1/{P}/cloudservers/{S}/resize"),
    ("POST", "ecs", "/v1/{P}/cloudservers/{S}/tags/action"),
    ("POST", "evs", "/v2.1/{P}/cloudvolumes"),
    ("POST", "evs", "/v2.1/{P}/cloudvolumes/{D}/action"),
    ("PUT", "evs", "/v2/{P}/cloudvolumes/{D}"),
    ("POST", "evs", "/v2/{P}/cloudvolumes/{D}/tags/action"),
    ("POST", "vpc", "/v1/{P}/security-groups"),
    ("POST", "vpc", "/v1/{P}/security-group-rules"),
    ("POST", "eip", "/v1/{P}/publicips"),
    ("PUT", "eip", "/v1/{P}/publicips/{E}"),
    ("POST", "eip", "/v2.0/{P}/publicips/{E}/tags/action"),
    ("POST", "kps", "/v3/{P}/keypairs"),
    ("PUT", "ecs", "/v1/{P}/cloudservers/no-such-server"),
    ("POST", "evs", "/v2/{P}/cloudvolumes/no-such-disk/tags/action"),
];

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_is_refused_with_a_code() {
    let cloud = cloud(fast()).await;
    let world = cloud.world().await;
    let server = cloud.running("target").await;
    let disk =
        cloud.server(&server).await.ok()["server"]["os-extended-volumes:volumes_attached"][1]["id"].clone();
    let eip = world["addresses"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let long = format!("{{\"server\":{{\"name\":\"{}\"}}}}", "x".repeat(1_000_000));
    let bodies: Vec<Vec<u8>> = [
        "",
        "not json",
        "null",
        "[]",
        "\"text\"",
        "17",
        "{}",
        "{\"server\":null}",
        "{\"server\":[]}",
        "{\"server\":{\"name\":{}}}",
        "{\"volume\":{\"size\":1e400}}",
        "{\"volume\":{\"size\":99999999999999999999999}}",
        "{\"action\":\"create\",\"tags\":null}",
        "{\"action\":\"create\",\"tags\":[null]}",
        "{\"action\":\"create\",\"tags\":[{\"key\":\"\\u0000\",\"value\":\"\"}]}",
        "{\"servers\":[{}]}",
        &deep,
        &long,
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([b"{\"server\":\"\xff\xfe\"}".to_vec()])
    .collect();
    let ada = cloud.credentials("ada");
    for (method, service, path) in CALLS {
        let path = path
            .replace("{S}", &server)
            .replace("{D}", disk.as_str().unwrap())
            .replace("{E}", &eip);
        for body in &bodies {
            let shown: String = String::from_utf8_lossy(body).chars().take(60).collect();
            let got = cloud
                .call_raw(&ada, cloud.now(), method, service, &path, &[], body.clone())
                .await
                .unwrap();
            assert!(
                (400..500).contains(&got.status),
                "{method} {path} {shown}: {got:?}"
            );
            assert!(!got.code().1.is_empty());
        }
    }
    let after = cloud.world().await;
    for kind in ["vpcs", "subnets", "security_groups", "key_pairs", "addresses"] {
        let before = world[kind].as_array().map(Vec::len);
        assert_eq!(
            before,
            after[kind].as_array().map(Vec::len),
            "nothing was made: {kind}"
        );
    }
    assert_eq!(
        after["servers"].as_object().unwrap().len(),
        world["servers"].as_object().unwrap().len() + 1
    );
}

#[tokio::test]
async fn odd_queries_are_refused_or_find_nothing() {
    let cloud = cloud(fast()).await;
    for (service, path, code) in [
        ("ecs", "/v1/{P}/cloudservers/detail?limit=0", "Ecs.0005"),
        ("ecs", "/v1/{P}/cloudservers/detail?limit=many", "Ecs.0005"),
        ("ecs", "/v1/{P}/cloudservers/detail?limit=-1", "Ecs.0005"),
        ("ecs", "/v1/{P}/cloudservers/detail?offset=first", "Ecs.0005"),
        ("ecs", "/v1/{P}/cloudservers/detail?marker=unknown", "Ecs.0005"),
        (
            "ecs",
            "/v1/{P}/cloudservers/flavors?availability_zone=moon",
            "Ecs.0005",
        ),
        (
            "ecs",
            "/v1/{P}/cloudservers/resize_flavors?source_flavor_id=x",
            "Ecs.0005",
        ),
        ("ecs", "/v1/{P}/jobs/unknown", "Common.0011"),
        ("ecs", "/v1/0123/jobs/unknown", "Ecs.0023"),
        ("evs", "/v2/{P}/cloudvolumes/detail?limit=0", "EVS.1023"),
        ("evs", "/v2/{P}/cloudvolumes/detail?offset=x", "EVS.1023"),
        ("evs", "/v2/{P}/os-quota-sets/{P}", "EVS.1033"),
        ("ims", "/v2/cloudimages?limit=x", "IMG.0001"),
        ("ims", "/v2/cloudimages?__imagetype=silver", "IMG.0024"),
        ("ims", "/v2/cloudimages?sort_key=smell", "IMG.0001"),
        ("vpc", "/v1/{P}/ports?limit=x", "VPC.2501"),
        ("vpc", "/v1/{P}/security-groups/unknown", "VPC.0601"),
        ("kps", "/v3/{P}/keypairs?limit=x", "KPS.0002"),
        ("kps", "/v3/{P}/keypairs/unknown", "KPS.4016"),
    ] {
        let got = cloud.call("ada", "GET", service, path, None).await;
        assert_eq!(got.code(), (400, code.to_owned()), "{path}");
    }
    for (service, path) in [
        ("ecs", "/v1/{P}/cloudservers/detail/"),
        ("ecs", "/v1/{P}//cloudservers/detail"),
        ("ecs", "/v9/{P}/cloudservers"),
        ("evs", "/v2/{P}/cloudvolumes"),
        ("ims", "/v2/cloudimages/"),
        ("vpc", "/v1/{P}/nothing"),
        ("kps", "/v3/{P}/keypairs/"),
    ] {
        let got = cloud.call("ada", "GET", service, path, None).await;
        assert_eq!(got.code(), (404, "APIGW.0101".to_owned()), "{path}");
    }
    for query in [
        "name=((((",
        "name=%5B",
        "ip=999",
        "tags=",
        "status=DELETED",
        "server_id=,,",
    ] {
        let path = format!("/v1/{{P}}/cloudservers/detail?{query}");
        let got = cloud.ecs("GET", &path, None).await;
        assert_eq!(got.status, 200, "{query}: {got:?}");
    }
    let far = cloud
        .ecs(
            "GET",
            "/v1/{P}/cloudservers/detail?offset=18446744073709551615&limit=1000",
            None,
        )
        .await
        .ok();
    assert_eq!(far["servers"], json!([]), "past the last page there is nothing");
    assert_ne!(far["count"], Value::Null);
}
