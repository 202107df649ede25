//! The tables that exports may be of.

use super::{PAGE, invalid};
use crate::call::{Call, json};
use back_office::error::Answer;
use export_query::{Property, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTables {
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    name: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    valid_values: &'static [&'static str],
    #[serde(skip_serializing_if = "str::is_empty")]
    default_value: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TableRow {
    table_name: &'static str,
    description: &'static str,
    table_properties: Vec<Described>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tables {
    tables: Vec<TableRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListTables`
pub(super) fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListTables = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let described = |property: &Property| Described {
        name: property.name,
        valid_values: property.values,
        default_value: property.default,
        description: property.description,
    };
    let row = |table: Table| TableRow {
        table_name: table.name(),
        description: table.description(),
        table_properties: table.properties().iter().map(described).collect(),
    };
    let rows = Table::ALL.into_iter().filter(|table| table.name() > page.after.as_str());
    let (tables, next_token) = call.cut(&page, rows.map(|table| (table.name(), row(table))))?;
    json(&Tables { tables, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetTable {
    table_name: String,
    #[serde(default)]
    table_properties: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Column {
    name: &'static str,
    #[serde(rename = "Type")]
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shape {
    table_name: &'static str,
    description: &'static str,
    table_properties: BTreeMap<String, String>,
    schema: Vec<Column>,
}

/// `GetTable`
pub(super) fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let GetTable { table_name, table_properties } = call.read()?;
    let table = Table::parse(&table_name).ok_or_else(|| {
        let known = Table::ALL.map(Table::name).join(" and ");
        invalid("TableName", &format!("there is no table `{table_name}`; there are {known}"))
    })?;
    table.check(&table_properties).map_err(|problem| invalid("TableProperties", &problem))?;
    let columns = table.columns(&table_properties);
    let schema = columns.map(|(name, kind)| Column { name, kind: kind.name() }).collect();
    json(&Shape { table_name: table.name(), description: table.description(), table_properties, schema })
}
