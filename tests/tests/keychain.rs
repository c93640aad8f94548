//! The three keychains that the desktop fixture can show a program, seen with libsecret's own client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use wangcheng_tests::desktop::{Desktop, Keychain};

/// What `secret-tool` did: its exit and standard output, or nothing when it still waited at the deadline.
async fn secret_tool(
    desktop: &Desktop,
    args: &[&str],
    input: &str,
    deadline: Duration,
) -> Option<(bool, String)> {
    let mut child = tokio::process::Command::from(desktop.command("secret-tool"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // a client that refuses at once may have closed its input
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(deadline, child.wait_with_output())
        .await
        .ok()?
        .unwrap();
    Some((output.status.success(), String::from_utf8(output.stdout).unwrap()))
}

const STORE: [&str; 5] = ["store", "--label=Wangcheng test", "service", "wangcheng", "name"];
const NAME: &str = "演示";
const ANSWER: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn an_unlocked_keychain_gives_back_what_was_stored() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let store: Vec<&str> = STORE.into_iter().chain([NAME]).collect();
    let stored = secret_tool(&desktop, &store, "a secret", ANSWER).await;
    assert_eq!(
        stored,
        Some((true, String::new())),
        "the unlocked keychain did not take the secret"
    );
    let found = secret_tool(
        &desktop,
        &["lookup", "service", "wangcheng", "name", NAME],
        "",
        ANSWER,
    )
    .await;
    assert_eq!(
        found,
        Some((true, "a secret".to_owned())),
        "the secret did not come back as it was stored"
    );
}

#[tokio::test]
async fn a_locked_keychain_stores_nothing_while_nobody_types_its_password() {
    let desktop = Desktop::start(Keychain::Locked).await.unwrap();
    let store: Vec<&str> = STORE.into_iter().chain([NAME]).collect();
    let stored = secret_tool(&desktop, &store, "a secret", PATIENCE).await;
    assert!(
        !matches!(stored, Some((true, _))),
        "the locked keychain took a secret: {stored:?}"
    );
}

#[tokio::test]
async fn without_a_keychain_a_client_is_refused() {
    let desktop = Desktop::start(Keychain::Absent).await.unwrap();
    let store: Vec<&str> = STORE.into_iter().chain([NAME]).collect();
    let stored = secret_tool(&desktop, &store, "a secret", ANSWER).await;
    assert!(
        matches!(stored, Some((false, _))),
        "a secret was stored where no keychain is: {stored:?}"
    );
}
