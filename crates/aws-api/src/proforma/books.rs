//! The book: the configuration as one file, and a file as the configuration.

use super::OfPeriod;
use crate::call::{Call, json};
use back_office::book::{Plan, SentBook};
use back_office::desk::WriteRequest;
use back_office::error::{Answer, Error};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    book: String,
    files: BTreeMap<String, String>,
}

pub(super) async fn export(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfPeriod = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let (book, files) = call.desk.export_book(&call.caller.payer, Some(period)).await?;
    json(&Exported { book, files })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BookIn {
    book: String,
    name: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    billing_period: Option<String>,
    only_first: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    table: &'static str,
    created: Vec<String>,
    changed: Vec<String>,
    ended: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Effect {
    billing_group: String,
    currency: String,
    before: String,
    after: String,
    difference: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BookPlan {
    billing_period: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    changes: Vec<Change>,
    other_changes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<Vec<Effect>>,
    warnings: Vec<String>,
}

pub(super) async fn plan(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: BookIn = call.read()?;
    let (book, request) = sent(call, &input)?;
    let plan = call.desk.plan_book(&request, &book).await?;
    shown(plan)
}

pub(super) async fn apply(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: BookIn = call.read()?;
    let (book, request) = sent(call, &input)?;
    let plan = call.desk.apply_book(&request, &book, input.only_first.unwrap_or(false)).await?;
    shown(plan)
}

fn sent<'a>(call: &'a Call<'_>, input: &BookIn) -> Answer<(SentBook, WriteRequest<'a>)> {
    let book = SentBook {
        text: input.book.clone(),
        name: input.name.clone().unwrap_or_else(|| "book.toml".to_owned()),
        files: input.files.clone(),
    };
    let period = input.billing_period.as_deref().map(crate::call::period).transpose()?;
    Ok((book, WriteRequest { period: period.or(call.period), ..call.write("") }))
}

fn shown(plan: Plan) -> Answer<Vec<u8>> {
    let change = |(table, changes): (&'static str, &billing::configuration::Changes)| Change {
        table,
        created: changes.created.clone(),
        changed: changes.changed.clone(),
        ended: changes.ended.clone(),
    };
    let effect = |of: back_office::book::Effect| {
        let difference = of.after.minus(of.before).map_err(Error::internal)?;
        Ok(Effect {
            billing_group: of.billing_group,
            currency: of.currency.to_string(),
            before: of.before.to_string(),
            after: of.after.to_string(),
            difference: difference.to_string(),
        })
    };
    let effect = plan.effect.map(|rows| rows.into_iter().map(effect).collect::<Answer<_>>()).transpose()?;
    let tables = plan.changes.tables();
    json(&BookPlan {
        billing_period: plan.period.to_string(),
        until: plan.changes.until.map(|until| until.to_string()),
        changes: tables.into_iter().filter(|(_, changes)| !changes.is_empty()).map(change).collect(),
        other_changes: plan.changes.other,
        effect,
        warnings: plan.warnings,
    })
}
