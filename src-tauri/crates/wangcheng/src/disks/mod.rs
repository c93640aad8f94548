//! The disks of a server: which there are, what they cost, and what it takes to use them in the guest.
//!
//! A disk belongs to a server when it is attached to it, or when it is attached to nothing and its tag names it. Only a
//! disk that carries this product's tags and was made by the signed-in owner is ever deleted.

mod commands;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::bss::{self, Product};
use huaweicloud::{ServerId, Tag, VolumeId, ecs, eip, evs};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::commands::{Commands, Line, Purpose, Shell};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::create::tag_value;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::servers::{
    Server, ServerState, TAG_INSTALLATION, TAG_OPERATION, TAG_OWNER, TAG_PURPOSE, TAG_SERVER,
};

/// Smallest data disk, in GB (<https://support.huaweicloud.com/api-evs/evs_04_2003.html>).
pub(crate) const LEAST_GB: u32 = 10;
/// Largest data disk.
const DATA_MOST_GB: u32 = 32_768;
/// Largest system disk.
const SYSTEM_MOST_GB: u32 = 1024;
/// Types that are only sold together with a performance of one's choice, for which nothing is asked here.
const TUNED: [&str; 2] = ["GPSSD2", "ESSD2"];
/// Hours of a month, for prices that are said by the month.
const MONTH_HOURS: u32 = 730;
/// How far from its server's making a disk can have been made and still be one that the server was made with.
const MADE_WITH: TimeDelta = TimeDelta::minutes(5);

/// One disk. Every text in it comes from outside and is shown as text.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// Disk id.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// Its device in the guest, such as `/dev/vdb`.
    pub device: Option<String>,
    /// Its size in GB.
    pub size_gb: Option<u32>,
    /// The largest size that it can grow to, in GB.
    pub most_gb: u32,
    /// Its type, such as `GPSSD`.
    pub disk_type: String,
    /// The server starts from it.
    pub system: bool,
    /// On the server; else it is on none, and costs all the same.
    pub attached: bool,
    /// Whether it goes when the lease ends.
    pub goes_with_server: Option<bool>,
    /// Made by this application for the signed-in owner: only such disks are deleted here.
    pub own: bool,
    /// The cloud's own word for its state, such as `in-use` or `extending`.
    pub state: String,
    /// Its price of an hour; none: it cannot be had just now.
    pub per_hour: Option<Money>,
}

/// The disks of a server, and what else it could have.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DiskList {
    /// Server id.
    pub server: String,
    /// Its disks, the system disk first, those that are attached to nothing last.
    pub disks: Vec<Disk>,
    /// How many more it can have; none: the cloud does not say.
    pub free: Option<u32>,
    /// The types that its zone sells now.
    pub disk_types: Vec<String>,
    /// Smallest size of a new disk, in GB.
    pub least_gb: u32,
    /// Largest size of a new disk, in GB.
    pub most_gb: u32,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// A disk of a size, whose price is asked: a new one, or one that grows.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AskDiskPrice {
    /// Server id.
    pub server: String,
    /// The disk that grows; none: a new one.
    pub disk: Option<String>,
    /// Type of a new disk.
    pub disk_type: Option<String>,
    /// Its size then, in GB.
    pub size_gb: u32,
}

/// What a disk of a size costs.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DiskPrice {
    /// Price of an hour of the disk.
    pub per_hour: Money,
    /// Price of an hour of the server with all its disks and its public address then.
    pub server_per_hour: Money,
}

/// A server with everything that belongs to it, as told.
pub(crate) struct Whole {
    pub row: ecs::Server,
    pub server: Server,
    /// On the server.
    pub attached: Vec<evs::Volume>,
    /// On nothing, and named by their tag as this server's.
    pub detached: Vec<evs::Volume>,
    pub address: Option<eip::PublicIp>,
}

impl Whole {
    pub fn is_windows(&self) -> bool {
        self.server.os.as_deref() == Some("Windows")
    }

    /// How the server sees a disk.
    pub fn attachment(&self, volume: &VolumeId) -> Option<&ecs::AttachedVolume> {
        self.row.volumes.iter().find(|one| one.id == *volume)
    }

    pub fn is_system(&self, volume: &evs::Volume) -> bool {
        self.attachment(&volume.id)
            .is_some_and(ecs::AttachedVolume::is_root)
    }

    /// What costs by the hour.
    fn products(&self) -> Vec<Product> {
        let mut products = vec![Product::Server {
            flavor: self.server.flavor.as_str().into(),
            windows: self.is_windows(),
            zone: None,
        }];
        products.extend(self.attached.iter().filter_map(product_of));
        products.extend(self.address.as_ref().and_then(address_product));
        products
    }
}

pub(crate) fn product_of(volume: &evs::Volume) -> Option<Product> {
    Some(Product::Volume {
        volume_type: volume.volume_type.clone(),
        size_gb: volume.size_gb?,
    })
}

/// Paid by its size, as all that are made here are; one paid by traffic costs less than this says.
pub(crate) fn address_product(address: &eip::PublicIp) -> Option<Product> {
    Some(Product::Bandwidth { mbit: address.mbit? })
}

/// The price of a month.
pub(crate) fn by_month(per_hour: &Money) -> Money {
    per_hour.for_hours(Decimal::from(MONTH_HOURS))
}

/// The largest size that a disk can have, in GB.
pub(crate) fn most_gb(system: bool) -> u32 {
    if system { SYSTEM_MOST_GB } else { DATA_MOST_GB }
}

/// The tags of what was made with a server: the server's own of this product, and one that names it.
pub(crate) fn part_tags(server: &ecs::Server) -> Vec<Tag> {
    handed_on(&server.tags, &server.id)
}

/// The same for a server that has these tags.
pub(crate) fn handed_on(tags: &BTreeMap<String, String>, server: &ServerId) -> Vec<Tag> {
    let handed_on = [TAG_OWNER, TAG_INSTALLATION, TAG_OPERATION, TAG_PURPOSE];
    let own = handed_on.iter().filter_map(|key| {
        let value = tags.get(*key)?;
        Some(Tag::new(*key, value.clone()))
    });
    own.chain([Tag::new(TAG_SERVER, server.to_string())]).collect()
}

/// Whether a disk was made with its server. One that somebody attached later may be dear to them, and is neither marked
/// nor set to go.
pub(crate) fn made_with(server: &ecs::Server, volume: &evs::Volume) -> bool {
    let marked = server
        .volumes
        .iter()
        .any(|one| one.id == volume.id && (one.is_root() || one.delete_on_termination == Some(true)));
    match (server.created, volume.created) {
        (Some(server), Some(disk)) => (disk - server).abs() <= MADE_WITH,
        _ => marked,
    }
}

/// Whether a disk was made by this application for the account's user.
pub(crate) fn is_own(volume: &evs::Volume, account: &store::Account) -> bool {
    let made_by = volume.user_id.as_ref();
    made_by.is_none_or(|id| id.as_str() == account.user_id)
        && volume.tags.contains_key(TAG_INSTALLATION)
        && volume.tags.get(TAG_OWNER) == Some(&tag_value(&account.user_name))
}

impl Wangcheng {
    /// The disks of an own server, asked now.
    ///
    /// # Errors
    /// `ServerUnknown`, `NotOwn`, `NotSignedIn`; what the cloud says.
    pub async fn disks(&self, server: &str) -> Result<DiskList> {
        let live = self.active().await?;
        let whole = self.whole(&live, server).await?;
        let client = self.client(&live).await?;
        let project = live.project();
        let free = ecs::block_devices(&client, &project, &whole.row.id)
            .await?
            .value
            .free;
        let sold = evs::volume_types(&client, &project).await?.value;
        let disk_types = sold
            .items
            .iter()
            .filter(|kind| is_offered(kind, &whole.row))
            .map(|kind| kind.name.clone())
            .collect();
        let volumes: Vec<&evs::Volume> = whole.attached.iter().chain(&whole.detached).collect();
        let prices = self
            .prices_of(&live, volumes.iter().map(|one| product_of(one)))
            .await;
        let mut disks: Vec<Disk> = volumes
            .iter()
            .zip(prices)
            .map(|(volume, per_hour)| disk(&whole, volume, per_hour, &live.account))
            .collect();
        disks.sort_by_key(|disk| (!disk.system, !disk.attached, disk.device.clone()));
        Ok(DiskList {
            server: server.to_owned(),
            disks,
            free,
            disk_types,
            least_gb: LEAST_GB,
            most_gb: DATA_MOST_GB,
            as_of: live.cloud_now(self.now()),
        })
    }

    /// What a new or grown disk would cost, and the server with it. Nothing is changed.
    ///
    /// # Errors
    /// `DiskUnknown`, `ServerUnknown`, `NotOwn`, `NotSignedIn`; what the cloud says, `PriceUnknown` among it.
    pub async fn disk_price(&self, ask: &AskDiskPrice) -> Result<DiskPrice> {
        let live = self.active().await?;
        let mut whole = self.whole(&live, &ask.server).await?;
        let disk_type = match &ask.disk {
            None => ask.disk_type.clone().ok_or(Code::BadInput)?,
            Some(id) => {
                let volume = whole.attached.iter().position(|one| one.id.as_str() == id);
                let volume = volume.ok_or(Code::DiskUnknown)?;
                whole.attached.swap_remove(volume).volume_type
            }
        };
        let disk = Product::Volume {
            volume_type: disk_type,
            size_gb: ask.size_gb,
        };
        let mut products = whole.products();
        products.push(disk);
        let rated = self.rate(&live, &products).await?;
        let per_hour = rated.last().cloned().ok_or(Code::PriceUnknown)?;
        Ok(DiskPrice {
            server_per_hour: sum(&rated).ok_or(Code::PriceUnknown)?,
            per_hour,
        })
    }

    /// What to do in the guest with a disk of an own server.
    ///
    /// # Errors
    /// `DiskUnknown`, `DiskNotAttached`, `ServerUnknown`, `NotOwn`, `NotSignedIn`; what the cloud says.
    pub async fn disk_commands(&self, server: &str, disk: &str, purpose: Purpose) -> Result<Commands> {
        let live = self.active().await?;
        let whole = self.whole(&live, server).await?;
        let volume = self.disk_of(&whole, disk)?;
        let device = device_of(&whole, volume).ok_or(Code::DiskNotAttached)?;
        Ok(Commands::for_disk(
            purpose,
            whole.server.os.as_deref(),
            whole.server.image.as_deref(),
            whole.is_system(volume),
            &device,
            volume.size_gb,
        ))
    }

    /// An own server with its disks and its public address, asked now.
    pub(crate) async fn whole(&self, live: &Live, server: &str) -> Result<Whole> {
        let (server, row) = self.own_server_row(live, server).await?;
        let client = self.client(live).await?;
        let project = live.project();
        let volumes = evs::volumes(&client, &project, &evs::VolumeQuery::default())
            .await?
            .value
            .items;
        let (mut attached, mut detached) = (Vec::new(), Vec::new());
        for volume in volumes {
            if row.volumes.iter().any(|one| one.id == volume.id) {
                attached.push(volume);
            } else if volume.attachments.is_empty()
                && is_own(&volume, &live.account)
                && volume.tags.get(TAG_SERVER).map(String::as_str) == Some(row.id.as_str())
            {
                detached.push(volume);
            }
        }
        let address = match row.floating_address() {
            None => None,
            Some(wanted) => eip::public_ips(&client, &project, None)
                .await?
                .value
                .items
                .into_iter()
                .find(|one| one.address == Some(wanted)),
        };
        Ok(Whole {
            row,
            server,
            attached,
            detached,
            address,
        })
    }

    pub(crate) fn disk_of<'a>(&self, whole: &'a Whole, disk: &str) -> Result<&'a evs::Volume> {
        let mut all = whole.attached.iter().chain(&whole.detached);
        all.find(|one| one.id.as_str() == disk)
            .ok_or_else(|| Code::DiskUnknown.into())
    }

    /// Whether the server's zone sells a type, with nothing else to be said about it.
    pub(crate) async fn sells(&self, live: &Live, server: &ecs::Server, disk_type: &str) -> Result<bool> {
        let client = self.client(live).await?;
        let sold = evs::volume_types(&client, &live.project()).await?.value;
        Ok(sold
            .items
            .iter()
            .any(|kind| kind.name == disk_type && is_offered(kind, server)))
    }

    /// What an hour of a server costs as it is now; nothing when it cannot be found out at once. It belongs into an
    /// event, and never holds an act up.
    pub(crate) async fn hour_of(&self, live: &Live, server: &ServerId) -> Option<Money> {
        let whole = self.whole(live, server.as_str()).await.ok()?;
        sum(&self.rate(live, &whole.products()).await.ok()?)
    }

    /// Prices of an hour, in the order asked; none where one cannot be had.
    pub(crate) async fn prices_of(
        &self,
        live: &Live,
        products: impl Iterator<Item = Option<Product>>,
    ) -> Vec<Option<Money>> {
        let products: Vec<Option<Product>> = products.collect();
        let known: Vec<Product> = products.iter().flatten().cloned().collect();
        let mut rated = Vec::new();
        for some in known.chunks(100) {
            match self.rate(live, some).await {
                Ok(prices) => rated.extend(prices.into_iter().map(Some)),
                // One product that is not sold any more refuses them all.
                Err(failure) => {
                    tracing::info!(%failure, "no prices");
                    rated.extend(some.iter().map(|_| None));
                }
            }
        }
        let mut rated = rated.into_iter();
        products
            .iter()
            .map(|product| product.as_ref().and_then(|_| rated.next().flatten()))
            .collect()
    }

    async fn rate(&self, live: &Live, products: &[Product]) -> Result<Vec<Money>> {
        let client = self.client(live).await?;
        let rated = bss::on_demand_ratings(&client, &live.project(), products)
            .await?
            .value;
        let price = |price: &bss::Price| Money::new(price.amount, rated.currency.clone());
        Ok(rated.prices.iter().map(price).collect())
    }
}

/// All together.
pub(crate) fn sum(prices: &[Money]) -> Option<Money> {
    let currency = prices.first()?.currency.clone();
    let amounts = prices.iter().map(|price| price.amount);
    let total = amounts
        .into_iter()
        .try_fold(Decimal::ZERO, Decimal::checked_add)?;
    Some(Money::new(total, currency))
}

fn is_offered(kind: &evs::VolumeType, server: &ecs::Server) -> bool {
    !TUNED.contains(&kind.name.as_str()) && server.zone.as_ref().is_some_and(|zone| kind.is_sold_in(zone))
}

/// Where the guest has a disk.
pub(crate) fn device_of(whole: &Whole, volume: &evs::Volume) -> Option<String> {
    let by_server = whole
        .attachment(&volume.id)
        .and_then(|attachment| attachment.device.clone());
    by_server.or_else(|| {
        let on_it = volume.attachments.iter();
        on_it.filter_map(|attachment| attachment.device.clone()).next()
    })
}

fn disk(whole: &Whole, volume: &evs::Volume, per_hour: Option<Money>, account: &store::Account) -> Disk {
    let attachment = whole.attachment(&volume.id);
    let system = whole.is_system(volume);
    Disk {
        id: volume.id.to_string(),
        name: volume.name.clone(),
        device: device_of(whole, volume),
        size_gb: volume.size_gb,
        most_gb: most_gb(system),
        disk_type: volume.volume_type.clone(),
        system,
        attached: attachment.is_some(),
        goes_with_server: match attachment {
            Some(_) if system => Some(true),
            Some(attachment) => attachment.delete_on_termination,
            None => Some(false),
        },
        own: is_own(volume, account),
        state: volume.status.clone(),
        per_hour,
    }
}

/// Refuses what a server cannot do just now.
pub(crate) fn check_at_rest(server: &Server) -> Result<()> {
    match server.state {
        ServerState::Running | ServerState::Stopped => Ok(()),
        _ => Err(Code::StateConflict.into()),
    }
}

/// Refuses a size that the cloud would refuse.
pub(crate) fn check_size(size_gb: u32, least: u32, most: u32) -> Result<()> {
    if (least..=most).contains(&size_gb) {
        return Ok(());
    }
    Err(Failure::new(Code::DiskSizeInvalid)
        .with("least", least)
        .with("most", most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(created: &str) -> ecs::Server {
        let row = serde_json::json!({
            "id": "s-1", "name": "dev", "status": "ACTIVE", "created": created,
            "os-extended-volumes:volumes_attached": [{"id": "v-1", "bootIndex": "0", "delete_on_termination": "true"},
                                                     {"id": "v-2", "delete_on_termination": "false"}],
            "tags": ["owner=ada", "wangcheng-installation=i", "team=red"],
        });
        serde_json::from_str(&row.to_string()).unwrap()
    }

    fn volume(id: &str, created: Option<&str>) -> evs::Volume {
        let row = serde_json::json!({"id": id, "status": "in-use", "created_at": created});
        serde_json::from_str(&row.to_string()).unwrap()
    }

    #[test]
    fn a_disk_that_was_attached_later_is_not_taken_for_one_made_with_the_server() {
        let server = server("2026-01-02T03:00:00Z");
        assert!(made_with(&server, &volume("v-2", Some("2026-01-02T03:00:20"))));
        assert!(!made_with(&server, &volume("v-2", Some("2026-01-02T09:00:00"))));
        assert!(!made_with(&server, &volume("v-2", Some("2025-12-01T09:00:00"))));
        assert!(
            made_with(&server, &volume("v-1", None)),
            "without a time, only one that goes with the server anyway"
        );
        assert!(!made_with(&server, &volume("v-2", None)));
    }

    #[test]
    fn only_this_products_tags_are_handed_on_to_a_disk() {
        let tags: Vec<_> = part_tags(&server("2026-01-02T03:00:00Z"))
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect();
        let expected = [
            ("owner", "ada"),
            ("wangcheng-installation", "i"),
            ("wangcheng-server", "s-1"),
        ];
        assert_eq!(
            tags,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn a_size_is_refused_with_the_sizes_that_are_possible() {
        let failure = check_size(9, 10, 1024).unwrap_err();
        assert_eq!(failure.code, Code::DiskSizeInvalid);
        assert_eq!(failure.facts.get("least").map(String::as_str), Some("10"));
        assert!(check_size(10, 10, 1024).is_ok() && check_size(1025, 10, 1024).is_err());
    }
}
