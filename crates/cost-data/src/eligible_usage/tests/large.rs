//! Many lines, straight into the recorder: several row groups, and an hour at a time.

use super::*;
use crate::scan::ClassNumbers;
use billing::charge_class::{ChargeClass, KEY_COLUMNS, MEASURES, TextId, Texts};

const CLASSES: u32 = 60;
const LINES_PER_HOUR: u32 = 300;

/// Classes of one account with as many lines each as [`parts`] gives them; every third is no usage that a commitment may cover.
fn cube() -> Cube {
    let mut texts = Texts::default();
    let classes = (0..CLASSES).map(|number| {
        let mut key = [TextId::NULL; KEY_COLUMNS];
        let usage_type = match number % 3 {
            0 => format!("TimedStorage:{number:02}"),
            _ => format!("BoxUsage:m5.{number:02}"),
        };
        for (column, text) in [
            (KeyColumn::UsageAccount, OWNER),
            (KeyColumn::UsageType, &usage_type),
            (KeyColumn::LineItemType, "Usage"),
            (KeyColumn::PricingTerm, "OnDemand"),
            (KeyColumn::UnblendedRateState, "+"),
        ] {
            key[column as usize] = texts.intern(text);
        }
        let lines = u64::from(744 * LINES_PER_HOUR / CLASSES);
        let sums = [billing::money::Quantity::ZERO; MEASURES];
        ChargeClass { key, lines, lines_without_net: 0, unblended_rate: TextId::NULL, sums }
    });
    let classes = classes.collect();
    Cube::new(BillingPeriod::parse(PERIOD).unwrap(), None, texts, classes, BTreeMap::new())
}

/// The same lines by several recorders, which number classes from 1 in an order of their own.
fn parts(folder: &Path, threads: u32) -> Vec<Part> {
    let part = |thread: u32| {
        let mut recorder = Recorder::new(folder, 744).unwrap();
        let numbers: Vec<u32> = (0..CLASSES).map(|class| (class + thread) % CLASSES).collect();
        for line in (0..744 * LINES_PER_HOUR).filter(|line| line / 1_000 % threads == thread) {
            let (hour, class) = (line * 7 % 744, line / 744 % CLASSES);
            let own = numbers.iter().position(|number| *number == class).unwrap() as u32 + 1;
            let units = [1, 2, 3, 4, 5].map(|times| i64::from(line) * times);
            recorder.keep(hour as u16, Record { class: own, file: line % 4, row: u64::from(line), units });
        }
        Part { recorder, numbers: ClassNumbers::from(numbers) }
    };
    (0..threads).map(part).collect()
}

#[test]
fn a_month_of_several_row_groups_is_read_an_hour_at_a_time() {
    let (folder, cube) = (tempfile::tempdir().unwrap(), cube());
    let (path, twin) = (folder.path().join("one"), folder.path().join("two"));
    let eligible = EligibleClasses::of(&cube);
    let Written { sha256: hash, lines, .. } =
        write(&path, &cube, &eligible, &parts(folder.path(), 1)).unwrap();
    assert_eq!(lines, u64::from(744 * LINES_PER_HOUR * 2 / 3));
    let other = write(&twin, &cube, &eligible, &parts(folder.path(), 3)).unwrap();
    assert_eq!((other.sha256, other.lines), (hash, lines));
    assert!(std::fs::read(&path).unwrap() == std::fs::read(&twin).unwrap());

    let stored = StoredEligibleUsage::open(&path, &cube).unwrap();
    let (mut hours, mut of_hour, mut wanted) = (stored.hours().unwrap(), Vec::new(), 0);
    while let Some(hour) = hours.next_hour(&mut of_hour).unwrap() {
        assert_eq!((hour, of_hour.len()), (wanted, 200), "lines of an hour");
        // The buffer is one hour's, not the month's.
        assert!(of_hour.capacity() <= 512);
        for line in &of_hour {
            let row = i128::from(line.row);
            assert_eq!((line.row * 7 % 744, line.row % 4), (u64::from(hour), u64::from(line.file)));
            assert_eq!((line.measures[0].units(), line.measures[4].units()), (row, 5 * row));
        }
        wanted += 1;
    }
    assert_eq!(wanted, 744);
}

#[test]
fn lost_lines_are_a_fault() {
    let (folder, cube) = (tempfile::tempdir().unwrap(), cube());
    let mut parts = parts(folder.path(), 2);
    parts.pop();
    let error = write(&folder.path().join("one"), &cube, &EligibleClasses::of(&cube), &parts).unwrap_err();
    assert!(error.to_string().contains("eligible lines, of which"), "{error}");
}
