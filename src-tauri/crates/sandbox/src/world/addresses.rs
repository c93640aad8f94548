//! EIPs: public addresses with their bandwidth.

use std::{collections::BTreeMap, net::Ipv4Addr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Region, new_id};

/// An EIP with its bandwidth.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PublicIp {
    pub(crate) id: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) kind: String,
    /// A name that its owner gave it.
    pub(crate) alias: String,
    pub(crate) bandwidth_id: String,
    pub(crate) bandwidth_name: String,
    pub(crate) bandwidth_mbps: u32,
    pub(crate) by_traffic: bool,
    pub(crate) server_id: Option<String>,
    pub(crate) port_id: Option<String>,
    pub(crate) private_address: Option<Ipv4Addr>,
    pub(crate) delete_on_termination: bool,
    pub(crate) user_id: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created: DateTime<Utc>,
}

/// An EIP to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewAddress {
    pub(crate) kind: String,
    pub(crate) alias: String,
    /// `None`: named after the address.
    pub(crate) bandwidth_name: Option<String>,
    pub(crate) mbps: u32,
    pub(crate) by_traffic: bool,
    pub(crate) delete_on_termination: bool,
    /// One that is wanted and known to be free; `None` takes any.
    pub(crate) address: Option<Ipv4Addr>,
}

impl Region {
    /// Makes a free EIP; `None` when the pool is empty.
    pub(crate) fn new_address(
        &mut self,
        new: &NewAddress,
        user_id: &str,
        now: DateTime<Utc>,
    ) -> Option<String> {
        let address = match new.address {
            Some(address) => address,
            None => self.free_public_addresses().next()?,
        };
        let id = new_id();
        let bandwidth_name = new.bandwidth_name.clone();
        let public = PublicIp {
            id: id.clone(),
            address,
            kind: new.kind.clone(),
            alias: new.alias.clone(),
            bandwidth_id: new_id(),
            bandwidth_name: bandwidth_name.unwrap_or_else(|| format!("bandwidth-{address}")),
            bandwidth_mbps: new.mbps,
            by_traffic: new.by_traffic,
            server_id: None,
            port_id: None,
            private_address: None,
            delete_on_termination: new.delete_on_termination,
            user_id: user_id.to_owned(),
            tags: BTreeMap::new(),
            created: now,
        };
        self.addresses.insert(id.clone(), public);
        Some(id)
    }

    /// From the block that is set aside for documentation (RFC 5737): it leads nowhere.
    pub(crate) fn free_public_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        (1..=254)
            .map(|n| Ipv4Addr::new(203, 0, 113, n))
            .filter(|address| self.addresses.values().all(|public| public.address != *address))
    }

    /// Binds an EIP to the NIC that has this port; false if there is no such port.
    pub(crate) fn bind(&mut self, id: &str, port: &str) -> bool {
        let nic = self.servers.values().find_map(|server| {
            let nic = server.nics.iter().find(|nic| nic.port_id == port)?;
            Some((server.id.clone(), nic.address))
        });
        let (Some((server, private)), Some(public)) = (nic, self.addresses.get_mut(id)) else {
            return false;
        };
        public.server_id = Some(server);
        public.port_id = Some(port.to_owned());
        public.private_address = Some(private);
        true
    }

    pub(crate) fn unbind(&mut self, id: &str) {
        if let Some(public) = self.addresses.get_mut(id) {
            public.server_id = None;
            public.port_id = None;
            public.private_address = None;
        }
    }

    pub(crate) fn delete_address(&mut self, id: &str) {
        self.addresses.remove(id);
    }
}
