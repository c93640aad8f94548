//! One line of a known_hosts file, as OpenSSH reads it. Keys are compared by their bytes, so a key of a kind that nobody
//! here knows is still a key; a line that makes no sense is passed over, as `ssh` does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The longest line that is looked at, in bytes. An RSA key of 16384 bits has about 2,800.
const LINE_MOST: usize = 16 * 1024;

/// What a line says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is a host's key.
    None,
    /// It signs the keys of hosts.
    Authority,
    /// It must not be accepted.
    Revoked,
}

/// The hosts that a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Names {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// A line that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub mark: Mark,
    names: Names,
    /// The kind of key, by its name in SSH.
    pub kind: String,
    /// The key as it is on the wire.
    pub key: Vec<u8>,
}

impl Line {
    /// Reads a line; nothing for comments, empty lines and such that make no sense.
    pub fn read(line: &str) -> Option<Self> {
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') || line.len() > LINE_MOST {
            return None;
        }
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let mut word = words.next()?;
        let mark = match word {
            "@cert-authority" => Mark::Authority,
            "@revoked" => Mark::Revoked,
            other if other.starts_with('@') => return None,
            _ => Mark::None,
        };
        if mark != Mark::None {
            word = words.next()?;
        }
        let names = Names::read(word)?;
        let kind = words.next()?.to_owned();
        let key = STANDARD.decode(words.next()?).ok()?;
        // The key says its own kind first; a line whose two kinds differ is damaged.
        if kind_of(&key) != Some(kind.as_str()) {
            return None;
        }
        Some(Self {
            mark,
            names,
            kind,
            key,
        })
    }

    /// Whether it is about this host, by the name that stands in such a file.
    pub fn is_about(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        match &self.names {
            Names::Hashed { salt, hash } => {
                let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else {
                    return false;
                };
                mac.update(name.as_bytes());
                mac.verify_slice(hash).is_ok()
            }
            Names::Patterns(patterns) => {
                let mut about = false;
                for pattern in patterns {
                    let (refuses, pattern) = match pattern.strip_prefix('!') {
                        Some(rest) => (true, rest),
                        None => (false, pattern.as_str()),
                    };
                    if matches(pattern, &name) {
                        if refuses {
                            return false;
                        }
                        about = true;
                    }
                }
                about
            }
        }
    }

    /// The names, when they are written openly.
    pub fn names(&self) -> &[String] {
        match &self.names {
            Names::Patterns(patterns) => patterns,
            Names::Hashed { .. } => &[],
        }
    }
}

impl Names {
    fn read(word: &str) -> Option<Self> {
        if let Some(rest) = word.strip_prefix("|1|") {
            let (salt, hash) = rest.split_once('|')?;
            return Some(Self::Hashed {
                salt: STANDARD.decode(salt).ok()?,
                hash: STANDARD.decode(hash).ok()?,
            });
        }
        let patterns = word.split(',').filter(|name| !name.is_empty());
        let patterns: Vec<_> = patterns.map(str::to_lowercase).collect();
        (!patterns.is_empty()).then_some(Self::Patterns(patterns))
    }
}

/// The kind that a key on the wire says of itself.
pub(super) fn kind_of(key: &[u8]) -> Option<&str> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}

/// OpenSSH's patterns: `*` is any text, `?` any one character. The work grows with the product of both lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(letter) if *letter == '?' || Some(letter) == text.get(read) => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((stood, taken)) => {
                    star = Some((stood, taken + 1));
                    at = stood + 1;
                    read = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn about(names: &str, host: &str) -> bool {
        Line::read(&format!("{names} {KEY}")).is_some_and(|line| line.is_about(host))
    }

    #[test]
    fn names_match_as_ssh_matches_them() {
        assert!(about("github.com,140.82.112.4", "140.82.112.4"));
        assert!(about("GitHub.com", "github.COM"), "case does not count");
        assert!(about("*.example", "a.b.example"));
        assert!(!about("*.example", "example"));
        assert!(about("[10.0.0.?]:2222", "[10.0.0.7]:2222"));
        assert!(!about("*,!bad.example", "bad.example"), "a negation wins");
        assert!(about("*,!bad.example", "good.example"));
    }

    #[test]
    fn a_line_is_read_with_tabs_spaces_and_carriage_returns() {
        let line = format!("  host\t {}  a comment\r", KEY.replace(' ', "\t"));
        assert_eq!(
            Line::read(&line).map(|line| line.kind),
            Some("ssh-ed25519".to_owned())
        );
    }

    #[test]
    fn a_line_that_makes_no_sense_is_passed_over() {
        for line in [
            "",
            "# host ssh-ed25519 AAAA",
            "host",
            "host ssh-ed25519",
            "host ssh-ed25519 ????",
            "host ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
            "@unknown host ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
            "|1|x|y ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
        ] {
            assert_eq!(Line::read(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange(line in "\\PC{0,200}", host in "\\PC{0,40}") {
            if let Some(line) = Line::read(&line) {
                line.is_about(&host);
            }
        }

        #[test]
        fn a_pattern_matches_what_it_was_made_from(text in "[a-z.]{1,20}", at in 0usize..20) {
            let kept: String = text.chars().take(at).collect();
            let pattern = format!("{}*", kept);
            prop_assert!(matches(&pattern, &text));
        }
    }
}
