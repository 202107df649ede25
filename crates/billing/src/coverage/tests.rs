//! What a month's coverage sums up to; figures are computed by hand.

use super::*;
use crate::account::AccountId;
use crate::billing_group::{BillingGroup, Plan, UsageWindow};
use crate::book::{Book, Exports, Reports};
use crate::charge_class::{KEY_COLUMNS, MEASURES, TextId, Texts};
use crate::commitment::{PlanKind, PlanRates, SavingsPlan};
use crate::line_filter::LineFilter;
use crate::money::Currency;
use crate::period::BillingPeriod;
use crate::policy::Policies;
use crate::sharing::Sharing;
use std::collections::BTreeMap;

const OWNER: &str = "111111111111";
const MEMBER: &str = "222222222222";
const OTHER: &str = "333333333333";
const PAYER: &str = "999999999999";
const HOURS: u32 = 744;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// A book with these groups; the first account of each is its primary.
fn book(groups: &[(&str, &[&str])], sharing: Sharing) -> Book {
    let group = |(name, accounts): &(&str, &[&str])| BillingGroup {
        usage: UsageWindow::default(),
        name: (*name).to_owned(),
        description: None,
        primary_account: account(accounts[0]),
        lines: Vec::new(),
        accounts: accounts.iter().map(|id| account(id)).collect(),
        transfer: None,
        pricing_plan: Plan::Basic,
        auto_associate: false,
        parent: None,
    };
    Book {
        payer: account(PAYER),
        currency: Currency::parse("USD").unwrap(),
        account_names: BTreeMap::new(),
        transfers: Vec::new(),
        groups: groups.iter().map(group).collect(),
        rules: Vec::new(),
        plans: Vec::new(),
        items: Vec::new(),
        sharing,
        policies: Policies::default(),
        exports: Exports::default(),
        reports: Reports::default(),
    }
}

/// A month of a class of EC2 usage per account, with these sums of the cut measures.
fn cube(classes: &[(&str, CutMeasures)]) -> Cube {
    use KeyColumn as K;
    let mut texts = Texts::default();
    let class = |(account, sums): &(&str, CutMeasures)| {
        let mut key = [TextId::NULL; KEY_COLUMNS];
        for (column, value) in [
            (K::UsageAccount, *account),
            (K::ServiceCode, "AmazonEC2"),
            (K::UsageType, "BoxUsage:m5.large"),
            (K::Operation, "RunInstances"),
            (K::LineItemType, "Usage"),
            (K::PublicCostState, "+"),
            (K::PricingTerm, "OnDemand"),
            (K::UnblendedRateState, "+"),
        ] {
            key[column as usize] = texts.intern(value);
        }
        let mut of_class = [Quantity::ZERO; MEASURES];
        for (measure, sum) in CUT_MEASURES.into_iter().zip(sums) {
            of_class[measure as usize] = *sum;
        }
        ChargeClass { key, lines: 1, lines_without_net: 0, unblended_rate: TextId::NULL, sums: of_class }
    };
    let classes = classes.iter().map(class).collect();
    Cube::new(BillingPeriod::new(2026, 10).unwrap(), None, texts, classes, BTreeMap::new())
}

/// A Compute plan of so much an hour, at 0.06 for an instance.
fn plan(arn: &str, owner: &str, commitment: &str) -> Commitment {
    let mut rates = PlanRates::default();
    rates.add("AmazonEC2", "BoxUsage:m5.large", "RunInstances", quantity("0.06"));
    let plan = SavingsPlan { kind: PlanKind::Compute, commitment: quantity(commitment), rates };
    let terms = Terms::SavingsPlan(plan);
    Commitment { arn: arn.to_owned(), owner: owner.to_owned(), hours: 0..HOURS, terms }
}

/// A line of a class: usage, and what it costs net; unblended and public 0.1 a unit.
fn line(class: u32, row: u64, usage: &str, net: &str) -> EligibleLine {
    let cost = Quantity::from_units(quantity(usage).units() / 10).unwrap();
    let measures = [quantity(usage), quantity("0"), cost, quantity(net), cost];
    EligibleLine { class, file: 0, row, measures }
}

fn sum(lines: &[EligibleLine]) -> CutMeasures {
    let mut sums = [Quantity::ZERO; 5];
    for (sum, at) in sums.iter_mut().zip(0..) {
        *sum = lines.iter().fold(Quantity::ZERO, |sum, line| sum.plus(line.measures[at]).unwrap());
    }
    sums
}

#[test]
fn covered_parts_and_what_is_left_sum_to_the_class() {
    let lines = [line(0, 0, "1", "0.0000000001"), line(0, 1, "2", "0.3"), line(0, 2, "-0.5", "0")];
    let cube = cube(&[(OWNER, sum(&lines))]);
    let book = book(&[("one", &[OWNER])], Sharing::Members);
    let commitments = [plan("a", OWNER, "0.05"), plan("b", OWNER, "0.04")];
    let membership = Membership::new(&cube, &book);
    let mut simulator = Simulator::new(&cube, &commitments, (&membership, &Fates::default()), HOURS).unwrap();
    let mut told = Vec::new();
    simulator.add_hour(25, &lines, |lines, parts| told.push((lines.len(), parts.to_vec()))).unwrap();
    let coverage = simulator.finish().unwrap();
    // 0.05 pays for 0.8333333333 of 2.5, and 0.04 for 0.6666666666.
    let usage: Vec<_> = coverage.days.iter().map(|part| part.usage().to_string()).collect();
    assert_eq!(usage, ["0.8333333333", "0.6666666666"]);
    assert!(coverage.days.iter().all(|part| part.day == 1));
    // Of 0.3000000001 net cost: × 0.8333333333 / 2.5, then × 1.4999999999 / 2.5 less that.
    let net: Vec<_> = coverage.days.iter().map(|part| part.measures[3].to_string()).collect();
    assert_eq!(net, ["0.1", "0.08"]);
    let left = remainders(&cube, &coverage.of_month().unwrap()).unwrap();
    let sums = CUT_MEASURES.map(|measure| left[&0].sum(measure).to_string());
    assert_eq!(sums, ["1.0000000001", "0", "0.1", "0.1200000001", "0.1"]);
    let [(3, parts)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(parts.iter().map(|part| part.commitment).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn what_is_not_used_in_an_hour_is_lost() {
    let lines = [line(0, 0, "1", "0")];
    let cube = cube(&[(MEMBER, sum(&[lines[0], lines[0], lines[0]]))]);
    let book = book(&[("one", &[OWNER, MEMBER])], Sharing::Members);
    // The second owner is in no group, the third has nobody to share with.
    let commitments = [plan("a", OWNER, "1"), plan("b", OTHER, "1"), plan("c", PAYER, "1")];
    let membership = Membership::new(&cube, &book);
    let mut simulator = Simulator::new(&cube, &commitments, (&membership, &Fates::default()), HOURS).unwrap();
    for hour in [0, 23, 24] {
        simulator.add_hour(hour, &lines, |_, _| {}).unwrap();
    }
    let coverage = simulator.finish().unwrap();
    let told = |of: &Utilization| (of.used.to_string(), of.unused.to_string());
    let utilization: Vec<_> = coverage.utilization.iter().map(told).collect();
    let none = ("0".to_owned(), "744".to_owned());
    assert_eq!(utilization, [("0.18".to_owned(), "743.82".to_owned()), none.clone(), none]);
    let days: Vec<_> = coverage.days.iter().map(|part| (part.day, part.usage().to_string())).collect();
    assert_eq!(days, [(0, "2".to_owned()), (1, "1".to_owned())]);
    let [of_month] = coverage.of_month().unwrap()[..] else { panic!("{:?}", coverage.days) };
    assert_eq!((of_month.usage().to_string(), of_month.taken.to_string()), ("3".into(), "0.18".into()));
    assert_eq!(coverage.effective_cost(&of_month).unwrap().recurring.to_string(), "0.18");
    assert!(is_nothing(&remainders(&cube, &[of_month]).unwrap()[&0]));
}

#[test]
fn families_are_who_shares_with_whom_whatever_groups_are_called() {
    let month = cube(&[(OWNER, [Quantity::ZERO; 5]), (PAYER, [Quantity::ZERO; 5])]);
    let families =
        |groups: &[(&str, &[&str])], sharing| Membership::new(&month, &book(groups, sharing)).families();
    let one = families(&[("one", &[OWNER, MEMBER]), ("two", &[OTHER])], Sharing::Members);
    assert_eq!(one, families(&[("a", &[OTHER]), ("b", &[MEMBER, OWNER])], Sharing::Members));
    assert_ne!(one, families(&[("one", &[OWNER]), ("two", &[OTHER, MEMBER])], Sharing::Members));
    assert_ne!(one, families(&[("one", &[OWNER, MEMBER])], Sharing::Members));
    // Only where the payer is a member does it matter whether it keeps what it has bought.
    assert_eq!(one, families(&[("one", &[OWNER, MEMBER]), ("two", &[OTHER])], Sharing::Keep));
    let with_payer: [(&str, &[&str]); 1] = [("one", &[OWNER, PAYER])];
    assert_ne!(families(&with_payer, Sharing::Members), families(&with_payer, Sharing::Keep));
}

#[test]
fn lines_below_accounts_are_of_their_own_families() {
    let of_team = |teams: &[&str]| LineFilter {
        tags: BTreeMap::from([("user_team".to_owned(), teams.iter().map(ToString::to_string).collect())]),
        ..LineFilter::default()
    };
    let month = cube(&[(OWNER, [Quantity::ZERO; 5]), (PAYER, [Quantity::ZERO; 5])]);
    let families = |lines: &[LineFilter]| {
        let mut book = book(&[("one", &[OWNER, MEMBER]), ("two", &[OTHER])], Sharing::Members);
        book.groups[1].lines = lines.to_vec();
        Membership::new(&month, &book).families()
    };
    let (one, other) = (of_team(&["a", "b"]), of_team(&["c"]));
    assert_ne!(families(&[]), families(std::slice::from_ref(&one)));
    assert_ne!(families(&[one.clone(), other.clone()]), families(std::slice::from_ref(&one)));
    assert_eq!(families(&[one.clone(), other.clone()]), families(&[other, of_team(&["b", "a"])]));
}
