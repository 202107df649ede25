//! The values of one exported column for the rows of a batch.

use super::{Collected, Collector, Lines, Ordered, PricedClass, double};
use crate::codes::Codes;
use crate::export::by_class::{self, RateOf};
use crate::export::charge::{Charge, Treated};
use crate::export::output::Output;
use crate::export::reference::resource_type;
use crate::export::source_rows::{Values, changed};
use crate::export::texts::{Mentions, TextCode};
use crate::export::treatment::{AmountOf, Kind, Treatment};
use crate::export::unit_prices;
use crate::number::{self, NumberNotes};
use arrow_array::Array;
use billing::charge_class::Measure;
use billing::money::{Amount, Factor};
use billing::rate_card::written_amount;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::PoisonError;

/// A quantity of one.
const ONE: i128 = 10_000_000_000;
const UNBLENDED_RATE: &str = "line_item_unblended_rate";
const CAPACITY_RESERVATION: &str = "capacity_reservation_capacity_reservation_arn";
/// Columns that values are made from, besides the column that each output names.
pub const OTHER_SOURCES: [&str; 2] = [UNBLENDED_RATE, CAPACITY_RESERVATION];

/// What was made of values that have been seen before.
type Known<K, V> = HashMap<K, V, FixedState>;

/// An output's values of the ordered rows.
pub enum Prepared<'a> {
    Absent,
    Codes(Vec<TextCode>),
    Texts(Codes),
    /// By ordered row, not by row of the batch.
    RowTexts(Vec<Option<String>>),
    Words(&'a [u64]),
    WordsOrNone(Vec<Option<u64>>),
}

impl Lines<'_> {
    /// A column of the file.
    pub(super) fn values(&self, name: &str, kind: Kind) -> Option<Values> {
        self.source.values(self.layout.column(name)?, kind)
    }

    /// A measure of an ordered row, in units of 10⁻¹⁰.
    fn units(&self, measure: Measure, place: usize) -> i128 {
        self.ordered.units(&self.measures, measure, place)
    }
}

impl Collector<'_> {
    /// The values of an output.
    pub(super) fn prepare<'b>(
        &self,
        collected: &mut Collected,
        (number, output): (usize, &Output),
        lines: &'b Lines<'_>,
    ) -> Prepared<'b> {
        let prepared = self.prepare_lines(collected, (number, output), lines);
        match output.treatment {
            _ if lines.ordered.pieces.is_empty() => prepared,
            Treatment::OwnCommitment => self.of_commitments((number, output), prepared, lines.ordered),
            _ => self.of_pieces(output, prepared, lines.ordered),
        }
    }

    /// The values of an output where every row is a whole line.
    fn prepare_lines<'b>(
        &self,
        collected: &mut Collected,
        (number, output): (usize, &Output),
        lines: &'b Lines<'_>,
    ) -> Prepared<'b> {
        let ordered = lines.ordered;
        let values = || lines.values(&output.source, output.kind);
        match output.treatment {
            Treatment::Blank | Treatment::Ask => Prepared::Absent,
            Treatment::Cost => Prepared::Words(&lines.billed),
            Treatment::Amount(of) => self.amounts_of(of, lines),
            Treatment::Class(_) | Treatment::Group(_) => {
                self.of_kind(output.kind, self.class_codes(number, ordered))
            }
            Treatment::Rate => Prepared::Codes(self.rates(number, lines)),
            Treatment::UnitPrice(of) => self.unit_prices(of, lines),
            Treatment::PricingAmount(of) => self.in_pricing_currency(self.amounts_of(of, lines), ordered),
            Treatment::PricingUnitPrice(of) => self.in_pricing_currency(self.unit_prices(of, lines), ordered),
            Treatment::Copied => self.copied(collected, output, values(), ordered, false),
            Treatment::OwnReservation => {
                let prepared = self.copied(collected, output, values(), ordered, false);
                self.own_reservation(prepared, lines)
            }
            Treatment::OwnCommitment => self.copied(collected, output, values(), ordered, true),
            Treatment::Use(of) => self.uses(of, lines),
            Treatment::End => match self.copied(collected, output, values(), ordered, false) {
                Prepared::WordsOrNone(ends) => {
                    Prepared::WordsOrNone(ends.into_iter().map(whole_end).collect())
                }
                other => other,
            },
            Treatment::ConsumedQuantity => {
                let copied = self.copied(collected, output, values(), ordered, false);
                let Prepared::WordsOrNone(mut words) = copied else { return copied };
                for (word, (_, class)) in words.iter_mut().zip(&ordered.rows) {
                    *word = word.filter(|_| self.is_metered(*class));
                }
                Prepared::WordsOrNone(words)
            }
            Treatment::PricingQuantity => {
                self.pricing_quantities(self.copied(collected, output, values(), ordered, false), lines)
            }
            Treatment::Zone => {
                let zones = values().map(|values| match values {
                    Values::Text(zones) => {
                        let is_zone = |zone: &str| zone.ends_with(|last: char| last.is_ascii_lowercase());
                        Values::Text(changed(&zones, |zone| is_zone(zone).then(|| zone.to_owned())))
                    }
                    words => words,
                });
                self.copied(collected, output, zones, ordered, false)
            }
            Treatment::AccountName => {
                let copied = self.copied(collected, output, values(), ordered, false);
                self.account_names(copied, self.class_codes(number, ordered))
            }
            Treatment::ReservationStatus => {
                self.own_reservation(Prepared::Codes(self.class_codes(number, ordered)), lines)
            }
            Treatment::ResourceType => match values() {
                Some(Values::Text(ids)) => self.resource_types(&ids, ordered),
                _ => Prepared::Absent,
            },
            Treatment::Tags => self.copied(collected, output, self.tags(output, lines), ordered, false),
        }
    }

    /// Names of the file, and of the book where the file has none: line by line, or a name would depend on the lines beside it.
    fn account_names(&self, copied: Prepared<'static>, of_book: Vec<TextCode>) -> Prepared<'static> {
        match copied {
            Prepared::Absent => Prepared::Codes(of_book),
            Prepared::Codes(mut names) => {
                let unnamed = names.iter_mut().zip(of_book).filter(|(name, _)| **name == 0);
                unnamed.for_each(|(name, of_book)| *name = of_book);
                Prepared::Codes(names)
            }
            other => other,
        }
    }

    /// Quantities as they are; a purchase without one is one, and what has no price has none.
    fn pricing_quantities<'b>(&self, copied: Prepared<'b>, lines: &Lines<'_>) -> Prepared<'b> {
        let Prepared::WordsOrNone(mut words) = copied else { return copied };
        let purchases =
            words.iter_mut().zip(&lines.ordered.rows).filter(|(_, (_, class))| !self.is_metered(*class));
        for (word, (_, class)) in purchases {
            let is_none = word.is_none_or(|bits| bits << 1 == 0);
            *word = match self.is_unpriced(*class) {
                true => None,
                false if is_none => Some(number::bits_of_decimal(1, 0)),
                false => *word,
            };
        }
        Prepared::WordsOrNone(words)
    }

    /// Whether lines of a class are credits, taxes or their like, which have no price.
    fn is_unpriced(&self, class: usize) -> bool {
        self.classes[class].as_ref().is_some_and(|of| of.charge == Charge::Unpriced)
    }

    fn is_metered(&self, class: usize) -> bool {
        let charge = self.classes[class].as_ref().map(|class| class.charge);
        matches!(charge, Some(Charge::Usage | Charge::Covered))
    }

    /// Codes, or the numbers that their texts are.
    fn of_kind(&self, kind: Kind, codes: Vec<TextCode>) -> Prepared<'static> {
        if kind != Kind::Number {
            return Prepared::Codes(codes);
        }
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known: Known<TextCode, Option<u64>> = HashMap::with_hasher(FixedState::with_seed(0));
        let mut number = |code| *known.entry(code).or_insert_with(|| number::bits_of_text(texts.text(code)));
        Prepared::WordsOrNone(codes.into_iter().map(&mut number).collect())
    }

    /// An amount of every row beside what it is billed.
    fn amounts_of(&self, of: AmountOf, lines: &Lines<'_>) -> Prepared<'static> {
        let word = |place| {
            let amount = self.amount_of(of, lines, place)?;
            Some(double(written_amount(amount)))
        };
        Prepared::WordsOrNone((0..lines.ordered.rows.len()).map(word).collect())
    }

    fn amount_of(&self, of: AmountOf, lines: &Lines<'_>, place: usize) -> Option<Amount> {
        let (class, price) = (lines.ordered.rows[place].1, &lines.prices[place]);
        let priced = self.classes[class].as_ref()?;
        // A number of a file has room for ten more decimals.
        let amount = |units: i128| Amount::from_units(units * 10_000_000_000).unwrap_or_default();
        let measure = |of| amount(lines.units(of, place));
        let public = measure(Measure::PublicOnDemand);
        let contracted = match priced.charge {
            // Usage that a reservation covers has no cost of its own in the cost files.
            Charge::Covered if price.digits == 0 => public,
            _ => price.amount(),
        };
        match (of, priced.charge) {
            (AmountOf::Contracted, _) => Some(contracted),
            (AmountOf::Effective, Charge::Covered) => self.effective_cost(lines, place),
            (AmountOf::Effective, Charge::CommitmentPurchase) => Some(Amount::ZERO),
            (AmountOf::Effective, _) => Some(price.amount()),
            (AmountOf::List, Charge::Usage | Charge::Covered) if !public.is_zero() => Some(public),
            (AmountOf::List, _) => Some(contracted),
            (AmountOf::CommitmentQuantity, Charge::Covered) => {
                let of_plan = self.of_plan(lines, place);
                if of_plan { self.effective_cost(lines, place) } else { Some(measure(Measure::Usage)) }
            }
            (AmountOf::CommitmentQuantity, Charge::CommitmentPurchase) => {
                match measure(Measure::SavingsPlanTotalCommitment) {
                    // What is paid in advance for a Savings Plan is money to use.
                    Amount::ZERO if priced.is_upfront_plan => Some(price.amount()),
                    Amount::ZERO => Some(measure(Measure::Usage)),
                    committed => Some(committed),
                }
            }
            (AmountOf::CommitmentQuantity, _) => None,
        }
    }

    /// What a unit costs of an amount of every row.
    fn unit_prices(&self, of: AmountOf, lines: &Lines<'_>) -> Prepared<'static> {
        let line_rates = self.line_rates(lines);
        let mut known: Known<i128, Option<u64>> = HashMap::with_hasher(FixedState::with_seed(0));
        let mut word = |place: usize| {
            let (class, price) = (&lines.ordered.rows[place].1, &lines.prices[place]);
            let priced = self.classes[*class].as_ref().filter(|of| of.charge != Charge::Unpriced)?;
            let is_metered = self.is_metered(*class);
            let own_rate = match &priced.rate {
                _ if priced.charge == Charge::Covered && price.digits == 0 => priced.public_rate,
                RateOf::Line(factor) => line_rates.as_ref().and_then(|rates| {
                    // A rate has ten decimals and a factor six.
                    rates[place]?.checked_mul(factor.units() * 10_000)
                }),
                RateOf::Class(_) => priced.own_rate,
            };
            let is_listed = of == AmountOf::List && lines.units(Measure::PublicOnDemand, place) != 0;
            let rate = if is_listed && is_metered { priced.public_rate } else { own_rate };
            let usage = lines.units(Measure::Usage, place);
            let quantity = if usage == 0 && !is_metered { ONE } else { usage };
            let price = unit_prices::unit_price(rate, quantity, self.amount_of(of, lines, place)?)?;
            *known.entry(price).or_insert_with(|| {
                number::bits_of_text(&Amount::from_units(price).unwrap_or_default().to_string())
            })
        };
        Prepared::WordsOrNone((0..lines.ordered.rows.len()).map(&mut word).collect())
    }

    /// The unblended rates of the ordered rows, in units of 10⁻¹⁰.
    fn line_rates(&self, lines: &Lines<'_>) -> Option<Vec<Option<i128>>> {
        let Values::Text(rates) = lines.values(UNBLENDED_RATE, Kind::Text)? else { return None };
        let units = |text: Option<&str>| number::units_of_text(text?, &mut NumberNotes::default()).ok();
        let by_place: Vec<Option<i128>> = rates.values.iter().map(units).collect();
        Some(lines.ordered.rows.iter().map(|(row, _)| by_place[rates.place(*row)?]).collect())
    }

    /// Nothing on rows whose prices are in another currency than the bill.
    fn in_pricing_currency(&self, prepared: Prepared<'static>, ordered: &Ordered) -> Prepared<'static> {
        let Prepared::WordsOrNone(mut words) = prepared else { return prepared };
        for (word, (_, class)) in words.iter_mut().zip(&ordered.rows) {
            let is_same = self.classes[*class].as_ref().is_some_and(|class| class.priced_in_currency);
            *word = word.filter(|_| is_same);
        }
        Prepared::WordsOrNone(words)
    }

    /// What the resources are whose ids the rows keep.
    fn resource_types(&self, ids: &Codes, ordered: &Ordered) -> Prepared<'static> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = |id: Option<&str>| {
            let Some(id) = id else { return (0, Mentions::Nobody) };
            (texts.code(resource_type(id), &self.accounts).unwrap_or(0), self.accounts.mentioned(id))
        };
        let by_place: Vec<(TextCode, Mentions)> = ids.values.iter().map(&mut known).collect();
        let code = |(row, class): &(usize, usize)| {
            let (code, mentions) = &by_place[ids.place(*row)?];
            mentions.may_reach(self.classes[*class].as_ref()?.group).then_some(*code)
        };
        Prepared::Codes(ordered.rows.iter().map(|row| code(row).unwrap_or(0)).collect())
    }

    /// Rates as text: the class's, or the line's own times the factor.
    fn rates(&self, number: usize, lines: &Lines<'_>) -> Vec<TextCode> {
        let mut codes = self.class_codes(number, lines.ordered);
        let Some(Values::Text(rates)) = lines.values(UNBLENDED_RATE, Kind::Text) else { return codes };
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known: Known<(usize, Factor), TextCode> = HashMap::with_hasher(FixedState::with_seed(0));
        for ((row, class), code) in lines.ordered.rows.iter().zip(&mut codes) {
            let Some(PricedClass { rate: RateOf::Line(factor), .. }) = &self.classes[*class] else {
                continue;
            };
            let Some(place) = rates.place(*row) else { continue };
            *code = *known.entry((place, *factor)).or_insert_with(|| {
                let units = number::units_of_text(rates.values.value(place), &mut NumberNotes::default());
                let text = units.ok().map(|units| by_class::scaled(units, *factor));
                text.and_then(|text| texts.code_of_made(&text, &self.accounts)).unwrap_or(0)
            });
        }
        codes
    }

    /// Tags that the operator allows, as JSON: from the map, or from the columns of a legacy report.
    fn tags(&self, output: &Output, lines: &Lines<'_>) -> Option<Values> {
        match lines.values(&output.source, Kind::Map) {
            Some(Values::Text(codes)) => Some(Values::Text(changed(&codes, |json| self.allowed_keys(json)))),
            Some(words) => Some(words),
            None => self.tags_of_columns(lines),
        }
    }

    fn tags_of_columns(&self, lines: &Lines<'_>) -> Option<Values> {
        let columns = self.allowed_tags.iter().zip(&self.tag_columns);
        let columns: Vec<(&String, Codes)> = columns
            .filter_map(|(tag, column)| match lines.values(column, Kind::Text)? {
                Values::Text(codes) => Some((tag, codes)),
                Values::Words(..) => None,
            })
            .collect();
        let json = |row| {
            let map: BTreeMap<&String, &str> =
                columns.iter().filter_map(|(tag, codes)| Some((*tag, codes.text(row)?))).collect();
            if map.is_empty() { None } else { serde_json::to_string(&map).ok() }
        };
        let texts: Vec<Option<String>> = (0..lines.rows).map(json).collect();
        (!columns.is_empty()).then(|| Values::Text(Codes::from_texts(texts.iter().map(Option::as_deref))))
    }

    pub(super) fn class_codes(&self, number: usize, ordered: &Ordered) -> Vec<TextCode> {
        let place = self.code_places[number];
        let code = |class: &usize| self.classes[*class].as_ref().map_or(0, |class| class.codes[place]);
        ordered.rows.iter().map(|(_, class)| code(class)).collect()
    }

    /// A column of the file; with `own` only on lines of the group's own commitments.
    fn copied(
        &self,
        collected: &mut Collected,
        output: &Output,
        values: Option<Values>,
        ordered: &Ordered,
        own: bool,
    ) -> Prepared<'static> {
        let is_own = |class: &usize| {
            let is_own = |class: &PricedClass| match class.treated {
                Treated::AtCost | Treated::UnusedPart => true,
                Treated::AsInvoiced => class.owned,
                _ => false,
            };
            !own || self.classes[*class].as_ref().is_some_and(is_own)
        };
        match values {
            None => Prepared::Absent,
            Some(Values::Words(words, nulls)) => {
                let word = |(row, class): &(usize, usize)| {
                    let there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)) && is_own(class);
                    there.then(|| words[*row])
                };
                Prepared::WordsOrNone(ordered.rows.iter().map(word).collect())
            }
            Some(Values::Text(codes)) if codes.nulls.as_ref().is_some_and(|n| n.null_count() == n.len()) => {
                Prepared::Absent
            }
            Some(Values::Text(codes)) => {
                let few = codes.values.len() < 1_024.max(ordered.rows.len() / 2);
                match (!output.unrepeated && few).then(|| self.coded(&codes)).flatten() {
                    Some(by_place) => {
                        let code = |(row, class): &(usize, usize)| match codes.place(*row) {
                            Some(place) if is_own(class) => by_place[place].0,
                            _ => 0,
                        };
                        let mut found: Vec<TextCode> = ordered.rows.iter().map(code).collect();
                        let names_accounts =
                            by_place.iter().any(|(_, mentions)| *mentions != Mentions::Nobody);
                        if names_accounts && output.withholds() {
                            self.withhold(collected, &codes, &by_place, ordered, &mut found);
                        }
                        Prepared::Codes(found)
                    }
                    None if own => Prepared::Texts(only(&codes, ordered, |(_, class)| is_own(class))),
                    None => Prepared::Texts(codes),
                }
            }
        }
    }

    /// The codes of a column's distinct values, and whose account each mentions; `None` when there are too many texts.
    fn coded(&self, codes: &Codes) -> Option<Vec<(TextCode, Mentions)>> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let code = |text: Option<&str>| {
            let Some(text) = text else { return Some((0, Mentions::Nobody)) };
            let code = texts.code(text, &self.accounts)?;
            Some((code, texts.mentions(code)))
        };
        codes.values.iter().map(code).collect()
    }

    /// Takes out what names an account outside of the row's group.
    fn withhold(
        &self,
        collected: &mut Collected,
        codes: &Codes,
        by_place: &[(TextCode, Mentions)],
        ordered: &Ordered,
        found: &mut [TextCode],
    ) {
        for ((row, class), code) in ordered.rows.iter().zip(found).filter(|(_, code)| **code != 0) {
            let mentions = codes.place(*row).map_or(&Mentions::Nobody, |place| &by_place[place].1);
            if !self.classes[*class].as_ref().is_some_and(|class| mentions.may_reach(class.group)) {
                *code = 0;
                collected.withheld += 1;
            }
        }
    }

    /// Keeps values only where the line's capacity reservation is the group's own.
    fn own_reservation(&self, prepared: Prepared<'static>, lines: &Lines<'_>) -> Prepared<'static> {
        let Some(Values::Text(arns)) = lines.values(CAPACITY_RESERVATION, Kind::Text) else {
            return Prepared::Absent;
        };
        let owners: Vec<Mentions> =
            arns.values.iter().map(|arn| self.accounts.mentioned(arn.unwrap_or(""))).collect();
        let is_own = |(row, class): &(usize, usize)| {
            let group = self.classes[*class].as_ref().map(|class| class.group);
            arns.place(*row).zip(group).is_some_and(|(place, group)| owners[place].is_of(group))
        };
        match prepared {
            Prepared::Codes(mut codes) => {
                let others = lines.ordered.rows.iter().zip(&mut codes).filter(|(row, _)| !is_own(row));
                others.for_each(|(_, code)| *code = 0);
                Prepared::Codes(codes)
            }
            Prepared::Texts(codes) => Prepared::Texts(only(&codes, lines.ordered, is_own)),
            other => other,
        }
    }

    /// A map with the keys that the operator allows; `None` where none is left.
    fn allowed_keys(&self, json: &str) -> Option<String> {
        let mut map: BTreeMap<String, Option<String>> = serde_json::from_str(json).ok()?;
        map.retain(|key, _| self.allowed_tags.contains(key));
        if map.is_empty() { None } else { serde_json::to_string(&map).ok() }
    }
}

/// The texts of some of the ordered rows.
fn only(codes: &Codes, ordered: &Ordered, wanted: impl Fn(&(usize, usize)) -> bool) -> Codes {
    let rows: HashSet<usize> = ordered.rows.iter().filter(|row| wanted(row)).map(|(row, _)| *row).collect();
    Codes::from_texts((0..codes.keys.len()).map(|row| codes.text(row).filter(|_| rows.contains(&row))))
}

/// An end as FOCUS has it: the hour where AWS writes its last second.
pub(super) fn whole_end(milliseconds: Option<u64>) -> Option<u64> {
    milliseconds.map(|at| if at / 1_000 % 60 == 59 { (at / 1_000 + 1) * 1_000 } else { at })
}
