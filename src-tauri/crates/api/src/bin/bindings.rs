//! Writes the interface's TypeScript, or with `--check` says whether the file is stale.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (check, file) = match arguments.as_slice() {
        [flag, file] if flag == "--check" => (true, file),
        [file] => (false, file),
        _ => {
            eprintln!("usage: bindings [--check] FILE");
            return ExitCode::from(2);
        }
    };
    let fresh = api::typescript();
    if check {
        if std::fs::read_to_string(file).is_ok_and(|kept| kept == fresh) {
            return ExitCode::SUCCESS;
        }
        eprintln!("{file} is stale; run `cargo xtask bindings`");
        return ExitCode::FAILURE;
    }
    match std::fs::write(file, fresh) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}
