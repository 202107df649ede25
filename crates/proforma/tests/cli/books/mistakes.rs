//! Every kind of mistake, one at a time.

use super::{BOOK, refused};

/// A place of the book, what it becomes, and the message. `«` stands where the message points to.
type Case = (&'static str, &'static str, &'static str);

/// Makes each change alone: it is the only mistake, at the marked place.
fn check(cases: &[Case]) {
    cases.iter().for_each(|(from, to, message)| check_one(from, to, message));
}

#[track_caller]
fn check_one(from: &str, to: &str, message: &str) {
    assert_eq!(BOOK.matches(from).count(), 1, "`{from}` is not one place of the book");
    let marked = BOOK.replace(from, to);
    let at = marked.find('«').unwrap_or_else(|| panic!("no mark in `{to}`"));
    let line = marked[..at].matches('\n').count() + 1;
    let column = marked[..at].chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    let expected = format!("error: book.toml:{line}:{column}: {message}\nnothing was written\n");
    assert_eq!(refused(&marked.replace('«', "")), expected, "{to}");
}

const OF_VALUES: &[Case] = &[
    (
        "= \"999999999999\"",
        "= «\"\"",
        "`payer_account_id`: `` is not an account id; write its digits as text",
    ),
    ("= \"999999999999\"", "= «999999999999", "`payer_account_id`: is a number, expected text in quotes"),
    (
        "currency = \"USD\"",
        "currency = «\"usd\"",
        "`currency`: `usd` is not a currency code; write three capital letters",
    ),
    ("currency = \"USD\"", "currency = «[\"USD\"]", "`currency`: is a list, expected text in quotes"),
    (
        "currency = \"USD\"",
        "«curency = \"USD\"",
        "`curency`: is not a field here; expected one of payer_account_id, currency, accounts, pricing_rules, pricing_plans, responsibility_transfers, billing_groups, custom_line_items, sharing, distributions, allocations, support_fees, payer_commitments, minimums, exports, reports",
    ),
    (
        "modifier_percentage = 10",
        "modifier_percentage = «true",
        "pricing_rules `up`: `modifier_percentage`: is true or false, expected a decimal number",
    ),
    (
        "modifier_percentage = 10",
        "modifier_percentage = «\"ten\"",
        "pricing_rules `up`: `modifier_percentage`: `ten` is not a decimal number like 12.5",
    ),
    (
        "modifier_percentage = 10",
        "modifier_percentage = «10.00001",
        "pricing_rules `up`: `modifier_percentage`: `10.00001` has more than 4 decimals",
    ),
    (
        "flat_charge_value = 10",
        "flat_charge_value = «1000000000000001",
        "custom_line_items `flat`: `flat_charge_value`: `1000000000000001` is too large",
    ),
    (
        "auto_associate = true",
        "auto_associate = «\"yes\"",
        "billing_groups `beta`: `auto_associate`: is text, expected true or false",
    ),
    (
        "start = \"2026-01\"",
        "start = «2026-01-01",
        "custom_line_items `share`: `start`: is a date, expected text in quotes",
    ),
    (
        "pricing_rules = [\"up\", \"tiers\"]",
        "pricing_rules = «\"up\"",
        "pricing_plans `gold`: `pricing_rules`: is text, expected a list of texts",
    ),
    (
        "[\"up\", \"tiers\"]",
        "[\"up\", «5]",
        "pricing_plans `gold`: `pricing_rules`: holds a number, expected text in quotes",
    ),
    (
        "[sharing]\ncommitments = \"members\"",
        "[sharing]\ncommitments = «\"nobody\"",
        "sharing: `commitments`: `nobody` is not a sharing policy; use `members`, `real`, `pro_rata` or `keep`",
    ),
    (
        "[[accounts]]\nid = \"111111111111\"\nname = \"acme-prod\"",
        "[[accounts]]\nid = «\"1111-1111\"\nname = \"acme-prod\"",
        "accounts `acme-prod`: `id`: `1111-1111` is not an account id; write its digits as text",
    ),
    (
        "name = \"acme-prod\"",
        "name = \"acme-prod\"\n[[accounts]]\nid = «\"111111111111\"\nname = \"again\"",
        "accounts `again`: `id`: account `111111111111` is listed twice",
    ),
];

#[test]
fn of_values() {
    check(OF_VALUES);
}

const OF_RULES: &[Case] = &[
    (
        "scope = \"GLOBAL\"",
        "scope = «\"global\"",
        "pricing_rules `up`: `scope`: `global` is not a scope; use GLOBAL, SERVICE, BILLING_ENTITY or SKU",
    ),
    (
        "scope = \"GLOBAL\"",
        "scope = \"GLOBAL\"\nservice = «\"AmazonEC2\"",
        "pricing_rules `up`: `service`: a rule of scope GLOBAL has no `service`; remove it",
    ),
    (
        "usage_type = \"TimedStorage-ByteHrs\"",
        "usage_type = «\"\"",
        "pricing_rules `tiers`: `usage_type`: a rule of scope SKU needs `usage_type`",
    ),
    (
        "type = \"MARKUP\"",
        "type = «\"MARKDOWN\"",
        "pricing_rules `up`: `type`: `MARKDOWN` is not a rule type; use MARKUP, DISCOUNT or TIERING",
    ),
    (
        "type = \"MARKUP\"",
        "type = \"MARKUP\"\nfree_tier_activated = «true",
        "pricing_rules `up`: `free_tier_activated`: a MARKUP rule has no `free_tier_activated`; it needs type TIERING",
    ),
    (
        "modifier_percentage = 10",
        "modifier_percentage = «-10",
        "pricing_rules `up`: `modifier_percentage`: `-10` is negative; the type says the sign: MARKUP adds, DISCOUNT takes away",
    ),
    (
        "type = \"MARKUP\"\nmodifier_percentage = 10",
        "type = \"DISCOUNT\"\nmodifier_percentage = «100.0001",
        "pricing_rules `up`: `modifier_percentage`: a discount of 100.0001 % is more than all; at most 100",
    ),
    (
        "[[pricing_rules]]\nname = \"up\"\nscope = \"GLOBAL\"\ntype = \"MARKUP\"\nmodifier_percentage = 10",
        "«[[pricing_rules]]\nname = \"up\"\nscope = \"GLOBAL\"\ntype = \"MARKUP\"",
        "pricing_rules `up`: `modifier_percentage`: a MARKUP rule needs `modifier_percentage`",
    ),
    (
        "type = \"TIERING\"",
        "type = \"TIERING\"\nmodifier_percentage = «1",
        "pricing_rules `tiers`: `modifier_percentage`: a TIERING rule has no `modifier_percentage`; use type MARKUP or DISCOUNT",
    ),
    (
        "type = \"TIERING\"",
        "type = «\"TIERING\"\nfree_tier_activated = true",
        "pricing_rules `tiers`: `type`: a TIERING rule has either `custom_tiers` or `free_tier_activated`",
    ),
    (
        "scope = \"SKU\"\ntype = \"TIERING\"\nservice = \"AmazonS3\"\nusage_type = \"TimedStorage-ByteHrs\"\ncustom_tiers = [",
        "scope = \"SERVICE\"\ntype = \"TIERING\"\nservice = \"AmazonS3\"\ncustom_tiers = «[",
        "pricing_rules `tiers`: `custom_tiers`: custom tiers need scope SKU",
    ),
    (
        "[[pricing_plans]]",
        "[[pricing_rules]]\nname = «\"up\"\nscope = \"GLOBAL\"\ntype = \"MARKUP\"\nmodifier_percentage = 1\n\n[[pricing_plans]]",
        "pricing_rules `up`: `name`: `up` is already the name of entry 1 of `pricing_rules`; rename one",
    ),
    (
        "[[pricing_plans]]",
        "[[pricing_rules]]\nname = «\" \"\nscope = \"GLOBAL\"\ntype = \"MARKUP\"\nmodifier_percentage = 1\n\n[[pricing_plans]]",
        "pricing_rules ` `: `name`: a name is not empty and has no control characters",
    ),
];

#[test]
fn of_rules() {
    check(OF_RULES);
}

#[test]
fn of_custom_tiers() {
    let list = "custom_tiers = [\n  { begin_range_inclusive = 0, end_range_exclusive = 100, rate_value = 0.02 },\n  { begin_range_inclusive = 100, rate_value = 0.01 },\n]";
    let check = |tiers: &str, message: &str| {
        let tiers = format!("custom_tiers = «[{tiers}]");
        check_one(list, &tiers, &format!("pricing_rules `tiers`: `custom_tiers`: {message}"));
    };
    let tier = |begin: &str, end: &str, rate: &str| {
        let end = if end.is_empty() { String::new() } else { format!("end_range_exclusive = {end}, ") };
        format!("{{ begin_range_inclusive = {begin}, {end}rate_value = {rate} }}, ")
    };
    check("", "a rule has 1 to 10 custom tiers, this one has 0");
    check(&tier("0", "1", "1").repeat(11), "a rule has 1 to 10 custom tiers, this one has 11");
    check(&tier("1", "", "1"), "the first tier begins at 0, this one at 1");
    check(
        &(tier("0", "5", "1") + &tier("6", "", "1")),
        "tier 2 begins at 6, but the tier before it ends at 5; tiers must touch",
    );
    check(
        &(tier("0", "5", "1") + &tier("5", "5", "1") + &tier("5", "", "1")),
        "tier 2 ends where it begins or before",
    );
    check(&(tier("0", "", "1") + &tier("0", "", "1")), "tier 1 has no end, but only the last tier is open");
    check(&tier("0", "5", "1"), "the last tier must have no end, so that all usage has a price");
    check(&(tier("0", "5", "1") + &tier("5", "", "-1")), "tier 2 has a negative rate");
    let message =
        "pricing_rules `tiers`: custom_tiers[2]: `rate_value`: `a cent` is not a decimal number like 12.5";
    check_one("rate_value = 0.01", "rate_value = «\"a cent\"", message);
}

const OF_PLANS_AND_GROUPS: &[Case] = &[
    (
        "[[pricing_plans]]",
        "[[pricing_plans]]\nname = «\"Passthrough\"\npricing_rules = []\n\n[[pricing_plans]]",
        "pricing_plans `Passthrough`: `name`: `Passthrough` is the name of a plan that AWS manages; choose another",
    ),
    (
        "[\"up\", \"tiers\"]",
        "[\"up\", «\"teirs\"]",
        "pricing_plans `gold`: `pricing_rules`: there is no pricing rule `teirs`; did you mean `tiers`?",
    ),
    (
        "[\"up\", \"tiers\"]",
        "[\"up\", «\"everything\"]",
        "pricing_plans `gold`: `pricing_rules`: there is no pricing rule `everything`",
    ),
    (
        "[\"up\", \"tiers\"]",
        "[\"up\", «\"up\"]",
        "pricing_plans `gold`: `pricing_rules`: rule `up` is listed twice",
    ),
    (
        "[\"up\", \"tiers\"]",
        "«[\"up\", \"up-too\"]\n[[pricing_rules]]\nname = \"up-too\"\nscope = \"GLOBAL\"\ntype = \"MARKUP\"\nmodifier_percentage = 0",
        "pricing_plans `gold`: `pricing_rules`: rules `up` and `up-too` both price GLOBAL everything; a plan has one rule per selector",
    ),
    (
        "accounts = [\"333333333333\"]",
        "accounts = [\"333333333333\", «\"222222222222\"]",
        "billing_groups `beta`: `accounts`: billing group `acme` already owns account `222222222222`; remove it there first",
    ),
    (
        "accounts = [\"111111111111\", \"222222222222\"]",
        "accounts = [\"111111111111\", «\"111111111111\"]",
        "billing_groups `acme`: `accounts`: account `111111111111` is listed twice",
    ),
    (
        "accounts = [\"111111111111\", \"222222222222\"]",
        "accounts = [\"111111111111\", «\"two\"]",
        "billing_groups `acme`: `accounts`: `two` is not an account id; write its digits as text",
    ),
    (
        "primary_account_id = \"333333333333\"",
        "primary_account_id = «\"444444444444\"",
        "billing_groups `beta`: `primary_account_id`: the primary account `444444444444` must be among `accounts`",
    ),
    (
        "primary_account_id = \"333333333333\"\naccounts = [\"333333333333\"]",
        "primary_account_id = «\"999999999999\"\naccounts = [\"999999999999\"]",
        "billing_groups `beta`: `primary_account_id`: the payer account may be a member, but not the primary account",
    ),
    (
        "pricing_plan = \"gold\"",
        "pricing_plan = «\"golden\"",
        "billing_groups `acme`: `pricing_plan`: there is no pricing plan `golden`; did you mean `gold`?",
    ),
    (
        "pricing_plan = \"BasicPricingPlan\"\nauto_associate = true",
        "pricing_plan = \"BasicPricingPlan\"\nauto_associate = true\n\n[[billing_groups]]\nname = \"gamma\"\nprimary_account_id = \"555555555555\"\naccounts = [\"555555555555\"]\npricing_plan = \"gold\"\nauto_associate = «true",
        "billing_groups `gamma`: `auto_associate`: billing group `beta` already has auto_associate; only one group may",
    ),
    (
        "name = \"beta\"",
        "name = «\"acme\"",
        "billing_groups `acme`: `name`: `acme` is already the name of entry 1 of `billing_groups`; rename one",
    ),
    (
        "name = \"beta\"",
        "name = «\"be\\nta\"",
        "billing_groups[2]: `name`: a name is not empty and has no control characters",
    ),
];

#[test]
fn of_plans_and_groups() {
    check(OF_PLANS_AND_GROUPS);
}

const OF_CUSTOM_LINE_ITEMS: &[Case] = &[
    (
        "type = \"FEE\"",
        "type = «\"CHARGE\"",
        "custom_line_items `flat`: `type`: `CHARGE` is not a type; use FEE or CREDIT",
    ),
    (
        "start = \"2026-01\"",
        "start = «\"2026-1\"",
        "custom_line_items `share`: `start`: `2026-1` is not a billing period; write it as YYYY-MM, for example 2026-10",
    ),
    (
        "end = \"2027-01\"",
        "end = «\"2026-01\"",
        "custom_line_items `share`: `end`: the item ends at `2026-01`, at or before its start `2026-01`; the end is exclusive",
    ),
    (
        "name = \"share\"",
        "name = «\"share\"\nflat_charge_value = 1",
        "custom_line_items `share`: `name`: an item has either `flat_charge_value` or `percentage_value`",
    ),
    (
        "name = \"share\"",
        "name = «\"flat\"",
        "custom_line_items `flat`: `name`: `flat` is already the name of entry 1 of `custom_line_items`; rename one",
    ),
    (
        "[sharing]",
        "[[custom_line_items]]\nname = \"more\"\ndescription = \"more\"\nbilling_group = «\"acne\"\ntype = \"FEE\"\nflat_charge_value = 1\nstart = \"2026-10\"\n\n[sharing]",
        "custom_line_items `more`: `billing_group`: there is no billing group `acne`; did you mean `acme`?",
    ),
    (
        "type = \"FEE\"",
        "type = \"FEE\"\naccount_id = «\"333333333333\"",
        "custom_line_items `flat`: `account_id`: account `333333333333` is not a member of billing group `acme`",
    ),
    (
        "type = \"FEE\"",
        "type = \"FEE\"\nassociated_values = «[]",
        "custom_line_items `flat`: `associated_values`: `associated_values` is for percentage items; remove it",
    ),
    (
        "type = \"FEE\"",
        "type = \"FEE\"\ncomputation_rule = «\"ITEMIZED\"",
        "custom_line_items `flat`: `computation_rule`: `computation_rule` is for percentage items; remove it",
    ),
    (
        "type = \"FEE\"",
        "type = \"FEE\"\ncomputation_rule = «\"EACH\"",
        "custom_line_items `flat`: `computation_rule`: `EACH` is not a computation rule; use CONSOLIDATED or ITEMIZED",
    ),
    (
        "flat_charge_value = 10",
        "flat_charge_value = «-10",
        "custom_line_items `flat`: `flat_charge_value`: `-10` is negative; the type says the sign: FEE adds, CREDIT takes away",
    ),
    (
        "percentage_value = 5",
        "percentage_value = «-5",
        "custom_line_items `share`: `percentage_value`: `-5` is negative; the type says the sign: FEE adds, CREDIT takes away",
    ),
    (
        "[\"billing_group\", \"flat\"]",
        "[\"billing_group\"]\ncomputation_rule = \"ITEMIZED\"\npresentation_service = «\"AmazonEC2\"",
        "custom_line_items `share`: `presentation_service`: an ITEMIZED charge stands beside its line; it has no presentation service of its own",
    ),
    (
        "[\"billing_group\", \"flat\"]",
        "«[\"billing_group\", \"flat\"]\ncomputation_rule = \"ITEMIZED\"",
        "custom_line_items `share`: `associated_values`: an ITEMIZED charge is made beside each line; flat items cannot be among its values",
    ),
    (
        "[\"billing_group\", \"flat\"]",
        "[\"billing_group\", «\"float\"]",
        "custom_line_items `share`: `associated_values`: there is no custom line item `float`; did you mean `flat`?",
    ),
    (
        "[\"billing_group\", \"flat\"]",
        "[«\"share\"]",
        "custom_line_items `share`: `associated_values`: `share` is a percentage item; only flat items can be associated",
    ),
    (
        "[\"billing_group\", \"flat\"]",
        "[\"flat\", «\"flat\"]",
        "custom_line_items `share`: `associated_values`: `flat` is listed twice",
    ),
    (
        "[\"billing_group\", \"flat\"]",
        "[\"billing_group\", «\"billing_group\"]",
        "custom_line_items `share`: `associated_values`: `billing_group` is listed twice",
    ),
    (
        "billing_group = \"acme\"\ntype = \"CREDIT\"\npercentage_value = 5\nassociated_values = [\"billing_group\", \"flat\"]",
        "billing_group = \"beta\"\ntype = \"CREDIT\"\npercentage_value = 5\nassociated_values = [\"billing_group\", «\"flat\"]",
        "custom_line_items `share`: `associated_values`: `flat` belongs to billing group `acme`, not to this item's",
    ),
    (
        "percentage_value = 5",
        "percentage_value = 5\nline_item_filters = «[{ attribute = \"SERVICE\", match_option = \"LIKE\", attribute_values = [\"AmazonS3\"] }]",
        "custom_line_items `share`: `line_item_filters`: a filter is LINE_ITEM_TYPE NOT_EQUAL with values [\"SAVINGS_PLAN_NEGATION\"], or SERVICE EQUAL or NOT_EQUAL with one service code in attribute_values",
    ),
    (
        "percentage_value = 5",
        "percentage_value = 5\nline_item_filters = «[{ attribute = \"SERVICE\", match_option = \"EQUAL\", attribute_values = [\"A\"] }, { attribute = \"SERVICE\", match_option = \"EQUAL\", attribute_values = [\"B\"] }]",
        "custom_line_items `share`: `line_item_filters`: an item has at most one line item filter",
    ),
    (
        "percentage_value = 5",
        "percentage_value = 5\nline_item_filters = [{ attribute = \"SERVICE\", «option = \"EQUAL\", match_option = \"EQUAL\", attribute_values = [\"B\"] }]",
        "custom_line_items `share`: line_item_filters[1]: `option`: is not a field here; expected one of attribute, match_option, values, attribute_values",
    ),
    (
        "[[custom_line_items]]\nname = \"share\"\ndescription = \"share\"\n",
        "«[[custom_line_items]]\nname = \"share\"\n",
        "custom_line_items `share`: `description`: is missing",
    ),
];

#[test]
fn of_custom_line_items() {
    check(OF_CUSTOM_LINE_ITEMS);
}

/// A misspelt field is unknown, and the one that was meant is missing.
#[test]
fn a_misspelt_field_is_told_with_what_it_leaves_missing() {
    assert_eq!(
        refused(&BOOK.replace("rate_value = 0.01", "price = 0.01")),
        "error: book.toml:22:3: pricing_rules `tiers`: custom_tiers[2]: `rate_value`: is missing\n\
         error: book.toml:22:34: pricing_rules `tiers`: custom_tiers[2]: `price`: is not a field here; expected one of \
         begin_range_inclusive, end_range_exclusive, rate_value\n\
         nothing was written\n"
    );
    assert_eq!(
        refused(&BOOK.replace("name = \"share\"", "nmae = \"share\"")),
        "error: book.toml:50:1: custom_line_items[2]: `name`: is missing\n\
         error: book.toml:51:1: custom_line_items[2]: `nmae`: is not a field here; expected one of name, description, \
         billing_group, type, flat_charge_value, currency, percentage_value, associated_values, computation_rule, \
         presentation_service, line_item_filters, account_id, start, end, corrects\n\
         nothing was written\n"
    );
}

/// What is not even the form: one message, at the place where reading stops.
#[test]
fn of_the_form() {
    let twice = "{\"payer_account_id\": \"1\",\n \"payer_account_id\": \"2\"}";
    for (book, message) in [
        ("payer_account_id = \"999999999999\"\ncurrency = \n", "book.toml:2:12: not valid TOML: "),
        ("currency = \"USD\"\ncurrency = \"USD\"\n", "book.toml:2:1: not valid TOML: "),
        ("{\"payer_account_id\": \"1\",}", "book.json:1:25: not valid JSON: "),
        (twice, "book.json:2:2: not valid JSON: `payer_account_id` stands twice in one object\n"),
    ] {
        let found = refused(book);
        assert!(found.starts_with(&format!("error: {message}")), "{found}");
        assert_eq!(found.lines().count(), 2, "{found}");
    }
}
