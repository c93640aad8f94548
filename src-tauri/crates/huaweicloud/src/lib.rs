//! Huawei Cloud over HTTP: request signing, endpoints, errors that a caller can act on, and typed calls.
//!
//! A [`Client`] calls the services of one region with one key; each service has a module with a function per
//! API operation. Answers are read leniently, because the published schemas are not kept to the letter: an
//! odd row never loses the list that it is in. What a caller does about a failure is decided by
//! [`ErrorKind`].
//!
//! ```no_run
//! # async fn example() -> Result<(), huaweicloud::Error> {
//! use huaweicloud::{Client, Credentials, Endpoints, Http, HttpOptions, ecs, iam};
//!
//! let http = Http::new(HttpOptions::default())?;
//! let credentials = Credentials::permanent("access key", "secret key");
//! let client = Client::new(http, credentials, Endpoints::builtin(), "cn-north-4".into());
//! let projects = iam::projects_named(&client, "cn-north-4").await?.value.items;
//! if let Some(project) = projects.first() {
//!     for server in ecs::servers(&client, &project.id, &ecs::ServerQuery::default()).await?.value.items {
//!         println!("{} {}", server.name, server.status);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

/// The example of the README, so that it keeps compiling.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod client;
mod codes;
mod credentials;
mod endpoints;
mod envelope;
mod error;
mod ids;
mod job;
mod lenient;
mod quota;
mod retold;
pub mod signing;
mod tag;
mod wire;

pub mod bss;
pub mod cts;
pub mod ecs;
pub mod eip;
pub mod evs;
pub mod iam;
pub mod ims;
pub mod kps;
pub mod obs;
pub mod sts;
pub mod tms;
pub mod vpc;

pub use client::{
    Client, Clock, Http, HttpOptions, Listing, Proxy, ProxyLogin, Rate, Rehearsal, RehearsedRequest, Reply,
};
pub use credentials::Credentials;
pub use endpoints::{Endpoints, Region, Service};
pub use error::{Error, ErrorDetail, ErrorKind};
pub use ids::{
    AccountId, FlavorId, ImageId, JobId, PortId, ProjectId, PublicIpId, RegionId, SecurityGroupId,
    SecurityGroupRuleId, ServerId, SubnetId, UserId, VolumeId, VpcId, ZoneId,
};
pub use quota::{Quota, Usage};
pub use tag::{Tag, TagValues};
