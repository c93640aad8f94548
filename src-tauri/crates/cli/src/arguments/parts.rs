//! The command line of what belongs to servers: disks, networks, what is left of servers that are gone.

use clap::{Args, Subcommand, ValueEnum};

use super::Wait;

/// Disks of servers. A disk is named by its id, its name or its device.
#[derive(Debug, Subcommand)]
pub enum Disk {
    /// List a server's disks, and what else it could have
    List {
        /// Name or id of the server
        server: String,
    },
    /// Make a disk and attach it; it goes with the server
    Add {
        /// Name or id of the server
        server: String,
        /// Its type, e.g. GPSSD
        #[arg(long = "type", value_name = "TYPE")]
        kind: String,
        /// Its size in GB
        #[arg(long, value_name = "GB")]
        size: u32,
        #[command(flatten)]
        wait: Wait,
    },
    /// Make a disk larger; it cannot be made smaller again
    Grow {
        /// Name or id of the server
        server: String,
        /// The disk
        disk: String,
        /// Its size then, in GB
        #[arg(long, value_name = "GB")]
        to: u32,
        #[command(flatten)]
        wait: Wait,
    },
    /// Take a data disk off its server; it stays, and costs, until it is deleted
    Detach {
        /// Name or id of the server
        server: String,
        /// The disk
        disk: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        wait: Wait,
    },
    /// Attach a disk again that was taken off; what is on it stays, and it goes with the server
    Attach {
        /// Name or id of the server that it belongs to
        server: String,
        /// The disk
        disk: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Delete a disk that is attached to nothing
    Delete {
        /// Name or id of the server that it belongs to
        server: String,
        /// The disk
        disk: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        wait: Wait,
    },
    /// Print what to type in the guest
    Commands {
        /// Name or id of the server
        server: String,
        /// The disk
        disk: String,
        /// What for
        #[arg(long = "for", value_enum, value_name = "PURPOSE")]
        purpose: Purpose,
    },
}

/// What is to be done in the guest.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Purpose {
    /// Give a new, empty disk a file system
    Make,
    /// Grow the file system of a disk that has grown
    Grow,
    /// Let go of a disk before it is detached
    Detach,
    /// Mount a disk that has a file system already
    Mount,
}

impl Purpose {
    /// Its name in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Make => "make",
            Self::Grow => "grow",
            Self::Detach => "detach",
            Self::Mount => "mount",
        }
    }
}

/// Networks.
#[derive(Debug, Subcommand)]
pub enum Network {
    /// Print this computer's address, where the system knows a public one
    OwnAddress,
    /// Make a security group that lets SSH in from one address only, or find the one that was made before
    AdmitSsh {
        /// Address, or a narrow range such as 203.0.113.0/24; this computer's own by default
        address: Option<String>,
        #[command(flatten)]
        wait: Wait,
    },
}

/// What is left of servers that are gone.
#[derive(Debug, Args)]
pub struct Leftovers {
    /// Remove them: those with these ids, or all
    #[arg(long, value_name = "ID", num_args = 0..)]
    pub remove: Option<Vec<String>>,
    /// Do not ask
    #[arg(long, short, requires = "remove")]
    pub yes: bool,
    /// How long to wait
    #[command(flatten)]
    pub wait: Wait,
}
