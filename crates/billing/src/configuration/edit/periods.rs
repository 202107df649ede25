//! Closing periods.

use super::Edit;
use crate::configuration::{Refusal, Touched, ValidationReason};
use crate::period::BillingPeriod;

impl Edit<'_> {
    /// Closes a period and every one before it: nothing that is said of them changes any more, and nothing opens them again.
    ///
    /// # Errors
    /// [`ValidationReason::IllegalBillingPeriod`] for a period that has not begun;
    /// [`ValidationReason::InvalidBillingPeriodForOperation`] for one that has not ended, or is closed.
    pub fn close(&mut self, period: BillingPeriod) -> Result<(), Refusal> {
        let current = self.moment.current;
        let (reason, what) = if period > current {
            (ValidationReason::IllegalBillingPeriod, "has not begun".to_owned())
        } else if period == current {
            let next = period.next();
            let message = format!("has not ended; close it from {next}-01 on");
            (ValidationReason::InvalidBillingPeriodForOperation, message)
        } else if self.next.is_closed(period) {
            (ValidationReason::InvalidBillingPeriodForOperation, "is closed already".to_owned())
        } else {
            self.next.closed_through = Some(period);
            self.touched.insert(Touched::ClosedThrough);
            return Ok(());
        };
        Err(Refusal::invalid(reason, format!("billing period {period} {what}")))
    }
}
