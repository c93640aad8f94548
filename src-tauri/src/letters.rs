//! Letters as large as the person's system wants them. WebKitGTK alone has to be told; the other webviews ask for it.

use tauri::WebviewWindow;

#[cfg(target_os = "linux")]
pub fn follow_the_system(window: &WebviewWindow) {
    use gtk::glib::object::ObjectExt;
    use gtk::prelude::GtkSettingsExt;
    use webkit2gtk::{Settings, SettingsExt, WebView, WebViewExt};

    /// What pages call the usual size: 16 pixels, where nobody wants another one.
    const POINTS: u32 = 12;
    let fit = |view: &WebView| {
        if let Some(settings) = WebViewExt::settings(view) {
            settings.set_default_font_size(Settings::font_size_to_pixels(POINTS));
        }
    };
    let told = window.with_webview(move |webview| {
        let view = webview.inner();
        fit(&view);
        let view = view.downgrade();
        if let Some(system) = gtk::Settings::default() {
            system.connect_gtk_xft_dpi_notify(move |_| {
                if let Some(view) = view.upgrade() {
                    fit(&view);
                }
            });
        }
    });
    if let Err(error) = told {
        tracing::info!(%error, "the size of the letters stays the usual one");
    }
}

#[cfg(not(target_os = "linux"))]
pub fn follow_the_system(_window: &WebviewWindow) {}
