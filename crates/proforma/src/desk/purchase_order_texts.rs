//! What flags and files say of orders in short texts, as the operations take it; or what is wrong with a text.

use serde_json::{Map, Value, json};

/// `KEY=VALUE,…` as pairs; a part without `=` goes on with the value before it, so that values may have commas.
fn parts(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for part in text.split(',') {
        match (part.split_once('='), parts.last_mut()) {
            (Some((key, value)), _) => parts.push((key.trim().to_owned(), value.trim().to_owned())),
            (None, Some((_, value))) => value.push_str(&format!(",{part}")),
            (None, None) => {
                return Err(format!("`{text}` is no KEY=VALUE"));
            }
        }
    }
    Ok(parts)
}

fn unknown(what: &str, key: &str, keys: &str) -> String {
    format!("`{key}` is nothing that {what} has; it takes {keys}")
}

/// An address from its parts.
pub fn address(text: &str) -> Result<Value, String> {
    let mut address = Map::new();
    let mut lines = Vec::new();
    for (key, value) in parts(text)? {
        let name = match key.as_str() {
            "company" => "Company",
            "line" => {
                lines.push(value);
                continue;
            }
            "district" => "District",
            "city" => "City",
            "state" => "State",
            "postal-code" => "PostalCode",
            "country" => "Country",
            other => {
                let keys = "company, line, district, city, state, postal-code, country";
                return Err(unknown("an address", other, keys));
            }
        };
        address.insert(name.to_owned(), json!(value));
    }
    if !lines.is_empty() {
        address.insert("Lines".to_owned(), json!(lines));
    }
    Ok(Value::Object(address))
}

/// `Name <address>`, with a telephone behind it or not, or the address alone.
pub fn contact(text: &str) -> Value {
    let Some((name, rest)) = text.split_once('<') else { return json!({ "Email": text.trim() }) };
    let (address, phone) = rest.split_once('>').unwrap_or((rest, ""));
    let mut contact = json!({ "Name": name.trim(), "Email": address.trim() });
    if !phone.trim().is_empty() {
        contact["Phone"] = json!(phone.trim());
    }
    contact
}

/// A line of an order from its parts.
pub fn line(text: &str) -> Result<Value, String> {
    let mut line = Map::new();
    for (key, value) in parts(text)? {
        let (name, value) = match key.as_str() {
            "number" => ("Number", json!(value)),
            "description" => ("Description", json!(value)),
            "type" => ("Type", json!(value)),
            "start" => ("StartMonth", json!(value)),
            "end" => ("EndMonth", json!(value)),
            "amount" => ("Amount", json!(value)),
            "quantity" => ("Quantity", json!(value)),
            "charge" => ("ChargeId", json!(value)),
            "tax" => ("Tax", tax(&value)),
            "track" => ("BalanceTracking", json!(is_yes(&value)?)),
            other => {
                let keys = "number, type, start, end, amount, quantity, tax, track, charge, description";
                return Err(unknown("a line", other, keys));
            }
        };
        line.insert(name.to_owned(), value);
    }
    Ok(Value::Object(line))
}

/// A tax as an amount, or with a `%` as a percentage.
pub fn tax(text: &str) -> Value {
    match text.strip_suffix('%') {
        Some(percentage) => json!({ "Percentage": percentage.trim() }),
        None => json!({ "Amount": text }),
    }
}

/// Whether a text says yes.
pub fn is_yes(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" | "" => Ok(false),
        _ => Err(format!("`{text}` is neither yes nor no")),
    }
}

/// Texts `KEY=VALUE` as members.
pub fn pairs(texts: &[String]) -> Result<Value, String> {
    let mut pairs = Map::new();
    for text in texts {
        let pair = text.split_once('=');
        let (key, value) = pair.ok_or_else(|| format!("`{text}` is no KEY=VALUE"))?;
        pairs.insert(key.to_owned(), json!(value));
    }
    Ok(Value::Object(pairs))
}
