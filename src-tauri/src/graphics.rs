//! How the web view draws: chosen before GTK starts, because it is read from the environment then.
//!
//! On Linux the DMABUF renderer of WebKit costs start-up time and memory and shows nothing at all with some drivers. It is turned
//! off unless the user has decided for himself.

/// Turns the DMABUF renderer off by starting this program again in the same process, with the variable set. Setting it from within
/// would be unsafe, since threads may read the environment at any time.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    use std::os::unix::process::CommandExt;

    const VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    // Returns only when it failed; then the app runs with the other renderer.
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(VARIABLE, "1")
        // So that it is not handed on to agents, whose programs the user did not ask to draw otherwise.
        .env(client::order::OWN_VARIABLES, VARIABLE)
        .exec();
    crate::startup_failure::tell(&format!("could not set {VARIABLE}: {error}"));
}

/// Nothing to choose on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}
