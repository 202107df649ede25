//! The secret half of an access key, and the keyed hashes made with it.

use super::{TERMINATOR, hex};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// A secret access key. Never shown, and wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself, for sealing it at rest or handing it out once, at its creation.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The signature of a string to sign, as 64 hexadecimal digits.
    pub(super) fn signature(&self, date: &str, region: &str, service: &str, string_to_sign: &[u8]) -> String {
        let start = Zeroizing::new(format!("AWS4{}", *self.0));
        let of_date = keyed(start.as_bytes(), date.as_bytes());
        let of_region = keyed(&*of_date, region.as_bytes());
        let of_service = keyed(&*of_region, service.as_bytes());
        let signing_key = keyed(&*of_service, TERMINATOR.as_bytes());
        hex(&*keyed(&*signing_key, string_to_sign))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

fn keyed(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[test]
fn debug_shows_nothing() {
    let secret = SecretKey::new("wJalrXUtnFEMI".to_owned());
    assert_eq!(format!("{secret:?}"), "SecretKey(redacted)");
    assert_eq!(secret.reveal(), "wJalrXUtnFEMI");
}
