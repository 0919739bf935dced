//! Which drawing of the mark stands in the tray: for a dark panel or a light one, with a dot or without.
//!
//! No system tells an app how dark its panel is. GNOME's is dark in every theme; elsewhere it goes with the theme of the windows. On
//! macOS the drawing is a template, which the system colours itself.

use tauri::image::Image;
use tauri::{AppHandle, Manager, Theme, include_image};

/// Desktops whose panel is dark whatever the theme is.
const DARK_PANELS: [&str; 3] = ["GNOME", "Unity", "Pantheon"];

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drawing {
    on_dark: bool,
    /// Somebody waits for the user.
    attention: bool,
}

impl Drawing {
    /// The one for now.
    pub(crate) fn of(app: &AppHandle, attention: bool) -> Self {
        let desktops = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
        let theme = app.webview_windows().values().find_map(|window| window.theme().ok());
        Self { on_dark: !cfg!(target_os = "macos") && is_dark(&desktops, theme), attention }
    }

    /// Its picture.
    pub(crate) fn image(self) -> Image<'static> {
        match (self.on_dark, self.attention) {
            (true, false) => include_image!("src-tauri/icons/tray/on-dark.png"),
            (true, true) => include_image!("src-tauri/icons/tray/on-dark-attention.png"),
            (false, false) => include_image!("src-tauri/icons/tray/on-light.png"),
            (false, true) => include_image!("src-tauri/icons/tray/on-light-attention.png"),
        }
    }
}

/// `desktops` is what the session calls itself, several names with colons between them. Without a window the panel is taken for dark,
/// as most are.
fn is_dark(desktops: &str, theme: Option<Theme>) -> bool {
    desktops.split(':').any(|name| DARK_PANELS.contains(&name)) || theme != Some(Theme::Light)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_is_as_dark_as_the_desktop_or_the_theme_says() {
        assert!(is_dark("ubuntu:GNOME", Some(Theme::Light)));
        assert!(is_dark("KDE", Some(Theme::Dark)) && is_dark("", None));
        assert!(!is_dark("KDE", Some(Theme::Light)) && !is_dark("", Some(Theme::Light)));
    }
}
