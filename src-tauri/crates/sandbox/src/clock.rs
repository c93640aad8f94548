//! The sandbox's clock: the machine's, moved by an offset that the control listener sets.
//!
//! Everything that has a time reads it here once per request or tick and passes it on, so the rules of the world can be
//! tested at any clock, and a client's wrong clock can be played by moving this one.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// How far the clock can be moved either way, in seconds: four years, past the longest lease.
pub(crate) const LARGEST_OFFSET_S: i64 = 4 * 366 * 24 * 3600;

#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_s: AtomicI64,
}

impl Clock {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(self.offset_s.load(Ordering::Relaxed))
    }

    /// Moves the clock to `offset_s` seconds from the machine's; beyond [`LARGEST_OFFSET_S`] it stops there.
    pub(crate) fn set_offset(&self, offset_s: i64) -> i64 {
        let offset_s = offset_s.clamp(-LARGEST_OFFSET_S, LARGEST_OFFSET_S);
        self.offset_s.store(offset_s, Ordering::Relaxed);
        offset_s
    }
}

/// How fast the world goes. At 1 it is about ten times as fast as the cloud: a server boots in some six seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) speed: f64,
    pub(crate) lease_speed: f64,
}

impl Pace {
    /// What lasts `seconds` at speed 1.
    pub(crate) fn lasting(&self, seconds: f64) -> TimeDelta {
        micros(seconds / self.speed)
    }

    /// How far ahead a lease has to end: half an hour unless leases are sped up.
    pub(crate) fn shortest_lease(&self) -> TimeDelta {
        micros(1800.0 / self.lease_speed)
    }

    /// Leases count in whole minutes, except where sped up ones would come out as already past.
    pub(crate) fn leases_are_sped_up(&self) -> bool {
        self.lease_speed > 1.0
    }

    /// The time between two sweeps for servers whose lease has ended: the cloud's five minutes in demo time.
    pub(crate) fn sweep_interval(&self) -> TimeDelta {
        micros(30.0 / self.speed.max(self.lease_speed))
    }
}

fn micros(seconds: f64) -> TimeDelta {
    // The cast saturates, and a speed is checked to be positive and finite when the sandbox starts.
    TimeDelta::microseconds((seconds * 1e6) as i64)
}
