//! One command without a terminal: standard input goes there, its output and complaints come here, apart.

use tokio::sync::mpsc;
use wangcheng::sessions::{Front, Link, Program, ProgramInput, Said, failure};

use super::shell::{cancelled, interrupted, keys, write};
use super::{attended, code};
use crate::session::Session;
use crate::trouble::Result;

/// Runs it to its end; answers what it returned.
pub async fn run(
    session: &Session,
    link: Link,
    mut front: Front,
    command: Option<String>,
    input: bool,
) -> Result<u8> {
    let beginning = attended(session.output, &mut front, link.program(command.as_deref()));
    let begun = tokio::select! {
        begun = beginning => begun.map_err(|failure| session.failed(&failure))?,
        () = interrupted() => return Err(cancelled(session)),
    };
    let ended = tokio::select! {
        ended = talk(session, begun, input) => ended,
        () = interrupted() => Err(cancelled(session)),
    };
    link.close().await;
    ended
}

async fn talk(session: &Session, (to, mut program): (ProgramInput, Program), input: bool) -> Result<u8> {
    let typed = if input { keys() } else { mpsc::channel(1).1 };
    let handing = tokio::spawn(hand_in(to, typed));
    let ended = loop {
        let said = program.next().await;
        match said.map_err(|error| session.failed(&failure(&error)))? {
            Said::Output(bytes) => write(std::io::stdout(), bytes).await?,
            Said::Errors(bytes) => write(std::io::stderr(), bytes).await?,
            Said::Ended { exit, .. } => break code(exit),
        }
    };
    handing.abort();
    Ok(ended)
}

async fn hand_in(to: ProgramInput, mut typed: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = typed.recv().await {
        if to.write(bytes).await.is_err() {
            return;
        }
    }
    // A program that ended already needs no end of its input.
    let _ = to.end().await;
}
