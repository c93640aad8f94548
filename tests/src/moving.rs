//! A screen on which something moves all the time: TigerVNC's server with turning gears.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::Program;

const START: Duration = Duration::from_secs(20);

/// A VNC server on loopback that asks for no password. Ends with this value.
#[derive(Debug)]
pub struct Moving {
    // The gears first: fields drop in this order.
    _gears: Program,
    _server: Program,
    at: SocketAddr,
}

impl Moving {
    /// Starts it with its logs in `dir`; `size` is such as `1280x800`.
    ///
    /// # Errors
    /// When a program is not installed or does not come up.
    pub async fn start(dir: &Path, size: &str) -> Result<Self> {
        let at = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        // A display's number is free where its port is.
        let display = format!(":{}", at.port());
        let mut command = Command::new("Xvnc");
        command.args([&display, "-geometry", size, "-depth", "24"]);
        command.args(["-rfbport", &at.port().to_string(), "-localhost", "-AlwaysShared"]);
        command.args(["-SecurityTypes", "None"]);
        let mut server = Program::start("xvnc", command, dir, None)?;
        server
            .until(START, "the VNC server", || TcpStream::connect(at).ok().map(drop))
            .await?;
        let mut command = Command::new("glxgears");
        command
            .args(["-display", &display])
            .env("LIBGL_ALWAYS_SOFTWARE", "1");
        let gears = Program::start("glxgears", command, dir, None)?;
        Ok(Self {
            _gears: gears,
            _server: server,
            at,
        })
    }

    /// Where it is.
    pub fn at(&self) -> SocketAddr {
        self.at
    }
}
