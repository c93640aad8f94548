//! Where an organisation's grants lie: a file, an address, or an object of OBS that is read with one's own key.

use std::path::{Path, PathBuf};
use std::time::Duration;

use huaweicloud::obs::{self, Fetched};
use tokio::io::AsyncReadExt;
use url::Url;

use super::signed::FILE_MOST;
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};

/// How long a grant may take to come.
const DEADLINE: Duration = Duration::from_secs(20);

/// Where grants lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, on a shared drive for example.
    File(PathBuf),
    /// An address; plain HTTP on this computer only.
    Web(Url),
    /// An object of OBS.
    Obs {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
    },
}

/// What lies there.
pub(super) enum Lies {
    /// What was there before.
    Unchanged,
    /// Something else.
    Text { text: String, etag: Option<String> },
}

impl Source {
    /// From its text: `file:///…` or a path from the root, `https://…`, `obs://BUCKET/KEY`.
    ///
    /// # Errors
    /// `GrantLinkInvalid`.
    pub fn read(text: &str) -> Result<Self> {
        let invalid = |why: &str| Failure::new(Code::GrantLinkInvalid).saying(why);
        let text = text.trim();
        if Path::new(text).is_absolute() {
            return Ok(Self::File(text.into()));
        }
        if let Some(rest) = text.strip_prefix("obs://") {
            let (bucket, key) = rest
                .split_once('/')
                .ok_or_else(|| invalid("no key of an object"))?;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            let parts_fit = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
            if !(3..=63).contains(&bucket.len())
                || !bucket.chars().all(plain)
                || !parts_fit
                || key.len() > 1024
            {
                return Err(invalid("no bucket and key"));
            }
            return Ok(Self::Obs {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            });
        }
        let url = Url::parse(text).map_err(|_| invalid("no address of the grant"))?;
        let here = match url.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        match url.scheme() {
            "file" => url
                .to_file_path()
                .map(Self::File)
                .map_err(|()| invalid("no file")),
            "https" | "http" if !url.username().is_empty() || url.password().is_some() => {
                Err(invalid("a password in the address"))
            }
            "https" if url.host().is_some() => Ok(Self::Web(url)),
            "http" if here => Ok(Self::Web(url)),
            _ => Err(invalid("neither https, obs nor a file")),
        }
    }

    /// Its text.
    pub fn text(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Web(url) => url.to_string(),
            Self::Obs { bucket, key } => format!("obs://{bucket}/{key}"),
        }
    }
}

impl Wangcheng {
    /// Reads what lies there, unless it is what is known.
    ///
    /// # Errors
    /// `GrantUnreachable`; for OBS also what keeps the account in use from asking.
    pub(super) async fn fetch_grant(&self, source: &Source, known: Option<&str>) -> Result<Lies> {
        let asked = async {
            match source {
                Source::File(path) => read_file(path).await,
                Source::Web(url) => self.read_web(url, known).await,
                Source::Obs { bucket, key } => {
                    let live = self.active().await?;
                    let client = self.client(&live).await?;
                    match obs::get_object(&client, bucket, key, known).await {
                        Ok(reply) => match reply.value {
                            Fetched::Unchanged => Ok(Lies::Unchanged),
                            Fetched::Object { etag, content } => text_of(content.to_vec(), etag),
                        },
                        Err(error) => {
                            let told = Failure::from(error);
                            Err(Failure {
                                code: Code::GrantUnreachable,
                                ..told
                            })
                        }
                    }
                }
            }
        };
        match tokio::time::timeout(DEADLINE, asked).await {
            Ok(Err(failure)) if failure.code == Code::GrantUnreachable => {
                Err(failure.with("place", source.text()))
            }
            Ok(answer) => answer,
            Err(_) => Err(unreachable("timeout").with("place", source.text())),
        }
    }

    async fn read_web(&self, url: &Url, known: Option<&str>) -> Result<Lies> {
        use reqwest::header::{ETAG, IF_NONE_MATCH};
        let mut request = self.inner.courier.http.get(url.clone()).timeout(DEADLINE);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        // The address may carry a signature of its own, so the error must not repeat it.
        let mut answer = request
            .send()
            .await
            .map_err(|error| unreachable(error.without_url()))?;
        match answer.status() {
            reqwest::StatusCode::NOT_MODIFIED => return Ok(Lies::Unchanged),
            status if !status.is_success() => return Err(unreachable(status)),
            _ => {}
        }
        let etag = answer.headers().get(ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mut content = Vec::new();
        while let Some(piece) = answer
            .chunk()
            .await
            .map_err(|error| unreachable(error.without_url()))?
        {
            content.extend_from_slice(&piece);
            if content.len() > FILE_MOST {
                return Err(unreachable("too long"));
            }
        }
        text_of(content, etag)
    }
}

async fn read_file(path: &Path) -> Result<Lies> {
    // Looked at before it is opened: a pipe would wait for somebody at its other end.
    if !tokio::fs::metadata(path).await.map_err(unreachable)?.is_file() {
        return Err(unreachable("no file"));
    }
    let file = tokio::fs::File::open(path).await.map_err(unreachable)?;
    let mut content = Vec::new();
    file.take(FILE_MOST as u64 + 1)
        .read_to_end(&mut content)
        .await
        .map_err(unreachable)?;
    text_of(content, None)
}

fn text_of(content: Vec<u8>, etag: Option<String>) -> Result<Lies> {
    let text =
        String::from_utf8(content).map_err(|_| Failure::new(Code::GrantUnreadable).saying("not text"))?;
    Ok(Lies::Text { text, etag })
}

fn unreachable(why: impl ToString) -> Failure {
    Failure::new(Code::GrantUnreachable).saying(why)
}
