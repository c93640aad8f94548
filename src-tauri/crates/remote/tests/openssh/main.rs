//! Against the real OpenSSH, which each test starts for itself: `sshd` on a free port with a configuration of its own,
//! `ssh-agent`, `ssh-keygen` and `ssh`. As root the server gets a user of its own in a mount namespace, so that
//! passwords can be tried without touching the machine's users.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod configs;
mod copies;
mod hosts;
mod logins;
mod peer;
mod qemu;
mod screens;
mod shells;
mod ways;
