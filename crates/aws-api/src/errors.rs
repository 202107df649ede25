//! From what the desk says to what AWS's clients understand: the one place where a refusal becomes a status and a name.

use crate::{budgets, cost_explorer, invoicing, organizations, words};
use aws_wire::errors::WireError;
use aws_wire::json::{JsonError, Value};
use aws_wire::model::{FieldProblem, Operation, Service};
use back_office::error::{Declined, Error};
use back_office::invoicing::InvoicingRefusal;
use billing::configuration::{Refusal, ResourceType, ValidationReason};
use http::StatusCode;
use std::collections::BTreeMap;

/// What an error of the desk is on the wire of an operation: one of those that its model lists, so that every client has a class for it.
pub(crate) fn to_wire(error: Error, service: &Service, operation: &Operation) -> WireError {
    let error = words::of_service(of_service(error, service), service);
    // What passes is no part of a model: clients know it by its status, and try again. Nor is what somebody may not do, which AWS answers for every operation of every service.
    if error.status == StatusCode::SERVICE_UNAVAILABLE || error.code == "AccessDeniedException" {
        return error;
    }
    // The errors that Cost Explorer and all of AWS's services have in common are in no operation of its model.
    if service.signing_name == cost_explorer::SERVICE {
        return error;
    }
    match operation.errors.is_empty() || operation.errors.contains(&error.code) {
        true => error,
        false => invalid_of(service, ValidationReason::Other, error.message, Vec::new()),
    }
}

/// An invalid input in the words of a service.
fn invalid_of(
    service: &Service,
    reason: ValidationReason,
    message: String,
    fields: Vec<(String, String)>,
) -> WireError {
    match service.signing_name.as_str() {
        budgets::SERVICE => budgets::errors::invalid(message),
        invoicing::SERVICE => {
            invoicing::errors::refused_otherwise(Refusal::Validation { reason, message, fields })
        }
        organizations::SERVICE => organizations::errors::invalid(&message, &fields),
        _ => words::of_service(invalid(reason, message, fields), service),
    }
}

fn of_service(error: Error, service: &Service) -> WireError {
    let is_invoicing = service.signing_name == invoicing::SERVICE;
    let is_organizations = service.signing_name == organizations::SERVICE;
    let is_budgets = service.signing_name == budgets::SERVICE;
    match error {
        Error::Denied if is_organizations => organizations::errors::denied(),
        Error::Declined(declined) if is_organizations => organizations::errors::declined(&declined),
        Error::Refused(refusal) if is_organizations => organizations::errors::refused(&refusal),
        Error::Denied if is_budgets => budgets::errors::denied(),
        Error::Declined(declined) if is_budgets => budgets::errors::declined(&declined),
        Error::CostExplorer(refusal) if is_budgets => budgets::errors::unanswered(&refusal),
        Error::Refused(refusal) if is_budgets => budgets::errors::refused(&refusal),
        Error::Denied if is_invoicing => invoicing::errors::denied(),
        Error::Denied if service.signing_name == cost_explorer::SERVICE => cost_explorer::errors::denied(),
        Error::Denied => denied(),
        Error::Invoicing(refusal) if is_invoicing => invoicing::errors::refused(refusal),
        Error::Invoicing(refusal) => {
            let message = refusal.to_string();
            let fields = match refusal {
                InvoicingRefusal::Invalid { fields, .. } => fields,
                _ => Vec::new(),
            };
            let reason = match fields.is_empty() {
                true => ValidationReason::Other,
                false => ValidationReason::FieldValidationFailed,
            };
            invalid(reason, message, fields)
        }
        Error::CostExplorer(refusal) => cost_explorer::errors::refused(&refusal),
        Error::Refused(refusal) if is_invoicing => invoicing::errors::refused_otherwise(refusal),
        Error::Refused(refusal) => refused(refusal, service),
        Error::Declined(declined) => of_declined(declined, service),
        Error::Unavailable(message) => unavailable(message),
        Error::Internal(cause) => {
            tracing::error!(?cause, "a request could not be answered");
            if cause.is_unanswered() {
                return unavailable("the database does not answer in time; try again");
            }
            let error = WireError { retry_after_seconds: Some(1), ..WireError::internal() };
            match is_organizations {
                true => WireError { code: organizations::errors::INTERNAL.to_owned(), ..error },
                false => error,
            }
        }
    }
}

/// What cannot be answered just now.
pub(crate) fn unavailable(message: &str) -> WireError {
    let error =
        WireError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", message.to_owned());
    WireError { retry_after_seconds: Some(1), ..error }
}

/// What a caller may not do is answered alike, whatever there is.
fn denied() -> WireError {
    WireError::new(
        StatusCode::FORBIDDEN,
        "AccessDeniedException",
        "you are not authorized to perform this operation",
    )
}

fn refused(refusal: Refusal, service: &Service) -> WireError {
    let message = refusal.to_string();
    match refusal {
        Refusal::Validation { reason, fields, .. } => invalid(reason, message, fields),
        Refusal::Limit { quota, resource, .. } => {
            let error =
                WireError::new(StatusCode::PAYMENT_REQUIRED, "ServiceLimitExceededException", message)
                    .with("LimitCode", quota.limit().0)
                    .with("ServiceCode", service.signing_name.as_str());
            match resource {
                Some((kind, id)) => error.with("ResourceId", id.as_str()).with("ResourceType", kind.name()),
                None => error,
            }
        }
        Refusal::Denied(_) => denied(),
        Refusal::NotFound { kind, id } => not_found(kind, &id),
        Refusal::Conflict { reason, kind, id, .. } => {
            WireError::new(StatusCode::CONFLICT, "ConflictException", message)
                .with("ResourceId", id.as_str())
                .with("ResourceType", kind.name())
                .with("Reason", reason.name())
        }
    }
}

fn of_declined(declined: Declined, service: &Service) -> WireError {
    let message = declined.message();
    match declined {
        Declined::Invalid { fields, .. } => {
            let reason = match fields.is_empty() {
                true => ValidationReason::Other,
                false => ValidationReason::FieldValidationFailed,
            };
            invalid(reason, message, fields)
        }
        Declined::NotFound { kind, id } => {
            WireError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
                .with("ResourceId", id.as_str())
                .with("ResourceType", kind)
        }
        Declined::Conflict { reason, kind, id, .. } => {
            WireError::new(StatusCode::CONFLICT, "ConflictException", message)
                .with("ResourceId", id.as_str())
                .with("ResourceType", kind)
                .with("Reason", reason)
        }
        Declined::Limit { code, kind, id, .. } => {
            WireError::new(StatusCode::PAYMENT_REQUIRED, "ServiceLimitExceededException", message)
                .with("LimitCode", code)
                .with("ServiceCode", service.signing_name.as_str())
                .with("ResourceId", id.as_str())
                .with("ResourceType", kind)
        }
    }
}

fn not_found(kind: ResourceType, id: &str) -> WireError {
    let message = format!("there is no {} `{id}` in the billing period", kind.words());
    WireError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
        .with("ResourceId", id)
        .with("ResourceType", kind.name())
}

fn invalid(reason: ValidationReason, message: String, fields: Vec<(String, String)>) -> WireError {
    let error =
        WireError::new(StatusCode::BAD_REQUEST, "ValidationException", message).with("Reason", reason.name());
    if fields.is_empty() {
        return error;
    }
    let field = |(name, message): (String, String)| {
        Value::Map(BTreeMap::from([
            ("Name".to_owned(), Value::String(name)),
            ("Message".to_owned(), Value::String(message)),
        ]))
    };
    error.with("Fields", Value::List(fields.into_iter().map(field).collect()))
}

/// An input that breaks constraints of the model: all that it breaks.
pub(crate) fn invalid_fields(service: &Service, problems: Vec<FieldProblem>) -> WireError {
    let told = problems.iter().map(|problem| match problem.name.as_str() {
        "" => problem.message.clone(),
        name => format!("{name}: {}", problem.message),
    });
    let message = told.collect::<Vec<_>>().join("; ");
    let fields = problems.into_iter().map(|problem| (problem.name, problem.message)).collect();
    invalid_of(service, ValidationReason::FieldValidationFailed, message, fields)
}

/// A body that is no JSON.
pub(crate) fn unparsable(service: &Service, error: &JsonError) -> WireError {
    let message = format!("the body is no JSON: {error}");
    invalid_of(service, ValidationReason::CannotParse, message, Vec::new())
}

/// A request that asks for no operation, of whatever service.
pub(crate) fn unknown_operation(what: &str) -> WireError {
    let message = format!("`{what}` is not an operation of this server");
    WireError::new(StatusCode::NOT_FOUND, "UnknownOperationException", message)
}

/// The same where a service has a word for it.
pub(crate) fn unknown_path(what: &str) -> WireError {
    let message = format!("`{what}` is not an operation of this service");
    invalid(ValidationReason::UnknownOperation, message, Vec::new())
}

/// A header that names no billing period.
pub(crate) fn bad_period(message: &str) -> WireError {
    invalid(ValidationReason::IllegalBillingPeriod, message.to_owned(), Vec::new())
}
