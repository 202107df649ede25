//! Orders made ready for many invoices: their balances, their answers, and which order comes after which.

use super::answer::{Answer, Fits, Question};
use super::{Association, Effect, MatchError, Outcome, Place};
use crate::money::{Amount, DecimalError};
use crate::purchase_order::invoice::{Exchange, InvoiceId, InvoiceKind, MatchInvoice};
use crate::purchase_order::{Buyer, LineNumber, PurchaseOrder, PurchaseOrderId, Settings};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An order and what is known of its lines.
pub(super) struct Indexed {
    pub order: PurchaseOrder,
    /// Its first instant and the first one after it, in seconds since 1970-01-01T00:00:00Z.
    pub span: (i64, i64),
    /// What each line is worth less what invoices took, by its place among the lines.
    pub balances: Vec<Amount>,
    /// How often the balances have changed.
    pub changes: u64,
    /// The lines as D4 prefers them.
    pub preferred: Vec<usize>,
    /// What the lines say: each answer once.
    pub answers: Vec<Answer>,
    /// Which of the answers is to a question, by its number and by whether the invoice has an amount in the order's currency.
    pub answer_to: [Vec<Option<usize>>; 2],
    /// The AWS Marketplace charges that lines are for, sorted.
    charges: Vec<String>,
}

impl Indexed {
    pub fn new(order: PurchaseOrder) -> Self {
        let mut preferred: Vec<usize> = (0..order.lines.len()).collect();
        preferred.sort_by(|a, b| {
            let (a, b) = (&order.lines[*a], &order.lines[*b]);
            (a.months(), a.end).cmp(&(b.months(), b.end)).then_with(|| a.number.natural_order(&b.number))
        });
        let balances = order.lines.iter().map(|line| line.price.value().total).collect();
        let mut charges: Vec<String> = order.lines.iter().filter_map(|line| line.charge.clone()).collect();
        charges.sort_unstable();
        let span = (order.effective.start_seconds(), order.expiration.end_seconds());
        Self {
            order,
            span,
            balances,
            changes: 0,
            preferred,
            answers: Vec::new(),
            answer_to: Default::default(),
            charges,
        }
    }

    /// The same order and balances, to be changed.
    pub fn again(&self) -> Self {
        Self { balances: self.balances.clone(), ..Self::new(self.order.clone()) }
    }

    pub fn line(&self, number: &LineNumber) -> Option<usize> {
        self.order.lines.iter().position(|line| line.number == *number)
    }

    /// Takes from a line's balance.
    fn take(&mut self, line: usize, used: Amount) -> Result<(), DecimalError> {
        self.balances[line] = self.balances[line].minus(used)?;
        self.changes += 1;
        Ok(())
    }

    /// Whether an invoice may be of a purchase that the order has a line for.
    pub fn may_be_of_purchase(&self, invoice: &MatchInvoice) -> bool {
        let has = |charge: &String| self.charges.binary_search(charge).is_ok();
        invoice.charge.as_ref().is_some_and(has)
            || invoice.requested.as_ref().is_some_and(|requested| requested.id == self.order.id)
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
        next.balances[..self.balances.len()].copy_from_slice(&self.balances);
        next
    }
}

/// The orders of one buyer, and the questions that they were asked.
#[derive(Default)]
pub(super) struct Orders {
    /// In the order of ids.
    pub all: Vec<Indexed>,
    /// The number of each question.
    numbers: HashMap<Question, usize>,
    /// What the types of line say to each, by its number.
    pub fits: Vec<Fits>,
}

impl Orders {
    /// Adds an order, in place of one with its id.
    pub fn insert(&mut self, indexed: Indexed) {
        match self.place(&indexed.order.id) {
            Ok(place) => self.all[place] = indexed,
            Err(place) => self.all.insert(place, indexed),
        }
    }

    /// The place of an order, or where it would be.
    pub fn place(&self, id: &PurchaseOrderId) -> Result<usize, usize> {
        self.all.binary_search_by(|indexed| indexed.order.id.cmp(id))
    }

    pub fn get(&self, id: &PurchaseOrderId) -> Option<&Indexed> {
        self.place(id).ok().map(|place| &self.all[place])
    }

    /// The number of a question.
    pub fn number(&mut self, question: Question, settings: &Settings) -> usize {
        *self.numbers.entry(question).or_insert_with_key(|question| {
            self.fits.push(question.fits(settings));
            self.fits.len() - 1
        })
    }
}

/// Orders, settings and the associations so far: decides of invoices, one after the other.
pub struct Matcher {
    pub(super) settings: Settings,
    pub(super) orders: BTreeMap<Buyer, Orders>,
    /// Where each invoice is.
    pub(super) placed: HashMap<InvoiceId, Association>,
    /// Invoices that a person has taken off their orders.
    taken_off: HashSet<InvoiceId>,
    /// What credit memos ask of the invoices that are known, whether these have orders or not.
    known: HashMap<InvoiceId, Original>,
    /// The ids of orders that were deleted: they stay reserved (A20).
    reserved: BTreeMap<Buyer, BTreeSet<PurchaseOrderId>>,
}

/// What a credit memo asks of its original.
pub(super) struct Original {
    buyer: Buyer,
    /// The exchange that it states: its memos are exchanged by it where they state none.
    pub exchange: Option<Exchange>,
    /// Whether it is an invoice below 0: its memos take what it has given.
    pub gives: bool,
}

impl Matcher {
    /// Makes orders ready. Those of one buyer have ids of their own; which order they come in does not matter.
    #[must_use]
    pub fn new(settings: Settings, orders: impl IntoIterator<Item = PurchaseOrder>) -> Self {
        let mut of: BTreeMap<Buyer, Orders> = BTreeMap::new();
        for order in orders {
            of.entry(order.buyer.clone()).or_default().insert(Indexed::new(order));
        }
        Self {
            settings,
            orders: of,
            placed: HashMap::new(),
            taken_off: HashSet::new(),
            known: HashMap::new(),
            reserved: BTreeMap::new(),
        }
    }

    /// Says that an order was deleted: its id makes no other one.
    pub fn reserve(&mut self, buyer: Buyer, id: PurchaseOrderId) {
        self.reserved.entry(buyer).or_default().insert(id);
    }

    /// Whether an id is that of a deleted order.
    pub(super) fn is_reserved(&self, buyer: &Buyer, id: &PurchaseOrderId) -> bool {
        self.reserved.get(buyer).is_some_and(|ids| ids.contains(id))
    }

    /// Says of an invoice what its credit memos ask for, wherever it is. [`Self::take`] does so itself.
    pub fn know(&mut self, invoice: &MatchInvoice) {
        let gives = invoice.kind != InvoiceKind::CreditMemo && invoice.total < Amount::ZERO;
        let original = Original { buyer: invoice.buyer.clone(), exchange: invoice.exchange, gives };
        self.known.insert(invoice.id.clone(), original);
    }

    /// What is known of the original of a credit memo: an invoice of the same buyer.
    pub(super) fn original(&self, memo: &MatchInvoice) -> Option<&Original> {
        self.known.get(memo.original.as_ref()?).filter(|of| of.buyer == memo.buyer)
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
        self.taken_off.remove(&association.invoice);
        self.placed.insert(association.invoice.clone(), association);
        Ok(())
    }

    /// Says that a person has taken an invoice off its order: it is nowhere, and the rules leave it so.
    ///
    /// # Errors
    /// [`MatchError`] where a balance is beyond every amount.
    pub fn leave_off(&mut self, invoice: &str) -> Result<(), MatchError> {
        self.take_back(invoice)?;
        self.taken_off.insert(invoice.to_owned());
        Ok(())
    }

    /// Whether a person has taken an invoice off its order.
    #[must_use]
    pub fn is_taken_off(&self, invoice: &str) -> bool {
        self.taken_off.contains(invoice)
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
        let orders = self.orders.get_mut(buyer)?;
        let place = orders.place(id).ok()?;
        orders.all.get_mut(place)
    }

    pub(super) fn indexed(&self, buyer: &Buyer, id: &PurchaseOrderId) -> Option<&Indexed> {
        self.orders.get(buyer)?.get(id)
    }

    /// The orders as they are by now, the effects of invoices included.
    pub fn orders(&self) -> impl Iterator<Item = &PurchaseOrder> {
        self.orders.values().flat_map(|of| &of.all).map(|indexed| &indexed.order)
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

    /// What would be decided of an invoice that may be somewhere already, as if it were nowhere; it stays where it is.
    ///
    /// # Errors
    /// [`MatchError`] where an amount is beyond what can be reckoned with.
    pub fn asked_again(&mut self, invoice: &MatchInvoice) -> Result<super::Decision, MatchError> {
        let before = self.placed.get(&invoice.id).cloned();
        self.take_back(&invoice.id)?;
        let decision = self.decide(invoice);
        if let Some(before) = before {
            self.place(before)?;
        }
        decision
    }

    /// Decides of an invoice that may be somewhere already, as if it were nowhere, and does what was decided: see [`Self::take`].
    ///
    /// # Errors
    /// [`MatchError`] where an amount is beyond what can be reckoned with.
    pub fn take_again(&mut self, invoice: &MatchInvoice) -> Result<super::Decision, MatchError> {
        self.take_back(&invoice.id)?;
        self.take(invoice)
    }

    /// Decides of an invoice and does what was decided: the next invoice sees the balances and orders that it leaves.
    ///
    /// # Errors
    /// [`MatchError`] where an amount is beyond what can be reckoned with; nothing is done then.
    pub fn take(&mut self, invoice: &MatchInvoice) -> Result<super::Decision, MatchError> {
        let decision = self.decide(invoice)?;
        self.know(invoice);
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
                of.insert(Indexed::new((**order).clone()));
            }
            Effect::Revive { order, .. } | Effect::AddLine { order, .. } => {
                if let Some(indexed) = self.order_mut(buyer, order) {
                    *indexed = indexed.changed(effect);
                }
            }
        }
    }
}
