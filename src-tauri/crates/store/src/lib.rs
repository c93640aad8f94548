//! The ledger: what this installation asked for, what came of it, and which of it was already told.
//!
//! One SQLite file in one directory, which several programs may share. The ledger keeps these things apart:
//!
//! - **operations**, each recorded *before* anything is sent, so that a crash loses nothing;
//! - **events**, the immutable account of what happened, numbered without gaps per installation;
//! - **deliveries**, one cursor per target into that same sequence of events (the outbox is the ledger);
//! - the **quarantine** of what a target refuses, and what was **rescued** from a damaged file;
//! - the **usage** that follows from the events, kept up in the same transaction;
//! - the [`tally`], a file of its own, with everybody's usage;
//! - small **settings**, **accounts** and a **cache** of servers that always says how old it is.
//!
//! It knows no network and no cloud: kinds, actions and bodies are the caller's words. It holds no secrets, and
//! callers must not put any into requests, details or event bodies, because all of them are stored as plain text.
//!
//! Every call is synchronous and may wait for the disk: from async code, call it on a blocking thread. The ledger
//! never reads the clock; times come in and are kept in UTC with milliseconds (finer parts are cut off).

mod accounts;
mod columns;
mod costs;
mod deliveries;
mod error;
mod events;
mod ledger;
mod locks;
mod model;
mod operations;
mod outbox;
mod rescue;
mod schema;
pub mod tally;
mod usage;

pub use error::Error;
pub use ledger::{Ledger, Opened};
pub use locks::{Claim, Lead};
pub use model::{
    Account, Delivery, EventOutcome, EventRow, Interval, IntervalKind, NewEvent, NewOperation, Operation,
    Outcome, Parcel, Quarantined, Queue, ServerCost, Stage, Usage,
};
pub use tally::Tally;
