//! Dimensions: what lines are told apart by in a question, under the names that Cost Explorer has for them.
//!
//! Source: the service model of AWS Cost Explorer, version 2017-10-25, shape `Dimension`. What a charge class does not carry cannot be asked for.

use std::fmt;

macro_rules! dimensions {
    ($($variant:ident $name:literal $absent:literal $doc:literal,)*) => {
        /// A dimension that facts have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dimension { $(#[doc = $doc] $variant,)* }

        impl Dimension {
            /// Every dimension.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name that Cost Explorer has for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The value of what has none.
            #[must_use]
            pub const fn absent(self) -> &'static str {
                match self { $(Self::$variant => $absent,)* }
            }
        }
    };
}

dimensions! {
    Az "AZ" "NoAZ" "The availability zone, of usage that a commitment may cover.",
    InstanceType "INSTANCE_TYPE" "NoInstanceType" "The instance type: `m5.large`.",
    InstanceTypeFamily "INSTANCE_TYPE_FAMILY" "NoInstanceTypeFamily" "The instance family: `m5`.",
    LegalEntityName "LEGAL_ENTITY_NAME" "NoLegalEntityName" "The seller of record.",
    InvoicingEntity "INVOICING_ENTITY" "NoInvoicingEntity" "Who invoices.",
    BillingEntity "BILLING_ENTITY" "NoBillingEntity" "The seller: AWS, AWS Marketplace.",
    LinkedAccount "LINKED_ACCOUNT" "NoLinkedAccount" "Who used it.",
    PayerAccount "PAYER_ACCOUNT" "NoPayerAccount" "Who pays.",
    Operation "OPERATION" "NoOperation" "What it was used for.",
    Platform "PLATFORM" "NoPlatform" "The operating system of an instance.",
    PurchaseType "PURCHASE_TYPE" "NoPurchaseType" "On demand, spot, reserved, or under a Savings Plan.",
    Region "REGION" "NoRegion" "The region.",
    Service "SERVICE" "NoService" "The service, as Cost Explorer names it.",
    Tenancy "TENANCY" "NoTenancy" "Shared, dedicated, or a host.",
    RecordType "RECORD_TYPE" "NoRecordType" "The kind of charge.",
    UsageType "USAGE_TYPE" "NoUsageType" "What was used.",
    ReservationId "RESERVATION_ID" "NoReservationId" "The reservation that covers or charges.",
    SavingsPlanArn "SAVINGS_PLAN_ARN" "NoSavingsPlanArn" "The Savings Plan that covers or charges.",
    ServiceCode "SERVICE_CODE" "NoServiceCode" "The service by its code: `AmazonEC2`.",
    ResourceId "RESOURCE_ID" "NoResourceId" "The resource: of lines alone, no class tells it.",
}

/// How many dimensions there are.
pub const DIMENSIONS: usize = Dimension::ALL.len();

impl Dimension {
    /// The dimension of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// Whether lines alone tell it: see [`crate::lines`].
    #[must_use]
    pub const fn is_of_lines(self) -> bool {
        matches!(self, Self::ResourceId)
    }

    /// Whether Cost Explorer groups by it.
    #[must_use]
    pub const fn is_for_groups(self) -> bool {
        !matches!(
            self,
            Self::InstanceTypeFamily
                | Self::ReservationId
                | Self::SavingsPlanArn
                | Self::PayerAccount
                | Self::ServiceCode
        )
    }

    /// Whether a billing group may ask for it: the others name accounts and commitments of the payer.
    #[must_use]
    pub const fn is_for_customers(self) -> bool {
        !matches!(self, Self::PayerAccount | Self::ReservationId | Self::SavingsPlanArn)
    }
}

/// What a question tells lines apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A dimension.
    Dimension(Dimension),
    /// A cost allocation tag, by its key.
    Tag(String),
    /// A cost category, by its name.
    CostCategory(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension(dimension) => f.write_str(dimension.name()),
            Self::Tag(key) => write!(f, "tag `{key}`"),
            Self::CostCategory(name) => write!(f, "cost category `{name}`"),
        }
    }
}

/// Whether a tag that a book names is the one that a client names.
///
/// Cost files write the keys of tags in their own way: CUR 2.0 has `user_cost_center` for the tag `Cost-Center` that a user has set and
/// `aws_created_by` for `aws:createdBy`, legacy reports and FOCUS have `user:Cost-Center` or the key itself. Clients give the key.
#[must_use]
pub fn is_same_tag(kept: &str, asked: &str) -> bool {
    kept == asked || own_key(kept) == own_key(asked)
}

/// A tag's key as a user would know it: without what cost files put before it.
#[must_use]
pub fn shown_tag(kept: &str) -> &str {
    ["user_", "user:", "resourceTags/user:"]
        .iter()
        .find_map(|prefix| kept.strip_prefix(prefix))
        .unwrap_or(kept)
}

/// A key in the form of CUR 2.0: words in small letters, joined by `_`.
fn own_key(key: &str) -> String {
    let key = shown_tag(key);
    let mut own = String::with_capacity(key.len());
    let mut was_small = false;
    for letter in key.chars() {
        if letter.is_uppercase() && was_small {
            own.push('_');
        }
        was_small = letter.is_lowercase() || letter.is_ascii_digit();
        match letter.is_alphanumeric() {
            true => own.extend(letter.to_lowercase()),
            false => own.push('_'),
        }
    }
    own
}

#[cfg(test)]
mod tests {
    //! Names of tags and dimensions.

    use super::*;

    #[test]
    fn a_tag_is_known_by_the_key_that_its_user_gave_it() {
        for (kept, asked, same) in [
            ("user_project", "Project", true),
            ("user_project", "user_project", true),
            ("user:CostCenter", "CostCenter", true),
            ("user_cost_center", "CostCenter", true),
            ("user_cost_center", "Cost-Center", true),
            ("aws_created_by", "aws:createdBy", true),
            ("Project", "Project", true),
            ("user_project", "Projects", false),
        ] {
            assert_eq!(is_same_tag(kept, asked), same, "{kept} {asked}");
        }
    }

    #[test]
    fn every_dimension_is_found_by_its_name() {
        for dimension in Dimension::ALL {
            assert_eq!(Dimension::parse(dimension.name()), Some(dimension));
        }
        assert_eq!(Dimension::parse("USAGE_TYPE_GROUP"), None);
    }
}
