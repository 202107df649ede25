//! A batch of FOCUS lines becomes one of CUR's: other providers set aside, values in CUR's words.
//!
//! Whatever is made of several columns is made once for each combination of values that a batch has, not for each row.

use super::charge::{self, Charge, Commitment};
use super::vocabulary::VOCABULARY;
use super::{FocusTexts, OtherProviders};
use crate::batch::{Batch, Numbers, Reject};
use crate::codes::Codes;
use arrow_array::StringArray;
use billing::charge_class::{KEY_COLUMNS, KeyColumn, Measure};
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A number of no value in the keys of [`derived`].
const NONE: i32 = -1;

impl FocusTexts {
    /// Takes rows of other providers out of those of the period; gives which they are, `None` for no row.
    pub fn set_aside(&self, rows: usize, in_period: &mut Option<Vec<bool>>) -> Option<Vec<bool>> {
        if self.provider.values.iter().flatten().all(charge::is_aws) {
            return None;
        }
        let of_other = |row| self.provider.filled(row).is_some_and(|name| !charge::is_aws(name));
        let mut aside: Vec<bool> = (0..rows).map(of_other).collect();
        let kept = in_period.get_or_insert_with(|| vec![true; rows]);
        for (aside, kept) in aside.iter_mut().zip(kept) {
            *aside &= *kept;
            *kept &= !*aside;
        }
        Some(aside)
    }

    /// Puts CUR's values in the places where FOCUS's were read.
    pub fn translate(&self, batch: &mut Batch, aside: Option<&[bool]>) {
        for row in (0..batch.rows).filter(|row| self.provider.filled(*row).is_none()) {
            batch.rejects.push(Reject::new(row, self.provider_name, Some(""), "empty, which no line may be"));
        }
        if let Some(aside) = aside {
            self.sum_others(batch, aside);
        }
        let kinds = self.translate_charges(batch);
        split_effective_cost(batch, &kinds, &self.commitment_status);
        let rows = batch.rows;
        let column = |column: KeyColumn| batch.keys[column as usize].as_ref();
        let account = accounts(rows, &batch.keys, &batch.payer);
        let product = [column(KeyColumn::ProductCode), batch.product_name.as_ref()];
        let product = derived(rows, product, |[code, name]| code.or(name).map(ToOwned::to_owned));
        let seller = derived(rows, [column(KeyColumn::BillingEntity)], |[publisher]| {
            Some(charge::billing_entity(publisher).to_owned())
        });
        for (column, codes) in [
            (KeyColumn::UsageAccount, account),
            (KeyColumn::ProductCode, product),
            (KeyColumn::BillingEntity, seller),
            (KeyColumn::LineItemType, kinds),
        ] {
            batch.keys[column as usize] = Some(codes);
        }
    }

    /// Sums what other providers billed. A row of theirs is rejected only for what that sum is made of.
    fn sum_others(&self, batch: &mut Batch, aside: &[bool]) {
        let needed = [VOCABULARY.period_start, "BilledCost", "BillingCurrency"];
        batch.rejects.retain(|reject| !aside[reject.row] || needed.contains(&reject.column.as_str()));
        let mut aside = aside.to_vec();
        let kept = batch.in_period.get_or_insert_with(|| vec![true; aside.len()]);
        for reject in &batch.rejects {
            kept[reject.row] |= std::mem::take(&mut aside[reject.row]);
        }
        let billed = batch.measures.iter().find(|(measure, _)| *measure == Measure::Unblended);
        let currency = batch.keys[KeyColumn::Currency as usize].as_ref();
        let mut others = OtherProviders::new();
        for row in (0..batch.rows).filter(|row| aside[*row]) {
            let provider = self.provider.filled(row).unwrap_or_default();
            let currency = currency.and_then(|codes| codes.filled(row)).unwrap_or_default();
            let sum = others.entry((provider.to_owned(), currency.to_owned())).or_default();
            *sum = (sum.0 + 1, sum.1 + billed.map_or(0, |(_, billed)| billed.value(row)));
        }
        batch.others = others;
    }

    /// Line item types; pricing terms and the commitments' ARNs go to their columns.
    fn translate_charges(&self, batch: &mut Batch) -> Codes {
        let rows = batch.rows;
        let take = |batch: &mut Batch, column: KeyColumn| batch.keys[column as usize].take();
        let category = take(batch, KeyColumn::LineItemType);
        let pricing = take(batch, KeyColumn::PricingTerm);
        let commitment = take(batch, KeyColumn::SavingsPlanArn);
        let negative = below_zero(batch);
        let (kind, status) = (Some(&self.commitment_type), Some(&self.commitment_status));
        let (class, frequency) = (Some(&self.charge_class), self.frequency.as_ref());
        let said = [
            category.as_ref(),
            class,
            pricing.as_ref(),
            commitment.as_ref(),
            kind,
            status,
            frequency,
            negative.as_ref(),
        ];
        let kinds = derived(rows, said, |said| {
            let negative = said[7].is_some();
            let [category, class, pricing, commitment, commitment_type, status, frequency, _] =
                said.map(Option::unwrap_or_default);
            let charge = Charge {
                category,
                class,
                pricing,
                commitment,
                commitment_type,
                status,
                frequency,
                is_negative: negative,
            };
            charge::line_item_type(charge).map(std::borrow::Cow::into_owned)
        });
        let terms = derived(rows, [Some(&kinds), pricing.as_ref()], |[kind, pricing]| {
            let term = charge::pricing_term(kind.unwrap_or_default(), pricing.unwrap_or_default());
            term.map(ToOwned::to_owned)
        });
        let arns = |of: Commitment| {
            derived(rows, [commitment.as_ref(), kind], |[id, commitment_type]| {
                let is_it = charge::commitment(id?, commitment_type.unwrap_or_default()) == Some(of);
                id.filter(|_| is_it).map(ToOwned::to_owned)
            })
        };
        let (plans, reservations) = (arns(Commitment::SavingsPlan), arns(Commitment::Reservation));
        batch.keys[KeyColumn::PricingTerm as usize] = Some(terms);
        batch.keys[KeyColumn::SavingsPlanArn as usize] = Some(plans);
        batch.keys[KeyColumn::ReservationArn as usize] = Some(reservations);
        kinds
    }
}

/// A value on the rows whose billed cost is below 0, as a column; `None` where no row's is.
fn below_zero(batch: &Batch) -> Option<Codes> {
    let (_, billed) = batch.measures.iter().find(|(measure, _)| *measure == Measure::Unblended)?;
    let negative: Vec<bool> = (0..batch.rows).map(|row| billed.value(row) < 0).collect();
    negative.contains(&true).then(|| Codes {
        keys: vec![0; negative.len()].into(),
        nulls: Some(negative.into()),
        values: StringArray::from(vec!["-"]),
    })
}

/// The accounts of rows: a charge of the billing account as a whole has no sub account, and is the billing account's.
pub fn accounts(rows: usize, keys: &[Option<Codes>; KEY_COLUMNS], payer: &Codes) -> Codes {
    let own = keys[KeyColumn::UsageAccount as usize].as_ref();
    derived(rows, [own, Some(payer)], |[own, payer]| own.or(payer).map(ToOwned::to_owned))
}

/// A column made of others: what `value` makes of each combination of their values, null and empty alike.
fn derived<const N: usize>(
    rows: usize,
    columns: [Option<&Codes>; N],
    value: impl Fn([Option<&str>; N]) -> Option<String>,
) -> Codes {
    let mut known: HashMap<[i32; N], i32, FixedState> = HashMap::with_hasher(FixedState::with_seed(0));
    let mut values: Vec<String> = Vec::new();
    let mut keys = Vec::with_capacity(rows);
    for row in 0..rows {
        let codes = columns.map(|column| column.map_or(NONE, |codes| codes.key(row).unwrap_or(NONE)));
        let key = match known.entry(codes) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let made = value(columns.map(|column| column.and_then(|codes| codes.filled(row))));
                // A batch has fewer rows than i32 holds.
                let next = i32::try_from(values.len()).unwrap_or(NONE);
                *new.insert(made.map_or(NONE, |made| {
                    values.push(made);
                    next
                }))
            }
        };
        keys.push(key);
    }
    let valid: Vec<bool> = keys.iter().map(|key| *key != NONE).collect();
    keys.iter_mut().for_each(|key| *key = (*key).max(0));
    let nulls = valid.contains(&false).then(|| valid.into());
    Codes { keys: keys.into(), nulls, values: values.into() }
}

/// The effective cost to the measures of what it is: a Savings Plan's or reservation's used or unused part.
fn split_effective_cost(batch: &mut Batch, kinds: &Codes, status: &Codes) {
    let is_effective = |(measure, _): &(Measure, Numbers)| *measure == Measure::SavingsPlanEffective;
    let Some(place) = batch.measures.iter().position(is_effective) else { return };
    let (_, effective) = batch.measures.remove(place);
    for (measure, kind, of_status) in [
        (Measure::SavingsPlanEffective, "SavingsPlanCoveredUsage", "Used"),
        (Measure::ReservationEffective, "DiscountedUsage", "Used"),
        // A commitment of which nothing was used: the total less the used is what is unused.
        (Measure::SavingsPlanTotalCommitment, "SavingsPlanRecurringFee", "Unused"),
        (Measure::UnusedReservationRecurring, "RIFee", "Unused"),
    ] {
        let takes = |row: usize| kinds.text(row) == Some(kind) && status.text(row) == Some(of_status);
        batch.measures.push((measure, effective.only(batch.rows, takes)));
    }
}
