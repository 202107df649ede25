//! A table of summaries. A column is a member by its path, such as `BaseCurrencyAmount.TotalAmount`, or by a short name.

use super::{Found, Listing, NoList, Place, Value, of_invoice};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Text,
    Whole,
    /// Several texts.
    List,
    /// YYYY-MM
    Period,
}

/// Members that are no amounts.
const MEMBERS: [(&str, Field); 20] = [
    ("InvoiceId", Field::Text),
    ("AccountId", Field::Text),
    ("IssuedDate", Field::Text),
    ("DueDate", Field::Text),
    (PERIOD, Field::Period),
    ("BillingPeriod.Year", Field::Whole),
    ("BillingPeriod.Month", Field::Whole),
    ("Entity.BillingEntity", Field::Text),
    ("Entity.InvoicingEntity", Field::Text),
    ("BillType", Field::Text),
    ("InvoiceType", Field::Text),
    ("InvoiceFrequency", Field::Text),
    ("CommercialInvoiceId", Field::Text),
    ("OriginalInvoiceId", Field::Text),
    ("PurchaseOrderNumber", Field::Text),
    ("ReceiverRole", Field::Text),
    ("EinvoiceDeliveryStatus", Field::Text),
    ("TaxAuthorityStatus", Field::Text),
    ("BillSourceAccounts", Field::List),
    ("BillSourceAccountsTotalCount", Field::Whole),
];
const PERIOD: &str = "BillingPeriod";
/// What is stated in up to three currencies.
const AMOUNTS: [&str; 3] = ["BaseCurrencyAmount", "PaymentCurrencyAmount", "TaxCurrencyAmount"];
/// What is stated of each.
const OF_AMOUNTS: [&str; 10] = [
    "TotalAmount",
    "TotalAmountBeforeTax",
    "CurrencyCode",
    "CurrencyExchangeDetails.SourceCurrencyCode",
    "CurrencyExchangeDetails.TargetCurrencyCode",
    "CurrencyExchangeDetails.Rate",
    "AmountBreakdown.SubTotalAmount",
    "AmountBreakdown.Discounts.TotalAmount",
    "AmountBreakdown.Taxes.TotalAmount",
    "AmountBreakdown.Fees.TotalAmount",
];
/// Columns that stand for a member further in.
const SHORT: [(&str, &str); 5] = [
    ("TotalAmount", "BaseCurrencyAmount.TotalAmount"),
    ("TotalAmountBeforeTax", "BaseCurrencyAmount.TotalAmountBeforeTax"),
    ("CurrencyCode", "BaseCurrencyAmount.CurrencyCode"),
    ("BillingEntity", "Entity.BillingEntity"),
    ("InvoicingEntity", "Entity.InvoicingEntity"),
];
/// What separates several values in one field.
const SEPARATOR: char = ';';

/// The members that a column can be, by their paths.
pub fn columns() -> impl Iterator<Item = String> {
    let members = MEMBERS.into_iter().map(|(name, _)| name.to_owned());
    let amounts = AMOUNTS.into_iter();
    members.chain(amounts.flat_map(|amount| OF_AMOUNTS.into_iter().map(move |of| format!("{amount}.{of}"))))
}

/// A column that is known.
#[derive(Debug)]
struct Column {
    path: String,
    field: Field,
}

/// The column of a name, in letters of either case.
fn column(name: &str) -> Option<Column> {
    let is = |of: &str| of.eq_ignore_ascii_case(name);
    let long = SHORT.iter().find_map(|(short, long)| is(short).then_some((*long).to_owned()));
    let path = long.or_else(|| columns().find(|path| is(path)))?;
    let field = MEMBERS.iter().find_map(|(member, field)| (*member == path).then_some(*field));
    Some(Column { path, field: field.unwrap_or(Field::Text) })
}

/// The columns of a header, every one of them known and of another member.
fn header(names: &csv::StringRecord, needed: &[&str]) -> Result<Vec<Column>, NoList> {
    let (mut columns, mut mistakes) = (Vec::new(), Vec::new());
    let mut members = BTreeSet::new();
    for name in names {
        match column(name) {
            None => mistakes.push(format!("there is no column `{}`", Value::Text(name.to_owned()).shown())),
            Some(column) => {
                // The month as a whole and by its parts are one member said twice, too.
                let is_whole_month = column.path == PERIOD;
                let parts = [format!("{PERIOD}.Year"), format!("{PERIOD}.Month")];
                let is_twice = members.contains(&column.path)
                    || is_whole_month && parts.iter().any(|part| members.contains(part))
                    || parts.contains(&column.path) && members.contains(PERIOD);
                if is_twice {
                    mistakes.push(format!("column `{name}` is there twice; leave one of them"));
                }
                members.insert(column.path.clone());
                columns.push(column);
            }
        }
    }
    let is_there = |name: &&str| column(name).is_some_and(|column| members.contains(&column.path));
    let missing: Vec<&str> = needed.iter().copied().filter(|name| !is_there(name)).collect();
    if !missing.is_empty() {
        mistakes.push(format!("the header lacks {}", missing.join(", ")));
    }
    if mistakes.is_empty() {
        return Ok(columns);
    }
    let short = SHORT.iter().map(|(short, _)| *short);
    let plain = MEMBERS.iter().map(|(name, _)| *name).filter(|name| !name.contains('.'));
    let known: Vec<&str> = plain.chain(short).collect();
    Err(NoList::Columns(format!(
        "{}; a column is a member of InvoiceSummary by its path, such as `BaseCurrencyAmount.TotalAmount`, or one of {}",
        mistakes.join("; "),
        known.join(", ")
    )))
}

/// The rows of a table.
pub(super) fn read(text: &str, needed: &[&str]) -> Result<Listing, NoList> {
    let failed = |error: csv::Error| NoList::Csv(error.to_string());
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = header(reader.headers().map_err(failed)?, needed)?;
    let mut found = Vec::new();
    for (record, row) in reader.records().zip(2..) {
        let record = record.map_err(failed)?;
        let (mut summary, mut mistakes) = (Value::Map(BTreeMap::new()), Vec::new());
        for (column, text) in columns.iter().zip(&record).filter(|(_, text)| !text.is_empty()) {
            match value(column.field, text) {
                Ok(value) => put(&mut summary, &column.path, value),
                Err(mistake) => mistakes.push(format!("{}: {mistake}", column.path)),
            }
        }
        let summary = if mistakes.is_empty() { Ok(summary) } else { Err(of_invoice(&summary, mistakes)) };
        found.push(Found { place: Place::Row(row), summary });
    }
    Ok(Listing { found, is_cut: false })
}

/// A field as the member that it is; what is no whole number stays text, so that whoever needs one names it.
fn value(field: Field, text: &str) -> Result<Value, String> {
    Ok(match field {
        Field::Text => Value::Text(text.to_owned()),
        Field::Whole => text
            .parse::<i64>()
            .map_or_else(|_| Value::Text(text.to_owned()), |number| Value::Number(number.to_string())),
        Field::List => {
            Value::List(text.split(SEPARATOR).map(|part| Value::Text(part.trim().to_owned())).collect())
        }
        Field::Period => {
            let period = BillingPeriod::parse(text).map_err(|error| error.to_string())?;
            let number = |of: u16| Value::Number(of.to_string());
            let parts = [("Year", number(period.year())), ("Month", number(period.month().into()))];
            Value::Map(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        }
    })
}

/// Puts a value at a path.
fn put(summary: &mut Value, path: &str, value: Value) {
    let Value::Map(members) = summary else { return };
    match path.split_once('.') {
        None => {
            members.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = members.entry(first.to_owned()).or_insert_with(|| Value::Map(BTreeMap::new()));
            put(inner, rest, value);
        }
    }
}
