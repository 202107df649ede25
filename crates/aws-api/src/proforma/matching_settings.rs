//! How invoices are matched: what the operator settles where AWS is silent, or where its documents disagree.

use super::three_way::{TermsIn, TermsOut};
use crate::call::{Call, json};
use crate::purchase_orders::at_fault;
use back_office::error::Answer;
use billing::purchase_order::{ExpiryBasis, LineType, OnInsufficientBalance, Seller, Settings, seller_named};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    prefer_invoice_unit: Option<bool>,
    expiry_basis: Option<String>,
    on_insufficient_balance: Option<String>,
    marketplace_transaction_for_usage: Option<bool>,
    allow_number_sign: Option<bool>,
    line_types: Option<Vec<String>>,
    line_type_sellers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(flatten)]
    terms: TermsIn,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    prefer_invoice_unit: bool,
    expiry_basis: &'static str,
    on_insufficient_balance: &'static str,
    marketplace_transaction_for_usage: bool,
    allow_number_sign: bool,
    line_types: Vec<&'static str>,
    line_type_sellers: BTreeMap<&'static str, Vec<String>>,
    #[serde(flatten)]
    terms: TermsOut,
}

fn shown(settings: &Settings) -> Answer<Vec<u8>> {
    let sellers = |(of, sellers): (&LineType, &std::collections::BTreeSet<Seller>)| {
        (of.name(), sellers.iter().map(ToString::to_string).collect())
    };
    json(&Shown {
        prefer_invoice_unit: settings.prefer_invoice_unit,
        expiry_basis: match settings.expiry_basis {
            ExpiryBasis::BillingPeriod => "BILLING_PERIOD",
            ExpiryBasis::WallClock => "WALL_CLOCK",
        },
        on_insufficient_balance: match settings.on_insufficient_balance {
            OnInsufficientBalance::Associate => "ASSOCIATE",
            OnInsufficientBalance::Hold => "HOLD",
            OnInsufficientBalance::LeaveUnmatched => "LEAVE_UNMATCHED",
        },
        marketplace_transaction_for_usage: settings.marketplace_transaction_for_usage,
        allow_number_sign: settings.allow_number_sign,
        line_types: settings.line_types.iter().map(|of| of.name()).collect(),
        line_type_sellers: settings.line_type_sellers.iter().map(sellers).collect(),
        terms: settings.terms.into(),
    })
}

pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    shown(&call.desk.matching_settings(call.caller, call.action).await?)
}

pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Change = call.read()?;
    let change = |settings: &mut Settings| input.on(settings);
    let now = call.desk.set_matching_settings(&call.write(""), change).await?;
    shown(&now)
}

impl Change {
    fn on(&self, settings: &mut Settings) -> Answer<()> {
        let flags = [
            (self.prefer_invoice_unit, &mut settings.prefer_invoice_unit),
            (self.marketplace_transaction_for_usage, &mut settings.marketplace_transaction_for_usage),
            (self.allow_number_sign, &mut settings.allow_number_sign),
        ];
        for (said, flag) in flags {
            *flag = said.unwrap_or(*flag);
        }
        match self.expiry_basis.as_deref() {
            Some("WALL_CLOCK") => settings.expiry_basis = ExpiryBasis::WallClock,
            Some(_) => settings.expiry_basis = ExpiryBasis::BillingPeriod,
            None => {}
        }
        match self.on_insufficient_balance.as_deref() {
            Some("HOLD") => settings.on_insufficient_balance = OnInsufficientBalance::Hold,
            Some("LEAVE_UNMATCHED") => {
                settings.on_insufficient_balance = OnInsufficientBalance::LeaveUnmatched;
            }
            Some(_) => settings.on_insufficient_balance = OnInsufficientBalance::Associate,
            None => {}
        }
        if let Some(names) = &self.line_types {
            settings.line_types =
                names.iter().map(|name| line_type("LineTypes", name)).collect::<Answer<_>>()?;
        }
        for (name, codes) in self.line_type_sellers.iter().flatten() {
            let of = line_type("LineTypeSellers", name)?;
            let seller = |code: &String| {
                let message = format!("`{code}` is no seller");
                seller_named(code).ok_or_else(|| at_fault("LineTypeSellers", &message))
            };
            let sellers = codes.iter().map(seller).collect::<Answer<_>>()?;
            settings.line_type_sellers.insert(of, sellers);
        }
        settings.terms = self.terms.onto(settings.terms)?;
        Ok(())
    }
}

fn line_type(field: &str, name: &str) -> Answer<LineType> {
    LineType::parse(name).ok_or_else(|| {
        let all = LineType::ALL.map(LineType::name).join(", ");
        at_fault(field, &format!("`{name}` is no type of line; there are {all}"))
    })
}
