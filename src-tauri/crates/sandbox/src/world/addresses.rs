//! EIPs: public addresses with their bandwidth.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An EIP with its bandwidth.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PublicIp {
    pub(crate) id: String,
    pub(crate) address: std::net::Ipv4Addr,
    pub(crate) kind: String,
    /// A name that its owner gave it.
    pub(crate) alias: String,
    pub(crate) bandwidth_id: String,
    pub(crate) bandwidth_name: String,
    pub(crate) bandwidth_mbps: u32,
    pub(crate) by_traffic: bool,
    pub(crate) server_id: Option<String>,
    pub(crate) port_id: Option<String>,
    pub(crate) private_address: Option<std::net::Ipv4Addr>,
    pub(crate) delete_on_termination: bool,
    pub(crate) user_id: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created: DateTime<Utc>,
}
