//! Short names for long things: a 64-bit FNV-1a hash that is the same in every build, unlike the standard library's.
//!
//! Only for names of files; whoever reads such a file checks the whole key inside it.

/// The hash of some bytes, as 16 hexadecimal digits.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}
