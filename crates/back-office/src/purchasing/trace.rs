//! What is kept of a decision beside it: every order that was a candidate, with the reason why it was taken or not, as JSON that is answered as it is.

use billing::matching::{Decision, OrderTrace, OrderVerdict, Outcome, explain};
use billing::purchase_order::invoice::MatchInvoice;
use serde_json::{Map, Value, json};

/// The JSON of what the rules have decided.
pub(super) fn written(invoice: &MatchInvoice, decision: &Decision) -> String {
    let mut trace = Map::new();
    let (outcome, taking) = match &decision.outcome {
        Outcome::Associated(taking) => ("ASSOCIATED", Some(taking)),
        Outcome::Held(taking) => ("HELD", Some(taking)),
        Outcome::None(_) => ("NONE", None),
    };
    trace.insert("Outcome".to_owned(), json!(outcome));
    trace.insert("Total".to_owned(), json!(invoice.total.to_string()));
    trace.insert("Currency".to_owned(), json!(invoice.currency.to_string()));
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
    let candidates: Vec<Value> = decision.trace.orders.iter().map(candidate).collect();
    trace.insert("Explanation".to_owned(), json!(explain(invoice, decision)));
    trace.insert("Candidates".to_owned(), Value::Array(candidates));
    Value::Object(trace).to_string()
}

/// The JSON of what a person has decided.
pub(super) fn of_person(reason: &str) -> String {
    json!({ "Outcome": "MOVED", "Candidates": [], "Reason": reason }).to_string()
}

fn candidate(of: &OrderTrace) -> Value {
    let id = of.order.as_str();
    match &of.verdict {
        OrderVerdict::Fell(reason) => {
            let mut fell = json!({ "PurchaseOrderId": id, "Reason": reason.name() });
            if let Some(month) = reason.month() {
                fell["Month"] = json!(month.to_string());
            }
            fell
        }
        OrderVerdict::Lines(folds) => {
            let line = |fold: &billing::matching::LineFold| {
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
            json!({ "PurchaseOrderId": id, "LineItems": folds.iter().map(line).collect::<Vec<_>>() })
        }
    }
}
