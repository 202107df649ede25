//! Both sides of a comparison as amounts by cell: the desk's answers, and what `proforma-aws-month` has printed.

use super::super::door::Door;
use crate::failure::Failure;
use anyhow::{Context, anyhow};
use aws_api::proforma::SERVICE;
use billing::aws_month::{AWS_COST, Cell, MARGIN, Month, PRO_FORMA_COST, Part};
use billing::money::Amount;
use billing::period::BillingPeriod;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const COST_EXPLORER: &str = "ce";
const BILLING_CONDUCTOR: &str = "billingconductor";
const METRIC: &str = "UnblendedCost";
const PAGE: u32 = 100;
const REPORT_PAGE: u32 = 300;
/// The most digits after the point that an exponent may ask for.
const EXPONENT_MAX: usize = 40;

/// The month here.
pub struct Here {
    pub payer: String,
    pub period: BillingPeriod,
    pub month: Month,
    /// The names of its billing groups, by ARN.
    groups: BTreeMap<String, String>,
}

impl Here {
    /// Asks the desk what AWS is asked.
    pub async fn read(door: &Door, period: Option<BillingPeriod>) -> Result<Self, Failure> {
        let view = primary_view(door).await?;
        let payer = view.split(':').nth(4).unwrap_or_default().to_owned();
        let period = match period {
            Some(period) => period,
            None => newest(door).await?,
        };
        let mut here = Self { payer, period, month: Month::new(), groups: BTreeMap::new() };
        here.costs(door, &view, (Part::Service, "SERVICE")).await?;
        here.costs(door, &view, (Part::Account, "LINKED_ACCOUNT")).await?;
        here.billing_groups(door).await?;
        Ok(here)
    }

    async fn costs(
        &mut self,
        door: &Door,
        view: &str,
        (part, dimension): (Part, &str),
    ) -> Result<(), Failure> {
        let mut input = json!({
            "BillingViewArn": view,
            "TimePeriod": { "Start": format!("{}-01", self.period), "End": format!("{}-01", self.period.next()) },
            "Granularity": "MONTHLY",
            "Metrics": [METRIC],
            "GroupBy": [{ "Type": "DIMENSION", "Key": dimension }, { "Type": "DIMENSION", "Key": "RECORD_TYPE" }],
        });
        loop {
            let answer = door.ask_of(COST_EXPLORER, "GetCostAndUsage", &input).await?;
            for group in list(&answer, "ResultsByTime").iter().flat_map(|result| list(result, "Groups")) {
                let keys = list(group, "Keys");
                let key =
                    |place: usize| keys.get(place).and_then(Value::as_str).unwrap_or_default().to_owned();
                let metric = group.get("Metrics").and_then(|metrics| metrics.get(METRIC));
                let of = |name: &str| metric.and_then(|metric| metric.get(name)).and_then(Value::as_str);
                let (amount, currency) =
                    (of("Amount").unwrap_or_default(), of("Unit").unwrap_or_default().to_owned());
                let cell = Cell { part, group: String::new(), name: key(0), of: key(1), currency };
                add(&mut self.month, cell, amount)?;
            }
            match answer.get("NextPageToken") {
                Some(token) => input["NextPageToken"] = token.clone(),
                None => return Ok(()),
            }
        }
    }

    async fn billing_groups(&mut self, door: &Door) -> Result<(), Failure> {
        let of_month = json!({ "BillingPeriod": self.period.to_string(), "MaxResults": PAGE });
        for group in all(door, ("ListBillingGroups", "BillingGroups"), of_month.clone()).await? {
            self.groups.insert(text(&group, "Arn"), text(&group, "Name"));
        }
        let listed = ("ListBillingGroupCostReports", "BillingGroupCostReports");
        for report in all(door, listed, of_month).await? {
            let arn = text(&report, "Arn");
            let group = self.groups.get(&arn).cloned().unwrap_or_else(|| arn.clone());
            let cell = Cell {
                part: Part::BillingGroup,
                group: group.clone(),
                name: String::new(),
                of: String::new(),
                currency: text(&report, "Currency"),
            };
            add_figures(&mut self.month, &cell, &report)?;
            let input = json!({
                "Arn": arn,
                "BillingPeriodRange": {
                    "InclusiveStartBillingPeriod": self.period.to_string(),
                    "ExclusiveEndBillingPeriod": self.period.next().to_string(),
                },
                "GroupBy": ["PRODUCT_NAME"],
                "MaxResults": REPORT_PAGE,
            });
            let listed = ("GetBillingGroupCostReport", "BillingGroupCostReportResults");
            for row in all(door, listed, input).await? {
                let product =
                    list(&row, "Attributes").iter().find(|of| text(of, "Key") == "PRODUCT_NAME").cloned();
                let product = product.map(|of| text(&of, "Value")).unwrap_or_default();
                let cell = Cell {
                    part: Part::Product,
                    name: product,
                    currency: text(&row, "Currency"),
                    ..cell.clone()
                };
                add_figures(&mut self.month, &cell, &row)?;
            }
        }
        note_groups(&mut self.month, self.groups.values());
        Ok(())
    }
}

/// The view of what AWS charges, which names the payer. Who may not see it has nothing to compare.
async fn primary_view(door: &Door) -> Result<String, Failure> {
    let answer =
        door.ask_of("billing", "ListBillingViews", &json!({ "billingViewTypes": ["PRIMARY"] })).await?;
    let view = list(&answer, "billingViews").first().map(|view| text(view, "arn"));
    view.filter(|arn| !arn.is_empty()).ok_or_else(|| {
        Failure::input("this key does not see what AWS charges the payer, which is what is compared")
            .hint("take a key of a payer-admin, of finance or of an analyst")
    })
}

/// The newest month that is priced.
async fn newest(door: &Door) -> Result<BillingPeriod, Failure> {
    let answer = door.ask_of(SERVICE, "ListPeriods", &json!({})).await?;
    let priced = list(&answer, "Periods").iter().filter(|period| period.get("RunId").is_some());
    let newest = priced.filter_map(|period| BillingPeriod::parse(&text(period, "BillingPeriod")).ok()).max();
    newest.ok_or_else(|| {
        Failure::input("no month is priced here")
            .hint("import cost files first: `proforma import --data DIR --cost PATH`")
    })
}

/// All pages of a list of the Billing Conductor's.
async fn all(
    door: &Door,
    (operation, member): (&str, &str),
    mut input: Value,
) -> Result<Vec<Value>, Failure> {
    let mut rows = Vec::new();
    loop {
        let answer = door.ask_of(BILLING_CONDUCTOR, operation, &input).await?;
        rows.extend(list(&answer, member).iter().cloned());
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => return Ok(rows),
        }
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The three figures of a cost report, as the API names them.
fn add_figures(month: &mut Month, cell: &Cell, row: &Value) -> Result<(), Failure> {
    for of in [AWS_COST, PRO_FORMA_COST, MARGIN] {
        add(month, Cell { of: of.to_owned(), ..cell.clone() }, &text(row, of))?;
    }
    Ok(())
}

/// Notes that there are billing groups, of which some have no cost report.
fn note_groups<'a>(month: &mut Month, groups: impl Iterator<Item = &'a String>) {
    let reported = month.keys().filter(|cell| cell.part == Part::BillingGroup);
    let reported: BTreeSet<String> = reported.map(|cell| cell.group.clone()).collect();
    for group in groups.filter(|group| !reported.contains(*group)) {
        let cell = Cell {
            part: Part::BillingGroup,
            group: group.clone(),
            name: String::new(),
            of: AWS_COST.to_owned(),
            currency: String::new(),
        };
        month.entry(cell).or_default();
    }
}

/// Adds an amount to what its cell has.
fn add(month: &mut Month, cell: Cell, written: &str) -> Result<(), Failure> {
    let amount = amount(written).with_context(|| {
        let Cell { part, group, name, of, .. } = &cell;
        let named = [part.as_str(), group, name, of].into_iter().filter(|part| !part.is_empty());
        format!("`{written}`, of {}, is no amount", named.collect::<Vec<_>>().join(" "))
    })?;
    let sum = month.entry(cell).or_default();
    *sum = sum.plus(amount)?;
    Ok(())
}

/// An amount as AWS writes it; small ones come with an exponent.
fn amount(written: &str) -> anyhow::Result<Amount> {
    let Some((digits, exponent)) = written.split_once(['e', 'E']) else {
        return Ok(Amount::parse(written)?);
    };
    let exponent: i32 = exponent.parse().context("its exponent is no number")?;
    let places = usize::try_from(exponent.unsigned_abs())?;
    if places > EXPONENT_MAX {
        return Err(anyhow!("its exponent is beyond {EXPONENT_MAX}"));
    }
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let zeros = "0".repeat(places);
    let (all, point) = match exponent < 0 {
        true => (format!("{zeros}{whole}{fraction}"), whole.len()),
        false => (format!("{whole}{fraction}{zeros}"), whole.len() + places),
    };
    let (Some(whole), Some(fraction)) = (all.get(..point), all.get(point..)) else {
        return Err(anyhow!("it is not written in digits"));
    };
    Ok(Amount::parse(&format!("{sign}{whole}.{fraction}0"))?)
}

/// What `proforma-aws-month` prints.
#[derive(Deserialize)]
struct Printed {
    cost_explorer_requests: u32,
    estimated: bool,
    services: Vec<ServiceRow>,
    accounts: Vec<AccountRow>,
    listed_groups: Vec<ListedGroup>,
    billing_groups: Vec<GroupRow>,
    products: Vec<ProductRow>,
}

/// A billing group, whether it has a cost report or not.
#[derive(Deserialize)]
struct ListedGroup {
    arn: String,
    name: String,
}

#[derive(Deserialize)]
struct ServiceRow {
    service: String,
    record_type: String,
    amount: String,
    currency: String,
}

#[derive(Deserialize)]
struct AccountRow {
    account_id: String,
    record_type: String,
    amount: String,
    currency: String,
}

#[derive(Deserialize)]
struct GroupRow {
    arn: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Deserialize)]
struct ProductRow {
    arn: String,
    product: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Deserialize)]
struct Figures {
    aws_cost: String,
    pro_forma_cost: String,
    margin: String,
    currency: String,
}

impl Figures {
    fn add_to(&self, month: &mut Month, part: Part, group: &str, name: &str) -> Result<(), Failure> {
        for (of, amount) in
            [(AWS_COST, &self.aws_cost), (PRO_FORMA_COST, &self.pro_forma_cost), (MARGIN, &self.margin)]
        {
            let cell = Cell {
                part,
                group: group.to_owned(),
                name: name.to_owned(),
                of: of.to_owned(),
                currency: self.currency.clone(),
            };
            add(month, cell, amount)?;
        }
        Ok(())
    }
}

/// The month as AWS says it.
pub struct AtAws {
    pub month: Month,
    pub is_estimated: bool,
    pub requests: u32,
}

impl AtAws {
    /// Reads what was printed, with the billing groups by the names that they have here.
    pub fn parse(printed: &str, here: &Here) -> Result<Self, Failure> {
        let printed: Printed =
            serde_json::from_str(printed).context("what AWS was read to say is damaged")?;
        let mut month = Month::new();
        for ServiceRow { service, record_type, amount, currency } in printed.services {
            let cell =
                Cell { part: Part::Service, group: String::new(), name: service, of: record_type, currency };
            add(&mut month, cell, &amount)?;
        }
        for AccountRow { account_id, record_type, amount, currency } in printed.accounts {
            let cell = Cell {
                part: Part::Account,
                group: String::new(),
                name: account_id,
                of: record_type,
                currency,
            };
            add(&mut month, cell, &amount)?;
        }
        let names = names(&printed.listed_groups, here);
        let name_of = |arn: &str| names.get(arn).cloned().unwrap_or_else(|| arn.to_owned());
        for GroupRow { arn, figures } in &printed.billing_groups {
            figures.add_to(&mut month, Part::BillingGroup, &name_of(arn), "")?;
        }
        note_groups(&mut month, names.values());
        for ProductRow { arn, product, figures } in &printed.products {
            figures.add_to(&mut month, Part::Product, &name_of(arn), product)?;
        }
        Ok(Self { month, is_estimated: printed.estimated, requests: printed.cost_explorer_requests })
    }
}

/// What AWS's groups are called in the comparison. A group has the ARN that it has here; that of a billing transfer has another one, and is known by its name, which no other
/// group of a payer has. One whose name is here a group of another ARN that AWS has, too, keeps its ARN for a name.
fn names(groups: &[ListedGroup], here: &Here) -> BTreeMap<String, String> {
    let at_aws: BTreeSet<&str> = groups.iter().map(|group| group.arn.as_str()).collect();
    let known: BTreeSet<&String> =
        here.groups.iter().filter(|(arn, _)| at_aws.contains(arn.as_str())).map(|(_, name)| name).collect();
    let name = |group: &ListedGroup| match here.groups.get(&group.arn) {
        Some(name) => name.clone(),
        None if !known.contains(&group.name) => group.name.clone(),
        None => group.arn.clone(),
    };
    groups.iter().map(|group| (group.arn.clone(), name(group))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: &str) {
        assert_eq!(amount(written).expect("an amount").to_string(), expected);
    }

    #[test]
    fn amounts_may_have_an_exponent() {
        check("12.3400000000", "12.34");
        check("4.09E-5", "0.0000409");
        check("-1e-10", "-0.0000000001");
        check("1.5E3", "1500");
        check("1.25e1", "12.5");
        check("0E-10", "0");
        for bad in ["", "x", "1e", "1e999", "1.2.3", "1e-30", "é1e-3", "--1e2", "1e1e1"] {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }
}
