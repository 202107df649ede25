//! Books to try: one with every table, and as many others as there are seeds.

use crate::book::{
    AccountDraft, AllocationDraft, DistributionDraft, Draft, FilterDraft, GroupDraft, ItemDraft,
    LineFilterDraft, MinimumDraft, PayerCommitmentDraft, PlanDraft, RuleDraft, SelectorDraft, ShareDraft,
    SupportFeeDraft, TargetsDraft, TransferDraft, WeightDraft,
};
use crate::money::{Cost, Percentage, Quantity};
use crate::tiers::Tier;

pub const PAYER: &str = "999999999999";

pub fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

fn text(of: &str) -> Option<String> {
    Some(of.to_owned())
}

fn percent(of: &str) -> Option<Percentage> {
    Percentage::parse(of).ok()
}

fn amount(of: &str) -> Cost {
    Cost::parse(of).unwrap()
}

pub fn rule(name: &str, percentage: &str) -> RuleDraft {
    RuleDraft {
        name: name.into(),
        scope: "GLOBAL".into(),
        kind: "MARKUP".into(),
        modifier_percentage: percent(percentage),
        ..RuleDraft::default()
    }
}

pub fn group(name: &str, accounts: &[&str]) -> GroupDraft {
    GroupDraft {
        name: name.into(),
        primary_account_id: accounts[0].into(),
        accounts: texts(accounts),
        pricing_plan: "BasicPricingPlan".into(),
        ..GroupDraft::default()
    }
}

pub fn fee(name: &str, group: &str, value: &str, start: &str) -> ItemDraft {
    ItemDraft {
        name: name.into(),
        description: name.into(),
        billing_group: group.into(),
        kind: "FEE".into(),
        flat_charge_value: Some(amount(value)),
        start: start.into(),
        ..ItemDraft::default()
    }
}

fn tier(begin: &str, end: Option<&str>, rate: &str) -> Tier {
    let number = |text: &str| Quantity::parse(text).unwrap();
    Tier { begin: number(begin), end: end.map(number), rate: number(rate) }
}

fn services(names: &[&str]) -> Vec<LineFilterDraft> {
    vec![LineFilterDraft { services: texts(names), ..LineFilterDraft::default() }]
}

fn tagged(value: &str) -> Vec<LineFilterDraft> {
    let tags = [("user_team".to_owned(), texts(&[value]))].into();
    vec![LineFilterDraft { tags, ..LineFilterDraft::default() }]
}

/// A book with every table and every kind of entry.
pub fn rich() -> Draft {
    let mut draft = Draft {
        payer_account_id: PAYER.into(),
        currency: text("EUR"),
        accounts: vec![AccountDraft { id: "111111111111".into(), name: "acme-prod".into() }],
        sharing_commitments: text("keep"),
        ..Draft::default()
    };
    draft.exports.columns = texts(&["bill/InvoiceId"]);
    draft.exports.tags = texts(&["user_project"]);
    draft.exports.invoice_issuer = text("Reseller");
    draft.reports.tags = texts(&["user_team"]);
    draft.reports.cost_categories = texts(&["team"]);
    draft.pricing_rules = rich_rules();
    let names = draft.pricing_rules.iter().map(|rule| rule.name.clone()).collect();
    draft.pricing_plans = vec![
        PlanDraft { name: "gold".into(), pricing_rules: names },
        PlanDraft { name: "bare".into(), pricing_rules: Vec::new() },
    ];
    draft.responsibility_transfers = vec![
        transfer("seller", "333333333333", PAYER, "ACCEPTED", None),
        transfer("shop", "555555555555", "333333333333", "WITHDRAWN", Some("2027-01")),
        transfer("never", "666666666666", PAYER, "DECLINED", None),
    ];
    draft.billing_groups = rich_groups();
    draft.custom_line_items = rich_items();
    policies(&mut draft);
    draft
}

fn rich_rules() -> Vec<RuleDraft> {
    let of = |name: &str, scope: &str, kind: &str| RuleDraft {
        name: name.into(),
        scope: scope.into(),
        kind: kind.into(),
        ..RuleDraft::default()
    };
    vec![
        rule("up", "30"),
        RuleDraft {
            billing_entity: text("AWS Marketplace"),
            modifier_percentage: percent("0"),
            ..of("list", "BILLING_ENTITY", "MARKUP")
        },
        RuleDraft {
            service: text("AmazonEC2"),
            modifier_percentage: percent("12.3456"),
            ..of("ec2", "SERVICE", "DISCOUNT")
        },
        RuleDraft {
            service: text("AmazonEC2"),
            usage_type: text("BoxUsage"),
            operation: text("RunInstances"),
            modifier_percentage: percent("5"),
            ..of("box", "SKU", "DISCOUNT")
        },
        RuleDraft {
            service: text("AmazonS3"),
            usage_type: text("TimedStorage"),
            custom_tiers: Some(vec![tier("0", Some("100"), "0.02"), tier("100", None, "0.015")]),
            ..of("tiers", "SKU", "TIERING")
        },
        RuleDraft { free_tier_activated: Some(false), ..of("free", "GLOBAL", "TIERING") },
    ]
}

fn transfer(name: &str, source: &str, receiver: &str, status: &str, end: Option<&str>) -> TransferDraft {
    TransferDraft {
        name: name.into(),
        source_account_id: source.into(),
        receiver_account_id: receiver.into(),
        accounts: texts(&[source]),
        status: status.into(),
        start: "2026-08".into(),
        end: end.map(Into::into),
    }
}

fn rich_groups() -> Vec<GroupDraft> {
    let mut groups = vec![
        GroupDraft {
            description: text("ACME Corp."),
            pricing_plan: "gold".into(),
            auto_associate: true,
            parent: text("holding"),
            ..group("acme", &["222222222222", "111111111111", PAYER])
        },
        group("holding", &["222222222222"]),
        GroupDraft { lines: tagged("payments"), ..group("payments", &["222222222222"]) },
    ];
    groups[1].accounts.clear();
    groups[2].accounts.clear();
    for (name, plan) in [("seller", "Passthrough"), ("shop", "bare"), ("never", "BasicPricingPlan")] {
        groups.push(GroupDraft {
            name: name.into(),
            responsibility_transfer: text(name),
            pricing_plan: plan.into(),
            ..GroupDraft::default()
        });
    }
    groups
}

fn rich_items() -> Vec<ItemDraft> {
    let share = |name: &str, percentage: &str| ItemDraft {
        flat_charge_value: None,
        percentage_value: percent(percentage),
        ..fee(name, "acme", "0", "2026-09")
    };
    vec![
        ItemDraft { account_id: text("111111111111"), ..fee("service", "acme", "10", "2026-09") },
        ItemDraft {
            end: text("2026-09"),
            computation_rule: text("CONSOLIDATED"),
            ..fee("setup", "acme", "99", "2026-08")
        },
        fee("soon", "holding", "1", "2027-02"),
        ItemDraft { presentation_service: text("AmazonEC2"), ..fee("seat", "shop", "3", "2026-09") },
        ItemDraft {
            associated_values: Some(texts(&["setup", "billing_group", "service"])),
            line_item_filters: vec![FilterDraft {
                attribute: "LINE_ITEM_TYPE".into(),
                match_option: "NOT_EQUAL".into(),
                values: Some(texts(&["SAVINGS_PLAN_NEGATION"])),
                attribute_values: None,
            }],
            ..share("platform", "10")
        },
        ItemDraft { kind: "CREDIT".into(), associated_values: Some(Vec::new()), ..share("nothing", "5") },
        ItemDraft {
            computation_rule: text("ITEMIZED"),
            line_item_filters: vec![FilterDraft {
                attribute: "SERVICE".into(),
                match_option: "EQUAL".into(),
                values: None,
                attribute_values: Some(texts(&["AmazonS3"])),
            }],
            ..share("storage", "5")
        },
    ]
}

fn policies(draft: &mut Draft) {
    draft.distributions = vec![DistributionDraft {
        name: "credits".into(),
        lines: vec![LineFilterDraft { line_item_types: texts(&["Credit"]), ..LineFilterDraft::default() }],
        treatment: "allocate".into(),
        allocation: text("network"),
        ..DistributionDraft::default()
    }];
    let weight = |target: &str| WeightDraft {
        line: 2,
        period: None,
        target: target.into(),
        weight: Ok(Quantity::parse("2").unwrap()),
    };
    let half = |group: Option<&str>| ShareDraft {
        billing_group: group.map(Into::into),
        payer: group.is_none(),
        percentage: percent("50").unwrap(),
        ..ShareDraft::default()
    };
    draft.allocations = vec![
        AllocationDraft {
            name: "network".into(),
            method: "even".into(),
            targets: Some(TargetsDraft {
                except_billing_groups: texts(&["seller"]),
                ..TargetsDraft::default()
            }),
            ..AllocationDraft::default()
        },
        AllocationDraft {
            name: "licences".into(),
            source: services(&["AmazonVPC"]),
            method: "weights".into(),
            weights: text("weights.csv"),
            weight_rows: vec![weight("acme"), weight("111111111111")],
            ..AllocationDraft::default()
        },
        AllocationDraft {
            name: "halves".into(),
            payer_usage: true,
            method: "fixed".into(),
            shares: vec![half(Some("acme")), half(None)],
            ..AllocationDraft::default()
        },
    ];
    draft.support_fees = vec![SupportFeeDraft {
        name: "support".into(),
        billing_groups: texts(&["acme"]),
        tiers: vec![(None, percent("5").unwrap())],
        ..SupportFeeDraft::default()
    }];
    draft.payer_commitments = vec![PayerCommitmentDraft {
        name: "promise".into(),
        amount: amount("1000"),
        shares: vec![half(Some("acme"))],
        shortfall: "own".into(),
        ..PayerCommitmentDraft::default()
    }];
    draft.minimums = vec![MinimumDraft {
        name: "least".into(),
        billing_group: "acme".into(),
        amount: Some(amount("100")),
        ..MinimumDraft::default()
    }];
}

/// Numbers that a seed makes: a linear congruence, of whose state the upper bits are good enough.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap() % end
    }

    pub fn chance(&mut self, of_ten: usize) -> bool {
        self.below(10) < of_ten
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.below(of.len());
        &of[at]
    }

    fn month(&mut self) -> String {
        format!("2026-{:02}", 6 + self.below(7))
    }
}

/// A sound book. Names and accounts are few, so that one book has much of what another has.
pub fn any(dice: &mut Dice) -> Draft {
    loop {
        let draft = attempt(dice);
        match draft.check().book {
            Ok(_) => return draft,
            // Whose circles and ranges do not come out is drawn again; anything else is a fault of this file.
            Err(mistakes) => assert!(mistakes.len() < 12, "{mistakes:#?}"),
        }
    }
}

fn attempt(dice: &mut Dice) -> Draft {
    let mut draft = Draft { payer_account_id: PAYER.into(), ..Draft::default() };
    let mut accounts: Vec<String> = (1..=9).map(|n| format!("{n:012}")).collect();
    for number in 0..4 {
        if dice.chance(4) {
            let name = format!("name {}", dice.below(3));
            draft.accounts.push(AccountDraft { id: accounts[number * 2].clone(), name });
        }
    }
    any_rules(dice, &mut draft);
    any_transfers(dice, &mut draft, &mut accounts);
    any_groups(dice, &mut draft, accounts);
    any_items(dice, &mut draft);
    let groups: Vec<String> = draft.billing_groups.iter().map(|group| group.name.clone()).collect();
    if dice.chance(5) && !groups.is_empty() {
        draft.minimums.push(MinimumDraft {
            name: dice.pick(&["i0", "least"]).to_string(),
            billing_group: dice.pick(&groups).clone(),
            amount: Some(amount("100")),
            ..MinimumDraft::default()
        });
    }
    draft
}

fn any_rules(dice: &mut Dice, draft: &mut Draft) {
    for number in 0..4 {
        if dice.chance(6) {
            let percentage = format!("{}", dice.below(3));
            let service = (number > 0).then(|| format!("service {}", number * 2 + dice.below(2)));
            let scope = if service.is_some() { "SERVICE" } else { "GLOBAL" };
            let rule = rule(&format!("r{number}"), &percentage);
            draft.pricing_rules.push(RuleDraft { scope: scope.into(), service, ..rule });
        }
    }
    let rules: Vec<String> = draft.pricing_rules.iter().map(|rule| rule.name.clone()).collect();
    for number in 0..3 {
        if dice.chance(6) {
            let pricing_rules = rules.iter().filter(|_| dice.chance(5)).cloned().collect();
            draft.pricing_plans.push(PlanDraft { name: format!("p{number}"), pricing_rules });
        }
    }
}

fn any_transfers(dice: &mut Dice, draft: &mut Draft, accounts: &mut Vec<String>) {
    for number in 0..2 {
        if dice.chance(4) {
            let which = if dice.chance(2) { number + 2 } else { number };
            // The organization of a transfer is always the same; what else is of it may be a group's in another month.
            let source = format!("10000000000{which}");
            let member = dice.chance(4).then(|| accounts.remove(dice.below(accounts.len())));
            let status = *dice.pick(&["ACCEPTED", "ACCEPTED", "REQUESTED", "WITHDRAWN", "EXPIRED"]);
            let start = dice.month();
            let end = (status == "WITHDRAWN" || dice.chance(3)).then(|| "2027-01".to_owned());
            let before = draft.responsibility_transfers.first().map(|of| of.source_account_id.clone());
            let receiver = before.filter(|_| dice.chance(3)).unwrap_or_else(|| PAYER.into());
            let mut of = transfer(&format!("t{which}"), &source, &receiver, status, None);
            of.accounts.extend(member);
            draft.responsibility_transfers.push(TransferDraft { start, end, ..of });
        }
    }
}

fn any_groups(dice: &mut Dice, draft: &mut Draft, mut accounts: Vec<String>) {
    let mut plans: Vec<String> = draft.pricing_plans.iter().map(|plan| plan.name.clone()).collect();
    plans.push("BasicPricingPlan".into());
    for number in 0..5 {
        let size = 1 + dice.below(2);
        if !dice.chance(7) || accounts.len() < size {
            continue;
        }
        let members: Vec<String> = (0..size).map(|_| accounts.remove(dice.below(accounts.len()))).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        let name = format!("g{}", if dice.chance(2) { number + 5 } else { number });
        let lines = if dice.chance(2) { tagged(&name) } else { Vec::new() };
        let mut group = GroupDraft {
            description: dice.chance(3).then(|| "text".to_owned()),
            pricing_plan: dice.pick(&plans).clone(),
            ..group(&name, &members)
        };
        if !lines.is_empty() && dice.chance(5) {
            // Another group may have the account, and the same primary account.
            let taken = group.accounts.split_off(0);
            let other = draft.billing_groups.first().map(|of| of.primary_account_id.clone());
            group.primary_account_id = other.filter(|_| dice.chance(6)).unwrap_or_else(|| taken[0].clone());
        }
        if dice.chance(4) {
            let unit = Some(dice.pick(&["Root/One", "Root/Two"]).to_string());
            group.rule = vec![SelectorDraft { organizational_unit: unit, ..SelectorDraft::default() }];
            let others = group.accounts.iter().filter(|of| **of != group.primary_account_id);
            group.rule_accounts = others.filter(|_| dice.chance(5)).cloned().collect();
        }
        group.lines = lines;
        group.parent = draft.billing_groups.last().map(|of| of.name.clone()).filter(|_| dice.chance(3));
        draft.billing_groups.push(group);
    }
    if dice.chance(5)
        && let Some(group) = draft.billing_groups.first_mut()
    {
        group.auto_associate = true;
    }
    if dice.chance(3)
        && let Some(child) = draft.billing_groups.last_mut()
        && child.parent.is_none()
    {
        child.parent = text("top");
        let primary = child.primary_account_id.clone();
        draft.billing_groups.push(GroupDraft { accounts: Vec::new(), ..group("top", &[&primary]) });
    }
    for number in 0..draft.responsibility_transfers.len() {
        if dice.chance(7) {
            let plan = if dice.chance(4) { "Passthrough".to_owned() } else { dice.pick(&plans).clone() };
            draft.billing_groups.push(GroupDraft {
                name: format!("of {number}"),
                responsibility_transfer: Some(draft.responsibility_transfers[number].name.clone()),
                pricing_plan: plan,
                ..GroupDraft::default()
            });
        }
    }
    if dice.chance(5) {
        draft.billing_groups.reverse();
    }
}

fn any_items(dice: &mut Dice, draft: &mut Draft) {
    for number in 0..8 {
        if !dice.chance(6) || draft.billing_groups.is_empty() {
            continue;
        }
        let of = dice.pick(&draft.billing_groups).clone();
        let value = format!("{}", 1 + dice.below(3));
        let mut item = fee(&format!("i{number}"), &of.name, &value, &dice.month());
        item.end = Some(dice.month()).filter(|end| *end > item.start && dice.chance(6));
        item.account_id = of.accounts.last().cloned().filter(|_| dice.chance(4));
        if dice.chance(2) {
            item.presentation_service = text("AmazonS3").filter(|_| of.pricing_plan != "Passthrough");
        }
        if number > 3 || dice.chance(2) {
            item.percentage_value = percent(&value);
            item.flat_charge_value = None;
            let beside =
                |other: &&ItemDraft| other.billing_group == of.name && other.flat_charge_value.is_some();
            let flat = draft.custom_line_items.iter().filter(beside).map(|of| of.name.clone());
            item.associated_values = dice.chance(7).then(|| flat.collect());
        }
        draft.custom_line_items.push(item);
    }
}
