//! The commands of the organization: `proforma sync` and `proforma rules`.

use super::aws_reader::Credentials;
use super::command::{ask, asked, at_desk};
use super::door::Door;
use super::files::text_of;
use super::organization_reader::{Reading, read_at_aws};
use super::output;
use super::settings::Settings;
use crate::cli::desk::DeskArguments;
use crate::cli::organization::{
    RulesArguments, RulesCommand, SetRuleArguments, SyncArguments, SyncCommand, SyncOrganizationArguments,
};
use crate::failure::Failure;
use aws_api::proforma::SERVICE;
use serde_json::{Value, json};
use std::path::Path;

/// What is read at AWS is called, where mistakes are told.
const READ: &str = "organization.json";

/// `proforma sync`
pub fn sync(arguments: &SyncArguments) -> Result<(), Failure> {
    match &arguments.command {
        SyncCommand::Organization(of) => organization(of),
        SyncCommand::Schedule(of) => match of.every {
            Some(hours) => ask(&of.desk, "UpdateOrganizationSync", &json!({ "EveryHours": hours })),
            None => ask(&of.desk, "GetOrganizationSync", &json!({})),
        },
    }
}

fn organization(arguments: &SyncOrganizationArguments) -> Result<(), Failure> {
    let SyncOrganizationArguments { desk, file, dry_run, profile, organization_endpoint } = arguments;
    if let Some(file) = file {
        return send(desk, (&file.display().to_string(), &text_of(file)?), *dry_run);
    }
    if desk.endpoint.is_some() && profile.len() > 1 {
        return Err(Failure::input("a server's key is of one payer, and several profiles are given")
            .hint("sync each payer with a key of its own, or at the data directory with --data"));
    }
    let profiles: Vec<Option<&str>> = match profile.as_slice() {
        [] => vec![None],
        named => named.iter().map(|name| Some(name.as_str())).collect(),
    };
    for profile in profiles {
        let journal = match &desk.endpoint {
            Some(_) => None,
            None => Some(Settings::of(&desk.place)?.data.join(journal_name(profile))),
        };
        let credentials = Credentials::of(desk, profile);
        let reading = Reading {
            credentials,
            endpoint: organization_endpoint.as_deref(),
            journal: journal.as_deref(),
            believed: None,
        };
        let text = read_at_aws(&reading)?;
        let desk = of_payer(desk, &text);
        send(&desk, (READ, &text), *dry_run)?;
    }
    Ok(())
}

/// The file of a reading that was broken off.
pub(super) fn journal_name(of: Option<&str>) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let name: String = of.unwrap_or("default").chars().map(fits).collect();
    format!("organization-{name}.journal")
}

/// The desk of the payer that manages what was read, where the data directory may have several.
fn of_payer(desk: &DeskArguments, text: &str) -> DeskArguments {
    let mut desk = desk.clone();
    if desk.payer.is_none() && desk.endpoint.is_none() {
        let draft = book_file::organization::read(Path::new(READ), text).ok();
        desk.payer = draft.and_then(|draft| draft.management_account).map(|payer| payer.to_string());
    }
    desk
}

/// Has an organization taken over.
fn send(desk: &DeskArguments, (name, text): (&str, &str), dry_run: bool) -> Result<(), Failure> {
    let operation = if dry_run { "PlanOrganization" } else { "ApplyOrganization" };
    // A name is for messages; what is before its end helps least.
    let start = name.char_indices().rev().nth(127).map_or(0, |(at, _)| at);
    let input = json!({ "Content": text, "FileName": &name[start..] });
    let answer = at_desk(async {
        let door = Door::open(desk).await?;
        let answer = door.ask(operation, &input).await;
        door.close().await?;
        answer
    })?;
    output::answer_with((SERVICE, operation), &answer, desk.output, |answer| said(&answer, dry_run))
}

/// What has changed, in words: lists of accounts by number, and what somebody should look at in full.
fn said(answer: &Value, dry_run: bool) -> String {
    let text = |name: &str| answer.get(name).map(ToString::to_string).unwrap_or_default();
    let mut said = format!(
        "organization {}: {} accounts in {} units{}\n",
        answer.get("OrganizationId").and_then(Value::as_str).unwrap_or_default(),
        text("AccountCount"),
        text("UnitCount"),
        if dry_run { "; nothing is changed" } else { "" }
    );
    for (name, words) in [
        ("JoinedAccounts", "accounts have joined"),
        ("LeftAccounts", "accounts have left"),
        ("AccountsInOtherUnit", "accounts are in another unit"),
        ("ChangedAccounts", "accounts are otherwise"),
        ("NewUnits", "units are new"),
        ("ChangedUnits", "units are otherwise"),
        ("GoneUnits", "units are gone"),
        ("ChangedTransfers", "billing transfers are otherwise"),
        ("EndedBillingGroups", "billing groups have ended"),
    ] {
        let listed: Vec<&str> = answer
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !listed.is_empty() {
            said += &format!("{} {words}: {}\n", listed.len(), listed.join(", "));
        }
    }
    said + &moved(answer)
}

/// Which accounts have moved and why, and what somebody should look at.
fn moved(answer: &Value) -> String {
    let list = |name: &str| answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut said = String::new();
    for of in list("MovedAccounts") {
        let text = |name: &str| of.get(name).and_then(Value::as_str);
        let account = text("AccountId").unwrap_or_default();
        let reason = text("Reason").unwrap_or_default();
        said += &match (text("FromBillingGroup"), text("ToBillingGroup")) {
            (None, Some(to)) => format!("{account} joins `{to}`: {reason}\n"),
            (Some(from), Some(to)) => format!("{account} moves from `{from}` to `{to}`: {reason}\n"),
            (Some(from), None) => format!("{account} leaves `{from}`: {reason}\n"),
            (None, None) => String::new(),
        };
    }
    for flag in list("Flags") {
        let message = flag.get("Message").and_then(Value::as_str).unwrap_or_default();
        said += &format!("look: {message}\n");
    }
    for refused in list("Refused") {
        said += &format!("not taken over: {}\n", refused.as_str().unwrap_or_default());
    }
    if said.is_empty() { "no account moves\n".to_owned() } else { said }
}

/// `proforma rules`
pub fn rules(arguments: &RulesArguments) -> Result<(), Failure> {
    match &arguments.command {
        RulesCommand::List(of) => {
            let input =
                of.period.as_ref().map_or_else(|| json!({}), |period| json!({ "BillingPeriod": period }));
            ask(&of.desk, "ListBillingGroupRules", &input)
        }
        RulesCommand::Set(of) => {
            let operation = if of.plan { "PlanBillingGroupRule" } else { "PutBillingGroupRule" };
            followed(&of.desk, operation, &rule_input(of)?)
        }
        RulesCommand::Delete(of) => {
            let input = from(json!({ "BillingGroupArn": of.billing_group }), of.period.as_deref());
            followed(&of.desk, "DeleteBillingGroupRule", &input)
        }
    }
}

fn followed(desk: &DeskArguments, operation: &str, input: &Value) -> Result<(), Failure> {
    let answer = asked(desk, operation, input)?;
    output::answer_with((SERVICE, operation), &answer, desk.output, |answer| moved(&answer))
}

/// The rule that flags say: each a condition of its own, or all of them one.
fn rule_input(arguments: &SetRuleArguments) -> Result<Value, Failure> {
    let SetRuleArguments { billing_group, unit, tag, name, all, except, period, .. } = arguments;
    let tags = tag.iter().map(|tag| match tag.split_once('=') {
        Some((key, value)) => json!({ "TagKey": key, "TagValues": [value] }),
        None => json!({ "TagKey": tag }),
    });
    let units = unit.iter().map(|unit| json!({ "OrganizationalUnit": unit }));
    let names = name.iter().map(|name| json!({ "NamePattern": name }));
    let mut selectors: Vec<Value> = units.chain(tags).chain(names).collect();
    if selectors.is_empty() {
        return Err(Failure::input("the rule says nothing")
            .hint("give --unit, --tag or --name; `proforma rules delete` takes a rule away"));
    }
    if *all {
        if unit.len() > 1 || tag.len() > 1 || name.len() > 1 {
            return Err(Failure::input("--all takes one --unit, one --tag and one --name"));
        }
        let mut whole = json!({});
        for members in selectors.iter().filter_map(Value::as_object) {
            for (name, value) in members {
                whole[name] = value.clone();
            }
        }
        selectors = vec![whole];
    }
    let rule =
        json!({ "BillingGroupArn": billing_group, "Selectors": selectors, "ExceptAccountIds": except });
    Ok(from(rule, period.as_deref()))
}

/// An input with the period from which on it holds, where one is named.
fn from(mut input: Value, period: Option<&str>) -> Value {
    if let Some(period) = period {
        input["BillingPeriod"] = period.into();
    }
    input
}
