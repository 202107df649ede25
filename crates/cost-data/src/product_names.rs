//! What AWS calls each product, for reports.
//!
//! Where the name has a column of its own it is read with the lines. CUR 2.0 in Parquet keeps it in the `product` map, which is dear to
//! decode: there it is read afterwards, for one row of each product.

use crate::batch::{Batch, Place};
use crate::codes::Codes;
use crate::parquet_lines::ParquetFile;
use crate::source::Source;
use arrow_array::cast::AsArray;
use arrow_array::{Array, MapArray};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use std::collections::BTreeMap;

const PRODUCT_NAME: &str = "product_name";
const SERVICE_NAME: &str = "servicename";

/// The best place to take each product's name from.
#[derive(Default)]
pub struct ProductNames(BTreeMap<String, Candidate>);

/// A row of a map to read: its number, the product, whether its service differs.
type Wanted = (u64, String, bool);

/// A row that names a product. The best is one whose product and service agree, then the first of the delivery.
#[derive(Debug, Clone)]
struct Candidate {
    /// Whether the service code is another product's: then only the service's name is the product's.
    service_differs: bool,
    place: Place,
    name: Name,
}

#[derive(Debug, Clone)]
enum Name {
    Known(Option<String>),
    InMap,
}

impl ProductNames {
    /// Notes a row of a product, the first of its class.
    pub fn note(&mut self, service: &str, product: &str, batch: &Batch, row: usize) {
        let service_differs = !service.is_empty() && service != product;
        let reported = if service.is_empty() { product } else { service };
        let place = batch.place.of_row(row);
        let better = |known: &Candidate| (known.service_differs, known.place) <= (service_differs, place);
        if self.0.get(reported).is_some_and(better) {
            return;
        }
        let name =
            if batch.name_in_map { Name::InMap } else { Name::Known(name_of(batch, row, service_differs)) };
        self.0.insert(reported.to_owned(), Candidate { service_differs, place, name });
    }

    /// Joins what another thread found.
    pub fn absorb(&mut self, other: Self) {
        for (product, candidate) in other.0 {
            match self.0.get(&product) {
                Some(known) if known.rank() <= candidate.rank() => {}
                _ => drop(self.0.insert(product, candidate)),
            }
        }
    }

    /// The names, those in maps read from their files. A product without a readable name has none.
    pub fn resolve<'a>(
        self,
        file: impl Fn(usize) -> Option<(&'a Source, &'a ParquetFile)>,
    ) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        let mut in_maps: BTreeMap<(usize, usize), Vec<Wanted>> = BTreeMap::new();
        for (product, Candidate { service_differs, place, name }) in self.0 {
            match (name, place.row_group) {
                (Name::Known(Some(name)), _) => drop(names.insert(product, name)),
                (Name::InMap, Some(group)) => {
                    in_maps.entry((place.file, group)).or_default().push((
                        place.row,
                        product,
                        service_differs,
                    ));
                }
                _ => {}
            }
        }
        for ((number, group), mut wanted) in in_maps {
            wanted.sort_unstable();
            let read = file(number).and_then(|(source, parquet)| from_map(source, parquet, group, &wanted));
            names.extend(read.unwrap_or_default());
        }
        names
    }
}

impl Candidate {
    fn rank(&self) -> (bool, Place) {
        (self.service_differs, self.place)
    }
}

fn name_of(batch: &Batch, row: usize, service_differs: bool) -> Option<String> {
    let text =
        |codes: &Option<Codes>| codes.as_ref().and_then(|codes| codes.text(row)).map(ToOwned::to_owned);
    let map = text(&batch.product_map)
        .and_then(|json| serde_json::from_str::<BTreeMap<String, String>>(&json).ok());
    let in_map = |key: &str| map.as_ref().and_then(|map| map.get(key)).cloned();
    let service = text(&batch.service_name).or_else(|| in_map(SERVICE_NAME));
    let product = text(&batch.product_name).or_else(|| in_map(PRODUCT_NAME));
    if service_differs { service } else { product.or(service) }.filter(|name| !name.is_empty())
}

/// Names from the `product` map of some rows of a row group, which are in order.
fn from_map(
    source: &Source,
    parquet: &ParquetFile,
    group: usize,
    wanted: &[Wanted],
) -> Option<Vec<(String, String)>> {
    let column = parquet.layout.column(crate::layout::PRODUCT_MAP)?;
    let mut selectors = Vec::new();
    let mut next = 0;
    for &(row, ..) in wanted {
        // Two products can be on one row only if they are one.
        selectors.push(RowSelector::skip(usize::try_from(row.checked_sub(next)?).ok()?));
        selectors.push(RowSelector::select(1));
        next = row + 1;
    }
    let reader = parquet.reader(source, group, [column]).ok()?;
    let reader = reader
        .with_batch_size(wanted.len())
        .with_row_selection(RowSelection::from(selectors))
        .build()
        .ok()?;
    let mut names = Vec::new();
    let mut rows = wanted.iter();
    for batch in reader {
        let batch = batch.ok()?;
        let map = batch.column(0).as_map_opt()?.clone();
        for (entry, (_, product, service_differs)) in (0..map.len()).zip(rows.by_ref()) {
            let value = |key: &str| map_value(&map, entry, key);
            let name = match service_differs {
                true => value(SERVICE_NAME),
                false => value(PRODUCT_NAME).or_else(|| value(SERVICE_NAME)),
            };
            names.extend(name.map(|name| (product.clone(), name)));
        }
    }
    Some(names)
}

fn map_value(map: &MapArray, row: usize, key: &str) -> Option<String> {
    let entries = map.value(row);
    let keys = entries.column(0).as_string_opt::<i32>()?;
    let values = entries.column(1).as_string_opt::<i32>()?;
    let at = (0..keys.len()).find(|&at| keys.is_valid(at) && keys.value(at) == key)?;
    (values.is_valid(at) && !values.value(at).is_empty()).then(|| values.value(at).to_owned())
}
