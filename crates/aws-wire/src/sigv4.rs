//! Signature Version 4, in the form of every service but S3: verification in the order AWS checks, and a signer.
//!
//! The path is signed as it came, still encoded, encoded once more and without dot segments; it is never decoded.
//! Both ends share one canonical request. A request is verified in stages, because the steps between need what the crate does
//! not know: [`Presented::read`] (its form), [`Presented::check`] (time and scope), then the caller finds the
//! secret of [`Claim::access_key_id`], then [`Claim::verify`]. For a key that is unknown, [`Claim::refuse_unknown_key`] takes as long.
//! Rule: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

mod canonical;
mod error;
mod instant;
mod presented;
mod secret;
mod sign;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use error::SignatureError;
pub use presented::{Claim, Expected, Presented};
pub use secret::SecretKey;
pub use sign::{SignError, Signer};

use sha2::{Digest, Sha256};

/// The one algorithm: HMAC with SHA-256.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last part of every credential scope.
const TERMINATOR: &str = "aws4_request";

/// The longest life of a presigned URL, in seconds: a week.
pub const EXPIRES_SECONDS_MAX: i64 = 604_800;

/// A request as it came, before anything was decoded.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    pub method: &'a str,
    /// The path as sent, still percent-encoded.
    pub raw_path: &'a str,
    /// What stood after `?`, still percent-encoded; empty without one.
    pub raw_query: &'a str,
    /// With `host`, which HTTP/2 calls `:authority`.
    pub headers: &'a http::HeaderMap,
    /// Of the bytes received.
    pub body_sha256: [u8; 32],
}

/// The hash that [`Received`] wants of a body.
pub fn body_sha256(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// The same hash of a body that comes in pieces.
#[derive(Default)]
pub struct BodyHash(Sha256);

impl BodyHash {
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}
