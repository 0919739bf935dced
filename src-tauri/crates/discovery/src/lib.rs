//! Finds what Outrigger needs on a machine: folders to write, the login shell's environment, the user's agent CLIs, a
//! JavaScript runtime, and the runners.
//!
//! Responsible for looking, each time anew, and for saying what was looked at and why it was taken or not. It starts no
//! agent and knows no provider: which CLI to look for is data that the caller hands in. Nothing is remembered as
//! missing; what is remembered (environments, versions) carries what it depends on.

mod capture;
mod cli;
mod decision;
mod disk_use;
mod doctor;
mod environment;
mod environment_cache;
mod executable;
mod fingerprint;
mod launch;
mod login_shell;
mod places;
mod probe;
mod program_folders;
mod report_summary;
mod report_text;
mod runner;
mod runtime;
mod sandbox;
mod setting_keys;
mod settings;
mod settings_file;
mod shim;
mod version;
mod version_cache;

pub use cli::{CliSearch, CliSpec, FoundCli, find_cli};
pub use decision::Search;
pub use doctor::{DoctorOptions, ProviderToCheck, doctor};
pub use environment::{EnvSource, Environment, EnvironmentRequest, PathEntry, Refresh, login_environment};
pub use launch::{Launch, LaunchError, env_patch, launch, path_for, spawn_path};
pub use places::{IDENTIFIER, Places, PlacesError};
pub use report_summary::render_summary;
pub use report_text::render_text;
pub use runner::{RunnerNotFound, RunnerSearch, find_runner, manifests_dirs};
pub use runtime::{FoundRuntime, RuntimeKind, RuntimeSearch, find_runtime};
pub use setting_keys::{SettingKey, setting_keys};
pub use settings::{Earlier, LastClosed, Notifications, Settings, SettingsError, Theme};
pub use settings_file::SettingsFile;
