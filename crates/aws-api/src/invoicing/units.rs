//! Invoice units.

use super::{InvoicingRefusal, UnitArn, field, page, second};
use crate::call::{Call, json};
use aws_wire::json::Number;
use back_office::error::{Answer, Error};
use back_office::invoice_units::{InvoiceUnitRow, NewInvoiceUnit, UnitChange, UnitRule};
use back_office::invoicing::InvoicingResource;
use billing::account::AccountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const PAGE: usize = 500;

/// A tag, as lists of tags have it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceTag {
    pub key: String,
    pub value: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    linked_accounts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bill_source_accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateInvoiceUnit {
    name: String,
    invoice_receiver: String,
    description: Option<String>,
    tax_inheritance_disabled: Option<bool>,
    rule: Rule,
    #[serde(default)]
    resource_tags: Vec<ResourceTag>,
}

/// `CreateInvoiceUnit`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreateInvoiceUnit = call.read()?;
    let new = NewInvoiceUnit {
        name: input.name,
        receiver: account("InvoiceReceiver", &input.invoice_receiver)?,
        description: input.description,
        is_tax_inheritance_disabled: input.tax_inheritance_disabled.unwrap_or(false),
        rule: rule(&input.rule)?,
        tags: tags(input.resource_tags),
    };
    let invoice_unit_arn = call.desk.create_invoice_unit(&call.write(""), new).await?;
    json(&UnitArn { invoice_unit_arn })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateInvoiceUnit {
    invoice_unit_arn: String,
    description: Option<String>,
    tax_inheritance_disabled: Option<bool>,
    rule: Option<Rule>,
}

/// `UpdateInvoiceUnit`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdateInvoiceUnit = call.read()?;
    let change = UnitChange {
        description: input.description,
        is_tax_inheritance_disabled: input.tax_inheritance_disabled,
        rule: input.rule.as_ref().map(rule).transpose()?,
    };
    let arn = &input.invoice_unit_arn;
    let invoice_unit_arn = call.desk.update_invoice_unit(&call.write(arn), arn, change).await?;
    json(&UnitArn { invoice_unit_arn })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneUnit {
    invoice_unit_arn: String,
    as_of: Option<Number>,
}

/// `DeleteInvoiceUnit`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OneUnit = call.read()?;
    let arn = &input.invoice_unit_arn;
    let invoice_unit_arn = call.desk.delete_invoice_unit(&call.write(arn), arn).await?;
    json(&UnitArn { invoice_unit_arn })
}

/// `InvoiceUnit`, and the output of `GetInvoiceUnit`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unit {
    invoice_unit_arn: String,
    invoice_receiver: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    tax_inheritance_disabled: bool,
    rule: Rule,
    last_modified: i64,
}

/// `GetInvoiceUnit`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OneUnit = call.read()?;
    let payer = &call.caller.payer;
    let as_of = input.as_of.as_ref().map(second);
    json(&shown(payer, call.desk.invoice_unit(payer, &input.invoice_unit_arn, as_of).await?))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Filters {
    names: Vec<String>,
    invoice_receivers: Vec<String>,
    accounts: Vec<String>,
    bill_source_accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInvoiceUnits {
    #[serde(default)]
    filters: Filters,
    next_token: Option<String>,
    max_results: Option<u32>,
    as_of: Option<Number>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceUnits {
    invoice_units: Vec<Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListInvoiceUnits`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListInvoiceUnits = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let payer = &call.caller.payer;
    let rows = call.desk.invoice_units(payer, input.as_of.as_ref().map(second)).await?;
    let entries = rows
        .into_iter()
        .filter(|row| row.unit.id.as_str() > page.after.as_str() && input.filters.take(row))
        .map(|row| (row.unit.id.clone(), shown(payer, row)));
    let (invoice_units, next_token) = call.cut(&page, entries)?;
    json(&InvoiceUnits { invoice_units, next_token })
}

impl Filters {
    /// Whether all filters that are given take a unit; one takes it by any of its values.
    fn take(&self, row: &InvoiceUnitRow) -> bool {
        let unit = &row.unit;
        let is_any = |of: &BTreeSet<AccountId>, wanted: &String| of.iter().any(|of| of.as_str() == wanted);
        let takes =
            |wanted: &[String], by: &dyn Fn(&String) -> bool| wanted.is_empty() || wanted.iter().any(by);
        takes(&self.names, &|name| *name == unit.name)
            && takes(&self.invoice_receivers, &|account| unit.receiver.as_str() == account)
            && takes(&self.accounts, &|account| {
                unit.receiver.as_str() == account || is_any(&unit.linked_accounts, account)
            })
            && takes(&self.bill_source_accounts, &|account| is_any(&unit.bill_source_accounts, account))
    }
}

fn shown(payer: &AccountId, row: InvoiceUnitRow) -> Unit {
    let texts = |accounts: &BTreeSet<AccountId>| accounts.iter().map(ToString::to_string).collect();
    Unit {
        invoice_unit_arn: InvoicingResource::InvoiceUnit.arn(payer, &row.unit.id),
        invoice_receiver: row.unit.receiver.to_string(),
        name: row.unit.name,
        description: row.unit.description,
        tax_inheritance_disabled: row.unit.is_tax_inheritance_disabled,
        rule: Rule {
            linked_accounts: texts(&row.unit.linked_accounts),
            bill_source_accounts: texts(&row.unit.bill_source_accounts),
        },
        last_modified: row.recorded_at_s,
    }
}

/// The accounts of a rule; one that is named twice is an error, as it may be a slip of another one.
fn rule(given: &Rule) -> Answer<UnitRule> {
    let accounts = |name: &str, texts: &[String]| -> Answer<BTreeSet<AccountId>> {
        let mut accounts = BTreeSet::new();
        for text in texts {
            if !accounts.insert(account(name, text)?) {
                return Err(InvoicingRefusal::field(name, format!("account {text} is given twice")).into());
            }
        }
        Ok(accounts)
    };
    Ok(UnitRule {
        linked_accounts: accounts("Rule.LinkedAccounts", &given.linked_accounts)?,
        bill_source_accounts: accounts("Rule.BillSourceAccounts", &given.bill_source_accounts)?,
    })
}

pub(super) fn account(name: &str, text: &str) -> Result<AccountId, Error> {
    AccountId::parse(text).ok_or_else(|| field(name, "an account id has twelve digits"))
}

pub(super) fn tags(tags: Vec<ResourceTag>) -> Vec<(String, String)> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}
