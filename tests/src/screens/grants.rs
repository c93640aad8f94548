//! The administrator's screens of grants, in one window, which founds an organisation.

use anyhow::Result;

use super::show;
use crate::window::{Window, testid};

/// Who signs in for the pictures.
const ADA: &str = "e0a0000000000000000000000000ada1";
const ORGANISATION: &str = "例子公司 Example Ltd.";

/// Opens one of them.
pub(super) async fn open(window: &Window, screen: &str) -> Result<()> {
    window.click(&testid("nav-grants")).await?;
    // A lease that ends soon is told over the form's lower end.
    while window.count(&testid("toast")).await? > 0 {
        window.click(&format!("{} > button", testid("toast"))).await?;
    }
    window
        .find(&format!("{}, {}", testid("grant"), testid("join-link")))
        .await?;
    office(window).await?;
    match screen {
        "office-rights" => show(window, "office-rights").await,
        "office-audit" => {
            window.click(&testid("office-look")).await?;
            window.by_testid("office-finding").await?;
            show(window, "office-look").await
        }
        _ => show(window, "office-draft").await,
    }
}

/// The administrator's side, opened; founded and written where it is not yet.
async fn office(window: &Window) -> Result<()> {
    if window
        .count(&format!(
            "{}, {}",
            testid("office-draft"),
            testid("office-found-form")
        ))
        .await?
        == 0
    {
        window.click(&testid("office-open")).await?;
    }
    window
        .find(&format!(
            "{}, {}",
            testid("office-draft"),
            testid("office-found-form")
        ))
        .await?;
    if window.count(&testid("office-found-form")).await? > 0 {
        window.fill(&testid("office-name"), ORGANISATION).await?;
        window
            .fill(&testid("office-found-ask"), "mia <mia@example.com>")
            .await?;
        window.click(&testid("office-found")).await?;
        window.click(&testid("office-add-role")).await?;
        for (field, text) in [
            ("office-role-name", "developer"),
            ("office-servers", "6"),
            ("office-vcpus", "16"),
            ("office-diskGb", "600"),
            ("office-leaseHours", "120"),
            ("office-moneyMonth", "500"),
            ("office-flavors", "s6.*, c6.*"),
        ] {
            window.fill(&testid(field), text).await?;
        }
        window.click(&testid("office-add-owner")).await?;
        window.fill(&testid("office-owner-id"), ADA).await?;
        window.fill(&testid("office-owner-name"), "ada").await?;
        window.click(&testid("office-add-exception")).await?;
        window
            .fill(&testid("office-exception-reason"), "第三轮压测 third round")
            .await?;
        window.fill(&testid("office-exception-servers"), "8").await?;
        window.click(&testid("office-defaults-open")).await?;
        window
            .fill(&testid("office-default-images"), "Ubuntu 22.04")
            .await?;
        window
            .choose(&testid("office-default-template"), "docker")
            .await?;
        window.click(&testid("office-save")).await?;
        // Kept once it is among the differences; the form begins anew with that.
        let kept = format!("{}:not([data-count=\"5\"])", testid("office-changes"));
        window.find(&kept).await?;
    }
    // What is missing is asked after a moment, and everything below moves when it is told.
    window
        .find(&format!("{}[aria-busy=\"false\"] ul", testid("office-rights")))
        .await
        .map(drop)
}
