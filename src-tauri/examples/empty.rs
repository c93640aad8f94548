//! An empty Tauri window, which is what the window's start and memory are measured against: the same configuration and
//! engine, one line of text, and nothing behind it.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use tauri::{WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    let mut context = tauri::generate_context!();
    context.set_assets(Box::new(Page));
    tauri::Builder::default()
        .setup(|app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .inner_size(1280.0, 820.0)
                .build()?;
            Ok(())
        })
        .run(context)
}

/// One page that has been there all along.
struct Page;

const HTML: &[u8] = b"<!doctype html><html><head><title>empty</title></head><body><p>Empty</p></body></html>";

impl<R: tauri::Runtime> tauri::Assets<R> for Page {
    fn get(&self, _key: &tauri::utils::assets::AssetKey) -> Option<std::borrow::Cow<'_, [u8]>> {
        Some(HTML.into())
    }

    fn iter(&self) -> Box<tauri::utils::assets::AssetsIter<'_>> {
        Box::new(std::iter::empty())
    }

    fn csp_hashes(
        &self,
        _html_path: &tauri::utils::assets::AssetKey,
    ) -> Box<dyn Iterator<Item = tauri::utils::assets::CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}
