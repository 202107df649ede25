//! `proforma diff`: what changed between two runs, and because of what.

use crate::cli::{DiffArguments, OutputFormat};
use crate::failure::Failure;
use crate::group_tree::{GroupTree, SUBTREE};
use crate::pricing::Rated;
use crate::report_files::to_csv;
use crate::run_folder::{self, RunFolder};
use crate::terminal::{empty_table, print, to_json};
use crate::wording;
use anyhow::anyhow;
use billing::difference::{Cause, Part, Row, Side, difference};
use billing::hierarchy::add;
use billing::money::{Cost, Currency, DecimalError};
use billing::rate_card::{RateCard, Treatment};
use billing::statement::{self, Statement};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Compares and prints.
pub fn diff(arguments: &DiffArguments) -> Result<(), Failure> {
    let (mut before, mut after) = (run_folder::open(&arguments.before)?, run_folder::open(&arguments.after)?);
    check_comparable(&before, &after)?;
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| Priced::of(&mut before));
        let other = Priced::of(&mut after);
        (one.join(), other)
    });
    let (one, other) = (one.map_err(|_| anyhow!("a run could not be priced"))??, other?);
    let mut rows = difference(one.side(&before), other.side(&after))?;
    if let Some(row) = rows.iter().find(|row| !row.sound) {
        let error = anyhow!(
            "{}, {}: the causes do not sum to the difference; a fault of the program",
            row.group,
            row.product
        );
        return Err(error.into());
    }
    let tree = GroupTree::of_two((&after.book, after.period), (&before.book, before.period));
    let places = tree.places();
    rows.sort_by_key(|row| places.get(row.group.as_str()));
    let described = rows.iter().map(|row| describe(row, &before, &after)).collect::<Result<Vec<_>, _>>()?;
    let comparison = Comparison {
        before: About::of(&before),
        after: About::of(&after),
        differ: what_differs(&before, &after),
        subtrees: subtrees(&rows, &tree)?,
        totals: totals(&rows)?,
        rows: described,
    };
    if arguments.output != OutputFormat::Json {
        say!("note: {}", comparison.differ);
    }
    let text = match arguments.output {
        OutputFormat::Json => to_json(&comparison)?,
        OutputFormat::Csv => to_csv(&csv_rows(&comparison))?,
        OutputFormat::Table if comparison.rows.is_empty() => "no amount differs\n".to_owned(),
        OutputFormat::Table => format!("{}\n", table(&comparison)),
    };
    print(&text)?;
    Ok(())
}

/// Runs of two payers or without a common currency have no amount in common.
fn check_comparable(before: &RunFolder, after: &RunFolder) -> Result<(), Failure> {
    let (one, other) = (&before.book.payer, &after.book.payer);
    if one != other {
        let problem = format!("the runs are of two payer accounts, `{one}` and `{other}`");
        return Err(Failure::input(problem).hint("compare runs of one payer"));
    }
    let currencies = |run: &RunFolder| run.control.keys().copied().collect::<BTreeSet<Currency>>();
    let (one, other) = (currencies(before), currencies(after));
    if !one.is_empty() && !other.is_empty() && one.is_disjoint(&other) {
        let list =
            |of: &BTreeSet<Currency>| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let problem = format!("the runs have no currency in common: {} and {}", list(&one), list(&other));
        return Err(Failure::input(problem).hint("compare runs of one currency"));
    }
    Ok(())
}

/// What the runs differ in, as a sentence.
fn what_differs(before: &RunFolder, after: &RunFolder) -> String {
    let periods = (before.period != after.period)
        .then(|| format!("the runs are of two months, {} and {}; ", before.period, after.period));
    let same_files = before.snapshot == after.snapshot;
    // A book says other things in another month, so both are taken at the first run's.
    let same_book = before.book.hash(before.period) == after.book.hash(before.period);
    let what = match (same_files, same_book) {
        (true, true) => "the cost files and the book are the same",
        (true, false) => "only the book differs, the cost files are the same",
        (false, true) => "only the cost files differ, the book is the same",
        (false, false) => "the cost files and the book differ",
    };
    let prices = if before.price_list == after.price_list { "" } else { "; the price lists differ" };
    let simulated = match (before.is_simulated(), after.is_simulated()) {
        (true, false) => "; commitments are simulated in A and not in B",
        (false, true) => "; commitments are simulated in B and not in A",
        _ => "",
    };
    format!("{}{what}{prices}{simulated}", periods.unwrap_or_default())
}

struct Priced {
    card: RateCard,
    statements: Vec<Statement>,
}

impl Priced {
    fn of(run: &mut RunFolder) -> Result<Self, Failure> {
        let Rated { card, charges, .. } = run.rate()?;
        let statements = statement::statements(&run.cube, &run.book, &card, &charges)?;
        Ok(Self { card, statements })
    }

    fn side<'a>(&'a self, run: &'a RunFolder) -> Side<'a> {
        Side { cube: &run.cube, book: &run.book, card: &self.card, statements: &self.statements }
    }
}

#[derive(Serialize)]
struct Comparison {
    before: About,
    after: About,
    differ: String,
    rows: Vec<Described>,
    /// The sums of what changed in and below each parent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subtrees: Vec<Subtree>,
    totals: Vec<Total>,
}

#[derive(Serialize)]
struct About {
    period: String,
    snapshot: String,
    book: String,
}

impl About {
    fn of(run: &RunFolder) -> Self {
        Self { period: run.period.to_string(), snapshot: run.snapshot.clone(), book: run.book_hash.clone() }
    }
}

/// A row in words.
#[derive(Serialize)]
struct Described {
    billing_group: String,
    product: String,
    currency: String,
    before: String,
    after: String,
    difference: String,
    parts: Vec<DescribedPart>,
}

#[derive(Serialize)]
struct DescribedPart {
    cause: String,
    amount: String,
    /// How much more usage, by unit.
    usage: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Subtree {
    billing_group: String,
    #[serde(flatten)]
    total: Total,
}

#[derive(Serialize)]
struct Total {
    currency: String,
    before: String,
    after: String,
    difference: String,
}

impl Total {
    fn of(currency: Currency, [before, after]: [Cost; 2]) -> Result<Self, DecimalError> {
        let difference = after.minus(before)?.to_string();
        let currency = currency.to_string();
        Ok(Self { currency, before: before.to_string(), after: after.to_string(), difference })
    }
}

/// The sums of what changed, by currency.
fn totals(rows: &[Row]) -> Result<Vec<Total>, DecimalError> {
    let mut sums: BTreeMap<Currency, [Cost; 2]> = BTreeMap::new();
    for row in rows {
        add(&mut sums, row.currency, [row.before, row.after])?;
    }
    sums.into_iter().map(|(currency, sums)| Total::of(currency, sums)).collect()
}

/// The sums of what changed in and below the parents, by currency.
fn subtrees(rows: &[Row], tree: &GroupTree<'_>) -> Result<Vec<Subtree>, DecimalError> {
    let sums = tree.subtrees(rows.iter().map(|row| (&*row.group, row.currency, [row.before, row.after])))?;
    let mut subtrees = Vec::new();
    for (group, name) in tree.groups() {
        for (currency, sums) in &sums[group] {
            subtrees.push(Subtree { billing_group: name.to_owned(), total: Total::of(*currency, *sums)? });
        }
    }
    Ok(subtrees)
}

fn describe(row: &Row, before: &RunFolder, after: &RunFolder) -> Result<Described, DecimalError> {
    let part = |part: &Part| DescribedPart {
        cause: cause(&part.cause, before, after),
        amount: part.amount.to_string(),
        usage: part.usage.iter().map(|(unit, more)| (unit.clone(), more.to_string())).collect(),
    };
    Ok(Described {
        billing_group: row.group.clone(),
        product: row.product.clone(),
        currency: row.currency.to_string(),
        before: row.before.to_string(),
        after: row.after.to_string(),
        difference: row.after.minus(row.before)?.to_string(),
        parts: row.parts.iter().map(part).collect(),
    })
}

/// A cause in words.
fn cause(cause: &Cause, before: &RunFolder, after: &RunFolder) -> String {
    let old = |rule: u32| &before.book.rules[rule as usize];
    let new = |rule: u32| &after.book.rules[rule as usize];
    let group = |name: &Option<String>| match name {
        Some(name) => format!("group `{name}`"),
        None => "no group".to_owned(),
    };
    match cause {
        Cause::CommitmentLeft => "commitment now outside the group".to_owned(),
        Cause::CommitmentCame => "commitment now inside the group".to_owned(),
        Cause::Coverage => "commitments cover more of it, or less".to_owned(),
        Cause::Treatment(was, is) => format!("treatment: {} → {}", treatment(*was), treatment(*is)),
        Cause::Rule(was, is) => {
            let was = was.map_or("no rule".to_owned(), |rule| format!("rule `{}`", old(rule).name));
            let is = is.map_or("no rule".to_owned(), |rule| format!("rule `{}`", new(rule).name));
            format!("{was} → {is}")
        }
        Cause::RuleChanged(was, is) => {
            let (was, is) = (old(*was), new(*is));
            let [from, to] = [&was.pricing, &is.pricing].map(wording::pricing);
            format!("rule `{}` changed from {from} to {to}", is.name)
        }
        Cause::Base(was, is) => {
            let why = |base| wording::base_reason(base).unwrap_or("public On-Demand cost");
            format!("another base: {} → {}", why(*was), why(*is))
        }
        Cause::Usage => "usage or cost changed".to_owned(),
        Cause::TierPool(Some(rule)) => format!("other usage under the tiers of rule `{}`", new(*rule).name),
        Cause::TierPool(None) => "other usage, or other prices, under AWS's tiers".to_owned(),
        Cause::OnlyBefore => "lines only in A".to_owned(),
        Cause::OnlyAfter => "lines only in B".to_owned(),
        Cause::MovedTo(to) => format!("moved to {}", group(to)),
        Cause::MovedFrom(from) => format!("moved from {}", group(from)),
        Cause::ItemAdded(name) => format!("custom line item `{name}` added"),
        Cause::ItemRemoved(name) => format!("custom line item `{name}` removed"),
        Cause::ItemChanged(name) => format!("custom line item `{name}` changed"),
        Cause::ItemBase(name) => format!("custom line item `{name}`: what it is a percentage of"),
        Cause::Shown => "shown at ten decimals".to_owned(),
    }
}

fn treatment(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::Ungrouped => "in no group",
        Treatment::Dropped(reason) => wording::reason(reason),
        Treatment::Covered => "covered by commitments of the group",
        Treatment::AtCost => "at cost",
        Treatment::PassedOn => "passed on",
        Treatment::Allocated(_) => "source of an allocation",
        Treatment::AsInvoiced => "as invoiced to the level above",
        Treatment::AtEffectiveCost => "at effective cost",
        Treatment::UnusedPart => "at the unused part of the commitment",
        Treatment::Priced(_) => "priced",
    }
}

/// A cause with the usage that came or went.
fn with_usage(part: &DescribedPart) -> String {
    let usage = part.usage.iter().map(|(unit, more)| match more.starts_with('-') {
        true => format!("{more} {unit}"),
        false => format!("+{more} {unit}"),
    });
    let usage: Vec<String> = usage.collect();
    if usage.is_empty() { part.cause.clone() } else { format!("{} ({})", part.cause, usage.join(", ")) }
}

/// A row per cause, and one per subtree and total.
#[derive(Serialize)]
struct CsvRow<'a> {
    kind: &'static str,
    billing_group: &'a str,
    product: &'a str,
    currency: &'a str,
    before: &'a str,
    after: &'a str,
    difference: &'a str,
    cause: String,
    amount: &'a str,
}

fn csv_rows<'a>(comparison: &'a Comparison) -> Vec<CsvRow<'a>> {
    let parts = comparison.rows.iter().flat_map(|row| {
        row.parts.iter().map(|part| CsvRow {
            kind: "part",
            billing_group: &row.billing_group,
            product: &row.product,
            currency: &row.currency,
            before: &row.before,
            after: &row.after,
            difference: &row.difference,
            cause: with_usage(part),
            amount: &part.amount,
        })
    });
    let total = |kind, billing_group, total: &'a Total| CsvRow {
        kind,
        billing_group,
        product: "",
        currency: &total.currency,
        before: &total.before,
        after: &total.after,
        difference: &total.difference,
        cause: String::new(),
        amount: &total.difference,
    };
    let subtrees = comparison.subtrees.iter().map(|of| total("subtree", &of.billing_group, &of.total));
    let totals = comparison.totals.iter().map(|of| total("total", "", of));
    parts.chain(subtrees).chain(totals).collect()
}

fn table(comparison: &Comparison) -> comfy_table::Table {
    let header = ["billing group", "product", "A", "B", "difference", "", "because of"];
    let mut table = empty_table(&header, 2..5);
    for row in &comparison.rows {
        let causes: Vec<String> =
            row.parts.iter().map(|part| format!("{}  {}", part.amount, with_usage(part))).collect();
        let cells =
            [&row.billing_group, &row.product, &row.before, &row.after, &row.difference, &row.currency];
        table.add_row(cells.into_iter().cloned().chain([causes.join("\n")]));
    }
    let subtrees = comparison.subtrees.iter();
    let subtrees = subtrees.map(|of| (format!("({}{SUBTREE})", of.billing_group), &of.total));
    let totals = comparison.totals.iter().map(|total| ("(total of these)".to_owned(), total));
    for (name, Total { currency, before, after, difference }) in subtrees.chain(totals) {
        table.add_row([&name, "", before, after, difference, currency, ""]);
    }
    table
}
