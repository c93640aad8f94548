//! The one window: where it was, and how it comes back to the front.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tauri::{
    AppHandle, LogicalPosition, LogicalSize, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
};

/// Its name, which its capability is for.
pub const MAIN: &str = "main";
const FILE: &str = "window.json";
const WIDTH: f64 = 1280.0;
const HEIGHT: f64 = 820.0;
const LEAST_WIDTH: f64 = 720.0;
const LEAST_HEIGHT: f64 = 520.0;
/// As much of the title's bar has to be on a screen for a hand to reach it.
const REACHABLE: f64 = 80.0;

/// Opens the system's dialog that prints what the window shows.
pub fn print(app: &AppHandle) -> Result<(), String> {
    let window = app.get_webview_window(MAIN).ok_or("the window is gone")?;
    window.print().map_err(|error| error.to_string())
}

/// Where the window was, in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    maximized: bool,
}

/// A screen, in the same pixels.
#[derive(Debug, Clone, Copy)]
struct Screen {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Place {
    /// The same, if a hand can reach it there. A file may hold anything, and a screen may be gone.
    fn reachable(self, screens: &[Screen]) -> Option<Self> {
        let sane = [self.x, self.y, self.width, self.height]
            .iter()
            .all(|value| value.is_finite() && value.abs() < 100_000.0);
        let big_enough = self.width >= LEAST_WIDTH && self.height >= LEAST_HEIGHT;
        let reached = screens.iter().any(|screen| {
            self.x + self.width > screen.x + REACHABLE
                && self.x < screen.x + screen.width - REACHABLE
                && self.y >= screen.y - 1.0
                && self.y < screen.y + screen.height - REACHABLE
        });
        (sane && big_enough && reached).then_some(self)
    }
}

/// Remembers where the window is, until it is written.
pub struct Memory {
    file: PathBuf,
    place: Mutex<Option<Place>>,
}

impl Memory {
    /// What the last run left in that directory.
    pub fn read(dir: &Path) -> Self {
        let file = dir.join(FILE);
        let place = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        Self {
            file,
            place: Mutex::new(place),
        }
    }

    fn place(&self) -> Option<Place> {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where the window is now. A maximized one keeps the place that it goes back to.
    pub fn note(&self, window: &WebviewWindow) {
        let Some(now) = placed(window) else { return };
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(match (*place, now.maximized) {
            (Some(before), true) => Place {
                maximized: true,
                ..before
            },
            _ => now,
        });
    }

    /// Writes it for the next start. It is a convenience: what cannot be written is only said in the log.
    pub fn write(&self) {
        let Some(place) = self.place() else { return };
        let written = serde_json::to_string(&place)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(&self.file, text));
        if let Err(error) = written {
            tracing::warn!(%error, "the window's place is not kept");
        }
    }
}

fn placed(window: &WebviewWindow) -> Option<Place> {
    if window.is_minimized().ok()? {
        return None;
    }
    let scale = window.scale_factor().ok()?;
    let position = window.outer_position().ok()?.to_logical::<f64>(scale);
    let size = window.inner_size().ok()?.to_logical::<f64>(scale);
    Some(Place {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
        maximized: window.is_maximized().ok()?,
    })
}

/// Opens the window where it was.
pub fn open(app: &AppHandle, memory: &Memory) -> anyhow::Result<()> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("网程 Wangcheng")
        .inner_size(WIDTH, HEIGHT)
        .min_inner_size(LEAST_WIDTH, LEAST_HEIGHT)
        .on_navigation(is_ours)
        .build()
        .context("the window cannot be opened")?;
    let screens: Vec<Screen> = window
        .available_monitors()
        .unwrap_or_default()
        .iter()
        .map(|monitor| {
            let scale = monitor.scale_factor();
            let position = monitor.position().to_logical::<f64>(scale);
            let size = monitor.size().to_logical::<f64>(scale);
            Screen {
                x: position.x,
                y: position.y,
                width: size.width,
                height: size.height,
            }
        })
        .collect();
    if let Some(place) = memory.place().and_then(|place| place.reachable(&screens)) {
        // A window manager may have its own mind; then it is where that puts it.
        let _ = window.set_size(LogicalSize::new(place.width, place.height));
        let _ = window.set_position(LogicalPosition::new(place.x, place.y));
        if place.maximized {
            let _ = window.maximize();
        }
    }
    Ok(())
}

/// Only our own pages: nothing that a page says can lead a window anywhere else.
pub fn is_ours(url: &tauri::Url) -> bool {
    url.scheme() == "tauri"
        || url.host_str() == Some("tauri.localhost")
        || (cfg!(not(feature = "custom-protocol")) && url.host_str() == Some("localhost"))
}

/// Brings the window to the front.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    for done in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = done {
            tracing::info!(%error, "the window does not come to the front");
        }
    }
}

/// Whether the person looks at it.
pub fn in_front(app: &AppHandle) -> bool {
    app.get_webview_window(MAIN).is_some_and(|window| {
        window.is_visible().unwrap_or(false)
            && !window.is_minimized().unwrap_or(false)
            && window.is_focused().unwrap_or(false)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREENS: [Screen; 2] = [
        Screen {
            x: 0.0,
            y: 0.0,
            width: 1920.0,
            height: 1080.0,
        },
        Screen {
            x: -1280.0,
            y: 0.0,
            width: 1280.0,
            height: 1024.0,
        },
    ];

    fn at(x: f64, y: f64) -> Place {
        Place {
            x,
            y,
            width: 1280.0,
            height: 820.0,
            maximized: false,
        }
    }

    #[test]
    fn a_window_comes_back_where_a_hand_can_reach_it_and_nowhere_else() {
        for (x, y) in [(0.0, 0.0), (-1200.0, 10.0), (1800.0, 900.0)] {
            assert!(at(x, y).reachable(&SCREENS).is_some(), "{x} {y}");
        }
        for (x, y) in [
            (1900.0, 0.0),
            (3000.0, 0.0),
            (0.0, -50.0),
            (0.0, 1060.0),
            (f64::NAN, 0.0),
        ] {
            assert!(at(x, y).reachable(&SCREENS).is_none(), "{x} {y}");
        }
        let tiny = Place {
            width: 10.0,
            ..at(0.0, 0.0)
        };
        assert!(tiny.reachable(&SCREENS).is_none());
        assert!(
            at(0.0, 0.0).reachable(&[]).is_none(),
            "without a screen nothing is reached"
        );
    }

    #[test]
    fn a_file_with_anything_else_in_it_is_no_place() {
        let dir = std::env::temp_dir().join(format!("wangcheng-window-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for text in ["", "null", "{\"x\":1}", "[]"] {
            std::fs::write(dir.join(FILE), text).unwrap();
            assert!(Memory::read(&dir).place().is_none(), "{text}");
        }
        let text = serde_json::to_string(&at(1.0, 2.0)).unwrap();
        std::fs::write(dir.join(FILE), text).unwrap();
        assert_eq!(Memory::read(&dir).place(), Some(at(1.0, 2.0)));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
