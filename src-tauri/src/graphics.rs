//! How the web view draws: chosen before GTK starts, because it is read from the environment then.
//!
//! On Linux the DMABUF renderer of WebKit costs start-up time and memory and shows nothing at all with some drivers. It is turned
//! off unless the user has decided for himself. GTK then needs no OpenGL either, whose libraries take long to load.

/// Turns the DMABUF renderer off, for this process and the ones that WebKit starts. Must come before the first thread is started,
/// since another one may read the environment while it is changed.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    // GLib's way, which Rust code may call without `unsafe`. To start the program again with the variable set would load all
    // libraries twice, which takes a tenth of a second.
    use webkit2gtk::glib::setenv;

    const RENDERER: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    const GTK: &str = "GDK_GL";
    if std::env::var_os(RENDERER).is_some() {
        return;
    }
    let mut own = vec![(RENDERER, "1")];
    if std::env::var_os(GTK).is_none() {
        own.push((GTK, "disable"));
    }
    // So that they are not handed on to agents, whose programs the user did not ask to draw otherwise.
    let names: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
    let told = setenv(client::order::OWN_VARIABLES, names.join(","), true);
    let set = own.iter().try_fold((), |(), (name, value)| setenv(name, value, true));
    if let Err(error) = told.and(set) {
        crate::startup_failure::tell(&format!("could not set {}: {error}", names.join(" and ")));
    }
}

/// Nothing to choose on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}
