//! The ports of a guest that lead out of it by `ssh -R`. They exist on the simulated machine only: nothing listens for them on
//! this computer.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use russh::server::Handle;

/// Where the guest itself answers.
pub(super) const TAKEN: [u32; 3] = [22, super::page::PORT, super::console::DESK_PORT];
/// Out of which a port is chosen for who wants any.
const CHOSEN: RangeInclusive<u32> = 40_000..=40_999;
/// Most of them at once.
const MOST: usize = 64;

/// Which connection made a port.
pub(super) type Maker = u64;

/// The ports, by their numbers.
#[derive(Default)]
pub(super) struct Ports(BTreeMap<u32, Port>);

struct Port {
    maker: Maker,
    /// The address as it was asked for, which the other side knows the port by.
    address: String,
    handle: Handle,
}

impl Ports {
    /// Opens a port; 0 lets one be chosen. `None` when it is taken, is none, or there are too many.
    pub(super) fn open(&mut self, maker: Maker, address: &str, port: u32, handle: Handle) -> Option<u32> {
        let is_free = |port: &u32| !TAKEN.contains(port) && !self.0.contains_key(port);
        let port = match port {
            0 => CHOSEN.into_iter().find(is_free)?,
            port if port <= u32::from(u16::MAX) && is_free(&port) => port,
            _ => return None,
        };
        if self.0.len() >= MOST {
            return None;
        }
        let address = address.to_owned();
        self.0.insert(
            port,
            Port {
                maker,
                address,
                handle,
            },
        );
        Some(port)
    }

    /// Closes one of this connection's.
    pub(super) fn close(&mut self, maker: Maker, port: u32) -> bool {
        let own = self.0.get(&port).is_some_and(|open| open.maker == maker);
        own && self.0.remove(&port).is_some()
    }

    /// Closes all of this connection's.
    pub(super) fn close_all(&mut self, maker: Maker) {
        self.0.retain(|_, open| open.maker != maker);
    }

    /// The way out by a port: whom to tell, and by which address.
    pub(super) fn way(&self, port: u32) -> Option<(Handle, String)> {
        let open = self.0.get(&port)?;
        Some((open.handle.clone(), open.address.clone()))
    }

    /// The numbers of those that are open.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }
}
