//! Support fees, payer commitments, minimums.

use super::{ACME, BETA, SHARED, book, descriptions, items, priced, total, usage, usage_and};
use testkit::Line;

/// What a group is charged by the only policy of a book, and how that is described.
fn charge(lines: &[Line], more: &str, group: &str) -> Option<(String, String)> {
    let done = priced(lines, &book(more));
    let item = items(&done, group).pop()?;
    let described = descriptions(&done, group).remove(&item[0]).unwrap_or_default();
    Some((item[4].clone(), described))
}

fn told(amount: &str, described: &str) -> Option<(String, String)> {
    Some((amount.to_owned(), described.to_owned()))
}

#[test]
fn support_is_charged_by_tiers_of_the_groups_own_spend() {
    let fee = |more: &str| {
        format!(
            "[[support_fees]]\nname = \"Support\"\ntiers = [{{ up_to = 50, percentage = 10 }}, {{ up_to = 70, percentage = 7 }}, \
             {{ percentage = 3 }}]\n{more}\n"
        )
    };
    // 50 at 10 %, 20 at 7 %, 7 at 3 %; 33 at 10 %.
    assert_eq!(charge(&usage(), &fee(""), "acme"), told("6.61", "Support: on a spend of 77 USD"));
    assert_eq!(charge(&usage(), &fee("minimum = 5"), "beta"), told("5", "Support: on a spend of 33 USD"));
    let by_cost = fee("of = \"aws_cost\"\nbilling_groups = [\"acme\"]\ndescription = \"Business\"");
    assert_eq!(charge(&usage(), &by_cost, "acme"), told("6.4", "Business"));
    assert_eq!(charge(&usage(), &by_cost, "beta"), None);
    // Credits that are kept, and support itself, are no spend.
    let lines = usage_and([
        Line::charge("Credit", BETA, "AmazonEC2", "-10"),
        Line::charge("Fee", BETA, "AWSSupportBusiness", "10"),
    ]);
    let keeping = fee("")
        + "[[distributions]]\nname = \"all\"\nlines = [{ line_item_types = [\"Credit\", \"Support\"] }]\ntreatment = \"keep\"\n";
    assert_eq!(charge(&lines, &keeping, "beta"), told("3.3", "Support: on a spend of 33 USD"));
}

#[test]
fn everybody_pays_what_it_is_short_of() {
    let commitment = |more: &str| {
        format!(
            "[[payer_commitments]]\nname = \"EDP\"\namount = 200\nshares = [{{ billing_group = \"acme\", percentage = 50 }}, \
             {{ billing_group = \"beta\", percentage = 10 }}]\n{more}\n"
        )
    };
    let own = commitment("shortfall = \"own\"\nof = \"public_cost\"");
    let described = "EDP: 50 % of 200 is 100, spent 70, short 30";
    assert_eq!(charge(&usage(), &own, "acme"), told("30", described));
    assert_eq!(charge(&usage(), &own, "beta"), None);
}

#[test]
fn a_shared_shortfall_goes_to_those_who_are_short() {
    let shared = "[[payer_commitments]]\nname = \"EDP\"\namount = 130\nshares = [{ billing_group = \"acme\", percentage = 70 }, \
                  { billing_group = \"beta\", percentage = 10 }]\nshortfall = \"shared\"\nof = \"public_cost\"\n";
    // 110 are spent, 20 missing: acme is short of 91 by 21, the payer of 26 by 16, beta not at all.
    let lines = usage_and([Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", "10")]);
    let described = "EDP: 70 % of 130 is 91, spent 70, short 21, 11.3513513514 of 20 USD";
    assert_eq!(charge(&lines, shared, "acme"), told("11.3513513514", described));
    assert_eq!(charge(&lines, shared, "beta"), None);
    let enough = usage_and([Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", "30")]);
    assert_eq!(charge(&enough, shared, "acme"), None);
}

#[test]
fn only_some_spend_may_count() {
    let of_ec2 = "[[payer_commitments]]\nname = \"EDP\"\namount = 100\nshares = [{ billing_group = \"acme\", percentage = 100 }]\n\
                  shortfall = \"own\"\nspend = [{ services = [\"AmazonEC2\"] }]\n";
    let lines = usage_and([Line::charge("Credit", ACME, "AmazonEC2", "-50")]);
    assert_eq!(charge(&lines, of_ec2, "acme"), told("40", "EDP: 100 % of 100 is 100"));
}

#[test]
fn a_bill_comes_to_its_minimum() {
    let minimum = |more: &str| format!("[[minimums]]\nname = \"Least\"\nbilling_group = \"beta\"\n{more}\n");
    assert_eq!(
        charge(&usage(), &minimum("amount = 50"), "beta"),
        told("17", "Least: at least 50 USD, charged 33")
    );
    assert_eq!(charge(&usage(), &minimum("amount = 33"), "beta"), None);
    let higher = minimum("amount = 50\npercentage = \"333.3333\"");
    let described = "Least: at least 99.99999 USD, charged 33";
    assert_eq!(charge(&usage(), &higher, "beta"), told("66.99999", described));
    let done = priced(&usage(), &book(&higher));
    assert_eq!(total(&done, "beta"), "99.99999");
}
