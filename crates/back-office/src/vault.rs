//! Secrets at rest: sealed under a master key that is outside the database.
//!
//! A signature is checked with the secret itself, so it is kept so that it can be had back; a copy of the database alone is worth nothing.

use crate::hash::hex;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// What a master key seals in a database, so that another one is known to be another.
const CHECK: &str = "master key check";

/// How many bytes a master key has.
pub const MASTER_KEY_BYTES: usize = 32;

/// The key under which secrets are sealed.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; MASTER_KEY_BYTES]>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Why a secret cannot be opened: another master key, or the row was tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret cannot be opened with this master key")]
pub struct Sealed;

/// A secret as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Used once.
    pub nonce: Vec<u8>,
    /// The ciphertext with its tag.
    pub ciphertext: Vec<u8>,
}

impl MasterKey {
    /// The key of 64 hexadecimal digits; white space around them is none of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 2 * MASTER_KEY_BYTES || !text.is_ascii() {
            return None;
        }
        let mut key = Zeroizing::new([0; MASTER_KEY_BYTES]);
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(key))
    }

    /// A new key.
    ///
    /// # Errors
    /// Where the system has no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = Zeroizing::new([0; MASTER_KEY_BYTES]);
        getrandom::fill(key.as_mut())?;
        Ok(Self(key))
    }

    /// The key as it is written into its file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.0.as_slice()))
    }

    /// A key for another purpose, which says nothing about this one.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        Sha256::digest([b"proforma derived key\0", purpose.as_bytes(), b"\0", self.0.as_slice()].concat())
            .into()
    }

    /// Seals a secret to the name that it belongs to.
    ///
    /// # Errors
    /// Where the system has no random bytes.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<SealedSecret, getrandom::Error> {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce)?;
        let payload = Payload { msg: secret, aad: name.as_bytes() };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload);
        // Encryption into memory fails for messages of gigabytes only; a secret has some bytes.
        Ok(SealedSecret { nonce: nonce.to_vec(), ciphertext: sealed.unwrap_or_default() })
    }

    /// Opens a secret.
    ///
    /// # Errors
    /// [`Sealed`].
    pub fn open(&self, name: &str, sealed: &SealedSecret) -> Result<Zeroizing<Vec<u8>>, Sealed> {
        let nonce: [u8; 12] = sealed.nonce.as_slice().try_into().map_err(|_| Sealed)?;
        let payload = Payload { msg: &sealed.ciphertext, aad: name.as_bytes() };
        self.cipher().decrypt(&Nonce::from(nonce), payload).map(Zeroizing::new).map_err(|_| Sealed)
    }

    /// What a database keeps to know this key again.
    ///
    /// # Errors
    /// Where the system has no random bytes.
    pub fn check(&self) -> Result<SealedSecret, getrandom::Error> {
        self.seal(CHECK, CHECK.as_bytes())
    }

    /// Whether what a database keeps is this key's.
    #[must_use]
    pub fn is_checked_by(&self, kept: &SealedSecret) -> bool {
        self.open(CHECK, kept).is_ok()
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

/// An access key id in AWS's shape: `AKIA` and sixteen of `A-Z2-7`.
///
/// # Errors
/// Where the system has no random bytes.
pub fn new_access_key_id() -> Result<String, getrandom::Error> {
    random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16).map(|id| format!("AKIA{id}"))
}

/// A secret of forty characters, 240 bits.
///
/// # Errors
/// Where the system has no random bytes.
pub fn new_secret() -> Result<Zeroizing<String>, getrandom::Error> {
    random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40).map(Zeroizing::new)
}

/// Ten letters and digits: an id of a resource.
///
/// # Errors
/// Where the system has no random bytes.
pub fn new_resource_id() -> Result<String, getrandom::Error> {
    random_text(b"abcdefghijkmnpqrstuvwxyz23456789", 10)
}

/// A request id in AWS's shape: a random UUID.
///
/// # Errors
/// Where the system has no random bytes.
pub fn new_request_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// Characters of an alphabet that has a power of two of them, so that each is as likely as the others.
fn random_text(alphabet: &[u8], length: usize) -> Result<String, getrandom::Error> {
    debug_assert!(alphabet.len().is_power_of_two(), "{}", alphabet.len());
    let mut bytes = Zeroizing::new(vec![0; length]);
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect())
}

#[cfg(test)]
mod tests {
    //! Sealing and opening.

    use super::*;

    #[test]
    fn a_secret_is_opened_by_its_key_and_name_only() {
        let key = MasterKey::generate().unwrap();
        let sealed = key.seal("AKIA1", b"secret").unwrap();
        assert_eq!(key.open("AKIA1", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open("AKIA2", &sealed).is_err());
        assert!(MasterKey::generate().unwrap().open("AKIA1", &sealed).is_err());
        for place in 0..sealed.ciphertext.len() {
            let mut other = sealed.clone();
            other.ciphertext[place] ^= 1;
            assert!(key.open("AKIA1", &other).is_err());
        }
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = MasterKey::generate().unwrap();
        let text = format!("{}\n", key.to_text().as_str());
        assert!(MasterKey::parse(&text).unwrap().is_checked_by(&key.check().unwrap()));
        for text in ["", "00", &"g".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
            assert!(MasterKey::parse(text).is_none(), "{text}");
        }
        assert!(!format!("{key:?}").contains(key.to_text().as_str()));
        assert_eq!(new_access_key_id().unwrap().len(), 20);
    }
}
