//! Every form, read back with the plain readers of its format, holds every line and every cost.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field as Datum;

use super::text::java_text;
use super::*;
use crate::amount::{Amount, amount};
use crate::month::{MonthOptions, SampleMonth};

/// What a test wants back of a data file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    rows: usize,
    unblended_cost: Amount,
    public_cost: Amount,
    starts: BTreeMap<String, usize>,
}

const UNBLENDED: [&str; 2] = ["line_item_unblended_cost", "lineItem/UnblendedCost"];
const PUBLIC: [&str; 2] = ["pricing_public_on_demand_cost", "pricing/publicOnDemandCost"];
const START: [&str; 2] = ["line_item_usage_start_date", "lineItem/UsageStartDate"];

impl Sums {
    fn of(lines: &[Line]) -> Self {
        let mut sums = Self::default();
        for line in lines {
            let start = line.line_item_usage_start_date.as_deref().unwrap_or_default();
            sums.add(
                line.unblended_cost(),
                line.pricing_public_on_demand_cost.unwrap_or_default(),
                &start[..19],
            );
        }
        sums
    }

    fn add(&mut self, unblended_cost: Amount, public_cost: Amount, start: &str) {
        self.rows += 1;
        self.unblended_cost += unblended_cost;
        self.public_cost += public_cost;
        *self.starts.entry(start.to_owned()).or_default() += 1;
    }

    fn read(&mut self, path: &Path) {
        let name = path.to_string_lossy();
        let file = File::open(path).expect("a written file");
        if name.ends_with(".parquet") {
            return self.read_parquet(file);
        }
        let mut text = String::new();
        if name.ends_with(".gz") {
            flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
        } else if name.ends_with(".zip") {
            let mut archive = zip::ZipArchive::new(file).expect("a zip archive");
            archive.by_index(0).expect("one member").read_to_string(&mut text).expect("text");
        } else {
            text = fs::read_to_string(path).expect("text");
        }
        self.read_csv(&text);
    }

    fn read_csv(&mut self, text: &str) {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().expect("a header").clone();
        let place =
            |names: [&str; 2]| headers.iter().position(|header| names.contains(&header)).expect("a column");
        let (unblended, public, start) = (place(UNBLENDED), place(PUBLIC), place(START));
        for record in reader.records() {
            let record = record.expect("as many cells as columns");
            self.add(csv_amount(&record[unblended]), csv_amount(&record[public]), &record[start][..19]);
        }
    }

    fn read_parquet(&mut self, file: File) {
        let reader = SerializedFileReader::new(file).expect("a Parquet file");
        for row in reader.get_row_iter(None).expect("rows") {
            let row = row.expect("a row");
            let cells: BTreeMap<&String, &Datum> = row.get_column_iter().collect();
            let cell = |names: [&str; 2]| cells[&names[0].to_owned()];
            self.add(datum_amount(cell(UNBLENDED)), datum_amount(cell(PUBLIC)), &datum_instant(cell(START)));
        }
    }
}

fn csv_amount(text: &str) -> Amount {
    let Some((digits, exponent)) = text.split_once('E') else {
        return if text.is_empty() { Amount::ZERO } else { amount(text) };
    };
    let places: u32 = exponent.trim_start_matches('-').parse().expect("an exponent");
    let (first, rest) = digits.split_once('.').expect("Java writes a point");
    let units: i128 = format!("{first}{rest}").parse().expect("digits");
    let shift = i64::from(places) * if exponent.starts_with('-') { -1 } else { 1 } + 10 - rest.len() as i64;
    match u32::try_from(shift) {
        Ok(up) => Amount(units * 10_i128.pow(up)),
        // Only a zero after the point can lie beyond the tenth decimal.
        Err(_) => Amount(units / 10),
    }
}

fn datum_amount(datum: &Datum) -> Amount {
    match datum {
        Datum::Null => Amount::ZERO,
        Datum::Double(double) => amount(&format!("{double:.10}")),
        Datum::Float(float) => amount(&format!("{float:.10}")),
        Datum::Str(text) => amount(text),
        Datum::Decimal(decimal) => {
            let bytes = decimal.data();
            let negative = bytes[0] & 0x80 != 0;
            let start = if negative { -1_i128 } else { 0 };
            let units = bytes.iter().fold(start, |units, byte| (units << 8) | i128::from(*byte));
            Amount(units * 10_i128.pow(10 - u32::try_from(decimal.scale()).expect("a small scale")))
        }
        other => panic!("{other:?} is no number"),
    }
}

fn datum_instant(datum: &Datum) -> String {
    let text = match datum {
        Datum::Str(text) => text.clone(),
        Datum::TimestampMillis(millis) => seconds_text(millis / 1_000),
        Datum::TimestampMicros(micros) => seconds_text(micros / 1_000_000),
        Datum::Long(nanos) => seconds_text(nanos / 1_000_000_000),
        other => panic!("{other:?} is no instant"),
    };
    text[..19].to_owned()
}

fn seconds_text(seconds: i64) -> String {
    let hours = (seconds - crate::calendar::epoch_seconds("2026-10-01T00:00:00Z")) / 3_600;
    crate::calendar::hour_of("2026-10", hours)
}

fn check(lines: &[Line], options: &WriteOptions) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = write_month(folder.path(), lines, options);
    assert_eq!(files.len(), options.files);
    let mut sums = Sums::default();
    files.iter().for_each(|file| sums.read(file));
    assert_eq!(sums, Sums::of(lines), "{options:?}");
    if let Some(manifest) = manifest_path(folder.path(), options) {
        let text = fs::read_to_string(manifest).expect("a manifest");
        for file in &files {
            let key =
                file.strip_prefix(folder.path()).expect("below the folder").to_string_lossy().into_owned();
            assert!(text.contains(&format!("{key}\"")), "{key} in {text}");
        }
    }
}

#[test]
fn every_form_and_delivery() {
    let month =
        SampleMonth::generate(&MonthOptions { net_columns: true, lines: 200, ..MonthOptions::default() });
    for form in Form::ALL {
        for delivery in [Delivery::Loose, Delivery::Overwrite, Delivery::KeepVersions { with_older: true }] {
            let options = WriteOptions {
                delivery,
                files: 3,
                order: Order::Shuffled(4),
                row_group_rows: 17,
                ..WriteOptions::new(form, "2026-10")
            };
            check(&month.lines, &options);
        }
    }
}

#[test]
fn every_parquet_type() {
    let lines = SampleMonth::of(2, 120).lines;
    let base = WriteOptions::new(Form::Cur2Parquet, "2026-10");
    for costs in [CostType::Double, CostType::Text, CostType::Decimal(38, 10), CostType::Decimal(18, 10)] {
        check(&lines, &WriteOptions { costs, ..base.clone() });
    }
    for times in [TimeType::Micros, TimeType::Nanos, TimeType::Int96, TimeType::Text] {
        check(&lines, &WriteOptions { times, ..base.clone() });
    }
    for codec in [Codec::Zstd, Codec::Gzip, Codec::None] {
        check(&lines, &WriteOptions { codec, ..base.clone() });
    }
    let halves: Vec<Line> =
        lines.into_iter().map(|line| line.amounting("-0.5").at_public_cost("1024.25")).collect();
    check(&halves, &WriteOptions { costs: CostType::Float, ..base.clone() });
    check(&halves, &WriteOptions { costs: CostType::Decimal(9, 2), ..base });
}

#[test]
fn fixed_numbers_and_missing_columns() {
    let lines = SampleMonth::of(2, 120).lines;
    let base = WriteOptions::new(Form::LegacyCsv(Packing::Plain), "2026-10");
    check(&lines, &WriteOptions { numbers: Numbers::Fixed, ..base.clone() });
    let folder = tempfile::tempdir().expect("a folder");
    let leave_out = vec!["line_item_operation".to_owned(), "resource_tags".to_owned()];
    let files = write_month(folder.path(), &lines, &WriteOptions { leave_out, ..base });
    let text = fs::read_to_string(&files[0]).expect("text");
    let header = text.lines().next().expect("a header");
    assert!(header.contains("product/ProductName") && header.contains("product/servicecode"));
    assert!(!header.contains("lineItem/Operation") && !header.contains("resourceTags/"));
    assert!(
        !header.contains("NetUnblended"),
        "legacy reports have net columns only when something fills them"
    );
}

#[test]
fn same_lines_same_bytes() {
    let lines = SampleMonth::of(2, 120).lines;
    for form in Form::ALL {
        let options = WriteOptions { order: Order::Shuffled(1), ..WriteOptions::new(form, "2026-10") };
        let bytes = || {
            let folder = tempfile::tempdir().expect("a folder");
            let files = write_month(folder.path(), &lines, &options);
            fs::read(&files[0]).expect("a written file")
        };
        assert_eq!(bytes(), bytes(), "{form:?}");
    }
}

#[test]
fn numbers_look_like_those_of_java() {
    for (number, text) in [
        ("24", "24.0"),
        ("0", "0.0"),
        ("0.000000732", "7.32E-7"),
        ("-0.0000000007", "-7.0E-10"),
        ("0.001", "0.001"),
        ("0.0104", "0.0104"),
        ("12345678.5", "1.23456785E7"),
        ("9999999.5", "9999999.5"),
    ] {
        assert_eq!(java_text(amount(number)), text);
        assert_eq!(csv_amount(text), amount(number));
    }
}
