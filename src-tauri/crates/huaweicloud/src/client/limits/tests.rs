//! The limits under a clock that the tests move.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;

const ECS: &str = "ListServersDetails";
const FAR: Duration = Duration::from_secs(3600);

fn lane_with(concurrent: usize, requests: u32, window: Duration) -> Arc<Lane> {
    let limits = Limits::new(concurrent, Rate { requests, window }, Duration::from_millis(500));
    limits.lane("ecs.example.test", [0; 32])
}

fn lane() -> Arc<Lane> {
    lane_with(1_000, 1_000, Duration::from_millis(1))
}

async fn go(lane: &Lane, service: Service, action: &'static str) -> Instant {
    drop(lane.turn(service, action, Instant::now() + FAR).await.unwrap());
    Instant::now()
}

/// The most moments that lie in any window of that length.
fn most_within(moments: &[Instant], window: Duration) -> usize {
    let within = |from: &Instant| {
        moments
            .iter()
            .filter(|moment| *moment >= from && **moment < *from + window)
            .count()
    };
    moments.iter().map(within).max().unwrap_or_default()
}

#[test]
fn limit_and_window_are_read_out_of_the_texts_of_the_gateway() {
    let rate = |requests, seconds| {
        Some(Rate {
            requests,
            window: Duration::from_secs(seconds),
        })
    };
    for (text, wanted) in [
        (
            "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute",
            rate(200, 300),
        ),
        ("policy api over ratelimit,limit:100,time:1 minute", rate(100, 60)),
        ("Policy IP over RateLimit, Limit: 6, Time: 10 Second", rate(6, 10)),
        ("limit=5 time=1 hour", rate(5, 3_600)),
        (
            "policy app over ratelimit,limit:1000,time:1 day",
            rate(1_000, 86_400),
        ),
        ("limit:20,time:1 seconds", rate(20, 1)),
        ("ratelimit,limit:0,time:1 minute", None),
        ("ratelimit,limit:5,time:0 minute", None),
        ("limit:99999999999,time:1 minute", None),
        ("limit:5,time:4294967295 day", None),
        ("limit:5,time:1 fortnight", None),
        ("limit:5", None),
        ("time:5 minute", None),
        ("the rate limit was passed this time", None),
        ("", None),
        ("limit:", None),
    ] {
        assert_eq!(Rate::told(text), wanted, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_window_of_a_second_sees_more_than_ten_requests_of_a_call_of_bss() {
    let lane = lane();
    let mut moments = Vec::new();
    for _ in 0..35 {
        moments.push(go(&lane, Service::Bss, "ListOnDemandResourceRatings").await);
    }
    assert_eq!(most_within(&moments, BSS.window), 10);
    assert!(
        moments[34] - moments[0] >= Duration::from_secs(3),
        "{:?}",
        moments[34] - moments[0]
    );

    let before = Instant::now();
    go(&lane, Service::Bss, "ShowCustomerAccountBalances").await;
    assert_eq!(Instant::now(), before, "another call has a limit of its own");
}

#[tokio::test(start_paused = true)]
async fn callers_that_come_together_keep_the_limit_together() {
    let lane = lane();
    let all = (0..25).map(|_| go(&lane, Service::Bss, "ListOnDemandResourceRatings"));
    let moments = futures::future::join_all(all).await;
    assert_eq!(most_within(&moments, BSS.window), 10);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_a_refusal_told_is_kept_from_then_on() {
    let lane = lane();
    let told = Rate {
        requests: 200,
        window: Duration::from_secs(300),
    };
    go(&lane, Service::Ecs, ECS).await;
    lane.refused(ECS, Some(told), None);
    let refused = Instant::now();

    let mut moments = Vec::new();
    for _ in 0..450 {
        moments.push(go(&lane, Service::Ecs, ECS).await);
        lane.passed(ECS);
    }
    assert!(
        moments[0] - refused >= Duration::from_millis(1_500),
        "the window was full when the refusal came"
    );
    assert!(most_within(&moments, told.window) <= 200);

    let before = Instant::now();
    go(&lane, Service::Ecs, "ShowServer").await;
    assert_eq!(Instant::now(), before, "the refusal was about one call only");

    // After a quiet window the limit is there to be used at once.
    tokio::time::advance(told.window).await;
    let before = Instant::now();
    for _ in 0..200 {
        go(&lane, Service::Ecs, ECS).await;
    }
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn refusals_in_a_row_make_the_pauses_longer_but_not_longer_than_the_window() {
    let lane = lane();
    let told = Some(Rate {
        requests: 60,
        window: Duration::from_secs(60),
    });
    let mut pauses = Vec::new();
    for _ in 0..9 {
        lane.refused(ECS, told, None);
        pauses.push(lane.wait_for(ECS).as_secs());
        tokio::time::advance(lane.wait_for(ECS)).await;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);

    let lane = self::lane();
    for _ in 0..20 {
        lane.refused("SlowDown", None, None);
    }
    assert_eq!(
        lane.wait_for("SlowDown"),
        LONGEST_BLIND_PAUSE,
        "a refusal without numbers"
    );
    lane.passed("SlowDown");
    tokio::time::advance(LONGEST_BLIND_PAUSE).await;
    lane.refused("SlowDown", None, Some(Duration::from_secs(7)));
    assert_eq!(
        lane.wait_for("SlowDown"),
        Duration::from_secs(7),
        "the time that the answer named"
    );
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_would_come_after_the_deadline_is_refused_at_once() {
    let lane = lane();
    let told = Some(Rate {
        requests: 1,
        window: Duration::from_secs(300),
    });
    lane.refused(ECS, told, None);
    let before = Instant::now();
    let refused = lane
        .turn(Service::Ecs, ECS, before + Duration::from_secs(90))
        .await;
    assert_eq!(refused.err(), Some(Duration::from_secs(300)));
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_requests_are_under_way_at_a_time() {
    let lane = lane_with(3, 1_000, Duration::from_millis(1));
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || async {
        let under_way = lane.turn(Service::Ecs, ECS, Instant::now() + FAR).await.unwrap();
        let here = now.fetch_add(1, Relaxed) + 1;
        most.fetch_max(here, Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        now.fetch_sub(1, Relaxed);
        drop(under_way);
    };
    futures::future::join_all((0..20).map(|_| work())).await;
    assert_eq!(most.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_rate_of_a_host_holds_over_all_its_calls() {
    let lane = lane_with(1_000, 5, Duration::from_secs(1));
    let mut moments = Vec::new();
    for action in [ECS, "ShowServer", "ShowJob"].into_iter().cycle().take(20) {
        moments.push(go(&lane, Service::Ecs, action).await);
    }
    assert_eq!(most_within(&moments, Duration::from_secs(1)), 5);
}

#[test]
fn a_huge_limit_is_kept_without_remembering_every_request() {
    let rate = Rate {
        requests: 4_000_000,
        window: Duration::from_secs(86_400),
    };
    assert_eq!(rate.bounded().requests, MOST_REMEMBERED);
    assert!(rate.bounded().spacing() <= rate.spacing() * 2);
}
