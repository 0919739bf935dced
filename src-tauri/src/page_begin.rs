//! What a page is given with its document, so that its first picture waits for no answer of the app.
//!
//! It is put into the document as data that no browser runs, and is as new as the request for it: a reload gets what holds then. A
//! page that finds nothing, in development, asks for all of it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use protocol::view::{PageBegin, WindowInfo};
use tauri::http::header::CONTENT_TYPE;
use tauri::http::{Request, Response};
use tauri::{AppHandle, Manager, WebviewUrl};
use uuid::Uuid;

use crate::commands::feeds;
use crate::window_set::WindowSet;
use crate::workspace::Workspace;
use crate::{Sessions, UserSettings};

/// Where in the document it goes.
const BEFORE: &str = "</head>";

/// Of whom a document says that it is, as part of its address.
const KEY: &str = "begin=";

/// Which workspace a document is for, by the key in its address. All windows of an app are answered by the handler of the first one
/// (on Linux they share a web context), and no page can guess the key of another.
#[derive(Default)]
pub(crate) struct Documents(Mutex<HashMap<String, Workspace>>);

impl Documents {
    /// The address of the document of a workspace's new window. An earlier one of it holds no more.
    pub(crate) fn address_for(&self, workspace: &Workspace) -> WebviewUrl {
        let key = Uuid::new_v4().simple().to_string();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, other| other != workspace);
        known.insert(key.clone(), workspace.clone());
        WebviewUrl::App(PathBuf::from(format!("index.html?{KEY}{key}")))
    }

    fn workspace(&self, query: Option<&str>) -> Option<Workspace> {
        let key = query?.strip_prefix(KEY)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

/// A file of the page, as the web view gets it.
type Answer = Response<Cow<'static, [u8]>>;

/// What a window is about.
pub(crate) fn info_of(workspace: &Workspace) -> WindowInfo {
    WindowInfo {
        workspace: workspace.text(),
        name: workspace.name(),
        branch: workspace.branch(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Adds it to the documents of the windows of workspaces.
pub(crate) fn given_with_documents(app: &AppHandle) -> impl Fn(Request<Vec<u8>>, &mut Answer) + Send + Sync + 'static {
    let app = app.clone();
    move |request, response: &mut Answer| {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/html") {
            return;
        }
        let Some(workspace) = app.state::<Documents>().workspace(request.uri().query()) else { return };
        let given = serde_json::to_string(&begin_of(&app, &workspace));
        let document = std::str::from_utf8(response.body()).ok();
        if let (Ok(given), Some(document)) = (given, document) {
            *response.body_mut() = Cow::Owned(with(document, &given).into_bytes());
        }
    }
}

fn begin_of(app: &AppHandle, workspace: &Workspace) -> PageBegin {
    let sessions = app.state::<Sessions>();
    // The app's own receiver never takes note of a value: it says whether there has been any.
    let list = sessions.has_changed().unwrap_or(false).then(|| feeds::list(workspace, &sessions.borrow()));
    PageBegin {
        info: info_of(workspace),
        layout: app.state::<WindowSet>().layout(workspace.path()),
        list,
        settings: app.state::<UserSettings>().borrow().clone(),
    }
}

/// The document with the JSON in it. Nothing in the JSON can end the element that it stands in.
fn with(document: &str, json: &str) -> String {
    let json = json.replace('<', "\\u003c");
    document.replacen(BEFORE, &format!("<script type=\"application/json\" id=\"begin\">{json}</script>{BEFORE}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_of_the_workspace_that_its_address_names() {
        let documents = Documents::default();
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let workspaces = [one.path(), other.path()].map(|path| Workspace::at(path).unwrap());
        let query = |workspace| match documents.address_for(workspace) {
            WebviewUrl::App(path) => path.to_str().unwrap().split_once('?').unwrap().1.to_owned(),
            address => panic!("{address:?} is no address of the page"),
        };
        let queries = workspaces.each_ref().map(query);
        for (query, workspace) in queries.iter().zip(&workspaces) {
            assert_eq!(documents.workspace(Some(query)), Some(workspace.clone()));
        }
        assert_eq!(documents.workspace(None), None);
        assert_eq!(documents.workspace(Some("begin=guessed")), None);
        let again = query(&workspaces[0]);
        assert_eq!(documents.workspace(Some(&queries[0])), None, "the window before it is gone");
        assert_eq!(documents.workspace(Some(&again)), Some(workspaces[0].clone()));
    }

    #[test]
    fn what_a_page_is_given_stays_data() {
        let title = "</script><script>alert(1)</script><!--";
        let document = with("<html><head></head><body></body></html>", &serde_json::json!(title).to_string());
        assert_eq!(document.matches("<script").count(), 1);
        assert_eq!(document.matches("</script>").count(), 1);
        assert!(!document.contains("<!--"));
        let json = document.split_once("id=\"begin\">").unwrap().1.split_once("</script>").unwrap().0;
        assert_eq!(serde_json::from_str::<String>(json).unwrap(), title);
    }
}
