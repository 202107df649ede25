//! Errors in the words of this service: every one of a client has status 400, as the protocol has it where a model names none.

use aws_wire::errors::WireError;
use back_office::error::{Declined, Error};
use billing::configuration::Refusal;
use http::StatusCode;

/// The reason of a payer whose organization was never read.
pub(super) const NOT_IN_USE: &str = "AWSOrganizationsNotInUseException";
/// What the server itself cannot do.
pub(crate) const INTERNAL: &str = "ServiceException";
/// The member that holds the token of a page.
const NEXT_TOKEN: &str = "NextToken";

/// Something that is not there, or that the caller may not see.
pub(super) fn not_found(kind: &'static str, id: &str) -> Error {
    Error::Declined(Declined::NotFound { kind, id: id.to_owned() })
}

/// A token of a page that was not given out for this request.
pub(super) fn bad_token(message: &str) -> Error {
    let fields = vec![(NEXT_TOKEN.to_owned(), message.to_owned())];
    Error::Declined(Declined::Invalid { message: message.to_owned(), fields })
}

/// What the desk refuses in this service's words.
pub(crate) fn declined(declined: &Declined) -> WireError {
    let message = declined.message();
    match declined {
        Declined::Invalid { fields, .. } => invalid(&message, fields),
        Declined::NotFound { kind, .. } => {
            let code = match *kind {
                "account" => "AccountNotFoundException",
                "parent" => "ParentNotFoundException",
                "child" => "ChildNotFoundException",
                "organizational unit" => "OrganizationalUnitNotFoundException",
                "responsibility transfer" => "ResponsibilityTransferNotFoundException",
                _ => "TargetNotFoundException",
            };
            error(code, &message)
        }
        Declined::Conflict { reason, .. } => error(reason, &message),
        Declined::Limit { .. } => error("ConstraintViolationException", &message),
    }
}

/// What the desk refuses in the words of other services.
pub(crate) fn refused(refusal: &Refusal) -> WireError {
    let fields = match refusal {
        Refusal::Validation { fields, .. } => fields.as_slice(),
        _ => &[],
    };
    invalid(&refusal.to_string(), fields)
}

/// What a caller may not do is answered alike, whatever there is.
pub(crate) fn denied() -> WireError {
    error("AccessDeniedException", "you are not authorized to perform this operation")
}

/// An input that is not valid, with the reason that AWS has for the first member at fault.
pub(crate) fn invalid(message: &str, fields: &[(String, String)]) -> WireError {
    error("InvalidInputException", message).with("Reason", fields.first().map_or("INVALID_PATTERN", reason))
}

/// The reason by what is wrong, as the check of the model says it.
fn reason((name, message): &(String, String)) -> &'static str {
    let says = |words: &str| message.contains(words);
    if name == NEXT_TOKEN && !says("at most") {
        "INVALID_NEXT_TOKEN"
    } else if says("is required") {
        "INPUT_REQUIRED"
    } else if says("is none of") || says("one of") {
        "INVALID_ENUM"
    } else if says("characters") && says("at most") {
        "MAX_LENGTH_EXCEEDED"
    } else if says("characters") && says("at least") {
        "MIN_LENGTH_EXCEEDED"
    } else if says("at most") {
        "MAX_VALUE_EXCEEDED"
    } else if says("at least") {
        "MIN_VALUE_EXCEEDED"
    } else {
        "INVALID_PATTERN"
    }
}

fn error(code: &str, message: &str) -> WireError {
    WireError::new(StatusCode::BAD_REQUEST, code, message)
}
