//! The lines of a cube read again: every row finds the class it was summed into.

use super::{Key, Scan, TooManyClasses, columns, hash_of};
use crate::batch::{Batch, Place};
use crate::diagnostics::Diagnostic;
use billing::charge_class::{Cube, KeyColumn};

/// A scan that knows the classes of a cube.
pub struct Classifier {
    scan: Scan,
    /// How many classes the cube has; whatever the scan finds beyond them is no class of the cube.
    classes: usize,
}

impl Classifier {
    /// Takes over the classes of a cube.
    pub fn new(cube: &Cube) -> Self {
        let mut scan = Scan::new();
        for class in &cube.classes {
            let mut key: Key = [0; super::KEY_WORDS];
            for column in KeyColumn::ALL {
                if let Some(text) = cube.value(class, column) {
                    let code = scan.keys[column as usize].number(text);
                    columns::put(column, code, &mut key);
                }
            }
            let number = scan.classes.push(key);
            let keys = &scan.classes.keys;
            let hash = |key: &Key| hash_of(key.iter().copied());
            scan.table.insert_unique(hash(&key), number, |class| hash(&keys[*class as usize]));
        }
        Self { scan, classes: cube.classes.len() }
    }

    /// The rows that were rejected so far, with their places.
    pub fn take_rejects(&mut self) -> Vec<(Place, Diagnostic)> {
        self.scan.take_rejects()
    }

    /// The class of every row of a batch, by its number in the cube; `None` where the row was not summed: of another month,
    /// rejected, or of no class of the cube.
    ///
    /// # Errors
    /// [`TooManyClasses`] when the lines are not those of the cube.
    pub fn classify(
        &mut self,
        batch: &mut Batch,
        file_name: &str,
    ) -> Result<impl Iterator<Item = Option<usize>> + '_, TooManyClasses> {
        self.scan.reject_rows_without_values(batch);
        let keep = self.scan.sort_out(batch, file_name);
        self.scan.prepare(batch);
        self.scan.find_classes(batch, keep.as_deref())?;
        let (section, classes) = (&self.scan.section, self.classes);
        Ok(self.scan.row_class.iter().map(move |class| {
            let number = section.classes[*class as usize].number as usize;
            number.checked_sub(1).filter(|number| *number < classes)
        }))
    }
}
