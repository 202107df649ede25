//! What is ahead of an order.

use super::purchasing::OfOrder;
use crate::call::{Call, json};
use back_office::error::Answer;
use billing::matching::forecast::{Expected, LineForecast};
use billing::period::BillingPeriod;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Month {
    billing_period: String,
    amount: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LineOut {
    line_item_number: String,
    total_value: String,
    current_balance: String,
    used_percentage: String,
    elapsed_percentage: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    monthly_rate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs_out_month: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_at_end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month_above_balance: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unused_at_expiry: Option<String>,
    burn_down: Vec<Month>,
}

impl LineOut {
    fn of(number: String, of: &LineForecast) -> Self {
        let month = |period: &BillingPeriod| period.to_string();
        let mut out = Self {
            line_item_number: number,
            total_value: of.value.to_string(),
            current_balance: of.balance.to_string(),
            used_percentage: of.used_percent.to_string(),
            elapsed_percentage: of.time_percent.to_string(),
            state: "ENDED",
            monthly_rate: None,
            runs_out_month: None,
            balance_at_end: None,
            month_above_balance: None,
            unused_at_expiry: of.unused_at_expiry.map(|amount| amount.to_string()),
            burn_down: of
                .burn_down
                .iter()
                .map(|(period, amount)| Month { billing_period: month(period), amount: amount.to_string() })
                .collect(),
        };
        match &of.expected {
            None => {}
            Some(Expected::InsufficientData { .. }) => out.state = "INSUFFICIENT_DATA",
            Some(Expected::Forecast { rate, runs_out, balance_at_end, month_above_balance }) => {
                out.state = "FORECAST";
                out.monthly_rate = Some(rate.to_string());
                out.runs_out_month = runs_out.as_ref().map(month);
                out.balance_at_end = Some(balance_at_end.to_string());
                out.month_above_balance = Some(*month_above_balance);
            }
        }
        out
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Forecast {
    purchase_order_arn: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs_out_month: Option<String>,
    line_items: Vec<LineOut>,
}

pub(super) async fn forecast(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfOrder = call.read()?;
    let found = call.desk.order_forecast(call.caller, call.action, &input.purchase_order_arn).await?;
    let view = &found.view;
    let lines = view.lines.iter().zip(&found.lines);
    json(&Forecast {
        purchase_order_arn: view.arn.clone(),
        currency: view.row.order.currency.to_string(),
        total_amount: view.value.map(|amount| amount.to_string()),
        balance_amount: view.balance.map(|amount| amount.to_string()),
        runs_out_month: found.runs_out.map(|month| month.to_string()),
        line_items: lines.map(|(line, of)| LineOut::of(line.line.number.to_string(), of)).collect(),
    })
}
