//! What is kept of a decision beside it: every order that was a candidate, with the reason why it was taken or not, as JSON.
//!
//! A hundred orders mostly have few reasons between them. So orders with the same reason are one entry, and sentences about them are made when they are
//! read, from what the invoice said then. Rows from before that have each order with its reason, and every sentence.

use billing::matching::{
    Association, Decision, LineFold, LineReason, OrderReason, OrderTrace, OrderVerdict, Outcome,
    of_candidate, of_outcome,
};
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use billing::purchase_order::{LineNumber, PurchaseOrderId, Seller};
use serde_json::{Map, Value, json};

/// What was said of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// Why, in sentences; `None` where a person has decided.
    pub explanation: Option<Vec<String>>,
    /// Every order that was a candidate, as it is answered.
    pub candidates: Value,
    /// The line's balance afterwards.
    pub balance_after: Option<String>,
}

/// The JSON of what the rules have decided.
pub(super) fn written(invoice: &MatchInvoice, decision: &Decision) -> String {
    let mut trace = Map::new();
    let (outcome, taking) = match &decision.outcome {
        Outcome::Associated(taking) => ("ASSOCIATED", Some(taking)),
        Outcome::Held(taking) => ("HELD", Some(taking)),
        Outcome::None(_) => ("NONE", None),
    };
    trace.insert("Outcome".to_owned(), json!(outcome));
    if let Some(taking) = taking {
        trace.insert("PurchaseOrderId".to_owned(), json!(taking.place.order.as_str()));
        trace.insert("LineItemNumber".to_owned(), json!(taking.place.line.as_str()));
        trace.insert("OutOfBalance".to_owned(), json!(taking.out_of_balance));
        if let Some(balance) = taking.balance_after {
            trace.insert("BalanceAfter".to_owned(), json!(balance.to_string()));
        }
    }
    if !decision.other_numbers.is_empty() {
        let others: Vec<&str> = decision.other_numbers.iter().map(|id| id.as_str()).collect();
        trace.insert("OtherPurchaseOrderIds".to_owned(), json!(others));
    }
    explained(&mut trace, invoice, (of_outcome(invoice, decision), &decision.trace.orders));
    Value::Object(trace).to_string()
}

/// The JSON of an invoice whose content has changed and that stays where the rules had put it, with what they would say now.
pub(super) fn stayed(
    invoice: &MatchInvoice,
    (at, of_order): (&Association, Currency),
    asked: &Decision,
) -> String {
    let MatchInvoice { id, kind, period, total, currency, seller, .. } = invoice;
    let (order, line) = (&at.place.order, &at.place.line);
    let mut said = vec![format!(
        "Invoice `{id}` ({kind}, {period}, {total} {currency} from `{seller}`) stays on line `{line}` of purchase order `{order}`: its content has changed, and what was decided stays."
    )];
    said.extend(at.used.map(|used| match used.units() < 0 {
        true => format!("It gives {} {of_order} back to the line.", used.negated()),
        false => format!("It takes {used} {of_order} from the line."),
    }));
    match asked.place() {
        Some(place) if *place == at.place => {}
        Some(place) => said.push(format!(
            "Asked now, the rules would give line `{}` of purchase order `{}`.",
            place.line, place.order
        )),
        None => said.push("Asked now, the rules would give no order.".to_owned()),
    }
    let mut trace = Map::new();
    trace.insert("Outcome".to_owned(), json!("STAYED"));
    trace.insert("PurchaseOrderId".to_owned(), json!(order.as_str()));
    trace.insert("LineItemNumber".to_owned(), json!(line.as_str()));
    explained(&mut trace, invoice, (said, &asked.trace.orders));
    Value::Object(trace).to_string()
}

/// The JSON of what a person has decided: who and why stands in the row.
pub(super) fn of_person() -> String {
    json!({ "Outcome": "MOVED" }).to_string()
}

/// Writes the sentences that are kept, the candidates, and what of the invoice their sentences are made of.
fn explained(
    trace: &mut Map<String, Value>,
    invoice: &MatchInvoice,
    (said, orders): (Vec<String>, &[OrderTrace]),
) {
    trace.insert("Said".to_owned(), json!(said));
    if orders.is_empty() {
        return;
    }
    trace.insert("Invoice".to_owned(), facts(invoice));
    let mut folded: Vec<(&OrderVerdict, Vec<&str>)> = Vec::new();
    for of in orders {
        match folded.iter_mut().find(|(verdict, _)| **verdict == of.verdict) {
            Some((_, ids)) => ids.push(of.order.as_str()),
            None => folded.push((&of.verdict, vec![of.order.as_str()])),
        }
    }
    let entry = |(verdict, ids): (&OrderVerdict, Vec<&str>)| {
        let mut entry = verdict_json(verdict);
        entry.insert("PurchaseOrderIds".to_owned(), json!(ids));
        Value::Object(entry)
    };
    trace.insert("Folded".to_owned(), folded.into_iter().map(entry).collect());
}

/// What an order's reason is said by, beside the order.
fn verdict_json(verdict: &OrderVerdict) -> Map<String, Value> {
    let mut entry = Map::new();
    match verdict {
        OrderVerdict::Fell(reason) => {
            entry.insert("Reason".to_owned(), json!(reason.name()));
            if let Some(month) = reason.month() {
                entry.insert("Month".to_owned(), json!(month.to_string()));
            }
        }
        OrderVerdict::Lines(folds) => {
            let line = |fold: &LineFold| {
                let mut line = json!({
                    "Reason": fold.reason.name(),
                    "Count": fold.count,
                    "FirstLineItemNumber": fold.first.as_str(),
                });
                if let Some(balance) = fold.balance {
                    line["Balance"] = json!(balance.to_string());
                }
                line
            };
            entry.insert("LineItems".to_owned(), folds.iter().map(line).collect());
        }
    }
    entry
}

/// What of an invoice the sentences about candidates are made of.
fn facts(invoice: &MatchInvoice) -> Value {
    let mut facts = json!({
        "Kind": invoice.kind.name(),
        "BillFrom": invoice.seller.as_str(),
        "BillingPeriod": invoice.period.to_string(),
        "TotalAmount": invoice.total.to_string(),
        "Currency": invoice.currency.to_string(),
    });
    if let Some(number) = &invoice.tax_registration_number {
        facts["TaxRegistrationNumber"] = json!(number);
    }
    if let Some(unit) = &invoice.invoice_unit {
        facts["InvoiceUnit"] = json!(unit);
    }
    facts
}

/// Reads what was kept beside a decision of an invoice.
///
/// # Errors
/// What of it cannot be read.
pub(super) fn read(text: &str, invoice: &MatchInvoice) -> Result<Told, String> {
    let mut trace: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let balance_after = trace.get("BalanceAfter").and_then(Value::as_str).map(str::to_owned);
    let Some(said) = trace.get("Said").and_then(Value::as_array) else {
        // From before orders with the same reason were one entry, or of a person.
        let said = trace.get("Explanation").and_then(Value::as_array).map(|said| texts(said));
        let candidates = trace.remove("Candidates").unwrap_or_else(|| json!([]));
        return Ok(Told { explanation: said, candidates, balance_after });
    };
    let mut explanation = texts(said);
    let mut unfolded: Vec<(OrderTrace, Value)> = Vec::new();
    for entry in trace.get("Folded").and_then(Value::as_array).into_iter().flatten() {
        unfolded.extend(unfold(entry).ok_or_else(|| format!("`{entry}` is no reason"))?);
    }
    unfolded.sort_by(|(a, _), (b, _)| a.order.cmp(&b.order));
    if let Some(facts) = trace.get("Invoice") {
        let then = as_it_was(invoice, facts).ok_or_else(|| format!("`{facts}` is no invoice"))?;
        explanation.extend(unfolded.iter().map(|(of, _)| of_candidate(&then, of)));
    }
    let candidates = unfolded.into_iter().map(|(_, candidate)| candidate).collect();
    Ok(Told { explanation: Some(explanation), candidates, balance_after })
}

fn texts(of: &[Value]) -> Vec<String> {
    of.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn text<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    of.get(name)?.as_str()
}

/// The orders of an entry, each with its reason and as it is answered.
fn unfold(entry: &Value) -> Option<Vec<(OrderTrace, Value)>> {
    let verdict = match entry.get("LineItems").and_then(Value::as_array) {
        Some(lines) => OrderVerdict::Lines(lines.iter().map(fold).collect::<Option<Vec<_>>>()?.into()),
        None => {
            let month = text(entry, "Month").and_then(|month| BillingPeriod::parse(month).ok());
            OrderVerdict::Fell(OrderReason::parse(text(entry, "Reason")?, month)?)
        }
    };
    let answered = verdict_json(&verdict);
    let one = |id: &Value| {
        let mut candidate = answered.clone();
        candidate.insert("PurchaseOrderId".to_owned(), id.clone());
        let order = PurchaseOrderId::parse(id.as_str()?)?;
        Some((OrderTrace { order, verdict: verdict.clone() }, Value::Object(candidate)))
    };
    entry.get("PurchaseOrderIds")?.as_array()?.iter().map(one).collect()
}

fn fold(line: &Value) -> Option<LineFold> {
    let balance = text(line, "Balance").map(Amount::parse).transpose().ok()?;
    Some(LineFold {
        reason: LineReason::parse(text(line, "Reason")?)?,
        count: u32::try_from(line.get("Count")?.as_u64()?).ok()?,
        first: LineNumber::parse(text(line, "FirstLineItemNumber")?)?,
        balance,
    })
}

/// An invoice as it was when it was decided of.
fn as_it_was(invoice: &MatchInvoice, facts: &Value) -> Option<MatchInvoice> {
    Some(MatchInvoice {
        kind: InvoiceKind::parse(text(facts, "Kind")?)?,
        seller: Seller::parse(text(facts, "BillFrom")?)?,
        period: BillingPeriod::parse(text(facts, "BillingPeriod")?).ok()?,
        total: Amount::parse(text(facts, "TotalAmount")?).ok()?,
        currency: Currency::parse(text(facts, "Currency")?)?,
        tax_registration_number: text(facts, "TaxRegistrationNumber").map(str::to_owned),
        invoice_unit: text(facts, "InvoiceUnit").map(str::to_owned),
        ..invoice.clone()
    })
}
