//! The small page that a guest serves on its port 80: what a tunnel to it shows. It is reached through the guest's SSH
//! server only; nothing listens for it on this computer.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use russh::ChannelStream;
use russh::server::Msg;

use super::Guest;

/// Where it is served.
pub(super) const PORT: u32 = 80;

/// Answers one connection until its other side ends it.
pub(super) async fn serve(stream: ChannelStream<Msg>, guest: Arc<Guest>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page(&guest);
        async move {
            let found = request.uri().path() == "/";
            let answer = Response::builder()
                .status(if found { 200 } else { 404 })
                .header("content-type", "text/html; charset=utf-8")
                .body(Full::new(Bytes::from(if found {
                    page
                } else {
                    "no such page\n".to_owned()
                })));
            Ok::<_, Infallible>(answer.unwrap_or_default())
        }
    });
    let served = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a visit to a guest's page ended");
    }
}

/// The page. Of the guest's name only what a name may have is shown.
pub(super) fn page(guest: &Guest) -> String {
    let name: String = guest
        .hostname
        .chars()
        .filter(|letter| letter.is_alphanumeric() || "-_.".contains(*letter))
        .collect();
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{name}</title>\n<h1>{name}</h1>\n\
         <p>A page of this simulated machine. 这是这台模拟机器的网页。</p>\n"
    )
}
