//! Why an operation of `invoicing` refuses.
//!
//! Source: the service model of AWS Invoicing, version 2024-12-01.

use billing::invoice_unit::{self, Reason};
use std::fmt;

/// Why an input is not valid, by AWS's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoicingReason {
    /// An account is none of the payer's.
    NonMemberPresent,
    /// More accounts than a unit may have.
    MaxAccountsExceeded,
    /// More units than a payer may have.
    MaxInvoiceUnitsExceeded,
    /// A name that another unit has.
    DuplicateInvoiceUnit,
    /// An account that another unit has.
    MutualExclusionError,
    /// A member of one unit that receives for another.
    AccountMembershipError,
    /// A page token of another list.
    InvalidNextToken,
    /// What is asked for contradicts itself, or what is documented.
    InvalidInput,
    /// A member of the input is not what the model says.
    FieldValidationFailed,
    /// Anything else.
    Other,
}

impl InvoicingReason {
    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonMemberPresent => "nonMemberPresent",
            Self::MaxAccountsExceeded => "maxAccountsExceeded",
            Self::MaxInvoiceUnitsExceeded => "maxInvoiceUnitsExceeded",
            Self::DuplicateInvoiceUnit => "duplicateInvoiceUnit",
            Self::MutualExclusionError => "mutualExclusionError",
            Self::AccountMembershipError => "accountMembershipError",
            Self::InvalidNextToken => "invalidNextToken",
            Self::InvalidInput => "invalidInput",
            Self::FieldValidationFailed => "fieldValidationFailed",
            Self::Other => "other",
        }
    }
}

/// What `invoicing` refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoicingRefusal {
    /// The input is not valid.
    Invalid {
        /// Why.
        reason: InvoicingReason,
        /// The thing, the value and the way out.
        message: String,
        /// The members of the input that are at fault, each with what is wrong.
        fields: Vec<(String, String)>,
    },
    /// There is no such resource.
    NotFound {
        /// What was asked for, as the caller wrote it.
        name: String,
        /// What there is not.
        message: String,
    },
    /// The input is in conflict with what is there.
    Conflict {
        /// The kind of the resource that is there.
        kind: &'static str,
        /// Its ARN.
        id: String,
        /// The thing, the value and the way out.
        message: String,
    },
    /// The payer has as many as it may.
    Quota(String),
}

impl InvoicingRefusal {
    /// A member of the input that is at fault.
    #[must_use]
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::of(InvoicingReason::FieldValidationFailed, name, message)
    }

    /// The same for a reason of its own.
    #[must_use]
    pub fn of(reason: InvoicingReason, name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let fields = if name.is_empty() { Vec::new() } else { vec![(name.to_owned(), message.clone())] };
        Self::Invalid { reason, message, fields }
    }

    /// A resource that is not there.
    #[must_use]
    pub fn not_found(kind: &str, name: &str) -> Self {
        Self::NotFound { name: name.to_owned(), message: format!("there is no {kind} `{name}`") }
    }
}

impl fmt::Display for InvoicingRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Invalid { message, .. }
        | Self::NotFound { message, .. }
        | Self::Conflict { message, .. }
        | Self::Quota(message)) = self;
        f.write_str(message)
    }
}

impl From<invoice_unit::Refusal> for InvoicingRefusal {
    fn from(refusal: invoice_unit::Refusal) -> Self {
        let reason = match refusal.reason {
            Reason::Name => InvoicingReason::FieldValidationFailed,
            Reason::TooManyUnits => InvoicingReason::MaxInvoiceUnitsExceeded,
            Reason::TooManyAccounts => InvoicingReason::MaxAccountsExceeded,
            Reason::DuplicateName => InvoicingReason::DuplicateInvoiceUnit,
            Reason::NoMember => InvoicingReason::NonMemberPresent,
            Reason::NotExclusive => InvoicingReason::MutualExclusionError,
            Reason::Receiver => InvoicingReason::AccountMembershipError,
        };
        Self::of(reason, refusal.field, refusal.message)
    }
}
