//! Offer files in CSV: five lines of metadata, a header, and a row for each range of each price.

use super::header::{CSV_METADATA_LINES, Fields, take_csv_metadata};
use super::needs::Needs;
use super::ranges::{Offered, Raw, RawRange, is_regionless, is_trial, sku_of};
use crate::diagnostics::{Diagnostic, excerpt};
use csv::{ByteRecord, Reader, ReaderBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

const HINT_FETCH: &str = "fetch the file again";

/// Where the columns are that are read.
struct Columns {
    sku: usize,
    rate_code: usize,
    term_type: usize,
    begin: usize,
    end: usize,
    unit: usize,
    price: usize,
    currency: usize,
    related_to: Option<usize>,
    location: Option<usize>,
    usage_type: Option<usize>,
    group: Option<usize>,
}

/// Reads an offer file.
///
/// # Errors
/// A file that is damaged, is no offer, or whose prices are none.
pub fn read(text: impl Read, file: &str, needs: &Needs) -> Result<Offered, Diagnostic> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let refused = |reason: String| Diagnostic::file(file, reason).hint(HINT_FETCH);
    let mut fields = Fields::default();
    let mut record = ByteRecord::new();
    for _ in 0..CSV_METADATA_LINES {
        if next(&mut reader, &mut record).map_err(refused)? {
            take_csv_metadata(&mut fields, &record);
        }
    }
    let header = fields.checked().map_err(refused)?;
    next(&mut reader, &mut record).map_err(refused)?;
    let (columns, width) = (columns(&record).map_err(refused)?, record.len());
    let mut rows = Rows { needs, columns, raw: Raw::default(), related: BTreeMap::new() };
    let mut row = 0;
    while next(&mut reader, &mut record)
        .map_err(|reason| Diagnostic { row: Some(row + 1), ..refused(reason) })?
    {
        row += 1;
        let taken = match record.len() == width {
            true => rows.take(&record),
            false => Err(format!("{} fields where the header has {width}", record.len())),
        };
        taken.map_err(|reason| Diagnostic { row: Some(row), ..refused(reason) })?;
    }
    rows.relate();
    rows.raw.offered(header, file, needs)
}

fn next(reader: &mut Reader<impl Read>, record: &mut ByteRecord) -> Result<bool, String> {
    reader.read_byte_record(record).map_err(|error| format!("is damaged: {error}"))
}

fn columns(header: &ByteRecord) -> Result<Columns, String> {
    // Files spell `usageType` and `Usage Type`.
    let plain = |name: &[u8]| String::from_utf8_lossy(name).replace(' ', "").to_ascii_lowercase();
    let names: Vec<String> = header.iter().map(plain).collect();
    let find = |name: &str| names.iter().position(|other| *other == plain(name.as_bytes()));
    let need = |name: &str| {
        find(name).ok_or_else(|| format!("is no offer file: it has no column `{name}` in line 6"))
    };
    Ok(Columns {
        sku: need("SKU")?,
        rate_code: need("RateCode")?,
        term_type: need("TermType")?,
        begin: need("StartingRange")?,
        end: need("EndingRange")?,
        unit: need("Unit")?,
        price: need("PricePerUnit")?,
        currency: need("Currency")?,
        related_to: find("RelatedTo"),
        location: find("Location"),
        usage_type: find("usageType"),
        group: find("Group"),
    })
}

struct Rows<'a> {
    needs: &'a Needs,
    columns: Columns,
    raw: Raw,
    /// By the SKU that rows point to, the SKUs of the month whose rows they are.
    related: BTreeMap<String, BTreeSet<String>>,
}

impl Rows<'_> {
    fn take(&mut self, record: &ByteRecord) -> Result<(), String> {
        let field = |at: usize| -> Result<&str, String> {
            let bytes = record.get(at).unwrap_or_default();
            std::str::from_utf8(bytes)
                .map_err(|_| format!("`{}` is not UTF-8", excerpt(&String::from_utf8_lossy(bytes))))
        };
        let other = |at: Option<usize>| at.map_or(Ok(""), field);
        let columns = &self.columns;
        if field(columns.term_type)? != "OnDemand" {
            return Ok(());
        }
        let sku = field(columns.sku)?;
        let usage_type = other(columns.usage_type)?;
        let regionless = is_regionless(usage_type, other(columns.location)?);
        let needed = self.needs.skus.contains(sku);
        if !needed && !regionless {
            return Ok(());
        }
        let related =
            other(columns.related_to)?.split([',', ';', '|', ' ']).map(sku_of).filter(|sku| !sku.is_empty());
        let mut members = BTreeSet::new();
        for related in related {
            if self.needs.skus.contains(related) {
                members.insert(related.to_owned());
            }
            if needed {
                self.related.entry(related.to_owned()).or_default().insert(sku.to_owned());
            }
        }
        if regionless {
            self.raw.regionless.insert(sku.to_owned(), is_trial(usage_type, other(columns.group)?));
        }
        let rate_code = field(columns.rate_code)?;
        let range = RawRange {
            rate_code: rate_code.to_owned(),
            term: rate_code.split('.').nth(1).unwrap_or_default().to_owned(),
            unit: field(columns.unit)?.to_owned(),
            begin: Some(field(columns.begin)?.to_owned()),
            end: Some(field(columns.end)?.to_owned()),
            prices: BTreeMap::from([(field(columns.currency)?.to_owned(), field(columns.price)?.to_owned())]),
            members,
        };
        self.raw.push(sku, range)
    }

    /// Gives each product of no region the SKUs that point to it.
    fn relate(&mut self) {
        for sku in self.raw.regionless.keys() {
            let Some(members) = self.related.get(sku) else { continue };
            for range in self.raw.ranges.get_mut(sku).into_iter().flatten() {
                range.members.extend(members.iter().cloned());
            }
        }
    }
}
