//! What a deletion takes with it, and what is left of servers that are gone and costs on.
//!
//! A leftover is a disk or a public address that carries this product's tags and the owner's, is on nothing, and whose
//! server does not exist any more: after a lease's end, whose fate for disks and addresses the cloud does not document,
//! after a deletion elsewhere that left them, or because it had been taken off before.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use huaweicloud::{ErrorKind, ServerId, ecs, eip, evs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Wangcheng;
use crate::cloud::Live;
use crate::create::tag_value;
use crate::disks::{address_product, by_month, is_own, product_of, sum};
use crate::failure::Result;
use crate::money::Money;
use crate::servers::{TAG_INSTALLATION, TAG_OWNER, TAG_SERVER};

/// How many unbound addresses are asked for their tags, which takes a question each.
const ADDRESSES_ASKED: usize = 100;
/// Tags of an address by key.
type Tags = BTreeMap<String, String>;

/// What a part of a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// The disk that it starts from.
    SystemDisk,
    /// Another disk.
    DataDisk,
    /// Its public address.
    PublicAddress,
    /// A key pair of the cloud's.
    KeyPair,
    /// The private key in the keychain of this computer.
    PrivateKey,
}

/// What becomes of one part when the server is deleted.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeletionPart {
    /// What it is.
    pub kind: PartKind,
    /// The cloud's id.
    pub id: Option<String>,
    /// Its name, or the address.
    pub name: String,
    /// Size of a disk, in GB.
    pub size_gb: Option<u32>,
    /// It goes; else it stays.
    pub goes: bool,
    /// What it costs a month, where it stays and that is known.
    pub per_month: Option<Money>,
}

/// What a deletion would take and leave.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// Server id.
    pub server: String,
    /// Its name, which has to be typed.
    pub name: String,
    /// Its parts.
    pub parts: Vec<DeletionPart>,
    /// What all that stays costs a month; none: nothing stays that costs, or its price is not known.
    pub stays_per_month: Option<Money>,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// What a leftover is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LeftoverKind {
    /// A disk.
    Disk,
    /// A public address.
    PublicAddress,
}

/// Something that is left of a server that is gone. Every text in it comes from outside and is shown as text.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// The cloud's id.
    pub id: String,
    /// Its name, or the address: what has to be typed to remove it.
    pub name: String,
    /// Id of the server that it belonged to.
    pub server: Option<String>,
    /// Size of a disk, in GB.
    pub size_gb: Option<u32>,
    /// Type of a disk.
    pub disk_type: Option<String>,
    /// Bandwidth of an address, in Mbit/s.
    pub mbit: Option<u32>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// What it costs a month; none: its price cannot be had just now.
    pub per_month: Option<Money>,
}

/// All leftovers of the owner.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Leftovers {
    /// The leftovers.
    pub items: Vec<Leftover>,
    /// Unbound addresses whose tags were not asked for because there are too many.
    pub unchecked: usize,
    /// What all of them cost a month, as far as known.
    pub per_month: Option<Money>,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// Names a leftover to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
pub struct LeftoverRef {
    /// What it is.
    pub kind: LeftoverKind,
    /// The cloud's id.
    pub id: String,
    /// Its name or address, as confirmed.
    pub name: String,
}

/// The name by which a disk is confirmed: the cloud gives each one, but it can be taken away.
pub(crate) fn disk_name(volume: &evs::Volume) -> String {
    if volume.name.is_empty() {
        volume.id.to_string()
    } else {
        volume.name.clone()
    }
}

impl Wangcheng {
    /// What goes and what stays when an own server is deleted. Nothing is changed.
    ///
    /// # Errors
    /// `ServerUnknown`, `NotOwn`, `NotSignedIn`; what the cloud says.
    pub async fn deletion(&self, server: &str) -> Result<Deletion> {
        let live = self.active().await?;
        let whole = self.whole(&live, server).await?;
        let mut parts = Vec::new();
        let mut products = Vec::new();
        let attached = whole.attached.iter().map(|volume| {
            // What several servers have, or what is paid beforehand, no deletion takes.
            let goes = volume.shared != Some(true) && !volume.is_paid_by_period();
            (volume, goes)
        });
        let detached = whole.detached.iter().map(|volume| (volume, false));
        for (volume, goes) in attached.chain(detached) {
            let kind = if whole.is_system(volume) {
                PartKind::SystemDisk
            } else {
                PartKind::DataDisk
            };
            let mut part = DeletionPart::new(kind, disk_name(volume), goes);
            part.id = Some(volume.id.to_string());
            part.size_gb = volume.size_gb;
            parts.push(part);
            products.push(product_of(volume).filter(|_| !goes));
        }
        if let Some(address) = &whole.address {
            let name = address.address.map(|ip| ip.to_string()).unwrap_or_default();
            let goes = !address.is_paid_by_period();
            let mut part = DeletionPart::new(PartKind::PublicAddress, name, goes);
            part.id = Some(address.id.to_string());
            parts.push(part);
            products.push(address_product(address).filter(|_| !goes));
        }
        let prices = self.prices_of(&live, products.into_iter()).await;
        for (part, price) in parts.iter_mut().zip(&prices) {
            part.per_month = price.as_ref().map(by_month);
        }
        let known: Vec<Money> = parts.iter().filter_map(|part| part.per_month.clone()).collect();
        if let Some(name) = &whole.row.key_name {
            parts.push(DeletionPart::new(PartKind::KeyPair, name.clone(), false));
        }
        if self.has_server_key(server).await {
            parts.push(DeletionPart::new(
                PartKind::PrivateKey,
                whole.server.name.clone(),
                true,
            ));
        }
        Ok(Deletion {
            server: whole.server.id,
            name: whole.server.name,
            parts,
            stays_per_month: sum(&known),
            as_of: live.cloud_now(self.now()),
        })
    }

    /// What is left of own servers that are gone, asked now.
    ///
    /// # Errors
    /// `NotSignedIn`; what the cloud says.
    pub async fn leftovers(&self) -> Result<Leftovers> {
        let live = self.active().await?;
        let found = self.sweep(&live).await?;
        let products = found.iter_products();
        let prices = self.prices_of(&live, products).await;
        let mut items = found.items;
        for (item, price) in items.iter_mut().zip(prices) {
            item.0.per_month = price.as_ref().map(by_month);
        }
        let items: Vec<Leftover> = items.into_iter().map(|(item, _)| item).collect();
        let known: Vec<Money> = items.iter().filter_map(|item| item.per_month.clone()).collect();
        Ok(Leftovers {
            per_month: sum(&known),
            items,
            unchecked: found.unchecked,
            as_of: live.cloud_now(self.now()),
        })
    }

    /// Looks for leftovers, without their prices.
    pub(crate) async fn sweep(&self, live: &Live) -> Result<Found> {
        let client = self.client(live).await?;
        let project = live.project();
        let volumes = evs::volumes(&client, &project, &evs::VolumeQuery::default()).await?;
        live.tell_time(volumes.server_time, self.now());
        let mut found = Found::default();
        let mut gone = Gone::default();
        for volume in volumes.value.items {
            if !volume.can_be_deleted() || !is_own(&volume, &live.account) {
                continue;
            }
            let server = volume.tags.get(TAG_SERVER).cloned();
            if gone.is_gone(self, live, server.as_deref()).await? {
                let product = product_of(&volume);
                let leftover = Leftover {
                    kind: LeftoverKind::Disk,
                    name: disk_name(&volume),
                    id: volume.id.to_string(),
                    server,
                    size_gb: volume.size_gb,
                    disk_type: Some(volume.volume_type),
                    mbit: None,
                    created: volume.created,
                    per_month: None,
                };
                found.items.push((leftover, product));
            }
        }
        let addresses = eip::public_ips(&client, &project, None).await?.value.items;
        let unbound: Vec<eip::PublicIp> = addresses
            .into_iter()
            .filter(|address| address.is_unbound() && !address.is_paid_by_period())
            .collect();
        found.unchecked = unbound.len().saturating_sub(ADDRESSES_ASKED);
        for address in unbound.into_iter().take(ADDRESSES_ASKED) {
            // Gone between the two questions: nothing of it is left.
            let tags = match eip::public_ip_tags(&client, &project, &address.id).await {
                Err(error) if error.kind == ErrorKind::Missing => continue,
                told => told?.value.items,
            };
            let tags: Tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
            let own = tags.contains_key(TAG_INSTALLATION)
                && tags.get(TAG_OWNER) == Some(&tag_value(&live.account.user_name));
            let server = tags.get(TAG_SERVER).cloned();
            if own && gone.is_gone(self, live, server.as_deref()).await? {
                let product = address_product(&address);
                let leftover = Leftover {
                    kind: LeftoverKind::PublicAddress,
                    id: address.id.to_string(),
                    name: address.address.map(|ip| ip.to_string()).unwrap_or_default(),
                    server,
                    size_gb: None,
                    disk_type: None,
                    mbit: address.mbit,
                    created: address.created,
                    per_month: None,
                };
                found.items.push((leftover, product));
            }
        }
        Ok(found)
    }
}

impl DeletionPart {
    fn new(kind: PartKind, name: String, goes: bool) -> Self {
        Self {
            kind,
            id: None,
            name,
            size_gb: None,
            goes,
            per_month: None,
        }
    }
}

/// Leftovers with what they are in the price list.
#[derive(Default)]
pub(crate) struct Found {
    pub items: Vec<(Leftover, Option<huaweicloud::bss::Product>)>,
    unchecked: usize,
}

impl Found {
    fn iter_products(&self) -> impl Iterator<Item = Option<huaweicloud::bss::Product>> + use<> {
        let products: Vec<_> = self.items.iter().map(|(_, product)| product.clone()).collect();
        products.into_iter()
    }
}

/// Which servers do not exist any more. Each is asked for once.
#[derive(Default)]
struct Gone {
    known: BTreeMap<String, bool>,
}

impl Gone {
    /// What names no server belongs to none.
    async fn is_gone(&mut self, wangcheng: &Wangcheng, live: &Live, server: Option<&str>) -> Result<bool> {
        let Some(server) = server else { return Ok(true) };
        if let Some(known) = self.known.get(server) {
            return Ok(*known);
        }
        let client = wangcheng.client(live).await?;
        let told = ecs::server(&client, &live.project(), &ServerId::from(server)).await;
        let gone = match told {
            Err(error) if error.kind == ErrorKind::Missing => true,
            Err(error) => return Err(error.into()),
            Ok(told) => told.value.status == "DELETED",
        };
        self.known.insert(server.to_owned(), gone);
        Ok(gone)
    }
}
