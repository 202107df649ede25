//! The server's side: what a request presents, checked in AWS's order.

use super::canonical::{self, Canonical};
use super::{ALGORITHM, EXPIRES_SECONDS_MAX, Received, SecretKey, SignatureError, TERMINATOR, hex, instant};
use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE, HOST};
use subtle::ConstantTimeEq;

/// A signature whose form is right. It proves nothing yet.
#[derive(Debug, Clone)]
pub struct Presented {
    credential: String,
    signed_headers: Vec<String>,
    signature: String,
    time: String,
    time_seconds: i64,
    /// Of a presigned URL.
    expires_seconds: Option<i64>,
    has_session_token: bool,
}

/// What the server wants of a request's time and scope.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The signing name of the service that the request is routed to.
    pub service: &'a str,
    /// Without it, any region: a client with a custom endpoint signs for whichever it is set to.
    pub regions: Option<&'a [String]>,
    pub now_seconds: i64,
    /// How far the client's clock may be off, either way. AWS's JSON services allow 300.
    pub window_seconds: i64,
}

/// A request of the right time and scope, that names a key. It is verified with that key's secret.
#[derive(Debug, Clone)]
pub struct Claim {
    presented: Presented,
    access_key_id: String,
    date: String,
    region: String,
    service: String,
}

/// The parameters of a signature, wherever they stood.
struct Parameters {
    credential: String,
    signature: String,
    signed_headers: String,
    time: String,
    expires_seconds: Option<i64>,
    has_session_token: bool,
    payload_hash: Option<String>,
}

impl Presented {
    /// Checks the form: the path and query, which of the two forms it is, its parameters, which headers are signed, the
    /// declared hash of the body, the date.
    pub fn read(received: &Received<'_>) -> Result<Self, SignatureError> {
        canonical::path(received.raw_path)?;
        let pairs = canonical::query_pairs(received.raw_query)?;
        let in_header = received.headers.contains_key(AUTHORIZATION);
        let in_query = pairs.iter().any(|(name, _)| name == b"X-Amz-Algorithm");
        let parameters = match (in_header, in_query) {
            (true, true) => return Err(SignatureError::BothForms),
            (false, false) => return Err(SignatureError::Missing),
            (true, false) => in_headers(received.headers)?,
            (false, true) => in_pairs(received.method, &pairs)?,
        };
        let signed_headers = signed_headers(&parameters.signed_headers)?;
        covers(&signed_headers, received.headers)?;
        payload(parameters.payload_hash.as_deref(), &received.body_sha256)?;
        let time_seconds = instant::parse(&parameters.time)
            .ok_or_else(|| SignatureError::DateForm(parameters.time.clone()))?;
        Ok(Self {
            credential: parameters.credential,
            signed_headers,
            signature: parameters.signature,
            time: parameters.time,
            time_seconds,
            expires_seconds: parameters.expires_seconds,
            has_session_token: parameters.has_session_token,
        })
    }

    /// The service that the request is signed for, to route by; `None` if the credential is malformed, which [`Self::check`] says.
    pub fn service(&self) -> Option<&str> {
        let parts: Vec<_> = self.credential.split('/').collect();
        (parts.len() == 5).then(|| parts[3])
    }

    pub fn is_presigned(&self) -> bool {
        self.expires_seconds.is_some()
    }

    /// The signed time, in seconds since 1970.
    pub fn time_seconds(&self) -> i64 {
        self.time_seconds
    }

    /// Lower case, in order.
    pub fn signed_headers(&self) -> &[String] {
        &self.signed_headers
    }

    /// Checks the time, the scope, and that there is no session token, in this order.
    pub fn check(self, expected: &Expected<'_>) -> Result<Claim, SignatureError> {
        self.check_time(expected.now_seconds, expected.window_seconds)?;
        let parts: Vec<String> = self.credential.split('/').map(str::to_owned).collect();
        let Ok([access_key_id, date, region, service, terminator]) = <[String; 5]>::try_from(parts) else {
            return Err(SignatureError::CredentialForm(self.credential));
        };
        if region.is_empty() || expected.regions.is_some_and(|regions| !regions.contains(&region)) {
            return Err(SignatureError::Region(region));
        }
        if service != expected.service {
            return Err(SignatureError::Service { expected: expected.service.to_owned(), given: service });
        }
        if terminator != TERMINATOR {
            return Err(SignatureError::Terminator(terminator));
        }
        if date != self.time[..8] {
            let (day, time) = (self.time[..8].to_owned(), self.time);
            return Err(SignatureError::ScopeDate { scope: date, day, time });
        }
        if self.has_session_token {
            return Err(SignatureError::SessionToken);
        }
        Ok(Claim { presented: self, access_key_id, date, region, service })
    }

    /// A header's signature lives for the window; a presigned URL until its own end, and begins no earlier than the window before
    /// its date.
    fn check_time(&self, now: i64, window: i64) -> Result<(), SignatureError> {
        let life = self.expires_seconds.unwrap_or(window);
        let text = |seconds| instant::format(seconds);
        let time = self.time.clone();
        if self.time_seconds < now.saturating_sub(life) {
            let earliest = text(now.saturating_sub(life));
            return Err(SignatureError::Expired {
                time,
                earliest,
                now: text(now),
                allowance: allowance(life),
            });
        }
        if self.time_seconds > now.saturating_add(window) {
            let latest = text(now.saturating_add(window));
            return Err(SignatureError::NotYetCurrent {
                time,
                latest,
                now: text(now),
                allowance: allowance(window),
            });
        }
        Ok(())
    }
}

impl Claim {
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    pub fn is_presigned(&self) -> bool {
        self.presented.is_presigned()
    }

    /// Compares the signature, in a time that does not depend on where it differs.
    pub fn verify(&self, received: &Received<'_>, secret: &SecretKey) -> Result<(), SignatureError> {
        let expected = self.expected_signature(received, secret)?;
        let equal: bool = expected.as_bytes().ct_eq(self.presented.signature.as_bytes()).into();
        if equal { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    /// The answer to a key that is unknown or inactive, after the work of a verification, so that the time tells nothing.
    pub fn refuse_unknown_key(&self, received: &Received<'_>) -> SignatureError {
        let nobody = SecretKey::new("0".repeat(40));
        match self.verify(received, &nobody) {
            Ok(()) | Err(_) => SignatureError::UnknownKey,
        }
    }

    fn expected_signature(
        &self,
        received: &Received<'_>,
        secret: &SecretKey,
    ) -> Result<String, SignatureError> {
        let query = canonical::query(&canonical::query_pairs(received.raw_query)?, self.is_presigned());
        let canonical = Canonical {
            method: received.method,
            path: &canonical::path(received.raw_path)?,
            query: &query,
            headers: received.headers,
            signed_headers: &self.presented.signed_headers,
            body_sha256: &received.body_sha256,
        };
        let (date, region, service) = (&self.date, &self.region, &self.service);
        let text = canonical::string_to_sign(&canonical.bytes(), &self.presented.time, date, region, service);
        Ok(secret.signature(date, region, service, text.as_bytes()))
    }
}

/// `15 min`, or seconds where minutes are not whole.
fn allowance(seconds: i64) -> String {
    if seconds % 60 == 0 { format!("{} min", seconds / 60) } else { format!("{seconds} s") }
}

/// The only value of a header, if it has one.
fn single(headers: &HeaderMap, name: &str) -> Result<Option<String>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    match values.next() {
        Some(_) => Err(SignatureError::Duplicate(name.to_owned())),
        None => Ok(first),
    }
}

/// The parameters of the Authorization header.
fn in_headers(headers: &HeaderMap) -> Result<Parameters, SignatureError> {
    let authorization = single(headers, AUTHORIZATION.as_str())?.unwrap_or_default();
    let (algorithm, rest) = authorization.split_once(' ').unwrap_or((&authorization, ""));
    if algorithm != ALGORITHM {
        return Err(SignatureError::UnsupportedAlgorithm(algorithm.to_owned()));
    }
    let (mut credential, mut signature, mut signed_headers) = (None, None, None);
    for piece in rest.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        let (name, value) =
            piece.split_once('=').ok_or_else(|| SignatureError::NotAPair(piece.to_owned()))?;
        let place = match name {
            "Credential" => &mut credential,
            "Signature" => &mut signature,
            "SignedHeaders" => &mut signed_headers,
            _ => return Err(SignatureError::UnknownParameter(name.to_owned())),
        };
        if place.replace(value.to_owned()).is_some() {
            return Err(SignatureError::Duplicate(name.to_owned()));
        }
    }
    let time = match single(headers, "x-amz-date")? {
        Some(time) => Some(time),
        None => single(headers, DATE.as_str())?,
    };
    let mut missing = Vec::new();
    for (name, value) in
        [("Credential", &credential), ("Signature", &signature), ("SignedHeaders", &signed_headers)]
    {
        if value.as_deref().is_none_or(str::is_empty) {
            missing.push(format!("Authorization header requires '{name}' parameter."));
        }
    }
    if time.is_none() {
        missing.push(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
        );
    }
    let (Some(credential), Some(signature), Some(signed_headers), Some(time), true) =
        (credential, signature, signed_headers, time, missing.is_empty())
    else {
        return Err(SignatureError::MissingParameters(missing.join(" ")));
    };
    Ok(Parameters {
        credential,
        signature,
        signed_headers,
        time,
        expires_seconds: None,
        has_session_token: headers.contains_key("x-amz-security-token"),
        payload_hash: single(headers, "x-amz-content-sha256")?,
    })
}

/// The parameters of a presigned URL.
fn in_pairs(method: &str, pairs: &[(Vec<u8>, Vec<u8>)]) -> Result<Parameters, SignatureError> {
    let one = |name: &str| -> Result<Option<String>, SignatureError> {
        let mut values = pairs.iter().filter(|(given, _)| given == name.as_bytes()).map(|(_, value)| value);
        let first = values.next().map(|value| String::from_utf8_lossy(value).into_owned());
        match values.next() {
            Some(_) => Err(SignatureError::Duplicate(name.to_owned())),
            None => Ok(first),
        }
    };
    let algorithm = one("X-Amz-Algorithm")?.unwrap_or_default();
    if algorithm != ALGORITHM {
        return Err(SignatureError::UnsupportedAlgorithm(algorithm));
    }
    let mut missing = Vec::new();
    let mut required = |name: &str| -> Result<String, SignatureError> {
        let value = one(name)?.filter(|value| !value.is_empty());
        Ok(value.unwrap_or_else(|| {
            missing.push(format!("AWS query-string parameters must include '{name}'."));
            String::new()
        }))
    };
    let credential = required("X-Amz-Credential")?;
    let signature = required("X-Amz-Signature")?;
    let signed_headers = required("X-Amz-SignedHeaders")?;
    let time = required("X-Amz-Date")?;
    let expires = required("X-Amz-Expires")?;
    if !missing.is_empty() {
        return Err(SignatureError::MissingParameters(format!(
            "{} Re-examine the query-string parameters.",
            missing.join(" ")
        )));
    }
    if method != "GET" {
        return Err(SignatureError::PresignedMethod(method.to_owned()));
    }
    let digits = (1..=6).contains(&expires.len()) && expires.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if digits { expires.parse::<i64>().ok() } else { None };
    let Some(expires_seconds) = seconds.filter(|seconds| (1..=EXPIRES_SECONDS_MAX).contains(seconds)) else {
        return Err(SignatureError::Expires(expires));
    };
    Ok(Parameters {
        credential,
        signature,
        signed_headers,
        time,
        expires_seconds: Some(expires_seconds),
        has_session_token: one("X-Amz-Security-Token")?.is_some(),
        payload_hash: one("X-Amz-Content-Sha256")?,
    })
}

/// The names of `SignedHeaders`.
fn signed_headers(text: &str) -> Result<Vec<String>, SignatureError> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let lower = |name: &String| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if !names.iter().all(lower) || !names.is_sorted_by(|a, b| a < b) {
        return Err(SignatureError::SignedHeadersForm(text.to_owned()));
    }
    Ok(names)
}

/// Headers that decide what a request means: each must be signed where it is present, and may be there once.
fn is_decisive(name: &str) -> bool {
    name == HOST || name == "content-type" || name.starts_with("x-amz-") || name.starts_with("x-amzn-client-")
}

/// Checks that the signature covers `host` and every header that decides what the request means.
fn covers(signed: &[String], headers: &HeaderMap) -> Result<(), SignatureError> {
    if !signed.iter().any(|name| name == HOST.as_str()) {
        return Err(SignatureError::HostNotSigned);
    }
    for name in headers.keys().map(http::HeaderName::as_str).filter(|name| is_decisive(name)) {
        single(headers, name)?;
        if !signed.iter().any(|signed| signed == name) {
            return Err(SignatureError::HeaderNotSigned(name.to_owned()));
        }
    }
    match signed.iter().find(|name| !headers.contains_key(name.as_str())) {
        Some(absent) => Err(SignatureError::SignedHeaderAbsent(absent.clone())),
        None => Ok(()),
    }
}

/// Checks a declared hash against the body's own.
fn payload(declared: Option<&str>, body_sha256: &[u8; 32]) -> Result<(), SignatureError> {
    match declared {
        None => Ok(()),
        Some(text) if text == "UNSIGNED-PAYLOAD" || text.starts_with("STREAMING-") => {
            Err(SignatureError::UnsignedPayload(text.to_owned()))
        }
        Some(text) if text == hex(body_sha256) => Ok(()),
        Some(_) => Err(SignatureError::PayloadMismatch),
    }
}
