//! What costs without being of use: each thing once, with why, what it costs a month and the act that ends it.
//!
//! The cloud is asked now for all servers, disks and addresses of the project; the ledger knows since when a server is
//! stopped and when somebody last opened a session on it with this program. Sessions of other programs leave no trace,
//! so a server without a session is only spoken of where this program's sessions are used at all, and only on the
//! installation that made it. What is paid by the month is no waste that an act could end, and is left out.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::bss::Product;
use huaweicloud::{ErrorKind, ecs, eip, evs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Wangcheng;
use crate::cloud::Live;
use crate::create::tag_value;
use crate::disks::{address_product, by_month, product_of, sum};
use crate::failure::Result;
use crate::leftovers::disk_name;
use crate::money::Money;
use crate::servers::{Server, ServerState, TAG_INSTALLATION, TAG_OWNER, TAG_SERVER};

/// How long a running server may be without a session before that is said.
const UNVISITED: TimeDelta = TimeDelta::hours(12);
/// How many unbound addresses are asked for their tags, which takes a question each.
const ADDRESSES_ASKED: usize = 100;

/// What costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WasteKind {
    /// A server with its disks and its address.
    Server,
    /// A disk.
    Disk,
    /// A public address.
    PublicAddress,
}

/// Why it is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WasteReason {
    /// A stopped server whose lease still runs: disks and address cost until its end.
    StoppedInLease,
    /// A stopped server without a lease: disks and address cost without end.
    Forgotten,
    /// A running server on which nobody opened a session for long.
    NoSession,
    /// A server that is nobody's, as far as its tags say.
    NoOwner,
    /// A server without a lease: it ends only when somebody remembers it.
    NoLease,
    /// A disk on no server.
    DiskUnattached,
    /// An address on nothing.
    AddressUnbound,
    /// Left of a server that is gone.
    Leftover,
}

/// What ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WasteAct {
    /// Delete the server, here.
    DeleteServer,
    /// Give it a lease, here.
    SetLease,
    /// Take it over first, here.
    Adopt,
    /// Remove what is left over, here.
    RemoveLeftover,
    /// Delete the disk, here.
    DeleteDisk,
    /// Its owner has to, or somebody in the console: it was not made here.
    Console,
}

/// One thing that costs without being of use. Every text in it comes from outside and is shown as text.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Wasted {
    /// What it is.
    pub kind: WasteKind,
    /// The cloud's id.
    pub id: String,
    /// Its name, or the address.
    pub name: String,
    /// Whose, as its tags say.
    pub owner: Option<String>,
    /// Made here by the signed-in user, or adopted.
    pub own: bool,
    /// Why.
    pub reasons: Vec<WasteReason>,
    /// State of a server.
    pub state: Option<ServerState>,
    /// Flavor of a server.
    pub flavor: Option<String>,
    /// Size of a disk, or of all disks of a server, in GB.
    pub size_gb: Option<u32>,
    /// Server that a disk or an address names as its own.
    pub server: Option<String>,
    /// End of a server's lease.
    pub lease_end: Option<DateTime<Utc>>,
    /// Since when it is so, as far as known; else since when it is there.
    pub since: Option<DateTime<Utc>>,
    /// What ending it saves in a month; none: its price cannot be had just now.
    pub per_month: Option<Money>,
    /// What ends it, the most fitting first.
    pub acts: Vec<WasteAct>,
}

/// Whose waste is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The signed-in user's.
    #[default]
    Mine,
    /// Everything in the project.
    Everyone,
}

/// What costs without being of use.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Waste {
    /// What, the dearest first.
    pub items: Vec<Wasted>,
    /// What ending all of it saves in a month, as far as known.
    pub per_month: Option<Money>,
    /// Things whose price cannot be had just now.
    pub unpriced: usize,
    /// Unbound addresses whose owner was not asked for because there are too many.
    pub unchecked: usize,
    /// Whether sessions were looked at; not where this program's are not used.
    pub sessions_known: bool,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// What the cloud and the ledger told.
#[derive(Default)]
struct Snapshot {
    servers: Vec<ecs::Server>,
    volumes: Vec<evs::Volume>,
    /// With their tags, where they were asked for.
    addresses: Vec<(eip::PublicIp, BTreeMap<String, String>)>,
    /// Flavors that cost on while a server is stopped.
    charged: Vec<String>,
    /// When a session was last open on a server; none at all: they are not used.
    sessions: BTreeMap<String, DateTime<Utc>>,
    /// Since when servers are stopped.
    stopped: BTreeMap<String, DateTime<Utc>>,
}

/// Who asks.
struct Asker<'a> {
    user_id: &'a str,
    owner_tag: String,
    installation: &'a str,
    whose: Whose,
    now: DateTime<Utc>,
}

impl Asker<'_> {
    fn sees(&self, mine: bool) -> bool {
        mine || self.whose == Whose::Everyone
    }
}

/// Finds what is of no use, with what it is made of in the price list.
fn find(told: &Snapshot, asker: &Asker<'_>) -> Vec<(Wasted, Vec<Product>)> {
    let mut found: Vec<(Wasted, Vec<Product>)> = Vec::new();
    for row in &told.servers {
        if row.charging != ecs::Charging::Period {
            found.extend(wasted_server(told, asker, row));
        }
    }
    let is_gone = |server: Option<&String>| {
        server.is_none_or(|id| !told.servers.iter().any(|row| row.id.as_str() == id))
    };
    for volume in &told.volumes {
        if !volume.can_be_deleted() {
            continue;
        }
        let tag = |key: &str| volume.tags.get(key).filter(|value| !value.is_empty()).cloned();
        let owner = tag(TAG_OWNER);
        let made_by = volume.user_id.as_ref().map(|id| id.as_str());
        let ours = volume.tags.contains_key(TAG_INSTALLATION);
        let mine = owner
            .as_deref()
            .map_or(made_by == Some(asker.user_id), |owner| owner == asker.owner_tag);
        let own = ours && mine && made_by.is_none_or(|id| id == asker.user_id);
        if !asker.sees(mine) {
            continue;
        }
        let server = tag(TAG_SERVER);
        let leftover = ours && is_gone(server.as_ref());
        found.push((
            Wasted {
                kind: WasteKind::Disk,
                id: volume.id.to_string(),
                name: disk_name(volume),
                owner,
                own,
                reasons: vec![if leftover {
                    WasteReason::Leftover
                } else {
                    WasteReason::DiskUnattached
                }],
                state: None,
                flavor: None,
                size_gb: volume.size_gb,
                server,
                lease_end: None,
                since: volume.created,
                per_month: None,
                acts: vec![match (own, leftover) {
                    (true, true) => WasteAct::RemoveLeftover,
                    (true, false) => WasteAct::DeleteDisk,
                    (false, _) => WasteAct::Console,
                }],
            },
            product_of(volume).into_iter().collect(),
        ));
    }
    for (address, tags) in &told.addresses {
        if !address.is_unbound() || address.is_paid_by_period() {
            continue;
        }
        let tag = |key: &str| tags.get(key).filter(|value| !value.is_empty()).cloned();
        let owner = tag(TAG_OWNER);
        let mine = owner.as_deref() == Some(asker.owner_tag.as_str());
        if !asker.sees(mine) {
            continue;
        }
        let server = tag(TAG_SERVER);
        let leftover = tags.contains_key(TAG_INSTALLATION) && is_gone(server.as_ref());
        found.push((
            Wasted {
                kind: WasteKind::PublicAddress,
                id: address.id.to_string(),
                name: address.address.map(|ip| ip.to_string()).unwrap_or_default(),
                owner,
                own: mine && leftover,
                reasons: vec![if leftover {
                    WasteReason::Leftover
                } else {
                    WasteReason::AddressUnbound
                }],
                state: None,
                flavor: None,
                size_gb: None,
                server,
                lease_end: None,
                since: address.created,
                per_month: None,
                acts: vec![if mine && leftover {
                    WasteAct::RemoveLeftover
                } else {
                    WasteAct::Console
                }],
            },
            address_product(address).into_iter().collect(),
        ));
    }
    found
}

fn wasted_server(told: &Snapshot, asker: &Asker<'_>, row: &ecs::Server) -> Option<(Wasted, Vec<Product>)> {
    let server = Server::from_cloud(row, asker.user_id);
    let mine = server.own
        || server.owner.as_deref().map_or(
            row.user_id
                .as_ref()
                .is_some_and(|id| id.as_str() == asker.user_id),
            |owner| owner == asker.owner_tag,
        );
    if !asker.sees(mine) {
        return None;
    }
    let mut since = server.created;
    let mut reasons = Vec::new();
    match server.state {
        ServerState::Stopped => {
            since = told.stopped.get(&server.id).copied().or(since);
            reasons.push(match server.lease_end {
                Some(_) => WasteReason::StoppedInLease,
                None => WasteReason::Forgotten,
            });
        }
        ServerState::Running | ServerState::Error => {
            let here = server
                .tags
                .get(TAG_INSTALLATION)
                .is_some_and(|id| id == asker.installation);
            let last = told.sessions.get(&server.id).copied().or(server.created);
            if here
                && server.state == ServerState::Running
                && !told.sessions.is_empty()
                && last.is_some_and(|last| asker.now - last > UNVISITED)
            {
                since = last;
                reasons.push(WasteReason::NoSession);
            }
            if server.lease_end.is_none() {
                reasons.push(WasteReason::NoLease);
            }
        }
        // What is changing may be of use in a moment; a frozen one costs nothing.
        _ => return None,
    }
    if server.owner.is_none() {
        reasons.push(WasteReason::NoOwner);
    }
    if reasons.is_empty() {
        return None;
    }
    let disks: Vec<&evs::Volume> = told
        .volumes
        .iter()
        .filter(|volume| volume.attachments.iter().any(|one| one.server_id == row.id))
        .filter(|volume| !volume.is_paid_by_period())
        .collect();
    let address = row.floating_address().and_then(|ip| {
        told.addresses
            .iter()
            .map(|(address, _)| address)
            .find(|address| address.address == Some(ip) && !address.is_paid_by_period())
    });
    let mut products = Vec::new();
    if server.state != ServerState::Stopped || told.charged.contains(&server.flavor) {
        products.push(Product::Server {
            flavor: server.flavor.as_str().into(),
            windows: server.os.as_deref() == Some("Windows"),
            zone: None,
        });
    }
    products.extend(disks.iter().copied().filter_map(product_of));
    products.extend(address.and_then(address_product));
    let mut acts = Vec::new();
    if server.own {
        acts.push(WasteAct::DeleteServer);
        if server.lease_end.is_none() {
            acts.push(WasteAct::SetLease);
        }
    } else if server.adoptable {
        acts.push(WasteAct::Adopt);
    } else {
        acts.push(WasteAct::Console);
    }
    Some((
        Wasted {
            kind: WasteKind::Server,
            id: server.id,
            name: server.name,
            owner: server.owner,
            own: server.own,
            reasons,
            state: Some(server.state),
            flavor: Some(server.flavor),
            size_gb: disks
                .iter()
                .filter_map(|disk| disk.size_gb)
                .reduce(u32::saturating_add),
            server: None,
            lease_end: server.lease_end,
            since,
            per_month: None,
            acts,
        },
        products,
    ))
}

impl Wangcheng {
    /// What costs without being of use in the project of the account in use, asked now.
    ///
    /// # Errors
    /// `NotSignedIn`; what the cloud says; as the ledger's.
    pub async fn waste(&self, whose: Whose) -> Result<Waste> {
        let live = self.active().await?;
        let (told, unchecked) = self.snapshot(&live).await?;
        let now = live.cloud_now(self.now());
        let asker = Asker {
            user_id: &live.account.user_id,
            owner_tag: tag_value(&live.account.user_name),
            installation: self.inner.ledger.installation_id(),
            whose,
            now,
        };
        let mut found = find(&told, &asker);
        // Each product is asked for once: a hundred equal disks have one price.
        let mut products: Vec<Product> = Vec::new();
        for product in found.iter().flat_map(|(_, products)| products) {
            if !products.contains(product) {
                products.push(product.clone());
            }
        }
        let prices = self.prices_of(&live, products.iter().cloned().map(Some)).await;
        let price = |product: &Product| {
            let place = products.iter().position(|known| known == product)?;
            prices.get(place)?.clone()
        };
        for (item, products) in &mut found {
            let hours: Option<Vec<Money>> = products.iter().map(price).collect();
            item.per_month = hours.as_deref().and_then(sum).map(|hour| by_month(&hour));
        }
        let mut items: Vec<Wasted> = found.into_iter().map(|(item, _)| item).collect();
        items.sort_by(|one, other| {
            let amount = |item: &Wasted| item.per_month.as_ref().map(|money| money.amount);
            amount(other)
                .cmp(&amount(one))
                .then_with(|| (one.kind, &one.name, &one.id).cmp(&(other.kind, &other.name, &other.id)))
        });
        let known: Vec<Money> = items.iter().filter_map(|item| item.per_month.clone()).collect();
        Ok(Waste {
            per_month: sum(&known),
            unpriced: items.len() - known.len(),
            items,
            unchecked,
            sessions_known: !told.sessions.is_empty(),
            as_of: now,
        })
    }

    async fn snapshot(&self, live: &Live) -> Result<(Snapshot, usize)> {
        let client = self.client(live).await?;
        let project = live.project();
        let servers = ecs::servers(&client, &project, &ecs::ServerQuery::default()).await?;
        live.tell_time(servers.server_time, self.now());
        let volumes = evs::volumes(&client, &project, &evs::VolumeQuery::default()).await?;
        let (mut asked, mut unchecked) = (0, 0);
        let mut addresses = Vec::new();
        for address in eip::public_ips(&client, &project, None).await?.value.items {
            let mut tags = BTreeMap::new();
            if address.is_unbound() && asked < ADDRESSES_ASKED {
                asked += 1;
                let told = match eip::public_ip_tags(&client, &project, &address.id).await {
                    // Gone between the two questions.
                    Err(error) if error.kind == ErrorKind::Missing => continue,
                    told => told?.value.items,
                };
                tags = told.into_iter().map(|tag| (tag.key, tag.value)).collect();
            } else if address.is_unbound() {
                unchecked += 1;
            }
            addresses.push((address, tags));
        }
        let servers = servers.value.items;
        let is_stopped = |row: &&ecs::Server| row.status == "SHUTOFF";
        let mut charged = Vec::new();
        if servers.iter().any(|row| is_stopped(&row)) {
            let flavors = ecs::flavors(&client, &project, None).await?.value.items;
            let flavors = flavors.into_iter().filter(|flavor| flavor.charged_when_stopped);
            charged = flavors.map(|flavor| flavor.id.to_string()).collect();
        }
        let stopped: Vec<String> = servers
            .iter()
            .filter(is_stopped)
            .map(|row| row.id.to_string())
            .collect();
        let (sessions, stopped) = self
            .ledger(move |ledger| {
                let mut since = BTreeMap::new();
                for server in stopped {
                    let ended = ledger.intervals(&server)?.into_iter();
                    let ended = ended
                        .filter(|interval| interval.kind == store::IntervalKind::Running)
                        .filter_map(|interval| interval.ended)
                        .max();
                    since.extend(ended.map(|ended| (server, ended)));
                }
                Ok((ledger.last_sessions()?, since))
            })
            .await?;
        let snapshot = Snapshot {
            servers,
            volumes: volumes.value.items,
            addresses,
            charged,
            sessions,
            stopped,
        };
        Ok((snapshot, unchecked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-10T00:00:00Z";

    fn asker(whose: Whose) -> Asker<'static> {
        Asker {
            user_id: "id-ada",
            owner_tag: "ada".to_owned(),
            installation: "here",
            whose,
            now: NOW.parse().unwrap(),
        }
    }

    fn server(id: &str, status: &str, tags: &str, lease: &str) -> ecs::Server {
        let row = format!(
            r#"{{"id":"{id}","name":"{id}","status":"{status}","user_id":"id-ada","tags":[{tags}],
                "flavor":{{"id":"s6.large.2"}},"created":"2026-01-01T00:00:00Z","auto_terminate_time":"{lease}"}}"#
        );
        serde_json::from_str(&row).unwrap()
    }

    fn volume(id: &str, status: &str, owner: &str, on: &str, of: &str) -> evs::Volume {
        let attachments = if on.is_empty() {
            String::new()
        } else {
            format!(r#"{{"server_id":"{on}"}}"#)
        };
        let row = format!(
            r#"{{"id":"{id}","name":"{id}","status":"{status}","size":40,"volume_type":"GPSSD","user_id":"id-{owner}",
                "attachments":[{attachments}],"tags":{{"owner":"{owner}","wangcheng-installation":"x","wangcheng-server":"{of}"}}}}"#
        );
        serde_json::from_str(&row).unwrap()
    }

    fn reasons(found: &[(Wasted, Vec<Product>)], id: &str) -> Vec<WasteReason> {
        let item = found.iter().find(|(item, _)| item.id == id);
        item.map(|(item, _)| item.reasons.clone()).unwrap_or_default()
    }

    const OWN: &str = r#""owner=ada","wangcheng-installation=here""#;
    const LEASE: &str = "2026-02-01T00:00:00Z";

    #[test]
    fn a_stopped_server_costs_its_disks_and_one_whose_flavor_stays_charged_all_of_it() {
        let mut told = Snapshot {
            servers: vec![
                server("s", "SHUTOFF", OWN, LEASE),
                server("t", "SHUTOFF", OWN, ""),
            ],
            volumes: vec![volume("d", "in-use", "ada", "s", "s")],
            ..Snapshot::default()
        };
        let found = find(&told, &asker(Whose::Mine));
        assert_eq!(reasons(&found, "s"), [WasteReason::StoppedInLease]);
        assert_eq!(reasons(&found, "t"), [WasteReason::Forgotten]);
        assert_eq!(found[0].1.len(), 1, "the disk alone");
        assert!(found[1].1.is_empty());
        told.charged = vec!["s6.large.2".to_owned()];
        assert_eq!(find(&told, &asker(Whose::Mine))[0].1.len(), 2, "disk and server");
    }

    #[test]
    fn a_running_server_is_spoken_of_only_where_sessions_are_known() {
        let mut told = Snapshot {
            servers: vec![server("s", "ACTIVE", OWN, LEASE), server("n", "ACTIVE", "", "")],
            ..Snapshot::default()
        };
        let found = find(&told, &asker(Whose::Mine));
        assert!(reasons(&found, "s").is_empty(), "nobody uses sessions here");
        assert_eq!(reasons(&found, "n"), [WasteReason::NoLease, WasteReason::NoOwner]);
        let session = |at: &str| BTreeMap::from([("s".to_owned(), at.parse().unwrap())]);
        told.sessions = session("2026-01-09T11:00:00Z");
        assert_eq!(
            reasons(&find(&told, &asker(Whose::Mine)), "s"),
            [WasteReason::NoSession]
        );
        told.sessions = session("2026-01-09T13:00:00Z");
        assert!(reasons(&find(&told, &asker(Whose::Mine)), "s").is_empty());
    }

    #[test]
    fn disks_are_leftovers_once_their_server_is_gone_and_only_own_ones_are_removed_here() {
        let told = Snapshot {
            servers: vec![server("s", "ACTIVE", OWN, LEASE)],
            volumes: vec![
                volume("left", "available", "ada", "", "gone"),
                volume("taken off", "available", "ada", "", "s"),
                volume("other's", "available", "bo", "", "gone"),
                volume("busy", "attaching", "ada", "", "gone"),
            ],
            ..Snapshot::default()
        };
        let mine = find(&told, &asker(Whose::Mine));
        assert_eq!(reasons(&mine, "left"), [WasteReason::Leftover]);
        assert_eq!(reasons(&mine, "taken off"), [WasteReason::DiskUnattached]);
        assert_eq!(mine.len(), 2, "{mine:?}");
        let acts: Vec<_> = mine.iter().map(|(item, _)| item.acts.clone()).collect();
        assert_eq!(acts, [vec![WasteAct::RemoveLeftover], vec![WasteAct::DeleteDisk]]);
        let all = find(&told, &asker(Whose::Everyone));
        let other = all
            .iter()
            .find(|(item, _)| item.id == "other's")
            .map(|(item, _)| item)
            .unwrap();
        assert_eq!((other.own, &other.acts), (false, &vec![WasteAct::Console]));
    }
}
