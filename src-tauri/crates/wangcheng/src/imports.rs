//! Keys that lie ready on this computer, so that nobody has to type one: in the variables of the environment that the
//! vendor's SDK reads, in its file `~/.huaweicloud/credentials`, and in the `credentials.csv` that the console hands
//! out when a key is made.
//!
//! They are read here and never in a page. What is shown of a key is where it was found and a piece of its id; nothing
//! of it is kept between looking and signing in, so it is read a second time when a person says yes. A file that
//! somebody else wrote is as little to be trusted as an answer of the cloud: it is read up to a length, and what is in
//! it is a key or nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use zeroize::Zeroizing;

use crate::Wangcheng;
use crate::accounts::{Account, Credentials, SignIn};
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;

/// Longest file that is read, in bytes. A real one has some hundred.
const FILE_MOST: u64 = 64 * 1024;
/// Most keys that one file gives.
const KEYS_MOST: usize = 20;
/// Most files of the console that are looked at in one directory.
const FILES_MOST: usize = 8;
/// Most entries of a directory that are looked through for them.
const ENTRIES_MOST: usize = 5000;

/// Where a key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`.
    Environment,
    /// The SDK's file of profiles.
    Profile,
    /// The file that the console hands out.
    Csv,
}

/// A key that lies ready. Nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FoundKey {
    /// What names it when signing in.
    pub id: String,
    /// Where it was found.
    pub source: KeySource,
    /// The file, where it is one.
    pub file: Option<String>,
    /// Its profile, or the user that the console names in its file.
    pub label: Option<String>,
    /// First and last characters of the access key's id.
    pub access_key: String,
    /// It ends by itself: a security token belongs to it.
    pub temporary: bool,
    /// Project that is named beside it.
    pub project_id: Option<String>,
    /// Cloud account (domain) that is named beside it.
    pub domain_id: Option<String>,
}

/// Signing in with a key that was found.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignInFound {
    /// Which key: [`FoundKey::id`].
    pub id: String,
    /// What to call the account.
    pub name: String,
    /// Region id.
    pub region: String,
    /// Project id, where it cannot be found out.
    pub project_id: Option<String>,
    /// How long the key is kept.
    pub remember: Remember,
}

/// Reads one variable of the environment.
pub type Variable = fn(&str) -> Option<String>;

/// Where is looked.
#[derive(Debug, Clone)]
pub struct Places {
    /// The environment.
    pub variable: Variable,
    /// The SDK's file of profiles.
    pub profiles: Option<PathBuf>,
    /// Directories into which a browser puts the console's file.
    pub downloads: Vec<PathBuf>,
}

struct Key {
    found: FoundKey,
    credentials: Credentials,
}

impl Wangcheng {
    /// The keys that lie ready. `file`: look into this file of the console's instead.
    ///
    /// # Errors
    /// `KeyFileUnreadable` when a file that was named cannot be read or has no key in it. Files that were only come
    /// upon are passed over instead.
    pub async fn find_keys(&self, places: Places, file: Option<PathBuf>) -> Result<Vec<FoundKey>> {
        let keys = off_the_loop(move || look(&places, file.as_deref())).await??;
        Ok(keys.into_iter().map(|key| key.found).collect())
    }

    /// Signs in with a key that was found, by reading it once more.
    ///
    /// # Errors
    /// `KeyGone` when it is not there any more; what [`Wangcheng::sign_in`] says.
    pub async fn sign_in_found(&self, places: Places, ask: SignInFound) -> Result<Account> {
        let id = ask.id;
        let file = file_of(&id).map(PathBuf::from);
        let keys = off_the_loop(move || look(&places, file.as_deref())).await??;
        let key = keys.into_iter().find(|key| key.found.id == id);
        let key = key.ok_or_else(|| Failure::new(Code::KeyGone))?;
        self.sign_in(SignIn {
            name: ask.name,
            region: ask.region,
            credentials: key.credentials,
            project_id: ask.project_id.or(key.found.project_id),
            remember: ask.remember,
        })
        .await
    }
}

async fn off_the_loop<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| Failure::new(Code::Internal).saying(error))
}

/// A key of a file is named by the file and its place in it.
fn file_of(id: &str) -> Option<&str> {
    id.strip_prefix("csv:")?.split_once(':').map(|(_, file)| file)
}

fn look(places: &Places, named: Option<&Path>) -> Result<Vec<Key>> {
    if let Some(file) = named {
        let unreadable = |why: String| {
            Failure::new(Code::KeyFileUnreadable)
                .with("file", file.display())
                .saying(why)
        };
        let text = read(file).map_err(|error| unreadable(error.to_string()))?;
        let keys = of_csv(&text, file);
        if keys.is_empty() {
            return Err(unreadable(
                "no “Access Key Id” with its “Secret Access Key”".to_owned(),
            ));
        }
        return Ok(keys);
    }
    let mut keys: Vec<Key> = of_environment(places.variable).into_iter().collect();
    if let Some(file) = &places.profiles
        && let Ok(text) = read(file)
    {
        keys.extend(of_profiles(&text, file));
    }
    for file in places.downloads.iter().flat_map(|dir| console_files(dir)) {
        if let Ok(text) = read(&file) {
            keys.extend(of_csv(&text, &file));
        }
    }
    Ok(keys)
}

/// A file's text, wiped when it goes. Something other than a file may never end.
fn read(file: &Path) -> std::io::Result<Zeroizing<String>> {
    use std::io::{Error, ErrorKind};
    if !std::fs::metadata(file)?.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(file)?.take(FILE_MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MOST {
        return Err(Error::new(
            ErrorKind::InvalidData,
            "it is too long to be a file of keys",
        ));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned())),
        Err(_) => Err(Error::new(ErrorKind::InvalidData, "it is not text in UTF-8")),
    }
}

/// The console's files in a directory, newest first: `credentials.csv`, and `credentials (1).csv` of a second time.
fn console_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .take(ENTRIES_MOST)
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
            name.starts_with("credentials") && name.ends_with(".csv")
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort_by(|one, other| other.cmp(one));
    files.into_iter().take(FILES_MOST).map(|(_, file)| file).collect()
}

fn of_environment(variable: Variable) -> Option<Key> {
    let read = |name: &str| variable(name).map(Zeroizing::new);
    let found = FoundKey {
        id: "environment".to_owned(),
        source: KeySource::Environment,
        file: None,
        label: None,
        access_key: String::new(),
        temporary: false,
        project_id: variable("HUAWEICLOUD_SDK_PROJECT_ID"),
        domain_id: variable("HUAWEICLOUD_SDK_DOMAIN_ID"),
    };
    key(
        found,
        &read("HUAWEICLOUD_SDK_AK")?,
        &read("HUAWEICLOUD_SDK_SK")?,
        read("HUAWEICLOUD_SDK_SECURITY_TOKEN")
            .as_deref()
            .map(String::as_str),
    )
}

/// The profiles of the SDK's file, such as `[basic]` with `ak`, `sk`, `project_id` and `security_token`.
fn of_profiles(text: &str, file: &Path) -> Vec<Key> {
    let mut sections: Vec<(&str, Vec<(String, &str)>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.trim(), Vec::new()));
        } else if let (Some((name, value)), Some((_, fields))) = (line.split_once('='), sections.last_mut()) {
            fields.push((name.trim().to_ascii_lowercase(), value.trim()));
        }
    }
    let keys = sections.iter().filter_map(|(name, fields)| {
        let field = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| *value).filter(|value| !value.is_empty())
        };
        let found = FoundKey {
            id: format!("profile:{name}"),
            source: KeySource::Profile,
            file: Some(file.display().to_string()),
            label: Some((*name).to_owned()),
            access_key: String::new(),
            temporary: false,
            project_id: field("project_id").map(str::to_owned),
            domain_id: field("domain_id").map(str::to_owned),
        };
        key(found, field("ak")?, field("sk")?, field("security_token"))
    });
    keys.take(KEYS_MOST).collect()
}

/// The keys in the console's file, which has a line of names (`User Name,Access Key Id,Secret Access Key`) and a line
/// for each key.
fn of_csv(text: &str, file: &Path) -> Vec<Key> {
    let mut rows = rows(text).into_iter();
    let Some(names) = rows.next() else {
        return Vec::new();
    };
    let column = |wanted: &str| {
        names
            .iter()
            .position(|name| name.trim().eq_ignore_ascii_case(wanted))
    };
    let (Some(id), Some(secret)) = (column("Access Key Id"), column("Secret Access Key")) else {
        return Vec::new();
    };
    let user = column("User Name");
    let keys = rows.enumerate().filter_map(|(number, row)| {
        let field = |column: usize| row.get(column).map(|field| field.trim());
        let found = FoundKey {
            id: format!("csv:{number}:{}", file.display()),
            source: KeySource::Csv,
            file: Some(file.display().to_string()),
            label: user
                .and_then(field)
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            access_key: String::new(),
            temporary: false,
            project_id: None,
            domain_id: None,
        };
        key(found, field(id)?, field(secret)?, None)
    });
    keys.take(KEYS_MOST).collect()
}

/// Comma-separated values with quotes (RFC 4180). One row more than there may be keys.
fn rows(text: &str) -> Vec<Vec<Zeroizing<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = Zeroizing::new(String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
                if rows.len() > KEYS_MOST {
                    return rows;
                }
            }
            '\r' if !quoted => {}
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

/// A key, when the two parts can be one. What stands beside it is shown, so it is cut to what can be shown.
fn key(mut found: FoundKey, id: &str, secret: &str, token: Option<&str>) -> Option<Key> {
    let (id, secret) = (id.trim(), secret.trim());
    let plain = |text: &str, most: usize| {
        (16..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
    };
    if !plain(id, 64) || !plain(secret, 128) {
        return None;
    }
    let short = |text: String| -> Option<String> {
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(64).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    let token = token.map(str::trim).filter(|token| !token.is_empty());
    found.access_key = masked(id);
    found.temporary = token.is_some();
    found.label = found.label.and_then(short);
    found.project_id = found.project_id.and_then(short);
    found.domain_id = found.domain_id.and_then(short);
    Some(Key {
        found,
        credentials: Credentials {
            access_key: SecretString::from(id.to_owned()),
            secret_key: SecretString::from(secret.to_owned()),
            security_token: token.map(|token| SecretString::from(token.to_owned())),
        },
    })
}

/// Enough of a key's id to tell it from another.
fn masked(id: &str) -> String {
    let first: String = id.chars().take(4).collect();
    let last: String = id.chars().skip(id.chars().count().saturating_sub(4)).collect();
    format!("{first}…{last}")
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Key").field(&self.found).finish()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const AK: &str = "HPUAEXAMPLE000000J3K";
    const SK: &str = "ThisIsTheSecretOfTheKey00000000000000001";

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn variables(name: &str) -> Option<String> {
        let value = match name {
            "HUAWEICLOUD_SDK_AK" => AK,
            "HUAWEICLOUD_SDK_SK" => SK,
            "HUAWEICLOUD_SDK_PROJECT_ID" => "0f9c5b7e2d814a3f9b6c1d2e3f4a5b6c",
            "HUAWEICLOUD_SDK_DOMAIN_ID" => "  d1  ",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn places(dir: &Path, variable: Variable) -> Places {
        Places {
            variable,
            profiles: Some(dir.join("credentials")),
            downloads: vec![dir.to_owned()],
        }
    }

    #[test]
    fn the_environments_key_is_found_with_what_stands_beside_it_and_shown_in_part() {
        let dir = tempfile::tempdir().unwrap();
        let keys = look(&places(dir.path(), variables), None).unwrap();
        assert_eq!(keys.len(), 1);
        let key = &keys[0];
        assert_eq!(key.found.access_key, "HPUA…0J3K");
        assert_eq!(
            key.found.project_id.as_deref(),
            Some("0f9c5b7e2d814a3f9b6c1d2e3f4a5b6c")
        );
        assert_eq!(key.found.domain_id.as_deref(), Some("d1"));
        assert_eq!(key.credentials.secret_key.expose_secret(), SK);
        let shown = format!("{} {key:?}", serde_json::to_string(&key.found).unwrap());
        assert!(!shown.contains(SK) && !shown.contains(AK), "{shown}");
    }

    #[test]
    fn every_profile_of_the_sdks_file_is_found_and_a_half_one_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "# mine\n[basic]\nAK = {AK}\nsk={SK}\nproject_id = p1\n\n[temporary]\r\nak={AK}\r\nsk={SK}\r\nsecurity_token=t=t==\r\n\
             [half]\nak={AK}\n[global]\nak={AK}\nsk={SK}\ndomain_id=d2\n"
        );
        std::fs::write(dir.path().join("credentials"), text).unwrap();
        let keys = look(&places(dir.path(), nothing), None).unwrap();
        let names: Vec<_> = keys.iter().filter_map(|key| key.found.label.as_deref()).collect();
        assert_eq!(names, ["basic", "temporary", "global"]);
        assert_eq!(keys[0].found.project_id.as_deref(), Some("p1"));
        assert!(keys[1].found.temporary, "a token may have “=” in it");
        let token = keys[1].credentials.security_token.as_ref().unwrap();
        assert_eq!(token.expose_secret(), "t=t==");
        assert_eq!(keys[2].found.domain_id.as_deref(), Some("d2"));
    }

    #[test]
    fn the_consoles_file_is_read_with_its_mark_and_its_quotes() {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "\u{feff}User Name,Access Key Id,Secret Access Key\r\n\"Wang, \"\"Ada\"\"\",\"{AK}\",{SK}\r\n"
        );
        let file = dir.path().join("credentials (1).csv");
        std::fs::write(&file, text).unwrap();
        let keys = look(&places(dir.path(), nothing), None).unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].found.label.as_deref(), Some("Wang, \"Ada\""));
        assert_eq!(keys[0].credentials.access_key.expose_secret(), AK);
        assert_eq!(keys[0].credentials.secret_key.expose_secret(), SK);
        // What names it leads back to it.
        assert_eq!(file_of(&keys[0].found.id), Some(file.to_str().unwrap()));
        let again = look(&places(dir.path(), nothing), Some(&file)).unwrap();
        assert_eq!(again[0].found, keys[0].found);
    }

    #[test]
    fn a_file_that_has_no_key_is_named_when_a_person_asked_for_it_and_passed_over_when_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("credentials.csv");
        for text in [
            String::new(),
            "a,b,c\n1,2,3\n".to_owned(),
            "User Name,Access Key Id,Secret Access Key\nada,short,\n".to_owned(),
            "\"".repeat(1000),
            "x".repeat(70_000),
        ] {
            std::fs::write(&file, &text).unwrap();
            let failure = look(&places(dir.path(), nothing), Some(&file)).unwrap_err();
            assert_eq!(failure.code, Code::KeyFileUnreadable);
            assert!(failure.facts["file"].ends_with("credentials.csv"));
            assert!(look(&places(dir.path(), nothing), None).unwrap().is_empty());
        }
        let gone = look(&places(dir.path(), nothing), Some(dir.path())).unwrap_err();
        assert_eq!(gone.code, Code::KeyFileUnreadable, "a directory is no file");
    }

    #[test]
    fn a_file_of_more_keys_than_anybody_has_is_cut_off() {
        let line = format!("ada,{AK},{SK}\n");
        let text = format!("User Name,Access Key Id,Secret Access Key\n{}", line.repeat(500));
        assert_eq!(of_csv(&text, Path::new("credentials.csv")).len(), KEYS_MOST);
    }
}
