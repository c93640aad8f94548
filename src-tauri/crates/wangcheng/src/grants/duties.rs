//! What an administrator's acts need, asked of those who know: the signing key of the keychain, the right to publish of the
//! storage, the rights to see and act of the cloud. No check box makes anybody an administrator.

use chrono::{DateTime, Utc};
use huaweicloud::{ErrorKind, ecs, evs, obs};
use serde::Serialize;
use ts_rs::TS;

use super::source::Source;
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::rights::{ActRight, Doable, Ground, from_past};

/// How far back the ledger is looked through, in operations.
const LOOKED_THROUGH: u32 = 2_000;

/// Something that an administrator's acts need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// The organisation's signing key: signing, publishing, acting on what an audit found.
    Sign,
    /// Writing where grants are read.
    Publish,
    /// Seeing every server of the project: audit, what-if.
    SeeServers,
    /// Seeing every disk of the project: audit, what-if.
    SeeDisks,
    /// Setting a lease of somebody's server.
    SetLease,
    /// Stopping somebody's server.
    Stop,
    /// Deleting somebody's server.
    Delete,
}

/// Whether what a duty needs is there.
#[derive(Debug, Clone)]
pub struct DutyRight {
    /// Which.
    pub what: Duty,
    /// None: nothing says so.
    pub allowed: Option<bool>,
    /// When the cloud took or refused it the last time; none where it was asked just now.
    pub at: Option<DateTime<Utc>>,
    /// Why not, or why it is not known.
    pub failure: Option<Failure>,
}

impl DutyRight {
    fn of(what: Duty, answer: Result<()>) -> Self {
        let refused = matches!(&answer, Err(failure) if failure.code == Code::PermissionMissing);
        Self {
            what,
            allowed: match &answer {
                Ok(()) => Some(true),
                Err(_) => refused.then_some(false),
            },
            at: None,
            failure: answer.err(),
        }
    }

    fn used(what: Duty, right: Option<&ActRight>) -> Self {
        let ground = right.and_then(|right| right.ground);
        Self {
            what,
            allowed: right.and_then(|right| right.allowed),
            at: ground.filter(|(how, _)| *how == Ground::Use).map(|(_, at)| at),
            failure: right.and_then(|right| right.failure.clone()),
        }
    }

    /// Why it surely may not.
    pub(super) fn refused(self) -> Option<Failure> {
        if self.allowed == Some(false) {
            self.failure
        } else {
            None
        }
    }
}

impl Wangcheng {
    /// What of an administrator's acts is possible here and now. `place`: where the next grant is to be published. Nothing is
    /// changed; what cannot be asked without doing it is told from how the cloud last took it.
    ///
    /// # Errors
    /// `GrantNoOffice`, `GrantLinkInvalid` for a place that is none; the keychain's and the ledger's.
    pub async fn duties(&self, place: Option<&str>) -> Result<Vec<DutyRight>> {
        let office = self.office().await?.ok_or(Code::GrantNoOffice)?;
        let key = if office.held.is_empty() {
            DutyRight {
                allowed: Some(false),
                ..DutyRight::of(Duty::Sign, Err(Code::GrantKeyAbsent.into()))
            }
        } else {
            DutyRight::of(Duty::Sign, Ok(()))
        };
        let mut found = vec![key];
        if let Some(place) = place.or(office.office.place.as_deref()) {
            found.push(self.may_publish(&Source::read(place)?).await);
        }
        let Ok(live) = self.active().await else {
            return Ok(found);
        };
        let client = self.client(&live).await?;
        let project = live.project();
        let (all_servers, all_disks) = (ecs::ServerQuery::default(), evs::VolumeQuery::default());
        let (servers, disks) = futures::join!(
            ecs::servers(&client, &project, &all_servers),
            evs::volumes(&client, &project, &all_disks),
        );
        found.push(DutyRight::of(
            Duty::SeeServers,
            servers.map(drop).map_err(Failure::from),
        ));
        found.push(DutyRight::of(
            Duty::SeeDisks,
            disks.map(drop).map_err(Failure::from),
        ));
        let past = self.newest_operations(LOOKED_THROUGH).await?;
        let acts = from_past(
            past.iter()
                .filter(|operation| operation.row.account == live.account.id),
        );
        for (duty, doable) in [
            (Duty::SetLease, Doable::Lease),
            (Duty::Stop, Doable::Power),
            (Duty::Delete, Doable::Delete),
        ] {
            found.push(DutyRight::used(duty, acts.iter().find(|act| act.what == doable)));
        }
        Ok(found)
    }

    /// Whether the account in use may write there. The storage is asked to take something that it cannot take, so that it
    /// answers whether it would and nothing is written; of a file, whether its folder is one that can be written to.
    pub(super) async fn may_publish(&self, place: &Source) -> DutyRight {
        let asked = async {
            match place {
                Source::Web(_) => Err(Failure::new(Code::GrantNotPublished)
                    .with("place", place.text())
                    .saying("https")),
                Source::File(path) => {
                    let missing = |error: &dyn std::fmt::Display| {
                        Failure::new(Code::GrantNotPublished)
                            .with("place", place.text())
                            .saying(error)
                    };
                    let folder = path.parent().ok_or_else(|| missing(&"no folder"))?;
                    let told = tokio::fs::metadata(folder)
                        .await
                        .map_err(|error| missing(&error))?;
                    if told.is_dir() && !told.permissions().readonly() {
                        Ok(())
                    } else {
                        Err(missing(&"the folder cannot be written to"))
                    }
                }
                Source::Obs { bucket, key } => {
                    let live = self.active().await?;
                    let client = self.client(&live).await?;
                    // Beside it, and where the copies with their numbers go.
                    let beside = format!("{key}.check");
                    obs::check_put(&client, bucket, &beside).await.map_err(|error| {
                        let permission = error.kind == ErrorKind::Permission;
                        let told = Failure::from(error).with("place", place.text());
                        if permission {
                            Failure {
                                code: Code::PermissionMissing,
                                ..told
                            }
                        } else {
                            told
                        }
                    })?;
                    Ok(())
                }
            }
        };
        let answer = asked.await;
        let absent = matches!(&answer, Err(failure) if failure.code == Code::GrantNotPublished);
        let right = DutyRight::of(Duty::Publish, answer);
        DutyRight {
            allowed: if absent { Some(false) } else { right.allowed },
            ..right
        }
    }
}
