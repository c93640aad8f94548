//! The system's own dialog for files and folders.

use std::path::PathBuf;

use tauri::{AppHandle, Manager, WebviewWindow};

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One file that is there.
    File,
    /// Files that are there.
    Files,
    /// Folders that are there.
    Folders,
    /// One folder, to put something into.
    Place,
}

/// Asks a person for one file, from the main window; nothing when they changed their mind.
pub async fn one_file(app: AppHandle) -> Option<PathBuf> {
    let window = app.get_webview_window(crate::window::MAIN)?;
    choose(&window, Wanted::File).await.pop()
}

/// Asks a person; nothing when they changed their mind.
///
/// With GTK directly, as Tauri's windows are made of it and nothing of it may be used but from their thread.
#[cfg(target_os = "linux")]
pub async fn choose(window: &WebviewWindow, wanted: Wanted) -> Vec<PathBuf> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let parent = window.clone();
    let asked = window.run_on_main_thread(move || ask(&parent, wanted, tell));
    if let Err(error) = asked {
        tracing::warn!(%error, "the dialog for files cannot be shown");
        return Vec::new();
    }
    told.await.unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn ask(window: &WebviewWindow, wanted: Wanted, tell: tokio::sync::oneshot::Sender<Vec<PathBuf>>) {
    use gtk::prelude::{FileChooserExt, NativeDialogExt};
    use gtk::{FileChooserAction, FileChooserNative, ResponseType};
    let action = match wanted {
        Wanted::File | Wanted::Files => FileChooserAction::Open,
        Wanted::Folders | Wanted::Place => FileChooserAction::SelectFolder,
    };
    let parent = window.gtk_window().ok();
    let dialog = FileChooserNative::new(None, parent.as_ref(), action, None, None);
    dialog.set_select_multiple(matches!(wanted, Wanted::Files | Wanted::Folders));
    dialog.set_modal(true);
    let tell = std::cell::Cell::new(Some(tell));
    // Nothing else holds the dialog while it is shown.
    let shown = std::cell::Cell::new(Some(dialog.clone()));
    dialog.connect_response(move |dialog, response| {
        let chosen = match response {
            ResponseType::Accept => dialog.filenames(),
            _ => Vec::new(),
        };
        if let Some(tell) = tell.take() {
            // Whoever asked may be gone.
            let _ = tell.send(chosen);
        }
        dialog.destroy();
        drop(shown.take());
    });
    dialog.show();
}

/// Asks a person; nothing when they changed their mind.
#[cfg(not(target_os = "linux"))]
pub async fn choose(window: &WebviewWindow, wanted: Wanted) -> Vec<PathBuf> {
    let dialog = rfd::AsyncFileDialog::new().set_parent(window);
    let chosen = match wanted {
        Wanted::File => dialog.pick_file().await.map(|one| vec![one]),
        Wanted::Files => dialog.pick_files().await,
        Wanted::Folders => dialog.pick_folders().await,
        Wanted::Place => dialog.pick_folder().await.map(|one| vec![one]),
    };
    let paths = chosen.into_iter().flatten();
    paths.map(|file| file.path().to_owned()).collect()
}
