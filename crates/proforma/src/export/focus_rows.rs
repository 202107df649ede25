//! Rows of a FOCUS file that no line of the cost files stands behind; `x_ProformaCause` says what does.
//!
//! Custom line items are adjustments, credits where they take away. What a group's commitments left unused is a row of its own
//! for each commitment and month: AWS's hourly figures also count what accounts outside of the group used.

use super::{Priced, RESIDUE, cause_of, cause_of_residue, description_of, instants};
use billing::account::AccountId;
use billing::billing_group::{BillingGroup, Plan};
use billing::charge_class::{ChargeClass, KeyColumn, Measure};
use billing::class_kind::line_item_type;
use billing::commitment::{self, Terms};
use billing::cost_line::LineItemType;
use billing::custom_line_item::{Kind, PRODUCT, PRODUCT_NAME};
use billing::money::{Amount, Currency, DecimalError, Quantity, ten_to};
use billing::rate_card::Treatment;
use billing::statement::{Statement, StatementItem};
use cost_data::export::plan::AddedRow;
use cost_data::export::reference::{HOURS, region_name, service_category};
use cost_data::export::unit_prices::unit_price;
use cost_data::layout::CostFormat;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of one group.
pub struct FocusRows<'a> {
    pub priced: &'a Priced<'a>,
    pub group: &'a BillingGroup,
    pub number: usize,
    pub issuer: &'a str,
}

impl FocusRows<'_> {
    /// The custom line items of a statement.
    pub fn items(&self, statement: &Statement) -> Vec<AddedRow> {
        let row = |item: &StatementItem| {
            let of_book = &self.priced.book.items[item.item];
            let description = description_of(of_book);
            let category = if of_book.kind == Kind::Credit { "Credit" } else { "Adjustment" };
            let name = self.priced.cube.product_names.get(&item.product);
            let name = if item.product == PRODUCT { PRODUCT_NAME } else { name.unwrap_or(&item.product) };
            let cause = cause_of(of_book);
            let mut row = self.row(statement.currency, item.amount, category, description, &cause);
            self.service(&mut row, &item.product, name);
            row.values.insert("SubAccountId".to_owned(), item.account.clone());
            self.name_account(&mut row);
            row
        };
        statement.items.iter().map(row).collect()
    }

    /// The row that makes a file sum to its statement; its amount is found when the lines have been written.
    pub fn residue(&self, currency: Currency) -> AddedRow {
        let cause = cause_of_residue(self.priced.cube.period);
        let mut row = self.row(currency, Amount::ZERO, "Adjustment", RESIDUE, &cause);
        self.service(&mut row, PRODUCT, PRODUCT_NAME);
        row
    }

    /// What accounts outside of the group took of its commitments counts as unused here, as it does from CUR.
    fn add_taken_by_others(&self, by_arn: &mut BTreeMap<&str, Unused<'_>>) -> Result<(), DecimalError> {
        let cube = self.priced.cube;
        for (class, entry) in cube.classes.iter().zip(&self.priced.card.entries) {
            let of_group = entry.group.is_some_and(|group| group as usize == self.number);
            let unused = commitment::arn(cube, class).and_then(|arn| by_arn.get_mut(arn));
            if let Some(unused) = unused.filter(|_| !of_group) {
                for measure in [Measure::SavingsPlanEffective, Measure::ReservationEffective] {
                    unused.amount = unused.amount.plus(class.sum(measure).to_amount()?)?;
                }
            }
        }
        Ok(())
    }

    /// What the group's commitments left unused, and covered usage that its negation does not offset.
    pub fn commitments(&self, currency: Currency) -> Result<Vec<AddedRow>, DecimalError> {
        let mut coverage = Amount::ZERO;
        for (number, entry) in self.priced.card.entries.iter().enumerate() {
            if self.has(number, currency) && self.is_unbilled(number) {
                coverage = coverage.plus(entry.amount)?;
            }
        }
        let mut rows: Vec<AddedRow> = self.unused_of(currency)?.into_iter().map(|(_, row)| row).collect();
        rows.extend(self.coverage(currency, coverage));
        Ok(rows)
    }

    /// Whether a class is the group's, in a currency, and what AWS charges or at cost.
    fn has(&self, number: usize, currency: Currency) -> bool {
        let (class, entry) = (&self.priced.cube.classes[number], &self.priced.card.entries[number]);
        let of_group = entry.group.is_some_and(|group| group as usize == self.number);
        let of_currency = self.priced.cube.value(class, KeyColumn::Currency) == Some(currency.as_str());
        of_group && of_currency && (as_invoiced(entry.treatment) || entry.treatment == Treatment::AtCost)
    }

    /// Whether lines of a class have no billed cost: usage that a Savings Plan covers in the real bill, and its negation.
    pub fn is_unbilled(&self, number: usize) -> bool {
        let treatment = self.priced.card.entries[number].treatment;
        let kind = line_item_type(self.priced.cube, &self.priced.cube.classes[number]);
        (as_invoiced(treatment) || treatment == Treatment::AtCost)
            && matches!(kind, LineItemType::SavingsPlanCoveredUsage | LineItemType::SavingsPlanNegation)
    }

    /// What the group's commitments left unused, each with the class of its fee by number.
    pub fn unused_of(&self, currency: Currency) -> Result<Vec<(usize, AddedRow)>, DecimalError> {
        let cube = self.priced.cube;
        let mut by_arn: BTreeMap<&str, Unused<'_>> = BTreeMap::new();
        let owned = self.owned();
        for (number, (class, entry)) in cube.classes.iter().zip(&self.priced.card.entries).enumerate() {
            if !self.has(number, currency) {
                continue;
            }
            let (kind, arn) = (line_item_type(cube, class), commitment::arn(cube, class));
            if let Some(arn) = arn.filter(|arn| !as_invoiced(entry.treatment) || owned.contains(arn)) {
                let unused = by_arn.entry(arn).or_default();
                unused.count((number, class), kind, entry.amount, self.tells_unused())?;
            }
        }
        if self.tells_unused() {
            self.add_taken_by_others(&mut by_arn)?;
        }
        self.take_simulated(&mut by_arn)?;
        let left = by_arn.into_iter().filter(|(_, unused)| unused.amount > Amount::ZERO);
        let rows = left.filter_map(|(arn, unused)| self.unused(currency, arn, &unused).transpose());
        rows.collect()
    }

    /// Covered usage that its negation does not offset.
    pub fn coverage(&self, currency: Currency, amount: Amount) -> Option<AddedRow> {
        if amount.is_zero() || self.tells_unused() {
            return None;
        }
        let description = "Covered usage that its Savings Plan negation does not offset";
        let cause = format!("coverage/{}", self.priced.cube.period);
        let mut row = self.row(currency, amount, "Adjustment", description, &cause);
        self.service(&mut row, PRODUCT, PRODUCT_NAME);
        Some(row)
    }

    /// The commitments on lines that are as invoiced whose owner is in the group: only these are named in its file.
    fn owned(&self) -> BTreeSet<&str> {
        let cube = self.priced.cube;
        let classes = cube.classes.iter().zip(&self.priced.card.entries);
        let of_group = classes.filter(|(_, entry)| {
            as_invoiced(entry.treatment) && entry.group.is_some_and(|group| group as usize == self.number)
        });
        let arn = |(class, _): (&'_ ChargeClass, _)| {
            let owner = commitment::owner(cube, class);
            let is_member = self.group.accounts.iter().any(|account| account.as_str() == owner);
            let is_own = is_member || cube.value(class, KeyColumn::UsageAccount) == Some(owner);
            commitment::arn(cube, class).filter(|_| is_own)
        };
        of_group.filter_map(arn).collect()
    }

    /// Takes from what was paid what usage took in the simulation. Nothing is left where all was used: what remains then is how the cost of an
    /// hour was rounded.
    fn take_simulated(&self, by_arn: &mut BTreeMap<&str, Unused<'_>>) -> Result<(), DecimalError> {
        // Nothing is simulated of a bill that is passed through.
        let simulated = self.priced.coverage.filter(|_| self.group.pricing_plan != Plan::Passthrough);
        let Some(coverage) = simulated else { return Ok(()) };
        for part in &self.priced.card.covered {
            let commitment = &coverage.commitments[part.covered.commitment as usize];
            if let Some(unused) = by_arn.get_mut(commitment.arn.as_str()) {
                let effective = coverage.effective_cost(&part.covered)?;
                unused.amount = unused.amount.minus(effective.recurring)?.minus(effective.upfront)?;
            }
        }
        for (commitment, utilization) in coverage.commitments.iter().zip(&coverage.utilization) {
            let Some(unused) = by_arn.get_mut(commitment.arn.as_str()) else { continue };
            unused.hours = match &commitment.terms {
                Terms::Reservation(reservation) => reservation.instance_hours(utilization.unused)?,
                Terms::SavingsPlan(_) => Quantity::ZERO,
            };
            if utilization.unused.is_zero() {
                unused.amount = Amount::ZERO;
            }
        }
        Ok(())
    }

    /// FOCUS files have rows of what was unused; from CUR it is what was paid and not taken.
    fn tells_unused(&self) -> bool {
        matches!(self.priced.format, CostFormat::Focus(_))
    }

    fn unused(
        &self,
        currency: Currency,
        arn: &str,
        unused: &Unused<'_>,
    ) -> Result<Option<(usize, AddedRow)>, DecimalError> {
        let cube = self.priced.cube;
        let Some((number, fee)) = unused.fee else { return Ok(None) };
        let description = "Commitment that the billing group paid for and did not use";
        let mut row = self.row(currency, Amount::ZERO, "Usage", description, arn);
        let product = cube.product(fee);
        let name = cube.product_names.get(product).map_or(product, String::as_str);
        self.service(&mut row, product, name);
        let is_plan = cube.filled(fee, KeyColumn::SavingsPlanArn).is_some();
        let amount = unused.amount.to_string();
        let (category, kind) =
            if is_plan { ("Spend", "Savings Plan") } else { ("Usage", "Reserved Instance") };
        let mut values = vec![
            ("ChargeFrequency", "Usage-Based".to_owned()),
            ("PricingCategory", "Committed".to_owned()),
            ("PublisherName", "AWS".to_owned()),
            ("CommitmentDiscountId", arn.to_owned()),
            ("CommitmentDiscountCategory", category.to_owned()),
            ("CommitmentDiscountType", kind.to_owned()),
            ("CommitmentDiscountStatus", "Unused".to_owned()),
            ("ResourceId", arn.to_owned()),
            ("ResourceType", kind.to_owned()),
        ];
        let costs = ["EffectiveCost", "ListCost", "ContractedCost", "PricingCurrencyEffectiveCost"];
        values.extend(costs.map(|column| (column, amount.clone())));
        // A reservation is measured in hours; where they are not known, what was unused of it is counted in money.
        let (quantity, unit) = match unused.hours > Quantity::ZERO && !is_plan {
            true => (unused.hours.to_amount()?, HOURS.to_owned()),
            false => (unused.amount, currency.to_string()),
        };
        if is_plan || unit == HOURS {
            values.push(("CommitmentDiscountQuantity", quantity.to_string()));
            values.push(("CommitmentDiscountUnit", unit.clone()));
        }
        values.extend([("PricingQuantity", quantity.to_string()), ("PricingUnit", unit)]);
        let price = unit_price(None, quantity.units() / ten_to(10), unused.amount);
        if let Some(price) = price.map(Amount::from_units).transpose()? {
            let columns = ["", "PricingCurrency"].into_iter().flat_map(|of| {
                ["ListUnitPrice", "ContractedUnitPrice"].map(|column| format!("{of}{column}"))
            });
            row.values.extend(columns.map(|column| (column, price.to_string())));
        }
        values.extend(
            ["SubAccountId", "RegionId", "SkuId", "SkuPriceId", "SkuMeter"].into_iter().filter_map(
                |column| {
                    let sku = cube.filled(fee, KeyColumn::Sku);
                    let value = match column {
                        "SubAccountId" => cube.filled(fee, KeyColumn::UsageAccount),
                        "RegionId" => cube.filled(fee, KeyColumn::Region),
                        "SkuMeter" => sku.and(cube.filled(fee, KeyColumn::UsageType)),
                        _ => sku,
                    };
                    Some((column, value?.to_owned()))
                },
            ),
        );
        if let Some(region) = cube.filled(fee, KeyColumn::Region) {
            values.push(("RegionName", region_name(region).to_owned()));
        }
        row.values.extend(values.into_iter().map(|(column, value)| (column.to_owned(), value)));
        self.name_account(&mut row);
        Ok(Some((number, row)))
    }

    /// The book's name of a row's account.
    fn name_account(&self, row: &mut AddedRow) {
        let names = &self.priced.book.account_names;
        let name = row.values.get("SubAccountId").and_then(|id| names.get(&AccountId::parse(id)?));
        match name.cloned() {
            Some(name) => row.values.insert("SubAccountName".to_owned(), name),
            None => row.values.remove("SubAccountName"),
        };
    }

    fn service(&self, row: &mut AddedRow, code: &str, name: &str) {
        let (category, subcategory) = match code {
            PRODUCT => ("Management and Governance", "Cost Management"),
            code => service_category(code),
        };
        for (column, value) in [
            ("ServiceName", name),
            ("ServiceCategory", category),
            ("ServiceSubcategory", subcategory),
            ("x_ServiceCode", code),
        ] {
            row.values.insert(column.to_owned(), value.to_owned());
        }
    }

    fn row(
        &self,
        currency: Currency,
        amount: Amount,
        category: &str,
        description: &str,
        cause: &str,
    ) -> AddedRow {
        let [start, end] = instants(self.priced.cube.period);
        let primary = self.group.primary_account.as_str();
        let values = [
            ("BillingAccountId", primary),
            ("BillingAccountName", &self.group.name),
            ("BillingAccountType", "Billing group"),
            ("BillingCurrency", currency.as_str()),
            ("BillingPeriodStart", &start),
            ("BillingPeriodEnd", &end),
            ("ChargePeriodStart", &start),
            ("ChargePeriodEnd", &end),
            ("ChargeCategory", category),
            ("ChargeDescription", description),
            ("ChargeFrequency", "One-Time"),
            ("InvoiceIssuerName", self.issuer),
            ("PricingCurrency", currency.as_str()),
            ("ProviderName", "AWS"),
            ("PublisherName", self.issuer),
            ("SubAccountId", primary),
            ("SubAccountType", "AWS account"),
            ("x_ProformaCause", cause),
        ];
        let values = values.map(|(column, value)| (column.to_owned(), value.to_owned()));
        let mut row =
            AddedRow { currency: currency.to_string(), amount: amount.units(), values: values.into() };
        self.name_account(&mut row);
        row
    }
}

/// Whether lines are at what AWS charges, by whichever way: their fees and covered usage are a commitment's, too.
fn as_invoiced(treatment: Treatment) -> bool {
    matches!(treatment, Treatment::AsInvoiced | Treatment::PassedOn)
}

/// What a commitment cost and was not used for.
#[derive(Default)]
struct Unused<'a> {
    /// A class of its fee, with its number.
    fee: Option<(usize, &'a ChargeClass)>,
    amount: Amount,
    /// Of a reservation: the hours that were paid and not used.
    hours: Quantity,
}

impl<'a> Unused<'a> {
    /// Counts a class of the commitment; `told` where the files have rows of what was unused.
    fn count(
        &mut self,
        (number, class): (usize, &'a ChargeClass),
        kind: LineItemType,
        fee: Amount,
        told: bool,
    ) -> Result<(), DecimalError> {
        let sum = |measure| class.sum(measure).to_amount();
        match kind {
            LineItemType::RiFee | LineItemType::SavingsPlanRecurringFee => {
                self.fee = self.fee.or(Some((number, class)));
                if !told {
                    self.hours = self.hours.plus(class.sum(Measure::Usage))?;
                }
                self.amount = match told {
                    true => (self.amount.plus(sum(Measure::SavingsPlanTotalCommitment)?)?)
                        .plus(sum(Measure::UnusedReservationRecurring)?)?,
                    false => self.amount.plus(fee)?.plus(sum(Measure::AmortizedUpfront)?)?,
                };
            }
            LineItemType::SavingsPlanCoveredUsage | LineItemType::DiscountedUsage if !told => {
                self.hours = self.hours.minus(class.sum(Measure::Usage))?;
                let taken = [Measure::SavingsPlanEffective, Measure::ReservationEffective];
                for measure in taken {
                    self.amount = self.amount.minus(sum(measure)?)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
