//! The ids of sessions and pods: version 7 uuids, so that they sort by the time they were made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[ts(export, type = "string")]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made from the current time and randomness.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default that differs at each call would surprise")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The 32 hexadecimal digits without dashes: short enough for a socket's name.
            #[must_use]
            pub fn simple(&self) -> String {
                self.0.simple().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id! {
    /// One conversation. Durable: names the folder of its journal.
    SessionId
}
id! {
    /// One life of a keeper. A session that is resumed gets a new pod.
    PodId
}

impl SessionId {
    /// The id of a session that was a conversation of another program before: always the same for the same name. `millis` says when it
    /// began, in milliseconds since 1970.
    #[must_use]
    pub fn of_earlier(name: &str, millis: u64) -> Self {
        let [high, low] = [fnv(0xcbf2_9ce4_8422_2325, name), fnv(0x9ae1_6a3b_2f90_404f, name)].map(u64::to_be_bytes);
        let mut random = [0; 10];
        random.iter_mut().zip(high.into_iter().chain(low)).for_each(|(byte, from)| *byte = from);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// FNV-1a: short, and the same on every machine, which the standard library's hash does not promise.
fn fnv(start: u64, text: &str) -> u64 {
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_earlier_conversation_is_always_the_same_and_sorts_by_its_time() {
        let one = SessionId::of_earlier("codex a", 1_700_000_000_000);
        assert_eq!(one, SessionId::of_earlier("codex a", 1_700_000_000_000));
        assert_ne!(one, SessionId::of_earlier("codex b", 1_700_000_000_000));
        assert!(one < SessionId::new() && SessionId::of_earlier("codex a", 0) < one);
        assert_eq!(one.to_string().parse::<SessionId>().unwrap(), one);
    }
}
