//! The program started a second time: the running app answers, with the window of the workspace that was asked for.

use std::path::Path;
use std::process::Command;

use outrigger_tests::{Ended, Home, Program, program};

use crate::window::Window;

fn launch(window: &Window, home: &Home, workspace: &Path) -> Ended {
    let mut command = Command::new(program("outrigger-desktop"));
    window.desk.furnish(&mut command, home);
    command.arg(workspace);
    Program::start(command).finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_launch_opens_its_folder_in_the_running_app() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.see("[data-testid=composer-input]").await;
    let other = home.user_home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    launch(&window, &home, &other).assert_code(0);
    window.see_windows(2).await;
    // The same folder again, by another name: its window is there already.
    launch(&window, &home, &other.join("../other")).assert_code(0);
    launch(&window, &home, &home.workspace()).assert_code(0);
    window.see_windows(2).await;
    let first = window.client().window().await.unwrap();
    let handles = window.client().windows().await.unwrap();
    let second = handles.into_iter().find(|handle| *handle != first).unwrap();
    window.client().switch_to_window(second).await.unwrap();
    window.see_text("header", "other").await;
    assert_eq!(home.debug_log().matches("a window was opened").count(), 2);
}

#[test]
fn a_folder_that_is_not_there_is_refused_with_a_word() {
    let home = Home::new();
    let mut command = Command::new(program("outrigger-desktop"));
    home.furnish(&mut command);
    let ended = Program::start({
        command.arg(home.user_home().join("missing"));
        command
    })
    .finish();
    ended.assert_code(2);
    assert!(ended.stderr.contains("missing cannot be opened as a workspace"), "{}", ended.stderr);
}
