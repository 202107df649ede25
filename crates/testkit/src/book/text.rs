//! The book as JSON and TOML, under the names of the book file.

use serde_json::{Map, Value, json};

use super::{
    BillingGroup, Charge, CustomLineItem, CustomTier, Filter, PricingPlan, PricingRule, Rate, SampleBook,
    Scope,
};

impl SampleBook {
    /// Returns the book as JSON.
    pub fn to_json(&self) -> Value {
        let account = |(id, name): &(String, String)| json!({ "id": id, "name": name });
        json!({
            "payer_account_id": self.payer_account_id,
            "currency": self.currency,
            "accounts": self.accounts.iter().map(account).collect::<Vec<_>>(),
            "pricing_rules": self.pricing_rules.iter().map(rule_to_json).collect::<Vec<_>>(),
            "pricing_plans": self.pricing_plans.iter().map(|plan| json!({
                "name": plan.name, "pricing_rules": plan.pricing_rules,
            })).collect::<Vec<_>>(),
            "billing_groups": self.billing_groups.iter().map(|group| json!({
                "name": group.name, "primary_account_id": group.primary_account_id,
                "accounts": group.accounts, "pricing_plan": group.pricing_plan,
            })).collect::<Vec<_>>(),
            "custom_line_items": self.custom_line_items.iter().map(item_to_json).collect::<Vec<_>>(),
        })
    }

    /// Returns the book as TOML.
    pub fn to_toml(&self) -> String {
        let Value::Object(book) = self.to_json() else { unreachable!("a book is an object") };
        let (tables, scalars): (Vec<_>, Vec<_>) = book.iter().partition(|(_, value)| value.is_array());
        let mut text = String::new();
        for (name, value) in scalars {
            text.push_str(&format!("{name} = {}\n", inline(value)));
        }
        for (name, rows) in tables {
            for row in rows.as_array().into_iter().flatten().filter_map(Value::as_object) {
                text.push_str(&format!("\n[[{name}]]\n"));
                for (key, value) in row {
                    text.push_str(&format!("{key} = {}\n", inline(value)));
                }
            }
        }
        text
    }

    /// Reads a book that [`SampleBook::to_json`] could have written; parts that it does not know are skipped.
    pub fn from_json(book: &Value) -> Self {
        let account = |row: &Value| (string(row, "id"), string(row, "name"));
        let plan = |row: &Value| PricingPlan {
            name: string(row, "name"),
            pricing_rules: optional_strings(row, "pricing_rules").unwrap_or_default(),
        };
        let group = |row: &Value| BillingGroup {
            name: string(row, "name"),
            primary_account_id: string(row, "primary_account_id"),
            accounts: optional_strings(row, "accounts").unwrap_or_default(),
            pricing_plan: string(row, "pricing_plan"),
        };
        Self {
            payer_account_id: string(book, "payer_account_id"),
            currency: string(book, "currency"),
            accounts: rows(book, "accounts").map(account).collect(),
            pricing_rules: rows(book, "pricing_rules").map(rule_from_json).collect(),
            pricing_plans: rows(book, "pricing_plans").map(plan).collect(),
            billing_groups: rows(book, "billing_groups").map(group).collect(),
            custom_line_items: rows(book, "custom_line_items").map(item_from_json).collect(),
        }
    }
}

fn rule_to_json(rule: &PricingRule) -> Value {
    let mut row = Map::new();
    let mut set = |key: &str, value: Value| drop(row.insert(key.to_owned(), value));
    set("name", json!(rule.name));
    match &rule.scope {
        Scope::Global => set("scope", json!("GLOBAL")),
        Scope::BillingEntity(entity) => {
            set("scope", json!("BILLING_ENTITY"));
            set("billing_entity", json!(entity));
        }
        Scope::Service(service) => {
            set("scope", json!("SERVICE"));
            set("service", json!(service));
        }
        Scope::Sku { service, usage_type, operation } => {
            set("scope", json!("SKU"));
            set("service", json!(service));
            set("usage_type", json!(usage_type));
            operation.iter().for_each(|operation| set("operation", json!(operation)));
        }
    }
    match &rule.rate {
        Rate::Markup(percentage) | Rate::Discount(percentage) => {
            let kind = if matches!(rule.rate, Rate::Markup(_)) { "MARKUP" } else { "DISCOUNT" };
            set("type", json!(kind));
            set("modifier_percentage", json!(percentage));
        }
        Rate::CustomTiers(tiers) => {
            set("type", json!("TIERING"));
            set("custom_tiers", tiers.iter().map(tier_to_json).collect());
        }
        Rate::FreeTier(activated) => {
            set("type", json!("TIERING"));
            set("free_tier_activated", json!(activated));
        }
    }
    Value::Object(row)
}

fn tier_to_json(tier: &CustomTier) -> Value {
    match &tier.end {
        Some(end) => {
            json!({ "begin_range_inclusive": tier.begin, "end_range_exclusive": end, "rate_value": tier.rate })
        }
        None => json!({ "begin_range_inclusive": tier.begin, "rate_value": tier.rate }),
    }
}

fn item_to_json(item: &CustomLineItem) -> Value {
    let mut row = Map::new();
    let mut set = |key: &str, value: Value| drop(row.insert(key.to_owned(), value));
    set("name", json!(item.name));
    set("description", json!(item.description));
    set("billing_group", json!(item.billing_group));
    set("type", json!(if item.is_credit { "CREDIT" } else { "FEE" }));
    match &item.charge {
        Charge::Flat(value) => set("flat_charge_value", json!(value)),
        Charge::Percentage { value, associated_values, is_itemized } => {
            set("percentage_value", json!(value));
            associated_values.iter().for_each(|values| set("associated_values", json!(values)));
            set("computation_rule", json!(if *is_itemized { "ITEMIZED" } else { "CONSOLIDATED" }));
        }
    }
    if let Some(filter) = &item.filter {
        let (attribute, match_option, key, value) = match filter {
            Filter::WithoutSavingsPlanNegation => {
                ("LINE_ITEM_TYPE", "NOT_EQUAL", "values", "SAVINGS_PLAN_NEGATION")
            }
            Filter::Service(service) => ("SERVICE", "EQUAL", "attribute_values", service.as_str()),
            Filter::OtherServices(service) => ("SERVICE", "NOT_EQUAL", "attribute_values", service.as_str()),
        };
        let filter = json!([{ "attribute": attribute, "match_option": match_option, key: [value] }]);
        set("line_item_filters", filter);
    }
    set("start", json!(item.start));
    item.end.iter().for_each(|end| set("end", json!(end)));
    item.presentation_service.iter().for_each(|service| set("presentation_service", json!(service)));
    item.account_id.iter().for_each(|account| set("account_id", json!(account)));
    Value::Object(row)
}

fn rule_from_json(row: &Value) -> PricingRule {
    let scope = match string(row, "scope").as_str() {
        "GLOBAL" => Scope::Global,
        "BILLING_ENTITY" => Scope::BillingEntity(string(row, "billing_entity")),
        "SERVICE" => Scope::Service(string(row, "service")),
        "SKU" => Scope::Sku {
            service: string(row, "service"),
            usage_type: string(row, "usage_type"),
            operation: optional(row, "operation"),
        },
        other => panic!("`{other}` is no scope"),
    };
    let tier = |tier: &Value| CustomTier {
        begin: optional(tier, "begin_range_inclusive").unwrap_or_else(|| "0".to_owned()),
        end: optional(tier, "end_range_exclusive"),
        rate: string(tier, "rate_value"),
    };
    let rate = match string(row, "type").as_str() {
        "MARKUP" => Rate::Markup(string(row, "modifier_percentage")),
        "DISCOUNT" => Rate::Discount(string(row, "modifier_percentage")),
        _ if row.get("custom_tiers").is_some() => {
            Rate::CustomTiers(rows(row, "custom_tiers").map(tier).collect())
        }
        _ => Rate::FreeTier(row.get("free_tier_activated").and_then(Value::as_bool).unwrap_or(true)),
    };
    PricingRule { name: string(row, "name"), scope, rate }
}

fn item_from_json(row: &Value) -> CustomLineItem {
    let charge = match optional(row, "flat_charge_value") {
        Some(value) => Charge::Flat(value),
        None => Charge::Percentage {
            value: string(row, "percentage_value"),
            associated_values: optional_strings(row, "associated_values"),
            is_itemized: optional(row, "computation_rule").as_deref() == Some("ITEMIZED"),
        },
    };
    CustomLineItem {
        name: string(row, "name"),
        description: string(row, "description"),
        billing_group: string(row, "billing_group"),
        is_credit: string(row, "type") == "CREDIT",
        charge,
        filter: rows(row, "line_item_filters").next().map(filter_from_json),
        presentation_service: optional(row, "presentation_service"),
        start: string(row, "start"),
        end: optional(row, "end"),
        account_id: optional(row, "account_id"),
    }
}

fn filter_from_json(row: &Value) -> Filter {
    let service =
        || optional_strings(row, "attribute_values").and_then(|mut values| values.pop()).unwrap_or_default();
    match (string(row, "attribute").as_str(), string(row, "match_option").as_str()) {
        ("LINE_ITEM_TYPE", _) => Filter::WithoutSavingsPlanNegation,
        (_, "EQUAL") => Filter::Service(service()),
        _ => Filter::OtherServices(service()),
    }
}

fn rows<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn optional(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn string(value: &Value, key: &str) -> String {
    optional(value, key).unwrap_or_default()
}

fn optional_strings(value: &Value, key: &str) -> Option<Vec<String>> {
    let items = value.get(key)?.as_array()?;
    Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// A JSON text and a TOML basic string escape alike, as far as books go.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}
