//! What the people of an organisation begin with. None of it is a limit: whoever wants another one chooses it.

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use ts_rs::TS;

use super::document::{is_hidden, unreadable};
use super::link::HeiPlace;
use crate::Wangcheng;
use crate::catalogue::{Image, SecurityGroup, Subnet};
use crate::templates::{Environment, Template};

/// Most templates, and most images.
const LIST_MOST: usize = 50;
/// Longest text, in characters.
const TEXT_MOST: usize = 128;

/// What people begin with: at sign-in, in the form of a new server, and for their events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Defaults {
    /// Region id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub region: Option<String>,
    /// Project id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub project: Option<String>,
    /// Id of the subnet that a new server is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subnet: Option<String>,
    /// Id of its security group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub security_group: Option<String>,
    /// Id of the template that is chosen first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub template: Option<String>,
    /// Templates of the organisation, offered before the others. What one leaves open stands nowhere in it.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "without_nulls")]
    #[ts(optional, as = "Option<Vec<Template>>")]
    pub templates: Vec<Template>,
    /// How the names of images begin that are taken where a template that came with the program names one; the first that
    /// the region has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub images: Vec<String>,
    /// What the templates that came with the program may install; those with another environment are not offered. Empty:
    /// all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Environment>>")]
    pub environments: Vec<Environment>,
    /// Where events go; the token comes by another way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hei: Option<HeiPlace>,
}

/// A grant knows no null: there is one way to leave something out.
fn without_nulls<S: Serializer>(templates: &[Template], serializer: S) -> Result<S::Ok, S::Error> {
    let rows = templates.iter().map(|template| {
        let mut row = serde_json::to_value(template).map_err(S::Error::custom)?;
        if let Some(members) = row.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        Ok(row)
    });
    rows.collect::<Result<Vec<Value>, S::Error>>()?
        .serialize(serializer)
}

/// What of the defaults is about a new server, with whose they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerDefaults {
    /// Name of the organisation.
    pub organisation: String,
    /// Id of the template that is chosen first.
    pub template: Option<String>,
    /// Ids of the templates that are the organisation's.
    pub templates: Vec<String>,
    /// Id of the subnet, where the region has it.
    pub subnet: Option<String>,
    /// Id of the security group, where the region has it.
    pub security_group: Option<String>,
    /// How the names of images begin that are taken first.
    pub images: Vec<String>,
}

impl Defaults {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it can be said at all.
    ///
    /// # Errors
    /// `GrantUnreadable` with why.
    pub(super) fn check(&self) -> crate::failure::Result<()> {
        let ids = [
            &self.region,
            &self.project,
            &self.subnet,
            &self.security_group,
            &self.template,
        ];
        let mut texts = ids.into_iter().flatten().chain(&self.images);
        let fits =
            |text: &String| (1..=TEXT_MOST).contains(&text.chars().count()) && !text.chars().any(is_hidden);
        if !texts.all(fits) {
            return Err(unreadable(
                "a default that is empty, too long or has signs that do not show",
            ));
        }
        if self
            .templates
            .len()
            .max(self.images.len())
            .max(self.environments.len())
            > LIST_MOST
        {
            return Err(unreadable("too many defaults"));
        }
        for template in &self.templates {
            template.check().map_err(|failure| {
                let field = failure.facts.get("field").cloned().unwrap_or_default();
                unreadable(format!("the template {}: {field}", template.id))
            })?;
        }
        let mut ids: Vec<_> = self.templates.iter().map(|template| &template.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(unreadable("a template stands twice"));
        }
        if self.hei.as_ref().is_some_and(|hei| !hei.is_one()) {
            return Err(unreadable("no address of the HEI"));
        }
        Ok(())
    }

    /// The templates as they are offered: the organisation's first, then those that came with the program and fit, one's own
    /// in the place of those with the same id.
    pub(crate) fn offer(&self, built_in: Vec<Template>) -> Vec<Template> {
        let mut all = self.templates.clone();
        let fits = |template: &Template| {
            self.environments.is_empty() || self.environments.contains(&template.environment)
        };
        let others = built_in.into_iter().filter(fits);
        all.extend(others.filter(|one| self.templates.iter().all(|of| of.id != one.id)));
        all
    }

    /// What is about a new server, of what the region has.
    pub(crate) fn of_server(
        &self,
        organisation: String,
        subnets: &[Subnet],
        groups: &[SecurityGroup],
        images: &[Image],
    ) -> ServerDefaults {
        let subnet = self.subnet.as_ref();
        let group = self.security_group.as_ref();
        let begins = |beginning: &&String| {
            images
                .iter()
                .any(|image| image.name.starts_with(beginning.as_str()))
        };
        ServerDefaults {
            organisation,
            template: self.template.clone(),
            templates: self
                .templates
                .iter()
                .map(|template| template.id.clone())
                .collect(),
            subnet: subnet
                .filter(|id| subnets.iter().any(|one| one.id == **id))
                .cloned(),
            security_group: group
                .filter(|id| groups.iter().any(|one| one.id == **id))
                .cloned(),
            images: self.images.iter().filter(begins).cloned().collect(),
        }
    }
}

impl Wangcheng {
    /// What the organisation that was joined lets people begin with, and its name; nothing where none was, or its grant does
    /// not hold.
    pub(crate) async fn grant_defaults(&self) -> Option<(String, Defaults)> {
        let kept = self.kept_grant().await.ok().flatten()?;
        let grant = kept.grant().ok()?;
        super::kept::holds(&grant, self.grant_now().await).ok()?;
        Some((grant.organisation.name, grant.defaults))
    }

    /// What regions offer names what a grant says: it is read anew.
    pub(super) fn forget_catalogues(&self) {
        for live in self.live_accounts().values() {
            live.forget_catalogue();
        }
    }
}
