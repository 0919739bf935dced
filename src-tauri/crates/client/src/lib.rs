//! How the desktop and the command line find, start and talk to pods.
//!
//! Responsible for turning a wish (start this provider here) into a keeper's order, for the list of sessions and what is known of
//! their lives, and for the pod protocol from the client's side. It shows nothing and keeps nothing: what it answers, it read
//! just now.

pub mod catalog;
pub mod chosen_files;
mod closed_sessions;
pub mod connection;
pub mod desktop;
pub mod earlier_sessions;
pub mod keeper_process;
pub mod links;
pub mod machine;
mod moments;
pub mod order;
pub mod orphans;
mod own_paths;
pub mod pods;
pub mod processes;
pub mod records;
pub mod recovery;
pub mod sessions;
pub mod settings;
pub mod sidecars;
pub mod start;
pub mod start_turn;
mod starter;
pub mod subscription;
pub mod tools_link;
pub mod watch;
mod working_directory;
pub mod workspace_files;
pub mod workspaces;

pub use connection::PodConnection;
pub use machine::Machine;
pub use start::Started;
pub use subscription::Subscription;
