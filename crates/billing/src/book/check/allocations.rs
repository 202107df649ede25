//! Allocations of shared costs: sources, targets, weights, and the steps by which one feeds the next.

use super::policies::WHOLE;
use super::{ByName, Check, Entry, Place, unknown};
use crate::account::AccountId;
use crate::book::{AllocationDraft, ShareDraft, WeightDraft};
use crate::money::Percentage;
use crate::policy::{
    CostAllocation, CostMeasure, EmptyBase, Method, SourceCost, Target, Targets, Weight, WeightFile,
};

/// The names that an allocation may refer to.
#[derive(Clone, Copy)]
struct Names<'a> {
    groups: &'a ByName<'a>,
    allocations: &'a ByName<'a>,
}

impl Check<'_> {
    pub(super) fn allocations(
        &mut self,
        groups: &ByName<'_>,
        allocations: &ByName<'_>,
    ) -> Option<Vec<CostAllocation>> {
        let draft = self.draft;
        let names = Names { groups, allocations };
        let checked: Vec<_> = (draft.allocations.iter().enumerate())
            .map(|(number, of)| self.allocation(Entry { table: "allocations", number }, of, names))
            .collect();
        checked.into_iter().collect()
    }

    fn allocation(
        &mut self,
        entry: Entry,
        draft: &AllocationDraft,
        names: Names<'_>,
    ) -> Option<CostAllocation> {
        let in_force = self.in_force(entry, draft.start.as_deref(), draft.end.as_deref());
        let step = self.step(entry, draft);
        let source = self.line_filters(entry, "source", &draft.source);
        let cost = match draft.cost.as_deref() {
            None | Some("aws") => Some(SourceCost::Aws),
            Some("public") => Some(SourceCost::Public),
            Some(other) => self
                .mistake(entry.field("cost"), format!("`{other}` is not known here; use `aws` or `public`")),
        };
        let targets = self.targets(entry, draft, step, names);
        let method = self.method(entry, draft, step, names);
        if draft.unused_commitments && self.draft.sharing_commitments.as_deref() == Some("pro_rata") {
            let message = "what nobody used of the payer's commitments is in what `sharing.commitments = \"pro_rata\"` spreads; choose \
                           another way of sharing, or remove this";
            self.mistake::<()>(entry.field("unused_commitments"), message);
        }
        let empty_base = match draft.empty_base.as_deref() {
            None | Some("payer") => Some(EmptyBase::Payer),
            Some("even") => Some(EmptyBase::Even),
            Some("fail") => Some(EmptyBase::Fail),
            Some(other) => {
                let message = format!("`{other}` is not known here; use `payer`, `even` or `fail`");
                self.mistake(entry.field("empty_base"), message)
            }
        };
        let itemized = match draft.computation_rule.as_deref() {
            None | Some("CONSOLIDATED") => Some(false),
            Some("ITEMIZED") if draft.presentation_service.is_some() => {
                let message =
                    "an ITEMIZED charge stands under its product; it has no presentation service of its own";
                self.mistake(entry.field("presentation_service"), message)
            }
            Some("ITEMIZED") => Some(true),
            Some(other) => {
                let message = format!("`{other}` is not a computation rule; use CONSOLIDATED or ITEMIZED");
                self.mistake(entry.field("computation_rule"), message)
            }
        };
        let presentation_service = self.presentation(entry, draft.presentation_service.as_ref());
        self.described(entry, draft.description.as_ref());
        if !self.has_source(entry.number) {
            let message = "nothing is allocated: name a `source`, `payer_usage`, `unused_commitments`, or send lines here \
                           by a distribution or an earlier allocation";
            self.mistake::<()>(entry.field("source"), message);
        }
        Some(CostAllocation {
            name: draft.name.clone(),
            description: draft.description.clone(),
            step: step?,
            source: source?,
            payer_usage: draft.payer_usage,
            unused_commitments: draft.unused_commitments,
            cost: cost?,
            targets: targets?,
            method: method?,
            empty_base: empty_base?,
            itemized: itemized?,
            presentation_service: presentation_service?,
            in_force: in_force?,
        })
    }

    fn step(&mut self, entry: Entry, draft: &AllocationDraft) -> Option<u32> {
        let Some(step) = draft.step else { return Some(1) };
        match u32::try_from(step.units()) {
            Ok(step) if step >= 1 => Some(step),
            _ => self.mistake(entry.field("step"), format!("`{step}` is not a step; count from 1")),
        }
    }

    /// Whether anything at all may be the source of an allocation.
    fn has_source(&self, number: usize) -> bool {
        let draft = self.draft;
        let own = &draft.allocations[number];
        let named = |name: &String| *name == own.name;
        let fed = draft.allocations.iter().any(|other| {
            let of_targets = other.targets.iter().flat_map(|targets| &targets.allocations);
            of_targets.chain(other.shares.iter().flat_map(|share| &share.allocation)).any(named)
                || other.weight_rows.iter().any(|row| named(&row.target))
        });
        let sent = draft.distributions.iter().any(|of| of.allocation.as_ref().is_some_and(named));
        !own.source.is_empty() || own.payer_usage || own.unused_commitments || fed || sent
    }

    fn targets(
        &mut self,
        entry: Entry,
        draft: &AllocationDraft,
        step: Option<u32>,
        names: Names<'_>,
    ) -> Option<Targets> {
        let Some(targets) = &draft.targets else { return Some(Targets::default()) };
        let field = "targets";
        if draft.method == "fixed" {
            let message = "`shares` name the targets of method `fixed`; remove `targets`";
            return self.mistake(entry.field(field), message);
        }
        let groups = self.group_numbers(entry, field, &targets.billing_groups, names.groups);
        let except_groups = self.group_numbers(entry, field, &targets.except_billing_groups, names.groups);
        let except_accounts: Vec<Option<AccountId>> =
            targets.except_accounts.iter().map(|of| self.account(of, entry.field(field))).collect();
        let accounts: Vec<Option<AccountId>> =
            targets.accounts.iter().map(|of| self.account(of, entry.field(field))).collect();
        let mut named: Vec<Target> = groups?.into_iter().map(Target::Group).collect();
        for account in accounts {
            named.push(Target::Account(account?));
        }
        for name in &targets.allocations {
            let fed = self.fed(entry.number, name, step, names);
            named.push(self.or_mistake(entry.field(field), fed)?);
        }
        let mut sorted = named.clone();
        sorted.sort();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return self.mistake(entry.field(field), "names a target twice");
        }
        let takes_accounts = targets.by_account || !targets.accounts.is_empty();
        if !targets.except_accounts.is_empty() && !takes_accounts {
            let message = "`except_accounts` takes away accounts that stand for their groups: it needs `by_account = true`";
            return self.mistake(entry.field(field), message);
        }
        let except_groups = except_groups?;
        if named.iter().any(|target| matches!(target, Target::Group(group) if except_groups.contains(group)))
        {
            return self.mistake(entry.field(field), "names a billing group and takes it away again");
        }
        Some(Targets {
            named,
            except_groups,
            except_accounts: except_accounts.into_iter().collect::<Option<_>>()?,
            by_account: targets.by_account,
        })
    }

    /// An allocation that has a part of another one; it must come later.
    fn fed(&self, own: usize, name: &str, step: Option<u32>, names: Names<'_>) -> Result<Target, String> {
        let Some(&number) = names.allocations.get(name) else {
            return Err(unknown("allocation", name, names.allocations));
        };
        let of_target = self.draft.allocations[number].step.map_or(1, |step| step.units());
        let own = &self.draft.allocations[own].name;
        match step.filter(|step| of_target <= i128::from(*step)) {
            None => Ok(Target::Allocation(number)),
            Some(step) => Err(format!(
                "`{own}` (step {step}) feeds `{name}` (step {of_target}), which is made no later: allocations would go in a \
                 circle; give `{name}` a later `step`"
            )),
        }
    }

    fn method(
        &mut self,
        entry: Entry,
        draft: &AllocationDraft,
        step: Option<u32>,
        names: Names<'_>,
    ) -> Option<Method> {
        let of_method = [
            ("weigh_by", draft.weigh_by.is_some(), &["proportional_to_cost"][..]),
            (
                "weigh_lines",
                !draft.weigh_lines.is_empty(),
                &["proportional_to_cost", "proportional_to_usage"][..],
            ),
            ("shares", !draft.shares.is_empty(), &["fixed"][..]),
            ("weights", draft.weights.is_some(), &["weights"][..]),
        ];
        for (field, given, methods) in of_method {
            if given && !methods.contains(&draft.method.as_str()) {
                let message = format!(
                    "is for method `{}`, not for `{}`; remove it",
                    methods.join("` or `"),
                    draft.method
                );
                return self.mistake(entry.field(field), message);
            }
        }
        let weigh_lines = self.line_filters(entry, "weigh_lines", &draft.weigh_lines);
        match &*draft.method {
            "even" => Some(Method::Even),
            "proportional_to_cost" => {
                let measures = [("pro_forma", CostMeasure::ProForma), ("aws_cost", CostMeasure::Aws)];
                let of = self.cost_measure(entry.field("weigh_by"), draft.weigh_by.as_deref(), &measures);
                Some(Method::ProportionalToCost(of?, weigh_lines?))
            }
            "proportional_to_usage" if draft.weigh_lines.is_empty() => self.mistake(
                entry.field("weigh_lines"),
                "method `proportional_to_usage` needs `weigh_lines`: the usage that is weighed",
            ),
            "proportional_to_usage" => Some(Method::ProportionalToUsage(weigh_lines?)),
            "fixed" => Some(Method::Fixed(self.fixed_shares(entry, draft, step, names)?)),
            "weights" => Some(Method::Weights(self.weight_file(entry, draft, step, names)?)),
            other => {
                let message = format!(
                    "`{other}` is not a method; use even, proportional_to_cost, proportional_to_usage, fixed or weights"
                );
                self.mistake(entry.field("method"), message)
            }
        }
    }

    /// What is right, or a mistake.
    fn or_mistake<T>(&mut self, place: Place, what: Result<T, String>) -> Option<T> {
        what.map_or_else(|message| self.mistake(place, message), Some)
    }

    fn fixed_shares(
        &mut self,
        entry: Entry,
        draft: &AllocationDraft,
        step: Option<u32>,
        names: Names<'_>,
    ) -> Option<Vec<(Target, Percentage)>> {
        let mut shares: Vec<(Target, Percentage)> = Vec::new();
        let mut sum = 0;
        for (element, share) in draft.shares.iter().enumerate() {
            let place = entry.element("shares", element);
            let target = self.share_target(&place, share, step, names)?;
            if shares.iter().any(|(known, _)| *known == target) {
                return self.mistake(place, "names a target twice");
            }
            shares.push((target, self.share(place, share.percentage)?));
            sum += share.percentage.units();
        }
        if sum != WHOLE {
            let sum = Percentage::from_units(sum).unwrap_or_default();
            let message = format!("the shares sum to {sum} %, not to 100; `payer = true` keeps a rest");
            return self.mistake(entry.field("shares"), message);
        }
        Some(shares)
    }

    fn share_target(
        &mut self,
        place: &Place,
        share: &ShareDraft,
        step: Option<u32>,
        names: Names<'_>,
    ) -> Option<Target> {
        match (&share.billing_group, &share.account, &share.allocation, share.payer) {
            (Some(name), None, None, false) => match names.groups.get(name.as_str()) {
                Some(number) => Some(Target::Group(*number)),
                None => self.mistake(place.clone(), unknown("billing group", name, names.groups)),
            },
            (None, Some(account), None, false) => self.account(account, place.clone()).map(Target::Account),
            (None, None, Some(name), false) => {
                let fed = self.fed(place.entry, name, step, names);
                self.or_mistake(place.clone(), fed)
            }
            (None, None, None, true) => Some(Target::Payer),
            _ => self.mistake(
                place.clone(),
                "a share has one of `billing_group`, `account`, `allocation` and `payer = true`",
            ),
        }
    }

    fn weight_file(
        &mut self,
        entry: Entry,
        draft: &AllocationDraft,
        step: Option<u32>,
        names: Names<'_>,
    ) -> Option<WeightFile> {
        let place = entry.field("weights");
        let Some(name) = draft.weights.clone() else {
            return self.mistake(place, "method `weights` needs the name of a CSV file in `weights`");
        };
        let mut rows = Some(Vec::new());
        for row in &draft.weight_rows {
            let at = |message: String| format!("`{name}`, line {}: {message}", row.line);
            let period = match row.period.as_deref().map(crate::period::BillingPeriod::parse) {
                Some(Err(mistake)) => {
                    rows = self.mistake(place.clone(), at(mistake.to_string()));
                    continue;
                }
                Some(Ok(period)) => Some(period),
                None => None,
            };
            let target = self.weighed(entry.number, row, step, names);
            // What is of another month is passed by: only a row that counts always can be wrong by itself.
            let target = match target {
                Err(message) if period.is_none() => {
                    rows = self.mistake(place.clone(), at(message));
                    continue;
                }
                target => target.map_err(at),
            };
            let weight = row.weight.clone().unwrap_or_default();
            rows = rows.map(|mut rows: Vec<Weight>| {
                rows.push(Weight { line: row.line, period, target, weight });
                rows
            });
        }
        Some(WeightFile { name, rows: rows? })
    }

    /// Whom a row weighs, or what is wrong with it.
    fn weighed(
        &self,
        own: usize,
        row: &WeightDraft,
        step: Option<u32>,
        names: Names<'_>,
    ) -> Result<Target, String> {
        match &row.weight {
            Err(message) => return Err(message.clone()),
            Ok(weight) if weight.units() < 0 => {
                return Err(format!("weight `{weight}` is negative; use 0 or more"));
            }
            Ok(_) => {}
        }
        if let Some(number) = names.groups.get(row.target.as_str()) {
            return Ok(Target::Group(*number));
        }
        let nobody = || format!("`{}` is no billing group, account or allocation", row.target);
        if names.allocations.contains_key(row.target.as_str()) {
            return self.fed(own, &row.target, step, names);
        }
        AccountId::parse(&row.target).map(Target::Account).ok_or_else(nobody)
    }
}
