//! The keys of one server: its owner's own key pair, made here for this server only, and the server's SSH host key,
//! made here too, so that the very first login can be checked against something.
//!
//! Both private halves are kept in the keychain under the operation until the server is made; then the owner's alone,
//! under the server id. The host's is sent to the server in its user data and forgotten. Neither is in the ledger: what
//! the ledger keeps of a creation has a blank where the host key goes, filled when it is sent, with the same bytes each
//! time, because the cloud compares them.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};
use ts_rs::TS;
use zeroize::Zeroizing;

use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::first_start::{self, USER_DATA_MOST};
use crate::keychain::Remember;
use crate::servers::AddressKind;
use crate::templates::Environment;

/// Stands in the ledger's copy of a creation where the host's private key goes.
const BLANK: &str = "{host_private_key}";
/// The person one logs in as: the cloud's public Linux images have it.
const USER: &str = "root";

/// Two key pairs for a server that is to be made.
pub(crate) struct Fresh {
    secret: SecretString,
    /// The owner's public half, one line.
    pub public: String,
    /// The host's public half, one line.
    pub host: String,
}

/// As kept until the server is made.
#[derive(Serialize, Deserialize)]
struct Pending {
    private_key: String,
    host_private_key: String,
    host_key: String,
}

/// As kept under the server id.
#[derive(Serialize, Deserialize)]
struct Kept {
    private_key: String,
    host_key: String,
}

/// What both have in common.
#[derive(Deserialize)]
struct OwnersHalf {
    private_key: String,
}

/// Where a server's key was written, on its owner's wish.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedKey {
    /// The file with the private key, readable by its owner only.
    pub key_file: String,
    /// The file with the server's host key.
    pub known_hosts_file: String,
    /// The command that logs in with them; none while the server has no address.
    pub command: Option<String>,
}

/// The public halves of a server's keys, one line each as in `authorized_keys`: they open nothing.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PublicKeys {
    /// Of the owner's key, which the server lets in.
    pub login: String,
    /// Of the server's own, by which it is known.
    pub host: String,
}

impl Fresh {
    /// Makes both, at random.
    pub fn make(comment: &str) -> Result<Self> {
        let private = pair(comment)?;
        let host = pair("wangcheng")?;
        let host_key = line(&host)?;
        let pending = Pending {
            private_key: pem(&private)?,
            host_private_key: pem(&host)?,
            host_key: host_key.clone(),
        };
        Ok(Self {
            secret: text(&pending)?,
            public: line(&private)?,
            host: host_key,
        })
    }

    /// What cloud-init does on the first start, with a blank for the host's private key: one document, in JSON, which
    /// is YAML as well, and whatever `text` says beside it.
    pub fn user_data(&self, environment: Environment, text: Option<&str>) -> Result<String> {
        let mut document = json!({
            // The cloud's images let one in as root; this keeps it so, by key.
            "disable_root": false,
            "ssh_authorized_keys": [self.public],
            "ssh_deletekeys": true,
            "ssh_keys": {"ed25519_private": BLANK, "ed25519_public": self.host},
        });
        if let (Some(document), Value::Object(wanted)) =
            (document.as_object_mut(), environment.cloud_config())
        {
            document.extend(wanted);
        }
        let ours = serde_json::to_string_pretty(&document).map_err(internal)?;
        let ours = format!("#cloud-config\n{ours}\n");
        Ok(first_start::compose(Some(ours), text).unwrap_or_default())
    }
}

fn pair(comment: &str) -> Result<PrivateKey> {
    let seed = Zeroizing::new(rand::random::<[u8; 32]>());
    let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
    PrivateKey::new(pair, comment).map_err(internal)
}

fn pem(key: &PrivateKey) -> Result<String> {
    Ok(key.to_openssh(LineEnding::LF).map_err(internal)?.to_string())
}

fn line(key: &PrivateKey) -> Result<String> {
    key.public_key().to_openssh().map_err(internal)
}

fn text(kept: &impl Serialize) -> Result<SecretString> {
    Ok(serde_json::to_string(kept).map_err(internal)?.into())
}

fn internal(error: impl ToString) -> Failure {
    Failure::new(Code::Internal).saying(error)
}

/// Puts the host's private key into a creation's body.
fn fill(body: &str, pending: &Pending) -> Result<String> {
    let mut body: Value = serde_json::from_str(body).map_err(internal)?;
    let Some(user_data) = body.pointer_mut("/server/user_data") else {
        return Err(internal("the creation has no user data"));
    };
    let blank = STANDARD
        .decode(user_data.as_str().unwrap_or_default())
        .map_err(internal)?;
    let blank = String::from_utf8(blank).map_err(internal)?;
    let key = serde_json::to_string(&pending.host_private_key).map_err(internal)?;
    let filled = Zeroizing::new(blank.replace(BLANK, key.trim_matches('"')));
    if filled.len() > USER_DATA_MOST {
        return Err(Failure::new(Code::BadInput).with("field", "environment"));
    }
    *user_data = STANDARD.encode(filled.as_bytes()).into();
    serde_json::to_string(&body).map_err(internal)
}

impl Wangcheng {
    /// Keeps fresh keys for an operation that is about to be recorded.
    pub(crate) async fn keep_fresh_keys(&self, live: &Live, operation: &str, fresh: Fresh) -> Result<()> {
        let name = self.server_key_name(operation);
        let remember = match self.rehearsal {
            // They go with the rehearsal.
            Some(_) => Remember::Run,
            None => remember(live),
        };
        self.inner.keychain.put(&name, fresh.secret, remember).await
    }

    /// A creation's body as it is sent.
    ///
    /// # Errors
    /// `KeyNotStored` when the keys are gone; the keychain's.
    pub(crate) async fn fill_host_key(&self, operation: &str, body: &str) -> Result<String> {
        let stored = self.inner.keychain.get(&self.server_key_name(operation)).await?;
        let stored = stored.ok_or(Code::KeyNotStored)?;
        let pending: Pending = serde_json::from_str(stored.expose_secret()).map_err(internal)?;
        fill(body, &pending)
    }

    /// Keeps the owner's key under the server id, and forgets the host's. May be done again.
    pub(crate) async fn hand_over_key(&self, live: &Live, operation: &str, server: &str) -> Result<()> {
        let before = self.server_key_name(operation);
        let Some(stored) = self.inner.keychain.get(&before).await? else {
            return Ok(());
        };
        let pending: Pending = serde_json::from_str(stored.expose_secret()).map_err(internal)?;
        let kept = text(&Kept {
            private_key: pending.private_key,
            host_key: pending.host_key,
        })?;
        let keychain = &self.inner.keychain;
        keychain
            .put(&self.server_key_name(server), kept, remember(live))
            .await?;
        keychain.remove(&before).await
    }

    /// Forgets the key of a server that is gone, or of one that was never made.
    pub(crate) async fn forget_key(&self, server_or_operation: &str) {
        let name = self.server_key_name(server_or_operation);
        if let Err(failure) = self.inner.keychain.remove(&name).await {
            tracing::info!(%failure, "a key that is of no use any more stays in the keychain");
        }
    }

    /// Writes a server's key and host key to files, for its owner's own SSH client.
    ///
    /// # Errors
    /// `KeyNotStored` when the server was not made here with a key of its own; `ServerUnknown`, `NotOwn`,
    /// `NotSignedIn`; the keychain's; `Internal` when the files cannot be written.
    pub async fn save_server_key(&self, server: &str) -> Result<SavedKey> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let stored = self.inner.keychain.get(&self.server_key_name(&server.id)).await?;
        let kept: Kept =
            serde_json::from_str(stored.ok_or(Code::KeyNotStored)?.expose_secret()).map_err(internal)?;
        let address = server
            .addresses
            .iter()
            .find(|address| address.kind == AddressKind::Public)
            .or(server.addresses.first())
            .map(|address| address.address.clone());
        let dir = self.inner.data_dir.join("keys");
        // A server's id comes from outside, and must not lead to another directory.
        let name: String = server
            .id
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        let (key_file, known_hosts_file) = (
            dir.join(format!("{name}.key")),
            dir.join(format!("{name}.known_hosts")),
        );
        let known = address
            .as_ref()
            .map(|address| format!("{address} {}\n", kept.host_key))
            .unwrap_or_default();
        let files = vec![
            (key_file.clone(), Zeroizing::new(kept.private_key)),
            (known_hosts_file.clone(), Zeroizing::new(known)),
        ];
        tokio::task::spawn_blocking(move || {
            files
                .into_iter()
                .try_for_each(|(file, text)| write_private(&file, &text))
        })
        .await
        .map_err(internal)?
        .map_err(internal)?;
        let command = address.map(|address| {
            format!(
                "ssh -i \"{}\" -o UserKnownHostsFile=\"{}\" -o IdentitiesOnly=yes {USER}@{address}",
                key_file.display(),
                known_hosts_file.display()
            )
        });
        Ok(SavedKey {
            key_file: key_file.display().to_string(),
            known_hosts_file: known_hosts_file.display().to_string(),
            command,
        })
    }

    /// A server's private key and its host key, where it was made here.
    ///
    /// # Errors
    /// The keychain's.
    pub(crate) async fn login_key(&self, server: &str) -> Result<Option<(SecretString, String)>> {
        let Some(stored) = self.inner.keychain.get(&self.server_key_name(server)).await? else {
            return Ok(None);
        };
        let kept: Kept = serde_json::from_str(stored.expose_secret()).map_err(internal)?;
        Ok(Some((kept.private_key.into(), kept.host_key)))
    }

    /// The public halves of a server's keys.
    ///
    /// # Errors
    /// `KeyNotStored` when the server was not made here with a key of its own; `ServerUnknown`, `NotOwn`,
    /// `NotSignedIn`; the keychain's; `Internal` when what it keeps is no key.
    pub async fn server_public_keys(&self, server: &str) -> Result<PublicKeys> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let stored = self.inner.keychain.get(&self.server_key_name(&server.id)).await?;
        let stored = stored.ok_or(Code::KeyNotStored)?;
        let kept: Kept = serde_json::from_str(stored.expose_secret()).map_err(internal)?;
        let private = Zeroizing::new(kept.private_key);
        let private = PrivateKey::from_openssh(private.as_bytes()).map_err(internal)?;
        Ok(PublicKeys {
            login: line(&private)?,
            host: kept.host_key,
        })
    }

    /// Whether the keychain has a server's key, as far as it answers.
    pub(crate) async fn has_server_key(&self, server: &str) -> bool {
        let stored = self.inner.keychain.get(&self.server_key_name(server)).await;
        stored.is_ok_and(|stored| stored.is_some())
    }

    /// Writes the key of a server that was asked for here to a file of its own, in OpenSSH's form, readable by its
    /// owner only. `id`: the server's or its creation's; the key is there as soon as the creation is recorded.
    ///
    /// # Errors
    /// `KeyNotStored` when there is no such key here; the keychain's; `BadInput` when there is such a file already or
    /// it cannot be written.
    pub async fn write_server_key(&self, id: &str, file: &Path) -> Result<()> {
        let keychain = &self.inner.keychain;
        let mut stored = keychain.get(&self.server_key_name(id)).await?;
        // A creation's key is handed over to the server before it is removed here, so this order leaves no gap.
        if stored.is_none()
            && let Some(server) = self.server_of(id).await?
        {
            stored = keychain.get(&self.server_key_name(&server)).await?;
        }
        let stored = stored.ok_or(Code::KeyNotStored)?;
        let kept: OwnersHalf = serde_json::from_str(stored.expose_secret()).map_err(internal)?;
        let (key, path) = (Zeroizing::new(kept.private_key), file.to_owned());
        tokio::task::spawn_blocking(move || create_private(&path, &key))
            .await
            .map_err(internal)?
            .map_err(|error| {
                let field = file.display().to_string();
                Failure::new(Code::BadInput).with("field", field).saying(error)
            })
    }

    /// The server that a creation made.
    async fn server_of(&self, operation: &str) -> Result<Option<String>> {
        let wanted = operation.to_owned();
        let row = self.ledger(move |ledger| ledger.operation(&wanted)).await?;
        Ok(row.and_then(|row| row.server_id))
    }

    /// Where the keychain has a server's key.
    fn server_key_name(&self, server_or_operation: &str) -> String {
        format!("server/{}/{server_or_operation}", self.installation_id())
    }
}

/// As long as the account's own key.
fn remember(live: &Live) -> Remember {
    if live.account.remember {
        Remember::Keychain
    } else {
        Remember::Run
    }
}

/// Writes a file that only its owner can read, whatever was there before.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir)?;
    }
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_private(file, text)
}

/// Writes a new file that only its owner can read. One that is there already stays as it is.
fn create_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(fresh: &Fresh) -> Pending {
        serde_json::from_str(fresh.secret.expose_secret()).unwrap()
    }

    fn body(fresh: &Fresh, environment: Environment) -> String {
        let user_data = STANDARD.encode(fresh.user_data(environment, None).unwrap());
        json!({"server": {"name": "dev", "user_data": user_data}}).to_string()
    }

    fn sent(body: &str) -> String {
        let body: Value = serde_json::from_str(body).unwrap();
        let user_data = body.pointer("/server/user_data").unwrap().as_str().unwrap();
        String::from_utf8(STANDARD.decode(user_data).unwrap()).unwrap()
    }

    #[test]
    fn the_document_is_yaml_with_both_keys_and_the_environment() {
        let environments = [
            Environment::None,
            Environment::Docker,
            Environment::Python,
            Environment::Java,
            Environment::Node,
        ];
        for environment in environments {
            let fresh = Fresh::make("dev").unwrap();
            let sent = sent(&fill(&body(&fresh, environment), &pending(&fresh)).unwrap());
            assert!(
                sent.starts_with("#cloud-config\n"),
                "cloud-init asks for this line"
            );
            assert!(sent.len() <= USER_DATA_MOST);
            let document: Value = serde_saphyr::from_str(&sent).unwrap();
            assert_eq!(document["ssh_authorized_keys"][0], fresh.public.as_str());
            let host = document["ssh_keys"]["ed25519_private"].as_str().unwrap();
            let host = PrivateKey::from_openssh(host).unwrap();
            assert_eq!(
                line(&host).unwrap(),
                fresh.host,
                "the host key that the first login is checked against"
            );
            assert_eq!(
                document["packages"].is_array(),
                environment != Environment::None,
                "what the environment installs is in the same document"
            );
        }
    }

    #[test]
    fn a_creation_sent_again_has_the_same_bytes_and_the_ledgers_copy_no_private_key() {
        let fresh = Fresh::make("dev").unwrap();
        let body = body(&fresh, Environment::Docker);
        let pending = pending(&fresh);
        assert_eq!(fill(&body, &pending).unwrap(), fill(&body, &pending).unwrap());
        assert!(!sent(&body).contains("PRIVATE KEY"));
        assert!(!body.contains(&STANDARD.encode("PRIVATE KEY")));
    }

    #[test]
    fn every_server_has_keys_of_its_own() {
        let (one, other) = (Fresh::make("a").unwrap(), Fresh::make("a").unwrap());
        assert_ne!(one.public, other.public);
        assert_ne!(one.host, one.public);
        let key = PrivateKey::from_openssh(pending(&one).private_key).unwrap();
        assert_eq!(line(&key).unwrap(), one.public);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_its_owners_alone_whatever_was_there() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys").join("one.key");
        write_private(&file, "first").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&file, "second").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "second");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
