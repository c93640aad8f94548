//! Disks within a grant: an added one that turns out to be too much goes again, and a growth is claimed before it is asked
//! for, because nothing takes it back.

use std::time::Duration;

use chrono::TimeDelta;
use huaweicloud::{JobId, ServerId, VolumeId, ecs, evs};

use store::Stage;

use super::super::runner::{Runner, or_none};
use super::super::{FIRST_PAUSE, LONGEST_PAUSE};
use crate::failure::{Code, Failure, Result};
use crate::grants::Counted;
use crate::grants::growth::Growth;
use crate::servers::TAG_GROWS;

/// How often a claim is written whose writing took so long that another program may have counted past it.
const CLAIMS: u32 = 5;

impl Runner {
    /// The limit that a disk which was just added is too much for.
    pub(super) async fn disk_too_much(&mut self, disk: &VolumeId) -> Result<Option<Failure>> {
        if self.wangcheng.rehearsal.is_some() || !self.counts_things().await {
            return Ok(None);
        }
        match self.show_disk(disk).await? {
            Some(told) => self.too_much(disk.as_str(), told.created).await,
            None => Ok(None),
        }
    }

    /// Takes the disk that was just added off its server and deletes it, to its end.
    pub(super) async fn take_disk_back(&mut self, server: &ServerId) -> Result<()> {
        let Some(disk) = self.disk_id() else { return Ok(()) };
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(told) = self.show_disk(&disk).await? else {
                return Ok(());
            };
            self.progress(told.status.clone()).await;
            match told.status.as_str() {
                "in-use" => {
                    let sent = self
                        .persist_until_open(|client, project| {
                            let (server, disk) = (server.clone(), disk.clone());
                            async move { ecs::detach_volume(&client, &project, &server, &disk, false).await }
                        })
                        .await;
                    self.follow_taking_back(sent, server).await?;
                }
                "deleting" | "detaching" => {}
                _ if told.attachments.is_empty() => {
                    let sent = self
                        .persist_until_open(|client, project| {
                            let disk = disk.clone();
                            async move { evs::delete_volume(&client, &project, &disk).await }
                        })
                        .await;
                    match sent {
                        Ok(job) => drop(self.follow_disk_job(&JobId::from(job.as_str())).await?),
                        Err(failure) if failure.outcome_open || failure.code == Code::CloudMissing => {}
                        Err(failure) => return Err(failure),
                    }
                }
                _ => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    async fn follow_taking_back(&mut self, sent: Result<JobId>, server: &ServerId) -> Result<()> {
        match sent {
            Ok(job) => self.follow_job(&job, server).await,
            // The state is read next.
            Err(failure) if failure.outcome_open || failure.code == Code::CloudMissing => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Goes on only if what the disk is to grow to fits into the grant, whoever else asks at the same moment.
    pub(super) async fn hold_growth(&mut self, disk: &VolumeId, to_gb: u32) -> Result<()> {
        if self.operation.row.stage != Stage::Recorded {
            return Ok(());
        }
        let over = match self.operation.detail.undone.clone() {
            // Found so in an earlier run.
            Some(over) => Ok(Some(over)),
            None => self.claim_growth(disk, to_gb).await,
        };
        let failure = match over {
            Ok(None) => return Ok(()),
            Ok(Some(over)) => {
                self.undo(&over).await?;
                over
            }
            Err(failure) => failure,
        };
        self.drop_claim(disk).await;
        Err(failure)
    }

    /// Claims what a disk is to grow to, where a grant limits disks. Answers the limit that it is too much for.
    async fn claim_growth(&mut self, disk: &VolumeId, to_gb: u32) -> Result<Option<Failure>> {
        let limited = self.wangcheng.holding(&self.live).await;
        let limited = matches!(limited, Ok(Some(holding)) if holding.in_force.quota.disk_gb.is_some());
        if self.wangcheng.rehearsal.is_some() || !limited {
            return Ok(None);
        }
        // Another program's on the same disk would be written over. It ends soon, or counts no longer.
        if let Some(told) = self.show_disk(disk).await?
            && Growth::of(&told, self.cloud_now()).is_some_and(|claim| !claim.is_of(&self.id))
        {
            return Err(Failure::new(Code::ServerBusy).with("name", &self.operation.row.server_name));
        }
        self.operation.detail.claims = true;
        self.keep_detail().await?;
        let mut tries = 0;
        let claim = loop {
            tries += 1;
            let claim = Growth::new(to_gb, self.cloud_now(), &self.id);
            let tag = claim.tag();
            let begun = tokio::time::Instant::now();
            self.persist(|client, project| {
                let (disk, tag) = (disk.clone(), tag.clone());
                async move { evs::set_volume_tags(&client, &project, &disk, &[tag]).await }
            })
            .await?;
            // Whoever counted before this was seen claimed earlier than it says of itself, unless its way took that long.
            if begun.elapsed() < Duration::from_secs(1) || tries == CLAIMS {
                break claim;
            }
        };
        // A second more: the claim names the one in which it was made.
        let seen = claim.since + TimeDelta::seconds(1);
        self.too_much(&Counted::growth_of(disk.as_str()), Some(seen))
            .await
    }

    /// Takes the claim off, where one was made: what it said is true by now, or will not be.
    pub(super) async fn drop_claim(&mut self, disk: &VolumeId) {
        if !self.operation.detail.claims || self.wangcheng.rehearsal.is_some() {
            return;
        }
        let dropped = self
            .try_few(|client, project| {
                let disk = disk.clone();
                async move { or_none(evs::delete_volume_tags(&client, &project, &disk, &[TAG_GROWS]).await) }
            })
            .await;
        if let Err(failure) = dropped {
            // It counts for some minutes more.
            tracing::warn!(operation = %self.id, %failure, "a claim is left on a disk");
        }
    }
}
