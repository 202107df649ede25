//! Why the desk does not do what it was asked for: without HTTP, and without a word about the inside.

use crate::cost_explorer::CostExplorerRefusal;
use crate::invoicing_refusal::InvoicingRefusal;
use billing::configuration::{Refusal, ValidationReason};
use std::any::Any;
use std::fmt;
use store::StoreError;

pub use crate::declined::Declined;

/// An answer that is not the one that was asked for.
#[derive(Debug)]
pub enum Error {
    /// The caller may not do that. What exists and what does not is answered alike.
    Denied,
    /// The configuration refuses it.
    Refused(Refusal),
    /// What is kept beside the configuration, orders and documents, refuses it.
    Declined(Declined),
    /// An operation of `invoicing` refuses it.
    Invoicing(InvoicingRefusal),
    /// A question about costs is not answered.
    CostExplorer(CostExplorerRefusal),
    /// It cannot be done just now, for a reason that passes: nothing has changed.
    Unavailable(&'static str),
    /// What the server itself cannot do: nothing has changed, or whether it has is not known. The same request may be sent again.
    Internal(Internal),
}

/// What went wrong inside. It has no `Display`, so that it reaches a log and never an answer.
pub struct Internal(Box<dyn Cause>);

/// What can go wrong.
trait Cause: Any + fmt::Debug + Send + Sync {}

impl<T: Any + fmt::Debug + Send + Sync> Cause for T {}

impl Internal {
    /// Wraps what went wrong.
    pub fn new(cause: impl fmt::Debug + Send + Sync + 'static) -> Self {
        Self(Box::new(cause))
    }

    /// Whether the database has not answered, or not in time. Nothing has changed then.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        matches!(self.of(), Some(StoreError::Unavailable(_)))
    }

    /// What went wrong, where it is of this kind: of the store, say.
    pub(crate) fn of<T: Any>(&self) -> Option<&T> {
        let cause: &dyn Any = &*self.0;
        cause.downcast_ref()
    }
}

impl fmt::Debug for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error {
    /// What went wrong inside.
    pub fn internal(cause: impl fmt::Debug + Send + Sync + 'static) -> Self {
        Self::Internal(Internal::new(cause))
    }

    /// An input that is not valid.
    #[must_use]
    pub fn invalid(reason: ValidationReason, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::invalid(reason, message))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // What AWS manages may not be edited by anybody.
            Refusal::Denied(_) => Self::Denied,
            refused => Self::Refused(refused),
        }
    }
}

impl From<InvoicingRefusal> for Error {
    fn from(refusal: InvoicingRefusal) -> Self {
        Self::Invoicing(refusal)
    }
}

impl From<CostExplorerRefusal> for Error {
    fn from(refusal: CostExplorerRefusal) -> Self {
        Self::CostExplorer(refusal)
    }
}

impl From<Declined> for Error {
    fn from(declined: Declined) -> Self {
        Self::Declined(declined)
    }
}

/// What cannot be done as it is asked for, for a reason of which AWS has no name.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::invalid(ValidationReason::Other, message)
}

/// What the desk answers.
pub type Answer<T> = Result<T, Error>;
