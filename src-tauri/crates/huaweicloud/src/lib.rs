//! Huawei Cloud over HTTP: request signing, endpoints, errors that a caller can act on, and typed calls.
//!
//! The crate knows nothing of any application. Start with [`signing`].

pub mod credentials;
pub mod signing;

pub use credentials::Credentials;
