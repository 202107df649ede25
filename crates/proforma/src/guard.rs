//! The margin guard, told: as `margin-guard.json` of a run, in one sentence, and by `proforma explain --guard`.

use billing::book::Book;
use billing::margin_guard::{BelowCost, Findings};
use billing::money::{Cost, Currency};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The content of `margin-guard.json`.
#[derive(Serialize)]
pub struct GuardFile<'a> {
    accounts_in_no_billing_group: Vec<AccountPart<'a>>,
    credits_nobody_received: Vec<CreditPart<'a>>,
    billing_groups_below_cost: Vec<BelowCostPart<'a>>,
    products_below_cost: Vec<BelowCostPart<'a>>,
    allocations_without_base: Vec<AllocationPart<'a>>,
}

#[derive(Serialize)]
struct AccountPart<'a> {
    account_id: &'a str,
    aws_cost: String,
    currency: String,
}

#[derive(Serialize)]
struct CreditPart<'a> {
    account_id: &'a str,
    billing_group: Option<&'a str>,
    description: &'a str,
    amount: String,
    currency: String,
}

#[derive(Serialize)]
struct BelowCostPart<'a> {
    billing_group: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    aws_cost: String,
    pro_forma_cost: String,
    currency: String,
}

#[derive(Serialize)]
struct AllocationPart<'a> {
    allocation: &'a str,
    kept_by_payer: String,
    currency: String,
}

/// What the guard has found, for a file.
pub fn content<'a>(book: &'a Book, findings: &'a Findings) -> GuardFile<'a> {
    let below = |of: &'a BelowCost| BelowCostPart {
        billing_group: &book.groups[of.group].name,
        product: Some(of.product.as_str()).filter(|product| !product.is_empty()),
        aws_cost: of.aws_cost.to_string(),
        pro_forma_cost: of.pro_forma.to_string(),
        currency: of.currency.to_string(),
    };
    GuardFile {
        accounts_in_no_billing_group: (findings.ungrouped.iter())
            .map(|(account_id, currency, cost)| AccountPart {
                account_id,
                aws_cost: cost.to_string(),
                currency: currency.to_string(),
            })
            .collect(),
        credits_nobody_received: (findings.credits.iter())
            .map(|of| CreditPart {
                account_id: &of.account,
                billing_group: of.group.map(|group| book.groups[group].name.as_str()),
                description: &of.description,
                amount: of.amount.to_string(),
                currency: of.currency.to_string(),
            })
            .collect(),
        billing_groups_below_cost: findings.groups.iter().map(below).collect(),
        products_below_cost: findings.products.iter().map(below).collect(),
        allocations_without_base: (findings.allocations.iter())
            .map(|(allocation, currency, kept)| AllocationPart {
                allocation: &book.policies.allocations[*allocation].name,
                kept_by_payer: kept.to_string(),
                currency: currency.to_string(),
            })
            .collect(),
    }
}

/// What the guard has found, in one sentence; nothing of nothing.
pub fn sentence(findings: &Findings) -> Option<String> {
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let accounts =
        counted(distinct(findings.ungrouped.iter().map(|(account, ..)| account)), "account", "accounts").map(
            |accounts| {
                let costs = findings.ungrouped.iter().map(|(_, currency, cost)| (*currency, *cost));
                format!("{accounts} in no billing group ({})", sums(costs))
            },
        );
    let credits = counted(findings.credits.len(), "credit", "credits").map(|credits| {
        format!(
            "{credits} that nobody received ({})",
            sums(findings.credits.iter().map(|of| (of.currency, of.amount)))
        )
    });
    let groups =
        counted(distinct(findings.groups.iter().map(|of| of.group)), "billing group", "billing groups")
            .map(|of| format!("{of} below cost"));
    let products =
        counted(findings.products.len(), "product", "products").map(|of| format!("{of} below cost"));
    let bases = counted(
        distinct(findings.allocations.iter().map(|(allocation, ..)| allocation)),
        "allocation",
        "allocations",
    )
    .map(|of| {
        format!(
            "{of} without a base ({} kept)",
            sums(findings.allocations.iter().map(|(_, of, kept)| (*of, *kept)))
        )
    });
    let parts: Vec<String> = [accounts, credits, groups, products, bases].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("margin guard: {}", parts.join("; ")))
}

/// How many there are, whatever the number of their currencies.
fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> usize {
    all.collect::<BTreeSet<T>>().len()
}

/// Amounts added up by currency.
fn sums(amounts: impl Iterator<Item = (Currency, Cost)>) -> String {
    let mut sums: BTreeMap<Currency, Option<Cost>> = BTreeMap::new();
    for (currency, amount) in amounts {
        let sum = sums.entry(currency).or_insert(Some(Cost::ZERO));
        *sum = sum.and_then(|sum| sum.plus(amount).ok());
    }
    let text = |(currency, sum): (Currency, Option<Cost>)| match sum {
        Some(sum) => format!("{sum} {currency}"),
        None => format!("very much {currency}"),
    };
    sums.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

/// What the guard has found, for reading.
pub fn text(book: &Book, findings: &Findings) -> String {
    let group = |group: usize| format!("billing group `{}`", book.groups[group].name);
    let below = |of: &BelowCost| {
        let product = if of.product.is_empty() { String::new() } else { format!(", {}", of.product) };
        format!(
            "{}{product}: charged {}, AWS charges {} {}",
            group(of.group),
            of.pro_forma,
            of.aws_cost,
            of.currency
        )
    };
    let accounts = findings
        .ungrouped
        .iter()
        .map(|(account, currency, cost)| format!("account `{account}`: {cost} {currency}"));
    let credits = findings.credits.iter().map(|of| {
        let whose = of.group.map_or_else(|| "in no billing group".to_owned(), group);
        format!("account `{}`, {whose}: {} {}, `{}`", of.account, of.amount, of.currency, of.description)
    });
    let bases = findings.allocations.iter().map(|(allocation, currency, kept)| {
        format!(
            "allocation `{}`: the payer keeps {kept} {currency}",
            book.policies.allocations[*allocation].name
        )
    });
    let sections = [
        ("Accounts in no billing group", accounts.collect::<Vec<_>>()),
        ("Credits that nobody received", credits.collect()),
        ("Billing groups below cost", findings.groups.iter().map(below).collect()),
        ("Products below cost", findings.products.iter().map(below).collect()),
        ("Allocations without a base", bases.collect()),
    ];
    let told: Vec<String> = (sections.iter())
        .filter(|(_, lines)| !lines.is_empty())
        .map(|(title, lines)| format!("{title}\n  {}\n", lines.join("\n  ")))
        .collect();
    if told.is_empty() { "The margin guard has found nothing.\n".to_owned() } else { told.join("\n") }
}
