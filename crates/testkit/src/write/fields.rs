//! Which columns a form has and what they are called there.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::{Cell, FieldKind};
use super::focus::{self, FocusForm, In};
use super::{Form, WriteOptions};
use crate::line::{COLUMNS, Column, Kind, Line, Value};

/// One written column.
pub(super) struct Field {
    /// The name in the header.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    source: Source,
}

enum Source {
    Column(&'static Column),
    ProductName,
    ProductMap,
    ProductKey(String),
    TagMap,
    TagKey(String),
    CategoryMap,
    CategoryKey(String),
    Focus(fn(&Line) -> Cell<'_>),
}

impl Field {
    /// Reads the column off a line.
    pub fn cell<'a>(&self, line: &'a Line) -> Cell<'a> {
        match &self.source {
            Source::Column(column) => match (column.value)(line) {
                Value::Text(text) => Cell::Text(text),
                Value::Number(number) => Cell::Number(number),
            },
            Source::Focus(value) => value(line),
            Source::ProductName => Cell::Text(line.product_name.as_deref()),
            Source::ProductKey(key) => Cell::Text(line.product.get(key).map(String::as_str)),
            Source::TagKey(key) => Cell::Text(line.resource_tags.get(key).map(String::as_str)),
            Source::TagMap => Cell::Map(borrowed(&line.resource_tags)),
            Source::CategoryKey(key) => Cell::Text(line.cost_category.get(key).map(String::as_str)),
            Source::CategoryMap => Cell::Map(borrowed(&line.cost_category)),
            Source::ProductMap => {
                let mut map = borrowed(&line.product);
                map.extend(line.product_name.as_deref().map(|name| ("product_name", name)));
                Cell::Map(map)
            }
        }
    }
}

fn borrowed(map: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    map.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// Returns the columns of the form for these lines.
pub(super) fn fields_of(lines: &[Line], options: &WriteOptions) -> Vec<Field> {
    if let Form::Focus(form) = options.form {
        return focus_fields(form, options);
    }
    let mut fields: Vec<Field> = COLUMNS
        .iter()
        .filter(|column| is_written(column, lines, options))
        .map(|column| Field {
            name: header(column, options.form),
            kind: kind_of(column),
            source: Source::Column(column),
        })
        .collect();
    let leaves_out = |name: &str| options.leave_out.iter().any(|left_out| left_out == name);
    if !leaves_out("product") {
        fields.extend(product_fields(lines, options.form));
    }
    if !leaves_out("resource_tags") {
        fields.extend(tag_fields(lines, options.form));
    }
    fields.extend(category_fields(lines, options.form));
    fields
}

fn focus_fields(form: FocusForm, options: &WriteOptions) -> Vec<Field> {
    let is_there = |name: &str, place: In| {
        let of_version = place == In::Both || place == In::Only(form.version);
        of_version && !options.leave_out.iter().any(|left_out| left_out == name)
    };
    let columns = focus::COLUMNS.iter().filter(|(name, _, place, _)| is_there(name, *place));
    let field = |(name, kind, _, value): &focus::FocusColumn| Field {
        name: if form.lower_case { name.to_lowercase() } else { (*name).to_owned() },
        kind: *kind,
        source: Source::Focus(*value),
    };
    columns.map(field).collect()
}

/// Columns that say what a commitment is, which only some lines of some tests fill.
const TERMS: [&str; 12] = [
    "reservation_availability_zone",
    "reservation_end_time",
    "reservation_normalized_units_per_reservation",
    "reservation_number_of_reservations",
    "reservation_start_time",
    "reservation_total_reserved_normalized_units",
    "reservation_total_reserved_units",
    "reservation_units_per_reservation",
    "savings_plan_end_time",
    "savings_plan_instance_type_family",
    "savings_plan_region",
    "savings_plan_start_time",
];

/// Legacy reports gain net and split columns only when something fills them; CUR 2.0 has the net columns always and
/// the split columns by choice of the export. The terms of commitments are there when something fills them.
fn is_written(column: &Column, lines: &[Line], options: &WriteOptions) -> bool {
    if options.leave_out.iter().any(|name| name == column.name) {
        return false;
    }
    let legacy = options.form.is_legacy();
    let optional = column.name.starts_with("split_")
        || (legacy && column.name.starts_with("line_item_net_"))
        || TERMS.contains(&column.name);
    let is_filled = |line| !matches!((column.value)(line), Value::Text(None) | Value::Number(None));
    (!legacy || !column.legacy_name.is_empty()) && (!optional || lines.iter().any(is_filled))
}

fn header(column: &Column, form: Form) -> String {
    if let Form::LegacyCsv(_) = form { column.legacy_name.to_owned() } else { column.name.to_owned() }
}

fn kind_of(column: &Column) -> FieldKind {
    match column.kind {
        Kind::Text => FieldKind::Text,
        Kind::Time => FieldKind::Time,
        Kind::Number => FieldKind::Number,
    }
}

fn product_fields(lines: &[Line], form: Form) -> Vec<Field> {
    if !form.is_legacy() {
        return vec![Field { name: "product".to_owned(), kind: FieldKind::Map, source: Source::ProductMap }];
    }
    let csv = form != Form::LegacyParquet;
    let name = if csv { "product/ProductName" } else { "product_product_name" };
    let mut fields =
        vec![Field { name: name.to_owned(), kind: FieldKind::Text, source: Source::ProductName }];
    let keys: BTreeSet<&String> = lines.iter().flat_map(|line| line.product.keys()).collect();
    fields.extend(keys.into_iter().map(|key| {
        let name = if csv { format!("product/{}", camel_case(key)) } else { format!("product_{key}") };
        Field { name, kind: FieldKind::Text, source: Source::ProductKey(key.clone()) }
    }));
    fields
}

fn tag_fields(lines: &[Line], form: Form) -> Vec<Field> {
    if !form.is_legacy() {
        return vec![Field {
            name: "resource_tags".to_owned(),
            kind: FieldKind::Map,
            source: Source::TagMap,
        }];
    }
    let keys: BTreeSet<&String> = lines.iter().flat_map(|line| line.resource_tags.keys()).collect();
    let field = |key: &String| {
        let name = if form == Form::LegacyParquet { format!("resource_tags_{key}") } else { legacy_tag(key) };
        Field { name, kind: FieldKind::Text, source: Source::TagKey(key.clone()) }
    };
    keys.into_iter().map(field).collect()
}

fn category_fields(lines: &[Line], form: Form) -> Vec<Field> {
    let names: BTreeSet<&String> = lines.iter().flat_map(|line| line.cost_category.keys()).collect();
    let field = |name: &String| {
        let own = if form == Form::LegacyParquet { "cost_category_" } else { "costCategory/" };
        let name_of_field = if form == Form::LegacyParquet { name.to_lowercase() } else { name.clone() };
        let name_of_field = format!("{own}{name_of_field}");
        Field { name: name_of_field, kind: FieldKind::Text, source: Source::CategoryKey(name.clone()) }
    };
    if !names.is_empty() && !form.is_legacy() {
        let (kind, source) = (FieldKind::Map, Source::CategoryMap);
        return vec![Field { name: "cost_category".to_owned(), kind, source }];
    }
    names.into_iter().map(field).collect()
}

fn legacy_tag(key: &str) -> String {
    match (key.strip_prefix("user_"), key.strip_prefix("aws_")) {
        (Some(name), _) => format!("resourceTags/user:{name}"),
        (None, Some(name)) => format!("resourceTags/aws:{}", camel_case(name)),
        (None, None) => format!("resourceTags/{key}"),
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut joined, word| {
        let mut letters = word.chars();
        joined.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        joined.extend(letters);
        joined
    })
}
