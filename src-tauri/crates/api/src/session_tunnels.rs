//! What a window of sessions can ask about tunnels.

use wangcheng::{Code, Failure, Result};

use crate::error::WireError;
use crate::host::Api;
use crate::views::tunnels::{TunnelAct, TunnelView, new_tunnel};

impl Api {
    /// Does what is asked about tunnels; answers all of them as they are then.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn tunnels_act(&self, act: TunnelAct) -> Result<Vec<TunnelView>, WireError> {
        let done = self.do_tunnels_act(act).await;
        done.map_err(|failure| self.in_words(&failure))
    }

    async fn do_tunnels_act(&self, act: TunnelAct) -> Result<Vec<TunnelView>> {
        let domain = self.domain().await?;
        match act {
            TunnelAct::List => {}
            TunnelAct::Keep {
                server,
                name,
                route,
                with_session,
            } => {
                let invalid = || Failure::new(Code::TunnelInvalid).with("field", "listen");
                let new = new_tunnel(server, name, route, with_session).ok_or_else(invalid)?;
                domain.keep_tunnel(new).await?;
            }
            TunnelAct::Remove { tunnel } => domain.remove_tunnel(&tunnel).await?,
            TunnelAct::Start { tunnel } => domain.start_tunnel(&tunnel).await?,
            TunnelAct::Stop { tunnel } => domain.stop_tunnel(&tunnel).await?,
            TunnelAct::Trust {
                tunnel,
                question,
                yes,
            } => domain.trust_tunnel(&tunnel, question, yes).await,
            TunnelAct::Answer {
                tunnel,
                question,
                answers,
            } => domain.answer_tunnel(&tunnel, question, answers).await,
        }
        let tunnels = domain.tunnels().await?;
        Ok(self.speaker(&domain).tunnels(&tunnels))
    }
}
