//! What a book says, as one text: the same for any order of its entries.

use super::{BASIC_PRICING_PLAN, Book, PASSTHROUGH_PLAN};
use crate::billing_group::{BillingGroup, Plan};
use crate::custom_line_item::{Charge, CustomLineItem};
use crate::line_filter::{self, LineFilter};
use crate::period::BillingPeriod;
use crate::policy::{CostAllocation, Distributed, InForce, Method, Target};
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer};
use crate::sharing::Sharing;
use std::fmt::Write as _;

impl Book {
    /// The book as text, entries in name order; what is not in force in the period is left out.
    pub(super) fn canonical(&self, period: BillingPeriod) -> String {
        let mut lines = vec![format!("book {} {} {period}", self.payer, self.currency)];
        lines.extend(self.account_names.iter().map(|(id, name)| format!("account {id} {name:?}")));
        lines.extend(self.rules.iter().map(|rule| format!("rule {rule:?}")));
        let rule = |number: &usize| self.rules[*number].name.as_str();
        for plan in &self.plans {
            let mut rules: Vec<_> = plan.rules.iter().map(rule).collect();
            rules.sort_unstable();
            lines.push(format!("plan {:?} {rules:?}", plan.name));
        }
        for group in self.groups_of(period).map(|group| &self.groups[group]) {
            let plan = match group.pricing_plan {
                Plan::Basic => BASIC_PRICING_PLAN,
                Plan::Passthrough => PASSTHROUGH_PLAN,
                Plan::Own(plan) => &self.plans[plan].name,
            };
            let mut accounts = group.accounts.clone();
            accounts.sort();
            let BillingGroup { name, description, primary_account, auto_associate, .. } = group;
            let mut line = format!(
                "group {name:?} {description:?} {primary_account} {accounts:?} {plan:?} {auto_associate}"
            );
            if !group.lines.is_empty() {
                line += &format!(" {:?}", filters(&group.lines));
            }
            let usage = group.usage.within(period);
            if !usage.is_all() {
                line += &format!(" {usage:?}");
            }
            lines.push(line);
        }
        let name = |group: usize| self.groups[group].name.as_str();
        lines.extend(self.groups.iter().filter_map(|group| {
            group.parent.map(|parent| format!("parent of {:?} {:?}", group.name, name(parent)))
        }));
        lines.extend(self.canonical_transfers(period));
        for item in self.items.iter().filter(|item| self.charges(item, period) && item.origin.is_none()) {
            lines.push(self.canonical_item(item));
        }
        if self.sharing != Sharing::default() {
            lines.push(format!("sharing {}", self.sharing.name()));
        }
        lines.extend(self.canonical_policies(period));
        lines.extend(self.exports.columns.iter().map(|column| format!("export column {column:?}")));
        lines.extend(self.exports.tags.iter().map(|tag| format!("export tag {tag:?}")));
        lines.extend(self.exports.invoice_issuer.iter().map(|issuer| format!("invoice issuer {issuer:?}")));
        lines.extend(self.reports.tags.iter().map(|tag| format!("report tag {tag:?}")));
        lines.extend(self.reports.cost_categories.iter().map(|name| format!("report category {name:?}")));
        lines.sort();
        lines.join("\n")
    }

    /// The billing transfers that there are in a period, and which groups they make.
    fn canonical_transfers(&self, period: BillingPeriod) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, transfer) in self.transfers.iter().enumerate() {
            let phase = transfer.phase(period);
            if phase == Phase::Gone {
                continue;
            }
            let ResponsibilityTransfer { name, source, receiver, accounts, .. } = transfer;
            let mut accounts = accounts.clone();
            accounts.sort();
            let group = self.groups.iter().find(|group| group.transfer == Some(number));
            let group = group.map(|group| &group.name);
            lines.push(format!("transfer {name:?} {source} {receiver} {accounts:?} {phase:?} {group:?}"));
        }
        lines
    }

    pub(super) fn canonical_item(&self, item: &CustomLineItem) -> String {
        let CustomLineItem { name, description, billing_group, kind, account, presentation_service, .. } =
            item;
        let group = &self.groups[*billing_group].name;
        let mut line =
            format!("item {name:?} {description:?} {group:?} {kind:?} {account} {presentation_service:?} ");
        // Writing to a String cannot fail.
        let _ = match &item.charge {
            Charge::Flat(value) => match item.currency {
                None => write!(line, "flat {value}"),
                Some(currency) => write!(line, "flat {value} {currency}"),
            },
            Charge::Computed(of) => write!(line, "computed {} {}", of.amount, of.currency),
            Charge::Percentage(charge) => {
                let mut of: Vec<_> =
                    charge.of_items.iter().map(|item| self.items[*item].name.as_str()).collect();
                of.sort_unstable();
                let (percentage, filter) = (charge.percentage, &charge.filter);
                write!(
                    line,
                    "{percentage} % of {} {of:?} {filter:?} {}",
                    charge.of_billing_group, charge.itemized
                )
            }
        };
        // What corrects nothing has the line that it always had: books keep their hashes.
        if let Some(corrects) = item.corrects {
            line.push_str(&format!(" corrects {corrects}"));
        }
        line
    }

    /// The policies in force, with names for numbers.
    fn canonical_policies(&self, period: BillingPeriod) -> Vec<String> {
        let policies = &self.policies;
        let counts = |in_force: &InForce| in_force.contains(period);
        let group = |number: &usize| self.groups[*number].name.as_str();
        let mut lines = Vec::new();
        for of in policies.distributions.iter().filter(|of| counts(&of.in_force)) {
            let treatment = match of.treatment {
                Distributed::Allocate(number) => format!("to {:?}", policies.allocations[number].name),
                other => format!("{other:?}"),
            };
            lines.push(format!("distribution {:?} {:?} {treatment}", of.name, filters(&of.lines)));
        }
        for of in policies.allocations.iter().filter(|of| counts(&of.in_force)) {
            lines.push(self.canonical_allocation(of, period));
        }
        for of in policies.support_fees.iter().filter(|of| counts(&of.in_force)) {
            let groups = sorted(of.groups.iter().map(group));
            let (tiers, minimum, service) = (&of.tiers, of.minimum, &of.presentation_service);
            lines.push(format!(
                "support {:?} {:?} {groups:?} {:?} {tiers:?} {minimum} {service:?}",
                of.name, of.description, of.of
            ));
        }
        for of in policies.payer_commitments.iter().filter(|of| counts(&of.in_force)) {
            let shares = sorted(of.shares.iter().map(|(number, share)| (group(number), *share)));
            let (spend, service) = (filters(&of.spend), &of.presentation_service);
            lines.push(format!(
                "commitment {:?} {} {:?} {spend:?} {shares:?} {} {service:?}",
                of.name, of.amount, of.of, of.shared
            ));
        }
        for of in policies.minimums.iter().filter(|of| counts(&of.in_force)) {
            let (group, service) = (group(&of.group), &of.presentation_service);
            lines.push(format!(
                "minimum {:?} {:?} {group:?} {:?} {:?} {:?} {service:?}",
                of.name, of.description, of.amount, of.percentage, of.of
            ));
        }
        lines
    }

    fn canonical_allocation(&self, of: &CostAllocation, period: BillingPeriod) -> String {
        let target = |target: &Target| self.target_text(target);
        let method = match &of.method {
            Method::Even => "even".to_owned(),
            Method::ProportionalToCost(measure, lines) => format!("cost {measure:?} {:?}", filters(lines)),
            Method::ProportionalToUsage(lines) => format!("usage {:?}", filters(lines)),
            Method::Fixed(shares) => {
                format!("fixed {:?}", sorted(shares.iter().map(|(of, share)| (target(of), *share))))
            }
            Method::Weights(file) => {
                let rows = file.rows.iter().filter(|row| row.period.is_none_or(|of| of == period));
                format!(
                    "weights {:?} {:?}",
                    file.name,
                    sorted(
                        rows.map(|row| (row.target.as_ref().map_or_else(Clone::clone, target), row.weight))
                    )
                )
            }
        };
        let targets = &of.targets;
        let except: Vec<&str> = sorted(targets.except_groups.iter().map(|of| self.groups[*of].name.as_str()));
        format!(
            "allocation {:?} {:?} step {} {:?} {} {} {:?} to {:?} but {except:?} {:?} {} {method} {:?} {} {:?}",
            of.name,
            of.description,
            of.step,
            filters(&of.source),
            of.payer_usage,
            of.unused_commitments,
            of.cost,
            sorted(targets.named.iter().map(target)),
            sorted(targets.except_accounts.iter()),
            targets.by_account,
            of.empty_base,
            of.itemized,
            of.presentation_service,
        )
    }

    /// A target by name, in the order in which parts are dealt out.
    #[must_use]
    pub fn target_text(&self, target: &Target) -> String {
        match target {
            Target::Group(number) => format!("billing group `{}`", self.groups[*number].name),
            Target::Account(account) => format!("account `{account}`"),
            Target::Allocation(number) => format!("allocation `{}`", self.policies.allocations[*number].name),
            Target::Payer => "the payer".to_owned(),
        }
    }
}

fn filters(lines: &[LineFilter]) -> Vec<String> {
    sorted(lines.iter().map(|filter| format!("{:?}", line_filter::canonical(filter))))
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values
}
