//! The usage screen once there is a past to look at, part by part and with what can lie over them.

use anyhow::{Result, bail};

use super::show;
use crate::walk::id;
use crate::window::{Window, testid};

/// The usage screen's parts and what can lie over them, once there is a past to look at ([`crate::past`]); in the order in
/// which they are gone through.
pub const ALL: [&str; 18] = [
    "past",
    "past-owners",
    "past-tables",
    "past-below",
    "past-filter",
    "past-cut",
    "past-day",
    "past-timeline",
    "past-timeline-day",
    "past-list",
    "past-server",
    "past-forecast",
    "past-budget",
    "past-sources",
    "past-search",
    "past-export",
    "past-report",
    "past-report-end",
];

/// Opens a screen of [`ALL`]. The past was read already.
///
/// # Errors
/// When it does not show what belongs to it in time.
pub async fn open(window: &Window, screen: &str) -> Result<()> {
    let click = async |id: &str| window.click(&testid(id)).await;
    click("nav-usage").await?;
    let part = match screen {
        "past-timeline" | "past-timeline-day" | "past-list" | "past-server" => "servers",
        "past-forecast" | "past-budget" => "forecast",
        "past-sources" | "past-search" => "sources",
        _ => "overview",
    };
    click("usage-part-overview").await?;
    let (from, to) = match screen {
        "past-day" | "past-timeline-day" => ("2025-06-11", "2025-06-11"),
        _ => crate::past::DAYS,
    };
    days(window, from, to).await?;
    click(&format!("usage-part-{part}")).await?;
    match screen {
        "past-owners" => click("usage-by-owner").await,
        "past-tables" => {
            for card in ["usage-months", "usage-days", "usage-week"] {
                click(&format!("{card}-table")).await?;
            }
            window.by_testid("chart-table").await.map(drop)
        }
        "past-below" => show(window, "usage-source-line").await,
        "past-filter" => {
            click("usage-filter-owners").await?;
            window.by_testid("usage-choices-owners").await.map(drop)
        }
        "past-cut" => {
            window.click(&format!("{} td", testid("usage-rank"))).await?;
            click("usage-part-overview").await?;
            window.by_testid("usage-trail").await.map(drop)
        }
        "past-timeline" | "past-timeline-day" => {
            click("usage-show-timeline").await?;
            window.by_testid("usage-row").await.map(drop)
        }
        "past-list" => {
            click("usage-show-list").await?;
            window.by_testid("usage-server-row").await.map(drop)
        }
        "past-server" => {
            click("usage-show-list").await?;
            window
                .click(&format!("{} td", testid("usage-server-row")))
                .await?;
            window.by_testid("usage-event").await.map(drop)
        }
        "past-forecast" => window.by_testid("forecast-methods").await.map(drop),
        "past-budget" => {
            // It stands below what comes with that.
            window.by_testid("forecast-methods").await?;
            click("budget-add").await?;
            window.by_testid("budget-monthly").await.map(drop)
        }
        "past-sources" => window.by_testid("usage-source").await.map(drop),
        "past-search" => {
            click("search-preset-custom").await?;
            window
                .script(&format!(
                    "document.querySelector('details:has({})').open = true",
                    testid("search-profile")
                ))
                .await?;
            show(window, "search-profile").await
        }
        "past-export" => {
            click("usage-export").await?;
            window.by_testid("usage-report").await.map(drop)
        }
        "past-report" | "past-report-end" => {
            click("usage-export").await?;
            click("usage-report").await?;
            window.by_testid("usage-report-page").await?;
            window
                .find(&format!("{}:not([disabled])", testid("usage-print")))
                .await?;
            match screen {
                "past-report" => Ok(()),
                _ => window
                    .script(&format!(
                        "document.querySelector('{} article').scrollIntoView({{ block: 'end' }})",
                        testid("usage-report-page")
                    ))
                    .await
                    .map(drop),
            }
        }
        // What the days alone change.
        "past" | "past-day" => Ok(()),
        other => bail!("there is no screen {other} of a past"),
    }
}

/// Closes what [`open`] left over the screen, and asks for everything again.
///
/// # Errors
/// When it stays.
pub async fn close(window: &Window) -> Result<()> {
    for once in ["usage-report-close", "usage-clear"] {
        if window.count(&testid(once)).await? > 0 {
            window.click(&testid(once)).await?;
        }
    }
    super::close(window).await?;
    // Each part begins anew, as it does for whoever comes from another screen.
    window.click(&testid(id::NAV_SETTINGS)).await
}

/// Asks the overview about some days.
///
/// # Errors
/// When it does not show them in time.
pub async fn days(window: &Window, from: &str, to: &str) -> Result<()> {
    for (field, day) in [("usage-from", from), ("usage-to", to)] {
        window.fill(&testid(field), day).await?;
        window.press("\u{e007}").await?;
    }
    let shown = format!(
        "{}[data-from=\"{from}\"][data-to=\"{to}\"][aria-busy=\"false\"]",
        testid("usage-overview")
    );
    window.find(&shown).await.map(drop)
}
