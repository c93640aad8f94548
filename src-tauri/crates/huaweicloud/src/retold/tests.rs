use super::*;
use crate::endpoints::Service;

fn request(service: Service, operation: &'static str, url: &str, body: Value) -> RehearsedRequest {
    RehearsedRequest {
        service,
        operation,
        region: "cn-north-4".to_owned(),
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![("x-client-token".to_owned(), "0-1".to_owned())],
        body: body.to_string(),
        follows: false,
    }
}

#[test]
fn a_request_is_told_as_command_and_as_code() {
    let stop = request(
        Service::Ecs,
        "BatchStopServers",
        "https://ecs.cn-north-4.myhuaweicloud.com/v1/p1/cloudservers/action",
        serde_json::json!({"os-stop": {"type": "SOFT", "servers": [{"id": "a"}, {"id": "b"}]}}),
    );
    let koo = stop.as_koo().unwrap();
    let mut lines: Vec<&str> = koo.split(" \\\n  ").collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "--cli-region=cn-north-4",
            "--os-stop.servers.1.id=a",
            "--os-stop.servers.2.id=b",
            "--os-stop.type=SOFT",
            "--project_id=p1",
            "hcloud ECS BatchStopServers",
        ]
    );
    let python = stop.as_python().unwrap();
    for part in [
        "from huaweicloudsdkecs.v2 import (",
        "    BatchStopServersOption,\n",
        "request = BatchStopServersRequest(",
        "ServerId(id=\"b\"),",
        ".with_endpoint(\"https://ecs.cn-north-4.myhuaweicloud.com\")",
        "print(client.batch_stop_servers(request))",
    ] {
        assert!(python.contains(part), "{part}: {python}");
    }
}

#[test]
fn what_a_command_line_cannot_say_stands_in_a_file() {
    let lease = |end: &str| {
        request(
            Service::Ecs,
            "UpdateServerAutoTerminateTime",
            "https://ecs.cn-north-4.myhuaweicloud.com/v1/p1/cloudservers/s1/actions/update-auto-terminate-time",
            serde_json::json!({ "auto_terminate_time": end }),
        )
    };
    let set = lease("2026-01-02T03:04:00Z").as_koo().unwrap();
    assert!(
        set.contains("--auto_terminate_time=2026-01-02T03:04:00Z") && set.contains("--server_id=s1"),
        "{set}"
    );
    let off = lease("").as_koo().unwrap();
    let (file, command) = off
        .strip_prefix("cat > ECS_UpdateServerAutoTerminateTime.json <<'END'\n")
        .unwrap()
        .split_once("\nEND\n")
        .unwrap();
    let file: Value = serde_json::from_str(file).unwrap();
    assert_eq!(
        file,
        serde_json::json!({
            "path": {"project_id": "p1", "server_id": "s1"},
            "body": {"auto_terminate_time": ""},
        })
    );
    assert!(
        command.ends_with("--cli-jsonInput=ECS_UpdateServerAutoTerminateTime.json"),
        "{command}"
    );
}

#[test]
fn a_strangers_text_stays_one_word_and_is_seen_as_what_it_is() {
    let named = |name: &str| {
        request(
            Service::Ecs,
            "UpdateServer",
            "https://ecs.cn-north-4.myhuaweicloud.com/v1/p1/cloudservers/s1",
            serde_json::json!({"server": {"name": name}}),
        )
    };
    let quoted = named("it's $(reboot) `x`").as_koo().unwrap();
    assert!(
        quoted.contains(r"--server.name='it'\''s $(reboot) `x`'"),
        "{quoted}"
    );
    let turned = named("a\u{202e}b\"\n");
    for text in [turned.as_koo().unwrap(), turned.as_python().unwrap()] {
        assert!(
            text.contains(r#""a\u202eb\"\n""#) && !text.contains('\u{202e}'),
            "{text}"
        );
    }
}

#[test]
fn several_versions_of_an_operation_are_told_apart() {
    let group = request(
        Service::Vpc,
        "CreateSecurityGroup",
        "https://vpc.cn-north-4.myhuaweicloud.com/v1/p1/security-groups",
        serde_json::json!({"security_group": {"name": "x"}}),
    );
    let koo = group.as_koo().unwrap();
    assert!(koo.starts_with("hcloud VPC CreateSecurityGroup/v2 "), "{koo}");
}

#[test]
fn what_the_table_does_not_have_is_not_made_up() {
    let url = "https://ecs.cn-north-4.myhuaweicloud.com/v1/p1/cloudservers/action";
    let unknown = request(Service::Ecs, "BatchPaintServers", url, Value::Null);
    assert_eq!((unknown.as_koo(), unknown.as_python()), (None, None));
    let body = serde_json::json!({"os-stop": {"colour": "red"}});
    let unfit = request(Service::Ecs, "BatchStopServers", url, body);
    assert_eq!(unfit.as_python(), None);
    let elsewhere = request(
        Service::Ecs,
        "BatchStopServers",
        "https://ecs.cn-north-4.myhuaweicloud.com/v1/p1/servers/action",
        Value::Null,
    );
    assert_eq!(elsewhere.as_koo(), None);
}
