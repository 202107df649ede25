//! What was written comes back by rows, and what was changed is refused.

use super::*;
use billing::charge_class::Texts;
use billing::period::BillingPeriod;
use sha2::Sha256;

fn cube() -> Cube {
    let period = BillingPeriod::new(2026, 10).unwrap();
    Cube::new(period, None, Texts::default(), Vec::new(), BTreeMap::new())
}

fn line(file: u32, row: u64, usage: &str) -> EligibleLine {
    EligibleLine { class: 0, file, row, measures: [Quantity::parse(usage).unwrap(); 5] }
}

fn covered(commitment: u32, usage: &str, taken: &str) -> CoveredUsage {
    let (usage, taken) = (Quantity::parse(usage).unwrap(), Capacity::parse(taken).unwrap());
    CoveredUsage { commitment, usage, taken }
}

/// Two hours of two commitments; the second hour's lines stand before the first's in their file.
fn some_lines() -> CoveredLines {
    let mut lines = CoveredLines::default();
    lines
        .add(0, &[line(0, 7, "1"), line(1, 2, "1")], &[covered(0, "0.5", "2"), covered(1, "1", "0.06")])
        .unwrap();
    lines.add(5, &[line(0, 3, "1")], &[covered(1, "1", "0.07")]).unwrap();
    lines
}

type Told = (u64, u32, String);

fn rows(stored: &StoredCoveredLines, file: u32, rows: Range<u64>) -> Vec<Told> {
    let parts = stored.of_rows(file, rows).unwrap().into_iter();
    parts.map(|part| (part.row, part.commitment, part.usage.to_string())).collect()
}

#[test]
fn lines_come_back_by_file_and_row_in_the_order_in_which_they_were_covered() {
    let folder = tempfile::tempdir().unwrap();
    let file = some_lines().write(folder.path(), &cube(), 2).unwrap();
    let stored = StoredCoveredLines::open(&file.place(), &cube(), 2).unwrap();
    let told = |row, commitment, usage: &str| (row, commitment, usage.to_owned());
    assert_eq!(rows(&stored, 0, 0..100), [told(3, 1, "1"), told(7, 0, "0.5"), told(7, 1, "0.5")]);
    assert_eq!(rows(&stored, 0, 4..7), []);
    assert_eq!(rows(&stored, 0, 7..8), [told(7, 0, "0.5"), told(7, 1, "0.5")]);
    assert_eq!(rows(&stored, 1, 0..100), [told(2, 1, "0.5")]);
    assert_eq!(rows(&stored, 2, 0..100), []);
    let used = |commitment, hours| stored.used(commitment, &hours).unwrap().to_string();
    assert_eq!(
        [used(0, 0..744), used(1, 0..1), used(1, 0..5), used(1, 0..6), used(1, 1..6), used(2, 0..744)],
        ["2", "0.06", "0.06", "0.13", "0.07", "0"]
    );
    let path = file.place().path;
    drop(file);
    assert!(!path.exists(), "it is gone with what names it");
}

#[test]
fn a_file_that_is_not_the_written_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = some_lines().write(folder.path(), &cube(), 2).unwrap();
    let place = file.place();
    assert!(StoredCoveredLines::open(&place, &cube(), 3).is_err(), "of other commitments");
    let bytes = std::fs::read(&place.path).unwrap();
    for changed in [0, HEADER_BYTES, bytes.len() - 1] {
        let mut other = bytes.clone();
        other[changed] ^= 1;
        std::fs::write(&place.path, &other).unwrap();
        assert!(StoredCoveredLines::open(&place, &cube(), 2).is_err(), "byte {changed}");
    }
    std::fs::write(&place.path, &bytes[..bytes.len() - 1]).unwrap();
    let cut = CoveredLinesPlace { sha256: Sha256::digest(&bytes[..bytes.len() - 1]).into(), ..place };
    assert!(StoredCoveredLines::open(&cut, &cube(), 2).is_err(), "cut off");
}

#[test]
fn records_that_cannot_be_are_refused_although_their_hash_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = some_lines().write(folder.path(), &cube(), 2).unwrap();
    let bytes = std::fs::read(file.place().path).unwrap();
    // The commitment, and the highest byte of the usage, of the first record.
    for (changed, byte) in [(HEADER_BYTES + 4, 9), (HEADER_BYTES + 23, 0xff)] {
        let mut other = bytes.clone();
        other[changed] = byte;
        let path = folder.path().join("other");
        std::fs::write(&path, &other).unwrap();
        let place = CoveredLinesPlace { path, sha256: Sha256::digest(&other).into() };
        let stored = StoredCoveredLines::open(&place, &cube(), 2).unwrap();
        assert!(stored.of_rows(0, 0..100).is_err(), "byte {changed}");
    }
}
