//! What `~/.ssh/config` says of a host, as far as it decides where to connect and as whom: `Host`, `Match` (what can be
//! told without running anything), `Include`, `HostName`, `User`, `Port`, `IdentityFile`, `IdentitiesOnly`, `ProxyJump`,
//! `ProxyCommand` and `UserKnownHostsFile`. As in `ssh`, the first value found counts, and identity files add up.
//!
//! An own reader: the library that exists for it takes the lines of a `Match` block for part of the block before.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, text};
use crate::host_keys::matches;

/// The most that is read of all files together, in bytes.
const READ_MOST: u64 = 1024 * 1024;
/// How deep files may include each other, as in `ssh`.
const INCLUDE_DEPTH: usize = 16;
/// The most files read.
const FILES_MOST: usize = 256;
/// The longest chain of jump hosts.
pub(crate) const JUMPS_MOST: usize = 8;

/// The user's configuration of `ssh`.
#[derive(Debug, Clone, Default)]
pub struct UserConfig {
    settings: Vec<Setting>,
    home: PathBuf,
    local_user: String,
}

/// One line that sets something, and when it does.
#[derive(Debug, Clone)]
struct Setting {
    when: Vec<Guard>,
    /// In small letters.
    key: String,
    words: Vec<String>,
}

#[derive(Debug, Clone)]
enum Guard {
    Host(Vec<String>),
    Match(Vec<Criterion>),
}

#[derive(Debug, Clone)]
struct Criterion {
    refuses: bool,
    what: What,
    patterns: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    All,
    Host,
    OriginalHost,
    User,
    LocalUser,
    /// Something that cannot be told without running a program, or that is not known. Never met.
    Untold,
}

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name or address to connect to.
    pub host: String,
    /// The port; 22 unless said otherwise.
    pub port: u16,
    /// The user, where one is named.
    pub user: Option<String>,
    /// Key files, in order.
    pub identity_files: Vec<PathBuf>,
    /// Only these, whatever else the agent holds.
    pub identities_only: bool,
    /// The hosts to go through, in order.
    pub jumps: Vec<Resolved>,
    /// Known keys are here instead of in the usual files.
    pub known_hosts: Vec<PathBuf>,
}

/// What is known while a host is looked up.
struct Asked<'a> {
    original: &'a str,
    host: String,
    user: Option<String>,
}

impl UserConfig {
    /// Reads the configuration of this home; an empty one where there is none.
    pub fn read(home: &Path, local_user: &str) -> Result<Self> {
        let mut config = Self {
            settings: Vec::new(),
            home: home.to_owned(),
            local_user: local_user.to_owned(),
        };
        let path = home.join(".ssh/config");
        if path.exists() {
            let mut limits = Limits {
                left: READ_MOST,
                files: FILES_MOST,
            };
            config.include(&path, &[], INCLUDE_DEPTH, &mut limits)?;
        }
        Ok(config)
    }

    fn include(&mut self, path: &Path, outer: &[Guard], depth: usize, limits: &mut Limits) -> Result<()> {
        let trouble = |why: String| Error::Config {
            file: text(path),
            why,
        };
        if depth == 0 {
            return Err(trouble("too many files include each other".into()));
        }
        let content = limits.read(path).map_err(trouble)?;
        let mut guards = outer.to_vec();
        for (number, line) in content.lines().enumerate() {
            let Some((key, words)) = words(line) else {
                continue;
            };
            match key.as_str() {
                "host" => {
                    guards = outer.to_vec();
                    guards.push(Guard::Host(words));
                }
                "match" => {
                    guards = outer.to_vec();
                    guards.push(Guard::Match(criteria(&words)));
                }
                "include" => {
                    for pattern in &words {
                        for file in self.files(pattern, limits.files) {
                            self.include(&file, &guards, depth - 1, limits)?;
                        }
                    }
                }
                "port" if words.first().is_none_or(|word| word.parse::<u16>().is_err()) => {
                    return Err(trouble(format!("line {}: this is no port", number + 1)));
                }
                _ if KEPT.contains(&key.as_str()) => self.settings.push(Setting {
                    when: guards.clone(),
                    key,
                    words,
                }),
                _ => {}
            }
        }
        Ok(())
    }

    /// The files that a pattern of `Include` names: patterns in the last part of the path only.
    fn files(&self, pattern: &str, most: usize) -> Vec<PathBuf> {
        let path = self.at_home(pattern);
        let path = match path.is_absolute() {
            true => path,
            false => self.home.join(".ssh").join(path),
        };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let (Some(name), Some(folder)) = (name, path.parent()) else {
            return Vec::new();
        };
        if !name.contains(['*', '?']) {
            return if path.is_file() { vec![path] } else { Vec::new() };
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries
            .filter(|entry| {
                let entry = entry.file_name().to_string_lossy().into_owned();
                (!entry.starts_with('.') || name.starts_with('.')) && matches(&name, &entry)
            })
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .take(most)
            .collect();
        found.sort();
        found
    }

    /// Where a name leads: what the user would reach with `ssh NAME`.
    pub fn resolve(&self, name: &str, user: Option<&str>, port: Option<u16>) -> Result<Resolved> {
        self.resolve_within(name, user, port, JUMPS_MOST)
    }

    fn resolve_within(
        &self,
        name: &str,
        user: Option<&str>,
        port: Option<u16>,
        jumps_left: usize,
    ) -> Result<Resolved> {
        let trouble = |why: &str| Error::Config {
            file: text(&self.home.join(".ssh/config")),
            why: format!("{name}: {why}"),
        };
        let mut asked = Asked {
            original: name,
            host: name.to_owned(),
            user: user.map(str::to_owned),
        };
        let mut found = Resolved {
            host: name.to_owned(),
            port: port.unwrap_or(22),
            user: None,
            identity_files: Vec::new(),
            identities_only: false,
            jumps: Vec::new(),
            known_hosts: Vec::new(),
        };
        let mut seen: Vec<&str> = Vec::new();
        let mut identities: Vec<&str> = Vec::new();
        let mut known_hosts: &[String] = &[];
        let mut jump = None;
        for setting in &self.settings {
            if !setting
                .when
                .iter()
                .all(|guard| guard.is_met(&asked, &self.local_user))
            {
                continue;
            }
            let Some(word) = setting.words.first().map(String::as_str) else {
                continue;
            };
            if setting.key == "identityfile" {
                if !identities.contains(&word) && identities.len() < 32 {
                    identities.push(word);
                }
                continue;
            }
            // The first way through counts, of whichever kind.
            let kind = match setting.key.as_str() {
                "proxycommand" => "proxyjump",
                key => key,
            };
            if seen.contains(&kind) {
                continue;
            }
            seen.push(kind);
            match setting.key.as_str() {
                "hostname" => asked.host = word.replace("%h", name).replace("%%", "%"),
                "user" if asked.user.is_none() => asked.user = Some(word.to_owned()),
                "port" if port.is_none() => found.port = word.parse().unwrap_or(22),
                "identitiesonly" => found.identities_only = word.eq_ignore_ascii_case("yes"),
                "userknownhostsfile" => known_hosts = &setting.words,
                "proxyjump" if !word.eq_ignore_ascii_case("none") => jump = Some(word),
                "proxycommand" if !word.eq_ignore_ascii_case("none") => {
                    return Err(trouble("ProxyCommand is not honoured; use ProxyJump"));
                }
                _ => {}
            }
        }
        found.host = asked.host;
        found.user = asked.user;
        let file = |word: &str| {
            let filled = self.fill(word, &found);
            self.at_home(&filled)
        };
        let none = |word: &&str| !word.eq_ignore_ascii_case("none");
        let files: Vec<_> = identities.into_iter().filter(none).map(file).collect();
        let known: Vec<_> = known_hosts
            .iter()
            .map(String::as_str)
            .filter(none)
            .map(file)
            .collect();
        found.identity_files = files;
        found.known_hosts = known;
        if let Some(jump) = jump {
            found.jumps = self.hops(name, jump, jumps_left)?;
        }
        Ok(found)
    }

    /// The hosts of a list as `ssh -J` takes it, in order: what the user would go through.
    ///
    /// # Errors
    /// [`Error::Config`] when the list makes no sense or is too long.
    pub fn through(&self, jumps: &str) -> Result<Vec<Resolved>> {
        self.hops(jumps, jumps, JUMPS_MOST)
    }

    fn hops(&self, name: &str, list: &str, left: usize) -> Result<Vec<Resolved>> {
        let trouble = |why: &str| Error::Config {
            file: text(&self.home.join(".ssh/config")),
            why: format!("{name}: {why}"),
        };
        let mut hops = Vec::new();
        for (at, hop) in list.split(',').enumerate() {
            if at >= left {
                return Err(trouble("too many jump hosts"));
            }
            let (user, host, port) =
                hop_parts(hop).ok_or_else(|| trouble("this jump host makes no sense"))?;
            let mut hop = self.resolve_within(host, user, port, left - 1)?;
            // As with `ssh -J`: only the first is reached through its own jump hosts.
            let before = std::mem::take(&mut hop.jumps);
            if at == 0 {
                hops.extend(before);
            }
            hops.push(hop);
        }
        if hops.len() > JUMPS_MOST {
            return Err(trouble("too many jump hosts"));
        }
        Ok(hops)
    }

    fn fill(&self, word: &str, found: &Resolved) -> String {
        let mut filled = String::new();
        let mut letters = word.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                filled.push(letter);
                continue;
            }
            match letters.next() {
                Some('h') => filled.push_str(&found.host),
                Some('p') => filled.push_str(&found.port.to_string()),
                Some('r') => filled.push_str(found.user.as_deref().unwrap_or(&self.local_user)),
                Some('u') => filled.push_str(&self.local_user),
                Some('d') => filled.push_str(&self.home.display().to_string()),
                Some('%') | None => filled.push('%'),
                Some(other) => filled.extend(['%', other]),
            }
        }
        filled
    }

    fn at_home(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/").or_else(|| path.strip_prefix("~\\")) {
            Some(rest) => self.home.join(rest),
            None => path.into(),
        }
    }
}

/// What is kept of a file.
const KEPT: &[&str] = &[
    "hostname",
    "user",
    "port",
    "identityfile",
    "identitiesonly",
    "proxyjump",
    "proxycommand",
    "userknownhostsfile",
];

struct Limits {
    left: u64,
    files: usize,
}

impl Limits {
    fn read(&mut self, path: &Path) -> Result<String, String> {
        self.files = self.files.checked_sub(1).ok_or("too many files are included")?;
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut content = Vec::new();
        let read = file.take(self.left + 1).read_to_end(&mut content);
        read.map_err(|error| error.to_string())?;
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.left = self
            .left
            .checked_sub(length)
            .ok_or("the configuration is larger than 1 MiB")?;
        Ok(String::from_utf8_lossy(&content).into_owned())
    }
}

impl Guard {
    fn is_met(&self, asked: &Asked<'_>, local_user: &str) -> bool {
        match self {
            Self::Host(patterns) => any(patterns, asked.original),
            Self::Match(criteria) => {
                !criteria.is_empty()
                    && criteria.iter().all(|criterion| {
                        let met = match criterion.what {
                            What::All => true,
                            What::Host => any_host(&criterion.patterns, &asked.host),
                            What::OriginalHost => any_host(&criterion.patterns, asked.original),
                            What::User => {
                                any(&criterion.patterns, asked.user.as_deref().unwrap_or(local_user))
                            }
                            What::LocalUser => any(&criterion.patterns, local_user),
                            What::Untold => return false,
                        };
                        met != criterion.refuses
                    })
            }
        }
    }
}

/// Whether one of the patterns fits and none that begins with `!` does.
fn any(patterns: &[String], text: &str) -> bool {
    let mut fits = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern, text) => return false,
            Some(_) => {}
            None => fits |= matches(pattern, text),
        }
    }
    fits
}

/// The same where capitals do not count, as `ssh` has it for `Match host` and not for `Host`.
fn any_host(patterns: &[String], text: &str) -> bool {
    let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.to_lowercase()).collect();
    any(&patterns, &text.to_lowercase())
}

fn criteria(words: &[String]) -> Vec<Criterion> {
    let mut criteria = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (refuses, word) = match word.strip_prefix('!') {
            Some(word) => (true, word),
            None => (false, word.as_str()),
        };
        let what = match word.to_lowercase().as_str() {
            "all" => What::All,
            "host" => What::Host,
            "originalhost" => What::OriginalHost,
            "user" => What::User,
            "localuser" => What::LocalUser,
            _ => What::Untold,
        };
        let patterns = match what {
            What::All => Vec::new(),
            _ => words
                .next()
                .map(|list| list.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
        };
        criteria.push(Criterion {
            refuses,
            what,
            patterns,
        });
    }
    criteria
}

/// A line's key, in small letters, and its words. Quotes hold a word together; `#` begins a comment.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for letter in line.trim().chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            '#' if !quoted && !begun => break,
            // Between key and value may stand one `=`.
            letter if !quoted && (letter.is_whitespace() || (letter == '=' && words.len() < 2)) => {
                if letter == '=' && !words.is_empty() && begun {
                    word.push(letter);
                    continue;
                }
                if begun {
                    words.push(std::mem::take(&mut word));
                    begun = false;
                }
            }
            letter => {
                word.push(letter);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    let mut words = words.into_iter();
    let key = words.next()?.to_lowercase();
    Some((key, words.collect()))
}

/// `[user@]host[:port]` or `ssh://[user@]host[:port]`.
pub(crate) fn hop_parts(hop: &str) -> Option<(Option<&str>, &str, Option<u16>)> {
    let hop = hop.trim();
    let hop = hop.strip_prefix("ssh://").unwrap_or(hop).trim_end_matches('/');
    let (user, place) = match hop.rsplit_once('@') {
        Some((user, place)) => (Some(user).filter(|user| !user.is_empty()), place),
        None => (None, hop),
    };
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        (host, port.strip_prefix(':'))
    } else if place.matches(':').count() == 1 {
        place.split_once(':').map(|(host, port)| (host, Some(port)))?
    } else {
        (place, None)
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    (!host.is_empty()).then_some((user, host, port))
}

#[cfg(test)]
mod tests;
