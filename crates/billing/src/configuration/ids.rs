//! Names of resources: ids and ARNs.
//!
//! Source: AWS Billing Conductor API reference, the patterns of ARNs; the id of a standard billing group is its primary account's.

use crate::account::AccountId;
use crate::arn::Arn;
use std::fmt;

/// The kinds of resources, by their name in ARNs and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// `billinggroup`
    BillingGroup,
    /// `pricingplan`
    PricingPlan,
    /// `pricingrule`
    PricingRule,
    /// `customlineitem`
    CustomLineItem,
}

impl ResourceType {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::BillingGroup, Self::PricingPlan, Self::PricingRule, Self::CustomLineItem];

    /// The name in ARNs and errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BillingGroup => "billinggroup",
            Self::PricingPlan => "pricingplan",
            Self::PricingRule => "pricingrule",
            Self::CustomLineItem => "customlineitem",
        }
    }

    /// The name in sentences.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::BillingGroup => "billing group",
            Self::PricingPlan => "pricing plan",
            Self::PricingRule => "pricing rule",
            Self::CustomLineItem => "custom line item",
        }
    }
}

/// An ARN of the service: `arn:aws:billingconductor::ACCOUNT:KIND/ID`, without a region.
#[must_use]
pub fn arn(account: &str, kind: ResourceType, id: &str) -> String {
    ["arn:aws:billingconductor::", account, ":", kind.name(), "/", id].concat()
}

/// What an ARN or a bare id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceName {
    /// The account and the kind that an ARN has; a bare id has neither.
    pub owner: Option<(String, ResourceType)>,
    /// The id.
    pub id: String,
}

impl ResourceName {
    /// Reads an ARN of the service, or a bare id of letters and digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_id =
            |id: &str| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let Some(arn) = Arn::parse(text) else {
            return is_id(text).then(|| Self { owner: None, id: text.to_owned() });
        };
        let (kind, id) = arn.resource.split_once('/')?;
        let kind = ResourceType::ALL.into_iter().find(|of| of.name() == kind)?;
        let is_of_service = arn.service == "billingconductor" && arn.region.is_empty();
        (is_of_service && is_id(id))
            .then(|| Self { owner: Some((arn.account.to_owned(), kind)), id: id.to_owned() })
    }
}

/// The most characters of an id.
const ID_LENGTH_MAX: usize = 12;

/// The text of an id, kept in place: tables of tens of thousands are searched and copied by it. Zeros fill it up, so that ids order as their
/// texts do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ShortText([u8; ID_LENGTH_MAX]);

impl ShortText {
    /// The text as given; `None` where there is no room for it.
    fn of(text: &str) -> Option<Self> {
        let mut bytes = [0; ID_LENGTH_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self(bytes))
    }

    fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(ID_LENGTH_MAX);
        // It was made of a text without zeros.
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

/// A newtype of an id.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ShortText);

        impl $name {
            /// The kind of resource that it names.
            pub const KIND: ResourceType = ResourceType::$kind;

            /// The id as given; `None` unless it is 10 to 12 letters and digits.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let fits = text.len() >= 10 && text.bytes().all(|b| b.is_ascii_alphanumeric());
                if fits { ShortText::of(text).map(Self) } else { None }
            }

            /// The id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The ARN under a payer.
            #[must_use]
            pub fn arn(&self, payer: &AccountId) -> String {
                arn(payer.as_str(), Self::KIND, self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

id_type!(
    /// A billing group: of a standard one its primary account, of a billing transfer ten letters and digits.
    BillingGroupId,
    BillingGroup
);
id_type!(
    /// A pricing plan of the payer.
    PricingPlanId,
    PricingPlan
);
id_type!(
    /// A pricing rule.
    PricingRuleId,
    PricingRule
);
id_type!(
    /// A custom line item, whatever its version.
    CustomLineItemId,
    CustomLineItem
);
