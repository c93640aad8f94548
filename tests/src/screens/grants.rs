//! The screens of grants: an administrator's and a developer's in one window, which founds an organisation, publishes its
//! grant to a file and joins it by its own link.

use anyhow::Result;

use super::show;
use crate::window::{PATIENCE, Window, testid};

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
    match screen {
        "grant" => {
            if window.count(&testid("grant")).await? == 0 {
                join(window).await?;
                window.click(&testid("join-submit")).await?;
            }
            window.by_testid("grant-rules").await.map(drop)
        }
        "join" => join(window).await,
        _ => {
            office(window).await?;
            match screen {
                "office-rights" => show(window, "office-rights").await,
                "office-audit" => {
                    window.click(&testid("office-look")).await?;
                    window.by_testid("office-finding").await?;
                    show(window, "office-look").await
                }
                "office-publish" => {
                    publish(window).await?;
                    window.click(&testid("office-policies")).await?;
                    window.by_testid("office-policy-classic").await?;
                    show(window, "office-publish").await
                }
                _ => show(window, "office-draft").await,
            }
        }
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

async fn publish(window: &Window) -> Result<()> {
    if window.count(&testid("office-published")).await? == 0 {
        // Another organisation's grant is not written over.
        let place = std::env::temp_dir().join(format!("wangcheng-grant-{}.json", uuid::Uuid::now_v7()));
        window
            .fill(&testid("office-place"), &place.display().to_string())
            .await?;
        window
            .find(&format!("{}:enabled", testid("office-publish")))
            .await?;
        window.click(&testid("office-publish")).await?;
        window.by_testid("office-published").await?;
    }
    if window.count(&testid("office-link-text")).await? == 0 {
        window.find(&format!("{}:enabled", testid("office-link"))).await?;
        window.click(&testid("office-link")).await?;
    }
    window.by_testid("office-link-text").await.map(drop)
}

/// The form of joining, filled in: where the organisation was joined it is left before.
async fn join(window: &Window) -> Result<()> {
    office(window).await?;
    publish(window).await?;
    let link = window.text(&testid("office-link-text")).await?;
    let fingerprint = window.text(&testid("office-fingerprint")).await?;
    if window.count(&testid("grant")).await? > 0 {
        window.click(&testid("grant-leave")).await?;
        window.click(&testid("grant-leave-yes")).await?;
        window.wait_gone("dialog[open]", PATIENCE).await?;
    }
    window.fill(&testid("join-link"), &link).await?;
    window.click(&testid("join-look")).await?;
    window.fill(&testid("join-compare"), &fingerprint).await?;
    show(window, "join-facts").await
}
