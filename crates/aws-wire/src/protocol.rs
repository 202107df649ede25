//! The protocols AWS services speak, and how a success looks in each.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

/// The header that every answer carries, also an error's.
pub const REQUEST_ID: &str = "x-amzn-requestid";

/// What a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Operations are methods and paths.
    RestJson,
    /// Operations are named by `X-Amz-Target`.
    AwsJson10,
    AwsJson11,
    /// A form with `Action`, answered in XML. STS speaks it.
    Query,
}

impl Protocol {
    /// The type of requests with a body, and of answers.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::RestJson => "application/json",
            Self::AwsJson10 => "application/x-amz-json-1.0",
            Self::AwsJson11 => "application/x-amz-json-1.1",
            Self::Query => "text/xml",
        }
    }

    /// Whether a request's content type, without parameters, is the protocol's. `None` is one without the header.
    pub fn takes(self, content_type: Option<&str>) -> bool {
        let given =
            content_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        match (self, given.as_deref()) {
            (Self::Query, Some(given)) => given == "application/x-www-form-urlencoded",
            (Self::RestJson, None) => true,
            (_, Some(given)) => given == self.content_type(),
            (_, None) => false,
        }
    }
}

/// A success in a JSON protocol. A status without content, such as 204, has no body: HTTP clients drop one.
pub fn success<T: Serialize>(
    protocol: Protocol,
    status: StatusCode,
    request_id: &str,
    output: &T,
) -> Result<Response<Vec<u8>>, serde_json::Error> {
    let empty = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
    let body = if empty { Vec::new() } else { serde_json::to_vec(output)? };
    Ok(response(status, (!empty).then(|| protocol.content_type()), request_id, body))
}

/// An answer with what every answer has.
pub(crate) fn response(
    status: StatusCode,
    content_type: Option<&'static str>,
    request_id: &str,
    body: Vec<u8>,
) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    // An id that is no header value is a caller's mistake that must not cost the answer.
    let id = HeaderValue::from_str(request_id).unwrap_or(HeaderValue::from_static("invalid"));
    headers.insert(REQUEST_ID, id);
    response
}

#[test]
fn content_types_are_told_apart() {
    use Protocol::{AwsJson10, AwsJson11, Query, RestJson};
    assert!(RestJson.takes(None) && RestJson.takes(Some("application/json; charset=utf-8")));
    assert!(AwsJson11.takes(Some("application/x-amz-json-1.1")));
    assert!(Query.takes(Some("application/x-www-form-urlencoded; charset=utf-8")));
    for (protocol, given) in [
        (RestJson, Some("text/xml")),
        (AwsJson10, None),
        (AwsJson10, Some("application/x-amz-json-1.1")),
        (AwsJson11, Some("application/json")),
        (Query, None),
        (Query, Some("text/xml")),
    ] {
        assert!(!protocol.takes(given), "{protocol:?} {given:?}");
    }
}

#[test]
fn a_success_has_an_id_and_a_type() {
    let answer = success(Protocol::AwsJson10, StatusCode::OK, "id-1", &[1]).expect("written");
    assert_eq!(
        (answer.body().as_slice(), &answer.headers()[REQUEST_ID]),
        (&b"[1]"[..], &HeaderValue::from_static("id-1"))
    );
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/x-amz-json-1.0");
    let empty = success(Protocol::RestJson, StatusCode::NO_CONTENT, "id", &[1]).expect("written");
    assert!(empty.body().is_empty() && !empty.headers().contains_key(CONTENT_TYPE));
}
