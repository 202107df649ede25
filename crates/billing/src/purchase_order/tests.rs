//! Every limit and refusal of an order, with its message.

use super::*;

const NOW: i64 = 1_743_465_600;

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn line(number: &str) -> DraftLine {
    DraftLine {
        number: number.to_owned(),
        line_type: "ALL".to_owned(),
        start_month: "2025-01".to_owned(),
        end_month: "2025-12".to_owned(),
        balance_tracking: true,
        amount: text("1000.00"),
        ..DraftLine::default()
    }
}

fn draft() -> Draft {
    Draft {
        id: "PO 1".to_owned(),
        bill_from: vec!["AWS_INC".to_owned()],
        ship_to: Some(Address { company: text("Buyer"), country: text("LU"), ..Address::default() }),
        currency: "USD".to_owned(),
        effective_month: "2025-01".to_owned(),
        expiration_month: "2025-12".to_owned(),
        lines: vec![line("1")],
        ..Draft::default()
    }
}

fn try_it(draft: &Draft, act: Act<'_>, orders: &[PurchaseOrder]) -> Result<Checked, Vec<Problem>> {
    let reserved = BTreeSet::from([PurchaseOrderId::parse("GONE").unwrap()]);
    let settings = Settings::default();
    let around = Surroundings { orders, reserved: &reserved, settings: &settings, now: NOW };
    check(draft, &Buyer::Payer, act, around)
}

fn made() -> PurchaseOrder {
    try_it(&draft(), Act::Create, &[]).unwrap().order
}

/// Refused by a create for one reason, with this field and message.
fn refused(change: impl Fn(&mut Draft), kind: ProblemKind, field: &str, message: &str) {
    let mut changed = draft();
    change(&mut changed);
    let problems = try_it(&changed, Act::Create, &[]).unwrap_err();
    let told: Vec<_> = problems.iter().map(|it| (it.kind, it.field.as_str(), it.to_string())).collect();
    assert_eq!(told, [(kind, field, message.to_owned())]);
}

const IMPORT: Act<'_> = Act::Import { created_at: 5, updated_at: 7, over: None };

/// Refused by a create for one reason, and taken by an import with that as a warning.
fn illegal(change: impl Fn(&mut Draft), kind: ProblemKind, field: &str, message: &str) {
    refused(&change, kind, field, message);
    let mut changed = draft();
    change(&mut changed);
    let taken = try_it(&changed, IMPORT, &[]).unwrap();
    assert!(taken.warnings.iter().any(|it| it.kind == kind && it.to_string() == message), "{taken:?}");
    assert_eq!((taken.order.created_at, taken.order.updated_at), (5, 7));
}

#[test]
fn a_whole_order_is_kept_as_it_was_said() {
    let order = made();
    assert_eq!((order.created_at, order.updated_at), (NOW, NOW));
    let again = read(&Draft::of(&order), &Buyer::Payer, NOW, NOW).unwrap();
    assert_eq!(again, order);
    assert_eq!(order.value().unwrap().to_string(), "1000");
}

#[test]
fn a1_ids_have_an_alphabet_and_a_length() {
    use ProblemKind as P;
    let field = "purchaseOrderId";
    let long = "x".repeat(101);
    refused(
        |it| it.id = "  ".into(),
        P::IdLength,
        field,
        "a purchase order's id has 1 to 100 characters, and this one has 0; shorten it, or give one",
    );
    illegal(
        |it| it.id.clone_from(&long),
        P::IdLength,
        field,
        "a purchase order's id has 1 to 100 characters, and this one has 101; \
         shorten it: only numbers of AWS Marketplace purchases may have 200",
    );
    refused(
        |it| it.id = "PO#1".into(),
        P::IdCharacter,
        field,
        "a purchase order's id cannot have `#`; leave it out, or allow it by the setting `allowNumberSign`",
    );
    refused(
        |it| it.id = "PO;1".into(),
        P::IdCharacter,
        field,
        "a purchase order's id cannot have `;`; use letters, digits, blanks and `_ . : / = + - % @`",
    );
    let trimmed = try_it(&Draft { id: " Az0 _.:/=+-%@ ".into(), ..draft() }, Act::Create, &[]).unwrap();
    assert_eq!(trimmed.order.id.as_str(), "Az0 _.:/=+-%@");
    let of_marketplace = Draft { id: "x".repeat(200), ..draft() };
    assert!(try_it(&of_marketplace, Act::Marketplace, &[]).is_ok());
    let too_long = Draft { id: "x".repeat(201), ..draft() };
    assert_eq!(try_it(&too_long, Act::Marketplace, &[]).unwrap_err()[0].kind, P::IdLength);
    let settings = Settings { allow_number_sign: true, ..Settings::default() };
    let around = Surroundings { orders: &[], reserved: &BTreeSet::new(), settings: &settings, now: NOW };
    assert!(check(&Draft { id: "PO#1".into(), ..draft() }, &Buyer::Payer, Act::Create, around).is_ok());
}

#[test]
fn ids_are_unique_also_among_deleted_orders_and_never_change() {
    let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let taken = try_it(&draft(), Act::Create, &[made()]).unwrap_err();
    assert_eq!(
        told(taken),
        ["there is already a purchase order `PO 1`; choose another id, or change that order"]
    );
    let gone = try_it(&Draft { id: "GONE".into(), ..draft() }, Act::Create, &[]).unwrap_err();
    let expected =
        "a deleted purchase order had the id `GONE`; choose another id: invoices may still show that one";
    assert_eq!(told(gone), [expected]);
    let (before, used) = (made(), BTreeMap::new());
    let act = Act::Update { before: &before, used: &used };
    let changed =
        try_it(&Draft { id: "PO 2".into(), ..draft() }, act, std::slice::from_ref(&before)).unwrap_err();
    let expected = "purchase order `PO 1` cannot become `PO 2`; an id never changes; \
                    create an order with the new id and suspend this one";
    assert_eq!(told(changed), [expected]);
    let group = BillingGroupId::parse("abcdefghij").unwrap();
    let of_group = PurchaseOrder { buyer: Buyer::BillingGroup(group), ..made() };
    assert!(try_it(&draft(), Act::Create, &[of_group]).is_ok());
}

#[test]
fn fields_say_what_is_wrong_with_them() {
    use ProblemKind as P;
    refused(
        |it| it.description = text(&"x".repeat(1_001)),
        P::Text,
        "description",
        "`description` has 1001 characters; at most 1000 are allowed; shorten it",
    );
    refused(
        |it| it.bill_from.clear(),
        P::BillFromMissing,
        "billFrom",
        "a purchase order names no seller; give the seller of record that invoices you, as `AWS_INC`, or `*` for every one",
    );
    refused(
        |it| it.bill_from.push(" x".into()),
        P::BillFrom,
        "billFrom[1]",
        "` x` is not a seller's code; a code has 1 to 100 characters without blanks at its ends",
    );
    illegal(
        |it| it.tax_registration_numbers.push("LU1".into()),
        P::TaxRegistrationNumbersSeller,
        "taxRegistrationNumbers",
        "tax registration number `LU1` on an order that `AWS_EUROPE` does not bill; \
         add `AWS_EUROPE` to `billFrom`, or leave the tax registration numbers out",
    );
    illegal(
        |it| it.ship_to = None,
        P::ShipToMissing,
        "shipTo",
        "a purchase order has no address to ship to; give `shipTo`; it may be the same as `billTo`",
    );
    refused(
        |it| it.currency = "usd".into(),
        P::Currency,
        "currency",
        "`usd` is not a currency; give the three letters of ISO 4217, as `USD`",
    );
    refused(
        |it| it.expiration_month = "2025-13".into(),
        P::Month,
        "expirationMonth",
        "`2025-13` is not a billing period; write it as YYYY-MM, for example 2026-10",
    );
    refused(
        |it| it.tags = vec![("aws:x".into(), "y".into())],
        P::Tag,
        "tags[aws:x]",
        "tag `aws:x` begins with `aws:`; AWS keeps such keys for itself; choose another",
    );
    refused(
        |it| it.tags = vec![("a".into(), "1".into()), ("a".into(), "2".into())],
        P::TagTwice,
        "tags[a]",
        "tag `a` is there twice; leave one of them out",
    );
    refused(
        |it| it.contacts = vec![Contact { email: "a@b".into(), ..Contact::default() }],
        P::ContactEmail,
        "contacts[0].email",
        "`a@b` is not an e-mail address; give one address, as `buyer@example.com`",
    );
}

#[test]
fn receivers_and_addresses_say_what_is_wrong_with_them() {
    use ProblemKind as P;
    let europe = |it: &mut Draft| it.bill_from = vec!["AWS_EUROPE".into()];
    for number in [" LU1".to_owned(), String::new(), "1".repeat(51), "L\u{7}U".to_owned()] {
        let message = format!(
            "`{}` is not a tax registration number; a number has 1 to 50 characters without blanks at its ends",
            number.escape_debug()
        );
        let change = |it: &mut Draft| {
            europe(it);
            it.tax_registration_numbers = vec!["LU1".into(), number.clone()];
        };
        refused(change, P::TaxRegistrationNumber, "taxRegistrationNumbers[1]", &message);
    }
    for unit in ["unit ".to_owned(), String::new(), "u".repeat(257)] {
        let message = format!("`{unit}` is not an invoice unit; give the unit's ARN");
        let change = |it: &mut Draft| it.invoice_units = vec![unit.clone()];
        refused(change, P::InvoiceUnit, "invoiceUnits[0]", &message);
    }
    for country in ["lu", "LUX", "L1"] {
        let message = format!("`{country}` is not a country; give the two letters of ISO 3166-1, as `LU`");
        let address = Address { country: text(country), ..Address::default() };
        refused(|it| it.ship_to = Some(address.clone()), P::Address, "shipTo.countryCode", &message);
        refused(|it| it.bill_to = Some(address.clone()), P::Address, "billTo.countryCode", &message);
    }
    let lines = (0..4).map(|line| line.to_string()).collect();
    let address = Address { lines, ..Address::default() };
    refused(
        |it| it.ship_to = Some(address.clone()),
        P::Address,
        "shipTo",
        "`shipTo` has 4 address lines; at most 3 are allowed",
    );
}

#[test]
fn taxes_and_types_say_what_is_wrong_with_them() {
    use ProblemKind as P;
    for (currency, tax, decimals, digits) in [
        ("USD", "0.333", 3, 2),
        ("JPY", "0.5", 1, 0),
        ("KWD", "0.3333", 4, 3),
        ("USD", "0.12345678901", 11, 2),
    ] {
        let message = format!(
            "amount `{tax}` has {decimals} decimals and `{currency}` has {digits}; \
             round it yourself: amounts are never rounded here"
        );
        let change = |it: &mut Draft| {
            it.currency = currency.into();
            it.lines[0].tax = Some(DraftTax::Amount(tax.into()));
        };
        refused(change, P::AmountDecimals, "lineItems[0].tax", &message);
    }
    refused(
        |it| it.lines[0].line_type = "EVERYTHING".into(),
        P::LineType,
        "lineItems[0].type",
        "`EVERYTHING` is not a type of line; choose one of ALL, AWS_MONTHLY_USAGE, AWS_SUBSCRIPTION_PURCHASE, \
         AWS_MARKETPLACE_TRANSACTION, AWS_MARKETPLACE_BLANKET_USAGE, AWS_PROFESSIONAL_SERVICES_AND_TRAINING_PURCHASE",
    );
}

#[test]
fn months_may_be_equal_and_not_reversed() {
    let reversed = Draft { effective_month: "2026-01".into(), ..draft() };
    let told: Vec<_> =
        try_it(&reversed, Act::Create, &[]).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the last month `2025-12` lies before the first month `2026-01`; swap them; both may be the same month",
            "line `1` begins in `2025-01`, before its order in `2026-01`; begin it with the order, or make the order effective earlier",
        ]
    );
    let mut monthly = Draft { effective_month: "2025-12".into(), ..draft() };
    monthly.lines[0].start_month = "2025-12".into();
    assert!(try_it(&monthly, Act::Create, &[]).is_ok());
}

#[test]
fn a2_counts_have_limits() {
    use ProblemKind as P;
    let contact = |at: usize| Contact { email: format!("c{at}@example.com"), ..Contact::default() };
    refused(
        |it| it.contacts = (0..21).map(contact).collect(),
        P::ContactsTooMany,
        "contacts",
        "a purchase order has 21 contacts; at most 20 are allowed",
    );
    refused(
        |it| it.tags = (0..51).map(|at| (format!("k{at}"), String::new())).collect(),
        P::TagsTooMany,
        "tags",
        "a purchase order has 51 tags; at most 50 are allowed",
    );
    refused(
        |it| it.lines = (1..=101).map(|at| line(&at.to_string())).collect(),
        P::LinesTooMany,
        "lineItems",
        "a purchase order has 101 lines; at most 100 are allowed; put the others into a second order",
    );
    let most = Draft {
        contacts: (0..20).map(contact).collect(),
        tags: (0..50).map(|at| (format!("k{at}"), String::new())).collect(),
        lines: (1..=100).map(|at| line(&at.to_string())).collect(),
        ..draft()
    };
    assert!(try_it(&most, Act::Create, &[]).is_ok());
    illegal(
        |it| it.lines.clear(),
        P::LinesMissing,
        "lineItems",
        "a purchase order has no line; give at least one: without a line nothing can be matched",
    );
}

#[test]
fn lines_say_what_is_wrong_with_them() {
    use ProblemKind as P;
    refused(
        |it| it.lines[0].number = " ".into(),
        P::LineNumber,
        "lineItems[0].number",
        "` ` is not a line number; a number has 1 to 50 characters, as `1` or `1.2`",
    );
    refused(
        |it| it.lines.push(line("1")),
        P::LineNumberTwice,
        "lineItems[1].number",
        "line number `1` is there twice; give each line its own number",
    );
    illegal(
        |it| it.lines[0].end_month = "2026-01".into(),
        P::LineAfterOrder,
        "lineItems[0].endMonth",
        "line `1` ends in `2026-01`, after its order in `2025-12`; end it with the order, or let the order expire later",
    );
    illegal(
        |it| it.lines[0].start_month = "2024-12".into(),
        P::LineBeforeOrder,
        "lineItems[0].startMonth",
        "line `1` begins in `2024-12`, before its order in `2025-01`; begin it with the order, or make the order effective earlier",
    );
    illegal(
        |it| it.lines[0].amount = None,
        P::AmountMissing,
        "lineItems[0].amount",
        "line `1` tracks its balance and has no amount; give the amount, or do not track the balance",
    );
}

#[test]
fn a_type_must_exist_for_a_seller_of_the_order() {
    let message = "lines of type `AWS_PROFESSIONAL_SERVICES_AND_TRAINING_PURCHASE` do not exist for seller `AWS_EUROPE`; \
                   choose type `ALL`, or bill from one of AWS_INC";
    let change = |it: &mut Draft| {
        it.bill_from = vec!["AWS_EUROPE".into()];
        it.lines[0].line_type = "AWS_PROFESSIONAL_SERVICES_AND_TRAINING_PURCHASE".into();
    };
    illegal(change, ProblemKind::LineTypeSeller, "lineItems[0].type", message);
    let mut both = draft();
    change(&mut both);
    both.bill_from.push("AWS_INC".into());
    assert!(try_it(&both, Act::Create, &[]).is_ok());
    both.bill_from = vec!["*".into()];
    assert!(try_it(&both, Act::Create, &[]).is_ok());
}

#[test]
fn the_former_marketplace_type_is_read_by_an_import_only() {
    let mut former = draft();
    former.lines[0].line_type = "AWS Marketplace Purchase".into();
    let refused = try_it(&former, Act::Create, &[]).unwrap_err();
    assert_eq!(refused[0].kind, ProblemKind::LineType);
    assert_eq!(refused[0].message, "`AWS Marketplace Purchase` is not a type of line");
    let taken = try_it(&former, IMPORT, &[]).unwrap();
    assert_eq!(taken.order.lines[0].line_type, LineType::MarketplaceBlanketUsage);
}

#[test]
fn amounts_are_exact_and_never_rounded() {
    use ProblemKind as P;
    let field = "lineItems[0].amount";
    for (amount, kind, message) in [
        (
            "1.005",
            P::AmountDecimals,
            "amount `1.005` has 3 decimals and `USD` has 2; round it yourself: amounts are never rounded here",
        ),
        ("-1", P::Amount, "`-1` is not an amount; give a decimal number of 0 or more, as `1000.00`"),
        ("1e3", P::Amount, "`1e3` is not an amount; give a decimal number of 0 or more, as `1000.00`"),
        (
            "999999999999999",
            P::ValueTooLarge,
            "line `1`: the value is too large; lower the amount or the quantity, or split the line",
        ),
    ] {
        let change = |it: &mut Draft| {
            it.lines[0].amount = text(amount);
            it.lines[0].quantity = text("2");
        };
        refused(change, kind, field, message);
    }
    refused(
        |it| it.lines[0].quantity = text("0"),
        P::Quantity,
        "lineItems[0].quantity",
        "`0` is not a quantity; give a decimal number above 0 with at most 10 decimals, as `12`",
    );
    refused(
        |it| it.lines[0].tax = Some(DraftTax::Percent("100.01".into())),
        P::Tax,
        "lineItems[0].tax",
        "`100.01` is not a tax percentage; give 0 to 100 with at most 4 decimals, as `19`",
    );
    let yen = Draft { currency: "JPY".into(), ..draft() };
    assert!(try_it(&yen, Act::Create, &[]).is_ok(), "zeros are no decimals");
    let mut cents = yen;
    cents.lines[0].amount = text("1.5");
    assert_eq!(try_it(&cents, Act::Create, &[]).unwrap_err()[0].kind, P::AmountDecimals);
}

#[test]
fn a3_and_a4_a_lines_value_is_amount_times_quantity_and_tax_rounded_once() {
    let mut taxed = draft();
    taxed.lines[0].amount = text("0.35");
    taxed.lines[0].quantity = text("3");
    taxed.lines[0].tax = Some(DraftTax::Percent("19".into()));
    let value = try_it(&taxed, Act::Create, &[]).unwrap().order.lines[0].price.value();
    assert_eq!((value.net.to_string(), value.tax.to_string()), ("1.05".into(), "0.2".into()));
    assert_eq!((value.total.to_string(), value.tax_residue.to_string()), ("1.25".into(), "-0.0005".into()));
    taxed.lines[0].tax = Some(DraftTax::Amount("0.33".into()));
    let value = try_it(&taxed, Act::Create, &[]).unwrap().order.lines[0].price.value();
    assert_eq!((value.total.to_string(), value.tax_residue.is_zero()), ("1.38".into(), true));
}

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_fields() {
    let mut wrong = Draft { id: "#".into(), currency: "?".into(), effective_month: "x".into(), ..draft() };
    wrong.bill_from.clear();
    wrong.lines.push(DraftLine { end_month: "y".into(), ..line("1") });
    let fields: Vec<_> =
        try_it(&wrong, Act::Create, &[]).unwrap_err().into_iter().map(|it| it.field).collect();
    let expected = [
        "purchaseOrderId",
        "billFrom",
        "currency",
        "effectiveMonth",
        "lineItems[1].number",
        "lineItems[1].endMonth",
    ];
    assert_eq!(fields, expected);
}

fn hundred() -> Vec<PurchaseOrder> {
    let named = |at: usize| PurchaseOrderId::parse(&format!("other {at}")).unwrap();
    (0..100).map(|at| PurchaseOrder { id: named(at), ..made() }).collect()
}

#[test]
fn a22_at_most_100_orders_are_active_on_create_reactivation_and_extension() {
    let message = "purchase order `PO 1` would be active order 101 of its buyer; \
                   at most 100 may be active; suspend or delete one first";
    let mut orders = hundred();
    // An order that begins later is active.
    orders[0].effective = BillingPeriod::new(2025, 12).unwrap();
    let told = |problems: &[Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(&try_it(&draft(), Act::Create, &orders).unwrap_err()), [message]);
    assert!(try_it(&Draft { suspended: true, ..draft() }, Act::Create, &orders).is_ok());
    assert!(try_it(&draft(), Act::Create, &orders[1..]).is_ok());
    let (reserved, settings) = (BTreeSet::new(), Settings::default());
    let suspended = PurchaseOrder { suspended: true, ..made() };
    orders.push(suspended.clone());
    let around = Surroundings { orders: &orders, reserved: &reserved, settings: &settings, now: NOW };
    assert_eq!(told(&with_suspension(&suspended, false, around).unwrap_err()), [message]);
    let mut old = made();
    old.expiration = BillingPeriod::new(2025, 1).unwrap();
    *orders.last_mut().unwrap() = old.clone();
    let used = BTreeMap::new();
    let extended = try_it(&draft(), Act::Update { before: &old, used: &used }, &orders).unwrap_err();
    assert_eq!(told(&extended), [message]);
    // A change of an order that is active already needs no room.
    let active = PurchaseOrder { description: text("x"), ..made() };
    *orders.last_mut().unwrap() = active.clone();
    assert!(try_it(&draft(), Act::Update { before: &active, used: &used }, &orders).is_ok());
}

#[test]
fn a24_the_currency_is_frozen_when_an_order_is_created() {
    let (before, used) = (made(), BTreeMap::new());
    let act = Act::Update { before: &before, used: &used };
    let problems = try_it(&Draft { currency: "EUR".into(), ..draft() }, act, std::slice::from_ref(&before));
    let expected = "the order's currency is `USD` and cannot become `EUR`; \
                    it is frozen when the order is created; create an order in the new currency";
    assert_eq!(problems.unwrap_err()[0].to_string(), expected);
}

#[test]
fn a21_changes_of_used_lines_are_allowed_and_told() {
    let two = Draft { lines: vec![line("1"), line("2"), line("3")], ..draft() };
    let before = try_it(&two, Act::Create, &[]).unwrap().order;
    let used = before.lines.iter().map(|line| (line.number.clone(), Amount::parse("600").unwrap())).collect();
    let mut after = Draft { lines: vec![line("1"), line("2")], ..draft() };
    after.lines[0].amount = text("500");
    after.lines[1].line_type = "AWS_MONTHLY_USAGE".into();
    let act = Act::Update { before: &before, used: &used };
    let taken = try_it(&after, act, std::slice::from_ref(&before)).unwrap();
    let told: Vec<_> = taken.warnings.iter().map(|it| (it.kind, it.field.as_str(), it.to_string())).collect();
    let expected = [
        (
            ProblemKind::ValueBelowUsed,
            "lineItems[0].amount",
            "line `1` becomes worth `500` and invoices have used `600` of it; \
             its balance is below 0 until the amount is raised",
        ),
        (
            ProblemKind::UsedLineType,
            "lineItems[1].type",
            "line `2` has invoices as `ALL` and becomes `AWS_MONTHLY_USAGE`; they stay with it; nothing is matched again",
        ),
        (
            ProblemKind::UsedLineRemoved,
            "lineItems",
            "line `3` goes away and has invoices; they stay with it and show its number; nothing is matched again",
        ),
    ];
    assert_eq!(told, expected.map(|(kind, field, message)| (kind, field, message.to_owned())));
}

#[test]
fn an_expiration_beyond_every_line_is_told() {
    let longer = Draft { expiration_month: "2026-06".into(), ..draft() };
    let taken = try_it(&longer, Act::Create, &[]).unwrap();
    assert_eq!(taken.warnings[0].kind, ProblemKind::NoLineToTheEnd);
    assert_eq!(taken.warnings[0].message, "no line of purchase order `PO 1` goes beyond `2025-12`");
}

#[test]
fn d11_and_a18_tags_do_not_count_as_an_update_and_everything_else_does() {
    let before = PurchaseOrder { updated_at: 3, ..made() };
    let used = BTreeMap::new();
    let updated = |draft: &Draft| {
        let act = Act::Update { before: &before, used: &used };
        try_it(draft, act, std::slice::from_ref(&before)).unwrap().order.updated_at
    };
    assert_eq!(updated(&draft()), 3);
    assert_eq!(updated(&Draft { tags: vec![("a".into(), "b".into())], ..draft() }), 3);
    let contact = Contact { email: "a@example.com".into(), ..Contact::default() };
    assert_eq!(updated(&Draft { contacts: vec![contact], ..draft() }), NOW);
    assert_eq!(updated(&Draft { suspended: true, ..draft() }), NOW);
    assert_eq!(updated(&Draft { invoice_units: vec!["iu-1".into()], ..draft() }), NOW);
    assert_eq!(updated(&Draft { lines: vec![line("2")], ..draft() }), NOW);
}

#[test]
fn statuses_are_by_the_wall_clock() {
    let order = made();
    let end = order.expiration.end_seconds();
    let suspended = PurchaseOrder { suspended: true, ..made() };
    assert_eq!((order.status(end - 1), order.status(end)), (Status::Active, Status::Expired));
    assert_eq!(
        (suspended.status(end - 1), suspended.status(end)),
        (Status::Suspended, Status::SuspendedExpired)
    );
    assert_eq!((order.status(0), order.starts_later(0)), (Status::Active, Some(order.effective)));
    assert_eq!(order.starts_later(end), None);
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
}

#[test]
fn a25_an_order_may_bill_from_every_seller() {
    let order = try_it(&Draft { bill_from: vec!["*".into()], ..draft() }, Act::Create, &[]).unwrap().order;
    assert!(order.bills_from(&Seller::parse("Somebody else").unwrap()));
}

#[test]
fn a26_instants_are_utc_texts_and_seconds() {
    for (text, seconds) in
        [("1970-01-01T00:00:00Z", 0), ("2025-04-01T00:00:00Z", NOW), ("2024-02-29T23:59:59Z", 1_709_251_199)]
    {
        assert_eq!(parse_instant(text), Some(seconds));
        assert_eq!(instant_text(seconds), text);
    }
    assert_eq!(parse_instant("2025-04-01"), Some(NOW));
    for text in [
        "2025-02-29",
        "2025-04-31",
        "2025-04-01T24:00:00Z",
        "2025-04-01T00:00:00",
        "2025-04-01T00:00Z",
        "x",
        "",
    ] {
        assert_eq!(parse_instant(text), None, "{text}");
    }
    assert_eq!(month_of(NOW), BillingPeriod::new(2025, 4));
}

#[test]
fn names_are_unique_and_sellers_known() {
    let names: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), ProblemKind::ALL.len());
    assert_eq!(legal_name("AWS_EUROPE"), Some("Amazon Web Services EMEA SARL"));
    assert_eq!(legal_name("AWS_MARS"), None);
    assert!(SELLERS.iter().all(|seller| Seller::parse(seller.code).is_some()));
}

#[test]
fn an_import_over_an_order_is_held_to_what_a_change_is_held_to() {
    let two = Draft { lines: vec![line("1"), line("2")], ..draft() };
    let before = PurchaseOrder { updated_at: 7, ..try_it(&two, Act::Create, &[]).unwrap().order };
    let used = BTreeMap::from([(LineNumber::of(2), Amount::parse("400").unwrap())]);
    let over = Some(Before { order: &before, used: &used });
    let import = |updated_at| Act::Import { created_at: before.created_at, updated_at, over };
    let told = |problems: &[Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let removed = "line `2` goes away and has invoices; they stay with it and show its number; nothing is matched again";
    assert_eq!(told(&try_it(&draft(), import(8), &[]).unwrap().warnings), [removed]);
    let yen = try_it(&Draft { currency: "JPY".into(), ..two.clone() }, import(8), &[]).unwrap_err();
    assert_eq!((yen[0].kind, yen.len()), (ProblemKind::CurrencyChanged, 1));
    let older = try_it(&draft(), import(6), &[]).unwrap_err();
    let expected = "the file is of `1970-01-01T00:00:06Z`, and the order was changed here at `1970-01-01T00:00:07Z`; \
                    leave it out of the file, or give the time since which the file holds as `updatedAt`";
    assert_eq!(told(&older), [expected]);
    // An older file that says what is here changes nothing, not even the time.
    assert_eq!(try_it(&two, import(6), &[]).unwrap().order, before);
}

#[test]
fn times_of_an_import_do_not_lie_ahead() {
    let import = |created_at, updated_at| Act::Import { created_at, updated_at, over: None };
    assert!(try_it(&draft(), import(NOW, NOW), &[]).is_ok());
    let ahead = try_it(&draft(), import(0, NOW + 1), &[]).unwrap_err();
    assert_eq!(
        ahead[0].to_string(),
        "`2025-04-01T00:00:01Z` lies ahead: now it is `2025-04-01T00:00:00Z`; give the time in UTC at which it was"
    );
    assert_eq!(try_it(&draft(), import(NOW + 1, 0), &[]).unwrap_err()[0].field, "createdAt");
}

#[test]
fn lines_that_fit_alone_may_be_too_much_together() {
    let huge = DraftLine { amount: text("999999999999999"), ..line("1") };
    let both =
        Draft { lines: vec![huge.clone(), DraftLine { number: "2".into(), ..huge.clone() }], ..draft() };
    for act in [Act::Create, IMPORT] {
        let problems = try_it(&both, act, &[]).unwrap_err();
        assert_eq!((problems[0].kind, problems[0].field.as_str()), (ProblemKind::ValueTooLarge, "lineItems"));
    }
    // One that was kept before is read all the same.
    assert!(read(&both, &Buyer::Payer, 0, 0).unwrap().value().is_err());
}

#[test]
fn status_and_tags_of_an_order_that_is_illegal_by_now_may_change() {
    let order = PurchaseOrder {
        id: PurchaseOrderId::parse("MP#1").unwrap(),
        ship_to: None,
        effective: BillingPeriod::new(2025, 6).unwrap(),
        updated_at: 3,
        ..made()
    };
    let (orders, reserved, settings) = ([order.clone()], BTreeSet::new(), Settings::default());
    let around = Surroundings { orders: &orders, reserved: &reserved, settings: &settings, now: NOW };
    let suspended = with_suspension(&order, true, around).unwrap().order;
    assert_eq!((suspended.suspended, suspended.updated_at), (true, NOW));
    assert!(!with_suspension(&suspended, false, around).unwrap().order.suspended);
    let tags = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let tagged = with_tags(&order, tags.clone()).unwrap().order;
    assert_eq!((tagged.tags, tagged.updated_at), (tags, 3));
    let many = (0..51).map(|at| (format!("k{at}"), String::new())).collect();
    assert_eq!(with_tags(&order, many).unwrap_err()[0].kind, ProblemKind::TagsTooMany);
}

#[test]
fn sellers_are_named_as_invoices_name_them() {
    let named = |texts: &[&str]| {
        let bill_from = texts.iter().map(ToString::to_string).collect();
        let taken = try_it(&Draft { bill_from, ..draft() }, Act::Create, &[]).unwrap();
        let codes: Vec<String> = taken.order.bill_from.iter().map(ToString::to_string).collect();
        (codes.join(" "), taken.warnings.iter().map(|it| it.kind).collect::<Vec<_>>())
    };
    let aws = ["Amazon Web Services EMEA SARL", "aws_inc", "AWS_EUROPE"];
    assert_eq!(named(&aws), ("AWS_EUROPE AWS_INC".to_owned(), Vec::new()));
    assert_eq!(named(&["Larkfield Ltd", "Awsome"]), ("Awsome Larkfield Ltd".to_owned(), Vec::new()));
    for unknown in ["AWS_MARS", "Amazon Web Services Mars", "aws"] {
        assert_eq!(named(&[unknown]).1, [ProblemKind::SellerUnknown], "{unknown}");
    }
}

#[test]
fn an_address_without_anything_is_none() {
    let empty = Address { company: text(" "), lines: vec![String::new()], ..Address::default() };
    let refusal = "a purchase order has no address to ship to; give `shipTo`; it may be the same as `billTo`";
    illegal(|it| it.ship_to = Some(empty.clone()), ProblemKind::ShipToMissing, "shipTo", refusal);
    refused(
        |it| it.bill_to = Some(empty.clone()),
        ProblemKind::Address,
        "billTo",
        "`billTo` has nothing in it; give the address, or leave it out",
    );
}
