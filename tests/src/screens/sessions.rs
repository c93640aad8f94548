//! What the window of sessions shows: a shell with what can stand beside and over it, and a server's screen.

use std::time::Duration;

use anyhow::{Result, bail};

use super::close_what_lies_over;
use crate::walk::id;
use crate::window::{PATIENCE, Window, testid};

/// In the order in which they are gone through, in the window that [`begin`] leads to.
pub const OF_SESSIONS: [&str; 11] = [
    "shell",
    "shell-search",
    "shell-menu",
    "shell-options",
    "shell-files",
    "shell-tunnels",
    "shell-tunnel",
    "shell-recordings",
    "screen",
    "screen-type",
    "screen-vnc",
];

/// How long a server may take to let somebody in.
const LOGIN: Duration = Duration::from_secs(60);

/// Opens a shell and a screen of a server whose detail is open, and stays in their window.
///
/// # Errors
/// When one of them does not open in time.
pub async fn begin(window: &Window) -> Result<()> {
    window.by_testid(id::SERVER_DETAIL).await?;
    // One after the other, so that each has its place.
    for (act, nth) in [("server-screen", 1), ("server-connect", 2)] {
        window.click(&testid(act)).await?;
        window.other_window().await?;
        window.find(&tab(nth)).await?;
        if nth == 1 {
            window.other_window().await?;
        }
    }
    for (nth, of, name, value) in [
        (1, "session-screen", "data-connected", "true"),
        (2, "session-state", "data-state", "open"),
    ] {
        window.click(&tab(nth)).await?;
        window.wait_attribute(&testid(of), name, &[value], LOGIN).await?;
    }
    window.click(".xterm-screen").await?;
    window
        .press("cloud-init status; lsblk; ls -l /etc; echo 你好，世界\u{e007}")
        .await
}

fn tab(nth: u32) -> String {
    format!(".tab:nth-of-type({nth}) {}", testid("session-tab"))
}

/// Opens one of [`OF_SESSIONS`].
///
/// # Errors
/// When it does not show what belongs to it in time.
pub async fn open(window: &Window, screen: &str) -> Result<()> {
    let click = async |id: &str| window.click(&testid(id)).await;
    let shown = async |id: &str| window.by_testid(id).await.map(drop);
    if screen.starts_with("screen") {
        window.click(&tab(1)).await?;
        return match screen {
            "screen" => Ok(()),
            "screen-type" => {
                click("screen-type").await?;
                shown("screen-text").await
            }
            "screen-vnc" => {
                click("screen-vnc").await?;
                shown("screen-vnc-host").await
            }
            other => bail!("there is no screen {other}"),
        };
    }
    window.click(&tab(2)).await?;
    match screen {
        "shell" => Ok(()),
        "shell-search" => {
            click("terminal-search").await?;
            shown("terminal-search-field").await
        }
        "shell-menu" => {
            let click = "document.querySelector('.xterm-screen').dispatchEvent( \
                new MouseEvent('contextmenu', { bubbles: true, clientX: 240, clientY: 200 }))";
            window.script(click).await?;
            shown("terminal-menu").await
        }
        "shell-options" => {
            click("terminal-options").await?;
            shown("options-yes").await
        }
        "shell-files" => {
            click("files-show").await?;
            window
                .find("[data-testid=\"files\"][data-path^=\"/\"]")
                .await
                .map(drop)
        }
        "shell-tunnels" => {
            click("tunnels-show").await?;
            shown("tunnels").await
        }
        "shell-tunnel" => {
            click("tunnels-show").await?;
            click("tunnel-new").await?;
            shown("tunnel-kind").await
        }
        "shell-recordings" => {
            click("recordings-show").await?;
            shown("recordings").await
        }
        other => bail!("there is no screen {other}"),
    }
}

/// Closes what [`open`] opened over or beside a session.
///
/// # Errors
/// When it stays.
pub async fn close(window: &Window) -> Result<()> {
    close_what_lies_over(window).await?;
    for (open, switch) in [
        (testid("tunnels"), testid("tunnels-show")),
        (testid("files"), testid("files-show")),
        (
            testid("terminal-search-field"),
            "form.search button.quiet".to_owned(),
        ),
    ] {
        if window.count(&open).await? > 0 {
            window.click(&switch).await?;
        }
        window.wait_gone(&open, PATIENCE).await?;
    }
    Ok(())
}
