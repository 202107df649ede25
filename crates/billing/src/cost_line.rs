//! Line item types: what kind of charge a cost line is.

/// `line_item_line_item_type`, as far as pricing tells them apart.
///
/// Source: AWS, "Line item details" of the Cost and Usage Report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineItemType {
    /// Metered usage at an On-Demand, spot or free rate.
    Usage,
    /// Usage that a reservation covers; its unblended cost is 0.
    DiscountedUsage,
    /// Usage that a Savings Plan covers; its unblended cost is the On-Demand cost.
    SavingsPlanCoveredUsage,
    /// What takes the On-Demand cost of covered usage back.
    SavingsPlanNegation,
    /// A Savings Plan's hourly fee.
    SavingsPlanRecurringFee,
    /// A Savings Plan's payment up front.
    SavingsPlanUpfrontFee,
    /// A reservation's monthly fee.
    RiFee,
    /// A one-off charge: reservations paid up front, support, domains, Marketplace.
    Fee,
    /// A flat-rate plan.
    FlatRateSubscription,
    /// Tax.
    Tax,
    /// A credit.
    Credit,
    /// A refund.
    Refund,
    /// A discount of any programme.
    Discount,
    /// A type that this program does not know: kept apart and reported.
    Unknown,
}

impl LineItemType {
    /// Reads AWS's spelling. `Discount` and every type that ends in `Discount` is a discount.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "Usage" => Self::Usage,
            "DiscountedUsage" => Self::DiscountedUsage,
            "SavingsPlanCoveredUsage" => Self::SavingsPlanCoveredUsage,
            "SavingsPlanNegation" => Self::SavingsPlanNegation,
            "SavingsPlanRecurringFee" => Self::SavingsPlanRecurringFee,
            "SavingsPlanUpfrontFee" => Self::SavingsPlanUpfrontFee,
            "RIFee" => Self::RiFee,
            "Fee" => Self::Fee,
            "FlatRateSubscription" => Self::FlatRateSubscription,
            "Tax" => Self::Tax,
            "Credit" => Self::Credit,
            "Refund" => Self::Refund,
            _ if text.ends_with("Discount") => Self::Discount,
            _ => Self::Unknown,
        }
    }

    /// Whether the line is the monthly or hourly fee of a commitment.
    #[must_use]
    pub const fn is_commitment_fee(self) -> bool {
        matches!(self, Self::RiFee | Self::SavingsPlanRecurringFee)
    }

    /// Whether only its description says what a charge is about.
    #[must_use]
    pub const fn is_told_by_description(self) -> bool {
        matches!(self, Self::Fee | Self::Credit | Self::Refund | Self::Discount)
    }

    /// Whether the line meters usage; the quantity of a negation repeats that of the usage it negates.
    #[must_use]
    pub const fn is_metered(self) -> bool {
        matches!(self, Self::Usage | Self::DiscountedUsage | Self::SavingsPlanCoveredUsage)
    }
}

/// Whether a product code is one of AWS's support plans.
///
/// `AWSSupportBusiness`, `AWSSupportEnterprise`, `AWSSupportDeveloper`, `OCBPremiumSupport` and their kin; by name, where files have
/// no codes, `AWS Support (Business)` and `AWS Premium Support`.
#[must_use]
pub fn is_support(product_code: &str) -> bool {
    let marks = ["AWSSupport", "AWS Support", "AWS Premium Support"];
    marks.iter().any(|mark| product_code.starts_with(mark)) || product_code.contains("PremiumSupport")
}

/// Whether an operation marks a row of split cost allocation, which repeats cost that other rows already carry.
#[must_use]
pub fn is_split_operation(operation: &str) -> bool {
    matches!(operation, "EKSPod-EC2" | "ECSTask-EC2")
}

/// Whether a description of free usage names an offer that ends: the first twelve months of an account, or a trial.
///
/// AWS calls the former "monthly free tier", and what is free for everybody "monthly global free tier".
#[must_use]
pub fn is_limited_offer(description: &str) -> bool {
    let text = description.to_ascii_lowercase();
    let says = |mark: &str| text.contains(mark);
    let twelve_months = says("12 month") || says("12-month") || says("twelve month");
    twelve_months || says("trial") || (says("monthly free tier") && !says("global"))
}
