//! Hashes and keys as text.

use sha2::{Digest, Sha256};

pub(crate) use store::to_hex as hex;

/// The SHA-256 of a text, as 64 hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}
