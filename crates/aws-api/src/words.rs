//! Errors in the words of each service: how its model calls them, how their members are written, and with which status they come.
//!
//! The desk's errors are made in the words of Billing Conductor ([`crate::errors`]); a service that is not listed here speaks as that one does.

use crate::{billing_views, data_exports, report_definitions};
use aws_wire::errors::WireError;
use aws_wire::json::Value;
use aws_wire::model::Service;
use back_office::custom_views::UNHEALTHY;
use http::StatusCode;

/// How the members of errors are written.
#[derive(Clone, Copy)]
enum Members {
    /// `reason`, `fieldList`, `resourceId`.
    Small,
    /// `Reason`, `Fields`, `ResourceId`; it has no conflicts.
    Large,
    /// None: errors are a message.
    None,
}

/// An error as a service says it.
pub(crate) fn of_service(error: WireError, service: &Service) -> WireError {
    match service.signing_name.as_str() {
        billing_views::SERVICE => said(error, Members::Small),
        data_exports::SERVICE => said(error, Members::Large),
        report_definitions::SERVICE => said(error, Members::None),
        _ => error,
    }
}

/// In aws-json every error of a client has status 400, as the protocol has it where a model names none.
fn said(error: WireError, members: Members) -> WireError {
    let is_clients = error.status.is_client_error();
    let is_of_health = error.members.get("Reason").and_then(Value::as_str) == Some(UNHEALTHY);
    let code = match error.code.as_str() {
        "ConflictException" if is_of_health => "BillingViewHealthStatusException",
        // What is in the way of a new export is a fault of the request, as this service has it.
        "ConflictException" if matches!(members, Members::Large) => "ValidationException",
        "ConflictException" if matches!(members, Members::None) => "DuplicateReportNameException",
        "ServiceLimitExceededException" if matches!(members, Members::None) => "ReportLimitReachedException",
        "ServiceLimitExceededException" => "ServiceQuotaExceededException",
        code => code,
    };
    let mut told = WireError::new(error.status, code, error.message.clone());
    told.retry_after_seconds = error.retry_after_seconds;
    if is_clients && error.code != "UnknownOperationException" {
        told.status = StatusCode::BAD_REQUEST;
    }
    if code == "BillingViewHealthStatusException" {
        return told;
    }
    for (name, value) in error.members {
        // Only invalid inputs have a reason here: that of a conflict is its message.
        let Some(name) = name_of(&name, &error.code, members) else { continue };
        told.members.insert(name.to_owned(), value_of(name, value));
    }
    told
}

/// How a member is called; `None` for one that the service does not have.
fn name_of(name: &str, code: &str, members: Members) -> Option<&'static str> {
    let (large, small) = match name {
        "Reason" if code == "ValidationException" => ("Reason", "reason"),
        "Fields" => ("Fields", "fieldList"),
        "ResourceId" => ("ResourceId", "resourceId"),
        "ResourceType" => ("ResourceType", "resourceType"),
        "ServiceCode" => ("ServiceCode", "serviceCode"),
        "LimitCode" => ("QuotaCode", "quotaCode"),
        _ => return None,
    };
    // A refusal that was a conflict says what is in the way in its message alone.
    let is_left_out = matches!((members, code), (Members::Large, "ConflictException"));
    match members {
        _ if is_left_out => None,
        Members::Large => Some(large),
        Members::Small => Some(small),
        Members::None => None,
    }
}

fn value_of(name: &str, value: Value) -> Value {
    match (name, value) {
        ("reason" | "Reason", Value::String(reason)) => Value::from(reason_of(&reason)),
        // The one place where these two services write a service's own name.
        ("ServiceCode", _) => Value::from("AWSBillingAndCostManagementDataExports"),
        ("fieldList", Value::List(fields)) => {
            let field = |field: Value| match field {
                Value::Map(members) => Value::Map(
                    members.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
                ),
                other => other,
            };
            Value::List(fields.into_iter().map(field).collect())
        }
        (_, value) => value,
    }
}

/// The reason of an invalid input, of the four that these services have.
fn reason_of(reason: &str) -> &'static str {
    match reason {
        "FIELD_VALIDATION_FAILED" => "fieldValidationFailed",
        "CANNOT_PARSE" => "cannotParse",
        "UNKNOWN_OPERATION" => "unknownOperation",
        _ => "other",
    }
}
