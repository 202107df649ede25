//! Moving an invoice by hand, to another line or to none.

use super::access::Rights;
use super::matching::{
    How, OUT_OF_BALANCE, PlaceView, charged, matcher, memos_of, next_row, no_invoice, place_view,
    printed_elsewhere, unreckoned,
};
use super::state::Purchasing;
use super::trace;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::matching::{Correction, CorrectionRefusal, Place, warned};
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrderId};
use serde::{Deserialize, Serialize};

/// Where an invoice was moved to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The line; `None` where it was taken off its order.
    #[serde(flatten)]
    pub place: Option<PlaceView>,
    /// What the user should know: why the rules would not have put it there, say.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl BackOffice {
    /// Moves an invoice to another line, or to none, whatever the rules say; its credit memos go with it. What was decided before stays beside it.
    ///
    /// Source: AWS Billing user guide, "Viewing your bill", "Update purchase order". AWS documents no deadline.
    ///
    /// # Errors
    /// [`Error::Declined`] where there is no such invoice, order or line, or where the correction is refused.
    pub async fn move_invoice(
        &self,
        request: &WriteRequest<'_>,
        invoice: &str,
        to: Option<(&str, &str)>,
        reason: &str,
    ) -> Answer<Moved> {
        let rights = self.order_rights(request.caller, request.action).await?;
        // An answer that was kept before there were warnings may be of no place at all.
        let moved: Option<Moved> = self
            .purchase(request, |edit| {
                let found = edit.next.invoices.iter().find(|((_, id), _)| id == invoice);
                let row = found.map(|(_, row)| row.clone()).ok_or_else(|| no_invoice(invoice))?;
                let buyer = &row.invoice.buyer;
                let named = |to| named_place(&edit.next, &rights, buyer, to, invoice);
                let to = to.map(named).transpose()?;
                let memos = memos_of(&edit.next, buyer);
                let mut rules = matcher(&edit.next)?;
                let asked = Correction { invoice: &row.invoice, memos: &memos, to: to.as_ref(), reason };
                let actor = &request.caller.principal;
                let corrected = rules.correct(asked, actor, edit.now()).map_err(refused)?;
                for step in &corrected.steps {
                    rules.follow(step).map_err(unreckoned)?;
                }
                for step in &corrected.steps {
                    let all = std::iter::once(&row.invoice).chain(&memos);
                    let Some(moved) = all.into_iter().find(|it| it.id == step.invoice) else { continue };
                    let is_overdrawn = rules.is_overdrawn_by(&step.invoice);
                    let flags = is_overdrawn.then(|| OUT_OF_BALANCE.to_owned()).into_iter().collect();
                    let reason = match step.invoice == row.invoice.id {
                        true => step.reason.clone(),
                        false => format!("follows invoice `{}`: {}", row.invoice.id, step.reason),
                    };
                    let place = step.after.as_ref().map(|after| &after.place);
                    let charged_to = place.and_then(|place| charged(&edit.next, buyer, place));
                    let used = step.after.as_ref().and_then(|after| after.used);
                    let next = next_row(edit, moved, How::Moved, (charged_to, used, flags, reason));
                    edit.put_association(next, trace::of_person());
                }
                let of_rules = corrected.warnings.iter().zip(std::iter::repeat(&to));
                let of_rules = of_rules.filter_map(|(of, to)| Some(warned(*of, &row.invoice, to.as_ref()?)));
                let warnings = of_rules.chain(printed_elsewhere(&row)).collect();
                Ok(Some(Moved { place: to.as_ref().map(place_view), warnings }))
            })
            .await?;
        Ok(moved.unwrap_or_default())
    }
}

/// A refusal with the member of the request that it is about, where it is about one.
fn refused(refusal: CorrectionRefusal) -> Error {
    let message = refusal.to_string();
    match refusal {
        CorrectionRefusal::ReasonMissing(_) => {
            let fields = vec![("Reason".to_owned(), message.clone())];
            Declined::Invalid { message: format!("Reason: {message}"), fields }.into()
        }
        _ => Declined::invalid(message).into(),
    }
}

/// The line that a request names for an invoice: of an order of the invoice's own buyer.
fn named_place(
    purchasing: &Purchasing,
    rights: &Rights<'_>,
    buyer: &Buyer,
    (order, line): (&str, &str),
    invoice: &str,
) -> Answer<Place> {
    // A bare id is one of the invoice's buyer.
    let of_buyer = PurchaseOrderId::parse(order).and_then(|id| purchasing.order(buyer, &id));
    let row = match of_buyer {
        Some(row) => row,
        None => rights.order(purchasing, order)?,
    };
    if row.order.buyer != *buyer {
        let message = format!(
            "purchase order `{}` is of another buyer than invoice `{invoice}`; name one of the invoice's buyer",
            row.order.id
        );
        return Err(Declined::invalid(message).into());
    }
    let number = LineNumber::parse(line);
    let found = number.as_ref().and_then(|number| row.order.line(number));
    let found = found.ok_or_else(|| {
        let numbers: Vec<&str> = row.order.lines.iter().map(|line| line.number.as_str()).collect();
        Declined::invalid(format!(
            "purchase order `{}` has no line `{line}`; it has {}",
            row.order.id,
            numbers.join(", ")
        ))
    })?;
    Ok(Place { order: row.order.id.clone(), line: found.number.clone() })
}
