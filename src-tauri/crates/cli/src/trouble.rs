//! Why a command did not end well.

use api::WireError;

use crate::exit::Exit;

/// Why a command did not end well.
#[derive(Debug)]
pub enum Trouble {
    /// An error to show.
    Error {
        /// In the user's language.
        error: Box<WireError>,
        /// How the program ends.
        exit: Exit,
    },
    /// Our output could not be written.
    Output(std::io::Error),
    /// A program on a server ended with this; it has said itself why.
    Ended(u8),
}

/// A command's result.
pub type Result<T, E = Trouble> = std::result::Result<T, E>;

impl Trouble {
    /// An error found here, in the form of all others.
    pub fn new(code: &str, sentence: impl Into<String>, next_step: Option<String>) -> Self {
        WireError {
            code: code.to_owned(),
            sentence: sentence.into(),
            next_step,
            detail: None,
            provider_code: None,
            request_id: None,
        }
        .into()
    }

    /// The same, with which the program ends otherwise.
    pub fn ending(self, exit: Exit) -> Self {
        match self {
            Self::Error { error, .. } => Self::Error { error, exit },
            other => other,
        }
    }
}

impl From<WireError> for Trouble {
    fn from(error: WireError) -> Self {
        Self::Error {
            exit: Exit::of(&error.code, false),
            error: Box::new(error),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}
