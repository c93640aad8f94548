//! Acts that change a server which exists: asked, rehearsed, followed, shown.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::arguments::{Form, Wait};
use crate::commands::show_operation;
use crate::output::{money, rows, table, text};
use crate::secrets;
use crate::servers::id;
use crate::session::{Session, wire};
use crate::trouble::Result;
use crate::words::safe;

/// Asks for an act and shows what came of it, or only what would be sent.
pub async fn act(session: &Session, name: &str, ask: Value, wait: Wait) -> Result<()> {
    if wait.dry_run {
        return rehearse(session, name, ask, wait.form).await;
    }
    let operation = session.act(name, ask, wait).await?;
    show_operation(session, &operation)
}

/// Shows what an act would send. Nothing is sent but what has to be read.
pub async fn rehearse(session: &Session, name: &str, ask: Value, form: Form) -> Result<()> {
    rehearse_all(session, name, vec![ask], form).await
}

/// The same of several asks of one kind, as one answer.
pub async fn rehearse_all(session: &Session, name: &str, asks: Vec<Value>, form: Form) -> Result<()> {
    let output = session.output;
    let mut rehearsed = json!({});
    for ask in asks {
        let one = session
            .ask("operations.rehearse", json!({"call": name, "request": ask}))
            .await?;
        add(&mut rehearsed, one);
    }
    output.answer(&rehearsed, || requests(session, &rehearsed, form))?;
    match rows(&rehearsed, "refused").next() {
        Some(error) => Err(wire(error, false)),
        None => Ok(()),
    }
}

/// Shows what an operation has asked, or asks, of the cloud.
pub async fn sent(session: &Session, operation: &str, form: Form) -> Result<()> {
    let shown = session
        .ask("operations.shown", json!({"operation": operation}))
        .await?;
    session.output.answer(&shown, || requests(session, &shown, form))
}

/// Adds a rehearsal to those before it: lists go on, commands stand one a line.
fn add(all: &mut Value, one: Value) {
    let (Value::Object(all), Value::Object(one)) = (all, one) else {
        return;
    };
    for (key, value) in one {
        match (all.get_mut(&key), value) {
            (Some(Value::Array(rows)), Value::Array(more)) => rows.extend(more),
            (Some(Value::String(lines)), Value::String(line)) => *lines = format!("{lines}\n{line}"),
            (_, value) => {
                all.insert(key, value);
            }
        }
    }
}

/// Requests as people read them, in the form that was asked for.
fn requests(session: &Session, rehearsed: &Value, form: Form) -> String {
    let output = session.output;
    let key = match form {
        Form::Http => None,
        Form::Hcloud => Some("koo"),
        Form::Python => Some("python"),
        Form::Wangcheng => {
            return match rehearsed.get("command").and_then(Value::as_str) {
                Some(commands) => commands.lines().map(safe).collect::<Vec<_>>().join("\n"),
                None => output
                    .say(
                        "# 没有对应的 wangcheng 命令。",
                        "# wangcheng has no command for this.",
                    )
                    .to_owned(),
            };
        }
    };
    let in_form = |request: &Value| key.map_or_else(|| http(request), |key| told(session, request, key));
    let mut parts: Vec<String> = rows(rehearsed, "requests").map(in_form).collect();
    let follows: Vec<String> = rows(rehearsed, "follows").map(in_form).collect();
    if !follows.is_empty() {
        parts.push(format!(
            "# {}",
            output.say(
                "随后还有以下请求；大写的词代表返回结果中的 ID：",
                "Then, with ids from the answers in the place of the words in capitals:"
            )
        ));
        parts.extend(follows);
    }
    parts.join("\n\n")
}

/// A request as a command or as code; without one, what it is stands in a remark, so that the rest can still be run.
fn told(session: &Session, request: &Value, key: &str) -> String {
    match request.get(key).and_then(Value::as_str) {
        Some(told) => told.lines().map(safe).collect::<Vec<_>>().join("\n"),
        None => format!(
            "# {} {} {}",
            session.output.say("没有对应的写法：", "There is none for"),
            text(request, "method"),
            text(request, "url")
        ),
    }
}

/// A request as it goes over the wire: its first line, its headers, its body.
fn http(request: &Value) -> String {
    let mut lines = vec![format!("{} {}", text(request, "method"), text(request, "url"))];
    for header in rows(request, "headers") {
        let part = |at: usize| {
            header
                .get(at)
                .and_then(Value::as_str)
                .map(safe)
                .unwrap_or_default()
        };
        lines.push(format!("{}: {}", part(0), part(1)));
    }
    let body = request.get("body").and_then(Value::as_str).unwrap_or_default();
    if !body.is_empty() {
        let pretty = serde_json::from_str::<Value>(body).and_then(|body| serde_json::to_string_pretty(&body));
        lines.push(String::new());
        lines.push(pretty.map_or_else(
            |_| safe(body),
            // Line ends stay.
            |pretty| crate::words::safe_json(&pretty),
        ));
    }
    lines.join("\n")
}

/// Another flavor, or the list of those that can be had.
pub async fn resize(
    session: &Session,
    server: &str,
    flavor: Option<&str>,
    stop: bool,
    wait: Wait,
) -> Result<()> {
    let output = session.output;
    let server = session.server(server).await?;
    if let Some(flavor) = flavor {
        let ask = json!({"server": id(&server), "flavor": flavor, "mayStop": stop});
        return act(session, "servers.resize", ask, wait).await;
    }
    let options = session
        .ask("servers.resize_options", json!({"server": id(&server)}))
        .await?;
    output.answer(&options, || {
        let head = match output.tongue {
            api::Tongue::Chinese => ["规格", "vCPU", "内存 MiB", "每小时", "相差", "说明"],
            api::Tongue::English => ["FLAVOR", "VCPUS", "MEMORY MIB", "AN HOUR", "MORE", "NOTE"],
        };
        table(
            &head,
            rows(&options, "options").map(|option| {
                let problem = option.pointer("/problem/sentence").and_then(Value::as_str);
                vec![
                    text(option, "flavor"),
                    text(option, "vcpus"),
                    text(option, "ramMb"),
                    money(option, "perHour"),
                    money(option, "morePerHour"),
                    safe(problem.unwrap_or_default()),
                ]
            }),
        )
    })
}

/// Tags set and taken off.
pub async fn tags(
    session: &Session,
    server: &str,
    set: &[(String, String)],
    remove: &[String],
    wait: Wait,
) -> Result<()> {
    let server = session.server(server).await?;
    let set: Vec<Value> = set
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let ask = json!({"server": id(&server), "set": set, "remove": remove});
    act(session, "servers.tag", ask, wait).await
}

/// Another password for the administrator.
pub async fn password(session: &Session, server: &str, wait: Wait) -> Result<()> {
    let output = session.output;
    let server = session.server(server).await?;
    let password = secrets::server_password(output)?;
    let ask = json!({"server": id(&server), "password": password.expose_secret()});
    act(session, "servers.reset_password", ask, wait).await?;
    if !wait.dry_run {
        output.note(output.say(
            "下次开机或重启后生效。",
            "It holds after the next start or restart.",
        ));
    }
    Ok(())
}
