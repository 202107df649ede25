//! Why a request is not who it says: one variant per check, in the order AWS checks, with AWS's texts.

use http::StatusCode;
use thiserror::Error;

/// A refused signature. Variants stand in the order of the checks: the first that fails answers.
///
/// Texts are AWS's where it has one. None of them holds the expected signature, nor a canonical request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    #[error("the path `{path}` is malformed: {problem}")]
    MalformedPath { path: String, problem: &'static str },

    #[error("The query string contains a syntax error: each `%` needs two hexadecimal digits after it.")]
    MalformedQuery,

    #[error(
        "The request is signed both in its Authorization header and in its query string; use one of them."
    )]
    BothForms,

    #[error("Missing Authentication Token")]
    Missing,

    #[error("Unsupported AWS 'algorithm': '{0}'.")]
    UnsupportedAlgorithm(String),

    #[error("'{0}' not a valid key=value pair (missing equal-sign) in Authorization header.")]
    NotAPair(String),

    #[error("'{0}' is given more than once.")]
    Duplicate(String),

    #[error("'{0}' is not a parameter of the Authorization header.")]
    UnknownParameter(String),

    #[error("{0}")]
    MissingParameters(String),

    #[error("A request signed in its query string must be a GET, not '{0}'.")]
    PresignedMethod(String),

    #[error("X-Amz-Expires must be a whole number of seconds from 1 to 604800, not '{0}'.")]
    Expires(String),

    #[error("SignedHeaders must be lower case, in order, each once, not '{0}'.")]
    SignedHeadersForm(String),

    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,

    #[error("'{0}' must be a 'SignedHeader' in the AWS Authorization.")]
    HeaderNotSigned(String),

    #[error("'{0}' is a 'SignedHeader' in the AWS Authorization, but the request has no such header.")]
    SignedHeaderAbsent(String),

    #[error("The payload must be signed: '{0}' is not supported.")]
    UnsignedPayload(String),

    #[error("The value of x-amz-content-sha256 is not the SHA-256 of the body received.")]
    PayloadMismatch,

    #[error("Date must be in ISO-8601 'basic format'. Got '{0}'. See http://en.wikipedia.org/wiki/ISO_8601")]
    DateForm(String),

    #[error("Signature expired: {time} is now earlier than {earliest} ({now} - {allowance}.)")]
    Expired { time: String, earliest: String, now: String, allowance: String },

    #[error("Signature not yet current: {time} is still later than {latest} ({now} + {allowance}.)")]
    NotYetCurrent { time: String, latest: String, now: String, allowance: String },

    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{0}'"
    )]
    CredentialForm(String),

    #[error("Credential should be scoped to a valid region, not '{0}'.")]
    Region(String),

    #[error("Credential should be scoped to correct service: '{expected}', not '{given}'.")]
    Service { expected: String, given: String },

    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{0}'.")]
    Terminator(String),

    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{day}', from '{time}'."
    )]
    ScopeDate { scope: String, day: String, time: String },

    #[error(
        "The security token included in the request is invalid: this server issues no session tokens; sign with an access key alone."
    )]
    SessionToken,

    #[error("The security token included in the request is invalid.")]
    UnknownKey,

    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl SignatureError {
    /// The name of the error in the JSON protocols.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedPath { .. } => "MalformedHttpRequestException",
            Self::MalformedQuery => "MalformedQueryString",
            Self::Missing => "MissingAuthenticationTokenException",
            Self::UnsupportedAlgorithm(_)
            | Self::NotAPair(_)
            | Self::Duplicate(_)
            | Self::UnknownParameter(_)
            | Self::MissingParameters(_)
            | Self::PresignedMethod(_)
            | Self::Expires(_)
            | Self::SignedHeadersForm(_)
            | Self::DateForm(_)
            | Self::CredentialForm(_) => "IncompleteSignatureException",
            Self::SessionToken | Self::UnknownKey => "UnrecognizedClientException",
            Self::BothForms
            | Self::HostNotSigned
            | Self::HeaderNotSigned(_)
            | Self::SignedHeaderAbsent(_)
            | Self::UnsignedPayload(_)
            | Self::PayloadMismatch
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::Region(_)
            | Self::Service { .. }
            | Self::Terminator(_)
            | Self::ScopeDate { .. }
            | Self::Mismatch => "InvalidSignatureException",
        }
    }

    /// The name of the error in the query protocol, which has older ones.
    pub fn query_code(&self) -> &'static str {
        match self.code() {
            "MalformedHttpRequestException" => "MalformedHttpRequest",
            "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
            "IncompleteSignatureException" => "IncompleteSignature",
            "UnrecognizedClientException" => "InvalidClientTokenId",
            "InvalidSignatureException" => "SignatureDoesNotMatch",
            other => other,
        }
    }

    /// 400 for what is malformed, 403 for what is refused.
    pub fn status(&self) -> StatusCode {
        match self.code() {
            "MalformedHttpRequestException" | "MalformedQueryString" | "IncompleteSignatureException" => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::FORBIDDEN,
        }
    }
}
