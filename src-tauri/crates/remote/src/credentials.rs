//! With what somebody logs in: keys, the agent, passwords and a server's own questions, tried in the order given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::MethodKind;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::{Certificate, PrivateKey, decode_secret_key, load_openssh_certificate};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::config::Resolved;
use crate::error::{Error, KeyTrouble, Result, short, text};
use crate::front::{Ask, Teller};

/// The largest key file, in bytes.
const KEY_MOST: u64 = 64 * 1024;
/// The most keys of an agent that are offered; servers hang up after a few.
pub(crate) const AGENT_KEYS: usize = 16;
/// How long the agent may take to answer; signing may wait for somebody to touch a token.
const AGENT_WAIT: Duration = Duration::from_secs(5);
/// How long a slow key may take to open.
const OPEN_WAIT: Duration = Duration::from_secs(30);
/// How often a passphrase is asked for.
const PASSPHRASES: u32 = 3;

/// One way to log in.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A private key in memory, as the keychain has it (OpenSSH, PKCS#1, PKCS#8 or SEC1, PEM).
    Key {
        /// What it is called, for people.
        name: String,
        /// The key.
        pem: SecretString,
    },
    /// A private key in a file. Its passphrase is asked for when it needs one. A certificate beside it
    /// (`NAME-cert.pub`) is shown first.
    KeyFile(PathBuf),
    /// The agent. With a list, only the keys of these files (their `.pub` beside them).
    Agent {
        /// Where the agent listens; the usual place when not given.
        socket: Option<PathBuf>,
        /// Only these.
        only: Option<Vec<PathBuf>>,
    },
    /// A password that is known, or one that is asked for. Used for a server's single hidden question as well.
    Password(Option<SecretString>),
    /// Whatever the server asks.
    Interactive,
}

impl Credential {
    /// The name of the method in SSH.
    pub(crate) fn method(&self) -> MethodKind {
        match self {
            Self::Key { .. } | Self::KeyFile(_) | Self::Agent { .. } => MethodKind::PublicKey,
            Self::Password(_) => MethodKind::Password,
            Self::Interactive => MethodKind::KeyboardInteractive,
        }
    }
}

/// What `ssh` would try for this host: the agent, the key files that are there, then questions.
pub fn usual(found: &Resolved, home: Option<&Path>) -> Vec<Credential> {
    let mut files = found.identity_files.clone();
    if files.is_empty()
        && let Some(home) = home
    {
        files.extend(["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| home.join(".ssh").join(name)));
    }
    let only = found.identities_only.then(|| files.clone());
    let mut ways = vec![Credential::Agent { socket: None, only }];
    ways.extend(
        files
            .into_iter()
            .filter(|file| file.is_file())
            .map(Credential::KeyFile),
    );
    ways.push(Credential::Interactive);
    ways.push(Credential::Password(None));
    ways
}

/// A key that is ready to sign.
pub(crate) struct OpenKey {
    pub key: Arc<PrivateKey>,
    pub certificate: Option<Certificate>,
}

/// Opens a key from the keychain.
pub(crate) async fn from_memory(name: &str, pem: &SecretString) -> Result<OpenKey> {
    let key = open(name, pem.clone(), None).await?;
    Ok(OpenKey {
        key: Arc::new(key),
        certificate: None,
    })
}

/// Opens a key file, asking for its passphrase when it needs one.
pub(crate) async fn from_file(path: &Path, teller: &Teller) -> Result<OpenKey> {
    let name = text(path);
    let pem = read(path).await.map_err(|why| Error::key(&name, why))?;
    let certificate = {
        let mut beside = path.as_os_str().to_owned();
        beside.push("-cert.pub");
        load_openssh_certificate(PathBuf::from(beside)).ok()
    };
    let ready = |key| OpenKey {
        key: Arc::new(key),
        certificate: certificate.clone(),
    };
    match open(&name, pem.clone(), None).await {
        Err(Error::Key {
            why: KeyTrouble::PassphraseNeeded,
            ..
        }) => {}
        other => return other.map(ready),
    }
    if let Some(known) = teller.recall(&name)
        && let Ok(key) = open(&name, pem.clone(), Some(known)).await
    {
        return Ok(ready(key));
    }
    for attempt in 0..PASSPHRASES {
        let ask = Ask::Passphrase {
            key: name.clone(),
            again: attempt > 0,
        };
        let answers = teller.secrets(ask).await.into_iter().flatten();
        let Some(passphrase) = answers.into_iter().next() else {
            return Err(Error::key(&name, KeyTrouble::PassphraseNeeded));
        };
        match open(&name, pem.clone(), Some(passphrase.clone())).await {
            Err(Error::Key {
                why: KeyTrouble::PassphraseWrong,
                ..
            }) => {}
            other => {
                if other.is_ok() {
                    teller.keep(&name, &passphrase);
                }
                return other.map(ready);
            }
        }
    }
    Err(Error::key(&name, KeyTrouble::PassphraseWrong))
}

async fn read(path: &Path) -> Result<SecretString, KeyTrouble> {
    let trouble = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyTrouble::Missing,
        _ => KeyTrouble::Unreadable(error.to_string()),
    };
    let reading = async {
        let file = tokio::fs::File::open(path).await.map_err(trouble)?;
        let mut content = Zeroizing::new(Vec::new());
        file.take(KEY_MOST + 1)
            .read_to_end(&mut content)
            .await
            .map_err(trouble)?;
        if content.len() > usize::try_from(KEY_MOST).unwrap_or(usize::MAX) {
            return Err(KeyTrouble::NotAKey);
        }
        let content = std::str::from_utf8(&content).map_err(|_| KeyTrouble::NotAKey)?;
        Ok(SecretString::from(content))
    };
    let waited = timeout(OPEN_WAIT, reading).await;
    waited.unwrap_or_else(|_| Err(KeyTrouble::Unreadable("the disk does not answer".into())))
}

/// Opens a key on a thread of its own: a passphrase is made slow to guess.
async fn open(name: &str, pem: SecretString, passphrase: Option<SecretString>) -> Result<PrivateKey> {
    let given = passphrase.is_some();
    let opening = tokio::task::spawn_blocking(move || {
        let passphrase = passphrase.as_ref().map(ExposeSecret::expose_secret);
        decode_secret_key(pem.expose_secret(), passphrase)
    });
    let why = match timeout(OPEN_WAIT, opening).await {
        Ok(Ok(Ok(key))) => return Ok(key),
        Ok(Ok(Err(russh::keys::Error::KeyIsEncrypted))) => KeyTrouble::PassphraseNeeded,
        // A wrong passphrase has no error of its own: the content then makes no sense.
        Ok(Ok(Err(_))) if given => KeyTrouble::PassphraseWrong,
        Ok(Ok(Err(_)) | Err(_)) => KeyTrouble::NotAKey,
        Err(_) => KeyTrouble::Unreadable("opening it takes too long".into()),
    };
    Err(Error::key(name, why))
}

/// An agent that answers.
pub(crate) struct Agent {
    pub client: AgentClient<Box<dyn AgentStream + Send + Unpin>>,
    pub identities: Vec<AgentIdentity>,
}

/// Reaches the agent and asks which keys it holds.
pub(crate) async fn agent(socket: Option<&Path>, only: Option<&[PathBuf]>) -> Result<Agent> {
    let trouble = |why: String| Error::Agent { why };
    let asking = async {
        let mut client = reach(socket).await.map_err(|error| trouble(short(error)))?;
        let identities = client
            .request_identities()
            .await
            .map_err(|error| trouble(short(error)))?;
        Ok(Agent { client, identities })
    };
    let waited = timeout(AGENT_WAIT, asking).await;
    let mut agent = waited.unwrap_or_else(|_| Err(trouble("it does not answer".into())))?;
    if let Some(files) = only {
        let mut wanted = Vec::new();
        for file in files {
            let mut public = file.as_os_str().to_owned();
            public.push(".pub");
            let line = tokio::fs::read_to_string(PathBuf::from(public)).await;
            wanted.extend(
                line.ok()
                    .and_then(|line| russh::keys::PublicKey::from_openssh(&line).ok()),
            );
        }
        agent.identities.retain(|identity| {
            let key = identity.public_key();
            wanted.iter().any(|wanted| wanted.key_data() == key.key_data())
        });
    }
    agent.identities.truncate(AGENT_KEYS);
    Ok(agent)
}

type AnyAgent = AgentClient<Box<dyn AgentStream + Send + Unpin>>;

#[cfg(unix)]
async fn reach(socket: Option<&Path>) -> Result<AnyAgent, russh::keys::Error> {
    let client = match socket {
        Some(socket) => AgentClient::connect_uds(socket).await?,
        None => AgentClient::connect_env().await?,
    };
    Ok(client.dynamic())
}

/// Windows: the named pipe of its OpenSSH agent, then Pageant.
#[cfg(windows)]
async fn reach(socket: Option<&Path>) -> Result<AnyAgent, russh::keys::Error> {
    const PIPE: &str = r"\\.\pipe\openssh-ssh-agent";
    let pipe = socket.unwrap_or(Path::new(PIPE));
    match AgentClient::connect_named_pipe(pipe).await {
        Ok(client) => Ok(client.dynamic()),
        Err(error) if socket.is_some() => Err(error),
        Err(_) => Ok(AgentClient::connect_pageant().await?.dynamic()),
    }
}
