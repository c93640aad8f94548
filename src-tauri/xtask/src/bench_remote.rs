//! The benchmarks' rows of what `remote` does, each against a peer in the same run: OpenSSH's own client, websockify.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::steps::{do_it, released, target};

/// The report's rows, and what was measured as it was said. Only where the peers can be set up.
pub fn rows() -> Result<(String, String)> {
    if !cfg!(target_os = "linux") {
        return Ok((
            String::new(),
            "SSH and screens are measured on Linux only.\n".to_owned(),
        ));
    }
    let (mut rows, mut raw) = (String::new(), String::new());
    for example in ["against_openssh", "against_websockify"] {
        do_it(
            "what is measured",
            &mut released("build", &["--release", "--example", example]),
        )?;
        let mut measuring = Command::new(target().join("release/examples").join(example));
        let output = measuring.stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot start {example}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{said}");
        if !output.status.success() {
            bail!("{example} failed ({})", output.status);
        }
        rows.extend(
            said.lines()
                .filter(|line| line.starts_with("| "))
                .map(|line| format!("{line}\n")),
        );
        raw.push_str(&said);
    }
    Ok((rows, raw))
}
