//! Find in a session, and its map, in the real engine: the app searches, the page marks what was found.

use outrigger_tests::Home;
use serde_json::json;

use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_by_the_app_and_marked_by_the_engine() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("Look for the Lighthouse. demo:tools=3").await;
    window.press("permission-allow").await;
    window.see("[data-testid=turn-end]").await;
    let keys = "window.dispatchEvent(new KeyboardEvent('keydown', { key: 'f', ctrlKey: true, bubbles: true, cancelable: true }))";
    window.client().execute(keys, Vec::new()).await.unwrap();
    window.type_into("find-input", "LIGHTHOUSE").await;
    window.see_text("[data-testid=find-count]", "of").await;
    window.see("[data-testid=find-newer]:not(:disabled)").await;
    // The engine knows highlights, and has some on the words themselves.
    let marked = "const ranges = ['found', 'found-here'].flatMap((name) => [...(CSS.highlights.get(name) ?? [])]); \
        return ranges.length > 0 && ranges.every((range) => range.toString().toLowerCase() === 'lighthouse');";
    window.until("the words to be marked", marked, json!([])).await;
    window.picture("found").await;
    // What nobody said is not found, by the same way.
    window.see("[data-testid=find-input]").await.clear().await.unwrap();
    window.type_into("find-input", "nobody-said-this").await;
    window
        .until("nothing to be marked", "return [...(CSS.highlights.get('found') ?? [])].length === 0;", json!([]))
        .await;
    let none = "return document.querySelector('[data-testid=find-count]').innerText === 'Nothing found';";
    window.until("that nothing was found", none, json!([])).await;
    // The map has the prompt and the request.
    let marks = "return ['turn', 'request'].every((kind) => document.querySelector(`[data-testid=map-mark][data-kind=${kind}]`));";
    window.until("the marks of the map", marks, json!([])).await;
}
