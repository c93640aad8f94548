//! Remote access: SSH to a server, its shell, its files, ways through it, and its screen. Knows nothing of clouds and of this
//! application: keys, addresses and known host keys are handed in, states and questions come out.
//!
//! A [`Login`] says how to come to a server, through which hosts and with what. From it come, each with a connection of
//! its own, a [`Shell`], [`Files`] with their [`Queue`], [`Tunnel`]s and, by VNC, a [`Screen`]; the console of a provider is one as well. Whoever starts one holds the [`Front`] of it:
//! the latest [`State`], and [`Question`]s that carry their own way back.

mod config;
mod connection;
mod credentials;
mod error;
mod files;
mod front;
mod host_keys;
mod login;
mod output;
mod peer;
mod program;
mod readiness;
mod recording;
mod screen;
mod shell;
mod tunnels;
mod user;
mod wire;

pub use config::{Resolved, UserConfig};
pub use connection::{Agreed, Connection, Login, Patience, Purpose, Ran};
pub use credentials::{Credential, usual};
pub use error::{Error, FileTrouble, KeyTrouble, Result, Unreachable};
pub use files::{Copy, Direction, Entry, Files, Job, JobId, JobState, Kind, Problem, Queue, inside, join};
pub use front::{Ask, Front, Prompt, Question, State, Teller, front};
pub use host_keys::{HostKey, HostKeys, HostName, KnownKey};
pub use login::Destination;
pub use output::{Output, Piece};
pub use program::{Program, ProgramInput, Said};
pub use readiness::{CloudInit, Disk, Mount, Readiness};
pub use recording::{Played, Recording};
pub use screen::{Measured, Proxy, Screen, ScreenWay, Viewer, ViewerDoor};
pub use shell::{Cast, Shell, ShellOptions, Size};
pub use tunnels::{Listen, Place, Route, Traffic, Tunnel};
pub use user::guess;
