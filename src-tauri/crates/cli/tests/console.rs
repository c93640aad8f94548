//! A server's console from the command line: a real VNC viewer (TigerVNC's) on a display of its own, those who do not know the
//! password, and the browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use common::screen::{Display, LONG, Running, begin, viewer};
use common::*;

const NAME: &str = "screen-01";

/// What it says of an error.
fn error(program: &mut Running) -> Value {
    let mut said = String::new();
    program
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{said}"))
}

/// Comes to the port as a viewer that answers this to the challenge; what it is told.
fn prove(port: u64, answer: [u8; 16]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut version = [0; 12];
    stream.read_exact(&mut version).unwrap();
    stream.write_all(&version).unwrap();
    let mut kinds = [0; 2];
    stream.read_exact(&mut kinds).unwrap();
    assert_eq!(kinds, [1, 2], "it asks for a password and for nothing else");
    stream.write_all(&[2]).unwrap();
    let mut challenge = [0; 16];
    stream.read_exact(&mut challenge).unwrap();
    stream.write_all(&answer).unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vnc_viewer_shows_the_console_and_its_end_is_the_end() {
    let place = Place::new().await;
    place
        .json(&["server", "create", NAME, "--template", "linux-small"])
        .await;
    let display = Display::start(place.dir.path());

    // It waits for a viewer that somebody starts.
    let (mut program, told, _said) = begin(place.command(&["console", NAME, "--listen"]));
    assert!(
        told["listen"].as_str().unwrap().starts_with("127.0.0.1:"),
        "{told}"
    );
    let looking = viewer(&display, &told["port"], told["password"].as_str().unwrap());
    tokio::task::block_in_place(|| display.wait_console());
    // One viewer, one password: nobody else comes in.
    let port = u16::try_from(told["port"].as_u64().unwrap()).unwrap();
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "nothing listens any more"
    );
    drop(looking);
    assert_eq!(tokio::task::block_in_place(|| program.end()), 0);

    // It starts the viewer, and ends with it.
    let mut command = place.command(&["console", NAME, "--viewer=xtigervncviewer"]);
    command.env("DISPLAY", &display.number);
    let (mut program, _, _said) = begin(command);
    tokio::task::block_in_place(|| display.wait_console());
    drop(display);
    assert_eq!(tokio::task::block_in_place(|| program.end()), 0);

    let events = place.received().await;
    let closed = events.iter().filter(|event| event["action"] == "session.closed");
    let kinds: Vec<_> = closed.map(|event| (&event["kind"], &event["client"])).collect();
    assert_eq!(kinds, [(&"console".into(), &"cli".into()); 2], "{events:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_console_without_its_password_or_with_a_viewer_that_is_none() {
    let place = Place::new().await;
    place
        .json(&["server", "create", NAME, "--template", "linux-small"])
        .await;
    let (mut program, told, mut said) = begin(place.command(&["console", NAME, "--listen"]));
    let port = told["port"].as_u64().unwrap();
    for _ in 0..5 {
        let told = tokio::task::block_in_place(|| prove(port, [7; 16]));
        assert_eq!(told[..4], [0, 0, 0, 1]);
        assert!(told.len() > 8, "with a reason");
    }
    assert_eq!(tokio::task::block_in_place(|| program.end()), 1);
    assert_eq!(error(&mut program)["error"]["code"], "screen_login");
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty(), "{rest}");

    let (mut program, _, _said) = begin(place.command(&["console", NAME, "--viewer=false"]));
    assert_eq!(tokio::task::block_in_place(|| program.end()), 1);
    assert_eq!(error(&mut program)["error"]["code"], "viewer_unusable");
    let events = place.received().await;
    assert!(
        events.iter().all(|event| event["action"] != "session.opened"),
        "nobody saw anything: {events:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_gets_the_page_and_nobody_else_its_token() {
    let place = Place::new().await;
    place
        .json(&["server", "create", NAME, "--template", "linux-small"])
        .await;
    let rehearsed = place.json(&["console", NAME, "--dry-run"]).await;
    let request = &rehearsed["requests"][0];
    assert!(
        request["url"].as_str().unwrap().ends_with("/remote_console"),
        "{request:#}"
    );
    assert!(
        rehearsed["command"]
            .as_str()
            .unwrap()
            .starts_with("wangcheng console ")
    );

    // A desktop whose browser writes down what it is to open.
    let programs = place.dir.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let opened = place.dir.path().join("opened");
    let script = format!("#!/bin/sh\nprintf '%s' \"$1\" > {}\n", opened.display());
    let browser = programs.join("xdg-open");
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = place.command(&["console", NAME, "--browser"]);
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    command.arg("--json").env("PATH", path).env("RUST_LOG", "trace");
    let output = finish(command).await;
    assert_eq!(code(&output), 0, "{}", said(&output));
    let began = Instant::now();
    let address = loop {
        let address = std::fs::read_to_string(&opened).unwrap_or_default();
        if !address.is_empty() {
            break address;
        }
        assert!(began.elapsed() < LONG, "the browser is asked for nothing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let token = address.split("token=").nth(1).unwrap().split('&').next().unwrap();
    assert!(token.len() > 30, "{address}");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
    assert!(told.contains("\"browser\""), "{told}");
    assert!(!told.contains(token), "the token is in what is said or logged");
}
