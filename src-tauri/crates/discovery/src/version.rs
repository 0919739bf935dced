//! Which version does a program's greeting name?
//!
//! Pure. Vendors print versions in sentences of their own (`2.1.329 (Claude Code)`, `codex-cli 0.169.0`, `v20.1.0`);
//! the first word that begins like a version is taken.

use semver::Version;

/// The first version in a text.
pub(crate) fn version_in(text: &str) -> Option<Version> {
    text.split(|c: char| c.is_whitespace() || "(),;\"'/@=".contains(c)).find_map(parse)
}

/// A version that may lack its last parts: `v20`, `1.2`.
pub(crate) fn parse(word: &str) -> Option<Version> {
    let word = word.strip_prefix(['v', 'V']).unwrap_or(word).trim_end_matches(['.', ':']);
    if let Ok(version) = Version::parse(word) {
        return Some(version);
    }
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    let mut parts = word[..end].split('.').map(str::parse::<u64>);
    let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
    Some(Version::new(major, minor, parts.next().and_then(Result::ok).unwrap_or(0)))
}

/// Whether a version lies between the oldest and the newest of those that were tested; `None` when none was.
pub(crate) fn in_tested_range(version: &Version, tested: &[String]) -> Option<bool> {
    let tested: Vec<_> = tested.iter().filter_map(|text| parse(text)).collect();
    Some(tested.iter().min()? <= version && version <= tested.iter().max()?)
}

/// What to say of a version outside of those that were tested.
pub(crate) fn untested(version: &Version, tested: &[String]) -> Option<String> {
    let tested: Vec<_> = tested.iter().filter_map(|text| parse(text)).collect();
    let (oldest, newest) = (tested.iter().min()?, tested.iter().max()?);
    if version > newest {
        return Some(format!(
            "{version} is newer than {newest}, the newest version that Outrigger was tested with; what is new in it is shown as \
             unknown events"
        ));
    }
    (version < oldest).then(|| {
        format!(
            "{version} is older than {oldest}, the oldest version that Outrigger was tested with; update it if something does \
             not work"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{in_tested_range, untested, version_in};

    #[test]
    fn versions_are_read_out_of_every_vendors_sentence() {
        for (text, expected) in [
            ("2.1.329 (Claude Code)\n", "2.1.329"),
            ("codex-cli 0.169.0", "0.169.0"),
            ("v20.19.1", "20.19.1"),
            ("deno 2.9.6 (stable, release, x86_64-unknown-linux-gnu)\nv8 15.0.245.2-rusty", "2.9.6"),
            ("1.3.2", "1.3.2"),
            ("tool 1.4", "1.4.0"),
            ("x/1.2.3-beta.1 linux-x64", "1.2.3-beta.1"),
            ("0.42.0.1234", "0.42.0"),
        ] {
            assert_eq!(version_in(text).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "no version here", "2024", "exec: node: not found"] {
            assert_eq!(version_in(text), None, "{text}");
        }
    }

    #[test]
    fn the_tested_range_reaches_from_the_oldest_to_the_newest() {
        let tested = ["2.1.300".to_owned(), "2.1.100".to_owned()];
        let within = |text: &str| in_tested_range(&version_in(text).unwrap(), &tested);
        assert_eq!(within("2.1.200"), Some(true));
        assert_eq!(within("2.1.301"), Some(false));
        assert_eq!(in_tested_range(&version_in("1.0.0").unwrap(), &[]), None);
        let told = |text: &str| untested(&version_in(text).unwrap(), &tested).unwrap_or_default();
        assert!(told("2.1.301").starts_with("2.1.301 is newer than 2.1.300,"), "{}", told("2.1.301"));
        assert!(told("2.1.99").starts_with("2.1.99 is older than 2.1.100,"), "{}", told("2.1.99"));
        assert_eq!(told("2.1.200"), "");
        assert_eq!(untested(&version_in("1.0.0").unwrap(), &[]), None, "nothing was tested, nothing is to be said");
    }
}
