//! What an SDK error means to whoever called, and the way out.

use anyhow::anyhow;
use aws_sdk_billingconductor::config::http::HttpResponse;
use aws_sdk_billingconductor::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::fmt::{self, Display, Write};

/// How often a request is sent before its error is told; the SDK waits longer each time.
pub const ATTEMPTS_MAX: u32 = 5;
/// The same of a service that tells its callers to slow down as a matter of course.
pub const PATIENT_ATTEMPTS_MAX: u32 = 12;

/// The exit status where what was given is not right.
const REFUSED: u8 = 2;

/// What whoever called can put right: credentials, permissions, a month.
#[derive(Debug)]
struct Refused(String);

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refused {}

/// What whoever called can put right.
pub fn refused(message: impl Into<String>) -> anyhow::Error {
    Refused(message.into()).into()
}

/// The exit status of an error: whether whoever called can put it right.
pub fn status(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<Refused>().is_some() { REFUSED } else { 1 }
}

/// An SDK error as one line: the operation, what happened, the way out.
pub fn explained<E>(operation: &str, error: SdkError<E, HttpResponse>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match &error {
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or("an error without a name");
            let message = answer.err().message().unwrap_or("no message");
            let told = match way_out(operation, code) {
                Some(way_out) => format!("{operation}: {code}: {message}; {way_out}"),
                None => format!("{operation}: {code}: {message}"),
            };
            let is_refusal = answer.raw().status().is_client_error() && !SLOW_DOWN.contains(&code);
            if is_refusal { refused(told) } else { anyhow!(told) }
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => anyhow!(
            "{operation}: no answer after several attempts: {}; is the endpoint right and reachable?",
            chain(&error)
        ),
        _ => anyhow!("{operation}: {}", chain(&error)),
    }
}

/// How AWS tells its callers to slow down.
const SLOW_DOWN: [&str; 6] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "ServiceQuotaExceededException",
];

/// The operations of AWS Organizations that are asked.
const ORGANIZATIONS: &[&str] = &[
    "DescribeOrganization",
    "ListRoots",
    "ListOrganizationalUnitsForParent",
    "ListAccountsForParent",
    "ListAccounts",
    "ListParents",
    "ListTagsForResource",
    "ListInboundResponsibilityTransfers",
];

/// What to do about an error of a name.
fn way_out(operation: &str, code: &str) -> Option<String> {
    Some(match code {
        "AccessDeniedException" | "AccessDenied" if ORGANIZATIONS.contains(&operation) => {
            "the caller needs organizations:Describe* and organizations:List* on the management account, or on an account that is a delegated \
             administrator, as the managed policy AWSOrganizationsReadOnlyAccess gives them"
                .to_owned()
        }
        "AccessDeniedException" | "AccessDenied" if operation == "GetCostAndUsage" => {
            "the caller needs ce:GetCostAndUsage on the payer account, and Cost Explorer has to be enabled there".to_owned()
        }
        "DataUnavailableException" => {
            "AWS has no costs of this month (yet); it takes a day or two after the first usage".to_owned()
        }
        "LimitExceededException" => "still asked too often after several attempts; try again later".to_owned(),
        "AccessDeniedException" | "AccessDenied" if operation.contains("CostReport") => {
            "the caller needs billingconductor:List* and billingconductor:GetBillingGroupCostReport on the payer account".to_owned()
        }
        "AWSOrganizationsNotInUseException" => {
            "the account whose credentials these are is in no organization; use those of the management account".to_owned()
        }
        "AccessDeniedException" | "AccessDenied" => {
            "the caller needs billingconductor:List* and billingconductor:GetBillingTransferPreference on the payer account, as the \
             managed policy AWSBillingConductorReadOnlyAccess gives them"
                .to_owned()
        }
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" => {
            "still throttled after several attempts; try again later".to_owned()
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch" => {
            "the credentials are not accepted; `aws sts get-caller-identity` shows whose they are".to_owned()
        }
        "ExpiredTokenException" | "ExpiredToken" => "the credentials have expired; log in again".to_owned(),
        _ => return None,
    })
}

/// An error and its causes in one line, each said once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = one_line(error);
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = one_line(next);
        if !text.ends_with(&said) {
            // Writing to a string does not fail.
            let _ = write!(text, ": {said}");
        }
        cause = next.source();
    }
    text
}

fn one_line(error: &dyn Error) -> String {
    error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
