//! Wangcheng's window. It holds no rule of the product: it opens a window, hands each request to crate `api` and each
//! change back.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod logs;

use std::path::PathBuf;
use std::sync::Arc;

use api::{Api, Change, Launch, Places, WireError};
use clap::Parser;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{Manager, State, WebviewUrl, WebviewWindowBuilder};
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

/// Every change from now on, until the page is gone.
#[tauri::command]
async fn watch(backend: State<'_, Arc<Backend>>, channel: Channel<Change>) -> Result<(), WireError> {
    use tokio::sync::broadcast::error::RecvError;
    let mut changes = backend.api().await.changes();
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
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![call, watch])
        .setup(move |app| Ok(set_up(app, &arguments)?))
        .build(tauri::generate_context!())?;
    app.run(|app, event| {
        if let tauri::RunEvent::Exit = event {
            let backend = app.state::<Arc<Backend>>().inner().clone();
            tauri::async_runtime::block_on(async move {
                if let Some(api) = backend.api.get() {
                    api.stop().await;
                }
            });
        }
    });
    Ok(())
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
    tauri::async_runtime::spawn(async move {
        backend.api().await;
    });
    WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
        .title("网程 Wangcheng")
        .inner_size(1280.0, 820.0)
        .min_inner_size(720.0, 520.0)
        // Only our own pages: nothing that a page says can lead this window anywhere else.
        .on_navigation(|url| {
            url.scheme() == "tauri"
                || url.host_str() == Some("tauri.localhost")
                || (cfg!(not(feature = "custom-protocol")) && url.host_str() == Some("localhost"))
        })
        .build()?;
    Ok(())
}
