//! From cost files to segments: every line finds its class, its group and its amount, and goes to its group's rows.

mod covered;
mod pieces;
mod prepare;

use super::by_class::{self, RateOf};
use super::charge::{Charge, Treated, charge};
use super::covering::{Covering, Fee, Made};
use super::line_sums::STARTS;
use super::output::Output;
use super::plan::{ClassPlan, Layout as ExportLayout, Plan, Price};
use super::segment::{Scratch, Segment, put_codes, put_texts, put_words};
use super::source_rows::{SourceRows, Values};
use super::texts::{Accounts, TextCode, Texts};
use super::treatment::{Kind, Treatment};
use super::unit_prices;
use super::view::{OfDay, place_of, put_places};
use crate::batch::{Batch, Numbers};
use crate::layout::Layout;
use crate::number;
use crate::scan::Classifier;
use billing::charge_class::{ChargeClass, Cube, KeyColumn, MEASURES, Measure};
use billing::class_kind::line_item_type;
use billing::commitment;
use billing::cost_line::LineItemType;
use billing::money::{Amount, Quantity};
use billing::rate_card::{LinePrice, Written, written_amount};
use export_query::Granularity;
use pieces::{Piece, Pieces};
use prepare::Prepared;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;

/// A class as the collecting needs it; classes that are not exported have none.
struct PricedClass {
    group: u32,
    treated: Treated,
    charge: Charge,
    /// Whether its lines are billed: in FOCUS, usage that a commitment covers is not.
    billed: bool,
    /// Of a bill that is passed through: whether the commitment that covers or charges the lines is of the group.
    owned: bool,
    /// Whether its prices are in the currency of the bill.
    priced_in_currency: bool,
    /// Whether its lines pay a Savings Plan in advance.
    is_upfront_plan: bool,
    price: LinePrice,
    rate: RateOf,
    /// AWS's public rate and the operator's, with all decimals, in units of 10⁻²⁰.
    public_rate: Option<i128>,
    own_rate: Option<i128>,
    /// The class's codes of the outputs that follow from it, in their order.
    codes: Vec<TextCode>,
    /// Of fees: the commitment whose simulated use they can tell.
    fee: Option<Fee>,
}

/// What all threads share.
pub struct Collector<'a> {
    outputs: &'a [Output],
    /// By output: its place among those that follow from the class.
    code_places: Vec<usize>,
    allowed_tags: &'a [String],
    /// Legacy reports have a column per tag: those that are allowed.
    tag_columns: Vec<String>,
    cube: &'a Cube,
    unused_told: bool,
    /// What commitments cover, where that was simulated.
    covering: Option<&'a Covering>,
    /// The classes of the cube, and after them those that are made of what commitments cover.
    classes: Vec<Option<PricedClass>>,
    accounts: Accounts,
    /// Whether rows are taken by class and day, as those of a view are, or summed: then each says of which it is.
    pub by_class_and_day: bool,
    /// Whether it is asked what rows of a class and day sum to, before they are written: of lines of views that are not summed otherwise.
    sums_of_days: bool,
    pub texts: Mutex<Texts>,
    pub scratch: Scratch,
}

/// What a thread has collected.
pub struct Collected {
    classifier: Classifier,
    pub segments: Vec<Segment>,
    /// By class.
    pub sums: Vec<Sums>,
    /// Rows beyond the first of their lines, by group.
    pub further: BTreeMap<u32, u64>,
    /// Which outputs that are written only if filled have a value, by group.
    pub filled: BTreeMap<u32, Vec<bool>>,
    /// Of rows that are taken by class and day, and not summed: what they are billed.
    pub of_days: OfDay,
    /// Values that named an account outside of the group.
    pub withheld: u64,
    /// The rows of a batch with their classes, whosever they are, where somebody asks for them.
    pub classified: Option<Vec<(usize, usize)>>,
}

/// What was collected of a class.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    /// Lines of the cost files.
    pub lines: u64,
    /// Written amounts.
    pub amount: Amount,
    /// Of a class that is made: covered usage, in units of 10⁻¹⁰.
    pub covered: i128,
}

/// The rows of a batch that are exported, group by group. A line that commitments cover is several rows.
struct Ordered {
    /// Row of the batch and class.
    rows: Vec<(usize, usize)>,
    /// What each row has of its line; empty where every row is a whole line that no commitment covers.
    pieces: Vec<Option<Piece>>,
    /// Each group and where its rows end.
    groups: Vec<(u32, usize)>,
}

impl Ordered {
    fn piece(&self, place: usize) -> Option<&Piece> {
        self.pieces.get(place)?.as_ref()
    }

    /// A measure of a row, in units of 10⁻¹⁰.
    fn units(&self, measures: &Measures<'_>, measure: Measure, place: usize) -> i128 {
        let of_piece = self.piece(place).and_then(|piece| piece.measure(measure));
        of_piece.map_or_else(|| measures.units(measure, self.rows[place].0), Quantity::units)
    }
}

/// A batch with what is known of its rows.
struct Lines<'a> {
    layout: &'a Layout,
    source: &'a SourceRows,
    rows: usize,
    measures: Measures<'a>,
    ordered: &'a Ordered,
    /// What each ordered row costs by its price.
    prices: Vec<Written>,
    /// What it is billed, as a double.
    billed: Vec<u64>,
}

impl Lines<'_> {
    /// When the usage of each row of the batch began, in seconds, as far as the file says it.
    fn starts(&self) -> Option<Vec<Option<i64>>> {
        let place = STARTS.into_iter().find_map(|name| self.layout.column(name))?;
        let Some(Values::Words(words, nulls)) = self.source.values(place, Kind::Time) else { return None };
        let start = |(row, word): (usize, &u64)| {
            let is_there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            is_there.then(|| word.cast_signed().div_euclid(1_000))
        };
        Some(words.iter().enumerate().map(start).collect())
    }
}

/// The numbers of a batch by measure; a file may have none of a measure.
pub(super) struct Measures<'a>([Option<&'a Numbers>; MEASURES]);

impl<'a> Measures<'a> {
    pub fn of(batch: &'a Batch) -> Self {
        Self(Measure::ALL.map(|measure| batch.numbers(measure)))
    }

    /// A measure of a row, in units of 10⁻¹⁰; the net cost of a row without one is its unblended cost, as in its class.
    pub fn units(&self, measure: Measure, row: usize) -> i128 {
        let valid = |numbers: &&&Numbers| numbers.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let own = self.0[measure as usize].as_ref();
        match measure {
            Measure::NetUnblended if own.filter(valid).is_none() => self.units(Measure::Unblended, row),
            _ => own.map_or(0, |numbers| numbers.value(row)),
        }
    }
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
    /// The file of covered lines.
    #[error("what commitments cover: {0}")]
    Covered(#[from] crate::cube_file::CubeFileError),
    /// What is covered is not the lines'.
    #[error(
        "commitments cover more of row {0} than it has, or what they do not cover: the file is not the one that was read"
    )]
    NotCovered(u64),
}

impl<'a> Collector<'a> {
    /// Prepares the classes of a plan.
    pub fn new(
        plan: &'a Plan,
        cube: &'a Cube,
        outputs: &'a [Output],
        covering: Option<&'a Covering>,
        scratch: Scratch,
    ) -> Self {
        let accounts = Accounts::new(
            plan.accounts.iter().map(|(account, groups)| (account.as_str(), groups.as_slice())),
        );
        let mut preparing = Preparing { plan, cube, outputs, covering, accounts, texts: Texts::default() };
        let made = covering.map_or(&[][..], |covering| &covering.made);
        let mut classes = Vec::with_capacity(cube.classes.len() + made.len());
        for (class, of_plan) in cube.classes.iter().zip(&plan.classes) {
            let priced = of_plan.exported(plan, cube, class);
            classes.push(priced.and_then(|(group, priced)| preparing.class(class, group, priced, None)));
        }
        for made in made {
            classes.push(preparing.class(&made.class, made.group, made.priced, Some(made)));
        }
        let Preparing { accounts, texts, .. } = preparing;
        let texts = Mutex::new(texts);
        let mut next = 0;
        let place = |output: &Output| {
            let place = next;
            next += usize::from(output.treatment.is_of_class());
            place
        };
        let code_places = outputs.iter().map(place).collect();
        let tag_columns = plan.allowed_tags.iter().map(|tag| format!("resource_tags_{tag}")).collect();
        Self {
            outputs,
            code_places,
            allowed_tags: &plan.allowed_tags,
            tag_columns,
            cube,
            unused_told: plan.unused_told,
            covering,
            classes,
            accounts,
            by_class_and_day: plan.view.is_some() || plan.granularity != Granularity::Hourly,
            sums_of_days: plan.view.is_some() && plan.granularity == Granularity::Hourly,
            texts,
            scratch,
        }
    }

    /// What commitments cover, where that was simulated.
    pub fn covering(&self) -> Option<&'a Covering> {
        self.covering
    }

    /// The columns of the exported files.
    pub fn outputs(&self) -> &'a [Output] {
        self.outputs
    }

    /// The columns of cost files that the outputs are made from, besides those that pricing reads.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let made = |output: &Output| {
            !matches!(
                output.treatment,
                Treatment::Blank | Treatment::Ask | Treatment::Cost | Treatment::Class(_)
            )
        };
        let names =
            self.outputs.iter().filter(move |output| made(output)).map(|output| output.source.as_str());
        let others = prepare::OTHER_SOURCES.into_iter().chain(self.tag_columns.iter().map(String::as_str));
        names.chain(others).chain(STARTS.into_iter().filter(move |_| self.by_class_and_day))
    }

    /// A thread's share, empty.
    pub fn begin(&self) -> Collected {
        Collected {
            classifier: Classifier::new(self.cube),
            segments: Vec::new(),
            sums: vec![Sums::default(); self.classes.len()],
            further: BTreeMap::new(),
            filled: BTreeMap::new(),
            of_days: OfDay::default(),
            withheld: 0,
            classified: None,
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
        let measures = Measures::of(&batch);
        let (prices, billed) = self.amounts(collected, &measures, &ordered)?;
        let (rows, ordered) = (batch.rows, &ordered);
        let lines = Lines { layout, source: &source, rows, measures, ordered, prices, billed };
        let mut contents: Vec<Vec<u8>> = vec![Vec::new(); ordered.groups.len()];
        for (number, output) in self.outputs.iter().enumerate() {
            let prepared = self.prepare(collected, (number, output), &lines);
            self.put(collected, (number, output), &prepared, ordered, &mut contents);
        }
        if self.by_class_and_day {
            self.put_places(collected, &lines, &mut contents)?;
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

    /// Puts the class and the day of each row behind its columns, and adds up what it is billed, where that is asked.
    fn put_places(
        &self,
        collected: &mut Collected,
        lines: &Lines<'_>,
        contents: &mut [Vec<u8>],
    ) -> Result<(), CollectError> {
        let starts = lines.starts();
        let month = self.cube.period.start_seconds()..self.cube.period.end_seconds();
        let mut places = Vec::with_capacity(lines.ordered.rows.len());
        for ((row, class), price) in lines.ordered.rows.iter().zip(&lines.prices) {
            let start = starts.as_ref().and_then(|starts| starts.get(*row).copied().flatten());
            let place = place_of(*class, &month, start);
            let is_billed =
                || self.classes.get(*class).and_then(Option::as_ref).is_some_and(|class| class.billed);
            if self.sums_of_days && is_billed() {
                let sum = collected.of_days.entry(place).or_default();
                *sum = sum.plus(price.amount())?;
            }
            places.push(place);
        }
        put_places(&places, lines.ordered.groups.iter().map(|(_, end)| *end), contents);
        Ok(())
    }

    /// Gives every row of a batch, and its class, with its price and its measures. A line that commitments cover is several rows.
    pub fn each_priced(
        &self,
        collected: &mut Collected,
        batch: &mut Batch,
        file_name: &str,
        mut give: impl FnMut((usize, usize), Amount, &dyn Fn(Measure) -> i128) -> Result<(), CollectError>,
    ) -> Result<(), CollectError> {
        let ordered = self.sort(collected, batch, file_name)?;
        let measures = Measures::of(batch);
        let (prices, _) = self.amounts(collected, &measures, &ordered)?;
        for (place, price) in prices.iter().enumerate() {
            let units = |measure| ordered.units(&measures, measure, place);
            give(ordered.rows[place], price.amount(), &units)?;
        }
        Ok(())
    }

    /// Whether a text may be told to the group of a class: it names no account of others, and none but some where these alone are seen.
    pub fn may_reach(&self, class: usize, text: &str, seen: Option<&BTreeSet<String>>) -> bool {
        let group = self.classes.get(class).and_then(|class| Some(class.as_ref()?.group));
        group.is_some_and(|group| self.accounts.mentioned(text).may_reach(group))
            && seen.is_none_or(|seen| self.accounts.names_only(text, seen))
    }

    /// The rows of a batch by group, in the order of the file.
    fn sort(
        &self,
        collected: &mut Collected,
        batch: &mut Batch,
        file_name: &str,
    ) -> Result<Ordered, CollectError> {
        let parts = self.covered_parts(batch)?;
        let mut parts = parts.chunk_by(|one, other| one.row == other.row).peekable();
        let first_row = batch.row_of_file;
        let found = collected.classifier.classify(batch, file_name).map_err(|_| CollectError::Unknown)?;
        // Group, row, place among the rows of the line, class.
        let mut rows: Vec<(u32, usize, u32, usize)> = Vec::with_capacity(batch.rows);
        let mut pieces = Pieces::default();
        for (row, class) in found.enumerate() {
            let of_line = parts.next_if(|parts| parts[0].row == first_row + row as u64).unwrap_or_default();
            let Some(class) = class else { continue };
            if let Some(classified) = &mut collected.classified {
                classified.push((row, class));
            }
            let known = self.classes.get(class).ok_or(CollectError::Unknown)?;
            let Some(priced) = known else { continue };
            if self.unused_told && priced.charge == Charge::CommitmentPurchase && is_unused(batch, row) {
                collected.sums[class].lines += 1;
                continue;
            }
            if of_line.is_empty() {
                rows.push((priced.group, row, 0, class));
                continue;
            }
            let cut = self.cut(batch, (row, class), of_line, &mut pieces)?;
            *collected.further.entry(priced.group).or_default() += cut.len() as u64 - 1;
            // What is left of the line counts it; where nothing is left, nothing else does.
            collected.sums[class].lines += u64::from(cut.last() != Some(&class));
            rows.extend((0..).zip(cut).map(|(nth, class)| (priced.group, row, nth, class)));
        }
        rows.sort_unstable();
        let mut groups: Vec<(u32, usize)> = Vec::new();
        for (place, (group, ..)) in rows.iter().enumerate() {
            match groups.last_mut() {
                Some((last, end)) if last == group => *end = place + 1,
                _ => groups.push((*group, place + 1)),
            }
        }
        let pieces = pieces.ordered(rows.iter().map(|(_, row, nth, _)| (*row, *nth)));
        Ok(Ordered {
            rows: rows.into_iter().map(|(_, row, _, class)| (row, class)).collect(),
            pieces,
            groups,
        })
    }

    /// The prices of the ordered rows, and as doubles what they are billed, which is added up by class.
    fn amounts(
        &self,
        collected: &mut Collected,
        measures: &Measures<'_>,
        ordered: &Ordered,
    ) -> Result<(Vec<Written>, Vec<u64>), CollectError> {
        let mut prices = Vec::with_capacity(ordered.rows.len());
        let mut billed = Vec::with_capacity(ordered.rows.len());
        for (place, (_, class)) in ordered.rows.iter().enumerate() {
            let Some(priced) = &self.classes[*class] else { continue };
            // A single number of a file is far below what a quantity holds.
            let measure = |of| Quantity::from_units(ordered.units(measures, of, place)).unwrap_or_default();
            let price = written_amount(priced.price.amount(measure)?);
            let of_bill = if priced.billed { price } else { Written { digits: 0, decimals: 0 } };
            let sums = &mut collected.sums[*class];
            match *class < self.cube.classes.len() {
                true => sums.lines += 1,
                false => sums.covered += measure(Measure::Usage).units(),
            }
            sums.amount = sums.amount.plus(of_bill.amount())?;
            prices.push(price);
            billed.push(double(of_bill));
        }
        Ok((prices, billed))
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
                Prepared::WordsOrNone(words) => put_words(words[rows].iter().copied(), content),
                Prepared::Texts(codes) => {
                    let kept = ordered.rows[rows].iter().map(|(row, _)| {
                        let text = codes.text(*row)?;
                        let may_reach = || self.accounts.mentioned(text).may_reach(*group);
                        (!output.withholds() || may_reach()).then_some(text)
                    });
                    let kept: Vec<Option<&str>> = kept.collect();
                    let there = ordered.rows[from..*to].iter().filter(|(row, _)| codes.text(*row).is_some());
                    collected.withheld += (there.count() - kept.iter().flatten().count()) as u64;
                    put_texts(kept.into_iter(), content);
                }
                Prepared::RowTexts(texts) => {
                    let of_group = &texts[rows];
                    let may_reach =
                        |text: &&str| !output.withholds() || self.accounts.mentioned(text).may_reach(*group);
                    let kept: Vec<Option<&str>> =
                        of_group.iter().map(|text| text.as_deref().filter(may_reach)).collect();
                    let withheld = of_group.iter().flatten().count() - kept.iter().flatten().count();
                    collected.withheld += withheld as u64;
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

/// The classes on their way into a collector.
struct Preparing<'a> {
    plan: &'a Plan,
    cube: &'a Cube,
    outputs: &'a [Output],
    covering: Option<&'a Covering>,
    accounts: Accounts,
    texts: Texts,
}

impl Preparing<'_> {
    /// A class of the cube, or one that is `made`.
    fn class(
        &mut self,
        class: &ChargeClass,
        group: u32,
        (treated, price): (Treated, Price),
        made: Option<&Made>,
    ) -> Option<PricedClass> {
        let (plan, cube) = (self.plan, self.cube);
        let of_plan = ClassPlan { group: Some(group), priced: Some((treated, price)) };
        let rate = by_class::rate(cube, class, &of_plan);
        let of_class = match &rate {
            RateOf::Class(rate) => rate.as_deref(),
            RateOf::Line(_) => None,
        };
        let mut codes = Vec::new();
        for output in self.outputs.iter().filter(|output| output.treatment.is_of_class()) {
            let text = match (output.treatment, output.treatment.class_text()) {
                (_, Some(of)) => by_class::text(cube, class, (treated, of_class), plan, of),
                (Treatment::Rate, _) => of_class.map(ToOwned::to_owned),
                (Treatment::Group(of), _) => Some(plan.groups[group as usize].text(of).to_owned()),
                (Treatment::OwnCommitment, _) => {
                    let text = self.covering.zip(made).and_then(|(of, made)| of.text(made, &output.key));
                    text.map(ToOwned::to_owned)
                }
                _ => None,
            };
            let code = text.and_then(|text| self.texts.code_of_made(&text, &self.accounts));
            let is_named = matches!(output.treatment, Treatment::Group(_));
            let code = code.filter(|code| is_named || self.texts.mentions(*code).may_reach(group));
            codes.push(code.unwrap_or(0));
        }
        let charge = charge(cube, class, treated);
        let public_rate = unit_prices::public_rate(cube, class);
        let own_rate = unit_prices::class_rate(public_rate, price, &rate);
        let currencies = [KeyColumn::Currency, KeyColumn::PricingCurrency];
        let [currency, of_prices] = currencies.map(|column| cube.filled(class, column));
        let fee = self.covering.filter(|_| treated == Treated::AtCost);
        Some(PricedClass {
            group,
            treated,
            charge,
            billed: plan.layout != ExportLayout::Focus || charge != Charge::Covered,
            owned: treated == Treated::AsInvoiced && plan.has_account(group, commitment::owner(cube, class)),
            priced_in_currency: of_prices.is_none_or(|of_prices| Some(of_prices) == currency),
            is_upfront_plan: line_item_type(cube, class) == LineItemType::SavingsPlanUpfrontFee,
            price: price.line_price()?,
            rate,
            public_rate,
            own_rate,
            codes,
            fee: fee.and_then(|covering| covering.told_by(cube, class)),
        })
    }
}

/// Whether a FOCUS line says what a commitment left unused: it is billed nothing.
fn is_unused(batch: &Batch, row: usize) -> bool {
    let is_zero = |measure| batch.numbers(measure).is_none_or(|numbers| numbers.value(row) == 0);
    let unused = [Measure::SavingsPlanTotalCommitment, Measure::UnusedReservationRecurring];
    is_zero(Measure::Unblended) && !unused.into_iter().all(is_zero)
}

/// The double of a written amount, by its bits.
pub fn double(written: Written) -> u64 {
    number::bits_of_decimal(written.digits, written.decimals)
}
