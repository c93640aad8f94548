//! The one spelling of a document that is signed: canonical JSON (RFC 8785), without the part that needs care.
//!
//! A grant holds texts, whole numbers, yes and no, lists and objects; money and the like stand in it as decimal texts. So
//! numbers are whole and within what every reader keeps exactly (±2⁵³−1), and the rules for binary fractions, on which
//! implementations differ, never apply. Reading is strict: a key that stands twice, a fraction, a number out of range and
//! anything after the end are refused, because two programs might understand them differently and only one of them signed.

use std::collections::BTreeMap;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Largest whole number that every reader of JSON keeps exactly.
const EXACT_MOST: i64 = (1 << 53) - 1;

/// A document, read strictly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text. Its code points are what is signed: no Unicode form is turned into another.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object.
    Object(BTreeMap<String, Node>),
}

impl Node {
    /// Reads a document; says what is wrong with it.
    ///
    /// # Errors
    /// Why it is none, in the parser's words.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The same document from a value of ours.
    ///
    /// # Errors
    /// If it holds what a document cannot.
    pub fn of(value: &impl serde::Serialize) -> Result<Self, String> {
        let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
        Self::read(&text)
    }

    /// Its canonical bytes: no space, keys in the order of their UTF-16 code units, the shortest escapes.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// One member of an object.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                // Code points and UTF-16 code units order differently beyond the first plane.
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
                out.push('{');
                for (index, (key, value)) in members.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text, a whole number, true, false, a list or an object")
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Node, E> {
        if (-EXACT_MOST..=EXACT_MOST).contains(&number) {
            Ok(Node::Number(number))
        } else {
            Err(E::custom("a number out of range"))
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Node, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("a number out of range"))?;
        self.visit_i64(number)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Node, E> {
        Err(E::custom("a number that is not whole"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((key, value)) = members.next_entry::<String, Node>()? {
            if object.insert(key, value).is_some() {
                return Err(de::Error::custom("a key that stands twice"));
            }
        }
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Node::Flag),
            (-EXACT_MOST..=EXACT_MOST).prop_map(Node::Number),
            any::<String>().prop_map(Node::Text),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Node::List),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(Node::Object),
            ]
        })
    }

    /// The same document as somebody else might have written it: spaces, members backwards, everything escaped.
    fn otherwise(node: &Node) -> String {
        match node {
            Node::Text(text) => {
                let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
                format!("\"{}\"", units.collect::<String>())
            }
            Node::List(items) => {
                let items: Vec<_> = items.iter().map(otherwise).collect();
                format!("[ {} ]", items.join(" ,\n"))
            }
            Node::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .rev()
                    .map(|(key, value)| {
                        format!("{} : {}", otherwise(&Node::Text(key.clone())), otherwise(value))
                    })
                    .collect();
                format!("{{\r\n{}\t}}", members.join(" , "))
            }
            other => other.canonical(),
        }
    }

    proptest! {
        #[test]
        fn whoever_wrote_it_and_however_the_canonical_bytes_are_the_same(node in node()) {
            let canonical = node.canonical();
            prop_assert_eq!(&Node::read(&canonical).unwrap(), &node);
            prop_assert_eq!(Node::read(&otherwise(&node)).unwrap().canonical(), canonical);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = Node::read(&text);
        }

        #[test]
        fn a_key_that_stands_twice_is_refused_wherever_it_does(node in node(), key in any::<String>()) {
            let key = Node::Text(key).canonical();
            let twice = format!("{{{key}:1,\"other\":{},{key}:2}}", node.canonical());
            prop_assert!(Node::read(&twice).is_err());
            let inside = format!("[{twice}]");
            prop_assert!(Node::read(&inside).is_err());
        }

        #[test]
        fn a_number_is_whole_and_exact_or_refused(number in any::<i64>()) {
            let read = Node::read(&number.to_string());
            prop_assert_eq!(read.is_ok(), (-EXACT_MOST..=EXACT_MOST).contains(&number));
        }
    }

    #[test]
    fn the_examples_of_the_standard_are_written_as_there() {
        // RFC 8785, 3.2.3: the order of keys. 3.2.2.2: escapes.
        let keys = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
        let written = Node::read(keys).unwrap().canonical();
        let places: Vec<_> = ["\\r", "\"1\"", "\u{80}", "ö", "€", "😀", "\u{fb33}"]
            .iter()
            .map(|key| written.find(key).unwrap())
            .collect();
        assert!(places.is_sorted(), "{written}");
        let text = r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/""#;
        assert_eq!(
            Node::read(text).unwrap().canonical(),
            r#""€$\u000f\nA'B\"\\\\\"/""#
        );
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        for text in [
            "1.0",
            "1e3",
            "-0.0",
            "9007199254740992",
            "99999999999999999999999999",
            "null",
            "NaN",
            "01",
            "{} {}",
            r#"{"a":1,"\u0061":2}"#,
            r#""\ud800""#,
            "[1,]",
            "",
        ] {
            assert!(Node::read(text).is_err(), "{text}");
        }
        assert!(
            Node::read(&"[".repeat(100_000)).is_err(),
            "nor does depth end the program"
        );
    }

    #[test]
    fn two_unicode_forms_of_one_look_are_two_texts() {
        let composed = Node::Text("é".to_owned());
        let decomposed = Node::Text("e\u{301}".to_owned());
        assert_ne!(composed.canonical(), decomposed.canonical());
    }
}
