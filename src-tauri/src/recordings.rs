//! Recordings, for the window of sessions.

use std::sync::Arc;

use api::{RecordingsAct, RecordingsAnswer, WireError};
use tauri::{AppHandle, State};

use crate::{Backend, files};

/// Does what is asked about recordings. A copy goes to the folder of downloads.
#[tauri::command]
pub async fn session_recordings(
    app: AppHandle,
    backend: State<'_, Arc<Backend>>,
    request: RecordingsAct,
) -> Result<RecordingsAnswer, WireError> {
    let downloads = files::downloads(&app);
    backend.api().await.recordings_act(request, &downloads).await
}
