//! What becomes of a column of a customer's file.

/// What kind of value a column holds; a map of text to number is always empty here.
pub use export_query::Kind;

/// What AWS's manifests call values of a kind.
pub const fn manifest_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "OptionalString",
        Kind::Number => "OptionalBigDecimal",
        Kind::Time => "DateTime",
        Kind::Map | Kind::NumberMap => "OptionalMap",
    }
}

/// How far a commitment was used in the time of a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseOf {
    /// What was used of a Savings Plan, in money.
    UsedCommitment,
    /// Instance-hours of a reservation that were not used.
    UnusedInstances,
    /// The same in normalised units.
    UnusedNormalizedUnits,
    /// What they cost by the monthly fee.
    UnusedRecurring,
    /// What they cost by the payment up front.
    UnusedUpfront,
}

/// A text that is made, not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClassText {
    /// What is charged, without AWS's price.
    Description,
    /// The line item type in the group's own terms.
    LineItemType,
    /// The offer: the On-Demand price of the SKU, or the commitment's own.
    RateCode,
    /// `OnDemand`, `Spot`, or the commitment's own.
    PricingTerm,
    /// A column of FOCUS.
    Focus(FocusText),
}

/// A FOCUS column that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FocusText {
    BillingAccountType,
    BillingCurrency,
    ChargeCategory,
    ChargeFrequency,
    CommitmentCategory,
    CommitmentId,
    CommitmentStatus,
    CommitmentType,
    CommitmentUnit,
    ConsumedUnit,
    InvoiceIssuer,
    Operation,
    PricingCategory,
    PricingCurrency,
    PricingUnit,
    Provider,
    Publisher,
    RegionId,
    RegionName,
    ReservationStatus,
    ServiceCategory,
    ServiceCode,
    ServiceName,
    ServiceSubcategory,
    SkuId,
    SkuMeter,
    SkuPriceId,
    SubAccountId,
    SubAccountName,
    SubAccountType,
}

/// An amount of a line beside its billed cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountOf {
    /// After the operator's prices, before commitments.
    Contracted,
    /// After commitments: what the covered usage took of them, nothing for their purchase.
    Effective,
    /// At AWS's list price, or the contracted cost where there is none.
    List,
    /// How much of the commitment the line buys or takes.
    CommitmentQuantity,
}

/// A text that follows from the billing group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupText {
    /// Its primary account.
    PrimaryAccount,
    /// Its name.
    Name,
}

/// What becomes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Copied from the line.
    Copied,
    /// Copied from the line, an end a second before the hour made the hour.
    End,
    /// Copied from metered lines.
    ConsumedQuantity,
    /// Copied; a purchase without a quantity is one.
    PricingQuantity,
    /// Copied where it is a zone: AWS also writes a region there.
    Zone,
    /// Copied, or the book's name of the account.
    AccountName,
    /// Whether the capacity reservation that is copied was used.
    ReservationStatus,
    /// The type of the resource whose id is copied.
    ResourceType,
    /// Copied from lines of a commitment whose owner is in the group, computed on usage that one was simulated to cover, blank elsewhere.
    OwnCommitment,
    /// How far a commitment of the group was used, on its fees; blank where that is as in the real bill.
    Use(UseOf),
    /// Copied where the capacity reservation's owner is in the group.
    OwnReservation,
    /// What the line is billed: its pro forma amount.
    Cost,
    /// Another amount of the line.
    Amount(AmountOf),
    /// The pro forma price of one unit, as text.
    Rate,
    /// What a unit costs of a contracted or list cost.
    UnitPrice(AmountOf),
    /// An amount, where prices are in the currency of the bill.
    PricingAmount(AmountOf),
    /// What a unit costs, where prices are in the currency of the bill.
    PricingUnitPrice(AmountOf),
    /// A text of the billing group.
    Group(GroupText),
    /// A text that follows from the line's class and price.
    Class(ClassText),
    /// Blank unless the operator allows the column by name.
    Ask,
    /// The keys that the operator allows by name.
    Tags,
    /// Always blank.
    Blank,
}

impl Treatment {
    /// Whether values follow from the line's class, its price, its group and the commitment that covers it.
    pub const fn is_of_class(self) -> bool {
        self.class_text().is_some() || matches!(self, Self::Rate | Self::Group(_) | Self::OwnCommitment)
    }

    /// The text of a class that values are made from, if one is.
    pub const fn class_text(self) -> Option<ClassText> {
        match self {
            Self::Class(of) => Some(of),
            Self::AccountName => Some(ClassText::Focus(FocusText::SubAccountName)),
            Self::ReservationStatus => Some(ClassText::Focus(FocusText::ReservationStatus)),
            _ => None,
        }
    }
}
