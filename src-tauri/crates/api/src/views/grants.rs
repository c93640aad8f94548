//! Grants as they cross the wire.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::grants::{self, Defaults, Exception, GrantUse, Handed, Quota};

use super::Speaker;
use crate::error::WireError;

/// How this installation stands to grants.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GrantStanding {
    /// The organisation; none: nothing is limited here.
    pub joined: Option<JoinedOrganisation>,
    /// Why nothing is allowed at the moment.
    pub stopped: Option<WireError>,
    /// What is in force for the account in use; none where no grant is about it.
    pub in_force: Option<GrantInForce>,
    /// What of it is used, what leases promise included.
    pub uses: Vec<GrantUse>,
    /// Servers whose price is not known: more money is used than is said.
    pub unpriced: u32,
    /// Why the use is not known.
    pub problem: Option<WireError>,
}

/// The organisation that this installation belongs to.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JoinedOrganisation {
    /// Its name.
    pub organisation: String,
    /// Fingerprints of its keys.
    pub fingerprints: Vec<String>,
    /// Where its grants lie.
    pub source: String,
    /// Number of the grant that is kept.
    #[ts(type = "number")]
    pub number: u64,
    /// When it was signed.
    pub issued: Option<DateTime<Utc>>,
    /// When it ends.
    pub expires: Option<DateTime<Utc>>,
    /// Whom to ask for more.
    pub ask: Option<String>,
    /// Currency of its money.
    pub currency: Option<String>,
    /// When a newer one was last asked for with success.
    pub checked_at: DateTime<Utc>,
    /// Why none could be had the last time.
    pub problem: Option<WireError>,
    /// Where its events go, while the token for them is missing.
    pub token_wanted: Option<String>,
    /// What people begin with.
    pub defaults: Defaults,
}

/// What a grant lets an owner use.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GrantInForce {
    /// Name of the role.
    pub role: String,
    /// The limits, exceptions in them.
    pub quota: Quota,
    /// The exceptions that hold.
    pub exceptions: Vec<Exception>,
}

/// A link to join an organisation.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct OpenInvitation {
    /// The link.
    pub link: String,
}

/// What a link leads to. Nothing is kept of it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Name of the organisation, as the link says.
    pub organisation: String,
    /// Fingerprint of its key, to be compared.
    pub fingerprint: String,
    /// Where its grants lie.
    pub source: String,
    /// Where its events go.
    pub hei: Option<String>,
    /// A token for the events is wanted beside it.
    pub token_wanted: bool,
    /// The link holds one, which a passphrase opens.
    pub token_sealed: bool,
    /// What people begin with, as the grant that lies there says.
    pub defaults: Option<Defaults>,
    /// Number of the grant that lies there.
    #[ts(type = "number | null")]
    pub number: Option<u64>,
    /// When it ends.
    pub expires: Option<DateTime<Utc>>,
    /// Why it cannot be taken over.
    pub problem: Option<WireError>,
}

/// Joining an organisation whose fingerprint was compared.
#[derive(Debug, Deserialize, TS)]
pub struct JoinOrganisation {
    /// The link.
    pub link: String,
    /// The fingerprint, as the administrator told it by another way.
    pub fingerprint: String,
    /// Token for the events, where they are to go as the link says.
    #[serde(default)]
    #[ts(type = "string | null")]
    pub token: Option<SecretString>,
    /// Instead of it, the passphrase of the token that the link holds.
    #[serde(default)]
    #[ts(type = "string | null")]
    pub passphrase: Option<SecretString>,
}

impl JoinOrganisation {
    /// What is handed in for the events.
    pub(crate) fn handed(token: Option<SecretString>, passphrase: Option<SecretString>) -> Handed {
        match (token, passphrase) {
            (Some(token), _) => Handed::Token(token),
            (None, Some(passphrase)) => Handed::Passphrase(passphrase),
            (None, None) => Handed::Nothing,
        }
    }
}

impl Speaker<'_> {
    pub(crate) fn grant_standing(&self, standing: grants::Standing) -> GrantStanding {
        GrantStanding {
            joined: standing.joined.map(|joined| JoinedOrganisation {
                organisation: joined.organisation,
                fingerprints: joined.fingerprints,
                source: joined.source,
                number: joined.number,
                issued: joined.issued,
                expires: joined.expires,
                ask: joined.ask,
                currency: joined.currency,
                checked_at: joined.checked_at,
                problem: joined.problem.as_ref().map(|failure| self.error(failure)),
                token_wanted: joined.token_wanted.map(|hei| hei.url),
                defaults: joined.defaults,
            }),
            stopped: standing.stopped.as_ref().map(|failure| self.error(failure)),
            in_force: standing.in_force.map(|in_force| GrantInForce {
                role: in_force.role,
                quota: in_force.quota,
                exceptions: in_force.exceptions,
            }),
            uses: standing.uses,
            unpriced: standing.unpriced,
            problem: standing.problem.as_ref().map(|failure| self.error(failure)),
        }
    }

    pub(crate) fn invitation(&self, invitation: grants::Invitation) -> Invitation {
        let grant = invitation.grant.as_ref().ok();
        Invitation {
            organisation: invitation.join.organisation,
            fingerprint: invitation.join.key.fingerprint(),
            source: invitation.join.source.text(),
            hei: invitation
                .join
                .hei
                .or_else(|| grant.and_then(|grant| grant.defaults.hei.clone()))
                .map(|hei| hei.url),
            token_wanted: invitation.token_wanted,
            token_sealed: invitation.join.sealed.is_some(),
            defaults: grant.map(|grant| grant.defaults.clone()),
            number: grant.map(|grant| grant.number),
            expires: grant.map(|grant| grant.expires),
            problem: invitation.grant.as_ref().err().map(|failure| self.error(failure)),
        }
    }
}
