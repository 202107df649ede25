//! What a book says is what is configured, month by month, whatever was said before.

mod books;

use self::books::{Dice, PAYER, any, fee, group, rich, rule, texts};
use super::*;
use crate::book::{GroupDraft, ItemDraft, PlanDraft, SelectorDraft};
use crate::configuration::{
    BillingGroupId, Moment, Preference, names_in_other, remove_group, rename_group, split,
};
use crate::custom_line_item::CustomLineItem;
use crate::money::Cost;
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
        let mut draft = self.configuration.draft(period, &other);
        self.configuration.add_rules(&mut draft, period);
        draft
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

/// The rules of groups, which no hash has: nothing is priced by them.
fn ruled(draft: &Draft) -> BTreeMap<String, (String, Vec<String>)> {
    let of = |group: &GroupDraft| {
        let mut by_rule = group.rule_accounts.clone();
        by_rule.sort();
        (group.name.clone(), (format!("{:?} {:?}", group.rule, group.rule_except), by_rule))
    };
    draft.billing_groups.iter().map(of).collect()
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
    assert_eq!(ruled(&shown), ruled(book), "{words}: {period}");
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
    for seed in 0..40 {
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

fn small() -> Draft {
    Draft {
        payer_account_id: PAYER.into(),
        pricing_rules: vec![rule("up", "10")],
        pricing_plans: vec![PlanDraft { name: "gold".into(), pricing_rules: texts(&["up"]) }],
        billing_groups: vec![
            GroupDraft { pricing_plan: "gold".into(), ..group("acme", &["111111111111", "222222222222"]) },
            group("beta", &["333333333333"]),
        ],
        custom_line_items: vec![fee("fee", "acme", "10", "2026-09")],
        ..Draft::default()
    }
}

#[test]
fn a_group_is_known_by_its_account_and_a_rule_by_what_it_selects() {
    let mut desk = Desk::new();
    desk.apply(&small(), "2026-09", "2026-09");
    let mut book = small();
    book.billing_groups[0].name = "acme inc".into();
    book.billing_groups[0].accounts.truncate(1);
    book.billing_groups[1].accounts.push("222222222222".into());
    book.custom_line_items[0].billing_group = "acme inc".into();
    book.pricing_rules[0].scope = "SERVICE".into();
    book.pricing_rules[0].service = Some("AmazonEC2".into());
    let changes = desk.apply(&book, "2026-10", "2026-10");
    assert_eq!(changes.billing_groups.changed, ["acme inc", "beta"]);
    assert_eq!(
        (&changes.pricing_rules.created, &changes.pricing_rules.ended),
        (&texts(&["up"]), &texts(&["up"]))
    );
    assert!(changes.custom_line_items.is_empty() && !changes.other && changes.until.is_none());
    let acme = BillingGroupId::parse("111111111111").unwrap();
    let of_acme = desk.configuration.groups.get(&acme).unwrap();
    assert_eq!((of_acme.number, of_acme.created_at, of_acme.versions.spans().len()), (3, 1, 2));
    let moved = AccountId::parse("222222222222").unwrap();
    assert_eq!(desk.configuration.group_of(&moved, month("2026-09")), Some(&acme));
    assert_eq!(desk.configuration.group_of(&moved, month("2026-10")).unwrap().as_str(), "333333333333");
}

#[test]
fn groups_of_one_primary_account_have_ids_of_their_own() {
    let mut desk = Desk::new();
    desk.apply(&rich(), "2026-09", "2026-09");
    let groups = desk.configuration.groups.in_period(month("2026-09"));
    let ids: BTreeMap<&str, &str> = groups.map(|(id, _, group)| (group.name.as_str(), id.as_str())).collect();
    assert_eq!(ids["acme"], "222222222222");
    assert!(["holding", "payments", "seller"].iter().all(|name| ids[name].starts_with("id")), "{ids:?}");
    let mut book = rich();
    book.billing_groups[2].description = Some("changed".into());
    assert_eq!(desk.apply(&book, "2026-09", "2026-09").billing_groups.changed, ["payments"]);
}

#[test]
fn an_item_is_written_to_the_months_that_are_open() {
    let price = |desk: &Desk, period: &str| {
        let items = desk.draft(month(period)).custom_line_items;
        items.first().and_then(|item: &ItemDraft| item.flat_charge_value).map(|value| value.to_string())
    };
    let mut desk = Desk::new();
    desk.apply(&small(), "2026-08", "2026-08");
    desk.configuration.closed_through = Some(month("2026-09"));
    let mut book = small();
    book.custom_line_items[0].start = "2026-08".into();
    book.custom_line_items[0].flat_charge_value = Some(Cost::parse("20").unwrap());
    let changes = desk.apply(&book, "2026-11", "2026-11");
    assert_eq!(changes.custom_line_items.changed, ["fee"]);
    let prices = ["2026-09", "2026-10", "2026-11"].map(|period| price(&desk, period));
    assert_eq!(prices, ["10", "20", "20"].map(|price| Some(price.to_owned())));
    assert!(desk.apply(&book, "2026-11", "2026-11").is_empty());
    book.custom_line_items.clear();
    assert_eq!(desk.apply(&book, "2026-11", "2026-11").custom_line_items.ended, ["fee"]);
    assert_eq!((price(&desk, "2026-10"), price(&desk, "2026-11")), (Some("20".to_owned()), None));
}

#[test]
fn an_earlier_book_holds_until_something_else_was_said() {
    let mut desk = Desk::new();
    desk.apply(&small(), "2026-08", "2026-08");
    let mut book = small();
    book.pricing_rules[0] = rule("up", "20");
    desk.apply(&book, "2026-10", "2026-10");
    let october = desk.hash(month("2026-10"));
    book.pricing_rules[0] = rule("up", "15");
    let changes = desk.apply(&book, "2026-08", "2026-10");
    assert_eq!((changes.until, changes.pricing_rules.changed), (Some(month("2026-10")), texts(&["up"])));
    let percentages = ["2026-08", "2026-09", "2026-10"]
        .map(|period| desk.draft(month(period)).pricing_rules[0].modifier_percentage.unwrap().to_string());
    assert_eq!(percentages, ["15", "15", "20"]);
    assert_eq!(desk.hash(month("2026-10")), october);
}

#[test]
fn a_book_of_an_earlier_month_leaves_a_later_rule_and_whom_it_has_put_where() {
    let by = |unit: &str, accounts: &[&str]| {
        let mut book = small();
        let of = SelectorDraft { organizational_unit: Some(unit.into()), ..SelectorDraft::default() };
        book.billing_groups[0].rule = vec![of];
        book.billing_groups[0].rule_accounts = texts(accounts);
        book
    };
    let mut desk = Desk::new();
    desk.apply(&small(), "2026-08", "2026-08");
    desk.apply(&by("Root/New", &["222222222222"]), "2026-10", "2026-10");
    let october = ruled(&desk.draft(month("2026-10")));
    for (book, words) in
        [(small(), "none"), (by("Root/Old", &["222222222222"]), "another"), (by("Root/New", &[]), "nobody")]
    {
        let changes = desk.apply(&book, "2026-08", "2026-10");
        assert_eq!(changes.until, Some(month("2026-10")), "{words}");
        let there = ["2026-08", "2026-09", "2026-10"].map(|period| ruled(&desk.draft(month(period))));
        assert_eq!(there, [ruled(&book), ruled(&book), october.clone()], "{words}");
    }
}

#[test]
fn a_book_that_cannot_be_applied_changes_nothing() {
    let mut desk = Desk::new();
    desk.apply(&small(), "2026-09", "2026-09");
    let plan = desk.configuration.plans.iter().next().unwrap().0.clone();
    let preference = Preference { pricing_plan: Some(PlanOf::Own(plan)), modified_at: 0 };
    desk.configuration.preferences = Arc::new([("transfer".to_owned(), preference)].into());
    let before = format!("{:?}", desk.configuration);
    let mut check = |change: &dyn Fn(&mut Draft), words: &str| {
        let mut book = small();
        change(&mut book);
        let refused = desk.try_apply(&book, (month("2026-09"), month("2026-09"))).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        assert_eq!(format!("{:?}", desk.configuration), before);
    };
    check(&|book| book.payer_account_id = "888888888888".into(), "the book is of payer `888888888888`");
    check(&|book| book.billing_groups[0].pricing_plan = "golt".into(), "did you mean `gold`?");
    let without_gold = |book: &mut Draft| {
        book.pricing_plans.clear();
        book.billing_groups[0].pricing_plan = "BasicPricingPlan".into();
    };
    check(&without_gold, "pricing plan `gold` is the plan of new billing groups");
}

#[test]
fn what_only_a_book_says_follows_a_rename() {
    let mut other = split(&rich());
    let of_acme = [
        "allocation `halves`",
        "support fee `support`",
        "payer commitment `promise`",
        "minimum `least`",
        "file of weights `weights.csv`",
    ];
    assert_eq!(names_in_other(&other, "acme"), of_acme);
    assert_eq!(names_in_other(&other, "holding"), ["billing group `acme`, whose parent it is"]);
    assert_eq!(names_in_other(&other, "seller"), ["allocation `network`"]);
    assert_eq!(rename_group(&mut other, "acme", "acme inc"), ["weights.csv"]);
    assert_eq!(names_in_other(&other, "acme"), ["file of weights `weights.csv`"]);
    assert_eq!(names_in_other(&other, "acme inc"), of_acme[..4]);
    assert!(rename_group(&mut other, "holding", "top").is_empty());
    let acme = other.billing_groups.iter().find(|group| group.name == "acme inc").unwrap();
    assert_eq!(acme.parent.as_deref(), Some("top"));
    assert!(remove_group(&mut other, "payments") && !remove_group(&mut other, "payments"));
}
