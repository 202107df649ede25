//! What commitments of billing groups cover where that was simulated: the classes that the covered parts of lines are of, and what their
//! columns say of the commitment.
//!
//! A pair of a class and a commitment is a class of its own here, with another line item type and another ARN; where a Savings Plan covers,
//! the negation is one more. They are numbered after the classes of the cube. What the cost files do not tell of a commitment apart from usage that
//! it covers in the real bill stays blank: when it begins and ends, its offer, its subscription.

use super::charge::Treated;
use super::plan::{CoveragePlan, CoveredClass, Layout, Plan, Price};
use super::treatment::UseOf;
use crate::commitment_inventory::KnownPlan;
use crate::covered_lines::StoredCoveredLines;
use crate::cube_file::CubeFileError;
use crate::diagnostics::Diagnostic;
use crate::hash::hex;
use crate::reading::Opened;
use billing::charge_class::{ChargeClass, Cube, KeyColumn, TextId};
use billing::class_kind::{has_terms, line_item_type};
use billing::commitment::{self, Capacity, Commitment, EffectiveCost, Eligible, Terms};
use billing::cost_line::LineItemType;
use billing::coverage::{CoveredPartOfLine, on_demand_measure};
use billing::money::{Amount, DecimalError, Factor, Quantity, product};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// What is covered in a month, as the exporting child needs it.
pub struct Covering {
    /// Which parts of which lines are covered.
    lines: StoredCoveredLines,
    /// The classes of covered usage and of its negation, in the order of their numbers.
    pub made: Vec<Made>,
    commitments: Vec<Commitment>,
    /// The Savings Plans by ARN, in the words of the cost files.
    plans: BTreeMap<String, KnownPlan>,
    pairs: HashMap<(u32, u32), Pair>,
    /// Of each file that is read, its number where the month was priced; none of a file that was not.
    files: Vec<Option<u32>>,
    /// How many lines the fees of each commitment have, by line item type.
    fees: HashMap<(u32, LineItemType), u64>,
    month: Range<i64>,
}

/// The classes of what a commitment covers of a class, by number.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// The covered usage.
    pub covered: usize,
    /// Its negation, where there is one.
    pub negation: Option<usize>,
}

/// A class that is not in the cube.
pub struct Made {
    /// The class with another line item type and another commitment.
    pub class: ChargeClass,
    /// The billing group.
    pub group: u32,
    /// How its lines are treated and priced.
    pub priced: (Treated, Price),
    /// The commitment, by number.
    pub commitment: u32,
    /// What a unit of usage takes of it.
    pub takes: Quantity,
    /// How much usage the month has of it, in units of 10⁻¹⁰.
    pub usage: i128,
}

impl Covering {
    /// What a plan says of coverage.
    ///
    /// # Errors
    /// [`CubeFileError`]: the file of covered lines is not what was written, or commitments do not cover what the plan says.
    pub fn new(plan: &Plan, of: &CoveragePlan, cube: &Cube) -> Result<Self, CubeFileError> {
        let commitments = of.inventory.commitments();
        let lines = StoredCoveredLines::open(&of.lines, cube, commitments.len())?;
        let plans = of.inventory.savings_plans.iter().map(|known| (known.arn.clone(), known.clone()));
        let mut covering = Self {
            lines,
            made: Vec::new(),
            plans: plans.collect(),
            pairs: HashMap::new(),
            files: Vec::new(),
            fees: HashMap::new(),
            month: cube.period.start_seconds()..cube.period.end_seconds(),
            commitments,
        };
        let month_has_terms = has_terms(cube);
        for covered in &of.covered {
            covering.make(plan, cube, covered, month_has_terms).ok_or_else(|| {
                CubeFileError::Content("what commitments cover is not of this month".to_owned())
            })?;
        }
        for class in &cube.classes {
            if let Some((commitment, kind)) = covering.fee_of(cube, class) {
                *covering.fees.entry((commitment, kind)).or_default() += class.lines;
            }
        }
        Ok(covering)
    }

    /// Makes the classes of a pair, if its group is exported.
    fn make(
        &mut self,
        plan: &Plan,
        cube: &Cube,
        covered: &CoveredClass,
        month_has_terms: bool,
    ) -> Option<()> {
        let (class, commitment) = (cube.classes.get(covered.class as usize)?, covered.commitment);
        let of = self.commitments.get(commitment as usize)?;
        let takes = of.takes(&Eligible::of(cube, class, month_has_terms)?)?;
        let arn = cube.texts.find(&of.arn)?;
        let of_plan = matches!(of.terms, Terms::SavingsPlan(_));
        let Some((group, _)) = plan.classes.get(covered.class as usize)?.exported(plan, cube, class) else {
            return Some(());
        };
        let (kinds, on_demand) = (cube.kinds, on_demand_measure(cube, class) as usize);
        let usage = covered.usage;
        let mut add = |kind, factor: Factor| {
            let mut class = class.clone();
            class.key[KeyColumn::LineItemType as usize] = kind;
            for column in [KeyColumn::SavingsPlanArn, KeyColumn::ReservationArn] {
                let is_it = of_plan == (column == KeyColumn::SavingsPlanArn);
                class.key[column as usize] = if is_it { arn } else { TextId::NULL };
            }
            let priced = (Treated::Covered, Price::Scale(on_demand, factor.units()));
            self.made.push(Made { class, group, priced, commitment, takes, usage });
            cube.classes.len() + self.made.len() - 1
        };
        let pair = if of_plan {
            let covered = add(kinds.covered_usage, Factor::ONE);
            // FOCUS has no row for the negation: covered usage is billed nothing.
            let negated = plan.layout == Layout::Cur;
            let minus_one = Factor::ONE.negated();
            Pair { covered, negation: negated.then(|| add(kinds.negation, minus_one)) }
        } else {
            Pair { covered: add(kinds.discounted_usage, Factor::ZERO), negation: None }
        };
        self.pairs.insert((covered.class, commitment), pair);
        Some(())
    }

    /// Tells the files that are read, by name and then by content: whoever exports later may have them elsewhere, in another order.
    ///
    /// # Errors
    /// What the file system says.
    pub fn know_files(&mut self, plan: &Plan, of: &CoveragePlan, opened: &Opened) -> Result<(), Diagnostic> {
        let names = opened.files.iter().map(|file| file.found.name.as_str());
        let same = names.eq(of.file_names.iter().map(String::as_str));
        for (number, file) in (0..).zip(&opened.files) {
            let number = match same {
                true => Some(number),
                false => {
                    let hash = hex(&file.sha256(|| false)?.unwrap_or_default());
                    let place = plan.files.iter().position(|known| *known == hash);
                    place.and_then(|place| u32::try_from(place).ok())
                }
            };
            self.files.push(number);
        }
        Ok(())
    }

    /// The covered parts of some rows of a file that is read.
    ///
    /// # Errors
    /// [`CubeFileError`].
    pub fn parts(&self, file: usize, rows: Range<u64>) -> Result<Vec<CoveredPartOfLine>, CubeFileError> {
        let known = self.files.get(file).copied().flatten();
        known.map_or_else(|| Ok(Vec::new()), |file| self.lines.of_rows(file, rows))
    }

    /// The classes of what a commitment covers of a class of the cube.
    pub fn pair(&self, class: usize, commitment: u32) -> Option<Pair> {
        self.pairs.get(&(u32::try_from(class).ok()?, commitment)).copied()
    }

    /// A class of the cube, or one that is made.
    pub fn made(&self, cube: &Cube, class: usize) -> Option<&Made> {
        self.made.get(class.checked_sub(cube.classes.len())?)
    }

    /// What covered usage has cost.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn effective_cost(&self, made: &Made, usage: Quantity) -> Result<EffectiveCost, DecimalError> {
        let taken = product(usage, made.takes)?;
        self.commitments[made.commitment as usize].effective_cost(taken)
    }

    /// Whether a class's commitment is a Savings Plan.
    pub fn is_plan(&self, made: &Made) -> bool {
        matches!(self.commitments[made.commitment as usize].terms, Terms::SavingsPlan(_))
    }

    /// What a text column of commitments says on a class that is made.
    pub fn text(&self, made: &Made, column: &str) -> Option<&str> {
        let commitment = &self.commitments[made.commitment as usize];
        let text = match &commitment.terms {
            Terms::Reservation(reservation) => match column {
                "reservation_reservation_a_r_n" => &commitment.arn,
                "reservation_availability_zone" => reservation.zone.as_ref()?,
                _ => return None,
            },
            Terms::SavingsPlan(_) => {
                let plan = self.plans.get(&commitment.arn)?;
                match column {
                    "savings_plan_savings_plan_a_r_n" => &plan.arn,
                    "savings_plan_offering_type" => &plan.offering_type,
                    "savings_plan_payment_option" => &plan.payment_option,
                    "savings_plan_purchase_term" => &plan.purchase_term,
                    "savings_plan_region" => &plan.region,
                    "savings_plan_instance_type_family" => &plan.instance_family,
                    _ => return None,
                }
            }
        };
        Some(text.as_str()).filter(|text| !text.is_empty())
    }

    /// What a number column of commitments says on a covered part of a line.
    pub fn amount(&self, made: &Made, effective: EffectiveCost, column: &str) -> Option<Amount> {
        let total = || effective.recurring.plus(effective.upfront).ok();
        match column {
            _ if self.is_plan(made) => match column {
                "savings_plan_savings_plan_effective_cost" => total(),
                "savings_plan_savings_plan_rate" => made.takes.to_amount().ok(),
                _ => None,
            },
            "reservation_effective_cost" => total(),
            "reservation_recurring_fee_for_usage" => Some(effective.recurring),
            "reservation_amortized_upfront_cost_for_usage" => Some(effective.upfront),
            _ => None,
        }
    }

    /// The commitment that a class of hourly or monthly fees pays for.
    fn fee_of(&self, cube: &Cube, class: &ChargeClass) -> Option<(u32, LineItemType)> {
        let kind = line_item_type(cube, class);
        let is_fee = matches!(kind, LineItemType::RiFee | LineItemType::SavingsPlanRecurringFee);
        let arn = commitment::arn(cube, class).filter(|_| is_fee)?;
        let number = self.commitments.binary_search_by(|of| of.arn.as_str().cmp(arn)).ok()?;
        Some((u32::try_from(number).ok()?, kind))
    }

    /// The commitment whose use a class's lines can tell, and how many lines its fees have.
    pub fn told_by(&self, cube: &Cube, class: &ChargeClass) -> Option<Fee> {
        let (commitment, kind) = self.fee_of(cube, class)?;
        let alone = self.fees.get(&(commitment, kind)) == Some(&1);
        Some(Fee { commitment, kind, alone })
    }

    /// How far a commitment was used while a fee runs, from its first to its last instant in seconds; nothing where other fees may tell of the
    /// same hours.
    pub fn use_of(&self, fee: Fee, of: UseOf, interval: Range<i64>) -> Option<Amount> {
        let of_plan = fee.kind == LineItemType::SavingsPlanRecurringFee;
        if of_plan != (of == UseOf::UsedCommitment) {
            return None;
        }
        let hour = |seconds: i64| {
            let hour = (seconds - self.month.start).div_euclid(crate::days::SECONDS_OF_HOUR);
            u32::try_from(hour.max(0)).ok()
        };
        let hours = hour(interval.start)?..hour(interval.end)?;
        if hours.is_empty() || !(fee.alone || hours.len() == 1) {
            return None;
        }
        let commitment = &self.commitments[fee.commitment as usize];
        let used = self.lines.used(fee.commitment, &hours).ok()?;
        let in_force = hours.start.max(commitment.hours.start)..hours.end.min(commitment.hours.end);
        let given = commitment.capacity().ok()?.units().checked_mul(in_force.len() as i128)?;
        let unused = Capacity::from_units(given).ok()?.minus(used).ok()?;
        let cost = || commitment.effective_cost(unused).ok();
        match of {
            UseOf::UsedCommitment => Some(used),
            UseOf::UnusedRecurring => Some(cost()?.recurring),
            UseOf::UnusedUpfront => Some(cost()?.upfront),
            UseOf::UnusedInstances | UseOf::UnusedNormalizedUnits => {
                let Terms::Reservation(reservation) = &commitment.terms else { return None };
                let hours = match of {
                    UseOf::UnusedInstances => reservation.instance_hours(unused).ok()?,
                    _ => reservation.normalized_hours(unused).ok()??,
                };
                hours.to_amount().ok()
            }
        }
    }
}

/// Fees that may tell of the use of a commitment.
#[derive(Debug, Clone, Copy)]
pub struct Fee {
    commitment: u32,
    kind: LineItemType,
    /// Whether the month has one line of them.
    alone: bool,
}
