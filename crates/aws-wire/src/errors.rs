//! An error on its way out, in the form its protocol's clients read.
//!
//! rest-json names the error in the header `x-amzn-errortype`, aws-json in `__type`, the query protocol in XML. Clients take the text from
//! `Message` or `message` by the age of their service's model; aws-json answers hold both.

use crate::json::Value;
use crate::model::RouteError;
use crate::protocol::{Protocol, response};
use crate::query;
use crate::sigv4::SignatureError;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use std::collections::BTreeMap;

/// The header that names an error.
pub const ERROR_TYPE: &str = "x-amzn-errortype";

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    pub status: StatusCode,
    /// Such as `ValidationException`.
    pub code: String,
    pub message: String,
    /// The members of the error's shape beside its message.
    pub members: BTreeMap<String, Value>,
    /// Told in the header `Retry-After`.
    pub retry_after_seconds: Option<u32>,
}

impl WireError {
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (code, message) = (code.into(), message.into());
        Self { status, code, message, members: BTreeMap::new(), retry_after_seconds: None }
    }

    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// A refused signature. The query protocol has older names for some.
    pub fn signature(error: &SignatureError, protocol: Protocol) -> Self {
        let code = if protocol == Protocol::Query { error.query_code() } else { error.code() };
        Self::new(error.status(), code, error.to_string())
    }

    /// Neither path nor target is an operation.
    pub fn unknown_operation(error: &RouteError) -> Self {
        Self::new(StatusCode::NOT_FOUND, "UnknownOperationException", error.to_string())
    }

    /// A body that is not what the protocol sends.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "SerializationException", message)
    }

    pub fn unsupported_media_type(protocol: Protocol) -> Self {
        let wanted = match protocol {
            Protocol::Query => "application/x-www-form-urlencoded",
            other => other.content_type(),
        };
        let message = format!("the content type must be {wanted}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaTypeException", message)
    }

    pub fn request_too_large(size_bytes_max: u64) -> Self {
        let message = format!("the body has more than {size_bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", message)
    }

    pub fn throttled(retry_after_seconds: u32) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", "Rate exceeded");
        Self { retry_after_seconds: Some(retry_after_seconds), ..error }
    }

    /// A fault of the server, of which the client is told nothing but that.
    pub fn internal() -> Self {
        let message = "an internal error occurred; its cause is in the server's log under the request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException", message)
    }

    /// The answer.
    pub fn render(&self, protocol: Protocol, request_id: &str) -> Response<Vec<u8>> {
        let body = match protocol {
            Protocol::RestJson => self.json(&[("Message", &self.message)]),
            Protocol::AwsJson10 | Protocol::AwsJson11 => {
                self.json(&[("__type", &self.code), ("Message", &self.message), ("message", &self.message)])
            }
            Protocol::Query => {
                let fault = if self.status.is_server_error() { "Receiver" } else { "Sender" };
                query::error_xml(fault, &self.code, &self.message, request_id)
            }
        };
        let mut response =
            response(self.status, Some(protocol.content_type()), request_id, body.into_bytes());
        let headers = response.headers_mut();
        // A code is a name in a model; one that is no header value is left out rather than the whole answer.
        if let Ok(code) = HeaderValue::from_str(&self.code) {
            headers.insert(ERROR_TYPE, code);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The members, then `texts`, which a member cannot replace.
    fn json(&self, texts: &[(&str, &str)]) -> String {
        let mut body = self.members.clone();
        body.extend(texts.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))));
        Value::Map(body).to_json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: &WireError, protocol: Protocol) -> String {
        let answer = error.render(protocol, "4c1f");
        let header = |name| {
            answer.headers().get(name).map_or("-", |value: &HeaderValue| value.to_str().expect("text"))
        };
        format!(
            "{} {} {} {} {}\n{}",
            answer.status().as_u16(),
            header("content-type"),
            header(ERROR_TYPE),
            header("x-amzn-requestid"),
            header("retry-after"),
            String::from_utf8_lossy(answer.body()),
        )
    }

    #[test]
    fn each_protocol_has_its_form() {
        let field =
            BTreeMap::from([("Name".to_owned(), Value::from("Name")), ("Message".to_owned(), "long".into())]);
        let error = WireError::new(StatusCode::BAD_REQUEST, "ValidationException", "a <b> & \"c\"")
            .with("Reason", "OTHER")
            .with("Fields", vec![Value::Map(field)]);
        assert_eq!(
            shown(&error, Protocol::RestJson),
            "400 application/json ValidationException 4c1f -\n\
             {\"Fields\":[{\"Message\":\"long\",\"Name\":\"Name\"}],\"Message\":\"a <b> & \\\"c\\\"\",\"Reason\":\"OTHER\"}"
        );
        assert_eq!(
            shown(&WireError::throttled(3), Protocol::AwsJson11),
            "429 application/x-amz-json-1.1 ThrottlingException 4c1f 3\n\
             {\"Message\":\"Rate exceeded\",\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}"
        );
        let xml = shown(&error, Protocol::Query);
        assert!(xml.starts_with("400 text/xml"), "{xml}");
        assert!(xml.contains("<Type>Sender</Type><Code>ValidationException</Code><Message>a &lt;b&gt; &amp; &quot;c&quot;</Message>"), "{xml}");
        assert!(xml.contains("<RequestId>4c1f</RequestId>"), "{xml}");
    }

    #[test]
    fn a_member_does_not_replace_the_message() {
        let error = WireError::internal().with("Message", "secret").with("__type", "Other");
        let body = shown(&error, Protocol::AwsJson10);
        assert!(!body.contains("secret") && !body.contains("Other"), "{body}");
    }

    #[test]
    fn what_stops_a_request_has_status_and_name() {
        let signature = SignatureError::Mismatch;
        for (error, status, code) in [
            (WireError::signature(&signature, Protocol::RestJson), 403, "InvalidSignatureException"),
            (WireError::signature(&signature, Protocol::Query), 403, "SignatureDoesNotMatch"),
            (
                WireError::unknown_operation(&RouteError::UnknownOperation("GET /".to_owned())),
                404,
                "UnknownOperationException",
            ),
            (WireError::serialization("line 1"), 400, "SerializationException"),
            (WireError::unsupported_media_type(Protocol::Query), 415, "UnsupportedMediaTypeException"),
            (WireError::request_too_large(1), 413, "RequestEntityTooLargeException"),
            (WireError::internal(), 500, "InternalServerException"),
        ] {
            assert_eq!((error.status.as_u16(), error.code.as_str()), (status, code));
        }
    }
}
