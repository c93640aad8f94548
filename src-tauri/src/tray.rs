//! The icon in the tray, and notifications. What they say comes from `api`; here it is drawn. A machine without a tray
//! or a daemon for notifications goes without, and its log says so.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{Api, Change, Entry, Notice, Tray, Wish};
use tauri::image::Image;
use tauri::menu::{Menu, MenuBuilder, MenuItemBuilder, SubmenuBuilder};
use tauri::tray::{MouseButton, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};

use crate::window;

const ICON: &str = "main";
/// Changes come in showers; the menu follows when one is over.
const SETTLE: Duration = Duration::from_millis(400);
/// Times of day move on by themselves.
const FOLLOW: Duration = Duration::from_secs(30);
/// How many notifications may wait for a click at a time.
const WAITING_MOST: usize = 8;
/// How many ended operations are remembered as told.
const TOLD_MOST: usize = 200;

const OPEN: &str = "tray.open";
const QUIT: &str = "tray.quit";
const WISH: &str = "tray.wish.";

/// What the menu's lines wish, by their names, and whether the icon is there.
#[derive(Default)]
pub struct Lines {
    wishes: Mutex<HashMap<String, Wish>>,
    /// The icon is there, and the window may go while the program stays.
    stays: AtomicBool,
}

impl Lines {
    /// Whether closing the window leaves the program with its icon.
    pub fn stays(&self) -> bool {
        self.stays.load(Ordering::Relaxed)
    }

    /// What a line of the menu wishes; `None` for lines of another menu.
    pub fn wish(&self, id: &str) -> Option<Wish> {
        let wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        wishes.get(id).cloned()
    }
}

/// Does what the icon's own lines say. `false`: it is none of them.
pub fn chosen(app: &AppHandle, id: &str) -> bool {
    match id {
        OPEN => window::show(app),
        QUIT => app.exit(0),
        _ => return false,
    }
    true
}

/// Puts the icon into the tray, where there is one.
pub fn start(app: &AppHandle) -> bool {
    // The library for it may be missing, which its binding tells by a panic.
    let made = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut builder = TrayIconBuilder::with_id(ICON)
            .show_menu_on_left_click(cfg!(target_os = "macos"))
            .on_tray_icon_event(|tray, event| {
                if let TrayIconEvent::Click {
                    button: MouseButton::Left,
                    ..
                } = event
                    && cfg!(not(target_os = "macos"))
                {
                    window::show(tray.app_handle());
                }
            });
        if let Some(icon) = app.default_window_icon() {
            builder = builder.icon(icon.clone());
        }
        builder.build(app)
    }));
    match made {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::info!(%error, "there is no tray for the icon");
            false
        }
        Err(_) => {
            tracing::info!("there is no library for the tray's icon");
            false
        }
    }
}

/// Keeps the icon true and tells what happens, until the program ends.
pub async fn follow(app: AppHandle, api: Api, lines: Arc<Lines>, icon: bool) {
    use tokio::sync::broadcast::error::RecvError;
    let mut changes = api.changes();
    let mut shown: Option<Tray> = None;
    let mut told = Told::default();
    loop {
        if icon {
            let tray = api.tray().await;
            lines.stays.store(tray.stays, Ordering::Relaxed);
            if shown.as_ref() != Some(&tray) {
                draw(&app, &lines, &tray);
                shown = Some(tray);
            }
        }
        // One change at least, or a while; then what comes with it.
        let first = tokio::time::timeout(FOLLOW, changes.recv()).await;
        let mut next = match first {
            Err(_) => continue,
            Ok(Err(RecvError::Closed)) => return,
            Ok(change) => change.ok(),
        };
        let over = tokio::time::Instant::now() + SETTLE;
        loop {
            if let Some(change) = next.take() {
                tell(&app, &api, &mut told, &change).await;
            }
            match tokio::time::timeout_at(over, changes.recv()).await {
                Err(_) => break,
                Ok(Err(RecvError::Closed)) => return,
                Ok(change) => next = change.ok(),
            }
        }
    }
}

/// Operations whose end was told, so that none is told twice.
#[derive(Default)]
struct Told(std::collections::VecDeque<String>);

impl Told {
    fn is_new(&mut self, change: &Change) -> bool {
        let Change::Operation { operation } = change else {
            return true;
        };
        if self.0.contains(&operation.id) {
            return false;
        }
        if operation.outcome.is_some() {
            self.0.push_back(operation.id.clone());
            if self.0.len() > TOLD_MOST {
                self.0.pop_front();
            }
        }
        true
    }
}

async fn tell(app: &AppHandle, api: &Api, told: &mut Told, change: &Change) {
    let tells = matches!(
        change,
        Change::Operation { .. } | Change::LeaseWarned { .. } | Change::BudgetReached { .. }
    );
    if !tells || !told.is_new(change) {
        return;
    }
    if let Some(notice) = api.notice(change, window::in_front(app)).await {
        notify(app.clone(), api.clone(), notice);
    }
}

/// Shows a notification, and follows it where a person clicks.
fn notify(app: AppHandle, api: Api, notice: Notice) {
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    // The daemon may take its time, and a click may never come: on a thread of its own, and not on too many.
    std::thread::spawn(move || {
        let mut notification = notify_rust::Notification::new();
        notification
            .appname("Wangcheng")
            .summary(&notice.title)
            .body(&notice.body)
            .icon("dev.wangcheng.desktop")
            .action("default", &notice.action)
            .action("follow", &notice.action);
        #[cfg(all(unix, not(target_os = "macos")))]
        if notice.urgent {
            notification.urgency(notify_rust::Urgency::Critical);
        }
        let handle = match notification.show() {
            Ok(handle) => handle,
            Err(error) => {
                tracing::info!(%error, "nothing shows notifications");
                return;
            }
        };
        if WAITING.fetch_add(1, Ordering::Relaxed) < WAITING_MOST {
            handle.wait_for_action(|action| {
                if matches!(action, "default" | "follow") {
                    window::show(&app);
                    api.wish(notice.wish);
                }
            });
        }
        WAITING.fetch_sub(1, Ordering::Relaxed);
    });
}

fn draw(app: &AppHandle, lines: &Arc<Lines>, tray: &Tray) {
    let (app, lines, tray) = (app.clone(), lines.clone(), tray.clone());
    let here = app.clone();
    // Menus belong to the thread of the window.
    let asked = app.run_on_main_thread(move || {
        if let Err(error) = draw_here(&here, &lines, &tray) {
            tracing::warn!(%error, "the tray's menu is not as it should be");
        }
    });
    if let Err(error) = asked {
        tracing::debug!(%error, "the program ends");
    }
}

fn draw_here(app: &AppHandle, lines: &Lines, tray: &Tray) -> tauri::Result<()> {
    let Some(icon) = app.tray_by_id(ICON) else {
        return Ok(());
    };
    let (menu, wishes) = menu(app, tray)?;
    *lines.wishes.lock().unwrap_or_else(PoisonError::into_inner) = wishes;
    icon.set_menu(Some(menu))?;
    icon.set_tooltip(Some(&tray.tooltip))?;
    icon.set_title(Some(&tray.title))?;
    if let Some(plain) = app.default_window_icon() {
        let image = if tray.urgent {
            marked(plain)
        } else {
            plain.clone().to_owned()
        };
        icon.set_icon(Some(image))?;
    }
    Ok(())
}

fn menu(app: &AppHandle, tray: &Tray) -> tauri::Result<(Menu<Wry>, HashMap<String, Wish>)> {
    let mut wishes = HashMap::new();
    let mut line = |entry: &Entry| {
        let id = format!("{WISH}{}", wishes.len());
        wishes.insert(id.clone(), entry.wish.clone());
        MenuItemBuilder::with_id(id, plain(&entry.text)).build(app)
    };
    let words = &tray.words;
    let mut builder = MenuBuilder::new(app);
    // Said here as well, because not every tray shows a tooltip.
    builder = builder.item(
        &MenuItemBuilder::new(plain(&tray.tooltip))
            .enabled(false)
            .build(app)?,
    );
    builder = builder.separator();
    for entry in &tray.servers {
        builder = builder.item(&line(entry)?);
    }
    if let Some(entry) = &tray.extend {
        builder = builder.separator().item(&line(entry)?);
    }
    if tray.servers.is_empty() {
        builder = builder.item(&MenuItemBuilder::new(words.none).enabled(false).build(app)?);
    }
    builder = builder.separator();
    let blank = Entry {
        text: words.create_blank.to_owned(),
        wish: Wish::Create {
            template: None,
            name: None,
            purpose: None,
            hours: None,
        },
    };
    if tray.templates.is_empty() {
        builder = builder.item(&line(&blank)?);
    } else {
        let mut templates = SubmenuBuilder::new(app, words.create);
        for entry in &tray.templates {
            templates = templates.item(&line(entry)?);
        }
        builder = builder.item(&templates.build()?);
    }
    let settings = Entry {
        text: words.settings.to_owned(),
        wish: Wish::Screen {
            screen: "settings".to_owned(),
        },
    };
    builder = builder
        .separator()
        .item(&MenuItemBuilder::with_id(OPEN, words.open).build(app)?)
        .item(&line(&settings)?)
        .separator()
        .item(&MenuItemBuilder::with_id(QUIT, words.quit).build(app)?);
    Ok((builder.build()?, wishes))
}

/// A menu reads `&` as the mark of a key.
fn plain(text: &str) -> String {
    text.replace('&', "&&")
}

/// The icon with a red dot at its corner.
fn marked(icon: &Image<'_>) -> Image<'static> {
    let (width, height) = (icon.width(), icon.height());
    let radius = f64::from(width.min(height)) * 0.22;
    let (x0, y0) = (f64::from(width) - radius - 1.0, radius + 1.0);
    let mut rgba = icon.rgba().to_vec();
    for (number, pixel) in (0_u32..).zip(rgba.chunks_exact_mut(4)) {
        let (x, y) = (f64::from(number % width.max(1)), f64::from(number / width.max(1)));
        if (x - x0).hypot(y - y0) <= radius {
            pixel.copy_from_slice(&[214, 54, 44, 255]);
        }
    }
    Image::new_owned(rgba, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_urgent_icon_has_a_dot_in_its_corner_and_is_the_same_elsewhere() {
        let icon = Image::new_owned(vec![7; 32 * 32 * 4], 32, 32);
        let marked = marked(&icon);
        let pixel = |x: usize, y: usize| marked.rgba()[(y * 32 + x) * 4..][..4].to_vec();
        assert_eq!(pixel(24, 8), [214, 54, 44, 255]);
        assert_eq!(pixel(2, 30), [7, 7, 7, 7]);
    }

    #[test]
    fn a_name_with_a_sign_of_menus_in_it_stays_that_name() {
        assert_eq!(plain("r&d-1"), "r&&d-1");
    }
}
