//! Wangcheng's window. It holds no rule of the product: it opens a window, hands each request to crate `api` and each
//! change back.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod choose;
mod console;
mod editor;
mod files;
mod logs;
mod menu;
mod recordings;
mod sessions;
mod tray;
mod window;

use std::path::PathBuf;
use std::sync::Arc;

use api::{Api, Change, Launch, Places, WireError, Wish};
use clap::Parser;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{AppHandle, DragDropEvent, Manager, RunEvent, State, WindowEvent};
use tauri_plugin_deep_link::DeepLinkExt;
use tokio::sync::OnceCell;
use wangcheng::ClientInfo;
use wangcheng::settings::{Language, Theme};

/// Temporary Huawei Cloud servers from the desktop.
#[derive(Debug, Clone, Parser)]
#[command(version)]
struct Arguments {
    /// Directory of the ledger; the system's usual place by default.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Opens the embedded region.
    #[arg(long)]
    demo: bool,
    /// Opens the embedded region of a running `wangcheng-sandbox`, by the file that it announced itself in.
    #[arg(long, value_name = "FILE")]
    sandbox: Option<PathBuf>,
    /// Language for this run: zh-CN or en.
    #[arg(long, value_parser = language)]
    language: Option<Language>,
    /// Look for this run: light or dark.
    #[arg(long, value_parser = theme)]
    theme: Option<Theme>,
    /// A link (`wangcheng://…`) to open, as the system hands it over.
    link: Option<String>,
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "zh-CN" => Ok(Language::Chinese),
        "en" => Ok(Language::English),
        _ => Err("zh-CN or en".to_owned()),
    }
}

fn theme(text: &str) -> Result<Theme, String> {
    match text {
        "light" => Ok(Theme::Light),
        "dark" => Ok(Theme::Dark),
        _ => Err("light or dark".to_owned()),
    }
}

/// The domain, opened while the window is already being drawn; whoever comes first opens it and the others wait.
struct Backend {
    places: Places,
    launch: Launch,
    api: OnceCell<Api>,
}

impl Backend {
    async fn api(&self) -> &Api {
        self.api
            .get_or_init(|| Api::open(self.places.clone(), self.launch))
            .await
    }
}

/// One request of the interface.
#[tauri::command]
async fn call(backend: State<'_, Arc<Backend>>, name: String, request: Value) -> Result<Value, WireError> {
    backend.api().await.call(&name, request).await
}

/// Every change from now on, until the page is gone, and what a window begins with.
#[tauri::command]
async fn watch(backend: State<'_, Arc<Backend>>, channel: Channel<Change>) -> Result<Value, WireError> {
    use tokio::sync::broadcast::error::RecvError;
    let api = backend.api().await;
    let mut changes = api.changes();
    tauri::async_runtime::spawn(async move {
        loop {
            let change = match changes.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => Change::Reload,
                Err(RecvError::Closed) => return,
            };
            if channel.send(change).is_err() {
                return;
            }
        }
    });
    api.call("app.beginning", Value::Null).await
}

/// The configuration and the capabilities, as they were compiled in.
fn context() -> tauri::Context {
    tauri::generate_context!()
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut builder = tauri::Builder::default();
    if let Some(single) = single_instance(&arguments) {
        // The first plug-in, so that a second start does nothing else.
        builder = builder.plugin(single);
    }
    let app = builder
        .plugin(tauri_plugin_deep_link::init())
        .invoke_handler(tauri::generate_handler![
            call,
            watch,
            sessions::session,
            sessions::session_type,
            sessions::session_output,
            sessions::session_watch,
            console::session_picture,
            files::session_files,
            files::session_local,
            files::session_drops,
            sessions::session_tunnels,
            recordings::session_recordings
        ])
        .setup(move |app| Ok(set_up(app, &arguments)?))
        .on_menu_event(|app, event| {
            let id = event.id().as_ref();
            if tray::chosen(app, id) {
                return;
            }
            let wish = app
                .state::<Arc<tray::Lines>>()
                .wish(id)
                .or_else(|| menu::wish(id));
            if let Some(wish) = wish {
                window::show(app);
                with_api(app, |api| api.wish(wish));
            }
        })
        .build(context())
        .map_err(start_again)?;
    app.run(|app, event| match event {
        RunEvent::WindowEvent { label, event, .. } if label == window::MAIN => on_window_event(app, &event),
        RunEvent::WindowEvent {
            label,
            event: WindowEvent::Destroyed,
            ..
        } if label == sessions::WINDOW => sessions::closed(app),
        RunEvent::WindowEvent {
            label,
            event: WindowEvent::DragDrop(event),
            ..
        } if label == sessions::WINDOW => files::dragged(app, &event),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        RunEvent::Exit => {
            app.state::<window::Memory>().write();
            let backend = app.state::<Arc<Backend>>().inner().clone();
            tauri::async_runtime::block_on(async move {
                if let Some(api) = backend.api.get() {
                    api.stop().await;
                }
            });
        }
        _ => {}
    });
    Ok(())
}

/// A first program that was asked to take over while it was ending leaves nobody to do it: then this one starts once more,
/// as the first. Gives the error back where that is not what happened.
fn start_again(error: tauri::Error) -> tauri::Error {
    const AGAIN: &str = "WANGCHENG_STARTED_AGAIN";
    let ended = matches!(&error, tauri::Error::PluginInitialization(name, _) if name == "single-instance");
    if !ended || std::env::var_os(AGAIN).is_some() {
        return error;
    }
    #[cfg(unix)]
    if let Ok(program) = std::env::current_exe() {
        use std::os::unix::process::CommandExt as _;
        let refused = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(AGAIN, "1")
            .exec();
        tracing::warn!(%refused, "the program cannot be started again");
    }
    error
}

/// Only one program for each data directory: a second start hands over its link, if it has one, and ends. A directory
/// of one's own is a program of one's own, where the system can tell them apart.
fn single_instance(arguments: &Arguments) -> Option<tauri::plugin::TauriPlugin<tauri::Wry>> {
    let mut builder = tauri_plugin_single_instance::Builder::new().callback(|app, argv, _| {
        window::show(app);
        // Read as our own arguments are, because any program may send them here.
        if let Some(link) = Arguments::try_parse_from(argv)
            .ok()
            .and_then(|second| second.link)
        {
            with_api(app, move |api| api.open_link(&link));
        }
    });
    if let Some(dir) = &arguments.data_dir {
        if cfg!(not(target_os = "linux")) {
            return None;
        }
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        std::path::absolute(dir)
            .unwrap_or_else(|_| dir.clone())
            .hash(&mut hasher);
        builder = builder.dbus_id(format!("dev.wangcheng.desktop.d{:016x}", hasher.finish()));
    }
    Some(builder.build())
}

/// Does something with the domain as soon as it is open.
fn with_api(app: &AppHandle, act: impl FnOnce(&Api) + Send + 'static) {
    let backend = app.state::<Arc<Backend>>().inner().clone();
    tauri::async_runtime::spawn(async move { act(backend.api().await) });
}

fn on_window_event(app: &AppHandle, event: &WindowEvent) {
    let Some(main) = app.get_webview_window(window::MAIN) else {
        return;
    };
    match event {
        WindowEvent::Resized(_) | WindowEvent::Moved(_) => app.state::<window::Memory>().note(&main),
        WindowEvent::CloseRequested { api, .. } => {
            app.state::<window::Memory>().write();
            if app.state::<Arc<tray::Lines>>().stays() && main.hide().is_ok() {
                api.prevent_close();
            }
        }
        WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) => {
            // Only its name goes on from here; the file is read when it is asked for.
            if let [file] = paths.as_slice()
                && file
                    .extension()
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("csv"))
            {
                let file = file.display().to_string();
                with_api(app, move |api| api.wish(Wish::KeyFile { file }));
            }
        }
        _ => {}
    }
}

fn set_up(app: &mut tauri::App, arguments: &Arguments) -> anyhow::Result<()> {
    let data_dir = match &arguments.data_dir {
        Some(dir) => dir.clone(),
        None => app.path().app_data_dir()?,
    };
    std::fs::create_dir_all(&data_dir)?;
    if let Some(logs) = logs::start(&data_dir) {
        app.manage(logs);
    }
    let (demo_region, demo_users, start_demo) = embedded::embedded(arguments.sandbox.clone());
    let places = Places {
        data_dir,
        client: ClientInfo {
            name: "desktop",
            version: env!("CARGO_PKG_VERSION"),
            platform: std::env::consts::OS,
        },
        system_language: sys_locale::get_locale().unwrap_or_default(),
        demo_region,
        demo_users,
        start_demo,
    };
    let launch = Launch {
        demo: arguments.demo || arguments.sandbox.is_some(),
        real: false,
        language: arguments.language,
        theme: arguments.theme,
    };
    let backend = Arc::new(Backend {
        places,
        launch,
        api: OnceCell::new(),
    });
    app.manage(backend.clone());
    app.manage(files::Drops::default());
    let lines = Arc::new(tray::Lines::default());
    app.manage(lines.clone());
    let handle = app.handle().clone();
    let memory = window::Memory::read(&backend.places.data_dir);
    window::open(&handle, &memory)?;
    app.manage(memory);

    let icon = tray::start(&handle);
    let link = arguments.link.clone();
    tauri::async_runtime::spawn({
        let handle = handle.clone();
        async move {
            let api = backend.api().await;
            api.show_directories_by(Arc::new(show_directory));
            let shown_by = handle.clone();
            api.show_sessions_by(Arc::new(move || sessions::show(&shown_by)));
            let asked_by = handle.clone();
            api.choose_files_by(Arc::new(move || Box::pin(choose::one_file(asked_by.clone()))));
            let printed_by = handle.clone();
            api.print_by(Arc::new(move || window::print(&printed_by)));
            tauri::async_runtime::spawn({
                let api = api.clone();
                async move { api.follow_budgets().await }
            });
            let shown_by = handle.clone();
            api.show_pages_by(Arc::new(move |address, browser| {
                console::show(&shown_by, &address, browser)
            }));
            let shown_by = handle.clone();
            api.show_main_by(Arc::new(move || window::show(&shown_by)));
            if let Some(link) = link {
                api.open_link(&link);
            }
            menu::show(&handle, api.menu_words());
            tray::follow(handle, api.clone(), lines, icon).await;
        }
    });
    // Where the system hands a link to the running program by itself (macOS).
    app.deep_link().on_open_url(move |event| {
        if cfg!(target_os = "macos") {
            for url in event.urls() {
                let link = url.to_string();
                with_api(&handle, move |api| api.open_link(&link));
            }
            window::show(&handle);
        }
    });
    Ok(())
}

/// Shows a directory in the system's file manager.
fn show_directory(dir: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    open::that_detached(dir)
}

#[cfg(test)]
mod tests {
    use tauri::ipc::Origin;

    use super::*;

    /// What a page could ask for: our own commands, and those that Tauri and the plug-ins bring along.
    const COMMANDS: [&str; 12] = [
        "call",
        "watch",
        "plugin:app|version",
        "plugin:deep-link|get_current",
        "plugin:deep-link|register",
        "plugin:event|emit",
        "plugin:event|listen",
        "plugin:path|resolve_directory",
        "plugin:resources|close",
        "plugin:webview|create_webview_window",
        "plugin:webview|print",
        "plugin:window|set_title",
    ];

    /// Which of them a page gets in that window and webview, from that origin.
    fn allowed(context: &mut tauri::Context, label: &str, origin: &Origin) -> Vec<&'static str> {
        let authority = context.runtime_authority_mut();
        COMMANDS
            .into_iter()
            .filter(|command| authority.resolve_access(command, label, label, origin).is_some())
            .collect()
    }

    #[test]
    fn our_own_page_in_the_main_window_may_ask_and_watch_and_nothing_else() {
        let mut context = context();
        assert_eq!(
            allowed(&mut context, window::MAIN, &Origin::Local),
            ["call", "watch"]
        );
    }

    #[test]
    fn a_page_in_another_window_or_of_another_origin_may_invoke_nothing() {
        let mut context = context();
        for label in ["other", "main2", "Main", "", "*", "console"] {
            assert!(allowed(&mut context, label, &Origin::Local).is_empty(), "{label}");
        }
        for url in [
            "https://example.com/",
            "http://localhost:5173/",
            "http://127.0.0.1/",
            "http://tauri.localhost.example.com/",
            "file:///tmp/index.html",
            "data:text/html,x",
            "about:blank",
        ] {
            let origin = Origin::Remote {
                url: url.parse().unwrap(),
            };
            assert!(allowed(&mut context, window::MAIN, &origin).is_empty(), "{url}");
        }
    }
}
