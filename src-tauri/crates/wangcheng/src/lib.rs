//! The domain: accounts, servers, leases, templates, operations, events and their delivery.
//!
//! It knows no window and no terminal; both reach it through crate `api`. What comes from outside (time, keychain,
//! endpoints, directories) is handed in with [`Options`]. What happens is published once, as [`Change`].
//!
//! | module | what it decides |
//! |---|---|
//! | [`accounts`] | signing in, who the key belongs to, which account is in use |
//! | [`imports`] | keys that lie ready on this computer |
//! | [`rights`] | what a key may do, as far as reading, checking and the past tell |
//! | [`servers`] | what exists, as the cloud last told, and when it is asked again |
//! | [`costs`] | what servers cost so far, as far as the ledger knows |
//! | [`grants`] | what an administrator lets each owner use, and whether an act is within it |
//! | [`create`] | what a template becomes in this region, what it costs, why it would fail |
//! | [`disks`] | which disks a server has, what they cost, and what to do in the guest with them |
//! | [`leftovers`] | what a deletion takes with it, and what is left of servers that are gone |
//! | [`resize`] | which flavors a server can change to, and at what price |
//! | `first_start` | what a server does on its first start: our part, and the text of whoever makes it |
//! | [`networks`] | addresses, and the security group that lets one of them in |
//! | [`lease`] | which ends of a lease are possible, and when its end is warned of |
//! | [`sessions`] | shells on servers: how to log in, which are open, what is told of them |
//! | [`login`] | the keys of a server: made here, kept in the keychain |
//! | `watch` | what was done elsewhere, and leases that are about to end |
//! | [`operations`] | everything asked of the cloud: recorded, sent, followed, settled, taken up after a restart |
//! | [`events`] | how a fact is written for the data platform |
//! | [`delivery`] | sending facts, in order, at least once |
//! | [`waste`] | what costs without being of use, and the act that ends it |
//! | [`bill`] | what the cloud really charged, whose it was, and why that differs from the estimate |
//! | [`elsewhere`] | servers that never passed through this program, as the cloud's audit tells of them |
//! | [`platform`] | asking the data platform for everybody's facts |
//! | [`usage`] | who used what, what it cost and will cost |

pub mod accounts;
pub mod bill;
pub mod catalogue;
pub mod clock;
pub mod costs;
pub mod create;
pub mod delivery;
pub mod disks;
pub mod elsewhere;
pub mod events;
pub mod failure;
mod first_start;
pub mod grants;
mod heartbeat;
pub mod imports;
pub mod keychain;
pub mod lease;
pub mod leftovers;
pub mod login;
pub mod money;
pub mod networks;
pub mod operations;
pub mod platform;
pub mod resize;
pub mod rights;
pub mod servers;
pub mod sessions;
pub mod settings;
mod sharing;
mod standing;
pub mod templates;
pub mod usage;
pub mod waste;

mod app;
mod cloud;
mod watch;

pub use app::{Change, ClientInfo, Demo, DemoUser, Opened, Options, Wangcheng};
pub use clock::Clock;
pub use failure::{Code, Failure, Result};
pub use huaweicloud::{Endpoints, Region as CloudRegion, Rehearsal, RehearsedRequest};
pub use money::Money;
pub use watch::LeaseWarning;
