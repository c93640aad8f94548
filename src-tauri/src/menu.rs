//! The application's menu. Only a Mac has one that every program is expected to fill; elsewhere the command palette and
//! the list of shortcuts do its work, as in other programs of today. Lines name actions of the interface's own list, so
//! that there is no second one to keep.

use api::{MenuWords, Wish};
use tauri::AppHandle;
use tauri::menu::{Menu, MenuBuilder, MenuItem, MenuItemBuilder, SubmenuBuilder};

const ACTION: &str = "menu.action.";

/// What a line of the menu wishes; `None` for lines of another menu.
pub fn wish(id: &str) -> Option<Wish> {
    let action = id.strip_prefix(ACTION)?.to_owned();
    Some(Wish::Action { action })
}

/// Puts the menu up, where the system has a place for it.
pub fn show(app: &AppHandle, words: MenuWords) {
    if cfg!(not(target_os = "macos")) {
        return;
    }
    let shown = build(app, words).and_then(|menu| app.set_menu(menu));
    if let Err(error) = shown {
        tracing::warn!(%error, "the application's menu is not as it should be");
    }
}

fn build(app: &AppHandle, words: MenuWords) -> tauri::Result<Menu<tauri::Wry>> {
    let line = |text: &str, action: &str, keys: Option<&str>| -> tauri::Result<MenuItem<tauri::Wry>> {
        let mut item = MenuItemBuilder::with_id(format!("{ACTION}{action}"), text);
        if let Some(keys) = keys {
            item = item.accelerator(keys);
        }
        item.build(app)
    };
    let program = SubmenuBuilder::new(app, "Wangcheng")
        .about_with_text(words.about, None)
        .separator()
        .item(&line(words.settings, "go.settings", Some("Cmd+,"))?)
        .separator()
        .services()
        .separator()
        .hide()
        .hide_others()
        .show_all()
        .separator()
        .quit()
        .build()?;
    let file = SubmenuBuilder::new(app, words.file)
        .item(&line(words.new_server, "go.create", Some("Cmd+N"))?)
        .separator()
        .close_window()
        .build()?;
    let edit = SubmenuBuilder::new(app, words.edit)
        .undo()
        .redo()
        .separator()
        .cut()
        .copy()
        .paste()
        .select_all()
        .build()?;
    let view = SubmenuBuilder::new(app, words.view)
        .item(&line(words.refresh, "refresh", Some("Cmd+R"))?)
        .item(&line(words.palette, "palette", Some("Cmd+K"))?)
        .separator()
        .fullscreen()
        .build()?;
    let window = SubmenuBuilder::new(app, words.window)
        .minimize()
        .maximize()
        .build()?;
    let help = SubmenuBuilder::new(app, words.help)
        .item(&line(words.shortcuts, "shortcuts", None)?)
        .build()?;
    MenuBuilder::new(app)
        .items(&[&program, &file, &edit, &view, &window, &help])
        .build()
}
