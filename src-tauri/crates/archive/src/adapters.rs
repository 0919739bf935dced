//! Which adapter folds the events of a provider?

use std::collections::BTreeMap;

/// The adapters' names by the providers' ids. A provider that is not listed is folded as plain JSON, and its prompts are found.
#[derive(Debug, Clone, Default)]
pub struct Adapters {
    names: BTreeMap<String, String>,
}

impl Adapters {
    /// From pairs of a provider's id and its adapter's name.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { names: pairs.into_iter().collect() }
    }

    pub(crate) fn of(&self, provider: &str) -> &str {
        self.names.get(provider).map_or("", String::as_str)
    }
}
