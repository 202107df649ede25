//! `proforma doctor aws`: a month here beside what AWS says of it.
//!
//! `proforma-aws-month` reads at AWS and prints; the desk is asked the same questions; [`billing::aws_month`] compares.

mod months;
mod said;

use super::aws_reader::{aws_reader, printed};
use super::command::at_desk;
use super::door::Door;
use crate::cli::doctor::{DoctorArguments, DoctorAwsArguments, DoctorCommand};
use crate::failure::Failure;
use crate::terminal::print;
use anyhow::anyhow;
use billing::aws_month::{Part, compare};
use billing::money::Amount;
use billing::period::BillingPeriod;
use months::{AtAws, Here};
use said::Compared;

/// The program that reads at AWS, beside this one or on the path.
const PROGRAM: &str = "proforma-aws-month";
/// The exit status where something differs.
const DIFFERS: u8 = 3;

/// `proforma doctor`
pub fn doctor(arguments: &DoctorArguments) -> Result<(), Failure> {
    match &arguments.command {
        DoctorCommand::Aws(of) => aws(of),
    }
}

fn aws(arguments: &DoctorAwsArguments) -> Result<(), Failure> {
    let tolerance = Amount::parse(&arguments.tolerance).ok().filter(|amount| *amount >= Amount::ZERO);
    let tolerance = tolerance.ok_or_else(|| {
        Failure::input(format!(
            "--tolerance `{}` is no amount: give a decimal that is not negative, as 0.01",
            arguments.tolerance
        ))
    })?;
    let given = arguments.period.as_deref().map(|text| {
        BillingPeriod::parse(text)
            .map_err(|error| Failure::input(format!("--period `{text}`: {error}")).hint("a month is 2026-10"))
    });
    let given = given.transpose()?;
    // Here first: what is wrong with it shall not cost a request at AWS.
    let here = at_desk(async {
        let door = Door::open(&arguments.desk).await?;
        let here = Here::read(&door, given).await;
        door.close().await?;
        here
    })?;
    let text = read_at_aws(arguments, &here)?;
    let aws = AtAws::parse(&text, &here)?;
    let mut cells = here.month;
    let has_groups = aws.month.keys().any(|cell| cell.part == Part::BillingGroup);
    if !has_groups {
        cells.retain(|cell, _| matches!(cell.part, Part::Service | Part::Account));
    }
    let rows = compare(&aws.month, &cells, tolerance)
        .map_err(|error| anyhow!("the amounts of {} cannot be compared: {error}", here.period))?;
    let compared = Compared {
        payer: here.payer,
        period: here.period,
        is_estimated: aws.is_estimated,
        requests: aws.requests,
        tolerance,
        has_groups,
        rows,
    };
    print(&compared.text(arguments.desk.output)?)?;
    if compared.agrees() { Ok(()) } else { Err(Failure::Said(DIFFERS)) }
}

/// What AWS says of the month; how far the reading is goes to standard error.
fn read_at_aws(arguments: &DoctorAwsArguments, here: &Here) -> Result<String, Failure> {
    let DoctorAwsArguments { profile, endpoint_url, .. } = arguments;
    let (program, mut command) = aws_reader(PROGRAM, profile.as_deref(), endpoint_url.as_deref());
    command.arg("--period").arg(here.period.to_string()).arg("--payer").arg(&here.payer);
    printed((program, command), "nothing was compared")?
        .ok_or_else(|| Failure::input("AWS was not read; nothing was compared"))
}
