//! Where is a secret kept that a sidecar needs? Never with us.
//!
//! A manifest names a variable of the user's environment, or an entry of the system's keyring under the name `outrigger`. The value is
//! fetched when the sidecar starts and is in no file, log or answer of ours.

/// The name under which Outrigger's entries are in the system's keyring.
const KEYRING_NAME: &str = "outrigger";

/// A secret, by the place where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// A variable of the user's environment.
    Environment(String),
    /// The user's entry in the system's keyring.
    Keyring(String),
}

/// A secret that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the secret {0} is not in your environment; set it in your shell's profile and refresh the environment")]
    NotSet(String),
    /// The keyring has no such entry.
    #[error("the system's keyring has no secret `{0}`; add it with `outrigger sidecar secret {0}`")]
    NotStored(String),
    /// The keyring cannot be asked.
    #[error(
        "failed to read the secret `{name}` from the system's keyring: {why}; unlock it, or name a variable instead (env:NAME)"
    )]
    Keyring {
        /// Which one.
        name: String,
        /// What the system said.
        why: String,
    },
}

/// Where keyring secrets come from. The product has one, [`SystemKeyring`].
pub trait SecretStore: Send + Sync {
    /// The secret of this name; `None` when there is none.
    ///
    /// # Errors
    /// In words, when the store cannot be asked.
    fn secret(&self, name: &str) -> Result<Option<String>, String>;
}

/// The keyring of the system: Secret Service, Keychain or the Windows credential store.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemKeyring;

impl SecretStore for SystemKeyring {
    fn secret(&self, name: &str) -> Result<Option<String>, String> {
        let entry = keyring::Entry::new(KEYRING_NAME, name).map_err(|error| error.to_string())?;
        match entry.get_password() {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl SystemKeyring {
    /// Keeps a secret under this name; `None` forgets it.
    ///
    /// # Errors
    /// When the system's keyring cannot be used.
    pub fn keep(name: &str, secret: Option<&str>) -> Result<(), SecretError> {
        let failed = |error: keyring::Error| SecretError::Keyring { name: name.to_owned(), why: error.to_string() };
        let entry = keyring::Entry::new(KEYRING_NAME, name).map_err(failed)?;
        match secret {
            Some(secret) => entry.set_password(secret).map_err(failed),
            None => match entry.delete_credential() {
                Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
                Err(error) => Err(failed(error)),
            },
        }
    }
}

impl SecretRef {
    /// From `env:NAME` or `keyring:NAME`.
    ///
    /// # Errors
    /// In words, for everything else: most likely it is the secret itself, so it is not repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            Some(("keyring", name)) if !name.is_empty() => Ok(Self::Keyring(name.to_owned())),
            Some(_) | None => {
                Err("a secret is named by its place, env:NAME or keyring:NAME, and never written here".to_owned())
            }
        }
    }

    /// Fetches it.
    ///
    /// # Errors
    /// When it is not where it should be.
    pub fn fetch(
        &self,
        environment: &std::collections::BTreeMap<String, String>,
        store: &dyn SecretStore,
    ) -> Result<String, SecretError> {
        match self {
            Self::Environment(name) => environment.get(name).cloned().ok_or_else(|| SecretError::NotSet(name.clone())),
            Self::Keyring(name) => match store.secret(name) {
                Ok(Some(secret)) => Ok(secret),
                Ok(None) => Err(SecretError::NotStored(name.clone())),
                Err(why) => Err(SecretError::Keyring { name: name.clone(), why }),
            },
        }
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::Keyring(name) => write!(f, "keyring:{name}"),
        }
    }
}
