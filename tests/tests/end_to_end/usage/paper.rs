//! The report, printed by the system: the real dialog makes a PDF of it.

use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::past;
use wangcheng_tests::programs;
use wangcheng_tests::screens;
use wangcheng_tests::walk::{Walk, id};
use wangcheng_tests::window::testid;

use super::super::Stage;

/// Pages in a PDF as the system's printing writes it.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page").count() - text.matches("/Type /Pages").count()
}

async fn printed(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    stage.sandbox.deliver(&past::events().unwrap()).await.unwrap();
    // Paper is white, whatever the screen is.
    let window = stage.open(language, "dark").await;
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
    walk.pull().await.unwrap();
    screens::past::open(&window, "past-report").await.unwrap();

    let before = stage.desktop.shown_windows().unwrap();
    window.click(&testid("usage-print")).await.unwrap();
    let bytes = stage.desktop.print_to_file(&before).await.unwrap();
    let kept = programs::target_dir().unwrap().join("end-to-end").join("report");
    std::fs::create_dir_all(&kept).unwrap();
    std::fs::write(kept.join(format!("{language}.pdf")), &bytes).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    let pages = pages(&bytes);
    assert!(
        (3..=12).contains(&pages),
        "{pages} pages of a report of two years"
    );
    window.close().await.unwrap();
}

/// One after the other: both files are proposed at one place.
#[tokio::test]
async fn a_report_becomes_a_pdf_of_several_pages_by_the_systems_printing_in_both_languages() {
    for language in ["en", "zh-CN"] {
        printed(language).await;
    }
}
