//! From a set-up to the draft of a book, with everything said that a book cannot hold or the API does not tell.
//!
//! Nothing is left out silently: what is no loss of money is a notice, anything else a problem, and a set-up with problems makes no book.

mod groups;
mod items;
mod names;
mod rules;

use crate::number::{Double, decimal};
use crate::set_up::{SetUp, id_of};
use billing::book::{AccountDraft, BASIC_PRICING_PLAN, Draft, PASSTHROUGH_PLAN};
use billing::money::Decimal;
use billing::period::BillingPeriod;
use names::Names;
use std::collections::{BTreeMap, BTreeSet};

/// How a book calls the group's own lines among what a percentage is of.
const BILLING_GROUP: &str = "billing_group";
const NOT_READ: &str =
    "not carried over, because a book has no words for them: tags, e-mail addresses of accounts";

/// A draft, and what is to be known of it.
#[derive(Debug)]
pub struct Adopted {
    /// The draft.
    pub draft: Draft,
    /// What it does not hold, what is assumed, and what was renamed.
    pub notices: Vec<String>,
}

/// Makes the draft.
///
/// # Errors
/// Every problem: what is missing, contradicts itself, or would change an amount if it were left out.
pub fn adopted(set_up: &SetUp) -> Result<Adopted, Vec<String>> {
    let mut adoption = Adoption::new(set_up);
    let draft = Draft {
        payer_account_id: set_up.payer.clone(),
        currency: adoption.currency(),
        accounts: adoption.accounts(),
        pricing_rules: adoption.rules(),
        pricing_plans: adoption.plans(),
        responsibility_transfers: adoption.transfers(),
        billing_groups: adoption.groups(),
        custom_line_items: adoption.items(),
        ..Draft::default()
    };
    let Adoption { mut notices, problems, .. } = adoption;
    if !problems.is_empty() {
        return Err(problems);
    }
    notices.push(NOT_READ.to_owned());
    Ok(Adopted { draft, notices })
}

struct Adoption<'a> {
    set_up: &'a SetUp,
    rule_names: Names,
    plan_names: Names,
    group_names: Names,
    item_names: Names,
    notices: Vec<String>,
    problems: Vec<String>,
}

impl<'a> Adoption<'a> {
    fn new(set_up: &'a SetUp) -> Self {
        let (mut notices, mut problems) = (Vec::new(), Vec::new());
        let mut names = |kind, reserved: &[&str], named: Vec<(&Option<String>, &Option<String>)>| {
            Names::new(kind, reserved, &named, &mut notices, &mut problems)
        };
        Self {
            set_up,
            rule_names: names(
                "pricing rule",
                &[],
                set_up.rules.iter().map(|it| (&it.arn, &it.name)).collect(),
            ),
            plan_names: names(
                "pricing plan",
                &[BASIC_PRICING_PLAN, PASSTHROUGH_PLAN],
                set_up.plans.iter().map(|it| (&it.plan.arn, &it.plan.name)).collect(),
            ),
            group_names: names(
                "billing group",
                &[],
                set_up.groups.iter().map(|it| (&it.arn, &it.name)).collect(),
            ),
            item_names: names(
                "custom line item",
                &[BILLING_GROUP],
                set_up.items.iter().map(|it| (&it.item.arn, &it.item.name)).collect(),
            ),
            notices,
            problems,
        }
    }

    fn notice(&mut self, text: String) {
        self.notices.push(text);
    }

    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    /// A number of something; one that a book cannot hold is a problem.
    fn number<const SCALE: u32>(&mut self, of: &str, what: &str, double: Double) -> Decimal<SCALE> {
        decimal(double).unwrap_or_else(|mistake| {
            self.problem(format!("{of}: {what} {double}: {mistake}"));
            Decimal::ZERO
        })
    }

    /// The currency of flat items, where they name another than a book's own.
    fn currency(&mut self) -> Option<String> {
        let set_up = self.set_up;
        let codes = set_up.items.iter().filter_map(|it| it.item.currency_code.as_ref());
        let codes: BTreeSet<&str> =
            codes.map(aws_sdk_billingconductor::types::CurrencyCode::as_str).collect();
        if codes.len() > 1 {
            let codes = Vec::from_iter(&codes).into_iter().copied().collect::<Vec<_>>().join(" and ");
            self.problem(format!("custom line items are in {codes}, but a book has one currency"));
        }
        codes.first().filter(|code| **code != "USD").map(|code| (*code).to_owned())
    }

    /// The names of accounts, by id.
    fn accounts(&mut self) -> Vec<AccountDraft> {
        let listed = self.set_up.accounts.iter().chain(self.set_up.transferred.values().flatten());
        let named = listed.filter_map(|it| Some((it.account_id.clone()?, it.account_name.clone()?)));
        let names: BTreeMap<String, String> = named.filter(|(_, name)| !name.is_empty()).collect();
        names.into_iter().map(|(id, name)| AccountDraft { id, name }).collect()
    }

    /// Says that a description stays behind.
    fn description_stays(&mut self, what: &str, description: Option<&String>) {
        if description.is_some_and(|text| !text.is_empty()) {
            self.notice(format!("{what}: its description is not carried over, a book has none"));
        }
    }
}

/// A period as the API writes it, whose month may have one digit.
fn period(text: &str) -> Option<BillingPeriod> {
    let (year, month) = text.split_once('-')?;
    BillingPeriod::parse(&format!("{year}-{month:0>2}")).ok()
}

/// The name of a plan in a book, if AWS manages it.
fn managed_plan(arn: &str) -> Option<&'static str> {
    [BASIC_PRICING_PLAN, PASSTHROUGH_PLAN].into_iter().find(|name| *name == id_of(arn))
}

#[cfg(test)]
mod tests;
