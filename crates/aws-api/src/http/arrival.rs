//! A request's body on its way in: read to its end, neither longer nor slower than allowed.
//!
//! A stranger, and whoever names a key without having its secret, learns nothing here: which bodies are waited for follows from the request
//! alone. What a key decides is only whether the bytes of a large body are kept; no more than a few are at once, whoever sends them.

use super::Server;
use crate::{AWS_BODY_BYTES_MAX, BODY_BYTES_MAX};
use aws_wire::errors::WireError;
use aws_wire::sigv4::BodyHash;
use axum::body::{Body, HttpBody};
use http::{HeaderMap, StatusCode, header};
use std::future::poll_fn;
use std::pin::Pin;
use tokio::sync::OwnedSemaphorePermit;

/// The largest headers of a request, names and values.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// A body that has arrived.
pub(super) struct Arrived {
    /// Of all the bytes.
    pub sha256: [u8; 32],
    /// The bytes; `None` where they are many and no key that may be used was named, or there was no room: memory for a book is for those who may
    /// have one.
    pub bytes: Option<Vec<u8>>,
    /// The room of a large body, until it is answered.
    _room: Option<OwnedSemaphorePermit>,
}

impl Server {
    /// The body, to its end.
    pub(super) async fn arrived(&self, headers: &HeaderMap, body: Body) -> Result<Arrived, WireError> {
        let head: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if head > HEADER_BYTES_MAX {
            let message = format!("the headers have more than {HEADER_BYTES_MAX} bytes");
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(WireError::new(status, "RequestHeaderSectionTooLarge", message));
        }
        // Of two lengths a proxy may believe the other one; AWS's clients say how long a body is.
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(WireError::serialization("a request says its length and has no transfer encoding"));
        }
        let claimed = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let claimed = claimed.and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
        let named = named_key(headers);
        let most = if named.is_some() { BODY_BYTES_MAX } else { AWS_BODY_BYTES_MAX };
        if claimed > most {
            return Err(WireError::request_too_large(most as u64));
        }
        let is_large = claimed > AWS_BODY_BYTES_MAX;
        let room = match named {
            // Whatever key is named waits alike: that there is no room is said to whoever turns out to have the secret.
            Some(id) if is_large => match self.limits.large_body().await {
                Some(room) if self.is_usable(id).await => Some(room),
                _ => None,
            },
            _ => None,
        };
        let is_kept = !is_large || room.is_some();
        match tokio::time::timeout(self.options.arrival, taken(body, most, is_kept)).await {
            Ok(taken) => taken.map(|(sha256, bytes)| Arrived { sha256, bytes, _room: room }),
            Err(_) => Err(WireError::new(
                StatusCode::REQUEST_TIMEOUT,
                "RequestTimeout",
                "the body did not arrive in time",
            )),
        }
    }

    /// Whether a key may be used. Whether the request has its secret is known only after the body.
    async fn is_usable(&self, access_key_id: &str) -> bool {
        matches!(self.api.desk.key(access_key_id).await, Ok(Some(key)) if key.is_active)
    }
}

/// The id of the key that a request names in its head.
fn named_key(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = header.split_once("Credential=")?;
    credential.split_once('/').map(|(id, _)| id)
}

/// Takes what comes; the bytes are kept, or only their hash is.
async fn taken(mut body: Body, most: usize, is_kept: bool) -> Result<([u8; 32], Option<Vec<u8>>), WireError> {
    let (mut hash, mut kept, mut length) = (BodyHash::default(), Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|_| WireError::serialization("the body is not as long as its length says"))?;
        let Ok(bytes) = frame.into_data() else { continue };
        length += bytes.len();
        // What has no length of its own ends here at the latest.
        if length > most {
            return Err(WireError::request_too_large(most as u64));
        }
        hash.update(&bytes);
        if is_kept {
            kept.extend_from_slice(&bytes);
        }
    }
    Ok((hash.finish(), is_kept.then_some(kept)))
}
