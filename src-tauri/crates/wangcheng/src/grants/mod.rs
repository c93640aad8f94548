//! Grants: the signed document in which an administrator says what each owner may use.
//!
//! | module | what it decides |
//! |---|---|
//! | `canonical` | the one spelling of a document, of which a signature is made |
//! | `document` | what a grant says, and what of it is in force for an owner |
//! | `defaults` | what people begin with: region, network, templates, where events go |
//! | `signed` | who signed it |
//! | `link` | how somebody is taken into an organisation |
//! | `sealed` | the token for its events, inside a link |
//! | `source` | where grants lie, and how they are asked for |
//! | `kept` | which grant is taken over, and which one holds while none can be had |
//! | `quota` | the arithmetic: use, wish, limit |
//! | `measure` | what an owner has and has used |
//! | `enforce` | whether an act is allowed |
//! | `growth` | what a disk is about to grow to, told to every program of its owner |
//! | `office` | an administrator's side: keys, the draft, signing, publishing |
//! | `backup` | the office as a file that a passphrase opens |
//! | `duties` | what an administrator's acts need, asked of keychain and cloud |
//! | `audit` | what in the project does not keep to a grant |
//! | `policy` | the policies of the cloud that go with it |
//!
//! Whoever holds a key of the cloud can go past this program. A grant is enforced here so that nobody does so by
//! mistake.

mod audit;
mod backup;
mod canonical;
mod defaults;
mod document;
mod duties;
mod enforce;
#[cfg(test)]
mod fuzz;
pub(crate) mod growth;
mod kept;
mod link;
pub(crate) mod measure;
mod office;
#[cfg(test)]
mod planted;
mod policy;
mod quota;
mod sealed;
mod signed;
mod source;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use self::audit::{Audit, AuditOf, Breach, Finding, OwnerOver};
pub use self::canonical::Node;
pub use self::defaults::{Defaults, ServerDefaults};
pub use self::document::{Exception, Grant, InForce, Organisation, Owner, Quota, SCHEMA};
pub use self::duties::{Duty, DutyRight};
pub(crate) use self::enforce::LastCount;
pub use self::kept::{Handed, Invitation};
pub use self::link::{HeiPlace, Join, LINK_MOST};
pub use self::office::{Found, Lasts, Office, OfficeStanding, PASSPHRASE_LEAST, Published};
pub use self::policy::Policies;
pub(crate) use self::quota::hours_left;
pub use self::quota::{Counted, GrantUse, Limit, Over, Used, Wish, check, month, too_many, uses};
pub use self::sealed::SealedToken;
pub use self::signed::{FILE_MOST, FILE_SCHEMA, PublicKey, open, sign};
pub use self::source::Source;
use crate::Wangcheng;
use crate::failure::{Failure, Result};

/// How often a newer grant is asked for.
const ASK: Duration = Duration::from_secs(10 * 60);

/// How this installation stands to grants.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The organisation; none: nothing is limited here.
    pub joined: Option<Joined>,
    /// Why nothing is allowed at the moment.
    pub stopped: Option<Failure>,
    /// What is in force for the account in use.
    pub in_force: Option<InForce>,
    /// What of it is used.
    pub uses: Vec<GrantUse>,
    /// Servers whose price is not known: more money is used than is said.
    pub unpriced: u32,
    /// Why the use is not known.
    pub problem: Option<Failure>,
}

/// The organisation that this installation belongs to.
#[derive(Debug, Clone)]
pub struct Joined {
    /// Its name.
    pub organisation: String,
    /// Fingerprints of its keys.
    pub fingerprints: Vec<String>,
    /// Where its grants lie.
    pub source: String,
    /// Number of the grant that is kept.
    pub number: u64,
    /// When it was signed.
    pub issued: Option<DateTime<Utc>>,
    /// When it ends.
    pub expires: Option<DateTime<Utc>>,
    /// Whom to ask.
    pub ask: Option<String>,
    /// Currency of its money.
    pub currency: Option<String>,
    /// When a newer one was last asked for with success.
    pub checked_at: DateTime<Utc>,
    /// Why none could be had the last time.
    pub problem: Option<Failure>,
    /// Its events are to go there, for which the token is missing.
    pub token_wanted: Option<HeiPlace>,
    /// What people begin with.
    pub defaults: Defaults,
}

impl Wangcheng {
    /// Asks for newer grants, now and then.
    pub(crate) fn spawn_grants(&self) {
        let this = self.clone();
        self.spawn(async move {
            loop {
                if matches!(this.kept_grant().await, Ok(Some(_)))
                    && let Err(failure) = this.refresh_grant().await
                {
                    tracing::warn!(%failure, "no newer grant can be asked for");
                }
                tokio::time::sleep(ASK).await;
            }
        });
    }

    /// How this installation stands to grants, and what of the one in force is used, as the cloud shows it now.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn grant_standing(&self) -> Result<Standing> {
        let mut standing = Standing {
            joined: None,
            stopped: None,
            in_force: None,
            uses: Vec::new(),
            unpriced: 0,
            problem: None,
        };
        let kept = match self.kept_grant().await {
            Ok(Some(kept)) => kept,
            Ok(None) => return Ok(standing),
            Err(failure) if failure.is_grant() => {
                standing.stopped = Some(failure);
                return Ok(standing);
            }
            Err(failure) => return Err(failure),
        };
        let grant = kept.grant();
        let known = grant.as_ref().ok();
        let token_wanted = match &kept.hei {
            Some(hei) if !self.token_noted().await? => Some(hei.clone()),
            _ => None,
        };
        standing.joined = Some(Joined {
            organisation: kept.organisation.name.clone(),
            fingerprints: kept.fingerprints(),
            source: kept.source.clone(),
            number: kept.number,
            issued: known.map(|grant| grant.issued),
            expires: known.map(|grant| grant.expires),
            ask: known.map(|grant| grant.ask.clone()),
            currency: known.map(|grant| grant.currency.clone()),
            checked_at: kept.checked_at,
            problem: kept.problem.clone(),
            token_wanted,
            defaults: known.map(|grant| grant.defaults.clone()).unwrap_or_default(),
        });
        let Ok(live) = self.active().await else {
            standing.stopped = grant.and_then(|grant| kept::holds(&grant, self.now())).err();
            return Ok(standing);
        };
        match self.holding(&live).await {
            Ok(Some(holding)) => {
                let quota = &holding.in_force.quota;
                match self.measure(&live, quota, &holding.grant.currency).await {
                    Ok(used) => {
                        standing.uses = uses(quota, &used, &Wish::default(), &holding.grant.currency);
                        standing.unpriced = used.unpriced;
                    }
                    Err(failure) => standing.problem = Some(failure),
                }
                standing.in_force = Some(holding.in_force);
            }
            Ok(None) => {}
            Err(failure) if failure.is_grant() => standing.stopped = Some(failure),
            Err(failure) => return Err(failure),
        }
        Ok(standing)
    }
}
