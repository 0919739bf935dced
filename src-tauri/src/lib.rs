//! The desktop: windows, tray, and the commands that their pages call.
//!
//! Responsible for putting these together and for nothing else: what agents are and do is known to `client` and the crates
//! below it. Nothing is kept here that a restart would lose; agents live in processes of their own and outlive this one.

mod archive_feed;
mod at_login;
mod commands;
mod first_page;
mod frames;
mod going;
mod graphics;
mod item_words;
mod last_window;
mod live_feed;
mod muted;
mod news;
mod notification_area;
mod notifications;
mod open_transcripts;
mod page_begin;
mod page_feeds;
mod page_loss;
mod page_orders;
mod pod_moments;
mod pod_trees;
mod quit;
mod requests;
mod session_access;
mod sidecar_feed;
mod startup_failure;
mod stop_all;
mod tally;
mod theme;
mod tray;
mod tray_drawing;
mod tray_menu;
mod updates;
mod window_place;
mod window_set;
mod windows;
mod workspace;

use std::process::ExitCode;

use client::Machine;
use discovery::Places;
use tauri::async_runtime::JoinHandle;
use tauri::{Builder, Manager, RunEvent, Wry};
use tokio::sync::watch;

use crate::first_page::FirstPage;
use crate::going::LinkDialog;
use crate::last_window::Staying;
use crate::muted::Muted;
use crate::open_transcripts::OpenTranscripts;
use crate::page_feeds::PageFeeds;
use crate::page_orders::PageOrders;
use crate::tray::TrayShown;
use crate::updates::Updates;
use crate::window_set::WindowSet;
use crate::windows::StartedHidden;
use crate::workspace::Workspace;

/// All sessions of the machine, as they are now.
type Sessions = watch::Receiver<Vec<protocol::session::SessionSummary>>;

/// The user's settings, as they are now.
type UserSettings = watch::Receiver<protocol::settings::SettingsView>;

/// Runs the app until its last window is closed or somebody quits it. Agents go on without it.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(answer) = workspace::answer_to_arguments() {
        return answer;
    }
    graphics::prepare();
    match Places::find() {
        Ok(places) => run(&places),
        Err(error) => startup_failure::show(&error.to_string()),
    }
}

fn run(places: &Places) -> ExitCode {
    // Without a debug log the app goes on; whoever started it in a terminal sees why.
    let _log = debuglog::start(&places.logs, "desktop").inspect_err(|error| startup_failure::tell(&error.to_string()));
    let mut context = tauri::generate_context!();
    let resources = tauri::utils::platform::resource_dir(context.package_info(), &tauri::Env::default()).ok();
    let machine = match Machine::find(resources.into_iter().collect()) {
        Ok(machine) => machine,
        Err(error) => return startup_failure::show(&error.message),
    };
    // Read while GTK and the web view start, which takes longer.
    let watched = Watched::start(&machine);
    let can_update = updates::prepare(&mut context);
    let mut app = builder(places);
    if can_update {
        app = app.plugin(tauri_plugin_updater::Builder::new().build());
    }
    let app = app.setup(move |app| {
        set_up(app, machine, watched, can_update)?;
        Ok(())
    });
    match app.build(context) {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(on_run_event)).unwrap_or(1)),
        Err(error) => {
            let message = format!("the window could not be opened: {error}");
            tracing::error!("{message}");
            startup_failure::tell(&message);
            ExitCode::FAILURE
        }
    }
}

fn builder(places: &Places) -> Builder<Wry> {
    let single = tauri_plugin_single_instance::Builder::new()
        .dbus_id(windows::instance_name(places))
        .callback(|app, arguments, folder| going::for_second_launch(app, &arguments, &folder))
        .build();
    // The single instance comes first: a second launch must end before anything else is set up.
    let builder = Builder::default()
        .plugin(single)
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .invoke_handler(commands::handler());
    #[cfg(not(target_os = "linux"))]
    let builder = builder.plugin(tauri_plugin_autostart::Builder::new().arg(at_login::HIDDEN).build());
    page_loss::watch_all(builder)
}

/// What is followed from the start on.
struct Watched {
    sessions: Sessions,
    settings: JoinHandle<UserSettings>,
}

impl Watched {
    /// Begins, in the background.
    fn start(machine: &Machine) -> Self {
        let (for_sessions, for_settings) = (machine.clone(), machine.clone());
        // The watches need the runtime around them when they start.
        let sessions = tauri::async_runtime::block_on(async { client::watch::sessions(for_sessions) });
        let settings = tauri::async_runtime::spawn(async move { client::settings::watch(for_settings) });
        Self { sessions, settings }
    }
}

fn set_up(app: &mut tauri::App, machine: Machine, watched: Watched, can_update: bool) -> anyhow::Result<()> {
    let sessions = watched.sessions;
    app.manage::<UserSettings>(tauri::async_runtime::block_on(watched.settings)?);
    app.manage(OpenTranscripts::default());
    app.manage(PageOrders::default());
    app.manage(page_begin::Documents::default());
    app.manage(LinkDialog::default());
    app.manage(TrayShown::default());
    app.manage(FirstPage::default());
    app.manage(Staying::default());
    app.manage(StartedHidden::default());
    app.manage(WindowSet::read(&machine.places.data));
    app.manage(Muted::read(&machine.places.data));
    let requests = requests::watch(machine.clone(), sessions.clone());
    app.manage(requests.clone());
    app.manage(PageFeeds::default());
    app.manage(quit::Quitting::default());
    app.manage(client::workspace_files::WorkspaceFiles::default());
    app.manage(sessions.clone());
    app.manage(machine.clone());
    let to_archive = sessions.clone();
    first_page::then(app.handle(), move |_| archive_feed::start(machine, to_archive));
    app.manage(Updates::start(app.handle(), can_update));
    open_windows_and_tray(app.handle(), sessions.clone())?;
    keep_windows_written(app.handle().clone());
    notifications::start(app.handle(), sessions, requests);
    let settings = app.state::<UserSettings>().inner().clone();
    theme::keep(app.handle(), settings.clone());
    at_login::keep(app.handle(), settings);
    follow_links(app.handle());
    Ok(())
}

/// The windows of last time come first, since somebody waits for them. None comes where the app is started to be in the tray, unless
/// there is no tray to find it in.
fn open_windows_and_tray(app: &tauri::AppHandle, sessions: Sessions) -> tauri::Result<()> {
    let open = || {
        let restores = app.state::<Machine>().settings().restores_windows;
        windows::open_all_again(app, &Workspace::of_first_launch(app), restores)
    };
    if std::env::args_os().nth(1).is_none_or(|argument| argument != at_login::HIDDEN) {
        open()?;
        first_page::then(app, move |app| {
            let tray = app.clone();
            // It can be drawn nowhere else. It fails when the app has ended.
            let _ = app.run_on_main_thread(move || tray::show(&tray, sessions));
        });
        return Ok(());
    }
    tray::show(app, sessions);
    if app.state::<TrayShown>().is_shown() {
        app.state::<StartedHidden>().begin();
        return Ok(());
    }
    open()
}

fn keep_windows_written(app: tauri::AppHandle) {
    tauri::async_runtime::spawn(async move { app.state::<WindowSet>().keep_written().await });
}

/// The link that the program was started with, if it was, or the wish to be asked for a folder.
fn follow_links(app: &tauri::AppHandle) {
    let argument = std::env::args_os().nth(1);
    if argument.as_ref().is_some_and(|argument| argument == workspace::CHOOSE) {
        return going::choose_folder(app);
    }
    if let Some(link) = argument.as_ref().and_then(|link| link.to_str()).filter(|link| client::links::is_link(link)) {
        going::follow(app, link);
    }
}

fn on_run_event(app: &tauri::AppHandle, event: RunEvent) {
    match event {
        RunEvent::Ready => tracing::info!("the app is ready"),
        // Links come as an argument elsewhere.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => urls.iter().for_each(|url| going::follow(app, url.as_str())),
        // Without a code it is because the last window is gone.
        RunEvent::ExitRequested { api, code: None, .. } if app.state::<Staying>().take() => api.prevent_exit(),
        RunEvent::ExitRequested { .. } => app.state::<WindowSet>().over(),
        RunEvent::Exit => {
            app.state::<WindowSet>().over();
            tracing::info!("the app ends; agents go on without it");
        }
        _ => {}
    }
}
