//! Every screen and what can lie over it, one after the other: for pictures of all of them, and for what has to hold on
//! each.

mod grants;
pub mod past;
pub mod sessions;

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

/// What lies beside a list for the chosen row.
const SIDE_PANES: [&str; 4] = ["side-pane", "event-detail", "template-pane", "usage-server"];

/// The screens after signing in, in the order in which they are gone through.
pub const ALL: [&str; 46] = [
    "servers",
    "marked",
    "bulk-delete",
    "bulk-extend",
    "filter",
    "leftovers",
    "server",
    "server-end",
    "extend",
    "stop",
    "delete",
    "call",
    "resize",
    "rename",
    "tags",
    "password",
    "disk",
    "grow",
    "commands",
    "save-key",
    "create",
    "create-more",
    "create-call",
    "operations",
    "operation",
    "operation-call",
    "events",
    "event",
    "templates",
    "template",
    "usage",
    "usage-servers",
    "usage-waste",
    "usage-forecast",
    "usage-bill",
    "usage-sources",
    "office",
    "office-rights",
    "office-audit",
    "settings",
    "rights",
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
        "servers" | "marked" | "bulk-delete" | "bulk-extend" | "filter" => {
            click(id::NAV_SERVERS).await?;
            close_pane(window, id::SERVER_DETAIL).await?;
            window.find(&server_row(server)).await?;
            match screen {
                "servers" => return Ok(()),
                "filter" => return click("servers-filter").await,
                _ => click("servers-mark-all").await?,
            }
            match screen {
                "bulk-delete" => {
                    click("bulk-delete").await?;
                    window.by_testid("bulk-phrase").await?;
                    // what stays is looked up first
                    window.wait_gone(&testid("bulk-stays-looked"), PATIENCE).await
                }
                "bulk-extend" => {
                    click("bulk-extend").await?;
                    window.by_testid("bulk-plus-8h").await.map(drop)
                }
                _ => window.by_testid("bulk-bar").await.map(drop),
            }
        }
        "leftovers" => {
            click(id::NAV_SERVERS).await?;
            click("servers-leftovers").await?;
            window
                .find(&format!("{}, {}", testid("leftovers"), testid("leftovers-none")))
                .await
                .map(drop)
        }
        "server" | "server-end" | "extend" | "stop" | "delete" | "call" | "resize" | "rename" | "tags"
        | "password" | "disk" | "grow" | "commands" | "save-key" => {
            click(id::NAV_SERVERS).await?;
            if window.count(&testid(id::SERVER_DETAIL)).await? == 0 {
                window.click(&format!("{} bdi", server_row(server))).await?;
            }
            window.wait_text(&testid(id::SERVER_DETAIL), server).await?;
            window.by_testid(id::DISK_ROW).await?;
            match screen {
                "server-end" => show(window, "server-password").await,
                "stop" => {
                    click("server-stop").await?;
                    window.find("dialog[open] [type=submit]").await.map(drop)
                }
                "call" => {
                    click(id::SERVER_DELETE).await?;
                    window.by_testid(id::DELETE_SUBMIT).await?;
                    click("dialog-call").await?;
                    window.by_testid("call-text").await?;
                    show(window, "call-text").await
                }
                "rename" => {
                    click("server-rename").await?;
                    window.by_testid("rename-name").await.map(drop)
                }
                "grow" => {
                    click(id::DISK_GROW).await?;
                    window.by_testid(id::DISK_SIZE).await.map(drop)
                }
                "commands" => {
                    click("disk-commands").await?;
                    window.by_testid(id::GUEST_COMMANDS).await.map(drop)
                }
                "save-key" => {
                    click("server-save-key").await?;
                    window.by_testid("save-key-submit").await.map(drop)
                }
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
        "create" | "create-more" | "create-call" => {
            click(id::NAV_CREATE).await?;
            window.by_testid(id::CREATE_TEMPLATE).await?;
            window
                .find(&format!(
                    "[aria-busy=\"false\"] {}",
                    testid(id::CREATE_PRICE_HOUR)
                ))
                .await?;
            match screen {
                "create-more" => {
                    window.click("main details > summary").await?;
                    show(window, "create-user-data").await
                }
                "create-call" => {
                    click("create-call").await?;
                    window.by_testid("call-text").await.map(drop)
                }
                _ => Ok(()),
            }
        }
        "operations" | "operation" | "operation-call" => {
            click(id::NAV_OPERATIONS).await?;
            window.by_testid(id::OPERATION_ROW).await?;
            if screen == "operations" {
                return Ok(());
            }
            window
                .click(&format!(
                    "{}[data-kind=\"server.create\"] td",
                    testid(id::OPERATION_ROW)
                ))
                .await?;
            window.by_testid("operation-call").await?;
            if screen == "operation-call" {
                click("operation-call").await?;
                window.by_testid("call-text").await?;
                show(window, "call-text").await?;
            }
            Ok(())
        }
        "events" | "event" => {
            click(id::NAV_EVENTS).await?;
            window.by_testid(id::EVENT_ROW).await?;
            if screen == "event" {
                window.click(&format!("{} td", testid(id::EVENT_ROW))).await?;
                window.by_testid("event-detail").await?;
            }
            Ok(())
        }
        "templates" | "template" => {
            click("nav-templates").await?;
            window.by_testid("template-row").await?;
            if screen == "template" {
                window.click(&format!("{} td", testid("template-row"))).await?;
                window.by_testid("template-pane").await?;
            }
            Ok(())
        }
        "usage" | "usage-servers" | "usage-waste" | "usage-forecast" | "usage-bill" | "usage-sources" => {
            click("nav-usage").await?;
            window.by_testid("usage-part-overview").await?;
            let (part, shown) = match screen {
                "usage-servers" => ("servers", testid("usage-row")),
                "usage-waste" => ("waste", format!("{}, .empty", testid("waste"))),
                "usage-forecast" => ("forecast", testid("forecast-methods")),
                "usage-bill" => ("bill", testid("bill-resources")),
                "usage-sources" => ("sources", testid("usage-source")),
                _ => ("overview", testid("usage-figure")),
            };
            click(&format!("usage-part-{part}")).await?;
            window.find(&shown).await?;
            if screen == "usage-servers" {
                click("usage-row").await?;
                window.by_testid("usage-event").await?;
            }
            Ok(())
        }
        "office" | "office-rights" | "office-audit" => grants::open(window, screen).await,
        "settings" => {
            click(id::NAV_SETTINGS).await?;
            window.by_testid(id::SETTINGS_HEI_URL).await.map(drop)
        }
        "rights" => {
            click(id::NAV_SETTINGS).await?;
            window
                .click(&format!("{} > summary", testid("account-rights")))
                .await?;
            window.find("[data-right]").await.map(drop)
        }
        "settings-end" => {
            click(id::NAV_SETTINGS).await?;
            window.by_testid("settings-diagnostics").await?;
            show(window, "settings-diagnostics").await
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

/// Closes what lies over the screen or beside its list, so that the next can be opened.
///
/// # Errors
/// When it stays.
pub async fn close(window: &Window) -> Result<()> {
    close_what_lies_over(window).await?;
    if window.count(&testid("bulk-clear")).await? > 0 {
        window.click(&testid("bulk-clear")).await?;
    }
    for pane in SIDE_PANES {
        close_pane(window, pane).await?;
    }
    Ok(())
}

async fn close_what_lies_over(window: &Window) -> Result<()> {
    for over in ["dialog[open]", ".menu"] {
        if window.count(over).await? > 0 {
            window.press(ESCAPE).await?;
        }
        window.wait_gone(over, PATIENCE).await?;
    }
    Ok(())
}

/// Closes the pane beside a list, where it is open.
async fn close_pane(window: &Window, pane: &str) -> Result<()> {
    let pane = testid(pane);
    if window.count(&pane).await? > 0 {
        window.press(ESCAPE).await?;
    }
    window.wait_gone(&pane, PATIENCE).await
}

/// Brings into view what may be further down.
pub(crate) async fn show(window: &Window, id: &str) -> Result<()> {
    let css = testid(id);
    window
        .script(&format!(
            "document.querySelector('{css}').scrollIntoView({{ block: 'center' }})"
        ))
        .await
        .map(drop)
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
