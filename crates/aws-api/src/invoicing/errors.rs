//! Errors in the words of this service: members begin with a small letter, and every error of a client has status 400, as the protocol has it where a
//! model names none.

use aws_wire::errors::WireError;
use aws_wire::json::Value;
use back_office::invoicing::InvoicingRefusal;
use billing::configuration::{Refusal, ValidationReason};
use http::StatusCode;
use std::collections::BTreeMap;

/// What the desk refuses in this service's own words.
pub(crate) fn refused(refusal: InvoicingRefusal) -> WireError {
    let message = refusal.to_string();
    match refusal {
        InvoicingRefusal::Invalid { reason, fields, .. } => invalid(reason.name(), message, fields),
        InvoicingRefusal::NotFound { name, .. } => {
            error("ResourceNotFoundException", message).with("resourceName", name)
        }
        InvoicingRefusal::Conflict { kind, id, .. } => {
            error("ConflictException", message).with("resourceId", id).with("resourceType", kind)
        }
        InvoicingRefusal::Quota(_) => error("ServiceQuotaExceededException", message),
    }
}

/// What the desk refuses in the words of other services.
pub(crate) fn refused_otherwise(refusal: Refusal) -> WireError {
    let message = refusal.to_string();
    match refusal {
        Refusal::Validation { reason, fields, .. } => {
            let reason = match reason {
                ValidationReason::FieldValidationFailed => "fieldValidationFailed",
                ValidationReason::CannotParse => "cannotParse",
                ValidationReason::UnknownOperation => "unknownOperation",
                _ => "other",
            };
            invalid(reason, message, fields)
        }
        Refusal::Denied(_) => denied(),
        Refusal::NotFound { id, .. } => error("ResourceNotFoundException", message).with("resourceName", id),
        Refusal::Conflict { kind, id, .. } => {
            error("ConflictException", message).with("resourceId", id).with("resourceType", kind.name())
        }
        Refusal::Limit { .. } => error("ServiceQuotaExceededException", message),
    }
}

/// What a caller may not do is answered alike, whatever there is.
pub(crate) fn denied() -> WireError {
    error("AccessDeniedException", "you are not authorized to perform this operation".to_owned())
}

/// An input that is not valid.
pub(crate) fn invalid(reason: &str, message: String, fields: Vec<(String, String)>) -> WireError {
    let error = error("ValidationException", message).with("reason", reason);
    if fields.is_empty() {
        return error;
    }
    let field = |(name, message): (String, String)| {
        Value::Map(BTreeMap::from([
            ("name".to_owned(), Value::String(name)),
            ("message".to_owned(), Value::String(message)),
        ]))
    };
    error.with("fieldList", Value::List(fields.into_iter().map(field).collect()))
}

fn error(code: &str, message: String) -> WireError {
    WireError::new(StatusCode::BAD_REQUEST, code, message)
}
