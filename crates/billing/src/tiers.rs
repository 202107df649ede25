//! Tiers: what a quantity costs where the price per unit falls, or rises, with what has been used in the month.

use crate::money::{Amount, DecimalError, Quantity, Rate, product};

/// How many tiers a pricing rule may have.
pub const CUSTOM_TIERS_MAX: usize = 10;

/// A tier: `[begin, end)` of a pool's usage at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Where the tier begins.
    pub begin: Quantity,
    /// Where it ends; only the last tier has no end.
    pub end: Option<Quantity>,
    /// The price per unit.
    pub rate: Rate,
}

/// One or more tiers that begin at 0, touch each other and end open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers(Vec<Tier>);

/// What is wrong with a list of tiers, and at which of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TierMistake {
    /// None, or too many.
    #[error("a rule has 1 to {CUSTOM_TIERS_MAX} custom tiers, this one has {0}")]
    Count(usize),
    /// The tiers do not cover all usage from 0 on.
    #[error("the first tier begins at 0, this one at {0}")]
    Start(Quantity),
    /// A tier does not begin where the one before ends.
    #[error("tier {tier} begins at {begin}, but the tier before it ends at {end}; tiers must touch")]
    Gap {
        /// Counted from 1.
        tier: usize,
        /// Where it begins.
        begin: Quantity,
        /// Where the one before ends.
        end: Quantity,
    },
    /// A tier ends at or before its begin.
    #[error("tier {0} ends where it begins or before")]
    Empty(usize),
    /// A tier before the last has no end.
    #[error("tier {0} has no end, but only the last tier is open")]
    OpenTooEarly(usize),
    /// The last tier has an end.
    #[error("the last tier must have no end, so that all usage has a price")]
    Closed,
    /// A negative rate.
    #[error("tier {0} has a negative rate")]
    NegativeRate(usize),
}

impl Tiers {
    /// Checks the tiers, in the order of [`TierMistake`].
    ///
    /// # Errors
    /// The first [`TierMistake`].
    pub fn new(tiers: Vec<Tier>) -> Result<Self, TierMistake> {
        let Some(first) = tiers.first() else { return Err(TierMistake::Count(0)) };
        if !first.begin.is_zero() {
            return Err(TierMistake::Start(first.begin));
        }
        let mut reached = Quantity::ZERO;
        for (number, tier) in (1..).zip(&tiers) {
            if tier.begin != reached {
                return Err(TierMistake::Gap { tier: number, begin: tier.begin, end: reached });
            }
            if tier.rate < Rate::ZERO {
                return Err(TierMistake::NegativeRate(number));
            }
            match tier.end {
                None if number < tiers.len() => return Err(TierMistake::OpenTooEarly(number)),
                Some(_) if number == tiers.len() => return Err(TierMistake::Closed),
                Some(end) if end <= tier.begin => return Err(TierMistake::Empty(number)),
                Some(end) => reached = end,
                None => {}
            }
        }
        Ok(Self(tiers))
    }

    /// One price for all usage.
    #[must_use]
    pub fn single(rate: Rate) -> Self {
        Self(vec![Tier { begin: Quantity::ZERO, end: None, rate }])
    }

    /// The tiers, from 0 on.
    #[must_use]
    pub fn all(&self) -> &[Tier] {
        &self.0
    }

    /// The rate of the first tier that is not free, where there is one.
    #[must_use]
    pub fn first_paid(&self) -> Option<Rate> {
        self.0.iter().map(|tier| tier.rate).find(|rate| *rate > Rate::ZERO)
    }

    /// The highest rate, which AWS shows as the public On-Demand rate of every tier.
    #[must_use]
    pub fn dearest(&self) -> Rate {
        self.0.iter().map(|tier| tier.rate).max().unwrap_or(Rate::ZERO)
    }

    /// The same tiers with the free ones at the first paid rate: what usage costs once the free tier is switched off.
    #[must_use]
    pub fn without_free(&self) -> Self {
        let Some(first_paid) = self.first_paid() else { return self.clone() };
        let paid =
            |tier: &Tier| Tier { rate: if tier.rate.is_zero() { first_paid } else { tier.rate }, ..*tier };
        Self(self.0.iter().map(paid).collect())
    }

    /// What a pool's usage costs: tier *k* takes max(0, min(q, end) − begin) at its rate. Exact.
    ///
    /// A quantity below 0, which only corrections bring about, is charged at the first rate.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn price(&self, quantity: Quantity) -> Result<Amount, DecimalError> {
        if quantity < Quantity::ZERO {
            return product(quantity, self.0[0].rate);
        }
        let mut amount = Amount::ZERO;
        for tier in self.0.iter().take_while(|tier| tier.begin < quantity) {
            let until = tier.end.map_or(quantity, |end| end.min(quantity));
            amount = amount.plus(product(until.minus(tier.begin)?, tier.rate)?)?;
        }
        Ok(amount)
    }
}
