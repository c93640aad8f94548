//! Every call that the product makes, as a table: what is called, and what its answer must have to be of use.
//!
//! The tests send each of them to a peer of theirs; `examples/record.rs` sends them to another program's.

mod bss;
mod cts;
mod ecs;
mod eip;
mod evs;
mod iam;
mod ims;
mod kps;
pub mod obs;
mod sts;
mod tms;
mod vpc;

use std::time::Duration;

use futures::future::BoxFuture;
use huaweicloud::{Client, Credentials, Endpoints, Error, Http, HttpOptions, Rate, Region, Service};

pub const ACCESS_KEY: &str = "EXAMPLEAK00000000001";
pub const SECRET_KEY: &str = "ExampleSecretKey0000000000000000000000001";
/// What goes with a key that holds for a while only.
pub const SECURITY_TOKEN: &str = "ExampleToken/0+1==";
pub const REGION: &str = "cn-north-4";
pub const ACCOUNT: &str = "fedcba9876543210fedcba9876543210";
pub const PROJECT: &str = "0123456789abcdef0123456789abcdef";
pub const SERVER: &str = "4f4b3dfa-eb70-47cf-a60a-998a53bd6666";
pub const SERVER_2: &str = "5a5b3dfa-eb70-47cf-a60a-998a53bd7777";
pub const VOLUME: &str = "b104b8db-170d-441b-897a-3c8ba9c5a214";
pub const JOB: &str = "ff808082739334d80173943ec9b42130";
pub const UUID: &str = "6a9f1c3e-2b7d-4c58-9e10-5d4c3b2a1f00";

/// One use of an operation.
pub struct Case {
    pub service: &'static str,
    pub operation: &'static str,
    /// What is special about this use; empty for the only one.
    pub variant: &'static str,
    /// What the answer must have, as a path through objects and lists; its parents are implied.
    pub must: &'static [&'static str],
    /// The list whose rows the call hands out; empty for none.
    pub rows: &'static str,
    /// Makes an answer that was made up fit the question.
    pub fit: fn(&mut serde_json::Value),
    /// Calls it, and counts the rows that came.
    pub run: for<'a> fn(&'a Client) -> BoxFuture<'a, Result<usize, Error>>,
}

/// The services whose used calls are all in the table.
pub const SERVICES: &[&str] = &[
    "bss", "cts", "ecs", "eip", "evs", "iam", "ims", "kps", "obs", "sts", "tms", "vpc",
];

/// The whole table.
pub fn all() -> Vec<Case> {
    [
        bss::cases(),
        cts::cases(),
        ecs::cases(),
        eip::cases(),
        evs::cases(),
        iam::cases(),
        ims::cases(),
        kps::cases(),
        obs::cases(),
        sts::cases(),
        tms::cases(),
        vpc::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A client that finds every service at one address.
pub fn client(url: &str, access_key: &str) -> Client {
    client_with(url, Credentials::permanent(access_key, SECRET_KEY))
}

/// The same with a key of any kind.
pub fn client_with(url: &str, credentials: Credentials) -> Client {
    use Service::{Bss, Cts, Ecs, Eip, Evs, Iam, Ims, Kps, Obs, Sts, Tms, Vpc};
    let http = Http::new(HttpOptions {
        retries: 0,
        // Thousands of made-up answers are read; the default is the pace of a real service.
        rate: Rate {
            requests: 1_000,
            window: Duration::from_secs(1),
        },
        ..HttpOptions::default()
    })
    .unwrap();
    let url: url::Url = url.parse().unwrap();
    let endpoints = [Bss, Cts, Ecs, Eip, Evs, Iam, Ims, Kps, Obs, Sts, Tms, Vpc]
        .into_iter()
        .map(|service| (service, url.clone()))
        .collect();
    let region = Region {
        id: REGION.into(),
        name_zh: None,
        name_en: None,
        endpoints,
    };
    let endpoints = Endpoints::empty().with_region(region).unwrap();
    Client::new(http, credentials, endpoints, REGION.into()).of_account(&ACCOUNT.into())
}

/// A row of the table: `"service" "Operation" ("variant"), [what must be there], (the list), |client| call`. With a
/// list, the call's listing is counted.
macro_rules! case {
    // What stands in braces is taken out of them, so that its temporaries live until the answer is there.
    ($service:literal $operation:literal $variant:literal, $must:tt, $rows:literal, |$client:ident| { $call:expr }) => {
        crate::cases::case!($service $operation $variant, $must, $rows, |$client| $call)
    };
    ($service:literal $operation:literal $variant:literal, $must:tt, |$client:ident| { $call:expr }) => {
        crate::cases::case!($service $operation $variant, $must, |$client| $call)
    };
    ($service:literal $operation:literal $variant:literal, $must:tt, $rows:literal, |$client:ident| $call:expr) => {
        crate::cases::Case {
            service: $service,
            operation: $operation,
            variant: $variant,
            must: &$must,
            rows: $rows,
            fit: |_| {},
            run: |$client| Box::pin(async move { Ok($call.await?.value.items.len()) }),
        }
    };
    ($service:literal $operation:literal $variant:literal, $must:tt, |$client:ident| $call:expr) => {
        crate::cases::Case {
            service: $service,
            operation: $operation,
            variant: $variant,
            must: &$must,
            rows: "",
            fit: |_| {},
            run: |$client| Box::pin(async move { $call.await.map(|_| 0) }),
        }
    };
}
pub(crate) use case;
