//! What an SDK error means to whoever called, and the way out.

use anyhow::anyhow;
use aws_sdk_billingconductor::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::fmt::Write;

/// How often a request is sent before its error is told; the SDK waits longer each time.
pub const ATTEMPTS_MAX: u32 = 5;

/// An SDK error as one line: the operation, what happened, the way out.
pub fn explained<E, R>(operation: &str, error: SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match &error {
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or("an error without a name");
            let message = answer.err().message().unwrap_or("no message");
            match way_out(code) {
                Some(way_out) => anyhow!("{operation}: {code}: {message}; {way_out}"),
                None => anyhow!("{operation}: {code}: {message}"),
            }
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => anyhow!(
            "{operation}: no answer after {ATTEMPTS_MAX} attempts: {}; is the endpoint right and reachable?",
            chain(&error)
        ),
        _ => anyhow!("{operation}: {}", chain(&error)),
    }
}

/// What to do about an error of a name.
fn way_out(code: &str) -> Option<String> {
    Some(match code {
        "AccessDeniedException" | "AccessDenied" => {
            "the caller needs billingconductor:List* and billingconductor:GetBillingTransferPreference on the payer account, as the \
             managed policy AWSBillingConductorReadOnlyAccess gives them"
                .to_owned()
        }
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" => {
            format!("still throttled after {ATTEMPTS_MAX} attempts; try again later")
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
