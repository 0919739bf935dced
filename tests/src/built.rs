//! Where the project and its built programs are.
//!
//! Responsible for finding them; it builds nothing. Cargo tells a test only about binaries of its own package, and building from
//! inside a test would compile a second set of features, so the programs are taken from beside the running test.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the project, where `Cargo.toml` and `runners/` are.
#[must_use]
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| panic!("the tests are not in a folder of the project"))
}

/// The built program `name` (`outrigger`, `outrigger-desktop`) of the profile that this test was built with.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap_or_else(|error| panic!("cannot tell where this test is: {error}"));
    // A test is at target/<profile>/deps/<test>, the programs are at target/<profile>/.
    let beside = test.parent().unwrap_or(&test);
    let folder = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
    let file = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        file.is_file(),
        "{} is not built. `./dev test scenarios` builds it, and so does `cargo build --workspace`.",
        file.display()
    );
    file
}
