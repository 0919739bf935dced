//! The real window, driven as a user would: one test starts the built app under a display, a session bus and a web driver of its
//! own, with the built-in demo agent. Nothing is replaced. Linux only: elsewhere no web driver can drive the system's web view.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod at_login;
mod composing;
mod conversation;
mod crash;
mod desk;
mod dialogs;
mod first_run;
mod found;
mod isolation;
mod links;
mod loss;
mod notification_host;
mod notifications;
mod places;
mod pods;
mod quit;
mod restored;
mod second_launch;
mod settings;
mod several_windows;
mod sidecars;
mod splits;
mod told;
mod tray;
mod tray_host;
mod updates;
mod window;
