//! A decision in sentences, as a person would say them.

use super::{
    CorrectionWarning, Decision, Effect, LineFold, LineReason, NoOrder, OrderReason, OrderTrace,
    OrderVerdict, Outcome, Place, Taking,
};
use crate::purchase_order::invoice::MatchInvoice;

/// What was decided of an invoice and why: first the outcome, then each order of the buyer. Amounts are exact, with their currency.
#[must_use]
pub fn explain(invoice: &MatchInvoice, decision: &Decision) -> Vec<String> {
    let mut said = of_outcome(invoice, decision);
    said.extend(decision.trace.orders.iter().map(|traced| of_candidate(invoice, traced)));
    said
}

/// What was decided of an invoice, without the orders that were looked at.
#[must_use]
pub fn of_outcome(invoice: &MatchInvoice, decision: &Decision) -> Vec<String> {
    let mut said = outcome(invoice, &decision.outcome);
    said.extend(decision.effects.iter().map(effect));
    for other in &decision.other_numbers {
        said.push(format!(
            "A charge on it has the number `{other}` as well; an invoice carries one purchase order only."
        ));
    }
    said
}

/// What became of one order that was looked at for an invoice.
#[must_use]
pub fn of_candidate(invoice: &MatchInvoice, traced: &OrderTrace) -> String {
    let order = &traced.order;
    match &traced.verdict {
        OrderVerdict::Fell(reason) => {
            format!("Purchase order `{order}` was not a candidate: {}.", order_reason(*reason, invoice))
        }
        OrderVerdict::Lines(folds) if folds.is_empty() => {
            format!("Purchase order `{order}` was a candidate, but it has no lines.")
        }
        OrderVerdict::Lines(folds) => {
            let lines = folds.iter().map(|fold| line(fold, invoice)).collect::<Vec<_>>();
            format!("Purchase order `{order}` was a candidate: {}.", lines.join("; "))
        }
    }
}

/// What a person should know of the line that they chose for an invoice.
#[must_use]
pub fn warned(warning: CorrectionWarning, invoice: &MatchInvoice, to: &Place) -> String {
    let Place { order, line: number } = to;
    match warning {
        CorrectionWarning::Order(reason) => format!(
            "the rules would not have taken purchase order `{order}`: {}",
            order_reason(reason, invoice)
        ),
        CorrectionWarning::Line(reason) => {
            let fold = LineFold { reason, count: 1, first: number.clone(), balance: None };
            format!(
                "the rules would not have taken line `{number}` of purchase order `{order}`: {}",
                line(&fold, invoice)
            )
        }
    }
}

/// What a person can do for a credit memo whose original is not known; `None` of what names none.
#[must_use]
pub fn original_unknown(memo: &MatchInvoice) -> Option<String> {
    let original = memo.original.as_deref()?;
    Some(format!(
        "Invoice `{original}` is not known here. Take it in with AWS's list of the month that it is of (`proforma invoice import`), and the credit \
         memo follows it."
    ))
}

fn outcome(invoice: &MatchInvoice, outcome: &Outcome) -> Vec<String> {
    let MatchInvoice { id, kind, period, total, currency, seller, .. } = invoice;
    let subject = format!("Invoice `{id}` ({kind}, {period}, {total} {currency} from `{seller}`)");
    match outcome {
        Outcome::Associated(taking) => {
            let place = format!("line `{}` of purchase order `{}`", taking.place.line, taking.place.order);
            vec![format!("{subject} is associated with {place}."), balance(taking)]
        }
        Outcome::Held(taking) => {
            let place = format!("line `{}` of purchase order `{}`", taking.place.line, taking.place.order);
            vec![format!("{subject} is held: it would take {place}, and no candidate's balance covers it.")]
        }
        Outcome::None(reason) => {
            vec![format!("{subject} carries no purchase order: {}.", no_order(*reason, invoice))]
        }
    }
}

fn balance(taking: &Taking) -> String {
    let Taking { used, balance_after, currency, out_of_balance, .. } = taking;
    if taking.lacks_exchange {
        return format!(
            "It gives nothing back, although the line's balance is tracked: neither it nor its original states an exchange to {currency}."
        );
    }
    let (Some(used), Some(left)) = (used, balance_after) else {
        return format!("It changes no balance: its amount has no counterpart in {currency}.");
    };
    let moved = if used.units() < 0 {
        format!("It gives {} {currency} back to the line", used.negated())
    } else {
        format!("It takes {used} {currency} from the line")
    };
    let tail = if *out_of_balance {
        "; no candidate's balance covered it, so the line is out of balance"
    } else {
        ""
    };
    format!("{moved}, whose balance is {left} {currency} afterwards{tail}.")
}

/// Why an invoice has no order, as the end of a sentence.
#[must_use]
pub fn no_order(reason: NoOrder, invoice: &MatchInvoice) -> String {
    let requested = || invoice.requested.as_ref().map_or_else(String::new, |it| it.id.to_string());
    match reason {
        NoOrder::NoOrders => "the buyer has none".to_owned(),
        NoOrder::NoOrderEligible => "none of the buyer's orders is for it".to_owned(),
        NoOrder::NoLineEligible => "no line of the orders that were candidates is for it".to_owned(),
        NoOrder::NoBalance => {
            "no candidate's balance covers it, and such invoices are left without one".to_owned()
        }
        NoOrder::NoOriginal => "a credit memo follows its original, and this one names none".to_owned(),
        NoOrder::OriginalWithoutOrder => {
            let original = invoice.original.as_deref().unwrap_or_default();
            format!("a credit memo follows its original, and `{original}` has none")
        }
        NoOrder::RequestedSuspended => format!(
            "the buyer asked for `{}`, which is suspended; re-activate it and match the invoice again",
            requested()
        ),
        NoOrder::RequestedUnknown => format!("the buyer asked for `{}`, which does not exist", requested()),
        NoOrder::RequestedLimit => format!(
            "the buyer asked for `{}`, which would need a line or an active order beyond the limit of 100",
            requested()
        ),
        NoOrder::RequestedDeleted => format!(
            "the buyer asked for `{}`, which was deleted, and its id stays reserved; create an order under another id and move the invoice there",
            requested()
        ),
    }
}

/// Why an order falls, as the end of a sentence.
#[must_use]
pub fn order_reason(reason: OrderReason, invoice: &MatchInvoice) -> String {
    match reason {
        OrderReason::NotRequested => "the buyer asked for another one".to_owned(),
        OrderReason::Suspended => "it is suspended".to_owned(),
        OrderReason::Expired(month) => format!("it expired at the end of {month}"),
        OrderReason::NotYetEffective(month) => format!("it is effective from {month} only"),
        OrderReason::BillFromMismatch => format!("it does not bill from `{}`", invoice.seller),
        OrderReason::TaxRegistrationNumberMismatch => match &invoice.tax_registration_number {
            Some(number) => format!("it is not for tax registration number `{number}`"),
            None => "it asks for a tax registration number, and the invoice has none".to_owned(),
        },
        OrderReason::InvoiceUnitMismatch => match &invoice.invoice_unit {
            Some(unit) => format!("it is not for invoice unit `{unit}`"),
            None => "it is for invoice units, and the invoice is of none".to_owned(),
        },
    }
}

fn line(fold: &LineFold, invoice: &MatchInvoice) -> String {
    let one = fold.count == 1;
    let subject = if one {
        format!("line `{}`", fold.first)
    } else {
        format!("{} lines, the first of them `{}`,", fold.count, fold.first)
    };
    let verb = |singular: &str, plural: &str| if one { singular.to_owned() } else { plural.to_owned() };
    let left =
        fold.balance.map_or_else(String::new, |balance| format!(" (`{}` has {balance} left)", fold.first));
    let said = match fold.reason {
        LineReason::TypeNotApplicable => {
            format!("{} for {} invoices", verb("is not", "are not"), invoice.kind)
        }
        LineReason::TypeEntityNotSupported => {
            format!("{} of a type that does not exist for `{}`", verb("is", "are"), invoice.seller)
        }
        LineReason::TransactionMismatch => {
            format!("{} for another AWS Marketplace purchase", verb("is", "are"))
        }
        LineReason::PeriodOutsideLine => format!("{} not take {}", verb("does", "do"), invoice.period),
        LineReason::CurrencyMismatch => {
            let tracks = verb("tracks its balance", "track their balances");
            format!("{tracks} in a currency that {} cannot be exchanged to", invoice.currency)
        }
        LineReason::UnitPreferred => {
            format!("{} way to an order that names the invoice's unit", verb("gives", "give"))
        }
        LineReason::LessSpecific => format!("{} way to a more specific type", verb("gives", "give")),
        LineReason::InsufficientBalance => {
            format!(
                "{} too little left for {} {}{left}",
                verb("has", "have"),
                invoice.total,
                invoice.currency
            )
        }
        LineReason::UpdatedEarlier => {
            format!("{} way to an order that was updated later", verb("gives", "give"))
        }
        LineReason::LaterId => {
            format!("{} way to an order whose id comes first, for all else is equal", verb("gives", "give"))
        }
        LineReason::OtherLine => {
            format!(
                "{} way to a line of fewer months, an earlier end or a lower number",
                verb("gives", "give")
            )
        }
        LineReason::Taken => verb("is taken", "are taken"),
    };
    format!("{subject} {said}")
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Create(order) => {
            format!(
                "Purchase order `{}` is created by the AWS Marketplace purchase, without contacts.",
                order.id
            )
        }
        Effect::Revive { order, expiration } => {
            format!(
                "Purchase order `{order}` had expired; the AWS Marketplace purchase makes it active until {expiration}."
            )
        }
        Effect::AddLine { order, line } => {
            format!("Purchase order `{order}` gets line `{}` for the AWS Marketplace purchase.", line.number)
        }
    }
}
