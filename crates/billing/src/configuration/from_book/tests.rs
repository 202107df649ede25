//! What a book says is what is configured, month by month, whatever was said before.

mod books;

use self::books::{Dice, PAYER, any, fee, group, rich, rule, texts};
use super::*;
use crate::book::{GroupDraft, ItemDraft, PlanDraft};
use crate::configuration::{
    BillingGroupId, CustomLineItemId, Moment, Preference, PricingRuleId, names_in_other, remove_group,
    rename_group, split,
};
use crate::custom_line_item::CustomLineItem;
use std::collections::BTreeSet;

fn month(text: &str) -> BillingPeriod {
    BillingPeriod::parse(text).unwrap()
}

/// A payer whose books are applied one after another.
struct Desk {
    configuration: Configuration,
    ids: u64,
    now: i64,
    /// What the text of other settings says.
    others: HashMap<String, Draft>,
}

impl Desk {
    fn new() -> Self {
        let configuration = Configuration::new(AccountId::parse(PAYER).unwrap());
        Self { configuration, ids: 0, now: 0, others: HashMap::new() }
    }

    /// Applies a book; the answer has everything that the edit touched.
    fn try_apply(
        &mut self,
        draft: &Draft,
        (period, current): (BillingPeriod, BillingPeriod),
    ) -> Result<(BookChanges, BTreeSet<Touched>), NotApplied> {
        self.now += 1;
        let other = OtherSettings { book: format!("{:?}", split(draft)), files: BTreeMap::new() };
        self.others.insert(other.book.clone(), split(draft));
        let Self { configuration, ids, now, .. } = self;
        let mut fresh = || {
            *ids += 1;
            format!("id{ids:08}")
        };
        let moment = Moment { now: *now, current, period };
        let mut edit = Edit::begin(configuration, moment, &mut fresh)?;
        let changes = edit.apply_book(draft, other)?;
        let (next, touched) = edit.finish();
        self.configuration = next;
        Ok((changes, touched))
    }

    #[track_caller]
    fn apply(&mut self, draft: &Draft, period: &str, current: &str) -> BookChanges {
        self.try_apply(draft, (month(period), month(current))).unwrap().0
    }

    fn draft(&self, period: BillingPeriod) -> Draft {
        let other = self.configuration.other.at(period);
        let other = other.map(|other| self.others[&other.book].clone()).unwrap_or_default();
        self.configuration.draft(period, &other)
    }

    #[track_caller]
    fn hash(&self, period: BillingPeriod) -> [u8; 32] {
        let draft = self.draft(period);
        draft
            .check()
            .book
            .unwrap_or_else(|mistakes| {
                panic!("{period}: {mistakes:#?}\n{draft:#?}\n{:#?}", self.configuration.transfers)
            })
            .hash(period)
    }
}

/// What a period's draft says without what has no versions; of items what is charged.
fn versioned(draft: Draft, period: BillingPeriod) -> String {
    let mut draft = charging(&draft, period);
    draft.accounts.clear();
    draft.responsibility_transfers.clear();
    let at = period.to_string();
    draft.custom_line_items.retain(|item| item.start <= at && item.end.as_ref().is_none_or(|end| at < *end));
    draft.custom_line_items.iter_mut().for_each(|item| {
        item.start.clear();
        item.end = None;
    });
    format!("{draft:#?}")
}

fn without_items(draft: &Draft) -> Draft {
    Draft { custom_line_items: Vec::new(), ..draft.clone() }
}

/// A draft whose percentages are of no flat items but those that are charged: an item that is over before the first open month is not kept, nor is
/// one that begins where the book no longer holds.
fn charging(draft: &Draft, period: BillingPeriod) -> Draft {
    let mut draft = draft.clone();
    let is_active = |item: &CustomLineItem| item.is_active(period);
    let book = draft.check().book.unwrap_or_else(|mistakes| panic!("{period} {mistakes:?} {draft:#?}"));
    let active: BTreeSet<&String> =
        book.items.iter().filter(|item| is_active(item)).map(|item| &item.name).collect();
    for values in draft.custom_line_items.iter_mut().flat_map(|item| &mut item.associated_values) {
        values.retain(|value| value == "billing_group" || active.contains(value));
    }
    draft
}

/// Applies a book and checks every law of it.
#[track_caller]
fn check(desk: &mut Desk, book: &Draft, period: BillingPeriod, current: BillingPeriod, words: &str) {
    let months: Vec<BillingPeriod> =
        std::iter::successors(Some(month("2026-05")), |of| Some(of.next())).take(12).collect();
    let before: Vec<Draft> = months.iter().map(|month| desk.draft(*month)).collect();
    let closed = desk.configuration.closed_through;
    let earlier = format!("{:?}", desk.configuration);
    let (changes, touched) = desk.try_apply(book, (period, current)).unwrap();
    let after = format!("{:?}", desk.configuration);
    assert_eq!(changes.is_empty(), after == earlier, "{words}: {changes:?}");
    assert_eq!(changes.is_empty(), touched.is_empty(), "{words}: {changes:?} {touched:?}");

    let shown = desk.draft(period);
    let hash = |draft: &Draft| charging(draft, period).check().book.unwrap().hash(period);
    assert!(hash(&shown) == hash(book), "{words}: {period}\n{shown:#?}\n{book:#?}");
    for (month, before) in months.iter().zip(before) {
        desk.hash(*month);
        let now = desk.draft(*month);
        if closed.is_some_and(|closed| *month <= closed) || changes.until.is_some_and(|until| until <= *month)
        {
            assert_eq!(versioned(now, *month), versioned(before, *month), "{words}: {month}");
        } else if *month < period {
            let (now, before) = (without_items(&now), without_items(&before));
            assert_eq!(versioned(now, *month), versioned(before, *month), "{words}: {month}");
        }
    }
    for (account, groups) in &*desk.configuration.memberships {
        assert!(Timeline::of(groups.spans().to_vec()).is_some(), "{words}");
        for month in &months {
            let group = groups.at(*month);
            assert!(
                group.is_none_or(|id| desk.configuration.groups.at(id, *month).is_some()),
                "{words}: {account} {month}"
            );
        }
    }
    for (again, name) in [(book, "the book again"), (&shown, "what the period shows")] {
        let (changes, touched) = desk.try_apply(again, (period, current)).unwrap();
        assert!(changes.is_empty() && touched.is_empty(), "{words}, {name}: {changes:?}\n{again:#?}");
        assert_eq!(format!("{:?}", desk.configuration), after, "{words}, {name}");
    }
}

#[test]
fn a_rich_book_comes_back_and_changes_nothing_twice() {
    let (september, october) = (month("2026-09"), month("2026-10"));
    let mut desk = Desk::new();
    check(&mut desk, &rich(), september, october, "rich");
    let shown = desk.draft(september);
    assert_eq!(format!("{:?}", split(&shown)), format!("{:?}", split(&rich())));
    assert_eq!(shown.billing_groups[0].accounts[0], "222222222222");
    // What a book says of its own months holds in those that come.
    let book = rich().check().book.unwrap();
    for period in [october, month("2026-12"), month("2027-01"), month("2027-03")] {
        assert_eq!(desk.hash(period), book.hash(period), "{period}");
    }
    let changes =
        desk.apply(&Draft { payer_account_id: PAYER.into(), ..Draft::default() }, "2026-10", "2026-10");
    assert_eq!(
        changes.custom_line_items.ended,
        ["service", "soon", "seat", "platform", "nothing", "storage"]
    );
    assert!(
        changes.other
            && changes.pricing_rules.ended.len() == 6
            && changes.responsibility_transfers.ended == ["seller", "shop"]
    );
    assert_eq!(desk.hash(september).len(), 32);
}

#[test]
fn books_of_any_months_in_any_order() {
    for seed in 0..400 {
        let mut dice = Dice(seed * 0x9e37_79b9 + 7);
        let mut desk = Desk::new();
        let mut current = month("2026-08");
        for step in 0..8 {
            if dice.chance(4) && current < month("2026-11") {
                current = current.next();
            }
            let open: Vec<BillingPeriod> =
                std::iter::successors(Some(month("2026-07")), |of| Some(of.next()))
                    .take_while(|of| *of <= current)
                    .filter(|of| !desk.configuration.is_closed(*of))
                    .collect();
            let period = if dice.chance(6) { current } else { open[dice.below(open.len())] };
            let book = any(&mut dice);
            check(
                &mut desk,
                &book,
                period,
                current,
                &format!("seed {seed}, step {step}, to {period} in {current}"),
            );
            if dice.chance(2) {
                desk.configuration.closed_through =
                    Some(open[0]).filter(|of| *of < current).or(desk.configuration.closed_through);
            }
        }
    }
}
