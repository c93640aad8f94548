//! What is ordered when servers are created: everything that can be refused is refused here, before anything exists.

use std::{collections::BTreeMap, net::Ipv4Addr};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::{Call, Result, invalid, lease, password::Password, quota, tags::WORDS};
use crate::{
    catalogue::{self, DiskType, Flavor, Image, Os, Sale},
    faults::Fault,
    services::tags::{self, Tag},
    world::{AddressOrder, Charging, DiskOrder, NewAddress, NicOrder, Order, Region},
};

/// Most servers in one creation.
const MOST_AT_ONCE: u32 = 100;
/// Most NICs of a server.
const MOST_NICS: usize = 12;
/// Most data disks of a server.
const MOST_DATA_DISKS: usize = 23;
/// Most bytes of user data, decoded.
pub(super) const USER_DATA: usize = 32 * 1024;

#[derive(Deserialize)]
pub(super) struct Wanted {
    name: String,
    #[serde(rename = "flavorRef")]
    flavor: String,
    #[serde(rename = "imageRef")]
    image: String,
    vpcid: String,
    nics: Vec<Nic>,
    root_volume: Disk,
    data_volumes: Option<Vec<Disk>>,
    publicip: Option<Address>,
    count: Option<u32>,
    availability_zone: Option<String>,
    security_groups: Option<Vec<Group>>,
    key_name: Option<String>,
    #[serde(rename = "adminPass")]
    password: Option<Password>,
    user_data: Option<String>,
    auto_terminate_time: Option<String>,
    server_tags: Option<Vec<Tag>>,
    metadata: Option<BTreeMap<String, String>>,
    description: Option<String>,
    extendparam: Option<Extra>,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // User data may hold secrets of the caller.
        f.debug_struct("Wanted")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct Nic {
    subnet_id: Option<String>,
    port_id: Option<String>,
    ip_address: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Group {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Disk {
    volumetype: String,
    size: Option<u32>,
    iops: Option<u32>,
    throughput: Option<u32>,
    multiattach: Option<bool>,
    shareable: Option<bool>,
    delete_on_termination: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Address {
    id: Option<String>,
    eip: Option<Eip>,
    delete_on_termination: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Eip {
    iptype: String,
    bandwidth: Bandwidth,
}

#[derive(Debug, Deserialize)]
struct Bandwidth {
    size: Option<u32>,
    sharetype: String,
    chargemode: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Extra {
    /// A number in v1, a word in v1.1.
    #[serde(rename = "chargingMode")]
    charging_mode: Option<Value>,
    #[serde(rename = "marketType")]
    market_type: Option<String>,
}

pub(super) fn check(call: &Call<'_>, region: &Region, wanted: Wanted) -> Result<Order> {
    let count = wanted.count.unwrap_or(1);
    if count > MOST_AT_ONCE {
        return Err(Fault::bad("Ecs.0913", "Too many servers in one request."));
    }
    if count == 0 {
        return Err(invalid("count"));
    }
    check_name(&wanted.name, count)?;
    let description = wanted.description.unwrap_or_default();
    check_description(&description)?;

    let flavor = catalogue::flavor(&wanted.flavor).ok_or_else(|| {
        Fault::bad(
            "Ecs.0029",
            format!("The flavor {} does not exist.", wanted.flavor),
        )
    })?;
    let zone = zone(region, flavor, wanted.availability_zone.as_deref())?;
    let image = catalogue::image(&wanted.image)
        .ok_or_else(|| Fault::bad("Ecs.0031", format!("The image {} does not exist.", wanted.image)))?;
    if image.architecture != flavor.architecture {
        return Err(Fault::bad("Ecs.0007", "The image does not fit the flavor."));
    }

    let charging = charging(wanted.extendparam.as_ref())?;
    let lease_end = match wanted.auto_terminate_time.as_deref() {
        None | Some("") => None,
        Some(text) => Some(lease::read(
            text,
            charging,
            flavor.leasable,
            call.now,
            &call.pace,
        )?),
    };
    if charging == Charging::Period {
        return Err(Fault::bad(
            "Ecs.7000",
            "The order could not be created: the sandbox sells nothing by the month.",
        ));
    }

    let nics = nics(region, &wanted.vpcid, &wanted.nics, count)?;
    let security_groups = security_groups(region, wanted.security_groups)?;
    let disks = disks(
        image,
        &zone,
        wanted.root_volume,
        wanted.data_volumes.unwrap_or_default(),
    )?;
    let address = wanted
        .publicip
        .map(|address| self::address(region, address, count))
        .transpose()?;

    let key_name = wanted.key_name.filter(|name| !name.is_empty());
    if let Some(name) = &key_name
        && !region
            .key_pairs
            .iter()
            .any(|pair| pair.name == *name && pair.is_visible_to(call.user.id))
    {
        return Err(Fault::bad(
            "Ecs.0314",
            format!("The key pair {name} does not exist."),
        ));
    }
    if wanted.password.as_ref().is_some_and(|password| {
        let user = match image.os {
            Os::Linux => "root",
            Os::Windows => "administrator",
        };
        !password.is_strong() || password.names(user)
    }) {
        return Err(Fault::bad("Ecs.0011", "The password is not strong enough."));
    }
    let metadata = wanted.metadata.unwrap_or_default();
    check_metadata(&metadata)?;
    if let Some(user_data) = &wanted.user_data
        && !BASE64_STANDARD
            .decode(user_data)
            .is_ok_and(|raw| raw.len() <= USER_DATA)
    {
        return Err(invalid("user_data"));
    }

    let order = Order {
        user_id: call.user.id.to_owned(),
        name: wanted.name,
        count,
        description,
        flavor: flavor.id.to_owned(),
        image: image.id.to_owned(),
        zone,
        vpc_id: wanted.vpcid,
        nics,
        security_groups,
        key_name,
        user_data: wanted.user_data,
        password: wanted.password.map(|password| password.mark()),
        tags: tags::read(&wanted.server_tags.unwrap_or_default(), &WORDS)?,
        metadata,
        charging,
        lease_end,
        disks,
        address,
    };
    check_quotas(region, flavor, &order)?;
    Ok(order)
}

pub(super) fn check_name(name: &str, count: u32) -> Result<()> {
    let most = if count > 1 { 59 } else { 64 };
    if name.chars().count() > most {
        return Err(Fault::bad("Ecs.0914", "The server name is too long."));
    }
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
        return Err(Fault::bad("Ecs.0915", "The server name has invalid characters."));
    }
    Ok(())
}

fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<()> {
    let is_key = |key: &str| {
        (1..=255).contains(&key.len())
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_:.".contains(c))
    };
    if metadata.len() > 10
        || metadata
            .iter()
            .any(|(key, value)| !is_key(key) || value.chars().count() > 255)
    {
        return Err(invalid("metadata"));
    }
    Ok(())
}

pub(super) fn check_description(description: &str) -> Result<()> {
    if description.chars().count() > 85 || description.contains(['<', '>']) {
        return Err(Fault::bad("Ecs.0041", "The description is invalid."));
    }
    Ok(())
}

fn zone(region: &Region, flavor: &Flavor, wanted: Option<&str>) -> Result<String> {
    let sale = |zone: &str| match flavor.sale_in(zone) {
        Sale::Normal => Ok(()),
        Sale::SoldOut => Err(Fault::bad(
            "Ecs.0018",
            format!("The flavor {} is sold out in {zone}.", flavor.id),
        )),
        Sale::Abandoned => Err(Fault::bad(
            "Ecs.0019",
            format!("The flavor {} is no longer available.", flavor.id),
        )),
    };
    match wanted.filter(|zone| !zone.is_empty()) {
        Some(wanted) => {
            let zone = region
                .zones()
                .find(|zone| zone == wanted)
                .ok_or_else(|| invalid("availability_zone"))?;
            sale(&zone)?;
            Ok(zone)
        }
        None => {
            let mut refusal = invalid("availability_zone");
            for zone in region.zones() {
                match sale(&zone) {
                    Ok(()) => return Ok(zone),
                    Err(fault) => refusal = fault,
                }
            }
            Err(refusal)
        }
    }
}

fn charging(extra: Option<&Extra>) -> Result<Charging> {
    let Some(extra) = extra else {
        return Ok(Charging::PayPerUse);
    };
    let period = match &extra.charging_mode {
        None | Some(Value::Null) => false,
        Some(Value::Number(number)) if number.as_u64() == Some(0) => false,
        Some(Value::Number(number)) if number.as_u64() == Some(1) => true,
        Some(Value::String(word)) if word == "postPaid" => false,
        Some(Value::String(word)) if word == "prePaid" => true,
        Some(_) => return Err(invalid("chargingMode")),
    };
    match (period, extra.market_type.as_deref()) {
        (true, None) => Ok(Charging::Period),
        (false, None | Some("")) => Ok(Charging::PayPerUse),
        (false, Some("spot")) => Ok(Charging::Spot),
        _ => Err(invalid("marketType")),
    }
}

fn nics(region: &Region, vpc_id: &str, wanted: &[Nic], count: u32) -> Result<Vec<NicOrder>> {
    if region.vpcs.iter().all(|vpc| vpc.id != vpc_id) {
        return Err(Fault::bad(
            "Ecs.0014",
            format!("The VPC {vpc_id} does not exist."),
        ));
    }
    if wanted.is_empty() {
        return Err(invalid("nics"));
    }
    if wanted.len() > MOST_NICS {
        return Err(Fault::bad("Ecs.0050", "Too many NICs for the flavor."));
    }
    let mut orders: Vec<NicOrder> = Vec::new();
    for nic in wanted {
        // Every port that there is belongs to a server.
        if let Some(port) = nic.port_id.as_deref().filter(|port| !port.is_empty()) {
            return Err(Fault::bad(
                "Ecs.0307",
                format!("The port {port} does not exist or is in use."),
            ));
        }
        let id = nic.subnet_id.as_deref().unwrap_or_default();
        let subnet = region
            .subnets
            .iter()
            .find(|subnet| subnet.id == id)
            .ok_or_else(|| Fault::bad("Ecs.0038", format!("The subnet {id} does not exist.")))?;
        if subnet.vpc_id != vpc_id {
            return Err(Fault::bad("Ecs.0014", "The subnet does not belong to the VPC."));
        }
        let address = match nic.ip_address.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => {
                let address: Ipv4Addr = text.parse().map_err(|_| invalid("ip_address"))?;
                if !subnet.holds(address) {
                    return Err(Fault::bad("Ecs.0039", "The IP address is not in the subnet."));
                }
                let is_free = region.free_addresses(subnet).any(|free| free == address)
                    && orders.iter().all(|order| order.address != Some(address));
                if !is_free || count > 1 {
                    return Err(Fault::bad(
                        "Ecs.0010",
                        "The private IP address is already in use.",
                    ));
                }
                Some(address)
            }
        };
        let needed = wanted
            .iter()
            .filter(|other| other.subnet_id.as_deref() == Some(id))
            .count();
        let needed = needed.saturating_mul(usize::try_from(count).unwrap_or(usize::MAX));
        if region.free_addresses(subnet).count() < needed {
            return Err(Fault::bad("Ecs.0012", "The subnet has no free IP addresses."));
        }
        orders.push(NicOrder {
            subnet_id: subnet.id.clone(),
            address,
        });
    }
    Ok(orders)
}

/// Without a choice it is the group named `default`.
fn security_groups(region: &Region, wanted: Option<Vec<Group>>) -> Result<Vec<String>> {
    let wanted: Vec<String> = wanted
        .unwrap_or_default()
        .into_iter()
        .map(|group| group.id)
        .collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|id| region.security_groups.iter().all(|group| group.id != **id))
    {
        return Err(Fault::bad(
            "Ecs.0014",
            format!("The security group {unknown} does not exist."),
        ));
    }
    if !wanted.is_empty() {
        return Ok(wanted);
    }
    Ok(region
        .security_groups
        .iter()
        .filter(|group| group.name == "default")
        .map(|group| group.id.clone())
        .collect())
}

fn disks(image: &Image, zone: &str, root: Disk, data: Vec<Disk>) -> Result<Vec<DiskOrder>> {
    if data.len() > MOST_DATA_DISKS {
        return Err(Fault::bad("Ecs.0042", "Too many data disks."));
    }
    let size = root.size.filter(|size| *size > 0).unwrap_or(image.min_disk_gb);
    if size < image.min_disk_gb || size > 1024 {
        return Err(invalid(&format!(
            "root_volume.size must be from {} to 1024",
            image.min_disk_gb
        )));
    }
    let mut disks = vec![disk(&root, size, zone)?];
    for wanted in &data {
        let size = wanted
            .size
            .filter(|size| (10..=32_768).contains(size))
            .ok_or_else(|| invalid("data_volumes.size must be from 10 to 32768"))?;
        disks.push(disk(wanted, size, zone)?);
    }
    Ok(disks)
}

fn disk(wanted: &Disk, size_gb: u32, zone: &str) -> Result<DiskOrder> {
    let kind: &DiskType = catalogue::disk_type(&wanted.volumetype).ok_or_else(|| {
        Fault::bad(
            "Ecs.0043",
            format!("The disk type {} does not exist.", wanted.volumetype),
        )
    })?;
    if kind.sold_out.iter().any(|letter| zone.ends_with(letter)) {
        return Err(Fault::bad(
            "Ecs.0044",
            format!("The disk type {} is sold out in {zone}.", kind.name),
        ));
    }
    if !performance_fits(kind, size_gb, wanted.iops, wanted.throughput) {
        return Err(invalid("iops or throughput"));
    }
    Ok(DiskOrder {
        kind: kind.name.to_owned(),
        size_gb,
        shared: wanted.multiattach.or(wanted.shareable).unwrap_or(false),
        iops: wanted.iops,
        throughput: wanted.throughput,
        delete_on_termination: wanted.delete_on_termination.unwrap_or(false),
    })
}

/// Some types want to be told how fast they are to be, the others do not want to be asked.
pub(in crate::services) fn performance_fits(
    kind: &DiskType,
    size_gb: u32,
    iops: Option<u32>,
    throughput: Option<u32>,
) -> bool {
    if (iops.is_some(), throughput.is_some()) != kind.tuned {
        return false;
    }
    let Some(iops) = iops else {
        return true;
    };
    let (least, most, each) = if kind.name == "ESSD2" {
        (100, 256_000, 1000)
    } else {
        (3000, 128_000, 500)
    };
    // The floor can be had at any size.
    let fits = (least..=most).contains(&iops) && iops <= size_gb.saturating_mul(each).max(least);
    fits && throughput.is_none_or(|rate| (125..=1000).contains(&rate) && rate <= iops / 4)
}

fn address(region: &Region, wanted: Address, count: u32) -> Result<AddressOrder> {
    match (wanted.id, wanted.eip) {
        (Some(id), _) => {
            let free = region
                .addresses
                .get(&id)
                .is_some_and(|address| address.port_id.is_none());
            if !free || count > 1 {
                return Err(invalid("publicip.id"));
            }
            Ok(AddressOrder::Existing(id))
        }
        (None, Some(eip)) => {
            let mbps = eip.bandwidth.size.unwrap_or_default();
            if mbps > 2000 {
                return Err(Fault::bad("Ecs.0045", "The bandwidth is too large."));
            }
            let step = match mbps {
                0..=300 => 1,
                301..=1000 => 50,
                _ => 500,
            };
            if !mbps.is_multiple_of(step) {
                return Err(invalid("publicip.eip.bandwidth.size"));
            }
            if mbps == 0 || eip.bandwidth.sharetype != "PER" {
                return Err(invalid("publicip.eip.bandwidth"));
            }
            let by_traffic = match eip.bandwidth.chargemode.as_deref() {
                None | Some("") => false,
                Some("traffic") => true,
                Some(_) => return Err(invalid("publicip.eip.bandwidth.chargemode")),
            };
            if !["5_bgp", "5_sbgp"].contains(&eip.iptype.as_str()) {
                return Err(invalid("publicip.eip.iptype"));
            }
            Ok(AddressOrder::New(NewAddress {
                kind: eip.iptype,
                alias: String::new(),
                bandwidth_name: None,
                mbps,
                by_traffic,
                delete_on_termination: wanted.delete_on_termination.unwrap_or(false),
                address: None,
            }))
        }
        (None, None) => Err(invalid("publicip")),
    }
}

fn check_quotas(region: &Region, flavor: &Flavor, order: &Order) -> Result<()> {
    let (servers, cores, ram_mb) = quota::servers(region);
    let count = usize::try_from(order.count).unwrap_or(usize::MAX);
    let more = |used: u32, each: u32| used.saturating_add(each.saturating_mul(order.count));
    if servers.saturating_add(count) > quota::SERVERS
        || more(cores, flavor.vcpus) > quota::CORES
        || more(ram_mb, flavor.ram_mb) > quota::RAM_MB
    {
        return Err(Fault::bad("Ecs.0001", "The server quota is exhausted."));
    }
    if region
        .volumes
        .len()
        .saturating_add(count.saturating_mul(order.disks.len()))
        > quota::DISKS
    {
        return Err(Fault::bad("Ecs.0021", "The disk quota is exhausted."));
    }
    let gigabytes: u32 = order.disks.iter().map(|disk| disk.size_gb).sum();
    if more(quota::gigabytes(region), gigabytes) > quota::GIGABYTES {
        return Err(Fault::bad("Ecs.0021", "The disk quota is exhausted."));
    }
    if matches!(order.address, Some(AddressOrder::New(_)))
        && region.addresses.len().saturating_add(count) > quota::ADDRESSES
    {
        return Err(Fault::bad("Ecs.0013", "The EIP quota is exhausted."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_letters_of_any_script_digits_and_three_signs() {
        assert!(check_name("开发机-甲_1.x", 1).is_ok());
        assert_eq!(check_name("a b", 1).unwrap_err().code, "Ecs.0915");
        assert_eq!(check_name(&"a".repeat(65), 1).unwrap_err().code, "Ecs.0914");
        assert_eq!(check_name(&"a".repeat(60), 2).unwrap_err().code, "Ecs.0914");
    }
}
