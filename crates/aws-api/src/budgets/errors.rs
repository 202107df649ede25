//! Errors in the words of this service: every error of a client has status 400, as the protocol has it where a model names none.

use aws_wire::errors::WireError;
use back_office::cost_explorer::CostExplorerRefusal;
use back_office::error::Declined;
use billing::configuration::Refusal;
use http::StatusCode;

/// What the desk declines.
pub(crate) fn declined(declined: &Declined) -> WireError {
    let code = match declined {
        Declined::Invalid { .. } => "InvalidParameterException",
        Declined::NotFound { .. } => "NotFoundException",
        Declined::Conflict { .. } => "DuplicateRecordException",
        Declined::Limit { .. } => "CreationLimitExceededException",
    };
    error(code, declined.message())
}

/// What the desk refuses in the words of other services.
pub(crate) fn refused(refusal: &Refusal) -> WireError {
    let message = refusal.to_string();
    match refusal {
        Refusal::Denied(_) => denied(),
        Refusal::NotFound { .. } => error("NotFoundException", message),
        Refusal::Conflict { .. } => error("ThrottlingException", message),
        Refusal::Validation { .. } | Refusal::Limit { .. } => invalid(message),
    }
}

/// What Cost Explorer does not answer.
pub(crate) fn unanswered(refusal: &CostExplorerRefusal) -> WireError {
    match refusal {
        CostExplorerRefusal::UnhealthyView(message) => {
            error("BillingViewHealthStatusException", message.clone())
        }
        refusal => invalid(refusal.to_string()),
    }
}

/// An input that is not valid.
pub(crate) fn invalid(message: String) -> WireError {
    error("InvalidParameterException", message)
}

/// What a caller may not do or see is answered alike, whatever there is.
pub(crate) fn denied() -> WireError {
    let message = "you are not authorized to perform this operation, or to see this account or billing view";
    error("AccessDeniedException", message.to_owned())
}

fn error(code: &str, message: String) -> WireError {
    WireError::new(StatusCode::BAD_REQUEST, code, message)
}
