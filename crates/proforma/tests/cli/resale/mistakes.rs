//! Chains that cannot be: in the book, and on the command line.

use super::*;

#[track_caller]
fn book_is_refused(entries: &[String], words: &[&str]) {
    top(&[usage(CUSTOMER, "1")], &book(PAYER, entries)).go().refused(words);
}

#[test]
fn mistakes_of_transfers_name_both_places() {
    let of_customer = transfer(CUSTOMER, PAYER);
    let basic = |name: &str, source: &str| group(name, source, "BasicPricingPlan");
    book_is_refused(
        &[of_customer.clone(), basic("a", SELLER)],
        &["billing_groups `a`: `responsibility_transfer`: there is no billing transfer `of-456456456456`"],
    );
    book_is_refused(
        &[of_customer.clone(), basic("a", CUSTOMER), basic("b", CUSTOMER)],
        &[
            "billing_groups `b`: `responsibility_transfer`: billing transfer `of-123123123123` already makes billing group `a`",
        ],
    );
    book_is_refused(
        &[transfer(CUSTOMER, SELLER)],
        &["`receiver_account_id`: `456456456456` receives no bill here", PAYER],
    );
    book_is_refused(
        &[transfer(CUSTOMER, SELLER), transfer(SELLER, LAST), transfer(LAST, CUSTOMER)],
        &["comes back to its own source", "`of-123123123123`", "`of-456456456456`", "`of-012012012012`"],
    );
    let two = of_customer.replace("of-123123123123", "twice");
    book_is_refused(
        &[of_customer.clone(), two],
        &[
            "responsibility_transfers `twice`: `accounts`: billing transfer `of-123123123123` already has account `123123123123`",
        ],
    );
    book_is_refused(
        &[of_customer.replace("accounts = [\"123123123123\"]", "accounts = [\"777777777777\"]")],
        &["the source account `123123123123` must be among `accounts`"],
    );
    let own = format!(
        "\n[[billing_groups]]\nname = \"own\"\nprimary_account_id = \"{CUSTOMER}\"\naccounts = [\"{CUSTOMER}\"]\n\
         pricing_plan = \"Passthrough\"\n"
    );
    book_is_refused(
        &[of_customer.clone(), own],
        &[
            "billing_groups `own`: `accounts`: billing transfer `of-123123123123` has account `123123123123`",
            "billing_groups `own`: `pricing_plan`: `Passthrough` is for groups of a billing transfer",
        ],
    );
    let fields =
        format!("{}primary_account_id = \"{CUSTOMER}\"\nauto_associate = true\n", basic("a", CUSTOMER));
    book_is_refused(
        &[of_customer.clone(), fields],
        &["`primary_account_id`: follows from the billing transfer", "`auto_associate`: follows from"],
    );
    book_is_refused(
        &[
            transfer_of(CUSTOMER, PAYER, "status = \"accepted\"\nstart = \"2026-10\"\nend = \"2026-10\""),
            transfer_of(SELLER, PAYER, "status = \"WITHDRAWN\"\nstart = \"2026-10\""),
        ],
        &["`accepted` is not a status", "at or before its start", "goes on until its end"],
    );
}

#[test]
fn transfers_that_follow_each_other_are_no_mistake() {
    let until =
        transfer_of(CUSTOMER, PAYER, "status = \"WITHDRAWN\"\nstart = \"2026-01\"\nend = \"2026-10\"");
    let then =
        transfer_of(CUSTOMER, PAYER, "status = \"ACCEPTED\"\nstart = \"2026-10\"").replace("of-1", "then-1");
    let new = group("new", CUSTOMER, "BasicPricingPlan").replace("of-1", "then-1");
    let entries = [until, then, group("old", CUSTOMER, "BasicPricingPlan"), new];
    let done = top(&[usage(CUSTOMER, "1")], &book(PAYER, &entries)).go().succeeded();
    assert_is(total(&done, "new"), "1");
    assert!(!done.out.join("statements/old.json").exists());
}

#[test]
fn aws_refuses_items_that_show_where_a_bill_is_passed_through() {
    let entries = [transfer(CUSTOMER, PAYER), group("customer", CUSTOMER, "Passthrough")];
    let shown = item("shown", "customer", "FEE", "1") + "presentation_service = \"AmazonEC2\"\n";
    let itemized = "\n[[custom_line_items]]\nname = \"each\"\ndescription = \"\"\nbilling_group = \"customer\"\ntype = \"FEE\"\n\
                    percentage_value = \"1\"\ncomputation_rule = \"ITEMIZED\"\nstart = \"2026-01\"\n";
    book_is_refused(
        &[&entries[..], &[shown, itemized.to_owned()]].concat(),
        &[
            "custom_line_items `shown`: `presentation_service`: billing group `customer`",
            "custom_line_items `each`: `computation_rule`: billing group `customer`",
            "ILLEGAL_BILLING_GROUP_PRICING_PLAN",
        ],
    );
    let plain = [&entries[..], &[item("plain", "customer", "FEE", "2")]].concat();
    let done = top(&[usage(CUSTOMER, "10").netting("9")], &book(PAYER, &plain)).go().succeeded();
    assert_is(total(&done, "customer"), "11");
}

#[test]
fn what_is_no_level_is_refused() {
    let book_above = two_levels(&[group("customer", CUSTOMER, "BasicPricingPlan")]);
    let done = top(&[usage(CUSTOMER, "10")], &book_above).go().succeeded();
    let of_seller = sellers("BasicPricingPlan", &[]);
    let nothing = "charges account `777777777777` nothing in 2026-10";
    Level::refused(
        &done,
        STRANGER,
        &book(STRANGER, &[]),
        &[],
        &[nothing, "it charges `123123123123`, `456456456456`"],
    );
    Level::refused(&done, PAYER, &book(PAYER, &[]), &[], &["nothing in 2026-10"]);
    Level::refused(
        &done,
        CUSTOMER,
        &of_seller,
        &[],
        &["the book is of payer account `456456456456`", "--account"],
    );
    Level::refused(&done, SELLER, &of_seller, &["--period", "2026-11"], &["is of 2026-10, not of 2026-11"]);
    Level::refused(&done, SELLER, &of_seller, &["--export", "cur2"], &["no lines that could be exported"]);
    for policy in ["real", "pro_rata"] {
        let shared = format!("{of_seller}\n[sharing]\ncommitments = \"{policy}\"\n");
        Level::refused(&done, SELLER, &shared, &[], &["cannot be applied to what a level above charges"]);
    }
    let Level(_, both) = Level::of(&done, SELLER, &of_seller, &["--cost", "."]);
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
    let own = ["run", "--upstream", "s3://runs/october", "--account", SELLER, "--book"];
    let level = Level::good(&done, SELLER, &of_seller);
    let book = format!("{}/book.toml", level.folder());
    proforma(&[&own[..], &[&book, "--out", "nowhere"]].concat()).says_no(&["is on an object store"]);
    let same = ["run", "--upstream", done.folder(), "--account", SELLER, "--book", &book, "--force", "--out"];
    proforma(&[&same[..], &[done.folder()]].concat())
        .says_no(&["cannot be replaced by what is made from it"]);
    // A run of a level has no lines.
    proforma(&["export", "--run", level.folder()]).says_no(&["no cost files", "run above"]);
    proforma(&["explain", "--run", level.folder(), "--line", "line"])
        .says_no(&["no cost files", "run above"]);
    let source = format!("{}/source.json", level.folder());
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out").display().to_string();
    let again = ["run", "--cost", &source, "--book", &book, "--period", PERIOD, "--out", &out];
    proforma(&again).says_no(&["it has no cost files", "--upstream"]);
    // What is not as the run above has written it is nobody's cost.
    fs::remove_file(done.out.join("cost-cube.parquet")).expect("the cube");
    Level::refused(&done, SELLER, &of_seller, &[], &["is not as the run has written it"]);
}

#[test]
fn a_level_waits_for_its_transfer() {
    let when = "status = \"ACCEPTED\"\nstart = \"2026-11\"";
    let entries = [transfer_of(CUSTOMER, PAYER, when), group("customer", CUSTOMER, "BasicPricingPlan")];
    let done = top(&[usage(PAYER, "10")], &book(PAYER, &entries)).go().succeeded();
    let words = ["nothing in 2026-10", "no billing group with a responsibility_transfer in force"];
    Level::refused(&done, CUSTOMER, &book(CUSTOMER, &[]), &[], &words);
}
