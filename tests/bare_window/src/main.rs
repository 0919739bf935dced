//! A Tauri window with one line of text and one channel: the least that a desktop app of this kind can be.
//!
//! `./dev bench` holds the cold start, the memory and the latency of Outrigger's window against it. It is no part of the product.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tauri::ipc::Channel;

/// Says on stdout that the page has been painted.
#[tauri::command]
#[expect(clippy::print_stdout, reason = "the bench reads it")]
fn shown() {
    println!("shown");
}

/// Sends so many lines, each with the time at which it was sent, in milliseconds since 1970.
#[tauri::command]
async fn stream(
    channel: Channel<serde_json::Value>,
    lines: u32,
    every_micros: u64,
    words: String,
) -> Result<(), tauri::Error> {
    tauri::async_runtime::spawn_blocking(move || send(&channel, lines, every_micros, &words)).await?
}

fn send(channel: &Channel<serde_json::Value>, lines: u32, every_micros: u64, words: &str) -> Result<(), tauri::Error> {
    for _ in 0..lines {
        thread::sleep(Duration::from_micros(every_micros));
        let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0;
        channel.send(serde_json::json!({ "text": format!("{words} @{sent:.2}@") }))?;
    }
    Ok(())
}

fn main() -> tauri::Result<()> {
    tauri::Builder::default().invoke_handler(tauri::generate_handler![shown, stream]).run(tauri::generate_context!())
}
