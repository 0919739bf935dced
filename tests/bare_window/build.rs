//! Embeds the page, as every Tauri app does.

fn main() {
    tauri_build::build();
}
