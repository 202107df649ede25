//! The commands: each builds the input of an operation and prints its answer.

use super::data::Data;
use super::door::Door;
use super::files::{header_of, text_of};
use super::output;
use super::settings::Settings;
use crate::cli::desk::{
    AccountsArguments, AccountsCommand, AccountsImportArguments, AdoptArguments, BookArguments, BookCommand,
    BookFileArguments, CloseArguments, CreateKeyArguments, DeskArguments, DeskOutput, ImportArguments,
    InitArguments, KeysArguments, KeysCommand, ListArguments, RunsArguments, RunsCommand, RunsListArguments,
};
use crate::failure::Failure;
use crate::pricing::{ReadBook, read_book};
use crate::terminal::print;
use anyhow::Context;
use aws_api::proforma::SERVICE;
use back_office::clock::Clock;
use billing::account::AccountId;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How often a server is asked whether it is done.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How many characters of a run's first warning a table shows.
const WARNING_SHOWN: usize = 48;

/// Runs a command that asks a desk.
pub(super) fn at_desk<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(work)
}

/// Asks one operation and prints the answer.
pub(super) fn ask(desk: &DeskArguments, operation: &str, input: &Value) -> Result<(), Failure> {
    output::answer((SERVICE, operation), &asked(desk, operation, input)?, desk.output)
}

/// Asks one operation of the desk's own.
pub(super) fn asked(desk: &DeskArguments, operation: &str, input: &Value) -> Result<Value, Failure> {
    asked_of(desk, SERVICE, operation, input)
}

/// Asks one operation of a service.
pub(super) fn asked_of(
    desk: &DeskArguments,
    service: &str,
    operation: &str,
    input: &Value,
) -> Result<Value, Failure> {
    at_desk(async {
        let door = Door::open(desk).await?;
        let answer = door.ask_of(service, operation, input).await;
        door.close().await?;
        answer
    })
}

/// `proforma init`
pub fn init(arguments: &InitArguments) -> Result<(), Failure> {
    let payer = AccountId::parse(&arguments.payer).filter(AccountId::has_twelve_digits);
    let payer = payer.ok_or_else(|| {
        Failure::input(format!("`{}` is no account: it takes twelve digits", arguments.payer))
    })?;
    let first = at_desk(async {
        let data = Data::open(&Settings::of(&arguments.place)?, Clock::Machine).await?;
        let first = data.begin(&payer).await;
        data.close().await;
        first
    })?;
    match first {
        Some(first) => output::first_key(&first, arguments.output),
        None => Err(Failure::input(format!(
            "payer `{payer}` is there already; its key was shown when it was made"
        ))
        .hint("make another key with `proforma keys create`")),
    }
}

/// `proforma keys`
pub fn keys(arguments: &KeysArguments) -> Result<(), Failure> {
    match &arguments.command {
        KeysCommand::Create(of) => create_key(of),
        KeysCommand::List(of) => ask(&of.desk, "ListKeys", &json!({})),
        KeysCommand::Deactivate(of) => {
            ask(&of.desk, "UpdateKey", &json!({ "AccessKeyId": of.access_key_id, "Status": "Inactive" }))
        }
        KeysCommand::Activate(of) => {
            ask(&of.desk, "UpdateKey", &json!({ "AccessKeyId": of.access_key_id, "Status": "Active" }))
        }
        KeysCommand::Delete(of) => ask(&of.desk, "DeleteKey", &json!({ "AccessKeyId": of.access_key_id })),
        KeysCommand::RotateMaster(of) => super::keeping::rotate_master(of),
    }
}

fn create_key(arguments: &CreateKeyArguments) -> Result<(), Failure> {
    let CreateKeyArguments { desk, principal, role, billing_group, account } = arguments;
    let input = json!({
        "PrincipalName": principal,
        "Role": role,
        "BillingGroups": billing_group,
        "Accounts": account,
    });
    ask(desk, "CreateKey", &input)
}

/// `proforma accounts`
pub fn accounts(arguments: &AccountsArguments) -> Result<(), Failure> {
    let AccountsCommand::Import(AccountsImportArguments { desk, file, partial }) = &arguments.command;
    let accounts = read_accounts(file)?;
    ask(desk, "DeclareAccounts", &json!({ "Accounts": accounts, "Complete": !partial }))
}

/// The accounts of a CSV file: id, and where it has them name, email, joined and left.
fn read_accounts(path: &Path) -> Result<Vec<Value>, Failure> {
    let shown = path.display();
    let failed = |problem: String| Failure::input(format!("`{shown}`: {problem}"));
    let text = text_of(path)?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = header_of(&mut reader, path)?;
    let columns =
        [("id", "AccountId"), ("name", "Name"), ("email", "Email"), ("joined", "Joined"), ("left", "Left")];
    if !headers.iter().any(|name| name == "id") {
        return Err(failed("it has no column `id`".to_owned()));
    }
    let mut accounts = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| failed(error.to_string()))?;
        let mut account = Map::new();
        for (name, value) in headers.iter().zip(row.iter()).filter(|(_, value)| !value.is_empty()) {
            let Some((_, member)) = columns.iter().find(|(column, _)| *column == name) else { continue };
            account.insert((*member).to_owned(), json!(value));
        }
        accounts.push(Value::Object(account));
    }
    Ok(accounts)
}

/// `proforma import`
pub fn import(arguments: &ImportArguments) -> Result<(), Failure> {
    let text = |path: &std::path::PathBuf| path.display().to_string();
    let mut input = Map::new();
    input.insert("CostFiles".to_owned(), json!(arguments.cost.iter().map(absolute).collect::<Vec<_>>()));
    if let Some(period) = &arguments.period {
        input.insert("BillingPeriod".to_owned(), json!(period));
    }
    if let Some(list) = &arguments.price_list {
        input.insert("PriceList".to_owned(), json!(text(list)));
    }
    for (name, flag) in [
        ("Watch", arguments.watch),
        ("Immutable", arguments.immutable),
        ("AcceptRejects", arguments.accept_rejects),
    ] {
        input.insert(name.to_owned(), json!(flag));
    }
    let answer = at_desk(async {
        let door = Door::open(&arguments.desk).await?;
        let mut answer = door.ask("ImportCostData", &Value::Object(input)).await;
        if let Ok(queued) = &answer
            && !arguments.no_wait
            && let Err(failure) = waited_for_import(&door, queued).await
        {
            answer = Err(failure);
        }
        door.close().await?;
        answer
    })?;
    output::answer((SERVICE, "ImportCostData"), &answer, arguments.desk.output)
}

/// Waits for the periods that an import names: what became of others is not its business.
async fn waited_for_import(door: &Door, queued: &Value) -> Result<(), Failure> {
    let periods = queued.get("BillingPeriods").and_then(Value::as_array);
    let mut problems = Vec::new();
    for period in periods.into_iter().flatten().filter_map(Value::as_str) {
        problems.extend(problems_of(door, Some(period)).await?);
    }
    all_went_well(problems)
}

/// A local path as a server elsewhere in the file system would name it; a place on a store as it is.
fn absolute(path: &std::path::PathBuf) -> String {
    let text = path.display().to_string();
    if text.contains("://") {
        return text;
    }
    std::path::absolute(path).map_or(text, |path| path.display().to_string())
}

/// `proforma runs`
pub fn runs(arguments: &RunsArguments) -> Result<(), Failure> {
    match &arguments.command {
        RunsCommand::List(of) => {
            let answer = asked(&of.desk, "ListRuns", &of_period(of))?;
            let table = |answer| output::table(&with_warnings_cut(answer));
            output::answer_with((SERVICE, "ListRuns"), &answer, of.desk.output, table)
        }
        RunsCommand::Wait(of) => at_desk(async {
            let door = Door::open(&of.desk).await?;
            let problems = problems_of(&door, of.period.as_deref()).await;
            door.close().await?;
            all_went_well(problems?)
        }),
    }
}

/// The runs with how many warnings each has, and the beginning of the first: all of them are in the answer itself.
fn with_warnings_cut(mut answer: Value) -> Value {
    let runs = answer.get_mut("Runs").and_then(Value::as_array_mut);
    for warnings in runs.into_iter().flatten().filter_map(|run| run.get_mut("Warnings")) {
        let Some(said) = warnings.as_array() else { continue };
        let first = said.first().and_then(Value::as_str).unwrap_or_default();
        let mut beginning: String = first.chars().take(WARNING_SHOWN).collect();
        if beginning.len() < first.len() {
            beginning.push('…');
        }
        *warnings = if said.is_empty() { Value::Null } else { json!(format!("{}: {beginning}", said.len())) };
    }
    answer
}

fn of_period(of: &RunsListArguments) -> Value {
    of.period.as_ref().map_or_else(|| json!({}), |period| json!({ "BillingPeriod": period }))
}

fn all_went_well(problems: Vec<String>) -> Result<(), Failure> {
    if problems.is_empty() { Ok(()) } else { Err(Failure::inputs(problems)) }
}

/// Waits until nothing is queued and nothing runs, of a period or of all; the sentences of the last runs that have failed.
async fn problems_of(door: &Door, period: Option<&str>) -> Result<Vec<String>, Failure> {
    let input = period.map_or_else(|| json!({}), |period| json!({ "BillingPeriod": period }));
    loop {
        door.price_queued().await?;
        let answer = door.ask("ListRuns", &input).await?;
        let runs = answer.get("Runs").and_then(Value::as_array).cloned().unwrap_or_default();
        let status = |run: &Value| run.get("Status").and_then(Value::as_str).unwrap_or_default().to_owned();
        if runs.iter().any(|run| ["QUEUED", "RUNNING"].contains(&status(run).as_str())) {
            tokio::time::sleep(ASK_AGAIN).await;
            continue;
        }
        let mut problems = Vec::new();
        let mut seen = Vec::new();
        for run in &runs {
            let of = run.get("BillingPeriod").and_then(Value::as_str).unwrap_or_default();
            if seen.contains(&of) {
                continue;
            }
            seen.push(of);
            if status(run) == "FAILED" {
                let error = run.get("Error").and_then(Value::as_str).unwrap_or_default();
                problems.push(format!("{of}: {error}"));
            }
        }
        return Ok(problems);
    }
}

/// `proforma periods`
pub fn periods(arguments: &ListArguments) -> Result<(), Failure> {
    ask(&arguments.desk, "ListPeriods", &json!({}))
}

/// `proforma close`
pub fn close(arguments: &CloseArguments) -> Result<(), Failure> {
    let mut input = json!({ "BillingPeriod": arguments.period });
    if arguments.despite_failed_runs {
        input["DespiteFailedRuns"] = json!(true);
    }
    ask(&arguments.desk, "ClosePeriod", &input)
}

/// `proforma book`
pub fn book(arguments: &BookArguments) -> Result<(), Failure> {
    match &arguments.command {
        BookCommand::Export(of) => {
            let input =
                of.period.as_ref().map_or_else(|| json!({}), |period| json!({ "BillingPeriod": period }));
            let answer = at_desk(async {
                let door = Door::open(&of.desk).await?;
                let answer = door.ask("ExportBook", &input).await;
                door.close().await?;
                answer
            })?;
            match of.desk.output {
                DeskOutput::Json => output::answer((SERVICE, "ExportBook"), &answer, DeskOutput::Json),
                // A book is its own best table.
                DeskOutput::Table | DeskOutput::Csv => {
                    Ok(print(answer.get("Book").and_then(Value::as_str).unwrap_or_default())?)
                }
            }
        }
        BookCommand::Import(of) => send_book(of, "ApplyBook", true),
        BookCommand::Plan(of) => send_book(of, "PlanBook", false),
        BookCommand::Apply(of) => send_book(of, "ApplyBook", false),
    }
}

fn send_book(arguments: &BookFileArguments, operation: &str, only_first: bool) -> Result<(), Failure> {
    let ReadBook { text, files, .. } = read_book(&arguments.book)?;
    let name = arguments.book.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut input = json!({ "Book": text, "Name": name, "Files": files });
    if let Some(period) = &arguments.period {
        input["BillingPeriod"] = json!(period);
    }
    if only_first {
        input["OnlyFirst"] = json!(true);
    }
    ask(&arguments.desk, operation, &input)
}

/// `proforma adopt`: another program, which alone carries AWS's SDK.
pub fn adopt(arguments: &AdoptArguments) -> Result<(), Failure> {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("proforma-adopt"));
    let program = beside.filter(|program| program.is_file()).unwrap_or_else(|| "proforma-adopt".into());
    let mut command = Command::new(&program);
    command.arg("--out").arg(&arguments.out);
    if let Some(period) = &arguments.period {
        command.arg("--period").arg(period);
    }
    if let Some(endpoint) = &arguments.endpoint {
        command.arg("--endpoint").arg(endpoint);
    }
    let status = command.status().with_context(|| {
        format!(
            "`{}` cannot be started; it is built with `cargo build -p adopt` and stands beside proforma",
            program.display()
        )
    })?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Said(u8::try_from(code).unwrap_or(1))),
        None => Err(anyhow::anyhow!("`{}` was stopped by a signal", program.display()).into()),
    }
}
