//! From a draft to a book, or to all of its mistakes.

use super::{BASIC_PRICING_PLAN, Book, Draft, FilterDraft, GroupDraft, ItemDraft, RuleDraft};
use crate::account::AccountId;
use crate::allocation::Sharing;
use crate::billing_group::BillingGroup;
use crate::custom_line_item::{Charge, CustomLineItem, Filter, Kind, PercentageCharge};
use crate::money::{Cost, Currency, Percentage};
use crate::period::BillingPeriod;
use crate::pricing::{CustomTiers, Pricing, PricingPlan, PricingRule, Scope};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// Where in a book something is: a table's entry, its field, and for lists the element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The table, or the field itself at the top of the book.
    pub table: &'static str,
    /// Which entry, from 0; 0 at the top of the book.
    pub entry: usize,
    /// The field of the entry; empty for the entry as a whole.
    pub field: &'static str,
    /// The element of a list.
    pub element: Option<usize>,
}

/// Something wrong, or worth a warning, in a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What, naming the value and the way out.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What [`Draft::check`] finds.
#[derive(Debug)]
pub struct Checked {
    /// The book, or every mistake.
    pub book: Result<Book, Vec<Mistake>>,
    /// What AWS itself would refuse and a book may hold: its quotas and caps.
    pub warnings: Vec<Mistake>,
}

impl Draft {
    /// Checks everything and reports every mistake.
    #[must_use]
    pub fn check(&self) -> Checked {
        let mut check = Check { draft: self, mistakes: Vec::new(), warnings: Vec::new() };
        let book = check.book();
        check.warn_of_quotas();
        let Check { mistakes, warnings, .. } = check;
        let book = book.filter(|_| mistakes.is_empty()).ok_or(mistakes);
        Checked { book, warnings }
    }
}

struct Check<'a> {
    draft: &'a Draft,
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
}

/// A table's entry while it is checked.
#[derive(Clone, Copy)]
struct Entry {
    table: &'static str,
    number: usize,
}

impl Entry {
    fn field(self, field: &'static str) -> Place {
        Place { table: self.table, entry: self.number, field, element: None }
    }

    fn element(self, field: &'static str, element: usize) -> Place {
        Place { element: Some(element), ..self.field(field) }
    }
}

/// The numbers of a table's entries by name.
type ByName<'a> = HashMap<&'a str, usize>;

impl<'a> Check<'a> {
    fn mistake<T>(&mut self, place: Place, message: impl Into<String>) -> Option<T> {
        self.mistakes.push(Mistake { place, message: message.into() });
        None
    }

    fn warn(&mut self, place: Place, message: impl Into<String>) {
        self.warnings.push(Mistake { place, message: message.into() });
    }

    /// Every part is checked whatever the others hold; the book exists only if nothing is wrong anywhere.
    fn book(&mut self) -> Option<Book> {
        let draft = self.draft;
        let top = |table| Entry { table, number: 0 }.field("");
        let payer = self.account(&draft.payer_account_id, top("payer_account_id"));
        let currency = self.currency(top("currency"));
        let sharing = self.sharing();
        let account_names = self.account_names();
        let rules = self.rules();
        let rule_numbers =
            self.by_name("pricing_rules", draft.pricing_rules.iter().map(|rule| rule.name.as_str()));
        let plans = self.plans(&rule_numbers, &rules);
        let plan_numbers =
            self.by_name("pricing_plans", draft.pricing_plans.iter().map(|plan| plan.name.as_str()));
        let groups = self.groups(&plan_numbers);
        let group_numbers =
            self.by_name("billing_groups", draft.billing_groups.iter().map(|g| g.name.as_str()));
        let items = self.items(&group_numbers);
        Some(Book {
            payer: payer?,
            currency: currency?,
            account_names,
            groups: groups.into_iter().collect::<Option<_>>()?,
            rules: rules.into_iter().collect::<Option<_>>()?,
            plans,
            items: items.into_iter().collect::<Option<_>>()?,
            sharing: sharing?,
            exports: draft.exports.clone(),
            reports: draft.reports.clone(),
        })
    }

    fn account(&mut self, text: &str, place: Place) -> Option<AccountId> {
        let Some(account) = AccountId::parse(text) else {
            return self.mistake(place, format!("`{text}` is not an account id; write its digits as text"));
        };
        if !account.has_twelve_digits() {
            self.warn(place, format!("account id `{account}` does not have AWS's twelve digits"));
        }
        Some(account)
    }

    /// Who has the benefit of commitments.
    fn sharing(&mut self) -> Option<Sharing> {
        let Some(name) = self.draft.sharing_commitments.as_deref() else { return Some(Sharing::default()) };
        let place = Entry { table: "sharing", number: 0 }.field("commitments");
        match Sharing::parse(name) {
            Some(policy) => Some(policy),
            None => {
                let message =
                    format!("`{name}` is not a sharing policy; use `members`, `real`, `pro_rata` or `keep`");
                self.mistake(place, message)
            }
        }
    }

    fn currency(&mut self, place: Place) -> Option<Currency> {
        let code = self.draft.currency.as_deref().unwrap_or("USD");
        match Currency::parse(code) {
            Some(currency) => Some(currency),
            None => {
                self.mistake(place, format!("`{code}` is not a currency code; write three capital letters"))
            }
        }
    }

    /// The numbers of a table's entries; a name that comes twice is a mistake at its second place.
    fn by_name(&mut self, table: &'static str, names: impl Iterator<Item = &'a str>) -> ByName<'a> {
        let mut numbers = ByName::new();
        for (number, name) in names.enumerate() {
            let place = Entry { table, number }.field("name");
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                self.mistake::<()>(place, "a name is not empty and has no control characters");
            } else if let Some(first) = numbers.insert(name, number) {
                numbers.insert(name, first);
                let message =
                    format!("`{name}` is already the name of entry {} of `{table}`; rename one", first + 1);
                self.mistake::<()>(place, message);
            }
        }
        numbers
    }

    fn account_names(&mut self) -> BTreeMap<AccountId, String> {
        let mut names = BTreeMap::new();
        for (number, account) in self.draft.accounts.iter().enumerate() {
            let place = Entry { table: "accounts", number }.field("id");
            let Some(id) = self.account(&account.id, place.clone()) else { continue };
            if names.insert(id, account.name.clone()).is_some() {
                self.mistake::<()>(place, format!("account `{}` is listed twice", account.id));
            }
        }
        names
    }

    fn rules(&mut self) -> Vec<Option<PricingRule>> {
        let draft = self.draft;
        let rule = |(number, rule)| self.rule(Entry { table: "pricing_rules", number }, rule);
        draft.pricing_rules.iter().enumerate().map(rule).collect()
    }

    fn rule(&mut self, entry: Entry, rule: &RuleDraft) -> Option<PricingRule> {
        let scope = self.scope(entry, rule);
        let pricing = self.pricing(entry, rule);
        let name = rule.name.clone();
        Some(PricingRule { name, scope: scope?, pricing: pricing? })
    }

    fn scope(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Scope> {
        let RuleDraft { service, usage_type, operation, billing_entity, .. } = rule;
        let fields = [
            ("service", service, matches!(&*rule.scope, "SERVICE" | "SKU")),
            ("usage_type", usage_type, rule.scope == "SKU"),
            ("operation", operation, rule.scope == "SKU"),
            ("billing_entity", billing_entity, rule.scope == "BILLING_ENTITY"),
        ];
        if !matches!(&*rule.scope, "GLOBAL" | "SERVICE" | "BILLING_ENTITY" | "SKU") {
            let message =
                format!("`{}` is not a scope; use GLOBAL, SERVICE, BILLING_ENTITY or SKU", rule.scope);
            return self.mistake(entry.field("scope"), message);
        }
        let mut sound = true;
        for (field, value, belongs) in fields {
            if value.is_some() && !belongs {
                let message = format!("a rule of scope {} has no `{field}`; remove it", rule.scope);
                self.mistake::<()>(entry.field(field), message);
                sound = false;
            } else if belongs && value.as_deref().is_none_or(str::is_empty) && field != "operation" {
                let message = format!("a rule of scope {} needs `{field}`", rule.scope);
                self.mistake::<()>(entry.field(field), message);
                sound = false;
            }
        }
        if !sound {
            return None;
        }
        Some(match &*rule.scope {
            "GLOBAL" => Scope::Global,
            "SERVICE" => Scope::Service(service.clone()?),
            "BILLING_ENTITY" => Scope::BillingEntity(billing_entity.clone()?),
            _ => {
                let (service, usage_type) = (service.clone()?, usage_type.clone()?);
                Scope::Sku {
                    service,
                    usage_type,
                    operation: operation.clone().filter(|text| !text.is_empty()),
                }
            }
        })
    }

    fn pricing(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Pricing> {
        match &*rule.kind {
            "MARKUP" | "DISCOUNT" => self.percentage_pricing(entry, rule),
            "TIERING" => self.tiering(entry, rule),
            other => {
                let message = format!("`{other}` is not a rule type; use MARKUP, DISCOUNT or TIERING");
                self.mistake(entry.field("type"), message)
            }
        }
    }

    fn percentage_pricing(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Pricing> {
        for (field, given) in [
            ("custom_tiers", rule.custom_tiers.is_some()),
            ("free_tier_activated", rule.free_tier_activated.is_some()),
        ] {
            if given {
                let message = format!("a {} rule has no `{field}`; it needs type TIERING", rule.kind);
                return self.mistake(entry.field(field), message);
            }
        }
        let Some(percentage) = rule.modifier_percentage else {
            let message = format!("a {} rule needs `modifier_percentage`", rule.kind);
            return self.mistake(entry.field("modifier_percentage"), message);
        };
        let place = entry.field("modifier_percentage");
        if percentage < Percentage::ZERO {
            let message = format!(
                "`{percentage}` is negative; the type says the sign: MARKUP adds, DISCOUNT takes away"
            );
            return self.mistake(place, message);
        }
        if rule.kind == "MARKUP" {
            return Some(Pricing::Markup(percentage));
        }
        if percentage.units() > 100 * Percentage::ONE.units() {
            return self
                .mistake(place, format!("a discount of {percentage} % is more than all; at most 100"));
        }
        Some(Pricing::Discount(percentage))
    }

    fn tiering(&mut self, entry: Entry, rule: &RuleDraft) -> Option<Pricing> {
        if rule.modifier_percentage.is_some() {
            let message = "a TIERING rule has no `modifier_percentage`; use type MARKUP or DISCOUNT";
            return self.mistake(entry.field("modifier_percentage"), message);
        }
        match (&rule.custom_tiers, rule.free_tier_activated) {
            (Some(_), Some(_)) | (None, None) => {
                let message = "a TIERING rule has either `custom_tiers` or `free_tier_activated`";
                self.mistake(entry.field("type"), message)
            }
            (Some(_), None) if rule.scope != "SKU" => {
                self.mistake(entry.field("custom_tiers"), "custom tiers need scope SKU")
            }
            (Some(tiers), None) => match CustomTiers::new(tiers.clone()) {
                Ok(tiers) => Some(Pricing::CustomTiers(tiers)),
                Err(mistake) => self.mistake(entry.field("custom_tiers"), mistake.to_string()),
            },
            (None, Some(_)) if !matches!(&*rule.scope, "GLOBAL" | "SERVICE") => self.mistake(
                entry.field("free_tier_activated"),
                "a free-tier rule needs scope GLOBAL or SERVICE",
            ),
            (None, Some(activated)) => Some(Pricing::FreeTier { activated }),
        }
    }

    fn plans(&mut self, rules: &ByName<'_>, checked: &[Option<PricingRule>]) -> Vec<PricingPlan> {
        let draft = self.draft;
        let mut plans = Vec::new();
        for (number, plan) in draft.pricing_plans.iter().enumerate() {
            let entry = Entry { table: "pricing_plans", number };
            if plan.name == BASIC_PRICING_PLAN || plan.name == "Passthrough" {
                let message =
                    format!("`{}` is the name of a plan that AWS manages; choose another", plan.name);
                self.mistake::<()>(entry.field("name"), message);
            }
            let mut numbers = Vec::new();
            for (element, name) in plan.pricing_rules.iter().enumerate() {
                let place = entry.element("pricing_rules", element);
                match rules.get(name.as_str()) {
                    None => self.mistake(place, unknown("pricing rule", name, rules)).unwrap_or_default(),
                    Some(rule) if numbers.contains(rule) => {
                        self.mistake(place, format!("rule `{name}` is listed twice")).unwrap_or_default()
                    }
                    Some(rule) => numbers.push(*rule),
                }
            }
            self.one_rule_per_selector(entry, &numbers, checked);
            plans.push(PricingPlan { name: plan.name.clone(), rules: numbers });
        }
        plans
    }

    /// Two rules of one plan that would price the same lines: nothing says which one wins.
    fn one_rule_per_selector(&mut self, entry: Entry, rules: &[usize], checked: &[Option<PricingRule>]) {
        let mut seen: HashMap<(&Scope, bool), &str> = HashMap::new();
        for rule in rules.iter().filter_map(|number| checked[*number].as_ref()) {
            let of_rates = !matches!(rule.pricing, Pricing::FreeTier { .. });
            if let Some(first) = seen.insert((&rule.scope, of_rates), &rule.name) {
                let message = format!(
                    "rules `{first}` and `{}` both price {} {}; a plan has one rule per selector",
                    rule.name,
                    rule.scope.name(),
                    selector_text(&rule.scope),
                );
                self.mistake::<()>(entry.field("pricing_rules"), message);
            }
        }
    }

    fn groups(&mut self, plans: &ByName<'_>) -> Vec<Option<BillingGroup>> {
        let draft = self.draft;
        let mut members: HashMap<&str, usize> = HashMap::new();
        let mut automatic: Option<usize> = None;
        let mut groups = Vec::new();
        for (number, group) in draft.billing_groups.iter().enumerate() {
            let entry = Entry { table: "billing_groups", number };
            for (element, account) in group.accounts.iter().enumerate() {
                if let Some(owner) = members.insert(account, number) {
                    members.insert(account, owner);
                    let message = if owner == number {
                        format!("account `{account}` is listed twice")
                    } else {
                        let owner = &draft.billing_groups[owner].name;
                        format!(
                            "billing group `{owner}` already owns account `{account}`; remove it there first"
                        )
                    };
                    self.mistake::<()>(entry.element("accounts", element), message);
                }
            }
            if group.auto_associate
                && let Some(first) = automatic.replace(number)
            {
                let first = &draft.billing_groups[first].name;
                let message =
                    format!("billing group `{first}` already has auto_associate; only one group may");
                self.mistake::<()>(entry.field("auto_associate"), message);
            }
            groups.push(self.group(entry, group, plans));
        }
        groups
    }

    fn group(&mut self, entry: Entry, group: &GroupDraft, plans: &ByName<'_>) -> Option<BillingGroup> {
        let primary_account = self.account(&group.primary_account_id, entry.field("primary_account_id"));
        let accounts: Vec<Option<AccountId>> = (group.accounts.iter().enumerate())
            .map(|(element, account)| self.account(account, entry.element("accounts", element)))
            .collect();
        if !group.accounts.contains(&group.primary_account_id) {
            let message =
                format!("the primary account `{}` must be among `accounts`", group.primary_account_id);
            self.mistake::<()>(entry.field("primary_account_id"), message);
        }
        if group.primary_account_id == self.draft.payer_account_id {
            let message = "the payer account may be a member, but not the primary account";
            self.mistake::<()>(entry.field("primary_account_id"), message);
        }
        let pricing_plan = match plans.get(group.pricing_plan.as_str()) {
            Some(plan) => Some(Some(*plan)),
            None if group.pricing_plan == BASIC_PRICING_PLAN => Some(None),
            None => {
                self.mistake(entry.field("pricing_plan"), unknown("pricing plan", &group.pricing_plan, plans))
            }
        };
        Some(BillingGroup {
            name: group.name.clone(),
            description: group.description.clone(),
            primary_account: primary_account?,
            accounts: accounts.into_iter().collect::<Option<_>>()?,
            pricing_plan: pricing_plan?,
            auto_associate: group.auto_associate,
        })
    }

    fn items(&mut self, groups: &ByName<'_>) -> Vec<Option<CustomLineItem>> {
        let draft = self.draft;
        let names =
            self.by_name("custom_line_items", draft.custom_line_items.iter().map(|item| item.name.as_str()));
        let item =
            |(number, item)| self.item(Entry { table: "custom_line_items", number }, item, groups, &names);
        draft.custom_line_items.iter().enumerate().map(item).collect()
    }

    fn item(
        &mut self,
        entry: Entry,
        item: &ItemDraft,
        groups: &ByName<'_>,
        items: &ByName<'_>,
    ) -> Option<CustomLineItem> {
        let kind = match &*item.kind {
            "FEE" => Some(Kind::Fee),
            "CREDIT" => Some(Kind::Credit),
            other => self.mistake(entry.field("type"), format!("`{other}` is not a type; use FEE or CREDIT")),
        };
        let start = self.period(&item.start, entry.field("start"));
        let end = item.end.as_deref().map(|end| self.period(end, entry.field("end")));
        if let (Some(start), Some(Some(end))) = (start, end)
            && end <= start
        {
            let message =
                format!("the item ends at `{end}`, at or before its start `{start}`; the end is exclusive");
            self.mistake::<()>(entry.field("end"), message);
        }
        if item.presentation_service.as_deref() == Some("") {
            self.mistake::<()>(entry.field("presentation_service"), "is empty; name a service, or remove it");
        }
        let charge = self.charge(entry, item, items);
        let group = groups.get(item.billing_group.as_str()).copied();
        if group.is_none() {
            let message = unknown("billing group", &item.billing_group, groups);
            self.mistake::<()>(entry.field("billing_group"), message);
        }
        let account = self.item_account(entry, item, group?);
        let end = end.map_or(Some(None), |end| end.map(Some));
        Some(CustomLineItem {
            name: item.name.clone(),
            description: item.description.clone(),
            billing_group: group?,
            kind: kind?,
            charge: charge?,
            account: account?,
            presentation_service: item.presentation_service.clone(),
            start: start?,
            end: end?,
            derived: false,
        })
    }

    fn item_account(&mut self, entry: Entry, item: &ItemDraft, group: usize) -> Option<AccountId> {
        let draft = self.draft;
        let group = &draft.billing_groups[group];
        let account = item.account_id.as_ref().unwrap_or(&group.primary_account_id);
        if item.account_id.is_some() && !group.accounts.contains(account) {
            let message = format!("account `{account}` is not a member of billing group `{}`", group.name);
            return self.mistake(entry.field("account_id"), message);
        }
        AccountId::parse(account)
    }

    fn period(&mut self, text: &str, place: Place) -> Option<BillingPeriod> {
        match BillingPeriod::parse(text) {
            Ok(period) => Some(period),
            Err(mistake) => self.mistake(place, mistake.to_string()),
        }
    }

    fn charge(&mut self, entry: Entry, item: &ItemDraft, items: &ByName<'_>) -> Option<Charge> {
        match (item.flat_charge_value, item.percentage_value) {
            (Some(value), None) => self.flat(entry, item, value),
            (None, Some(percentage)) => self.percentage(entry, item, percentage, items),
            _ => {
                let message = "an item has either `flat_charge_value` or `percentage_value`";
                self.mistake(entry.field("name"), message)
            }
        }
    }

    fn flat(&mut self, entry: Entry, item: &ItemDraft, value: Cost) -> Option<Charge> {
        for (field, given) in [
            ("associated_values", item.associated_values.is_some()),
            ("line_item_filters", !item.line_item_filters.is_empty()),
            ("computation_rule", item.computation_rule.as_deref() == Some("ITEMIZED")),
        ] {
            if given {
                return self
                    .mistake(entry.field(field), format!("`{field}` is for percentage items; remove it"));
            }
        }
        self.computation_rule(entry, item)?;
        if value < Cost::ZERO {
            let message =
                format!("`{value}` is negative; the type says the sign: FEE adds, CREDIT takes away");
            return self.mistake(entry.field("flat_charge_value"), message);
        }
        Some(Charge::Flat(value))
    }

    /// Whether the item is itemized.
    fn computation_rule(&mut self, entry: Entry, item: &ItemDraft) -> Option<bool> {
        match item.computation_rule.as_deref() {
            None | Some("CONSOLIDATED") => Some(false),
            Some("ITEMIZED") if item.presentation_service.is_some() => {
                let message =
                    "an ITEMIZED charge stands beside its line; it has no presentation service of its own";
                self.mistake(entry.field("presentation_service"), message)
            }
            Some("ITEMIZED") => Some(true),
            Some(other) => {
                let message = format!("`{other}` is not a computation rule; use CONSOLIDATED or ITEMIZED");
                self.mistake(entry.field("computation_rule"), message)
            }
        }
    }

    fn percentage(
        &mut self,
        entry: Entry,
        item: &ItemDraft,
        percentage: Percentage,
        items: &ByName<'_>,
    ) -> Option<Charge> {
        let itemized = self.computation_rule(entry, item);
        let filter = self.filter(entry, item);
        if percentage < Percentage::ZERO {
            let message =
                format!("`{percentage}` is negative; the type says the sign: FEE adds, CREDIT takes away");
            return self.mistake(entry.field("percentage_value"), message);
        }
        let mut of_billing_group = item.associated_values.is_none();
        let mut of_items = Vec::new();
        for (element, value) in item.associated_values.iter().flatten().enumerate() {
            let place = entry.element("associated_values", element);
            if value == "billing_group" {
                if of_billing_group {
                    return self.mistake(place, format!("`{value}` is listed twice"));
                }
                of_billing_group = true;
            } else if let Some(number) = self.associated_item(place, item, value, items) {
                if of_items.contains(&number) {
                    let place = entry.element("associated_values", element);
                    return self.mistake(place, format!("`{value}` is listed twice"));
                }
                of_items.push(number);
            }
        }
        if itemized? && !of_items.is_empty() {
            let message =
                "an ITEMIZED charge is made beside each line; flat items cannot be among its values";
            return self.mistake(entry.field("associated_values"), message);
        }
        let (itemized, filter) = (itemized?, filter?);
        Some(Charge::Percentage(PercentageCharge {
            percentage,
            of_billing_group,
            of_items,
            filter,
            itemized,
        }))
    }

    fn associated_item(
        &mut self,
        place: Place,
        item: &ItemDraft,
        value: &str,
        items: &ByName<'_>,
    ) -> Option<usize> {
        let draft = self.draft;
        let Some(&number) = items.get(value) else {
            return self.mistake(place, unknown("custom line item", value, items));
        };
        let other = &draft.custom_line_items[number];
        if other.flat_charge_value.is_none() {
            let message = format!("`{value}` is a percentage item; only flat items can be associated");
            return self.mistake(place, message);
        }
        if other.billing_group != item.billing_group {
            let message =
                format!("`{value}` belongs to billing group `{}`, not to this item's", other.billing_group);
            return self.mistake(place, message);
        }
        Some(number)
    }

    fn filter(&mut self, entry: Entry, item: &ItemDraft) -> Option<Option<Filter>> {
        let [filter] = item.line_item_filters.as_slice() else {
            if item.line_item_filters.is_empty() {
                return Some(None);
            }
            return self
                .mistake(entry.field("line_item_filters"), "an item has at most one line item filter");
        };
        let FilterDraft { attribute, match_option, values, attribute_values } = filter;
        let one = |list: &Option<Vec<String>>| match list.as_deref() {
            Some([value]) if !value.is_empty() => Some(value.clone()),
            _ => None,
        };
        let found = match (attribute.as_str(), match_option.as_str(), one(values), one(attribute_values)) {
            ("LINE_ITEM_TYPE", "NOT_EQUAL", Some(value), None) if value == "SAVINGS_PLAN_NEGATION" => {
                Filter::WithoutSavingsPlanNegation
            }
            ("SERVICE", "EQUAL", None, Some(service)) => Filter::OnlyService(service),
            ("SERVICE", "NOT_EQUAL", None, Some(service)) => Filter::WithoutService(service),
            _ => {
                let message = "a filter is LINE_ITEM_TYPE NOT_EQUAL with values [\"SAVINGS_PLAN_NEGATION\"], or SERVICE \
                               EQUAL or NOT_EQUAL with one service code in attribute_values";
                return self.mistake(entry.field("line_item_filters"), message);
            }
        };
        Some(Some(found))
    }

    /// AWS's quotas and caps (AWS Billing Conductor user guide, "Quotas and restrictions"): a book may exceed them.
    fn warn_of_quotas(&mut self) {
        let draft = self.draft;
        for (number, item) in draft.custom_line_items.iter().enumerate() {
            let entry = Entry { table: "custom_line_items", number };
            if item.flat_charge_value.is_some_and(|value| value.units() > 1_000_000 * Cost::ONE.units()) {
                self.warn(entry.field("flat_charge_value"), "AWS allows at most 1,000,000");
            }
            if item.percentage_value.is_some_and(|value| value.units() > 10_000 * Percentage::ONE.units()) {
                self.warn(entry.field("percentage_value"), "AWS allows at most 10,000 %");
            }
            if item.associated_values.as_ref().is_some_and(|values| values.len() > 100) {
                self.warn(entry.field("associated_values"), "AWS allows at most 100 associated values");
            }
        }
        for (number, group) in draft.billing_groups.iter().enumerate() {
            let entry = Entry { table: "billing_groups", number };
            if group.accounts.len() > 1_000 {
                self.warn(entry.field("accounts"), "AWS allows at most 1,000 accounts in a billing group");
            }
            let of_group = |item: &&ItemDraft| item.billing_group == group.name;
            let items = || draft.custom_line_items.iter().filter(of_group);
            if items().filter(|item| !item.line_item_filters.is_empty()).count() > 10 {
                self.warn(
                    entry.field("name"),
                    "AWS allows at most 10 custom line items with filters in a billing group",
                );
            }
            if items().filter(|item| item.computation_rule.as_deref() == Some("ITEMIZED")).count() > 5 {
                self.warn(
                    entry.field("name"),
                    "AWS allows at most 5 itemized custom line items in a billing group",
                );
            }
        }
        for (number, plan) in draft.pricing_plans.iter().enumerate() {
            if plan.pricing_rules.len() > 500 {
                let entry = Entry { table: "pricing_plans", number };
                self.warn(entry.field("pricing_rules"), "AWS allows at most 500 rules in a pricing plan");
            }
        }
    }
}

/// What a scope selects, as a person would say it.
fn selector_text(scope: &Scope) -> String {
    match scope {
        Scope::Global => "everything".to_owned(),
        Scope::BillingEntity(name) | Scope::Service(name) => format!("`{name}`"),
        Scope::Sku { service, usage_type, operation } => {
            format!("`{service}` `{usage_type}` `{}`", operation.as_deref().unwrap_or("any operation"))
        }
    }
}

/// The message for a reference to nothing, with the nearest name that exists.
fn unknown(thing: &str, name: &str, names: &ByName<'_>) -> String {
    let near = names.keys().map(|other| (distance(name, other), *other)).min();
    match near {
        Some((away, other)) if away <= 2 => format!("there is no {thing} `{name}`; did you mean `{other}`?"),
        _ => format!("there is no {thing} `{name}`"),
    }
}

/// How many letters to change, add or remove to come from one text to another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
