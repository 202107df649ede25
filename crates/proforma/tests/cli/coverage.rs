//! Commitments applied hour by hour inside billing groups; every expectation is computed by hand.

use crate::reports::{list, number, statement_lines, text};
use crate::support::{Done, Run, book_of_groups, proforma};
use serde_json::Value;
use std::fs;
use std::path::Path;
use testkit::amount::amount;
use testkit::calendar::hour_of;
use testkit::line::{PAYER, reservation_arn, savings_plan_arn};
use testkit::oracle::Exact;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const HOURS: i64 = 744;
/// The members of the group `acme`, the one of `beta`, and an account in no group.
const ACME: &str = "111111111111";
const MATE: &str = "444444444444";
const BETA: &str = "222222222222";
const OTHER: &str = "333333333333";
const LARGE: &str = "BoxUsage:m5.large";

/// Both groups pay 10 % more; `acme` has these accounts, and the book says more.
fn book(of_acme: &[&str], more: &str) -> String {
    book_of_groups(&[("acme", of_acme), ("beta", &[BETA])], more)
}

/// An hour of On-Demand usage of an instance at 0.096 an hour.
pub fn usage(account: &str, hour: i64, quantity: &str) -> Line {
    in_hour(Line::usage(account, "AmazonEC2", LARGE, "0"), hour, quantity)
}

fn in_hour(line: Line, hour: i64, quantity: &str) -> Line {
    let cost = (Exact::of(quantity).times(&Exact::of("0.096"))).rounded(10).to_string();
    let line = line.of_operation("RunInstances").using(quantity).at_public_cost(&cost);
    let line = if line.line_item_line_item_type.as_deref() == Some("DiscountedUsage") {
        line
    } else {
        line.amounting(&cost)
    };
    let line = line.of_sku("SKU", "6YS6EN2CT7").at_rates("0.096", "0.096");
    line.during(&hour_of(PERIOD, hour), &hour_of(PERIOD, hour + 1))
}

/// The month's fee of one m5.large that an account has reserved: 0.05 an hour.
pub fn reservation(owner: &str) -> Line {
    let mut line = Line::charge("RIFee", owner, "AmazonEC2", "37.2").of_operation("RunInstances");
    line.line_item_usage_type = Some("HeavyUsage:m5.large".to_owned());
    line.using("744").of_reservation(owner)
}

/// An hour of usage that the owner's reservation covers in the real bill.
fn discounted(account: &str, owner: &str, hour: i64) -> Line {
    in_hour(Line::discounted_usage(account, owner, "AmazonEC2", LARGE, "0"), hour, "1")
}

fn of_plan(mut line: Line, owner: &str) -> Line {
    line.savings_plan_offering_type = Some("ComputeSavingsPlans".to_owned());
    line.savings_plan_payment_option = Some("No Upfront".to_owned());
    line.savings_plan_purchase_term = Some("1yr".to_owned());
    line.of_savings_plan(owner)
}

/// The hourly fees of a plan, and an hour of usage that it covers in the real bill at 0.06, with its negation.
pub fn plan(owner: &str, commitment: &str, covers: &str, hour: i64) -> Vec<Line> {
    let fee = |hour: i64| {
        let line = Line::charge("SavingsPlanRecurringFee", owner, "ComputeSavingsPlans", commitment);
        let mut line = of_plan(line, owner).during(&hour_of(PERIOD, hour), &hour_of(PERIOD, hour + 1));
        line.savings_plan_total_commitment_to_date = Some(amount(commitment));
        line
    };
    let covered = Line::covered_usage(covers, owner, "AmazonEC2", LARGE, "0");
    let mut covered = of_plan(in_hour(covered, hour, "1"), owner);
    covered.savings_plan_savings_plan_rate = Some(amount("0.06"));
    let negation = Line::negation(covers, owner, "AmazonEC2", LARGE, "0.096").of_operation("RunInstances");
    let negation = negation.during(&hour_of(PERIOD, hour), &hour_of(PERIOD, hour + 1));
    (0..HOURS).map(fee).chain([covered, negation]).collect()
}

fn run(book: &str, lines: &[Line], more: &[&str]) -> Done {
    let options = WriteOptions::new(Form::Cur2Parquet, PERIOD);
    Run::new(PERIOD, book, |cost| drop(write_month(cost, lines, &options))).with(more).go().succeeded()
}

/// What a group's statement says of instances: line item type, usage, amount.
pub fn instances(done: &Done, group: &str) -> Vec<[String; 3]> {
    let statement = done.statement(group, "USD");
    let of_instances =
        statement_lines(&statement).into_iter().filter(|(_, line)| text(&line["usage_type"]) == LARGE);
    let said = of_instances.map(|(_, line)| {
        let usage = line["usage_amount"].as_str().unwrap_or("-");
        [text(&line["line_item_type"]), usage, text(&line["amount"])].map(ToOwned::to_owned)
    });
    let mut said: Vec<_> = said.collect();
    said.sort_unstable();
    said
}

#[track_caller]
fn check(done: &Done, group: &str, expected: &[[&str; 3]]) {
    let expected: Vec<_> = expected.iter().map(|line| line.map(ToOwned::to_owned)).collect();
    assert_eq!(instances(done, group), expected, "{group}");
}

/// What `commitments.json` says of a commitment: its group, what was used of it and what was not.
fn utilization(done: &Done, arn: &str) -> [String; 3] {
    let file = done.json("commitments.json");
    assert_eq!(file["simulated"], true, "{}", file["why_not"]);
    let found = list(&file["commitments"]).iter().find(|one| one["arn"] == arn);
    let found = found.unwrap_or_else(|| panic!("no `{arn}`"));
    ["billing_group", "used", "unused"].map(|name| found[name].as_str().unwrap_or("-").to_owned())
}

const ALL_OF_ACME: [&str; 2] = [ACME, MATE];

#[test]
fn a_plan_that_the_payer_owns_outside_of_every_group_benefits_nobody() {
    let done = run(&book(&ALL_OF_ACME, ""), &plan(PAYER, "0.5", ACME, 7), &[]);
    check(&done, "acme", &[["Usage", "1", "0.1056"]]);
    assert_eq!(utilization(&done, &savings_plan_arn(PAYER)), ["-", "0", "372"]);
}

#[test]
fn a_member_has_no_benefit_from_a_commitment_outside() {
    let lines = [reservation(BETA), discounted(ACME, BETA, 7)];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(&done, "acme", &[["Usage", "1", "0.1056"]]);
    // Nobody of beta uses it.
    assert_eq!(utilization(&done, &reservation_arn(BETA)), ["beta", "0", "2976"]);
    assert_eq!(number(&done.statement("beta", "USD")["total"]), Exact::of("37.2"));
}

#[test]
fn a_member_that_uses_its_own_reservation_has_its_benefit() {
    let lines = [reservation(ACME), discounted(ACME, ACME, 7), usage(ACME, 8, "1")];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    // In both hours, although the real bill has covered one of them.
    check(&done, "acme", &[["DiscountedUsage", "2", "0"]]);
    assert_eq!(utilization(&done, &reservation_arn(ACME)), ["acme", "8", "2968"]);
    assert_eq!(number(&done.statement("acme", "USD")["total"]), Exact::of("37.2"));
}

#[test]
fn a_reservation_whose_benefit_went_outside_is_unused_without_usage_of_the_group() {
    let lines = [reservation(MATE), discounted(OTHER, MATE, 7)];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(&done, "acme", &[]);
    assert_eq!(utilization(&done, &reservation_arn(MATE)), ["acme", "0", "2976"]);
}

#[test]
fn a_reservation_whose_benefit_went_outside_covers_usage_of_another_member() {
    let lines = [reservation(MATE), discounted(OTHER, MATE, 7), usage(ACME, 7, "1"), usage(BETA, 7, "1")];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(&done, "acme", &[["DiscountedUsage", "1", "0"]]);
    check(&done, "beta", &[["Usage", "1", "0.1056"]]);
    assert_eq!(utilization(&done, &reservation_arn(MATE)), ["acme", "4", "2972"]);
    // What AWS charges is what it was.
    let costs = done.group_totals();
    assert_eq!(costs[&("beta".to_owned(), "USD".to_owned())].aws_cost, Exact::of("0.096"));
    assert_eq!(costs[&("acme".to_owned(), "USD".to_owned())].aws_cost, Exact::of("37.296"));
}

#[test]
fn the_owner_goes_before_other_members() {
    let lines = [reservation(MATE), usage(ACME, 7, "1"), usage(MATE, 7, "0.75")];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    // All 0.75 of the owner's, and 0.25 of the other's.
    check(
        &done,
        "acme",
        &[["DiscountedUsage", "0.25", "0"], ["DiscountedUsage", "0.75", "0"], ["Usage", "0.75", "0.0792"]],
    );
}

#[test]
fn usage_of_one_hour_uses_no_more_than_one_hour_of_a_commitment() {
    // 5 instances take 0.3 of 10 in hour 7; by the month, a plan of 7,440 would not be noticed.
    let mut lines = plan(MATE, "10", OTHER, 3);
    lines.push(usage(ACME, 7, "5"));
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(&done, "acme", &[["SavingsPlanCoveredUsage", "5", "0.48"], ["SavingsPlanNegation", "-", "-0.48"]]);
    assert_eq!(utilization(&done, &savings_plan_arn(MATE)), ["acme", "0.3", "7439.7"]);
    assert_eq!(number(&done.statement("acme", "USD")["total"]), Exact::of("7440"));
}

#[test]
fn what_a_plan_cannot_cover_of_an_hour_is_on_demand() {
    // 0.09 pays for 1.5 of 0.6 + 1.4 + 0.5 instances, at 0.06 each; the other hour has nothing to cover it.
    let mut lines = plan(ACME, "0.09", OTHER, 3);
    lines.extend([usage(ACME, 7, "0.6"), usage(ACME, 7, "1.4"), usage(ACME, 7, "0.5")]);
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &["--output", "json"]);
    check(
        &done,
        "acme",
        &[
            ["SavingsPlanCoveredUsage", "1.5", "0.144"],
            ["SavingsPlanNegation", "-", "-0.144"],
            ["Usage", "1", "0.1056"],
        ],
    );
    let arguments = ["explain", "--run", done.folder(), "--group", "acme", "--product", "AmazonEC2"];
    let explained = proforma(&[&arguments[..], &["--output", "json"]].concat()).printed();
    let class = &list(&explained[0]["classes"])[0];
    assert_eq!((text(&class["usage_amount"]), text(&class["amount"])), ("2.5", "0.1056"));
    assert_eq!((text(&class["base"]["amount"]), text(&class["factor"])), ("0.096", "1.1"));
    let covered = &list(&class["covered"])[0];
    let names = ["commitment", "owner_account_id", "usage_amount", "amount", "negation", "effective_cost"];
    let arn = savings_plan_arn(ACME);
    let expected = [arn.as_str(), ACME, "1.5", "0.144", "-0.144", "0.09"];
    assert_eq!(names.map(|name| text(&covered[name])), expected);
    let said = proforma(&arguments).succeeded().stdout;
    let words = "1.5 Hrs covered by `arn:aws:savingsplans::111111111111:";
    assert!(
        said.contains(words) && said.contains(": 0.144 and its negation -0.144; the fee pays 0.09"),
        "{said}"
    );
}

#[test]
fn a_line_is_explained_by_what_is_covered_of_it() {
    // As above: 0.6 and 0.9 of 1.4 are covered.
    let mut lines = plan(ACME, "0.09", OTHER, 3);
    lines.extend(["0.6", "1.4", "0.5"].map(|quantity| Line {
        identity_line_item_id: Some(format!("of-{quantity}")),
        ..usage(ACME, 7, quantity)
    }));
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    let said = |quantity: &str| -> [String; 5] {
        let line = format!("of-{quantity}");
        let arguments = ["explain", "--run", done.folder(), "--line", &line, "--output", "json"];
        let rows = proforma(&arguments).printed();
        let [row] = list(&rows) else { panic!("{rows}") };
        let arithmetic = &row["arithmetic"];
        let covered = &arithmetic["covered"][0];
        let exported = &row["exported_amount"];
        [
            &arithmetic["amount"],
            &covered["usage_amount"],
            &covered["amount"],
            &covered["effective_cost"],
            exported,
        ]
        .map(|value| value.as_str().unwrap_or("-").to_owned())
    };
    assert_eq!(said("0.6"), ["0", "0.6", "0.0576", "0.036", "0"]);
    assert_eq!(said("1.4"), ["0.0528", "0.9", "0.0864", "0.054", "0.0528"]);
    assert_eq!(said("0.5"), ["0.0528", "-", "-", "-", "0.0528"]);
}

#[test]
fn reports_tell_what_is_covered_day_by_day() {
    let mut lines = plan(ACME, "0.06", OTHER, 3);
    lines.extend([usage(ACME, 7, "2"), usage(ACME, 30, "1"), usage(ACME, 31, "3")]);
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    let arguments =
        ["--by", "day,line-item-type", "--group", "acme", "--filter", "usage-type=BoxUsage:m5.large"];
    let rows = |metric: &str, column: &str| -> Vec<[String; 3]> {
        let more = ["--metric", metric, "--output", "json"];
        let report =
            proforma(&[&["report", "--run", done.folder()], &arguments[..], &more].concat()).printed();
        let row = |row: &Value| {
            ["day", "line_item_type", column].map(|name| row[name].as_str().unwrap_or("-").to_owned())
        };
        list(&report).iter().map(row).collect()
    };
    let (first, second) = ("2026-10-01", "2026-10-02");
    let expected =
        |lines: &[[&str; 3]]| -> Vec<_> { lines.iter().map(|line| line.map(ToOwned::to_owned)).collect() };
    assert_eq!(
        rows("pro-forma", "pro_forma_cost"),
        expected(&[
            [first, "SavingsPlanCoveredUsage", "0.096"],
            [first, "SavingsPlanNegation", "-0.096"],
            [first, "Usage", "0.1056"],
            [second, "SavingsPlanCoveredUsage", "0.192"],
            [second, "SavingsPlanNegation", "-0.192"],
            [second, "Usage", "0.2112"],
        ])
    );
    assert_eq!(
        rows("usage", "usage_amount"),
        expected(&[
            [first, "SavingsPlanCoveredUsage", "1"],
            [first, "Usage", "1"],
            [second, "SavingsPlanCoveredUsage", "2"],
            [second, "Usage", "2"],
        ])
    );
    // What AWS charges is of the lines as they are in the real bill.
    assert_eq!(
        rows("aws-cost", "aws_cost"),
        expected(&[[first, "Usage", "0.192"], [second, "Usage", "0.384"]])
    );
}

#[test]
fn a_preview_simulates_again_where_groups_change_and_a_diff_says_so() {
    let lines = [reservation(MATE), usage(ACME, 7, "1"), usage(ACME, 8, "1"), usage(MATE, 9, "1")];
    let (together, apart) = (book(&ALL_OF_ACME, ""), book(&[ACME], ""));
    let (one, other) = (run(&together, &lines, &[]), run(&apart, &lines, &[]));
    check(&one, "acme", &[["DiscountedUsage", "1", "0"], ["DiscountedUsage", "2", "0"]]);
    check(&other, "acme", &[["Usage", "2", "0.2112"]]);
    let folder = tempfile::tempdir().expect("a folder");
    let draft = folder.path().join("draft.toml");
    fs::write(&draft, &apart).expect("a draft");
    let draft = draft.to_str().expect("UTF-8");
    let preview = proforma(&["preview", "--run", one.folder(), "--book", draft, "--output", "json"]);
    let rows = preview.printed();
    let acme = list(&rows).iter().find(|row| row["billing_group"] == "acme").expect("acme");
    assert_eq!((text(&acme["before"]), text(&acme["after"])), ("37.2", "0.2112"));
    let difference = proforma(&["diff", one.folder(), other.folder(), "--output", "json"]).succeeded().stdout;
    assert!(difference.contains("commitments cover more of it, or less"), "{difference}");

    // Nothing is simulated again where the groups are the same, whatever they are called and pay.
    let same =
        together.replace("modifier_percentage = 10", "modifier_percentage = 20").replace("beta", "gamma");
    fs::write(draft, same).expect("a draft");
    fs::remove_file(one.out.join("eligible-usage.parquet")).expect("the file goes");
    proforma(&["preview", "--run", one.folder(), "--book", draft]).succeeded();
    fs::write(draft, &apart).expect("a draft");
    let lost = proforma(&["preview", "--run", one.folder(), "--book", draft]);
    assert!(lost.status != 0 && lost.stderr.contains("eligible-usage.parquet"), "{}", lost.stderr);
}

#[test]
fn coverage_stays_as_in_the_real_bill_where_that_is_wanted() {
    let lines = [reservation(MATE), discounted(OTHER, MATE, 7), usage(ACME, 7, "1")];
    let kept = book(&ALL_OF_ACME, "[sharing]\ncommitments = \"real\"\n");
    for (book, more, why) in [
        (book(&ALL_OF_ACME, ""), &["--no-simulation"][..], "`--no-simulation` was given"),
        (kept, &[], "the book shares commitments as in the real bill"),
    ] {
        let done = run(&book, &lines, more);
        check(&done, "acme", &[["Usage", "1", "0.1056"]]);
        let file = done.json("commitments.json");
        assert_eq!((&file["simulated"], text(&file["why_not"])), (&Value::Bool(false), why));
        // A preview of a run that shares as in the real bill may share otherwise.
        assert_eq!(done.out.join("eligible-usage.parquet").exists(), more.is_empty());
        assert!(!done.stderr.contains("simulated"), "{}", done.stderr);
    }
}

#[test]
fn a_payer_that_keeps_its_commitments_is_covered_by_those_of_others() {
    let members = [ACME, MATE, PAYER];
    let keep = book(&members, "[sharing]\ncommitments = \"keep\"\n");
    let lines = [reservation(PAYER), reservation(MATE), usage(PAYER, 7, "1"), usage(ACME, 8, "1")];
    let shared = run(&book(&members, ""), &lines, &[]);
    check(&shared, "acme", &[["DiscountedUsage", "1", "0"], ["DiscountedUsage", "1", "0"]]);
    assert_eq!(number(&shared.statement("acme", "USD")["total"]), Exact::of("74.4"));
    let kept = run(&keep, &lines, &[]);
    check(&kept, "acme", &[["DiscountedUsage", "1", "0"], ["DiscountedUsage", "1", "0"]]);
    assert_eq!(utilization(&kept, &reservation_arn(PAYER)), ["-", "0", "2976"]);
    assert_eq!(utilization(&kept, &reservation_arn(MATE)), ["acme", "8", "2968"]);
    assert_eq!(number(&kept.statement("acme", "USD")["total"]), Exact::of("37.2"));
}

#[test]
fn daily_files_are_not_simulated_and_say_so() {
    let by_day = |line: Line| line.during("2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z");
    let lines = [reservation(ACME), by_day(discounted(ACME, ACME, 7)), by_day(usage(MATE, 7, "12"))];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(&done, "acme", &[["DiscountedUsage", "1", "0"], ["Usage", "12", "1.2672"]]);
    let words = "warning: commitments are not simulated and cover what they cover in the real bill: the cost files are not hourly: 2 lines";
    assert!(done.stderr.contains(words), "{}", done.stderr);
    let file = done.json("commitments.json");
    assert!(text(&file["why_not"]).starts_with("the cost files are not hourly"), "{file}");
    assert_eq!(list(&done.json("reconciliation.json")["commitments"]["warnings"]).len(), 1);
}

#[test]
fn a_commitment_that_is_not_told_covers_what_it_covers_in_the_real_bill() {
    // The reservation of acme has no fee line; beta's is told.
    let lines = [discounted(ACME, ACME, 7), usage(MATE, 7, "1"), reservation(BETA), usage(BETA, 7, "1")];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(&done, "acme", &[["DiscountedUsage", "1", "0"], ["Usage", "1", "0.1056"]]);
    check(&done, "beta", &[["DiscountedUsage", "1", "0"]]);
    let arn = reservation_arn(ACME);
    let words = format!("warning: `{arn}` covers what it covers in the real bill: it has no `RIFee` line");
    assert!(done.stderr.contains(&words), "{}", done.stderr);
}

#[test]
fn a_damaged_run_is_refused_by_name() {
    let lines = [reservation(MATE), usage(ACME, 7, "1")];
    let again = |file: &str, damage: &dyn Fn(&Path)| {
        let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
        damage(&done.out.join(file));
        let explained =
            proforma(&["explain", "--run", done.folder(), "--group", "acme", "--product", "AmazonEC2"]);
        explained.says_no(&[&format!("`{file}`"), "hint: price the month again with `proforma run`"]);
    };
    for file in ["coverage.parquet", "commitments.json"] {
        again(file, &|path| fs::remove_file(path).expect("it goes"));
        again(file, &|path| {
            let mut bytes = fs::read(path).expect("it is there");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).expect("it is changed");
        });
    }
}

#[test]
fn a_changed_byte_anywhere_is_refused_by_the_name_of_its_file() {
    let done = run(&book(&ALL_OF_ACME, ""), &[reservation(MATE), usage(ACME, 7, "1")], &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let draft = folder.path().join("draft.toml");
    fs::write(&draft, book(&[ACME], "")).expect("a draft");
    let of_days = ["report", "--run", done.folder(), "--by", "day"];
    let of_draft = ["preview", "--run", done.folder(), "--book", draft.to_str().expect("UTF-8")];
    for (file, reader) in [
        ("cost-cube.parquet", of_days),
        ("cost-cube-daily.parquet", of_days),
        ("coverage.parquet", of_days),
        ("eligible-usage.parquet", of_draft),
    ] {
        let path = done.out.join(file);
        let whole = fs::read(&path).expect("it is there");
        assert!(whole.len() > 970, "{file} has {} bytes", whole.len());
        for at in (0..whole.len()).step_by(97) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, bytes).expect("it is changed");
            let refused = proforma(&reader).says_no(&[&format!("`{file}`"), "hint: price the month again"]);
            assert!(!refused.stderr.contains("panicked"), "{file}, byte {at}: {}", refused.stderr);
        }
        fs::write(&path, whole).expect("it is as it was");
        proforma(&reader).succeeded();
    }
}

/// A plan of the payer's that has covered this much of an account in no group; acme and beta use 7 and 11 instances.
fn shared_plan(commitment: &str, covered: &str) -> Vec<Line> {
    let mut lines = plan(PAYER, commitment, OTHER, 3);
    let used = lines
        .iter_mut()
        .find(|line| line.line_item_line_item_type.as_deref() == Some("SavingsPlanCoveredUsage"));
    let used = used.expect("what it covers");
    *used = in_hour(used.clone(), 3, covered);
    lines.extend([usage(ACME, 7, "3"), usage(MATE, 9, "4"), usage(BETA, 7, "11")]);
    lines
}

const PRO_RATA: &str = "[sharing]\ncommitments = \"pro_rata\"\n";

#[test]
fn what_the_payers_plan_has_saved_is_spread_by_eligible_usage() {
    // 71.9425358 instances cost 6.9064834368 On-Demand. AWS's sample has these savings and weights, and these credits; a loss is a fee,
    // of which 7/18 and 11/18 are 0.20747866346… and 0.32603789973….
    for (commitment, saved, of_acme, of_beta) in [
        ("0.005", "3.1864834368", "-1.2391880032", "-1.9472954336"),
        ("0.01", "-0.5335165632", "0.2074786635", "0.3260378997"),
    ] {
        let lines = shared_plan(commitment, "71.9425358");
        let done = run(&book(&ALL_OF_ACME, PRO_RATA), &lines, &[]);
        for (group, usage, credit) in [("acme", "0.7392", of_acme), ("beta", "1.1616", of_beta)] {
            let statement = done.statement(group, "USD");
            let [item] = list(&statement["custom_line_items"]) else { panic!("{statement}") };
            assert_eq!((text(&item["name"]), text(&item["amount"])), ("Savings Plans, pro rata", credit));
            let kind = if credit.starts_with('-') { "Credit" } else { "Fee" };
            assert_eq!(item["line_item_type"], kind);
            assert_eq!(number(&statement["total"]), Exact::of(usage) + &Exact::of(credit));
            assert!(!statement.to_string().contains(PAYER), "{statement}");
        }
        let said = &done.json("commitments.json")["pro_rata"][0];
        assert_eq!((text(&said["arn"]), text(&said["saved"])), (savings_plan_arn(PAYER).as_str(), saved));
        let weights: Vec<_> = list(&said["parts"]).iter().map(|part| text(&part["eligible_usage"])).collect();
        assert_eq!(weights, ["0.672", "1.056"]);
    }
}

#[test]
fn usage_that_a_group_covers_itself_weighs_nothing() {
    // A reservation of its own covers 5 of acme's 7 instances: 2/13 and 11/13 of 3.1864834368 are 0.490228221 and 2.6962552158.
    let mut lines = shared_plan("0.005", "71.9425358");
    lines.extend([reservation(MATE)]);
    lines.retain(|line| {
        line.line_item_usage_account_id.as_deref() != Some(MATE)
            || line.line_item_line_item_type.as_deref() != Some("Usage")
    });
    lines.extend((20..24).map(|hour| usage(MATE, hour, "1")));
    let done = run(&book(&ALL_OF_ACME, PRO_RATA), &lines, &[]);
    let credits = ["acme", "beta"].map(|group| {
        let statement = done.statement(group, "USD");
        text(&statement["custom_line_items"][0]["amount"]).to_owned()
    });
    assert_eq!(credits, ["-0.4902282210", "-2.6962552158"].map(|text| text.trim_end_matches('0')));
}

#[test]
fn runs_that_share_pro_rata_are_asked_like_others() {
    let lines = shared_plan("0.005", "71.9425358");
    let (members, pro_rata) = (book(&ALL_OF_ACME, ""), book(&ALL_OF_ACME, PRO_RATA));
    let (one, other) = (run(&members, &lines, &[]), run(&pro_rata, &lines, &["--export", "cur2"]));
    let folder = tempfile::tempdir().expect("a folder");
    let draft = folder.path().join("draft.toml");
    fs::write(&draft, &pro_rata).expect("a draft");
    let draft = draft.to_str().expect("UTF-8");
    let rows = proforma(&["preview", "--run", one.folder(), "--book", draft, "--output", "json"]).printed();
    let after: Vec<_> = list(&rows).iter().map(|row| text(&row["after"]).to_owned()).collect();
    assert_eq!(after, ["-0.4999880032", "-0.7856954336", "-1.2856834368"]);
    let difference = proforma(&["diff", one.folder(), other.folder(), "--output", "json"]).succeeded().stdout;
    assert!(difference.contains("custom line item `Savings Plans, pro rata` added"), "{difference}");
    let arguments =
        ["explain", "--run", other.folder(), "--group", "beta", "--product", "AWSBillingConductor"];
    let said = proforma(&arguments).succeeded().stdout;
    assert!(
        said.contains("custom line item `Savings Plans, pro rata`") && said.contains("-1.9472954336"),
        "{said}"
    );
    assert!(other.out.join("pro-forma/beta").is_dir());
}

#[test]
fn what_is_not_known_is_not_spread() {
    let lines = shared_plan("0.005", "71.9425358");
    let pro_rata = book(&ALL_OF_ACME, PRO_RATA);
    let options = WriteOptions::new(Form::Cur2Parquet, PERIOD);
    let asked = |lines: &[Line], more: &[&str]| {
        Run::new(PERIOD, &pro_rata, |cost| drop(write_month(cost, lines, &options))).with(more).go()
    };
    asked(&lines, &["--no-simulation"])
        .refused(&["`sharing.commitments = \"pro_rata\"` cannot be applied", "hint: "]);
    // Nobody has usage that the plan could cover: the payer keeps what it has saved.
    let nobody: Vec<Line> = lines
        .iter()
        .filter(|line| line.line_item_line_item_type.as_deref() != Some("Usage"))
        .cloned()
        .chain([Line::usage(ACME, "AmazonS3", "Requests-Tier1", "3")])
        .collect();
    let done = asked(&nobody, &[]).succeeded();
    assert_eq!(list(&done.statement("acme", "USD")["custom_line_items"]).len(), 0);
    assert_eq!(list(&done.json("commitments.json")["pro_rata"][0]["parts"]).len(), 0);
    // A plan without hourly fees is not told.
    let untold: Vec<Line> = lines
        .into_iter()
        .filter(|line| line.line_item_line_item_type.as_deref() != Some("SavingsPlanRecurringFee"))
        .collect();
    let done = asked(&untold, &[]).succeeded();
    assert!(done.stderr.contains("has no benefit that could be spread"), "{}", done.stderr);
}

#[test]
fn late_usage_is_on_demand_and_the_rest_is_simulated() {
    let late = usage(ACME, 7, "1").during("2026-09-30T23:00:00Z", "2026-10-01T00:00:00Z");
    let lines = [reservation(ACME), usage(ACME, 7, "1"), late];
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(&done, "acme", &[["DiscountedUsage", "1", "0"], ["Usage", "1", "0.1056"]]);
    let words = "warning: 1 lines of usage that commitments may cover begin in another month";
    assert!(done.stderr.contains(words), "{}", done.stderr);
    let book_of_run = done.out.join("book.toml");
    let preview =
        proforma(&["preview", "--run", done.folder(), "--book", book_of_run.to_str().expect("UTF-8")]);
    assert!(preview.stderr.contains(words), "{}", preview.stderr);
}

#[test]
fn a_plan_whose_rates_no_line_says_stays_as_in_the_real_bill() {
    let mut lines = plan(ACME, "0.06", ACME, 3);
    lines.iter_mut().for_each(|line| line.savings_plan_savings_plan_rate = None);
    // A plan of another term, which has other rates, is told.
    let other = plan(BETA, "0.06", OTHER, 3).into_iter();
    lines.extend(other.map(|line| Line { savings_plan_purchase_term: Some("3yr".to_owned()), ..line }));
    let done = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    check(
        &done,
        "acme",
        &[["SavingsPlanCoveredUsage", "1", "0.096"], ["SavingsPlanNegation", "-", "-0.096"]],
    );
    let words =
        "covers what it covers in the real bill: no line says its rate for usage type `BoxUsage:m5.large`";
    assert!(done.stderr.contains(words), "{}", done.stderr);
}

#[test]
fn a_draft_may_share_otherwise_than_the_real_bill() {
    let lines = [reservation(MATE), discounted(OTHER, MATE, 7), usage(ACME, 7, "1")];
    let real = run(&book(&ALL_OF_ACME, "[sharing]\ncommitments = \"real\"\n"), &lines, &[]);
    let members = run(&book(&ALL_OF_ACME, ""), &lines, &[]);
    let draft = members.out.join("book.toml");
    let arguments = ["preview", "--run", real.folder(), "--book", draft.to_str().expect("UTF-8")];
    let rows = proforma(&[&arguments[..], &["--output", "json"]].concat()).printed();
    let acme = list(&rows).iter().find(|row| row["billing_group"] == "acme").expect("acme");
    assert_eq!(text(&acme["after"]), text(&members.statement("acme", "USD")["total"]));
    let difference = proforma(&["diff", real.folder(), members.folder()]).succeeded();
    assert!(
        difference.stderr.contains("commitments are simulated in B and not in A"),
        "{}",
        difference.stderr
    );
}

#[test]
fn commitments_cover_usage_of_their_own_currency() {
    let euros = usage(ACME, 7, "1").in_currency("EUR");
    let done = run(&book(&ALL_OF_ACME, ""), &[reservation(MATE), euros, usage(ACME, 8, "1")], &[]);
    check(&done, "acme", &[["DiscountedUsage", "1", "0"]]);
    assert_eq!(number(&done.statement("acme", "EUR")["total"]), Exact::of("0.1056"));
}

#[test]
fn sharing_by_effective_cost_needs_it() {
    let lines = [reservation(MATE), discounted(ACME, MATE, 7)];
    for policy in ["real", "pro_rata"] {
        let text = book(&ALL_OF_ACME, &format!("[sharing]\ncommitments = \"{policy}\"\n"));
        let leave_out = vec!["reservation_effective_cost".to_owned()];
        let options = WriteOptions { leave_out, ..WriteOptions::new(Form::Cur2Parquet, PERIOD) };
        let done = Run::new(PERIOD, &text, |cost| drop(write_month(cost, &lines, &options))).go();
        let problem = format!(
            "`sharing.commitments = \"{policy}\"` cannot be applied: the files have no `reservation_effective_cost`"
        );
        done.refused(&[&problem]);
    }
}
