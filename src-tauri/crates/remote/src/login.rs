//! Logging in: every credential in its order, as far as the server takes its method. A refusal is never tried again by
//! itself, because servers lock people out who guess.

use std::path::Path;
use std::time::Duration;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Reply};
use russh::keys::agent::AgentIdentity;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::config::Resolved;
use crate::connection::answer;
use crate::credentials::{self, Credential, OpenKey};
use crate::error::{Error, Result, short, tame};
use crate::front::{Ask, Prompt, State, Teller};
use crate::host_keys::{HostKey, HostName};
use crate::peer::Peer;

/// How often a password is asked for.
const PASSWORDS: u32 = 3;
/// How often a server may ask back in one go.
const ROUNDS: usize = 20;
/// The most prompts of a server at once.
const PROMPTS: usize = 16;
/// The longest text of a prompt, in characters.
const PROMPT_MOST: usize = 1024;
/// How long an agent may take to sign: somebody may have to touch a token.
const SIGN_WAIT: Duration = Duration::from_secs(60);
/// How long after its last word it may take until a connection is seen to be over.
const SETTLE: Duration = Duration::from_millis(200);

/// Where to log in, and with what.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The server's id, where it has one: its key is bound to it.
    pub server: Option<String>,
    /// The name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// What to try, in order.
    pub credentials: Vec<Credential>,
    /// The host keys that the server was given when it was made.
    pub known_keys: Vec<HostKey>,
}

impl Destination {
    /// Where a name of `~/.ssh/config` leads, with what `ssh` would try there; as `user` where the configuration names
    /// none.
    pub fn of(found: &Resolved, user: &str, home: Option<&Path>) -> Self {
        Self {
            server: None,
            host: found.host.clone(),
            port: found.port,
            user: found.user.clone().unwrap_or_else(|| user.to_owned()),
            credentials: credentials::usual(found, home),
            known_keys: Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> HostName {
        HostName {
            server: self.server.clone(),
            host: self.host.clone(),
            port: self.port,
        }
    }
}

/// One login under way.
struct Attempt<'a> {
    handle: &'a mut Handle<Peer>,
    to: &'a Destination,
    teller: &'a Teller,
    /// What the server takes now.
    offered: MethodSet,
    tried: Vec<String>,
    /// Something of ours that stood in the way of a try, told when nothing else works.
    trouble: Option<Error>,
}

pub(crate) async fn log_in(handle: &mut Handle<Peer>, to: &Destination, teller: &Teller) -> Result<()> {
    teller.tell(State::LoggingIn {
        user: to.user.clone(),
        host: to.host.clone(),
    });
    // Asks what the server takes, as `ssh` does; a few let one in at once.
    let first = answer("the login", handle.authenticate_none(to.user.clone())).await?;
    let mut attempt = Attempt {
        handle,
        to,
        teller,
        offered: MethodSet::empty(),
        tried: Vec::new(),
        trouble: None,
    };
    if attempt.settled(first).await? {
        return Ok(());
    }
    for credential in &to.credentials {
        if attempt.try_one(credential).await? {
            return Ok(());
        }
    }
    Err(attempt.refused())
}

impl Attempt<'_> {
    async fn try_one(&mut self, credential: &Credential) -> Result<bool> {
        let stands_in = matches!(credential, Credential::Password(_)) && !self.takes(MethodKind::Password);
        let method = if stands_in {
            MethodKind::KeyboardInteractive
        } else {
            credential.method()
        };
        if !self.takes(method) {
            return Ok(false);
        }
        match credential {
            Credential::Key { name, pem } => match credentials::from_memory(name, pem).await {
                Ok(key) => self.try_key(&key, name).await,
                Err(error) => self.stood_in_the_way(error),
            },
            Credential::KeyFile(path) => match credentials::from_file(path, self.teller).await {
                Ok(key) => self.try_key(&key, &path.display().to_string()).await,
                Err(error) => self.stood_in_the_way(error),
            },
            Credential::Agent { socket, only } => {
                match credentials::agent(socket.as_deref(), only.as_deref()).await {
                    Ok(agent) => self.try_agent(agent).await,
                    Err(error) => self.stood_in_the_way(error),
                }
            }
            Credential::Password(Some(password)) if stands_in => self.converse(Some(password)).await,
            Credential::Password(None) if stands_in => self.converse(None).await,
            Credential::Password(Some(password)) => self.try_password(password).await,
            Credential::Password(None) => self.ask_password().await,
            Credential::Interactive => self.converse(None).await,
        }
    }

    fn takes(&self, method: MethodKind) -> bool {
        self.offered.contains(&method)
    }

    /// Under what a password is kept for the session's other connections.
    fn whose(&self) -> String {
        format!("{}@{}:{}", self.to.user, self.to.host, self.to.port)
    }

    fn stood_in_the_way(&mut self, error: Error) -> Result<bool> {
        tracing::debug!(%error, "a way to log in cannot be used");
        self.trouble.get_or_insert(error);
        Ok(false)
    }

    /// Whether that let one in; keeps what the server takes from now on.
    async fn settled(&mut self, result: AuthResult) -> Result<bool> {
        let (remaining, partly) = match result {
            AuthResult::Success => return Ok(true),
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => (remaining_methods, partial_success),
        };
        if remaining.is_empty() && !partly {
            // The library answers like this as well when the server hung up, which it does after too many tries.
            let until = tokio::time::Instant::now() + SETTLE;
            while !self.handle.is_closed() && tokio::time::Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            if self.handle.is_closed() {
                return Err(match self.tried.is_empty() {
                    true => Error::lost("the server hung up during the login"),
                    false => self.refused(),
                });
            }
        }
        self.offered = remaining;
        Ok(false)
    }

    fn refused(&mut self) -> Error {
        if self.tried.is_empty()
            && let Some(error) = self.trouble.take()
        {
            return error;
        }
        Error::Refused {
            user: self.to.user.clone(),
            host: self.to.host.clone(),
            tried: std::mem::take(&mut self.tried),
            offered: self
                .offered
                .iter()
                .map(|method| <&str>::from(method).to_owned())
                .collect(),
        }
    }

    /// RSA keys sign with SHA-2 or not at all.
    async fn hash(&self, is_rsa: bool) -> Result<Option<HashAlg>> {
        if !is_rsa {
            return Ok(None);
        }
        let supported = answer("the kinds of signature", self.handle.best_supported_rsa_hash()).await?;
        Ok(Some(supported.flatten().unwrap_or(HashAlg::Sha256)))
    }

    async fn try_key(&mut self, open: &OpenKey, name: &str) -> Result<bool> {
        let user = self.to.user.clone();
        self.tried.push(format!("publickey {name}"));
        if let Some(certificate) = &open.certificate {
            let shown =
                self.handle
                    .authenticate_openssh_cert(user.clone(), open.key.clone(), certificate.clone());
            let result = answer("the login", shown).await?;
            if self.settled(result).await? {
                return Ok(true);
            }
        }
        let hash = self.hash(open.key.algorithm().is_rsa()).await?;
        let key = PrivateKeyWithHashAlg::new(open.key.clone(), hash);
        let result = answer("the login", self.handle.authenticate_publickey(user, key)).await?;
        self.settled(result).await
    }

    async fn try_agent(&mut self, mut agent: credentials::Agent) -> Result<bool> {
        for identity in agent.identities {
            if !self.takes(MethodKind::PublicKey) {
                return Ok(false);
            }
            let user = self.to.user.clone();
            let name = tame(identity.comment(), 80);
            self.tried.push(format!("agent {name}"));
            let is_rsa = identity.public_key().algorithm().is_rsa();
            let hash = self.hash(is_rsa).await?;
            let asking = async {
                match identity {
                    AgentIdentity::PublicKey { key, .. } => {
                        let client = &mut agent.client;
                        self.handle
                            .authenticate_publickey_with(user, key, hash, client)
                            .await
                    }
                    AgentIdentity::Certificate { certificate, .. } => {
                        let client = &mut agent.client;
                        self.handle
                            .authenticate_certificate_with(user, certificate, hash, client)
                            .await
                    }
                }
            };
            match timeout(SIGN_WAIT, asking).await {
                Ok(Ok(result)) => {
                    if self.settled(result).await? {
                        return Ok(true);
                    }
                }
                Ok(Err(error)) => {
                    // It would not sign; the next key may.
                    self.trouble.get_or_insert(Error::Agent { why: short(error) });
                }
                Err(_) => return Err(Error::timed_out("the agent's signature")),
            }
        }
        Ok(false)
    }

    async fn try_password(&mut self, password: &SecretString) -> Result<bool> {
        self.tried.push("password".into());
        let trying = self
            .handle
            .authenticate_password(self.to.user.clone(), password.expose_secret());
        let result = answer("the login", trying).await?;
        self.settled(result).await
    }

    async fn ask_password(&mut self) -> Result<bool> {
        let whose = self.whose();
        if let Some(known) = self.teller.recall(&whose) {
            if self.try_password(&known).await? {
                return Ok(true);
            }
            self.teller.forget(&whose);
        }
        for attempt in 0..PASSWORDS {
            if !self.takes(MethodKind::Password) {
                return Ok(false);
            }
            let ask = Ask::Password {
                user: self.to.user.clone(),
                host: self.to.host.clone(),
                again: attempt > 0,
            };
            let answers = self.teller.secrets(ask).await.into_iter().flatten();
            let Some(password) = answers.into_iter().next() else {
                return Ok(false);
            };
            if self.try_password(&password).await? {
                self.teller.keep(&whose, &password);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The server asks, a person answers. A password that is known answers the one hidden prompt that asks for it.
    async fn converse(&mut self, mut known: Option<&SecretString>) -> Result<bool> {
        self.tried.push("keyboard-interactive".into());
        let whose = self.whose();
        let mut recalled = self.teller.recall(&whose);
        let mut given: Option<SecretString> = None;
        let start = self
            .handle
            .authenticate_keyboard_interactive_start(self.to.user.clone(), None);
        let mut reply = answer("the login", start).await?;
        for _ in 0..ROUNDS {
            let (name, instructions, prompts) = match reply {
                Reply::Success => {
                    if let Some(given) = given {
                        self.teller.keep(&whose, &given);
                    }
                    return Ok(true);
                }
                Reply::Failure {
                    remaining_methods,
                    partial_success,
                } => {
                    self.teller.forget(&whose);
                    let result = AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    };
                    return self.settled(result).await;
                }
                Reply::InfoRequest {
                    name,
                    instructions,
                    prompts,
                } => (name, instructions, prompts),
            };
            if prompts.len() > PROMPTS {
                return Err(Error::Protocol {
                    why: "the server asks too much at once".into(),
                });
            }
            let single = prompts.len() == 1 && prompts.iter().all(|prompt| !prompt.echo);
            let answers: Vec<SecretString> = if prompts.is_empty() {
                Vec::new()
            } else if single && let Some(password) = known.take() {
                vec![password.clone()]
            } else if single && let Some(password) = recalled.take() {
                vec![password]
            } else {
                let count = prompts.len();
                let ask = Ask::Prompts {
                    name: tame(&name, PROMPT_MOST),
                    instruction: tame(&instructions, PROMPT_MOST),
                    prompts: prompts
                        .into_iter()
                        .map(|prompt| Prompt {
                            text: tame(&prompt.prompt, PROMPT_MOST),
                            echo: prompt.echo,
                        })
                        .collect(),
                };
                match self.teller.secrets(ask).await {
                    Some(answers) if answers.len() == count => {
                        // One password may be kept in memory; a code that holds once may not.
                        given = answers.first().filter(|_| single && given.is_none()).cloned();
                        answers
                    }
                    _ => return Ok(false),
                }
            };
            let answers = answers
                .iter()
                .map(|secret| secret.expose_secret().to_owned())
                .collect();
            let sent = self.handle.authenticate_keyboard_interactive_respond(answers);
            reply = answer("the login", sent).await?;
        }
        Err(Error::Protocol {
            why: "the server never stops asking".into(),
        })
    }
}
