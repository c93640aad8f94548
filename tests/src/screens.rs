//! Every screen and what can lie over it, one after the other: for pictures of all of them, and for what has to hold on
//! each.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::walk::{id, server_row};
use crate::window::{Found, PATIENCE, Window, testid};

/// Holding Ctrl, as the driver's protocol writes it.
const CONTROL: &str = "\u{e009}";
/// Letting every key go.
const RELEASE: &str = "\u{e000}";
const ESCAPE: &str = "\u{e00c}";

/// The screens after signing in, in the order in which they are gone through.
pub const ALL: [&str; 19] = [
    "servers",
    "server",
    "extend",
    "delete",
    "resize",
    "tags",
    "password",
    "disk",
    "leftovers",
    "create",
    "operations",
    "events",
    "templates",
    "settings",
    "settings-end",
    "add-account",
    "palette",
    "palette-search",
    "shortcuts",
];

/// Presses Ctrl and a key where the focus is.
///
/// # Errors
/// When the window does not answer.
pub async fn control(window: &Window, key: &str) -> Result<()> {
    window.press(&format!("{CONTROL}{key}{RELEASE}")).await
}

/// Opens a screen of [`ALL`]. `server`: one of the user's own that runs.
///
/// # Errors
/// When it does not show what belongs to it in time.
pub async fn open(window: &Window, screen: &str, server: &str) -> Result<()> {
    let click = async |id: &str| window.click(&testid(id)).await;
    match screen {
        "servers" => {
            click(id::NAV_SERVERS).await?;
            window.find(&server_row(server)).await.map(drop)
        }
        "leftovers" => {
            click(id::NAV_SERVERS).await?;
            click("servers-leftovers").await?;
            window
                .find(&format!("{}, {}", testid("leftovers"), testid("leftovers-none")))
                .await
                .map(drop)
        }
        "server" | "extend" | "delete" | "resize" | "tags" | "password" | "disk" => {
            click(id::NAV_SERVERS).await?;
            if window.count(&testid(id::SERVER_DETAIL)).await? == 0 {
                window.click(&format!("{} td", server_row(server))).await?;
            }
            window.wait_text(&testid(id::SERVER_DETAIL), server).await?;
            match screen {
                "extend" => {
                    click(id::SERVER_EXTEND).await?;
                    window.by_testid(id::EXTEND_SUBMIT).await.map(drop)
                }
                "delete" => {
                    click(id::SERVER_DELETE).await?;
                    window.by_testid(id::DELETE_SUBMIT).await.map(drop)
                }
                "resize" => {
                    click(id::SERVER_RESIZE).await?;
                    window.by_testid(id::RESIZE_OPTION).await.map(drop)
                }
                "tags" => {
                    click("server-tags").await?;
                    click("tag-add").await
                }
                "password" => {
                    click("server-password").await?;
                    window.by_testid("password-rules").await.map(drop)
                }
                "disk" => {
                    click(id::DISK_ADD).await?;
                    window
                        .find(&format!("{}:not([data-amount=\"\"])", testid(id::DISK_PRICE)))
                        .await
                        .map(drop)
                }
                _ => Ok(()),
            }
        }
        "create" => {
            click(id::NAV_CREATE).await?;
            window
                .find(&format!(
                    "[aria-busy=\"false\"] {}",
                    testid(id::CREATE_PRICE_HOUR)
                ))
                .await
                .map(drop)
        }
        "operations" => {
            click(id::NAV_OPERATIONS).await?;
            window.by_testid(id::OPERATION_ROW).await.map(drop)
        }
        "events" => {
            click(id::NAV_EVENTS).await?;
            window.by_testid(id::EVENT_ROW).await.map(drop)
        }
        "templates" => click("nav-templates").await,
        "settings" => {
            click(id::NAV_SETTINGS).await?;
            window.by_testid(id::SETTINGS_HEI_URL).await.map(drop)
        }
        "settings-end" => {
            click(id::NAV_SETTINGS).await?;
            window.by_testid("settings-diagnostics").await?;
            let last = testid("settings-diagnostics");
            window
                .script(&format!(
                    "document.querySelector('{last}').scrollIntoView({{ block: 'end' }})"
                ))
                .await
                .map(drop)
        }
        "add-account" => {
            click(id::NAV_SETTINGS).await?;
            click("add-account").await?;
            window.by_testid(id::SIGNIN_REGION).await.map(drop)
        }
        "palette" | "palette-search" => {
            click(id::NAV_SERVERS).await?;
            click("open-palette").await?;
            window.by_testid("palette-input").await?;
            if screen == "palette-search" {
                window.fill(&testid("palette-input"), "se").await?;
            }
            window.by_testid("palette-item").await.map(drop)
        }
        "shortcuts" => {
            click(id::NAV_SERVERS).await?;
            window.press("?").await?;
            window.by_testid("shortcuts").await.map(drop)
        }
        other => bail!("there is no screen {other}"),
    }
}

/// Closes what lies over the screen, so that the next can be opened.
///
/// # Errors
/// When it stays.
pub async fn close(window: &Window) -> Result<()> {
    if window.count("dialog[open]").await? > 0 {
        window.press(ESCAPE).await?;
    }
    window.wait_gone("dialog[open]", PATIENCE).await
}

/// What axe finds wrong on the page as it is now, and what a reader would not get over (`serious`, `critical`): the rule,
/// and where.
///
/// # Errors
/// When the interface's packages are not installed, or axe does not come to an end.
pub async fn faults(window: &Window) -> Result<Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&file)
        .with_context(|| format!("{} is missing; run `cargo xtask setup`", file.display()))?;
    let here = window.script("return typeof window.axe === 'object'").await?;
    if here != true {
        window.script(&axe).await?;
    }
    // a colour on its way to another is neither of them, so what moves comes to rest first
    window
        .script(
            "window.faults = null; \
             const told = (found) => found.violations \
                 .filter((one) => one.impact === 'serious' || one.impact === 'critical') \
                 .flatMap((one) => one.nodes.map((node) => `${one.id} ${node.target.join(' ')} ${node.failureSummary}`)); \
             Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))) \
                 .then(() => window.axe.run(document, { resultTypes: ['violations'] })) \
                 .then((found) => { window.faults = told(found); }, (error) => { window.faults = [String(error)]; })",
        )
        .await?;
    window
        .wait("axe", PATIENCE, async || {
            let found = window.peek_script("return window.faults").await?;
            Ok(match found {
                Value::Array(faults) => Found::Yes(faults.iter().map(Value::to_string).collect()),
                _ => Found::NotYet("it looks".to_owned()),
            })
        })
        .await
}
