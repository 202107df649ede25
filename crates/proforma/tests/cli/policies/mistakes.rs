//! Policies that cannot be meant: refused, with the places named.

use super::{SHARED, book, credit, run, usage, usage_and};
use testkit::Line;
use testkit::line::PAYER;

#[track_caller]
fn refused(more: &str, words: &[&str]) {
    run(&usage(), &book(more)).go().refused(words);
}

#[test]
fn a_book_names_what_does_not_exist() {
    let allocation = "[[allocations]]\nname = \"network\"\nsource = [{ accounts = [\"444444444444\"] }]\n";
    refused(
        &format!("{allocation}method = \"evenly\"\n"),
        &["allocations `network`: `method`", "`evenly` is not a method"],
    );
    refused(
        &format!("{allocation}method = \"even\"\ntargets = {{ billing_groups = [\"acmee\"] }}\n"),
        &["allocations `network`: `targets`", "there is no billing group `acmee`; did you mean `acme`?"],
    );
    refused(
        &format!("{allocation}method = \"even\"\ntargets = {{ allocations = [\"other\"] }}\n"),
        &["there is no allocation `other`"],
    );
    refused(
        "[[distributions]]\nname = \"x\"\nlines = [{ line_item_types = [\"Usage\"] }]\ntreatment = \"keep\"\n",
        &["distributions `x`: `lines`", "lines of type `Usage` are not distributed"],
    );
    refused(
        "[[distributions]]\nname = \"x\"\nlines = [{ line_item_types = [\"Tax\"] }]\ntreatment = \"allocate\"\nallocation = \"y\"\n",
        &["there is no allocation `y`"],
    );
    refused("[[allocations]]\nname = \"idle\"\nmethod = \"even\"\n", &["nothing is allocated"]);
    refused(
        "[[distributions]]\nname = \"x\"\nlines = [{ line_item_types = [\"Tax\"], servces = [\"a\"] }]\ntreatment = \"keep\"\n",
        &["`servces`", "is not a field here"],
    );
}

#[test]
fn shares_that_do_not_add_up() {
    let fixed = |shares: &str| {
        format!(
            "[[allocations]]\nname = \"network\"\nsource = [{{ services = [\"AmazonVPC\"] }}]\nmethod = \"fixed\"\nshares = [{shares}]\n"
        )
    };
    refused(
        &fixed(
            "{ billing_group = \"acme\", percentage = 40 }, { billing_group = \"beta\", percentage = \"59.9\" }",
        ),
        &["allocations `network`: `shares`", "the shares sum to 99.9 %, not to 100"],
    );
    refused(
        "[[payer_commitments]]\nname = \"EDP\"\namount = 1\nshortfall = \"own\"\nshares = [{ billing_group = \"acme\", percentage = 60 }, { billing_group = \"beta\", percentage = 60 }]\n",
        &["payer_commitments `EDP`: `shares`", "the shares sum to 120 %"],
    );
}

#[test]
fn allocations_that_would_go_in_a_circle() {
    let feeding = |name: &str, other: &str, step: u32| {
        format!(
            "[[allocations]]\nname = \"{name}\"\nstep = {step}\nsource = [{{ services = [\"{name}\"] }}]\nmethod = \"even\"\ntargets = {{ allocations = [\"{other}\"] }}\n"
        )
    };
    refused(
        &(feeding("one", "two", 1) + &feeding("two", "one", 2)),
        &["allocations `two`: `targets`", "`two` (step 2) feeds `one` (step 1)", "circle"],
    );
    refused(&feeding("one", "one", 1), &["`one` (step 1) feeds `one` (step 1)"]);
}

#[test]
fn two_policies_for_one_line() {
    let lines = usage_and([
        credit(PAYER, "AmazonEC2", "-9", "PROMO-7"),
        Line::usage(SHARED, "AmazonVPC", "Hours", "1"),
    ]);
    let more = r#"
        [[distributions]]
        name = "promotions"
        lines = [{ line_item_types = ["Credit"], descriptions = ["PROMO"] }]
        treatment = "keep"
        [[distributions]]
        name = "credits of EC2"
        lines = [{ line_item_types = ["Credit"], services = ["AmazonEC2"] }]
        treatment = "drop"
        "#;
    run(&lines, &book(more)).go().refused(&[
        "distribution `promotions`",
        "distribution `credits of EC2`",
        "999999999999",
    ]);
    let more = r#"
        [[allocations]]
        name = "by account"
        source = [{ accounts = ["444444444444"] }]
        method = "even"
        [[allocations]]
        name = "by service"
        source = [{ services = ["AmazonVPC"] }]
        method = "even"
        "#;
    run(&lines, &book(more)).go().refused(&[
        "allocation `by account`",
        "allocation `by service`",
        "AmazonVPC",
    ]);
    refused(
        "[[minimums]]\nname = \"a\"\nbilling_group = \"acme\"\namount = 1\n[[minimums]]\nname = \"b\"\nbilling_group = \"acme\"\namount = 2\n",
        &["`b` and `a` are both for billing group `acme`"],
    );
    refused(
        "[[support_fees]]\nname = \"a\"\ntiers = [{ percentage = 1 }]\n[[support_fees]]\nname = \"b\"\nbilling_groups = [\"beta\"]\ntiers = [{ percentage = 2 }]\n",
        &["`b` and `a` are both for billing group `beta`"],
    );
}

#[test]
fn targets_that_the_month_does_not_have() {
    let more = "[[allocations]]\nname = \"network\"\nsource = [{ services = [\"AmazonS3\"] }]\nmethod = \"even\"\ntargets = { accounts = [\"555555555555\"] }\n";
    refused(
        more,
        &["allocation `network`", "target account `555555555555` is in no billing group in 2026-10"],
    );
    let more = r#"
        [[allocations]]
        name = "first"
        source = [{ services = ["AmazonS3"] }]
        method = "even"
        targets = { allocations = ["second"] }
        [[allocations]]
        name = "second"
        step = 2
        method = "even"
        start = "2026-11"
        "#;
    refused(more, &["allocation `first`", "target allocation `second` is not in force in 2026-10"]);
}

#[test]
fn files_of_weights_are_checked_line_by_line() {
    let more = "[[allocations]]\nname = \"network\"\nsource = [{ services = [\"AmazonS3\"] }]\nmethod = \"weights\"\nweights = \"telemetry.csv\"\n";
    refused(more, &["allocations `network`: `weights`", "`telemetry.csv`: cannot be read"]);
    for (text, words) in [
        ("target,weight\nacme,x\n", &["`telemetry.csv`, line 2: weight `x` is not a decimal number"][..]),
        ("target,weight\nacme,-1\n", &["`telemetry.csv`, line 2: weight `-1` is negative"]),
        (
            "target,weight\nacme,1\ngamma,1\n",
            &["`telemetry.csv`, line 3: `gamma` is no billing group, account or allocation"],
        ),
        ("target,weight,period\nacme,1,2026-13\n", &["`telemetry.csv`, line 2", "2026-13"]),
        ("target,amount\nacme,1\n", &["`amount` is not a column here"]),
    ] {
        let run = run(&usage(), &book(more));
        std::fs::write(run.folder.path().join("telemetry.csv"), text).expect("a file");
        run.go().refused(words);
    }
    let targets = format!("{more}targets = {{ billing_groups = [\"acme\"] }}\n");
    let run = run(&usage(), &book(&targets));
    std::fs::write(run.folder.path().join("telemetry.csv"), "target,weight\nacme,1\nbeta,1\n")
        .expect("a file");
    run.go().refused(&["`telemetry.csv`, line 3: billing group `beta` is no target of it this month"]);
}
