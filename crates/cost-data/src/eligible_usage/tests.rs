//! The file holds every eligible line once, in one order, and nobody needs to hold the file.

mod large;

use super::*;
use crate::cube_file::CubeFileError;
use crate::hash::hex;
use crate::reading::{Reading, Request, read};
use billing::charge_class::{Cube, KeyColumn};
use billing::coverage::{CUT_MEASURES, CutMeasures, EligibleLine};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use testkit::calendar::hour_of;
use testkit::line::reservation_arn;
use testkit::write::{Delivery, Order, Packing};
use testkit::{Form, Line, MonthOptions, SampleMonth, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const OWNER: &str = "111111111111";

/// A month that was read, and where its eligible usage was to be left.
struct Read {
    reading: Reading,
    eligible: PathBuf,
    _folder: TempDir,
}

impl Read {
    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.eligible).unwrap()
    }

    fn outcome(&self) -> &EligibleUsage {
        self.reading.report.eligible_usage.as_ref().unwrap()
    }

    /// Why there is no file; there must be none then.
    fn reason(&self) -> String {
        assert!(!self.eligible.exists());
        match self.outcome() {
            EligibleUsage::NotKept(reason) => reason.to_string(),
            EligibleUsage::Kept { .. } => panic!("it was kept"),
        }
    }

    fn lines(&self) -> Vec<(u32, EligibleLine)> {
        all_lines(&self.eligible, &self.reading.cube).unwrap()
    }
}

fn all_lines(path: &Path, cube: &Cube) -> Result<Vec<(u32, EligibleLine)>, CubeFileError> {
    let (mut hours, mut of_hour, mut all) =
        (StoredEligibleUsage::open(path, cube)?.hours()?, Vec::new(), Vec::new());
    while let Some(hour) = hours.next_hour(&mut of_hour)? {
        all.extend(of_hour.iter().map(|line| (hour, *line)));
    }
    Ok(all)
}

fn loose(form: Form) -> WriteOptions {
    WriteOptions { delivery: Delivery::Loose, ..WriteOptions::new(form, PERIOD) }
}

fn read_month(lines: &[Line], options: &WriteOptions, threads: usize, reversed: bool) -> Read {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = write_month(folder.path(), lines, options);
    if reversed {
        inputs.reverse();
    }
    let eligible = folder.path().join("eligible-usage.parquet");
    let request =
        Request { threads, eligible: Some(eligible.clone()), ..Request::new(inputs, &options.period) };
    let reading = read(&request, &|_| ()).unwrap();
    Read { reading, eligible, _folder: folder }
}

fn read_one(lines: &[Line]) -> Read {
    read_month(lines, &loose(Form::Cur2Parquet), 1, false)
}

/// An hour of instance usage.
fn usage(hour: i64, quantity: &str) -> Line {
    let line = Line::usage(OWNER, "AmazonEC2", "BoxUsage:m5.large", "0.096").using(quantity);
    line.of_operation("RunInstances").during(&hour_of(PERIOD, hour), &hour_of(PERIOD, hour + 1))
}

/// A reservation of one instance for the whole month.
fn reservation_fee() -> Line {
    let mut line = Line::charge("RIFee", OWNER, "AmazonEC2", "44.64").of_operation("RunInstances");
    line.line_item_usage_type = Some("HeavyUsage:m5.large".to_owned());
    line.using("744").of_reservation(OWNER)
}

/// A generated month, and the same reservation.
fn month(seed: u64, lines: usize) -> Vec<Line> {
    let options = MonthOptions { seed, lines, net_columns: true, ..MonthOptions::default() };
    let mut lines = SampleMonth::generate(&options).lines;
    lines.push(reservation_fee());
    lines
}

/// What does not depend on where a line stands: hour, class and amounts, as a sorted list.
fn contents(read: &Read) -> Vec<(u32, String, CutMeasures)> {
    let cube = &read.reading.cube;
    let mut all: Vec<_> = (read.lines().into_iter())
        .map(|(hour, line)| {
            let class = cube.class_id(&cube.classes[line.class as usize]).to_string();
            (hour, class, line.measures)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn the_bytes_are_the_same_whichever_thread_reads_and_whichever_file_comes_first() {
    let lines = month(7, 4_000);
    let options = WriteOptions { files: 3, row_group_rows: 150, ..loose(Form::Cur2Parquet) };
    let one = read_month(&lines, &options, 1, false);
    for (threads, reversed) in [(1, true), (3, false), (8, true)] {
        let other = read_month(&lines, &options, threads, reversed);
        assert_eq!(other.outcome(), one.outcome(), "{threads} threads");
        assert!(other.bytes() == one.bytes(), "{threads} threads: other bytes");
        assert_eq!(other.reading.report.commitments, one.reading.report.commitments);
    }
    let EligibleUsage::Kept { sha256, lines, .. } = one.outcome() else { panic!("it was not kept") };
    let stored = StoredEligibleUsage::open(&one.eligible, &one.reading.cube).unwrap();
    assert_eq!((hex(&stored.sha256().unwrap()), one.lines().len() as u64), (sha256.clone(), *lines));
}

#[test]
fn rows_in_another_order_and_another_form_are_the_same_lines() {
    let lines = month(8, 1_500);
    let expected = contents(&read_one(&lines));
    assert!(expected.len() > 300, "{} lines", expected.len());
    let shuffled = WriteOptions { files: 2, order: Order::Shuffled(5), ..loose(Form::Cur2Parquet) };
    assert_eq!(contents(&read_month(&lines, &shuffled, 2, false)), expected);
    // Legacy reports have no names of the payer, and so the same classes.
    for form in [Form::Cur2Csv, Form::LegacyCsv(Packing::Gzip), Form::LegacyParquet] {
        assert_eq!(contents(&read_month(&lines, &loose(form), 2, false)), expected, "{form:?}");
    }
}

#[test]
fn the_lines_of_every_class_sum_to_the_class() {
    let read = read_one(&month(9, 3_000));
    let cube = &read.reading.cube;
    let mut sums: BTreeMap<u32, (u64, CutMeasures)> = BTreeMap::new();
    for (_, line) in read.lines() {
        let (lines, sums) = sums.entry(line.class).or_default();
        *lines += 1;
        for (sum, more) in sums.iter_mut().zip(line.measures) {
            *sum = sum.plus(more).unwrap();
        }
    }
    let eligible = EligibleClasses::of(cube);
    let expected: BTreeMap<u32, (u64, CutMeasures)> = (0..)
        .zip(&cube.classes)
        .filter(|(number, _)| eligible.has(*number))
        .map(|(number, class)| (number, (class.lines, CUT_MEASURES.map(|measure| class.sum(measure)))))
        .collect();
    assert_eq!(sums, expected);
    let kinds: std::collections::BTreeSet<&str> = (expected.keys())
        .filter_map(|number| cube.value(&cube.classes[*number as usize], KeyColumn::LineItemType))
        .collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["DiscountedUsage", "SavingsPlanCoveredUsage", "Usage"]
    );
}

#[test]
fn a_line_is_kept_under_its_hour_and_its_place() {
    let mut spot = usage(5, "1");
    spot.pricing_term = Some("Spot".to_owned());
    let marketplace = usage(6, "1").of_billing_entity("AWS Marketplace");
    let storage = Line::usage(OWNER, "AmazonS3", "TimedStorage-ByteHrs", "1");
    let lines = [
        usage(743, "2"),
        spot,
        usage(0, "3"),
        marketplace,
        storage,
        usage(577, "4"),
        usage(0, "5"),
        reservation_fee(),
    ];
    let options = WriteOptions { row_group_rows: 3, ..loose(Form::Cur2Parquet) };
    let read = read_month(&lines, &options, 2, false);
    let found: Vec<_> = (read.lines().into_iter())
        .map(|(hour, line)| {
            (hour, line.file, line.row, line.measures[0].to_string(), line.measures[2].to_string())
        })
        .collect();
    let cost = || "0.096".to_owned();
    assert_eq!(
        found,
        [
            (0, 0, 2, "3".to_owned(), cost()),
            (0, 0, 6, "5".to_owned(), cost()),
            (577, 0, 5, "4".to_owned(), cost()),
            (743, 0, 0, "2".to_owned(), cost()),
        ]
    );
}

#[test]
fn usage_of_other_intervals_is_a_reason_not_to_simulate() {
    let day = Line { ..usage(0, "24") }.during(&hour_of(PERIOD, 0), &hour_of(PERIOD, 24));
    let half = usage(1, "1").during("2026-10-01T01:30:00Z", "2026-10-01T02:30:00Z");
    let last_second = usage(0, "1").during("2026-10-01T00:00:00Z", "2026-10-01T00:59:59Z");
    for odd in [day.clone(), half, last_second] {
        let reason = read_one(&[reservation_fee(), usage(3, "1"), odd]).reason();
        let expected = "the cost files are not hourly: 1 lines of usage that commitments may cover are not of exactly one hour, the \
                        first in row 3 of `cost-report-00001.snappy.parquet`";
        assert_eq!(reason, expected);
    }
    let reason = read_one(&[reservation_fee(), day.clone(), day.clone(), usage(3, "1")]).reason();
    assert!(reason.contains(": 2 lines of usage") && reason.contains("in row 2 of"), "{reason}");
    // What no commitment can cover may be of any interval.
    let mut spot = day;
    spot.pricing_term = Some("Spot".to_owned());
    assert_eq!(read_one(&[reservation_fee(), spot, usage(3, "1")]).lines().len(), 1);
}

#[test]
fn a_month_without_commitments_keeps_nothing() {
    assert_eq!(read_one(&[usage(0, "1")]).reason(), "the month has no commitment");
    let mut fee = reservation_fee();
    fee.line_item_usage_amount = Some(testkit::amount::amount("700"));
    let untold = read_one(&[usage(0, "1"), fee]);
    let arn = reservation_arn(OWNER);
    let expected =
        format!("none of the month's commitments can be told from the cost files, the first is `{arn}`: ");
    assert!(untold.reason().starts_with(&expected), "{}", untold.reason());
    assert_eq!(untold.reading.report.commitments.as_ref().unwrap().untold.len(), 1);
}

#[test]
fn files_that_do_not_say_when_usage_ends_are_named() {
    let leave_out = vec!["line_item_usage_end_date".to_owned()];
    let options = WriteOptions { leave_out, ..loose(Form::Cur2Parquet) };
    let reason = read_month(&[usage(0, "1"), reservation_fee()], &options, 1, false).reason();
    assert_eq!(
        reason,
        "`cost-report-00001.snappy.parquet` does not say when usage starts and ends: add `line_item_usage_start_date` and \
         `line_item_usage_end_date`"
    );
}

#[test]
fn focus_says_too_little() {
    let lines = testkit::focus::as_told(&[usage(0, "1"), reservation_fee()]);
    let read = read_month(&lines, &loose(Form::FOCUS[1]), 1, false);
    assert_eq!(read.reason(), "the cost files are of FOCUS, which does not say what commitments are");
    assert_eq!(read.reading.report.commitments, None);
}

#[test]
fn lines_that_no_commitment_covers_are_passed_by() {
    let without_start = Line { line_item_usage_start_date: None, ..usage(0, "1") };
    let before = usage(0, "1").during("2026-09-30T23:00:00Z", "2026-10-01T00:00:00Z");
    for odd in [usage(744, "1"), before, without_start, usage(0, "100000000"), usage(0, "999999999999")] {
        let read = read_one(&[reservation_fee(), usage(0, "1"), odd]);
        let EligibleUsage::Kept { lines, passed_by, .. } = read.outcome() else { panic!("it was not kept") };
        assert_eq!((*lines, *passed_by, read.lines().len()), (1, 1, 1));
    }
    let most = "99999999";
    let read = read_one(&[reservation_fee(), usage(0, most), usage(0, "-99999999")]);
    assert_eq!(read.lines()[0].1.measures[0].to_string(), most);
}

#[test]
fn the_file_of_another_cube_is_refused() {
    let read = read_one(&[reservation_fee(), usage(0, "1")]);
    let other =
        read_one(&[reservation_fee(), usage(0, "1"), usage(0, "1").of_operation("RunInstances:0002")]);
    let error = all_lines(&read.eligible, &other.reading.cube).unwrap_err().to_string();
    assert!(error.ends_with("it belongs to another cost cube"), "{error}");
    let daily = tempfile::tempdir().unwrap();
    let path = daily.path().join("daily");
    std::fs::write(&path, b"PAR1").unwrap();
    assert!(all_lines(&path, &read.reading.cube).is_err());
}

#[test]
fn a_damaged_file_is_refused() {
    let read = read_one(&month(3, 600));
    let (bytes, lines) = (read.bytes(), read.lines());
    let sound = StoredEligibleUsage::open(&read.eligible, &read.reading.cube).unwrap().sha256().unwrap();
    let path = read.eligible.with_extension("damaged");
    for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(all_lines(&path, &read.reading.cube).is_err(), "{length} bytes");
    }
    for place in (4..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        std::fs::write(&path, &damaged).unwrap();
        let stored = StoredEligibleUsage::open(&path, &read.reading.cube);
        // The hash always tells; most damage is an error besides.
        assert!(
            stored.is_ok_and(|stored| stored.sha256().unwrap() != sound)
                || all_lines(&path, &read.reading.cube).is_err()
        );
    }
    assert_eq!(read.lines(), lines);
}
