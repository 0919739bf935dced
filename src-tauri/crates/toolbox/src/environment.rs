//! What does a sidecar's process see of the environment?
//!
//! PATH, HOME and LANG, and what its manifest says; nothing else leaks in. A `socket` sidecar is told in two variables where to connect
//! and by which token it is known.

use std::collections::BTreeMap;

use crate::manifest::EnvironmentRules;
use crate::secrets::{SecretError, SecretStore};

/// Names the socket that a `socket` sidecar connects back to.
pub const SOCKET_VARIABLE: &str = "OUTRIGGER_SIDECAR_SOCKET";
/// Gives such a sidecar its token: the first line that it sends, before MCP begins.
pub const TOKEN_VARIABLE: &str = "OUTRIGGER_SIDECAR_TOKEN";

/// Passed on to every sidecar.
#[cfg(not(windows))]
const ALWAYS: [&str; 3] = ["PATH", "HOME", "LANG"];
/// Passed on to every sidecar; without the further ones no program runs on Windows.
#[cfg(windows)]
const ALWAYS: [&str; 9] =
    ["PATH", "HOME", "LANG", "PATHEXT", "SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP"];

/// The environment by these rules, out of the user's.
///
/// # Errors
/// When a secret is not to be had.
pub fn environment(
    rules: &EnvironmentRules,
    user: &BTreeMap<String, String>,
    store: &dyn SecretStore,
) -> Result<BTreeMap<String, String>, SecretError> {
    let passed = ALWAYS.into_iter().chain(rules.pass.iter().map(String::as_str));
    let mut environment: BTreeMap<String, String> = BTreeMap::new();
    for name in passed {
        if let Some(value) = user.get(name) {
            environment.insert(name.to_owned(), value.clone());
        }
    }
    environment.extend(rules.set.clone());
    for (name, secret) in &rules.secret {
        environment.insert(name.clone(), secret.fetch(user, store)?);
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretRef;

    /// Stands in for the system's keyring, which a machine without a desktop session does not have.
    struct MockKeyring;

    impl SecretStore for MockKeyring {
        fn secret(&self, name: &str) -> Result<Option<String>, String> {
            match name {
                "lint" => Ok(Some("s3cret".to_owned())),
                "locked" => Err("it is locked".to_owned()),
                _ => Ok(None),
            }
        }
    }

    fn user() -> BTreeMap<String, String> {
        [("PATH", "/bin"), ("HOME", "/h"), ("AWS_SECRET", "x"), ("SSH_AUTH_SOCK", "/s"), ("LINT", "from env")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn with_secret(secret: SecretRef) -> Result<BTreeMap<String, String>, SecretError> {
        let rules = EnvironmentRules { secret: [("KEY".to_owned(), secret)].into(), ..EnvironmentRules::default() };
        environment(&rules, &user(), &MockKeyring)
    }

    #[test]
    fn nothing_but_what_is_said_gets_in() {
        let rules = EnvironmentRules {
            pass: vec!["SSH_AUTH_SOCK".to_owned(), "NOT_SET".to_owned()],
            set: [("MODE".to_owned(), "strict".to_owned()), ("HOME".to_owned(), "/other".to_owned())].into(),
            secret: BTreeMap::new(),
        };
        let found = environment(&rules, &user(), &MockKeyring).unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("HOME", "/other"), ("MODE", "strict"), ("PATH", "/bin"), ("SSH_AUTH_SOCK", "/s")]);
    }

    #[test]
    fn secrets_come_from_where_they_are_kept() {
        assert_eq!(with_secret(SecretRef::Keyring("lint".to_owned())).unwrap()["KEY"], "s3cret");
        assert_eq!(with_secret(SecretRef::Environment("LINT".to_owned())).unwrap()["KEY"], "from env");
    }

    #[test]
    fn a_secret_that_is_missing_is_told_with_what_to_do() {
        let told = |secret| with_secret(secret).unwrap_err().to_string();
        assert!(told(SecretRef::Environment("NOPE".to_owned())).contains("NOPE is not in your environment"));
        assert!(told(SecretRef::Keyring("nope".to_owned())).contains("no secret `nope`"));
        assert!(told(SecretRef::Keyring("locked".to_owned())).contains("it is locked"));
    }
}
