//! The server, as the SSH library tells of it: its key is judged here, and what it opens towards us is let in or not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::Channel;
use russh::client::{self, ChannelOpenHandle, Msg};
use russh::keys::PublicKeyOrCertificate;
use tokio::sync::mpsc;

use crate::connection::Agreed;
use crate::error::{Error, Result, short};
use crate::front::{Ask, State, Teller};
use crate::host_keys::{Book, HostKey, HostKeys, HostName, Verdict, shown_key};

/// A connection that came in over there.
pub(crate) struct Forwarded {
    pub channel: Channel<Msg>,
    pub from: String,
}

/// Who takes what comes in over there, by the port that listens.
#[derive(Default)]
pub(crate) struct Forwards {
    takers: Mutex<HashMap<u32, mpsc::Sender<Forwarded>>>,
}

impl Forwards {
    pub fn insert(&self, port: u32, taker: mpsc::Sender<Forwarded>) {
        self.takers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(port, taker);
    }

    fn taker(&self, port: u32) -> Option<mpsc::Sender<Forwarded>> {
        self.takers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&port)
            .cloned()
    }
}

/// The server, as the SSH library tells of it.
pub(crate) struct Peer {
    pub who: HostName,
    pub known_keys: Vec<HostKey>,
    pub book: Book,
    pub host_keys: HostKeys,
    pub teller: Teller,
    /// Why its key was refused.
    pub trouble: Arc<Mutex<Option<Error>>>,
    pub forwards: Arc<Forwards>,
    pub agreed: Arc<Mutex<Agreed>>,
}

impl Peer {
    async fn check(&self, shown: &PublicKeyOrCertificate) -> Result<()> {
        let host = self.who.host.clone();
        self.teller.tell(State::CheckingKey { host: host.clone() });
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
        let key = shown_key(shown)?;
        match self.book.judge(&self.who, &self.known_keys, shown, now)? {
            Verdict::Trusted => {
                // What was handed in, or known by its address, is from now on bound to the server.
                let certified = matches!(shown, PublicKeyOrCertificate::Certificate(_));
                if self.who.server.is_some() && !certified && !self.book.is_bound(&self.who) {
                    self.host_keys.remember(&self.who, &key).await?;
                }
                Ok(())
            }
            Verdict::Revoked { file, line } => Err(Error::HostKeyRevoked {
                host,
                fingerprint: key.fingerprint(),
                file,
                line,
            }),
            Verdict::Changed(known) => Err(Error::HostKeyChanged {
                host,
                shown: key.known(None),
                known,
            }),
            Verdict::Unknown { formerly } => {
                let ask = Ask::HostKey {
                    host: host.clone(),
                    port: self.who.port,
                    key: key.known(None),
                    formerly,
                };
                if !self.teller.trusts(ask).await {
                    return Err(Error::HostKeyUnknown {
                        host,
                        fingerprint: key.fingerprint(),
                    });
                }
                self.host_keys.remember(&self.who, &key).await
            }
        }
    }
}

impl client::Handler for Peer {
    type Error = Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool> {
        match self.check(shown).await {
            Ok(()) => Ok(true),
            Err(error) => {
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Ok(false)
            }
        }
    }

    async fn kex_done(
        &mut self,
        _secret: Option<&[u8]>,
        names: &russh::Names,
        _session: &mut client::Session,
    ) -> Result<()> {
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Agreed {
            kex: names.kex.as_ref().to_owned(),
            cipher: names.cipher.as_ref().to_owned(),
            host_key: names.key.to_string(),
        };
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut client::Session) -> Result<()> {
        self.teller.show_banner(banner);
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        _address: &str,
        port: u32,
        from: &str,
        from_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<()> {
        // Dropping the reply refuses it.
        if let Some(taker) = self.forwards.taker(port)
            && let Ok(place) = taker.try_reserve()
        {
            reply.accept().await;
            place.send(Forwarded {
                channel,
                from: format!("{}:{from_port}", short(from)),
            });
        }
        Ok(())
    }

    // Nothing else may be opened from over there: the library would accept it.

    async fn server_channel_open_agent_forward(
        &mut self,
        _channel: Channel<Msg>,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<()> {
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _from: &str,
        _port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<()> {
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<()> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host: &str,
        _port: u32,
        _from: &str,
        _from_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<()> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<()> {
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<()> {
        Ok(())
    }
}
