//! The tables that an export may be of, and how each is configured.

use crate::columns;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Text; rates included, as AWS writes them.
    Text,
    /// A number.
    Number,
    /// An instant.
    Time,
    /// A map of text to text.
    Map,
    /// A map of text to number.
    NumberMap,
}

impl Kind {
    /// The name of the type, as AWS describes tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Number => "double",
            Self::Time => "timestamp",
            Self::Map => "map<string, string>",
            Self::NumberMap => "map<string, double>",
        }
    }
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Table {
    /// CUR 2.0.
    CostAndUsageReport,
    /// FOCUS 1.2.
    Focus12,
}

/// Which lines are one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Granularity {
    /// None but those that AWS has as one.
    Hourly,
    /// Those of a day that agree in all else.
    Daily,
    /// Those of the month that do.
    Monthly,
}

impl Granularity {
    /// Every granularity, the finest first.
    pub const ALL: [Self; 3] = [Self::Hourly, Self::Daily, Self::Monthly];

    /// What AWS calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hourly => "HOURLY",
            Self::Daily => "DAILY",
            Self::Monthly => "MONTHLY",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|granularity| granularity.name() == name)
    }
}

/// A property by which a table is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it may be; none where any billing group's view is.
    pub values: &'static [&'static str],
    /// What it is where nobody says.
    pub default: &'static str,
    /// What it does.
    pub description: &'static str,
}

/// The property that names the billing view.
const BILLING_VIEW_ARN: &str = "BILLING_VIEW_ARN";
const NO_OR_YES: &[&str] = &["FALSE", "TRUE"];
const NO: &[&str] = &["FALSE"];

const VIEW: Property = Property {
    name: BILLING_VIEW_ARN,
    values: &[],
    default: "",
    description: "The billing view of the billing group whose pro forma lines are exported. It must be given.",
};
const GRANULARITY: Property = Property {
    name: "TIME_GRANULARITY",
    values: &["HOURLY", "DAILY", "MONTHLY"],
    default: "HOURLY",
    description: "Whether lines come as AWS has delivered them, or those of a day or of the month that agree in every other column are one row.",
};
const RESOURCES: Property = Property {
    name: "INCLUDE_RESOURCES",
    values: NO_OR_YES,
    default: "FALSE",
    description: "Whether the table has the column line_item_resource_id.",
};
const SPLIT: Property = Property {
    name: "INCLUDE_SPLIT_COST_ALLOCATION_DATA",
    values: NO,
    default: "FALSE",
    description: "Pro forma data have no split cost allocation.",
};
const DISCOUNTS: Property = Property {
    name: "INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY",
    values: NO_OR_YES,
    default: "FALSE",
    description: "Pro forma data have no discounts of AWS's: it changes nothing.",
};
const RESERVATIONS: Property = Property {
    name: "INCLUDE_CAPACITY_RESERVATION_DATA",
    values: NO_OR_YES,
    default: "FALSE",
    description: "Whether the table has the columns of capacity reservations.",
};
const PRINCIPALS: Property = Property {
    name: "INCLUDE_IAM_PRINCIPAL_DATA",
    values: NO_OR_YES,
    default: "FALSE",
    description: "Whether the table has the column line_item_iam_principal.",
};

/// Columns that are there only where a property asks for them, by how they begin.
const ASKED_FOR: &[(&str, Property)] = &[
    ("line_item_resource_id", RESOURCES),
    ("split_line_item_", SPLIT),
    ("capacity_reservation_", RESERVATIONS),
    ("line_item_iam_principal", PRINCIPALS),
];

impl Table {
    /// Every table.
    pub const ALL: [Self; 2] = [Self::CostAndUsageReport, Self::Focus12];

    /// The name in statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CostAndUsageReport => "COST_AND_USAGE_REPORT",
            Self::Focus12 => "FOCUS_1_2_AWS",
        }
    }

    /// The table of a name, in whatever case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name().eq_ignore_ascii_case(name))
    }

    /// What the table has, in a sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::CostAndUsageReport => "Pro forma lines of a billing group in the columns of CUR 2.0.",
            Self::Focus12 => "Pro forma lines of a billing group in the columns of FOCUS 1.2.",
        }
    }

    /// The properties by which it is configured.
    #[must_use]
    pub const fn properties(self) -> &'static [Property] {
        match self {
            Self::CostAndUsageReport => {
                &[VIEW, GRANULARITY, RESOURCES, SPLIT, DISCOUNTS, RESERVATIONS, PRINCIPALS]
            }
            Self::Focus12 => &[VIEW, GRANULARITY],
        }
    }

    /// Every column that the table can have.
    #[must_use]
    pub const fn all_columns(self) -> &'static [(&'static str, Kind)] {
        match self {
            Self::CostAndUsageReport => columns::COST_AND_USAGE_REPORT,
            Self::Focus12 => columns::FOCUS_1_2_AWS,
        }
    }

    /// The columns that the table has under some properties.
    pub fn columns(
        self,
        properties: &BTreeMap<String, String>,
    ) -> impl Iterator<Item = &'static (&'static str, Kind)> {
        let is_there = |name: &str| {
            let of = ASKED_FOR.iter().find(|(stem, _)| name.starts_with(stem));
            of.is_none_or(|(_, property)| properties.get(property.name).is_some_and(|value| value == "TRUE"))
        };
        self.all_columns().iter().filter(move |(name, _)| is_there(name))
    }

    /// The granularity under some properties.
    #[must_use]
    pub fn granularity(self, properties: &BTreeMap<String, String>) -> Granularity {
        let name = properties.get(GRANULARITY.name).map_or(GRANULARITY.default, String::as_str);
        Granularity::parse(name).unwrap_or(Granularity::Hourly)
    }

    /// Looks at the properties that somebody gives; the billing view among them is told apart.
    ///
    /// # Errors
    /// What is wrong with the first one that is wrong.
    pub fn check(self, properties: &BTreeMap<String, String>) -> Result<Option<&str>, String> {
        for (name, value) in properties {
            let Some(property) = self.properties().iter().find(|property| property.name == name) else {
                let known: Vec<_> = self.properties().iter().map(|property| property.name).collect();
                return Err(format!(
                    "table {} has no property `{name}`; it has {}",
                    self.name(),
                    known.join(", ")
                ));
            };
            if !property.values.is_empty() && !property.values.contains(&value.as_str()) {
                return Err(format!(
                    "property {name} of table {} is `{value}`; give {}. {}",
                    self.name(),
                    property.values.join(" or "),
                    property.description
                ));
            }
        }
        Ok(properties.get(BILLING_VIEW_ARN).map(String::as_str))
    }
}
