//! The transport against a real server on the loopback interface: what a service sees, and what a caller
//! gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod bounds;
mod failures;
mod keys;
mod limits;
mod lists;
mod peer;
mod proxies;
mod reference;
mod reference_obs;
mod requests;
mod retries;
mod tls;
mod typed;
