//! Templates: flavor, image, disks, network and environment under one name.

mod kept;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;

/// What cloud-init installs on the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// The image as it is.
    None,
    /// Docker from the distribution, started.
    Docker,
    /// Python 3 with pip and venv.
    Python,
    /// The distribution's default JDK and Maven.
    Java,
    /// Node.js with npm.
    Node,
}

impl Environment {
    /// The part of the cloud-init document that installs it.
    ///
    /// Packages come from the distribution's own archives, so that nothing needs to be trusted beyond the image.
    pub fn cloud_config(self) -> Value {
        let (packages, commands): (&[&str], &[&str]) = match self {
            Environment::None => return json!({}),
            Environment::Docker => (&["docker.io"], &["systemctl enable --now docker"]),
            Environment::Python => (&["python3", "python3-pip", "python3-venv"], &[]),
            Environment::Java => (&["default-jdk", "maven"], &[]),
            Environment::Node => (&["nodejs", "npm"], &[]),
        };
        let mut document = json!({"package_update": true, "packages": packages});
        if let (false, Some(document)) = (commands.is_empty(), document.as_object_mut()) {
            document.insert("runcmd".to_owned(), json!(commands));
        }
        document
    }

    /// The cloud-init user data for a server with a key pair of the cloud's, or `None` for the bare image. JSON is
    /// YAML as well.
    pub fn user_data(self) -> Option<String> {
        (self != Environment::None).then(|| format!("#cloud-config\n{:#}\n", self.cloud_config()))
    }
}

/// A kind of server that can be asked for by name. What a region calls it (flavor id, image id) is looked up when it
/// is used, because the same template serves every region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Stable name in ledger and events.
    pub id: String,
    /// Name shown in Chinese.
    pub name_zh: String,
    /// Name shown in English.
    pub name_en: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in GiB.
    pub ram_gb: u32,
    /// How the image's name begins, e.g. `Ubuntu 22.04`; the newest that fits is taken.
    pub image: String,
    /// System disk in GB.
    pub system_disk_gb: u32,
    /// Data disk in GB, if any.
    pub data_disk_gb: Option<u32>,
    /// Public address with this bandwidth in Mbit/s, if any.
    pub public_mbps: Option<u32>,
    /// Lease proposed, in hours.
    pub lease_hours: u32,
    /// What is installed.
    pub environment: Environment,
    /// What is done on the first start beside that: a text for cloud-init.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user_data: Option<String>,
}

/// Where templates are from, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TemplateOrigins {
    /// They are the organisation's that was joined, and come with its grant.
    pub grant: Vec<String>,
    /// They came with the program: they cannot be removed, and one that was changed can become again as it came.
    pub built_in: Vec<String>,
    /// Kept as one's own: these can be removed.
    pub own: Vec<String>,
}

/// The templates that come with the program.
pub fn built_in() -> Vec<Template> {
    let template = |id: &str, zh: &str, en: &str, vcpus, ram_gb, environment| Template {
        id: id.to_owned(),
        name_zh: zh.to_owned(),
        name_en: en.to_owned(),
        vcpus,
        ram_gb,
        image: "Ubuntu".to_owned(),
        system_disk_gb: 40,
        data_disk_gb: None,
        public_mbps: Some(5),
        lease_hours: 8,
        environment,
        user_data: None,
    };
    vec![
        template(
            "linux-small",
            "Linux 小型",
            "Small Linux",
            2,
            4,
            Environment::None,
        ),
        template("docker", "Docker 主机", "Docker", 2, 8, Environment::Docker),
        Template {
            data_disk_gb: Some(100),
            ..template(
                "linux-large",
                "Linux 大型 + 数据盘",
                "Large Linux, data disk",
                8,
                16,
                Environment::None,
            )
        },
        template("python", "Python 开发", "Python", 2, 4, Environment::Python),
        template("java", "Java 开发", "Java", 4, 8, Environment::Java),
        template("node", "Node.js 开发", "Node.js", 2, 4, Environment::Node),
    ]
}
