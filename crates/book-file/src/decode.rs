//! From nodes to a draft: every field has a type, unknown fields are mistakes, nothing stops at the first.

mod policies;
mod transfers;

use super::node::{Node, Value};
use billing::book::{
    AccountDraft, Draft, Exports, FilterDraft, GroupDraft, ItemDraft, LineFilterDraft, PlanDraft, Reports,
    RuleDraft, SelectorDraft,
};
use billing::money::{Decimal, DecimalError};
use billing::tiers::Tier;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A value of the wrong shape.
#[derive(Debug)]
pub struct Slip {
    pub offset: usize,
    pub what: String,
    pub message: String,
    /// The table and entry it is in; `None` at the top of the book.
    pub entry: Option<(&'static str, usize)>,
    /// The field of the entry, or of the book, that it is in.
    pub field: String,
}

/// The draft in a file, as far as its values have the right shapes, and every slip.
pub fn draft(root: &Node) -> (Draft, Vec<Slip>) {
    let slips = RefCell::new(Vec::new());
    let top = Table { node: root, what: String::new(), entry: None, within: None, slips: &slips };
    top.allow(&[
        "payer_account_id",
        "currency",
        "accounts",
        "pricing_rules",
        "pricing_plans",
        "responsibility_transfers",
        "billing_groups",
        "custom_line_items",
        "sharing",
        "distributions",
        "allocations",
        "support_fees",
        "payer_commitments",
        "minimums",
        "exports",
        "reports",
    ]);
    let draft = Draft {
        payer_account_id: top.required("payer_account_id"),
        currency: top.text("currency"),
        accounts: top.tables("accounts").iter().map(account).collect(),
        pricing_rules: top.tables("pricing_rules").iter().map(rule).collect(),
        pricing_plans: top.tables("pricing_plans").iter().map(plan).collect(),
        responsibility_transfers: top
            .tables("responsibility_transfers")
            .iter()
            .map(transfers::transfer)
            .collect(),
        billing_groups: top.tables("billing_groups").iter().map(group).collect(),
        custom_line_items: top.tables("custom_line_items").iter().map(item).collect(),
        sharing_commitments: top.table("sharing").and_then(|sharing| {
            sharing.allow(&["commitments"]);
            sharing.text("commitments")
        }),
        distributions: top.tables("distributions").iter().map(policies::distribution).collect(),
        allocations: top.tables("allocations").iter().map(policies::allocation).collect(),
        support_fees: top.tables("support_fees").iter().map(policies::support_fee).collect(),
        payer_commitments: top.tables("payer_commitments").iter().map(policies::payer_commitment).collect(),
        minimums: top.tables("minimums").iter().map(policies::minimum).collect(),
        exports: top
            .table("exports")
            .map(|exports| {
                exports.allow(&["columns", "tags", "invoice_issuer"]);
                let texts = |field| exports.texts(field).unwrap_or_default();
                Exports {
                    columns: texts("columns"),
                    tags: texts("tags"),
                    invoice_issuer: exports.text("invoice_issuer"),
                }
            })
            .unwrap_or_default(),
        reports: top
            .table("reports")
            .map(|reports| {
                reports.allow(&["tags", "cost_categories"]);
                let texts = |field| reports.texts(field).unwrap_or_default();
                Reports { tags: texts("tags"), cost_categories: texts("cost_categories") }
            })
            .unwrap_or_default(),
    };
    (draft, slips.into_inner())
}

fn account(table: &Table<'_>) -> AccountDraft {
    table.allow(&["id", "name"]);
    AccountDraft { id: table.required("id"), name: table.required("name") }
}

fn rule(table: &Table<'_>) -> RuleDraft {
    table.allow(&[
        "name",
        "scope",
        "type",
        "service",
        "usage_type",
        "operation",
        "billing_entity",
        "modifier_percentage",
        "free_tier_activated",
        "custom_tiers",
    ]);
    let tier = |table: &Table<'_>| {
        table.allow(&["begin_range_inclusive", "end_range_exclusive", "rate_value"]);
        Tier {
            begin: table.number("begin_range_inclusive").unwrap_or_default(),
            end: table.number("end_range_exclusive"),
            rate: table.required_number("rate_value"),
        }
    };
    let tiers =
        table.node.get("custom_tiers").map(|_| table.tables("custom_tiers").iter().map(tier).collect());
    RuleDraft {
        name: table.required("name"),
        scope: table.required("scope"),
        kind: table.required("type"),
        service: table.text("service"),
        usage_type: table.text("usage_type"),
        operation: table.text("operation"),
        billing_entity: table.text("billing_entity"),
        modifier_percentage: table.number("modifier_percentage"),
        free_tier_activated: table.flag("free_tier_activated"),
        custom_tiers: tiers,
    }
}

fn plan(table: &Table<'_>) -> PlanDraft {
    table.allow(&["name", "pricing_rules"]);
    PlanDraft {
        name: table.required("name"),
        pricing_rules: table.texts("pricing_rules").unwrap_or_default(),
    }
}

fn group(table: &Table<'_>) -> GroupDraft {
    table.allow(&[
        "name",
        "description",
        "primary_account_id",
        "accounts",
        "lines",
        "responsibility_transfer",
        "pricing_plan",
        "auto_associate",
        "parent",
        "usage_from",
        "usage_through",
        "rule",
        "rule_except",
        "rule_accounts",
    ]);
    GroupDraft {
        name: table.required("name"),
        description: table.text("description"),
        primary_account_id: transfers::primary_account(table),
        accounts: table.texts("accounts").unwrap_or_default(),
        lines: table.tables("lines").iter().map(line_filter).collect(),
        responsibility_transfer: table.text("responsibility_transfer"),
        pricing_plan: table.required("pricing_plan"),
        auto_associate: table.flag("auto_associate").unwrap_or(false),
        parent: table.text("parent"),
        usage_from: table.text("usage_from"),
        usage_through: table.text("usage_through"),
        rule: table.tables("rule").iter().map(selector).collect(),
        rule_except: table.texts("rule_except").unwrap_or_default(),
        rule_accounts: table.texts("rule_accounts").unwrap_or_default(),
    }
}

fn selector(table: &Table<'_>) -> SelectorDraft {
    table.allow(&["organizational_unit", "tag_key", "tag_values", "name_pattern"]);
    SelectorDraft {
        organizational_unit: table.text("organizational_unit"),
        tag_key: table.text("tag_key"),
        tag_values: table.texts("tag_values").unwrap_or_default(),
        name_pattern: table.text("name_pattern"),
    }
}

fn item(table: &Table<'_>) -> ItemDraft {
    table.allow(&[
        "name",
        "description",
        "billing_group",
        "type",
        "flat_charge_value",
        "currency",
        "percentage_value",
        "associated_values",
        "computation_rule",
        "presentation_service",
        "line_item_filters",
        "account_id",
        "start",
        "end",
        "corrects",
    ]);
    let filter = |table: &Table<'_>| {
        table.allow(&["attribute", "match_option", "values", "attribute_values"]);
        FilterDraft {
            attribute: table.required("attribute"),
            match_option: table.required("match_option"),
            values: table.texts("values"),
            attribute_values: table.texts("attribute_values"),
        }
    };
    ItemDraft {
        name: table.required("name"),
        description: table.required("description"),
        billing_group: table.required("billing_group"),
        kind: table.required("type"),
        flat_charge_value: table.number("flat_charge_value"),
        currency: table.text("currency"),
        percentage_value: table.number("percentage_value"),
        associated_values: table.texts("associated_values"),
        computation_rule: table.text("computation_rule"),
        presentation_service: table.text("presentation_service"),
        line_item_filters: table.tables("line_item_filters").iter().map(filter).collect(),
        account_id: table.text("account_id"),
        start: table.required("start"),
        end: table.text("end"),
        corrects: table.text("corrects"),
    }
}

/// The fields of a line filter.
const FILTER_FIELDS: [&str; 10] = [
    "accounts",
    "services",
    "usage_types",
    "line_item_types",
    "descriptions",
    "tags",
    "cost_categories",
    "resources",
    "without_tags",
    "without_cost_categories",
];

/// Conditions on lines.
fn line_filter(table: &Table<'_>) -> LineFilterDraft {
    table.allow(&FILTER_FIELDS);
    let texts = |field| table.texts(field).unwrap_or_default();
    LineFilterDraft {
        accounts: texts("accounts"),
        services: texts("services"),
        usage_types: texts("usage_types"),
        line_item_types: texts("line_item_types"),
        descriptions: texts("descriptions"),
        tags: table.texts_by_name("tags"),
        cost_categories: table.texts_by_name("cost_categories"),
        resources: texts("resources"),
        without_tags: texts("without_tags"),
        without_cost_categories: texts("without_cost_categories"),
    }
}

/// A table of the file while it is decoded.
struct Table<'a> {
    node: &'a Node,
    what: String,
    entry: Option<(&'static str, usize)>,
    /// The field of the entry that this table is an element of.
    within: Option<&'static str>,
    slips: &'a RefCell<Vec<Slip>>,
}

impl<'a> Table<'a> {
    fn slip(&self, offset: usize, field: &str, message: String) {
        let what = match (self.what.is_empty(), field.is_empty()) {
            (_, true) => self.what.clone(),
            (true, false) => format!("`{field}`"),
            (false, false) => format!("{}: `{field}`", self.what),
        };
        let field = self.within.unwrap_or(field).to_owned();
        self.slips.borrow_mut().push(Slip { offset, what, message, entry: self.entry, field });
    }

    /// Fields of other names are mistakes: a misspelled setting must not be ignored.
    fn allow(&self, known: &[&str]) {
        let Value::Table(entries) = &self.node.value else {
            self.slip(self.node.offset, "", format!("is {}, expected a table", self.node.kind()));
            return;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let message = format!("is not a field here; expected one of {}", known.join(", "));
            self.slip(entry.key_offset, &entry.key, message);
        }
    }

    fn text(&self, field: &str) -> Option<String> {
        let node = self.node.get(field)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => {
                self.slip(node.offset, field, format!("is {}, expected text in quotes", node.kind()));
                None
            }
        }
    }

    fn required(&self, field: &str) -> String {
        if self.node.get(field).is_none() && matches!(self.node.value, Value::Table(_)) {
            self.slip(self.node.offset, field, "is missing".to_owned());
        }
        self.text(field).unwrap_or_default()
    }

    fn flag(&self, field: &str) -> Option<bool> {
        let node = self.node.get(field)?;
        match node.value {
            Value::Bool(value) => Some(value),
            _ => {
                self.slip(node.offset, field, format!("is {}, expected true or false", node.kind()));
                Some(false)
            }
        }
    }

    /// A decimal, written as text or as a number; read from its digits. What is none stands as 0: the field is there.
    fn number<const SCALE: u32>(&self, field: &str) -> Option<Decimal<SCALE>> {
        let node = self.node.get(field)?;
        let (Value::Text(digits) | Value::Number(digits)) = &node.value else {
            self.slip(node.offset, field, format!("is {}, expected a decimal number", node.kind()));
            return Some(Decimal::ZERO);
        };
        match Decimal::parse(digits) {
            Ok(number) => Some(number),
            Err(error) => {
                let reason = match error {
                    DecimalError::NotANumber => "is not a decimal number like 12.5".to_owned(),
                    DecimalError::TooManyDecimals(scale) => format!("has more than {scale} decimals"),
                    DecimalError::TooLarge => "is too large".to_owned(),
                };
                self.slip(node.offset, field, format!("`{digits}` {reason}"));
                Some(Decimal::ZERO)
            }
        }
    }

    fn required_number<const SCALE: u32>(&self, field: &str) -> Decimal<SCALE> {
        if self.node.get(field).is_none() {
            self.slip(self.node.offset, field, "is missing".to_owned());
        }
        self.number(field).unwrap_or_default()
    }

    fn texts(&self, field: &str) -> Option<Vec<String>> {
        let node = self.node.get(field)?;
        let Some(nodes) = node.list() else {
            self.slip(node.offset, field, format!("is {}, expected a list of texts", node.kind()));
            return None;
        };
        let text = |node: &Node| {
            if node.text().is_none() {
                self.slip(node.offset, field, format!("holds {}, expected text in quotes", node.kind()));
            }
            node.text().unwrap_or_default().to_owned()
        };
        Some(nodes.iter().map(text).collect())
    }

    /// A table of lists of texts: `{ user_team = ["a", "b"] }`.
    fn texts_by_name(&self, field: &str) -> BTreeMap<String, Vec<String>> {
        let Some(node) = self.node.get(field) else { return BTreeMap::new() };
        let Value::Table(entries) = &node.value else {
            self.slip(node.offset, field, format!("is {}, expected a table of lists of texts", node.kind()));
            return BTreeMap::new();
        };
        let of =
            Self { node, what: self.what.clone(), entry: self.entry, within: self.within, slips: self.slips };
        let texts = |key: &String| (key.clone(), of.texts(key).unwrap_or_default());
        entries.iter().map(|entry| texts(&entry.key)).collect()
    }

    fn table(&self, field: &'static str) -> Option<Self> {
        let node = self.node.get(field)?;
        let what = field.to_owned();
        Some(Self { node, what, entry: Some((field, 0)), within: None, slips: self.slips })
    }

    /// A table within an entry.
    fn part(&self, field: &'static str) -> Option<Self> {
        let node = self.node.get(field)?;
        let what = format!("{}: {field}", self.what);
        Some(Self { node, what, entry: self.entry, within: Some(field), slips: self.slips })
    }

    /// The tables of a list; a missing list has none.
    fn tables(&self, field: &'static str) -> Vec<Self> {
        let Some(node) = self.node.get(field) else { return Vec::new() };
        let Some(nodes) = node.list() else {
            self.slip(node.offset, field, format!("is {}, expected a list of tables", node.kind()));
            return Vec::new();
        };
        let table = |(number, node): (usize, &'a Node)| {
            let own = super::entry_name(field, number, node);
            let what = if self.what.is_empty() { own } else { format!("{}: {own}", self.what) };
            let within = self.entry.map(|_| field);
            Self { node, what, entry: self.entry.or(Some((field, number))), within, slips: self.slips }
        };
        nodes.iter().enumerate().map(table).collect()
    }
}
