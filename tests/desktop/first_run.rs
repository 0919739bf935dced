//! A machine without any agent CLI: the window says what is missing, and the demo agent is one click away.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use outrigger_tests::Home;

use crate::desk::Desk;
use crate::window::Window;

/// A PATH with a runtime and a shell, and no agents.
fn bare_path(home: &Home) -> PathBuf {
    let bin = home.user_home().join("bare");
    std::fs::create_dir_all(&bin).unwrap();
    for name in ["node", "bash", "sh", "env", "cat"] {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
        symlink(found.unwrap_or_else(|| panic!("{name} is on the PATH")), bin.join(name)).unwrap();
    }
    std::fs::write(home.user_home().join(".profile"), format!("export PATH='{}'\n", bin.display())).unwrap();
    bin
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cli_the_demo_agent_is_one_click_away() {
    let home = Home::new();
    let bin = bare_path(&home);
    let somewhere =
        ["/usr/local/bin/claude", "/opt/homebrew/bin/claude", "/usr/local/bin/codex", "/opt/homebrew/bin/codex"];
    if somewhere.iter().any(|cli| Path::new(cli).exists()) {
        eprintln!("not tested: an agent CLI is installed for the whole machine, where no PATH can hide it");
        return;
    }
    let window = Window::open_at(Desk::new(), &home, &home.workspace(), &[("PATH", bin)]).await;
    window.see("[data-testid=first-run]").await;
    window.see_text("[data-testid=missing-agent][data-provider=claude]", "install").await;
    window.see("[data-testid=missing-agent][data-provider=codex]").await;
    window.picture("first-run").await;
    window.press("demo-start").await;
    window.see("[data-testid=permission-allow]").await;
    window.press("permission-allow").await;
    window.see("[data-testid=turn-end][data-reason=endTurn]").await;
    assert!(home.workspace().join("OUTRIGGER-DEMO.md").exists());
}
