//! Tunnels until Ctrl+C. Each has a connection of its own; a lost one is made anew, its port here stays.

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use wangcheng::sessions::{Front, Kind, Link, Route, State, Traffic, Tunnel, failure};

use super::shell::{cancelled, interrupted};
use super::{attended, tell};
use crate::arguments;
use crate::exit::Exit;
use crate::output::Output;
use crate::session::Session;
use crate::trouble::{Result, Trouble};

/// How often the counters are shown.
const TELL: Duration = Duration::from_secs(1);

/// One that was begun.
struct Begun {
    tunnel: Tunnel,
    state: watch::Receiver<State>,
}

/// Leads ports through a server until somebody ends it.
pub async fn tunnel(session: &Session, command: &arguments::remote::Tunnel) -> Result<()> {
    let routes = [&command.local, &command.remote, &command.dynamic];
    let routes: Vec<Route> = routes.into_iter().flatten().cloned().collect();
    if routes.is_empty() {
        return Err(Trouble::new(
            "bad_input",
            session.output.say("没有指定隧道。", "No tunnel is asked for."),
            Some("`wangcheng tunnel SERVER -L 8080:localhost:80`".to_owned()),
        ));
    }
    let (link, mut front) = session
        .reach(&command.server, &(&command.way).into(), Kind::Ssh)
        .await?;
    let result = tokio::select! {
        result = run(session, &link, &mut front, routes) => result,
        // Ctrl+C is how it ends when all is well.
        () = interrupted() => Ok(()),
    };
    link.close().await;
    session.let_events_go().await;
    result
}

async fn run(session: &Session, link: &Link, front: &mut Front, routes: Vec<Route>) -> Result<()> {
    let mut begun = Vec::new();
    // One after the other: what was answered once is not asked again.
    for route in routes {
        let beginning = async {
            let (tunnel, mut state) = link.tunnel(route.clone()).await?;
            let settled = |state: &State| matches!(state, State::Open) || state.is_over();
            let reached = state.wait_for(settled).await.map(|state| state.clone());
            if let Ok(State::Failed { error }) = reached {
                return Err(failure(&error));
            }
            Ok(Begun { tunnel, state })
        };
        let one = attended(session.output, front, beginning)
            .await
            .map_err(|failure| session.failed(&failure))?;
        say(session.output, &route, one.tunnel.port())?;
        begun.push(one);
    }
    attended(session.output, front, watch_over(session, &mut begun)).await
}

/// Says where one leads: for programs a line of JSON.
fn say(output: Output, route: &Route, port: Option<u16>) -> Result<()> {
    let port = port.unwrap_or_default();
    let here = |listen: &wangcheng::sessions::Listen| match listen.address.is_ipv6() {
        true => format!("[{}]:{port}", listen.address),
        false => format!("{}:{port}", listen.address),
    };
    let (kind, from, to) = match route {
        Route::Local { listen, to } => ("local", here(listen), format!("{}:{}", to.host, to.port)),
        Route::Remote { listen, to } => {
            let host = match listen.host.as_str() {
                "" => "localhost",
                host => host,
            };
            (
                "remote",
                format!("{host}:{port}"),
                format!("{}:{}", to.host, to.port),
            )
        }
        Route::Socks { listen } => ("dynamic", here(listen), "SOCKS5".to_owned()),
    };
    if output.json {
        return output.line(&json!({"kind": kind, "listen": from, "to": to, "port": port}).to_string());
    }
    let kind = match kind {
        "local" => output.say("本机", "here"),
        "remote" => output.say("云服务器", "there"),
        _ => output.say("代理", "proxy"),
    };
    output.line(&format!("{kind} {from} → {to}"))
}

/// Shows what goes through until one is over.
async fn watch_over(session: &Session, begun: &mut [Begun]) -> Result<()> {
    let output = session.output;
    let bar = session.bar();
    let result = loop {
        tokio::time::sleep(TELL).await;
        bar.set_message(counters(output, begun.iter().map(|one| one.tunnel.traffic())));
        let mut over = None;
        for one in begun.iter_mut() {
            let told = one.state.has_changed().unwrap_or(false);
            let state = one.state.borrow_and_update().clone();
            match &state {
                State::Failed { error } => {
                    over = Some(Err(session.failed(&failure(error)).ending(Exit::Network)))
                }
                State::Ended { .. } => over = Some(Err(cancelled(session))),
                state if told => tell(output, state),
                _ => {}
            }
        }
        if let Some(over) = over {
            break over;
        }
    };
    bar.finish_and_clear();
    result
}

fn counters(output: Output, all: impl Iterator<Item = Traffic>) -> String {
    let (mut up, mut down, mut open, mut failed) = (0, 0, 0, 0);
    for one in all {
        up += one.up;
        down += one.down;
        open += one.open;
        failed += one.failed;
    }
    let bytes = indicatif::HumanBytes;
    format!(
        "↑ {} ↓ {} · {open} {} · {failed} {}",
        bytes(up),
        bytes(down),
        output.say("个连接", "open"),
        output.say("次失败", "failed"),
    )
}
