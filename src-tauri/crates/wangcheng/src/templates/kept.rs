//! Templates of one's own: kept in the ledger, handed on as a file.

use serde::{Deserialize, Serialize};

use super::{Template, TemplateOrigins, built_in};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::first_start;

const KEY: &str = "templates";
/// What a file of templates says of itself; another number is another program's.
const SCHEMA: u32 = 1;
/// Most templates of one's own.
const MOST: usize = 200;
/// Most bytes of a file.
const FILE_MOST: usize = 256 * 1024;

/// A file of templates, and how the ledger keeps them.
#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    schema: u32,
    templates: Vec<Template>,
}

/// The schema alone: what else stands in a file of another version need not be readable.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

impl Template {
    /// Whether it can be kept: only what some region might sell, and texts that can be shown.
    ///
    /// # Errors
    /// `TemplateInvalid` with the template's id and the field.
    pub(crate) fn check(&self) -> Result<()> {
        let words = |text: &str, most: usize| {
            (1..=most).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
        };
        let id_fits = (1..=40).contains(&self.id.len())
            && self
                .id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let fields = [
            ("id", id_fits),
            ("nameZh", words(&self.name_zh, 60)),
            ("nameEn", words(&self.name_en, 60)),
            ("vcpus", (1..=1024).contains(&self.vcpus)),
            ("ramGb", (1..=65_536).contains(&self.ram_gb)),
            ("image", words(&self.image, 128)),
            ("systemDiskGb", (1..=1024).contains(&self.system_disk_gb)),
            (
                "dataDiskGb",
                self.data_disk_gb.is_none_or(|gb| (10..=32_768).contains(&gb)),
            ),
            (
                "publicMbps",
                self.public_mbps.is_none_or(|mbps| (1..=300).contains(&mbps)),
            ),
            // The cloud's longest lease is shorter than three years.
            (
                "userData",
                self.user_data
                    .as_deref()
                    .is_none_or(|text| first_start::check(text, true, true).is_ok()),
            ),
            ("leaseHours", (1..3 * 365 * 24).contains(&self.lease_hours)),
        ];
        match fields.into_iter().find(|(_, fits)| !fits) {
            None => Ok(()),
            Some((field, _)) => Err(Failure::new(Code::TemplateInvalid)
                .with("template", self.id.chars().take(40).collect::<String>())
                .with("field", field)),
        }
    }
}

/// The templates of a file.
///
/// # Errors
/// `TemplatesUnreadable` with what is wrong where; `TemplateInvalid`.
fn read(file: &str) -> Result<Vec<Template>> {
    let unreadable = |why: String| Failure::new(Code::TemplatesUnreadable).saying(why);
    if file.len() > FILE_MOST {
        return Err(unreadable(format!("more than {FILE_MOST} bytes")));
    }
    let version: Version = serde_json::from_str(file).map_err(|error| unreadable(error.to_string()))?;
    if version.schema != SCHEMA {
        return Err(unreadable(format!("schema {}, not {SCHEMA}", version.schema)));
    }
    let file: File = serde_json::from_str(file).map_err(|error| unreadable(error.to_string()))?;
    if file.templates.len() > MOST {
        return Err(unreadable(format!("more than {MOST} templates")));
    }
    for template in &file.templates {
        template.check()?;
    }
    Ok(file.templates)
}

fn write(templates: Vec<Template>) -> Result<String> {
    let file = File {
        schema: SCHEMA,
        templates,
    };
    serde_json::to_string_pretty(&file).map_err(|error| Failure::new(Code::Internal).saying(error))
}

/// Puts templates in the place of those with the same id, the others behind.
fn put(all: &mut Vec<Template>, more: impl IntoIterator<Item = Template>) {
    for template in more {
        match all.iter_mut().find(|other| other.id == template.id) {
            Some(other) => *other = template,
            None => all.push(template),
        }
    }
}

impl Wangcheng {
    /// All templates: those of the organisation that was joined and those that come with the program, one's own in the place
    /// of those with the same id, then the others of one's own.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn templates(&self) -> Result<Vec<Template>> {
        let mut all = match self.grant_defaults().await {
            Some((_, defaults)) => defaults.offer(built_in()),
            None => built_in(),
        };
        match self.own_templates().await {
            Ok(own) => put(&mut all, own),
            // Servers can still be made; what stands there is left as it is, because nothing can be saved over it.
            Err(failure) if matches!(failure.code, Code::TemplatesUnreadable | Code::TemplateInvalid) => {
                tracing::error!(%failure, "templates of one's own cannot be read");
            }
            Err(failure) => return Err(failure),
        }
        Ok(all)
    }

    /// Keeps one template, in the place of that with the same id.
    ///
    /// # Errors
    /// `TemplateInvalid`, `TemplatesUnreadable` when there are too many; the ledger's.
    pub async fn save_template(&self, template: Template) -> Result<Vec<Template>> {
        template.check()?;
        self.take_in(vec![template]).await
    }

    /// Forgets a template of one's own; one that comes with the program is then as it came.
    ///
    /// # Errors
    /// `TemplateUnknown`; the ledger's.
    pub async fn remove_template(&self, id: &str) -> Result<Vec<Template>> {
        let mut own = self.own_templates().await?;
        let before = own.len();
        own.retain(|template| template.id != id);
        if own.len() == before {
            return Err(Failure::new(Code::TemplateUnknown).with("template", id));
        }
        self.keep(own).await
    }

    /// Which templates came with the program, and which are kept as one's own; one may be both.
    ///
    /// # Errors
    /// `TemplatesUnreadable`, `TemplateInvalid`; the ledger's.
    pub async fn template_origins(&self) -> Result<TemplateOrigins> {
        let ids = |all: Vec<Template>| all.into_iter().map(|template| template.id).collect();
        let of_grant = self.grant_defaults().await;
        Ok(TemplateOrigins {
            grant: ids(of_grant
                .map(|(_, defaults)| defaults.templates)
                .unwrap_or_default()),
            built_in: ids(built_in()),
            own: ids(self.own_templates().await?),
        })
    }

    /// All templates as a file.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn export_templates(&self) -> Result<String> {
        write(self.templates().await?)
    }

    /// Keeps the templates of a file, each in the place of that with the same id: all of them, or none.
    ///
    /// # Errors
    /// `TemplatesUnreadable`, `TemplateInvalid`; the ledger's.
    pub async fn import_templates(&self, file: &str) -> Result<Vec<Template>> {
        // What comes with the program need not be kept.
        let as_it_came = built_in();
        let mut own = read(file)?;
        own.retain(|template| !as_it_came.contains(template));
        self.take_in(own).await
    }

    async fn take_in(&self, more: Vec<Template>) -> Result<Vec<Template>> {
        let mut own = self.own_templates().await?;
        put(&mut own, more);
        if own.len() > MOST {
            return Err(Failure::new(Code::TemplatesUnreadable).saying(format!("more than {MOST} templates")));
        }
        self.keep(own).await
    }

    async fn keep(&self, own: Vec<Template>) -> Result<Vec<Template>> {
        let text = write(own)?;
        self.ledger(move |ledger| ledger.set_setting(KEY, &text)).await?;
        // What a region offers names the templates, too.
        let all: Vec<_> = self.live_accounts().values().cloned().collect();
        all.iter()
            .for_each(|live: &std::sync::Arc<Live>| live.forget_catalogue());
        self.templates().await
    }

    async fn own_templates(&self) -> Result<Vec<Template>> {
        let text = self.ledger(|ledger| ledger.setting(KEY)).await?;
        text.map_or_else(|| Ok(Vec::new()), |text| read(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut file = serde_json::json!({"schema": 1, "templates": [built_in()[0]]});
        change(&mut file);
        file.to_string()
    }

    #[test]
    fn every_template_that_comes_with_the_program_can_be_kept_and_read_back() {
        for template in built_in() {
            template.check().unwrap();
        }
        assert_eq!(read(&write(built_in()).unwrap()).unwrap(), built_in());
    }

    #[test]
    fn a_bad_file_is_refused_with_the_reason() {
        let why = |text: &str| read(text).unwrap_err();
        assert_eq!(why("no json").code, Code::TemplatesUnreadable);
        let newer = why(&file(|file| file["schema"] = 2.into()));
        assert!(newer.detail.unwrap().contains("schema 2"));
        let missing = why(&file(|file| {
            file["templates"][0].as_object_mut().unwrap().remove("image");
        }));
        assert!(missing.detail.unwrap().contains("image"), "the field is named");
        let wrong = why(&file(|file| file["templates"][0]["publicMbps"] = 301.into()));
        assert_eq!(wrong.code, Code::TemplateInvalid);
        assert_eq!(wrong.facts["field"], "publicMbps");
        let odd = why(&file(|file| file["templates"][0]["id"] = "../x".into()));
        assert_eq!(odd.facts["field"], "id");
        assert_eq!(why(&" ".repeat(FILE_MOST + 1)).code, Code::TemplatesUnreadable);
    }

    #[test]
    fn a_template_takes_the_place_of_that_with_its_id() {
        let mut all = built_in();
        let mut other = all[1].clone();
        other.vcpus = 16;
        let new = Template {
            id: "mine".to_owned(),
            ..other.clone()
        };
        put(&mut all, [other.clone(), new.clone()]);
        assert_eq!(all.len(), built_in().len() + 1);
        assert_eq!((&all[1], all.last()), (&other, Some(&new)));
    }
}
