//! Object Storage Service: single objects, such as a file that a team shares.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use md5::{Digest, Md5};
use url::Url;

use crate::client::{Answer, Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};

const NOT_MODIFIED: u16 = 304;
/// Longest object that is read or written, in bytes; [`crate::HttpOptions::max_answer`] may allow less.
pub const MAX_OBJECT: usize = 8 * 1024 * 1024;
/// Longest time that a signed address may hold.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is known of an object without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its version, with the quotes that belong to it; the MD5 of the content after a simple upload.
    pub etag: Option<String>,
    /// Length in bytes.
    pub size: Option<u64>,
    /// When it was last written.
    pub modified: Option<DateTime<Utc>>,
}

/// An object, if it is not the one that the caller has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It is the version that was named.
    Unchanged,
    /// It is another one, or none was named.
    Object {
        /// Its version, to name the next time.
        etag: Option<String>,
        /// Its content.
        content: Bytes,
    },
}

/// `GetObject`: an object of at most [`MAX_OBJECT`] bytes. `known` is the ETag of the version that the caller has.
///
/// API page: <https://support.huaweicloud.com/api-obs/obs_04_0083.html>
///
/// # Errors
/// [`ErrorKind::Missing`] if there is no such object, [`ErrorKind::BadAnswer`] if it is too long, or another of
/// [`ErrorKind`].
pub async fn get_object(
    client: &Client,
    bucket: &str,
    key: &str,
    known: Option<&str>,
) -> Result<Reply<Fetched>, Error> {
    let call = Call::get(Service::Obs, "GetObject", parts(key)).in_bucket(bucket);
    fetch(client, call, known).await
}

/// `GetObject` through a signed address, which needs no key of one's own: see [`signed_url`].
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/OBS/doc?api=GetObject>
///
/// # Errors
/// [`ErrorKind::Invalid`] if the address is not encrypted, otherwise as for [`get_object`].
pub async fn get_signed(client: &Client, url: &Url, known: Option<&str>) -> Result<Reply<Fetched>, Error> {
    let call = Call::get_signed(Service::Obs, "GetObject", url.clone());
    fetch(client, call, known).await
}

async fn fetch(client: &Client, call: Call<'_>, known: Option<&str>) -> Result<Reply<Fetched>, Error> {
    let mut call = Call {
        max_answer: Some(MAX_OBJECT),
        ..call
    };
    if let Some(known) = known {
        call = call.with_header("If-None-Match", known);
    }
    let answer = client.send(&call).await?;
    let fetched = if answer.status() == NOT_MODIFIED {
        Fetched::Unchanged
    } else {
        Fetched::Object {
            etag: etag(&answer),
            content: Bytes::copy_from_slice(answer.bytes()),
        }
    };
    Ok(answer.reply(fetched))
}

/// `PutObject`: writes an object, and answers its ETag. The service checks that the content arrived whole; who
/// writes last, wins.
///
/// API page: <https://support.huaweicloud.com/api-obs/obs_04_0080.html>
///
/// # Errors
/// [`ErrorKind::Invalid`] if the content is longer than [`MAX_OBJECT`], or another of [`ErrorKind`].
pub async fn put_object(
    client: &Client,
    bucket: &str,
    key: &str,
    content_type: &str,
    content: Bytes,
) -> Result<Reply<Option<String>>, Error> {
    const ACTION: &str = "PutObject";
    if content.len() > MAX_OBJECT {
        let message = format!("the object is longer than {MAX_OBJECT} bytes");
        return Err(refused(ACTION, message));
    }
    let digest = STANDARD.encode(Md5::digest(&content));
    let call = Call::put(Service::Obs, ACTION, parts(key), content)
        .in_bucket(bucket)
        .with_header("Content-MD5", digest)
        .with_header("Content-Type", content_type);
    let answer = client.send(&call).await?;
    let etag = etag(&answer);
    Ok(answer.reply(etag))
}

/// Whether an object may be written there, without writing one: a `PutObject` whose digest is wrong, which the service refuses
/// after it looked whether the caller may write at all.
///
/// # Errors
/// [`ErrorKind::Permission`] if not, or another of [`ErrorKind`].
pub async fn check_put(client: &Client, bucket: &str, key: &str) -> Result<(), Error> {
    const CONTENT: &[u8] = b"checked";
    let digest = STANDARD.encode(Md5::digest(b"another content"));
    let call = Call::put(Service::Obs, "PutObject", parts(key), Bytes::from_static(CONTENT))
        .in_bucket(bucket)
        .with_header("Content-MD5", digest);
    match client.send(&call).await {
        Err(error) if matches!(error.code.as_deref(), Some("BadDigest" | "InvalidDigest")) => Ok(()),
        Err(error) => Err(error),
        // It took what it should not have: at least it says that it may be written there.
        Ok(_) => Ok(()),
    }
}

/// `HeadObject`: what is known of an object without its content.
///
/// API page: <https://support.huaweicloud.com/api-obs/obs_04_0084.html>
///
/// # Errors
/// [`ErrorKind::Missing`] if there is no such object, or another of [`ErrorKind`].
pub async fn head_object(client: &Client, bucket: &str, key: &str) -> Result<Reply<ObjectHead>, Error> {
    let call = Call::head(Service::Obs, "HeadObject", parts(key)).in_bucket(bucket);
    let answer = client.send(&call).await?;
    let modified = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    let head = ObjectHead {
        etag: etag(&answer),
        size: answer.header("Content-Length").and_then(|size| size.parse().ok()),
        modified: answer
            .header("Last-Modified")
            .and_then(modified)
            .map(|moment| moment.to_utc()),
    };
    Ok(answer.reply(head))
}

/// `DeleteObject`. That there was none is no error.
///
/// API page: <https://support.huaweicloud.com/api-obs/obs_04_0085.html>
///
/// # Errors
/// See [`ErrorKind`].
pub async fn delete_object(client: &Client, bucket: &str, key: &str) -> Result<Reply<()>, Error> {
    let call = Call::delete(Service::Obs, "DeleteObject", parts(key)).in_bucket(bucket);
    Ok(client.send(&call).await?.reply(()))
}

/// The address by which anybody can read an object for some time, up to 7 days. It is as good as a key to that
/// object, so it must not be logged. Nothing is sent.
///
/// API page: <https://support.huaweicloud.com/api-obs/obs_04_0011.html>
///
/// # Errors
/// [`ErrorKind::Invalid`] if the time is too long, or the bucket or the key cannot be one.
pub fn signed_url(client: &Client, bucket: &str, key: &str, valid: Duration) -> Result<Url, Error> {
    const ACTION: &str = "GetObject";
    let until = TimeDelta::from_std(valid.min(LONGEST))
        .ok()
        .filter(|_| valid <= LONGEST)
        .and_then(|valid| client.now().checked_add_signed(valid))
        .ok_or_else(|| refused(ACTION, "a signed address holds for 7 days at most"))?;
    let call = Call::get(Service::Obs, ACTION, parts(key)).in_bucket(bucket);
    client.signed_for_obs(call, until)
}

fn parts(key: &str) -> Vec<&str> {
    key.split('/').collect()
}

fn etag(answer: &Answer) -> Option<String> {
    answer.header("ETag").map(str::to_owned)
}

fn refused(action: &'static str, message: impl Into<String>) -> Error {
    Error::local(ErrorKind::Invalid, Some(Service::Obs), action, message)
}
