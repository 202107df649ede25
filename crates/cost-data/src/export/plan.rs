//! What to export: all that the exporting child needs to know of a priced month.

use super::charge::{Charge, charge};
use super::treatment::GroupText;
use crate::commitment_inventory::CommitmentInventory;
use crate::covered_lines::CoveredLinesPlace;
use billing::charge_class::{ChargeClass, Cube, Measure};
use billing::money::{Amount, Factor, Quantity};
use billing::rate_card::{Base, Entry, LinePrice, Treatment};
use export_query::{Granularity, Query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

pub use super::charge::Treated;

/// The columns of the exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Those of the cost files, CUR or CUR 2.0.
    Cur,
    /// FOCUS.
    Focus,
}

/// How the files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFormat {
    /// Parquet, snappy.
    Parquet,
    /// CSV, gzip.
    Csv,
}

/// An export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The columns.
    pub layout: Layout,
    /// The files.
    pub format: FileFormat,
    /// What the files are called, without their ending.
    pub file_name: String,
    /// Columns that are blank unless allowed, and are.
    pub allowed_columns: Vec<String>,
    /// Tag keys that are allowed.
    pub allowed_tags: Vec<String>,
    /// Who invoices the customers.
    pub issuer: String,
    /// The SHA-256 of every cost file that was priced, in hexadecimal: the lines exported are the lines priced.
    pub files: Vec<String>,
    /// Every account of the month and the book in the order of their ids, with the billing groups whose files may name it: that of the account, and those that have
    /// lines of it.
    pub accounts: Vec<(String, Vec<u32>)>,
    /// Whether the cost files have rows of what commitments left unused, as FOCUS has: added rows say it, once a commitment.
    pub unused_told: bool,
    /// The names that the book gives to accounts.
    pub account_names: BTreeMap<String, String>,
    /// The billing groups, in the order of the book.
    pub groups: Vec<GroupPlan>,
    /// The classes, in the order of the cube.
    pub classes: Vec<ClassPlan>,
    /// What commitments cover, where that was simulated; none where it is as in the real bill.
    pub coverage: Option<CoveragePlan>,
    /// Which columns and rows are written, where that is not all.
    pub query: Option<Query>,
    /// Which rows are one: those of an hour, as they were delivered, or those of a day or of the month that agree in all else.
    pub granularity: Granularity,
    /// Columns that no file has, by their names in the layout.
    pub left_out: Vec<String>,
    /// The parts of a view whose lines are one file, in their order; `None`: each billing group has a file of its own.
    pub view: Option<Vec<PartPlan>>,
}

/// What a part of a view has of a billing group. The group's file has these lines once for each part that has them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartPlan {
    /// The billing group, by number in [`Plan::groups`].
    pub group: u32,
    /// The days of the month, the first being 0.
    pub days: Range<u32>,
    /// The classes, by number in the cube.
    pub classes: Vec<u32>,
    /// What commitments cover, by place in [`CoveragePlan::covered`], and its negation.
    pub covered: Vec<(u32, bool)>,
    /// Rows without a source line.
    pub added: Vec<AddedRow>,
    /// What its rows sum to.
    pub totals: Vec<Total>,
}

/// What commitments of billing groups cover.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CoveragePlan {
    /// The commitments, as they were simulated.
    pub inventory: CommitmentInventory,
    /// Which parts of which lines they cover; files are numbered as in [`Plan::files`].
    pub lines: CoveredLinesPlace,
    /// The names of the cost files, in that order.
    pub file_names: Vec<String>,
    /// Which classes.
    pub covered: Vec<CoveredClass>,
}

/// What a commitment covers of a class in the month.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct CoveredClass {
    /// The class, by number in the cube.
    pub class: u32,
    /// The commitment, by number in the order of ARNs.
    pub commitment: u32,
    /// How much, in units of 10⁻¹⁰.
    pub usage: i128,
}

/// A billing group's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupPlan {
    /// Its folder, as a file name; `None`: it is not wanted.
    pub folder: Option<String>,
    /// Its name.
    pub name: String,
    /// Its primary account.
    pub primary_account: String,
    /// Rows without a source line.
    pub added: Vec<AddedRow>,
    /// What the file sums to.
    pub totals: Vec<Total>,
}

/// A row that has no source line: its values by column.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AddedRow {
    /// The currency of its amount.
    pub currency: String,
    /// Its amount, in units of 10⁻²⁰.
    pub amount: i128,
    /// The other columns.
    pub values: BTreeMap<String, String>,
}

/// What a group's lines of one currency must sum to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Total {
    /// The statement's total as shown, in units of 10⁻²⁰.
    pub amount: i128,
    /// The row that takes what the written lines differ from it; it names its currency.
    pub residue: AddedRow,
}

/// What becomes of the lines of a class.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ClassPlan {
    /// The billing group.
    pub group: Option<u32>,
    /// How a line is treated and priced; `None`: it is left out.
    pub priced: Option<(Treated, Price)>,
}

/// How a line is priced: [`LinePrice`] as it is written down.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Price {
    /// A measure by number in [`Measure::ALL`], and a factor in units of 10⁻⁶.
    Scale(usize, i128),
    /// The class's amount in units of 10⁻²⁰ and its usage in units of 10⁻¹⁰.
    Share(i128, i128),
    /// The unused part of the line's commitment.
    Unused,
}

impl FileFormat {
    /// How the names of its files end.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "snappy.parquet",
            Self::Csv => "csv.gz",
        }
    }
}

impl Plan {
    /// Whether an account is of a billing group.
    pub(super) fn has_account(&self, group: u32, account: &str) -> bool {
        let place = self.accounts.binary_search_by(|(known, _)| known.as_str().cmp(account));
        place.is_ok_and(|place| self.accounts[place].1.contains(&group))
    }
}

impl GroupPlan {
    /// What a column says of the group.
    pub(super) fn text(&self, of: GroupText) -> &str {
        match of {
            GroupText::PrimaryAccount => &self.primary_account,
            GroupText::Name => &self.name,
        }
    }
}

impl ClassPlan {
    /// The group and the price of a class that is exported; FOCUS has no rows for the negation of covered usage.
    pub(super) fn exported(
        &self,
        plan: &Plan,
        cube: &Cube,
        class: &ChargeClass,
    ) -> Option<(u32, (Treated, Price))> {
        let wanted =
            |group: &u32| plan.groups.get(*group as usize).is_some_and(|group| group.folder.is_some());
        let (group, priced) = self.group.filter(wanted).zip(self.priced)?;
        let negation = plan.layout == Layout::Focus && charge(cube, class, priced.0) == Charge::Negation;
        (!negation).then_some((group, priced))
    }

    /// The plan of a class, or of what commitments leave of it, by its entry on the rate card.
    #[must_use]
    pub fn new(class: &ChargeClass, entry: &Entry) -> Self {
        let treated = match entry.treatment {
            Treatment::Ungrouped | Treatment::Dropped(_) | Treatment::Allocated(_) => None,
            // What is left of its lines: usage above 0 and below that cancels out, at nothing.
            Treatment::Covered => return Self { group: entry.group, priced: Some(NOTHING) },
            Treatment::AsInvoiced | Treatment::PassedOn => Some(Treated::AsInvoiced),
            Treatment::AtCost => Some(Treated::AtCost),
            Treatment::AtEffectiveCost => Some(Treated::AtEffectiveCost),
            Treatment::UnusedPart => Some(Treated::UnusedPart),
            Treatment::Priced(base) => Some(match base {
                Base::CustomTiers => Treated::CustomTiers,
                Base::Spot => Treated::Spot,
                Base::ZeroRate => Treated::ZeroRate,
                Base::GroupTiers | Base::TieredUnblended | Base::TieredPublic | Base::PublicOnDemand => {
                    Treated::Listed
                }
                Base::FallenBack => Treated::FallenBack,
            }),
        };
        let price = LinePrice::of(class, entry).map(|price| match price {
            LinePrice::Scale(measure, factor) => Price::Scale(measure as usize, factor.units()),
            LinePrice::Share(amount, usage) => Price::Share(amount.units(), usage.units()),
            LinePrice::Unused => Price::Unused,
        });
        Self { group: entry.group, priced: treated.zip(price) }
    }
}

/// Usage that costs nothing.
const NOTHING: (Treated, Price) = (Treated::ZeroRate, Price::Scale(Measure::Unblended as usize, 0));

impl Price {
    /// The price as `billing` knows it; `None` for numbers that are no price.
    #[must_use]
    pub fn line_price(self) -> Option<LinePrice> {
        Some(match self {
            Self::Unused => LinePrice::Unused,
            Self::Scale(measure, factor) => {
                LinePrice::Scale(*Measure::ALL.get(measure)?, Factor::from_units(factor).ok()?)
            }
            Self::Share(amount, usage) => {
                LinePrice::Share(Amount::from_units(amount).ok()?, Quantity::from_units(usage).ok()?)
            }
        })
    }
}
