//! A server's screen: in the application, on the provider's page in the browser, or in an ordinary VNC viewer, for which a port
//! on loopback waits.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use wangcheng::sessions::{ConsoleForViewer, Front, State};

use super::attended;
use super::shell::{cancelled, interrupted};
use crate::arguments::Common;
use crate::arguments::remote::Console;
use crate::change;
use crate::output::text;
use crate::session::Session;
use crate::trouble::{Result, Trouble};
use crate::words::safe;

/// The application beside this program, and on the path.
const APPLICATION: &str = "wangcheng-desktop";
/// From here viewers take the password without asking; TigerVNC does.
const PASSWORD: &str = "VNC_PASSWORD";

/// Shows a server's screen.
pub async fn console(session: &Session, common: &Common, command: &Console) -> Result<()> {
    let server = session.server(&command.server).await?;
    let id = text(&server, "id");
    if command.dry_run {
        return change::rehearse(session, "sessions.screen", json!({"server": id}), command.form).await;
    }
    if command.browser {
        return browser(session, &server).await;
    }
    match (command.listen, &command.viewer) {
        (None, None) => application(session, common, &server),
        (port, viewer) => for_viewer(session, &id, port.unwrap_or_default(), viewer.as_deref()).await,
    }
}

/// Asks the application for it, which is started if it does not run. It asks the person before it follows.
fn application(session: &Session, common: &Common, server: &Value) -> Result<()> {
    let id = text(server, "id");
    let link = format!("wangcheng://console/{id}");
    let mut arguments: Vec<OsString> = Vec::new();
    if let Some(dir) = &common.data_dir {
        arguments.extend(["--data-dir".into(), dir.into()]);
    }
    match &common.sandbox {
        Some(file) => arguments.extend(["--sandbox".into(), file.into()]),
        None if common.demo => arguments.push("--demo".into()),
        None => {}
    }
    arguments.push((&link).into());
    let began = match beside() {
        Some(program) => begin(&program, &arguments),
        None => begin(Path::new(APPLICATION), &arguments),
    };
    // Where the program is installed elsewhere, the system knows whose links they are; it cannot be told more than the link.
    let known = common.data_dir.is_none() && common.sandbox.is_none() && !common.demo;
    let opened = match began {
        Err(error) if known && error.kind() == io::ErrorKind::NotFound => open::that_detached(&link),
        began => began,
    };
    let output = session.output;
    opened.map_err(|error| {
        let sentence = output.say("无法启动网程的窗口。", "Wangcheng's window cannot be started.");
        let next = output.say(
            "可改用 `--browser` 或 `--listen`。",
            "Use `--browser` or `--listen` instead.",
        );
        Trouble::new(
            "application_absent",
            format!("{sentence} ({error})"),
            Some(next.to_owned()),
        )
    })?;
    told(session, server, "application")
}

/// The application that lies beside this program.
fn beside() -> Option<PathBuf> {
    let name = format!("{APPLICATION}{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe().ok()?.with_file_name(name);
    program.is_file().then_some(program)
}

fn begin(program: &Path, arguments: &[OsString]) -> io::Result<()> {
    let mut command = std::process::Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // It goes on when this terminal is closed.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map(drop)
}

/// Opens the provider's page. Its address has a token and is shown nowhere.
async fn browser(session: &Session, server: &Value) -> Result<()> {
    let address: SecretString = session.console_page(&text(server, "id")).await?;
    open::that_detached(address.expose_secret()).map_err(|error| {
        // What the system says may repeat the address.
        let why = error.kind();
        let sentence = session
            .output
            .say("无法打开浏览器。", "The browser cannot be opened.");
        Trouble::new("page_not_shown", format!("{sentence} ({why})"), None)
    })?;
    told(session, server, "browser")
}

fn told(session: &Session, server: &Value, place: &str) -> Result<()> {
    let answer = json!({"server": text(server, "id"), "name": text(server, "name"), "opened": place});
    let output = session.output;
    output.answer(&answer, || {
        let words = match place {
            "browser" => output.say("已在浏览器中打开控制台", "Opened in the browser"),
            _ => output.say(
                "已请求网程窗口显示屏幕，请在窗口中确认",
                "Asked for in Wangcheng's window; confirm it there",
            ),
        };
        format!("{words}: {}", safe(&text(server, "name")))
    })
}

/// Waits for one viewer and shows it the console until it leaves.
async fn for_viewer(session: &Session, id: &str, port: u16, viewer: Option<&Path>) -> Result<()> {
    let (console, mut front) = session.console_for_viewer(id, port).await?;
    say(session, &console)?;
    let result = tokio::select! {
        result = show(session, console, &mut front, viewer) => result,
        () = interrupted() => Err(cancelled(session)),
    };
    session.let_events_go().await;
    result
}

fn say(session: &Session, console: &ConsoleForViewer) -> Result<()> {
    let output = session.output;
    let (port, password) = (console.port(), console.password().expose_secret());
    let listen = format!("127.0.0.1:{port}");
    if output.json {
        return output.line(&json!({"listen": listen, "port": port, "password": password}).to_string());
    }
    output.line(&format!(
        "VNC {listen} · {}: {password}",
        output.say("密码（仅限一个查看器）", "password (for one viewer)")
    ))?;
    output.note(output.say(
        "等待 VNC 查看器连接，Ctrl+C 结束。",
        "Waiting for a VNC viewer; Ctrl+C ends it.",
    ));
    Ok(())
}

async fn show(
    session: &Session,
    console: ConsoleForViewer,
    front: &mut Front,
    viewer: Option<&Path>,
) -> Result<()> {
    let output = session.output;
    let program = match viewer {
        Some(program) => Some(start(session, program, &console)?),
        None => None,
    };
    let state = front.state.clone();
    let shown = attended(output, front, console.run());
    tokio::select! {
        shown = shown => shown.map_err(|failure| session.failed(&failure)),
        trouble = broken(session, program, &state) => Err(trouble),
    }
}

fn start(session: &Session, program: &Path, console: &ConsoleForViewer) -> Result<Child> {
    let started = Command::new(program)
        .arg(format!("127.0.0.1::{}", console.port()))
        .env(PASSWORD, console.password().expose_secret())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.map_err(|error| viewer_trouble(session, program.display(), error))
}

/// A viewer that ends well may have handed over to another program of its own; one that ends otherwise before it came is none.
async fn broken(session: &Session, program: Option<Child>, state: &watch::Receiver<State>) -> Trouble {
    if let Some(mut program) = program
        && let Ok(status) = program.wait().await
        && !status.success()
        && matches!(*state.borrow(), State::Idle)
    {
        return viewer_trouble(session, "VNC", status);
    }
    std::future::pending().await
}

fn viewer_trouble(
    session: &Session,
    program: impl std::fmt::Display,
    why: impl std::fmt::Display,
) -> Trouble {
    let output = session.output;
    let sentence = output.say("VNC 查看器无法使用", "The VNC viewer cannot be used");
    let next = output.say(
        "可用 `--viewer=PROGRAM` 指定另一个，或用 `--listen` 自行连接。",
        "Name another one with `--viewer=PROGRAM`, or connect yourself with `--listen`.",
    );
    Trouble::new(
        "viewer_unusable",
        format!("{sentence}: {program} ({why})"),
        Some(next.to_owned()),
    )
}
