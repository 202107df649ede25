//! Adjustments of customers who have gone: no bill of the month that they stand in has them, so they are invoiced by themselves.

use crate::desk::BackOffice;
use crate::engine::GroupCharges;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::{BillingGroupId, Configuration};
use billing::custom_line_item::{PRODUCT, PRODUCT_NAME};
use billing::invoice::charges::{Charge, ChargedItem, Charges};
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use store::{AdjustmentRow, DraftState};

/// Whom the adjustments that stand in a period charge though they are not in its bill, by group and currency: how much of which earlier period.
type Departed = BTreeMap<(String, Currency), BTreeMap<BillingPeriod, Amount>>;

/// What adjustments that stand in a period come to, of billing groups that are not in its bill; what comes to 0 is left out.
fn sums(configuration: &Configuration, period: BillingPeriod, posted: &[AdjustmentRow]) -> Answer<Departed> {
    let mut sums = Departed::new();
    for row in posted {
        let group = row.billing_group.as_deref().and_then(BillingGroupId::parse);
        let Some(group) = group.filter(|id| configuration.groups.at(id, period).is_none()) else { continue };
        let of_group = sums.entry((group.to_string(), row.currency)).or_default();
        let sum = of_group.entry(row.period).or_default();
        *sum = sum.plus(row.amount).map_err(Error::internal)?;
    }
    for of_group in sums.values_mut() {
        of_group.retain(|_, amount| !amount.is_zero());
    }
    sums.retain(|_, of_group| !of_group.is_empty());
    Ok(sums)
}

/// A line of an invoice for what came late to an earlier period.
fn leaf(group: &str, corrects: BillingPeriod, amount: Amount) -> Charge {
    let item = ChargedItem {
        name: format!("Adjustment-{corrects}"),
        description: format!("Adjustment of billing period {corrects}"),
        corrects: Some(corrects),
    };
    Charge {
        account: group.to_owned(),
        account_name: None,
        product: PRODUCT.to_owned(),
        product_name: PRODUCT_NAME.to_owned(),
        item: Some(item),
        amount,
    }
}

impl BackOffice {
    /// What adjustments charge in a period those who are not in its bill any more, as their invoices say it.
    pub(crate) async fn departed(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<Vec<GroupCharges>> {
        let posted = self.0.store.adjustments_in(payer, period).await.map_err(Error::internal)?;
        let state = self.state(payer).await?;
        let mut groups: BTreeMap<String, Vec<Charges>> = BTreeMap::new();
        for ((group, currency), late) in sums(&state.configuration, period, &posted)? {
            let leaves = late.into_iter().map(|(corrects, amount)| leaf(&group, corrects, amount)).collect();
            groups.entry(group).or_default().push(Charges { currency, leaves });
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
            for ((group, currency), late) in sums(&state.configuration, period, &posted)? {
                let amount = late.values().try_fold(Amount::ZERO, |sum, amount| sum.plus(*amount));
                let amount = amount.map_err(Error::internal)?;
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
