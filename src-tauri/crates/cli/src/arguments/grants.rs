//! The command line of grants.

use clap::Subcommand;

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
    },
    /// Ask for a newer grant now
    Refresh,
    /// Leave the organisation; the data platform is told
    Leave {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}
