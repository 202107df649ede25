//! Adjustments of customers who have gone: no bill of the month that they stand in has them, so they are invoiced by themselves.

use crate::desk::BackOffice;
use crate::engine::GroupCharges;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::{BillingGroupId, Configuration};
use billing::custom_line_item::{PRODUCT, PRODUCT_NAME};
use billing::invoice::charges::{Charge, Charges};
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use store::{AdjustmentRow, DraftState};

/// What adjustments that stand in a period come to, of billing groups that are not in its bill, by group and currency; what comes to 0 is left out.
fn sums(
    configuration: &Configuration,
    period: BillingPeriod,
    posted: &[AdjustmentRow],
) -> Answer<BTreeMap<(String, Currency), Amount>> {
    let mut sums: BTreeMap<(String, Currency), Amount> = BTreeMap::new();
    for row in posted {
        let group = row.billing_group.as_deref().and_then(BillingGroupId::parse);
        let Some(group) = group.filter(|id| configuration.groups.at(id, period).is_none()) else { continue };
        let sum = sums.entry((group.to_string(), row.currency)).or_default();
        *sum = sum.plus(row.amount).map_err(Error::internal)?;
    }
    sums.retain(|_, amount| !amount.is_zero());
    Ok(sums)
}

impl BackOffice {
    /// What adjustments charge in a period those who are not in its bill any more, as their invoices say it.
    pub(super) async fn departed(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<Vec<GroupCharges>> {
        let posted = self.0.store.adjustments_in(payer, period).await.map_err(Error::internal)?;
        let state = self.state(payer).await?;
        let mut groups: BTreeMap<String, Vec<Charges>> = BTreeMap::new();
        for ((group, currency), amount) in sums(&state.configuration, period, &posted)? {
            let leaf = Charge {
                account: group.clone(),
                account_name: None,
                product: PRODUCT.to_owned(),
                product_name: PRODUCT_NAME.to_owned(),
                amount,
            };
            groups.entry(group).or_default().push(Charges { currency, leaves: vec![leaf] });
        }
        let charges = |(billing_group, charges)| GroupCharges { billing_group, charges };
        Ok(groups.into_iter().map(charges).collect())
    }

    /// What stands in closed periods up to one on no bill, and on no draft and no invoice either, a sentence each with the way out.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn adjustments_on_no_bill(
        &self,
        payer: &AccountId,
        last: BillingPeriod,
    ) -> Answer<Vec<String>> {
        let state = self.state(payer).await?;
        let drafts = self.invoice_drafts(payer).await?;
        let mut sentences = Vec::new();
        for close in self.0.store.closes(payer).await.map_err(Error::internal)? {
            let period = close.period;
            if period > last {
                continue;
            }
            let posted = self.0.store.adjustments_in(payer, period).await.map_err(Error::internal)?;
            for ((group, currency), amount) in sums(&state.configuration, period, &posted)? {
                let is_drafted = drafts.iter().any(|draft| {
                    (draft.billing_group == group && draft.period == period)
                        && (draft.currency == currency.as_str() && draft.state != DraftState::Discarded)
                });
                if !is_drafted {
                    sentences.push(format!(
                        "billing group `{group}` is not in the bill of {period}, and adjustments of {amount} {currency} of its earlier periods stand in it; \
                         invoice them with `proforma invoice draft --group {group} --period {period}`"
                    ));
                }
            }
        }
        Ok(sentences)
    }
}
