//! WebKit's driver, one for each run of the application.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, anyhow};

use super::PATIENCE;
use crate::desktop::Desktop;
use crate::process::Program;

/// Starts WebKit's driver on a free port of loopback and waits until it accepts connections.
pub(super) async fn start(desktop: &Desktop) -> Result<(Program, u16)> {
    // the driver takes a port but finds none itself, and between our look and its start another may take it
    let mut last = anyhow!("no free port");
    for _ in 0..5 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = desktop.command("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let mut driver = Program::start(&format!("webdriver-{port}"), command, desktop.dir(), None)?;
        let up = driver
            .until(PATIENCE, "the window's driver", || {
                std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                    .ok()
                    .map(drop)
            })
            .await;
        match up {
            Ok(()) => return Ok((driver, port)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
