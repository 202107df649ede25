//! What exports take, refuse and leave behind.

use crate::exported::{COST, Row, cause, exact, file_of, rows_of, totals, value};
use crate::reports::files;
use crate::support::{Done, Run};
use std::fs;
use std::path::Path;
use testkit::oracle::Exact;
use testkit::write::Packing;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";

/// A book of groups: name and account; `more` stands before the tables.
fn book(groups: &[(&str, &str)], more: &str) -> String {
    let group = |(name, account): &(&str, &str)| {
        format!(
            "[[billing_groups]]\nname = {name:?}\nprimary_account_id = \"{account}\"\naccounts = [\"{account}\"]\n\
             pricing_plan = \"BasicPricingPlan\"\n"
        )
    };
    format!("payer_account_id = \"999999999999\"\n{more}\n{}", groups.iter().map(group).collect::<String>())
}

const ACME: (&str, &str) = ("acme", "111111111111");
const OTHER: (&str, &str) = ("other", "222222222222");

fn lines() -> Vec<Line> {
    let line = |account, id: &str, cost| {
        let mut line = Line::usage(account, "AmazonEC2", "BoxUsage:m5.large", cost);
        line.identity_line_item_id = Some(id.to_owned());
        line.resource_tags = [("user_team", "blue"), ("user_cost", "17")]
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .into();
        line.bill_payer_account_name = Some("The payer".to_owned());
        line
    };
    vec![line(ACME.1, "a", "10"), line(OTHER.1, "b", "20"), line(ACME.1, "c", "0.1234567891")]
}

fn run_of(form: Form, book: &str, lines: &[Line]) -> Run {
    Run::new(PERIOD, book, |cost| drop(write_month(cost, lines, &WriteOptions::new(form, PERIOD))))
}

fn cost_of(run: &Run) -> std::path::PathBuf {
    run.folder.path().join("cost")
}

/// A run of the lines with its exports.
fn exported(form: Form, book: &str, lines: &[Line], more: &[&str]) -> Done {
    run_of(form, book, lines).with(&["--export", "cur2"]).with(more).go().succeeded()
}

#[test]
fn a_book_allows_columns_and_tags_by_name_and_nothing_else() {
    let rows = |more: &str| {
        rows_of(&exported(Form::Cur2Parquet, &book(&[ACME], more), &lines(), &[]).exports(), "acme")
    };
    let without = rows("");
    assert!(
        without
            .iter()
            .all(|row| !row.contains_key("resource_tags") && !row.contains_key("bill_payer_account_name"))
    );
    let with = rows("[exports]\ncolumns = [\"bill_payer_account_name\"]\ntags = [\"user_team\"]");
    for (without, mut with) in without.into_iter().zip(with) {
        assert_eq!(with.remove("bill_payer_account_name").as_deref(), Some("The payer"));
        assert_eq!(with.remove("resource_tags").as_deref(), Some("{\"user_team\" -> \"blue\"}"));
        assert_eq!(with, without);
    }
}

#[test]
fn columns_that_are_never_a_customers_cannot_be_allowed() {
    let mut lines = lines();
    lines.iter_mut().for_each(|line| *line = line.clone().netting("3.5"));
    let more = "[exports]\ncolumns = [\"line_item_net_unblended_cost\", \"bill_invoice_id\"]";
    let done = exported(Form::Cur2Csv, &book(&[ACME], more), &lines, &[]);
    for row in rows_of(&done.exports(), "acme") {
        assert!(
            !row.contains_key("line_item_net_unblended_cost") && !row.contains_key("bill_invoice_id"),
            "{row:?}"
        );
    }
}

#[test]
fn every_currency_of_a_file_sums_to_its_statement() {
    let mut lines = lines();
    lines.push(lines[0].clone().in_currency("EUR").amounting("3").at_public_cost("3.5"));
    let done = exported(Form::Cur2Parquet, &book(&[ACME, OTHER], ""), &lines, &[]);
    let of_file = totals(&rows_of(&done.exports(), "acme"));
    assert_eq!(of_file, done.statement_totals("acme"));
    assert_eq!(of_file["EUR"], Exact::of("3.5"));
}

#[test]
fn groups_of_any_name_have_folders_of_their_own() {
    let names = ["../escape", "a b", "Größe 10 €", "export.json", ".hidden", "con/prn", "-rf"];
    let accounts: Vec<String> =
        (0..names.len()).map(|number| format!("{:012}", 111_111_111_111_u64 + number as u64)).collect();
    let groups: Vec<(&str, &str)> = names.iter().copied().zip(accounts.iter().map(String::as_str)).collect();
    let lines: Vec<Line> =
        accounts.iter().map(|account| Line::usage(account, "AmazonEC2", "BoxUsage:m5.large", "10")).collect();
    let run = run_of(Form::Cur2Csv, &book(&groups, ""), &lines).with(&["--export", "cur2"]);
    let done = run.go().succeeded();
    let exported = done.exported_files();
    assert_eq!(exported.len(), names.len() + 1, "{:?}", exported.keys());
    let again = done.export(&cost_of(&run), &done.exports(), &["--force"]).succeeded();
    assert_eq!(files(&again.out), exported, "an export with such names is known as one, and replaced");
    let folder = |account: &str| {
        let folders =
            fs::read_dir(done.exports()).expect("a folder").flatten().filter(|entry| entry.path().is_dir());
        let is_of = |rows: &[Row]| rows.iter().all(|row| value(row, "line_item_usage_account_id") == account);
        folders.filter(|entry| is_of(&rows_of(&done.exports(), &entry.file_name().to_string_lossy()))).count()
    };
    assert!(accounts.iter().all(|account| folder(account) == 1));
}

#[test]
fn a_group_without_lines_has_a_file_without_rows() {
    for (form, count) in [(Form::Cur2Parquet, 1), (Form::Cur2Csv, 1)] {
        let done = exported(form, &book(&[ACME, ("idle", "555555555555")], ""), &lines(), &[]);
        assert_eq!(rows_of(&done.exports(), "idle"), Vec::<Row>::new());
        assert_eq!(fs::read_dir(done.exports().join("idle")).expect("a folder").count(), count);
    }
}

#[test]
fn a_moved_account_takes_its_lines_along() {
    let both = |groups: &[(&str, &str)]| {
        exported(Form::Cur2Parquet, &book(groups, ""), &lines(), &[]).exported_files()
    };
    let before = both(&[("acme", ACME.1), ("other", OTHER.1)]);
    let after = both(&[("acme", OTHER.1), ("other", ACME.1)]);
    let of = |files: &std::collections::BTreeMap<String, Vec<u8>>, group: &str| {
        files
            .iter()
            .find(|(name, _)| name.starts_with(group))
            .map(|(_, bytes)| bytes.clone())
            .expect("a file")
    };
    assert_eq!(of(&after, "other/"), of(&before, "acme/"));
    assert_eq!(of(&after, "acme/"), of(&before, "other/"));
}

#[test]
fn rejected_lines_are_in_no_file() {
    let run = Run::new(PERIOD, &book(&[ACME], ""), |cost| {
        let header = crate::small_files::header();
        let line = |cost: &str| {
            format!("2026-10-01T00:00:00Z,999999999999,111111111111,Usage,AmazonEC2,x,1,{cost},USD")
        };
        let text = [header, line("1"), line("abc"), line("3")].join("\n");
        fs::write(cost.join("lines.csv"), text).expect("a file");
    });
    run.go().refused(&["abc"]);
    let done = run.with(&["--accept-rejects", "--export", "cur"]).go().succeeded();
    let costs: Vec<Exact> = rows_of(&done.exports(), "acme").iter().map(|row| exact(row, COST)).collect();
    assert_eq!(costs, ["1", "3"].map(Exact::of));
    let cost = done.out.with_file_name("cost");
    let later = done.export(&cost, &done.out.with_file_name("later"), &[]).succeeded();
    assert_eq!(files(&later.out), done.exported_files());
}

#[test]
fn an_amount_keeps_fourteen_decimals_and_the_residue_row_takes_the_rest() {
    let more = "[[pricing_rules]]\nname = \"up\"\nscope = \"GLOBAL\"\ntype = \"MARKUP\"\nmodifier_percentage = \"0.0001\"\n\
                [[pricing_plans]]\nname = \"plan\"\npricing_rules = [\"up\"]\n";
    let book = book(&[ACME], more).replace("BasicPricingPlan", "plan");
    let rows = rows_of(&exported(Form::Cur2Csv, &book, &lines(), &[]).exports(), "acme");
    let amounts: Vec<Exact> = rows.iter().map(|row| exact(row, COST)).collect();
    // 10 × 1.000001, and 0.1234567891 × 1.000001 = 0.1234569125567891; shown is 10.1234669126.
    assert_eq!(amounts, ["10.00001", "0.12345691255679", "0.00000000004321"].map(Exact::of));
    assert_eq!(cause(&rows[2]), Some("residue/2026-10"));
    assert_eq!(value(&rows[2], "line_item_usage_account_id"), ACME.1);
}

#[test]
fn a_changed_cost_file_is_refused_by_name_with_nothing_written() {
    let run = run_of(Form::Cur2Csv, &book(&[ACME], ""), &lines());
    let done = run.go().succeeded();
    let mut changed = lines();
    changed[0] = changed[0].clone().amounting("11");
    let elsewhere = run.folder.path().join("changed");
    let files = write_month(&elsewhere, &changed, &WriteOptions::new(Form::Cur2Csv, PERIOD));
    let name = files[0].file_name().expect("a name").to_string_lossy().into_owned();
    let out = run.folder.path().join("export");
    done.export(&elsewhere, &out, &[]).refused(&[&name]);
}

#[test]
fn an_export_among_the_cost_files_is_not_read_as_cost() {
    let run = run_of(
        Form::Cur2Csv,
        &book(&[ACME, OTHER], "[exports]\ncolumns = [\"bill_payer_account_id\"]"),
        &lines(),
    );
    let done = run.go().succeeded();
    done.export(&cost_of(&run), &cost_of(&run).join("for-acme"), &[]).succeeded();
    let again = run.with(&["--force"]).go().succeeded();
    assert_eq!(again.stdout, done.stdout);
    assert!(again.stderr.contains("is a result of this program"), "{}", again.stderr);
}

#[test]
fn what_is_allowed_in_vain_is_warned_of() {
    let more = "[exports]\ncolumns = [\"bill_invoice_id\", \"no_such_column\", \"bill_payer_account_name\"]";
    let done = exported(Form::Cur2Parquet, &book(&[ACME], more), &lines(), &[]);
    for (column, is_warned) in
        [("bill_invoice_id", true), ("no_such_column", true), ("bill_payer_account_name", false)]
    {
        assert_eq!(
            done.stderr.contains(&format!("allow the column `{column}`")),
            is_warned,
            "{}",
            done.stderr
        );
    }
}

#[test]
fn a_made_text_names_no_account_of_others() {
    let mut lines = lines();
    lines[0].line_item_usage_type = Some("X-222222222222".to_owned());
    for layout in ["cur2", "focus"] {
        let done = run_of(Form::Cur2Parquet, &book(&[ACME, OTHER], ""), &lines)
            .with(&["--export", layout])
            .go()
            .succeeded();
        let rows = rows_of(&done.exports(), "acme");
        assert!(
            rows.iter().all(|row| row.values().all(|text| !text.contains(OTHER.1))),
            "{layout}: {rows:#?}"
        );
    }
}

#[test]
fn mistakes_are_named() {
    let run = run_of(Form::Cur2Csv, &book(&[ACME], ""), &lines());
    let done = run.go().succeeded();
    let out = run.folder.path().join("export");
    let cost = cost_of(&run);
    done.export(&cost, &out, &["--group", "nobody"])
        .refused(&["the book has no billing group `nobody`", "--group"]);
    done.export(&cost, &out, &["--export", "none"]).refused(&["`--export none` exports nothing"]);
    done.export(&cost, &out, &["--export", "cur"])
        .refused(&["legacy CUR cannot be exported from CUR 2.0 files"]);
    done.export(&cost, &out, &["--export", "xml"]).refused(&["xml", "possible values"]);
    done.export(&run.folder.path().join("absent"), &out, &[]).refused(&["absent"]);
    let legacy = run_of(Form::LegacyCsv(Packing::Gzip), &book(&[ACME], ""), &lines());
    legacy
        .with(&["--export", "cur2"])
        .go()
        .refused(&["CUR 2.0 cannot be exported from legacy CUR files", "--export focus"]);
    run_of(Form::Cur2Parquet, &book(&[ACME], ""), &lines())
        .with(&["--export", "cur"])
        .go()
        .refused(&["legacy CUR cannot be exported from CUR 2.0 files"]);
    fs::remove_file(done.out.join("reconciliation.json")).expect("a file");
    done.export(&cost, &out, &[]).refused(&["reconciliation.json"]);
}

#[test]
fn an_export_is_replaced_only_with_force_and_a_foreign_folder_never() {
    let run = run_of(Form::Cur2Csv, &book(&[ACME, OTHER], ""), &lines());
    let done = run.go().succeeded();
    let (cost, out) = (cost_of(&run), run.folder.path().join("export"));
    done.export(&cost, &out, &[]).succeeded();
    let before = files(&out);
    let refused = |more: &[&str], words: &[&str]| {
        let refused = done.export(&cost, &out, more);
        assert_eq!(refused.status, 2, "{}", refused.stderr);
        words.iter().for_each(|word| assert!(refused.stderr.contains(word), "{}", refused.stderr));
    };
    refused(&[], &["holds an earlier export", "--force"]);
    assert_eq!(files(&out), before);
    refused(&["--force", "--group", "acme"], &["also has `other`, which --force would remove"]);
    assert_eq!(files(&out), before);
    done.export(&cost, &out, &["--force"]).succeeded();
    assert_eq!(files(&out), before);
    fs::write(out.join("notes.txt"), "mine").expect("a file");
    refused(&["--force"], &["holds `notes.txt`, which no export has"]);
    assert_eq!(fs::read_to_string(out.join("notes.txt")).expect("a file"), "mine");
}

#[test]
fn an_export_into_its_run_leaves_a_run_that_can_be_replaced() {
    let run = run_of(Form::Cur2Csv, &book(&[ACME], ""), &lines());
    let done = run.go().succeeded();
    let export = done.export(&cost_of(&run), &done.exports(), &[]).succeeded();
    assert!(file_of(&export.out, "acme").is_file());
    // What a killed export leaves, without its lock.
    fs::create_dir(done.out.join(".pro-forma.partial-0")).expect("a folder");
    let again = run.with(&["--force"]).go().succeeded();
    assert!(!again.exports().exists());
}

#[test]
fn a_hostile_cost_file_ends_the_child_and_not_the_program() {
    let run = run_of(Form::Cur2Parquet, &book(&[ACME], ""), &lines());
    let done = run.go().succeeded();
    let out = run.folder.path().join("export");
    done.export(&cost_of(&run), &out, &["--worker-memory", "1"]).refused(&["the reader was stopped"]);
    let broken = run.folder.path().join("broken");
    for file in write_month(&broken, &lines(), &WriteOptions::new(Form::Cur2Parquet, PERIOD)) {
        let bytes = fs::read(&file).expect("a file");
        fs::write(&file, &bytes[..bytes.len() / 2]).expect("a file");
    }
    done.export(&broken, &out, &[]).refused(&["not a readable Parquet file"]);
    assert!(!Path::new(&out).exists());
}
