//! How long pricing takes, without reading: a made cube of many classes under a book of many rules.

use billing::account::AccountId;
use billing::book::{Draft, GroupDraft, ItemDraft, PlanDraft, RuleDraft};
use billing::charge_class::{ChargeClass, Cube, KEY_COLUMNS, KeyColumn, MEASURES, TextId, Texts};
use billing::money::{Percentage, Quantity};
use billing::period::BillingPeriod;
use billing::price_list::PriceList;
use billing::rate_card::{item_charges, rate_card};
use billing::{cost_report, statement};
use std::collections::BTreeMap;
use std::time::Instant;

const ACCOUNTS: usize = 2_000;
const GROUPS: usize = 300;
const PLANS: usize = 40;
const SERVICES: usize = 200;
const USAGE_TYPES: usize = 100;

/// Prices `classes` classes under `rules` rules and prints what each step took.
#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
pub fn run(arguments: &[String]) -> Result<(), String> {
    let number = |place: usize, default: usize| match arguments.get(place) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| format!("`{text}` is not a number")),
    };
    let (classes, rules) = (number(0, 500_000)?, number(1, 500)?);
    let period = BillingPeriod::new(2026, 10).ok_or("a period")?;
    let cube = cube(period, classes);
    let book = draft(rules).check().book.map_err(|mistakes| format!("{mistakes:?}"))?;
    let started = Instant::now();
    let card = rate_card(&cube, &book, &PriceList::default(), None).map_err(|error| error.to_string())?;
    let charges = item_charges(&cube, &book, &card).map_err(|error| error.to_string())?;
    let priced = started.elapsed();
    let statements =
        statement::statements(&cube, &book, &card, &charges).map_err(|error| error.to_string())?;
    let rows =
        cost_report::cost_report(&cube, &book, &card, &statements).map_err(|error| error.to_string())?;
    let reported = started.elapsed();
    println!("classes={classes} rules={rules} groups={GROUPS} report_rows={}", rows.len());
    println!("pricing_wall_seconds={}.{:06}", priced.as_secs(), priced.subsec_micros());
    println!("pricing_and_reports_wall_seconds={}.{:06}", reported.as_secs(), reported.subsec_micros());
    Ok(())
}

fn account(number: usize) -> String {
    format!("{:012}", 100_000_000_000 + number)
}

fn cube(period: BillingPeriod, classes: usize) -> Cube {
    let mut texts = Texts::default();
    let class = |number: usize| {
        let mut key = [TextId::NULL; KEY_COLUMNS];
        let service = number % SERVICES;
        let values = [
            (KeyColumn::UsageAccount, account(number / 7 % ACCOUNTS)),
            (KeyColumn::ServiceCode, format!("Service{service}")),
            (KeyColumn::ProductCode, format!("Service{service}")),
            (KeyColumn::UsageType, format!("Usage{}", number / SERVICES % USAGE_TYPES)),
            (KeyColumn::Operation, format!("Operation{}", number % 11)),
            (KeyColumn::LineItemType, "Usage".to_owned()),
            (KeyColumn::Sku, format!("SKU{number}")),
            (KeyColumn::PublicRate, "0.1".to_owned()),
            (KeyColumn::PublicCostState, "+".to_owned()),
            (KeyColumn::UnblendedRateState, "+".to_owned()),
            (KeyColumn::BillingEntity, "AWS".to_owned()),
            (KeyColumn::Currency, "USD".to_owned()),
        ];
        for (column, value) in values {
            key[column as usize] = texts.intern(&value);
        }
        let sums = [Quantity::from_units(12_345_678_901).unwrap_or_default(); MEASURES];
        ChargeClass { key, lines: 20, lines_without_net: 0, unblended_rate: TextId::NULL, sums }
    };
    let classes = (0..classes).map(class).collect();
    Cube::new(period, AccountId::parse(&account(999_999)), texts, classes, BTreeMap::new())
}

/// A book whose plans share the rules: half of them of one SKU, the rest of services, entities and everything.
fn draft(rules: usize) -> Draft {
    let rule = |number: usize| {
        let (service, usage_type) =
            (format!("Service{}", number % SERVICES), format!("Usage{}", number % USAGE_TYPES));
        let base = RuleDraft {
            name: format!("rule-{number}"),
            kind: "MARKUP".to_owned(),
            modifier_percentage: Percentage::parse(&format!("{}.25", number % 40)).ok(),
            ..RuleDraft::default()
        };
        match number {
            0 => RuleDraft { scope: "GLOBAL".to_owned(), ..base },
            1 => RuleDraft {
                scope: "BILLING_ENTITY".to_owned(),
                billing_entity: Some("AWS".to_owned()),
                ..base
            },
            _ if number < SERVICES => {
                RuleDraft { scope: "SERVICE".to_owned(), service: Some(service), ..base }
            }
            _ => RuleDraft {
                scope: "SKU".to_owned(),
                service: Some(service),
                usage_type: Some(usage_type),
                operation: Some(format!("Operation{}", number / SERVICES)),
                ..base
            },
        }
    };
    let plan = |number: usize| PlanDraft {
        name: format!("plan-{number}"),
        pricing_rules: (0..rules)
            .filter(|rule| rule % PLANS != number)
            .map(|rule| format!("rule-{rule}"))
            .collect(),
    };
    let group = |number: usize| {
        let accounts: Vec<String> = (number..ACCOUNTS).step_by(GROUPS).map(account).collect();
        GroupDraft {
            name: format!("group-{number}"),
            primary_account_id: accounts[0].clone(),
            accounts,
            pricing_plan: format!("plan-{}", number % PLANS),
            ..GroupDraft::default()
        }
    };
    let item = |number: usize| ItemDraft {
        name: format!("item-{number}"),
        description: "five percent".to_owned(),
        billing_group: format!("group-{number}"),
        kind: "FEE".to_owned(),
        percentage_value: Percentage::parse("5").ok(),
        start: "2026-01".to_owned(),
        ..ItemDraft::default()
    };
    Draft {
        payer_account_id: account(999_999),
        pricing_rules: (0..rules).map(rule).collect(),
        pricing_plans: (0..PLANS).map(plan).collect(),
        billing_groups: (0..GROUPS).map(group).collect(),
        custom_line_items: (0..GROUPS).map(item).collect(),
        ..Draft::default()
    }
}
