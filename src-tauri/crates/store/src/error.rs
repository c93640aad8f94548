use std::io;
use std::path::PathBuf;

/// What can go wrong with the ledger, told apart by what a caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory or a file in it cannot be used for a reason that none of the other kinds names.
    #[error("the ledger's files cannot be used: {0}")]
    Io(#[source] io::Error),

    /// Another program has this ledger open and does not share it, or this one would have to change the file under it.
    /// Nothing was changed; close the other program first.
    #[error("the ledger in {} is in use by another program", dir.display())]
    InUse {
        /// The ledger's directory.
        dir: PathBuf,
    },

    /// The file was written by a later version of this program. It was left as it is; update the program.
    #[error("the ledger has schema version {found}, and this program knows versions up to {known}")]
    NewerSchema {
        /// Schema version that the file carries.
        found: i64,
        /// Newest schema version that this program knows.
        known: i64,
    },

    /// The directory or the file does not allow writing. Nothing was recorded.
    #[error("the ledger cannot be written: its directory or file is read-only")]
    ReadOnly,

    /// The disk is full. Nothing was recorded; the same call can succeed once there is room.
    #[error("the ledger cannot be written: the disk is full")]
    Full,

    /// The file's contents do not hold together. The next [`open`](crate::Ledger::open) checks the file and sets a
    /// damaged one aside.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),

    /// The operation has ended before. An end is written once; this call wrote nothing.
    #[error("operation {id} is already settled")]
    AlreadySettled {
        /// Id of the operation.
        id: String,
    },

    /// A row with this id exists. Ids are given once; this call wrote nothing.
    #[error("the ledger already has {what} {id}")]
    Duplicate {
        /// `operation` or `event`.
        what: &'static str,
        /// The id that was given twice.
        id: String,
    },

    /// There is no such row.
    #[error("the ledger has no {what} {id}")]
    Missing {
        /// `operation` or `event`.
        what: &'static str,
        /// The id that was asked for; for events by number, the number.
        id: String,
    },

    /// Any other complaint of SQLite.
    #[error("the ledger's database refused: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            _ => Error::Io(error),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{Error as Sqlite, ErrorCode};
        // A column that holds what no version of this program writes there.
        if matches!(
            error,
            Sqlite::FromSqlConversionFailure(..)
                | Sqlite::InvalidColumnType(..)
                | Sqlite::IntegralValueOutOfRange(..)
                | Sqlite::Utf8Error(..)
        ) {
            return Error::Damaged(error.to_string());
        }
        // The index beside the log is made when the file is opened; what keeps it from growing is a disk without room.
        let code = error.sqlite_error().map(|error| error.extended_code);
        if code == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return Error::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly,
            Some(ErrorCode::DiskFull) => Error::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Damaged(error.to_string()),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Error::Io(io::Error::other(error)),
            _ => Error::Sqlite(error),
        }
    }
}
