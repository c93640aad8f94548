//! The provider's own page for a server's screen: in a window that no capability names, so that it can ask nothing of this
//! program, and that stays at the provider's host; or in the system's browser. Its address has a token and is kept nowhere.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use api::WireError;
use secrecy::{ExposeSecret, SecretString};
use tauri::ipc::{InvokeBody, Request};
use tauri::{AppHandle, State, Url, WebviewUrl, WebviewWindowBuilder};

use crate::{Backend, files};

/// The beginning of the names of such windows. No capability may name one.
const WINDOW: &str = "provider-console-";
const WIDTH: f64 = 1040.0;
const HEIGHT: f64 = 820.0;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// Saves a picture of a screen where this user's downloads go; answers the name of its file. The page chooses neither.
#[tauri::command]
pub async fn session_picture(
    app: AppHandle,
    backend: State<'_, Arc<Backend>>,
    request: Request<'_>,
) -> Result<String, WireError> {
    let bytes = match request.body() {
        InvokeBody::Raw(bytes) => bytes.clone(),
        InvokeBody::Json(_) => Vec::new(),
    };
    let folder = files::downloads(&app);
    backend.api().await.save_picture(&folder, bytes).await
}

/// Shows the page.
pub fn show(app: &AppHandle, address: &SecretString, browser: bool) -> io::Result<()> {
    // What went wrong is told without the address.
    let url = Url::parse(address.expose_secret()).map_err(|_| io::Error::other("its address is none"))?;
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
    if url.scheme() != "https" && !here {
        return Err(io::Error::other("its address is not https"));
    }
    if browser {
        return open::that_detached(url.as_str()).map_err(|error| io::Error::from(error.kind()));
    }
    let label = format!("{WINDOW}{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let origin = url.origin();
    WebviewWindowBuilder::new(app, label, WebviewUrl::External(url))
        .title("网程 Wangcheng · 控制台 Console")
        .inner_size(WIDTH, HEIGHT)
        .incognito(true)
        .on_navigation(move |to| to.origin() == origin)
        .build()
        .map(drop)
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::WINDOW;

    #[test]
    fn no_capability_is_for_a_providers_page() {
        let mut named = 0;
        for text in [
            include_str!("../capabilities/main.json"),
            include_str!("../capabilities/sessions.json"),
        ] {
            let capability: Value = serde_json::from_str(text).unwrap();
            for more in ["remote", "webviews"] {
                assert_eq!(
                    capability.get(more),
                    None,
                    "pages from elsewhere are given nothing"
                );
            }
            for window in capability["windows"].as_array().unwrap() {
                let window = window.as_str().unwrap();
                assert!(!window.contains('*') && !window.starts_with(WINDOW), "{window}");
                named += 1;
            }
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/capabilities")).unwrap();
        assert_eq!((named, files.count()), (2, 2), "every capability was looked at");
    }
}
