//! What a window of sessions can ask. It has commands of its own, because it shows what a server sends: nothing of the cloud,
//! of accounts or of settings can be reached from it, and no secret comes to it.

use std::path::Path;

use chrono::{DateTime, Local, Utc};
use secrecy::SecretString;
use wangcheng::sessions::{ConsoleForViewer, Front, How, Kind, Link, Size, Stream};
use wangcheng::{Code, Failure, Result};

use crate::error::WireError;
use crate::host::Api;
use crate::links::Wish;
use crate::views::Change;
use crate::views::sessions::{Session, SessionAct, SessionsStart, VncPlace, screen_of};

/// The output of a session in the form that a page takes: each piece with the offset of its first byte before it, eight
/// bytes, the highest first.
pub struct SessionOutput(Stream);

impl SessionOutput {
    /// The next piece; nothing once there is no more to come for this reader.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let (offset, bytes) = self.0.next().await?;
        let mut piece = Vec::with_capacity(8 + bytes.len());
        piece.extend_from_slice(&offset.to_be_bytes());
        piece.extend_from_slice(&bytes);
        Some(piece)
    }
}

impl Api {
    /// What a window of sessions begins with.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn sessions_start(&self) -> Result<SessionsStart, WireError> {
        let start = async {
            Ok(SessionsStart {
                sessions: self.sessions().await?,
                settings: self.settings().await?,
                preferences: self.domain().await?.session_preferences().await?.into(),
            })
        };
        start.await.map_err(|failure| self.in_words(&failure))
    }

    /// Does what a window of sessions asks for. The answer is the session that was opened, if one was.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn session_act(&self, act: SessionAct) -> Result<Option<Session>, WireError> {
        self.do_session_act(act)
            .await
            .map_err(|failure| self.in_words(&failure))
    }

    /// Types something into a session.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn session_type(&self, session: &str, bytes: Vec<u8>) -> Result<(), WireError> {
        let typed = async { self.domain().await?.type_in(session, bytes).await };
        typed.await.map_err(|failure| self.in_words(&failure))
    }

    /// The output of a session from an offset on; none: from the oldest that is there.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn session_output(
        &self,
        session: &str,
        offset: Option<u64>,
    ) -> Result<SessionOutput, WireError> {
        let output = async { self.domain().await?.session_output(session, offset) };
        output
            .await
            .map(SessionOutput)
            .map_err(|failure| self.in_words(&failure))
    }

    /// Ends every session, as when their window was closed.
    pub async fn close_sessions(&self) {
        let closed = async { self.domain().await?.close_sessions().await };
        if let Err(failure) = closed.await {
            tracing::warn!(%failure, "the end of a session is not in the ledger");
        }
    }

    /// Whether a window of sessions is to hear of it.
    pub fn is_about_sessions(change: &Change) -> bool {
        matches!(
            change,
            Change::Session { .. }
                | Change::SessionGone { .. }
                | Change::SessionStalled { .. }
                | Change::SessionCopies { .. }
                | Change::SessionEdits { .. }
                | Change::Tunnels { .. }
                | Change::SessionPreferences { .. }
                | Change::Settings { .. }
                | Change::Reload
        )
    }

    pub(crate) async fn sessions(&self) -> Result<Vec<Session>> {
        let domain = self.domain().await?;
        let speaker = self.speaker(&domain);
        Ok(domain
            .sessions()
            .into_iter()
            .map(|session| speaker.session(session))
            .collect())
    }

    pub(crate) async fn open_session(&self, server: &str, how: How) -> Result<Session> {
        let domain = self.domain().await?;
        let session = domain.open_session(server, how, Size::default()).await?;
        Ok(self.speaker(&domain).session(session))
    }

    pub(crate) async fn open_screen(&self, server: &str, vnc: Option<VncPlace>) -> Result<Session> {
        let domain = self.domain().await?;
        let session = domain.open_screen(server, screen_of(vnc)).await?;
        Ok(self.speaker(&domain).session(session))
    }

    /// The address of a page at the provider that shows a server's screen: for a person's own hands, never for a page.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn console_page(&self, server: &str) -> Result<SecretString, WireError> {
        let page = async { self.domain().await?.console_page(server).await };
        page.await.map_err(|failure| self.in_words(&failure))
    }

    /// Saves a picture of a screen in a folder, under a name that is free there; answers the name.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn save_picture(&self, folder: &Path, picture: Vec<u8>) -> Result<String, WireError> {
        let saved = async {
            let now = self.domain().await?.now();
            save_picture(folder, now, picture).await
        };
        let saved = saved.await;
        saved.map_err(|failure| self.in_words(&failure))
    }

    async fn do_session_act(&self, act: SessionAct) -> Result<Option<Session>> {
        let domain = self.domain().await?;
        match act {
            SessionAct::Open { server, like } => {
                let how = like
                    .map(|session| domain.session_how(&session))
                    .unwrap_or_default();
                return self.open_session(&server, how).await.map(Some);
            }
            SessionAct::Screen { server, vnc } => return self.open_screen(&server, vnc).await.map(Some),
            SessionAct::Page { server, browser } => {
                let address = domain.console_page(&server).await?;
                self.show_page(address, browser)?;
            }
            SessionAct::Password { server } => self.wish_in_front(Wish::Password { server }),
            SessionAct::Close { session } => domain.close_session(&session).await?,
            SessionAct::Retry { session } => domain.retry_session(&session).await?,
            SessionAct::Resize {
                session,
                columns,
                rows,
            } => domain.resize_session(&session, Size { columns, rows }).await?,
            SessionAct::Extend { session, hours } => {
                domain.extend_lease_of_session(&session, hours).await?;
            }
            SessionAct::Record { session, on: true } => domain.record_session(&session).await?,
            SessionAct::Record { session, on: false } => domain.stop_recording_session(&session).await?,
            SessionAct::Prefer { preferences } => domain.set_session_preferences(preferences.into()).await?,
            SessionAct::Shown { session, offset } => domain.session_shown(&session, offset)?,
            SessionAct::Trust {
                session,
                question,
                yes,
            } => domain.trust_host_key(&session, question, yes)?,
            SessionAct::Answer {
                session,
                question,
                answers,
            } => domain.answer_question(&session, question, answers)?,
        }
        Ok(None)
    }

    /// A way to a server for a terminal that has no window: not in the table, because a page has none.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn reach(&self, server: &str, how: &How, kind: Kind) -> Result<(Link, Front), WireError> {
        let reached = async { self.domain().await?.reach(server, how, kind).await };
        reached.await.map_err(|failure| self.in_words(&failure))
    }

    /// A server's console for a VNC viewer of this computer: not in the table, for the same reason.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn console_for_viewer(
        &self,
        server: &str,
        port: u16,
    ) -> Result<(ConsoleForViewer, Front), WireError> {
        let opened = async { self.domain().await?.console_for_viewer(server, port).await };
        opened.await.map_err(|failure| self.in_words(&failure))
    }

    /// A failure in the user's language.
    pub fn in_words(&self, failure: &Failure) -> WireError {
        WireError::new(failure, self.tongue())
    }
}

/// The most bytes of a picture.
const PICTURE_MOST: usize = 64 * 1024 * 1024;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn save_picture(folder: &Path, now: DateTime<Utc>, picture: Vec<u8>) -> Result<String> {
    if !picture.starts_with(PNG) || picture.len() > PICTURE_MOST {
        return Err(Failure::new(Code::BadInput).with("field", "picture"));
    }
    let name = format!(
        "screen-{}.png",
        now.with_timezone(&Local).format("%Y%m%d-%H%M%S%.3f")
    );
    let file = folder.join(&name);
    let writing = async {
        tokio::fs::create_dir_all(folder).await?;
        let mut options = tokio::fs::OpenOptions::new();
        let mut opened = options.write(true).create_new(true).open(&file).await?;
        tokio::io::AsyncWriteExt::write_all(&mut opened, &picture).await?;
        tokio::io::AsyncWriteExt::flush(&mut opened).await
    };
    match writing.await {
        Ok(()) => Ok(name),
        Err(error) => Err(Failure::new(Code::FileFailed)
            .with("path", file.display())
            .saying(error)),
    }
}
