//! The command line of where everybody's events come from, of the bill and of what is wasted.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where everybody's events come from, what the bill says, what is wasted.
#[derive(Debug, Subcommand)]
pub enum Facts {
    /// Pull everybody's events from the data platform: only what is new, going on where it stopped
    Pull,
    /// Read exported events: NDJSON or CSV, plain or gz; each counts once, however often it is read
    Import {
        /// The file
        file: PathBuf,
    },
    /// What costs without being of use, what it costs a month, and what ends it
    Waste {
        /// Of everybody in the project, instead of one's own
        #[arg(long)]
        everyone: bool,
    },
    /// Servers of the last seven days that never passed through this program, as the cloud's audit tells
    Elsewhere,
    /// What the cloud really charged in a month, whose it was, and why that is not what was estimated
    Bill {
        /// The month in Asia/Shanghai, e.g. 2026-01
        month: String,
    },
}

/// The data platform's search.
#[derive(Debug, Subcommand)]
pub enum Platform {
    /// Where it is and how it is spelled there
    Status,
    /// Say where it is; the token is asked for, read from standard input or taken from WANGCHENG_SEARCH_TOKEN
    Configure {
        /// Its address
        #[arg(long)]
        url: String,
        #[command(flatten)]
        how: How,
    },
    /// Ask how many events there are, and show every request of it
    Test {
        /// Try this address instead of the one that is set; nothing is kept
        #[arg(long)]
        url: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// The same answers on the platform: statements for dashboards there
    Sql,
}

/// How an address is asked.
#[derive(Debug, Args)]
pub struct How {
    /// Data set
    #[arg(long, value_name = "NAME", default_value = "wangcheng")]
    pub event_set: String,
    /// Allow plain HTTP to another computer
    #[arg(long)]
    pub allow_plain_http: bool,
    /// The way of asking; custom: as the profile says
    #[arg(long, value_name = "NAME", default_value = "job", value_parser = ["job", "sync", "custom"])]
    pub preset: String,
    /// JSON file with the fields that differ from the way with jobs; with --preset custom
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Keep the token that is kept already
    #[arg(long)]
    pub keep_token: bool,
}
