//! Nothing is lost on the way to the receiver, in order, whatever it answers.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use common::{Receiver, append, domain, event, ledger, says, until, yes};
use serde_json::Value;
use wangcheng::Code;
use wangcheng::delivery::DeliveryState;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("n{n}")).collect()
}

/// Refuses every request that holds an event whose purpose begins with `bad`.
fn picky(status: u16) -> impl FnMut(&[Value]) -> Response + Send + 'static {
    move |events| {
        let bad = |event: &Value| {
            event["purpose"]
                .as_str()
                .is_some_and(|purpose| purpose.starts_with("bad"))
        };
        match events.iter().any(bad) {
            true => says(status),
            false => says(200),
        }
    }
}

#[tokio::test]
async fn one_bad_event_is_set_apart_and_the_others_go_on_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(picky(400)).await;
    let domain = domain(dir.path(), &receiver.url).await;
    let other = ledger(dir.path());
    let mut purposes = names(450);
    for bad in [0, 77, 78, 199, 200, 449] {
        purposes[bad] = format!("bad{bad}");
    }
    append(&other, &purposes);
    domain.start().await.unwrap();

    let delivery = until(&domain, "the end", |delivery| {
        delivery.waiting == 0 && delivery.state == DeliveryState::Idle
    })
    .await;
    assert_eq!(delivery.quarantined, 6);
    let good: Vec<_> = purposes
        .iter()
        .filter(|purpose| purpose.starts_with('n'))
        .cloned()
        .collect();
    assert_eq!(receiver.purposes(), good, "each good one once, in order");
    let apart = domain.refused_events(100).await.unwrap();
    let seqs: Vec<_> = apart.iter().map(|refused| refused.seq.unwrap()).collect();
    assert_eq!(seqs, [1, 78, 79, 200, 201, 450]);
    assert!(apart[0].reason.contains("HTTP 400"));
    let (events, _) = domain.events(None, 500).await.unwrap();
    let undelivered = events.iter().filter(|kept| !kept.delivered).count();
    assert_eq!(undelivered, 6, "a refused event is not shown as delivered");

    // Exported as they were sent, and sent once more when a person asks for it.
    let export = domain.export_refused().await.unwrap();
    let lines: Vec<Value> = export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[5]["purpose"], "bad449");
    domain.send_refused_again(Some(78)).await.unwrap();
    until(&domain, "a second refusal", |delivery| delivery.waiting == 0).await;
    let again = domain.refused_events(100).await.unwrap();
    assert_eq!(
        (again[1].attempts, again.len()),
        (2, 6),
        "still refused, still there"
    );
    receiver.judge(yes);
    domain.send_refused_again(None).await.unwrap();
    let delivery = until(&domain, "the rest", |delivery| delivery.quarantined == 0).await;
    assert_eq!(delivery.waiting, 0);
    assert_eq!(receiver.purposes().len(), 450);
    domain.stop().await;
}

#[tokio::test]
async fn a_receiver_that_refuses_everything_sets_nothing_apart() {
    for status in [400, 404, 413, 422] {
        let dir = tempfile::tempdir().unwrap();
        let receiver = Receiver::start(move |_| says(status)).await;
        let domain = domain(dir.path(), &receiver.url).await;
        append(&ledger(dir.path()), names(9));
        domain.start().await.unwrap();
        let delivery = until(&domain, "a failure", |delivery| delivery.problem.is_some()).await;
        assert_eq!(
            (delivery.state, delivery.waiting),
            (DeliveryState::WaitingToRetry, 9),
            "{status}"
        );
        assert_eq!(
            delivery.quarantined, 0,
            "{status}: a wrong address is not the events' fault"
        );
        receiver.judge(yes);
        domain.send_now().await.unwrap();
        until(&domain, "the end", |delivery| delivery.waiting == 0).await;
        assert_eq!(receiver.purposes(), names(9));
        domain.stop().await;
    }
}

#[tokio::test]
async fn a_limit_of_size_is_learnt_and_an_event_above_it_set_apart() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(|events: &[Value]| {
        let size: usize = events.iter().map(|event| event.to_string().len()).sum();
        says(if size > 8000 { 413 } else { 200 })
    })
    .await;
    let domain = domain(dir.path(), &receiver.url).await;
    let mut huge = event("huge");
    huge.body.insert("commit".to_owned(), "x".repeat(9000).into());
    let other = ledger(dir.path());
    append(&other, names(60));
    other.append(vec![huge]).unwrap();
    append(&other, (60..120).map(|n| format!("n{n}")));
    domain.start().await.unwrap();
    let delivery = until(&domain, "the end", |delivery| delivery.waiting == 0).await;
    assert_eq!(delivery.quarantined, 1);
    assert_eq!(receiver.purposes(), names(120));
    assert_eq!(domain.refused_events(9).await.unwrap()[0].seq, Some(61));
    domain.stop().await;
}

#[tokio::test]
async fn a_refused_token_parks_and_a_persons_word_wakes() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(|_: &[Value]| says(401)).await;
    let domain = domain(dir.path(), &receiver.url).await;
    append(&ledger(dir.path()), names(3));
    domain.start().await.unwrap();
    let delivery = until(&domain, "parking", |delivery| {
        delivery.state == DeliveryState::Parked
    })
    .await;
    assert_eq!(delivery.problem.unwrap().code, Code::DeliveryTokenRefused);
    assert_eq!(delivery.next_try_at, None, "nobody asks again by himself");
    let asked = receiver.asked().len();
    append(&ledger(dir.path()), ["one more"]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.asked().len(), asked, "a new event does not wake it");
    receiver.judge(yes);
    domain.send_now().await.unwrap();
    until(&domain, "the end", |delivery| delivery.waiting == 0).await;
    domain.stop().await;
}

#[tokio::test]
async fn a_busy_receiver_is_left_alone_as_long_as_it_asks() {
    let dir = tempfile::tempdir().unwrap();
    let busy = Arc::new(AtomicBool::new(true));
    let once = busy.clone();
    let receiver = Receiver::start(move |_: &[Value]| match once.swap(false, Ordering::SeqCst) {
        true => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "3")]).into_response(),
        false => says(200),
    })
    .await;
    let domain = domain(dir.path(), &receiver.url).await;
    append(&ledger(dir.path()), names(3));
    domain.start().await.unwrap();
    until(&domain, "the end", |delivery| delivery.waiting == 0).await;
    let asked = receiver.asked();
    assert_eq!(asked.len(), 2);
    let waited = asked[1] - asked[0];
    assert!(waited >= Duration::from_secs(3), "asked again after {waited:?}");
    assert_eq!(receiver.purposes(), names(3));
    domain.stop().await;
}

#[tokio::test]
async fn waits_grow_while_a_receiver_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(|_: &[Value]| says(500)).await;
    let domain = domain(dir.path(), &receiver.url).await;
    append(&ledger(dir.path()), names(3));
    domain.start().await.unwrap();
    let delivery = until(&domain, "the third try", |delivery| delivery.attempts == 3).await;
    let asked = receiver.asked();
    let (first, second) = (asked[1] - asked[0], asked[2] - asked[1]);
    assert!(
        first >= Duration::from_millis(800) && second >= Duration::from_millis(1600),
        "{first:?}, {second:?}"
    );
    assert_eq!(delivery.waiting, 3);
    domain.stop().await;
}

#[tokio::test]
async fn one_of_two_programs_delivers_also_what_the_other_wrote_and_the_other_takes_over() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(yes).await;
    let window = domain(dir.path(), &receiver.url).await;
    let terminal = domain(dir.path(), &receiver.url).await;
    window.start().await.unwrap();
    terminal.start().await.unwrap();
    let mut changes = window.changes();
    append(&ledger(dir.path()), names(300));
    for program in [&window, &terminal] {
        until(program, "the end", |delivery| delivery.waiting == 0).await;
    }
    assert_eq!(receiver.purposes(), names(300), "each once: not both deliver");
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match tokio::time::timeout_at(deadline.into(), changes.recv())
            .await
            .unwrap()
            .unwrap()
        {
            wangcheng::Change::Events(300) => break,
            _ => continue,
        }
    }

    window.stop().await;
    drop(window);
    append(&ledger(dir.path()), ["later"]);
    until(&terminal, "the other's turn", |delivery| delivery.waiting == 0).await;
    assert_eq!(receiver.purposes().last().unwrap(), "later");
    terminal.stop().await;
}

#[tokio::test]
async fn events_of_a_damaged_ledger_are_delivered_first_and_under_its_own_installation() {
    let dir = tempfile::tempdir().unwrap();
    let old = ledger(dir.path());
    append(&old, names(3000));
    old.advance("hei", 1000, chrono::Utc::now()).unwrap();
    let old_id = old.installation_id().to_owned();
    drop(old);
    let file = dir.path().join("ledger.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xA5);
    std::fs::write(&file, &bytes).unwrap();

    let receiver = Receiver::start(yes).await;
    let domain = domain(dir.path(), &receiver.url).await;
    append(&ledger(dir.path()), ["new"]);
    domain.start().await.unwrap();
    until(&domain, "the end", |delivery| delivery.waiting == 0).await;
    let taken = receiver.taken();
    let (new, rescued) = taken.split_last().unwrap();
    assert_eq!((&new["purpose"], &new["seq"]), (&"new".into(), &1.into()));
    assert_ne!(new["installation_id"], old_id.as_str());
    assert!(
        rescued
            .iter()
            .all(|event| event["installation_id"] == old_id.as_str())
    );
    let seqs: Vec<u64> = rescued
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.is_sorted() && seqs.first() > Some(&1000));
    assert!(
        seqs.len() > 1900,
        "only the broken page is lost, not what stands behind it: {}",
        seqs.len()
    );
    domain.stop().await;
}

#[tokio::test]
async fn a_day_has_one_sign_of_life_of_whoever_is_signed_in_and_it_is_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(yes).await;
    let other = ledger(dir.path());
    let account = store::Account {
        id: "account-1".to_owned(),
        name: "北京".to_owned(),
        region: "cn-north-4".to_owned(),
        project_id: "project".to_owned(),
        account_id: "domain".to_owned(),
        account_name: "hw_lilei".to_owned(),
        user_id: "user".to_owned(),
        user_name: "李雷".to_owned(),
        remember: false,
        created_at: chrono::Utc::now(),
    };
    let nobody = domain(dir.path(), &receiver.url).await;
    nobody.start().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(other.last_seq().unwrap(), 0, "nobody is signed in");
    nobody.stop().await;

    other.upsert_account(&account).unwrap();
    other.set_setting("account.active", "account-1").unwrap();
    let programs = [
        domain(dir.path(), &receiver.url).await,
        domain(dir.path(), &receiver.url).await,
    ];
    for program in &programs {
        program.start().await.unwrap();
    }
    until(&programs[1], "the sign of life", |delivery| {
        delivery.last_seq == 1 && delivery.waiting == 0
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 1, "two programs, one installation: {taken:?}");
    assert_eq!(taken[0]["action"], "install.heartbeat");
    assert_eq!(
        (&taken[0]["seq"], &taken[0]["owner"]),
        (&1.into(), &"李雷".into())
    );
    assert!(taken[0].get("server_id").is_none());
    for program in &programs {
        program.stop().await;
    }
}
