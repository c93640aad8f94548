//! The typed calls against the schemas that they were made from, and their special cases, over a real connection.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod account;
mod answers;
mod cases;
mod disks;
mod key_pairs;
mod networks;
mod peer;
mod public_ips;
mod requests;
mod schema;
