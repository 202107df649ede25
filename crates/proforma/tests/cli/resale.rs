//! Chains of billing transfers: each level prices what the level above charges it. Every expectation is computed by hand; the small chains are
//! the examples of AWS's documentation.

mod handed_down;
mod mistakes;
mod over_time;

use crate::exported::{COST, exact, rows_of, value};
use crate::reports::{list, number, text};
use crate::support::{Done, Run, proforma};
use std::fs;
use std::process::Command;
use std::rc::Rc;
use tempfile::TempDir;
use testkit::line::PAYER;
use testkit::oracle::Exact;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
/// The account in the middle: it receives the bill of `CUSTOMER`, and the payer receives its own.
const SELLER: &str = "456456456456";
const CUSTOMER: &str = "123123123123";
/// A third level below the customer.
const LAST: &str = "012012012012";
/// Somebody else's organization, whose bill the payer receives too.
const STRANGER: &str = "777777777777";

/// A billing transfer that is in force.
fn transfer(source: &str, receiver: &str) -> String {
    transfer_of(source, receiver, "status = \"ACCEPTED\"\nstart = \"2026-01\"")
}

fn transfer_of(source: &str, receiver: &str, when: &str) -> String {
    format!(
        "\n[[responsibility_transfers]]\nname = \"of-{source}\"\nsource_account_id = \"{source}\"\n\
         receiver_account_id = \"{receiver}\"\naccounts = [\"{source}\"]\n{when}\n"
    )
}

/// The group that a transfer makes.
fn group(name: &str, source: &str, plan: &str) -> String {
    format!(
        "\n[[billing_groups]]\nname = \"{name}\"\nresponsibility_transfer = \"of-{source}\"\npricing_plan = \"{plan}\"\n"
    )
}

/// A plan of one rule for everything.
fn plan(name: &str, kind: &str, percentage: &str) -> String {
    format!(
        "\n[[pricing_rules]]\nname = \"{name}\"\nscope = \"GLOBAL\"\ntype = \"{kind}\"\nmodifier_percentage = \"{percentage}\"\n\
         \n[[pricing_plans]]\nname = \"{name}\"\npricing_rules = [\"{name}\"]\n"
    )
}

/// A flat custom line item.
fn item(name: &str, group: &str, kind: &str, value: &str) -> String {
    format!(
        "\n[[custom_line_items]]\nname = \"{name}\"\ndescription = \"about {name}\"\nbilling_group = \"{group}\"\n\
         type = \"{kind}\"\nflat_charge_value = \"{value}\"\nstart = \"2026-01\"\n"
    )
}

/// The book of an account, of these entries.
fn book(payer: &str, entries: &[String]) -> String {
    format!("payer_account_id = \"{payer}\"\n{}", entries.concat())
}

/// The book of a payer who receives the bills of the seller and of the customer, one through the other.
fn two_levels(entries: &[String]) -> String {
    let transfers = [transfer(SELLER, PAYER), transfer(CUSTOMER, SELLER)].concat();
    book(PAYER, &[&[transfers], entries].concat())
}

/// The book of the seller, with one group, `end`, of its customer.
fn sellers(plan: &str, entries: &[String]) -> String {
    book(SELLER, &[&[transfer(CUSTOMER, SELLER), group("end", CUSTOMER, plan)], entries].concat())
}

fn usage(account: &str, cost: &str) -> Line {
    Line::usage(account, "AmazonEC2", "BoxUsage:m5.large", cost)
}

fn top(lines: &[Line], book: &str) -> Run {
    let options = WriteOptions::new(Form::Cur2Parquet, PERIOD);
    Run::new(PERIOD, book, |cost| drop(write_month(cost, lines, &options)))
}

/// A level below a run, in a folder of its own.
struct Level(Rc<TempDir>, Done);

impl Level {
    fn of(above: &Done, account: &str, book: &str, more: &[&str]) -> Self {
        let folder = Rc::new(tempfile::tempdir().expect("a temporary folder"));
        let path = |name: &str| folder.path().join(name);
        fs::write(path("book.toml"), book).expect("a book");
        let mut command = Command::new(env!("CARGO_BIN_EXE_proforma"));
        command.args(["run", "--upstream", above.folder(), "--account", account, "--book"]);
        command.arg(path("book.toml")).arg("--out").arg(path("out")).args(more);
        let done = Done::of(command.output().expect("the program starts"), path("out"));
        Self(folder, done)
    }

    /// The run, which must have been refused with these words.
    #[track_caller]
    fn refused(above: &Done, account: &str, book: &str, more: &[&str], words: &[&str]) {
        let Self(_folder, done) = Self::of(above, account, book, more);
        done.refused(words);
    }

    /// The run, which must have succeeded.
    #[track_caller]
    fn good(above: &Done, account: &str, book: &str) -> Self {
        let Self(folder, done) = Self::of(above, account, book, &[]);
        Self(folder, done.succeeded())
    }
}

impl std::ops::Deref for Level {
    type Target = Done;

    fn deref(&self) -> &Done {
        &self.1
    }
}

#[track_caller]
fn total(done: &Done, group: &str) -> Exact {
    number(&done.statement(group, "USD")["total"])
}

/// What a level is charged: the control total of its run.
#[track_caller]
fn charged(done: &Done) -> Exact {
    number(&done.json("reconciliation.json")["currencies"]["USD"]["cost_files_total"])
}

#[track_caller]
fn assert_is(found: Exact, expected: &str) {
    assert_eq!(found, Exact::of(expected));
}

#[test]
fn a_conglomerate_sees_at_each_level_the_price_of_the_level_above() {
    // AWS's example: 15, 30 and 10 are billed; the top prices the source at 14 and the intermediary at 29, which prices it at 13.50.
    let lines = [usage(CUSTOMER, "15"), usage(SELLER, "30"), usage(PAYER, "10")];
    let groups = [group("456", SELLER, "BasicPricingPlan"), group("123", CUSTOMER, "BasicPricingPlan")];
    let credits = [item("less", "456", "CREDIT", "1"), item("less-too", "123", "CREDIT", "1")];
    let done = top(&lines, &two_levels(&[&groups[..], &credits].concat())).go().succeeded();
    assert_is(charged(&done), "55");
    assert_is(total(&done, "456"), "29");
    assert_is(total(&done, "123"), "14");
    let level = Level::good(&done, SELLER, &sellers("Passthrough", &[item("half", "end", "CREDIT", "0.5")]));
    assert_is(charged(&level), "43");
    assert_is(total(&level, "end"), "13.5");
    let mark = level.json("reconciliation.json");
    assert_eq!(mark["payer_account_id"], SELLER);
    assert_is(number(&mark["currencies"]["USD"]["difference"]), "0");
    let margins = level.group_totals();
    let of_end = &margins[&("end".to_owned(), "USD".to_owned())];
    assert_eq!((&of_end.aws_cost, &of_end.margin), (&Exact::of("14"), &Exact::of("-0.5")));
    assert_eq!(level.ungrouped()[&(SELLER.to_owned(), "USD".to_owned())], Exact::of("29"));
}

#[test]
fn a_reseller_sees_what_the_distributor_charges_and_its_customer_what_it_charges() {
    // AWS's example: 20, 2 and 1 are billed, the distributor pays 23; the seller sees 21 and 3, the customer 22.
    let lines = [usage(CUSTOMER, "20"), usage(SELLER, "2"), usage(PAYER, "1")];
    let plans = [plan("five", "MARKUP", "5"), plan("half", "MARKUP", "50")];
    let groups = [group("seller", SELLER, "half"), group("customer", CUSTOMER, "five")];
    let done = top(&lines, &two_levels(&[&plans[..], &groups].concat())).go().succeeded();
    assert_is(charged(&done), "23");
    let level = Level::good(&done, SELLER, &sellers("ten", &[plan("ten", "MARKUP", "10")]));
    assert_is(charged(&level), "24");
    assert_eq!(level.ungrouped()[&(SELLER.to_owned(), "USD".to_owned())], Exact::of("3"));
    let of_end = level.group_totals().remove(&("end".to_owned(), "USD".to_owned())).expect("the group");
    assert_eq!((of_end.aws_cost, of_end.pro_forma_cost), (Exact::of("21"), Exact::of("22")));
}

/// A hundred at public prices, of which 98 are invoiced: 5 and 2 taken off, 4.5 of support and 0.5 of tax added.
fn invoice_of_98(account: &str) -> Vec<Line> {
    vec![
        usage(account, "100").netting("95"),
        Line::charge("Credit", account, "AmazonEC2", "-2"),
        Line::charge("Fee", account, "AWSSupportBusiness", "4.5"),
        Line::charge("Tax", account, "AmazonEC2", "0.5"),
    ]
}

#[test]
fn passthrough_shows_what_is_invoiced() {
    let entries = [transfer(CUSTOMER, PAYER), group("customer", CUSTOMER, "Passthrough")];
    let done =
        top(&invoice_of_98(CUSTOMER), &book(PAYER, &entries)).with(&["--export", "cur2"]).go().succeeded();
    assert_is(total(&done, "customer"), "98");
    assert_is(charged(&done), "98");
    let costs = done.group_totals().remove(&("customer".to_owned(), "USD".to_owned())).expect("the group");
    assert_eq!((costs.aws_cost, costs.margin), (Exact::of("98"), Exact::of("0")));
    let mut rows: Vec<_> = rows_of(&done.exports(), "customer")
        .iter()
        .map(|row| (value(row, "line_item_line_item_type").to_owned(), exact(row, COST)))
        .collect();
    rows.sort();
    let expected = [("Credit", "-2"), ("Fee", "4.5"), ("Tax", "0.5"), ("Usage", "95")];
    assert_eq!(rows, expected.map(|(kind, cost)| (kind.to_owned(), Exact::of(cost))));
    let focus =
        top(&invoice_of_98(CUSTOMER), &book(PAYER, &entries)).with(&["--export", "focus"]).go().succeeded();
    let mut rows: Vec<_> = rows_of(&focus.exports(), "customer")
        .iter()
        .map(|row| (value(row, "ChargeCategory").to_owned(), exact(row, "BilledCost")))
        .collect();
    rows.sort();
    let expected = [("Credit", "-2"), ("Purchase", "4.5"), ("Tax", "0.5"), ("Usage", "95")];
    assert_eq!(rows, expected.map(|(kind, cost)| (kind.to_owned(), Exact::of(cost))));
}

#[test]
fn what_a_bill_that_is_passed_through_has_paid_and_not_used_is_in_its_focus_file() {
    // A plan of 100 of which 60 are used, by usage of 80; usage of 12 under the payer's plan, of which 11 are taken back; a credit of 3 for the
    // plan.
    let lines = [
        Line::charge("SavingsPlanRecurringFee", CUSTOMER, "ComputeSavingsPlans", "100")
            .of_savings_plan(CUSTOMER),
        Line {
            savings_plan_savings_plan_effective_cost: Some(testkit::amount::amount("60")),
            ..Line::covered_usage(CUSTOMER, CUSTOMER, "AmazonECS", "Fargate", "80")
        },
        Line::negation(CUSTOMER, CUSTOMER, "AmazonECS", "Fargate", "80"),
        Line::covered_usage(CUSTOMER, PAYER, "AmazonECS", "Fargate", "12"),
        Line::negation(CUSTOMER, PAYER, "AmazonECS", "Fargate", "11"),
        Line::charge("Credit", CUSTOMER, "ComputeSavingsPlans", "-3").of_savings_plan(CUSTOMER),
        usage(PAYER, "5"),
    ];
    let entries = [transfer(CUSTOMER, PAYER), group("customer", CUSTOMER, "Passthrough")];
    let done = top(&lines, &book(PAYER, &entries)).with(&["--export", "focus"]).go().succeeded();
    assert_is(total(&done, "customer"), "98");
    let rows = rows_of(&done.exports(), "customer");
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| {
            let status = row.get("CommitmentDiscountStatus").map_or("-", String::as_str).to_owned();
            let cause = row.get("x_ProformaCause").map_or("-", String::as_str);
            let cause =
                cause.split('/').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
            (exact(row, "BilledCost"), exact(row, "EffectiveCost"), status, cause)
        })
        .collect();
    told.sort();
    let expected = [
        ("-3", "-3", "-", "-"),
        ("0", "0", "Used", "-"),
        ("0", "40", "Unused", "arn"),
        ("0", "60", "Used", "-"),
        ("1", "1", "-", "coverage"),
        ("100", "0", "-", "-"),
    ]
    .map(|(billed, effective, status, cause)| {
        (Exact::of(billed), Exact::of(effective), status.to_owned(), cause.to_owned())
    });
    assert_eq!(told, expected);
    assert!(!format!("{rows:?}").contains(PAYER));
}

#[test]
fn passthrough_at_either_level() {
    let lines = invoice_of_98(CUSTOMER);
    for (distributor, seller, my_view, customer) in [
        ("Passthrough", "BasicPricingPlan", "98", "100"),
        ("BasicPricingPlan", "Passthrough", "100", "100"),
        ("Passthrough", "Passthrough", "98", "98"),
    ] {
        let done = top(&lines, &two_levels(&[group("customer", CUSTOMER, distributor)])).go().succeeded();
        let level = Level::good(&done, SELLER, &sellers(seller, &[]));
        assert_is(charged(&level), my_view);
        assert_is(total(&level, "end"), customer);
    }
}

#[test]
fn a_plan_holds_for_the_whole_month() {
    // Usage of the first day and of the twentieth: the book of the month has one plan for both.
    let day = |day: &str| {
        let [start, end] = ["00", "01"].map(|hour| format!("2026-10-{day}T{hour}:00:00Z"));
        usage(CUSTOMER, "50").netting("49").during(&start, &end)
    };
    for (plan, of_day, total_of) in [("BasicPricingPlan", "50", "100"), ("Passthrough", "49", "98")] {
        let entries = [transfer(CUSTOMER, PAYER), group("customer", CUSTOMER, plan)];
        let done = top(&[day("01"), day("20")], &book(PAYER, &entries)).go().succeeded();
        assert_is(total(&done, "customer"), total_of);
        let report = ["report", "--run", done.folder(), "--by", "day", "--output", "json"];
        let rows = proforma(&report).printed();
        let costs: Vec<_> = list(&rows).iter().map(|row| number(&row["pro_forma_cost"])).collect();
        assert_eq!(costs, [Exact::of(of_day), Exact::of(of_day)], "{plan}");
    }
}

#[test]
fn a_group_is_there_while_its_transfer_is() {
    let lines = [usage(CUSTOMER, "100"), usage(STRANGER, "7")];
    let automatic = format!(
        "\n[[billing_groups]]\nname = \"rest\"\nprimary_account_id = \"{STRANGER}\"\naccounts = [\"{STRANGER}\"]\n\
         pricing_plan = \"BasicPricingPlan\"\nauto_associate = true\n"
    );
    let cases = [
        ("status = \"ACCEPTED\"\nstart = \"2026-10\"", Some(("ACTIVE", "103"))),
        ("status = \"ACCEPTED\"\nstart = \"2026-01\"\nend = \"2026-11\"", Some(("ACTIVE", "103"))),
        ("status = \"WITHDRAWN\"\nstart = \"2026-01\"\nend = \"2026-11\"", Some(("ACTIVE", "103"))),
        ("status = \"ACCEPTED\"\nstart = \"2026-11\"", Some(("PENDING", "0"))),
        ("status = \"REQUESTED\"\nstart = \"2026-10\"", Some(("PENDING", "0"))),
        ("status = \"WITHDRAWN\"\nstart = \"2026-01\"\nend = \"2026-10\"", None),
        ("status = \"DECLINED\"\nstart = \"2026-01\"", None),
        ("status = \"CANCELED\"\nstart = \"2026-01\"", None),
        ("status = \"EXPIRED\"\nstart = \"2026-01\"", None),
    ];
    for (when, expected) in cases {
        let entries = [
            transfer_of(CUSTOMER, PAYER, when),
            group("customer", CUSTOMER, "BasicPricingPlan"),
            item("fee", "customer", "FEE", "3"),
            automatic.clone(),
        ];
        let done = top(&lines, &book(PAYER, &entries)).go().succeeded();
        let file = done.out.join("statements/customer.json");
        let Some((status, amount)) = expected else {
            assert!(!file.exists(), "{when}");
            // Nobody has a claim to the account any more: the group that takes all others has it.
            assert_is(total(&done, "rest"), "107");
            proforma(&["report", "--run", done.folder(), "--by", "group"]).succeeded();
            continue;
        };
        assert_eq!(done.json("statements/customer.json")["status"], status, "{when}");
        assert_is(total(&done, "customer"), amount);
        assert_is(total(&done, "rest"), "7");
        // The run can be asked, and says the same.
        let report = ["preview", "--run", done.folder(), "--book", &format!("{}/book.toml", done.folder())];
        proforma(&report).succeeded();
    }
}

#[test]
fn three_levels_and_a_rule_with_awkward_decimals() {
    let lines = [
        usage(LAST, "33.3333333333"),
        usage(CUSTOMER, "11.1111111111"),
        usage(SELLER, "7.7777777777"),
        Line::usage(LAST, "AmazonS3", "Requests-Tier1", "0.0000000007"),
    ];
    let transfers = [transfer(SELLER, PAYER), transfer(CUSTOMER, SELLER), transfer(LAST, CUSTOMER)];
    let groups = [("seller", SELLER), ("customer", CUSTOMER), ("last", LAST)];
    let groups = groups.map(|(name, source)| group(name, source, "up"));
    let up = [plan("up", "MARKUP", "7.1429")];
    let done = top(&lines, &book(PAYER, &[&transfers[..], &groups, &up].concat())).go().succeeded();
    // 52.2222222228 × 1.071429, each group shown at ten decimals.
    let groups_above = ["seller", "customer", "last"].map(|name| total(&done, name));
    let sum = groups_above.iter().fold(Exact::default(), |sum, of| sum + of);
    let second = book(SELLER, &[&transfers[1..], &groups[1..], &up].concat());
    let second = Level::good(&done, SELLER, &second);
    assert_eq!(charged(&second), sum);
    // Public prices are the base at every level: the second level charges the last what the first does.
    assert_eq!(total(&second, "last"), groups_above[2]);
    let passed = [transfers[2].clone(), group("last", LAST, "Passthrough")];
    let third = Level::good(&second, CUSTOMER, &book(CUSTOMER, &passed));
    assert_eq!(charged(&third), groups_above[1].clone() + &groups_above[2]);
    assert_eq!(total(&third, "last"), groups_above[2]);
    // What is passed through is charged to the last digit, by day too.
    let report = ["report", "--run", third.folder(), "--by", "day", "--metric", "margin", "--output", "json"];
    for row in list(&proforma(&report).printed()) {
        assert_is(number(&row["margin"]), "0");
    }
}

#[test]
fn items_of_the_level_above_are_charges_of_the_next() {
    let groups = [group("customer", CUSTOMER, "BasicPricingPlan")];
    let items = [item("setup", "customer", "FEE", "5"), item("thanks", "customer", "CREDIT", "2")];
    let done = top(&[usage(CUSTOMER, "10")], &two_levels(&[&groups[..], &items].concat())).go().succeeded();
    let passed = Level::good(&done, SELLER, &sellers("Passthrough", &[]));
    assert_is(total(&passed, "end"), "13");
    let service = passed.statement("end", "USD");
    let of_items = list(&service["services"]).iter().find(|of| of["product"] == "AWSBillingConductor");
    let mut lines: Vec<_> = list(&of_items.expect("the items")["usage_types"])
        .iter()
        .map(|line| (text(&line["usage_type"]), text(&line["line_item_type"]), text(&line["amount"])))
        .collect();
    lines.sort_unstable();
    assert_eq!(lines, [("setup", "Fee", "5"), ("thanks", "Credit", "-2")]);
    // Elsewhere a fee is charged as it is, with the rule, and a credit is AWS's way with credits: left out.
    let up = Level::good(&done, SELLER, &sellers("up", &[plan("up", "MARKUP", "10")]));
    assert_is(total(&up, "end"), "16.5");
    assert_is(charged(&up), "13");
}
