//! What was compared, in words, as a table, as JSON and as CSV.

use super::super::output::plain;
use crate::cli::desk::DeskOutput;
use crate::report_files::as_csv;
use crate::terminal::empty_table;
use billing::aws_month::{Late, Part, Reason, Row, Total};
use billing::money::Amount;
use billing::period::BillingPeriod;
use comfy_table::ContentArrangement;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many names an explanation has.
const NAMES_MAX: usize = 5;
const HEADER: [&str; 11] = [
    "Part",
    "BillingGroup",
    "Name",
    "LineType",
    "Currency",
    "Aws",
    "Here",
    "Difference",
    "Agrees",
    "Reason",
    "Explanation",
];

/// A month that was compared.
pub struct Compared {
    pub payer: String,
    pub period: BillingPeriod,
    pub is_estimated: bool,
    /// How often Cost Explorer was asked.
    pub requests: u32,
    pub tolerance: Amount,
    /// Whether AWS has billing groups for the month.
    pub has_groups: bool,
    pub rows: Vec<Row>,
    pub totals: Vec<Total>,
}

impl Compared {
    /// Whether all amounts are the same, and what they come to, within the tolerance.
    pub fn agrees(&self) -> bool {
        self.rows.iter().all(Row::agrees) && self.totals.iter().all(|total| total.agrees)
    }

    /// The totals of what the payer is charged, or of billing groups.
    fn totals_of(&self, part: Part) -> impl Iterator<Item = &Total> {
        self.totals.iter().filter(move |total| total.part == part)
    }

    /// What is printed.
    pub fn text(&self, output: DeskOutput) -> anyhow::Result<String> {
        Ok(match output {
            DeskOutput::Json => format!("{}\n", serde_json::to_string_pretty(&self.json())?),
            DeskOutput::Csv => self.csv()?,
            DeskOutput::Table => self.words(),
        })
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let cells = HEADER.iter().zip(self.cells(row));
            let value = |(name, text): (&&str, String)| {
                let value = match *name {
                    "Agrees" => json!(row.agrees()),
                    _ => json!(text),
                };
                ((*name).to_owned(), value)
            };
            Value::Object(cells.filter(|(_, text)| !text.is_empty()).map(value).collect())
        });
        let total = |of: &Total| {
            json!({
                "Currency": of.currency,
                "Aws": of.aws.to_string(),
                "Here": of.here.to_string(),
                "Difference": of.difference.to_string(),
                "Agrees": of.agrees,
            })
        };
        let of_groups = self.totals_of(Part::BillingGroup).map(|of| {
            let mut total = total(of);
            total["LineType"] = json!(of.of);
            total
        });
        json!({
            "PayerAccountId": self.payer,
            "BillingPeriod": self.period.to_string(),
            "Agrees": self.agrees(),
            "Tolerance": self.tolerance.to_string(),
            "EstimatedAtAws": self.is_estimated,
            "BillingGroupsAtAws": self.has_groups,
            "CostExplorerRequests": self.requests,
            "Totals": self.totals_of(Part::Service).map(total).collect::<Vec<_>>(),
            "BillingGroupTotals": of_groups.collect::<Vec<_>>(),
            "Rows": rows.collect::<Vec<_>>(),
        })
    }

    fn csv(&self) -> anyhow::Result<String> {
        let rows = self.rows.iter().map(|row| self.cells(row).to_vec());
        let all: Vec<Vec<String>> =
            std::iter::once(HEADER.map(ToOwned::to_owned).to_vec()).chain(rows).collect();
        as_csv(all.iter().map(|row| row.iter().map(String::as_str)))
    }

    fn words(&self) -> String {
        let mut words = format!("payer {}, {}\n", self.payer, self.period);
        for Total { currency, aws, here, difference, .. } in self.totals_of(Part::Service) {
            words += &format!(
                "AWS {aws} {currency}, here {here} {currency}, difference {difference} {currency}\n"
            );
        }
        if self.is_estimated {
            words += "AWS still estimates this month: it changes until AWS has invoiced it\n";
        }
        if !self.has_groups {
            words += "AWS has no billing groups for this month: the groups here were not compared\n";
        }
        let told: Vec<&Row> = self.rows.iter().filter(|row| row.reason.is_some()).collect();
        if !told.is_empty() {
            words += &self.table(&told);
        }
        let differ = self.rows.iter().filter(|row| !row.agrees()).count();
        for total in self.totals.iter().filter(|total| !total.agrees) {
            let of = if total.of.is_empty() { "charges" } else { total.of.as_str() };
            words += &format!(
                "all {of} together differ by {} {}, more than the tolerance of {}\n",
                total.difference, total.currency, self.tolerance
            );
        }
        words += &match differ {
            0 if self.agrees() => format!("everything agrees: {}\n", self.counts()),
            0 => format!("no amount differs by more than the tolerance; compared: {}\n", self.counts()),
            1 => format!("1 of {} amounts differs; compared: {}\n", self.rows.len(), self.counts()),
            _ => format!("{differ} of {} amounts differ; compared: {}\n", self.rows.len(), self.counts()),
        };
        let (dollars, cents) = (self.requests / 100, self.requests % 100);
        words += &format!(
            "Cost Explorer was asked {} times, for which AWS charges USD {dollars}.{cents:02}\n",
            self.requests
        );
        words
    }

    fn table(&self, rows: &[&Row]) -> String {
        let header = ["what", "line type", "AWS", "here", "difference", "why"];
        let mut table = empty_table(&header, 2..5);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        for row in rows {
            let cell = &row.cell;
            let what = match cell.part {
                Part::Service | Part::Account => cell.name.clone(),
                Part::BillingGroup => format!("`{}`", cell.group),
                Part::Product => format!("`{}`: {}", cell.group, cell.name),
            };
            let money = |amount: Amount| format!("{amount} {}", cell.currency);
            table.add_row([
                plain(&what),
                plain(&cell.of),
                money(row.aws),
                money(row.here),
                money(row.difference),
                plain(&self.explanation(row)),
            ]);
        }
        format!("{table}\n")
    }

    /// What was compared, in numbers.
    fn counts(&self) -> String {
        let of = |part: Part| {
            let of = self.rows.iter().filter(|row| row.cell.part == part);
            of.map(|row| (&row.cell.group, &row.cell.name)).collect::<BTreeSet<_>>().len()
        };
        format!(
            "{} services, {} accounts, {} billing groups with {} products",
            of(Part::Service),
            of(Part::Account),
            of(Part::BillingGroup),
            of(Part::Product)
        )
    }

    /// A row under [`HEADER`].
    fn cells(&self, row: &Row) -> [String; 11] {
        let cell = &row.cell;
        [
            cell.part.as_str().to_owned(),
            cell.group.clone(),
            cell.name.clone(),
            cell.of.clone(),
            cell.currency.clone(),
            row.aws.to_string(),
            row.here.to_string(),
            row.difference.to_string(),
            row.agrees().to_string(),
            row.reason.as_ref().map_or("", Reason::as_str).to_owned(),
            self.explanation(row),
        ]
    }

    /// A difference in a sentence.
    fn explanation(&self, row: &Row) -> String {
        let Some(reason) = &row.reason else { return String::new() };
        let differs = format!("{} differs by {}: ", row.cell.of, row.difference);
        match reason {
            Reason::Rounding => "within the tolerance".to_owned(),
            Reason::NamedDifferently(other) => {
                format!("the same amount, which the other side calls `{other}`")
            }
            reason if row.difference.is_zero() => because(reason) + "; it costs nothing",
            reason => differs + &because(reason) + self.later(reason),
        }
    }

    /// Of a month that AWS still estimates, what comes later may explain more than what is missing.
    fn later(&self, reason: &Reason) -> &'static str {
        let may_come = matches!(
            reason,
            Reason::LinesMissingHere(_) | Reason::LinesMissingAtAws(_) | Reason::AmountsDiffer(_)
        );
        if self.is_estimated && may_come { "; AWS still estimates the month" } else { "" }
    }
}

/// Why, without the amount.
fn because(reason: &Reason) -> String {
    let fixed = match reason {
        Reason::SameAmountUnder(other) => {
            return format!(
                "the other side has exactly this amount under `{other}`, and nothing in the names says that they are one"
            );
        }
        Reason::CountedUnder(other) => {
            return format!(
                "`{other}` differs by as much the other way: the same lines are counted under another service"
            );
        }
        Reason::OtherLineType(others) => {
            return format!(
                "within it {others} differ by as much the other way: the lines have another type"
            );
        }
        Reason::AccountsMissingHere(accounts) => {
            return format!(
                "all services together lack as much of it as accounts cost of which nothing is here: {}; import the files that have them",
                names(accounts)
            );
        }
        Reason::LinesMissingHere(accounts) => {
            return format!("no such line is here{}; import the month's files again", within(accounts));
        }
        Reason::LinesMissingAtAws(accounts) => {
            return format!(
                "AWS has no such line{}; are the cost files those of this payer?",
                within(accounts)
            );
        }
        Reason::AmountsDiffer(accounts) => {
            return format!(
                "lines are missing on one side, or have changed{}; import the month's files again",
                within(accounts)
            );
        }
        Reason::NotDelivered(late) => return not_delivered(*late).to_owned(),
        Reason::Corrected(late) => {
            return format!(
                "AWS changes {} until it has invoiced the month; import the month's files again",
                word(*late)
            );
        }
        Reason::Rounding | Reason::NamedDifferently(_) => "",
        Reason::SavingsPlanNegation => {
            "covered usage and its negation differ by the same and cancel: what the Savings Plan covers was settled anew"
        }
        Reason::AccountMissingHere => "nothing of the account is here; import the files that have it",
        Reason::AccountMissingAtAws => "AWS knows nothing of the account in this month",
        Reason::ServiceMissingHere => "nothing of the service is here; import the month's files again",
        Reason::ServiceMissingAtAws => "AWS has nothing under this name",
        Reason::GroupMissingHere => "AWS has this billing group, and there is none here",
        Reason::GroupMissingAtAws => "there is no such billing group at AWS",
        Reason::ProductMissingHere => {
            "the product, or a custom line item of this name, is not on the group's bill here"
        }
        Reason::ProductMissingAtAws => {
            "the product, or a custom line item of this name, is not on the group's bill at AWS"
        }
        Reason::GroupCost => {
            "the group has other accounts there, or the month has other lines (see services and accounts)"
        }
        Reason::Price => "AWS's cost of it is the same: a pricing rule, a plan or a custom line item differs",
        Reason::CostAndPrice => "AWS's cost of it differs, and the price with it",
        Reason::MarginFollows => "it follows from cost and price",
    };
    fixed.to_owned()
}

const fn not_delivered(late: Late) -> &'static str {
    match late {
        Late::Tax => {
            "not delivered yet: AWS adds tax as it invoices the month; import the month's files again"
        }
        Late::Credit => {
            "not delivered yet: AWS applies credits until it has invoiced the month; import the month's files again"
        }
        Late::Refund => {
            "not delivered yet: AWS has refunded since the files were read; import the month's files again"
        }
        Late::Support => {
            "not delivered yet: AWS charges support once the month has ended; import the month's files again"
        }
    }
}

const fn word(late: Late) -> &'static str {
    match late {
        Late::Tax => "tax",
        Late::Credit => "credits",
        Late::Refund => "refunds",
        Late::Support => "support fees",
    }
}

/// Some names of a list, and how many more there are.
fn names(all: &[String]) -> String {
    let shown = all.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn within(accounts: &[String]) -> String {
    if accounts.is_empty() { String::new() } else { format!(" (accounts {})", names(accounts)) }
}
