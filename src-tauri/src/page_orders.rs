//! What windows are asked to show by somebody outside of their pages: the tray, a notification, a link, another window.
//!
//! An order waits until the page is there to take it; a page that is reloaded asks again and gets those that came meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use protocol::desk::PageOrder;
use tauri::ipc::Channel;

/// More orders than these do not wait for one page; the oldest goes.
const WAITING: usize = 16;

/// The orders of all windows, by their labels.
#[derive(Default)]
pub(crate) struct PageOrders(Mutex<HashMap<String, Orders>>);

#[derive(Default)]
struct Orders {
    waiting: VecDeque<PageOrder>,
    page: Option<Channel<PageOrder>>,
}

impl PageOrders {
    /// Asks a window to show something.
    pub(crate) fn give(&self, label: &str, order: PageOrder) {
        let mut all = self.lock();
        let orders = all.entry(label.to_owned()).or_default();
        if orders.waiting.len() == WAITING {
            orders.waiting.pop_front();
        }
        orders.waiting.push_back(order);
        orders.send();
    }

    /// The page of a window is there and takes orders from now on.
    pub(crate) fn attach(&self, label: &str, page: Channel<PageOrder>) {
        let mut all = self.lock();
        let orders = all.entry(label.to_owned()).or_default();
        orders.page = Some(page);
        orders.send();
    }

    /// The page of a window is gone; another one may come.
    pub(crate) fn page_gone(&self, label: &str) {
        if let Some(orders) = self.lock().get_mut(label) {
            orders.page = None;
        }
    }

    /// A window is gone, and nobody wants to see anything in it.
    pub(crate) fn window_gone(&self, label: &str) {
        self.lock().remove(label);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Orders>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    fn send(&mut self) {
        let Some(page) = &self.page else { return };
        while let Some(order) = self.waiting.front() {
            if page.send(order.clone()).is_err() {
                // It stays for the page that comes next.
                self.page = None;
                return;
            }
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tauri::ipc::InvokeResponseBody;

    use super::*;

    fn page() -> (Channel<PageOrder>, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = seen.clone();
        let page = Channel::new(move |body| {
            if let InvokeResponseBody::Json(json) = body {
                into.lock().unwrap().push(json);
            }
            Ok(())
        });
        (page, seen)
    }

    #[test]
    fn an_order_waits_for_its_page_and_is_given_once() {
        let orders = PageOrders::default();
        orders.give("a", PageOrder::NewSession);
        let (first, seen) = page();
        orders.attach("a", first);
        orders.give("b", PageOrder::NewSession);
        assert_eq!(*seen.lock().unwrap(), ["{\"type\":\"newSession\"}"]);
        orders.page_gone("a");
        for _ in 0..2 * WAITING {
            orders.give("a", PageOrder::OpenInbox { session: None, request_id: None });
        }
        assert_eq!(seen.lock().unwrap().len(), 1);
        let (second, seen) = page();
        orders.attach("a", second);
        assert_eq!(seen.lock().unwrap().len(), WAITING);
    }
}
