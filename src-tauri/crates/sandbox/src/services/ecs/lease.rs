//! Scheduled deletion: the moment at which the cloud ends a server.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{Call, Result, body, invalid, refuse_leaving, visible_mut};
use crate::{
    catalogue,
    clock::Pace,
    faults::Fault,
    wire::Answer,
    world::{Charging, Region, whole_minute},
};

/// A lease ends within three years.
const LONGEST: TimeDelta = TimeDelta::days(3 * 365);

#[derive(Debug, Deserialize)]
struct Update {
    auto_terminate_time: String,
}

/// Sets, moves or (with the empty text) cancels a server's lease.
pub(super) fn update(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let update: Update = body(call)?;
    let server = visible_mut(region, id)?;
    refuse_leaving(server)?;
    server.lease_end = if update.auto_terminate_time.is_empty() {
        None
    } else {
        let leasable = catalogue::flavor(&server.flavor).is_none_or(|flavor| flavor.leasable);
        Some(read(
            &update.auto_terminate_time,
            server.charging,
            leasable,
            call.now,
            &call.pace,
        )?)
    };
    server.updated = call.now;
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "updateAutoTerminateTime", (id, &name), 200));
    Ok(Answer::empty(200))
}

/// The moment a lease ends, or why there can be no such lease.
pub(super) fn read(
    text: &str,
    charging: Charging,
    leasable: bool,
    now: DateTime<Utc>,
    pace: &Pace,
) -> Result<DateTime<Utc>> {
    match charging {
        Charging::PayPerUse => {}
        Charging::Period => {
            return Err(Fault::bad(
                "Ecs.0084",
                "Scheduled deletion is not allowed for a yearly/monthly server.",
            ));
        }
        Charging::Spot => return Err(unsupported()),
    }
    if !leasable {
        return Err(unsupported());
    }
    let end = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ")
        .map_err(|_| {
            Fault::bad(
                "Ecs.0082",
                "The format of the scheduled deletion time is incorrect.",
            )
        })?
        .and_utc();
    if end < now + pace.shortest_lease() {
        return Err(Fault::forbidden(
            "Ecs.0083",
            "The scheduled deletion time must be at least half an hour later than the current time.",
        ));
    }
    if end >= now + LONGEST {
        return Err(invalid("auto_terminate_time must be within three years"));
    }
    Ok(if pace.leases_are_sped_up() {
        end
    } else {
        whole_minute(end)
    })
}

fn unsupported() -> Fault {
    Fault::bad("Ecs.0081", "Scheduled deletion is not supported for this server.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: Pace = Pace {
        speed: 1.0,
        lease_speed: 1.0,
        clock_speed: 1.0,
    };

    fn now() -> DateTime<Utc> {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn asked(text: &str) -> Result<DateTime<Utc>> {
        read(text, Charging::PayPerUse, true, now(), &REAL)
    }

    #[test]
    fn a_lease_ends_on_the_minute() {
        assert_eq!(
            asked("2026-01-02T05:00:59Z").unwrap(),
            "2026-01-02T05:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
    }

    #[test]
    fn each_reason_against_a_lease_has_its_code() {
        assert_eq!(asked("2026-01-02 05:00:00").unwrap_err().code, "Ecs.0082");
        let near = asked("2026-01-02T03:34:04Z").unwrap_err();
        assert_eq!((near.status, near.code), (403, "Ecs.0083"));
        assert!(
            asked("2026-01-02T03:34:05Z").is_ok(),
            "exactly half an hour is enough"
        );
        assert_eq!(asked("2029-01-02T03:04:05Z").unwrap_err().code, "Ecs.0005");
        let at = "2026-01-02T05:00:00Z";
        assert_eq!(
            read(at, Charging::Period, true, now(), &REAL).unwrap_err().code,
            "Ecs.0084"
        );
        assert_eq!(
            read(at, Charging::Spot, true, now(), &REAL).unwrap_err().code,
            "Ecs.0081"
        );
        assert_eq!(
            read(at, Charging::PayPerUse, false, now(), &REAL)
                .unwrap_err()
                .code,
            "Ecs.0081"
        );
    }

    #[test]
    fn sped_up_leases_may_be_seconds_long() {
        let fast = Pace {
            lease_speed: 600.0,
            ..REAL
        };
        let end = read("2026-01-02T03:04:09Z", Charging::PayPerUse, true, now(), &fast).unwrap();
        assert_eq!(end, now() + TimeDelta::seconds(4));
    }
}
