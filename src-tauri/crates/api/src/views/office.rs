//! An administrator's grants as they cross the wire.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::grants::{AuditOf, Duty, Grant, Lasts, OfficeStanding, Published};
use wangcheng::keychain::Remember;
use wangcheng::operations::AuditAct;

use super::Speaker;
use crate::error::WireError;

/// The organisation that grants are written for here.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Office {
    /// The grant that is written; its number is that of the one that was signed last.
    pub draft: Grant,
    /// The one that was signed last.
    pub signed: Option<Grant>,
    /// Where it was published.
    pub published: Option<Published>,
    /// Where the next one goes.
    pub place: Option<String>,
    /// The keys of the draft.
    pub keys: Vec<OfficeKey>,
}

/// A key of the organisation.
#[derive(Debug, Clone, Serialize, TS)]
pub struct OfficeKey {
    /// Its fingerprint.
    pub fingerprint: String,
    /// This computer's keychain has it.
    pub held: bool,
}

pub(crate) fn office(standing: OfficeStanding) -> Office {
    let keys = standing.keys.iter().map(|key| OfficeKey {
        fingerprint: key.fingerprint(),
        held: standing.held.contains(key),
    });
    Office {
        keys: keys.collect(),
        draft: standing.office.draft,
        signed: standing.office.signed,
        published: standing.office.published,
        place: standing.office.place,
    }
}

/// Which grant is looked at.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct AskAudit {
    /// Which.
    pub of: AuditOf,
}

/// Acting on a server that an audit found.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct ActOnFinding {
    /// Server id.
    pub server: String,
    /// What is done.
    pub act: AuditAct,
}

/// A file.
#[derive(Debug, Clone, Serialize, TS)]
pub struct SignedGrant {
    /// Its text.
    pub file: String,
}

/// Signing the draft and writing it where people read it.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct PublishGrant {
    /// A file, or `obs://BUCKET/KEY`.
    pub place: String,
    /// How long it holds.
    #[serde(flatten)]
    pub lasts: Lasts,
}

/// Withdrawing everything that was granted.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct RevokeGrant {
    /// Why.
    pub reason: String,
    /// How long that is told.
    #[serde(flatten)]
    pub lasts: Lasts,
}

/// Asking for the link by which people join.
#[derive(Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AskLink {
    /// Where others serve the file; none: where it was published.
    pub address: Option<String>,
    /// With the place of the events that is set here.
    pub with_hei: bool,
    /// With the token for it, under this passphrase.
    #[serde(default)]
    #[ts(type = "string | null")]
    pub passphrase: Option<SecretString>,
}

/// Asking what an administrator's acts need.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct AskDuties {
    /// Where the next grant is to be published; none: where the last one was.
    pub place: Option<String>,
}

/// Whether what an administrator's act needs is there.
#[derive(Debug, Clone, Serialize, TS)]
pub struct DutyRight {
    /// Which.
    pub what: Duty,
    /// None: nothing says so.
    pub allowed: Option<bool>,
    /// When the cloud took or refused it the last time; none where it was asked just now.
    pub at: Option<DateTime<Utc>>,
    /// Why not, or why it is not known.
    pub error: Option<WireError>,
}

impl Speaker<'_> {
    pub(crate) fn duty(&self, right: wangcheng::grants::DutyRight) -> DutyRight {
        DutyRight {
            what: right.what,
            allowed: right.allowed,
            at: right.at,
            error: right.failure.as_ref().map(|failure| self.error(failure)),
        }
    }
}

/// The link by which people join.
#[derive(Debug, Clone, Serialize, TS)]
pub struct JoinLink {
    /// The link.
    pub link: String,
    /// What is told by another way.
    pub fingerprint: String,
}

/// Asking for a backup.
#[derive(Debug, Deserialize, TS)]
pub struct Passphrase {
    /// The passphrase that opens it.
    #[ts(type = "string")]
    pub passphrase: SecretString,
}

/// Taking the organisation up from a backup.
#[derive(Debug, Deserialize, TS)]
pub struct RestoreOffice {
    /// The file's text.
    pub file: String,
    /// The passphrase that opens it.
    #[ts(type = "string")]
    pub passphrase: SecretString,
    /// How long the signing keys are kept.
    pub remember: Remember,
}
