//! The outbox against a simple model: a list of events, a cursor, and a set of what was refused.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{event, noon, open};
use proptest::prelude::*;
use store::{Error, Ledger, Queue};

const HEI: &str = "hei";

#[test]
fn a_refused_event_is_passed_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    ledger
        .append((0..5).map(|_| event("server.seen")).collect())
        .unwrap();
    for skipping in [2, 5, 6] {
        let error = ledger.refused(HEI, Queue::Events, skipping, "no", noon());
        assert!(
            matches!(error, Err(Error::Missing { .. })),
            "{skipping} would skip others"
        );
    }
    ledger
        .refused(HEI, Queue::Events, 1, "HTTP 400: no", noon())
        .unwrap();
    assert_eq!(ledger.delivery(HEI).unwrap().cursor, 1);
    ledger.accepted(HEI, Queue::Events, &[2, 3], noon()).unwrap();
    let apart = ledger.quarantined(HEI, 10).unwrap();
    assert_eq!(
        (apart.len(), apart[0].number, apart[0].reason.as_str()),
        (1, 1, "HTTP 400: no")
    );
    assert!(ledger.is_quarantined(HEI, 1).unwrap() && !ledger.is_quarantined(HEI, 2).unwrap());
    assert!(
        !ledger.is_quarantined("another", 1).unwrap(),
        "each target for itself"
    );
    assert_eq!(ledger.events(None, 10).unwrap().len(), 5, "it is still an event");
}

#[derive(Debug, Clone)]
enum Act {
    Append(usize),
    /// Read a batch, and the receiver takes it; or the answer is lost before it is noted.
    Deliver {
        count: u32,
        lost: bool,
    },
    Refuse,
    SendAgain,
    DeliverAgain {
        taken: bool,
    },
    Fail,
    Reopen,
}

fn act() -> impl Strategy<Value = (Act, bool)> {
    let act = prop_oneof![
        4 => (0_usize..5).prop_map(Act::Append),
        4 => (1_u32..6, any::<bool>()).prop_map(|(count, lost)| Act::Deliver { count, lost }),
        2 => Just(Act::Refuse),
        1 => Just(Act::SendAgain),
        2 => any::<bool>().prop_map(|taken| Act::DeliverAgain { taken }),
        1 => Just(Act::Fail),
        1 => Just(Act::Reopen),
    ];
    (act, any::<bool>())
}

#[derive(Default)]
struct Model {
    events: Vec<String>,
    cursor: u64,
    /// Refused events, and whether they are to be sent again.
    apart: BTreeMap<u64, bool>,
    /// What the receiver has.
    received: BTreeSet<u64>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_event_is_received_set_apart_or_still_waits(
        acts in prop::collection::vec(act(), 0..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut hands: [Ledger; 2] = [open(dir.path()), open(dir.path())];
        let mut model = Model::default();
        for (act, second) in acts {
            let which = usize::from(second);
            let ledger = &hands[which];
            match act {
                Act::Append(count) => {
                    let events: Vec<_> = (0..count).map(|_| event("server.seen")).collect();
                    model.events.extend(events.iter().map(|event| event.event_id.clone()));
                    ledger.append(events).unwrap();
                }
                Act::Deliver { count, lost } => {
                    let parcels = ledger.parcels(HEI, Queue::Events, None, count, usize::MAX).unwrap();
                    let numbers: Vec<u64> = parcels.iter().map(|parcel| parcel.number).collect();
                    let end = (model.cursor + u64::from(count)).min(model.events.len() as u64);
                    prop_assert_eq!(&numbers, &(model.cursor + 1..=end).collect::<Vec<_>>());
                    model.received.extend(&numbers);
                    if !lost {
                        ledger.accepted(HEI, Queue::Events, &numbers, noon()).unwrap();
                        model.cursor = end;
                    }
                }
                Act::Refuse => {
                    let next = model.cursor + 1;
                    let result = ledger.refused(HEI, Queue::Events, next, "no", noon());
                    prop_assert_eq!(result.is_ok(), next <= model.events.len() as u64);
                    if result.is_ok() {
                        model.cursor = next;
                        model.apart.insert(next, false);
                    }
                }
                Act::SendAgain => {
                    let asked = ledger.send_again(HEI, None).unwrap();
                    prop_assert_eq!(asked, model.apart.len());
                    model.apart.values_mut().for_each(|again| *again = true);
                }
                Act::DeliverAgain { taken } => {
                    let parcels = ledger.parcels(HEI, Queue::Again, None, 1, usize::MAX).unwrap();
                    let expected = model.apart.iter().find(|(_, again)| **again).map(|(number, _)| *number);
                    prop_assert_eq!(parcels.first().map(|parcel| parcel.number), expected);
                    let Some(number) = expected else { continue };
                    if taken {
                        ledger.accepted(HEI, Queue::Again, &[number], noon()).unwrap();
                        model.apart.remove(&number);
                        model.received.insert(number);
                    } else {
                        ledger.refused(HEI, Queue::Again, number, "still no", noon()).unwrap();
                        model.apart.insert(number, false);
                    }
                }
                Act::Fail => {
                    ledger.note_failure(HEI, "away", noon()).unwrap();
                }
                Act::Reopen => hands[which] = open(dir.path()),
            }
            for hand in &hands {
                let last = model.events.len() as u64;
                prop_assert_eq!(hand.last_seq().unwrap(), last);
                prop_assert_eq!(hand.delivery(HEI).unwrap().cursor, model.cursor);
                prop_assert_eq!(hand.waiting(HEI).unwrap(), last - model.cursor);
                prop_assert_eq!(hand.quarantined_count(HEI).unwrap(), model.apart.len() as u64);
                let again = model.apart.values().filter(|again| **again).count() as u64;
                prop_assert_eq!(hand.waiting_beside(HEI).unwrap(), again);
            }
        }
        for number in 1..=model.events.len() as u64 {
            prop_assert!(
                model.received.contains(&number) || model.apart.contains_key(&number) || number > model.cursor,
                "event {} is nowhere", number
            );
        }
        let ids: Vec<String> =
            hands[0].events_after(0, u32::MAX, usize::MAX).unwrap().into_iter().map(|row| row.event_id).collect();
        prop_assert_eq!(ids, model.events);
    }
}
