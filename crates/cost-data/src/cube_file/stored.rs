//! A stored cube, read: its columns over threads, its classes as they stand.
//!
//! A preview reads half a million classes while somebody waits. So columns are decoded side by side, each distinct text of a dictionary
//! is looked up once, and the order of the file is checked instead of made again.

use super::{CubeFileError, LINES, LINES_WITHOUT_NET, ROWS_PER_BATCH, UNBLENDED_RATE, VERSION};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, StringArray};
use billing::abilities::{Abilities, Ability, Feature};
use billing::account::AccountId;
use billing::charge_class::{ChargeClass, Cube, KEY_COLUMNS, KeyColumn, MEASURES, Measure, TextId, Texts};
use billing::money::{Cost, Currency, Quantity};
use billing::period::BillingPeriod;
use billing::reconciliation::ControlTotal;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The bytes of a cube file: what is hashed is what is read.
pub struct StoredCube(Bytes);

impl StoredCube {
    /// Takes the bytes of a file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self(std::fs::read(path)?.into()))
    }

    /// The SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// The cube that [`super::write`] wrote.
    ///
    /// # Errors
    /// [`CubeFileError`].
    pub fn read(&self) -> Result<(Cube, BTreeMap<Currency, ControlTotal>), CubeFileError> {
        let metadata = ArrowReaderMetadata::load(&self.0, ArrowReaderOptions::new())?;
        let heading = Heading::of(&metadata)?;
        let columns = decode(&self.0, &metadata)?;
        let mut texts = Texts::default();
        let keys = columns[..LINES_AT].iter();
        let ids = keys.map(|column| intern(column, &mut texts)).collect::<Result<Vec<_>, _>>()?;
        let classes = classes(&columns, &ids)?;
        let Heading { period, payer, product_names, abilities, control } = heading;
        let cube = Cube::in_order(period, payer, texts, classes, product_names);
        let mut cube =
            cube.ok_or_else(|| CubeFileError::Content("its classes are not in order".to_owned()))?;
        cube.abilities = abilities;
        Ok((cube, control))
    }
}

/// What the file says beside its rows.
struct Heading {
    period: BillingPeriod,
    payer: Option<AccountId>,
    product_names: BTreeMap<String, String>,
    abilities: Abilities,
    control: BTreeMap<Currency, ControlTotal>,
}

impl Heading {
    fn of(metadata: &ArrowReaderMetadata) -> Result<Self, CubeFileError> {
        let entries: BTreeMap<&str, &str> = (metadata.metadata().file_metadata().key_value_metadata())
            .into_iter()
            .flatten()
            .filter_map(|entry| Some((entry.key.as_str(), entry.value.as_deref()?)))
            .collect();
        let content = CubeFileError::Content;
        let entry =
            |name: &str| entries.get(name).copied().ok_or_else(|| content(format!("it has no `{name}`")));
        if entry("proforma.version")? != VERSION {
            return Err(content(format!("its layout has version {}", entry("proforma.version")?)));
        }
        let period =
            BillingPeriod::parse(entry("proforma.period")?).map_err(|error| content(error.to_string()))?;
        let payer = AccountId::parse(entry("proforma.payer")?);
        let json = |error: serde_json::Error| content(error.to_string());
        let product_names = serde_json::from_str(entry("proforma.product_names")?).map_err(json)?;
        let abilities = read_abilities(&serde_json::from_str(entry("proforma.abilities")?).map_err(json)?)?;
        let totals: BTreeMap<String, [String; 2]> =
            serde_json::from_str(entry("proforma.control_totals")?).map_err(json)?;
        let total =
            |text: &str| Cost::parse(text).map_err(|error| content(format!("total `{text}` is {error}")));
        let mut control = BTreeMap::new();
        for (code, [net, unblended]) in totals {
            let currency = Currency::parse(&code).ok_or_else(|| content(format!("currency `{code}`")))?;
            let of_currency = ControlTotal { net_unblended: total(&net)?, unblended: total(&unblended)? };
            control.insert(currency, of_currency);
        }
        Ok(Self { period, payer, product_names, abilities, control })
    }
}

fn read_abilities(texts: &BTreeMap<String, String>) -> Result<Abilities, CubeFileError> {
    let mut abilities = Abilities::ALL_TOLD;
    for (feature, name) in Feature::ALL {
        let ability = match texts.get(name).map(String::as_str) {
            Some("told") => Ability::Told,
            Some("derived") => Ability::Derived,
            Some("absent") => Ability::Absent,
            other => return Err(CubeFileError::Content(format!("`{name}` is {other:?}"))),
        };
        abilities = abilities.with(feature, ability);
    }
    Ok(abilities)
}

/// A column's values in batches of [`ROWS_PER_BATCH`] rows, the last one shorter.
type Column = Vec<ArrayRef>;

/// The places of all columns that are read: keys, the rate, counts, measures, in this order.
const RATE_AT: usize = KEY_COLUMNS;
const LINES_AT: usize = KEY_COLUMNS + 1;
const WITHOUT_NET_AT: usize = KEY_COLUMNS + 2;
const MEASURES_AT: usize = KEY_COLUMNS + 3;

/// Decodes every column; as many at a time as there are processors.
fn decode(file: &Bytes, metadata: &ArrowReaderMetadata) -> Result<Vec<Column>, CubeFileError> {
    let names =
        KeyColumn::ALL.map(KeyColumn::name).into_iter().chain([UNBLENDED_RATE, LINES, LINES_WITHOUT_NET]);
    let names: Vec<&str> = names.chain(Measure::ALL.map(Measure::name)).collect();
    let next = AtomicUsize::new(0);
    // The dearest come last in the file: amounts hardly repeat. Taken first, they leave no thread alone at the end.
    let work = || {
        let mut decoded = Vec::new();
        while let Some(at) = names.len().checked_sub(next.fetch_add(1, Ordering::Relaxed) + 1) {
            decoded.push((at, decode_column(file, metadata, names[at])?));
        }
        Ok::<_, CubeFileError>(decoded)
    };
    let mut columns = vec![Column::new(); names.len()];
    for decoded in on_all_processors(work)? {
        decoded.into_iter().for_each(|(at, column)| columns[at] = column);
    }
    Ok(columns)
}

fn decode_column(file: &Bytes, metadata: &ArrowReaderMetadata, name: &str) -> Result<Column, CubeFileError> {
    let missing = || CubeFileError::Content(format!("it has no column `{name}`"));
    let (place, _) = metadata.schema().fields().find(name).ok_or_else(missing)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
    let mask = ProjectionMask::roots(builder.parquet_schema(), [place]);
    let reader = builder.with_projection(mask).with_batch_size(ROWS_PER_BATCH).build()?;
    reader.map(|batch| Ok(Arc::clone(batch?.column(0)))).collect()
}

/// What every processor makes of the same work, which shares itself out.
fn on_all_processors<T: Send>(
    work: impl Fn() -> Result<T, CubeFileError> + Sync,
) -> Result<Vec<T>, CubeFileError> {
    let threads = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let failed = || CubeFileError::Content("its columns cannot be decoded".to_owned());
        handles.into_iter().map(|handle| handle.join().map_err(|_| failed())?).collect()
    })
}

/// A batch's dictionary as numbers of the cube's texts; batches that share a dictionary share them.
type Ids = Arc<[TextId]>;

/// Looks every distinct text of a key column up, once per dictionary.
fn intern(column: &Column, texts: &mut Texts) -> Result<Vec<Ids>, CubeFileError> {
    let mut known: Option<(StringArray, Ids)> = None;
    let mut of_batches = Vec::with_capacity(column.len());
    for batch in column {
        let codes = batch.as_dictionary_opt::<Int32Type>().ok_or_else(|| wrong_type("text"))?;
        let values = codes.values().as_string_opt::<i32>().ok_or_else(|| wrong_type("text"))?;
        let same = known.as_ref().filter(|(dictionary, _)| {
            dictionary.values().as_ptr() == values.values().as_ptr() && dictionary.len() == values.len()
        });
        let ids = match same {
            Some((_, ids)) => Arc::clone(ids),
            None => values.iter().map(|text| texts.intern(text.unwrap_or_default())).collect(),
        };
        known = Some((values.clone(), Arc::clone(&ids)));
        of_batches.push(ids);
    }
    Ok(of_batches)
}

fn wrong_type(wanted: &str) -> CubeFileError {
    CubeFileError::Content(format!("a column is not of {wanted}"))
}

/// The classes, batch by batch over all processors: what a batch touches stays in the cache until its last column.
fn classes(columns: &[Column], ids: &[Vec<Ids>]) -> Result<Vec<ChargeClass>, CubeFileError> {
    let rows = columns[LINES_AT].iter().map(Array::len).sum();
    let empty = ChargeClass {
        key: [TextId::NULL; KEY_COLUMNS],
        lines: 0,
        lines_without_net: 0,
        unblended_rate: TextId::NULL,
        sums: [Quantity::ZERO; MEASURES],
    };
    let mut classes = vec![empty; rows];
    let batches = Mutex::new(classes.chunks_mut(ROWS_PER_BATCH).enumerate());
    let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
    on_all_processors(|| {
        while let Some((number, classes)) = next() {
            let batch = |at: usize| {
                let array = columns[at].get(number).filter(|array| array.len() == classes.len());
                array.ok_or_else(|| CubeFileError::Content("its columns differ in length".to_owned()))
            };
            let arrays = (0..columns.len()).map(batch).collect::<Result<Vec<_>, _>>()?;
            let ids: Vec<&[TextId]> = ids.iter().map(|of_batches| of_batches[number].as_ref()).collect();
            fill(classes, &arrays, &ids)?;
        }
        Ok(())
    })?;
    Ok(classes)
}

/// How many classes are filled at once: few enough to stay in a processor's own cache.
const ROWS_PER_BLOCK: usize = 512;

fn fill(classes: &mut [ChargeClass], arrays: &[&ArrayRef], ids: &[&[TextId]]) -> Result<(), CubeFileError> {
    let whole = |at: usize| arrays[at].as_primitive_opt::<Int64Type>().ok_or_else(|| wrong_type("counts"));
    let (lines, without_net) = (whole(LINES_AT)?, whole(WITHOUT_NET_AT)?);
    let sums = arrays[MEASURES_AT..]
        .iter()
        .map(|array| array.as_primitive_opt::<Decimal128Type>().ok_or_else(|| wrong_type("sums")));
    let sums = sums.collect::<Result<Vec<_>, _>>()?;
    let codes: Vec<_> = arrays[..LINES_AT].iter().map(|array| array.as_dictionary::<Int32Type>()).collect();
    for (block, classes) in classes.chunks_mut(ROWS_PER_BLOCK).enumerate() {
        let first = block * ROWS_PER_BLOCK;
        for (key, (codes, ids)) in codes.iter().zip(ids).enumerate() {
            if codes.null_count() == codes.len() {
                continue;
            }
            let keys = codes.keys();
            for (class, row) in classes.iter_mut().zip(first..).filter(|(_, row)| keys.is_valid(*row)) {
                let text = ids[usize::try_from(keys.value(row)).unwrap_or(usize::MAX)];
                *if key == RATE_AT { &mut class.unblended_rate } else { &mut class.key[key] } = text;
            }
        }
        for (class, row) in classes.iter_mut().zip(first..) {
            class.lines = u64::try_from(lines.value(row)).unwrap_or(0);
            class.lines_without_net = u64::try_from(without_net.value(row)).unwrap_or(0);
            for (sum, values) in class.sums.iter_mut().zip(&sums) {
                *sum = Quantity::from_units(values.value(row))
                    .map_err(|error| CubeFileError::Content(format!("a sum is {error}")))?;
            }
        }
    }
    Ok(())
}
