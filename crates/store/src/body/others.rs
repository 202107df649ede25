//! Billing transfers, what only a book can say, and what is said of the whole payer.

use super::group::{Plan, account};
use super::{Body, number, parsed, shape, text};
use billing::configuration::{OtherSettings, Preference, TransferSettings};
use billing::period::BillingPeriod;
use billing::responsibility_transfer::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    source: String,
    receiver: String,
    accounts: Vec<String>,
    status: String,
    start: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<String>,
}

impl Body for TransferSettings {
    fn write(&self) -> String {
        text(&Transfer {
            source: self.source.as_str().to_owned(),
            receiver: self.receiver.as_str().to_owned(),
            accounts: self.accounts.iter().map(|account| account.as_str().to_owned()).collect(),
            status: self.status.name().to_owned(),
            start: self.start.to_string(),
            end: self.end.map(|end| end.to_string()),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Transfer { source, receiver, accounts, status, start, end } = shape(text)?;
        Ok(Self {
            source: account(&source)?,
            receiver: account(&receiver)?,
            accounts: accounts.iter().map(|id| account(id)).collect::<Result<_, _>>()?,
            status: parsed("status of a transfer", &status, Status::parse(&status))?,
            start: period(&start)?,
            end: end.as_deref().map(period).transpose()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreferenceShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pricing_plan: Option<Plan>,
    modified_at_s: i64,
}

impl Body for Preference {
    fn write(&self) -> String {
        let pricing_plan = self.pricing_plan.as_ref().map(Plan::of);
        text(&PreferenceShape { pricing_plan, modified_at_s: self.modified_at })
    }

    fn read(text: &str) -> Result<Self, String> {
        let PreferenceShape { pricing_plan, modified_at_s } = shape(text)?;
        Ok(Self { pricing_plan: pricing_plan.map(Plan::plan).transpose()?, modified_at: modified_at_s })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    book: String,
    files: BTreeMap<String, String>,
}

impl Body for OtherSettings {
    fn write(&self) -> String {
        text(&Other { book: self.book.clone(), files: self.files.clone() })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Other { book, files } = shape(text)?;
        Ok(Self { book, files })
    }
}

/// That the organization's accounts are all known.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Complete {
    pub(crate) is_complete: bool,
}

impl Body for Complete {
    fn write(&self) -> String {
        text(self)
    }

    fn read(text: &str) -> Result<Self, String> {
        shape(text)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Through {
    period: String,
}

/// The last closed period.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClosedThrough(pub(crate) BillingPeriod);

impl Body for ClosedThrough {
    fn write(&self) -> String {
        text(&Through { period: self.0.to_string() })
    }

    fn read(text: &str) -> Result<Self, String> {
        let Through { period: last } = shape(text)?;
        period(&last).map(Self)
    }
}

fn period(text: &str) -> Result<BillingPeriod, String> {
    number(text, BillingPeriod::parse(text))
}
