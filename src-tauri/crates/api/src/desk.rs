//! What the desktop shows outside of the window, in the user's language: the icon's menu, notifications, and wishes that
//! come from there (or by a link) into the window. The shell only draws it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, Local, TimeDelta, Utc};
use futures::future::BoxFuture;
use secrecy::SecretString;
use wangcheng::servers::{Server, ServerState};
use wangcheng::{Code, Failure, Result};

use crate::diagnostics::{self, Bundle, Folder};
use crate::host::Api;
use crate::links::{self, Wish, Wished};
use crate::session_keys::Keys;
use crate::views::Change;
use crate::words::Tongue;

mod notices;

use notices::notice_of;

/// Most wishes that wait for a page; a page that never asks must not fill memory.
const WISHES_MOST: usize = 8;
/// Most servers that the icon's menu lists.
const SERVERS_MOST: usize = 12;
/// Most templates that it lists.
const TEMPLATES_MOST: usize = 12;
/// Longest name in a menu or a notification, in characters.
const NAME_MOST: usize = 48;

/// Shows a directory in the system's file manager.
pub type ShowDirectory = Arc<dyn Fn(&Path) -> std::io::Result<()> + Send + Sync>;

/// Opens the window of sessions, or brings it to the front.
pub type ShowSessions = Arc<dyn Fn() + Send + Sync>;

/// Asks a person for one file in the system's own dialog; nothing when they changed their mind.
pub type ChooseFile = Arc<dyn Fn() -> BoxFuture<'static, Option<PathBuf>> + Send + Sync>;

/// Opens the system's dialog that prints what the window shows.
pub type Print = Arc<dyn Fn() -> std::result::Result<(), String> + Send + Sync>;

/// Shows the provider's page for a server's screen: in a window that can do nothing, or in the system's browser. The address
/// has a token.
pub type ShowPage = Arc<dyn Fn(SecretString, bool) -> std::io::Result<()> + Send + Sync>;

/// Brings the main window to the front.
pub type ShowMain = Arc<dyn Fn() + Send + Sync>;

/// What waits for the page, and what the desktop can do.
#[derive(Default)]
pub(crate) struct Desk {
    wishes: Mutex<VecDeque<Wished>>,
    show: OnceLock<ShowDirectory>,
    show_sessions: OnceLock<ShowSessions>,
    pub(crate) choose_file: OnceLock<ChooseFile>,
    pub(crate) print: OnceLock<Print>,
    show_page: OnceLock<ShowPage>,
    show_main: OnceLock<ShowMain>,
    pub(crate) keys: Keys,
}

/// The icon in the tray, and its menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tray {
    /// One line: how many servers, and when the next one ends.
    pub tooltip: String,
    /// Beside the icon, where there is room for text: the number of servers; empty when there are none.
    pub title: String,
    /// A lease ends within half an hour.
    pub urgent: bool,
    /// The user's own servers, the one that ends first on top.
    pub servers: Vec<Entry>,
    /// Templates to make a server from.
    pub templates: Vec<Entry>,
    /// Extends the lease that ends first.
    pub extend: Option<Entry>,
    /// The menu's other words.
    pub words: TrayWords,
    /// The icon stays when the window is closed.
    pub stays: bool,
}

/// One line of a menu, and what it wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its text.
    pub text: String,
    /// What it wishes.
    pub wish: Wish,
}

/// Words of the icon's menu.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each names the line that it stands in")]
pub struct TrayWords {
    pub open: &'static str,
    pub none: &'static str,
    pub create: &'static str,
    pub create_blank: &'static str,
    pub settings: &'static str,
    pub quit: &'static str,
}

/// Words of the application's menu, where the system has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each names the line or the menu that it stands in")]
pub struct MenuWords {
    pub about: &'static str,
    pub settings: &'static str,
    pub file: &'static str,
    pub new_server: &'static str,
    pub edit: &'static str,
    pub view: &'static str,
    pub refresh: &'static str,
    pub palette: &'static str,
    pub window: &'static str,
    pub help: &'static str,
    pub shortcuts: &'static str,
}

/// Something that the system is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// First line. Names stand here only, because a body may be read as markup.
    pub title: String,
    /// More.
    pub body: String,
    /// What the button says.
    pub action: String,
    /// Where button and notification lead.
    pub wish: Wish,
    /// It must not be missed.
    pub urgent: bool,
}

impl Api {
    /// How the window of sessions is shown. Once; without it, a session is opened all the same.
    pub fn show_sessions_by(&self, show: ShowSessions) {
        // Set once, by the shell.
        let _ = self.desk().show_sessions.set(show);
    }

    /// How the provider's page is shown. Once; without it, it cannot be.
    pub fn show_pages_by(&self, show: ShowPage) {
        let _ = self.desk().show_page.set(show);
    }

    /// How the main window comes to the front. Once.
    pub fn show_main_by(&self, show: ShowMain) {
        let _ = self.desk().show_main.set(show);
    }

    pub(crate) fn show_page(&self, address: SecretString, browser: bool) -> Result<()> {
        let show = self.desk().show_page.get().ok_or(Code::PageNotShown)?;
        show(address, browser).map_err(|error| Failure::new(Code::PageNotShown).saying(error))
    }

    /// Wishes something of the main window's page, and brings that to the front.
    pub(crate) fn wish_in_front(&self, wish: Wish) {
        self.wish(wish);
        if let Some(show) = self.desk().show_main.get() {
            show();
        }
    }

    pub(crate) fn show_sessions(&self) {
        if let Some(show) = self.desk().show_sessions.get() {
            show();
        }
    }

    /// How the system is asked to show a directory. Once; without it, it cannot be.
    pub fn show_directories_by(&self, show: ShowDirectory) {
        let _ = self.desk().show.set(show);
    }

    /// Wishes something of the page, which takes it as soon as it can.
    pub fn wish(&self, wish: Wish) {
        self.push(Wished { wish, outside: false });
    }

    /// Takes a link from outside.
    pub fn open_link(&self, link: &str) {
        let wish = links::read(link);
        tracing::info!(read = wish != Wish::Unreadable, "a link was opened");
        self.push(Wished { wish, outside: true });
    }

    fn push(&self, wished: Wished) {
        {
            let mut wishes = self.desk().wishes.lock().unwrap_or_else(PoisonError::into_inner);
            if wishes.len() >= WISHES_MOST {
                wishes.pop_front();
            }
            wishes.push_back(wished);
        }
        self.tell(Change::Wished);
    }

    /// What was wished since it was asked last.
    pub(crate) fn take_wishes(&self) -> Vec<Wished> {
        let mut wishes = self.desk().wishes.lock().unwrap_or_else(PoisonError::into_inner);
        wishes.drain(..).collect()
    }

    pub(crate) async fn show_folder(&self, folder: Folder) -> Result<()> {
        let dir = self.domain().await?.data_dir().to_owned();
        let dir = match folder {
            Folder::Data => dir,
            Folder::Downloads => crate::export::downloads(),
            Folder::Diagnostics => dir.join(diagnostics::DIRECTORY),
        };
        let show = self.desk().show.get().cloned().ok_or(Code::FolderNotShown)?;
        let shown = tokio::task::spawn_blocking(move || show(&dir)).await;
        match shown {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::new(Code::FolderNotShown).saying(error)),
            Err(error) => Err(Failure::new(Code::Internal).saying(error)),
        }
    }

    pub(crate) async fn diagnostics(&self) -> Result<Bundle> {
        let domain = self.domain().await?;
        let info = self.info().await?;
        let about = serde_json::json!({
            "program": "wangcheng",
            "version": info.version,
            "platform": info.platform,
            "architecture": std::env::consts::ARCH,
            "installationId": info.installation_id,
            "demo": info.demo_active,
            "notice": info.notice.map(|notice| notice.code),
        });
        diagnostics::write(&domain, about, self.root_dir().join("logs")).await
    }

    /// The words of the application's menu.
    pub fn menu_words(&self) -> MenuWords {
        let (zh, en) = (
            MenuWords {
                about: "关于网程",
                settings: "设置…",
                file: "文件",
                new_server: "新建云服务器",
                edit: "编辑",
                view: "显示",
                refresh: "刷新",
                palette: "命令面板…",
                window: "窗口",
                help: "帮助",
                shortcuts: "键盘快捷键",
            },
            MenuWords {
                about: "About Wangcheng",
                settings: "Settings…",
                file: "File",
                new_server: "New Server",
                edit: "Edit",
                view: "View",
                refresh: "Refresh",
                palette: "Command Palette…",
                window: "Window",
                help: "Help",
                shortcuts: "Keyboard Shortcuts",
            },
        );
        match self.tongue() {
            Tongue::Chinese => zh,
            Tongue::English => en,
        }
    }

    /// Whether the program stays, with its icon, when its window is closed.
    pub async fn stays_in_tray(&self) -> bool {
        self.settings().await.is_ok_and(|settings| settings.stay_in_tray)
    }

    /// What the icon shows now.
    pub async fn tray(&self) -> Tray {
        let tongue = self.tongue();
        let now = Utc::now();
        let domain = self.domain().await;
        let (mut servers, mut templates) = (Vec::new(), Vec::new());
        if let Ok(domain) = &domain {
            servers = domain
                .servers()
                .await
                .map(|list| list.servers)
                .unwrap_or_default();
            // Without an account there is nothing to make a server in.
            let signed_in = domain.accounts().await.is_ok_and(|all| all.active.is_some());
            if signed_in {
                templates = domain.templates().await.unwrap_or_default();
            }
        }
        servers.retain(|server| server.own && server.state != ServerState::Deleting);
        let templates = templates.into_iter().take(TEMPLATES_MOST).map(|template| Entry {
            text: shown(match tongue {
                Tongue::Chinese => &template.name_zh,
                Tongue::English => &template.name_en,
            }),
            wish: Wish::Create {
                template: Some(template.id),
                name: None,
                purpose: None,
                hours: None,
            },
        });
        Tray {
            stays: self.stays_in_tray().await,
            templates: templates.collect(),
            ..tray_of(servers, tongue, now)
        }
    }

    /// What the system is to tell about a change, if anything. `in_front`: the person looks at the window, which tells
    /// it itself.
    pub async fn notice(&self, change: &Change, in_front: bool) -> Option<Notice> {
        if in_front {
            return None;
        }
        let settings = self.settings().await.ok()?;
        notice_of(
            change,
            self.tongue(),
            &settings.warn_minutes,
            settings.tell_operations,
        )
    }
}

fn tray_of(mut servers: Vec<Server>, tongue: Tongue, now: DateTime<Utc>) -> Tray {
    // Those without an end last.
    servers.sort_by_key(|server| (server.lease_end.is_none(), server.lease_end));
    let next = servers.iter().find(|server| server.lease_end.is_some());
    let count = servers.len();
    let until = |end: DateTime<Utc>| until(end, now, tongue);
    let tooltip = match (tongue, next.and_then(|server| server.lease_end)) {
        (Tongue::Chinese, None) => format!("网程：{count} 台云服务器"),
        (Tongue::English, None) => format!("Wangcheng: {}", servers_en(count)),
        (Tongue::Chinese, Some(end)) => format!("网程：{count} 台云服务器，最早 {} 到期", until(end)),
        (Tongue::English, Some(end)) => {
            format!("Wangcheng: {}, the next ends {}", servers_en(count), until(end))
        }
    };
    let urgent = next
        .and_then(|server| server.lease_end)
        .is_some_and(|end| end - now < TimeDelta::minutes(30));
    let extend = next.map(|server| Entry {
        text: match tongue {
            Tongue::Chinese => format!("延长“{}”的租期…", shown(&server.name)),
            Tongue::English => format!("Extend “{}”…", shown(&server.name)),
        },
        wish: Wish::Extend {
            server: server.id.clone(),
        },
    });
    let entries = servers.iter().take(SERVERS_MOST).map(|server| Entry {
        text: match (tongue, server.lease_end) {
            (_, Some(end)) => format!("{} · {}", shown(&server.name), until(end)),
            (Tongue::Chinese, None) => format!("{} · 无租期", shown(&server.name)),
            (Tongue::English, None) => format!("{} · no lease", shown(&server.name)),
        },
        wish: Wish::Server {
            server: server.id.clone(),
        },
    });
    Tray {
        tooltip,
        title: Some(count.to_string()).filter(|_| count > 0).unwrap_or_default(),
        urgent,
        servers: entries.collect(),
        templates: Vec::new(),
        extend,
        words: match tongue {
            Tongue::Chinese => TrayWords {
                open: "打开网程",
                none: "没有云服务器",
                create: "从模板新建",
                create_blank: "新建云服务器…",
                settings: "设置",
                quit: "退出",
            },
            Tongue::English => TrayWords {
                open: "Open Wangcheng",
                none: "No servers",
                create: "Create from Template",
                create_blank: "New Server…",
                settings: "Settings",
                quit: "Quit",
            },
        },
        stays: false,
    }
}

fn servers_en(count: usize) -> String {
    if count == 1 {
        "1 server".to_owned()
    } else {
        format!("{count} servers")
    }
}

/// The end as a person reads it at a glance: the time of day where it is near, else the day.
fn until(end: DateTime<Utc>, now: DateTime<Utc>, tongue: Tongue) -> String {
    let here = end.with_timezone(&Local);
    if here.date_naive() == now.with_timezone(&Local).date_naive() {
        return here.format("%H:%M").to_string();
    }
    match tongue {
        Tongue::Chinese => here.format("%-m月%-d日 %H:%M").to_string(),
        Tongue::English => here.format("%b %-d, %H:%M").to_string(),
    }
}

/// A name from outside, on one line: nothing invisible, nothing that turns writing round, and not longer than a menu is
/// wide.
fn shown(name: &str) -> String {
    let hidden = |c: &char| {
        c.is_control()
            || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let clean: String = name.chars().filter(|c| !hidden(c)).collect();
    if clean.chars().count() <= NAME_MOST {
        return clean;
    }
    let short: String = clean.chars().take(NAME_MOST - 1).collect();
    format!("{short}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn server(id: &str, name: &str, own: bool, end: Option<&str>) -> Server {
        serde_json::from_value(json!({
            "id": id, "name": name, "state": "running", "fault": null, "own": own, "owner": null, "purpose": null,
            "flavor": "s6.large.2", "vcpus": 2, "ramMb": 4096, "image": null, "os": null, "zone": null,
            "addresses": [], "diskCount": 1, "created": null, "leaseEnd": end,
        }))
        .unwrap()
    }

    #[test]
    fn the_icon_counts_servers_and_names_the_next_end_first() {
        let now: DateTime<Utc> = "2025-11-24T06:00:00Z".parse().unwrap();
        let servers = vec![
            server("1", "never", true, None),
            server("2", "later", true, Some("2025-11-27T06:00:00Z")),
            server("3", "soon", true, Some("2025-11-24T06:20:00Z")),
        ];
        let tray = tray_of(servers, Tongue::English, now);
        assert!(
            tray.tooltip.starts_with("Wangcheng: 3 servers, the next ends "),
            "{}",
            tray.tooltip
        );
        assert_eq!(tray.title, "3");
        assert!(tray.urgent);
        let names: Vec<_> = tray
            .servers
            .iter()
            .map(|entry| entry.text.split(' ').next().unwrap())
            .collect();
        assert_eq!(names, ["soon", "later", "never"]);
        let extend = tray.extend.unwrap();
        assert_eq!(extend.text, "Extend “soon”…");
        assert_eq!(
            extend.wish,
            Wish::Extend {
                server: "3".to_owned()
            }
        );
        let none = tray_of(Vec::new(), Tongue::Chinese, now);
        assert_eq!(
            (none.tooltip.as_str(), none.title.as_str()),
            ("网程：0 台云服务器", "")
        );
        assert!(none.extend.is_none() && !none.urgent);
    }

    #[test]
    fn a_name_from_outside_stays_one_short_line() {
        assert_eq!(shown("a\u{202e}b\nc"), "abc");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), NAME_MOST);
    }
}
