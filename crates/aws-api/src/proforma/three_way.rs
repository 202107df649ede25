//! Whether invoices agree with their orders and with what they should come to, and by which terms that is asked.

use super::purchasing::{Filter, PAGE, position};
use crate::call::{Call, json};
use crate::purchase_orders::at_fault;
use back_office::error::Answer;
use back_office::purchasing::three_way::{Approval, ThreeWayView};
use billing::matching::three_way::{Against, Difference, Direction, Exception, Terms, ThreeWay};
use billing::money::{Amount, Percentage};
use serde::{Deserialize, Serialize};

/// What stands for a bound that is taken away.
const NONE: &str = "NONE";

/// Terms as somebody gives them; what is not given stays as it is.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TermsIn {
    cost_tolerance_amount: Option<String>,
    cost_tolerance_percentage: Option<String>,
    line_tolerance_amount: Option<String>,
    line_tolerance_percentage: Option<String>,
    require_purchase_order: Option<bool>,
    approval_above: Option<String>,
}

impl TermsIn {
    /// Terms with what is given put in their place.
    pub fn onto(&self, terms: Terms) -> Answer<Terms> {
        let mut terms = terms;
        for (name, text, bound) in [
            ("CostToleranceAmount", &self.cost_tolerance_amount, &mut terms.cost.amount),
            ("LineToleranceAmount", &self.line_tolerance_amount, &mut terms.line.amount),
            ("ApprovalAbove", &self.approval_above, &mut terms.approval_above),
        ] {
            put(
                name,
                text,
                bound,
                |text| Amount::parse(text).ok().filter(|it| *it >= Amount::ZERO),
                "amount",
            )?;
        }
        for (name, text, bound) in [
            ("CostTolerancePercentage", &self.cost_tolerance_percentage, &mut terms.cost.percent),
            ("LineTolerancePercentage", &self.line_tolerance_percentage, &mut terms.line.percent),
        ] {
            let parse = |text: &str| Percentage::parse(text).ok().filter(|it| *it >= Percentage::ZERO);
            put(name, text, bound, parse, "percentage")?;
        }
        terms.require_order = self.require_purchase_order.unwrap_or(terms.require_order);
        Ok(terms)
    }
}

/// Puts a bound in its place, or takes it away.
fn put<T>(
    name: &str,
    text: &Option<String>,
    bound: &mut Option<T>,
    parse: impl Fn(&str) -> Option<T>,
    what: &str,
) -> Answer<()> {
    match text.as_deref() {
        None => {}
        Some(NONE) => *bound = None,
        Some(text) => {
            let message = || format!("`{text}` is no {what} of 0 or more; give one, or {NONE}");
            *bound = Some(parse(text).ok_or_else(|| at_fault(name, &message()))?);
        }
    }
    Ok(())
}

/// Terms as they stand.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TermsOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_tolerance_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_tolerance_percentage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_tolerance_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_tolerance_percentage: Option<String>,
    require_purchase_order: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_above: Option<String>,
}

impl From<Terms> for TermsOut {
    fn from(of: Terms) -> Self {
        let amount = |of: Option<Amount>| of.map(|of| of.to_string());
        let percent = |of: Option<Percentage>| of.map(|of| of.to_string());
        Self {
            cost_tolerance_amount: amount(of.cost.amount),
            cost_tolerance_percentage: percent(of.cost.percent),
            line_tolerance_amount: amount(of.line.amount),
            line_tolerance_percentage: percent(of.line.percent),
            require_purchase_order: of.require_order,
            approval_above: amount(of.approval_above),
        }
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
                Against::Statement => "STATEMENT",
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
    #[serde(skip_serializing_if = "Option::is_none")]
    metered_currency: Option<String>,
    was_out_of_balance: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalOut>,
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
            metered_amount: of.expected.map(|expected| expected.amount.to_string()),
            metered_currency: of.expected.map(|expected| expected.currency.to_string()),
            was_out_of_balance: of.was_out_of_balance,
            approval: of.approval.clone().map(ApprovalOut::from),
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

/// Who has approved of an invoice.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApprovalOut {
    approved_by: String,
    approved_time: i64,
    reason: String,
}

impl From<Approval> for ApprovalOut {
    fn from(of: Approval) -> Self {
        Self { approved_by: of.by, approved_time: of.at_s, reason: of.reason }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Matches {
    three_way_matches: Vec<Match>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn three_way(call: &Call<'_>) -> Answer<Vec<u8>> {
    let (input, filter): (TermsIn, Filter) = (call.read()?, call.read()?);
    let page = call.page(filter.max_results, filter.next_token.as_deref(), PAGE)?;
    let found = call.desk.matches(call.caller, call.action, &filter.filter(call).await?).await?;
    // One more than the page has says that there is a next one.
    let found =
        found.into_iter().filter(|of| position(&of.invoice) > page.after).take(page.max + 1).collect();
    let views = call.desk.three_way_matches(call.caller, found, |terms| input.onto(terms)).await?;
    let entries = views.iter().map(|of| (position(&of.found.invoice), Match::of(of)));
    let (three_way_matches, next_token) = call.cut(&page, entries)?;
    json(&Matches { three_way_matches, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Approve {
    invoice_id: String,
    reason: String,
}

pub(super) async fn approve(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Approve = call.read()?;
    let request = call.write(&input.invoice_id);
    let approval = call.desk.approve_invoice(&request, &input.invoice_id, &input.reason).await?;
    json(&ApprovalOut::from(approval))
}
