//! Page tokens: where a list goes on, sealed, so that a client can neither read nor change it, nor use it elsewhere.
//!
//! A token is bound to a context that the caller gives: payer, principal, operation, a hash of the filters, the page size. It outlives a
//! restart with the same key, and opens until the key is changed. The nonce is a keyed hash of context and position: the same page has the same
//! token, different pages never share a nonce, and no source of chance is needed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest token that is opened, in characters.
pub const TOKEN_CHARACTERS_MAX: usize = 2048;

/// The longest position that is sealed, so that its token opens: what is left of the characters after nonce, tag and base64.
pub const POSITION_BYTES_MAX: usize = TOKEN_CHARACTERS_MAX / 4 * 3 - NONCE_BYTES - TAG_BYTES;

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// A token that does not open here: changed, of another context or key, or too long. There is one answer to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the page token is not one of this list; begin again without it")]
pub struct PageTokenError;

/// A position too long to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a position of {0} bytes is too long for a page token, which holds {POSITION_BYTES_MAX}")]
pub struct PositionTooLong(pub usize);

/// Seals and opens page tokens.
pub struct PageTokens {
    cipher: XChaCha20Poly1305,
    nonce_key: Zeroizing<[u8; 32]>,
}

impl PageTokens {
    /// From 32 secret bytes that are used for nothing else.
    pub fn new(key: &[u8; 32]) -> Self {
        let cipher_key = derived(key, b"page token, cipher");
        let cipher = XChaCha20Poly1305::new(&Key::from(*cipher_key));
        Self { cipher, nonce_key: derived(key, b"page token, nonce") }
    }

    /// Seals a position; the parts of the context keep their borders, so that `ab`, `c` is not `a`, `bc`.
    pub fn seal(&self, position: &[u8], context: &[&[u8]]) -> Result<String, PositionTooLong> {
        if position.len() > POSITION_BYTES_MAX {
            return Err(PositionTooLong(position.len()));
        }
        let context = framed(context);
        let nonce = self.nonce(position, &context);
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: position, aad: &context });
        // Only a message of many gigabytes is refused.
        let sealed = sealed.map_err(|_| PositionTooLong(position.len()))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The position of a token that was sealed in the same context.
    pub fn open(&self, token: &str, context: &[&[u8]]) -> Result<Vec<u8>, PageTokenError> {
        if token.len() > TOKEN_CHARACTERS_MAX {
            return Err(PageTokenError);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| PageTokenError)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(PageTokenError)?;
        let payload = Payload { msg: sealed, aad: &framed(context) };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| PageTokenError)
    }

    fn nonce(&self, position: &[u8], context: &[u8]) -> [u8; NONCE_BYTES] {
        let hash = derived(&self.nonce_key, &framed(&[context, position]));
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        nonce
    }
}

impl fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageTokens(redacted)")
    }
}

fn derived(key: &[u8; 32], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Each part after its length.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let framed = parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat());
    framed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: &[&[u8]] = &[b"123456789012", b"user/anna", b"ListBillingGroups", b"hash", b"100"];

    fn tokens() -> PageTokens {
        PageTokens::new(&[7; 32])
    }

    #[test]
    fn a_token_opens_where_it_was_sealed_and_after_a_restart() {
        let token = tokens().seal(b"after 42", CONTEXT).expect("sealed");
        assert_eq!(tokens().open(&token, CONTEXT).as_deref(), Ok(&b"after 42"[..]));
        assert_eq!(
            tokens().seal(b"after 42", CONTEXT),
            Ok(token.clone()),
            "the same page has the same token"
        );
        assert!(
            token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'),
            "{token}"
        );
        assert_eq!(PageTokens::new(&[8; 32]).open(&token, CONTEXT), Err(PageTokenError), "another key");
        assert_eq!(format!("{:?}", tokens()), "PageTokens(redacted)");
    }

    #[test]
    fn another_context_does_not_open_it() {
        let token = tokens().seal(b"x", CONTEXT).expect("sealed");
        for at in 0..CONTEXT.len() {
            let mut other = CONTEXT.to_vec();
            other[at] = b"other";
            assert_eq!(tokens().open(&token, &other), Err(PageTokenError), "{at}");
        }
        assert_eq!(tokens().open(&token, &CONTEXT[..4]), Err(PageTokenError));
        let token = tokens().seal(b"x", &[b"ab", b"c"]).expect("sealed");
        assert_eq!(tokens().open(&token, &[b"a", b"bc"]), Err(PageTokenError));
    }

    #[test]
    fn lengths_have_limits() {
        let longest = tokens().seal(&[1; POSITION_BYTES_MAX], CONTEXT).expect("sealed");
        assert_eq!(longest.len(), TOKEN_CHARACTERS_MAX);
        assert!(tokens().open(&longest, CONTEXT).is_ok());
        assert_eq!(
            tokens().seal(&[1; POSITION_BYTES_MAX + 1], CONTEXT),
            Err(PositionTooLong(POSITION_BYTES_MAX + 1))
        );
        for token in [
            "",
            "a",
            "AAAA",
            &"A".repeat(54),
            &"A".repeat(10 << 20),
            "\u{e9}",
            "====",
            &format!("{longest}A"),
        ] {
            assert_eq!(tokens().open(token, CONTEXT), Err(PageTokenError));
        }
    }

    proptest! {
        #[test]
        fn no_character_can_change(position in proptest::collection::vec(any::<u8>(), 0..40), place in any::<prop::sample::Index>(), with in "[A-Za-z0-9_-]") {
            let token = tokens().seal(&position, CONTEXT).expect("sealed");
            prop_assert_eq!(tokens().open(&token, CONTEXT), Ok(position));
            let at = place.index(token.len());
            let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
            if changed != token {
                prop_assert_eq!(tokens().open(&changed, CONTEXT), Err(PageTokenError));
            }
        }
    }
}
