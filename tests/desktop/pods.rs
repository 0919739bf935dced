//! Pods in the real window: started by hand with a scope, shown with it, refused where another one works, limited, and stopped.

use outrigger_tests::Home;
use serde_json::json;

use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_started_with_a_scope_shown_limited_and_stopped() {
    let home = Home::new();
    let workspace = home.workspace();
    std::fs::create_dir(workspace.join("docs")).unwrap();
    std::fs::write(workspace.join("docs/guide.md"), "How to row.\n").unwrap();
    let window = Window::open(&home, &workspace).await;
    window.start_demo("First.").await;
    window.press("permission-deny").await;
    window.see("[data-testid=turn-end]").await;
    let parent = window.see_session("idle").await;
    window.press("inspector-toggle").await;
    window.see("[role=tab][data-value=pods]").await.click().await.unwrap();
    window.see(&format!("[data-testid=pod][data-session='{parent}']")).await;

    start(&window, "guide", "Write the guide.").await;
    let child = "[data-testid=pod][aria-level='2']";
    // Its agent would write outside of its scope, which is refused without asking anybody.
    window.see(&format!("{child}[data-state=idle]")).await;
    window.see_text(child, "Writes docs/").await;
    // How it is held to that is a matter of the kernel; that it is said is ours.
    window.see(&format!("{child} [data-testid=pod-level]")).await;
    window.see("[data-testid=pod-scope]").await;
    window.picture("pods").await;

    // The child's session is open now; the next pod is to stand beside it.
    let root = format!("[data-testid=pod][data-session='{parent}']");
    window.see(&root).await.click().await.unwrap();
    window.see(&format!("{root}[aria-selected=true]")).await;
    start(&window, "another", "Write the guide anew.").await;
    window.see_text("[data-testid=scope-problem]", "guide").await;
    window.see_text("[data-testid=scope-problem]", "docs").await;
    window.press("scope-remove").await;
    window.client().execute(ESCAPE, Vec::new()).await.unwrap();
    window.see_no("[data-testid=start-pod]").await;

    part(&window, "files").await;
    window.see_text("[data-path='docs/'] [data-testid=holder]", "guide").await;
    part(&window, "pod").await;
    window.press("budget-edit").await;
    window.type_into("budget-field", "2").await;
    window.press("budget-save").await;
    window.see_text("[data-testid=limit][data-limit=costUsd]", "of $2.00").await;
    part(&window, "time").await;
    window.see(&format!("[data-testid=moment][data-kind=spawn][data-of='{parent}']")).await;

    window.press("pods-stop").await;
    window.see_text("[data-testid=stop-list]", "guide").await;
    window.press("stop-confirm").await;
    window.see_no("[data-testid=stop-list]").await;
    window.until("both pods to be stopped", BOTH_STOPPED, json!([])).await;
    window.close().await;
    home.assert_nobody_left();
}

const ESCAPE: &str = "document.querySelector('[data-testid=pod-dialog]')\
    .dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }))";

const BOTH_STOPPED: &str = "const pods = [...document.querySelectorAll('[data-testid=pod]')]; \
    return pods.length === 2 && pods.every((pod) => ['done', 'stopped'].includes(pod.dataset.state));";

/// Asks for a pod below the open session, with `docs` as its scope.
async fn start(window: &Window, name: &str, task: &str) {
    window.press("pod-start").await;
    window.type_into("pod-name", name).await;
    window.type_into("pod-task", task).await;
    window.see("[data-testid=scope-tree] [data-path='docs/']").await.click().await.unwrap();
    window.see("[data-testid=scope-path]").await;
    window.press("pod-submit").await;
}

/// Chooses what stands below the tree.
async fn part(window: &Window, value: &str) {
    let choose = "document.querySelector(`[data-testid=pods-part] input[value=${arguments[0]}]`).click()";
    window.client().execute(choose, vec![json!(value)]).await.unwrap();
    window.see(&format!("[data-testid=pods-part][data-value={value}]")).await;
}
