//! What a user is told when the app cannot start: in a box on the screen, and on stderr for whoever started it in a terminal.

use std::process::ExitCode;

use tauri_plugin_dialog::{DialogExt, MessageDialogKind};

/// Writes a line for the terminal.
#[expect(clippy::print_stderr, reason = "there is no window yet, and perhaps no debug log")]
pub(crate) fn tell(message: &str) {
    eprintln!("outrigger-desktop: {message}");
}

/// Shows why the app cannot start, waits until it was read, and gives the exit code.
pub(crate) fn show(message: &str) -> ExitCode {
    tell(message);
    tracing::error!("{message}");
    let shown = message.to_owned();
    let app = tauri::Builder::default().plugin(tauri_plugin_dialog::init()).setup(move |app| {
        let handle = app.handle().clone();
        let ask = app.dialog().message(shown).title("Outrigger cannot start").kind(MessageDialogKind::Error);
        ask.show(move |_| handle.exit(1));
        Ok(())
    });
    // Without a display there is no box either; the line above is all that can be done.
    if let Ok(app) = app.build(tauri::generate_context!()) {
        app.run_return(|_, event| {
            if let tauri::RunEvent::ExitRequested { api, code: None, .. } = event {
                api.prevent_exit();
            }
        });
    }
    ExitCode::FAILURE
}
