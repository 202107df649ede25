//! From a configuration to the book of a period.

mod shown;

use super::{
    AssociatedValue, BillingGroupId, ChargeSettings, Configuration, CustomLineItemId, GroupSettings,
    ItemSettings, PlacedBy, PlanOf, RuleSettings, Span, TransferSettings,
};
use crate::account::AccountId;
use crate::billing_group::UsageWindow;
use crate::book::{
    AccountDraft, BASIC_PRICING_PLAN, Draft, FilterDraft, GroupDraft, ItemDraft, PASSTHROUGH_PLAN, PlanDraft,
    RuleDraft, SelectorDraft, TransferDraft,
};
use crate::custom_line_item::{Filter, Kind};
use crate::period::{BillingPeriod, date_text};
use crate::pricing::{Pricing, Scope};
use std::collections::{BTreeMap, BTreeSet, HashMap};

impl Configuration {
    /// The book of a period: what is configured for it, in the order of creation, with what `other` holds, the parsed
    /// [`OtherSettings`](super::OtherSettings) of the period.
    ///
    /// A custom line item has the range of the version that holds in the period; one that only begins later is there too, so that a book
    /// keeps it, and so is a flat item that is over but that a percentage is still of. What has no versions of its own, billing transfers and names of accounts, is as it is now, but for transfers that later
    /// changes have made contradict the period: no account is in a group and in a transferred organization at once.
    #[must_use]
    pub fn draft(&self, period: BillingPeriod, other: &Draft) -> Draft {
        let named = |(id, account): (&AccountId, &super::FamilyAccount)| {
            Some(AccountDraft { id: id.to_string(), name: account.name.clone()? })
        };
        let mut draft = Draft {
            payer_account_id: self.payer.to_string(),
            currency: other.currency.clone(),
            accounts: self.family.iter().filter_map(named).collect(),
            pricing_rules: self.rules.in_period(period).map(|(.., rule)| rule_draft(rule)).collect(),
            pricing_plans: self
                .plans
                .in_period(period)
                .map(|(.., plan)| self.plan_draft(plan, period))
                .collect(),
            responsibility_transfers: self.shown_transfers(period).iter().map(transfer_draft).collect(),
            billing_groups: self.group_drafts(period, other),
            custom_line_items: self.item_drafts(period, other),
            sharing_commitments: other.sharing_commitments.clone(),
            distributions: other.distributions.clone(),
            allocations: other.allocations.clone(),
            support_fees: other.support_fees.clone(),
            payer_commitments: other.payer_commitments.clone(),
            minimums: other.minimums.clone(),
            exports: other.exports.clone(),
            reports: other.reports.clone(),
        };
        hand_over(&mut draft);
        draft
    }

    /// Adds to the book of a period the rules of its groups, which nothing is priced by, and which accounts they have put there.
    pub fn add_rules(&self, draft: &mut Draft, period: BillingPeriod) {
        let rules = self.rules_in_force(period);
        let named: HashMap<&str, (&BillingGroupId, &crate::group_rule::GroupRule)> = rules
            .into_iter()
            .filter_map(|(id, rule)| Some((self.groups.at(id, period)?.1.name.as_str(), (id, rule))))
            .collect();
        for group in &mut draft.billing_groups {
            let Some((id, rule)) = named.get(group.name.as_str()) else { continue };
            let by_rule = |account: &&String| {
                let placed = AccountId::parse(account).and_then(|account| {
                    let placed = self.placed(&account, period)?;
                    Some(placed.group == **id && matches!(placed.by, PlacedBy::Rule(_)))
                });
                placed == Some(true) && **account != group.primary_account_id
            };
            group.rule = rule.selectors.iter().map(SelectorDraft::of).collect();
            group.rule_except = rule.except.iter().map(ToString::to_string).collect();
            group.rule_accounts = group.accounts.iter().filter(by_rule).cloned().collect();
        }
    }

    fn plan_draft(&self, plan: &super::PlanSettings, period: BillingPeriod) -> PlanDraft {
        let mut rules: Vec<(u64, &str)> = (plan.rules.iter())
            .filter_map(|id| self.rules.at(id, period))
            .map(|(resource, rule)| (resource.number, rule.name.as_str()))
            .collect();
        rules.sort_unstable();
        let pricing_rules = rules.into_iter().map(|(_, name)| name.to_owned()).collect();
        PlanDraft { name: plan.name.clone(), pricing_rules }
    }

    fn group_drafts(&self, period: BillingPeriod, other: &Draft) -> Vec<GroupDraft> {
        let beyond: HashMap<&str, &GroupDraft> =
            other.billing_groups.iter().map(|group| (group.name.as_str(), group)).collect();
        let mut members: HashMap<&BillingGroupId, Vec<&AccountId>> = HashMap::new();
        for (account, groups) in &*self.memberships {
            if let Some(group) = groups.at(period) {
                members.entry(group).or_default().push(account);
            }
        }
        let draft = |(id, _, group): (&BillingGroupId, &super::Resource<GroupSettings>, &GroupSettings)| {
            let mut accounts = members.remove(id).unwrap_or_default();
            accounts.sort_by_key(|account| **account != group.primary_account);
            let is_standard = group.transfer.is_none();
            let own = |account: &&AccountId| is_standard.then(|| account.to_string());
            let beyond = beyond.get(group.name.as_str());
            let usage = match is_standard {
                true => self.usage_window(&group.primary_account, period),
                false => UsageWindow::default(),
            };
            GroupDraft {
                name: group.name.clone(),
                description: group.description.clone(),
                primary_account_id: own(&&group.primary_account).unwrap_or_default(),
                accounts: accounts.iter().filter_map(own).collect(),
                responsibility_transfer: group.transfer.clone(),
                lines: beyond.map(|group| group.lines.clone()).unwrap_or_default(),
                pricing_plan: self.plan_name(&group.pricing_plan, period),
                auto_associate: group.auto_associate,
                parent: beyond.and_then(|group| group.parent.clone()),
                usage_from: usage.from.map(date_text),
                usage_through: usage.through.map(date_text),
                ..GroupDraft::default()
            }
        };
        self.groups.in_period(period).map(draft).collect()
    }

    /// The name of a plan in a book.
    fn plan_name(&self, plan: &PlanOf, period: BillingPeriod) -> String {
        match plan {
            PlanOf::Basic => BASIC_PRICING_PLAN.to_owned(),
            PlanOf::Passthrough => PASSTHROUGH_PLAN.to_owned(),
            // A plan that is not there is no reason to price by another: the check of the book says that it is missing.
            PlanOf::Own(id) => {
                self.plans.at(id, period).map_or_else(|| id.to_string(), |(_, plan)| plan.name.clone())
            }
        }
    }

    fn item_drafts(&self, period: BillingPeriod, other: &Draft) -> Vec<ItemDraft> {
        let mut shown = self.shown_items(period);
        // What holds in other periods was named against what is there then; in this one, it may stand in nobody's way.
        shown.retain(|(_, span)| span.holds(period) || !other.names_charge(&span.value.name));
        let by_id: BTreeMap<&CustomLineItemId, &ItemSettings> =
            shown.iter().map(|(id, span)| (*id, &span.value)).collect();
        shown.iter().filter_map(|(_, span)| self.item_draft(span, period, &by_id)).collect()
    }

    fn item_draft(
        &self,
        span: &Span<ItemSettings>,
        period: BillingPeriod,
        items: &BTreeMap<&CustomLineItemId, &ItemSettings>,
    ) -> Option<ItemDraft> {
        let item = &span.value;
        let (_, group) = self.groups.at(&item.billing_group, period)?;
        let mut draft = ItemDraft {
            name: item.name.clone(),
            description: item.description.clone(),
            billing_group: group.name.clone(),
            kind: match item.kind {
                Kind::Fee => "FEE",
                Kind::Credit => "CREDIT",
            }
            .to_owned(),
            computation_rule: (item.itemized == Some(true)).then(|| "ITEMIZED".to_owned()),
            presentation_service: item.presentation_service.clone(),
            account_id: item.account.as_ref().map(ToString::to_string),
            start: span.from.to_string(),
            end: span.to.map(|end| end.to_string()),
            ..ItemDraft::default()
        };
        match &item.charge {
            ChargeSettings::Flat(value) => draft.flat_charge_value = Some(*value),
            ChargeSettings::Percentage { percentage, of, filter } => {
                draft.percentage_value = Some(*percentage);
                draft.associated_values = self.associated_values(item, of, items);
                draft.line_item_filters = filter.iter().map(filter_draft).collect();
            }
        }
        Some(draft)
    }

    /// What a percentage is taken of; none is the group's lines, as it is when nothing is said. A flat item that is not there charges nothing,
    /// and no more does a percentage of it.
    fn associated_values(
        &self,
        item: &ItemSettings,
        of: &BTreeSet<AssociatedValue>,
        items: &BTreeMap<&CustomLineItemId, &ItemSettings>,
    ) -> Option<Vec<String>> {
        if of.len() == 1 && of.contains(&AssociatedValue::BillingGroup) {
            return None;
        }
        let mut values: Vec<(u64, String)> = (of.iter())
            .filter_map(|value| match value {
                AssociatedValue::BillingGroup => Some((0, "billing_group".to_owned())),
                AssociatedValue::Item(id) => {
                    let flat = items.get(id).copied().filter(|flat| flat.is_flat_item_beside(item))?;
                    Some((self.items.get(id)?.number, flat.name.clone()))
                }
            })
            .collect();
        values.sort_unstable();
        Some(values.into_iter().map(|(_, name)| name).collect())
    }
}

fn rule_draft(rule: &RuleSettings) -> RuleDraft {
    let mut draft =
        RuleDraft { name: rule.name.clone(), scope: rule.scope.name().to_owned(), ..RuleDraft::default() };
    match &rule.scope {
        Scope::Global => {}
        Scope::BillingEntity(entity) => draft.billing_entity = Some(entity.clone()),
        Scope::Service(service) => draft.service = Some(service.clone()),
        Scope::Sku { service, usage_type, operation } => {
            draft.service = Some(service.clone());
            draft.usage_type = Some(usage_type.clone());
            draft.operation.clone_from(operation);
        }
    }
    let kind = match &rule.pricing {
        Pricing::Markup(percentage) => {
            draft.modifier_percentage = Some(*percentage);
            "MARKUP"
        }
        Pricing::Discount(percentage) => {
            draft.modifier_percentage = Some(*percentage);
            "DISCOUNT"
        }
        Pricing::CustomTiers(tiers) => {
            draft.custom_tiers = Some(tiers.tiers().all().to_vec());
            "TIERING"
        }
        Pricing::FreeTier { activated } => {
            draft.free_tier_activated = Some(*activated);
            "TIERING"
        }
    };
    kind.clone_into(&mut draft.kind);
    draft
}

fn filter_draft(filter: &Filter) -> FilterDraft {
    let of_service = |match_option: &str, service: &String| FilterDraft {
        attribute: "SERVICE".to_owned(),
        match_option: match_option.to_owned(),
        values: None,
        attribute_values: Some(vec![service.clone()]),
    };
    match filter {
        Filter::WithoutSavingsPlanNegation => FilterDraft {
            attribute: "LINE_ITEM_TYPE".to_owned(),
            match_option: "NOT_EQUAL".to_owned(),
            values: Some(vec!["SAVINGS_PLAN_NEGATION".to_owned()]),
            attribute_values: None,
        },
        Filter::OnlyService(service) => of_service("EQUAL", service),
        Filter::WithoutService(service) => of_service("NOT_EQUAL", service),
    }
}

/// Hands the custom line items of accounts that have left their group to its primary account: the group is charged what it was, and one
/// account that moves holds up nobody's month. The accounts of a group that is only a parent are those below it.
fn hand_over(draft: &mut Draft) {
    let mut of_groups: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for group in &draft.billing_groups {
        let (primary, members) = draft.members_of(group);
        if !members.is_empty() {
            let carriers = members.iter().chain([primary]).map(String::as_str).collect();
            of_groups.insert(&group.name, carriers);
        }
    }
    let has_left = |item: &ItemDraft| {
        let carriers = of_groups.get(item.billing_group.as_str());
        let account = item.account_id.as_deref();
        account.zip(carriers).is_some_and(|(account, carriers)| !carriers.contains(account))
    };
    let left: Vec<bool> = draft.custom_line_items.iter().map(has_left).collect();
    for (item, has_left) in draft.custom_line_items.iter_mut().zip(left) {
        item.account_id = item.account_id.take().filter(|_| !has_left);
    }
}

fn transfer_draft((name, transfer): (&String, &TransferSettings)) -> TransferDraft {
    TransferDraft {
        name: name.clone(),
        source_account_id: transfer.source.to_string(),
        receiver_account_id: transfer.receiver.to_string(),
        accounts: transfer.accounts.iter().map(ToString::to_string).collect(),
        status: transfer.status.name().to_owned(),
        start: transfer.start.to_string(),
        end: transfer.end.map(|end| end.to_string()),
    }
}

#[test]
fn an_account_that_has_left_carries_nothing() {
    let group = |name: &str, accounts: &[&str]| GroupDraft {
        name: name.to_owned(),
        primary_account_id: "1".to_owned(),
        accounts: accounts.iter().map(|&account| account.to_owned()).collect(),
        ..GroupDraft::default()
    };
    let item = |group: &str, account: Option<&str>| ItemDraft {
        billing_group: group.to_owned(),
        account_id: account.map(str::to_owned),
        ..ItemDraft::default()
    };
    let mut draft = Draft {
        billing_groups: vec![group("own", &["1", "2"]), group("parent", &[])],
        custom_line_items: vec![
            item("own", Some("1")),
            item("own", Some("2")),
            item("own", Some("3")),
            item("own", None),
            item("parent", Some("3")),
        ],
        ..Draft::default()
    };
    hand_over(&mut draft);
    let carriers: Vec<_> = draft.custom_line_items.iter().map(|item| item.account_id.as_deref()).collect();
    assert_eq!(carriers, [Some("1"), Some("2"), None, None, Some("3")]);
}
