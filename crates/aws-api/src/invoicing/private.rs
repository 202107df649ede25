//! What of an input nobody reads again: secrets, and what is said of persons. The audit keeps for good what it is given.

use aws_wire::json::Value;
use back_office::audit::digest;

/// Secrets: nothing of them is kept, not even a hash that could be guessed at.
const SECRETS: [&str; 2] = ["ProcurementPortalSharedSecret", "Code"];
/// What is said of persons: a hash tells whether a request is the same one again.
const PERSONAL: [&str; 4] = ["Contacts", "ReceiverAddress", "ReceiverEmail", "TaxRegistrationNumber"];

/// Hides it, however deep it stands.
pub(crate) fn hide(value: &mut Value) {
    match value {
        Value::Map(members) => {
            for (name, value) in members {
                if SECRETS.contains(&name.as_str()) {
                    *value = Value::from("(secret)");
                } else if PERSONAL.contains(&name.as_str()) {
                    *value = Value::String(digest(&value.to_json()));
                } else {
                    hide(value);
                }
            }
        }
        Value::List(values) => values.iter_mut().for_each(hide),
        _ => {}
    }
}
