//! A newer version is announced by a server on this machine: the real app looks, downloads, checks the signature, and waits for the user.
//!
//! The download and its signature are recorded (`tests/fixtures/update/`); nobody has the key any more that made it. A debug build can be
//! told the place and the key by its environment, as a published one is at its build.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger_tests::{Home, project};
use serde_json::json;

use crate::desk::Desk;
use crate::window::Window;

/// A server that announces version 99.0.0 and has its download. It ends with the test's process.
struct Publisher {
    address: String,
    downloads: Arc<AtomicUsize>,
}

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(project().join("tests/fixtures/update").join(name)).unwrap()
}

impl Publisher {
    /// `download` is what it hands out for the file that was signed.
    fn start(download: Vec<u8>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let announcement = json!({
            "version": "99.0.0",
            "notes": "### Added\n\n- A lamp that turns by itself.",
            "pub_date": "2026-11-21T12:00:00Z",
            "platforms": { format!("linux-{}", std::env::consts::ARCH): {
                "url": format!("{address}/outrigger_99.0.0_amd64.deb"),
                "signature": String::from_utf8(recorded("download.sig")).unwrap().trim(),
            } },
        });
        let downloads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&downloads);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let (mut request, mut piece) = (Vec::new(), [0; 1024]);
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match connection.read(&mut piece) {
                        Ok(0) | Err(_) => break,
                        Ok(read) => request.extend_from_slice(&piece[..read]),
                    }
                }
                let body = if request.starts_with(b"GET /latest.json ") {
                    announcement.to_string().into_bytes()
                } else {
                    counted.fetch_add(1, Ordering::AcqRel);
                    download.clone()
                };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&body));
            }
        });
        Self { address, downloads }
    }

    fn environment(&self) -> [(&'static str, PathBuf); 2] {
        let key = String::from_utf8(recorded("key.pub")).unwrap();
        [
            ("OUTRIGGER_UPDATES", PathBuf::from(format!("{}/latest.json", self.address))),
            ("OUTRIGGER_UPDATE_KEY", PathBuf::from(key.trim())),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_is_downloaded_and_waits_for_the_user() {
    let home = Home::new();
    let publisher = Publisher::start(recorded("download"));
    let window = Window::open_at(Desk::new(), &home, &home.workspace(), &publisher.environment()).await;
    window.start_demo("Go on meanwhile. demo:slow=50").await;
    window.press("open-settings").await;
    window.press("update-look").await;
    window.see("[data-testid=update][data-state=ready]").await;
    window.see_text("[data-testid=update-notes]", "A lamp that turns by itself").await;
    window.see_text("[data-testid=update-ready]", "Outrigger 99.0.0 is ready").await;
    window.picture("update").await;
    // This build was installed by nobody, so the user is told where the download is.
    let file = window.see("[data-testid=update-file]").await.text().await.unwrap();
    assert!(file.starts_with(home.path().join("cache/updates").to_str().unwrap()), "{file}");
    assert_eq!(std::fs::read(file).unwrap(), recorded("download"));
    assert_eq!(publisher.downloads.load(Ordering::Acquire), 1);
    // The agent goes on as if nothing had been.
    window.press("place-close").await;
    window.press("permission-allow").await;
    window.see("[data-testid=turn-end][data-reason=endTurn]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_was_not_signed_by_the_publisher_is_refused() {
    let home = Home::new();
    let mut changed = recorded("download");
    changed[0] ^= 1;
    let publisher = Publisher::start(changed);
    let window = Window::open_at(Desk::new(), &home, &home.workspace(), &publisher.environment()).await;
    window.press("open-settings").await;
    window.press("update-look").await;
    window.see_text("[data-testid=update][data-state=failed]", "not signed by the publisher").await;
    window.see_no("[data-testid=update-ready]").await;
    assert!(!home.path().join("cache/updates").exists(), "nothing of it is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_names_no_place_looks_nowhere() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.press("open-settings").await;
    window.see_text("[data-testid=update]", "names no place").await;
    window.see_no("[data-testid=update-look]").await;
}
