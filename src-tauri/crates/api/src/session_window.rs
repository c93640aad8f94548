//! What a window of sessions can ask. It has commands of its own, because it shows what a server sends: nothing of the cloud,
//! of accounts or of settings can be reached from it, and no secret comes to it.

use wangcheng::sessions::{Front, How, Kind, Link, Size, Stream};
use wangcheng::{Failure, Result};

use crate::error::WireError;
use crate::host::Api;
use crate::views::Change;
use crate::views::sessions::{Session, SessionAct, SessionsStart};

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

    pub(crate) async fn open_session(&self, server: &str) -> Result<Session> {
        let domain = self.domain().await?;
        let session = domain.open_session(server, Size::default()).await?;
        Ok(self.speaker(&domain).session(session))
    }

    async fn do_session_act(&self, act: SessionAct) -> Result<Option<Session>> {
        let domain = self.domain().await?;
        match act {
            SessionAct::Open { server } => return self.open_session(&server).await.map(Some),
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

    /// A failure in the user's language.
    pub fn in_words(&self, failure: &Failure) -> WireError {
        WireError::new(failure, self.tongue())
    }
}
