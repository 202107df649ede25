//! Months show everything they promise, to the last byte the same for one seed.

use std::collections::BTreeSet;

use super::*;
use crate::amount::{ONE, amount};
use crate::book::SampleBook;
use crate::oracle::{self, Base, Exact, Treatment};

#[test]
fn same_seed_same_month() {
    assert_eq!(SampleMonth::of(5, 400), SampleMonth::of(5, 400));
    assert_ne!(SampleMonth::of(5, 400).lines, SampleMonth::of(6, 400).lines);
}

#[test]
fn every_line_item_type_appears() {
    let month = SampleMonth::of(1, 60);
    assert_eq!(month.lines.len(), 60);
    let types: BTreeSet<&str> =
        month.lines.iter().filter_map(|line| line.line_item_line_item_type.as_deref()).collect();
    for line_item_type in LINE_ITEM_TYPES {
        assert!(types.contains(line_item_type), "{line_item_type}");
    }
    assert!(types.contains(UNKNOWN_TYPE));
}

#[test]
fn options_decide_on_currencies_and_net_and_size() {
    let plain = SampleMonth::of(1, 2_000);
    let limit = Amount::whole(225_000);
    assert!(plain.lines.iter().all(|line| line.unblended_cost() < limit));
    assert!(plain.lines.iter().all(|line| line.line_item_net_unblended_cost.is_none()));
    assert!(plain.lines.iter().any(|line| line.unblended_cost() == Amount(1)));
    let options = MonthOptions {
        lines: 2_000,
        net_columns: true,
        currencies: vec!["USD".to_owned(), "EUR".to_owned()],
        large_amounts: true,
        ..MonthOptions::default()
    };
    let month = SampleMonth::generate(&options);
    assert!(month.lines.iter().any(|line| line.unblended_cost() > limit));
    assert!(month.lines.iter().all(|line| line.line_item_net_unblended_cost.is_some()));
    assert!(month.lines.iter().any(|line| line.line_item_currency_code.as_deref() == Some("EUR")));
}

#[test]
fn covered_usage_and_negation_cancel() {
    let month = SampleMonth::of(9, 1_000);
    let of_type = |kind: &'static str| {
        month.lines.iter().filter(move |line| line.line_item_line_item_type.as_deref() == Some(kind))
    };
    let sum = |kind: &'static str| of_type(kind).map(Line::unblended_cost).sum::<Amount>();
    assert!(sum("SavingsPlanCoveredUsage") > Amount(ONE));
    assert_eq!(sum("SavingsPlanCoveredUsage") + sum("SavingsPlanNegation"), amount("0"));
}

/// Random months and books reach every treatment, and the oracle loses nothing of them.
#[test]
fn the_oracle_conserves_cost_and_meets_every_treatment() {
    let mut met = BTreeSet::new();
    for seed in 0..12 {
        let currencies =
            if seed % 3 == 0 { vec!["USD".to_owned(), "EUR".to_owned()] } else { vec!["USD".to_owned()] };
        let options = MonthOptions {
            seed,
            lines: 600,
            net_columns: seed % 2 == 0,
            currencies,
            ..MonthOptions::default()
        };
        let month = SampleMonth::generate(&options);
        let book = SampleBook::of(seed, &month);
        let bill = oracle::price(&month.lines, &book, &month.period);
        met.extend(bill.lines.iter().map(|line| line.treatment));
        for currency in bill.currencies.values() {
            let groups: Exact = currency.groups.values().map(|group| &group.aws_cost).sum();
            let ungrouped: Exact = currency.ungrouped.values().sum();
            let left_out: Exact = currency.left_out_of_aws_cost.values().sum();
            assert_eq!(groups + &ungrouped + &left_out, currency.cost_files_total, "seed {seed}");
            let pro_forma: Exact = currency.groups.values().map(|group| &group.pro_forma_cost).sum();
            let rows: Exact = currency.rows.values().map(|row| &row.pro_forma_cost).sum();
            assert_eq!(pro_forma, rows, "seed {seed}");
            assert!(currency.custom_line_items.values().all(|charge| charge.is_certain), "seed {seed}");
        }
    }
    let bases = [
        Base::CustomTiers,
        Base::Spot,
        Base::ZeroRate,
        Base::TieredSku,
        Base::PublicCost,
        Base::UnblendedCost,
    ];
    let priced = bases.map(Treatment::Priced);
    let others = [
        Treatment::Ungrouped,
        Treatment::Dropped,
        Treatment::OutsideCommitment,
        Treatment::Unknown,
        Treatment::AtCost,
    ];
    for treatment in priced.iter().chain(&others) {
        assert!(met.contains(treatment), "{treatment:?}");
    }
}
