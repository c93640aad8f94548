//! What is bought, and the body that orders it.

use chrono::{DateTime, Utc};
use huaweicloud::bss::Product;
use huaweicloud::ecs;

use super::{DISK_TYPE, Plan, PricePartKind, TAG_MOST};
use crate::first_start;
use crate::grants::{Wish, hours_left};
use crate::money::Money;
use crate::servers::{TAG_INSTALLATION, TAG_OPERATION, TAG_OWNER, TAG_PURPOSE};

/// Pool of public addresses: dynamic BGP, to be had in every region.
const PUBLIC_POOL: &str = "5_bgp";

impl Plan {
    /// Size of the system disk: what the template says, or what the image needs.
    pub fn system_disk_gb(&self) -> u32 {
        self.template.system_disk_gb.max(self.image.min_disk_gb)
    }

    pub fn is_windows(&self) -> bool {
        self.image.os.as_deref() == Some("Windows")
    }

    /// What it asks of a grant.
    pub(crate) fn wish(&self, price: Option<&Money>, now: DateTime<Utc>) -> Wish {
        let disks = [Some(self.system_disk_gb()), self.template.data_disk_gb];
        let hours = hours_left(now, Some(self.lease_end), now);
        Wish {
            servers: 1,
            vcpus: self.flavor.vcpus,
            disk_gb: disks.iter().flatten().sum(),
            disk_gb_each: disks.into_iter().flatten().max(),
            flavor: Some(self.flavor.id.clone()),
            public_address: self.public_mbps > 0,
            lease_end: Some(self.lease_end),
            hours,
            money: price.map(|price| Money::new(price.amount * hours, price.currency.clone())),
            ..Wish::default()
        }
    }

    /// What is bought, in the words of the price list.
    pub(super) fn products(&self) -> Vec<(PricePartKind, String, Product)> {
        let system = self.system_disk_gb();
        let disk = |gb: u32| Product::Volume {
            volume_type: DISK_TYPE.to_owned(),
            size_gb: gb,
        };
        let disk_text = |gb: u32| format!("{DISK_TYPE} {gb} GB");
        let mut products = vec![
            (
                PricePartKind::Compute,
                self.flavor.id.clone(),
                Product::Server {
                    flavor: self.flavor.id.as_str().into(),
                    windows: self.is_windows(),
                    zone: None,
                },
            ),
            (PricePartKind::SystemDisk, disk_text(system), disk(system)),
        ];
        if let Some(data) = self.template.data_disk_gb {
            products.push((PricePartKind::DataDisk, disk_text(data), disk(data)));
        }
        if self.public_mbps > 0 {
            products.push((
                PricePartKind::PublicAddress,
                format!("{} Mbit/s", self.public_mbps),
                Product::Bandwidth {
                    mbit: self.public_mbps,
                },
            ));
        }
        products
    }

    /// The request's body. `user_data`: what is done on the first start; none: what the template's environment needs.
    pub fn body(
        &self,
        account: &store::Account,
        installation_id: &str,
        op_id: &str,
        user_data: Option<String>,
    ) -> ecs::CreateServer {
        let user_data = match user_data {
            None => {
                let ours = self.template.environment.user_data();
                let ours = ours.filter(|_| !self.is_windows());
                first_start::compose(ours, self.own_text.as_deref())
            }
            given => given,
        };
        let mut tags = vec![
            (TAG_OWNER.to_owned(), tag_value(&account.user_name)),
            (TAG_INSTALLATION.to_owned(), installation_id.to_owned()),
            (TAG_OPERATION.to_owned(), op_id.to_owned()),
        ];
        if !self.purpose.is_empty() {
            tags.push((TAG_PURPOSE.to_owned(), self.purpose.clone()));
        }
        ecs::CreateServer {
            name: self.name.clone(),
            flavor: self.flavor.id.as_str().into(),
            image: self.image.id.as_str().into(),
            vpc: self.subnet.vpc.as_str().into(),
            subnets: vec![self.subnet.id.as_str().into()],
            security_groups: self
                .security_group
                .iter()
                .map(|group| group.id.as_str().into())
                .collect(),
            zone: Some(self.zone.as_str().into()),
            key_name: self.key_pair.clone(),
            admin_pass: None,
            root_volume: ecs::RootVolume {
                volume_type: DISK_TYPE.to_owned(),
                size_gb: Some(self.system_disk_gb()),
            },
            data_volumes: self
                .template
                .data_disk_gb
                .map(|size_gb| ecs::DataVolume {
                    volume_type: DISK_TYPE.to_owned(),
                    size_gb,
                    delete_on_termination: true,
                })
                .into_iter()
                .collect(),
            public_ip: (self.public_mbps > 0).then(|| ecs::NewPublicIp {
                pool: PUBLIC_POOL.to_owned(),
                mbit: self.public_mbps,
                // By bandwidth, so that the price is known beforehand.
                charge: ecs::BandwidthCharge::Bandwidth,
                delete_on_termination: true,
            }),
            auto_terminate_time: Some(self.lease_end),
            tags,
            user_data: user_data.map(String::into_bytes),
            description: None,
        }
    }
}

/// A user name as a tag value: cut to what a tag holds, and without the signs it does not take.
pub(crate) fn tag_value(text: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    text.chars()
        .map(|c| if fits(c) { c } else { '_' })
        .take(TAG_MOST)
        .collect()
}
