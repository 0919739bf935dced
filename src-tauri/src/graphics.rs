//! How the web view draws: chosen before GTK starts, because it is read from the environment then.
//!
//! On Linux the DMABUF renderer of WebKit costs start-up time and memory and shows nothing at all with some drivers. It is turned
//! off unless the user has decided for himself.

/// Turns the DMABUF renderer off, for this process and the ones that WebKit starts. Must come before the first thread is started,
/// since another one may read the environment while it is changed.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    // GLib's way, which Rust code may call without `unsafe`. To start the program again with the variable set would load all
    // libraries twice, which takes a tenth of a second.
    use webkit2gtk::glib::setenv;

    const VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    // So that it is not handed on to agents, whose programs the user did not ask to draw otherwise.
    let set = setenv(client::order::OWN_VARIABLES, VARIABLE, true).and_then(|()| setenv(VARIABLE, "1", true));
    if let Err(error) = set {
        crate::startup_failure::tell(&format!("could not set {VARIABLE}: {error}"));
    }
}

/// Nothing to choose on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}
