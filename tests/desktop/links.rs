//! Links `outrigger://…`: the window and session that they name, and what is refused.

use std::process::Command;

use outrigger_tests::{Ended, Home, Program, program};

use crate::desk::Desk;
use crate::dialogs::{self, Dialogs};
use crate::window::Window;

/// What the desktop does with a link that somebody clicked: it starts the program with it.
fn click(window: &Window, home: &Home, link: &str) -> Ended {
    let mut command = Command::new(program("outrigger-desktop"));
    window.desk.furnish(&mut command, home);
    command.arg(link);
    Program::start(command).finish()
}

fn open(window: &Window, home: &Home, link: &str) -> Ended {
    let mut command: Command = home.command(["open", link]);
    window.desk.furnish(&mut command, home);
    Program::start(command).finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_the_window_and_the_session_that_it_names() {
    let home = Home::new();
    let other = home.user_home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    let window = Window::open(&home, &home.workspace()).await;
    window.see("[data-testid=composer-input]").await;
    home.run(["run", "--detach", "--provider", "demo", "--cwd", other.to_str().unwrap(), "Far away"]).assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_string_lossy().into_owned();
    click(&window, &home, &format!("outrigger://session/{session}")).assert_code(0);
    window.see_windows(2).await;
    window.go_to_window("other").await;
    window.see_text("h1", "Far away").await;
    // A folder that is a workspace already needs no question.
    click(&window, &home, &format!("outrigger://workspace?path={}", home.workspace().display())).assert_code(0);
    window.see_windows(2).await;
    window.press("new-session").await;
    open(&window, &home, &format!("outrigger://session/{session}")).assert_code(0);
    window.see_text("h1", "Far away").await;
    // On the command line what is wrong is told there.
    open(&window, &home, "outrigger://session/0196e8a0-0000-7000-8000-000000000000").assert_code(4);
    let refused = open(&window, &home, "outrigger://session/../../etc");
    refused.assert_code(2);
    assert!(refused.stderr.contains("it names no session by its whole id"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_link_is_refused_with_the_reason_and_a_strange_folder_is_asked_about() {
    let home = Home::new();
    let desk = Desk::new();
    let bus = desk.bus_address().to_owned();
    let window = Window::open_at(desk, &home, &home.workspace(), &[dialogs::visible()]).await;
    window.see("[data-testid=composer-input]").await;
    let seen = tokio::task::spawn_blocking(move || Dialogs::on(&bus)).await.unwrap();
    let told = |link: &str| {
        click(&window, &home, link).assert_code(0);
        let dialog = seen.see("The link was not opened");
        let words = dialog.words();
        let [ok] = dialog.buttons()[..] else { panic!("{:?}", dialog.buttons()) };
        dialog.press(ok);
        seen.see_none();
        words
    };
    let words = told("outrigger://workspace?path=/etc%E2%80%AE/../root");
    assert!(words.contains("its folder has characters in it that cannot be seen"), "{words}");
    let words = told("outrigger://session/0196e8a0-0000-7000-8000-000000000000");
    assert!(words.contains("there is no session"), "{words}");
    let words = told("outrigger://workspace?path=/nowhere/at/all");
    assert!(words.contains("cannot be opened as a workspace"), "{words}");

    // A folder that was never a workspace: a link may come from anywhere.
    let strange = home.user_home().join("strange");
    std::fs::create_dir_all(&strange).unwrap();
    let link = format!("outrigger://workspace?path={}", strange.display());
    click(&window, &home, &link).assert_code(0);
    let question = seen.see("Open a folder?");
    assert!(question.words().contains(&strange.display().to_string()), "{}", question.words());
    window.desk.picture("link-question");
    // One question at a time, however often it is clicked.
    click(&window, &home, &link).assert_code(0);
    question.press("Cancel");
    seen.see_none();
    assert_eq!(window.client().windows().await.unwrap().len(), 1);
    click(&window, &home, &link).assert_code(0);
    seen.see("Open a folder?").press("Open it");
    window.see_windows(2).await;
}
