//! What a region offers: flavors, images, zones, networks, key pairs and what is left of the quotas.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::{ecs, ims, kps, vpc};
use serde::Serialize;
use ts_rs::TS;

use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::Result;
use crate::grants::ServerDefaults;
use crate::templates::Template;

/// How long an answer is used again. Flavors and images change over weeks; free addresses and quotas are checked by
/// the cloud anyway.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// One flavor that can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Flavor {
    /// Flavor id, e.g. `s6.large.2`.
    pub id: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    #[ts(type = "number")]
    pub ram_mb: u64,
    /// Zones that sell it now.
    pub zones: Vec<String>,
    /// Processor architecture is ARM.
    pub arm: bool,
    /// It costs on while the server is stopped; only the events tell that.
    #[serde(skip)]
    #[ts(skip)]
    pub charged_when_stopped: bool,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Image id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Linux` or `Windows`.
    pub os: Option<String>,
    /// Smallest system disk, in GB.
    pub min_disk_gb: u32,
    /// For ARM processors.
    pub arm: bool,
    /// Linux with cloud-init in it: a key can be given to it.
    pub cloud_init: bool,
}

/// One subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// The id that creation of a server wants.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Address range.
    pub cidr: Option<String>,
    /// Id of its VPC.
    pub vpc: String,
    /// Name of its VPC.
    pub vpc_name: String,
    /// Addresses not in use.
    pub free_addresses: Option<u32>,
}

/// One security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// How much of a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Use {
    /// In use.
    pub used: u32,
    /// At most; none: no limit.
    pub max: Option<u32>,
}

impl Use {
    /// Whether `more` still fits.
    pub fn admits(self, more: u32) -> bool {
        self.max.is_none_or(|max| self.used.saturating_add(more) <= max)
    }
}

impl From<ecs::Usage> for Use {
    fn from(usage: ecs::Usage) -> Self {
        Self {
            used: saturate(usage.used),
            max: usage.max.map(saturate),
        }
    }
}

fn saturate(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What a region offers to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Catalogue {
    /// Templates.
    pub templates: Vec<Template>,
    /// Flavors that some zone sells, smallest first.
    pub flavors: Vec<Flavor>,
    /// Public images.
    pub images: Vec<Image>,
    /// Availability zones.
    pub zones: Vec<String>,
    /// Subnets.
    pub subnets: Vec<Subnet>,
    /// Security groups.
    pub security_groups: Vec<SecurityGroup>,
    /// Names of the key pairs this user may use.
    pub key_pairs: Vec<String>,
    /// Servers of the project.
    pub servers: Use,
    /// Virtual processors of the project.
    pub vcpus: Use,
    /// What the organisation that was joined lets people begin with; none where none was.
    pub defaults: Option<ServerDefaults>,
    /// When the region was asked.
    pub as_of: DateTime<Utc>,
}

impl Wangcheng {
    /// What the account's region offers; at most [`KEPT`] old.
    ///
    /// # Errors
    /// `NotSignedIn`; what the cloud says.
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>> {
        let live = self.active().await?;
        self.catalogue_of(&live).await
    }

    pub(crate) async fn catalogue_of(&self, live: &Live) -> Result<Arc<Catalogue>> {
        let _turn = live.catalogue_turn.lock().await;
        let now = self.now();
        if let Some(fresh) = live.catalogue(now - KEPT) {
            return Ok(fresh);
        }
        match self.ask_catalogue(live).await {
            Ok(catalogue) => {
                let catalogue = Arc::new(catalogue);
                live.tell_catalogue(catalogue.clone(), now);
                Ok(catalogue)
            }
            Err(failure) => {
                self.note_cloud_failure(live, &failure).await;
                Err(failure)
            }
        }
    }

    async fn ask_catalogue(&self, live: &Live) -> Result<Catalogue> {
        let client = self.client(live).await?;
        let project = live.project();
        let images = ims::ImageQuery::of(ims::ImageSource::Public);
        let (zones, flavors, images, vpcs, subnets, groups, pairs, limits) = futures::try_join!(
            ecs::zones(&client, &project),
            ecs::flavors(&client, &project, None),
            ims::images(&client, &images),
            vpc::vpcs(&client, &project),
            vpc::subnets(&client, &project, None),
            vpc::security_groups(&client, &project),
            // Without the right to see key pairs one can still have a server.
            async { Ok(kps::key_pairs(&client, &project).await.ok()) },
            ecs::limits(&client, &project),
        )?;
        let zones: Vec<_> = zones.value.items.into_iter().map(|zone| zone.id).collect();
        let mut flavors: Vec<Flavor> = flavors
            .value
            .items
            .iter()
            .filter(|flavor| flavor.on_demand)
            .map(|flavor| Flavor {
                id: flavor.id.to_string(),
                vcpus: flavor.vcpus,
                ram_mb: flavor.ram_mb,
                zones: zones
                    .iter()
                    .filter(|zone| flavor.sale_in(zone).is_open())
                    .map(ToString::to_string)
                    .collect(),
                arm: flavor.architecture == ecs::Architecture::Arm64,
                charged_when_stopped: flavor.charged_when_stopped,
            })
            .filter(|flavor| !flavor.zones.is_empty())
            .collect();
        flavors.sort_by(|a, b| (a.vcpus, a.ram_mb, &a.id).cmp(&(b.vcpus, b.ram_mb, &b.id)));
        let vpcs = vpcs.value.items;
        let subnets = subnets.value.items.into_iter().map(|subnet| Subnet {
            vpc_name: vpcs
                .iter()
                .find(|vpc| vpc.id == subnet.vpc_id)
                .map(|vpc| vpc.name.clone())
                .unwrap_or_default(),
            id: subnet.id.to_string(),
            name: subnet.name,
            cidr: Some(subnet.cidr).filter(|cidr| !cidr.is_empty()),
            vpc: subnet.vpc_id.to_string(),
            free_addresses: subnet.available_addresses.map(saturate),
        });
        let subnets: Vec<Subnet> = subnets.collect();
        let groups = groups.value.items.into_iter().map(|group| SecurityGroup {
            id: group.id.to_string(),
            name: group.name,
        });
        let groups: Vec<SecurityGroup> = groups.collect();
        let images = images.value.items.into_iter().map(|image| Image {
            arm: image.is_arm(),
            cloud_init: image.has_cloud_init() && !image.is_windows(),
            id: image.id.to_string(),
            name: image.name,
            os: Some(image.os_type).filter(|os| !os.is_empty()),
            min_disk_gb: image.min_disk_gb.unwrap_or(0),
        });
        let images: Vec<Image> = images.collect();
        let defaults = self.grant_defaults().await;
        let defaults = defaults
            .map(|(organisation, defaults)| defaults.of_server(organisation, &subnets, &groups, &images));
        Ok(Catalogue {
            templates: self.templates().await?,
            flavors,
            images,
            zones: zones.iter().map(ToString::to_string).collect(),
            subnets,
            security_groups: groups,
            key_pairs: pairs
                .map(|reply| reply.value.items.into_iter().map(|pair| pair.name).collect())
                .unwrap_or_default(),
            servers: limits.value.servers.into(),
            vcpus: limits.value.vcpus.into(),
            defaults,
            as_of: limits.server_time.unwrap_or_else(|| self.now()),
        })
    }
}
