//! Tells every request of ours that changes something in the words of others, for a program that holds them to it:
//!
//! ```text
//! cargo run -p huaweicloud --example retold -- http://127.0.0.1:8080
//! ```
//!
//! Each line is a request as it would be sent to that address, with the same as a command of KooCLI and as Python.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../tests/calls/cases/mod.rs"]
#[allow(dead_code, reason = "the tests need more of the table")]
mod cases;

use std::process::ExitCode;

use huaweicloud::{Credentials, Rehearsal};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: retold <address in the requests>");
        return ExitCode::from(2);
    };
    let credentials = Credentials::permanent(cases::ACCESS_KEY, cases::SECRET_KEY);
    let client = cases::client_with(&url, credentials);
    // Services that only read are left out: what reads is sent, and nobody answers.
    let changing = ["ecs", "eip", "evs", "kps", "vpc"];
    for case in cases::all() {
        if !changing.contains(&case.service) {
            continue;
        }
        let rehearsal = Rehearsal::default();
        let _ = (case.run)(&client.rehearsing(&rehearsal)).await;
        for request in rehearsal.requests() {
            let line = serde_json::json!({
                "service": case.service,
                "operation": request.operation,
                "variant": case.variant,
                "method": request.method,
                "url": request.url,
                "headers": request.headers,
                "body": request.body,
                "koo": request.as_koo(),
                "python": request.as_python(),
            });
            println!("{line}");
        }
    }
    ExitCode::SUCCESS
}
