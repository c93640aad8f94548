//! Events as they stand in the body of a request.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::envelope::Envelope;
use crate::{Error, ErrorKind, Framing, Limits, MessageMode, Profile, Routing, TimeFormat};

/// One event to post.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The event itself, one JSON object as text.
    pub json: &'a str,
}

/// Events as one request carries them.
pub struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) gzip: bool,
}

/// Cuts events into requests, in order: as many as fit into both limits. An event that alone exceeds the bytes, and
/// any event where a limit is 0, goes by itself rather than never.
pub fn batch<'a, 'e>(events: &'a [Event<'e>], limits: Limits) -> Vec<&'a [Event<'e>]> {
    let mut batches = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let mut bytes = 0_usize;
        let fitting = rest.iter().take(limits.events).take_while(|event| {
            bytes = bytes.saturating_add(event.json.len());
            bytes <= limits.bytes
        });
        // At least 1 and, being counted over `rest`, at most all of it.
        let (batch, after) = rest.split_at(fitting.count().max(1));
        batches.push(batch);
        rest = after;
    }
    batches
}

/// The body that carries these events, uncompressed.
pub(crate) fn write(profile: &Profile, events: &[Event<'_>]) -> Result<Vec<u8>, Error> {
    let size = events
        .iter()
        .map(|event| event.json.len() + event.json.len() / 3 + 200)
        .sum();
    let mut body = Vec::with_capacity(size);
    let failed = |error: serde_json::Error| Error::new(ErrorKind::Encoding, error.to_string());
    let envelope = Envelope::new(profile).map_err(failed)?;
    match profile.framing {
        Framing::JsonArray => {
            body.push(b'[');
            for (nth, event) in events.iter().enumerate() {
                if nth > 0 {
                    body.push(b',');
                }
                envelope.write(&mut body, event).map_err(failed)?;
            }
            body.push(b']');
        }
        Framing::JsonObject | Framing::HecConcat => {
            for event in events {
                envelope.write(&mut body, event).map_err(failed)?;
            }
        }
        Framing::Ndjson => {
            for event in events {
                envelope.write(&mut body, event).map_err(failed)?;
                body.push(b'\n');
            }
        }
        Framing::TextLines => {
            for event in events {
                // JSON as text has line breaks only between its parts, where a space means the same.
                body.extend(event.json.bytes().map(|byte| match byte {
                    b'\n' | b'\r' => b' ',
                    byte => byte,
                }));
                body.push(b'\n');
            }
        }
    }
    Ok(body)
}

/// The body as a person may read it.
pub(crate) fn shown(profile: &Profile, events: &[Event<'_>]) -> String {
    let pretty = |event| serde_json::to_string_pretty(&Wrapped { profile, event }).unwrap_or_default();
    match profile.framing {
        Framing::JsonArray => {
            let all: Vec<_> = events.iter().map(|event| Wrapped { profile, event }).collect();
            serde_json::to_string_pretty(&all).unwrap_or_default()
        }
        Framing::JsonObject | Framing::HecConcat => events.iter().map(pretty).collect(),
        Framing::Ndjson | Framing::TextLines => {
            String::from_utf8(write(profile, events).unwrap_or_default()).unwrap_or_default()
        }
    }
}

pub(crate) fn gzip(body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.map_err(|error| Error::new(ErrorKind::Encoding, error.to_string()))
}

/// One event in its envelope, laid out for a person; [`Envelope`] is the same for a body.
struct Wrapped<'a> {
    profile: &'a Profile,
    event: &'a Event<'a>,
}

impl Serialize for Wrapped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { profile, event } = self;
        let mut map = serializer.serialize_map(None)?;
        if !profile.message_field.is_empty() {
            match profile.message_mode {
                MessageMode::JsonText => map.serialize_entry(&profile.message_field, event.json)?,
                MessageMode::Object => map.serialize_entry(&profile.message_field, &raw(event.json)?)?,
                MessageMode::Omit => {}
            }
        }
        if profile.routing == Routing::Body {
            if !profile.datatype_field.is_empty() {
                map.serialize_entry(&profile.datatype_field, &profile.datatype)?;
            }
            if !profile.event_set_field.is_empty() {
                map.serialize_entry(&profile.event_set_field, &profile.event_set)?;
            }
        }
        if !profile.time_field.is_empty() {
            let (name, time) = (&profile.time_field, event.time);
            match profile.time_format {
                TimeFormat::Rfc3339Ms => {
                    map.serialize_entry(name, &time.to_rfc3339_opts(SecondsFormat::Millis, true))?;
                }
                TimeFormat::EpochUs => map.serialize_entry(name, &time.timestamp_micros())?,
                TimeFormat::EpochMs => map.serialize_entry(name, &time.timestamp_millis())?,
                TimeFormat::EpochS => map.serialize_entry(name, &time.timestamp())?,
                TimeFormat::EpochSFraction => {
                    let text = format!("{}.{:03}", time.timestamp(), time.timestamp_subsec_millis());
                    map.serialize_entry(name, &raw(&text)?)?;
                }
                TimeFormat::Zero => map.serialize_entry(name, &0)?,
            }
        }
        if !profile.source_field.is_empty() {
            map.serialize_entry(&profile.source_field, &profile.source)?;
        }
        if !profile.host_field.is_empty() && !profile.host.is_empty() {
            map.serialize_entry(&profile.host_field, &profile.host)?;
        }
        for (name, value) in &profile.extra_fields {
            map.serialize_entry(name, value)?;
        }
        if profile.spread {
            let own: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(event.json).map_err(serde::ser::Error::custom)?;
            for (name, value) in own.iter().filter(|(name, _)| !profile.writes(name)) {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl Profile {
    /// Whether the envelope has this key itself.
    pub(crate) fn writes(&self, key: &str) -> bool {
        let fields = [
            &self.message_field,
            &self.datatype_field,
            &self.event_set_field,
            &self.time_field,
            &self.source_field,
            &self.host_field,
        ];
        fields.into_iter().any(|field| field == key) || self.extra_fields.contains_key(key)
    }
}

fn raw<E: serde::ser::Error>(json: &str) -> Result<&RawValue, E> {
    <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_fit_both_limits_and_an_oversized_event_goes_by_itself() {
        let time = DateTime::UNIX_EPOCH;
        let texts = ["aa", "bb", "cc", "a-text-too-long-for-any-batch", "dd", "ee"];
        let events = texts.map(|json| Event { time, json });
        let cut = |events_limit, bytes| -> Vec<Vec<&str>> {
            let batches = batch(
                &events,
                Limits {
                    events: events_limit,
                    bytes,
                    wait_ms: 0,
                },
            );
            batches
                .into_iter()
                .map(|batch| batch.iter().map(|event| event.json).collect())
                .collect()
        };
        let long = texts[3];
        assert_eq!(
            cut(9, 5),
            [vec!["aa", "bb"], vec!["cc"], vec![long], vec!["dd", "ee"]]
        );
        assert_eq!(cut(4, 1000), [vec!["aa", "bb", "cc", long], vec!["dd", "ee"]]);
        assert_eq!(
            cut(0, 0).len(),
            texts.len(),
            "limits of nothing still let everything through"
        );
        assert!(batch(&[], Limits::default()).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn what_is_sent_is_what_is_shown(
            fields in proptest::collection::vec("[a-c\"\\\\\u{7}]{0,3}", 8), message in 0_usize..3, time in 0_usize..6,
            spread: bool, in_body: bool, value in ".{0,100}", ms in 0_i64..4_000_000_000_000,
        ) {
            let [message_field, datatype_field, event_set_field, time_field, source_field, host_field, host, extra] =
                <[String; 8]>::try_from(fields).unwrap();
            let message_mode = [MessageMode::JsonText, MessageMode::Object, MessageMode::Omit][message];
            let time_format = [
                TimeFormat::Rfc3339Ms, TimeFormat::EpochUs, TimeFormat::EpochMs, TimeFormat::EpochS,
                TimeFormat::EpochSFraction, TimeFormat::Zero,
            ][time];
            let routing = if in_body { Routing::Body } else { Routing::Header };
            let profile = Profile {
                message_field, datatype_field, event_set_field, time_field, source_field, host_field, host,
                message_mode, time_format, routing, spread, extra_fields: [(extra, value.clone())].into(),
                framing: Framing::JsonArray, ..Profile::yanhuang()
            };
            let json = serde_json::json!({"a": value, "b": [1, {"c": null}], "z": 1.5}).to_string();
            let time = DateTime::from_timestamp_millis(ms).unwrap();
            let events = [Event { time, json: &json }; 2];
            let all: Vec<_> = events.iter().map(|event| Wrapped { profile: &profile, event }).collect();
            let body = String::from_utf8(write(&profile, &events).unwrap()).unwrap();
            proptest::prop_assert_eq!(body, serde_json::to_string(&all).unwrap());
        }

        #[test]
        fn batches_together_are_the_events_in_order(
            lengths in proptest::collection::vec(0_usize..40, 0..60), count in 0_usize..8, bytes in 0_usize..100,
        ) {
            let texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let time = DateTime::UNIX_EPOCH;
            let events: Vec<Event<'_>> = texts.iter().map(|json| Event { time, json }).collect();
            let batches = batch(&events, Limits { events: count, bytes, wait_ms: 0 });
            for batch in &batches {
                let size: usize = batch.iter().map(|event| event.json.len()).sum();
                proptest::prop_assert!(batch.len() == 1 || (batch.len() <= count && size <= bytes));
            }
            let joined: Vec<&str> = batches.concat().into_iter().map(|event| event.json).collect();
            proptest::prop_assert_eq!(joined, texts.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
