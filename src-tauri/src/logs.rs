//! The program's own log: to the terminal, and to a file a day beside the ledger. Secrets are of types that print
//! nothing, and requests are logged by name only.

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

const DAYS_KEPT: usize = 14;

/// Writes what is still to be written when it goes.
pub struct Logs(#[allow(dead_code, reason = "held for its drop")] WorkerGuard);

/// Starts logging. Without a file to write to it goes to the terminal alone.
pub fn start(data_dir: &Path) -> Option<Logs> {
    let filter = || EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let dir = data_dir.join("logs");
    // The appender complains aloud of a directory that is not there yet. That it cannot be made shows below.
    let _ = std::fs::create_dir_all(&dir);
    let file = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("wangcheng")
        .filename_suffix("log")
        .max_log_files(DAYS_KEPT)
        .build(dir);
    let terminal = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let (file, guard) = match file {
        Ok(file) => {
            let (writer, guard) = tracing_appender::non_blocking(file);
            (
                Some(fmt::layer().with_ansi(false).with_writer(writer)),
                Some(Logs(guard)),
            )
        }
        Err(_) => (None, None),
    };
    let set = tracing_subscriber::registry()
        .with(filter())
        .with(terminal)
        .with(file)
        .try_init();
    set.ok().and(guard)
}
