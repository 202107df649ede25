//! The engine behind a billing desk: its runs are those of the command line, and a month priced again is the run that reading again would give.

use crate::reports::files;
use back_office::engine::{CostSource, Engine, EngineError, RunOrder, RunOutcome};
use billing::book::{AllocationDraft, Draft, GroupDraft, LineFilterDraft, MinimumDraft};
use billing::money::{Cost, Percentage};
use billing::period::BillingPeriod;
use proforma::engine::{Children, CostEngine};
use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/demo").join(name)
}

fn engine() -> CostEngine {
    let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_proforma")));
    CostEngine { children: Children { program, threads: NonZeroUsize::new(2), ..Children::default() } }
}

fn source() -> CostSource {
    CostSource { inputs: vec![demo("cost")], ..CostSource::default() }
}

fn october() -> BillingPeriod {
    BillingPeriod::parse("2026-10").expect("a month")
}

fn demo_book() -> Draft {
    let path = demo("book.toml");
    book_file::draft(&path, &fs::read_to_string(&path).expect("a book")).expect("a draft")
}

fn order(book: &Draft, out: &Path) -> RunOrder {
    let weights = "target,weight\nmeadowlark-bikes,7\npinecone-games,3\n".to_owned();
    RunOrder {
        period: october(),
        book: book.clone(),
        book_files: BTreeMap::from([("headcount.csv".to_owned(), weights)]),
        out: out.to_owned(),
    }
}

/// The demo month, run by the engine.
struct Desk {
    folder: TempDir,
    first: PathBuf,
    outcome: RunOutcome,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let first = folder.path().join("first");
        let outcome = engine().run(&source(), &order(&demo_book(), &first)).expect("a run");
        Self { folder, first, outcome }
    }

    /// Another book gives the same bytes from the first run as from the cost files.
    #[track_caller]
    fn check(&self, what: &str, change: impl FnOnce(&mut Draft)) {
        let mut book = demo_book();
        change(&mut book);
        let again = self.folder.path().join(format!("{what} again"));
        let whole = self.folder.path().join(format!("{what} whole"));
        let repriced = engine().reprice(&self.first, &order(&book, &again)).expect(what).expect(what);
        let run = engine().run(&source(), &order(&book, &whole)).expect(what);
        assert_eq!(repriced, run, "{what}");
        same_files(what, &again, &whole);
        // What was priced again can be priced again.
        let back = self.folder.path().join(format!("{what} back"));
        let outcome = engine().reprice(&again, &order(&demo_book(), &back)).expect(what).expect(what);
        assert_eq!(outcome, self.outcome, "{what}");
        same_files(what, &back, &self.first);
    }
}

#[track_caller]
fn same_files(what: &str, one: &Path, other: &Path) {
    let (mut one, mut other) = (files(one), files(other));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other), "{what}");
    one.retain(|name, bytes| other.get(name) != Some(bytes));
    other.retain(|name, _| one.contains_key(name));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(2_000).collect::<String>();
    if let Some((name, bytes)) = one.first_key_value() {
        panic!("{what}: `{name}` differs:\n{}\n{}", text(bytes), text(&other[name]));
    }
}

fn group_of<'a>(book: &'a mut Draft, name: &str) -> &'a mut GroupDraft {
    book.billing_groups.iter_mut().find(|group| group.name == name).expect(name)
}

#[test]
fn a_run_of_the_engine_is_that_of_the_command_line() {
    let desk = Desk::open();
    let out = desk.folder.path().join("out");
    let status = Command::new(env!("CARGO_BIN_EXE_proforma"))
        .args(["run", "--period", "2026-10", "--cost"])
        .arg(demo("cost"))
        .arg("--book")
        .arg(demo("book.toml"))
        .arg("--out")
        .arg(&out)
        .output()
        .expect("the program");
    assert!(status.status.success());
    let said = String::from_utf8(status.stderr).expect("text");
    let warned: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
    assert!(warned.iter().all(|warning| desk.outcome.warnings.contains(&(*warning).to_owned())), "{said}");
    fs::copy(desk.first.join("book.toml"), out.join("book.toml")).expect("a copy");
    same_files("the demo", &desk.first, &out);
}

#[test]
fn a_month_priced_again_is_what_reading_again_would_give() {
    let desk = Desk::open();
    desk.check("nothing", |_| ());
    desk.check("a percentage", |book| {
        book.pricing_rules[0].modifier_percentage = Some(Percentage::parse("9.5").expect("a percentage"));
    });
    desk.check("a group", |book| {
        book.billing_groups.push(GroupDraft {
            name: "larkfield-itself".to_owned(),
            primary_account_id: "100000000001".to_owned(),
            accounts: vec!["100000000001".to_owned()],
            pricing_plan: "standard".to_owned(),
            ..GroupDraft::default()
        });
    });
    desk.check("a moved account", |book| {
        group_of(book, "meadowlark-bikes").accounts.retain(|account| account != "210000000004");
        group_of(book, "pinecone-games").accounts.push("210000000004".to_owned());
    });
    desk.check("an item", |book| {
        let mut item = book.custom_line_items[0].clone();
        item.name = "another".to_owned();
        book.custom_line_items.push(item);
    });
    for sharing in ["real", "keep", "pro_rata"] {
        desk.check(sharing, |book| book.sharing_commitments = Some(sharing.to_owned()));
    }
    desk.check("no policies", |book| {
        book.distributions.clear();
        book.allocations.clear();
    });
    desk.check("policies", |book| {
        book.minimums.push(MinimumDraft {
            name: "at least".to_owned(),
            billing_group: "fernhollow-clinic".to_owned(),
            amount: Some(Cost::parse("100000").expect("an amount")),
            ..MinimumDraft::default()
        });
        book.allocations.push(AllocationDraft {
            name: "by heads".to_owned(),
            source: vec![LineFilterDraft {
                accounts: vec!["100000000001".to_owned()],
                ..LineFilterDraft::default()
            }],
            method: "weights".to_owned(),
            weights: Some("headcount.csv".to_owned()),
            ..AllocationDraft::default()
        });
    });
}

#[test]
fn a_book_that_tells_other_lines_apart_needs_the_cost_files() {
    let desk = Desk::open();
    let mut book = demo_book();
    book.reports.tags = vec!["user_project".to_owned()];
    let out = desk.folder.path().join("out");
    assert_eq!(engine().reprice(&desk.first, &order(&book, &out)), Ok(None));
    let november = BillingPeriod::parse("2026-11").expect("a month");
    let of_november = RunOrder { period: november, ..order(&demo_book(), &out) };
    assert_eq!(engine().reprice(&desk.first, &of_november), Ok(None));
    assert!(!out.exists());
    let mut wrong = demo_book();
    wrong.billing_groups[0].pricing_plan = "no plan".to_owned();
    let refused = engine().reprice(&desk.first, &order(&wrong, &out)).expect_err("no such plan");
    let named = |problem: &String| problem.contains("greenway-holding") && problem.contains("no plan");
    assert!(matches!(&refused, EngineError::Input(problems) if problems.iter().any(named)), "{refused}");
    fs::write(desk.first.join("reading.json"), "{}").expect("damage");
    let damaged = engine().reprice(&desk.first, &order(&demo_book(), &out)).expect_err("damaged");
    assert!(damaged.to_string().contains("`reading.json` is damaged"), "{damaged}");
}

#[test]
fn the_cost_report_is_told_by_group_and_product() {
    let desk = Desk::open();
    let report = engine().report(&desk.first).expect("a report");
    let ungrouped: Vec<&str> = report.ungrouped.iter().map(|account| account.as_str()).collect();
    assert_eq!(ungrouped, ["100000000001", "999999999999"]);
    assert_eq!(report.accounts.len(), 16);
    let of_group =
        |name: &str| report.rows.iter().filter(|row| row.billing_group == name).collect::<Vec<_>>();
    let [idle] = of_group("greenway-holding")[..] else { panic!("{report:?}") };
    assert!(idle.product.is_empty() && idle.pro_forma_cost.is_zero() && idle.aws_cost.is_zero());
    let totals = fs::read_to_string(desk.first.join("billing-groups.json")).expect("totals");
    for row in serde_json::from_str::<Vec<serde_json::Value>>(&totals).expect("rows") {
        let Some(name) = row["billing_group"].as_str().filter(|_| row["kind"] != "subtree") else { continue };
        let costs = of_group(name).into_iter().map(|row| row.pro_forma_cost);
        let sum = costs.fold(Cost::ZERO, |sum, cost| sum.plus(cost).expect("a sum"));
        assert_eq!(sum.to_string(), row["pro_forma_cost"], "{name}");
    }
    fs::write(desk.first.join("cost-report.json"), "[]").expect("damage");
    assert!(engine().report(&desk.first).expect_err("damaged").to_string().contains("cost-report.json"));
}

#[test]
fn a_place_says_which_months_it_has_and_whether_it_changed() {
    assert_eq!(engine().periods(&[demo("cost")]), Ok(vec![october()]));
    let first = engine().fingerprint(&[demo("cost")], october()).expect("a hash");
    assert_eq!(engine().fingerprint(&[demo("cost")], october()), Ok(first.clone()));
    assert_eq!(first.len(), 64);
    assert!(engine().periods(&[demo("nowhere")]).is_err());
    // Without folders of months only the lines say them.
    let flat = tempfile::tempdir().expect("a folder");
    let mut number = 0;
    for (name, bytes) in files(&demo("cost")) {
        if !name.ends_with(".json") {
            number += 1;
            let name = Path::new(&name).file_name().expect("a name").to_string_lossy().into_owned();
            fs::write(flat.path().join(format!("{number}-{name}")), bytes).expect("a file");
        }
    }
    assert!(number > 0);
    assert_eq!(engine().periods(&[flat.path().to_owned()]), Ok(vec![october()]));
}
