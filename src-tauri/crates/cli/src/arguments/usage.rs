//! The command line of the usage summary.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

/// Who used what, and what it cost. Days are those of Asia/Shanghai, by which the cloud bills.
#[derive(Debug, Subcommand)]
pub enum Usage {
    /// Hours and money, with the time before
    Summary {
        #[command(flatten)]
        which: Which,
        /// One line for each of these; --json has all of them
        #[arg(long, value_enum, default_value_t = By::Month)]
        by: By,
    },
    /// Owners, dearest first
    Owners {
        #[command(flatten)]
        which: Which,
        /// At most this many; the rest is the last line
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Servers, dearest first
    Servers {
        #[command(flatten)]
        which: Which,
        /// At most this many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// What the running month, the next one and the next quarter will cost
    Forecast {
        #[command(flatten)]
        part: Part,
    },
    /// The summary as a file for other programs
    Export {
        #[command(flatten)]
        which: Which,
        /// As what: xlsx has all tables, csv one
        #[arg(long, value_enum)]
        format: As,
        /// Which table, for csv
        #[arg(long, value_enum, default_value_t = Table::Months)]
        table: Table,
        /// The file to make; one that is there stays. Without it csv goes to standard output
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Where it comes from, what the bill says, what is wasted
    #[command(flatten)]
    Facts(super::facts::Facts),
}

/// Which days, and which part of them.
#[derive(Debug, Args)]
pub struct Which {
    /// The first day, e.g. 2026-01-01; the first of this month by default
    #[arg(long, value_name = "DAY")]
    pub from: Option<NaiveDate>,
    /// The last day; today by default
    #[arg(long, value_name = "DAY")]
    pub to: Option<NaiveDate>,
    /// Which part
    #[command(flatten)]
    pub part: Part,
}

/// Which part; what is given several times is taken together. An empty text: what has none.
#[derive(Debug, Args)]
pub struct Part {
    /// Only this owner, by name or id; may be given several times
    #[arg(long = "owner", value_name = "OWNER")]
    pub owners: Vec<String>,
    /// Only this flavor; may be given several times
    #[arg(long = "flavor", value_name = "FLAVOR")]
    pub flavors: Vec<String>,
    /// Only this region; may be given several times
    #[arg(long = "in-region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Only this purpose; may be given several times
    #[arg(long = "purpose", value_name = "PURPOSE")]
    pub purposes: Vec<String>,
    /// Only this template; may be given several times
    #[arg(long = "template", value_name = "TEMPLATE")]
    pub templates: Vec<String>,
    /// Only money of this currency; by default that of which there is most
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
}

/// What a line of the summary stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// A month
    Month,
    /// A day
    Day,
    /// An owner
    Owner,
    /// A flavor
    Flavor,
    /// A region
    Region,
    /// A purpose
    Purpose,
    /// A template
    Template,
}

/// As what the summary goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum As {
    /// A workbook with all tables
    Xlsx,
    /// One table
    Csv,
}

/// A table of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "each is the name of its table")]
pub enum Table {
    Summary,
    Months,
    Days,
    Owners,
    Flavors,
    Regions,
    Purposes,
    Templates,
    Servers,
    Sources,
}
