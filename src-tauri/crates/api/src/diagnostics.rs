//! The bundle that a person attaches to a report: what the program is, how it stands, and what it logged, without
//! anything that opens a door. Logs hold no secret to begin with; what is written here is looked through once more all
//! the same, because such a bundle leaves the house.

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;
use wangcheng::{Code, Failure, Result, Wangcheng};
use zip::write::{SimpleFileOptions, ZipWriter};

/// Directory of the bundles, in the data directory.
pub(crate) const DIRECTORY: &str = "diagnostics";
/// Most bytes of one log that are taken: its end.
const LOG_MOST: u64 = 2 * 1024 * 1024;
/// How many logs are taken, the newest.
const LOGS_MOST: usize = 5;
/// What stands for what was taken out.
const BLANK: &str = "[…]";

/// A bundle that was written.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The file.
    pub file: String,
    /// What is in it.
    pub entries: Vec<String>,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// A directory that the system can be asked to show. The page names none itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Folder {
    /// The data directory.
    Data,
    /// That of the bundles.
    Diagnostics,
    /// The user's own for downloads.
    Downloads,
}

/// Asks the system to show a directory.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
pub struct ShowFolder {
    /// Which.
    pub folder: Folder,
}

/// Writes the bundle into the data directory. `logs`: where the program logs to.
///
/// # Errors
/// `BundleNotWritten`; as the ledger's.
pub(crate) async fn write(domain: &Wangcheng, about: Value, logs: PathBuf) -> Result<Bundle> {
    let standing = domain.standing().await?;
    let settings = domain.settings().await?;
    let settings = json!({
        "language": settings.language,
        "theme": settings.theme,
        "warnMinutes": settings.warn_minutes,
        "tellOperations": settings.tell_operations,
        "stayInTray": settings.stay_in_tray,
        "proxy": settings.proxy,
        "extraCa": !settings.ca_file.is_empty(),
    });
    let dir = domain.data_dir().join(DIRECTORY);
    let now = domain.now();
    let written = tokio::task::spawn_blocking(move || {
        let texts = vec![
            ("about.json".to_owned(), pretty(&about)),
            ("settings.json".to_owned(), pretty(&settings)),
            ("standing.json".to_owned(), pretty(&standing)),
        ];
        bundle(&dir, now, texts, &logs)
    });
    let not_written = |error: String| Failure::new(Code::BundleNotWritten).saying(error);
    match written.await {
        Ok(result) => result.map_err(|error| not_written(error.to_string())),
        Err(error) => Err(not_written(error.to_string())),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn bundle(
    dir: &Path,
    now: DateTime<Utc>,
    mut texts: Vec<(String, String)>,
    logs: &Path,
) -> std::io::Result<Bundle> {
    for file in newest_logs(logs) {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        // A log that cannot be read is missing, and the rest still helps.
        if let Ok(text) = end_of(&file) {
            texts.push((format!("logs/{name}"), without_secrets(&text)));
        }
    }
    std::fs::create_dir_all(dir)?;
    let file = dir.join(format!("wangcheng-{}.zip", now.format("%Y%m%d-%H%M%S")));
    let mut archive = ZipWriter::new(std::fs::File::create(&file)?);
    let mut entries = Vec::with_capacity(texts.len());
    for (name, text) in texts {
        archive.start_file(&name, SimpleFileOptions::default())?;
        archive.write_all(text.as_bytes())?;
        entries.push(name);
    }
    archive.finish()?.sync_all()?;
    Ok(Bundle {
        bytes: std::fs::metadata(&file)?.len(),
        file: file.display().to_string(),
        entries,
    })
}

/// The program's logs, newest first.
fn newest_logs(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "log"))
        .collect();
    // A day is in the name.
    files.sort_unstable_by(|one, other| other.cmp(one));
    files.truncate(LOGS_MOST);
    files
}

fn end_of(file: &Path) -> std::io::Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    let mut opened = std::fs::File::open(file)?;
    let length = opened.metadata()?.len();
    opened.seek(SeekFrom::Start(length.saturating_sub(LOG_MOST)))?;
    let mut bytes = Vec::new();
    opened.take(LOG_MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The text with everything blanked that could be a key or a token: long runs of letters and digits that are not one
/// of the ids which support asks for, whatever follows a word such as “token”, and the login of an address. The name of
/// the home directory goes, too: it is somebody's name.
pub(crate) fn without_secrets(text: &str) -> String {
    let home = dirs::home_dir().map(|home| home.display().to_string());
    let mut clean = String::with_capacity(text.len());
    for line in text.lines() {
        let line = match home.as_deref().filter(|home| home.len() > 1) {
            Some(home) => line.replace(home, "~"),
            None => line.to_owned(),
        };
        clean_line(&without_logins(&line), &mut clean);
        clean.push('\n');
    }
    clean
}

/// `scheme://user:password@host` without the login.
fn without_logins(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\''))
            .unwrap_or(after.len());
        let (authority, more) = after.split_at_checked(end).unwrap_or((after, ""));
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                clean.push_str(BLANK);
                clean.push('@');
                clean.push_str(host);
            }
            None => clean.push_str(authority),
        }
        rest = more;
    }
    clean.push_str(rest);
    clean
}

fn clean_line(line: &str, clean: &mut String) {
    const TELLING: [&str; 8] = [
        "token",
        "authorization",
        "bearer",
        "password",
        "secret",
        "credential",
        "signature",
        "api_key",
    ];
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_' | '.' | '~');
    let mut told = false;
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (run, more) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // A key may have such a word in it, so what could be one is none of these words.
        let name = run.split_once('=').map_or(run, |(name, _)| name);
        let small = name.to_ascii_lowercase();
        if !could_be_secret(name) && TELLING.iter().any(|word| small.contains(word)) {
            // `token=abc` is one run, `token: abc` two.
            told = true;
            match run.split_once('=') {
                Some((name, value)) if !value.is_empty() => {
                    clean.push_str(name);
                    clean.push('=');
                    clean.push_str(BLANK);
                }
                _ => clean.push_str(run),
            }
        } else if could_be_secret(run) || (told && run.len() >= 6 && run.chars().any(|c| c.is_ascii_digit()))
        {
            clean.push_str(BLANK);
        } else {
            clean.push_str(run);
        }
        let mut between = more.chars();
        if let Some(c) = between.next() {
            clean.push(c);
        }
        rest = between.as_str();
    }
}

/// An access key's id has 20 characters, its secret 40, a token more. Ids of requests, jobs, servers and projects are
/// hexadecimal; moments have colons or begin with a year.
fn could_be_secret(run: &str) -> bool {
    let bare = run.trim_matches(|c: char| matches!(c, '=' | '.' | '-' | '_' | '/'));
    let value = bare.split_once('=').map_or(bare, |(_, value)| value);
    value.split(['/', '.']).any(|piece| {
        let digits = piece.chars().filter(char::is_ascii_digit).count();
        let letters = piece.chars().filter(char::is_ascii_alphabetic).count();
        let hexadecimal = piece.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && piece.len() <= 36;
        let words = piece.contains('_') || (piece.contains('-') && digits < 4);
        piece.len() >= 16 && letters > 0 && !hexadecimal && !words && (digits > 0 || piece.len() >= 32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tokens_and_logins_are_blanked_and_ids_stay() {
        let secrets = [
            "HPUAEXAMPLE000000J3K",
            "ThisIsTheSecretOfTheKey00000000000000001",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYzz",
            "MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0",
            "7b1e0d52-4c0c-4a9e-9d1b-2f6c8d3b5a10",
            "hunter2",
        ];
        let text = format!(
            "INFO call failed name=\"servers.list\" request_id=5cd7c7bca3ed8aa2dbe3bb0f3d0b5f31\n\
             WARN key {} with {}\nDEBUG sk=\"{}\" sent {}/x\n\
             ERROR Authorization: Bearer {}\nINFO proxy http://ada:{}@proxy.example:8080/ is used\n\
             INFO token={}\nINFO server 4f4b3dfa-eb70-47cf-a60a-998a53bd6666 runs\n",
            secrets[0], secrets[1], secrets[2], secrets[3], secrets[4], secrets[5], secrets[1]
        );
        let clean = without_secrets(&text);
        for secret in secrets {
            assert!(!clean.contains(secret), "{secret} in {clean}");
        }
        for kept in [
            "5cd7c7bca3ed8aa2dbe3bb0f3d0b5f31",
            "4f4b3dfa-eb70-47cf-a60a-998a53bd6666",
            "servers.list",
            "proxy.example:8080",
        ] {
            assert!(clean.contains(kept), "{kept} is what support asks for: {clean}");
        }
    }

    #[test]
    fn a_usual_line_of_the_log_stays_as_it_is() {
        let line = "2025-11-24T06:01:10.120331Z  INFO wangcheng::operations::runner: settled operation=019ab4d2-7c11-7e3a-9f00-0c5f2d3e4a5b kind=server.create\n";
        assert_eq!(without_secrets(line), line);
    }
}
