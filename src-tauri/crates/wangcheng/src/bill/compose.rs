//! A month's fees, put together by kind, owner and resource.

use std::collections::BTreeMap;

use huaweicloud::bss::{self, Fee};
use rust_decimal::Decimal;

use super::{BillKind, BilledResource, Estimates};
use crate::money::Money;
use crate::servers::{TAG_INSTALLATION, TAG_OWNER};

fn kind_of(fee: &Fee) -> BillKind {
    match (fee.resource_type.as_str(), fee.usage_type.as_str()) {
        ("hws.resource.type.vm", _) => BillKind::Compute,
        ("hws.resource.type.volume", _) => BillKind::Disk,
        ("hws.resource.type.bandwidth", "upflow") => BillKind::Traffic,
        ("hws.resource.type.bandwidth" | "hws.resource.type.ip", _) => BillKind::Address,
        _ => BillKind::Other,
    }
}

/// A tag out of the one text in which a bill has them: `key:value` or `key=value`, parted by `;` or `,`.
fn tag<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split([';', ',']).find_map(|part| {
        let (name, value) = part.split_once([':', '='])?;
        (name.trim() == key)
            .then(|| value.trim())
            .filter(|value| !value.is_empty())
    })
}

/// Puts a month's fees together.
pub(super) fn compose(
    fees: &bss::Fees,
    total: Option<Decimal>,
    owners: &BTreeMap<String, String>,
    estimates: &Estimates,
) -> Composed {
    let mut composed = Composed {
        list: Some(Decimal::ZERO),
        ..Composed::default()
    };
    let mut resources: BTreeMap<(String, BillKind), BilledResource> = BTreeMap::new();
    for fee in &fees.rows.items {
        let id = fee.resource_id.clone().unwrap_or_default();
        let kind = kind_of(fee);
        let owner = tag(&fee.resource_tag, TAG_OWNER)
            .map(str::to_owned)
            .or_else(|| owners.get(&id).cloned());
        composed.sum += fee.amount;
        composed.list = composed.list.zip(fee.list_amount).map(|(sum, list)| sum + list);
        *composed.kinds.entry(kind).or_default() += fee.amount;
        *composed.owners.entry(owner.clone()).or_default() += fee.amount;
        match (kind, &owner) {
            (BillKind::Traffic, _) => {
                composed.traffic += fee.amount;
                *composed.traffic_of.entry(owner.clone()).or_default() += fee.amount;
            }
            (_, None) => composed.untagged += fee.amount,
            // Whose it is can be told without its being made with this program.
            (_, Some(_))
                if tag(&fee.resource_tag, TAG_INSTALLATION).is_none() && !fee.resource_tag.is_empty() =>
            {
                composed.not_ours += fee.amount;
            }
            _ => {}
        }
        let resource = resources
            .entry((id.clone(), kind))
            .or_insert_with(|| BilledResource {
                id,
                name: fee.resource_name.clone(),
                kind,
                owner: owner.clone(),
                region: fee.region.clone(),
                billed: Money::new(Decimal::ZERO, fees.currency.clone()),
            });
        resource.billed.amount += fee.amount;
        resource.owner = resource.owner.take().or(owner);
    }
    for owner in estimates.keys() {
        composed.owners.entry(Some(owner.clone())).or_default();
    }
    composed.rounding = total.map_or(Decimal::ZERO, |total| total - composed.sum);
    composed.resources = resources.into_values().collect();
    composed.resources.sort_by(|one, other| {
        other
            .billed
            .amount
            .cmp(&one.billed.amount)
            .then_with(|| one.id.cmp(&other.id))
    });
    composed
}

/// A month's fees, put together.
#[derive(Default)]
pub(super) struct Composed {
    pub sum: Decimal,
    pub list: Option<Decimal>,
    pub traffic: Decimal,
    pub untagged: Decimal,
    pub not_ours: Decimal,
    pub rounding: Decimal,
    pub kinds: BTreeMap<BillKind, Decimal>,
    pub owners: BTreeMap<Option<String>, Decimal>,
    /// Of them, traffic.
    traffic_of: BTreeMap<Option<String>, Decimal>,
    pub resources: Vec<BilledResource>,
}

impl Composed {
    /// What each owner was charged, and of it traffic.
    pub fn by_owner(&self) -> BTreeMap<String, (Decimal, Decimal)> {
        let owners = self.owners.iter().filter(|(_, billed)| !billed.is_zero());
        owners
            .filter_map(|(owner, billed)| {
                let traffic = self.traffic_of.get(owner).copied().unwrap_or_default();
                Some((owner.clone()?, (*billed, traffic)))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fee(id: &str, kind: &str, tags: &str, amount: &str) -> Fee {
        let row = serde_json::json!({
            "resource_id": id, "resource_name": id, "resource_type": kind, "resource_tag": tags,
            "usage_type": if kind.ends_with("bandwidth") { "upflow" } else { "Duration" },
            "cloud_service_type": "x", "amount": amount, "official_amount": amount,
        });
        serde_json::from_str(&row.to_string()).unwrap()
    }

    fn fees(items: Vec<Fee>) -> bss::Fees {
        bss::Fees {
            currency: "CNY".to_owned(),
            rows: huaweicloud::Listing { items, skipped: 0 },
        }
    }

    #[test]
    fn parts_add_up_and_owners_come_from_tags_then_from_ids() {
        let rows = fees(vec![
            fee(
                "s1",
                "hws.resource.type.vm",
                "owner:ada;wangcheng-installation:i",
                "1.005",
            ),
            fee(
                "s1",
                "hws.resource.type.vm",
                "owner:ada;wangcheng-installation:i",
                "-0.1",
            ),
            fee("d1", "hws.resource.type.volume", "", "0.2"),
            fee("d2", "hws.resource.type.volume", "", "0.3"),
            fee("b1", "hws.resource.type.bandwidth", "owner=bo", "0.4"),
            fee("o1", "hws.resource.type.rds", "owner:bo,team:x", "5"),
        ]);
        let owners = BTreeMap::from([("d1".to_owned(), "ada".to_owned())]);
        let estimates = Estimates::from([("chen".to_owned(), Decimal::ONE)]);
        let composed = compose(&rows, "6.80".parse().ok(), &owners, &estimates);
        let decimal = |text: &str| -> Decimal { text.parse().unwrap() };
        assert_eq!(composed.sum, decimal("6.805"));
        assert_eq!(composed.kinds.values().copied().sum::<Decimal>(), composed.sum);
        assert_eq!(composed.owners.values().copied().sum::<Decimal>(), composed.sum);
        let of = |owner: Option<&str>| composed.owners[&owner.map(str::to_owned)];
        assert_eq!(
            (of(Some("ada")), of(Some("bo")), of(None)),
            (decimal("1.105"), decimal("5.4"), decimal("0.3"))
        );
        assert_eq!(
            of(Some("chen")),
            Decimal::ZERO,
            "who was only estimated is on the list"
        );
        assert_eq!(composed.rounding, decimal("-0.005"));
        assert_eq!(
            (composed.traffic, composed.untagged, composed.not_ours),
            (decimal("0.4"), decimal("0.3"), decimal("5"))
        );
        assert_eq!(
            composed.by_owner()["bo"],
            (decimal("5.4"), decimal("0.4")),
            "traffic has an owner, too"
        );
        assert_eq!(composed.resources[0].id, "o1");
        assert_eq!(
            composed.resources[1].billed.amount,
            decimal("0.905"),
            "a refund is taken off its server"
        );
    }
}
