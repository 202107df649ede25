//! From a draft to a book, or to all of its mistakes.

mod allocations;
mod filters;
mod group_rules;
mod groups;
mod hierarchy;
mod items;
mod lines;
mod policies;
mod rules;
mod transfers;

use super::{Book, Draft, ItemDraft};
use crate::account::AccountId;
use crate::money::{Cost, Currency, Percentage};
use crate::period::BillingPeriod;
use crate::sharing::Sharing;
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
        let currency = self.currency(draft.currency_code(), top("currency"));
        let sharing = self.sharing();
        let account_names = self.account_names();
        let rules = self.rules();
        let rule_numbers =
            self.by_name("pricing_rules", draft.pricing_rules.iter().map(|rule| rule.name.as_str()));
        let plans = self.plans(&rule_numbers, &rules);
        let plan_numbers =
            self.by_name("pricing_plans", draft.pricing_plans.iter().map(|plan| plan.name.as_str()));
        let transfer_numbers = self.by_name(
            "responsibility_transfers",
            draft.responsibility_transfers.iter().map(|transfer| transfer.name.as_str()),
        );
        let transfers = self.transfers();
        let mut groups = self.groups(&plan_numbers, &transfer_numbers);
        let group_numbers =
            self.by_name("billing_groups", draft.billing_groups.iter().map(|g| g.name.as_str()));
        self.hierarchy(&group_numbers, &transfers, &mut groups);
        let items = self.items(&group_numbers);
        let policies = self.policies(&group_numbers);
        Some(Book {
            payer: payer?,
            currency: currency?,
            account_names,
            transfers: transfers.into_iter().collect::<Option<_>>()?,
            groups: groups.into_iter().collect::<Option<_>>()?,
            rules: rules.into_iter().collect::<Option<_>>()?,
            plans,
            items: items.into_iter().collect::<Option<_>>()?,
            sharing: sharing?,
            policies: policies?,
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

    fn currency(&mut self, code: &str, place: Place) -> Option<Currency> {
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

    fn period(&mut self, text: &str, place: Place) -> Option<BillingPeriod> {
        match BillingPeriod::parse(text) {
            Ok(period) => Some(period),
            Err(mistake) => self.mistake(place, mistake.to_string()),
        }
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
