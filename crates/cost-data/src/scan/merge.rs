//! The scans of all threads become one cube, the same whichever thread read what.

use super::Scan;
use billing::charge_class::{ChargeClass, KEY_COLUMNS, KeyColumn, Measure, TextId, Texts};
use billing::money::{DecimalError, Quantity};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// The texts and classes of all scans, equal keys added up. The order is not yet that of a cube.
///
/// # Errors
/// [`DecimalError::TooLarge`] when a class's sum is beyond what money can hold.
pub fn merge(scans: &mut [Scan]) -> Result<(Texts, Vec<ChargeClass>), DecimalError> {
    let mut texts = Texts::default();
    let mut numbers: HashMap<[TextId; KEY_COLUMNS], usize, FixedState> =
        HashMap::with_hasher(FixedState::with_seed(0));
    let mut classes: Vec<ChargeClass> = Vec::new();
    for scan in scans {
        scan.end_section();
        let scan = &*scan;
        let mut interned = Interned::new(scan);
        for class in 1..scan.classes.keys.len() {
            let key = KeyColumn::ALL.map(|column| interned.text(scan, &mut texts, column, class));
            let mut sums = [Quantity::ZERO; Measure::ALL.len()];
            for (sum, units) in sums.iter_mut().zip(scan.classes.sums[class]) {
                *sum = Quantity::from_units(units)?;
            }
            let (lines, lines_without_net) =
                (scan.classes.lines[class], scan.classes.lines_without_net[class]);
            let rate =
                scan.keys[KeyColumn::UnblendedRateState as usize].exact_text(scan.classes.rates[class]);
            let unblended_rate = rate.map_or(TextId::NULL, |rate| texts.intern(rate));
            let of_scan = ChargeClass { key, lines, lines_without_net, unblended_rate, sums };
            match numbers.get(&key) {
                Some(number) => classes[*number].absorb(&of_scan)?,
                None => {
                    numbers.insert(key, classes.len());
                    classes.push(of_scan);
                }
            }
        }
    }
    Ok((texts, classes))
}

/// A scan's column numbers as numbers of the cube's texts, on demand: not every text made it into a class.
struct Interned(Vec<Vec<Option<TextId>>>);

impl Interned {
    fn new(scan: &Scan) -> Self {
        Self(scan.keys.iter().map(|texts| vec![None; texts.count() + 1]).collect())
    }

    fn text(&mut self, scan: &Scan, texts: &mut Texts, column: KeyColumn, class: usize) -> TextId {
        let number = scan.classes.code(class, column);
        let known = &mut self.0[column as usize][number as usize];
        *known.get_or_insert_with(|| {
            scan.keys[column as usize].text(number).map_or(TextId::NULL, |text| texts.intern(text))
        })
    }
}
