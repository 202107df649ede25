//! What an operator should know before a document is issued.

use super::Invoice;
use super::compose::LateTax;
use super::plausibility::{UnlikelyTax, unlikely_taxes};
use crate::margin_guard::Findings;
use crate::money::{Amount, Cost, Currency};
use std::fmt;

/// What the matcher says of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderOutcome {
    /// It is the purchase order of this number.
    Found(String),
    /// It is this one, and the operator has named another line of it than the rules take.
    OtherLine {
        /// The number.
        number: String,
        /// The line that the operator has named.
        named: String,
        /// The line that the rules take.
        taken: String,
    },
    /// There is none, for this reason.
    None(String),
    /// Nobody has asked: the customer's purchase orders are not kept here.
    NotAsked,
}

/// Something that may be a mistake. For the operator only: some warnings tell a cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A product that is charged for less than it costs; all that is charged, where `product` is none.
    BelowCost {
        /// The product.
        product: Option<String>,
        /// The currency.
        currency: Currency,
        /// What AWS charges.
        aws_cost: Amount,
        /// What is charged.
        pro_forma: Amount,
    },
    /// A credit or refund of the customer's account that is on no bill.
    CreditNotPassedOn {
        /// The account.
        account: String,
        /// What AWS says of it.
        description: String,
        /// The currency.
        currency: Currency,
        /// How much; below 0.
        amount: Cost,
    },
    /// An account of the payer that is in no billing group, so that nobody is charged for it.
    UngroupedAccount {
        /// The account.
        account: String,
        /// The currency.
        currency: Currency,
        /// What AWS charges.
        aws_cost: Cost,
    },
    /// No purchase order.
    NoPurchaseOrder(String),
    /// Another line of the purchase order than the operator has named.
    OtherPurchaseOrderLine {
        /// The number.
        number: String,
        /// The line that the operator has named.
        named: String,
        /// The line that the rules take.
        taken: String,
    },
    /// A document over nothing.
    Nothing,
    /// A document below 0: the operator owes the customer.
    BelowZero(String),
    /// Nothing is due of a document that comes to something: it was paid before, or rounded away.
    NothingDue(String),
    /// A tax that is unlikely between the seller's country and the buyer's.
    UnlikelyTax(UnlikelyTax),
    /// What came late to an earlier month, under the tax of whatever no rule names.
    LateTax(LateTax),
    /// Lines that came to less than half a minor unit and are not on the document.
    LinesLeftOut(usize),
}

/// The warnings of a document: what the margin guard has found about the charges that it is of, and about nobody's accounts. Those are of a billing group, by
/// number in the book, in the currency that it is charged in, which need not be the document's; what the group is charged in another one is on another document.
#[must_use]
pub fn warnings(
    document: &Invoice,
    lines_left_out: usize,
    (group, charged_in): (usize, Currency),
    found: &Findings,
    order: &OrderOutcome,
) -> Vec<Warning> {
    let below = found.groups.iter().chain(&found.products);
    let below = below.filter(|of| (of.group, of.currency) == (group, charged_in)).map(|of| {
        let product = (!of.product.is_empty()).then(|| of.product.clone());
        let (aws_cost, pro_forma) = (of.aws_cost, of.pro_forma);
        Warning::BelowCost { product, currency: of.currency, aws_cost, pro_forma }
    });
    let mut warnings: Vec<Warning> = below.collect();
    let credits = found.credits.iter().filter(|of| (of.group, of.currency) == (Some(group), charged_in));
    warnings.extend(credits.map(|of| Warning::CreditNotPassedOn {
        account: of.account.clone(),
        description: of.description.clone(),
        currency: of.currency,
        amount: of.amount,
    }));
    warnings.extend(found.ungrouped.iter().map(|(account, currency, aws_cost)| Warning::UngroupedAccount {
        account: account.clone(),
        currency: *currency,
        aws_cost: *aws_cost,
    }));
    match order.clone() {
        OrderOutcome::None(reason) => warnings.push(Warning::NoPurchaseOrder(reason)),
        OrderOutcome::OtherLine { number, named, taken } => {
            warnings.push(Warning::OtherPurchaseOrderLine { number, named, taken });
        }
        OrderOutcome::Found(_) | OrderOutcome::NotAsked => {}
    }
    match document.totals.gross.units() {
        0 => warnings.push(Warning::Nothing),
        below if below < 0 => {
            warnings.push(Warning::BelowZero(format!("{} {}", document.totals.gross, document.currency)));
        }
        _ if document.totals.due.units() <= 0 => {
            warnings.push(Warning::NothingDue(format!("{} {}", document.totals.due, document.currency)));
        }
        _ => {}
    }
    warnings.extend(unlikely_taxes(document).into_iter().map(Warning::UnlikelyTax));
    if lines_left_out > 0 {
        warnings.push(Warning::LinesLeftOut(lines_left_out));
    }
    warnings
}

impl Warning {
    /// The words of all that [stop](Self::stops): a schedule may accept any of them, and nothing else stops it.
    pub const STOPPING: [&str; 9] = [
        "BELOW_COST",
        "CREDIT_NOT_PASSED_ON",
        "NO_PURCHASE_ORDER",
        "OTHER_PURCHASE_ORDER_LINE",
        "NOTHING_TO_PAY",
        "BELOW_ZERO",
        "TAX_OF_LATE_CHARGES",
        "NOTHING_DUE",
        "UNLIKELY_TAX",
    ];

    /// Whether nothing is to be issued before somebody has looked. The others inform: an account of nobody's is about no document in particular, and
    /// what is left out is less than half a minor unit of each line, and is kept with the invoice.
    #[must_use]
    pub fn stops(&self) -> bool {
        Self::STOPPING.contains(&self.code())
    }

    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BelowCost { .. } => "BELOW_COST",
            Self::CreditNotPassedOn { .. } => "CREDIT_NOT_PASSED_ON",
            Self::UngroupedAccount { .. } => "ACCOUNT_IN_NO_GROUP",
            Self::NoPurchaseOrder(_) => "NO_PURCHASE_ORDER",
            Self::OtherPurchaseOrderLine { .. } => "OTHER_PURCHASE_ORDER_LINE",
            Self::Nothing => "NOTHING_TO_PAY",
            Self::BelowZero(_) => "BELOW_ZERO",
            Self::NothingDue(_) => "NOTHING_DUE",
            Self::UnlikelyTax(_) => "UNLIKELY_TAX",
            Self::LateTax(_) => "TAX_OF_LATE_CHARGES",
            Self::LinesLeftOut(_) => "LINES_LEFT_OUT",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BelowCost { product, currency, aws_cost, pro_forma } => {
                let of = product.as_ref().map_or_else(|| "the whole".to_owned(), |of| format!("`{of}`"));
                write!(
                    f,
                    "{of} is charged at {pro_forma} {currency} and costs {aws_cost}; look at its pricing rules"
                )
            }
            Self::CreditNotPassedOn { account, description, currency, amount } => write!(
                f,
                "AWS gave account `{account}` {amount} {currency} (`{description}`) that is on no bill; pass it on with a policy or a \
                 custom line item, or mean to keep it"
            ),
            Self::UngroupedAccount { account, currency, aws_cost } => write!(
                f,
                "account `{account}` is in no billing group and costs {aws_cost} {currency}; nobody is charged for it"
            ),
            Self::NoPurchaseOrder(reason) => {
                write!(f, "no purchase order: {reason}; the customer may not be able to pay without one")
            }
            Self::OtherPurchaseOrderLine { number, named, taken } => write!(
                f,
                "line `{named}` of purchase order `{number}` is named, and the rules take line `{taken}`: the document says `{taken}`; where \
                 that is wrong, change the order's lines before it is issued"
            ),
            Self::Nothing => f.write_str("the document comes to 0; it need not be issued"),
            Self::BelowZero(gross) => {
                write!(f, "the document comes to {gross}: the operator owes it to the customer")
            }
            Self::NothingDue(due) => {
                write!(
                    f,
                    "the document comes to more than 0, and {due} is due; look at what was paid before, and at `payable_step`"
                )
            }
            Self::UnlikelyTax(tax) => write!(f, "{tax}"),
            Self::LateTax(LateTax { item, month, net, tax }) => write!(
                f,
                "`{item}` charges {net} {} that came late to {month}, under {} at {} %, and products of that month have other taxes; look at \
                 what came late, and name `{item}` among the `items` of the rule whose tax it has",
                net.currency(),
                tax.category,
                tax.rate
            ),
            Self::LinesLeftOut(lines) => {
                write!(f, "lines that come to less than half a minor unit are not on the document: {lines}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Which warnings stop.

    use super::*;
    use crate::invoice::{Invoiced, Tax, TaxCategory};
    use crate::money::Percentage;
    use crate::period::BillingPeriod;

    /// One of each kind, in the order of the list and the others after them.
    fn all() -> Vec<Warning> {
        let currency = Currency::parse("USD").unwrap();
        let (aws_cost, pro_forma) = (Amount::ZERO, Amount::ZERO);
        let text = String::new;
        let tax = UnlikelyTax { category: TaxCategory::ReverseCharge, seller: text(), buyer: text() };
        vec![
            Warning::BelowCost { product: None, currency, aws_cost, pro_forma },
            Warning::CreditNotPassedOn { account: text(), description: text(), currency, amount: Cost::ZERO },
            Warning::NoPurchaseOrder(text()),
            Warning::OtherPurchaseOrderLine { number: text(), named: text(), taken: text() },
            Warning::Nothing,
            Warning::BelowZero(text()),
            Warning::LateTax(LateTax {
                item: text(),
                month: BillingPeriod::new(2026, 10).unwrap(),
                net: Invoiced::nothing(currency).unwrap(),
                tax: Tax { category: TaxCategory::Zero, rate: Percentage::ZERO },
            }),
            Warning::NothingDue(text()),
            Warning::UnlikelyTax(tax),
            Warning::UngroupedAccount { account: text(), currency, aws_cost: Cost::ZERO },
            Warning::LinesLeftOut(1),
        ]
    }

    #[test]
    fn all_stop_but_what_informs() {
        let codes: Vec<&str> = all().iter().map(Warning::code).collect();
        let (stopping, informing) = codes.split_at(Warning::STOPPING.len());
        assert_eq!(stopping, Warning::STOPPING);
        assert_eq!(informing, ["ACCOUNT_IN_NO_GROUP", "LINES_LEFT_OUT"]);
        for warning in all() {
            // A new kind is to be in the list of `all`, above: the compiler asks for it here.
            let informs = match &warning {
                Warning::UngroupedAccount { .. } | Warning::LinesLeftOut(_) => true,
                Warning::BelowCost { .. }
                | Warning::CreditNotPassedOn { .. }
                | Warning::NoPurchaseOrder(_)
                | Warning::OtherPurchaseOrderLine { .. }
                | Warning::Nothing
                | Warning::BelowZero(_)
                | Warning::LateTax(_)
                | Warning::NothingDue(_)
                | Warning::UnlikelyTax(_) => false,
            };
            assert_eq!(warning.stops(), !informs, "{}", warning.code());
        }
    }
}
