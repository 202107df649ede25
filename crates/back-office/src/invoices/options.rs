//! What an invoice has of its own, beside what its group is charged and the settings say.

use serde::{Deserialize, Serialize};

/// What a document has of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftOptions {
    /// The number of the customer's purchase order, where the operator names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order: Option<String>,
    /// The line of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order_line: Option<String>,
    /// Text for this document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Allowances and charges on the whole document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<AdjustmentOption>,
    /// What was paid before, in the document's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepaid: Option<String>,
}

/// An allowance or a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentOption {
    /// `allowance` or `charge`.
    pub kind: String,
    /// How much, in the document's currency.
    pub amount: String,
    /// Why.
    pub reason: String,
    /// The product whose tax it has; empty: that of all products that no rule names.
    #[serde(default)]
    pub product: String,
}
