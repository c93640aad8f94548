//! Sends every call that the product makes to a program that keeps them, once with a lasting key and once with one that
//! holds for a while and has a security token:
//!
//! ```text
//! cargo run -p huaweicloud --example record -- http://127.0.0.1:8080
//! ```
//!
//! Before each request a line of JSON on the standard output says which operation comes next, and the token of its key.
//! What is answered does not matter. The key is an example's, so that the other program can check each signature.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../tests/calls/cases/mod.rs"]
#[allow(dead_code, reason = "the tests need more of the table")]
mod cases;

use std::io::Write;
use std::process::ExitCode;

use huaweicloud::{Credentials, ErrorKind};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: record <address of the program that keeps the requests>");
        return ExitCode::from(2);
    };
    let mut unsent = 0;
    for token in [None, Some(cases::SECURITY_TOKEN)] {
        let credentials = Credentials {
            security_token: token.map(Into::into),
            ..Credentials::permanent(cases::ACCESS_KEY, cases::SECRET_KEY)
        };
        let client = cases::client_with(&url, credentials);
        for case in cases::all().into_iter().chain(cases::obs::signed()) {
            let line = serde_json::json!({
                "service": case.service,
                "operation": case.operation,
                "variant": case.variant,
                "token": token,
            });
            println!("{line}");
            // Whoever reads this must know what comes before it comes.
            if std::io::stdout().flush().is_err() {
                return ExitCode::FAILURE;
            }
            if let Err(error) = (case.run)(&client).await
                && matches!(error.kind, ErrorKind::Network | ErrorKind::Invalid)
                && error.status.is_none()
            {
                eprintln!("{error}");
                unsent += 1;
            }
        }
    }
    if unsent == 0 {
        ExitCode::SUCCESS
    } else {
        eprintln!("{unsent} requests could not be sent");
        ExitCode::FAILURE
    }
}
