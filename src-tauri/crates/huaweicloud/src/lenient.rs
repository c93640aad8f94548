//! Reading answers leniently: numbers come as text and text as numbers, `null` and absence mean the same,
//! unknown fields are passed over, and one odd row never loses the list that it is in.
//!
//! Every function here is for `#[serde(default, deserialize_with = "…")]` and fails only where its name says
//! "required".

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text of a JSON scalar; `None` for `null`, lists and objects.
pub(crate) fn scalar(raw: &RawValue) -> Option<Cow<'_, str>> {
    let raw = raw.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(raw).ok().map(Cow::Owned),
        b'n' | b'{' | b'[' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// The same without surrounding blanks, and `None` for what is then empty.
fn filled(raw: &RawValue) -> Option<String> {
    let text = scalar(raw)?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A text; empty when there is none. Blanks are kept.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(scalar(raw).map(Cow::into_owned).unwrap_or_default())
}

/// A text or an id; `None` when it is absent or empty.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: From<String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(filled(raw).map(T::from))
}

/// An id without which the row means nothing.
pub(crate) fn required<'de, D: Deserializer<'de>, T: From<String>>(deserializer: D) -> Result<T, D::Error> {
    optional(deserializer)?.ok_or_else(|| D::Error::custom("a required text is empty"))
}

/// A number, whether written as a number or as text.
pub(crate) fn number<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(filled(raw).and_then(|text| {
        // A whole number may come as 40.0.
        let whole = |text: &str| {
            let (whole, fraction) = text.split_once('.')?;
            fraction
                .bytes()
                .all(|digit| digit == b'0')
                .then(|| whole.to_owned())
        };
        text.parse().ok().or_else(|| whole(&text)?.parse().ok())
    }))
}

/// A yes or no, whether written as a boolean or as text in any letter case.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(
        filled(raw).and_then(|text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }),
    )
}

/// An IP address.
pub(crate) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(filled(raw).and_then(|text| text.parse().ok()))
}

/// The scalars of a map, as texts; its other members are left out.
pub(crate) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let fields: Option<BTreeMap<String, Box<RawValue>>> = object(deserializer)?;
    Ok(fields
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(key, value)| Some((key, scalar(&value)?.into_owned())))
        .collect())
}

/// A moment, with or without a zone; without one it is UTC.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(filled(raw).and_then(|text| parse_time(&text)))
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    let bare = text
        .strip_suffix('Z')
        .unwrap_or(text)
        .trim_end()
        .replace(' ', "T");
    NaiveDateTime::parse_from_str(&bare, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(&bare, "%Y-%m-%dT%H:%M"))
        .ok()
        .map(|moment| moment.and_utc())
}

/// An amount of money: read from the digits as they were sent, never through binary floating point.
pub(crate) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(filled(raw).and_then(|text| {
        Decimal::from_str(&text)
            .or_else(|_| Decimal::from_scientific(&text))
            .ok()
    }))
}

/// An amount of money without which the row means nothing.
pub(crate) fn required_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    decimal(deserializer)?.ok_or_else(|| D::Error::custom("a required amount is not there"))
}

/// An object; `None` when it is absent or odd.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok().map(|Object(value)| value))
}

/// A value that is written as an object. Without this a list would do as well, taken for the fields in their order.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Of<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Of(PhantomData)).map(Self)
    }
}

/// A row of a list, which is an object or a scalar but never a list: see [`Object`].
pub(crate) fn row<T: DeserializeOwned>(raw: &RawValue) -> serde_json::Result<T> {
    if raw.get().starts_with('[') {
        return Err(serde_json::Error::custom("a list is no row"));
    }
    serde_json::from_str(raw.get())
}

/// The rows of a list that can be read; the others are left out.
pub(crate) fn rows<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let rows: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    Ok(rows.into_iter().filter_map(|raw| row(raw).ok()).collect())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        #[serde(deserialize_with = "required")]
        id: String,
        #[serde(default, deserialize_with = "number")]
        cpus: Option<u32>,
        #[serde(default, deserialize_with = "flag")]
        shared: Option<bool>,
        #[serde(default, deserialize_with = "time")]
        at: Option<DateTime<Utc>>,
        #[serde(default, deserialize_with = "decimal")]
        amount: Option<Decimal>,
    }

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn numbers_and_flags_are_read_from_text_too() {
        let plain = row(r#"{"id":"a","cpus":4,"shared":true}"#);
        assert_eq!(row(r#"{"id":"a","cpus":"4","shared":"True"}"#), plain);
    }

    #[test]
    fn whole_numbers_may_have_a_fraction_of_nothing() {
        assert_eq!(row(r#"{"id":"a","cpus":4.0}"#).cpus, Some(4));
        assert_eq!(row(r#"{"id":"a","cpus":"4.00"}"#).cpus, Some(4));
        assert_eq!(row(r#"{"id":"a","cpus":4.5}"#).cpus, None, "not a whole number");
    }

    #[test]
    fn a_list_in_an_objects_place_is_nothing() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Outer {
            #[serde(default, deserialize_with = "object")]
            one: Option<Row>,
            #[serde(default, deserialize_with = "rows")]
            many: Vec<Row>,
        }
        let read = |json: &str| serde_json::from_str::<Outer>(json).unwrap();
        assert_eq!(
            read(r#"{"one":["a",4],"many":[["b"],{"id":"c"},"d",null,7]}"#).one,
            None
        );
        assert_eq!(
            read(r#"{"many":[["b"],{"id":"c"},"d",null,7]}"#).many,
            [row(r#"{"id":"c"}"#)]
        );
        assert_eq!(read(r#"{"one":null,"many":{}}"#), read("{}"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_in_any_field_makes_reading_fail(value in ".{0,24}", number in proptest::num::f64::ANY) {
            let text = serde_json::Value::from(value).to_string();
            let number = serde_json::Value::from(number).to_string();
            for value in [text, number] {
                row(&format!(r#"{{"id":"a","cpus":{value},"shared":{value},"at":{value},"amount":{value},"more":{value}}}"#));
            }
        }
    }

    #[test]
    fn null_absent_and_odd_values_all_mean_nothing() {
        let bare = row(r#"{"id":"a"}"#);
        assert_eq!(
            row(r#"{"id":"a","cpus":null,"shared":"","at":"","amount":null}"#),
            bare
        );
        assert_eq!(
            row(r#"{"id":"a","cpus":{},"shared":[1],"at":"soon","amount":"free","new":1}"#),
            bare
        );
        assert_eq!(row(r#"{"id":"a","cpus":-1,"at":true}"#), bare);
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        let wanted = DateTime::from_timestamp(1_534_342_882, 0);
        for text in [
            "2018-08-15T14:21:22.000000",
            "2018-08-15T14:21:22Z",
            "2018-08-15 14:21:22",
            "2018-08-15T22:21:22+08:00",
        ] {
            assert_eq!(
                row(&format!(r#"{{"id":"a","at":"{text}"}}"#)).at,
                wanted,
                "{text}"
            );
        }
    }

    #[test]
    fn amounts_keep_every_digit() {
        for (text, wanted) in [
            ("0.1234567891", "0.1234567891"),
            ("\"12.50\"", "12.50"),
            ("1e-3", "0.001"),
            ("79228162514264.3375935439", "79228162514264.3375935439"),
        ] {
            assert_eq!(
                row(&format!(r#"{{"id":"a","amount":{text}}}"#))
                    .amount
                    .unwrap()
                    .to_string(),
                wanted
            );
        }
    }

    #[test]
    fn a_row_without_its_id_is_no_row() {
        for json in [r#"{"id":null}"#, r#"{"id":""}"#, "{}", "null", "7"] {
            assert!(serde_json::from_str::<Row>(json).is_err(), "{json}");
        }
    }
}
