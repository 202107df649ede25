//! From cost files to segments: every line finds its class, its group and its amount, and goes to its group's rows.

use super::by_class::{self, RateOf};
use super::cur_columns::{Kind, Treatment};
use super::output::Output;
use super::plan::{Plan, Treated};
use super::segment::{Scratch, Segment, put_codes, put_texts, put_words};
use super::source_rows::{SourceRows, Values, changed};
use super::texts::{Accounts, Mentions, TextCode, Texts};
use crate::batch::{Batch, Codes};
use crate::layout::Layout;
use crate::number::{self, NumberNotes};
use crate::scan::Classifier;
use arrow_array::Array;
use billing::charge_class::{Cube, Measure};
use billing::money::{Amount, Factor, Quantity};
use billing::rate_card::{LinePrice, Written, written_amount};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Mutex, PoisonError};

const UNBLENDED_RATE: &str = "line_item_unblended_rate";
const CAPACITY_RESERVATION: &str = "capacity_reservation_capacity_reservation_arn";

/// A class as the collecting needs it; classes that are not exported have none.
struct PricedClass {
    group: u32,
    treated: Treated,
    price: LinePrice,
    rate: RateOf,
    /// The class's codes of the outputs that follow from it, by output.
    codes: Vec<(usize, TextCode)>,
}

/// What all threads share.
pub struct Collector<'a> {
    outputs: &'a [Output],
    allowed_tags: &'a [String],
    cube: &'a Cube,
    classes: Vec<Option<PricedClass>>,
    accounts: Accounts,
    pub texts: Mutex<Texts>,
    pub scratch: Scratch,
}

/// What a thread has collected.
pub struct Collected {
    classifier: Classifier,
    pub segments: Vec<Segment>,
    /// Lines and their written amounts, by class.
    pub sums: Vec<(u64, Amount)>,
    /// Which outputs that are written only if filled have a value, by group.
    pub filled: BTreeMap<u32, Vec<bool>>,
    /// Values that named an account outside of the group.
    pub withheld: u64,
}

/// The rows of a batch that are exported, group by group.
struct Ordered {
    /// Row and class.
    rows: Vec<(usize, usize)>,
    /// Each group and where its rows end.
    groups: Vec<(u32, usize)>,
}

/// An output's values of the ordered rows.
enum Prepared<'a> {
    Absent,
    Codes(Vec<TextCode>),
    Texts(Codes),
    Words(&'a [u64]),
    OwnWords(Vec<Option<u64>>),
}

/// Why a batch cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The scratch file.
    #[error("the scratch file of the export: {0}")]
    Scratch(#[from] io::Error),
    /// The lines are not those that were priced.
    #[error("a line is of no class that was priced: the file is not the one that was read")]
    Unknown,
    /// An amount beyond all money.
    #[error("an amount is {0}")]
    TooLarge(#[from] billing::money::DecimalError),
}

impl<'a> Collector<'a> {
    /// Prepares the classes of a plan.
    pub fn new(plan: &'a Plan, cube: &'a Cube, outputs: &'a [Output], scratch: Scratch) -> Self {
        let accounts = Accounts::new(plan.accounts.iter().map(|(account, group)| (account.as_str(), *group)));
        let mut texts = Texts::default();
        let mut classes = Vec::with_capacity(cube.classes.len());
        for (class, of_plan) in cube.classes.iter().zip(&plan.classes) {
            let wanted =
                |group: &u32| plan.groups.get(*group as usize).is_some_and(|group| group.folder.is_some());
            let priced = of_plan.group.filter(wanted).zip(of_plan.priced);
            classes.push(priced.and_then(|(group, (treated, price))| {
                let rate = by_class::rate(cube, class, of_plan);
                let of_class = match &rate {
                    RateOf::Class(rate) => rate.as_deref(),
                    RateOf::Line(_) => None,
                };
                let mut code = |text: &str| texts.code(text, &accounts).unwrap_or(0);
                let mut codes = Vec::new();
                for (number, output) in outputs.iter().enumerate() {
                    let text = match output.treatment {
                        Treatment::Class(of) => by_class::text(cube, class, treated, of_class, of),
                        Treatment::Rate => of_class.map(ToOwned::to_owned),
                        _ => continue,
                    };
                    codes.push((number, text.map_or(0, |text| code(&text))));
                }
                Some(PricedClass { group, treated, price: price.line_price()?, rate, codes })
            }));
        }
        let texts = Mutex::new(texts);
        Self { outputs, allowed_tags: &plan.allowed_tags, cube, classes, accounts, texts, scratch }
    }

    /// The columns of the exported files.
    pub fn outputs(&self) -> &'a [Output] {
        self.outputs
    }

    /// The columns of cost files that the outputs are made from, besides those that pricing reads.
    pub fn sources(&self) -> impl Iterator<Item = &'a str> {
        let made = |output: &Output| {
            !matches!(
                output.treatment,
                Treatment::Blank | Treatment::Ask | Treatment::Cost | Treatment::Class(_)
            )
        };
        let names =
            self.outputs.iter().filter(move |output| made(output)).map(|output| output.canonical.as_str());
        names.chain([UNBLENDED_RATE])
    }

    /// A thread's share, empty.
    pub fn begin(&self) -> Collected {
        Collected {
            classifier: Classifier::new(self.cube),
            segments: Vec::new(),
            sums: vec![(0, Amount::ZERO); self.classes.len()],
            filled: BTreeMap::new(),
            withheld: 0,
        }
    }

    /// Collects the lines of a batch. `order` is the batch's place in the delivery.
    pub fn add(
        &self,
        collected: &mut Collected,
        (mut batch, source): (Batch, SourceRows),
        (layout, file_name): (&Layout, &str),
        order: (u32, u32, u32),
    ) -> Result<(), CollectError> {
        let ordered = self.sort(collected, &mut batch, file_name)?;
        if ordered.rows.is_empty() {
            return Ok(());
        }
        let costs = self.amounts(collected, &batch, &ordered)?;
        let mut contents: Vec<Vec<u8>> = vec![Vec::new(); ordered.groups.len()];
        for (number, output) in self.outputs.iter().enumerate() {
            let prepared = self.prepare(collected, output, number, layout, &source, &ordered, &costs);
            self.put(collected, (number, output), &prepared, &ordered, &mut contents);
        }
        let (mut content, mut places, mut from) = (Vec::new(), Vec::new(), 0);
        for ((group, to), of_group) in ordered.groups.iter().zip(contents) {
            content.extend_from_slice(&of_group);
            // A batch has fewer rows than u32 holds.
            places.push((*group, u32::try_from(to - from).unwrap_or(u32::MAX), content.len()));
            from = *to;
        }
        collected.segments.extend(self.scratch.append(order, &content, &places)?);
        Ok(())
    }

    /// The rows of a batch by group, in the order of the file.
    fn sort(
        &self,
        collected: &mut Collected,
        batch: &mut Batch,
        file_name: &str,
    ) -> Result<Ordered, CollectError> {
        let found = collected.classifier.classify(batch, file_name).map_err(|_| CollectError::Unknown)?;
        let mut rows: Vec<(u32, usize, usize)> = Vec::with_capacity(batch.rows);
        for (row, class) in found.enumerate() {
            let Some(class) = class else { continue };
            let known = self.classes.get(class).ok_or(CollectError::Unknown)?;
            if let Some(priced) = known {
                rows.push((priced.group, row, class));
            }
        }
        rows.sort_unstable_by_key(|(group, row, _)| (*group, *row));
        let mut groups: Vec<(u32, usize)> = Vec::new();
        for (place, (group, ..)) in rows.iter().enumerate() {
            match groups.last_mut() {
                Some((last, end)) if last == group => *end = place + 1,
                _ => groups.push((*group, place + 1)),
            }
        }
        Ok(Ordered { rows: rows.into_iter().map(|(_, row, class)| (row, class)).collect(), groups })
    }

    /// The written amounts of the ordered rows, as doubles; adds them up by class.
    fn amounts(
        &self,
        collected: &mut Collected,
        batch: &Batch,
        ordered: &Ordered,
    ) -> Result<Vec<u64>, CollectError> {
        let by_measure = Measure::ALL.map(|measure| batch.numbers(measure));
        let mut doubles = Vec::with_capacity(ordered.rows.len());
        for (row, class) in &ordered.rows {
            let Some(priced) = &self.classes[*class] else { continue };
            let measure = |measure: Measure| {
                let units = by_measure[measure as usize].map_or(0, |numbers| numbers.value(*row));
                // A single number of a file is far below what a quantity holds.
                Quantity::from_units(units).unwrap_or_default()
            };
            let written = written_amount(priced.price.amount(measure)?);
            let (lines, sum) = &mut collected.sums[*class];
            *lines += 1;
            *sum = sum.plus(written.amount())?;
            doubles.push(double(written));
        }
        Ok(doubles)
    }

    #[allow(clippy::too_many_arguments, reason = "one row of a table of treatments")]
    fn prepare<'b>(
        &self,
        collected: &mut Collected,
        output: &Output,
        number: usize,
        layout: &Layout,
        source: &SourceRows,
        ordered: &Ordered,
        costs: &'b [u64],
    ) -> Prepared<'b> {
        let place = layout.column(&output.canonical);
        let values = || source.values(place?, output.kind);
        match output.treatment {
            Treatment::Blank | Treatment::Ask => Prepared::Absent,
            Treatment::Cost => Prepared::Words(costs),
            Treatment::Class(_) => Prepared::Codes(self.class_codes(number, ordered)),
            Treatment::Rate => self.rates(number, layout, source, ordered),
            Treatment::Copied | Treatment::OwnReservation => {
                let prepared = self.copied(collected, output, values(), ordered, false);
                match output.treatment {
                    Treatment::OwnReservation => self.own_reservation(prepared, layout, source, ordered),
                    _ => prepared,
                }
            }
            Treatment::OwnCommitment => self.copied(collected, output, values(), ordered, true),
            Treatment::Tags => {
                let values = values().map(|values| match values {
                    Values::Text(codes) => Values::Text(changed(&codes, |json| self.allowed_keys(json))),
                    words => words,
                });
                self.copied(collected, output, values, ordered, false)
            }
        }
    }

    fn class_codes(&self, number: usize, ordered: &Ordered) -> Vec<TextCode> {
        let code = |class: &usize| {
            let codes = &self.classes[*class].as_ref()?.codes;
            codes.iter().find(|(output, _)| *output == number).map(|(_, code)| *code)
        };
        ordered.rows.iter().map(|(_, class)| code(class).unwrap_or(0)).collect()
    }

    /// Rates: the class's, or the line's own times the factor.
    fn rates(
        &self,
        number: usize,
        layout: &Layout,
        source: &SourceRows,
        ordered: &Ordered,
    ) -> Prepared<'static> {
        let mut codes = self.class_codes(number, ordered);
        let values = layout.column(UNBLENDED_RATE).and_then(|place| source.values(place, Kind::Text));
        let Some(Values::Text(rates)) = values else { return Prepared::Codes(codes) };
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known: HashMap<(usize, Factor), TextCode> = HashMap::new();
        for ((row, class), code) in ordered.rows.iter().zip(&mut codes) {
            let Some(PricedClass { rate: RateOf::Line(factor), .. }) = &self.classes[*class] else {
                continue;
            };
            let Some(place) = rates.place(*row) else { continue };
            *code = *known.entry((place, *factor)).or_insert_with(|| {
                let units = number::units_of_text(rates.values.value(place), &mut NumberNotes::default());
                let text = units.ok().map(|units| by_class::scaled(units, *factor));
                text.and_then(|text| texts.code(&text, &self.accounts)).unwrap_or(0)
            });
        }
        Prepared::Codes(codes)
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
            !own || self.classes[*class].as_ref().is_some_and(|class| class.treated == Treated::AtCost)
        };
        match values {
            None => Prepared::Absent,
            Some(Values::Words(words, nulls)) => {
                let word = |(row, class): &(usize, usize)| {
                    let there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)) && is_own(class);
                    there.then(|| words[*row])
                };
                Prepared::OwnWords(ordered.rows.iter().map(word).collect())
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
                        if by_place.iter().any(|(_, mentions)| *mentions != Mentions::Nobody) {
                            self.withhold(collected, &codes, &by_place, ordered, &mut found);
                        }
                        Prepared::Codes(found)
                    }
                    None if own => {
                        let own_rows =
                            ordered.rows.iter().filter(|(_, class)| is_own(class)).map(|(row, _)| *row);
                        let own_rows: std::collections::HashSet<usize> = own_rows.collect();
                        let text = |row| codes.text(row).filter(|_| own_rows.contains(&row));
                        Prepared::Texts(Codes::from_texts((0..codes.keys.len()).map(text)))
                    }
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
            let mentions = codes.place(*row).map_or(Mentions::Nobody, |place| by_place[place].1);
            let group = self.classes[*class].as_ref().map(|class| class.group);
            if mentions != Mentions::Nobody && Some(mentions) != group.map(Mentions::Group) {
                *code = 0;
                collected.withheld += 1;
            }
        }
    }

    /// Keeps values only where the line's capacity reservation is the group's own.
    fn own_reservation<'b>(
        &self,
        prepared: Prepared<'b>,
        layout: &Layout,
        source: &SourceRows,
        ordered: &Ordered,
    ) -> Prepared<'b> {
        let place = layout.column(CAPACITY_RESERVATION);
        let Some(Values::Text(arns)) = place.and_then(|place| source.values(place, Kind::Text)) else {
            return Prepared::Absent;
        };
        let Prepared::Codes(mut codes) = prepared else { return Prepared::Absent };
        let owners: Vec<Mentions> =
            arns.values.iter().map(|arn| self.accounts.mentioned(arn.unwrap_or(""))).collect();
        for ((row, class), code) in ordered.rows.iter().zip(&mut codes) {
            let group = self.classes[*class].as_ref().map(|class| Mentions::Group(class.group));
            if arns.place(*row).map(|place| owners[place]) != group {
                *code = 0;
            }
        }
        Prepared::Codes(codes)
    }

    /// A map with the keys that the operator allows; `None` where none is left.
    fn allowed_keys(&self, json: &str) -> Option<String> {
        let mut map: BTreeMap<String, Option<String>> = serde_json::from_str(json).ok()?;
        map.retain(|key, _| self.allowed_tags.contains(key));
        if map.is_empty() { None } else { serde_json::to_string(&map).ok() }
    }

    /// Puts an output's values into the segments of their groups.
    fn put(
        &self,
        collected: &mut Collected,
        (number, output): (usize, &Output),
        prepared: &Prepared<'_>,
        ordered: &Ordered,
        contents: &mut [Vec<u8>],
    ) {
        let mut from = 0;
        for ((group, to), content) in ordered.groups.iter().zip(contents) {
            let rows = from..*to;
            let start = content.len();
            match prepared {
                Prepared::Absent => put_codes(&[], content),
                Prepared::Codes(codes) => put_codes(&codes[rows], content),
                Prepared::Words(words) => put_words(words[rows].iter().map(|word| Some(*word)), content),
                Prepared::OwnWords(words) => put_words(words[rows].iter().copied(), content),
                Prepared::Texts(codes) => {
                    let own = Mentions::Group(*group);
                    let kept = ordered.rows[rows].iter().map(|(row, _)| {
                        let text = codes.text(*row)?;
                        let mentions = self.accounts.mentioned(text);
                        (mentions == Mentions::Nobody || mentions == own).then_some(text)
                    });
                    let kept: Vec<Option<&str>> = kept.collect();
                    let there = ordered.rows[from..*to].iter().filter(|(row, _)| codes.text(*row).is_some());
                    collected.withheld += (there.count() - kept.iter().flatten().count()) as u64;
                    put_texts(kept.into_iter(), content);
                }
            }
            if output.only_if_filled && content[start] != 0 {
                let filled =
                    collected.filled.entry(*group).or_insert_with(|| vec![false; self.outputs.len()]);
                filled[number] = true;
            }
            from = *to;
        }
    }
}

/// The double of a written amount, by its bits.
pub fn double(written: Written) -> u64 {
    number::bits_of_decimal(written.digits, written.decimals)
}
