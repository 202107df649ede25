//! Sums that charge classes cannot tell: of lines by hour, and by resource.
//!
//! The lines are read once more, each finds its class, and what was decided of the class says to which sum its numbers go. Nothing is written: what is
//! held is one row for each sum, of which there may be [`LINE_SUMS_MAX`]. A billing group's lines are priced as the line export prices them.

use super::collect::{CollectError, Collected, Collector, Measures};
use super::plan::Plan;
use super::segment::Scratch;
use super::source_rows::{SourceRows, Values};
use super::treatment::Kind;
use super::{Counters, Reading, Takes, check_snapshot, covering};
use crate::batch::Batch;
use crate::codes::Codes;
use crate::days::{SECONDS_OF_DAY, SECONDS_OF_HOUR};
use crate::delivery;
use crate::diagnostics::{Diagnostic, Refusal};
use crate::layout::Layout;
use crate::limits::LINE_SUMS_MAX;
use crate::reading::{Progress, Request, open_all};
use crate::scan::Classifier;
use crate::sources::Sources;
use arrow_buffer::NullBuffer;
use billing::charge_class::{Cube, Measure};
use billing::class_kind::line_item_type;
use billing::money::ten_to;
use billing::period::BillingPeriod;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where formats have resources, and the begin and end of usage.
const RESOURCES: [&str; 2] = ["line_item_resource_id", "ResourceId"];
pub(super) const STARTS: [&str; 2] = ["line_item_usage_start_date", "ChargePeriodStart"];
const ENDS: [&str; 2] = ["line_item_usage_end_date", "ChargePeriodEnd"];

/// What is asked of the lines of a month.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineQuestion {
    /// The SHA-256 of every cost file that was priced, in hexadecimal.
    pub files: Vec<String>,
    /// The hours of the month.
    pub hours: Range<u32>,
    /// How many hours a time has that is told apart, from the first of the month on; `None`: they are one.
    pub hours_of_time: Option<u32>,
    /// Whether resources are told apart.
    pub tells_resources: bool,
    /// Conditions on the resource: the ids that each takes, the empty one being that of lines without a resource.
    pub resources: Vec<BTreeSet<String>>,
    /// Ways to sum: of each metric its terms.
    pub sums: Vec<Vec<Vec<Term>>>,
    /// The accounts that a resource's id may name, where others are not seen; `None` is every one of the billing group.
    pub accounts_seen: Option<BTreeSet<String>>,
    /// What is asked of the lines of each class, in the order of the cube.
    pub classes: Vec<Option<Asked>>,
    /// What is asked of what commitments cover and of its negation, in the order of the plan's covered classes.
    pub covered: Vec<[Option<Asked>; 2]>,
    /// How lines are priced, and whose they are; `None`: they cost what AWS charges.
    pub pricing: Option<Plan>,
}

/// What is asked of the lines of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The group of the answer.
    pub group: u32,
    /// By what holds of the resource, the first condition being the lowest bit: whether the line is asked for.
    pub takes: u64,
    /// The way to sum, by number.
    pub sums: u32,
}

/// A part of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    /// What the line is charged by its price.
    Price,
    /// A measure, by number in [`Measure::ALL`].
    Plus(usize),
    /// A measure that is taken away.
    Minus(usize),
}

/// The answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LineSums {
    /// The sums, in the order of groups, times and resources.
    pub rows: Vec<LineSum>,
    /// Whether usage of the month is told by the hour.
    pub is_hourly: bool,
    /// Whether there are more than [`LINE_SUMS_MAX`]; then there are no rows here.
    pub are_too_many: bool,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSum {
    /// The group.
    pub group: u32,
    /// The time, by number from the begin of the month.
    pub time: u32,
    /// The resource, where resources are told apart and there is one.
    pub resource: Option<String>,
    /// The metrics, in units of 10⁻²⁰.
    pub units: Vec<i128>,
}

/// Sums the lines of a month. What is needed meanwhile is in `folder`, under no name.
///
/// # Errors
/// A [`Refusal`]: the files are not those that were priced, or cannot be read.
pub fn sum(
    request: &Request,
    question: &LineQuestion,
    cube: &Cube,
    folder: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<LineSums, Refusal> {
    let period = BillingPeriod::parse(&request.period)
        .map_err(|error| Diagnostic::file("--period", error.to_string()))?;
    let delivery = delivery::find(&request.inputs, period)?;
    let sources = Sources::open(&delivery, request.scratch.as_deref());
    let opened = open_all(&sources, delivery.passed_by, request);
    let failed = |error: &dyn std::fmt::Display| {
        Refusal::from(Diagnostic::file(&folder.display().to_string(), error.to_string()))
    };
    sources.explained(opened.and_then(|opened| {
        let of_plan = question.pricing.as_ref();
        let covering = of_plan.map(|plan| covering(plan, cube, &opened)).transpose()?.flatten();
        let priced = match of_plan {
            Some(plan) => {
                let scratch = Scratch::new(folder).map_err(|error| failed(&error))?;
                Some(Collector::new(plan, cube, &[], covering.as_ref(), scratch))
            }
            None => None,
        };
        let asked = asked_by_class(question, cube, of_plan, covering.as_ref());
        let metered = cube.classes.iter().map(|class| line_item_type(cube, class).is_metered()).collect();
        let month = period.start_seconds()..period.end_seconds();
        let are_too_many = AtomicBool::new(false);
        let summing = Summing { question, cube, priced, asked, metered, month, are_too_many };
        let reading = Reading {
            opened: &opened,
            takes: &summing,
            folder,
            period,
            progress,
            counters: Counters::default(),
        };
        let (parts, hashes) = reading.run(request.threads)?;
        if summing.has_enough() {
            // What is left of the files nobody has read.
            return Ok(LineSums { are_too_many: true, ..LineSums::default() });
        }
        check_snapshot(&opened, &hashes, &question.files)?;
        Ok(Summing::whole(parts))
    }))
}

/// What is asked of each class, and after them of those that are made of what commitments cover.
fn asked_by_class(
    question: &LineQuestion,
    cube: &Cube,
    plan: Option<&Plan>,
    covering: Option<&super::Covering>,
) -> Vec<Option<Asked>> {
    let mut asked = question.classes.clone();
    let Some((coverage, covering)) = plan.and_then(|plan| plan.coverage.as_ref()).zip(covering) else {
        return asked;
    };
    asked.resize(cube.classes.len() + covering.made.len(), None);
    for (covered, [of_covered, of_negation]) in coverage.covered.iter().zip(&question.covered) {
        let Some(pair) = covering.pair(covered.class as usize, covered.commitment) else { continue };
        asked[pair.covered] = *of_covered;
        if let Some(negation) = pair.negation {
            asked[negation] = *of_negation;
        }
    }
    asked
}

/// The hour of the month, from its first to its last instant, that usage is shown in: of what begins outside of it, or does not say when, the nearest or the first.
pub(super) fn hour_of(month: &Range<i64>, start: Option<i64>) -> u32 {
    let hours = (month.end - month.start) / SECONDS_OF_HOUR;
    let hour = start.map_or(0, |start| (start - month.start).div_euclid(SECONDS_OF_HOUR));
    u32::try_from(hour.clamp(0, hours - 1)).unwrap_or(0)
}

/// What all threads share.
struct Summing<'a> {
    question: &'a LineQuestion,
    cube: &'a Cube,
    priced: Option<Collector<'a>>,
    asked: Vec<Option<Asked>>,
    /// Of each class of the cube, whether its lines are metered usage.
    metered: Vec<bool>,
    month: Range<i64>,
    /// Whether a thread has more sums than are told: then nothing more is read.
    are_too_many: AtomicBool,
}

/// A group, a time, and a resource by number: 0 is none.
type Place = (u32, u32, u32);
/// The same with the resource itself.
type NamedPlace = (u32, u32, Option<Box<str>>);

/// A thread's share.
struct Share {
    reading: Rows,
    sums: HashMap<Place, Vec<i128>, FixedState>,
    resources: Resources,
    /// Whether there is metered usage, and whether some of it is told by the hour.
    has_usage: bool,
    is_hourly: bool,
}

/// How a thread finds the classes of rows: with their prices, or without.
enum Rows {
    Priced(Box<Collected>),
    Plain(Box<Classifier>),
}

/// The resources that a thread has met, where they are told apart; the first number is 1.
#[derive(Default)]
struct Resources {
    numbers: HashMap<Box<str>, u32, FixedState>,
}

/// What the rows of a batch say beside their class.
struct Said {
    starts: Option<Instants>,
    ends: Option<Instants>,
    resources: Option<Codes>,
}

/// Instants of rows in milliseconds, and which rows have one.
type Instants = (Vec<u64>, Option<NullBuffer>);

impl Takes for Summing<'_> {
    type Share = Share;

    fn begin(&self) -> Share {
        let reading = match &self.priced {
            Some(collector) => Rows::Priced(Box::new(collector.begin())),
            None => Rows::Plain(Box::new(Classifier::new(self.cube))),
        };
        let sums = HashMap::with_hasher(FixedState::with_seed(0));
        Share { reading, sums, resources: Resources::default(), has_usage: false, is_hourly: false }
    }

    fn sources(&self) -> Vec<&str> {
        [RESOURCES, STARTS, ENDS].concat()
    }

    fn has_enough(&self) -> bool {
        self.are_too_many.load(Ordering::Relaxed)
    }

    fn add(
        &self,
        share: &mut Share,
        (mut batch, source): (Batch, SourceRows),
        (layout, file_name): (&Layout, &str),
        _order: (u32, u32, u32),
    ) -> Result<(), CollectError> {
        let said = Said::of(&source, layout);
        let Share { reading, sums, resources, has_usage, is_hourly } = share;
        let mut rest = Rest { sums, resources, has_usage, is_hourly };
        match (reading, &self.priced) {
            (Rows::Priced(collected), Some(collector)) => {
                // Whose lines tell the hour is the same question to everybody, until one does.
                collected.classified = (!*rest.is_hourly).then(Vec::new);
                let seen = self.question.accounts_seen.as_ref();
                collector.each_priced(collected, &mut batch, file_name, |row, price, units| {
                    let may_reach = |text: &str| collector.may_reach(row.1, text, seen);
                    self.add_row(&mut rest, &said, row, (price.units(), units), may_reach)
                })?;
                let classified = collected.classified.take().unwrap_or_default();
                classified.into_iter().for_each(|(row, class)| self.look(&mut rest, &said, row, class));
                Ok(())
            }
            (Rows::Plain(classifier), _) => {
                let classes: Vec<Option<usize>> =
                    classifier.classify(&mut batch, file_name).map_err(|_| CollectError::Unknown)?.collect();
                let measures = Measures::of(&batch);
                for (row, class) in classes.into_iter().enumerate() {
                    let Some(class) = class else { continue };
                    let units = |measure| measures.units(measure, row);
                    self.look(&mut rest, &said, row, class);
                    self.add_row(&mut rest, &said, (row, class), (0, &units), |_| true)?;
                }
                Ok(())
            }
            (Rows::Priced(_), None) => Err(CollectError::Unknown),
        }
    }
}

/// A thread's share without what finds classes.
struct Rest<'a> {
    sums: &'a mut HashMap<Place, Vec<i128>, FixedState>,
    resources: &'a mut Resources,
    has_usage: &'a mut bool,
    is_hourly: &'a mut bool,
}

impl Summing<'_> {
    /// Notes whether a row of a class tells the hour.
    fn look(&self, share: &mut Rest<'_>, said: &Said, row: usize, class: usize) {
        if self.metered.get(class) == Some(&true) {
            *share.has_usage = true;
            *share.is_hourly |= said.tells_the_hour(row);
        }
    }

    /// Adds a row of a class with its price, in units of 10⁻²⁰, and its measures.
    fn add_row(
        &self,
        share: &mut Rest<'_>,
        said: &Said,
        (row, class): (usize, usize),
        (price, units): (i128, &dyn Fn(Measure) -> i128),
        may_reach: impl Fn(&str) -> bool,
    ) -> Result<(), CollectError> {
        let Some(Some(asked)) = self.asked.get(class) else { return Ok(()) };
        let hour = self.hour(said.start(row));
        if !self.question.hours.contains(&hour) {
            return Ok(());
        }
        let resource = said.resources.as_ref().and_then(|codes| codes.filled(row));
        // What names an account of others is as if it were not there.
        let resource = resource.filter(|text| may_reach(text));
        let holds = |takes: &BTreeSet<String>| takes.contains(resource.unwrap_or_default());
        let conditions = self.question.resources.iter().enumerate();
        let held: u32 = conditions.map(|(bit, takes)| u32::from(holds(takes)) << bit).sum();
        if asked.takes >> held & 1 == 0 {
            return Ok(());
        }
        if share.sums.len() > LINE_SUMS_MAX {
            self.are_too_many.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let number = match resource.filter(|_| self.question.tells_resources) {
            Some(text) => share.resources.number(text),
            None => 0,
        };
        let time = self.question.hours_of_time.map_or(0, |hours| hour / hours);
        let metrics = self.question.sums.get(asked.sums as usize).map_or(&[][..], Vec::as_slice);
        let sums = share.sums.entry((asked.group, time, number)).or_insert_with(|| vec![0; metrics.len()]);
        let measured =
            |number: usize| Measure::ALL.get(number).map_or(0, |measure| units(*measure) * ten_to(10));
        for (sum, terms) in sums.iter_mut().zip(metrics) {
            for term in terms {
                // A line is far below what 128 bits hold, and a month has fewer than 2⁴⁰ of them.
                *sum += match term {
                    Term::Price => price,
                    Term::Plus(number) => measured(*number),
                    Term::Minus(number) => -measured(*number),
                };
            }
        }
        Ok(())
    }

    fn hour(&self, start: Option<i64>) -> u32 {
        hour_of(&self.month, start)
    }

    /// What all threads have summed.
    fn whole(shares: Vec<Share>) -> LineSums {
        let are_too_many = |count: usize| count > LINE_SUMS_MAX;
        if shares.iter().any(|share| are_too_many(share.sums.len())) {
            return LineSums { are_too_many: true, ..LineSums::default() };
        }
        let mut rows: BTreeMap<NamedPlace, Vec<i128>> = BTreeMap::new();
        let (mut has_usage, mut is_hourly) = (false, false);
        for share in shares {
            has_usage |= share.has_usage;
            is_hourly |= share.is_hourly;
            let texts: HashMap<u32, Box<str>> =
                share.resources.numbers.into_iter().map(|(text, number)| (number, text)).collect();
            for ((group, time, resource), sums) in share.sums {
                let place = (group, time, texts.get(&resource).cloned());
                let known = rows.entry(place).or_insert_with(|| vec![0; sums.len()]);
                known.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            }
        }
        if are_too_many(rows.len()) {
            return LineSums { are_too_many: true, ..LineSums::default() };
        }
        let rows = rows.into_iter().map(|((group, time, resource), units)| LineSum {
            group,
            time,
            resource: resource.map(String::from),
            units,
        });
        LineSums { rows: rows.collect(), is_hourly: is_hourly || !has_usage, are_too_many: false }
    }
}

impl Resources {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        // There are at most as many as sums.
        let number = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        number
    }
}

impl Said {
    fn of(source: &SourceRows, layout: &Layout) -> Self {
        let values = |names: [&str; 2], kind| {
            let place = names.into_iter().find_map(|name| layout.column(name))?;
            source.values(place, kind)
        };
        let instants = |names| match values(names, Kind::Time)? {
            Values::Words(words, nulls) => Some((words, nulls)),
            Values::Text(_) => None,
        };
        let resources = match values(RESOURCES, Kind::Text) {
            Some(Values::Text(codes)) => Some(codes),
            _ => None,
        };
        Self { starts: instants(STARTS), ends: instants(ENDS), resources }
    }

    fn start(&self, row: usize) -> Option<i64> {
        seconds(self.starts.as_ref()?, row)
    }

    /// Whether usage says in which hour it was: it is an hour long, or begins within a day.
    fn tells_the_hour(&self, row: usize) -> bool {
        let Some(start) = self.start(row) else { return false };
        let end = self.ends.as_ref().and_then(|ends| seconds(ends, row));
        start.rem_euclid(SECONDS_OF_DAY) != 0 || end.is_some_and(|end| end - start <= SECONDS_OF_HOUR)
    }
}

fn seconds((words, nulls): &Instants, row: usize) -> Option<i64> {
    let is_there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    is_there.then(|| words[row].cast_signed().div_euclid(1_000))
}
