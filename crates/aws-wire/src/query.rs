//! The query protocol, as far as `aws sts get-caller-identity` needs it: a form in, XML out.

use crate::protocol::{Protocol, response};
use http::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use thiserror::Error;

/// Of STS, the only service served in this protocol.
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// How many pairs a form or a query string may have.
pub const PAIRS_MAX: usize = 1000;

/// A form or query string that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormError {
    #[error("parameter {0} is not percent-encoded UTF-8")]
    Encoding(usize),

    #[error("there are more than {PAIRS_MAX} parameters")]
    TooMany,
}

/// The pairs of a body of type `application/x-www-form-urlencoded`, where `+` is a space.
pub fn parse_form(body: &str) -> Result<Vec<(String, String)>, FormError> {
    pairs(body, true)
}

/// The pairs of a query string, where `+` is a plus sign, as it is for the signature.
pub fn parse_query_string(raw_query: &str) -> Result<Vec<(String, String)>, FormError> {
    pairs(raw_query, false)
}

fn pairs(text: &str, plus_is_space: bool) -> Result<Vec<(String, String)>, FormError> {
    let pieces: Vec<_> = text.split('&').filter(|piece| !piece.is_empty()).take(PAIRS_MAX + 1).collect();
    if pieces.len() > PAIRS_MAX {
        return Err(FormError::TooMany);
    }
    let decoded = |text: &str, at: usize| {
        let text = if plus_is_space { text.replace('+', " ") } else { text.to_owned() };
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
        let bytes = text.as_bytes();
        let whole = (0..bytes.len())
            .all(|at| bytes[at] != b'%' || digit(bytes.get(at + 1)) && digit(bytes.get(at + 2)));
        let decoded = percent_decode_str(&text).decode_utf8().ok().filter(|_| whole);
        decoded.map(|text| text.into_owned()).ok_or(FormError::Encoding(at))
    };
    let numbered = pieces.into_iter().zip(1..);
    let read = numbered.map(|(piece, at)| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        Ok((decoded(name, at)?, decoded(value, at)?))
    });
    read.collect()
}

/// Text as content or attribute of XML 1.0. Characters that XML cannot hold become U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A parser would read a carriage return as a line feed.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

/// The answer of STS `GetCallerIdentity`.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
pub fn caller_identity(arn: &str, user_id: &str, account: &str, request_id: &str) -> Response<Vec<u8>> {
    let xml = format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult><Arn>{}</Arn><UserId>{}</UserId>\
         <Account>{}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>{}</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>",
        escaped(arn),
        escaped(user_id),
        escaped(account),
        escaped(request_id),
    );
    response(StatusCode::OK, Some(Protocol::Query.content_type()), request_id, xml.into_bytes())
}

pub(crate) fn error_xml(fault: &str, code: &str, message: &str, request_id: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{}</RequestId></ErrorResponse>",
        escaped(code),
        escaped(message),
        escaped(request_id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn forms_and_query_strings_differ_in_the_plus() {
        let text = "Action=GetCallerIdentity&a=b+c%2B%C3%A9&&empty=&bare&a=%26%3D";
        let form =
            [("Action", "GetCallerIdentity"), ("a", "b c+é"), ("empty", ""), ("bare", ""), ("a", "&=")];
        assert_eq!(parse_form(text), Ok(owned(&form)));
        assert_eq!(parse_query_string("k=a+b%20c"), Ok(owned(&[("k", "a+b c")])));
        assert_eq!(parse_form(""), Ok(Vec::new()));
    }

    #[test]
    fn broken_and_endless_forms_are_refused() {
        for text in ["a=1&b=%ff", "a=1&b=%4", "a=1&%zz=1", "a=1&b=%"] {
            assert_eq!(parse_form(text), Err(FormError::Encoding(2)), "{text}");
        }
        assert_eq!(parse_form(&"a&".repeat(PAIRS_MAX)).map(|pairs| pairs.len()), Ok(PAIRS_MAX));
        assert_eq!(parse_form(&"a&".repeat(PAIRS_MAX + 1)), Err(FormError::TooMany));
    }

    #[test]
    fn the_identity_is_escaped() {
        let answer =
            caller_identity("arn:aws:iam::123456789012:user/<a&b>", "AIDA\u{1}", "123456789012", "id-1");
        let xml = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(xml.contains("<Arn>arn:aws:iam::123456789012:user/&lt;a&amp;b&gt;</Arn>"), "{xml}");
        assert!(xml.contains("<UserId>AIDA\u{fffd}</UserId><Account>123456789012</Account>"), "{xml}");
        assert_eq!(answer.headers()["content-type"], "text/xml");
        assert_eq!(answer.headers()["x-amzn-requestid"], "id-1");
    }
}
