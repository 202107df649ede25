//! Orders made ready for many invoices: what depends on kind, seller and billing period alone is found once.

use super::rules::rank;
use super::trace::{LineFold, LineReason, Tally};
use super::{Association, Effect, MatchError, Outcome, Place};
use crate::money::{Amount, DecimalError};
use crate::period::BillingPeriod;
use crate::purchase_order::invoice::{InvoiceId, InvoiceKind, MatchInvoice};
use crate::purchase_order::{Buyer, LineNumber, LineType, PurchaseOrder, PurchaseOrderId, Seller, Settings};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a line's fate depends on, but for balances and purchases.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    kind: InvoiceKind,
    period: BillingPeriod,
    seller: Seller,
    usage_ordered: bool,
}

/// The answer of one order's lines.
pub(super) struct Answer {
    /// Lines that may take the invoice, with the rank of their type, the preferred one first.
    pub candidates: Vec<(u8, usize)>,
    /// Transaction lines of the seller: whether they are for the purchase is asked of each invoice.
    pub transactions: Vec<usize>,
    /// The others.
    pub fallen: Tally,
    /// The others, as a trace tells them where there is nothing else to tell.
    pub folds: Arc<[LineFold]>,
}

/// An order and what is known of its lines.
pub(super) struct Indexed {
    pub order: PurchaseOrder,
    /// What each line is worth less what invoices took, by its place among the lines.
    pub balances: Vec<Amount>,
    /// What invoices took of each line.
    pub used: Vec<Amount>,
    /// The lines as D4 prefers them.
    preferred: Vec<usize>,
    answers: HashMap<Question, Arc<Answer>>,
}

impl Indexed {
    pub fn new(order: PurchaseOrder) -> Self {
        let mut preferred: Vec<usize> = (0..order.lines.len()).collect();
        preferred.sort_by(|a, b| {
            let (a, b) = (&order.lines[*a], &order.lines[*b]);
            (a.months(), a.end).cmp(&(b.months(), b.end)).then_with(|| a.number.natural_order(&b.number))
        });
        let balances = order.lines.iter().map(|line| line.price.value().total).collect();
        let used = vec![Amount::ZERO; order.lines.len()];
        Self { order, balances, used, preferred, answers: HashMap::new() }
    }

    /// The same order and balances, to be changed.
    pub fn again(&self) -> Self {
        let mut again = Self::new(self.order.clone());
        again.balances.clone_from(&self.balances);
        again.used.clone_from(&self.used);
        again
    }

    pub fn line(&self, number: &LineNumber) -> Option<usize> {
        self.order.lines.iter().position(|line| line.number == *number)
    }

    /// Takes from a line's balance.
    fn take(&mut self, line: usize, used: Amount) -> Result<(), DecimalError> {
        self.balances[line] = self.balances[line].minus(used)?;
        self.used[line] = self.used[line].plus(used)?;
        Ok(())
    }

    /// What the lines say to an invoice of a kind, seller and period.
    pub fn answer(
        &mut self,
        invoice: &MatchInvoice,
        usage_ordered: bool,
        settings: &Settings,
    ) -> Arc<Answer> {
        let question = Question {
            kind: invoice.kind,
            period: invoice.period,
            seller: invoice.seller.clone(),
            usage_ordered,
        };
        if let Some(answer) = self.answers.get(&question) {
            return answer.clone();
        }
        let mut answer = Answer {
            candidates: Vec::new(),
            transactions: Vec::new(),
            fallen: Tally::default(),
            folds: Arc::default(),
        };
        for &at in &self.preferred {
            let line = &self.order.lines[at];
            let of = line.line_type;
            let reason = match rank(of, question.kind, usage_ordered) {
                None => LineReason::TypeNotApplicable,
                Some(_) if !settings.has_type(&question.seller, of) => LineReason::TypeEntityNotSupported,
                Some(_) if of == LineType::MarketplaceTransaction => {
                    answer.transactions.push(at);
                    continue;
                }
                Some(_) if !line.has_period(question.period) => LineReason::PeriodOutsideLine,
                Some(rank) => {
                    answer.candidates.push((rank, at));
                    continue;
                }
            };
            answer.fallen.add(reason, at);
        }
        answer.folds = answer.fallen.folds(&self.order, &[]);
        let answer = Arc::new(answer);
        self.answers.insert(question, answer.clone());
        answer
    }

    /// The order with a line more, or another expiration.
    pub fn changed(&self, effect: &Effect) -> Self {
        let mut order = self.order.clone();
        match effect {
            Effect::Create(_) => {}
            Effect::Revive { expiration, .. } => order.expiration = *expiration,
            Effect::AddLine { line, .. } => order.lines.push((**line).clone()),
        }
        let mut next = Self::new(order);
        for (at, used) in self.used.iter().enumerate() {
            next.used[at] = *used;
            next.balances[at] = self.balances[at];
        }
        next
    }
}

/// Orders, settings and the associations so far: decides of invoices, one after the other.
pub struct Matcher {
    pub(super) settings: Settings,
    /// The orders of each buyer, in the order of ids.
    pub(super) orders: BTreeMap<Buyer, BTreeMap<PurchaseOrderId, Indexed>>,
    /// Where each invoice is.
    pub(super) placed: HashMap<InvoiceId, Association>,
}

impl Matcher {
    /// Makes orders ready. Those of one buyer have ids of their own; which order they come in does not matter.
    #[must_use]
    pub fn new(settings: Settings, orders: impl IntoIterator<Item = PurchaseOrder>) -> Self {
        let mut of: BTreeMap<Buyer, BTreeMap<_, _>> = BTreeMap::new();
        for order in orders {
            of.entry(order.buyer.clone()).or_default().insert(order.id.clone(), Indexed::new(order));
        }
        Self { settings, orders: of, placed: HashMap::new() }
    }

    /// Says where an invoice is already. What it takes from a line that is no more changes no balance.
    ///
    /// # Errors
    /// [`MatchError`] where a balance is beyond every amount.
    pub fn place(&mut self, association: Association) -> Result<(), MatchError> {
        if let Some(before) = self.placed.remove(&association.invoice) {
            self.book(&before, before.used.map(Amount::negated))?;
        }
        self.book(&association, association.used)?;
        self.placed.insert(association.invoice.clone(), association);
        Ok(())
    }

    /// Says that an invoice is nowhere any more.
    pub(super) fn take_back(&mut self, invoice: &str) -> Result<(), MatchError> {
        let Some(before) = self.placed.remove(invoice) else { return Ok(()) };
        self.book(&before, before.used.map(Amount::negated))
    }

    fn book(&mut self, association: &Association, used: Option<Amount>) -> Result<(), MatchError> {
        let Some(indexed) = self.order_mut(&association.buyer, &association.place.order) else {
            return Ok(());
        };
        let (Some(line), Some(used)) = (indexed.line(&association.place.line), used) else { return Ok(()) };
        let what = "the balance of its line";
        indexed.take(line, used).map_err(|error| MatchError {
            invoice: association.invoice.clone(),
            what,
            error,
        })
    }

    fn order_mut(&mut self, buyer: &Buyer, id: &PurchaseOrderId) -> Option<&mut Indexed> {
        self.orders.get_mut(buyer)?.get_mut(id)
    }

    pub(super) fn indexed(&self, buyer: &Buyer, id: &PurchaseOrderId) -> Option<&Indexed> {
        self.orders.get(buyer)?.get(id)
    }

    /// The orders as they are by now, the effects of invoices included.
    pub fn orders(&self) -> impl Iterator<Item = &PurchaseOrder> {
        self.orders.values().flat_map(|of| of.values()).map(|indexed| &indexed.order)
    }

    /// Where an invoice is.
    #[must_use]
    pub fn association(&self, invoice: &str) -> Option<&Association> {
        self.placed.get(invoice)
    }

    /// What is left of a line, in its order's currency: its value less the invoices associated with it, plus their credit memos.
    #[must_use]
    pub fn balance(&self, buyer: &Buyer, place: &Place) -> Option<Amount> {
        let indexed = self.indexed(buyer, &place.order)?;
        indexed.line(&place.line).map(|at| indexed.balances[at])
    }

    /// What is left of an order: the sum over its lines, in its currency.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn order_balance(&self, buyer: &Buyer, id: &PurchaseOrderId) -> Result<Option<Amount>, DecimalError> {
        let Some(indexed) = self.indexed(buyer, id) else { return Ok(None) };
        indexed.balances.iter().try_fold(Amount::ZERO, |sum, balance| sum.plus(*balance)).map(Some)
    }

    /// Decides of an invoice and does what was decided: the next invoice sees the balances and orders that it leaves.
    ///
    /// # Errors
    /// [`MatchError`] where an amount is beyond what can be reckoned with; nothing is done then.
    pub fn take(&mut self, invoice: &MatchInvoice) -> Result<super::Decision, MatchError> {
        let decision = self.decide(invoice)?;
        for effect in &decision.effects {
            self.apply(&invoice.buyer, effect);
        }
        if let Outcome::Associated(taking) = &decision.outcome {
            self.place(Association {
                invoice: invoice.id.clone(),
                buyer: invoice.buyer.clone(),
                place: taking.place.clone(),
                used: taking.used,
                by: super::PlacedBy::Rules,
            })?;
        }
        Ok(decision)
    }

    fn apply(&mut self, buyer: &Buyer, effect: &Effect) {
        match effect {
            Effect::Create(order) => {
                let of = self.orders.entry(buyer.clone()).or_default();
                of.insert(order.id.clone(), Indexed::new((**order).clone()));
            }
            Effect::Revive { order, .. } | Effect::AddLine { order, .. } => {
                if let Some(indexed) = self.order_mut(buyer, order) {
                    *indexed = indexed.changed(effect);
                }
            }
        }
    }
}
