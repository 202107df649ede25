//! A payer's configuration as rows: each span of each timeline is one.
//!
//! A row is written once. A save marks the rows that hold no more with its revision and adds those that are new; so the rows still say what was
//! configured at any revision.

mod kept;
mod load;
mod rot;
mod save;

pub use load::Loaded;

use crate::body::Body;
use billing::configuration::{FamilyAccount, GroupSettings, PlanSettings, RuleSettings};
use billing::group_rule::GroupRule;
use billing::organization::{Organization, OrganizationalUnit};

/// What a row of `settings` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Group,
    Plan,
    Rule,
    Item,
    Membership,
    Family,
    FamilyIsComplete,
    Organization,
    Unit,
    GroupRule,
    Placement,
    Transfer,
    Preference,
    Other,
    ClosedThrough,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Group,
        Self::Plan,
        Self::Rule,
        Self::Item,
        Self::Membership,
        Self::Family,
        Self::FamilyIsComplete,
        Self::Organization,
        Self::Unit,
        Self::GroupRule,
        Self::Placement,
        Self::Transfer,
        Self::Preference,
        Self::Other,
        Self::ClosedThrough,
    ];

    /// The name in a column.
    const fn name(self) -> &'static str {
        match self {
            Self::Group => "billing_group",
            Self::Plan => "pricing_plan",
            Self::Rule => "pricing_rule",
            Self::Item => "custom_line_item",
            Self::Membership => "membership",
            Self::Family => "family_account",
            Self::FamilyIsComplete => "family_is_complete",
            Self::Organization => "organization",
            Self::Unit => "organizational_unit",
            Self::GroupRule => "billing_group_rule",
            Self::Placement => "placement",
            Self::Transfer => "transfer",
            Self::Preference => "transfer_preference",
            Self::Other => "other",
            Self::ClosedThrough => "closed_through",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The body of a setting of a kind in which somebody may be named, as it is written.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn as_written(kind: &str, body: &str) -> Result<String, String> {
    fn of<B: Body>(body: &str) -> Result<String, String> {
        B::read(body).map(|setting| setting.write())
    }
    match Kind::of(kind) {
        Some(Kind::Group) => of::<GroupSettings>(body),
        Some(Kind::Plan) => of::<PlanSettings>(body),
        Some(Kind::Rule) => of::<RuleSettings>(body),
        Some(Kind::Family) => of::<FamilyAccount>(body),
        Some(Kind::Organization) => of::<Organization>(body),
        Some(Kind::Unit) => of::<OrganizationalUnit>(body),
        Some(Kind::GroupRule) => of::<GroupRule>(body),
        _ => Ok(body.to_owned()),
    }
}
