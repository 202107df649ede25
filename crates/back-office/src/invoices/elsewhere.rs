//! What an invoice should come to that was issued elsewhere, of charges that are known here.

use super::drafting::{charges_of, composed};
use super::options::DraftOptions;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use billing::invoice::Date;
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use store::{DraftState, InvoiceDraftRow};

impl BackOffice {
    /// What a billing group's charges of a month come to on a document of their currency, tax included, by the settings of its day of issue. `None` where there
    /// are none in that currency, or the settings make no such document: what is taxed elsewhere is not known here then.
    pub(crate) async fn with_tax(
        &self,
        payer: &AccountId,
        group: &BillingGroupId,
        period: BillingPeriod,
        (currency, issued_at_s): (Currency, i64),
    ) -> Answer<Option<Amount>> {
        let Some((run, _)) = self.shown_run(payer, period).await? else { return Ok(None) };
        let charges = self.run_charges(payer, &run).await?;
        let of = group.to_string();
        if !charges_of(&charges, &of).into_iter().flatten().any(|of| of.currency == currency) {
            return Ok(None);
        }
        let draft = InvoiceDraftRow {
            id: String::new(),
            billing_group: of,
            period,
            currency: currency.as_str().to_owned(),
            run,
            options: serde_json::to_string(&DraftOptions::default()).map_err(Error::internal)?,
            state: DraftState::Open,
            created_at_s: issued_at_s,
            created_by: String::new(),
        };
        // No document is of a day before its period is over.
        let issued = Date::of_seconds(issued_at_s).max(Date::of_seconds(period.end_seconds() - 1));
        match composed(&self.0.store, payer, &draft, &charges, issued).await {
            Ok((composed, ..)) if composed.document.currency == currency => {
                let gross = composed.document.totals.gross.to_string();
                Amount::parse(&gross).map(Some).map_err(Error::internal)
            }
            Ok(_) | Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
