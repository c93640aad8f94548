//! How the receiver treats what is posted to it, and what it is asked: as it should, or as the control listener told it to.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Longest time that an answer to a question is held back, in milliseconds.
const LONGEST_SLOW: u64 = 600_000;

/// What is done with one post, or with one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Ok,
    /// Answers with this status and stores nothing.
    Status(u16, Option<u32>),
    /// Does not answer for minutes, stores nothing.
    Stall,
    /// Closes the connection without storing anything.
    Cut,
    /// Stores and closes the connection: the sender cannot know.
    CutAfter,
    /// Answers a question after this many milliseconds.
    Slow(u64),
    /// Announces a whole page of a result and sends half of it.
    Truncated,
    /// Gives half the rows of a page.
    HalfPage,
}

/// A mode as the control listener is told it, and as it tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ModeSetting {
    mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u32>,
    /// For this many posts; until another is set if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
}

impl ModeSetting {
    fn ok() -> Self {
        Self {
            mode: "ok".to_owned(),
            retry_after_s: None,
            count: None,
        }
    }

    fn read(&self) -> Option<Mode> {
        Some(match self.mode.as_str() {
            "ok" => Mode::Ok,
            "refuse_401" => Mode::Status(401, None),
            "stall" => Mode::Stall,
            "cut" => Mode::Cut,
            "cut_after" => Mode::CutAfter,
            "truncated" => Mode::Truncated,
            "half_page" => Mode::HalfPage,
            slow if slow.starts_with("slow:") => Mode::Slow(
                slow.strip_prefix("slow:")?
                    .parse()
                    .ok()
                    .filter(|ms| *ms <= LONGEST_SLOW)?,
            ),
            other => {
                let status: u16 = other.strip_prefix("status:").unwrap_or(other).parse().ok()?;
                Mode::Status(
                    (200..600).contains(&status).then_some(status)?,
                    self.retry_after_s,
                )
            }
        })
    }

    /// As a person reads it.
    pub(super) fn words(&self) -> String {
        match self.count {
            Some(count) => format!("{} × {count}", self.mode),
            None => self.mode.clone(),
        }
    }
}

/// The mode that is on.
#[derive(Debug)]
pub(super) struct Modes(Mutex<(ModeSetting, Mode)>);

impl Default for Modes {
    fn default() -> Self {
        Self(Mutex::new((ModeSetting::ok(), Mode::Ok)))
    }
}

impl Modes {
    /// The same for questions, which know other ways to go wrong.
    pub(super) fn set_for_questions(&self, setting: &ModeSetting) -> bool {
        !matches!(setting.read(), Some(Mode::CutAfter)) && self.put(setting)
    }

    /// False if there is no such mode, or it is to be on for no post at all.
    pub(super) fn set(&self, setting: &ModeSetting) -> bool {
        let of_questions = matches!(
            setting.read(),
            Some(Mode::Slow(_) | Mode::Truncated | Mode::HalfPage)
        );
        !of_questions && self.put(setting)
    }

    fn put(&self, setting: &ModeSetting) -> bool {
        let Some(mode) = setting.read().filter(|_| setting.count != Some(0)) else {
            return false;
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (setting.clone(), mode);
        true
    }

    pub(super) fn present(&self) -> ModeSetting {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// What is done with the post that came now.
    pub(super) fn take(&self) -> Mode {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mode = present.1;
        if let Some(count) = &mut present.0.count {
            *count = count.saturating_sub(1);
            if *count == 0 {
                *present = (ModeSetting::ok(), Mode::Ok);
            }
        }
        mode
    }
}
