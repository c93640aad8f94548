//! The command line of grants.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

/// What an organisation lets its people use.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// The grant in force, and how much of it is used
    Show,
    /// Join an organisation by an administrator's link
    Join {
        /// The link, or a file that holds it; - for standard input
        link: String,
        /// The fingerprint that the administrator told by another way; a person is asked for it otherwise
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<String>,
        /// Set up the events, too: the token is asked for, or taken from WANGCHENG_HEI_TOKEN
        #[arg(long)]
        with_token: bool,
        /// Set up the events with the token that the link holds: its passphrase is asked for, or taken from WANGCHENG_PASSPHRASE
        #[arg(long, conflicts_with = "with_token")]
        with_passphrase: bool,
    },
    /// Ask for a newer grant now
    Refresh,
    /// Leave the organisation; the data platform is told
    Leave {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// An administrator's side: found an organisation, write, sign and publish its grants
    #[command(flatten)]
    Office(Office),
}

/// An administrator's side.
#[derive(Debug, Subcommand)]
pub enum Office {
    /// Found an organisation: its signing key goes into the keychain
    Create {
        /// Its name
        name: String,
        /// Whom people ask for more
        #[arg(long)]
        ask: String,
        /// Currency of all its money
        #[arg(long, default_value = "CNY")]
        currency: String,
        /// Keep the signing key for this run only, and write a backup to this file
        #[arg(long, value_name = "FILE")]
        run_only: Option<PathBuf>,
    },
    /// The draft, as JSON
    Draft,
    /// Take a draft over from a JSON file; - for standard input
    Edit {
        /// The file
        file: PathBuf,
    },
    /// Sign the draft under the next number and print the file
    Sign(Days),
    /// Sign the draft and write it where people read it
    Publish {
        /// A file, or obs://BUCKET/KEY
        place: String,
        #[command(flatten)]
        days: Days,
    },
    /// Withdraw everything that was granted, at once
    Revoke {
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        days: Days,
    },
    /// The link by which people join, and the fingerprint to tell them by another way
    Link {
        /// Where others serve the file; by default where it was published
        #[arg(long)]
        address: Option<String>,
        /// With the place of the events that is set here
        #[arg(long)]
        with_events: bool,
        /// With the token for them, under a passphrase (asked for, or WANGCHENG_PASSPHRASE) that is told by another way
        #[arg(long, requires = "with_events")]
        seal_token: bool,
    },
    /// What an administrator's acts need, and what of it is missing
    Rights {
        /// Where the next grant is to be published; by default where the last one was
        #[arg(long)]
        place: Option<String>,
    },
    /// Let a second key take over
    Rotate,
    /// End the former one of two keys
    Retire,
    /// Write the signing keys to a file that a passphrase opens (asked for, or WANGCHENG_PASSPHRASE)
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Take the organisation up from a backup
    Restore {
        /// The file
        file: PathBuf,
    },
    /// What in the project does not keep to a grant
    Audit {
        /// Which grant: draft, who would be over if it were in force now
        #[arg(long, value_enum, default_value_t = Of::Draft)]
        of: Of,
    },
    /// Act on a server that an audit found, whoever made it
    Act {
        /// Its id
        server: String,
        #[command(subcommand)]
        act: Act,
    },
    /// The policies of the cloud's own IAM that go with it
    Policy {
        /// The classic one (1.1) instead of the identity policy (5.0)
        #[arg(long)]
        classic: bool,
    },
}

/// For how long a grant holds.
#[derive(Debug, Args)]
pub struct Days {
    /// For how many days it holds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// Until when it holds instead
    #[arg(long, value_name = "MOMENT", conflicts_with = "days")]
    pub until: Option<DateTime<Utc>>,
    /// Sign with the keys of this backup, for this run only (passphrase asked for, or WANGCHENG_PASSPHRASE)
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
}

/// Which grant is looked at.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Of {
    /// The draft
    Draft,
    /// The one that was signed last
    Signed,
    /// The one that holds here
    InForce,
}

/// What is done with a server.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Give it a lease
    SetLease {
        /// Its end, e.g. 2026-01-02T15:00:00+08:00
        #[arg(long, value_name = "MOMENT")]
        until: DateTime<Utc>,
    },
    /// Stop it
    Stop,
    /// Delete it with everything on it
    Delete {
        /// Its name, to confirm
        #[arg(long)]
        name: String,
    },
}
