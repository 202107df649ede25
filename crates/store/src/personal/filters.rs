//! Filters: which of their values follow names that are replaced, and which of them hold.

use crate::error::StoreError;
use crate::sql;
use billing::account::AccountId;
use serde_json::Value;
use sqlx::AnyConnection;
use std::collections::BTreeSet;

/// Which rows of a table still decide something, as SQL says it; `None` where all of them do: earlier versions of a cost category hold for past months.
pub(super) fn in_force(table: &str) -> Option<&'static str> {
    match table {
        "desk_settings" => Some(
            "revision = (SELECT MAX(later.revision) FROM desk_settings AS later WHERE later.payer = desk_settings.payer AND later.kind = desk_settings.kind AND later.id = desk_settings.id)",
        ),
        "billing_views" => Some(
            "is_deleted = 0 AND version = (SELECT MAX(later.version) FROM billing_views AS later WHERE later.payer = billing_views.payer AND later.id = billing_views.id)",
        ),
        _ => None,
    }
}

/// What filters by cost categories may say of what is replaced: names of cost categories that are defined here, values that their rules say, and names of accounts where values
/// are inherited of these. Whatever else is a value is in cost files.
///
/// # Errors
/// [`StoreError`] of the database.
pub(super) async fn said_by_rules(
    connection: &mut AnyConnection,
    payer: &AccountId,
) -> Result<BTreeSet<String>, StoreError> {
    let mut said = BTreeSet::new();
    for row in two_texts(connection, payer, "SELECT name, body FROM cost_categories WHERE payer = $1").await?
    {
        let [name, body] = row;
        // What cannot be read is named when it is replaced.
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let rules = body["Rules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_rules = rules.iter().map(|rule| &rule["Value"]).chain([&body["DefaultValue"]]);
        let mut values: Vec<String> = of_rules.filter_map(Value::as_str).map(str::to_owned).collect();
        if rules.iter().any(|rule| rule["InheritedValue"]["DimensionName"] == "LINKED_ACCOUNT_NAME") {
            values.extend(names_of_accounts(connection, payer).await?);
        }
        // Filters of budgets have both in one.
        said.extend(values.iter().map(|value| format!("{name}${value}")));
        said.extend(values);
        said.insert(name);
    }
    Ok(said)
}

/// Every name that an account has, or had.
async fn names_of_accounts(
    connection: &mut AnyConnection,
    payer: &AccountId,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT id, body FROM settings WHERE payer = $1 AND kind = 'family_account'";
    let rows = two_texts(connection, payer, sql).await?;
    let name = |[_, body]: [String; 2]| {
        let body: Value = serde_json::from_str(&body).ok()?;
        body["name"].as_str().map(str::to_owned)
    };
    Ok(rows.into_iter().filter_map(name).collect())
}

async fn two_texts(
    connection: &mut AnyConnection,
    payer: &AccountId,
    sql: &'static str,
) -> Result<Vec<[String; 2]>, StoreError> {
    let rows = sqlx::query(sql).bind(payer.as_str().to_owned()).fetch_all(connection).await?;
    rows.iter().map(|row| Ok([sql::column(row, 0)?, sql::column(row, 1)?])).collect()
}
