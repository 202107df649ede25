//! Answers about orders in the words of a table for people, where the operation's own members are lists and codes.

use serde_json::{Map, Value, json};

/// What the state of a line says, for those that no month follows from.
const STATES: &[(&str, &str)] =
    &[("INSUFFICIENT_DATA", "too few months for a forecast"), ("FORECAST", "forecast"), ("ENDED", "ended")];

/// What an invoice is held against.
const AGAINST: &[(&str, &str)] = &[
    ("COST_DATA", "the cost files"),
    ("STATEMENT", "the statement"),
    ("LINE_BALANCE", "the line's balance"),
];

/// A forecast with each line's months in one cell, and its state in words.
pub fn forecast(mut answer: Value) -> Value {
    for line in entries(&mut answer, "LineItems") {
        if let Some(Value::Array(months)) = line.get("BurnDown") {
            let month = |of: &Value| format!("{}: {}", text(of, "BillingPeriod"), text(of, "Amount"));
            line.insert("BurnDown".to_owned(), months.iter().map(month).collect());
        }
        let state = line.get("State").and_then(Value::as_str);
        if let Some((_, words)) = STATES.iter().find(|(code, _)| Some(*code) == state) {
            line.insert("State".to_owned(), json!(words));
        }
    }
    answer
}

/// Three-way matches with each difference in a few words.
pub fn three_way(mut answer: Value) -> Value {
    for of in entries(&mut answer, "ThreeWayMatches") {
        if let Some(Value::Array(differences)) = of.get("Differences") {
            let told = differences.iter().map(difference).collect::<Vec<_>>().join("; ");
            of.insert("Differences".to_owned(), json!(told));
        }
        if let Some(approval) = of.get("Approval").filter(|approval| approval.is_object()) {
            let (by, at, why) =
                (text(approval, "ApprovedBy"), text(approval, "ApprovedTime"), text(approval, "Reason"));
            of.insert("Approval".to_owned(), json!(format!("{by} at {at}: {why}")));
        }
    }
    answer
}

/// `BEYOND_TOLERANCE: 19 above the cost files, 119 and not 100`; the reason alone where nothing more is said.
fn difference(of: &Value) -> String {
    let (reason, currency) = (text(of, "Reason"), text(of, "Currency"));
    let (found, expected, by) = (text(of, "Found"), text(of, "Expected"), text(of, "Difference"));
    if found.is_empty() {
        return if currency.is_empty() { reason.to_owned() } else { format!("{reason}: {currency}") };
    }
    let direction = text(of, "Direction").to_ascii_lowercase();
    let against = text(of, "Against");
    let against = AGAINST.iter().find(|(code, _)| *code == against).map_or(against, |(_, words)| words);
    // What is above or below says so: a sign beside it would say it twice.
    let by = by.trim_start_matches('-');
    format!("{reason}: {by} {direction} {against}, {found} and not {expected}")
}

/// The entries of a list of an answer.
fn entries<'a>(answer: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let entries = answer.get_mut(list).and_then(Value::as_array_mut);
    entries.into_iter().flatten().filter_map(Value::as_object_mut)
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! What a person reads.

    use super::*;

    #[test]
    fn no_cell_is_json() {
        let answer = json!({ "LineItems": [{ "State": "INSUFFICIENT_DATA", "BurnDown": [
            { "BillingPeriod": "2026-09", "Amount": "-1" }, { "BillingPeriod": "2026-10", "Amount": "2.5" }] }] });
        let line =
            json!({ "State": "too few months for a forecast", "BurnDown": ["2026-09: -1", "2026-10: 2.5"] });
        assert_eq!(forecast(answer), json!({ "LineItems": [line] }));
        let answer = json!({ "ThreeWayMatches": [
            { "Approval": { "ApprovedBy": "ann", "ApprovedTime": "2026-11-05T09:00:00Z", "Reason": "agreed" }, "Differences": [
                { "Reason": "NO_PURCHASE_ORDER" },
                { "Reason": "CURRENCY_MISMATCH", "Currency": "EUR" },
                { "Reason": "BEYOND_TOLERANCE", "Against": "COST_DATA", "Found": "119", "Expected": "100", "Difference": "19", "Direction": "ABOVE" }] }] });
        let [row] = &three_way(answer)["ThreeWayMatches"].as_array().unwrap().clone()[..] else {
            panic!("one")
        };
        assert_eq!(row["Approval"], "ann at 2026-11-05T09:00:00Z: agreed");
        assert_eq!(
            row["Differences"],
            "NO_PURCHASE_ORDER; CURRENCY_MISMATCH: EUR; BEYOND_TOLERANCE: 19 above the cost files, 119 and not 100"
        );
    }
}
