//! Typed calls, from the wire to the value.

use huaweicloud::{ErrorKind, bss, ecs, iam, ims, kps, vpc};

use super::peer::*;

#[tokio::test]
async fn who_i_am_is_found_through_iam_too() {
    let (peer, url) = peer(vec![
        json(200, r#"{"credential":{"user_id":"u-1","access":"EXAMPLEAK00000000001","status":"active","last_use_time":null}}"#),
        json(200, r#"{"user":{"id":"u-1","name":"ada","domain_id":"a-1","password_expires_at":null}}"#),
        json(200, r#"{"domains":[{"id":"a-1","name":"example","enabled":true}],"links":{}}"#),
        json(200, r#"{"projects":[{"id":"p-1","name":"cn-north-4","domain_id":"a-1","enabled":true}]}"#),
        json(200, r#"{"projects":[{"id":"p-0","name":"MOS"},{"id":"p-1","name":"cn-north-4","enabled":"true"}]}"#),
    ])
    .await;
    let client = client(&url);
    let key = iam::own_key(&client).await.unwrap().value;
    let user = iam::user(&client, &key.user_id).await.unwrap().value;
    assert_eq!(
        (user.name.as_str(), user.account_id.unwrap().as_str()),
        ("ada", "a-1")
    );
    assert_eq!(
        iam::accounts(&client).await.unwrap().value.items[0].name,
        "example"
    );
    let named = iam::projects_named(&client, "cn-north-4")
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(named[0].region(), Some("cn-north-4".into()));
    let own = iam::own_projects(&client).await.unwrap().value.items;
    assert_eq!((own[0].region(), own[1].enabled), (None, Some(true)));
    let paths: Vec<_> = peer
        .seen()
        .iter()
        .map(|seen| format!("{}?{}", seen.path, seen.query))
        .collect();
    assert_eq!(
        paths,
        [
            "/v3.0/OS-CREDENTIAL/credentials/EXAMPLEAK00000000001?",
            "/v3/users/u-1?",
            "/v3/auth/domains?",
            "/v3/projects?name=cn-north-4",
            "/v3/auth/projects?",
        ]
    );
}

#[tokio::test]
async fn the_catalogue_is_read() {
    let (peer, url) = peer(vec![
        json(200, r#"{"images":[{"id":"i-1","name":"Ubuntu","min_disk":"40","__os_type":"Linux","__support_fc_inject":"true","__support_arm":"true"},{"id":"i-2"}]}"#),
        json(200, r#"{"vpcs":[{"id":"v-1","name":"vpc-default","cidr":"192.168.0.0/16","status":"OK"}]}"#),
        json(200, r#"{"subnets":[{"id":"n-1","vpc_id":"v-1","available_ip_address_count":"251"}]}"#),
        json(200, r#"{"security_groups":[{"id":"g-1","name":"default"}]}"#),
        json(200, r#"{"keypairs":[{"keypair":{"name":"ada","type":"ssh","scope":"user","fingerprint":"aa:bb"}},{"keypair":null}]}"#),
        json(200, r#"{"availability_zones":[{"availability_zone_id":"cn-north-4a","alias":null}]}"#),
        json(200, r#"{"flavors":[{"id":"s6.large.2","vcpus":"2","ram":4096}]}"#),
    ])
    .await;
    let client = client(&url);
    let query = ims::ImageQuery {
        flavor: Some("s6.large.2".into()),
        ..ims::ImageQuery::of(ims::ImageSource::Public)
    };
    let images = ims::images(&client, &query).await.unwrap().value.items;
    assert_eq!(
        (
            images[0].min_disk_gb,
            images[0].has_cloud_init(),
            images[0].is_arm()
        ),
        (Some(40), false, true)
    );
    assert!(images[1].has_cloud_init() && !images[1].is_arm());
    assert_eq!(
        vpc::vpcs(&client, &project()).await.unwrap().value.items[0].status,
        "OK"
    );
    let subnets = vpc::subnets(&client, &project(), Some(&"v-1".into()))
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(subnets[0].available_addresses, Some(251));
    assert_eq!(
        vpc::security_groups(&client, &project())
            .await
            .unwrap()
            .value
            .items[0]
            .name,
        "default"
    );
    let keys = kps::key_pairs(&client, &project()).await.unwrap().value;
    assert_eq!((keys.items[0].name.as_str(), keys.skipped), ("ada", 1));
    assert_eq!(
        ecs::zones(&client, &project()).await.unwrap().value.items[0]
            .id
            .as_str(),
        "cn-north-4a"
    );
    let flavors = ecs::flavors(&client, &project(), Some(&"cn-north-4a".into()))
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(flavors[0].vcpus, 2);
    let queries: Vec<_> = peer.seen().into_iter().map(|seen| seen.query).collect();
    assert_eq!(
        queries[0],
        "__imagetype=gold&flavor_id=s6.large.2&limit=500&status=active&virtual_env_type=FusionCompute"
    );
    assert_eq!(queries[2], "limit=1000&vpc_id=v-1");
    assert_eq!(queries[6], "availability_zone=cn-north-4a&limit=1000");
}

#[tokio::test]
async fn prices_are_exact_and_traffic_is_kept_out_of_the_hourly_sum() {
    let (peer, url) = peer(vec![
        json(
            200,
            r#"{"amount":1.2000000003,"official_website_amount":"1.40","currency":"","product_rating_results":[
                {"id":"2","amount":0.8,"official_website_amount":0.8},
                {"id":"1","amount":0.0380000001,"official_website_amount":0.04},
                {"id":"0","amount":"0.3620000002","official_website_amount":null}]}"#,
        ),
        json(200, r#"{"amount":1,"product_rating_results":[]}"#),
        json(400, r#"{"error_code":"CBC.99006006","error_msg":"Product not found."}"#),
    ])
    .await;
    let client = client(&url);
    let products = [
        bss::Product::Server {
            flavor: "s6.large.2".into(),
            windows: false,
            zone: None,
        },
        bss::Product::Volume {
            volume_type: "GPSSD".to_owned(),
            size_gb: 40,
        },
        bss::Product::Traffic,
    ];
    let ratings = bss::on_demand_ratings(&client, &project(), &products)
        .await
        .unwrap()
        .value;
    assert_eq!(ratings.currency, "CNY");
    assert_eq!(ratings.per_hour().unwrap().to_string(), "0.4000000003");
    assert_eq!(ratings.total.unwrap().to_string(), "1.2000000003");
    assert_eq!(ratings.prices[0].list_amount, None);
    assert_eq!(ratings.prices[2].unit, bss::Unit::GbOfTraffic);

    let sent: serde_json::Value = serde_json::from_slice(&peer.seen()[0].body).unwrap();
    assert_eq!(
        sent["product_infos"][1],
        serde_json::json!({"id": "1", "cloud_service_type": "hws.service.type.ebs",
            "resource_type": "hws.resource.type.volume", "resource_spec": "GPSSD", "resource_size": 40, "size_measure_id": 17,
            "region": "sandbox-1", "usage_factor": "Duration", "usage_value": 1, "usage_measure_id": 4, "subscription_num": 1})
    );
    assert_eq!(sent["product_infos"][0]["resource_spec"], "s6.large.2.linux");

    let error = bss::on_demand_ratings(&client, &project(), &products)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer);
    let error = bss::on_demand_ratings(&client, &project(), &products)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Invalid, Some("CBC.99006006"))
    );
}

#[tokio::test]
async fn a_job_is_read_and_an_error_code_in_it_is_not_an_error_of_the_call() {
    let (_, url) = peer(vec![json(
        200,
        r#"{"job_id":"j-1","job_type":"createServer","status":"FAIL","error_code":"Ecs.0219","fail_reason":"No valid host","entities":{}}"#,
    )])
    .await;
    let job = ecs::job(&client(&url), &project(), &"j-1".into())
        .await
        .unwrap()
        .value;
    assert_eq!(job.status, ecs::JobStatus::Fail);
    assert_eq!(job.failure(), Some((Some("Ecs.0219"), "No valid host")));
}
