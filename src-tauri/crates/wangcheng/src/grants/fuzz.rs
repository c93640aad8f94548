//! Mutations of real grants and links, thousands of them: whatever comes, the readers do not panic, take no time, and let
//! nothing through that was not signed. The mutations follow from numbers, so a failure can be had again by its round.

use std::time::{Duration, Instant};

use super::tests::{grant, key, trusted};
use super::*;
use crate::templates::built_in;

/// How long one reading may take, with a wide margin for a busy machine and a build without optimizations.
const LONGEST: Duration = Duration::from_secs(5);
const ROUNDS: u64 = 4_000;

/// A small generator of numbers (SplitMix64), the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % (most.max(1) as u64)).unwrap()
    }
}

/// What is dear to parsers: nesting, numbers at their ends, escapes, signs that do not show, doubled keys.
const TREATS: [&str; 24] = [
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":{\"a\":",
    "}}}}]]]]",
    "18446744073709551615",
    "18446744073709551616",
    "-0",
    "1e999",
    "0.1",
    "null",
    "true",
    "\"\"",
    "\\u0000",
    "\\ud800",
    "\\u202e",
    "\u{202e}",
    "\u{0}",
    "\u{feff}",
    "\u{10ffff}",
    "\"number\":1,",
    "\"schema\":\"wangcheng.grant.v2\",",
    "&key=&key=",
    "%00%ff%e2%80%ae",
    "&token=AQ",
    "wangcheng://join?",
];

fn mutated(seed: &[u8], others: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(8) {
            0 if !bytes.is_empty() => {
                let at = at.min(bytes.len() - 1);
                bytes[at] ^= 1 << chance.below(8);
            }
            1 => bytes.truncate(at),
            2 => {
                let end = (at + chance.below(64)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            3 => {
                let treat = TREATS[chance.below(TREATS.len())];
                bytes.splice(at..at, treat.bytes());
            }
            4 => {
                let end = (at + chance.below(200)).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let to = chance.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            5 => {
                let other = &others[chance.below(others.len())];
                let from = chance.below(other.len());
                bytes.splice(at..at, other[from..].iter().copied().take(300));
            }
            6 => {
                let more = 1 << chance.below(12);
                let byte = b"[{\"9 \xf0"[chance.below(6)];
                bytes.splice(at..at, std::iter::repeat_n(byte, more));
            }
            _ => {
                let raw: Vec<u8> = (0..chance.below(40)).map(|_| chance.next() as u8).collect();
                bytes.splice(at..at, raw);
            }
        }
    }
    bytes
}

fn full() -> Grant {
    let mut full = grant();
    full.revoked = Some("the project is over".to_owned());
    full.others = Some("developer".to_owned());
    full.accounts = vec!["0123456789abcdef".to_owned()];
    full.defaults = Defaults {
        region: Some("cn-north-4".to_owned()),
        project: Some("p-1".to_owned()),
        subnet: Some("s-1".to_owned()),
        security_group: Some("g-1".to_owned()),
        template: Some("docker".to_owned()),
        templates: built_in(),
        images: vec!["Ubuntu 22.04".to_owned(), "Debian".to_owned()],
        environments: vec![crate::templates::Environment::Docker],
        hei: Some(hei()),
    };
    full
}

fn hei() -> HeiPlace {
    HeiPlace {
        url: "https://hei.example.com/events".to_owned(),
        event_set: "wangcheng".to_owned(),
        datatype: "json".to_owned(),
    }
}

/// Reads within the time, whatever comes.
fn timely<T>(round: u64, read: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let read = read();
    let took = begun.elapsed();
    assert!(took < LONGEST, "round {round} took {took:?}");
    read
}

#[test]
fn whatever_becomes_of_a_grant_nothing_is_read_that_was_not_signed() {
    let both = sign(&full(), &[&key(1), &key(2)]).unwrap();
    let compact: serde_json::Value = serde_json::from_str(&both).unwrap();
    let corpus: Vec<Vec<u8>> = [
        sign(&grant(), &[&key(1)]).unwrap(),
        both,
        compact.to_string(),
        serde_json::to_string(&full()).unwrap(),
        "{}".to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    let (mut read, mut texts) = (0, 0);
    for round in 0..ROUNDS {
        let mut chance = Chance(round);
        let seed = &corpus[chance.below(corpus.len())];
        let bytes = mutated(seed, &corpus, &mut chance);
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        texts += 1;
        if let Ok(opened) = timely(round, || open(&text, &trusted())) {
            read += 1;
            assert!(opened == grant() || opened == full(), "round {round}: {opened:?}");
        }
        let _ = timely(round, || Node::read(&text).map(|node| Grant::read(&node)));
    }
    // Some mutations change only what says nothing, such as the spaces between.
    assert!(texts > 1_000 && read > 0, "{read} of {texts} were read");
}

#[test]
fn whatever_becomes_of_a_link_it_is_read_as_it_says_or_not_at_all() {
    let plain = Join {
        organisation: "例子 Ltd.".to_owned(),
        key: PublicKey::of(&key(1)),
        source: Source::read("obs://example-team-policy/grants/wangcheng.json").unwrap(),
        hei: None,
        sealed: None,
    };
    let whole = Join {
        hei: Some(hei()),
        sealed: SealedToken::read(&format!("AQ{}", "A".repeat(80))),
        ..plain.clone()
    };
    assert!(whole.sealed.is_some());
    let corpus: Vec<Vec<u8>> = [
        plain.text(),
        whole.text(),
        "file:///srv/grants/../wangcheng.json".to_owned(),
        "https://grants.example.com:8443/a%20b?x=1#y".to_owned(),
        "http://[::1]:1/".to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    let (mut read, mut texts) = (0, 0);
    for round in 0..ROUNDS {
        let mut chance = Chance(round ^ 0x5eed);
        let seed = &corpus[chance.below(corpus.len())];
        let Ok(text) = String::from_utf8(mutated(seed, &corpus, &mut chance)) else {
            continue;
        };
        texts += 1;
        if let Ok(join) = timely(round, || Join::read(&text)) {
            read += 1;
            // What it says can be written down, and says the same again.
            let again = join.text();
            assert!(
                again.len() > LINK_MOST || Join::read(&again) == Ok(join),
                "round {round}"
            );
        }
        if let Ok(source) = timely(round, || Source::read(&text)) {
            assert!(Source::read(&source.text()).is_ok(), "round {round}: {source:?}");
        }
        let _ = timely(round, || PublicKey::read(&text));
        let _ = timely(round, || SealedToken::read(&text));
    }
    assert!(texts > 1_000 && read > 0, "{read} of {texts} were read");
}

#[test]
fn the_deepest_the_widest_and_the_longest_are_refused_at_once() {
    let deep = |sign: &str| sign.repeat(FILE_MOST / sign.len());
    let members: String = (0..20_000).map(|n| format!("\"k{n}\":0,")).collect();
    let wide = format!("{{{members}\"schema\":\"{FILE_SCHEMA}\"}}");
    let doubled = format!("{{{}\"a\":0}}", "\"a\":0,".repeat(20_000));
    let long = format!("{{\"schema\":\"{}\"}}", "x".repeat(FILE_MOST - 20));
    for text in [
        deep("["),
        deep("{\"a\":"),
        wide,
        doubled,
        long,
        " ".repeat(FILE_MOST + 1),
    ] {
        let begun = Instant::now();
        assert!(open(&text, &trusted()).is_err());
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(30), "{:.20} took {took:?}", text);
    }
}
