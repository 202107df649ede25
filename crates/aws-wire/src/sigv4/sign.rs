//! The client's side: a request signed in its headers, or as a URL.

use super::canonical::{self, Canonical};
use super::{ALGORITHM, EXPIRES_SECONDS_MAX, Received, SecretKey, SignatureError, TERMINATOR, instant};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue};
use thiserror::Error;

/// Headers that proxies and clients change on the way, or that carry the signature itself.
const UNSIGNED: &[&str] =
    &["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// Who signs, when, and for what.
#[derive(Debug, Clone)]
pub struct Signer<'a> {
    pub access_key_id: &'a str,
    pub secret: &'a SecretKey,
    pub region: &'a str,
    pub service: &'a str,
    /// Since 1970.
    pub time_seconds: i64,
}

/// A request that cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    #[error(transparent)]
    Malformed(#[from] SignatureError),

    #[error("the request has no `host` header; set it to what the server is called with")]
    NoHost,

    #[error("access key id `{0}` does not fit into a header")]
    AccessKeyId(String),

    #[error("a presigned URL lives 1 to 604800 seconds, not {0}")]
    Expires(i64),
}

impl Signer<'_> {
    /// The headers to add: `x-amz-date` and `authorization`. All headers of the request are signed but those that change on the way.
    pub fn sign(&self, request: &Received<'_>) -> Result<HeaderMap, SignError> {
        let time = instant::format(self.time_seconds);
        let mut headers = request.headers.clone();
        let date = HeaderValue::from_str(&time).map_err(|_| SignError::Expires(self.time_seconds))?;
        headers.insert("x-amz-date", date.clone());
        let names = names(&headers)?;
        let query = canonical::query(&canonical::query_pairs(request.raw_query)?, false);
        let signature = self.signature(request, &headers, &names, &query, &time)?;
        let authorization = format!(
            "{ALGORITHM} Credential={}, SignedHeaders={}, Signature={signature}",
            self.credential(&time),
            names.join(";"),
        );
        let authorization = HeaderValue::from_str(&authorization)
            .map_err(|_| SignError::AccessKeyId(self.access_key_id.to_owned()))?;
        let mut added = HeaderMap::new();
        added.insert("x-amz-date", date);
        added.insert(AUTHORIZATION, authorization);
        Ok(added)
    }

    /// The raw query of a signed URL, that lives for some seconds. A server of ours takes it for GET only.
    pub fn presign(&self, request: &Received<'_>, expires_seconds: i64) -> Result<String, SignError> {
        if !(1..=EXPIRES_SECONDS_MAX).contains(&expires_seconds) {
            return Err(SignError::Expires(expires_seconds));
        }
        let time = instant::format(self.time_seconds);
        let names = names(request.headers)?;
        let mut pairs = canonical::query_pairs(request.raw_query)?;
        for (name, value) in [
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &self.credential(&time)),
            ("X-Amz-Date", &time),
            ("X-Amz-Expires", &expires_seconds.to_string()),
            ("X-Amz-SignedHeaders", &names.join(";")),
        ] {
            pairs.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
        let query = canonical::query(&pairs, true);
        let signature = self.signature(request, request.headers, &names, &query, &time)?;
        Ok(format!("{query}&X-Amz-Signature={signature}"))
    }

    fn credential(&self, time: &str) -> String {
        format!("{}/{}/{}/{}/{TERMINATOR}", self.access_key_id, &time[..8], self.region, self.service)
    }

    fn signature(
        &self,
        request: &Received<'_>,
        headers: &HeaderMap,
        names: &[String],
        query: &str,
        time: &str,
    ) -> Result<String, SignError> {
        let canonical = Canonical {
            method: request.method,
            path: &canonical::path(request.raw_path)?,
            query,
            headers,
            signed_headers: names,
            body_sha256: &request.body_sha256,
        };
        let text = canonical::string_to_sign(&canonical.bytes(), time, &time[..8], self.region, self.service);
        Ok(self.secret.signature(&time[..8], self.region, self.service, text.as_bytes()))
    }
}

/// The names of the headers to sign, in order.
fn names(headers: &HeaderMap) -> Result<Vec<String>, SignError> {
    if !headers.contains_key(HOST) {
        return Err(SignError::NoHost);
    }
    let names = headers.keys().map(|name| name.as_str().to_owned());
    let mut names: Vec<_> = names.filter(|name| !UNSIGNED.contains(&name.as_str())).collect();
    names.sort();
    Ok(names)
}
