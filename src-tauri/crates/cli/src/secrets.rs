//! Secrets come in by a prompt that does not show them, by standard input or by the environment, never by an argument,
//! which every other process could read.

use std::io::{BufRead, IsTerminal, Read};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::output::Output;
use crate::trouble::{Result, Trouble};

/// More than any key or token has.
const MOST: u64 = 64 * 1024;

/// An access key with its secret.
pub struct Key {
    /// AK.
    pub access_key: SecretString,
    /// SK.
    pub secret_key: SecretString,
    /// Of a temporary key.
    pub security_token: Option<SecretString>,
}

fn variable(name: &str) -> Option<SecretString> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .map(SecretString::from)
}

/// The key of the environment, under the names that the vendor's own SDK reads.
pub fn key_of_environment() -> Option<Key> {
    Some(Key {
        access_key: variable("HUAWEICLOUD_SDK_AK")?,
        secret_key: variable("HUAWEICLOUD_SDK_SK")?,
        security_token: variable("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    })
}

/// The key: of the environment, else asked for, else read from standard input.
pub fn key(output: Output) -> Result<Key> {
    if let Some(key) = key_of_environment() {
        return Ok(key);
    }
    if std::io::stdin().is_terminal() {
        return Ok(Key {
            access_key: rpassword::prompt_password(output.say("访问密钥 AK：", "Access key (AK): "))?.into(),
            secret_key: rpassword::prompt_password(output.say("密钥 SK：", "Secret key (SK): "))?.into(),
            security_token: Some(rpassword::prompt_password(output.say(
                "安全令牌（没有则留空）：",
                "Security token (empty if there is none): ",
            ))?)
            .filter(|token| !token.is_empty())
            .map(SecretString::from),
        });
    }
    let mut lines = lines()?.into_iter();
    match (lines.next(), lines.next()) {
        (Some(access_key), Some(secret_key)) => Ok(Key {
            access_key,
            secret_key,
            security_token: lines.next(),
        }),
        _ => Err(missing(output)),
    }
}

/// The receiver's token: of the environment, else asked for, else read from standard input.
pub fn token(output: Output) -> Result<SecretString> {
    if let Some(token) = variable("WANGCHENG_HEI_TOKEN") {
        return Ok(token);
    }
    if std::io::stdin().is_terminal() {
        let token = rpassword::prompt_password(output.say("HEI 令牌：", "HEI token: "))?;
        return Ok(token.into());
    }
    lines()?.into_iter().next().ok_or_else(|| missing(output))
}

/// The passphrase of a backup, likewise.
pub fn passphrase(output: Output) -> Result<SecretString> {
    if let Some(passphrase) = variable("WANGCHENG_PASSPHRASE") {
        return Ok(passphrase);
    }
    if std::io::stdin().is_terminal() {
        let passphrase = rpassword::prompt_password(output.say("口令：", "Passphrase: "))?;
        return Ok(passphrase.into());
    }
    lines()?.into_iter().next().ok_or_else(|| missing(output))
}

/// The token of the platform's search, likewise.
pub fn search_token(output: Output) -> Result<SecretString> {
    if let Some(token) = variable("WANGCHENG_SEARCH_TOKEN") {
        return Ok(token);
    }
    if std::io::stdin().is_terminal() {
        let token = rpassword::prompt_password(output.say("查询令牌：", "Token of the search: "))?;
        return Ok(token.into());
    }
    lines()?.into_iter().next().ok_or_else(|| missing(output))
}

/// A server's new password: of the environment, else asked for, else read from standard input.
pub fn server_password(output: Output) -> Result<SecretString> {
    if let Some(password) = variable("WANGCHENG_SERVER_PASSWORD") {
        return Ok(password);
    }
    if std::io::stdin().is_terminal() {
        let password = rpassword::prompt_password(output.say("新密码：", "New password: "))?;
        return Ok(password.into());
    }
    lines()?.into_iter().next().ok_or_else(|| missing(output))
}

fn missing(output: Output) -> Trouble {
    Trouble::new(
        "input_missing",
        output.say("没有提供密钥或令牌。", "No key or token was handed in."),
        Some(
            output
                .say(
                    "请通过标准输入（每行一项）或环境变量提供；参见 `--help`。",
                    "Hand it in by standard input, a line each, or by the environment; see `--help`.",
                )
                .to_owned(),
        ),
    )
}

/// The lines of standard input that are not empty.
fn lines() -> Result<Vec<SecretString>> {
    let mut input = std::io::stdin().lock().take(MOST);
    let mut lines = Vec::new();
    loop {
        let mut line = Zeroizing::new(String::new());
        if input.read_line(&mut line)? == 0 {
            return Ok(lines);
        }
        let clean = line.trim();
        if !clean.is_empty() {
            lines.push(SecretString::from(clean.to_owned()));
        }
    }
}
