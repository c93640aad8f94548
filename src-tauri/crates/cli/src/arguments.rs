//! The command line.

pub mod facts;
pub mod grants;
mod parts;
pub mod remote;
pub mod usage;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use wangcheng::settings::Language;

pub use self::parts::{Disk, Leftovers, Network};

/// Temporary Huawei Cloud servers from a terminal.
#[derive(Debug, Parser)]
#[command(name = "wangcheng", version, after_help = crate::exit::HELP, propagate_version = true)]
pub struct Arguments {
    /// What every command understands.
    #[command(flatten)]
    pub all: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Common {
    /// Use the embedded region
    #[arg(long, global = true)]
    pub demo: bool,
    /// Use the embedded region of a running sandbox, by the file that it announced itself in
    #[arg(long, global = true, value_name = "FILE")]
    pub sandbox: Option<PathBuf>,
    /// Be this person of the embedded region, for this run only
    #[arg(long = "as", global = true, value_name = "USER")]
    pub person: Option<String>,
    /// Directory of the ledger; the window's own by default
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Use this account, by id or name, for this run only
    #[arg(long, global = true)]
    pub account: Option<String>,
    /// Region id: signs in for this run only, with the keys of the environment
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// zh-CN or en; the system's language by default
    #[arg(long, global = true, value_parser = language)]
    pub language: Option<Language>,
    /// Answer in JSON, errors too (on standard error)
    #[arg(long, global = true)]
    pub json: bool,
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "zh-CN" => Ok(Language::Chinese),
        "en" => Ok(Language::English),
        _ => Err("zh-CN or en".to_owned()),
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "KEY=VALUE".to_owned())
}

/// How an act is asked for, and how long its end is waited for.
#[derive(Debug, Clone, Copy, Args)]
pub struct Wait {
    /// Wait until it is done (the default)
    #[arg(long, overrides_with = "no_wait")]
    pub wait: bool,
    /// End as soon as the cloud took it
    #[arg(long)]
    pub no_wait: bool,
    /// Wait at most this long, e.g. 90s or 20m
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Print the request instead of sending it; what has to be read beforehand is read
    #[arg(long)]
    pub dry_run: bool,
    /// What --dry-run prints; --json has all of them
    #[arg(long, value_enum, default_value_t = Form::Http, requires = "dry_run")]
    pub form: Form,
}

/// How requests are written for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The requests themselves
    Http,
    /// Commands of this program
    Wangcheng,
    /// Commands of KooCLI, the vendor's own
    Hcloud,
    /// Code for the vendor's Python SDK
    Python,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Accounts: whose key is used
    #[command(subcommand)]
    Account(Account),
    /// Temporary servers
    #[command(subcommand)]
    Server(Server),
    /// Disks of servers
    #[command(subcommand)]
    Disk(Disk),
    /// Who may log in from where
    #[command(subcommand)]
    Network(Network),
    /// Templates that servers are made from
    #[command(subcommand)]
    Template(Template),
    /// What was asked of the cloud
    #[command(subcommand)]
    Operation(Operation),
    /// Events of the ledger
    #[command(subcommand)]
    Events(Events),
    /// Delivery of events to the data platform
    #[command(subcommand)]
    Delivery(Delivery),
    /// Who used what, what it cost and will cost
    #[command(subcommand)]
    Usage(usage::Usage),
    /// The data platform's search: everybody's events come from there
    #[command(subcommand)]
    Platform(facts::Platform),
    /// What an organisation lets its people use
    #[command(subcommand)]
    Grant(grants::Grant),
    /// Log in to a server: a shell, or one command, as with ssh
    Ssh(remote::Ssh),
    /// Copy files to a server or from it; those that are there are replaced
    Scp(remote::Scp),
    /// Lead ports through a server until Ctrl+C
    Tunnel(remote::Tunnel),
    /// Show a server's screen: in the application, in the browser, or in a VNC viewer
    Console(remote::Console),
    /// Run the embedded region until Ctrl+C
    Sandbox(Sandbox),
    /// Print what a shell needs to complete commands
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// Accounts.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// List them
    List,
    /// Sign in; the key is asked for, read from standard input (access key, secret key, security token, a line each) or
    /// taken from the environment
    SignIn {
        /// What to call the account
        #[arg(long)]
        name: String,
        /// Project id, where it cannot be found out
        #[arg(long, env = "HUAWEICLOUD_SDK_PROJECT_ID")]
        project_id: Option<String>,
    },
    /// Use another account from now on
    Use {
        /// Id or name
        account: String,
    },
    /// Ask the cloud again after the account was stopped
    Retry {
        /// Id or name
        account: String,
    },
    /// Forget the account and its key; its servers go on
    SignOut {
        /// Id or name
        account: String,
    },
}

/// Temporary servers.
#[derive(Debug, Subcommand)]
pub enum Server {
    /// List what exists
    List,
    /// Show one
    Show {
        /// Name or id
        server: String,
    },
    /// Make one from a template
    Create(Box<Create>),
    /// Start it
    Start {
        /// Names or ids
        #[arg(required = true)]
        servers: Vec<String>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Stop it; its disks and its address cost on
    Stop(PowerAct),
    /// Restart it
    Reboot(PowerAct),
    /// Move the end of its lease
    Extend {
        /// Names or ids
        #[arg(required = true)]
        servers: Vec<String>,
        /// By how much, each from its own end on, e.g. 2h
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, required_unless_present = "until")]
        by: Option<Duration>,
        /// To which moment, e.g. 2026-01-02T15:00:00+08:00
        #[arg(long, value_name = "MOMENT", conflicts_with = "by")]
        until: Option<DateTime<Utc>>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Take its lease off; it stays, and costs, until somebody deletes it
    CancelLease {
        /// Name or id
        server: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        wait: Wait,
    },
    /// Write its own private key to a file (OpenSSH, readable by you only)
    SaveKey {
        /// Name or id
        server: String,
        /// A new file; without it, one beside the ledger, together with the server's host key
        file: Option<PathBuf>,
        /// Print the public halves (of this key and of the server's host key) instead, and write nothing
        #[arg(long, conflicts_with = "file")]
        public: bool,
    },
    /// Give it another flavor; without --flavor: list those that it can have
    Resize {
        /// Name or id
        server: String,
        /// Flavor id
        #[arg(long)]
        flavor: Option<String>,
        /// Stop it for that, if it runs; it is started again afterwards
        #[arg(long)]
        stop: bool,
        #[command(flatten)]
        wait: Wait,
    },
    /// Give it another name
    Rename {
        /// Name or id
        server: String,
        /// The new name
        name: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Set and take off tags
    Tags {
        /// Name or id
        server: String,
        /// A tag to set, as KEY=VALUE; may be given several times
        #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
        set: Vec<(String, String)>,
        /// Key of a tag to take off; may be given several times
        #[arg(long, value_name = "KEY", required_unless_present = "set")]
        remove: Vec<String>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Give its administrator another password; it is asked for, read from standard input or taken from
    /// WANGCHENG_SERVER_PASSWORD
    Password {
        /// Name or id
        server: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Make a server of the project, made elsewhere, one's own
    Adopt {
        /// Name or id
        server: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Give its disks and its public address its tags once more, and set the disks to go with it
    Mark {
        /// Name or id
        server: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// List, or remove, disks and addresses of servers that are gone: they cost on
    Leftovers(Leftovers),
    /// Delete it with its disks and its public address
    Delete {
        /// Names or ids
        #[arg(required = true)]
        servers: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        wait: Wait,
    },
}

/// Servers to be stopped or restarted.
#[derive(Debug, Args)]
pub struct PowerAct {
    /// Names or ids
    #[arg(required = true)]
    pub servers: Vec<String>,
    /// Cut the power: what is not on the disks is lost
    #[arg(long)]
    pub hard: bool,
    /// Do not ask before something may be lost
    #[arg(long, short)]
    pub yes: bool,
    /// How long to wait
    #[command(flatten)]
    pub wait: Wait,
}

/// A server to be made.
#[derive(Debug, Args)]
pub struct Create {
    /// Its name
    pub name: String,
    /// Template id
    #[arg(long)]
    pub template: String,
    /// What it is for
    #[arg(long, default_value = "")]
    pub purpose: String,
    /// Length of the lease, e.g. 8h; the template's by default
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub length: Option<Duration>,
    /// End of the lease, e.g. 2026-01-02T15:00:00+08:00
    #[arg(long, value_name = "MOMENT", conflicts_with = "length")]
    pub until: Option<DateTime<Utc>>,
    /// Flavor id
    #[arg(long)]
    pub flavor: Option<String>,
    /// Image id
    #[arg(long)]
    pub image: Option<String>,
    /// Availability zone
    #[arg(long)]
    pub zone: Option<String>,
    /// Subnet id
    #[arg(long)]
    pub subnet: Option<String>,
    /// Security group id
    #[arg(long)]
    pub security_group: Option<String>,
    /// Name of a key pair
    #[arg(long)]
    pub key_pair: Option<String>,
    /// Bandwidth of the public address in Mbit/s; 0: none
    #[arg(long, value_name = "MBPS")]
    pub public_mbps: Option<u32>,
    /// What it does on its first start, in this file: #cloud-config, #! or #cloud-boothook; every process there can read it
    #[arg(long, value_name = "FILE")]
    pub user_data: Option<PathBuf>,
    /// Write the server's own private key to this new file (OpenSSH, readable by you only)
    #[arg(long, value_name = "PATH")]
    pub save_key: Option<PathBuf>,
    /// How long to wait
    #[command(flatten)]
    pub wait: Wait,
}

/// Templates.
#[derive(Debug, Subcommand)]
pub enum Template {
    /// List them
    List,
    /// Show one, as JSON that can be edited and saved
    Show {
        /// Template id
        template: String,
    },
    /// Add or replace one, from its JSON
    Save {
        /// File, or - for standard input
        file: PathBuf,
    },
    /// Remove one
    Remove {
        /// Template id
        template: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Print those of one's own, as a file for others
    Export,
    /// Take over those of an exported file
    Import {
        /// File, or - for standard input
        file: PathBuf,
    },
}

/// Operations.
#[derive(Debug, Subcommand)]
pub enum Operation {
    /// The newest, newest first
    List,
    /// Show one
    Show {
        /// Its id
        id: String,
        /// Wait until it is done
        #[arg(long)]
        wait: bool,
        /// Show the requests that it has sent, or sends, instead
        #[arg(long, conflicts_with = "wait")]
        calls: bool,
        /// What --calls prints; --json has all of them
        #[arg(long, value_enum, default_value_t = Form::Http, requires = "calls")]
        form: Form,
        /// Wait at most this long
        #[arg(long, value_name = "TIME", default_value = "30m", value_parser = humantime::parse_duration)]
        timeout: Duration,
    },
    /// Give up one that still waits to be sent
    Cancel {
        /// Its id
        id: String,
    },
}

/// Events.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// The newest, newest first
    List {
        /// At most this many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Only those before this number
        #[arg(long, value_name = "SEQ")]
        before: Option<u64>,
    },
    /// All of them, oldest first, one JSON object a line, as they are delivered
    Export {
        /// From this number on
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: u64,
    },
}

/// Delivery.
#[derive(Debug, Subcommand)]
pub enum Delivery {
    /// How it stands
    Status,
    /// Say where events go; the token is asked for, read from standard input or taken from WANGCHENG_HEI_TOKEN
    Configure {
        /// Address of the HEI
        #[arg(long)]
        url: String,
        /// Data set
        #[arg(long, value_name = "NAME")]
        event_set: String,
        /// Data type
        #[arg(long, value_name = "NAME")]
        datatype: String,
        /// Allow plain HTTP to another computer
        #[arg(long)]
        allow_plain_http: bool,
        /// The way of speaking; custom: as the profile says
        #[arg(long, value_name = "NAME", default_value = "yanhuang", value_parser = ["yanhuang", "splunk_hec", "custom"])]
        preset: String,
        /// JSON file with the fields that differ from the platform's own way; with --preset custom
        #[arg(long, value_name = "FILE")]
        profile: Option<PathBuf>,
        /// Keep the token that is kept already
        #[arg(long)]
        keep_token: bool,
    },
    /// Send a test event and show request and answer
    Test,
    /// List the events that the receiver refused while it took others
    Refused,
    /// Print these events, one JSON object a line
    ExportRefused,
    /// Send a refused event once more
    Resend {
        /// Its number; without it: all of them
        #[arg(required_unless_present = "all")]
        seq: Option<u64>,
        /// All of them
        #[arg(long, conflicts_with = "seq")]
        all: bool,
    },
    /// Send what waits now
    Send {
        /// Wait at most this long
        #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
        timeout: Duration,
    },
}

/// The embedded region in the foreground.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Write where everything listens, with the example keys, to this file
    #[arg(long, value_name = "FILE")]
    pub announce: Option<PathBuf>,
    /// Keep the world in this file between runs
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Keep received events in this SQLite file
    #[arg(long, value_name = "FILE")]
    pub receiver: Option<PathBuf>,
    /// How fast: at 1 a server boots in some six seconds
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// How fast the region's own clock goes, leases and bills with it: at 1440 a day goes by in a minute
    #[arg(long, default_value_t = 1.0)]
    pub clock_speed: f64,
}
