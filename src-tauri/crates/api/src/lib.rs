//! Every request and answer that the interface and the command line can make.
//!
//! One table, [`calls`], names each call, its request and its answer. From it come the dispatch that the shell hands
//! requests to ([`Api::call`]) and the TypeScript that the interface is written against ([`typescript`]). What is
//! added to the table exists on both sides, and what is not in it cannot be reached.

mod calls;
mod desk;
mod diagnostics;
mod error;
mod export;
mod host;
mod links;
mod rehearsal;
mod session_files;
mod session_keys;
mod session_recordings;
mod session_tunnels;
mod session_window;
mod typescript;
mod usage;
mod views;
mod words;

pub use calls::names;
pub use desk::{ChooseFile, Entry, MenuWords, Notice, Print, ShowDirectory, ShowSessions, Tray, TrayWords};
pub use diagnostics::{Bundle, Folder, ShowFolder};
pub use error::WireError;
pub use export::{ExportFormat, ExportTable, ExportUsage, Exported, Target as ExportTarget};
pub use host::{Api, Launch, Places, StartDemo};
pub use links::{SCHEME as LINK_SCHEME, Wish, Wished};
pub use rehearsal::{Rehearse, Rehearsed, RehearsedRequest};
pub use session_window::SessionOutput;
pub use typescript::typescript;
pub use views::files::{FileDrag, FilesAct, FilesAnswer, LocalAct};
pub use views::recordings::{RecordingsAct, RecordingsAnswer};
pub use views::sessions::{Session, SessionAct, SessionState, SessionsStart};
pub use views::tunnels::{TunnelAct, TunnelRoute, TunnelView};
pub use views::*;
pub use words::Tongue;
