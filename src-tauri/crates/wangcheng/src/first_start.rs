//! What a server does on its first start: our part (its keys, what its environment installs) and the text of whoever
//! makes it.
//!
//! The two are not merged here, because reading a text and writing it anew could change what it means (`yes` and `0644`
//! are other things to other readers). Each is a part of its own, byte for byte, and cloud-init puts them together: of
//! ours nothing is replaced, lists are put behind ours. So a text may install and run what it likes, and the host key
//! that the first login is checked against stays. Like all user data the text can be read by every process on that
//! server, and it stands in the ledger: it is no place for a secret.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;

use crate::failure::{Code, Failure, Result};

/// Most bytes of user data that the cloud takes, before base64.
pub(crate) const USER_DATA_MOST: usize = 32 * 1024;
/// Most bytes of a text that has our part beside it: as a part it is written in base64, and ours needs some 4 KiB.
const BESIDE_MOST: usize = 20 * 1024;
/// Between the parts. It occurs in neither: one has no `=` at the beginning of a line, the other is base64.
const BOUNDARY: &str = "=====wangcheng=====";
/// Keys of a text that would undo what the first login is checked against, or how the parts are put together.
const OURS: [&str; 5] = [
    "ssh_keys",
    "ssh_deletekeys",
    "disable_root",
    "merge_how",
    "merge_type",
];

/// What a text is, by its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    CloudConfig,
    Script,
    Boothook,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        let first = text.lines().next().unwrap_or_default().trim_end();
        match first {
            "#cloud-config" => Some(Self::CloudConfig),
            "#cloud-boothook" => Some(Self::Boothook),
            line if line.starts_with("#!") => Some(Self::Script),
            _ => None,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::CloudConfig => "text/cloud-config",
            Self::Script => "text/x-shellscript",
            Self::Boothook => "text/cloud-boothook",
        }
    }
}

/// Whether a text can be given to a server. `beside`: our part is there too. `keys`: it has our keys in it.
///
/// # Errors
/// `UserDataTooLong`, `UserDataKind`, `UserDataUnreadable` with what is wrong where, `UserDataKey`.
pub(crate) fn check(text: &str, beside: bool, keys: bool) -> Result<()> {
    let most = if beside { BESIDE_MOST } else { USER_DATA_MOST };
    if text.len() > most {
        return Err(Failure::new(Code::UserDataTooLong)
            .with("most", most)
            .with("size", text.len()));
    }
    let kind = Kind::of(text).ok_or(Code::UserDataKind)?;
    if kind != Kind::CloudConfig {
        return Ok(());
    }
    let document: Option<BTreeMap<String, IgnoredAny>> =
        serde_saphyr::from_str(text).map_err(|error| Failure::new(Code::UserDataUnreadable).saying(error))?;
    let document = document.unwrap_or_default();
    match OURS.into_iter().find(|key| keys && document.contains_key(*key)) {
        Some(key) => Err(Failure::new(Code::UserDataKey).with("key", key)),
        None => Ok(()),
    }
}

/// Our part and a text, as one. A text alone is given as it is, and so is ours.
pub(crate) fn compose(ours: Option<String>, text: Option<&str>) -> Option<String> {
    let (ours, text) = match (ours, text) {
        (Some(ours), Some(text)) => (ours, text),
        (ours, text) => return ours.or(text.map(str::to_owned)),
    };
    let kind = Kind::of(text).map_or("text/plain", Kind::media_type);
    let mut whole = format!(
        "Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\nMIME-Version: 1.0\n\n\
         --{BOUNDARY}\nContent-Type: text/cloud-config; charset=\"us-ascii\"\n\
         Content-Transfer-Encoding: 7bit\n\n{}\n\
         --{BOUNDARY}\nContent-Type: {kind}; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\
         Merge-Type: list(append)+dict(no_replace,recurse_list)+str()\n\n",
        ascii(ours.trim_end())
    );
    let encoded = STANDARD.encode(text);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(76).unwrap_or((rest, ""));
        whole.push_str(line);
        whole.push('\n');
        rest = more;
    }
    let _ = writeln!(whole, "--{BOUNDARY}--");
    Some(whole)
}

/// The same document in ASCII: what is more stands in quoted text only, and YAML has an escape for each.
fn ascii(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for c in document.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let _ = write!(text, "\\U{:08X}", u32::from(c));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn refused(text: &str, beside: bool) -> Option<Code> {
        check(text, beside, beside).err().map(|failure| failure.code)
    }

    #[test]
    fn a_text_that_the_server_would_pass_over_is_refused() {
        assert_eq!(refused("#!/bin/sh\necho hi\n", true), None);
        assert_eq!(refused("#cloud-boothook\n#!/bin/sh\n", true), None);
        assert_eq!(
            refused("#cloud-config\npackages: [git]\nruncmd:\n  - [ls]\n", true),
            None
        );
        assert_eq!(refused("#cloud-config\r\npackages: [git]\r\n", true), None);
        assert_eq!(refused("#cloud-config\n", true), None);
        for other in ["", "apt install git", " #cloud-config\n", "#include\nhttp://x"] {
            assert_eq!(refused(other, true), Some(Code::UserDataKind), "{other}");
        }
    }

    #[test]
    fn yaml_that_cannot_be_read_says_where() {
        let failure = check("#cloud-config\npackages: [git\nruncmd: x\n", true, true).unwrap_err();
        assert_eq!(failure.code, Code::UserDataUnreadable);
        assert!(failure.detail.unwrap().contains("line"), "the place is named");
        assert_eq!(
            refused("#cloud-config\n- a\n- b\n", false),
            Some(Code::UserDataUnreadable),
            "a list is no configuration"
        );
    }

    #[test]
    fn a_text_does_not_take_the_host_key_away() {
        for key in OURS {
            let text = format!("#cloud-config\n{key}: {{}}\n");
            assert_eq!(refused(&text, true), Some(Code::UserDataKey), "{key}");
            assert_eq!(refused(&text, false), None, "where no key of ours is, it may");
        }
    }

    #[test]
    fn the_size_is_counted_as_it_is_sent() {
        let script = |bytes: usize| format!("#!/bin/sh\n{}", "x".repeat(bytes - 10));
        assert_eq!(refused(&script(USER_DATA_MOST), false), None);
        assert_eq!(
            refused(&script(USER_DATA_MOST + 1), false),
            Some(Code::UserDataTooLong)
        );
        assert_eq!(refused(&script(BESIDE_MOST), true), None);
        assert_eq!(
            refused(&script(BESIDE_MOST + 1), true),
            Some(Code::UserDataTooLong)
        );
        let ours = format!("#cloud-config\n{}\n", "y".repeat(4000));
        let whole = compose(Some(ours), Some(&script(BESIDE_MOST))).unwrap();
        assert!(whole.len() <= USER_DATA_MOST, "{}", whole.len());
    }

    #[test]
    fn two_parts_are_ascii_and_each_is_what_it_was() {
        let ours = "#cloud-config\n{\"a\": \"开发机 😀\", \"packages\": []}\n";
        let text = "#cloud-config\nruncmd:\n  - echo 你好\n";
        let whole = compose(Some(ours.to_owned()), Some(text)).unwrap();
        assert!(whole.is_ascii());
        let between = format!("--{BOUNDARY}");
        let mut parts = whole.split(&between).skip(1);
        let (first, second) = (parts.next().unwrap(), parts.next().unwrap());
        let body = |part: &str| part.split_once("\n\n").unwrap().1.to_owned();
        let read: Value = serde_saphyr::from_str(&body(first)).unwrap();
        assert_eq!(read["a"], "开发机 😀");
        assert!(second.contains("Merge-Type: list(append)+dict(no_replace,"));
        let encoded: String = body(second).split_whitespace().collect();
        assert_eq!(STANDARD.decode(encoded).unwrap(), text.as_bytes());
        assert_eq!(compose(None, Some(text)).as_deref(), Some(text));
        assert_eq!(compose(Some(ours.to_owned()), None).as_deref(), Some(ours));
    }
}
