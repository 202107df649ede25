//! From a draft to a book file: every field that a book may have, in the order of the draft, such that reading it again gives the same draft.
//!
//! Decimals are texts, so that no reader takes them for doubles. What is absent is left out; a file of weights is named, as it was.

mod policies;

use billing::book::{
    Draft, Exports, FilterDraft, GroupDraft, ItemDraft, LineFilterDraft, PlanDraft, Reports, RuleDraft,
    SelectorDraft, TransferDraft,
};
use billing::tiers::Tier;
use std::collections::BTreeMap;
use std::fmt::Display;
use toml::Value;

/// A draft as TOML.
#[must_use]
pub fn write(draft: &Draft) -> String {
    let mut book = String::new();
    let top = Fields::default()
        .text("payer_account_id", &draft.payer_account_id)
        .text_if_any("currency", draft.currency.as_ref())
        .tables("accounts", &draft.accounts, |account| {
            Fields::default().text("id", &account.id).text("name", &account.name)
        });
    book.push_str(&top.lines());
    section(&mut book, "pricing_rules", &draft.pricing_rules, rule);
    section(&mut book, "pricing_plans", &draft.pricing_plans, plan);
    section(&mut book, "responsibility_transfers", &draft.responsibility_transfers, transfer);
    section(&mut book, "billing_groups", &draft.billing_groups, group);
    section(&mut book, "custom_line_items", &draft.custom_line_items, item);
    if let Some(commitments) = &draft.sharing_commitments {
        let sharing = Fields::default().text("commitments", commitments);
        book.push_str(&format!("\n[sharing]\n{}", sharing.lines()));
    }
    section(&mut book, "distributions", &draft.distributions, policies::distribution);
    section(&mut book, "allocations", &draft.allocations, policies::allocation);
    section(&mut book, "support_fees", &draft.support_fees, policies::support_fee);
    section(&mut book, "payer_commitments", &draft.payer_commitments, policies::payer_commitment);
    section(&mut book, "minimums", &draft.minimums, policies::minimum);
    if draft.exports != Exports::default() {
        book.push_str(&format!("\n[exports]\n{}", exports(&draft.exports).lines()));
    }
    if draft.reports != Reports::default() {
        book.push_str(&format!("\n[reports]\n{}", reports(&draft.reports).lines()));
    }
    book
}

/// Adds the entries of a table of the book, one below the other.
fn section<T>(book: &mut String, name: &str, entries: &[T], fields: fn(&T) -> Fields) {
    for entry in entries {
        book.push_str(&format!("\n[[{name}]]\n{}", fields(entry).lines()));
    }
}

fn rule(rule: &RuleDraft) -> Fields {
    let tier = |tier: &Tier| {
        Fields::default()
            .number("begin_range_inclusive", tier.begin)
            .number_if_any("end_range_exclusive", tier.end)
            .number("rate_value", tier.rate)
    };
    let fields = Fields::default()
        .text("name", &rule.name)
        .text("scope", &rule.scope)
        .text("type", &rule.kind)
        .text_if_any("service", rule.service.as_ref())
        .text_if_any("usage_type", rule.usage_type.as_ref())
        .text_if_any("operation", rule.operation.as_ref())
        .text_if_any("billing_entity", rule.billing_entity.as_ref())
        .number_if_any("modifier_percentage", rule.modifier_percentage);
    let fields = match rule.free_tier_activated {
        Some(activated) => fields.set("free_tier_activated", activated.to_string()),
        None => fields,
    };
    match &rule.custom_tiers {
        // Tiers that are none are a mistake, which must be told of as before.
        Some(tiers) if tiers.is_empty() => fields.set("custom_tiers", "[]".to_owned()),
        Some(tiers) => fields.tables("custom_tiers", tiers, tier),
        None => fields,
    }
}

fn plan(plan: &PlanDraft) -> Fields {
    Fields::default().text("name", &plan.name).texts("pricing_rules", &plan.pricing_rules)
}

fn transfer(transfer: &TransferDraft) -> Fields {
    Fields::default()
        .text("name", &transfer.name)
        .text("source_account_id", &transfer.source_account_id)
        .text("receiver_account_id", &transfer.receiver_account_id)
        .texts("accounts", &transfer.accounts)
        .text("status", &transfer.status)
        .text("start", &transfer.start)
        .text_if_any("end", transfer.end.as_ref())
}

fn group(group: &GroupDraft) -> Fields {
    let fields =
        Fields::default().text("name", &group.name).text_if_any("description", group.description.as_ref());
    // The primary account of a billing transfer is its source, and stands there.
    let fields = match group.responsibility_transfer.is_some() && group.primary_account_id.is_empty() {
        true => fields,
        false => fields.text("primary_account_id", &group.primary_account_id),
    };
    fields
        .texts("accounts", &group.accounts)
        .tables("lines", &group.lines, line_filter)
        .text_if_any("responsibility_transfer", group.responsibility_transfer.as_ref())
        .text("pricing_plan", &group.pricing_plan)
        .flag("auto_associate", group.auto_associate)
        .text_if_any("parent", group.parent.as_ref())
        .text_if_any("usage_from", group.usage_from.as_ref())
        .text_if_any("usage_through", group.usage_through.as_ref())
        .tables("rule", &group.rule, selector)
        .texts("rule_except", &group.rule_except)
        .texts("rule_accounts", &group.rule_accounts)
}

fn selector(selector: &SelectorDraft) -> Fields {
    Fields::default()
        .text_if_any("organizational_unit", selector.organizational_unit.as_ref())
        .text_if_any("tag_key", selector.tag_key.as_ref())
        .texts("tag_values", &selector.tag_values)
        .text_if_any("name_pattern", selector.name_pattern.as_ref())
}

fn item(item: &ItemDraft) -> Fields {
    let filter = |filter: &FilterDraft| {
        Fields::default()
            .text("attribute", &filter.attribute)
            .text("match_option", &filter.match_option)
            .list_if_any("values", filter.values.as_ref())
            .list_if_any("attribute_values", filter.attribute_values.as_ref())
    };
    Fields::default()
        .text("name", &item.name)
        .text("description", &item.description)
        .text("billing_group", &item.billing_group)
        .text("type", &item.kind)
        .number_if_any("flat_charge_value", item.flat_charge_value)
        .text_if_any("currency", item.currency.as_ref())
        .number_if_any("percentage_value", item.percentage_value)
        .list_if_any("associated_values", item.associated_values.as_ref())
        .text_if_any("computation_rule", item.computation_rule.as_ref())
        .text_if_any("presentation_service", item.presentation_service.as_ref())
        .tables("line_item_filters", &item.line_item_filters, filter)
        .text_if_any("account_id", item.account_id.as_ref())
        .text("start", &item.start)
        .text_if_any("end", item.end.as_ref())
        .text_if_any("corrects", item.corrects.as_ref())
}

fn exports(exports: &Exports) -> Fields {
    Fields::default()
        .texts("columns", &exports.columns)
        .texts("tags", &exports.tags)
        .text_if_any("invoice_issuer", exports.invoice_issuer.as_ref())
}

fn reports(reports: &Reports) -> Fields {
    Fields::default().texts("tags", &reports.tags).texts("cost_categories", &reports.cost_categories)
}

fn line_filter(filter: &LineFilterDraft) -> Fields {
    Fields::default()
        .texts("accounts", &filter.accounts)
        .texts("services", &filter.services)
        .texts("usage_types", &filter.usage_types)
        .texts("line_item_types", &filter.line_item_types)
        .texts("descriptions", &filter.descriptions)
        .texts_by_name("tags", &filter.tags)
        .texts_by_name("cost_categories", &filter.cost_categories)
        .texts("resources", &filter.resources)
        .texts("without_tags", &filter.without_tags)
        .texts("without_cost_categories", &filter.without_cost_categories)
}

/// The fields of a table, in their order, each with its value as TOML.
#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    /// One field a line.
    fn lines(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
    }

    /// All on one line.
    fn inline(&self) -> String {
        let fields: Vec<String> = self.0.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
    }

    fn set(mut self, name: &'static str, value: String) -> Self {
        self.0.push((name, value));
        self
    }

    fn text(self, name: &'static str, value: &str) -> Self {
        self.set(name, Value::from(value).to_string())
    }

    /// A text, where there is one.
    fn text_if_any(self, name: &'static str, value: Option<&String>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A list of texts; an empty one is left out.
    fn texts(self, name: &'static str, values: &[String]) -> Self {
        if values.is_empty() { self } else { self.set(name, list(values).to_string()) }
    }

    /// A list of texts, where there is one, even if it is empty.
    fn list_if_any(self, name: &'static str, values: Option<&Vec<String>>) -> Self {
        match values {
            Some(values) => self.set(name, list(values).to_string()),
            None => self,
        }
    }

    fn texts_by_name(self, name: &'static str, values: &BTreeMap<String, Vec<String>>) -> Self {
        let table = values.iter().map(|(key, values)| (key.clone(), list(values)));
        if values.is_empty() { self } else { self.set(name, Value::Table(table.collect()).to_string()) }
    }

    fn number(self, name: &'static str, number: impl Display) -> Self {
        self.set(name, format!("\"{number}\""))
    }

    fn number_if_any(self, name: &'static str, number: Option<impl Display>) -> Self {
        match number {
            Some(number) => self.number(name, number),
            None => self,
        }
    }

    /// A flag that is false where it is absent.
    fn flag(self, name: &'static str, value: bool) -> Self {
        if value { self.set(name, value.to_string()) } else { self }
    }

    /// A list of tables, one on each line; an empty one is left out.
    fn tables<T>(self, name: &'static str, entries: &[T], fields: impl Fn(&T) -> Self) -> Self {
        let rows: String = entries.iter().map(|entry| format!("  {},\n", fields(entry).inline())).collect();
        if rows.is_empty() { self } else { self.set(name, format!("[\n{rows}]")) }
    }
}

fn list(values: &[String]) -> Value {
    Value::Array(values.iter().map(|value| Value::from(value.as_str())).collect())
}

#[cfg(test)]
mod tests;
