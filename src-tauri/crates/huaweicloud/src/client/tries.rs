//! Sending: whose turn it is, one try, and the next one after a pause.

use ::http::header::{DATE, RETRY_AFTER};
use ::http::{HeaderMap, StatusCode};
use backon::{BackoffBuilder, ExponentialBuilder};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::time::Instant;

use super::Client;
use super::answer::Answer;
use super::call::Call;
use super::failure::{self, Seen};
use super::limits::Rate;
use super::request::authority;
use crate::endpoints::Service;
use crate::envelope;
use crate::error::{Error, ErrorKind};

/// The longest header value that is kept as a request id.
const MAX_REQUEST_ID: usize = 128;
/// The longest time that anybody can make a call wait. Moments further off may not be representable.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Client {
    /// Sends a call, again after passing failures if it may be repeated.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, Error> {
        self.rehearse(call)?;
        let options = &self.inner.http.inner.options;
        let deadline = Instant::now() + options.call_timeout.min(LONGEST);
        let tries = if call.may_repeat() { options.retries } else { 0 };
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(options.retry_delay)
            .with_max_times(tries)
            .with_jitter()
            .build();
        let mut unknown_before = false;
        loop {
            let error = match self.send_once(call, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // The last try may have failed harmlessly; an earlier one may have had its effect all the same.
            unknown_before |= error.outcome_unknown;
            let error = Error {
                outcome_unknown: unknown_before,
                ..error
            };
            let pause = if error.kind.is_passing() && !error.is_own_refusal() {
                pauses.next()
            } else {
                None
            };
            let Some(pause) = pause else { return Err(error) };
            let wait = error.retry_after().map_or(pause, |wait| wait.max(pause));
            if Instant::now() + wait >= deadline {
                return Err(error);
            }
            tracing::debug!(service = %call.service, action = call.action, ?pause, %error, "again after a pause");
            tokio::time::sleep(pause).await;
        }
    }

    /// One try, when its turn has come.
    async fn send_once(&self, call: &Call<'_>, deadline: Instant) -> Result<Answer, Error> {
        let url = self.url(call)?;
        // A signed address is used without the key, so nothing about the key is learned from it.
        let key = call.signed_url.is_none().then_some(&self.inner.key);
        let _trial = match key {
            Some(key) => tokio::time::timeout_at(deadline, key.turn(call))
                .await
                .unwrap_or_else(|_| {
                    Err(call.error(
                        ErrorKind::Network,
                        "no answer to another request that tries the same key",
                    ))
                })?,
            None => None,
        };
        let lane = self
            .inner
            .http
            .inner
            .limits
            .lane(&authority(&url), self.inner.account);
        let _under_way = lane
            .turn(call.service, call.action, deadline)
            .await
            .map_err(|wait| waiting(call, wait))?;
        // The turn may have taken a while, and the key may have been refused meanwhile.
        if let Some(key) = key {
            key.check(call)?;
        }

        let started = Instant::now();
        let result = self.exchange(call, url, deadline).await;
        let elapsed = started.elapsed();
        match result {
            Ok(answer) => {
                tracing::debug!(
                    service = %call.service, action = call.action, status = answer.status,
                    request_id = answer.request_id.as_deref(), ?elapsed, "answered"
                );
                lane.passed(call.action);
                if let Some(key) = key {
                    key.accept();
                }
                Ok(answer)
            }
            Err(mut error) => {
                tracing::debug!(kind = ?error.kind, %error, ?elapsed, "failed");
                match error.kind {
                    ErrorKind::Throttled => {
                        lane.refused(call.action, Rate::told(&error.message), error.retry_after());
                        error.set_retry_after(Some(lane.wait_for(call.action)));
                    }
                    ErrorKind::Permission => {
                        if let Some(key) = key {
                            key.accept();
                        }
                    }
                    _ => {}
                }
                if let Some(key) = key
                    && error.refuses_key()
                {
                    key.refuse(&error);
                }
                Err(error)
            }
        }
    }

    async fn exchange(&self, call: &Call<'_>, url: url::Url, deadline: Instant) -> Result<Answer, Error> {
        let http = &self.inner.http;
        let options = &http.inner.options;
        let headers = self.headers(call, &url)?;
        let time = deadline
            .saturating_duration_since(Instant::now())
            .min(options.request_timeout);
        let mut response = http
            .for_url(&url)
            .request(call.method.clone(), url)
            .timeout(time)
            .headers(headers)
            .body(call.body.clone())
            .send()
            .await
            .map_err(|error| {
                // Before a connection stands, nothing can have been asked of the service.
                let unsent = error.is_connect() || error.is_builder();
                Error {
                    outcome_unknown: !unsent,
                    ..call.error(ErrorKind::Network, cause(error))
                }
            })?;

        let status = response.status();
        let answer_headers = response.headers().clone();
        let seen = Seen {
            status,
            request_id: request_id(&answer_headers),
            clock_difference: server_time(&answer_headers).map(|server| self.now() - server),
            retry_after: retry_after(&answer_headers),
        };
        let most = call.max_answer.unwrap_or(usize::MAX).min(options.max_answer);
        let body = read(&mut response, most)
            .await
            .map_err(|(kind, message)| seen.unreadable(call, kind, message))?;

        let envelope = if status.is_success() && call.service == Service::Obs {
            // An object may look like anything, even like an error.
            None
        } else if status.is_success() {
            envelope::read_in_success(&body)
        } else {
            envelope::read(&body)
        };
        // Not an error where the caller said which version it has already.
        let unchanged = status == StatusCode::NOT_MODIFIED && call.header("If-None-Match").is_some();
        if unchanged || (status.is_success() && envelope.is_none()) {
            return Ok(Answer {
                service: call.service,
                action: call.action,
                status: status.as_u16(),
                server_time: server_time(&answer_headers),
                headers: answer_headers,
                body,
                request_id: seen.request_id,
            });
        }
        Err(self.without_token(failure::of(call, seen, envelope, &body)))
    }

    /// An answer to a wrong signature may repeat the signed headers, and the security token is one of them.
    fn without_token(&self, mut error: Error) -> Error {
        if let Some(token) = &self.inner.credentials.security_token {
            let token = token.expose_secret();
            let hide = |text: &mut Box<str>| {
                if !token.is_empty() && text.contains(token) {
                    *text = text.replace(token, "(security token)").into_boxed_str();
                }
            };
            hide(&mut error.message);
            error
                .details
                .iter_mut()
                .for_each(|detail| hide(&mut detail.message));
        }
        error
    }
}

/// The whole body, decompressed, if it is not too long. Without that limit a few bytes could become gigabytes.
async fn read(response: &mut reqwest::Response, most: usize) -> Result<Vec<u8>, (ErrorKind, String)> {
    let too_long = || {
        (
            ErrorKind::BadAnswer,
            format!("the answer is longer than {most} bytes"),
        )
    };
    // Of a compressed body the length is not known before it was read.
    let length = response.content_length().unwrap_or_default();
    if length > most as u64 {
        return Err(too_long());
    }
    let mut body = Vec::with_capacity(length as usize);
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() <= most => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(too_long()),
            Err(error) => return Err((ErrorKind::Network, cause(error))),
        }
    }
}

/// The error of a call whose turn would come too late.
fn waiting(call: &Call<'_>, wait: Duration) -> Error {
    let mut error = call.error(
        ErrorKind::Throttled,
        format!(
            "not sent: the limit on requests lets the next one through in {:.1} s",
            wait.as_secs_f64()
        ),
    );
    error.set_retry_after(Some(wait));
    error
}

/// The causes of a transport failure, without the address, which may contain an access key.
pub(super) fn cause(error: reqwest::Error) -> String {
    use std::error::Error as _;
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    envelope::shorten(&text).into_string()
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers
        .get("x-request-id")
        .or_else(|| headers.get("x-obs-request-id"))?
        .to_str()
        .ok()?;
    (!id.is_empty() && id.len() <= MAX_REQUEST_ID).then(|| id.to_owned())
}

fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date)
        .ok()
        .map(|moment| moment.to_utc())
}

/// Not documented by the vendor, but proxies and gateways send it. Only seconds are understood.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST))
}
