//! Events as they stand in the body of a request.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::envelope::Envelope;
use crate::{Compression, Error, ErrorKind, Framing, MessageMode, Profile, Routing, TimeFormat};

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

/// A body in the making: events are written into it one by one as they are read, so that none has to be kept beside it.
pub struct Draft<'a> {
    profile: &'a Profile,
    envelope: Envelope<'a>,
    bytes: Vec<u8>,
    empty: bool,
    /// Why the body cannot be made; what follows is not written.
    failed: Option<Error>,
}

impl<'a> Draft<'a> {
    /// `room`: how many bytes to make room for.
    pub(crate) fn new(profile: &'a Profile, room: usize) -> Self {
        let mut bytes = Vec::with_capacity(room);
        if profile.framing == Framing::JsonArray {
            bytes.push(b'[');
        }
        Self {
            profile,
            envelope: Envelope::new(profile),
            bytes,
            empty: true,
            failed: None,
        }
    }

    /// Adds an event. That it is no JSON is told by [`finish`](Self::finish).
    pub fn push(&mut self, event: &Event<'_>) {
        if self.failed.is_some() {
            return;
        }
        if !self.empty && self.profile.framing == Framing::JsonArray {
            self.bytes.push(b',');
        }
        self.empty = false;
        if self.profile.framing == Framing::TextLines {
            // JSON as text has line breaks only between its parts, where a space means the same.
            self.bytes.extend(event.json.bytes().map(|byte| match byte {
                b'\n' | b'\r' => b' ',
                byte => byte,
            }));
        } else {
            let written = self.envelope.write(&mut self.bytes, event);
            self.failed = written
                .err()
                .map(|error| Error::new(ErrorKind::Encoding, error.to_string()));
        }
        if matches!(self.profile.framing, Framing::Ndjson | Framing::TextLines) {
            self.bytes.push(b'\n');
        }
    }

    /// The body, as it goes over the wire.
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`] when an event is no JSON.
    pub fn finish(self) -> Result<Body, Error> {
        let compression = self.profile.compression;
        let bytes = self.plain()?;
        Ok(match compression {
            Compression::None => Body { bytes, gzip: false },
            Compression::Gzip => Body {
                bytes: gzip(&bytes)?,
                gzip: true,
            },
        })
    }

    /// The body, uncompressed.
    fn plain(mut self) -> Result<Vec<u8>, Error> {
        if self.profile.framing == Framing::JsonArray {
            self.bytes.push(b']');
        }
        self.failed.map_or(Ok(self.bytes), Err)
    }
}

/// The body that carries these events, uncompressed.
fn write(profile: &Profile, events: &[Event<'_>]) -> Result<Vec<u8>, Error> {
    let mut draft = Draft::new(profile, 0);
    for event in events {
        draft.push(event);
    }
    draft.plain()
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

fn gzip(body: &[u8]) -> Result<Vec<u8>, Error> {
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
    }
}
