//! Sums by day: of every class and day of usage, the measures that prices start from.
//!
//! Amortized costs are summed as what they differ by from the unblended costs: only lines of commitments have a difference.
//!
//! A class has a small table from its days to sums, so that a row needs no second search. Days outside the month are few and are
//! looked up.

use super::{Measure, Numbers, Scan};
use crate::days::{Days, OTHER_DAY};
use billing::amortized::Sign;
use billing::charge_class::{ClassId, KeyColumn};
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};

/// How many rows are added column by column at once.
const BLOCK_ROWS: usize = 64;
/// How many days a month may have.
const DAYS_MAX: usize = OTHER_DAY as usize;
/// What is summed by day, as the daily cube names it.
pub const SUMS_BY_DAY: [&str; 8] = [
    Measure::Usage.name(),
    Measure::Unblended.name(),
    Measure::NetUnblended.name(),
    Measure::PublicOnDemand.name(),
    Measure::NormalizedUsage.name(),
    "amortized_cost",
    Measure::Blended.name(),
    "net_amortized_cost",
];
/// The measures among them that lines have, and their places.
const MEASURES_BY_DAY: [(usize, Measure); 6] = [
    (0, Measure::Usage),
    (UNBLENDED, Measure::Unblended),
    (NET_UNBLENDED, Measure::NetUnblended),
    (3, Measure::PublicOnDemand),
    (4, Measure::NormalizedUsage),
    (6, Measure::Blended),
];
/// The places of the unblended costs.
const UNBLENDED: usize = 1;
const NET_UNBLENDED: usize = 2;
/// The places of the amortized costs; while lines are added, of what they differ by from the unblended ones.
const AMORTIZED: usize = 5;
const NET_AMORTIZED: usize = 7;
/// Where the lines are counted, after the sums.
const LINES: usize = SUMS_BY_DAY.len();
/// The sums of rows that are not summed.
const NO_SUMS: u32 = 0;

/// What the amortized cost of a class's lines is the sum of, where it is not the unblended cost.
pub type Terms = Option<&'static [(Measure, Sign)]>;

/// What one thread has summed by class and day.
#[derive(Default)]
pub struct Daily {
    /// By class: the number of the sums of each day, [`NO_SUMS`] where there are none yet.
    days: Vec<[u32; DAYS_MAX]>,
    /// The same for days outside the month, since 1970-01-01, and for rows that tell no day.
    others: HashMap<(u32, Option<i32>), u32, FixedState>,
    sums: Vec<[i64; LINES + 1]>,
    /// By class: what its amortized cost is.
    terms: Vec<Terms>,
    /// What sums could not hold: their number, the measure's place, units.
    beyond: Vec<(u32, usize, i128)>,
}

impl Daily {
    /// Adds a batch whose rows have these classes; `terms` says of a class what its amortized cost is.
    pub fn add(
        &mut self,
        classes: impl Iterator<Item = u32> + Clone,
        days: Option<&Days>,
        columns: &[(Measure, &Numbers)],
        terms: impl Fn(u32) -> Terms,
    ) {
        if self.sums.is_empty() {
            self.sums.push([0; LINES + 1]);
        }
        let rows: Vec<u32> =
            classes.clone().enumerate().map(|(row, class)| self.sums_of(class, row, days)).collect();
        self.add_amortized(classes, &rows, columns, terms);
        let of = |measure| columns.iter().filter(move |(of, _)| *of == measure).map(|(_, numbers)| *numbers);
        let columns: Vec<(usize, &Numbers)> = (MEASURES_BY_DAY.iter())
            .flat_map(|(at, measure)| of(*measure).map(move |numbers| (*at, numbers)))
            .collect();
        for (start, block) in (0..).step_by(BLOCK_ROWS).zip(rows.chunks(BLOCK_ROWS)) {
            block.iter().for_each(|sums| self.sums[*sums as usize][LINES] += 1);
            for (at, numbers) in columns.iter().filter(|(_, numbers)| !numbers.units.is_empty()) {
                for (number, units) in block.iter().zip(&numbers.units[start..start + block.len()]) {
                    let sum = &mut self.sums[*number as usize][*at];
                    match sum.checked_add(*units) {
                        Some(more) => *sum = more,
                        None => self.beyond.push((*number, *at, i128::from(*units))),
                    }
                }
            }
        }
        for (at, numbers) in columns {
            self.beyond.extend(numbers.wide.iter().map(|(row, units)| (rows[*row], at, *units)));
        }
    }

    /// Adds what the amortized costs of lines of commitments differ by from their unblended costs.
    fn add_amortized(
        &mut self,
        classes: impl Iterator<Item = u32>,
        rows: &[u32],
        columns: &[(Measure, &Numbers)],
        terms: impl Fn(u32) -> Terms,
    ) {
        let value = |measure: Measure, row: usize| -> i128 {
            let of = columns.iter().filter(|(of, _)| *of == measure);
            of.map(|(_, numbers)| numbers.value(row)).sum()
        };
        for (row, class) in classes.enumerate() {
            let known = self.terms.get(class as usize).copied();
            let terms = known.unwrap_or_else(|| self.note_terms(class, &terms));
            let Some(terms) = terms.filter(|_| rows[row] != NO_SUMS) else { continue };
            let amortized: i128 = terms
                .iter()
                .map(|(measure, sign)| match sign {
                    Sign::Plus => value(*measure, row),
                    Sign::Minus => -value(*measure, row),
                })
                .sum();
            // Where nothing is spread over a line, its net amortized cost is 0, too, and so is the measure.
            let net_amortized = value(Measure::NetAmortized, row);
            for (at, difference) in [
                (AMORTIZED, amortized - value(Measure::Unblended, row)),
                (NET_AMORTIZED, net_amortized - value(Measure::NetUnblended, row)),
            ] {
                let sum = &mut self.sums[rows[row] as usize][at];
                match i64::try_from(difference).ok().and_then(|units| sum.checked_add(units)) {
                    Some(more) => *sum = more,
                    None => self.beyond.push((rows[row], at, difference)),
                }
            }
        }
    }

    /// Notes the terms of the classes up to one; classes have their numbers in the order in which they come up.
    #[cold]
    fn note_terms(&mut self, class: u32, terms: impl Fn(u32) -> Terms) -> Terms {
        let known = u32::try_from(self.terms.len()).unwrap_or(u32::MAX);
        self.terms.extend((known..=class).map(terms));
        self.terms.last().copied().flatten()
    }

    /// The number of the sums that a row belongs to.
    #[inline]
    fn sums_of(&mut self, class: u32, row: usize, days: Option<&Days>) -> u32 {
        let day = days.map_or(OTHER_DAY, |days| days.of_month[row]);
        match self.days.get(class as usize).and_then(|of_class| of_class.get(usize::from(day))) {
            Some(sums) if *sums != NO_SUMS => *sums,
            _ => self.new_sums(class, row, day, days),
        }
    }

    #[cold]
    fn new_sums(&mut self, class: u32, row: usize, day: u8, days: Option<&Days>) -> u32 {
        if class == super::NO_CLASS {
            return NO_SUMS;
        }
        let next = u32::try_from(self.sums.len()).unwrap_or(u32::MAX);
        if day < OTHER_DAY {
            if self.days.len() <= class as usize {
                self.days.resize(class as usize + 1, [NO_SUMS; DAYS_MAX]);
            }
            self.days[class as usize][usize::from(day)] = next;
        } else {
            let outside = days.map_or(&[][..], |days| &days.outside);
            let found = outside.binary_search_by_key(&row, |(row, _)| *row).ok();
            let date = found.map(|place| outside[place].1);
            let known = *self.others.entry((class, date)).or_insert(next);
            if known != next {
                return known;
            }
        }
        self.sums.push([0; LINES + 1]);
        next
    }
}

/// The lines of a class on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySums {
    /// The day, since 1970-01-01; `None` where lines tell none.
    pub date: Option<i32>,
    /// How many lines.
    pub lines: i64,
    /// Units of [`SUMS_BY_DAY`].
    pub units: [i128; LINES],
}

/// The days of all scans by class.
pub struct DaysByClass<'a> {
    parts: Vec<Part<'a>>,
    /// Every class of every part, in the order of ids.
    classes: Vec<(ClassId, u32, u32)>,
    first_day: i32,
}

impl<'a> DaysByClass<'a> {
    pub fn new(scans: &'a [Scan], first_day: i32) -> Self {
        let parts: Vec<Part<'_>> =
            scans.iter().filter_map(|scan| Some(Part::new(scan, scan.daily.as_ref()?))).collect();
        let mut classes: Vec<(ClassId, u32, u32)> = Vec::new();
        for (number, part) in (0..).zip(&parts) {
            let of_part = 1..u32::try_from(part.scan.classes.keys.len()).unwrap_or(u32::MAX);
            classes.extend(of_part.map(|class| (part.class_id(class), number, class)));
        }
        classes.sort_unstable();
        Self { parts, classes, first_day }
    }

    /// Gives every class and its days, in the order of ids and dates: whichever thread has read what.
    pub fn each<E>(&self, mut give: impl FnMut(ClassId, &[DaySums]) -> Result<(), E>) -> Result<(), E> {
        let mut days: Vec<DaySums> = Vec::new();
        for parts_of_class in self.classes.chunk_by(|a, b| a.0 == b.0) {
            days.clear();
            for (_, part, class) in parts_of_class {
                self.parts[*part as usize].days_of(*class, self.first_day, &mut days);
            }
            days.sort_by_key(|day| day.date);
            days.dedup_by(|later, first| {
                let same = later.date == first.date;
                if same {
                    first.lines += later.lines;
                    first.units.iter_mut().zip(later.units).for_each(|(sum, more)| *sum += more);
                }
                same
            });
            if !days.is_empty() {
                give(parts_of_class[0].0, &days)?;
            }
        }
        Ok(())
    }
}

/// What one scan has by day.
struct Part<'a> {
    scan: &'a Scan,
    daily: &'a Daily,
    others: BTreeMap<u32, Vec<(Option<i32>, u32)>>,
    beyond: HashMap<u32, [i128; LINES]>,
}

impl<'a> Part<'a> {
    fn new(scan: &'a Scan, daily: &'a Daily) -> Self {
        let mut others: BTreeMap<u32, Vec<(Option<i32>, u32)>> = BTreeMap::new();
        for ((class, date), sums) in &daily.others {
            others.entry(*class).or_default().push((*date, *sums));
        }
        let mut beyond: HashMap<u32, [i128; LINES]> = HashMap::new();
        for (sums, at, units) in &daily.beyond {
            beyond.entry(*sums).or_default()[*at] += units;
        }
        Self { scan, daily, others, beyond }
    }

    fn class_id(&self, class: u32) -> ClassId {
        let code = |column| self.scan.classes.code(class as usize, column);
        ClassId::of(
            KeyColumn::ALL.into_iter().map(|column| self.scan.keys[column as usize].text(code(column))),
        )
    }

    fn days_of(&self, class: u32, first_day: i32, days: &mut Vec<DaySums>) {
        let of_month = self.daily.days.get(class as usize).into_iter().flatten().zip(first_day..);
        let of_month = of_month.filter(|(sums, _)| **sums != NO_SUMS).map(|(sums, day)| (Some(day), *sums));
        let others = self.others.get(&class).into_iter().flatten().copied();
        for (date, number) in of_month.chain(others) {
            let sums = &self.daily.sums[number as usize];
            let mut units = [0; LINES];
            units.iter_mut().zip(sums).for_each(|(units, sum)| *units = i128::from(*sum));
            // Sums beyond 64 bits are the exception.
            if !self.beyond.is_empty()
                && let Some(beyond) = self.beyond.get(&number)
            {
                units.iter_mut().zip(beyond).for_each(|(units, more)| *units += more);
            }
            units[AMORTIZED] += units[UNBLENDED];
            units[NET_AMORTIZED] += units[NET_UNBLENDED];
            days.push(DaySums { date, lines: sums[LINES], units });
        }
    }
}
