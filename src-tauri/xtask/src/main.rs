//! `cargo xtask …`: everything one would otherwise have to remember.

mod bench;
mod bench_remote;
mod setup;
mod steps;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Set up, run, test, measure and package Wangcheng"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what is missing, builds, and opens the window on the embedded region. Without a display the main job
    /// is walked in a virtual one, with a picture of each step under target/tour/.
    Run {
        /// Walks the main job by itself even where there is a display.
        #[arg(long)]
        tour: bool,
    },
    /// Installs what is missing and runs all tests.
    Test {
        /// Only this part.
        #[arg(long)]
        only: Option<Part>,
    },
    /// Makes pictures of every screen, in both languages, both themes, wide and narrow, under target/pictures/.
    Pictures,
    /// Formatting, lints, types, documentation, and whether generated files are fresh.
    Check,
    /// Writes the interface's TypeScript from the Rust types.
    Bindings {
        /// Only says whether the file is stale.
        #[arg(long)]
        check: bool,
    },
    /// Runs what takes too long for every day: kills at every step, every fault, a million events, the models of
    /// the ledger in many cases.
    Soak,
    /// Runs the benchmarks and writes target/bench/report.md.
    Bench {
        /// Only those of the window: start, memory, scrolling, terminal, screen, package.
        #[arg(long)]
        window: bool,
    },
    /// Makes up two years of a company's events from a seed, one JSON object a line on standard output.
    History {
        /// How many
        #[arg(long, default_value_t = 10_000_000)]
        events: u64,
        /// The same number makes the same events
        #[arg(long, default_value_t = 20_261_124)]
        seed: u64,
        /// Fill the tally of this directory instead
        #[arg(long, value_name = "DIR")]
        into: Option<String>,
    },
    /// Makes the installable package of this system.
    Package,
    /// Installs what is missing, for running and for testing.
    Setup,
}

/// A part of the tests.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The crates.
    Rust,
    /// The interface.
    Ui,
    /// The vendor's own SDK against the sandbox.
    Sdk,
    /// The command line, killed and troubled.
    Faults,
    /// The real window.
    E2e,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Run { tour } => steps::run(tour),
        Task::Test { only } => steps::test(only),
        Task::Pictures => steps::pictures(),
        Task::Check => steps::check(),
        Task::Bindings { check } => steps::bindings(check),
        Task::Soak => steps::soak(),
        Task::Bench { window } => bench::run(window),
        Task::History { events, seed, into } => steps::history(events, seed, into.as_deref()),
        Task::Package => steps::package(),
        Task::Setup => setup::all(true).and_then(|()| setup::sdk().map(drop)),
    }
}
