//! What has become of an issued document: open, paid, or cancelled.

use super::amount::{Invoiced, InvoicedError};
use super::date::Date;

/// A payment towards an invoice. One that is returned is a payment below 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The day on which it arrived.
    pub date: Date,
    /// How much, in the invoice's currency.
    pub amount: Invoiced,
    /// What the bank says of it.
    pub reference: Option<String>,
}

/// A credit note that takes back of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditedBy {
    /// The credit note's number.
    pub number: String,
    /// Its day of issue.
    pub date: Date,
    /// How much it takes back, with tax and rounding, in the invoice's currency.
    pub amount: Invoiced,
}

/// Where an issued invoice stands. It follows from the document, its payments and its credit notes; the document never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Something is still to be paid.
    Open {
        /// How much: what is due − paid − credited.
        open: Invoiced,
        /// The payments so far.
        paid: Invoiced,
    },
    /// Nothing is left to be paid.
    Paid {
        /// The day of the payment or credit note that settled it; none of an invoice over 0.
        on: Option<Date>,
        /// What was paid, or credited after payment, beyond what is due: the customer's.
        overpaid: Invoiced,
    },
    /// Credit notes took back the whole of it.
    Cancelled {
        /// The last of them.
        by: String,
        /// What had been paid, before the invoice and after it: the customer's.
        paid: Invoiced,
    },
}

impl Standing {
    /// Where an invoice stands after these payments and credit notes: `total` is its gross amount with rounding, `due` what of it was not
    /// paid before.
    ///
    /// # Errors
    /// [`InvoicedError`] where currencies differ or a sum is too large.
    pub fn of(
        total: Invoiced,
        due: Invoiced,
        payments: &[Payment],
        credits: &[CreditedBy],
    ) -> Result<Self, InvoicedError> {
        let nothing = total.zero();
        let paid = payments.iter().try_fold(nothing, |sum, payment| sum.plus(payment.amount))?;
        let credited = credits.iter().try_fold(nothing, |sum, credit| sum.plus(credit.amount))?;
        let last_credit = credits.iter().max_by(|a, b| (a.date, &a.number).cmp(&(b.date, &b.number)));
        if let Some(last) = last_credit.filter(|_| credited == total) {
            let paid = paid.plus(total.minus(due)?)?;
            return Ok(Self::Cancelled { by: last.number.clone(), paid });
        }
        let open = due.minus(paid)?.minus(credited)?;
        // An invoice below 0 is a debt of the seller's: it is open until that is paid out.
        let is_open = if due.units() < 0 { open.units() < 0 } else { open.units() > 0 };
        if is_open {
            return Ok(Self::Open { open, paid });
        }
        let on = payments.iter().map(|p| p.date).chain(credits.iter().map(|c| c.date)).max();
        Ok(Self::Paid { on, overpaid: open.negated() })
    }

    /// `OPEN`, `PARTLY_PAID`, `PAID` or `CANCELLED`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open { paid, .. } if paid.units() == 0 => "OPEN",
            Self::Open { .. } => "PARTLY_PAID",
            Self::Paid { .. } => "PAID",
            Self::Cancelled { .. } => "CANCELLED",
        }
    }
}

#[cfg(test)]
mod tests {
    //! Payments and credit notes settle an invoice in whatever order.

    use super::*;
    use crate::money::Currency;

    fn euros(units: i128) -> Invoiced {
        Invoiced::from_units(Currency::parse("EUR").unwrap(), units).unwrap()
    }

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn standing(due: i128, payments: &[(&str, i128)], credits: &[(&str, i128)]) -> Standing {
        prepaid(due, 0, payments, credits)
    }

    /// Where an invoice stands of whose total so much was paid before.
    fn prepaid(total: i128, before: i128, payments: &[(&str, i128)], credits: &[(&str, i128)]) -> Standing {
        let payment = |(date, units): &(&str, i128)| Payment {
            date: day(date),
            amount: euros(*units),
            reference: None,
        };
        let credit = |(i, (date, units)): (usize, &(&str, i128))| CreditedBy {
            number: format!("C{i}"),
            date: day(date),
            amount: euros(*units),
        };
        let payments: Vec<_> = payments.iter().map(payment).collect();
        let credits: Vec<_> = credits.iter().enumerate().map(credit).collect();
        Standing::of(euros(total), euros(total - before), &payments, &credits).unwrap()
    }

    #[test]
    fn an_invoice_is_open_until_nothing_is_left() {
        assert_eq!(standing(100, &[], &[]), Standing::Open { open: euros(100), paid: euros(0) });
        let part = standing(100, &[("2026-12-01", 40)], &[]);
        assert_eq!(
            (part.word(), &part),
            ("PARTLY_PAID", &Standing::Open { open: euros(60), paid: euros(40) })
        );
        let rest = standing(100, &[("2026-12-01", 40), ("2026-12-03", 60)], &[]);
        assert_eq!(rest, Standing::Paid { on: Some(day("2026-12-03")), overpaid: euros(0) });
        let more = standing(100, &[("2026-12-01", 101)], &[]);
        assert_eq!(more, Standing::Paid { on: Some(day("2026-12-01")), overpaid: euros(1) });
        let returned = standing(100, &[("2026-12-01", 100), ("2026-12-05", -100)], &[]);
        assert_eq!(returned.word(), "OPEN");
        assert_eq!(standing(0, &[], &[]), Standing::Paid { on: None, overpaid: euros(0) });
    }

    #[test]
    fn credit_notes_lower_what_is_open_and_cancel_the_whole() {
        let part = standing(100, &[], &[("2026-12-01", 30)]);
        assert_eq!(part, Standing::Open { open: euros(70), paid: euros(0) });
        let settled = standing(100, &[("2026-12-02", 70)], &[("2026-12-01", 30)]);
        assert_eq!(settled.word(), "PAID");
        let whole = standing(100, &[("2026-12-02", 70)], &[("2026-12-01", 30), ("2026-12-04", 70)]);
        assert_eq!(whole, Standing::Cancelled { by: "C1".to_owned(), paid: euros(70) });
        assert_eq!(standing(-100, &[], &[]).word(), "OPEN");
        assert_eq!(standing(-100, &[("2026-12-02", -100)], &[]).word(), "PAID");
    }
    #[test]
    fn a_cancelled_invoice_owes_back_what_was_paid_before_it() {
        let of = |before, payments: &[(&str, i128)], credits: &[(&str, i128)]| match prepaid(
            100, before, payments, credits,
        ) {
            Standing::Paid { overpaid, .. } => overpaid,
            Standing::Cancelled { paid, .. } => paid,
            open => panic!("{open:?}"),
        };
        let (part, rest) = (("2026-12-01", 40), ("2026-12-02", 60));
        assert_eq!(of(100, &[], &[part]), euros(40));
        assert_eq!(of(100, &[], &[part, rest]), euros(100));
        assert_eq!(of(30, &[("2026-12-01", 20)], &[part, rest]), euros(50));
        let given_back = ("2026-12-03", -100);
        assert_eq!(of(100, &[given_back], &[part, rest]), euros(0));
    }
}
