//! A call as commands of `wangcheng`. Servers and disks are named by their ids. What is confirmed in the window is asked
//! by the command, too.

use serde_json::Value;

/// One command, word by word.
struct Words {
    /// What is done, and the options.
    words: Vec<String>,
    /// What it is done to.
    rest: Vec<String>,
}

impl Words {
    fn new(command: &str) -> Self {
        Self {
            words: command.split(' ').map(str::to_owned).collect(),
            rest: Vec::new(),
        }
    }

    fn of(mut self, text: Option<String>) -> Option<Self> {
        self.rest.push(text?);
        Some(self)
    }

    fn of_all(mut self, texts: Vec<String>) -> Self {
        self.rest.extend(texts);
        self
    }

    /// An option, where it has a value.
    fn with(mut self, name: &str, value: Option<String>) -> Self {
        if let Some(value) = value {
            self.words.push(format!("--{name}={value}"));
        }
        self
    }

    fn flag(mut self, name: &str, set: bool) -> Self {
        if set {
            self.words.push(format!("--{name}"));
        }
        self
    }

    fn line(self) -> String {
        // A name may begin as an option does.
        let marked = self.rest.iter().any(|word| word.starts_with('-'));
        std::iter::once("wangcheng".to_owned())
            .chain(self.words)
            .chain(marked.then(|| "--".to_owned()))
            .chain(self.rest)
            .map(|word| quoted(&word))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// As a POSIX shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let rows = value.get(key).and_then(Value::as_array);
    let texts = rows.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn set(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

/// The commands that do what a call does, one a line; nothing for what the command line does not have, or for a text
/// that a terminal would act on instead of showing it.
pub(super) fn line(call: &str, ask: &Value) -> Option<String> {
    let lines: Option<Vec<Words>> = match call {
        "servers.extend_several" => {
            let until = text(ask, "until");
            let one = |server| {
                Words::new("server extend")
                    .with("until", until.clone())
                    .of(Some(server))
            };
            texts(ask, "servers").into_iter().map(one).collect()
        }
        "servers.delete_several" => {
            let rows = ask.get("servers").and_then(Value::as_array);
            let one = |row| Words::new("server delete").of(text(row, "server"));
            rows.into_iter().flatten().map(one).collect()
        }
        _ => words(call, ask).map(|words| vec![words]),
    };
    let lines: Vec<String> = lines?.into_iter().map(Words::line).collect();
    let line = lines.join("\n");
    let acts = |c: char| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
    };
    (!line.is_empty() && !line.chars().any(acts)).then_some(line)
}

fn words(call: &str, ask: &Value) -> Option<Words> {
    let server = || text(ask, "server");
    match call {
        "servers.create" => create(ask),
        "servers.extend" => Words::new("server extend")
            .with("until", text(ask, "until"))
            .of(server()),
        "servers.cancel_lease" => Words::new("server cancel-lease").of(server()),
        "servers.power" => {
            let act = text(ask, "act")?;
            let words = Words::new(&format!("server {act}")).flag("hard", act != "start" && set(ask, "hard"));
            Some(words.of_all(texts(ask, "servers")))
        }
        "servers.resize" => Words::new("server resize")
            .with("flavor", text(ask, "flavor"))
            .flag("stop", set(ask, "mayStop"))
            .of(server()),
        "servers.rename" => Words::new("server rename").of(server())?.of(text(ask, "name")),
        "servers.tag" => {
            let tags = ask.get("set").and_then(Value::as_array).into_iter().flatten();
            let mut words = Words::new("server tags");
            for tag in tags {
                words = words.with(
                    "set",
                    Some(format!("{}={}", text(tag, "key")?, text(tag, "value")?)),
                );
            }
            for key in texts(ask, "remove") {
                words = words.with("remove", Some(key));
            }
            words.of(server())
        }
        "servers.adopt" => Words::new("server adopt").of(server()),
        "servers.mark_parts" => Words::new("server mark").of(server()),
        "servers.reset_password" => Words::new("server password").of(server()),
        "servers.delete" => Words::new("server delete").of(server()),
        "servers.remove_leftovers" => {
            let rows = ask.get("items").and_then(Value::as_array).into_iter().flatten();
            let ids: Option<Vec<String>> = rows.map(|row| text(row, "id")).collect();
            let words = ids?
                .into_iter()
                .fold(Words::new("server leftovers"), |words, id| {
                    words.with("remove", Some(id))
                });
            Some(words)
        }
        "disks.add" => Words::new("disk add")
            .with("type", text(ask, "diskType"))
            .with("size", text(ask, "sizeGb"))
            .of(server()),
        "disks.grow" => Words::new("disk grow")
            .with("to", text(ask, "sizeGb"))
            .of(server())?
            .of(text(ask, "disk")),
        "disks.detach" => Words::new("disk detach").of(server())?.of(text(ask, "disk")),
        "disks.attach" => Words::new("disk attach").of(server())?.of(text(ask, "disk")),
        "disks.delete" => Words::new("disk delete").of(server())?.of(text(ask, "disk")),
        "sessions.screen" if ask.get("vnc").is_none_or(Value::is_null) => Words::new("console").of(server()),
        "networks.admit_ssh" => Words::new("network admit-ssh").of(text(ask, "address")),
        _ => None,
    }
}

fn create(ask: &Value) -> Option<Words> {
    let mut words = Words::new("server create").with("template", text(ask, "template"));
    let purpose = text(ask, "purpose").filter(|purpose| !purpose.is_empty());
    words = words
        .with("purpose", purpose)
        .with("until", text(ask, "leaseEnd"));
    for (key, name) in [
        ("flavor", "flavor"),
        ("image", "image"),
        ("zone", "zone"),
        ("subnet", "subnet"),
        ("securityGroup", "security-group"),
        ("keyPair", "key-pair"),
        ("publicMbps", "public-mbps"),
    ] {
        words = words.with(name, text(ask, key));
    }
    // A text of one's own is a file there.
    let own = ask.get("userData").filter(|own| !own.is_null());
    words
        .with("user-data", own.map(|_| "FILE".to_owned()))
        .of(text(ask, "name"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_strangers_name_stays_one_word_and_is_no_option() {
        let rename = |name: &str| line("servers.rename", &json!({"server": "s1", "name": name}));
        assert_eq!(
            rename("it's $(x)").as_deref(),
            Some(r"wangcheng server rename s1 'it'\''s $(x)'")
        );
        assert_eq!(rename("-f").as_deref(), Some("wangcheng server rename -- s1 -f"));
        assert_eq!(rename("a\u{202e}b"), None, "it would be read the other way round");
    }

    #[test]
    fn several_servers_are_several_commands_where_a_command_takes_one() {
        let ask = json!({"servers": ["a", "b"], "until": "2026-01-02T03:04:05Z"});
        assert_eq!(
            line("servers.extend_several", &ask).as_deref(),
            Some(
                "wangcheng server extend --until=2026-01-02T03:04:05Z a\n\
                 wangcheng server extend --until=2026-01-02T03:04:05Z b"
            )
        );
    }

    #[test]
    fn a_password_is_asked_for_by_the_command() {
        let ask = json!({"server": "s1", "password": "Example-1"});
        assert_eq!(
            line("servers.reset_password", &ask).as_deref(),
            Some("wangcheng server password s1")
        );
    }
}
