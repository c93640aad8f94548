//! What is sold, and for how much.

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

#[tokio::test]
async fn the_catalogue_says_what_is_sold_where() {
    let cloud = cloud(fast()).await;
    let flavors = cloud
        .ecs(
            "GET",
            "/v1/{P}/cloudservers/flavors?availability_zone=sandbox-1b",
            None,
        )
        .await
        .ok();
    let find = |id: &str| {
        let rows = flavors["flavors"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()["os_extra_specs"].clone()
    };
    assert_eq!(
        find("c6.large.2")["cond:operation:az"],
        "sandbox-1a(normal),sandbox-1b(sellout),sandbox-1c(normal)"
    );
    assert_eq!(find("s3.large.2")["cond:operation:status"], "abandon");
    assert_eq!(find("kc1.large.2")["ecs:instance_architecture"], "arm64");
    let two = cloud
        .ecs(
            "GET",
            "/v1/{P}/cloudservers/flavors?limit=2&marker=s6.small.1",
            None,
        )
        .await
        .ok();
    assert_eq!(two["flavors"][0]["id"], "s6.medium.2");
    assert_eq!(two["flavors"].as_array().unwrap().len(), 2);
    let zones = cloud.ecs("GET", "/v1/{P}/availability-zones", None).await.ok();
    assert_eq!(zones["availability_zones"].as_array().unwrap().len(), 3);

    let arm = cloud
        .call("ada", "GET", "ims", "/v2/cloudimages?flavor_id=kc1.large.2", None)
        .await
        .ok();
    assert!(
        arm["images"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["__support_arm"] == "true")
    );
    let first = cloud
        .call("ada", "GET", "ims", "/v2/cloudimages?limit=4", None)
        .await
        .ok();
    let marker = first["page_info"]["next_marker"].as_str().unwrap();
    let rest = cloud
        .call(
            "ada",
            "GET",
            "ims",
            &format!("/v2/cloudimages?limit=4&marker={marker}"),
            None,
        )
        .await
        .ok();
    assert_eq!(rest["images"].as_array().unwrap().len(), 4);
    assert_ne!(
        rest["images"][0]["id"], first["images"][0]["id"],
        "the next page, not the same"
    );
    let types = cloud.call("ada", "GET", "evs", "/v2/{P}/types", None).await.ok();
    let essd = types["volume_types"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "ESSD")
        .unwrap();
    assert_eq!(
        essd["extra_specs"]["os-vendor-extended:sold_out_availability_zones"],
        "sandbox-1c"
    );
    let subnets = cloud
        .call("ada", "GET", "vpc", "/v1/{P}/subnets", None)
        .await
        .ok();
    assert_eq!(subnets["subnets"][0]["available_ip_address_count"], 251 - 3);

    let names = async |user: &str| -> Vec<String> {
        let pairs = cloud
            .call(user, "GET", "kps", "/v3/{P}/keypairs", None)
            .await
            .ok();
        let rows = pairs["keypairs"].as_array().unwrap();
        rows.iter()
            .map(|row| row["keypair"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("ada").await, ["ada-laptop", "team-shared"]);
    assert_eq!(names("bo").await, ["team-shared"]);
    let limits = cloud.ecs("GET", "/v1/{P}/cloudservers/limits", None).await.ok();
    assert_eq!(limits["absolute"]["totalInstancesUsed"], 3);
}

#[tokio::test]
async fn prices_are_decimal_and_their_sum_is_the_total() {
    let cloud = cloud(fast()).await;
    let product = |id: &str, service: &str, kind: &str, spec: &str, size: Option<(u32, u32)>| {
        let mut row = json!({
            "id": id, "cloud_service_type": service, "resource_type": kind, "resource_spec": spec,
            "region": "sandbox-1", "usage_factor": "Duration", "usage_value": 1, "usage_measure_id": 4,
            "subscription_num": 1,
        });
        if let Some((size, measure)) = size {
            row["resource_size"] = json!(size);
            row["size_measure_id"] = json!(measure);
        }
        row
    };
    let vm = product(
        "1",
        "hws.service.type.ec2",
        "hws.resource.type.vm",
        "s6.large.2.linux",
        None,
    );
    let disk = product(
        "2",
        "hws.service.type.ebs",
        "hws.resource.type.volume",
        "GPSSD",
        Some((40, 17)),
    );
    let bandwidth = product(
        "3",
        "hws.service.type.vpc",
        "hws.resource.type.bandwidth",
        "19_bgp",
        Some((6, 15)),
    );
    let path = "/v2/bills/ratings/on-demand-resources";
    let ask = async |products: Value| {
        let body = json!({"project_id": cloud.project(), "inquiry_precision": 1, "product_infos": products});
        cloud.call("ada", "POST", "bss", path, Some(&body)).await
    };
    let got = ask(json!([vm, disk, bandwidth])).await;
    // Read as text: the amounts are decimal digits, not what is left of them in binary.
    for digits in [
        r#""official_website_amount":0.31,"#,
        r#""amount":0.279,"#,
        r#""amount":0.0392,"#,
        r#""amount":0.565,"#,
        r#""amount":0.8832,"discount_amount":0.031,"official_website_amount":0.9142,"#,
    ] {
        assert!(got.text.contains(digits), "{digits} in {}", got.text);
    }
    assert_eq!(got.json()["currency"], "CNY");

    let windows = product(
        "1",
        "hws.service.type.ec2",
        "hws.resource.type.vm",
        "s6.large.2.win",
        None,
    );
    let got = ask(json!([windows])).await;
    assert!(
        got.text.contains(r#""official_website_amount":0.65,"#),
        "{}",
        got.text
    );

    let unknown = product(
        "9",
        "hws.service.type.ec2",
        "hws.resource.type.vm",
        "x9.large.2.linux",
        None,
    );
    let got = ask(json!([vm, unknown])).await;
    assert_eq!(
        (got.status, &got.json()["error_code"]),
        (400, &json!("CBC.99006006"))
    );
    let mut wrong_unit = vm.clone();
    wrong_unit["usage_measure_id"] = json!(10);
    assert_eq!(
        ask(json!([wrong_unit])).await.json()["error_code"],
        "CBC.99006050"
    );
    assert_eq!(ask(json!([vm, vm])).await.json()["error_code"], "CBC.0100");
}
