//! The scans of all threads become one cube, the same whichever thread read what.

use super::Scan;
use billing::charge_class::{ChargeClass, KEY_COLUMNS, KeyColumn, Measure, TextId, Texts};
use billing::money::{DecimalError, Quantity};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// What the scans of all threads have become.
pub struct Merged {
    pub texts: Texts,
    /// The classes, not yet in the order of a cube.
    pub classes: Vec<ChargeClass>,
    /// Of each scan, for those that must find their classes again: the place of every class of its own.
    pub places: Vec<ClassNumbers>,
}

/// Which class of the whole each class of a scan has become.
pub struct ClassNumbers(Vec<u32>);

impl From<Vec<u32>> for ClassNumbers {
    /// The numbers of a scan's classes, in their order.
    fn from(numbers: Vec<u32>) -> Self {
        Self(numbers)
    }
}

impl ClassNumbers {
    /// The number of a class of the scan.
    pub fn get(&self, class: u32) -> Option<u32> {
        // Number 0 is that of no class.
        self.0.get((class as usize).checked_sub(1)?).copied()
    }

    /// The numbers after the classes were put in another order, whose `numbers` are by place before.
    pub fn after(self, numbers: &[u32]) -> Self {
        Self(self.0.into_iter().map(|place| numbers[place as usize]).collect())
    }
}

/// The texts and classes of all scans, equal keys added up.
///
/// # Errors
/// [`DecimalError::TooLarge`] when a class's sum is beyond what money can hold.
pub fn merge(scans: &mut [Scan]) -> Result<Merged, DecimalError> {
    let mut texts = Texts::default();
    let mut known: HashMap<[TextId; KEY_COLUMNS], usize, FixedState> =
        HashMap::with_hasher(FixedState::with_seed(0));
    let mut classes: Vec<ChargeClass> = Vec::new();
    let mut places = Vec::new();
    for scan in scans {
        scan.end_section();
        let scan = &*scan;
        let mut own = Vec::new();
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
            let place = match known.get(&key) {
                Some(place) => {
                    classes[*place].absorb(&of_scan)?;
                    *place
                }
                None => {
                    known.insert(key, classes.len());
                    classes.push(of_scan);
                    classes.len() - 1
                }
            };
            if scan.commitments.is_some() {
                // `CLASSES_MAX` classes of each thread.
                own.push(u32::try_from(place).unwrap_or(u32::MAX));
            }
        }
        places.push(own.into());
    }
    Ok(Merged { texts, classes, places })
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
