//! What the parts of a custom view have of a run, as the export of the view needs it: lines by class and day, rows without lines, and what all of them sum to.

use super::focus_rows::FocusRows;
use super::{ISSUER, Priced, cur_rows};
use billing::breakdown::Source;
use billing::money::{Amount, DecimalError, ten_to};
use cost_data::export::plan::{Layout, PartPlan, Plan, Total};
use query::lines::{ChargeSeen, LinesSeen};
use std::collections::{BTreeMap, BTreeSet};

/// Makes a plan one of the lines of a view: one file of what is seen, and no group's beside it.
pub fn put_into(plan: &mut Plan, priced: &Priced<'_>, seen: &[LinesSeen]) -> Result<(), DecimalError> {
    let mut parts = Vec::new();
    for part in seen {
        let mut by_group: BTreeMap<u32, Vec<&ChargeSeen>> = BTreeMap::new();
        for charge in &part.charges {
            by_group.entry(charge.group).or_default().push(charge);
        }
        for (group, charges) in by_group {
            let number = group as usize;
            if plan.groups.get(number).is_some_and(|group| group.folder.is_some()) {
                let part = Part { priced, layout: plan.layout, number, days: part.days.clone(), charges };
                parts.push(part.plan()?);
            }
        }
    }
    let named: BTreeSet<u32> = parts.iter().map(|part| part.group).collect();
    for (number, group) in (0..).zip(&mut plan.groups) {
        group.added.clear();
        group.totals.clear();
        if !named.contains(&number) {
            group.folder = None;
        }
    }
    plan.view = Some(parts);
    Ok(())
}

/// What a part has of a billing group.
struct Part<'a> {
    priced: &'a Priced<'a>,
    layout: Layout,
    /// The group, by number in the book.
    number: usize,
    days: std::ops::Range<u32>,
    charges: Vec<&'a ChargeSeen>,
}

impl Part<'_> {
    fn plan(&self) -> Result<PartPlan, DecimalError> {
        // Classes of a cube are numbered in 32 bits.
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let sources = || self.charges.iter().map(|charge| charge.source);
        let mut plan = PartPlan {
            group: short(self.number),
            days: self.days.clone(),
            classes: sources().filter_map(|source| Some(short(class_of(source)?))).collect(),
            covered: sources()
                .filter_map(|source| match source {
                    Source::Covered(number) => Some((short(number), false)),
                    Source::Negation(number) => Some((short(number), true)),
                    Source::Class(_) | Source::Item(..) => None,
                })
                .collect(),
            added: Vec::new(),
            totals: Vec::new(),
        };
        let items: BTreeSet<(usize, usize)> = sources()
            .filter_map(|source| match source {
                Source::Item(statement, item) => Some((statement, item)),
                _ => None,
            })
            .collect();
        let (period, book) = (self.priced.cube.period, self.priced.book);
        let group = &book.groups[self.number];
        let issuer = book.exports.invoice_issuer.as_deref().unwrap_or(ISSUER);
        let rows = FocusRows { priced: self.priced, group, number: self.number, issuer };
        for (place, statement) in self.priced.statements.iter().enumerate() {
            if statement.group != self.number {
                continue;
            }
            let currency = statement.currency;
            let (of_items, residue) = match self.layout {
                Layout::Cur => (
                    cur_rows::items(period, book, statement),
                    cur_rows::residue(period, book, group, currency),
                ),
                Layout::Focus => (rows.items(statement), rows.residue(currency)),
            };
            let seen = of_items.into_iter().enumerate().filter(|(item, _)| items.contains(&(place, *item)));
            plan.added.extend(seen.map(|(_, row)| row));
            let own = || self.charges.iter().filter(|charge| charge.currency == currency.as_str());
            if self.layout == Layout::Focus {
                // What a commitment left unused is where its fee is, on the first of the month.
                let has_fee =
                    |class| self.days.contains(&0) && sources().any(|of| class_of(of) == Some(class));
                let unused = rows.unused_of(currency)?.into_iter().filter(|(class, _)| has_fee(*class));
                plan.added.extend(unused.map(|(_, row)| row));
                let unbilled = own().filter(|charge| match charge.source {
                    Source::Class(class) => rows.is_unbilled(class),
                    Source::Covered(_) | Source::Negation(_) => true,
                    Source::Item(..) => false,
                });
                plan.added.extend(rows.coverage(currency, Amount::from_units(units(unbilled))?));
            }
            plan.totals.push(Total { amount: units(own()), residue });
        }
        Ok(plan)
    }
}

fn class_of(source: Source) -> Option<usize> {
    match source {
        Source::Class(number) => Some(number),
        Source::Covered(_) | Source::Negation(_) | Source::Item(..) => None,
    }
}

/// The sum of charges, in units of 10⁻²⁰.
fn units<'c>(charges: impl Iterator<Item = &'c &'c ChargeSeen>) -> i128 {
    charges.map(|charge| charge.units).sum::<i128>() * ten_to(10)
}
