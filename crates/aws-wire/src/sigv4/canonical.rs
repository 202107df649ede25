//! The canonical request and the string to sign: what both ends must agree on, byte by byte.

use super::{ALGORITHM, SignatureError, TERMINATOR, hex};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

/// All but AWS's unreserved characters: letters, digits, `-`, `.`, `_`, `~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name or value, encoded as AWS encodes it.
pub(super) fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

/// Whether each `%` is followed by two hexadecimal digits.
fn escapes_are_whole(text: &str) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || digit(bytes.get(at + 1)) && digit(bytes.get(at + 2)))
}

/// A raw path without empty and dot segments, encoded once more.
pub(super) fn path(raw_path: &str) -> Result<String, SignatureError> {
    let malformed = |problem| SignatureError::MalformedPath { path: raw_path.to_owned(), problem };
    if !escapes_are_whole(raw_path) {
        return Err(malformed("a `%` is not followed by two hexadecimal digits"));
    }
    let Some(relative) = raw_path.strip_prefix('/') else {
        return Err(malformed("it does not begin with `/`"));
    };
    let mut kept = Vec::new();
    for segment in relative.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop().ok_or_else(|| malformed("it leads above the root"))?;
            }
            _ => kept.push(encode(segment.as_bytes())),
        }
    }
    // AWS's signers keep the slash of `/a/`, and make none of `/a/b/..`.
    let end = if raw_path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    Ok(format!("/{}{end}", kept.join("/")))
}

/// A name and its value, decoded to bytes.
type Pair = (Vec<u8>, Vec<u8>);

/// The pairs of a raw query, decoded to bytes, in the order they came. `+` is a plus sign: SDKs write a space as `%20`.
pub(super) fn query_pairs(raw_query: &str) -> Result<Vec<Pair>, SignatureError> {
    if !escapes_are_whole(raw_query) {
        return Err(SignatureError::MalformedQuery);
    }
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pieces = raw_query.split('&').filter(|piece| !piece.is_empty());
    Ok(pieces
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (decoded(name), decoded(value))
        })
        .collect())
}

/// Pairs encoded and in order, without the signature of the presigned form.
pub(super) fn query(pairs: &[Pair], presigned: bool) -> String {
    let mut encoded: Vec<_> = pairs
        .iter()
        .filter(|(name, _)| !(presigned && name == b"X-Amz-Signature"))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    encoded.sort();
    let joined: Vec<_> = encoded.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

/// One header's line: its values trimmed, runs of spaces made one, several values joined by commas.
fn header_line(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let values = headers.get_all(name).iter().map(|value| {
        let words = value.as_bytes().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(&b' ')
    });
    let values = values.collect::<Vec<_>>().join(&b',');
    [name.as_bytes(), b":", &values, b"\n"].concat()
}

/// The parts of a canonical request; path and query already canonical.
pub(super) struct Canonical<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    /// Lower case, in order.
    pub signed_headers: &'a [String],
    pub body_sha256: &'a [u8; 32],
}

impl Canonical<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\n{}\n{}\n", self.method, self.path, self.query).into_bytes();
        for name in self.signed_headers {
            bytes.extend(header_line(self.headers, name));
        }
        let end = format!("\n{}\n{}", self.signed_headers.join(";"), hex(self.body_sha256));
        bytes.extend(end.into_bytes());
        bytes
    }
}

/// The string to sign of a canonical request at a time, in a scope.
pub(super) fn string_to_sign(
    canonical: &[u8],
    time: &str,
    date: &str,
    region: &str,
    service: &str,
) -> String {
    let hash = hex(&Sha256::digest(canonical));
    format!("{ALGORITHM}\n{time}\n{date}/{region}/{service}/{TERMINATOR}\n{hash}")
}
