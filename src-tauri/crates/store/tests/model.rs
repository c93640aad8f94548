//! The outbox of two real programs on one file against a simple model: a list of events, a cursor, what was refused, and
//! who delivers. They append, deliver, are refused and fail, one after the other or at the same moment; they end and
//! come back, and are killed in the middle of it. Whatever becomes of an act that was cut off, it was done whole or not
//! at all.
//!
//! The programs are this test program started anew. `cargo xtask soak` runs many more cases.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use common::{event, noon, open};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use store::{Error, Lead, Ledger, Queue};

const HEI: &str = "hei";
const DIR: &str = "STORE_TEST_DIR";
/// Stands before an answer, since the test harness of the other program says things of its own.
const ANSWER: char = '>';

/// What a program is asked to do.
#[derive(Debug, Clone)]
enum Act {
    /// Append events of these ids; `twice`: and the last of them once more, which refuses them all.
    Append {
        ids: Vec<String>,
        twice: bool,
    },
    /// Read a batch, and the receiver takes it; `lost`: its answer is lost, so that it is not noted.
    Deliver {
        count: u32,
        lost: bool,
    },
    /// The receiver refuses the first event that waits.
    Refuse,
    /// What was refused is to be sent once more.
    SendAgain,
    /// The first of those is sent, and taken or refused anew.
    DeliverAgain {
        taken: bool,
    },
    Fail,
}

impl Act {
    /// Only the program that leads talks to the receiver.
    fn needs_lead(&self) -> bool {
        !matches!(self, Self::Append { .. } | Self::SendAgain)
    }

    fn ask(&self) -> Value {
        match self {
            Self::Append { ids, twice } => json!({"do": "append", "ids": ids, "twice": twice}),
            Self::Deliver { count, lost } => json!({"do": "deliver", "count": count, "lost": lost}),
            Self::Refuse => json!({"do": "refuse"}),
            Self::SendAgain => json!({"do": "send_again"}),
            Self::DeliverAgain { taken } => json!({"do": "deliver_again", "taken": taken}),
            Self::Fail => json!({"do": "fail"}),
        }
    }
}

/// How the acts of a case follow each other.
#[derive(Debug, Clone)]
enum Step {
    /// One program acts.
    One(usize, Act),
    /// Both act at the same moment.
    Both(Act, Act),
    /// A program is killed so many microseconds after it was asked, and a new one comes.
    Killed(usize, Act, u64),
    /// A program ends in good order, and a new one comes.
    Anew(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let ids = |count| {
        (0..count)
            .map(|_| uuid::Uuid::now_v7().to_string())
            .collect::<Vec<_>>()
    };
    prop_oneof![
        5 => (1_usize..5, prop::bool::weighted(0.15)).prop_map(move |(count, twice)| Act::Append { ids: ids(count), twice }),
        4 => (1_u32..6, any::<bool>()).prop_map(|(count, lost)| Act::Deliver { count, lost }),
        2 => Just(Act::Refuse),
        1 => Just(Act::SendAgain),
        2 => any::<bool>().prop_map(|taken| Act::DeliverAgain { taken }),
        1 => Just(Act::Fail),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..2, act()).prop_map(|(which, act)| Step::One(which, act)),
        4 => (act(), act()).prop_map(|(one, other)| Step::Both(one, other)),
        2 => (0_usize..2, act(), 0_u64..4000).prop_map(|(which, act, wait)| Step::Killed(which, act, wait)),
        1 => (0_usize..2).prop_map(Step::Anew),
    ]
}

/// What there should be.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    events: Vec<String>,
    cursor: u64,
    failures: u64,
    /// Refused events, and whether they are to be sent again.
    apart: BTreeMap<u64, bool>,
    /// What the receiver has.
    received: BTreeSet<u64>,
    /// Which program delivers.
    lead: Option<usize>,
}

impl Model {
    /// What the program `which` answers, and what there is afterwards.
    fn act(&mut self, which: usize, act: &Act) -> Value {
        if act.needs_lead() && *self.lead.get_or_insert(which) != which {
            return json!("another leads");
        }
        match act {
            Act::Append { twice: true, .. } => json!("duplicate"),
            Act::Append { ids, .. } => {
                let first = self.events.len() + 1;
                self.events.extend(ids.iter().cloned());
                json!((first..=self.events.len()).collect::<Vec<_>>())
            }
            Act::Deliver { count, lost } => {
                let end = (self.cursor + u64::from(*count)).min(self.events.len() as u64);
                let numbers: Vec<u64> = (self.cursor + 1..=end).collect();
                self.received.extend(&numbers);
                if !lost && !numbers.is_empty() {
                    self.cursor = end;
                    self.failures = 0;
                }
                json!(numbers)
            }
            Act::Refuse if self.cursor == self.events.len() as u64 => json!("nothing"),
            Act::Refuse => {
                self.cursor += 1;
                self.apart.insert(self.cursor, false);
                json!(self.cursor)
            }
            Act::SendAgain => {
                self.apart.values_mut().for_each(|again| *again = true);
                json!(self.apart.len())
            }
            Act::DeliverAgain { taken } => {
                let Some(number) = self
                    .apart
                    .iter()
                    .find(|(_, again)| **again)
                    .map(|(number, _)| *number)
                else {
                    return json!("nothing");
                };
                if *taken {
                    self.apart.remove(&number);
                    self.received.insert(number);
                } else {
                    self.apart.insert(number, false);
                }
                json!(number)
            }
            Act::Fail => {
                self.failures += 1;
                json!(null)
            }
        }
    }

    fn without(mut self, which: usize) -> Self {
        self.lead = self.lead.filter(|lead| *lead != which);
        self
    }

    /// What every program sees of it.
    fn seen(&self) -> Value {
        json!({
            "events": self.events,
            "cursor": self.cursor,
            "failures": self.failures,
            "waiting": self.events.len() as u64 - self.cursor,
            "apart": self.apart,
        })
    }
}

/// The other side: what a program does and sees.
fn carry_out(ledger: &Ledger, lead: &mut Option<Lead>, ask: &Value) -> Value {
    let what = ask["do"].as_str().unwrap();
    if !["append", "send_again", "see"].contains(&what) && lead.is_none() {
        *lead = ledger.lead().unwrap();
        if lead.is_none() {
            return json!("another leads");
        }
    }
    match what {
        "append" => {
            let mut ids: Vec<String> = serde_json::from_value(ask["ids"].clone()).unwrap();
            if ask["twice"] == true {
                ids.push(ids.last().unwrap().clone());
            }
            let events = ids.into_iter().map(|id| store::NewEvent {
                event_id: id,
                ..event("server.seen")
            });
            match ledger.append(events.collect()) {
                Ok(rows) => json!(rows.iter().map(|row| row.seq).collect::<Vec<_>>()),
                Err(Error::Duplicate { .. }) => json!("duplicate"),
                Err(other) => panic!("{other}"),
            }
        }
        "deliver" => {
            let count = u32::try_from(ask["count"].as_u64().unwrap()).unwrap();
            let parcels = ledger
                .parcels(HEI, Queue::Events, None, count, usize::MAX)
                .unwrap();
            let numbers: Vec<u64> = parcels.iter().map(|parcel| parcel.number).collect();
            if ask["lost"] == false {
                ledger.accepted(HEI, Queue::Events, &numbers, noon()).unwrap();
            }
            json!(numbers)
        }
        "refuse" => {
            let next = ledger.delivery(HEI).unwrap().cursor + 1;
            match ledger.refused(HEI, Queue::Events, next, "no", noon()) {
                Ok(()) => json!(next),
                Err(Error::Missing { .. }) => json!("nothing"),
                Err(other) => panic!("{other}"),
            }
        }
        "send_again" => json!(ledger.send_again(HEI, None).unwrap()),
        "deliver_again" => {
            let parcels = ledger.parcels(HEI, Queue::Again, None, 1, usize::MAX).unwrap();
            let Some(number) = parcels.first().map(|parcel| parcel.number) else {
                return json!("nothing");
            };
            if ask["taken"] == true {
                ledger.accepted(HEI, Queue::Again, &[number], noon()).unwrap();
            } else {
                ledger
                    .refused(HEI, Queue::Again, number, "still no", noon())
                    .unwrap();
            }
            json!(number)
        }
        "fail" => {
            ledger.note_failure(HEI, "away", noon()).unwrap();
            json!(null)
        }
        _ => see(ledger),
    }
}

fn see(ledger: &Ledger) -> Value {
    let rows = ledger.events_after(0, u32::MAX, usize::MAX).unwrap();
    for (row, seq) in rows.iter().zip(1..) {
        let text: Value = serde_json::from_str(&row.json).unwrap();
        assert!(row.seq == seq && text["seq"] == seq && text["event_id"] == row.event_id.as_str());
    }
    let apart = ledger.quarantined(HEI, 10_000).unwrap();
    let apart: BTreeMap<u64, bool> = apart.iter().map(|one| (one.number, one.again)).collect();
    let again = apart.values().filter(|again| **again).count() as u64;
    assert_eq!(ledger.waiting_beside(HEI).unwrap(), again);
    assert_eq!(ledger.quarantined_count(HEI).unwrap(), apart.len() as u64);
    let delivery = ledger.delivery(HEI).unwrap();
    json!({
        "events": rows.iter().map(|row| &row.event_id).collect::<Vec<_>>(),
        "cursor": delivery.cursor,
        "failures": delivery.failures,
        "waiting": ledger.waiting(HEI).unwrap(),
        "apart": apart,
    })
}

#[test]
#[ignore = "the part of the other program; started by the tests here"]
fn the_other_program() {
    let Ok(dir) = std::env::var(DIR) else {
        // All that is ignored was asked for, not this.
        return;
    };
    let ledger = open(Path::new(&dir));
    let mut lead = None;
    println!("\n{ANSWER}\"ready\"");
    for line in std::io::stdin().lines() {
        let answer = carry_out(&ledger, &mut lead, &serde_json::from_str(&line.unwrap()).unwrap());
        println!("\n{ANSWER}{answer}");
    }
}

/// A program at work, killed when this goes out of scope.
struct Program {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["the_other_program", "--exact", "--ignored", "--nocapture"])
            .env(DIR, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut program = Self {
            asks: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        assert_eq!(program.answer(), json!("ready"));
        program
    }

    fn ask(&mut self, ask: &Value) {
        writeln!(self.asks.as_mut().unwrap(), "{ask}").unwrap();
    }

    fn answer(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.answers.read_line(&mut line).unwrap(),
                0,
                "the other program ended"
            );
            if let Some(answer) = line.strip_prefix(ANSWER) {
                return serde_json::from_str(answer).unwrap();
            }
        }
    }

    fn does(&mut self, act: &Act) -> Value {
        self.ask(&act.ask());
        self.answer()
    }

    fn sees(&mut self) -> Value {
        self.ask(&json!({"do": "see"}));
        self.answer()
    }

    fn end(mut self) {
        drop(self.asks.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays one case, and says how many of its acts a kill cut off before they were done, and after.
fn play(steps: &[Step]) -> Result<[usize; 2], TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let mut programs = [Program::start(dir.path()), Program::start(dir.path())];
    let mut model = Model::default();
    let mut cut = [0, 0];
    for step in steps {
        match step {
            Step::One(which, act) => {
                let expected = model.act(*which, act);
                prop_assert_eq!(programs[*which].does(act), expected);
            }
            Step::Both(one, other) => {
                programs[0].ask(&one.ask());
                programs[1].ask(&other.ask());
                let answers = [programs[0].answer(), programs[1].answer()];
                let seen = programs[0].sees();
                let (mut first, mut second) = (model.clone(), model.clone());
                let in_order = [first.act(0, one), first.act(1, other)];
                let mut turned = [second.act(1, other), second.act(0, one)];
                turned.reverse();
                let agrees = |model: &Model, expected| answers == expected && model.seen() == seen;
                // A lead that was asked for by both is told apart by the answers.
                if agrees(&first, in_order) {
                    model = first;
                } else if agrees(&second, turned) {
                    model = second;
                } else {
                    return Err(TestCaseError::fail(format!(
                        "one after the other gives nothing like {answers:?} and {seen}"
                    )));
                }
            }
            Step::Killed(which, act, wait) => {
                programs[*which].ask(&act.ask());
                std::thread::sleep(Duration::from_micros(*wait));
                programs[*which] = {
                    programs[*which].child.kill().unwrap();
                    programs[*which].child.wait().unwrap();
                    Program::start(dir.path())
                };
                let seen = programs[1 - *which].sees();
                let mut done = model.clone();
                done.act(*which, act);
                let before = seen == model.seen();
                prop_assert!(before || seen == done.seen(), "half done: {:?} {}", act, seen);
                cut[usize::from(!before)] += 1;
                if !before {
                    model = done;
                } else {
                    // The receiver may have heard of it all the same.
                    model.received = done.received;
                }
                model = model.without(*which);
            }
            Step::Anew(which) => {
                std::mem::replace(&mut programs[*which], Program::start(dir.path())).end();
                model = model.without(*which);
            }
        }
        for program in &mut programs {
            prop_assert_eq!(program.sees(), model.seen());
        }
        for number in 1..=model.cursor {
            prop_assert!(
                model.received.contains(&number) || model.apart.contains_key(&number),
                "event {} was passed over",
                number
            );
        }
    }
    for program in programs {
        program.end();
    }
    prop_assert_eq!(see(&open(dir.path())), model.seen());
    Ok(cut)
}

fn play_many(cases: u32) {
    let config = Config {
        cases,
        failure_persistence: None,
        // A case is many processes: what fails first is small enough.
        max_shrink_iters: 64,
        ..Config::default()
    };
    let cut = std::cell::Cell::new([0, 0]);
    let played = TestRunner::new(config).run(&prop::collection::vec(step(), 1..24), |steps| {
        let [before, after] = play(&steps)?;
        let [all_before, all_after] = cut.get();
        cut.set([all_before + before, all_after + after]);
        Ok(())
    });
    played.unwrap();
    let [before, after] = cut.get();
    println!("{cases} cases; {before} acts were cut off before they were done, {after} afterwards");
    assert!(before > 0 && after > 0, "kills fall on both sides of the acts");
}

#[test]
fn two_programs_killed_at_any_time_lose_and_double_nothing() {
    play_many(40);
}

#[test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
fn two_programs_killed_at_any_time_lose_and_double_nothing_in_many_cases() {
    play_many(1000);
}
