//! The text editor of this computer. Never what the system has for a file's kind: that could be a program that runs what came
//! from a server.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use tauri::AppHandle;

/// Names a program that takes a file as its only argument, in the place of the system's editor.
const EDITOR: &str = "WANGCHENG_EDITOR";

/// Opens a file in it.
pub async fn open(app: &AppHandle, file: &Path) -> io::Result<()> {
    if let Some(program) = std::env::var_os(EDITOR).filter(|program| !program.is_empty()) {
        return start(Command::new(program).arg(file));
    }
    of_the_system(app, file).await
}

fn start(command: &mut Command) -> io::Result<()> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// What opens plain text, whatever the file is called.
#[cfg(target_os = "linux")]
async fn of_the_system(app: &AppHandle, file: &Path) -> io::Result<()> {
    use gtk::gio::{self, prelude::AppInfoExt};
    let (tell, told) = tokio::sync::oneshot::channel();
    let file = file.to_owned();
    let asked = app.run_on_main_thread(move || {
        let opened = match gio::AppInfo::default_for_type("text/plain", false) {
            Some(editor) => editor
                .launch(&[gio::File::for_path(file)], gio::AppLaunchContext::NONE)
                .map_err(io::Error::other),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        // Whoever asked may be gone.
        let _ = tell.send(opened);
    });
    asked.map_err(io::Error::other)?;
    told.await.map_err(io::Error::other)?
}

#[cfg(target_os = "macos")]
async fn of_the_system(_app: &AppHandle, file: &Path) -> io::Result<()> {
    start(Command::new("open").arg("-t").arg(file))
}

#[cfg(target_os = "windows")]
async fn of_the_system(_app: &AppHandle, file: &Path) -> io::Result<()> {
    start(Command::new("notepad.exe").arg(file))
}
