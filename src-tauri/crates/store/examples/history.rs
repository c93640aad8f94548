//! Makes up a company's events, one JSON object a line on standard output: `history EVENTS [SEED]`. Or, with a directory,
//! fills the tally there: `history EVENTS SEED DIR`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for those who work on this; it ends where it cannot go on"
)]

#[allow(dead_code, reason = "the benchmarks need more of an event")]
#[path = "../benches/history/mod.rs"]
mod history;

use std::io::Write;
use std::path::Path;

use history::History;
use store::Tally;
use store::tally::{Batch, Fact};

const AT_ONCE: usize = 20_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |nth: usize| arguments.get(nth).map(|text| text.parse().expect("a number"));
    let mut past = History::of(number(0).unwrap_or(10_000));
    past.seed = number(1).unwrap_or(past.seed);
    let Some(dir) = arguments.get(2) else {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        past.tell(|event| writeln!(out, "{}", event.json).expect("room for the events"));
        return out.flush().expect("room for the events");
    };
    let dir = Path::new(dir);
    std::fs::create_dir_all(dir).expect("the directory");
    let tally = Tally::open(dir).expect("the tally");
    let mut texts = Vec::with_capacity(AT_ONCE);
    past.tell(|event| {
        texts.push(event.json.clone());
        if texts.len() == AT_ONCE {
            take(&tally, &texts, &past);
            texts.clear();
        }
    });
    take(&tally, &texts, &past);
    tally.settle(|| true).expect("figures");
    let sources = tally.sources().expect("sources");
    println!(
        "{}: {} events",
        dir.display(),
        sources.iter().map(|source| source.facts).sum::<u64>()
    );
}

fn take(tally: &Tally, texts: &[String], past: &History) {
    let facts: Vec<Fact<'_>> = texts.iter().filter_map(|text| Fact::read(text).ok()).collect();
    let batch = Batch {
        source: "made up",
        unreadable: (texts.len() - facts.len()) as u64,
        facts: &facts,
        position: None,
        complete: true,
        now: past.end(),
    };
    tally.take_in(&batch).expect("room for the events");
}
