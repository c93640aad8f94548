//! The services' calls: each module reads what one host is asked and writes what it answers, in that service's words.

mod audit;
mod bss;
mod cts;
mod ecs;
mod evs;
mod iam;
mod ims;
mod jobs;
mod kms;
mod obs;
mod quota;
mod sts;
mod tags;
mod tms;
mod tokens;
mod vpc;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::{
    clock::Pace,
    faults::{Envelope, Fault},
    guests::Consoles,
    users::{Role, User},
    wire::{Answer, Request},
    world::{Region, Trace, World},
};

/// Object storage knows its callers by a signature of its own.
pub(crate) use obs::answer as object_storage;

pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

/// A host of the cloud. Paths mean different things on different hosts, so each has a listener of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Ecs,
    Evs,
    Ims,
    Vpc,
    Kms,
    Bss,
    Iam,
    Sts,
    Cts,
    Tms,
    Obs,
}

impl Service {
    /// Hosts that each region has.
    pub(crate) const REGIONAL: [Self; 7] = [
        Self::Ecs,
        Self::Evs,
        Self::Ims,
        Self::Vpc,
        Self::Kms,
        Self::Cts,
        Self::Obs,
    ];
    /// Hosts of the account.
    pub(crate) const GLOBAL: [Self; 4] = [Self::Bss, Self::Iam, Self::Sts, Self::Tms];

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::REGIONAL.into_iter().chain(Self::GLOBAL)
    }

    /// Whether it is a host of a region, where a call is about the region's project.
    pub(crate) fn is_regional(self) -> bool {
        Self::REGIONAL.contains(&self)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Evs => "evs",
            Self::Ims => "ims",
            Self::Vpc => "vpc",
            Self::Kms => "kms",
            Self::Bss => "bss",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Cts => "cts",
            Self::Tms => "tms",
            Self::Obs => "obs",
        }
    }

    /// Names under which clients look for the host: EIP calls go to the vpc host, key pairs to the kms host.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Ecs => &["ecs"],
            Self::Evs => &["evs"],
            Self::Ims => &["ims"],
            Self::Vpc => &["vpc", "eip"],
            Self::Kms => &["kms", "kps"],
            Self::Bss => &["bss"],
            Self::Iam => &["iam"],
            Self::Sts => &["sts"],
            Self::Cts => &["cts"],
            Self::Tms => &["tms"],
            Self::Obs => &["obs"],
        }
    }

    pub(crate) fn envelope(self, path: &str) -> Envelope {
        match self {
            Self::Ecs | Self::Evs | Self::Ims => Envelope::Nested,
            Self::Vpc if path.starts_with(vpc::NATIVE) => Envelope::Neutron,
            Self::Vpc => Envelope::Flat,
            Self::Iam if path.starts_with("/v3/") => Envelope::Identity,
            Self::Tms => Envelope::Tags,
            Self::Obs => Envelope::Xml,
            Self::Iam | Self::Kms | Self::Bss | Self::Sts | Self::Cts => Envelope::Gateway,
        }
    }

    /// Answers an authenticated call. `region` is the host's region; hosts of the account look at the whole world.
    pub(crate) fn answer(self, call: &Call<'_>, world: &mut World, region: &str) -> Result<Answer> {
        match self {
            Self::Bss => return bss::answer(call, world),
            Self::Iam => return iam::answer(call, world),
            Self::Sts => return sts::answer(call),
            Self::Tms => return tms::answer(call, world),
            _ => {}
        }
        let policy = world.policies.get(call.user.id).cloned();
        let faults = &mut world.faults;
        let Some(region) = world.regions.iter_mut().find(|candidate| candidate.id == region) else {
            return Err(Fault::no_such_call());
        };
        match self {
            Self::Ecs => ecs::answer(call, region, faults, policy.as_ref()),
            Self::Evs => evs::answer(call, region, faults),
            Self::Ims => ims::answer(call),
            Self::Vpc => vpc::answer(call, region, faults),
            Self::Kms => kms::answer(call, region, faults),
            Self::Cts => cts::answer(call, region),
            Self::Bss | Self::Iam | Self::Sts | Self::Tms | Self::Obs => Err(Fault::no_such_call()),
        }
    }
}

/// One authenticated call at one moment.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) user: &'static User,
    pub(crate) now: DateTime<Utc>,
    pub(crate) pace: Pace,
    pub(crate) consoles: &'a Consoles,
}

impl Call<'_> {
    /// The trace of an act with one resource, as the audit service names them.
    fn trace(
        &self,
        service: &str,
        resource_type: &str,
        name: &str,
        resource: (&str, &str),
        code: u16,
    ) -> Trace {
        Trace {
            time: self.now,
            service: service.to_owned(),
            resource_type: resource_type.to_owned(),
            resource_id: resource.0.to_owned(),
            resource_name: resource.1.to_owned(),
            trace_name: name.to_owned(),
            user: self.user.id.to_owned(),
            request: audit::shown(self.request.bytes()),
            code,
        }
    }

    /// Reads the body; `empty` and `malformed` are the service's codes for none and for a wrong one.
    fn body<T: DeserializeOwned>(&self, empty: &'static str, malformed: &'static str) -> Result<T> {
        if self.request.bytes().is_empty() {
            return Err(Fault::bad(empty, "The request body cannot be left blank."));
        }
        self.request
            .json()
            .map_err(|error| Fault::bad(malformed, format!("The request body is invalid: {error}")))
    }

    fn is_guest(&self) -> bool {
        self.user.role == Role::Guest
    }

    /// `limit`, if it is a number between 1 and `most`.
    fn limit(&self, default: usize, most: usize) -> Option<usize> {
        match self.request.query_value("limit") {
            None => Some(default),
            Some(text) => text.parse().ok().filter(|limit| (1..=most).contains(limit)),
        }
    }
}

/// The rows after the one with id `marker`, at most `limit`; `None` if no row has that id.
fn page<'a, T>(
    rows: &'a [T],
    id: impl Fn(&T) -> &str,
    marker: Option<&str>,
    limit: usize,
) -> Option<&'a [T]> {
    let rest = match marker {
        None => rows,
        Some(marker) => {
            let position = rows.iter().position(|row| id(row) == marker)?;
            rows.get(position + 1..).unwrap_or_default()
        }
    };
    Some(rest.get(..limit).unwrap_or(rest))
}

/// `2026-01-02T03:04:05Z`.
fn zulu(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-01-02T03:04:05.678Z`, as in jobs.
fn zulu_millis(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `2026-01-02T03:04:05.000000`: UTC, although nothing says so.
fn bare_micros(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// The call's project must be the one of the host's region.
fn same_project(region: &Region, project: &str, code: &'static str) -> Result<()> {
    if project == region.project_id {
        Ok(())
    } else {
        Err(Fault::bad(
            code,
            "The project ID in the URL does not match the project ID of the credential.",
        ))
    }
}
