//! What the cost files of a month can say.
//!
//! Formats differ in what they tell of a line. `docs/focus.md` has the table in words.

/// How well cost files say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ability {
    /// In a column of its own.
    Told,
    /// It follows from other columns, not always exactly.
    Derived,
    /// Not at all.
    Absent,
}

/// What a rule may match by, a base start from, or a metric be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// The code of the service.
    ServiceCode,
    /// The usage type.
    UsageType,
    /// The operation.
    Operation,
    /// The seller: AWS, AWS Marketplace.
    Seller,
    /// Lines that take back the On-Demand cost of usage under a Savings Plan.
    Negation,
    /// Rates and rate codes of a whole family, which show how long AWS's tiers are.
    TiersOfFamily,
    /// A list cost that is that of the dearest tier; else it is that of the tier which applied.
    ListCostOfDearestTier,
    /// What usage under a reservation took of it.
    ReservationEffectiveCost,
    /// What usage under a Savings Plan took of it.
    SavingsPlanEffectiveCost,
    /// What nobody has used of a reservation's month.
    UnusedReservations,
    /// What nobody has used of what a Savings Plan commits to.
    UnusedSavingsPlans,
    /// The cost at the average rates of the organization.
    BlendedCost,
    /// What discounts leave of the cost of reservations, used and unused.
    NetReservations,
    /// The same of Savings Plans.
    NetSavingsPlans,
    /// Tags.
    Tags,
    /// Cost categories.
    CostCategories,
    /// The id of the resource that was used.
    Resources,
    /// Lines: a month that is what a level above charges has none, and nothing that only lines tell.
    Lines,
}

impl Feature {
    /// Every feature, with its name.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::ServiceCode, "service code"),
        (Self::UsageType, "usage type"),
        (Self::Operation, "operation"),
        (Self::Seller, "seller"),
        (Self::Negation, "negation"),
        (Self::TiersOfFamily, "tiers of the family"),
        (Self::ListCostOfDearestTier, "list cost of the dearest tier"),
        (Self::ReservationEffectiveCost, "effective cost of reservations"),
        (Self::SavingsPlanEffectiveCost, "effective cost of Savings Plans"),
        (Self::UnusedReservations, "unused part of reservations"),
        (Self::UnusedSavingsPlans, "unused part of Savings Plans"),
        (Self::BlendedCost, "blended cost"),
        (Self::NetReservations, "net cost of reservations"),
        (Self::NetSavingsPlans, "net cost of Savings Plans"),
        (Self::Tags, "tags"),
        (Self::CostCategories, "cost categories"),
        (Self::Resources, "resource ids"),
        (Self::Lines, "lines"),
    ];
}

/// What cost files can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities([Ability; Feature::ALL.len()]);

impl Abilities {
    /// Everything: the Cost and Usage Reports.
    pub const ALL_TOLD: Self = Self([Ability::Told; Feature::ALL.len()]);

    /// How well the files say a feature.
    #[must_use]
    pub const fn of(self, feature: Feature) -> Ability {
        self.0[feature as usize]
    }

    /// The same but for one feature.
    #[must_use]
    pub const fn with(mut self, feature: Feature, ability: Ability) -> Self {
        self.0[feature as usize] = ability;
        self
    }

    /// What both of two files can say.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (ability, other) in self.0.iter_mut().zip(other.0) {
            *ability = (*ability).max(other);
        }
        self
    }
}

impl Default for Abilities {
    fn default() -> Self {
        Self::ALL_TOLD
    }
}
