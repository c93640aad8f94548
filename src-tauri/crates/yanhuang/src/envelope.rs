//! Events in their envelopes, written straight into a body. What every event of a body has in common is written once and
//! copied from then on: a backlog is mostly copying, and this is where the time goes.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use json_escape_simd::escape_into as escape;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Event, MessageMode, Profile, Routing, TimeFormat};

/// A part of every event's envelope.
enum Piece {
    /// The same for all.
    Same(Vec<u8>),
    Message,
    Time,
}

/// The envelope of a profile.
pub(crate) struct Envelope<'a> {
    profile: &'a Profile,
    pieces: Vec<Piece>,
    /// Something stands in it, so that a comma comes before what is spread beside it.
    filled: bool,
}

/// Puts the pieces together.
struct Maker {
    pieces: Vec<Piece>,
    text: Vec<u8>,
    filled: bool,
}

impl Maker {
    fn key(&mut self, name: &str) {
        if self.filled {
            self.text.push(b',');
        }
        self.filled = true;
        escape(name, &mut self.text);
        self.text.push(b':');
    }

    fn entry(&mut self, name: &str, value: &str) {
        self.key(name);
        escape(value, &mut self.text);
    }

    fn own(&mut self, piece: Piece) {
        self.pieces.push(Piece::Same(std::mem::take(&mut self.text)));
        self.pieces.push(piece);
    }
}

impl<'a> Envelope<'a> {
    pub(crate) fn new(profile: &'a Profile) -> Self {
        let mut maker = Maker {
            pieces: Vec::new(),
            text: vec![b'{'],
            filled: false,
        };
        if !profile.message_field.is_empty() && profile.message_mode != MessageMode::Omit {
            maker.key(&profile.message_field);
            maker.own(Piece::Message);
        }
        if profile.routing == Routing::Body {
            for (name, value) in [
                (&profile.datatype_field, &profile.datatype),
                (&profile.event_set_field, &profile.event_set),
            ] {
                if !name.is_empty() {
                    maker.entry(name, value);
                }
            }
        }
        if !profile.time_field.is_empty() {
            maker.key(&profile.time_field);
            maker.own(Piece::Time);
        }
        if !profile.source_field.is_empty() {
            maker.entry(&profile.source_field, &profile.source);
        }
        if !profile.host_field.is_empty() && !profile.host.is_empty() {
            maker.entry(&profile.host_field, &profile.host);
        }
        for (name, value) in &profile.extra_fields {
            maker.entry(name, value);
        }
        maker.pieces.push(Piece::Same(maker.text));
        Self {
            profile,
            pieces: maker.pieces,
            filled: maker.filled,
        }
    }

    /// Writes one event. What was written of one that is no JSON is of no use.
    pub(crate) fn write(&self, body: &mut Vec<u8>, event: &Event<'_>) -> serde_json::Result<()> {
        for piece in &self.pieces {
            match (piece, self.profile.message_mode) {
                (Piece::Same(text), _) => body.extend_from_slice(text),
                (Piece::Message, MessageMode::JsonText) => escape(event.json, body),
                (Piece::Message, _) => body.extend_from_slice(raw(event.json)?.get().as_bytes()),
                (Piece::Time, _) => write_time(body, self.profile.time_format, event.time),
            }
        }
        if self.profile.spread {
            let own: serde_json::Map<String, serde_json::Value> = serde_json::from_str(event.json)?;
            let mut filled = self.filled;
            for (name, value) in own.iter().filter(|(name, _)| !self.profile.writes(name)) {
                if filled {
                    body.push(b',');
                }
                filled = true;
                escape(name, body);
                body.push(b':');
                serde_json::to_writer(&mut *body, value)?;
            }
        }
        body.push(b'}');
        Ok(())
    }
}

fn raw(json: &str) -> serde_json::Result<&RawValue> {
    <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(json))
}

fn write_time(body: &mut Vec<u8>, format: TimeFormat, time: DateTime<Utc>) {
    let number = match format {
        TimeFormat::Rfc3339Ms => return write_rfc3339(body, time),
        TimeFormat::EpochSFraction => {
            let text = format!("{}.{:03}", time.timestamp(), time.timestamp_subsec_millis());
            return body.extend_from_slice(text.as_bytes());
        }
        TimeFormat::EpochUs => time.timestamp_micros(),
        TimeFormat::EpochMs => time.timestamp_millis(),
        TimeFormat::EpochS => time.timestamp(),
        TimeFormat::Zero => 0,
    };
    body.extend_from_slice(number.to_string().as_bytes());
}

/// RFC 3339 with milliseconds as a JSON text: as `chrono` writes it, without going through its formatter for the years that
/// have four digits and the seconds that are no leap seconds.
fn write_rfc3339(body: &mut Vec<u8>, time: DateTime<Utc>) {
    let year = u32::try_from(time.year()).ok().filter(|year| *year <= 9999);
    let (Some(year), true) = (year, time.nanosecond() < 1_000_000_000) else {
        body.push(b'"');
        body.extend_from_slice(time.to_rfc3339_opts(SecondsFormat::Millis, true).as_bytes());
        body.push(b'"');
        return;
    };
    let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
    let two = |number: u32| [digit(number / 10), digit(number)];
    let ([y1, y2], [y3, y4]) = (two(year / 100), two(year));
    let ([m1, m2], [d1, d2]) = (two(time.month()), two(time.day()));
    let ([h1, h2], [i1, i2], [s1, s2]) = (two(time.hour()), two(time.minute()), two(time.second()));
    let milliseconds = time.nanosecond() / 1_000_000;
    let ([f2, f3], f1) = (two(milliseconds), digit(milliseconds / 100));
    body.extend_from_slice(&[
        b'"', y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'.', f1,
        f2, f3, b'Z', b'"',
    ]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_written_as_chrono_does(ms in -70_000_000_000_000_i64..300_000_000_000_000) {
            let time = DateTime::from_timestamp_millis(ms).unwrap();
            let mut body = Vec::new();
            write_rfc3339(&mut body, time);
            let expected = format!("\"{}\"", time.to_rfc3339_opts(SecondsFormat::Millis, true));
            prop_assert_eq!(String::from_utf8(body).unwrap(), expected);
        }
    }
}
