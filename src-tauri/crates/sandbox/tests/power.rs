//! Starting, stopping, restarting, resizing, renaming, and ways into a server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{cloud, fast};
use sandbox::Options;
use serde_json::{Value, json};

const ACTION: &str = "/v1/{P}/cloudservers/action";

#[tokio::test]
async fn stopping_and_starting_show_only_in_the_task_and_a_restart_shows_in_the_status() {
    // So slow that nothing happens but what the test's own clock lets happen.
    let cloud = cloud(Options {
        speed: 0.01,
        ..Options::default()
    })
    .await;
    let found = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?name=gateway-01", None)
        .await
        .ok();
    let id = found["servers"][0]["id"].as_str().unwrap();
    let states = async || {
        let server = cloud.server(id).await.ok()["server"].clone();
        (
            server["status"].as_str().unwrap().to_owned(),
            server["OS-EXT-STS:task_state"].clone(),
            server["OS-EXT-STS:power_state"].clone(),
        )
    };
    let is = |status: &str, task: Value, power: u8| (status.to_owned(), task, json!(power));
    let act = async |body: Value| cloud.ecs("POST", ACTION, Some(&body)).await;

    act(json!({"os-stop": {"type": "SOFT", "servers": [{"id": id}]}}))
        .await
        .ok();
    assert_eq!(states().await, is("ACTIVE", json!("powering-off"), 1));
    let busy = act(json!({"os-start": {"servers": [{"id": id}]}})).await;
    assert_eq!(
        busy.refused(),
        (400, "Ecs.0100".to_owned()),
        "one thing at a time"
    );
    cloud.move_clock(250).await;
    assert_eq!(states().await, is("SHUTOFF", Value::Null, 4));

    act(json!({"os-start": {"servers": [{"id": id}]}})).await.ok();
    assert_eq!(states().await, is("SHUTOFF", json!("powering-on"), 4));
    cloud.move_clock(500).await;
    assert_eq!(states().await, is("ACTIVE", Value::Null, 1));

    act(json!({"reboot": {"type": "SOFT", "servers": [{"id": id}]}}))
        .await
        .ok();
    assert_eq!(states().await, is("REBOOT", json!("rebooting"), 1));
    let active = cloud
        .ecs(
            "GET",
            "/v1/{P}/cloudservers/detail?status=ACTIVE&name=gateway",
            None,
        )
        .await
        .ok();
    assert_eq!(active["count"], 1, "what is between states rides along");
    cloud.move_clock(650).await;
    assert_eq!(states().await, is("REBOOT", json!("reboot_started"), 1));
    cloud.move_clock(900).await;
    act(json!({"reboot": {"type": "HARD", "servers": [{"id": id}]}}))
        .await
        .ok();
    assert_eq!(states().await, is("HARD_REBOOT", json!("rebooting_hard"), 1));
}

#[tokio::test]
async fn a_stopped_server_costs_nothing_and_its_disks_and_eip_go_on() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("idle").await;
    let stretches = async |id: &str| -> Vec<bool> {
        let own = cloud.stretches("resource_id", id).await;
        own.iter().map(|stretch| stretch["to"].is_null()).collect()
    };
    let disk = cloud.server(&id).await.ok()["server"]["os-extended-volumes:volumes_attached"][1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(stretches(&id).await, [true]);
    let job = cloud.act(json!({"os-stop": {"servers": [{"id": id}]}})).await;
    assert_eq!(
        (&job["status"], &job["entities"]["sub_jobs_total"]),
        (&json!("SUCCESS"), &json!(1))
    );
    assert_eq!(stretches(&id).await, [false], "its meter stands still");
    assert_eq!(stretches(&disk).await, [true], "its disk's does not");
    cloud.act(json!({"os-start": {"servers": [{"id": id}]}})).await;
    assert_eq!(stretches(&id).await, [false, true], "a new stretch begins");
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_with_a_reason_for_each_server_in_the_way() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("one").await;
    let body = json!({"os-stop": {"servers": [{"id": id}, {"id": "unknown"}, {"id": id}]}});
    let got = cloud.ecs("POST", ACTION, Some(&body)).await;
    assert_eq!(got.refused(), (400, "Ecs.0611".to_owned()));
    let failed = got.json()["internalError"].clone();
    assert_eq!(failed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&failed[0]["id"], &failed[0]["error_code"]),
        (&json!("unknown"), &json!("Ecs.0114"))
    );
    assert_eq!(
        cloud.server(&id).await.ok()["server"]["OS-EXT-STS:task_state"],
        Value::Null
    );

    let start = json!({"os-start": {"servers": [{"id": id}]}});
    let got = cloud.ecs("POST", ACTION, Some(&start)).await;
    assert_eq!(got.refused(), (400, "Ecs.0100".to_owned()), "it runs already");

    let many: Vec<Value> = (0..1001).map(|n| json!({"id": n.to_string()})).collect();
    for (body, code) in [
        (json!({"os-stop": {"servers": many}}), "Ecs.0118"),
        (json!({"os-stop": {"servers": []}}), "Ecs.0005"),
        (
            json!({"os-stop": {"type": "GENTLE", "servers": [{"id": id}]}}),
            "Ecs.0005",
        ),
        (json!({"reboot": {"servers": [{"id": id}]}}), "Ecs.0005"),
        (json!({"os-melt": {"servers": [{"id": id}]}}), "Ecs.0005"),
        (json!({"os-stop": {"servers": "all"}}), "Ecs.0000"),
    ] {
        let got = cloud.ecs("POST", ACTION, Some(&body)).await;
        assert_eq!(got.refused(), (400, code.to_owned()), "{body}");
    }
    assert_eq!(
        cloud.ecs("POST", ACTION, None).await.refused(),
        (400, "Common.0002".to_owned())
    );
    let guest = cloud
        .call("guest", "POST", "ecs", ACTION, Some(&json!({"reboot": {}})))
        .await;
    assert_eq!(guest.refused(), (403, "Pdp.0001".to_owned()));
    assert!(guest.text.contains("ecs:cloudServers:reboot"), "{}", guest.text);
}

#[tokio::test]
async fn a_start_can_fail_for_lack_of_room_and_a_batch_by_half() {
    let cloud = cloud(fast()).await;
    let (one, other) = (cloud.running("one").await, cloud.running("other").await);
    let both = json!([{"id": one}, {"id": other}]);
    cloud
        .act(json!({"os-stop": {"servers": both, "type": "HARD"}}))
        .await;
    cloud.fault(json!({"no_capacity": true})).await;
    let job = cloud.act(json!({"os-start": {"servers": [{"id": one}]}})).await;
    assert_eq!(
        (&job["status"], &job["error_code"]),
        (&json!("FAIL"), &json!("Ecs.0226"))
    );
    assert_eq!(cloud.server(&one).await.ok()["server"]["status"], "SHUTOFF");

    cloud
        .fault(json!({"no_capacity": false, "half_batch_next": true}))
        .await;
    let job = cloud.act(json!({"os-start": {"servers": both}})).await;
    assert_eq!(job["status"], "FAIL");
    let parts = job["entities"]["sub_jobs"].as_array().unwrap();
    let mut ends: Vec<&str> = parts
        .iter()
        .map(|part| part["status"].as_str().unwrap())
        .collect();
    ends.sort_unstable();
    assert_eq!(
        ends,
        ["FAIL", "SUCCESS"],
        "a failed batch with a part that went well"
    );
    for part in parts {
        let id = part["entities"]["server_id"].as_str().unwrap();
        let status = cloud.server(id).await.ok()["server"]["status"].clone();
        let expected = if part["status"] == "SUCCESS" {
            "ACTIVE"
        } else {
            "SHUTOFF"
        };
        assert_eq!(status, expected);
    }
}

#[tokio::test]
async fn a_locked_server_is_left_alone_and_a_frozen_one_can_still_be_deleted() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("held").await;
    let delete = json!({"servers": [{"id": id}]});
    cloud.fault(json!({"lock": id})).await;
    assert_eq!(cloud.server(&id).await.ok()["server"]["locked"], true);
    let stop = json!({"os-stop": {"servers": [{"id": id}]}});
    assert_eq!(
        cloud.ecs("POST", ACTION, Some(&stop)).await.refused(),
        (400, "Ecs.0605".to_owned())
    );
    let got = cloud
        .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&delete))
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0605".to_owned()));

    cloud.fault(json!({"unlock": id, "restriction": "frozen"})).await;
    assert_eq!(
        cloud.server(&id).await.ok()["server"]["metadata"]["EcmResStatus"],
        "freeze"
    );
    assert_eq!(
        cloud.ecs("POST", ACTION, Some(&stop)).await.refused(),
        (400, "Ecs.0030".to_owned())
    );
    let order = cloud.order("more").await;
    for (restriction, code) in [
        ("frozen", "Ecs.0003"),
        ("balance", "Ecs.0067"),
        ("unverified", "Ecs.0066"),
        ("suspended", "Ecs.0071"),
    ] {
        cloud.fault(json!({"restriction": restriction})).await;
        let got = cloud.ecs("POST", "/v1.1/{P}/cloudservers", Some(&order)).await;
        assert_eq!(got.refused(), (403, code.to_owned()));
    }
    let answer = cloud
        .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&delete))
        .await
        .ok();
    assert_eq!(
        cloud.settled(answer["job_id"].as_str().unwrap()).await["status"],
        "SUCCESS"
    );
    cloud.fault(json!({"restriction": null})).await;
    cloud.running("again").await;
}

#[tokio::test]
async fn a_server_changes_size_when_it_is_off_or_may_be_stopped_for_it() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("growing").await;
    let path = format!("/v1.1/{{P}}/cloudservers/{id}/resize");
    let ask = async |flavor: &str, mode: &str| {
        let body = json!({"resize": {"flavorRef": flavor, "mode": mode}});
        cloud.ecs("POST", &path, Some(&body)).await
    };
    for (flavor, mode, code) in [
        ("s6.xlarge.2", "", "Ecs.0100"),
        ("s6.large.2", "withStopServer", "Ecs.0009"),
        ("x9.large.2", "withStopServer", "Ecs.0029"),
        ("c7.large.2", "withStopServer", "Ecs.0018"),
        ("s3.large.2", "withStopServer", "Ecs.0019"),
        ("kc1.large.2", "withStopServer", "Ecs.0804"),
        ("s6.xlarge.2", "gently", "Ecs.0005"),
    ] {
        assert_eq!(
            ask(flavor, mode).await.refused(),
            (400, code.to_owned()),
            "{flavor} {mode}"
        );
    }
    let answer = ask("s6.xlarge.2", "withStopServer").await.ok();
    let job = cloud.settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(
        (&job["status"], &job["entities"]["server_id"]),
        (&json!("SUCCESS"), &json!(id))
    );
    let server = cloud.server(&id).await.ok()["server"].clone();
    assert_eq!(
        (&server["flavor"]["id"], &server["status"]),
        (&json!("s6.xlarge.2"), &json!("ACTIVE"))
    );

    cloud.act(json!({"os-stop": {"servers": [{"id": id}]}})).await;
    cloud.fault(json!({"no_capacity": true})).await;
    let answer = ask("c6.2xlarge.4", "").await.ok();
    let job = cloud.settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(
        (&job["status"], &job["error_code"]),
        (&json!("FAIL"), &json!("Ecs.0319"))
    );
    let server = cloud.server(&id).await.ok()["server"].clone();
    assert_eq!(
        (&server["flavor"]["id"], &server["status"]),
        (&json!("s6.xlarge.2"), &json!("SHUTOFF")),
        "it stays what and how it was"
    );

    let choices = format!("/v1/{{P}}/cloudservers/resize_flavors?instance_uuid={id}&sort_key=vcpus");
    let choices = cloud.ecs("GET", &choices, None).await.ok();
    let rows = choices["flavors"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["id"] == "c6.2xlarge.4"));
    assert!(
        rows.iter()
            .all(|row| row["id"] != "s6.xlarge.2" && row["id"] != "kc1.large.2")
    );
    assert!(rows[0]["extra_specs"].is_object());
    let none = cloud
        .ecs("GET", "/v1/{P}/cloudservers/resize_flavors", None)
        .await;
    assert_eq!(none.refused(), (400, "Ecs.0005".to_owned()));
}

#[tokio::test]
async fn a_server_is_renamed_and_its_guest_keeps_its_name() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("before_it").await;
    let path = format!("/v1/{{P}}/cloudservers/{id}");
    let body = json!({"server": {"name": "之后", "description": "new"}});
    let answer = cloud.ecs("PUT", &path, Some(&body)).await.ok();
    assert_eq!(
        (&answer["server"]["name"], &answer["server"]["description"]),
        (&json!("之后"), &json!("new"))
    );
    let shown = cloud.server(&id).await.ok()["server"].clone();
    assert_eq!(
        (&shown["name"], &shown["OS-EXT-SRV-ATTR:hostname"]),
        (&json!("之后"), &json!("before-it"))
    );
    for (server, code) in [
        (json!({"name": "a b"}), "Ecs.0915"),
        (json!({"name": "a".repeat(65)}), "Ecs.0914"),
        (json!({"description": "<b>"}), "Ecs.0041"),
        (json!({"hostname": "-x"}), "Ecs.0005"),
        (json!({"name": 5}), "Ecs.0000"),
    ] {
        let got = cloud.ecs("PUT", &path, Some(&json!({"server": server}))).await;
        assert_eq!(got.refused(), (400, code.to_owned()), "{server}");
    }
    let gone = cloud
        .ecs("PUT", "/v1/{P}/cloudservers/unknown", Some(&body))
        .await;
    assert_eq!(gone.refused(), (404, "Ecs.0114".to_owned()));
}

#[tokio::test]
async fn each_console_has_a_token_of_its_own_and_needs_a_server_that_runs() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("seen").await;
    let path = format!("/v1/{{P}}/cloudservers/{id}/remote_console");
    let body = json!({"remote_console": {"protocol": "vnc", "type": "novnc"}});
    let open = async || {
        let answer = cloud.ecs("POST", &path, Some(&body)).await.ok();
        answer["remote_console"]["url"].as_str().unwrap().to_owned()
    };
    let (one, other) = (open().await, open().await);
    assert!(
        one.starts_with("http://127.0.0.1:") && one.contains("/vnc_auto.html?token="),
        "{one}"
    );
    assert_ne!(one, other);
    let wrong = json!({"remote_console": {"protocol": "rdp", "type": "novnc"}});
    assert_eq!(
        cloud.ecs("POST", &path, Some(&wrong)).await.refused(),
        (400, "Ecs.0005".to_owned())
    );
    cloud.act(json!({"os-stop": {"servers": [{"id": id}]}})).await;
    assert_eq!(
        cloud.ecs("POST", &path, Some(&body)).await.refused(),
        (400, "Ecs.0100".to_owned())
    );
}

#[tokio::test]
async fn a_password_is_reset_where_the_plugin_is_and_checked_when_asked_to() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("locked-out").await;
    let path = format!("/v1/{{P}}/cloudservers/{id}");
    let flag = cloud
        .ecs("GET", &format!("{path}/os-resetpwd-flag"), None)
        .await
        .ok();
    assert_eq!(flag["resetpwd_flag"], "True", "text, not a truth value");
    let reset = async |password: &str, check: bool| {
        let body = json!({"reset-password": {"new_password": password, "is_check_password": check}});
        cloud
            .ecs("PUT", &format!("{path}/os-reset-password"), Some(&body))
            .await
    };
    let done = reset("Example-Pass-1", true).await;
    assert_eq!((done.status, done.text.as_str()), (204, ""));
    assert_eq!(
        reset("examplepass", true).await.refused(),
        (400, "Ecs.0011".to_owned())
    );
    assert_eq!(
        reset("examplepass", false).await.status,
        204,
        "nobody asked whether it is strong"
    );
    assert_eq!(
        reset("short", false).await.refused(),
        (400, "Ecs.0011".to_owned())
    );

    let mut order = cloud.order("arm").await;
    let images = cloud
        .call("ada", "GET", "ims", "/v2/cloudimages?architecture=arm", None)
        .await
        .ok();
    order["server"]["imageRef"] = images["images"][0]["id"].clone();
    order["server"]["flavorRef"] = json!("kc1.large.2");
    let (job, arm) = cloud.create(&order).await;
    assert_eq!(cloud.settled(&job).await["status"], "SUCCESS");
    let flag = format!("/v1/{{P}}/cloudservers/{arm}/os-resetpwd-flag");
    assert_eq!(cloud.ecs("GET", &flag, None).await.ok()["resetpwd_flag"], "False");
    let body = json!({"reset-password": {"new_password": "Example-Pass-1"}});
    let got = cloud
        .ecs(
            "PUT",
            &format!("/v1/{{P}}/cloudservers/{arm}/os-reset-password"),
            Some(&body),
        )
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0613".to_owned()));
    let traces = cloud.world().await["traces"].to_string();
    assert!(!traces.contains("Example-Pass-1"), "no password is kept anywhere");
}

#[tokio::test]
async fn what_is_done_and_what_is_refused_leaves_a_trace() {
    let cloud = cloud(fast()).await;
    // What was there at the first start has left traces too.
    let before = cloud.world().await["traces"].as_array().unwrap().len();
    let id = cloud.running("traced").await;
    cloud.act(json!({"os-stop": {"servers": [{"id": id}]}})).await;
    let again = json!({"os-stop": {"servers": [{"id": id}]}});
    assert_eq!(cloud.ecs("POST", ACTION, Some(&again)).await.status, 400);
    cloud.call("guest", "POST", "ecs", ACTION, Some(&again)).await;
    let world = cloud.world().await;
    let seen: Vec<(String, u64, bool)> = world["traces"]
        .as_array()
        .unwrap()
        .iter()
        .skip(before)
        .map(|trace| {
            (
                trace["trace_name"].as_str().unwrap().to_owned(),
                trace["code"].as_u64().unwrap(),
                trace["resource_id"] == id.as_str(),
            )
        })
        .collect();
    let row = |name: &str, code: u64, named: bool| (name.to_owned(), code, named);
    assert_eq!(
        seen,
        [
            row("createServer", 200, true),
            row("stopServer", 200, true),
            row("stopServer", 400, false),
            row("stopServer", 403, false),
        ]
    );
    assert_eq!(
        world["traces"][before]["user"],
        cloud.announcement.user("ada").unwrap().id
    );
}
