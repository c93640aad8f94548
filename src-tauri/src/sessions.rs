//! The window of sessions, and the commands that are its own. It holds no session: those live in the domain, so that a page
//! that was reloaded finds them again. Bytes come over a channel, never more than the page said it can take.

use std::sync::Arc;

use api::{Api, Change, Session, SessionAct, SessionsStart, TunnelAct, TunnelView, WireError};
use tauri::ipc::{Channel, InvokeBody, InvokeResponseBody, Request};
use tauri::{AppHandle, Manager, State, WebviewUrl, WebviewWindowBuilder};
use tokio::sync::broadcast::error::RecvError;

use crate::{Backend, window};

/// Its name, which its capability is for.
pub const WINDOW: &str = "sessions";
/// The header of an input that names its session.
const SESSION: &str = "session";
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 640.0;
const LEAST_WIDTH: f64 = 480.0;
const LEAST_HEIGHT: f64 = 320.0;

/// Does what the window asks for; answers the session that was opened, if one was.
#[tauri::command]
pub async fn session(
    backend: State<'_, Arc<Backend>>,
    request: SessionAct,
) -> Result<Option<Session>, WireError> {
    backend.api().await.session_act(request).await
}

/// Types the bytes of the body into the session that the header names.
#[tauri::command]
pub async fn session_type(backend: State<'_, Arc<Backend>>, request: Request<'_>) -> Result<(), WireError> {
    let id = request
        .headers()
        .get(SESSION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let bytes = match request.body() {
        InvokeBody::Raw(bytes) => bytes.clone(),
        InvokeBody::Json(_) => Vec::new(),
    };
    backend.api().await.session_type(id, bytes).await
}

/// The output of a session from an offset on, until somebody else reads it or there is no more.
#[tauri::command]
pub async fn session_output(
    backend: State<'_, Arc<Backend>>,
    session: String,
    offset: Option<u64>,
    channel: Channel<InvokeResponseBody>,
) -> Result<(), WireError> {
    let mut output = backend.api().await.session_output(&session, offset).await?;
    tauri::async_runtime::spawn(async move {
        while let Some(piece) = output.next().await {
            if channel.send(InvokeResponseBody::Raw(piece)).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// What changes of sessions from now on, and which there are.
#[tauri::command]
pub async fn session_watch(
    backend: State<'_, Arc<Backend>>,
    channel: Channel<Change>,
) -> Result<SessionsStart, WireError> {
    let api = backend.api().await;
    let mut changes = api.changes();
    tauri::async_runtime::spawn(async move {
        loop {
            let change = match changes.recv().await {
                Ok(change) if Api::is_about_sessions(&change) => change,
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => Change::Reload,
                Err(RecvError::Closed) => return,
            };
            if channel.send(change).is_err() {
                return;
            }
        }
    });
    api.sessions_start().await
}

/// Does what is asked about tunnels; answers all of them.
#[tauri::command]
pub async fn session_tunnels(
    backend: State<'_, Arc<Backend>>,
    request: TunnelAct,
) -> Result<Vec<TunnelView>, WireError> {
    backend.api().await.tunnels_act(request).await
}

/// Opens the window, or brings it to the front.
pub fn show(app: &AppHandle) {
    if let Some(shown) = app.get_webview_window(WINDOW) {
        for done in [shown.show(), shown.unminimize(), shown.set_focus()] {
            if let Err(error) = done {
                tracing::info!(%error, "the window of sessions does not come to the front");
            }
        }
        return;
    }
    let opened = WebviewWindowBuilder::new(app, WINDOW, WebviewUrl::App("sessions.html".into()))
        .title("网程 Wangcheng · SSH")
        .inner_size(WIDTH, HEIGHT)
        .min_inner_size(LEAST_WIDTH, LEAST_HEIGHT)
        .on_navigation(window::is_ours)
        .build();
    if let Err(error) = opened {
        tracing::error!(%error, "the window of sessions cannot be opened");
    }
}

/// The window was closed: nobody looks at its sessions any more.
pub fn closed(app: &AppHandle) {
    let backend = app.state::<Arc<Backend>>().inner().clone();
    tauri::async_runtime::spawn(async move { backend.api().await.close_sessions().await });
}
