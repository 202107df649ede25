//! The commands of purchase orders: each builds the input of an operation and prints its answer.

use super::command::{asked_of, at_desk};
use super::door::Door;
use super::files::json_of;
use super::output;
use super::purchase_order_files::{invoices_of, orders_of};
use super::purchase_order_tables::{forecast, three_way as in_words};
use super::purchase_order_texts::{address, contact, line, pairs};
use crate::cli::desk::DeskArguments;
use crate::cli::purchase_orders::{
    AddArguments, ApproveArguments, GetArguments, ImportOrdersArguments, InvoicesArguments, LimitArguments,
    ListOrdersArguments, MoveArguments, OfInvoices, OneInvoiceArguments, OneOrderArguments, OrderArguments,
    PurchaseOrderArguments, PurchaseOrderCommand as Po, RematchArguments, SettingsArguments, TagArguments,
    ThreeWayArguments, UpdateArguments,
};
use crate::failure::Failure;
use aws_api::{proforma, purchase_orders};
use serde_json::{Map, Value, json};

/// `proforma po`
pub fn po(arguments: &PurchaseOrderArguments) -> Result<(), Failure> {
    let of = |id: &str| json!({ "PurchaseOrderArn": id });
    let status = |id: &str, status: &str| json!({ "PurchaseOrderArn": id, "Status": status });
    match &arguments.command {
        Po::Add(arguments) => add(arguments),
        Po::Get(arguments) => get(arguments),
        Po::List(arguments) => list(arguments),
        Po::Update(arguments) => update(arguments),
        Po::History(it) => own(&it.desk, "ListPurchaseOrderRevisions", &of(&it.id)),
        Po::Suspend(it) => aws(&it.desk, "UpdatePurchaseOrderStatus", &status(&it.id, "SUSPENDED")),
        Po::Reactivate(it) => aws(&it.desk, "UpdatePurchaseOrderStatus", &status(&it.id, "ACTIVE")),
        Po::Delete(it) => aws(&it.desk, "DeletePurchaseOrder", &of(&it.id)),
        Po::Tag(arguments) => tag(arguments),
        Po::Import(arguments) => import(arguments),
        Po::Invoices(arguments) => invoices(arguments),
        Po::Explain(arguments) => explain(arguments),
        Po::Move(arguments) => move_invoice(arguments),
        Po::Rematch(arguments) => rematch(arguments),
        Po::Forecast(it) => {
            let asked = (proforma::SERVICE, "GetPurchaseOrderForecast");
            let answer = asked_of(&it.desk, asked.0, asked.1, &of(&it.id))?;
            output::answer_with(asked, &answer, it.desk.output, |answer| output::table(&forecast(answer)))
        }
        Po::ThreeWay(arguments) => three_way(arguments),
        Po::Approve(arguments) => approve(arguments),
        Po::Settings(arguments) => settings(arguments),
        Po::Limit(arguments) => limit(arguments),
        Po::Limits(it) => own(&it.desk, "ListPurchaseOrderLimits", &json!({})),
    }
}

/// Asks an operation of purchase orders and prints the answer.
fn aws(desk: &DeskArguments, operation: &str, input: &Value) -> Result<(), Failure> {
    let of = (purchase_orders::SERVICE, operation);
    output::answer(of, &asked_of(desk, of.0, of.1, input)?, desk.output)
}

/// Asks an operation of the desk's own and prints the answer.
fn own(desk: &DeskArguments, operation: &str, input: &Value) -> Result<(), Failure> {
    let of = (proforma::SERVICE, operation);
    output::answer(of, &asked_of(desk, of.0, of.1, input)?, desk.output)
}

fn get(arguments: &GetArguments) -> Result<(), Failure> {
    let mut input = json!({ "PurchaseOrderArn": arguments.of.id });
    if let Some(revision) = arguments.revision {
        input["Revision"] = json!(revision);
    }
    let (desk, of) = (&arguments.of.desk, (purchase_orders::SERVICE, "GetPurchaseOrder"));
    let answer = asked_of(desk, of.0, of.1, &input)?;
    let table = |answer: Value| output::table(answer.get("PurchaseOrder").unwrap_or(&Value::Null));
    output::answer_with(of, &answer, desk.output, table)
}

fn add(arguments: &AddArguments) -> Result<(), Failure> {
    let mut input = order(&arguments.order)?;
    put(&mut input, "PurchaseOrderId", arguments.id.as_deref());
    put(&mut input, "BillingGroupArn", arguments.billing_group.as_deref());
    if !arguments.tag.is_empty() {
        input.insert("Tags".to_owned(), pairs(&arguments.tag).map_err(Failure::input)?);
    }
    aws(&arguments.desk, "AddPurchaseOrder", &Value::Object(input))
}

fn update(arguments: &UpdateArguments) -> Result<(), Failure> {
    let mut input = order(&arguments.order)?;
    put(&mut input, "PurchaseOrderArn", Some(&arguments.of.id));
    if let Some(revision) = arguments.expected_revision {
        input.insert("ExpectedRevision".to_owned(), json!(revision));
    }
    aws(&arguments.of.desk, "UpdatePurchaseOrder", &Value::Object(input))
}

/// The members of an order that a file and flags give.
fn order(arguments: &OrderArguments) -> Result<Map<String, Value>, Failure> {
    let mut input = match &arguments.file {
        None => Map::new(),
        Some(path) => match json_of(path)? {
            Value::Object(members) => members,
            _ => return Err(Failure::input(format!("`{}` is no JSON object", path.display()))),
        },
    };
    for (name, text) in [
        ("Description", &arguments.description),
        ("PaymentTerms", &arguments.payment_terms),
        ("Currency", &arguments.currency),
        ("EffectiveMonth", &arguments.effective),
        ("ExpirationMonth", &arguments.expiration),
    ] {
        put(&mut input, name, text.as_deref());
    }
    for (name, texts) in [
        ("BillFrom", &arguments.bill_from),
        ("TaxRegistrationNumbers", &arguments.tax_registration_number),
        ("InvoiceUnits", &arguments.invoice_unit),
    ] {
        if !texts.is_empty() {
            input.insert(name.to_owned(), json!(texts));
        }
    }
    let mut problems = Vec::new();
    match arguments.ship_to.as_deref().map(address) {
        Some(Ok(address)) => _ = input.insert("ShipTo".to_owned(), address),
        Some(Err(problem)) => problems.push(format!("--ship-to: {problem}")),
        None => {}
    }
    if !arguments.contact.is_empty() {
        let contacts: Vec<Value> = arguments.contact.iter().map(|text| contact(text)).collect();
        input.insert("Contacts".to_owned(), json!(contacts));
    }
    if !arguments.line.is_empty() {
        let mut lines = Vec::with_capacity(arguments.line.len());
        for text in &arguments.line {
            match line(text) {
                Ok(line) => lines.push(line),
                Err(problem) => problems.push(format!("--line `{text}`: {problem}")),
            }
        }
        input.insert("LineItems".to_owned(), json!(lines));
    }
    if problems.is_empty() { Ok(input) } else { Err(Failure::inputs(problems)) }
}

fn put(input: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        input.insert(name.to_owned(), json!(text));
    }
}

fn list(arguments: &ListOrdersArguments) -> Result<(), Failure> {
    let mut filters = Map::new();
    put(&mut filters, "BillFrom", arguments.bill_from.as_deref());
    put(&mut filters, "Buyer", arguments.buyer.as_deref());
    put(&mut filters, "Month", arguments.month.as_deref());
    if !arguments.status.is_empty() {
        filters.insert("Statuses".to_owned(), json!(arguments.status));
    }
    if !arguments.billing_group.is_empty() {
        filters.insert("BillingGroupArns".to_owned(), json!(arguments.billing_group));
    }
    let input = json!({ "Filters": filters });
    all_pages(&arguments.desk, (purchase_orders::SERVICE, "ListPurchaseOrders"), input, "PurchaseOrders")
}

/// Asks for a list page by page, and prints all of it.
fn all_pages(desk: &DeskArguments, operation: (&str, &str), input: Value, key: &str) -> Result<(), Failure> {
    output::answer(operation, &pages(desk, operation, input, key)?, desk.output)
}

/// A list, asked for page by page.
fn pages(
    desk: &DeskArguments,
    (service, operation): (&str, &str),
    mut input: Value,
    key: &str,
) -> Result<Value, Failure> {
    let entries = at_desk(async {
        let door = Door::open(desk).await?;
        let mut entries = Vec::new();
        let ended = loop {
            let mut answer = match door.ask_of(service, operation, &input).await {
                Ok(answer) => answer,
                Err(failure) => break Err(failure),
            };
            if let Some(Value::Array(page)) = answer.get_mut(key).map(Value::take) {
                entries.extend(page);
            }
            match answer.get("NextToken").and_then(Value::as_str) {
                Some(token) => input["NextToken"] = json!(token),
                None => break Ok(()),
            }
        };
        door.close().await?;
        ended.map(|()| entries)
    })?;
    Ok(json!({ key: entries }))
}

fn tag(arguments: &TagArguments) -> Result<(), Failure> {
    let TagArguments { of: OneOrderArguments { desk, id }, set, remove } = arguments;
    if !set.is_empty() {
        let input = json!({ "ResourceArn": id, "Tags": pairs(set).map_err(Failure::input)? });
        asked_of(desk, purchase_orders::SERVICE, "TagResource", &input)?;
    }
    if !remove.is_empty() {
        let input = json!({ "ResourceArn": id, "TagKeys": remove });
        asked_of(desk, purchase_orders::SERVICE, "UntagResource", &input)?;
    }
    aws(desk, "ListTagsForResource", &json!({ "ResourceArn": id }))
}

fn import(arguments: &ImportOrdersArguments) -> Result<(), Failure> {
    let (operation, (input, places)) = match arguments.invoices {
        true => ("ImportInvoices", invoices_of(&arguments.file)?),
        false => ("ImportPurchaseOrders", orders_of(&arguments.file)?),
    };
    own(&arguments.desk, operation, &input).map_err(|failure| places.told(failure))
}

fn invoices(arguments: &InvoicesArguments) -> Result<(), Failure> {
    let desk = &arguments.desk;
    if let Some(id) = &arguments.id {
        let input = json!({ "PurchaseOrderArn": id });
        return all_pages(desk, (purchase_orders::SERVICE, "ListPurchaseOrderInvoices"), input, "Invoices");
    }
    let mut input = filter(&arguments.of);
    if arguments.unmatched {
        input.insert("Matched".to_owned(), json!(false));
    }
    all_pages(desk, (proforma::SERVICE, "ListInvoiceMatches"), Value::Object(input), "InvoiceMatches")
}

fn filter(of: &OfInvoices) -> Map<String, Value> {
    let mut input = Map::new();
    put(&mut input, "BillingPeriod", of.period.as_deref());
    put(&mut input, "BillingGroupArn", of.billing_group.as_deref());
    input
}

fn explain(arguments: &OneInvoiceArguments) -> Result<(), Failure> {
    let input = json!({ "InvoiceId": arguments.invoice });
    let (desk, of) = (&arguments.desk, (proforma::SERVICE, "GetInvoiceMatch"));
    let answer = asked_of(desk, of.0, of.1, &input)?;
    let sentences = |answer: Value| {
        let said = answer.get("Explanation").and_then(Value::as_array).into_iter().flatten();
        said.filter_map(Value::as_str).map(|sentence| output::plain(sentence) + "\n").collect()
    };
    output::answer_with(of, &answer, desk.output, sentences)
}

fn move_invoice(arguments: &MoveArguments) -> Result<(), Failure> {
    let mut input = Map::new();
    put(&mut input, "InvoiceId", Some(&arguments.invoice));
    put(&mut input, "PurchaseOrderArn", arguments.to.as_deref());
    put(&mut input, "LineItemNumber", arguments.line.as_deref());
    put(&mut input, "Reason", Some(&arguments.reason));
    own(&arguments.desk, "MoveInvoice", &Value::Object(input))
}

fn rematch(arguments: &RematchArguments) -> Result<(), Failure> {
    let mut input = filter(&arguments.of);
    if arguments.unmatched {
        input.insert("Matched".to_owned(), json!(false));
    }
    if !arguments.invoice.is_empty() {
        input.insert("InvoiceIds".to_owned(), json!(arguments.invoice));
    }
    let operation = if arguments.apply { "ApplyRematch" } else { "PlanRematch" };
    own(&arguments.desk, operation, &Value::Object(input))
}

fn three_way(arguments: &ThreeWayArguments) -> Result<(), Failure> {
    let mut input = filter(&arguments.of);
    tolerance(&mut input, "CostTolerance", &arguments.cost_tolerance);
    tolerance(&mut input, "LineTolerance", &arguments.line_tolerance);
    if arguments.require_order {
        input.insert("RequirePurchaseOrder".to_owned(), json!(true));
    }
    put(&mut input, "ApprovalAbove", arguments.approval_above.as_deref());
    let operation = (proforma::SERVICE, "GetThreeWayMatch");
    let answer = pages(&arguments.desk, operation, Value::Object(input), "ThreeWayMatches")?;
    let table = |answer| output::table(&in_words(answer));
    output::answer_with(operation, &answer, arguments.desk.output, table)
}

/// Puts the bounds of a tolerance into a request: amounts, percentages, or NONE for neither.
fn tolerance(input: &mut Map<String, Value>, name: &str, texts: &[String]) {
    for text in texts {
        match text.strip_suffix('%') {
            _ if text == "NONE" => {
                put(input, &format!("{name}Amount"), Some(text));
                put(input, &format!("{name}Percentage"), Some(text));
            }
            Some(percentage) => put(input, &format!("{name}Percentage"), Some(percentage)),
            None => put(input, &format!("{name}Amount"), Some(text)),
        }
    }
}

fn approve(arguments: &ApproveArguments) -> Result<(), Failure> {
    let input = json!({ "InvoiceId": arguments.invoice, "Reason": arguments.reason });
    own(&arguments.desk, "ApproveInvoice", &input)
}

fn settings(arguments: &SettingsArguments) -> Result<(), Failure> {
    let mut input = Map::new();
    for (name, flag) in [
        ("PreferInvoiceUnit", arguments.prefer_invoice_unit),
        ("MarketplaceTransactionForUsage", arguments.marketplace_transaction_for_usage),
        ("AllowNumberSign", arguments.allow_number_sign),
        ("RequirePurchaseOrder", arguments.require_order),
    ] {
        if let Some(flag) = flag {
            input.insert(name.to_owned(), json!(flag));
        }
    }
    put(&mut input, "ExpiryBasis", arguments.expiry_basis.as_deref());
    put(&mut input, "OnInsufficientBalance", arguments.on_insufficient_balance.as_deref());
    if !arguments.line_types.is_empty() {
        input.insert("LineTypes".to_owned(), json!(arguments.line_types));
    }
    if !arguments.line_type_sellers.is_empty() {
        let mut of = Map::new();
        for text in &arguments.line_type_sellers {
            let pair = text.split_once('=');
            let (name, sellers) =
                pair.ok_or_else(|| Failure::input(format!("`{text}` is no TYPE=SELLER,…")))?;
            of.insert(name.to_owned(), json!(sellers.split(',').collect::<Vec<_>>()));
        }
        input.insert("LineTypeSellers".to_owned(), Value::Object(of));
    }
    tolerance(&mut input, "CostTolerance", &arguments.cost_tolerance);
    tolerance(&mut input, "LineTolerance", &arguments.line_tolerance);
    put(&mut input, "ApprovalAbove", arguments.approval_above.as_deref());
    let operation = if input.is_empty() { "GetMatchingSettings" } else { "UpdateMatchingSettings" };
    own(&arguments.desk, operation, &Value::Object(input))
}

fn limit(arguments: &LimitArguments) -> Result<(), Failure> {
    let mut input = json!({
        "PrincipalName": arguments.principal,
        "Actions": arguments.action,
        "Tags": pairs(&arguments.tag).map_err(Failure::input)?,
    });
    if !arguments.tag_key.is_empty() {
        input["TagKeys"] = json!(arguments.tag_key);
    }
    if arguments.none {
        input["NoLimits"] = json!(true);
    }
    own(&arguments.desk, "LimitPurchaseOrders", &input)
}
