//! A stored cube, read: its row groups over threads, its classes as they stand.
//!
//! A preview reads half a million classes while somebody waits. So row groups are decoded side by side, straight into their classes; columns that
//! have nothing in a row group are not decoded; each distinct text of a dictionary is looked up once; and the order of the file is checked
//! instead of made again. Numbers of texts differ from reading to reading, as threads meet them: nothing is ordered by them.

use super::{
    CubeFileError, EARLIER_VERSION, LATER_FEATURES, LINES, LINES_WITHOUT_NET, UNBLENDED_RATE, VERSION,
    measures,
};
use crate::dimensions::{self, Dimensions};
use crate::side_file;
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
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ColumnChunkMetaData;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
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
        let metadata = side_file::metadata(&self.0)?;
        let heading = Heading::of(&metadata)?;
        let mut texts = Texts::default();
        let classes = classes(&self.0, &metadata, &measures(heading.is_earlier), &mut texts)?;
        let Heading { is_earlier, period, payer, product_names, abilities, dimensions, control } = heading;
        let cube = Cube::in_order(period, payer, texts, classes, product_names);
        let mut cube =
            cube.ok_or_else(|| CubeFileError::Content("its classes are not in order".to_owned()))?;
        cube.abilities = abilities;
        cube.is_of_earlier_layout = is_earlier;
        dimensions::put_into(&mut cube, (&dimensions).into()).map_err(CubeFileError::Content)?;
        Ok((cube, control))
    }
}

/// What the file says beside its rows.
struct Heading {
    /// Whether it has [`EARLIER_VERSION`].
    is_earlier: bool,
    period: BillingPeriod,
    payer: Option<AccountId>,
    product_names: BTreeMap<String, String>,
    abilities: Abilities,
    dimensions: Dimensions,
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
        let is_earlier = match entry("proforma.version")? {
            VERSION => false,
            EARLIER_VERSION => true,
            other => return Err(content(format!("its layout has version {other}"))),
        };
        let period =
            BillingPeriod::parse(entry("proforma.period")?).map_err(|error| content(error.to_string()))?;
        let payer = AccountId::parse(entry("proforma.payer")?);
        let json = |error: serde_json::Error| content(error.to_string());
        let product_names = serde_json::from_str(entry("proforma.product_names")?).map_err(json)?;
        let abilities = serde_json::from_str(entry("proforma.abilities")?).map_err(json)?;
        let abilities = read_abilities(&abilities, is_earlier)?;
        let dimensions = serde_json::from_str(entry("proforma.dimensions")?).map_err(json)?;
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
        Ok(Self { is_earlier, period, payer, product_names, abilities, dimensions, control })
    }
}

fn read_abilities(texts: &BTreeMap<String, String>, is_earlier: bool) -> Result<Abilities, CubeFileError> {
    let mut abilities = Abilities::ALL_TOLD;
    for (feature, name) in Feature::ALL {
        let ability = match texts.get(name).map(String::as_str) {
            Some("told") => Ability::Told,
            Some("derived") => Ability::Derived,
            Some("absent") => Ability::Absent,
            None if is_earlier && LATER_FEATURES.contains(&feature) => Ability::Absent,
            other => return Err(CubeFileError::Content(format!("`{name}` is {other:?}"))),
        };
        abilities = abilities.with(feature, ability);
    }
    Ok(abilities)
}

/// The places of all columns that are read: keys, the rate, the two counts, measures, in this order.
const RATE_AT: usize = KEY_COLUMNS;
const LINES_AT: usize = KEY_COLUMNS + 1;
const MEASURES_AT: usize = KEY_COLUMNS + 3;
/// How many of them are texts.
const TEXTS: usize = KEY_COLUMNS + 1;

/// How many classes are decoded at a time: few enough to stay in a processor's own cache until their last column.
const ROWS_PER_BLOCK: usize = 2_048;
/// No class takes less of a file: its id alone has sixteen bytes that nothing compresses.
const BYTES_PER_CLASS_MIN: usize = 8;

/// Reads every row group; as many at a time as there are processors.
fn classes(
    file: &Bytes,
    metadata: &ArrowReaderMetadata,
    measures: &[Measure],
    texts: &mut Texts,
) -> Result<Vec<ChargeClass>, CubeFileError> {
    let groups = metadata.metadata().row_groups();
    let lengths = groups.iter().map(|group| usize::try_from(group.num_rows()).unwrap_or(usize::MAX));
    let rows = lengths.clone().fold(0, usize::saturating_add);
    if rows > file.len() / BYTES_PER_CLASS_MIN {
        return Err(CubeFileError::Content(format!("it cannot hold {rows} classes")));
    }
    let empty = ChargeClass {
        key: [TextId::NULL; KEY_COLUMNS],
        lines: 0,
        lines_without_net: 0,
        unblended_rate: TextId::NULL,
        sums: [Quantity::ZERO; MEASURES],
    };
    let mut classes = vec![empty; rows];
    let mut rest = classes.as_mut_slice();
    let mut tasks = Vec::with_capacity(groups.len());
    for (group, length) in lengths.enumerate() {
        let (first, others) = std::mem::take(&mut rest).split_at_mut(length);
        tasks.push((group, first));
        rest = others;
    }
    let (tasks, texts) = (Mutex::new(tasks.into_iter()), Mutex::new(texts));
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    on_all_processors(|| {
        while let Some((group, classes)) = next() {
            RowGroup::open(file, metadata, measures, group)?.read(classes, &texts)?;
        }
        Ok(())
    })?;
    Ok(classes)
}

/// Does the same work on every processor; the work shares itself out.
fn on_all_processors(work: impl Fn() -> Result<(), CubeFileError> + Sync) -> Result<(), CubeFileError> {
    let threads = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let failed = || CubeFileError::Content("its columns cannot be decoded".to_owned());
        handles.into_iter().try_for_each(|handle| handle.join().map_err(|_| failed())?)
    })
}

/// A dictionary of a column of texts, and its texts as numbers of the cube's.
type Known = (StringArray, Vec<TextId>);

/// A row group that is being read.
struct RowGroup {
    blocks: ParquetRecordBatchReader,
    /// The places of the columns that are read, in the order of the file.
    places: Vec<usize>,
    /// The dictionaries of columns of texts, which the blocks of a row group share.
    known: Vec<Option<Known>>,
}

impl RowGroup {
    fn open(
        file: &Bytes,
        metadata: &ArrowReaderMetadata,
        measures: &[Measure],
        group: usize,
    ) -> Result<Self, CubeFileError> {
        let names = KeyColumn::ALL.map(KeyColumn::name).into_iter().chain([UNBLENDED_RATE]);
        let names = names.chain([LINES, LINES_WITHOUT_NET]);
        let mut columns = Vec::new();
        let names = (0..).zip(names).chain(measures.iter().map(|of| (MEASURES_AT + *of as usize, of.name())));
        for (place, name) in names {
            let missing = || CubeFileError::Content(format!("it has no column `{name}`"));
            let (root, _) = metadata.schema().fields().find(name).ok_or_else(missing)?;
            // No column is nested, so that every one is a chunk of its own.
            if !is_empty(metadata.metadata().row_group(group).column(root), place) {
                columns.push((root, place));
            }
        }
        columns.sort_unstable();
        let (roots, places): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let builder = builder.with_row_groups(vec![group]).with_batch_size(ROWS_PER_BLOCK);
        let known = vec![None; TEXTS];
        Ok(Self { blocks: builder.with_projection(mask).build()?, places, known })
    }

    fn read(
        mut self,
        mut classes: &mut [ChargeClass],
        texts: &Mutex<&mut Texts>,
    ) -> Result<(), CubeFileError> {
        let lengths = || CubeFileError::Content("its columns differ in length".to_owned());
        while let Some(block) = self.blocks.next().transpose()? {
            let (now, later) = classes.split_at_mut_checked(block.num_rows()).ok_or_else(lengths)?;
            for (place, column) in self.places.iter().zip(block.columns()) {
                match *place {
                    text if text < TEXTS => fill_text(now, text, column, &mut self.known[text], texts)?,
                    count if count < MEASURES_AT => fill_count(now, count, column)?,
                    measure => fill_sum(now, measure - MEASURES_AT, column)?,
                }
            }
            classes = later;
        }
        if classes.is_empty() { Ok(()) } else { Err(lengths()) }
    }
}

/// Whether a column of a row group has only what a class has before it is read: texts that are all null, numbers that are all 0.
///
/// The statistics can be believed: they are a part of what is hashed, and written by this program.
fn is_empty(column: &ColumnChunkMetaData, place: usize) -> bool {
    let Some(statistics) = column.statistics() else { return false };
    if place < TEXTS {
        let nulls = statistics.null_count_opt().and_then(|nulls| i64::try_from(nulls).ok());
        return nulls == Some(column.num_values());
    }
    let zero = |bytes: Option<&[u8]>| bytes.is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
    let exact = statistics.min_is_exact() && statistics.max_is_exact();
    exact && zero(statistics.min_bytes_opt()) && zero(statistics.max_bytes_opt())
}

fn wrong_type(wanted: &str) -> CubeFileError {
    CubeFileError::Content(format!("a column is not of {wanted}"))
}

/// Looks every distinct text up once, when its dictionary is new.
fn fill_text(
    classes: &mut [ChargeClass],
    place: usize,
    column: &ArrayRef,
    known: &mut Option<Known>,
    texts: &Mutex<&mut Texts>,
) -> Result<(), CubeFileError> {
    let codes = column.as_dictionary_opt::<Int32Type>().ok_or_else(|| wrong_type("text"))?;
    let values = codes.values().as_string_opt::<i32>().ok_or_else(|| wrong_type("text"))?;
    let same = |known: &&Known| {
        known.0.values().as_ptr() == values.values().as_ptr() && known.0.len() == values.len()
    };
    if known.as_ref().filter(same).is_none() {
        let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = values.iter().map(|text| texts.intern(text.unwrap_or_default())).collect();
        *known = Some((values.clone(), ids));
    }
    let ids = known.as_ref().map_or(&[][..], |(_, ids)| ids);
    let keys = codes.keys();
    for (row, class) in classes.iter_mut().enumerate().filter(|(row, _)| keys.is_valid(*row)) {
        let id = usize::try_from(keys.value(row)).ok().and_then(|code| ids.get(code));
        let filled = if place == RATE_AT { &mut class.unblended_rate } else { &mut class.key[place] };
        *filled = *id.ok_or_else(|| wrong_type("text"))?;
    }
    Ok(())
}

fn fill_count(classes: &mut [ChargeClass], place: usize, column: &ArrayRef) -> Result<(), CubeFileError> {
    let counts = column.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong_type("counts"))?;
    for (class, count) in classes.iter_mut().zip(counts.values()) {
        let filled = if place == LINES_AT { &mut class.lines } else { &mut class.lines_without_net };
        *filled = u64::try_from(*count).unwrap_or(0);
    }
    Ok(())
}

fn fill_sum(classes: &mut [ChargeClass], measure: usize, column: &ArrayRef) -> Result<(), CubeFileError> {
    let sums = column.as_primitive_opt::<Decimal128Type>().ok_or_else(|| wrong_type("sums"))?;
    for (class, sum) in classes.iter_mut().zip(sums.values()) {
        class.sums[measure] = Quantity::from_units(*sum)
            .map_err(|error| CubeFileError::Content(format!("a sum is {error}")))?;
    }
    Ok(())
}
