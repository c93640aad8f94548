//! Files of this computer, for the window of sessions. The page never names one: a person chooses them in the system's own
//! dialog or drops them on the window, and only this program sees their paths.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{FileDrag, FilesAct, FilesAnswer, LocalAct, WireError};
use tauri::ipc::Channel;
use tauri::{AppHandle, DragDropEvent, Manager, State, WebviewWindow};

use crate::choose::{Wanted, choose};
use crate::{Backend, editor};

/// Most things that are taken of one drop.
const DROPPED_MOST: usize = 1000;

/// What was dropped last, and who is told.
#[derive(Default)]
pub struct Drops {
    inner: Mutex<Dropped>,
}

#[derive(Default)]
struct Dropped {
    number: u64,
    paths: Vec<PathBuf>,
    page: Option<Channel<FileDrag>>,
}

impl Drops {
    fn lock(&self) -> MutexGuard<'_, Dropped> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The paths of a drop, once; none when another came after it.
    fn take(&self, number: u64) -> Vec<PathBuf> {
        let mut inner = self.lock();
        match inner.number == number {
            true => std::mem::take(&mut inner.paths),
            false => Vec::new(),
        }
    }
}

/// Something is dragged over the window of sessions.
pub fn dragged(app: &AppHandle, event: &DragDropEvent) {
    let drops = app.state::<Drops>();
    let mut inner = drops.lock();
    let told = match event {
        DragDropEvent::Enter { .. } => FileDrag::Over,
        DragDropEvent::Drop { paths, .. } => {
            inner.number += 1;
            inner.paths = paths.iter().take(DROPPED_MOST).cloned().collect();
            FileDrag::Dropped {
                drop: inner.number,
                count: inner.paths.len(),
            }
        }
        DragDropEvent::Leave => FileDrag::Left,
        _ => return,
    };
    if let Some(page) = &inner.page
        && page.send(told).is_err()
    {
        inner.page = None;
    }
}

/// What is dragged over the window from now on.
#[tauri::command]
pub async fn session_drops(drops: State<'_, Drops>, channel: Channel<FileDrag>) -> Result<(), WireError> {
    drops.lock().page = Some(channel);
    Ok(())
}

/// Does what is asked about a server's files.
#[tauri::command]
pub async fn session_files(
    backend: State<'_, Arc<Backend>>,
    request: FilesAct,
) -> Result<FilesAnswer, WireError> {
    backend.api().await.files_act(request).await
}

/// Does what needs files of this computer; whether any were chosen.
#[tauri::command]
pub async fn session_local(
    window: WebviewWindow,
    backend: State<'_, Arc<Backend>>,
    drops: State<'_, Drops>,
    request: LocalAct,
) -> Result<bool, WireError> {
    let api = backend.api().await;
    let (session, folder, chosen) = match request {
        LocalAct::UploadFiles { session, folder } => {
            let chosen = choose(&window, Wanted::Files).await;
            (session, folder, chosen)
        }
        LocalAct::UploadFolder { session, folder } => {
            let chosen = choose(&window, Wanted::Folders).await;
            (session, folder, chosen)
        }
        LocalAct::UploadDropped {
            session,
            folder,
            drop,
        } => (session, folder, drops.take(drop)),
        LocalAct::Download { session, paths } => {
            let folder = downloads(window.app_handle());
            // Where it cannot be made, the copies say so.
            let _ = tokio::fs::create_dir_all(&folder).await;
            api.download(&session, &paths, &folder).await?;
            return Ok(true);
        }
        LocalAct::DownloadTo { session, paths } => {
            let Some(folder) = choose(&window, Wanted::Place).await.pop() else {
                return Ok(false);
            };
            api.download(&session, &paths, &folder).await?;
            return Ok(true);
        }
        LocalAct::Edit { session, path } => {
            let rescue = downloads(window.app_handle());
            let copy = api.edit(&session, &path, &rescue).await?;
            let opened = editor::open(window.app_handle(), &copy).await;
            return opened.map(|()| true).map_err(|error| api.no_editor(&error));
        }
        LocalAct::EditAgain { session, edit } => {
            let copy = api.edit_place(&session, edit).await?;
            let opened = editor::open(window.app_handle(), &copy).await;
            return opened.map(|()| true).map_err(|error| api.no_editor(&error));
        }
        LocalAct::ShowFolder { session, copy } => {
            let folder = api.folder_of_copy(&session, copy).await?;
            // A folder only: a file that came from a server is opened by nobody but the person.
            let folder = folder.filter(|folder| folder.is_dir());
            if let Some(Err(error)) = folder.as_ref().map(open::that_detached) {
                tracing::info!(%error, "the folder of a copy is not shown");
                return Ok(false);
            }
            return Ok(folder.is_some());
        }
    };
    if chosen.is_empty() {
        return Ok(false);
    }
    api.upload(&session, chosen, &folder).await?;
    Ok(true)
}

/// Where downloads of this user go.
pub fn downloads(app: &AppHandle) -> PathBuf {
    let place = app.path().download_dir().or_else(|_| app.path().home_dir());
    place.unwrap_or_else(|_| PathBuf::from("."))
}
