//! Billing groups below the account: whose a line is by its tags, cost categories and resource; every figure is worked out by hand.

use crate::coverage::{reservation, usage};
use crate::exported::{rows_of, totals, value};
use crate::reports::{list, statement_lines, text};
use crate::support::{Done, Run, book_of_groups, proforma};
use std::collections::{BTreeMap, BTreeSet};
use testkit::line::reservation_arn;
use testkit::write::Packing;
use testkit::{Form, Line, WriteOptions, focus, write_month};

const PERIOD: &str = "2026-10";
const ACME: &str = "111111111111";
const BETA: &str = "222222222222";
/// An account in no group.
const LONE: &str = "333333333333";
const TEAM: &str = "user_team";
const PAYMENTS: &str = "lines = [{ tags = { user_team = [\"payments\"] } }]";

/// A group at public prices; `lines` is what it has besides.
fn below(name: &str, lines: &str) -> String {
    format!(
        "[[billing_groups]]\nname = \"{name}\"\nprimary_account_id = \"{ACME}\"\npricing_plan = \"BasicPricingPlan\"\n{lines}\n\n"
    )
}

/// The group `acme`, which pays 10 % more, has the account; the book says more.
fn book(more: &str) -> String {
    book_of_groups(&[("acme", &[ACME])], more)
}

fn compute(account: &str, cost: &str) -> Line {
    Line::usage(account, "AmazonEC2", "BoxUsage:m5.large", cost)
}

fn prepared(form: Form, book: &str, lines: &[Line]) -> Run {
    Run::new(PERIOD, book, |cost| drop(write_month(cost, lines, &WriteOptions::new(form, PERIOD))))
}

fn run(book: &str, lines: &[Line]) -> Done {
    prepared(Form::Cur2Parquet, book, lines).go().succeeded()
}

/// The groups' AWS cost and pro forma cost, and what accounts in no group cost.
#[track_caller]
fn check(done: &Done, groups: &[(&str, &str, &str)], ungrouped: &[(&str, &str)]) {
    let there: BTreeMap<String, [String; 2]> = (done.group_totals().into_iter())
        .map(|((group, _), costs)| (group, [costs.aws_cost.to_string(), costs.pro_forma_cost.to_string()]))
        .collect();
    let expected =
        groups.iter().map(|(name, aws, own)| ((*name).to_owned(), [*aws, *own].map(str::to_owned)));
    assert_eq!(there, expected.collect());
    let there: BTreeMap<String, String> =
        done.ungrouped().into_iter().map(|((account, _), cost)| (account, cost.to_string())).collect();
    let expected = ungrouped.iter().map(|(account, cost)| ((*account).to_owned(), (*cost).to_owned()));
    assert_eq!(there, expected.collect());
}

/// Teams in an account of `acme`, and in one of nobody.
fn teams() -> Vec<Line> {
    vec![
        compute(ACME, "10").tagged(TEAM, "payments"),
        compute(ACME, "20").tagged(TEAM, "search"),
        compute(ACME, "40"),
        compute(LONE, "80").tagged(TEAM, "payments"),
        compute(LONE, "160"),
    ]
}

const FORMS: [(Form, &str); 4] = [
    (Form::Cur2Parquet, "cur2"),
    (Form::Cur2Csv, "cur2"),
    (Form::LegacyCsv(Packing::Gzip), "cur"),
    (Form::LegacyParquet, "cur"),
];

#[test]
fn a_tag_selects_lines_of_any_account_and_the_rest_is_the_accounts_group() {
    for (form, layout) in FORMS {
        let run = prepared(form, &book(&below("payments", PAYMENTS)), &teams()).with(&["--export", layout]);
        let done = run.go().succeeded();
        // 10 and 80 at public prices; 20 and 40 at 10 % more.
        check(&done, &[("acme", "60", "66"), ("payments", "90", "90")], &[(LONE, "160")]);
        for group in ["acme", "payments"] {
            assert_eq!(
                totals(&rows_of(&done.exports(), group)),
                done.statement_totals(group),
                "{form:?} {group}"
            );
        }
        let accounts = |group: &str| -> BTreeSet<String> {
            let rows = rows_of(&done.exports(), group);
            rows.iter().map(|row| value(row, "line_item_usage_account_id").to_owned()).collect()
        };
        assert_eq!(accounts("acme"), BTreeSet::from([ACME.to_owned()]));
        assert_eq!(accounts("payments"), BTreeSet::from([ACME, LONE].map(ToOwned::to_owned)));
        // Afterwards the lines find the same classes.
        let cost = run.folder.path().join("cost");
        let again = done.export(&cost, &run.folder.path().join("again"), &[]).succeeded();
        assert_eq!(crate::reports::files(&again.out), done.exported_files(), "{form:?}");
    }
}

#[test]
fn without_a_group_of_the_account_the_rest_is_in_no_group() {
    let group = below("payments", PAYMENTS);
    let book = format!("payer_account_id = \"999999999999\"\n{group}");
    check(&run(&book, &teams()), &[("payments", "90", "90")], &[(ACME, "60"), (LONE, "160")]);
}

#[test]
fn conditions_narrow_a_filter_and_any_filter_will_do() {
    let lines = [
        compute(ACME, "1").tagged(TEAM, "payments"),
        Line::usage(ACME, "AmazonS3", "TimedStorage", "2").tagged(TEAM, "payments"),
        compute(LONE, "4").tagged(TEAM, "payments"),
        compute(ACME, "8").tagged(TEAM, "search"),
    ];
    let filters = r#"lines = [
        { tags = { user_team = ["payments"] }, accounts = ["111111111111"], services = ["AmazonS3"] },
        { tags = { user_team = ["search", "find"] } },
    ]"#;
    let done = run(&book(&below("own", filters)), &lines);
    check(&done, &[("acme", "1", "1.1"), ("own", "10", "10")], &[(LONE, "4")]);
    let warning = "billing group `own`: no line of 2026-10 has tag `user_team` = `find`";
    assert!(done.stderr.contains(warning), "{}", done.stderr);
}

#[test]
fn a_cost_category_selects_lines() {
    let lines =
        [compute(ACME, "10").in_category("Team", "Payments"), compute(ACME, "20").in_category("Team", "x")];
    let group = below("payments", "lines = [{ cost_categories = { Team = [\"Payments\"] } }]");
    for (form, _) in FORMS {
        let done = prepared(form, &book(&group), &lines).go().succeeded();
        check(&done, &[("acme", "20", "22"), ("payments", "10", "10")], &[]);
    }
}

#[test]
fn a_resource_is_more_specific_than_its_tag() {
    let lines = [
        compute(ACME, "10").tagged(TEAM, "payments").of_resource("i-1"),
        compute(ACME, "20").tagged(TEAM, "payments").of_resource("i-2"),
        compute(ACME, "40").of_resource("i-1"),
        compute(ACME, "80").of_resource("i-3"),
    ];
    let groups = below("payments", PAYMENTS) + &below("one", "lines = [{ resources = [\"i-1\"] }]");
    for (form, _) in FORMS {
        let done = prepared(form, &book(&groups), &lines).go().succeeded();
        check(&done, &[("acme", "80", "88"), ("one", "50", "50"), ("payments", "20", "20")], &[]);
        // Resources that no book names share their classes: i-2 and i-3 differ by their tag alone, and i-1 has two.
        assert_eq!(done.json("reconciliation.json")["lines"]["classes"], 4);
    }
}

#[test]
fn what_two_groups_select_is_refused_with_both() {
    let lines = [compute(ACME, "10").tagged(TEAM, "payments").in_category("Team", "P")];
    let groups = below("one", PAYMENTS) + &below("two", "lines = [{ cost_categories = { Team = [\"P\"] } }]");
    prepared(Form::Cur2Parquet, &book(&groups), &lines).go().refused(&[
        "account `111111111111`, product `AmazonEC2`, usage type `BoxUsage:m5.large`",
        "billing group `one` (`lines`, entry 1: tag `user_team` = `payments`)",
        "billing group `two` (`lines`, entry 1: cost category `Team` = `P`)",
        "narrow one of them",
    ]);
}

#[test]
fn what_no_line_carries_is_refused_by_name() {
    let refused = |lines: &str, words: &[&str]| {
        let book = book(&below("payments", lines));
        prepared(Form::Cur2Parquet, &book, &teams()).go().refused(words);
    };
    refused(
        "lines = [{ tags = { user_taem = [\"payments\"] } }]",
        &["billing group `payments` names tag `user_taem`, which no line of 2026-10 carries", "take it out"],
    );
    refused(
        "lines = [{ cost_categories = { Team = [\"x\"] } }]",
        &["billing group `payments` names cost category `Team`, which no line of 2026-10 carries"],
    );
    refused(
        "lines = [{ resources = [\"i-9\"] }]",
        &["billing group `payments` names resource `i-9`, which no line of 2026-10 carries"],
    );
}

#[test]
fn focus_files_have_no_tags_to_select_by() {
    let lines = focus::as_told(&teams());
    let form = Form::FOCUS[0];
    prepared(form, &book(&below("payments", PAYMENTS)), &lines).go().refused(&[
        "billing group `payments` names tag `user_team`, by which lines cannot be selected",
        "tags are not read from FOCUS files",
    ]);
}

#[test]
fn focus_files_have_resources_to_select_by() {
    let lines =
        focus::as_told(&[compute(ACME, "10").of_resource("i-1"), compute(ACME, "20").of_resource("i-2")]);
    let group = below("one", "lines = [{ resources = [\"i-1\"] }]");
    for form in Form::FOCUS {
        let done = prepared(form, &book(&group), &lines).go().succeeded();
        check(&done, &[("acme", "20", "22"), ("one", "10", "10")], &[]);
    }
}

#[test]
fn credits_are_told_apart_by_their_descriptions() {
    let credit = |description: &str| {
        let mut line = Line::charge("Credit", ACME, "AmazonEC2", "-5");
        line.line_item_line_item_description = Some(description.to_owned());
        line.tagged(TEAM, "payments")
    };
    let mut lines = teams();
    lines.extend([credit("Promotion A"), credit("Migration B"), credit("promotion a, more")]);
    let filter = "lines = [{ tags = { user_team = [\"payments\"] }, descriptions = [\"PROMOTION\"] }]";
    let done = run(&book(&below("promoted", filter)), &lines);
    // Two credits of 5 are the team's, and on nobody's bill; the third is of the account's group.
    check(&done, &[("acme", "65", "77"), ("promoted", "-10", "0")], &[(LONE, "240")]);
}

#[test]
fn policies_find_the_lines_of_groups_below_the_account_and_their_tags() {
    let mut credit = Line::charge("Credit", ACME, "AmazonEC2", "-5").tagged(TEAM, "payments");
    credit.line_item_line_item_description = Some("Promotion".to_owned());
    let lines_of_month = [compute(ACME, "10"), compute(ACME, "20").tagged(TEAM, "payments"), credit];
    let policy = |tag: &str, more: &str| {
        let lines =
            format!("lines = [{{ line_item_types = [\"Credit\"], tags = {{ {tag} = [\"payments\"] }} }}]");
        let policy = format!("[[distributions]]\nname = \"team\"\n{lines}\ntreatment = \"keep\"\n{more}\n");
        prepared(Form::Cur2Parquet, &book(&(below("payments", PAYMENTS) + &policy)), &lines_of_month).go()
    };
    let lines_kept = policy(TEAM, "").succeeded();
    // The credit is the team's, who used what it is for.
    check(&lines_kept, &[("acme", "10", "11"), ("payments", "15", "15")], &[]);
    policy("user_taem", "")
        .refused(&["distribution `team` names tag `user_taem`, which no line of 2026-10 carries"]);
    policy("user_taem", "end = \"2026-01\"").succeeded();
}

#[test]
fn mistakes_of_lines_have_their_places() {
    let groups = [
        below("none", "lines = [{ services = [\"AmazonEC2\"] }]"),
        below("empty", "lines = [{}, { tags = { user_team = [] } }]"),
        below("one", PAYMENTS),
        below("two", "lines = [{ tags = { user_team = [\"payments\", \"payments\"] } }]"),
        below("payer", PAYMENTS).replace(ACME, "999999999999").replace("payments", "others"),
    ];
    prepared(Form::Cur2Parquet, &book(&groups.concat()), &teams()).go().refused(&[
        "billing_groups `none`: `lines`: names no tag, cost category or resource",
        "billing_groups `empty`: `lines`: has no condition",
        "`user_team` has no values",
        "billing_groups `two`: `lines`: billing group `one` already has these lines, in entry 1",
        "billing_groups `payer`: `primary_account_id`: the payer account may be a member, but not the primary account",
    ]);
    let group = below("text", "lines = [{ tags = { user_team = \"x\" }, colour = \"red\" }]");
    prepared(Form::Cur2Parquet, &book(&group), &teams())
        .go()
        .refused(&["`user_team`: is text, expected a list of texts", "`colour`: is not a field here"]);
}

/// An hour that the account's reservation covers, of a team and of nobody; and one of the team alone.
fn reserved() -> Vec<Line> {
    vec![
        reservation(ACME).tagged(TEAM, "payments"),
        usage(ACME, 7, "1").tagged(TEAM, "payments"),
        usage(ACME, 7, "1"),
        usage(ACME, 8, "1").tagged(TEAM, "payments"),
    ]
}

#[track_caller]
fn check_reserved(done: &Done) {
    // The reservation is acme's, whatever tag its fee has: 37.2, which covers acme's own hour. The team pays two hours of 0.096.
    check(done, &[("acme", "37.296", "37.2"), ("payments", "0.192", "0.192")], &[]);
    let file = done.json("commitments.json");
    let found = list(&file["commitments"]).iter().find(|one| one["arn"] == *reservation_arn(ACME));
    let found = found.expect("the reservation");
    assert_eq!((text(&found["billing_group"]), text(&found["used"])), ("acme", "4"));
}

#[test]
fn commitments_are_the_accounts_and_cover_its_groups_own_lines() {
    let done = run(&book(&below("payments", PAYMENTS)), &reserved());
    check_reserved(&done);
    let statement = done.statement("payments", "USD");
    let types: Vec<&str> =
        statement_lines(&statement).into_iter().map(|(_, line)| text(&line["line_item_type"])).collect();
    assert_eq!(types, ["Usage"]);
    // Without the team's group both its hours may be covered as well.
    let all = run(&book("[reports]\ntags = [\"user_team\"]"), &reserved());
    check(&all, &[("acme", "37.488", "37.3056")], &[]);
}

#[test]
fn a_preview_divides_an_account_as_a_run_does() {
    let before = run(&book("[reports]\ntags = [\"user_team\"]"), &reserved());
    let folder = tempfile::tempdir().expect("a folder");
    let draft = folder.path().join("draft.toml");
    std::fs::write(&draft, book(&below("payments", PAYMENTS))).expect("a book");
    let draft = draft.to_str().expect("a path");
    let printed =
        proforma(&["preview", "--run", before.folder(), "--book", draft, "--output", "json"]).printed();
    let of_groups: BTreeMap<&str, &str> = (list(&printed).iter())
        .filter(|row| row["kind"] == "group")
        .map(|row| (text(&row["billing_group"]), text(&row["after"])))
        .collect();
    assert_eq!(of_groups, BTreeMap::from([("acme", "37.2"), ("payments", "0.192")]));
    // A month that was read without the tag cannot be divided by it.
    let unread = run(&book(""), &reserved());
    proforma(&["preview", "--run", unread.folder(), "--book", draft])
        .says_no(&["names tag `user_team`, by which the run was not read; run again with this book"]);
}

#[test]
fn files_name_the_accounts_of_their_own_lines_and_no_others() {
    let arn = |account: &str| format!("arn:aws:ec2:us-east-1:{account}:instance/i-1");
    let lines = [
        compute(ACME, "10").tagged(TEAM, "payments").of_resource(&arn(ACME)),
        compute(ACME, "20").tagged(TEAM, "payments").of_resource(&arn(BETA)),
        compute(ACME, "40").of_resource(&arn(ACME)),
        compute(BETA, "80").of_resource(&arn(BETA)),
        compute(BETA, "160").of_resource(&arn(ACME)),
    ];
    let groups = [("acme", &[ACME][..]), ("beta", &[BETA])];
    let book = book_of_groups(&groups, &below("payments", PAYMENTS));
    let done = prepared(Form::Cur2Csv, &book, &lines).with(&["--export", "cur2"]).go().succeeded();
    let resources = |group: &str| {
        let rows = rows_of(&done.exports(), group);
        let mut found: Vec<String> =
            rows.iter().map(|row| row.get("line_item_resource_id").cloned().unwrap_or_default()).collect();
        found.sort();
        found
    };
    assert_eq!(resources("payments"), [String::new(), arn(ACME)]);
    assert_eq!(resources("acme"), [arn(ACME)]);
    assert_eq!(resources("beta"), [String::new(), arn(BETA)]);
    assert!(
        done.stderr.contains("2 values name an account outside of their billing group"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_line_and_a_report_say_whose_it_is() {
    let lines = [compute(ACME, "10").tagged(TEAM, "payments"), compute(ACME, "20")];
    let mut lines = lines.to_vec();
    lines[0].identity_line_item_id = Some("one".to_owned());
    let done = run(&book(&below("payments", PAYMENTS)), &lines);
    let cost = done.out.with_file_name("cost");
    let cost = cost.to_str().expect("a path");
    let arguments = ["explain", "--run", done.folder(), "--line", "one", "--cost", cost, "--output", "json"];
    let found = proforma(&arguments).printed();
    assert_eq!(found[0]["billing_group"], "payments");
    let report = proforma(&[
        "report",
        "--run",
        done.folder(),
        "--by",
        "group,account,tag:user_team",
        "--output",
        "csv",
    ]);
    let expected = "billing_group,account,tag:user_team,pro_forma_cost,currency\n\
                    acme,111111111111,,22,USD\npayments,111111111111,payments,10,USD\n";
    assert_eq!(report.succeeded().stdout, expected);
}
