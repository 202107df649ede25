//! The kernel: exact under collisions, whatever the batches.

use super::*;
use crate::codes::Codes;

const ROWS: usize = 600;

/// A batch in which row i has a key made of i mod 7, i mod 11 and i mod 5, and unblended cost i.
fn batch(first: usize, rows: usize, period: Option<Vec<bool>>) -> Batch {
    let texts = |prefix: &str, modulus: usize| {
        let all: Vec<String> = (first..first + rows).map(|i| format!("{prefix}{}", i % modulus)).collect();
        Codes::from_texts(all.iter().map(|text| Some(text.as_str())))
    };
    let mut keys = KeyColumn::ALL.map(|_| None);
    keys[KeyColumn::UsageAccount as usize] = Some(texts("", 7));
    keys[KeyColumn::UsageType as usize] = Some(texts("BoxUsage:", 11));
    let zones: Vec<Option<String>> =
        (first..first + rows).map(|i| (i % 5 > 0).then(|| format!("z{}", i % 5))).collect();
    keys[KeyColumn::AvailabilityZone as usize] = Some(Codes::from_texts(zones.iter().map(Option::as_deref)));
    keys[KeyColumn::LineItemType as usize] = Some(Codes::from_texts((0..rows).map(|_| Some("Usage"))));
    keys[KeyColumn::Currency as usize] = Some(Codes::from_texts((0..rows).map(|_| Some("USD"))));
    let units: Vec<i64> = (first..first + rows).map(|i| i64::try_from(i).unwrap()).collect();
    let costs = Numbers { units, ..Numbers::default() };
    Batch {
        place: Place { file: 0, row_group: None, row: first as u64 },
        rows,
        vocabulary: crate::layout::CostFormat::Cur2.vocabulary(),
        keys,
        payer: Codes::from_texts((0..rows).map(|_| Some("999999999999"))),
        measures: vec![(Measure::Unblended, costs)],
        in_period: period,
        days: None,
        product_name: None,
        service_name: None,
        product_map: None,
        name_in_map: false,
        identity: None,
        commitments: None,
        row_of_file: first as u64,
        others: OtherProviders::new(),
        rejects: Vec::new(),
        notes: NumberNotes::default(),
    }
}

/// Account, usage type, zone, lines and unblended units of every class, sorted.
fn classes(mut scans: Vec<Scan>) -> Vec<(String, String, Option<String>, u64, i128)> {
    let Merged { texts, classes, .. } = merge(&mut scans).unwrap();
    let text = |class: &billing::charge_class::ChargeClass, column| {
        texts.get(class.text(column)).map(ToOwned::to_owned)
    };
    let mut all: Vec<_> = classes
        .iter()
        .map(|class| {
            let account = text(class, KeyColumn::UsageAccount).unwrap();
            let usage_type = text(class, KeyColumn::UsageType).unwrap();
            let zone = text(class, KeyColumn::AvailabilityZone);
            (account, usage_type, zone, class.lines, class.sum(Measure::Unblended).units())
        })
        .collect();
    all.sort();
    all
}

fn scan_of(batches: Vec<Batch>, hash_mask: u64) -> Scan {
    let mut scan = Scan::new();
    scan.section.hash_mask = hash_mask;
    batches.into_iter().for_each(|batch| scan.add(batch, "file").unwrap());
    scan
}

#[test]
fn classes_are_exact_however_many_hashes_collide() {
    let expected = classes(vec![scan_of(vec![batch(0, ROWS, None)], u64::MAX)]);
    assert_eq!(expected.len(), 7 * 11 * 5);
    assert_eq!(expected.iter().map(|class| class.3).sum::<u64>(), ROWS as u64);
    for hash_mask in [0, 1, 0xff] {
        assert_eq!(classes(vec![scan_of(vec![batch(0, ROWS, None)], hash_mask)]), expected, "{hash_mask:x}");
    }
}

#[test]
fn batches_and_threads_make_no_difference() {
    let expected = classes(vec![scan_of(vec![batch(0, ROWS, None)], u64::MAX)]);
    let split = vec![batch(0, 1, None), batch(1, 200, None), batch(201, ROWS - 201, None)];
    assert_eq!(classes(vec![scan_of(split, u64::MAX)]), expected);
    let (one, other) =
        (scan_of(vec![batch(300, ROWS - 300, None)], u64::MAX), scan_of(vec![batch(0, 300, None)], 3));
    assert_eq!(classes(vec![one, other]), expected);
}

#[test]
fn lines_of_other_periods_are_passed_by() {
    let keep: Vec<bool> = (0..ROWS).map(|i| i % 2 == 0).collect();
    let scan = scan_of(vec![batch(0, ROWS, Some(keep))], u64::MAX);
    assert_eq!((scan.counts.read, scan.counts.passed_by), (600, 300));
    assert_eq!(scan.control["USD"].1, (0..600).step_by(2).sum::<i128>());
    let found = classes(vec![scan]);
    assert_eq!(found.iter().map(|class| class.4).sum::<i128>(), (0..600).step_by(2).sum::<i128>());
}

#[test]
fn rows_without_an_account_or_a_currency_are_rejected() {
    let mut with_holes = batch(0, 4, None);
    with_holes.keys[KeyColumn::UsageAccount as usize] =
        Some(Codes::from_texts([Some("1"), None, Some("2"), Some("")].into_iter()));
    with_holes.keys[KeyColumn::Currency as usize] =
        Some(Codes::from_texts([Some("usd"), Some("USD"), Some("USD"), Some("USD")].into_iter()));
    let mut scan = scan_of(vec![with_holes], u64::MAX);
    assert_eq!(scan.counts.rejected, 3);
    let rows: Vec<_> = scan.take_rejects().into_iter().map(|(_, reject)| reject.to_string()).collect();
    assert_eq!(rows[0], "file:row 1:line_item_currency_code: `usd` is not a currency code");
    assert_eq!(rows.len(), 3);
}

#[test]
fn costs_beyond_64_bits_are_summed() {
    let mut wide = batch(0, 2, None);
    let mut costs = Numbers { units: vec![0; 2], ..Numbers::default() };
    costs.set(0, 5_000_000_000_000_000_000_000);
    costs.set(1, 7);
    wide.measures = vec![(Measure::Unblended, costs)];
    let scan = scan_of(vec![wide], u64::MAX);
    assert_eq!(scan.control["USD"].0, 5_000_000_000_000_000_000_007);
}

#[test]
fn a_missing_net_cost_is_the_unblended_cost() {
    let mut with_net = batch(0, 3, None);
    let nulls = Some(vec![true, false, true].into());
    with_net
        .measures
        .push((Measure::NetUnblended, Numbers { units: vec![-5, 0, 9], nulls, ..Numbers::default() }));
    let scan = scan_of(vec![with_net], u64::MAX);
    assert_eq!(scan.control["USD"], (-5 + 1 + 9, 3));
    let classes = merge(&mut [scan]).unwrap().classes;
    assert_eq!(classes.iter().map(|c| c.lines - c.lines_without_net).sum::<u64>(), 2);
    assert_eq!(classes.iter().map(|c| c.sum(Measure::NetUnblended).units()).sum::<i128>(), 5);
    assert_eq!(classes.iter().map(|c| c.lines_without_net).sum::<u64>(), 1);
}

#[test]
fn sums_of_a_section_may_leave_64_bits() {
    let mut large = batch(0, 3, None);
    large.keys[KeyColumn::UsageAccount as usize] = Some(Codes::from_texts([Some("1"); 3].into_iter()));
    large.keys[KeyColumn::UsageType as usize] = Some(Codes::from_texts([Some("Requests"); 3].into_iter()));
    large.measures = vec![(Measure::Unblended, Numbers { units: vec![i64::MAX; 3], ..Numbers::default() })];
    let scan = scan_of(vec![large], u64::MAX);
    let found = classes(vec![scan]);
    assert_eq!((found.len(), found[0].4), (1, 3 * i128::from(i64::MAX)));
}

#[test]
fn keys_of_several_words_tell_rows_apart() {
    // 600 values take ten bits: six columns to a word, and every column beyond the first differs in one row only.
    let mut many = batch(0, ROWS, None);
    let columns = [KeyColumn::Operation, KeyColumn::Sku, KeyColumn::Region, KeyColumn::PricingUnit]
        .into_iter()
        .chain([KeyColumn::RateCode, KeyColumn::ProductCode, KeyColumn::ServiceCode, KeyColumn::InvoiceId]);
    for (number, column) in columns.enumerate() {
        // A dictionary of 600 values, of which all rows but one have the last.
        let values: Vec<String> = (0..ROWS).map(|i| i.to_string()).collect();
        let last = i32::try_from(ROWS - 1).unwrap();
        let keys: Vec<i32> = (0..ROWS).map(|row| if row == number { 0 } else { last }).collect();
        many.keys[column as usize] = Some(Codes { keys: keys.into(), nulls: None, values: values.into() });
    }
    many.keys[KeyColumn::UsageAccount as usize] = Some(Codes::from_texts((0..ROWS).map(|_| Some("1"))));
    many.keys[KeyColumn::UsageType as usize] = Some(Codes::from_texts((0..ROWS).map(|_| Some("Requests"))));
    let found = classes(vec![scan_of(vec![many], u64::MAX)]);
    assert_eq!(found.len(), 8 + 1);
    assert_eq!(found.iter().map(|class| class.3).sum::<u64>(), ROWS as u64);
}
