//! The benchmarks. A time says little on a machine that nobody knows, so each is reported as a ratio against a floor
//! that was measured in the same run.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::bench_remote;
use crate::setup;
use crate::steps::{self, root, say};

/// A promise about speed: what is measured, against what, and how many times the floor it may take.
struct Promise {
    what: &'static str,
    against: &'static str,
    /// The bench target that measures both.
    bench: &'static str,
    ours: &'static str,
    floor: &'static str,
    reach: f64,
    /// However long the floor takes, ours takes no longer, in seconds.
    most: Option<f64>,
}

const PROMISES: &[Promise] = &[
    Promise {
        what: "sign one request, 1 KiB body",
        against: "the SHA-256 and HMAC it needs, alone",
        bench: "signing",
        ours: "sign_one_request",
        floor: "bare_hashing",
        reach: 3.0,
        most: None,
    },
    Promise {
        what: "list and parse 1,000 servers (5 pages) from the embedded region",
        against: "the same bytes fetched with bare reqwest, unparsed",
        bench: "listing",
        ours: "list_and_parse",
        floor: "fetch_unparsed",
        reach: 1.3,
        most: None,
    },
    Promise {
        what: "one durable event",
        against: "one bare SQLite insert with the same settings",
        bench: "ledger",
        ours: "one_event_ledger",
        floor: "one_event_floor",
        reach: 1.2,
        most: None,
    },
    Promise {
        what: "10,000 events at once into the ledger",
        against: "bare SQLite in one transaction",
        bench: "ledger",
        ours: "burst_ledger",
        floor: "burst_floor",
        reach: 2.0,
        most: None,
    },
    Promise {
        what: "drain 100,000 events to a receiver on this computer",
        against: "bare reqwest posting the same bodies one after another",
        bench: "drain",
        ours: "drain_ours",
        floor: "drain_floor",
        reach: 1.3,
        most: None,
    },
    Promise {
        what: "open the usage summary over 10 million events",
        against: "a lesser answer by scanning them in SQLite",
        bench: "usage",
        ours: "open_tab",
        floor: "open_tab_scanning",
        reach: 0.01,
        most: Some(0.1),
    },
    Promise {
        what: "the same",
        against: "the lesser answer by DuckDB",
        bench: "usage",
        ours: "open_tab",
        floor: "open_tab_duckdb",
        reach: 1.0,
        most: Some(0.1),
    },
    Promise {
        what: "two years of one flavor",
        against: "a lesser answer by DuckDB",
        bench: "usage",
        ours: "two_years_of_a_flavor",
        floor: "two_years_of_a_flavor_duckdb",
        reach: 1.0,
        most: Some(0.15),
    },
    Promise {
        what: "two years of everything",
        against: "two years of one flavor, by scanning in SQLite",
        bench: "usage",
        ours: "two_years",
        floor: "two_years_of_a_flavor_scanning",
        reach: 0.05,
        most: Some(0.15),
    },
    Promise {
        what: "take in 300,000 events, figures included",
        against: "bare SQLite inserts of their texts",
        bench: "usage",
        ours: "import",
        floor: "import_floor",
        reach: 3.0,
        most: Some(2.0),
    },
];

/// A promise about the window: what `measure` says, in what unit, and how it is held against the promise.
struct WindowPromise {
    what: &'static str,
    against: &'static str,
    ours: &'static str,
    unit: &'static str,
    reach: Reach,
}

/// What a number of the window has to keep to.
enum Reach {
    /// So many times the floor of that name.
    Times(&'static str, f64),
    /// So much more than the floor of that name.
    More(&'static str, f64),
    /// So much at most.
    Most(f64),
    /// At least so many times the floor of that name.
    Least(&'static str, f64),
}

const OF_THE_WINDOW: &[WindowPromise] = &[
    WindowPromise {
        what: "start to the first useful screen",
        against: "an empty Tauri window",
        ours: "start_ms",
        unit: "ms",
        reach: Reach::Times("start_floor_ms", 1.5),
    },
    WindowPromise {
        what: "memory when idle, all processes",
        against: "an empty Tauri window",
        ours: "memory_mb",
        unit: "MB",
        reach: Reach::More("memory_floor_mb", 80.0),
    },
    WindowPromise {
        what: "frames over 33 ms while 5,000 servers are scrolled",
        against: "-",
        ours: "frames_over_33_ms",
        unit: "frames",
        reach: Reach::Most(0.0),
    },
    WindowPromise {
        what: "longest frame of them",
        against: "-",
        ours: "frame_longest_ms",
        unit: "ms",
        reach: Reach::Most(33.4),
    },
    WindowPromise {
        what: "pictures a second of a moving screen (glxgears on TigerVNC)",
        against: "noVNC in Chromium over websockify",
        ours: "vnc_updates_s",
        unit: "1/s",
        reach: Reach::Least("vnc_floor_updates_s", 1.0),
    },
    WindowPromise {
        what: "terminal: 100 MiB of output, as it is written, in MiB/s",
        against: "xterm.js fed from memory in the same window",
        ours: "terminal_mib_s",
        unit: "MiB/s",
        reach: Reach::Least("terminal_floor_mib_s", 0.8),
    },
    WindowPromise {
        what: "memory that it takes meanwhile",
        against: "-",
        ours: "terminal_more_mb",
        unit: "MB",
        reach: Reach::Most(100.0),
    },
    WindowPromise {
        what: "Ctrl+C into it until it is seen to act",
        against: "-",
        ours: "ctrl_c_ms",
        unit: "ms",
        reach: Reach::Most(200.0),
    },
    WindowPromise {
        what: "a key until it is on the screen, idle (95 of 100)",
        against: "-",
        ours: "echo_p95_ms",
        unit: "ms",
        reach: Reach::Most(20.0),
    },
    WindowPromise {
        what: "a key until it is on the screen, beside a flood (95 of 100)",
        against: "-",
        ours: "echo_flood_p95_ms",
        unit: "ms",
        reach: Reach::Most(40.0),
    },
    WindowPromise {
        what: "package (.deb)",
        against: "-",
        ours: "package_mb",
        unit: "MB",
        reach: Reach::Most(25.0),
    },
];

/// The window's rows of the report, where it can be driven, and what was measured as it was said.
fn window_rows() -> Result<(String, String)> {
    if !cfg!(target_os = "linux") {
        let said = "The window is measured on Linux only, where it can be driven.\n";
        return Ok((String::new(), said.to_owned()));
    }
    let (programs, package) = steps::for_measuring()?;
    let output = std::process::Command::new(steps::program("measure"))
        .arg("--programs")
        .arg(programs)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start what measures the window")?;
    let mut raw = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("the window cannot be measured ({}): {raw}", output.status);
    }
    writeln!(raw, "package_mb {:.1}", package as f64 / 1e6)?;
    print!("{raw}");
    let said: BTreeMap<&str, f64> = raw
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect();
    let of = |name: &str| {
        let value = said.get(name).copied();
        value.with_context(|| format!("nothing was said of {name}"))
    };
    let mut table = String::new();
    for promise in OF_THE_WINDOW {
        table.push_str(&promise.row(of)?);
    }
    Ok((table, raw))
}

impl WindowPromise {
    fn row(&self, of: impl Fn(&str) -> Result<f64>) -> Result<String> {
        let Self {
            what,
            against,
            ours,
            unit,
            reach,
        } = self;
        let ours = of(ours)?;
        let (floor, ratio, aim, reached) = match reach {
            Reach::Times(floor, times) => {
                let floor = of(floor)?;
                let ratio = ours / floor;
                (
                    format!("{floor:.0} {unit}"),
                    format!("{ratio:.2} ×"),
                    format!("≤ {times:.1} ×"),
                    ratio <= *times,
                )
            }
            Reach::More(floor, more) => {
                let floor = of(floor)?;
                let over = ours - floor;
                (
                    format!("{floor:.0} {unit}"),
                    format!("+ {over:.0} {unit}"),
                    format!("≤ + {more:.0} {unit}"),
                    over <= *more,
                )
            }
            Reach::Least(floor, times) => {
                let floor = of(floor)?;
                let ratio = ours / floor;
                (
                    format!("{floor:.1} {unit}"),
                    format!("{ratio:.2} ×"),
                    format!("≥ {times:.1} ×"),
                    ratio >= *times,
                )
            }
            Reach::Most(most) => (
                "-".to_owned(),
                "-".to_owned(),
                format!("≤ {most:.0} {unit}"),
                ours <= *most,
            ),
        };
        let reached = if reached { "reached" } else { "MISSED" };
        Ok(format!(
            "| {what} | {against} | {ours:.1} {unit} | {floor} | {ratio} | {aim} | {reached} |\n"
        ))
    }
}

/// Runs every benchmark, or only those of the window, and writes target/bench/report.md.
pub fn run(window_only: bool) -> Result<()> {
    let began = Instant::now();
    let mut medians: BTreeMap<&str, BTreeMap<String, f64>> = BTreeMap::new();
    let mut raw = String::new();
    let promises = if window_only { &[] } else { PROMISES };
    for promise in promises {
        if let Entry::Vacant(place) = medians.entry(promise.bench) {
            let text = measure(promise)?;
            place.insert(text.lines().filter_map(median).collect());
            raw.push_str(&text);
        }
    }
    let mut table =
        String::from("| what | against | ours | floor | ratio | reach | |\n|---|---|---|---|---|---|---|\n");
    for promise in promises {
        let found = medians.get(promise.bench);
        let of = |name: &str| {
            let seconds = found.and_then(|found| found.get(name)).copied();
            seconds.with_context(|| format!("the benchmark {} printed no median of {name}", promise.bench))
        };
        let (ours, floor) = (of(promise.ours)?, of(promise.floor)?);
        let ratio = ours / floor;
        let reached = if ratio <= promise.reach && promise.most.is_none_or(|most| ours <= most) {
            "reached"
        } else {
            "MISSED"
        };
        writeln!(
            table,
            "| {} | {} | {} | {} | {ratio:.3} × | ≤ {} ×{} | {reached} |",
            promise.what,
            promise.against,
            shown(ours),
            shown(floor),
            promise.reach,
            promise
                .most
                .map_or(String::new(), |most| format!(", {}", shown(most)))
        )?;
    }
    if !window_only {
        let (rows, said) = bench_remote::rows()?;
        table.push_str(&rows);
        raw.push_str(&said);
    }
    let (rows, said) = window_rows()?;
    table.push_str(&rows);
    raw.push_str(&said);
    println!("{table}");
    let dir = root().join("target/bench");
    std::fs::create_dir_all(&dir)?;
    let report = dir.join("report.md");
    std::fs::write(
        &report,
        format!("# Benchmarks\n\nMedians of one run on this machine.\n\n{table}\n```text\n{raw}```\n"),
    )?;
    say(&format!(
        "{}: {:.1} s",
        report.display(),
        began.elapsed().as_secs_f32()
    ));
    Ok(())
}

fn measure(promise: &Promise) -> Result<String> {
    let mut measuring = steps::released("bench", &["--bench", promise.bench]);
    if promise.bench == "usage" {
        // A peer from elsewhere, in an environment of its own.
        measuring.env("WANGCHENG_BENCH_PYTHON", setup::duckdb()?);
    }
    let output = measuring
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start the benchmarks")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{text}");
    if !output.status.success() {
        bail!("the benchmark {} failed ({})", promise.bench, output.status);
    }
    Ok(text)
}

/// Name and median, in seconds, of a line such as `├─ name  1.09 µs │ 41.5 µs │ 1.101 µs │ …`.
fn median(line: &str) -> Option<(String, f64)> {
    let mut columns = line.trim_start_matches(['├', '╰', '│', '─', ' ']).split('│');
    let name = columns.next()?.split_whitespace().next()?;
    let mut median = columns.nth(1)?.split_whitespace();
    let (number, unit) = (median.next()?.parse::<f64>().ok()?, median.next()?);
    let scale = match unit {
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Some((name.to_owned(), number * scale))
}

fn shown(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_window_is_held_against_its_promise() {
        let of = |name: &str| Ok(if name == "floor" { 100.0 } else { 160.0 });
        let row = |reach| {
            let promise = WindowPromise {
                what: "start",
                against: "nothing",
                ours: "ours",
                unit: "ms",
                reach,
            };
            promise.row(of).unwrap()
        };
        assert!(row(Reach::Times("floor", 1.5)).ends_with("1.60 × | ≤ 1.5 × | MISSED |\n"));
        assert!(row(Reach::More("floor", 80.0)).ends_with("+ 60 ms | ≤ + 80 ms | reached |\n"));
        assert!(row(Reach::Most(33.4)).ends_with("≤ 33 ms | MISSED |\n"));
    }

    #[test]
    fn the_median_of_a_printed_row_is_read_in_its_unit() {
        let row = "╰─ sign_one_request  2.452 µs      │ 36.08 µs      │ 2.503 µs      │ 2.89 µs       │ 100     │ 100";
        let (name, seconds) = median(row).unwrap();
        assert_eq!(name, "sign_one_request");
        assert!((seconds - 2.503e-6).abs() < 1e-12, "{seconds}");
        assert_eq!(
            median("signing  fastest │ slowest │ median │ mean │ samples │ iters"),
            None,
            "the heading"
        );
        assert_eq!(median("test result: ok. 0 passed"), None, "no row at all");
    }
}
