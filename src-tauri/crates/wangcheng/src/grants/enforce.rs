//! Whether the grant in force allows an act: asked before anything is recorded or sent, by window and command line alike.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::bss::Product;
use huaweicloud::evs;
use rust_decimal::Decimal;

use super::document::{Grant, InForce};
use super::kept::{Kept, holds};
use super::quota::{GrantUse, Limit, Over, Used, Wish, check, hours_left, uses};
use crate::Wangcheng;
use crate::app::Change;
use crate::cloud::Live;
use crate::events::{Action, Draft};
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::operations::OperationKind;
use crate::servers::{AddressKind, Server};

/// How long a refusal waits for a newer grant, which may allow it.
const PATIENCE: Duration = Duration::from_secs(5);
/// A grant that was asked for within this time is not asked for again over a refusal.
const FRESH: TimeDelta = TimeDelta::seconds(10);
/// How long a count serves the questions of a form.
const COUNT_LASTS: TimeDelta = TimeDelta::seconds(3);

/// The grant that is in force for the account in use.
pub(crate) struct Holding {
    pub grant: Grant,
    pub in_force: InForce,
}

/// What was counted last for a form that asks at every change of it. Nothing is allowed because of it.
#[derive(Default)]
pub(crate) struct LastCount(Mutex<Option<(String, DateTime<Utc>, Used)>>);

impl LastCount {
    fn of(&self, key: &str, now: DateTime<Utc>) -> Option<Used> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref()
            .filter(|(of, at, _)| of == key && now - *at < COUNT_LASTS && *at <= now)
            .map(|(_, _, used)| used.clone())
    }

    fn keep(&self, key: String, now: DateTime<Utc>, used: Used) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, now, used));
    }

    /// An act of this program's changed what there is.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Wish {
    /// What moving the end of a server's lease asks for.
    pub(crate) fn lease(server: &Server, end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let later = hours_left(now, end, now) - hours_left(now, server.lease_end, now);
        Self {
            lease_end: end,
            endless: end.is_none(),
            made: server.created,
            hours: if super::measure::runs(server.state) {
                later.max(Decimal::ZERO)
            } else {
                Decimal::ZERO
            },
            ..Self::default()
        }
    }
}

impl Wangcheng {
    /// What is in force for the account; nothing where no grant is about it.
    ///
    /// # Errors
    /// Why nothing is allowed: `GrantExpired`, `GrantRevoked`, `GrantFromFuture`, `GrantNotNamed`, `GrantUnreadable`,
    /// `GrantSignatureWrong` …; as the ledger's.
    pub(crate) async fn holding(&self, live: &Live) -> Result<Option<Holding>> {
        match self.kept_grant().await? {
            Some(kept) => held(&kept, live, live.cloud_now(self.now())),
            None => Ok(None),
        }
    }

    /// Refuses what the grant in force does not allow, and tells the data platform so.
    ///
    /// # Errors
    /// `GrantLimit`, `GrantNotAllowed`, `GrantPriceUnknown`; as [`Wangcheng::holding`]; what the cloud says to the count.
    pub(crate) async fn granted(
        &self,
        live: &Live,
        act: OperationKind,
        server: Option<&Server>,
        wish: &Wish,
    ) -> Result<()> {
        let Some(kept) = self.kept_grant().await? else {
            return Ok(());
        };
        let mut refused = self.refusal(live, wish).await?;
        // Somebody may have asked for more a minute ago, and got it.
        if refused.is_some() && self.now() - kept.checked_at > FRESH {
            let asked = tokio::time::timeout(PATIENCE, self.refresh_grant()).await;
            let now_kept = self.kept_grant().await?.map(|kept| kept.number);
            if matches!(asked, Ok(Ok(()))) && now_kept != Some(kept.number) {
                refused = self.refusal(live, wish).await?;
            }
        }
        match refused {
            None => Ok(()),
            Some((failure, over)) => {
                if self.rehearsal.is_none() {
                    self.tell_refusal(live, act, server, &failure, over.as_ref())
                        .await?;
                }
                Err(failure)
            }
        }
    }

    /// Why a wish is refused, and by which limit. Trouble in finding out is an error, and no refusal.
    async fn refusal(&self, live: &Live, wish: &Wish) -> Result<Option<(Failure, Option<Over>)>> {
        let holding = match self.holding(live).await {
            Ok(Some(holding)) => holding,
            Ok(None) => return Ok(None),
            Err(failure) if failure.is_grant() => return Ok(Some((failure, None))),
            Err(failure) => return Err(failure),
        };
        let over = self.weigh(live, &holding, wish).await?;
        if let Some(over) = over.into_iter().next() {
            return Ok(Some((holding.failure(&over), Some(over))));
        }
        let quota = &holding.in_force.quota;
        let costs = wish.servers > 0 || wish.lease_end.is_some();
        if quota.money_month.is_some() && costs && wish.money_in(&holding.grant.currency).is_none() {
            let failure = Failure::new(Code::GrantPriceUnknown).with("ask", &holding.grant.ask);
            return Ok(Some((failure, None)));
        }
        Ok(None)
    }

    async fn weigh(&self, live: &Live, holding: &Holding, wish: &Wish) -> Result<Vec<Over>> {
        let (quota, currency) = (&holding.in_force.quota, &holding.grant.currency);
        let used = self.measure(live, quota, currency).await?;
        Ok(holding.over(live, &used, wish, live.cloud_now(self.now())))
    }

    /// How a wish stands to the grant in force, without a word to the data platform: bars, and what stands in the way.
    pub(crate) async fn weighed(
        &self,
        live: &Live,
        wish: &Wish,
    ) -> Result<(Vec<GrantUse>, Vec<(Limit, Failure)>)> {
        let Some(holding) = self.holding(live).await? else {
            return Ok((Vec::new(), Vec::new()));
        };
        let (quota, currency) = (&holding.in_force.quota, &holding.grant.currency);
        let now = live.cloud_now(self.now());
        let key = format!("{}/{}", live.account.id, holding.grant.number);
        let last = self.inner.counted.of(&key, self.now());
        let used = match last {
            Some(used) => used,
            None => {
                let used = self.measure(live, quota, currency).await?;
                self.inner.counted.keep(key, self.now(), used.clone());
                used
            }
        };
        let over = holding.over(live, &used, wish, now);
        let failures = over.iter().map(|over| (over.limit, holding.failure(over)));
        Ok((uses(quota, &used, wish, currency), failures.collect()))
    }

    /// What moving the end of a server's lease asks of a grant. Where none limits that, nothing is found out for it.
    pub(crate) async fn lease_wish(&self, live: &Live, server: &Server, end: Option<DateTime<Utc>>) -> Wish {
        let now = live.cloud_now(self.now());
        let mut wish = Wish::lease(server, end, now);
        let Ok(Some(holding)) = self.holding(live).await else {
            return wish;
        };
        let quota = &holding.in_force.quota;
        if quota.extensions.is_some() && end.is_some() && server.lease_end.is_some() {
            let told = self.usage_events(server.id.clone()).await.unwrap_or_default();
            let extended = told
                .iter()
                .filter(|event| event.action == Action::LeaseExtended.as_str() && event.outcome == "ok");
            wish.extended = u32::try_from(extended.count()).ok();
        }
        if quota.money_month.is_some() {
            let later = hours_left(now, end, now) - hours_left(now, server.lease_end, now);
            let price = self.hour_of(live, &server.id.as_str().into()).await;
            wish.money =
                price.map(|price| Money::new(price.amount * later.max(Decimal::ZERO), price.currency));
        }
        wish
    }

    /// What a new disk asks of a grant, or one that grows from a size to another.
    pub(crate) async fn disk_wish(
        &self,
        live: &Live,
        server: &Server,
        disk_type: &str,
        from_gb: Option<u32>,
        to_gb: u32,
    ) -> Wish {
        let more = to_gb.saturating_sub(from_gb.unwrap_or_default());
        let mut wish = Wish {
            disk_gb: more,
            disk_gb_each: Some(to_gb),
            ..Wish::default()
        };
        let limited = matches!(self.holding(live).await, Ok(Some(holding)) if holding.in_force.quota.money_month.is_some());
        if limited {
            let now = live.cloud_now(self.now());
            let hours = hours_left(now, server.lease_end, now);
            let product = Product::Volume {
                volume_type: disk_type.to_owned(),
                size_gb: more,
            };
            let price = self.prices_of(live, std::iter::once(Some(product))).await;
            let price = price.into_iter().next().flatten();
            wish.money = price.map(|price| Money::new(price.amount * hours, price.currency));
        }
        wish
    }

    /// What taking a server over asks of a grant. One that the person made elsewhere counts already. Its lease is not weighed:
    /// it can only be set once the server is one's own.
    pub(crate) async fn adopt_wish(&self, live: &Live, server: &Server) -> Result<Wish> {
        let mut wish = Wish {
            flavor: Some(server.flavor.clone()),
            public_address: server.addresses.iter().any(|one| one.kind == AddressKind::Public),
            ..Wish::default()
        };
        let Ok(Some(holding)) = self.holding(live).await else {
            return Ok(wish);
        };
        let (project, now) = (self.whole_project(live).await?, live.cloud_now(self.now()));
        let account = &live.account;
        let counts = project.of(&account.user_id, &account.user_name, now);
        if counts.servers.iter().any(|(_, one)| one.id == server.id) {
            return Ok(wish);
        }
        let on = |volume: &&evs::Volume| {
            volume
                .attachments
                .iter()
                .any(|one| one.server_id.as_str() == server.id)
        };
        let sizes = project
            .volumes
            .iter()
            .filter(on)
            .filter_map(|volume| volume.size_gb);
        wish.servers = 1;
        wish.vcpus = server.vcpus.unwrap_or_default();
        wish.disk_gb = sizes.clone().fold(0, u32::saturating_add);
        wish.disk_gb_each = sizes.max();
        let hours = hours_left(now, server.lease_end, now);
        if super::measure::runs(server.state) {
            wish.hours = hours;
        }
        if holding.in_force.quota.money_month.is_some() {
            let price = self.hour_of(live, &server.id.as_str().into()).await;
            wish.money = price.map(|price| Money::new(price.amount * hours, price.currency));
        }
        Ok(wish)
    }

    async fn tell_refusal(
        &self,
        live: &Live,
        act: OperationKind,
        server: Option<&Server>,
        failure: &Failure,
        over: Option<&Over>,
    ) -> Result<()> {
        let event = self.refusal_event(live, act, server, failure, over).await;
        let rows = self.ledger(move |ledger| ledger.append(vec![event])).await?;
        if let Some(row) = rows.last() {
            self.publish(Change::Events(row.seq));
            self.inner.courier.ring();
        }
        Ok(())
    }

    pub(crate) async fn refusal_event(
        &self,
        live: &Live,
        act: OperationKind,
        server: Option<&Server>,
        failure: &Failure,
        over: Option<&Over>,
    ) -> store::NewEvent {
        let kept = self.kept_grant().await.ok().flatten();
        let mut draft = Draft::new(
            Action::GrantRefused,
            live.cloud_now(self.now()),
            &self.inner.client,
        );
        draft
            .set("refused", act.as_str())
            .set(
                "organisation",
                kept.as_ref().map(|kept| kept.organisation.name.clone()),
            )
            .set("grant_number", kept.as_ref().map(|kept| kept.number))
            .set("server_name", server.map(|server| server.name.clone()));
        if let Some(over) = over {
            draft
                .set("limit", over.limit.as_str())
                .set("limit_max", over.max.clone())
                .set("limit_used", over.used.clone())
                .set("limit_wish", over.wish.clone());
        }
        draft.fail(failure);
        draft.finish(&live.account, None, server.map(|server| server.id.as_str()))
    }
}

impl Holding {
    fn over(&self, live: &Live, used: &Used, wish: &Wish, now: DateTime<Utc>) -> Vec<Over> {
        let wish = Wish {
            region: Some(live.account.region.clone()),
            ..wish.clone()
        };
        check(&self.in_force.quota, used, &wish, now, &self.grant.currency)
    }

    /// The refusal, with the limit, the use, the wish and whom to ask.
    pub(crate) fn failure(&self, over: &Over) -> Failure {
        let code = if over.limit.is_used_up() {
            Code::GrantLimit
        } else {
            Code::GrantNotAllowed
        };
        Failure::new(code)
            .with("limit", over.limit.as_str())
            .with("max", &over.max)
            .with("used", &over.used)
            .with("wish", &over.wish)
            .with("ask", &self.grant.ask)
            .with("organisation", &self.grant.organisation.name)
            .with("number", self.grant.number)
    }
}

fn held(kept: &Kept, live: &Live, now: DateTime<Utc>) -> Result<Option<Holding>> {
    let grant = kept.grant()?;
    if !grant.governs(&live.account.account_id) {
        return Ok(None);
    }
    holds(&grant, now)?;
    let in_force = grant.of(&live.account.user_id, now).ok_or_else(|| {
        Failure::new(Code::GrantNotNamed)
            .with("organisation", &grant.organisation.name)
            .with("name", &live.account.user_name)
            .with("ask", &grant.ask)
    })?;
    Ok(Some(Holding { grant, in_force }))
}
