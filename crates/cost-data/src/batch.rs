//! A batch: some thousand lines of one file, column by column, in the same shape from every format.

use crate::codes::{Bound, Codes};
use crate::days::Days;
use crate::diagnostics::{Diagnostic, excerpt};
use crate::dimensions::{self, DimensionColumn, Dimensions, Parts};
use crate::focus::{FocusColumns, OtherProviders, translation};
use crate::layout::{self, COMMITMENT_COLUMNS, CommitmentColumn, CostFormat, Layout, USAGE_END, Vocabulary};
use crate::net_amortized::{self, NetColumns};
use crate::number::NumberNotes;
use arrow_buffer::NullBuffer;
use billing::charge_class::{KEY_COLUMNS, KeyColumn, Measure};
use billing::period::BillingPeriod;
use std::ops::Range;

/// Which of a file's columns are read.
#[derive(Debug, Clone)]
pub struct Columns {
    pub vocabulary: &'static Vocabulary,
    pub keys: [Option<Bound>; KEY_COLUMNS],
    pub payer: Bound,
    pub measures: Vec<(Measure, Bound)>,
    /// What net amortized cost is made of; FOCUS has none of it.
    pub net: Option<NetColumns>,
    pub period_start: Bound,
    pub usage_start: Option<Bound>,
    pub product_name: Option<Bound>,
    pub service_name: Option<Bound>,
    pub product_map: Option<Bound>,
    /// The line's id and interval, when lines are checked for duplicates.
    pub identity: Option<[Bound; 2]>,
    /// What only FOCUS has, where the file is one.
    pub focus: Option<FocusColumns>,
    /// What the dimension set is made from.
    pub dimensions: Vec<DimensionColumn>,
    /// The parts of the month that are told apart, where there are several.
    pub parts: Option<Parts>,
    /// What commitments are re-simulated from, where that is wanted.
    pub commitments: Option<CommitmentColumns>,
}

/// The columns that commitments are re-simulated from.
#[derive(Debug, Clone)]
pub struct CommitmentColumns {
    /// Start and end of the usage; `None` where a file lacks one of them.
    pub interval: Option<[Bound; 2]>,
    /// What commitments are, by place in [`CommitmentColumn::ALL`].
    pub terms: [Option<Bound>; COMMITMENT_COLUMNS],
}

impl Columns {
    /// The columns of a layout. `None` in a necessary place cannot be: `layout::detect` has refused it.
    pub fn new(layout: &Layout, check_line_ids: bool, dimensions: &Dimensions) -> Self {
        let vocabulary = layout.format.vocabulary();
        let bound = |name| layout.column(name).map(|place| Bound { name, place });
        let necessary = |name| bound(name).unwrap_or(Bound { name, place: 0 });
        let sources = |measure: &Measure| {
            let measure = *measure;
            (vocabulary.measure)(measure).iter().filter_map(move |name| Some((measure, bound(name)?)))
        };
        let is_focus = matches!(layout.format, CostFormat::Focus(_));
        let of_cur = |name| bound(name).filter(|_| !is_focus);
        let identity = of_cur(layout::LINE_ITEM_ID).zip(of_cur(layout::TIME_INTERVAL));
        Self {
            vocabulary,
            keys: KeyColumn::ALL.map(|column| (vocabulary.key)(column).into_iter().flatten().find_map(bound)),
            payer: necessary(vocabulary.payer),
            measures: Measure::ALL.iter().flat_map(sources).collect(),
            net: (!is_focus).then(|| NetColumns::new(bound)),
            period_start: necessary(vocabulary.period_start),
            usage_start: bound(vocabulary.usage_start),
            product_name: bound(vocabulary.product_name),
            service_name: of_cur(layout::SERVICE_NAME),
            product_map: of_cur(layout::PRODUCT_MAP),
            identity: identity.map(|(id, interval)| [id, interval]).filter(|_| check_line_ids),
            focus: FocusColumns::new(layout).filter(|_| is_focus),
            dimensions: dimensions::columns(layout, dimensions),
            parts: Parts::new(dimensions),
            commitments: None,
        }
    }

    /// Reads what commitments are re-simulated from as well; FOCUS has none of it.
    pub fn with_commitments(self, layout: &Layout) -> Self {
        let bound = |name| layout.column(name).map(|place| Bound { name, place });
        let interval = self.usage_start.zip(bound(USAGE_END)).map(|(start, end)| [start, end]);
        let terms = CommitmentColumn::ALL.map(|column| bound(column.name()));
        let commitments = CommitmentColumns { interval, terms };
        Self { commitments: self.focus.is_none().then_some(commitments), ..self }
    }

    /// Columns that are text and no key columns.
    pub fn texts(&self) -> impl Iterator<Item = Bound> {
        let names = self.product_name.into_iter().chain(self.service_name);
        let focus = self.focus.iter().flat_map(FocusColumns::all);
        [self.payer].into_iter().chain(names).chain(self.identity.into_iter().flatten()).chain(focus)
    }

    /// The places of all columns that are read with the lines, in the order of the file. The product map and the terms of commitments are
    /// not: they are read afterwards, for few rows.
    pub fn places(&self) -> Vec<usize> {
        let keys = self.keys.into_iter().flatten();
        let measures = self.measures.iter().map(|(_, column)| *column);
        let measures = measures.chain(self.net.iter().flat_map(NetColumns::all));
        let times = [self.period_start].into_iter().chain(self.usage_start);
        let all = keys.chain(measures).chain(times).chain(self.texts());
        let mut places: Vec<usize> = all.map(|column| column.place).collect();
        places.extend(self.dimensions.iter().map(|column| column.place));
        let interval = self.commitments.iter().flat_map(|columns| columns.interval.iter().flatten());
        places.extend(interval.map(|column| column.place));
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Some lines of a file, column by column: what a decoder offers.
pub trait Lines {
    /// Whether every column is at hand, maps as text, so that nothing is read afterwards.
    const ALL_AT_HAND: bool;

    /// How many lines.
    fn rows(&self) -> usize;

    /// Which rows belong to the period, `None` for all; a row without a readable instant is rejected.
    fn in_period(&mut self, column: Bound, period: &Range<i64>) -> Option<Vec<bool>>;

    /// The days on which the rows' usage starts.
    fn days(&self, column: Bound, period: &Range<i64>) -> Days;

    /// The hours of the rows' usage, by its start and end: see [`crate::days::hour_of`].
    fn hours(&self, interval: [Bound; 2], period: &Range<i64>) -> Vec<u16>;

    /// The values of a dimension.
    fn dimension(&mut self, column: &DimensionColumn) -> Codes;

    /// A text column, or the texts of a number column.
    fn texts(&mut self, column: Bound) -> Codes;

    /// A number column.
    fn amounts(&mut self, column: Bound) -> Numbers;

    /// From here on, numbers are noted in these notes.
    fn note_in(&mut self, notes: RowNotes);

    /// Hands over the rejected rows and the notes.
    fn findings(&mut self) -> (Vec<Reject>, RowNotes);
}

/// Makes the batch of some lines.
pub fn assemble<L: Lines>(lines: &mut L, place: Place, columns: &Columns, period: &Range<i64>) -> Batch {
    let rows = lines.rows();
    let mut in_period = lines.in_period(columns.period_start, period);
    let focus = columns.focus.as_ref().map(|columns| columns.read(|column| lines.texts(column)));
    let aside = focus.as_ref().and_then(|focus| focus.set_aside(rows, &mut in_period));
    lines.note_in(RowNotes::new(in_period));
    let mut keys = columns.keys.map(|column| column.map(|column| lines.texts(column)));
    let days = columns.usage_start.map(|column| lines.days(column, period));
    if !columns.dimensions.is_empty() || columns.parts.is_some() {
        let of_payer = focus.is_some() && columns.parts.is_some();
        let accounts = of_payer.then(|| translation::accounts(rows, &keys, &lines.texts(columns.payer)));
        let values = columns.dimensions.iter().map(|of| (of, of.kept(lines.dimension(of))));
        let accounts = accounts.as_ref().or(keys[KeyColumn::UsageAccount as usize].as_ref());
        let parts = columns.parts.iter().map(|of| (&of.column, of.of(rows, accounts, days.as_ref(), period)));
        let values: Vec<_> = values.chain(parts).collect();
        keys[KeyColumn::DimensionSet as usize] = Some(dimensions::sets(rows, &values));
    }
    let measures =
        columns.measures.iter().map(|(measure, column)| (*measure, lines.amounts(*column))).collect();
    let types = keys[KeyColumn::LineItemType as usize].as_ref();
    let net = columns.net.filter(|_| types.is_some_and(net_amortized::has_commitments));
    let net = net.map(|columns| columns.read(|column| lines.amounts(column))).unwrap_or_default();
    let payer = lines.texts(columns.payer);
    let product_name = columns.product_name.map(|column| lines.texts(column));
    let service_name = columns.service_name.map(|column| lines.texts(column));
    let product_map = columns.product_map.filter(|_| L::ALL_AT_HAND).map(|column| lines.texts(column));
    let identity = columns.identity.map(|columns| columns.map(|column| lines.texts(column)));
    let (rejects, RowNotes { in_period, kept: notes, .. }) = lines.findings();
    let commitments = columns.commitments.as_ref().map(|columns| CommitmentValues {
        hours: columns.interval.map(|interval| lines.hours(interval, period)),
        terms: L::ALL_AT_HAND.then(|| terms(lines, columns)),
    });
    // No line is refused for what says what its commitment is.
    lines.findings();
    let mut batch = Batch {
        place,
        rows,
        vocabulary: columns.vocabulary,
        keys,
        payer,
        measures,
        in_period,
        days,
        product_name,
        service_name,
        product_map,
        name_in_map: !L::ALL_AT_HAND && columns.product_name.is_none() && columns.product_map.is_some(),
        identity,
        commitments,
        row_of_file: place.row,
        others: OtherProviders::new(),
        rejects,
        notes,
    };
    if let Some(focus) = focus {
        focus.translate(&mut batch, aside.as_deref());
    }
    net_amortized::add(&mut batch, &net);
    batch
}

/// What lines say of commitments.
pub fn terms(lines: &mut impl Lines, columns: &CommitmentColumns) -> Terms {
    columns.terms.map(|column| column.map(|column| lines.texts(column)))
}

/// Where a batch's first row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, by number in the delivery.
    pub file: usize,
    /// The row group of a Parquet file.
    pub row_group: Option<usize>,
    /// Rows of the file (CSV) or row group before this one.
    pub row: u64,
}

impl Place {
    /// The place of a row of the batch.
    pub const fn of_row(self, row: usize) -> Self {
        Self { row: self.row + row as u64, ..self }
    }
}

/// A number column, in units of 10⁻¹⁰. A null is 0 here and told apart by `nulls`.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    pub units: Vec<i64>,
    /// Values beyond `i64`, whose `units` are 0.
    pub wide: Vec<(usize, i128)>,
    pub nulls: Option<NullBuffer>,
    /// Whether every value is 0 or null: then `units` is empty.
    pub all_zero: bool,
}

impl Numbers {
    /// Puts a value at a row.
    pub fn set(&mut self, row: usize, units: i128) {
        match i64::try_from(units) {
            Ok(units) => self.units[row] = units,
            Err(_) => self.wide.push((row, units)),
        }
    }

    /// A row's units.
    pub fn value(&self, row: usize) -> i128 {
        let units = self.units.get(row).copied().unwrap_or(0);
        if units == 0 && !self.wide.is_empty() {
            // Set row by row, so in order.
            let found = self.wide.binary_search_by_key(&row, |(wide, _)| *wide);
            return found.map_or(0, |place| self.wide[place].1);
        }
        i128::from(units)
    }

    /// The same on some rows, and 0 on the others.
    pub fn only(&self, rows: usize, takes: impl Fn(usize) -> bool) -> Self {
        let mut numbers = Self { units: vec![0; rows], ..Self::default() };
        (0..rows).filter(|row| takes(*row)).for_each(|row| numbers.set(row, self.value(row)));
        numbers
    }
}

/// What commitments are re-simulated from.
#[derive(Debug, Clone)]
pub struct CommitmentValues {
    /// The hour of every row, as [`crate::days::hour_of`] tells it; `None` where the file does not say when usage ends.
    pub hours: Option<Vec<u16>>,
    /// What lines say of commitments; `None` where it is read afterwards, for few row groups.
    pub terms: Option<Terms>,
}

/// What lines say of commitments, by place in [`CommitmentColumn::ALL`].
pub type Terms = [Option<Codes>; COMMITMENT_COLUMNS];

/// A row that cannot be read.
#[derive(Debug, Clone)]
pub struct Reject {
    pub row: usize,
    pub column: String,
    pub value: Option<String>,
    pub reason: String,
}

impl Reject {
    pub fn new(row: usize, column: &str, value: Option<&str>, reason: impl Into<String>) -> Self {
        Self { row, column: column.to_owned(), value: value.map(excerpt), reason: reason.into() }
    }

    /// The reject as a positioned message.
    pub fn diagnostic(self, file: &str, place: Place) -> Diagnostic {
        Diagnostic {
            file: file.to_owned(),
            row_group: place.row_group,
            row: Some(place.row + self.row as u64 + 1),
            column: Some(self.column),
            value: self.value,
            reason: self.reason,
            hint: None,
        }
    }
}

/// Lines of one file.
#[derive(Debug)]
pub struct Batch {
    pub place: Place,
    pub rows: usize,
    pub vocabulary: &'static Vocabulary,
    pub keys: [Option<Codes>; KEY_COLUMNS],
    pub payer: Codes,
    pub measures: Vec<(Measure, Numbers)>,
    /// Whether each row belongs to the period that is read; `None`: all do.
    pub in_period: Option<Vec<bool>>,
    /// The days of the usage, where the file tells them.
    pub days: Option<Days>,
    pub product_name: Option<Codes>,
    pub service_name: Option<Codes>,
    /// The product map as JSON text, where the file has it as text.
    pub product_map: Option<Codes>,
    /// Whether the product's name is only in the map, which is read for one row of each product.
    pub name_in_map: bool,
    pub identity: Option<[Codes; 2]>,
    /// What commitments are re-simulated from, where that is wanted.
    pub commitments: Option<CommitmentValues>,
    /// Rows of the file before the first one.
    pub row_of_file: u64,
    /// What other providers billed in the period; their rows are no lines of it.
    pub others: OtherProviders,
    pub rejects: Vec<Reject>,
    pub notes: NumberNotes,
}

/// Notes on the numbers of a batch: those of lines that belong to the period, and of others, which nobody reads.
#[derive(Debug, Default)]
pub struct RowNotes {
    pub in_period: Option<Vec<bool>>,
    pub kept: NumberNotes,
    others: NumberNotes,
}

impl RowNotes {
    /// Notes for lines of which these belong to the period; `None`: all.
    pub fn new(in_period: Option<Vec<bool>>) -> Self {
        Self { in_period, ..Self::default() }
    }

    /// Where to note what was done to a number of a row.
    pub fn of_row(&mut self, row: usize) -> &mut NumberNotes {
        let kept = self.in_period.as_ref().is_none_or(|in_period| in_period[row]);
        if kept { &mut self.kept } else { &mut self.others }
    }
}

/// A month as half-open seconds.
pub fn span(period: BillingPeriod) -> Range<i64> {
    period.start_seconds()..period.end_seconds()
}
