//! CSV files, packed as AWS packs them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

use super::cell::{Cell, FieldKind};
use super::fields::Field;
use super::{Numbers, Packing, WriteOptions};
use crate::amount::{Amount, ONE};
use crate::line::Line;

/// Writes one CSV file.
pub(super) fn write(path: &Path, fields: &[Field], rows: &[&Line], options: &WriteOptions) {
    let packing = options.form.packing().unwrap_or(Packing::Plain);
    let file = BufWriter::new(File::create(path).expect("the test folder can be written"));
    let written = match packing {
        Packing::Plain => write_rows(file, fields, rows, options).map(drop),
        Packing::Gzip => {
            // The time stays 0, so that the bytes depend on the content alone.
            let gzip = GzBuilder::new().mtime(0).write(file, Compression::fast());
            write_rows(gzip, fields, rows, options).and_then(flate2::write::GzEncoder::finish).map(drop)
        }
        Packing::Zip => {
            let mut archive = zip::ZipWriter::new(file);
            let member = path.file_stem().expect("a key ends in a name").to_string_lossy();
            let member_options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
            archive.start_file(member, member_options).expect("an empty archive takes a member");
            let archive = write_rows(archive, fields, rows, options);
            archive.map(|archive| drop(archive.finish().expect("the test folder can be written")))
        }
    };
    written.expect("the test folder can be written");
}

fn write_rows<W: Write>(
    output: W,
    fields: &[Field],
    rows: &[&Line],
    options: &WriteOptions,
) -> std::io::Result<W> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(fields.iter().map(|field| field.name.as_str()))?;
    for row in rows {
        writer.write_record(fields.iter().map(|field| cell_text(field, row, options.numbers)))?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

fn cell_text(field: &Field, line: &Line, numbers: Numbers) -> String {
    match field.cell(line) {
        Cell::Text(Some(instant)) if field.kind == FieldKind::Time => match numbers {
            Numbers::Java => with_millis(instant),
            Numbers::Fixed => instant.to_owned(),
        },
        Cell::Text(text) => text.unwrap_or_default().to_owned(),
        Cell::Number(None) => String::new(),
        Cell::Number(Some(number)) => match numbers {
            Numbers::Java => java_text(number),
            Numbers::Fixed => number.to_fixed(),
        },
        Cell::Map(map) => serde_json::to_string(&map).expect("a map of text is JSON"),
    }
}

/// Returns `2026-10-01T00:00:00.000Z` for `2026-10-01T00:00:00Z`.
pub(super) fn with_millis(instant: &str) -> String {
    format!("{}.000Z", instant.trim_end_matches('Z'))
}

/// Returns the text of Java's `Double.toString`: plain from 1e-3 to 1e7, else with an exponent.
pub(super) fn java_text(number: Amount) -> String {
    let units = number.0.unsigned_abs();
    let one = ONE.unsigned_abs();
    if units == 0 || (units >= one / 1_000 && units < one * 10_000_000) {
        let plain = number.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let digits = units.to_string();
    let exponent = digits.len() as i64 - 1 - 10;
    let significant = digits.trim_end_matches('0');
    let (first, rest) = significant.split_at(1);
    let rest = if rest.is_empty() { "0" } else { rest };
    let sign = if number.0 < 0 { "-" } else { "" };
    format!("{sign}{first}.{rest}E{exponent}")
}
