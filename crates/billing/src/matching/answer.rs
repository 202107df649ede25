//! What the lines of an order say to a question, kept for the next invoice that asks the same: here is where the time of matching goes.
//!
//! A [`Question`] is what the fate of lines depends on but for balances, the purchase and the invoice's currency. It is numbered once per
//! invoice; each order keeps its answers under that number. These hold at all times:
//!
//! - An answer depends on its question and on the order's lines alone: an order whose lines change is made anew, without answers.
//! - Questions with the same answer share it: two answers of an order never say the same.
//! - The lines of a [`Tier`] stand as D4 prefers them; every line is in one tier or has fallen.
//! - What was told of a losing order is told again for the same [`Loss`] until a balance of the order changes.

use super::rules::rank;
use super::trace::{LineFold, LineReason, Tally};
use crate::money::Amount;
use crate::period::BillingPeriod;
use crate::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use crate::purchase_order::{LineType, PurchaseOrder, Seller, Settings};
use std::collections::HashMap;
use std::sync::Arc;

/// What the fate of lines depends on, but for balances, the purchase and the currency.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    kind: InvoiceKind,
    period: BillingPeriod,
    seller: Seller,
    usage_ordered: bool,
}

impl Question {
    pub fn of(invoice: &MatchInvoice, usage_ordered: bool) -> Self {
        let MatchInvoice { kind, period, seller, .. } = invoice;
        Self { kind: *kind, period: *period, seller: seller.clone(), usage_ordered }
    }

    /// What a type of line says to it: its rank, or why it falls.
    fn fit(&self, of: LineType, settings: &Settings) -> Result<u8, LineReason> {
        match rank(of, self.kind, self.usage_ordered) {
            None => Err(LineReason::TypeNotApplicable),
            Some(_) if !settings.has_type(&self.seller, of) => Err(LineReason::TypeEntityNotSupported),
            Some(rank) => Ok(rank),
        }
    }

    pub fn fits(&self, settings: &Settings) -> Fits {
        Fits { by_type: LineType::ALL.map(|of| (of, self.fit(of, settings))), period: self.period }
    }
}

/// What every type of line says to a question.
pub(super) struct Fits {
    by_type: [(LineType, Result<u8, LineReason>); LineType::ALL.len()],
    period: BillingPeriod,
}

impl Fits {
    fn of(&self, line_type: LineType) -> Result<u8, LineReason> {
        let found = self.by_type.iter().find(|(of, _)| *of == line_type);
        found.map_or(Err(LineReason::TypeNotApplicable), |(_, fit)| *fit)
    }

    /// Whether it matters which purchase an invoice is of.
    pub fn asks_for_purchase(&self) -> bool {
        self.of(LineType::MarketplaceTransaction).is_ok()
    }
}

/// Candidates of one rank.
#[derive(PartialEq, Eq)]
pub(super) struct Tier {
    pub rank: u8,
    /// The preferred one first.
    pub lines: Vec<usize>,
}

/// Whether a line's balance covers an amount: one that is not tracked always does (D3), and an invoice that takes nothing is covered by every one,
/// also by one that is overdrawn (A27).
pub(super) fn covers(order: &PurchaseOrder, at: usize, used: Option<Amount>, balances: &[Amount]) -> bool {
    let is_covered = |used: Amount| used <= Amount::ZERO || balances[at] >= used;
    !order.lines[at].balance_tracking || used.is_some_and(is_covered)
}

/// How all candidates of an order have lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Loss {
    /// It has no candidates.
    Nothing,
    /// All for the same reason, and no balance was looked at.
    All(LineReason),
    /// Those of the winning rank for this reason, but those whose balance is too low; and those of a lower rank because of it.
    Tied {
        /// Why the others lost.
        reason: LineReason,
        /// How many have too little, where that is told. Of two amounts for which as many fall short, the same lines do: those with the lowest
        /// balances.
        short: Option<usize>,
    },
}

/// What the lines of an order say to a question.
#[derive(Default)]
pub(super) struct Answer {
    /// The highest rank first.
    pub tiers: Vec<Tier>,
    fallen: Tally,
    /// Which of the order's balances the rest is of, by how often they had changed.
    changes: u64,
    /// The tracked lines of the first tier, the lowest balance first.
    tracked: Vec<(Amount, usize)>,
    told: HashMap<Loss, Arc<[LineFold]>>,
}

impl Answer {
    /// Whether another answer says the same, whatever the balances.
    pub fn says_as(&self, other: &Self) -> bool {
        self.fallen == other.fallen && self.tiers == other.tiers
    }

    /// Looks at balances that have changed `changes` times.
    pub fn look_at(&mut self, balances: &[Amount], changes: u64) {
        if self.changes == changes {
            return;
        }
        self.changes = changes;
        self.told.clear();
        for (balance, at) in &mut self.tracked {
            *balance = balances[*at];
        }
        // Nearly sorted as it is, which this sort makes use of.
        self.tracked.sort();
    }

    /// How many lines of the first tier have a balance that does not cover an amount.
    pub fn short_of(&self, used: Option<Amount>) -> usize {
        let takes = used.filter(|used| *used > Amount::ZERO);
        takes.map_or(0, |used| self.tracked.partition_point(|(balance, _)| *balance < used))
    }

    /// Asks every line. `exchanged` says whether the invoice has an amount in the order's currency, `of_purchase` which Transaction lines are
    /// for its purchase.
    pub fn new(
        order: &PurchaseOrder,
        preferred: &[usize],
        fits: &Fits,
        exchanged: bool,
        of_purchase: impl Fn(usize) -> bool,
    ) -> Self {
        let mut answer = Self::default();
        for &at in preferred {
            let line = &order.lines[at];
            let transaction = line.line_type == LineType::MarketplaceTransaction;
            let reason = match fits.of(line.line_type) {
                Err(reason) => reason,
                Ok(_) if transaction && !of_purchase(at) => LineReason::TransactionMismatch,
                Ok(_) if !line.has_period(fits.period) => LineReason::PeriodOutsideLine,
                Ok(_) if line.balance_tracking && !exchanged => LineReason::CurrencyMismatch,
                Ok(rank) => {
                    answer.add(rank, at);
                    continue;
                }
            };
            answer.fallen.add(reason, at);
        }
        answer.tiers.sort_by_key(|tier| std::cmp::Reverse(tier.rank));
        let first = answer.tiers.first().map(|tier| tier.lines.as_slice()).unwrap_or_default();
        let tracked = first.iter().filter(|at| order.lines[**at].balance_tracking);
        answer.tracked = tracked.map(|at| (Amount::ZERO, *at)).collect();
        // Of no balances yet: the first look is at other ones.
        answer.changes = u64::MAX;
        answer
    }

    fn add(&mut self, rank: u8, at: usize) {
        match self.tiers.iter_mut().find(|tier| tier.rank == rank) {
            Some(tier) => tier.lines.push(at),
            None => self.tiers.push(Tier { rank, lines: vec![at] }),
        }
    }

    /// What the trace says of an order that has lost, with the balances that were looked at last.
    pub fn lost(
        &mut self,
        loss: Loss,
        used: Option<Amount>,
        order: &PurchaseOrder,
        balances: &[Amount],
    ) -> Arc<[LineFold]> {
        if let Some(told) = self.told.get(&loss) {
            return told.clone();
        }
        let top = self.tiers.first().map_or(0, |tier| tier.rank);
        let told = self.tell(order, balances, |tier, at| match loss {
            Loss::Nothing => LineReason::LessSpecific,
            Loss::All(reason) => reason,
            Loss::Tied { .. } if tier.rank < top => LineReason::LessSpecific,
            Loss::Tied { short: Some(_), .. } if !covers(order, at, used, balances) => {
                LineReason::InsufficientBalance
            }
            Loss::Tied { reason, .. } => reason,
        });
        self.told.insert(loss, told.clone());
        told
    }

    /// What the trace says, given what became of each candidate.
    pub fn tell(
        &self,
        order: &PurchaseOrder,
        balances: &[Amount],
        reason: impl Fn(&Tier, usize) -> LineReason,
    ) -> Arc<[LineFold]> {
        let mut tally = self.fallen;
        for tier in &self.tiers {
            for &at in &tier.lines {
                tally.add(reason(tier, at), at);
            }
        }
        tally.folds(order, balances)
    }
}
