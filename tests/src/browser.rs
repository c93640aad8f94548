//! Another viewer of a screen, to hold ours against: noVNC in Chromium, with websockify in front of the VNC server.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::geteuid;
use serde_json::json;

use crate::desktop::Desktop;
use crate::process::Program;
use crate::programs;

const START: Duration = Duration::from_secs(30);
/// Shows the screen as our window does, and counts its pictures.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>noVNC</title>\
    <body style='margin:0'><div id=place style='width:100vw;height:100vh'></div><script type=module>\
    import RFB from './novnc/core/rfb.js';\
    const whole = RFB.prototype._framebufferUpdate; window.updates = 0;\
    RFB.prototype._framebufferUpdate = function () {\
      const done = whole.call(this); if (done) window.updates += 1; return done; };\
    const rfb = new RFB(document.getElementById('place'), `ws://${location.host}/`, { shared: true });\
    rfb.scaleViewport = true;</script>";

/// The browser with its page; to be closed.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    // Fields drop in this order.
    _driver: Program,
    _proxy: Program,
}

impl Browser {
    /// Shows the screen of the VNC server at `of` on the desktop.
    ///
    /// # Errors
    /// When a program is not installed or does not come up.
    pub async fn open(desktop: &Desktop, of: SocketAddr) -> Result<Self> {
        let pages = desktop.dir().join("pages");
        std::fs::create_dir_all(&pages)?;
        std::fs::write(pages.join("index.html"), PAGE)?;
        let novnc = programs::target_dir()?.join("../ui/node_modules/@novnc/novnc");
        std::os::unix::fs::symlink(novnc.canonicalize()?, pages.join("novnc"))?;
        let (port, driving) = (free()?, free()?);
        let mut command = desktop.command("websockify");
        command.arg("--web").arg(&pages);
        command.args([format!("127.0.0.1:{port}"), of.to_string()]);
        let proxy = listening("websockify", command, desktop.dir(), port).await?;
        let mut command = desktop.command("chromedriver");
        command.arg(format!("--port={driving}"));
        let driver = listening("chromedriver", command, desktop.dir(), driving).await?;
        let mut arguments = vec![
            "--window-size=1280,800",
            "--no-first-run",
            "--disable-search-engine-choice-screen",
        ];
        if geteuid().is_root() {
            arguments.push("--no-sandbox");
        }
        let wanted = json!({ "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": arguments } });
        let capabilities: Capabilities = serde_json::from_value(wanted)?;
        let connect = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{driving}"))
            .await;
        let client = connect.with_context(|| format!("Chromium does not open; {}", driver.said()))?;
        client
            .goto(&format!("http://127.0.0.1:{port}/index.html"))
            .await?;
        Ok(Self {
            client,
            _driver: driver,
            _proxy: proxy,
        })
    }

    /// Pictures a second, over this time, once there are some.
    ///
    /// # Errors
    /// When none come.
    pub async fn updates(&self, over: Duration) -> Result<f64> {
        let begun = Instant::now();
        while self.count().await? < 10.0 {
            if begun.elapsed() > START {
                bail!("noVNC in Chromium shows nothing");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (began, before) = (Instant::now(), self.count().await?);
        tokio::time::sleep(over).await;
        Ok((self.count().await? - before) / began.elapsed().as_secs_f64())
    }

    /// Closes it. Its driver alone would leave it open.
    ///
    /// # Errors
    /// When it does not close.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.clone().close().await?)
    }

    async fn count(&self) -> Result<f64> {
        let count = self.client.execute("return window.updates", Vec::new()).await?;
        Ok(count.as_f64().unwrap_or(0.0))
    }
}

fn free() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

async fn listening(name: &str, command: Command, logs: &Path, port: u16) -> Result<Program> {
    let mut program = Program::start(name, command, logs, None)?;
    let reached = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop);
    program.until(START, name, reached).await?;
    Ok(program)
}
