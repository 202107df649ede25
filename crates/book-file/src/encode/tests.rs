//! What is written reads as what it was: the books of this repository, and any draft at all.

use crate::{draft, parse, write};
use billing::book::{
    AccountDraft, AllocationDraft, DistributionDraft, Draft, Exports, FilterDraft, GroupDraft, ItemDraft,
    LineFilterDraft, MinimumDraft, PayerCommitmentDraft, PlanDraft, Reports, RuleDraft, SelectorDraft,
    ShareDraft, SupportFeeDraft, TargetsDraft, TransferDraft,
};
use billing::money::Decimal;
use billing::period::BillingPeriod;
use billing::tiers::Tier;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

#[track_caller]
fn check_fixture(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let path = folder.join(name);
    let text = fs::read_to_string(&path).expect("a fixture");
    let beside = |file: &str| {
        fs::read_to_string(path.parent().expect("a folder").join(file)).map_err(|error| error.to_string())
    };
    let first = parse(&path, &text, &beside).expect("a book");
    let written = write(&draft(&path, &text).expect("a draft"));
    let again = parse(Path::new("book.toml"), &written, &beside).expect(&written);
    assert_eq!(first.book, again.book, "{written}");
    assert_eq!(first.files, again.files);
    for month in ["2026-09", "2026-10", "2026-11"] {
        let period = BillingPeriod::parse(month).expect("a month");
        assert_eq!(first.book.hash(period), again.book.hash(period), "{month}: {written}");
    }
}

#[test]
fn books_of_this_repository_are_written_as_they_were_read() {
    check_fixture("example-book.toml");
    check_fixture("demo/book.toml");
    check_fixture("demo/quill.toml");
}

/// Any text, and more often one that is hard to write.
fn text() -> BoxedStrategy<String> {
    let hard =
        ["", "a\nb", "\r\n", "it's", "\"\"\"", "'''", "\\", "\u{0}\u{7f}\u{1b}", "ä木🦀", " a = [1] # b"];
    prop_oneof![any::<String>(), "[a-z]{1,8}", prop::sample::select(hard.to_vec()).prop_map(str::to_owned)]
        .boxed()
}

fn texts() -> BoxedStrategy<Vec<String>> {
    vec(text(), 0..3).boxed()
}

fn maybe() -> BoxedStrategy<Option<String>> {
    of(text()).boxed()
}

fn number<const SCALE: u32>() -> BoxedStrategy<Decimal<SCALE>> {
    let digits = (any::<bool>(), any::<u32>(), any::<u32>()).prop_map(|(less, whole, part)| {
        let sign = if less { "-" } else { "" };
        let part = &format!("{part:020}")[20 - SCALE as usize..];
        Decimal::parse(&format!("{sign}{whole}.{part}0")).expect("a number of this scale")
    });
    digits.boxed()
}

fn filters() -> BoxedStrategy<Vec<LineFilterDraft>> {
    let named = || btree_map(text(), texts(), 0..3);
    let first = (texts(), texts(), texts(), texts(), texts());
    let second = (named(), named(), texts(), texts(), texts());
    let filter = (first, second).prop_map(|(first, second)| {
        let (accounts, services, usage_types, line_item_types, descriptions) = first;
        let (tags, cost_categories, resources, without_tags, without_cost_categories) = second;
        LineFilterDraft {
            accounts,
            services,
            usage_types,
            line_item_types,
            descriptions,
            tags,
            cost_categories,
            resources,
            without_tags,
            without_cost_categories,
        }
    });
    vec(filter, 0..3).boxed()
}

fn rule() -> impl Strategy<Value = RuleDraft> {
    let tier = (number(), of(number()), number()).prop_map(|(begin, end, rate)| Tier { begin, end, rate });
    let texts = (text(), text(), text(), maybe(), maybe(), maybe(), maybe());
    (texts, of(number()), of(any::<bool>()), of(vec(tier, 0..3))).prop_map(
        |(texts, modifier_percentage, free_tier_activated, custom_tiers)| {
            let (name, scope, kind, service, usage_type, operation, billing_entity) = texts;
            RuleDraft {
                name,
                scope,
                kind,
                service,
                usage_type,
                operation,
                billing_entity,
                modifier_percentage,
                free_tier_activated,
                custom_tiers,
            }
        },
    )
}

fn group() -> impl Strategy<Value = GroupDraft> {
    let selector = (maybe(), maybe(), texts(), maybe()).prop_map(
        |(organizational_unit, tag_key, tag_values, name_pattern)| SelectorDraft {
            organizational_unit,
            tag_key,
            tag_values,
            name_pattern,
        },
    );
    let rule = (vec(selector, 0..3), texts(), texts());
    (
        text(),
        maybe(),
        text(),
        texts(),
        (maybe(), maybe(), (maybe(), maybe()), rule),
        filters(),
        text(),
        any::<bool>(),
    )
        .prop_map(
            |(
                name,
                description,
                primary_account_id,
                accounts,
                (transfer, parent, (usage_from, usage_through), (rule, rule_except, rule_accounts)),
                lines,
                pricing_plan,
                auto,
            )| {
                GroupDraft {
                    name,
                    description,
                    primary_account_id,
                    accounts,
                    responsibility_transfer: transfer,
                    lines,
                    pricing_plan,
                    auto_associate: auto,
                    parent,
                    usage_from,
                    usage_through,
                    rule,
                    rule_except,
                    rule_accounts,
                }
            },
        )
}

fn transfer() -> impl Strategy<Value = TransferDraft> {
    (text(), text(), text(), texts(), text(), text(), maybe()).prop_map(
        |(name, source_account_id, receiver_account_id, accounts, status, start, end)| TransferDraft {
            name,
            source_account_id,
            receiver_account_id,
            accounts,
            status,
            start,
            end,
        },
    )
}

fn item() -> impl Strategy<Value = ItemDraft> {
    let filter = (text(), text(), of(texts()), of(texts())).prop_map(
        |(attribute, match_option, values, attribute_values)| FilterDraft {
            attribute,
            match_option,
            values,
            attribute_values,
        },
    );
    let texts_of =
        (text(), text(), text(), text(), maybe(), maybe(), maybe(), text(), (maybe(), maybe()), maybe());
    (texts_of, of(number()), of(number()), of(texts()), vec(filter, 0..3)).prop_map(
        |(texts, flat_charge_value, percentage_value, associated_values, line_item_filters)| {
            let (name, description, billing_group, kind, rule, service, account_id, start, ends, currency) =
                texts;
            let (end, corrects) = ends;
            ItemDraft {
                name,
                description,
                billing_group,
                kind,
                flat_charge_value,
                currency,
                percentage_value,
                associated_values,
                computation_rule: rule,
                presentation_service: service,
                line_item_filters,
                account_id,
                start,
                end,
                corrects,
            }
        },
    )
}

fn shares() -> BoxedStrategy<Vec<ShareDraft>> {
    let share = (maybe(), maybe(), maybe(), any::<bool>(), number()).prop_map(
        |(billing_group, account, allocation, payer, percentage)| ShareDraft {
            billing_group,
            account,
            allocation,
            payer,
            percentage,
        },
    );
    vec(share, 0..3).boxed()
}

fn allocation() -> impl Strategy<Value = AllocationDraft> {
    let targets = (texts(), texts(), texts(), texts(), texts(), any::<bool>()).prop_map(
        |(billing_groups, accounts, allocations, except_billing_groups, except_accounts, by_account)| {
            TargetsDraft {
                billing_groups,
                accounts,
                allocations,
                except_billing_groups,
                except_accounts,
                by_account,
            }
        },
    );
    let first = (text(), maybe(), of(number()), filters(), any::<bool>(), any::<bool>(), maybe());
    let second = (of(targets), text(), maybe(), filters(), shares(), maybe());
    let third = (maybe(), maybe(), maybe(), maybe(), maybe());
    (first, second, third).prop_map(|(first, second, third)| {
        let (name, description, step, source, payer_usage, unused_commitments, cost) = first;
        let (targets, method, weigh_by, weigh_lines, shares, weights) = second;
        let (empty_base, computation_rule, presentation_service, start, end) = third;
        AllocationDraft {
            name,
            description,
            step,
            source,
            payer_usage,
            unused_commitments,
            cost,
            targets,
            method,
            weigh_by,
            weigh_lines,
            shares,
            weights,
            weight_rows: Vec::new(),
            empty_base,
            computation_rule,
            presentation_service,
            start,
            end,
        }
    })
}

fn distribution() -> impl Strategy<Value = DistributionDraft> {
    (text(), filters(), text(), maybe(), maybe(), maybe()).prop_map(
        |(name, lines, treatment, allocation, start, end)| DistributionDraft {
            name,
            lines,
            treatment,
            allocation,
            start,
            end,
        },
    )
}

fn support_fee() -> impl Strategy<Value = SupportFeeDraft> {
    let tiers = vec((of(number()), number()), 0..3);
    (text(), maybe(), texts(), maybe(), tiers, of(number()), maybe(), (maybe(), maybe())).prop_map(
        |(name, description, billing_groups, of, tiers, minimum, presentation_service, (start, end))| {
            SupportFeeDraft {
                name,
                description,
                billing_groups,
                of,
                tiers,
                minimum,
                presentation_service,
                start,
                end,
            }
        },
    )
}

fn payer_commitment() -> impl Strategy<Value = PayerCommitmentDraft> {
    (text(), number(), maybe(), filters(), shares(), text(), maybe(), (maybe(), maybe())).prop_map(
        |(name, amount, of, spend, shares, shortfall, presentation_service, (start, end))| {
            PayerCommitmentDraft {
                name,
                amount,
                of,
                spend,
                shares,
                shortfall,
                presentation_service,
                start,
                end,
            }
        },
    )
}

fn minimum() -> impl Strategy<Value = MinimumDraft> {
    (text(), maybe(), text(), of(number()), of(number()), maybe(), maybe(), (maybe(), maybe())).prop_map(
        |(name, description, billing_group, amount, percentage, of, presentation_service, (start, end))| {
            MinimumDraft {
                name,
                description,
                billing_group,
                amount,
                percentage,
                of,
                presentation_service,
                start,
                end,
            }
        },
    )
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let account = (text(), text()).prop_map(|(id, name)| AccountDraft { id, name });
    let plan = (text(), texts()).prop_map(|(name, pricing_rules)| PlanDraft { name, pricing_rules });
    let first = (text(), maybe(), vec(account, 0..3), vec(rule(), 0..3), vec(plan, 0..3));
    let second = (vec(transfer(), 0..2), vec(group(), 0..3), vec(item(), 0..3), maybe());
    let third = (
        vec(distribution(), 0..2),
        vec(allocation(), 0..2),
        vec(support_fee(), 0..2),
        vec(payer_commitment(), 0..2),
        vec(minimum(), 0..2),
    );
    let exports = (texts(), texts(), maybe()).prop_map(|(columns, tags, invoice_issuer)| Exports {
        columns,
        tags,
        invoice_issuer,
    });
    let reports = (texts(), texts()).prop_map(|(tags, cost_categories)| Reports { tags, cost_categories });
    (first, second, third, exports, reports).prop_map(|(first, second, third, exports, reports)| {
        let (payer_account_id, currency, accounts, pricing_rules, pricing_plans) = first;
        let (responsibility_transfers, billing_groups, custom_line_items, sharing_commitments) = second;
        let (distributions, allocations, support_fees, payer_commitments, minimums) = third;
        Draft {
            payer_account_id,
            currency,
            accounts,
            pricing_rules,
            pricing_plans,
            responsibility_transfers,
            billing_groups,
            custom_line_items,
            sharing_commitments,
            distributions,
            allocations,
            support_fees,
            payer_commitments,
            minimums,
            exports,
            reports,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_draft_is_read_as_it_was_written(of in any_draft()) {
        let text = write(&of);
        prop_assert_eq!(draft(Path::new("book.toml"), &text), Ok(of), "{}", text);
    }
}
