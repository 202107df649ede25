//! A run folder is believed only as far as it can be checked, by every command that opens one.

use crate::support::{Done, Run, proforma};
use std::fs;
use std::path::Path;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";

fn book(percentage: &str) -> String {
    format!(
        r#"
        # the operator's own words
        payer_account_id = "999999999999"
        [[pricing_rules]]
        name = "up"
        scope = "GLOBAL"
        type = "MARKUP"
        modifier_percentage = "{percentage}"
        [[pricing_plans]]
        name = "plan"
        pricing_rules = ["up"]
        [[billing_groups]]
        name = "acme"
        primary_account_id = "111111111111"
        accounts = ["111111111111"]
        pricing_plan = "plan"
        "#
    )
}

fn priced(book: &str, cost: &str) -> Done {
    let lines = [Line::usage("111111111111", "AmazonEC2", "BoxUsage:m5.large", cost)];
    Run::new(PERIOD, book, |cost| drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Csv, PERIOD))))
        .go()
        .succeeded()
}

/// Every command that opens a run refuses a folder with these words.
#[track_caller]
fn check_refused(folder: &Path, words: &[&str]) {
    let sound = priced(&book("10"), "5");
    let path = folder.to_str().expect("UTF-8");
    let draft = sound.out.join("book.toml");
    let draft = draft.to_str().expect("UTF-8");
    for arguments in [
        &["preview", "--run", path, "--book", draft][..],
        &["explain", "--run", path, "--group", "acme", "--product", "AmazonEC2"],
        &["explain", "--run", path, "--line", "line", "--cost", path],
        &["diff", path, sound.folder()],
        &["diff", sound.folder(), path],
    ] {
        proforma(arguments).says_no(words).says_no(&["hint: "]);
    }
}

#[test]
fn a_run_holds_its_book_word_for_word() {
    let toml = book("10");
    assert_eq!(fs::read_to_string(priced(&toml, "5").out.join("book.toml")).expect("a book"), toml);
    let json = r#"{ "payer_account_id": "999999999999" }"#;
    assert_eq!(fs::read_to_string(priced(json, "5").out.join("book.json")).expect("a book"), json);
}

#[test]
fn what_is_no_run_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    check_refused(folder.path(), &["is not a run: it has no `reconciliation.json`"]);
    check_refused(&folder.path().join("absent"), &["is not a run: it does not exist"]);
    fs::write(folder.path().join("file"), "x").expect("a file");
    check_refused(&folder.path().join("file"), &["is not a run: it is not a folder"]);
    fs::write(folder.path().join("reconciliation.json"), "{}").expect("a file");
    check_refused(folder.path(), &["is not a run: its `reconciliation.json` is another program's"]);
}

#[test]
fn a_run_of_another_version_is_refused() {
    let done = priced(&book("10"), "5");
    let mark = done.out.join("reconciliation.json");
    let text = fs::read_to_string(&mark).expect("JSON");
    let this = env!("CARGO_PKG_VERSION");
    let other = text.replace(&format!("\"program_version\": \"{this}\""), "\"program_version\": \"0.0.1\"");
    fs::write(&mark, other).expect("a file");
    check_refused(&done.out, &["was written by version 0.0.1 of this program", this]);
    let without = text.lines().filter(|line| !line.contains("\"cost_cube\"")).collect::<Vec<_>>().join("\n");
    fs::write(&mark, without).expect("a file");
    check_refused(&done.out, &["was written by an earlier build of this program"]);
}

#[test]
fn a_damaged_or_foreign_cube_is_refused() {
    let done = priced(&book("10"), "5");
    let cube = done.out.join("cost-cube.parquet");
    let bytes = fs::read(&cube).expect("a cube");
    for place in (0..bytes.len()).step_by(bytes.len() / 4) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        fs::write(&cube, damaged).expect("a file");
        check_refused(&done.out, &["`cost-cube.parquet` is damaged, or of another run"]);
    }
    fs::copy(priced(&book("10"), "6").out.join("cost-cube.parquet"), &cube).expect("a copy");
    check_refused(&done.out, &["`cost-cube.parquet` is damaged, or of another run"]);
    fs::remove_file(&cube).expect("it goes");
    check_refused(&done.out, &["`cost-cube.parquet` cannot be read"]);
}

#[test]
fn totals_that_do_not_agree_are_refused() {
    let done = priced(&book("10"), "5");
    let mark = done.out.join("reconciliation.json");
    let text = fs::read_to_string(&mark).expect("JSON");
    let write = |text: &str| fs::write(&mark, text).expect("a file");
    write(&text.replace("\"total\": \"5.5\"", "\"total\": \"5.6\""));
    check_refused(&done.out, &["its statements sum to 5.6 USD, not to 5.5"]);
    write(&text.replace("\"billing_group\": \"acme\"", "\"billing_group\": \"zenith\""));
    check_refused(&done.out, &["has no statement of billing group `acme`"]);
    write(&text.replace("\"total\": \"5.5\"", "\"total\": \"many\""));
    check_refused(&done.out, &["`many` is not a decimal number"]);
}

#[test]
fn another_book_in_the_folder_is_refused() {
    let done = priced(&book("10"), "5");
    fs::write(done.out.join("book.toml"), book("11")).expect("a book");
    check_refused(&done.out, &["its book is not the one that priced it"]);
    fs::write(done.out.join("book.toml"), "payer_account_id = 7").expect("a book");
    check_refused(&done.out, &["`book.toml`:1:20"]);
    fs::remove_file(done.out.join("book.toml")).expect("it goes");
    check_refused(&done.out, &["it has no copy of the book"]);
}

#[test]
fn a_changed_cost_report_is_not_explained() {
    let done = priced(&book("10"), "5");
    let report = done.out.join("cost-report.json");
    let text = fs::read_to_string(&report).expect("JSON").replace("\"5.5\"", "\"5.6\"");
    fs::write(&report, text).expect("a file");
    let explained =
        proforma(&["explain", "--run", done.folder(), "--group", "acme", "--product", "AmazonEC2"]);
    assert_eq!((explained.status, explained.stdout.as_str()), (1, ""));
    assert!(explained.stderr.contains("the cost report says 5.6"), "{}", explained.stderr);
}

#[test]
fn a_draft_is_checked_like_any_book() {
    let done = priced(&book("10"), "5");
    let draft = done.out.parent().expect("a folder").join("draft.toml");
    let preview = |text: &str| {
        fs::write(&draft, text).expect("a draft");
        proforma(&[
            "preview",
            "--run",
            done.folder(),
            "--book",
            draft.to_str().expect("UTF-8"),
            "--output",
            "csv",
        ])
    };
    preview(&book("many")).says_no(&["draft.toml:8:31", "modifier_percentage"]);
    preview(&book("10").replace("999999999999", "888888888888"))
        .says_no(&["payer account `999999999999`", "`888888888888`"]);
    let moved = book("20").replace("\"acme\"", "\"zenith\"");
    let expected = "period,kind,billing_group,product,before,after,difference,difference_percentage,currency,only_in\n\
                    2026-10,group,zenith,,,6,6,,USD,draft\n\
                    2026-10,group,acme,,5.5,,-5.5,-100,USD,run\n\
                    2026-10,total,,,5.5,6,0.5,9.0909,USD,\n";
    assert_eq!(preview(&moved).stdout, expected);
    let by_table = proforma(&["preview", "--run", done.folder(), "--book", draft.to_str().expect("UTF-8")]);
    assert!(
        by_table.stdout.contains("only in the draft") && by_table.stdout.contains("(total)"),
        "{}",
        by_table.stdout
    );
}
