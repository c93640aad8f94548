//! The benchmarks' rows of SSH and SFTP, each against OpenSSH's own client in the same run.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::steps::cargo;

/// The report's rows, and what was measured as it was said. Only where the peer can be set up.
pub fn rows() -> Result<(String, String)> {
    if !cfg!(target_os = "linux") {
        return Ok((String::new(), "SSH is measured on Linux only.\n".to_owned()));
    }
    let output = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "remote",
        "--example",
        "against_openssh",
    ])
    .stderr(Stdio::inherit())
    .output()
    .context("cannot start what measures SSH")?;
    let raw = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{raw}");
    if !output.status.success() {
        bail!("SSH cannot be measured ({})", output.status);
    }
    Ok((raw.lines().filter_map(row).collect(), raw))
}

/// A row out of `WHAT: 1 MiB/s, OpenSSH 2 MiB/s, ratio 0.50 (reach 1): missed`.
fn row(line: &str) -> Option<String> {
    let (what, said) = line.rsplit_once(": ")?;
    let reached = match said {
        "reached" => "reached",
        "missed" => "MISSED",
        _ => return None,
    };
    let (what, numbers) = what.split_once(": ")?;
    let (ours, rest) = numbers.split_once(", OpenSSH ")?;
    let (theirs, rest) = rest.split_once(", ratio ")?;
    let (ratio, rest) = rest.split_once(" (reach ")?;
    let reach = rest.strip_suffix(')')?;
    Some(format!(
        "| {what} | OpenSSH | {ours} | {theirs} | {ratio} × | ≥ {reach} × | {reached} |\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_held_against_that_of_openssh() {
        let line = "bulk, aes128-gcm: 900 MiB/s, OpenSSH 875 MiB/s, ratio 1.03 (reach 1): reached";
        assert_eq!(
            row(line).as_deref(),
            Some("| bulk, aes128-gcm | OpenSSH | 900 MiB/s | 875 MiB/s | 1.03 × | ≥ 1 × | reached |\n")
        );
        assert_eq!(row("a remark: nothing"), None);
    }
}
