//! The sandbox's two clocks.
//!
//! - The clock **of the wire** is the machine's, moved by an offset that the control listener sets. By it the gateway judges
//!   signatures, locks keys and writes `Date`, object storage dates objects, and the receiver dates what came. A caller signs
//!   by a clock of its own, which keeps the machine's pace: if this one ran faster, no caller could ever sign.
//! - The clock **of the region** goes on from there, at any speed. By it leases end, jobs are forgotten, tokens grow too old,
//!   and bills are written. At speed 1 it is the same clock.
//!
//! Everything that has a time reads its clock once per request or tick and passes it on, so the rules of the world can be
//! tested at any clock, and a client's wrong clock can be played by moving this one.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};

/// How far the clock can be moved either way, in seconds: four years, past the longest lease.
pub(crate) const LARGEST_OFFSET_S: i64 = 4 * 366 * 24 * 3600;
/// How far the region's clock runs ahead of the machine's at most, in milliseconds: fifty years. Then it keeps its pace.
const FURTHEST_AHEAD_MS: i64 = 50 * 366 * 24 * 3_600_000;

#[derive(Debug)]
pub(crate) struct Clock {
    offset_s: AtomicI64,
    /// How many seconds of the region go by in one of the machine's.
    speed: f64,
    started: Instant,
    /// How far the region's clock was ahead of the machine's at the start.
    ahead_ms: i64,
}

impl Clock {
    /// A clock of a region that goes on, `ahead_ms` milliseconds ahead of the machine's.
    pub(crate) fn new(speed: f64, ahead_ms: i64) -> Self {
        Self {
            offset_s: AtomicI64::new(0),
            speed,
            started: Instant::now(),
            ahead_ms,
        }
    }

    /// The time by which a caller signs.
    pub(crate) fn wire(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(self.offset_s.load(Ordering::Relaxed))
    }

    /// The time in the region.
    pub(crate) fn region(&self) -> DateTime<Utc> {
        self.wire() + TimeDelta::milliseconds(self.ahead_ms())
    }

    /// How far the region's clock is ahead of that of the wire.
    pub(crate) fn ahead_ms(&self) -> i64 {
        let gained = self.started.elapsed().as_secs_f64() * (self.speed - 1.0);
        // The cast saturates.
        self.ahead_ms
            .saturating_add((gained * 1000.0) as i64)
            .clamp(-FURTHEST_AHEAD_MS, FURTHEST_AHEAD_MS)
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
    /// How fast jobs and states go by the machine's clock.
    pub(crate) speed: f64,
    pub(crate) lease_speed: f64,
    /// How fast the region's own clock goes.
    pub(crate) clock_speed: f64,
}

impl Pace {
    /// What lasts `seconds` at speed 1. A boot is to be seen however fast the region's clock goes, so these are seconds of
    /// the machine's, told in the region's time.
    pub(crate) fn lasting(&self, seconds: f64) -> TimeDelta {
        span(seconds / self.speed * self.clock_speed)
    }

    /// How far ahead a lease has to end: half an hour unless leases are sped up.
    pub(crate) fn shortest_lease(&self) -> TimeDelta {
        span(1800.0 / self.lease_speed)
    }

    /// Leases count in whole minutes, except where sped up ones would come out as already past.
    pub(crate) fn leases_are_sped_up(&self) -> bool {
        self.lease_speed > 1.0
    }

    /// The time between two sweeps for servers whose lease has ended: the cloud's five minutes in demo time, and never
    /// longer than those in the region's.
    pub(crate) fn sweep_interval(&self) -> TimeDelta {
        span((30.0 * self.clock_speed).min(300.0) / self.speed.max(self.lease_speed))
    }
}

/// At most a century, so that any time plus this is still a time. A speed is checked to be positive and finite when the
/// sandbox starts.
fn span(seconds: f64) -> TimeDelta {
    const CENTURY_S: f64 = 100.0 * 366.0 * 24.0 * 3600.0;
    TimeDelta::microseconds((seconds.min(CENTURY_S) * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_speed_one_there_is_one_clock() {
        let clock = Clock::new(1.0, 0);
        clock.set_offset(-3600);
        assert_eq!(clock.ahead_ms(), 0);
        assert!((clock.wire() - clock.region()).num_milliseconds().abs() < 1000);
    }

    #[test]
    fn a_fast_region_leaves_the_wire_its_own_time_and_goes_on_where_it_was() {
        let clock = Clock::new(86_400.0, 5_000);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!((clock.wire() - Utc::now()).num_seconds().abs() < 2);
        // At a day a second, 20 ms are almost half an hour.
        assert!(clock.ahead_ms() >= 5_000 + 20 * 86_399, "{}", clock.ahead_ms());
    }

    #[test]
    fn no_speed_makes_a_time_that_is_none() {
        let wild = Clock::new(f64::MAX, i64::MAX);
        assert_eq!(wild.ahead_ms(), FURTHEST_AHEAD_MS);
        assert!(wild.region() > wild.wire());
        for speed in [f64::MIN_POSITIVE, f64::MAX] {
            let pace = Pace {
                speed,
                lease_speed: speed,
                clock_speed: 1.0 / speed,
            };
            for span in [pace.lasting(6.0), pace.shortest_lease(), pace.sweep_interval()] {
                assert!(wild.region().checked_add_signed(span).is_some());
            }
        }
    }

    #[test]
    fn steps_last_as_long_on_the_machines_clock_however_fast_the_regions_is() {
        let pace = Pace {
            speed: 2.0,
            lease_speed: 1.0,
            clock_speed: 1440.0,
        };
        assert_eq!(pace.lasting(6.0), TimeDelta::seconds(3 * 1440));
        assert_eq!(pace.sweep_interval(), TimeDelta::seconds(150));
    }
}
