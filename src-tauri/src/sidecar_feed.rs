//! What of the sidecars a page has to be told: those that are other than it knows them, and what they use while they run.
//!
//! A change is told when it happens. Memory and processor time change without anybody saying so; they are looked at now and then as
//! long as a page shows them, and told without the rest.

use std::collections::HashMap;
use std::time::Duration;

use client::{Machine, sidecars};
use protocol::sidecar::{SidecarPlace, SidecarView};
use protocol::sidecar_view::{SidecarFigures, SidecarsFrame};

/// Between two looks at what running sidecars use, and at folders whose making nobody has told.
const LOOK: Duration = Duration::from_secs(3);

/// What a page knows already.
#[derive(Default)]
pub(crate) struct Told {
    order: Option<Vec<String>>,
    views: HashMap<String, SidecarView>,
}

impl Told {
    /// What the page has to be told of these, if anything.
    pub(crate) fn of(&mut self, now: Vec<SidecarView>) -> Vec<SidecarsFrame> {
        let order: Vec<String> = now.iter().map(|view| view.folder.clone()).collect();
        let mut changed = Vec::new();
        let mut figures = Vec::new();
        for view in &now {
            match self.views.get(&view.folder) {
                Some(known) if known == view => {}
                Some(known) if without_figures(known) == without_figures(view) => figures.push(figures_of(view)),
                Some(_) | None => changed.push(view.clone()),
            }
        }
        let is_other = self.order.as_ref() != Some(&order);
        self.views = now.into_iter().map(|view| (view.folder.clone(), view)).collect();
        self.order = Some(order.clone());
        let mut frames = Vec::new();
        if is_other || !changed.is_empty() {
            frames.push(SidecarsFrame::Changed { order, sidecars: changed });
        }
        if !figures.is_empty() {
            frames.push(SidecarsFrame::Figures { figures });
        }
        frames
    }
}

/// Tells of all sidecars of a place until `tell` says that nobody listens any more.
pub(crate) async fn run(machine: Machine, place: SidecarPlace, mut tell: impl FnMut(SidecarsFrame) -> bool + Send) {
    let mut told = Told::default();
    let mut watched = sidecars::watch(machine.clone(), place.clone());
    let mut looked = sidecars::list(&machine, &place).await;
    loop {
        let frames = match looked {
            Ok(views) => told.of(views),
            Err(error) => {
                // Afterwards everything is told anew.
                told = Told::default();
                vec![SidecarsFrame::Lost { message: error.message }]
            }
        };
        if !frames.into_iter().all(&mut tell) {
            return;
        }
        looked = tokio::select! {
            changed = watched.changed() => match changed {
                Ok(()) => Ok(watched.borrow_and_update().clone()),
                Err(_) => return,
            },
            () = tokio::time::sleep(LOOK) => sidecars::list(&machine, &place).await,
        };
    }
}

fn without_figures(view: &SidecarView) -> SidecarView {
    SidecarView { rss: 0, cpu_ms: 0, calls: 0, users: Vec::new(), ..view.clone() }
}

fn figures_of(view: &SidecarView) -> SidecarFigures {
    let SidecarView { folder, rss, cpu_ms, calls, users, .. } = view.clone();
    SidecarFigures { folder, rss, cpu_ms, calls, users }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::sidecar::{SidecarState, SidecarTrust};

    fn view(name: &str, state: SidecarState, rss: u64) -> SidecarView {
        SidecarView {
            name: name.to_owned(),
            description: String::new(),
            folder: format!("/w/{name}"),
            share: "workspace".to_owned(),
            error: None,
            trust: SidecarTrust::Own,
            state,
            tools: Vec::new(),
            refused_tools: Vec::new(),
            pid: (rss > 0).then_some(7),
            rss,
            cpu_ms: 0,
            calls: 0,
            users: Vec::new(),
            reload_failed: None,
        }
    }

    #[test]
    fn a_page_is_told_what_is_other_and_nothing_else() {
        let mut told = Told::default();
        let (one, two) = (view("one", SidecarState::Idle, 0), view("two", SidecarState::Connected { tools: 1 }, 5));
        let order = vec!["/w/one".to_owned(), "/w/two".to_owned()];
        let all = vec![one.clone(), two.clone()];
        assert_eq!(
            told.of(all.clone()),
            [SidecarsFrame::Changed { order: order.clone(), sidecars: all.clone() }],
            "the first frame has all"
        );
        assert_eq!(told.of(all), []);

        let grown = SidecarView { rss: 9, calls: 1, ..two.clone() };
        let figures = SidecarFigures { folder: "/w/two".to_owned(), rss: 9, cpu_ms: 0, calls: 1, users: Vec::new() };
        assert_eq!(told.of(vec![one.clone(), grown.clone()]), [SidecarsFrame::Figures { figures: vec![figures] }]);

        let started = view("one", SidecarState::Starting, 1);
        let frames = told.of(vec![started.clone(), grown]);
        assert_eq!(frames, [SidecarsFrame::Changed { order, sidecars: vec![started.clone()] }]);

        let gone = told.of(vec![started]);
        assert_eq!(gone, [SidecarsFrame::Changed { order: vec!["/w/one".to_owned()], sidecars: Vec::new() }]);
    }

    #[test]
    fn that_there_are_none_is_told_too() {
        let mut told = Told::default();
        assert_eq!(told.of(Vec::new()), [SidecarsFrame::Changed { order: Vec::new(), sidecars: Vec::new() }]);
        assert_eq!(told.of(Vec::new()), []);
    }
}
