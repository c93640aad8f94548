//! A program on a server without a terminal: what it writes comes out as it is, output and complaints apart, and what it
//! reads goes in. It has a connection of its own, so a reader who is slow holds up nobody else, and the server with it.

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::time::{Duration, timeout};

use crate::connection::{Connection, Login, Purpose, answer};
use crate::error::{Error, Result, tame};
use crate::front::State;
use crate::shell::granted;

/// How long the last words of a program may take after its end.
const FAREWELL: Duration = Duration::from_secs(2);

/// A program at work. Dropping it ends its connection.
pub struct Program {
    reader: ChannelReadHalf,
    exit: Option<u32>,
    signal: Option<String>,
    _connection: Connection,
}

/// What it reads.
pub struct ProgramInput(ChannelWriteHalf<Msg>);

/// What comes of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// On its standard output.
    Output(Bytes),
    /// On its standard error.
    Errors(Bytes),
    /// It ended. Nothing follows.
    Ended {
        /// What it returned, where it did.
        exit: Option<u32>,
        /// The signal that ended it, where one did.
        signal: Option<String>,
    },
}

impl Login {
    /// Connects and runs a command, as the user's shell over there reads it; without one, that shell itself.
    ///
    /// # Errors
    /// Those of connecting and logging in; [`Error::Rejected`] when the server runs no commands.
    pub async fn program(&self, command: Option<&str>) -> Result<(ProgramInput, Program)> {
        let connection = self.connect(Purpose::Transfer).await?;
        let mut channel = connection.open_session().await?;
        let starting = async {
            match command {
                Some(command) => channel.exec(true, command.as_bytes()).await?,
                None => channel.request_shell(true).await?,
            }
            granted(&mut channel, "a program").await
        };
        answer("a program", starting).await?;
        self.teller.tell(State::Open);
        let (reader, writer) = channel.split();
        let program = Program {
            reader,
            exit: None,
            signal: None,
            _connection: connection,
        };
        Ok((ProgramInput(writer), program))
    }
}

impl ProgramInput {
    /// Hands something in; waits while the program reads slowly.
    ///
    /// # Errors
    /// [`Error::Lost`] when nobody reads any more.
    pub async fn write(&self, bytes: impl Into<Bytes>) -> Result<()> {
        let written = self.0.data_bytes(bytes.into()).await;
        written.map_err(|_| Error::lost("nobody reads what is handed in"))
    }

    /// There is nothing more to read.
    ///
    /// # Errors
    /// As [`ProgramInput::write`].
    pub async fn end(&self) -> Result<()> {
        let ended = self.0.eof().await;
        ended.map_err(|_| Error::lost("nobody reads what is handed in"))
    }
}

impl Program {
    /// What comes next.
    ///
    /// # Errors
    /// [`Error::Lost`] when the connection breaks off before the program ended.
    pub async fn next(&mut self) -> Result<Said> {
        loop {
            let ended = self.exit.is_some() || self.signal.is_some();
            let message = match ended {
                true => timeout(FAREWELL, self.reader.wait()).await.unwrap_or(None),
                false => self.reader.wait().await,
            };
            match message {
                Some(ChannelMsg::Data { data }) => return Ok(Said::Output(data)),
                Some(ChannelMsg::ExtendedData { data, .. }) => return Ok(Said::Errors(data)),
                Some(ChannelMsg::ExitStatus { exit_status }) => self.exit = Some(exit_status),
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.signal = Some(tame(&format!("{signal_name:?}"), 40));
                }
                // A server may close without a word of how the program ended.
                Some(ChannelMsg::Close) => return Ok(self.end()),
                None if ended => return Ok(self.end()),
                None => return Err(Error::lost("the connection broke off")),
                Some(_) => {}
            }
        }
    }

    fn end(&mut self) -> Said {
        Said::Ended {
            exit: self.exit,
            signal: self.signal.take(),
        }
    }
}
