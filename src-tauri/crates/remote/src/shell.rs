//! A shell on a server: what is typed goes in, what is shown comes out, and a connection that was lost is made anew, a
//! limited number of times, never after a refusal. The session lives here, whoever looks at it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Login, Patience, Purpose, answer, millis};
use crate::error::{Error, Result, tame};
use crate::front::State;
use crate::output::{Output, Spool};
use crate::recording::Slot;

/// What we say we are.
pub(crate) const TERM: &str = "xterm-256color";
/// The most that is typed or pasted at once, in bytes.
const INPUT_MOST: usize = 8 * 1024 * 1024;
/// Inputs under way to the server.
const INPUTS: usize = 256;
/// How long the last words of a shell may take after its end.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a silent server may take to answer when asked.
const ALIVE_WAIT: Duration = Duration::from_secs(30);

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Letters in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// How a shell behaves.
#[derive(Debug, Clone)]
pub struct ShellOptions {
    /// Its size at the beginning.
    pub size: Size,
    /// How often a lost connection is made anew, each time; 0 never.
    pub reconnects: u32,
    /// What runs instead of the user's shell.
    pub command: Option<String>,
    /// Where to record it.
    pub recording: Option<Cast>,
}

/// A recording to make.
#[derive(Debug, Clone)]
pub struct Cast {
    /// A file that is not there yet.
    pub file: PathBuf,
    /// When it begins, in seconds of Unix time.
    pub at: i64,
    /// What it is called.
    pub title: String,
}

/// A shell. Dropping it ends it.
#[derive(Debug)]
pub struct Shell {
    commands: mpsc::Sender<Command>,
    output: Output,
    recording: Slot,
    over: CancellationToken,
}

#[derive(Debug)]
enum Command {
    Input(Bytes),
    Resize(Size),
    Retry,
}

/// How a shell came to its end.
enum End {
    Program {
        exit: Option<u32>,
        signal: Option<String>,
    },
    Lost(Error),
}

impl Default for Size {
    fn default() -> Self {
        Self {
            columns: 80,
            rows: 24,
        }
    }
}

impl Default for ShellOptions {
    fn default() -> Self {
        Self {
            size: Size::default(),
            reconnects: 10,
            command: None,
            recording: None,
        }
    }
}

impl Shell {
    /// Begins to connect. What becomes of it is told by the login's front.
    pub fn start(login: Login, options: ShellOptions) -> Self {
        let (commands, taken) = mpsc::channel(INPUTS);
        let spool = Arc::new(Spool::default());
        let over = CancellationToken::new();
        let recording = Slot::new(options.size);
        let run = Run {
            login,
            size: options.size,
            options,
            spool: spool.clone(),
            over: over.clone(),
            commands: taken,
            recording: recording.clone(),
        };
        tokio::spawn(run.run());
        Self {
            commands,
            output: Output::new(spool),
            recording,
            over,
        }
    }

    /// Records from now on, instead of what is recorded so far.
    ///
    /// # Errors
    /// [`Error::LocalFile`] when the file is there already or cannot be made.
    pub async fn record(&self, cast: &Cast) -> Result<()> {
        self.recording.begin(cast).await
    }

    /// Records no longer. Says whether it did.
    ///
    /// # Errors
    /// [`Error::LocalFile`] when the recording is not whole.
    pub async fn stop_recording(&self) -> Result<bool> {
        self.recording.end().await
    }

    /// Whether it is recorded at the moment: a full disk ends a recording.
    pub fn is_recorded(&self) -> bool {
        self.recording.is_running()
    }

    /// What it shows.
    pub fn output(&self) -> Output {
        self.output.clone()
    }

    /// Types something. While there is no connection nothing is kept: it would run in another shell.
    pub async fn input(&self, bytes: impl Into<Bytes>) -> Result<()> {
        let bytes = bytes.into();
        if bytes.len() > INPUT_MOST {
            return Err(Error::rejected("to type", "more than 8 MiB at once"));
        }
        self.send(Command::Input(bytes)).await
    }

    /// Changes its size.
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.send(Command::Resize(size)).await
    }

    /// Does not wait any longer before the next try to connect.
    pub async fn retry_now(&self) -> Result<()> {
        self.send(Command::Retry).await
    }

    /// Ends it at once.
    pub fn close(&self) {
        self.over.cancel();
    }

    async fn send(&self, command: Command) -> Result<()> {
        match timeout(ALIVE_WAIT, self.commands.send(command)).await {
            Ok(sent) => sent.map_err(|_| Error::lost("the session is over")),
            Err(_) => Err(Error::timed_out("the server to take what was typed")),
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

struct Run {
    login: Login,
    options: ShellOptions,
    /// The size now.
    size: Size,
    spool: Arc<Spool>,
    over: CancellationToken,
    commands: mpsc::Receiver<Command>,
    recording: Slot,
}

impl Run {
    async fn run(mut self) {
        let over = self.over.clone();
        let state = tokio::select! {
            state = self.live() => state,
            () = over.cancelled() => State::Ended { exit: None, signal: None },
        };
        if let Err(error) = self.recording.end().await {
            tracing::warn!(%error, "a recording is not whole");
        }
        self.spool.finish();
        self.login.teller.tell(state);
    }

    async fn live(&mut self) -> State {
        let failed = |error| State::Failed { error };
        if let Some(cast) = &self.options.recording
            && let Err(error) = self.recording.begin(cast).await
        {
            return failed(error);
        }
        let mut connection = match self.login.connect(Purpose::Terminal).await {
            Ok(connection) => connection,
            Err(error) => return failed(error),
        };
        // A server that was there once is not one that boots for the first time.
        self.login.patience = Patience::NONE;
        loop {
            let cause = match self.session(connection).await {
                Ok(End::Program { exit, signal }) => return State::Ended { exit, signal },
                Ok(End::Lost(error)) | Err(error) => error,
            };
            connection = match self.reconnect(cause).await {
                Ok(connection) => connection,
                Err(error) => return failed(error),
            };
            self.recording.marker("reconnected").await;
        }
    }

    /// Makes the connection anew, or says why it does not.
    async fn reconnect(&mut self, mut cause: Error) -> Result<Connection> {
        let of = self.options.reconnects;
        let mut pause = Duration::from_secs(1);
        for attempt in 1..=of {
            if !cause.passes() {
                return Err(cause);
            }
            self.login.teller.tell(State::Reconnecting {
                attempt,
                of,
                cause: cause.clone(),
                next_in_ms: millis(pause),
            });
            self.wait(pause).await;
            pause = (pause * 2).min(Duration::from_secs(30));
            match self.login.connect_once(Purpose::Terminal).await {
                Ok(connection) => return Ok(connection),
                Err(error) => cause = error,
            }
        }
        Err(cause)
    }

    /// Waits before a try, unless somebody asks for it now. What is typed meanwhile is thrown away.
    async fn wait(&mut self, pause: Duration) {
        let waiting = sleep(pause);
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                () = &mut waiting => return,
                command = self.commands.recv() => match command {
                    Some(Command::Resize(size)) => {
                        self.size = size;
                        self.recording.resize(size).await;
                    }
                    Some(Command::Input(_)) => {}
                    Some(Command::Retry) | None => return,
                },
            }
        }
    }

    /// One connection's life.
    async fn session(&mut self, connection: Connection) -> Result<End> {
        self.spool.follow(connection.gate.clone());
        let (reader, writer) = self.open(&connection).await?.split();
        // Typed before there was a shell to read it.
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Resize(size) = command {
                self.size = size;
                self.recording.resize(size).await;
                let (columns, rows) = (u32::from(size.columns), u32::from(size.rows));
                answer("the size", writer.window_change(columns, rows, 0, 0)).await?;
            }
        }
        self.login.teller.tell(State::Open);
        let keepalive = self.login.keepalive;
        let Self {
            spool,
            recording,
            commands,
            size,
            ..
        } = self;
        tokio::select! {
            end = show(reader, spool, recording) => Ok(end),
            error = type_in(&writer, commands, size, recording) => Ok(End::Lost(error)),
            error = stay_alive(&connection, keepalive) => Ok(End::Lost(error)),
        }
    }

    async fn open(&self, connection: &Connection) -> Result<Channel<Msg>> {
        let mut channel = connection.open_session().await?;
        let (columns, rows) = (u32::from(self.size.columns), u32::from(self.size.rows));
        let opening = async {
            channel.request_pty(true, TERM, columns, rows, 0, 0, &[]).await?;
            granted(&mut channel, "a terminal").await?;
            match &self.options.command {
                Some(command) => channel.exec(true, command.as_bytes()).await?,
                None => channel.request_shell(true).await?,
            }
            granted(&mut channel, "a shell").await
        };
        answer("a shell", opening).await?;
        Ok(channel)
    }
}

/// Waits for the answer to a request.
pub(crate) async fn granted(channel: &mut Channel<Msg>, what: &str) -> Result<()> {
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Success => return Ok(()),
            ChannelMsg::Failure => return Err(Error::rejected(what, "no reason given")),
            _ => {}
        }
    }
    Err(Error::lost("the server hung up"))
}

/// Takes what is shown until the shell ends. Never waits for whoever shows it: the network is held back instead.
async fn show(mut reader: ChannelReadHalf, spool: &Spool, recording: &Slot) -> End {
    let (mut exit, mut signal) = (None, None);
    loop {
        let ended = exit.is_some() || signal.is_some();
        let message = match ended {
            // Background jobs may hold a terminal open; their words are not waited for.
            true => timeout(FAREWELL, reader.wait()).await.unwrap_or(None),
            false => reader.wait().await,
        };
        match message {
            Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                spool.push(data.clone());
                recording.output(&data).await;
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => exit = Some(exit_status),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                signal = Some(tame(&format!("{signal_name:?}"), 40));
            }
            Some(ChannelMsg::Close) | None if ended => return End::Program { exit, signal },
            // A server that closes a shell and says nothing of its end, as some appliances do.
            Some(ChannelMsg::Close) => return End::Program { exit, signal },
            None => return End::Lost(Error::lost("the connection broke off")),
            Some(_) => {}
        }
    }
}

/// Sends what is typed. Comes back only when that is no longer possible.
async fn type_in(
    writer: &ChannelWriteHalf<Msg>,
    commands: &mut mpsc::Receiver<Command>,
    size: &mut Size,
    recording: &Slot,
) -> Error {
    while let Some(command) = commands.recv().await {
        let sent = match command {
            Command::Input(bytes) => writer.data_bytes(bytes).await,
            Command::Resize(new) => {
                *size = new;
                recording.resize(new).await;
                writer
                    .window_change(u32::from(new.columns), u32::from(new.rows), 0, 0)
                    .await
            }
            Command::Retry => Ok(()),
        };
        if sent.is_err() {
            // The reading side knows better why.
            sleep(FAREWELL).await;
            return Error::lost("nothing can be sent any more");
        }
    }
    Error::Cancelled
}

/// Asks a silent server whether it is still there. While it is held back its answer could not be heard.
async fn stay_alive(connection: &Connection, every: Duration) -> Error {
    let mut heard = connection.received();
    loop {
        sleep(every).await;
        let received = connection.received();
        if connection.gate.is_held() || received != heard {
            heard = received;
            continue;
        }
        let asked = timeout(ALIVE_WAIT.min(every * 2), connection.handle.send_ping()).await;
        if !matches!(asked, Ok(Ok(()))) && !connection.gate.is_held() && connection.received() == heard {
            return Error::lost("the server no longer answers");
        }
        heard = connection.received();
    }
}
