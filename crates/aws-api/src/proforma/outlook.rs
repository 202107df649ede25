//! What is ahead of an order, and whether invoices agree with their orders and the cost files.

use super::purchasing::Filter;
use crate::call::{Call, json};
use crate::purchase_orders::at_fault;
use back_office::error::Answer;
use back_office::purchasing::outlook::ThreeWayView;
use billing::matching::forecast::{Expected, LineForecast};
use billing::matching::three_way::{Against, Difference, Direction, Exception, Terms, ThreeWay, Tolerance};
use billing::money::{Amount, Percentage};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfOrder {
    purchase_order_arn: String,
}

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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ThreeWayIn {
    cost_tolerance_amount: Option<String>,
    cost_tolerance_percentage: Option<String>,
    line_tolerance_amount: Option<String>,
    line_tolerance_percentage: Option<String>,
    require_purchase_order: Option<bool>,
    approval_above: Option<String>,
}

impl ThreeWayIn {
    fn terms(&self) -> Answer<Terms> {
        let amount = |name: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let parsed = Amount::parse(text).ok().filter(|amount| *amount >= Amount::ZERO);
            let message = format!("`{text}` is no amount of 0 or more");
            parsed.map(Some).ok_or_else(|| at_fault(name, &message))
        };
        let percent = |name: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let parsed = Percentage::parse(text).ok().filter(|percent| *percent >= Percentage::ZERO);
            let message = format!("`{text}` is no percentage of 0 or more");
            parsed.map(Some).ok_or_else(|| at_fault(name, &message))
        };
        Ok(Terms {
            cost: Tolerance {
                amount: amount("CostToleranceAmount", &self.cost_tolerance_amount)?,
                percent: percent("CostTolerancePercentage", &self.cost_tolerance_percentage)?,
            },
            line: Tolerance {
                amount: amount("LineToleranceAmount", &self.line_tolerance_amount)?,
                percent: percent("LineTolerancePercentage", &self.line_tolerance_percentage)?,
            },
            require_order: self.require_purchase_order.unwrap_or(false),
            approval_above: amount("ApprovalAbove", &self.approval_above)?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DifferenceOut {
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

impl DifferenceOut {
    fn plain(reason: &'static str) -> Self {
        let (against, expected, found, difference, direction, currency) = Default::default();
        Self { reason, against, expected, found, difference, direction, currency }
    }

    fn of(reason: &'static str, of: &Difference) -> Self {
        Self {
            against: Some(match of.against {
                Against::CostData => "COST_DATA",
                Against::LineBalance => "LINE_BALANCE",
            }),
            expected: Some(of.expected.to_string()),
            found: Some(of.found.to_string()),
            difference: Some(of.by.to_string()),
            direction: Some(match of.direction {
                Direction::Above => "ABOVE",
                Direction::Below => "BELOW",
            }),
            ..Self::plain(reason)
        }
    }

    fn of_exception(of: &Exception) -> Self {
        match of {
            Exception::NoOrder => Self::plain("NO_PURCHASE_ORDER"),
            Exception::Held => Self::plain("HELD"),
            Exception::NoCostData => Self::plain("NO_COST_DATA"),
            Exception::CurrencyMismatch(currency) => {
                Self { currency: Some(currency.to_string()), ..Self::plain("CURRENCY_MISMATCH") }
            }
            Exception::BeyondTolerance(difference) => Self::of("BEYOND_TOLERANCE", difference),
            Exception::NeedsApproval => Self::plain("NEEDS_APPROVAL"),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Match {
    invoice_id: String,
    billing_period: String,
    total_amount: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_item_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metered_amount: Option<String>,
    result: &'static str,
    differences: Vec<DifferenceOut>,
}

impl Match {
    fn of(of: &ThreeWayView) -> Self {
        let invoice = &of.found.invoice.invoice;
        let to = of.found.association.as_ref().and_then(|row| row.charged_to.as_ref());
        Self {
            invoice_id: invoice.id.clone(),
            billing_period: invoice.period.to_string(),
            total_amount: invoice.total.to_string(),
            currency: invoice.currency.to_string(),
            purchase_order_id: to.map(|to| to.order.to_string()),
            line_item_number: to.map(|to| to.line.to_string()),
            metered_amount: of.cost.map(|(amount, _)| amount.to_string()),
            result: of.result.name(),
            differences: match &of.result {
                ThreeWay::Matched | ThreeWay::Unmatched => Vec::new(),
                ThreeWay::WithinTolerance(differences) => {
                    differences.iter().map(|of| DifferenceOut::of("WITHIN_TOLERANCE", of)).collect()
                }
                ThreeWay::Exception(exceptions) => {
                    exceptions.iter().map(DifferenceOut::of_exception).collect()
                }
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Matches {
    three_way_matches: Vec<Match>,
}

pub(super) async fn three_way(call: &Call<'_>) -> Answer<Vec<u8>> {
    let (input, filter): (ThreeWayIn, Filter) = (call.read()?, call.read()?);
    let terms = input.terms()?;
    let filter = filter.filter(call).await?;
    let found = call.desk.three_way_matches(call.caller, call.action, &filter, terms).await?;
    json(&Matches { three_way_matches: found.iter().map(Match::of).collect() })
}
