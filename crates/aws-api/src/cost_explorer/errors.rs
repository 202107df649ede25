//! Errors in the words of this service. AWS answers `ValidationException` and `AccessDeniedException` here, too, which its model does not list; every
//! error of a client has status 400.

use aws_wire::errors::WireError;
use back_office::cost_explorer::CostExplorerRefusal;
use http::StatusCode;

/// What the desk refuses in this service's own words.
pub(crate) fn refused(refusal: &CostExplorerRefusal) -> WireError {
    let code = match refusal {
        CostExplorerRefusal::Invalid(_) => "ValidationException",
        CostExplorerRefusal::DataUnavailable(_) => "DataUnavailableException",
        CostExplorerRefusal::InvalidNextToken(_) => "InvalidNextTokenException",
        CostExplorerRefusal::RequestChanged(_) => "RequestChangedException",
        CostExplorerRefusal::UnresolvableUnit(_) => "UnresolvableUsageUnitException",
        CostExplorerRefusal::NotFound(_) => "ResourceNotFoundException",
        CostExplorerRefusal::Quota(_) => "ServiceQuotaExceededException",
        CostExplorerRefusal::Limit(_) => "LimitExceededException",
        CostExplorerRefusal::TooManyTags(_) => "TooManyTagsException",
        CostExplorerRefusal::UnhealthyView(_) => "BillingViewHealthStatusException",
    };
    WireError::new(StatusCode::BAD_REQUEST, code, refusal.to_string())
}

/// What a caller may not do or see is answered alike, whatever there is.
pub(crate) fn denied() -> WireError {
    let message = "you are not authorized to perform this operation, or to see this billing view";
    WireError::new(StatusCode::BAD_REQUEST, "AccessDeniedException", message)
}
