//! Why a sandbox could not be started or stopped.

use std::path::PathBuf;

/// What a caller can act on; every variant names the file or port that is in the way.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A speed that is not a positive number.
    #[error("the speed must be a positive number, and is {speed}")]
    Speed {
        /// The speed asked for.
        speed: f64,
    },
    /// A port cannot be listened on: taken, or the fixed ones run past the last port.
    #[error("port {port} on 127.0.0.1 cannot be listened on")]
    Port {
        /// The port; 0 stands for any.
        port: u16,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The state file holds something else than a state that this version can read. It is left as it is.
    #[error("{} does not hold a state of this version of the sandbox: {reason}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The receiver's database cannot be opened or written.
    #[error("the receiver's database failed")]
    Receiver(#[from] rusqlite::Error),
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
