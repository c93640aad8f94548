//! Links (`wangcheng://…`) that bring a person from a chat, a ticket or a page to a place in the window.
//!
//! Anybody can write one, and a browser may open it without a word. So a link only ever leads somewhere: it names a
//! server to look at or fills in the form of a new one. It changes nothing, and the window asks before it follows it; only the
//! one for a screen asks the cloud for something then, the console's address.
//!
//! | link | leads to |
//! |---|---|
//! | `wangcheng://server/<id>` | that server |
//! | `wangcheng://extend/<id>` | the form that extends its lease |
//! | `wangcheng://console/<id>` | its screen |
//! | `wangcheng://create?template=…&name=…&purpose=…&hours=…` | the form of a new server, filled in |
//! | `wangcheng://open/<screen>` | a screen |
//! | `wangcheng://join?…` | the form that joins an organisation, where name and fingerprint are compared |

use serde::Serialize;
use ts_rs::TS;
use wangcheng::grants::Join;

/// What the scheme is called.
pub const SCHEME: &str = "wangcheng";
/// Longest link that is read, in bytes.
const LINK_MOST: usize = 2048;
/// Longest name or purpose, in characters: what the form takes.
const TEXT_MOST: usize = 255;
/// Longest lease that a link may fill in, in hours.
const HOURS_MOST: u32 = 720;
/// The screens that can be named.
const SCREENS: [&str; 8] = [
    "servers",
    "create",
    "operations",
    "events",
    "templates",
    "usage",
    "grants",
    "settings",
];

/// Somewhere that the window is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wish {
    /// To a server.
    Server {
        /// Server id.
        server: String,
    },
    /// To the form that extends a server's lease.
    Extend {
        /// Server id.
        server: String,
    },
    /// To a server's screen.
    Console {
        /// Server id.
        server: String,
    },
    /// To the form that gives a server another password.
    Password {
        /// Server id.
        server: String,
    },
    /// To the form of a new server.
    Create {
        /// Template id.
        template: Option<String>,
        /// Name to fill in.
        name: Option<String>,
        /// Purpose to fill in.
        purpose: Option<String>,
        /// Hours of the lease to fill in.
        #[ts(type = "number | null")]
        hours: Option<u32>,
    },
    /// To a screen.
    Screen {
        /// Its name.
        screen: String,
    },
    /// To joining an organisation.
    Join {
        /// The link.
        link: String,
        /// Name of the organisation, as the link says.
        organisation: String,
    },
    /// To signing in, with the keys of a file that was dropped onto the window.
    KeyFile {
        /// The file.
        file: String,
    },
    /// To do what stands in the interface's list of actions under this name.
    Action {
        /// Its name.
        action: String,
    },
    /// A link came that cannot be read.
    Unreadable,
}

/// A wish, and whether it has to be asked for first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Wished {
    /// What is wished.
    pub wish: Wish,
    /// It came from outside, by a link: the person is asked before it is followed.
    pub outside: bool,
}

/// What a link wishes. Whatever is not exactly as written above is [`Wish::Unreadable`].
pub fn read(link: &str) -> Wish {
    parse(link).unwrap_or(Wish::Unreadable)
}

fn parse(link: &str) -> Option<Wish> {
    if link.len() > LINK_MOST {
        return None;
    }
    let rest = link.strip_prefix(SCHEME)?.strip_prefix("://")?;
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parts = path.trim_end_matches('/').split('/');
    let (place, name, more) = (parts.next()?, parts.next(), parts.next());
    if more.is_some() {
        return None;
    }
    match (place, name) {
        ("server", Some(id)) => Some(Wish::Server { server: name_of(id)? }),
        ("extend", Some(id)) => Some(Wish::Extend { server: name_of(id)? }),
        ("console", Some(id)) => Some(Wish::Console { server: name_of(id)? }),
        ("open", Some(screen)) => SCREENS.contains(&screen).then(|| Wish::Screen {
            screen: screen.to_owned(),
        }),
        ("create", None) => create(query),
        ("join", None) => Some(Wish::Join {
            organisation: Join::read(link).ok()?.organisation,
            link: link.to_owned(),
        }),
        _ => None,
    }
}

fn create(query: &str) -> Option<Wish> {
    let (mut template, mut name, mut purpose, mut hours) = (None, None, None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        let value = decoded(value)?;
        match key {
            "template" => template = Some(name_of(&value)?),
            "name" => name = Some(text_of(&value)?),
            "purpose" => purpose = Some(text_of(&value)?),
            "hours" => {
                hours = Some(
                    value
                        .parse()
                        .ok()
                        .filter(|hours| (1..=HOURS_MOST).contains(hours))?,
                )
            }
            _ => return None,
        }
    }
    Some(Wish::Create {
        template,
        name,
        purpose,
        hours,
    })
}

/// An id, as the cloud and this program write them.
fn name_of(text: &str) -> Option<String> {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (plain && (1..=64).contains(&text.len())).then(|| text.to_owned())
}

/// Text that shows as what it is: nothing invisible, nothing that turns the direction of writing round.
fn text_of(text: &str) -> Option<String> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    (text.chars().count() <= TEXT_MOST && !text.chars().any(hidden)).then(|| text.to_owned())
}

/// Percent-decoded; `+` is a space, as browsers write it.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let value = digit(rest.next())? * 16 + digit(rest.next())?;
                u8::try_from(value).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_server_a_form_or_a_screen() {
        let id = "4f4b3dfa-eb70-47cf-a60a-998a53bd6666";
        let server = id.to_owned();
        assert_eq!(
            read(&format!("wangcheng://server/{id}")),
            Wish::Server {
                server: server.clone()
            }
        );
        assert_eq!(
            read(&format!("wangcheng://extend/{id}/")),
            Wish::Extend {
                server: server.clone()
            }
        );
        assert_eq!(
            read(&format!("wangcheng://console/{id}")),
            Wish::Console { server }
        );
        assert_eq!(
            read("wangcheng://open/events"),
            Wish::Screen {
                screen: "events".to_owned()
            }
        );
        assert_eq!(
            read("wangcheng://create?template=small&name=ci-%E6%B5%8B%E8%AF%95&purpose=one+two&hours=4#x"),
            Wish::Create {
                template: Some("small".to_owned()),
                name: Some("ci-测试".to_owned()),
                purpose: Some("one two".to_owned()),
                hours: Some(4),
            }
        );
    }

    #[test]
    fn what_is_not_exactly_such_a_link_leads_nowhere() {
        let long = format!("wangcheng://create?purpose={}", "x".repeat(300));
        let longer = format!("wangcheng://server/{}", "x".repeat(100_000));
        for link in [
            "",
            "wangcheng:",
            "wangcheng://",
            "https://server/1",
            "wangcheng://delete/1",
            "wangcheng://server",
            "wangcheng://server/",
            "wangcheng://server/../../etc",
            "wangcheng://server/a%2fb",
            "wangcheng://server/<img src=x>",
            "wangcheng://server/1/2",
            "wangcheng://open/first",
            "wangcheng://create/small",
            "wangcheng://create?template=a b",
            "wangcheng://create?hours=0",
            "wangcheng://create?hours=99999999999999999999",
            "wangcheng://create?hours=-1",
            "wangcheng://create?name=%",
            "wangcheng://create?name=%ff",
            "wangcheng://create?name=a%00b",
            "wangcheng://create?name=abc%E2%80%AEtxt.exe",
            "wangcheng://create?userData=x",
            "wangcheng://create?name",
            &long,
            &longer,
        ] {
            assert_eq!(read(link), Wish::Unreadable, "{link:.80}");
        }
    }
}
