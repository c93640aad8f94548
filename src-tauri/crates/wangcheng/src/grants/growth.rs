//! A disk that grows cannot be made smaller again, so what it will come to is claimed before it is asked for: by a tag of
//! the disk that every program of its owner reads. Whoever claims waits until nobody can have counted without seeing it,
//! counts, and goes on only if its claim is not the youngest of too many.

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::{Tag, evs};

use crate::servers::TAG_GROWS;

/// A claim is held for as long as a growth may take. What is left by a program that was killed counts no longer than that.
const HOLDS: TimeDelta = TimeDelta::minutes(15);
/// Largest disk that the cloud makes, in GB: a claim that says more is none.
const MOST_GB: u32 = 32_768;

/// What a disk is about to grow to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Growth {
    pub to_gb: u32,
    /// When it was claimed, by the cloud's clock, to the second.
    pub since: DateTime<Utc>,
    /// The end of the id of the operation that claims.
    pub by: String,
}

impl Growth {
    pub fn new(to_gb: u32, since: DateTime<Utc>, operation: &str) -> Self {
        Self {
            to_gb,
            since,
            by: short(operation),
        }
    }

    /// As it stands on the disk.
    pub fn tag(&self) -> Tag {
        let value = format!("{}_{}_{}", self.to_gb, self.since.timestamp(), self.by);
        Tag::new(TAG_GROWS, value)
    }

    /// Of a disk, where one is claimed and still holds.
    pub fn of(volume: &evs::Volume, now: DateTime<Utc>) -> Option<Self> {
        let claim = Self::read(volume.tags.get(TAG_GROWS)?)?;
        let holds = now - claim.since < HOLDS && claim.since - now < HOLDS;
        (holds && volume.size_gb.is_none_or(|gb| gb < claim.to_gb)).then_some(claim)
    }

    /// Whether an operation made this claim.
    pub fn is_of(&self, operation: &str) -> bool {
        self.by == short(operation)
    }

    fn read(value: &str) -> Option<Self> {
        let mut parts = value.splitn(3, '_');
        let to_gb = parts.next()?.parse().ok().filter(|gb| *gb <= MOST_GB)?;
        let since = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?;
        Some(Self {
            to_gb,
            since,
            by: parts.next()?.to_owned(),
        })
    }
}

/// What is random in an id.
fn short(operation: &str) -> String {
    let end: String = operation.chars().rev().take(12).collect();
    end.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(size: u32, tag: &str) -> evs::Volume {
        let row =
            format!(r#"{{"id":"v-1","status":"in-use","size":{size},"tags":{{"{TAG_GROWS}":"{tag}"}}}}"#);
        serde_json::from_str(&row).unwrap()
    }

    #[test]
    fn a_claim_counts_for_as_long_as_a_growth_may_take_and_until_the_disk_is_that_large() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let claim = Growth::new(32_768, now, "0193f1a2-0000-7000-8000-0123456789ab");
        let tag = claim.tag().value;
        assert!(tag.len() <= crate::create::TAG_MOST, "{tag}");
        assert_eq!(Growth::of(&volume(40, &tag), now), Some(claim.clone()));
        assert!(claim.is_of("0193f1a2-0000-7000-8000-0123456789ab") && !claim.is_of("another"));
        assert_eq!(Growth::of(&volume(32_768, &tag), now), None);
        assert_eq!(Growth::of(&volume(40, &tag), now + HOLDS), None);
        for other in [
            "",
            "x",
            "50",
            "50_1",
            "50_x_y",
            "99999_1800000000_a",
            "50_99999999999999_a",
            "-1_1_1",
        ] {
            assert_eq!(Growth::of(&volume(40, other), now), None, "{other}");
        }
    }
}
