//! What a command says without end: lines, until somebody stops it.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use russh::ChannelWriteHalf;
use russh::server::Msg;
use tokio::sync::oneshot;

/// Bytes that are said at once.
const PIECE: usize = 16 * 1024;

/// Lines without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endless {
    /// The same again and again.
    Line(String),
    /// Numbers from this one on: whoever reads them sees what is missing.
    Numbers(u64),
}

impl Endless {
    /// The next line, with this at its end.
    fn say(&mut self, end: &str, into: &mut String) {
        match self {
            Self::Line(line) => into.push_str(line),
            Self::Numbers(next) => {
                let _ = write!(into, "{next}");
                *next = next.saturating_add(1);
            }
        }
        into.push_str(end);
    }

    /// So many of the next lines.
    pub(super) fn lines(&mut self, count: usize, end: &str) -> String {
        let mut text = String::new();
        (0..count).for_each(|_| self.say(end, &mut text));
        text
    }

    /// The next lines, about as many as are said at once.
    fn piece(&mut self, end: &str) -> String {
        let mut text = String::with_capacity(PIECE + 64);
        while text.len() < PIECE {
            self.say(end, &mut text);
        }
        text
    }
}

/// Somebody who says it, no faster than it is taken.
pub(super) struct Flood(oneshot::Sender<String>);

impl Flood {
    /// Goes on until it is stopped or nobody is there.
    pub(super) fn start(mut lines: Endless, end: &'static str, to: Arc<ChannelWriteHalf<Msg>>) -> Self {
        let (stop, mut stopped) = oneshot::channel::<String>();
        tokio::spawn(async move {
            loop {
                let piece = Bytes::from(lines.piece(end));
                tokio::select! {
                    biased;
                    last = &mut stopped => {
                        if let Ok(last) = last {
                            let _ = to.data_bytes(last.into_bytes()).await;
                        }
                        return;
                    }
                    said = to.data_bytes(piece) => {
                        if said.is_err() {
                            return;
                        }
                    }
                }
            }
        });
        Self(stop)
    }

    /// Stops it, and says this at last.
    pub(super) fn stop(self, last: String) {
        // It may have stopped by itself.
        let _ = self.0.send(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_where_they_stopped_and_no_line_is_cut() {
        let mut numbers = Endless::Numbers(1);
        let text = format!("{}{}", numbers.piece("\r\n"), numbers.piece("\r\n"));
        let told: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(told, (1..=told.len() as u64).collect::<Vec<_>>());
        let same = Endless::Line("好".to_owned()).piece("\n");
        assert!(same.lines().all(|line| line == "好") && same.ends_with('\n'));
    }
}
