//! Books survive their own text forms, and random books have one of everything.

use super::*;
use crate::month::SampleMonth;

#[test]
fn json_and_toml_hold_the_same_book() {
    let month = SampleMonth::of(3, 300);
    for seed in 0..20 {
        let book = SampleBook::of(seed, &month);
        assert_eq!(SampleBook::from_json(&book.to_json()), book);
        let from_toml: toml::Table = book.to_toml().parse().expect("a book is TOML");
        let as_json = serde_json::to_value(from_toml).expect("a table is JSON");
        assert_eq!(SampleBook::from_json(&as_json), book);
    }
}

#[test]
fn same_seed_same_book() {
    let month = SampleMonth::of(3, 300);
    assert_eq!(SampleBook::of(7, &month).to_toml(), SampleBook::of(7, &month).to_toml());
    assert_ne!(SampleBook::of(7, &month), SampleBook::of(8, &month));
}

#[test]
fn books_have_one_of_everything() {
    let month = SampleMonth::of(3, 300);
    let books: Vec<SampleBook> = (0..20).map(|seed| SampleBook::of(seed, &month)).collect();
    let rules = || books.iter().flat_map(|book| &book.pricing_rules);
    let items = || books.iter().flat_map(|book| &book.custom_line_items);
    assert!(rules().any(|rule| rule.scope == Scope::Global));
    assert!(rules().any(|rule| matches!(rule.scope, Scope::BillingEntity(_))));
    assert!(rules().any(|rule| matches!(rule.scope, Scope::Service(_))));
    assert!(rules().any(|rule| matches!(rule.scope, Scope::Sku { operation: None, .. })));
    assert!(rules().any(|rule| matches!(rule.scope, Scope::Sku { operation: Some(_), .. })));
    assert!(rules().any(|rule| matches!(rule.rate, Rate::CustomTiers(_))));
    assert!(rules().any(|rule| matches!(rule.rate, Rate::Discount(_))));
    assert!(items().any(|item| item.is_credit && matches!(item.charge, Charge::Flat(_))));
    assert!(items().any(|item| matches!(item.charge, Charge::Percentage { is_itemized: true, .. })));
    let is_empty = |item: &CustomLineItem| match &item.charge {
        Charge::Percentage { associated_values, .. } => associated_values.as_ref().is_some_and(Vec::is_empty),
        Charge::Flat(_) => false,
    };
    assert!(items().any(is_empty));
    for filter in [Filter::WithoutSavingsPlanNegation, Filter::Service("AmazonS3".to_owned())] {
        let kind = std::mem::discriminant(&filter);
        assert!(items().any(|item| item.filter.as_ref().map(std::mem::discriminant) == Some(kind)));
    }
    for book in &books {
        let ungrouped = month.accounts.iter().filter(|account| book.group_of(&account.id).is_none());
        assert!(ungrouped.count() > 0);
    }
}
