//! The cost cube as a Parquet file: what pricing needs of a month, kept without the cost files.
//!
//! One row per class, in cube order: the class id, the key columns as text, the unblended rate, the line counts, the measures as
//! `DECIMAL(38, 10)`. The month, the payer, product names, control totals and the dimensions that lines were told apart by are key-value
//! metadata. Same cube, same bytes.

mod stored;

pub use stored::StoredCube;

use crate::dimensions::Dimensions;
use arrow_array::builder::{Decimal128Builder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use billing::abilities::{Abilities, Ability, Feature};
use billing::charge_class::{ChargeClass, ClassId, Cube, KeyColumn, Measure};
use billing::money::Currency;
use billing::reconciliation::ControlTotal;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The version of the file's layout. The one before is read, too; any other is refused.
const VERSION: &str = "4";
/// The version without blended and net amortized cost.
const EARLIER_VERSION: &str = "3";
/// What it does not have.
const LATER_MEASURES: [Measure; 2] = [Measure::Blended, Measure::NetAmortized];
/// What cost files can say of them.
const LATER_FEATURES: [Feature; 3] =
    [Feature::BlendedCost, Feature::NetReservations, Feature::NetSavingsPlans];
/// A row group is what one thread reads at a time.
const ROWS_PER_GROUP: usize = 65_536;
const LINES: &str = "lines";
const LINES_WITHOUT_NET: &str = "lines_without_net";
const CLASS_ID: &str = "class_id";
const UNBLENDED_RATE: &str = "line_item_unblended_rate";

/// A cube file that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CubeFileError {
    /// The file system says no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Parquet says no.
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Arrow says no.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
    /// Two classes cannot be told apart by their ids.
    #[error("two charge classes have the id {0}")]
    Collision(ClassId),
    /// Not a cube file of this version.
    #[error("not a cost cube of this version: {0}")]
    Content(String),
}

/// Writes a cube, and waits until it is on the disk.
///
/// # Errors
/// [`CubeFileError`].
pub fn write(
    path: &Path,
    cube: &Cube,
    control: &BTreeMap<Currency, ControlTotal>,
) -> Result<(), CubeFileError> {
    let ids = cube.class_ids().map_err(CubeFileError::Collision)?;
    let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut fields = vec![Field::new(CLASS_ID, DataType::Utf8, false)];
    fields.extend(KeyColumn::ALL.map(|column| Field::new(column.name(), text.clone(), true)));
    fields.push(Field::new(UNBLENDED_RATE, text, true));
    fields.extend([LINES, LINES_WITHOUT_NET].map(|name| Field::new(name, DataType::Int64, false)));
    let sums = measures(cube.is_of_earlier_layout).into_iter();
    fields.extend(sums.map(|of| Field::new(of.name(), DataType::Decimal128(38, 10), false)));
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_key_value_metadata(Some(metadata(cube, control)))
        .build();
    let file = File::create(path)?;
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
    for (classes, ids) in cube.classes.chunks(ROWS_PER_GROUP).zip(ids.chunks(ROWS_PER_GROUP)) {
        writer.write(&record(cube, classes, ids, &schema)?)?;
    }
    writer.into_inner()?.sync_all()?;
    Ok(())
}

/// The measures that a layout has.
fn measures(is_earlier: bool) -> Vec<Measure> {
    let has = |measure: &Measure| !is_earlier || !LATER_MEASURES.contains(measure);
    Measure::ALL.into_iter().filter(has).collect()
}

fn metadata(cube: &Cube, control: &BTreeMap<Currency, ControlTotal>) -> Vec<KeyValue> {
    let totals: BTreeMap<&str, [String; 2]> = (control.iter())
        .map(|(currency, total)| {
            (currency.as_str(), [total.net_unblended, total.unblended].map(|t| t.to_string()))
        })
        .collect();
    // Maps of text to text always have a JSON form.
    let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
    let entries = [
        ("proforma.version", if cube.is_of_earlier_layout { EARLIER_VERSION } else { VERSION }.to_owned()),
        ("proforma.period", cube.period.to_string()),
        ("proforma.payer", cube.payer.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("proforma.product_names", json(serde_json::to_string(&cube.product_names))),
        ("proforma.control_totals", json(serde_json::to_string(&totals))),
        ("proforma.abilities", json(serde_json::to_string(&abilities_text(cube.abilities)))),
        ("proforma.dimensions", json(serde_json::to_string(&Dimensions::from(&cube.dimensions)))),
    ];
    entries.map(|(key, value)| KeyValue::new(key.to_owned(), value)).into()
}

/// What the cost files can say, by feature.
fn abilities_text(abilities: Abilities) -> BTreeMap<String, String> {
    let text = |ability| match ability {
        Ability::Told => "told",
        Ability::Derived => "derived",
        Ability::Absent => "absent",
    };
    Feature::ALL
        .iter()
        .map(|(feature, name)| ((*name).to_owned(), text(abilities.of(*feature)).to_owned()))
        .collect()
}

fn record(
    cube: &Cube,
    classes: &[ChargeClass],
    ids: &[ClassId],
    schema: &Arc<Schema>,
) -> Result<RecordBatch, CubeFileError> {
    let ids = StringArray::from_iter_values(ids.iter().map(ToString::to_string));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
    for column in KeyColumn::ALL {
        let mut builder = StringDictionaryBuilder::<Int32Type>::new();
        classes.iter().for_each(|class| builder.append_option(cube.value(class, column)));
        columns.push(Arc::new(builder.finish()));
    }
    let mut rates = StringDictionaryBuilder::<Int32Type>::new();
    classes.iter().for_each(|class| rates.append_option(cube.texts.get(class.unblended_rate)));
    columns.push(Arc::new(rates.finish()));
    let counts = |count: fn(&ChargeClass) -> u64| {
        Int64Array::from_iter_values(
            classes.iter().map(|class| i64::try_from(count(class)).unwrap_or(i64::MAX)),
        )
    };
    columns.push(Arc::new(counts(|class| class.lines)));
    columns.push(Arc::new(counts(|class| class.lines_without_net)));
    for measure in measures(cube.is_of_earlier_layout) {
        let mut builder = Decimal128Builder::with_capacity(classes.len()).with_precision_and_scale(38, 10)?;
        classes.iter().for_each(|class| builder.append_value(class.sum(measure).units()));
        columns.push(Arc::new(builder.finish()));
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

#[cfg(test)]
mod tests {
    //! A cube survives its file, and one cube has one file.

    use super::*;
    use billing::account::AccountId;
    use billing::charge_class::{KEY_COLUMNS, MEASURES, TextId, Texts};
    use billing::money::{Cost, Quantity};
    use billing::period::BillingPeriod;

    #[test]
    fn a_cube_comes_back_as_it_was() {
        let mut texts = Texts::default();
        let classes = (0..3_i128).map(|i| {
            let mut key = [TextId::NULL; KEY_COLUMNS];
            key[KeyColumn::UsageAccount as usize] = texts.intern(&format!("{i:012}"));
            key[KeyColumn::Operation as usize] = if i == 1 { texts.intern("") } else { TextId::NULL };
            key[KeyColumn::PricingTerm as usize] = texts.intern("");
            let mut sums = [Quantity::from_units(i * 10_i128.pow(24) - 7).unwrap(); MEASURES];
            sums[Measure::NormalizedUsage as usize] = Quantity::ZERO;
            let unblended_rate = texts.intern(&format!("0.0{i}"));
            ChargeClass { key, lines: 5, lines_without_net: 2, unblended_rate, sums }
        });
        let classes = classes.collect();
        let period = BillingPeriod::new(2026, 10).unwrap();
        let names = BTreeMap::from([("AmazonEC2".to_owned(), "Amazon Elastic Compute Cloud".to_owned())]);
        let mut cube = Cube::new(period, AccountId::parse("999999999999"), texts, classes, names);
        cube.abilities = cube.abilities.with(Feature::UsageType, Ability::Derived);
        cube.dimensions.tags.insert("user_team".to_owned());
        cube.dimensions.resources.insert("i-1".to_owned());
        let control = BTreeMap::from([(
            Currency::parse("USD").unwrap(),
            ControlTotal {
                net_unblended: Cost::parse("1.5").unwrap(),
                unblended: Cost::parse("-2").unwrap(),
            },
        )]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cube.parquet");
        write(&path, &cube, &control).unwrap();
        let stored = StoredCube::open(&path).unwrap();
        let (again, control_again) = stored.read().unwrap();
        assert_eq!(control, control_again);
        assert_eq!(
            (again.period, &again.payer, &again.product_names, again.abilities, &again.dimensions),
            (cube.period, &cube.payer, &cube.product_names, cube.abilities, &cube.dimensions)
        );
        for (a, b) in cube.classes.iter().zip(&again.classes) {
            assert_eq!(
                (cube.class_id(a), a.lines, a.lines_without_net, cube.text(a.unblended_rate), a.sums),
                (again.class_id(b), b.lines, b.lines_without_net, again.text(b.unblended_rate), b.sums)
            );
        }
        let twin = folder.path().join("twin.parquet");
        write(&twin, &again, &control).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), std::fs::read(twin).unwrap());
    }

    #[test]
    fn a_cube_of_the_layout_before_lacks_what_came_later() {
        let mut texts = Texts::default();
        let mut key = [TextId::NULL; KEY_COLUMNS];
        key[KeyColumn::UsageAccount as usize] = texts.intern("111111111111");
        let sums = [Quantity::ONE; MEASURES];
        let class = ChargeClass { key, lines: 1, lines_without_net: 0, unblended_rate: TextId::NULL, sums };
        let period = BillingPeriod::new(2026, 10).unwrap();
        let mut cube = Cube::new(period, None, texts, vec![class], BTreeMap::new());
        cube.is_of_earlier_layout = true;
        for feature in LATER_FEATURES {
            cube.abilities = cube.abilities.with(feature, Ability::Absent);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cube.parquet");
        write(&path, &cube, &BTreeMap::new()).unwrap();
        let (again, _) = StoredCube::open(&path).unwrap().read().unwrap();
        assert!(again.is_of_earlier_layout);
        assert_eq!(again.abilities, cube.abilities);
        for measure in Measure::ALL {
            let expected = if LATER_MEASURES.contains(&measure) { Quantity::ZERO } else { Quantity::ONE };
            assert_eq!(again.classes[0].sum(measure), expected, "{}", measure.name());
        }
        let twin = folder.path().join("twin.parquet");
        write(&twin, &again, &BTreeMap::new()).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), std::fs::read(twin).unwrap(), "it stays of its layout");
    }

    #[test]
    fn a_cube_of_many_row_groups_comes_back_in_order() {
        let mut texts = Texts::default();
        let classes = (0..ROWS_PER_GROUP + 3).map(|i| {
            let mut key = [TextId::NULL; KEY_COLUMNS];
            key[KeyColumn::UsageAccount as usize] = texts.intern(&format!("{i:012}"));
            // One row group alone has this text and this sum.
            let last = i > ROWS_PER_GROUP;
            key[KeyColumn::Sku as usize] = if last { texts.intern("SKU") } else { TextId::NULL };
            let sums = [Quantity::from_units(i128::from(last)).unwrap(); MEASURES];
            ChargeClass { key, lines: 1, lines_without_net: 0, unblended_rate: TextId::NULL, sums }
        });
        let classes = classes.collect();
        let period = BillingPeriod::new(2026, 10).unwrap();
        let cube = Cube::new(period, None, texts, classes, BTreeMap::new());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cube.parquet");
        write(&path, &cube, &BTreeMap::new()).unwrap();
        let (again, _) = StoredCube::open(&path).unwrap().read().unwrap();
        let content = |cube: &Cube| {
            let of_class = |class: &ChargeClass| (cube.class_id(class), class.lines, class.sums);
            cube.classes.iter().map(of_class).collect::<Vec<_>>()
        };
        assert!(content(&cube) == content(&again));
    }
}
