//! `proforma groups`: the units of an AWS organization as billing groups of a book.

mod organization;

use crate::cli::GroupsArguments;
use crate::failure::Failure;
use crate::terminal::print;
use billing::account::AccountId;
use cost_data::diagnostics::excerpt;
use organization::Account;
use std::collections::BTreeMap;

/// Units by path from the root on, parents before their children, with the accounts directly in them.
type Units<'a> = BTreeMap<&'a [String], Vec<&'a Account>>;

/// Reads, and prints a part of a book.
pub fn groups(arguments: &GroupsArguments) -> Result<(), Failure> {
    let payer = arguments.payer.as_deref().map(organization::account_id).transpose();
    let payer = payer.map_err(|message| Failure::input(format!("--payer: {message}")))?;
    let root = arguments.root.as_deref().map(organization::unit).transpose();
    let root = root.map_err(|message| Failure::input(format!("--root: {message}")))?;
    let accounts = organization::read(&arguments.organization)?;
    let root = root.unwrap_or_else(|| accounts[0].unit[..1].to_vec());
    let units = units(&accounts, &root, payer.as_ref())?;
    match &payer {
        None => say!(
            "note: no --payer is given; where the payer account is a primary account here, the book is refused"
        ),
        Some(payer) if accounts.iter().all(|account| account.id != *payer) => {
            say!("note: the payer account `{payer}` is not in the file");
        }
        Some(_) => {}
    }
    print(&text(&units, arguments, &accounts, payer.as_ref())?)?;
    Ok(())
}

/// The units at or below a root that have accounts directly or below. The root itself only where it has accounts of its own.
fn units<'a>(
    accounts: &'a [Account],
    root: &[String],
    payer: Option<&AccountId>,
) -> Result<Units<'a>, Failure> {
    let mut units = Units::new();
    let mut is_known = false;
    for account in accounts.iter().filter(|account| account.unit.starts_with(root)) {
        is_known = true;
        if payer == Some(&account.id) {
            continue;
        }
        for depth in root.len() + 1..account.unit.len() {
            units.entry(&account.unit[..depth]).or_default();
        }
        units.entry(&account.unit).or_default().push(account);
    }
    if !units.is_empty() {
        units.values_mut().for_each(|accounts| accounts.sort_by(|a, b| a.id.cmp(&b.id)));
        return Ok(units);
    }
    let path = excerpt(&root.join("/"));
    if is_known {
        return Err(Failure::input(format!("no account but the payer is in or below `{path}`"))
            .hint("name another unit with --root"));
    }
    let mut known: Vec<String> = accounts.iter().map(|account| account.unit.join("/")).collect();
    known.sort();
    known.dedup();
    let more = if known.len() > 10 { " and others" } else { "" };
    known.truncate(10);
    Err(Failure::input(format!("--root: no account is in or below `{path}`"))
        .hint(format!("accounts are in {}{more}", known.join(", "))))
}

/// Each unit's name, or its path where several have the name.
fn names(units: &Units<'_>) -> BTreeMap<Vec<String>, String> {
    let last = |path: &[String]| path.last().cloned().unwrap_or_default();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    units.keys().for_each(|path| *counts.entry(last(path)).or_default() += 1);
    let name = |path: &[String]| if counts[&last(path)] == 1 { last(path) } else { path.join("/") };
    units.keys().map(|path| (path.to_vec(), name(path))).collect()
}

/// The account that carries a unit's custom line items: its own first one by id, or else the first below; active ones come before others.
fn primary<'a>(units: &Units<'a>, path: &[String]) -> Option<&'a Account> {
    let rank = |account: &&Account| (account.status.is_some(), account.id.clone());
    let own = units[path].iter().copied().min_by_key(rank);
    let below = units.range(path..).take_while(|(other, _)| other.starts_with(path));
    own.or_else(|| below.flat_map(|(_, accounts)| accounts).copied().min_by_key(rank))
}

/// The part of the book.
fn text(
    units: &Units<'_>,
    arguments: &GroupsArguments,
    accounts: &[Account],
    payer: Option<&AccountId>,
) -> anyhow::Result<String> {
    let file = excerpt(&arguments.organization.display().to_string());
    let count: usize = units.values().map(Vec::len).sum();
    let mut text =
        format!("# {} billing groups of {count} accounts, from the organization in {file}.\n", units.len());
    if let Some(payer) = accounts.iter().find(|account| payer == Some(&account.id)) {
        text += &format!("# The payer account {}{} is in none of them.\n", payer.id, named(payer));
    }
    let mut listed: Vec<&Account> = units.values().flatten().copied().collect();
    listed.sort_by(|a, b| a.id.cmp(&b.id));
    for account in listed.into_iter().filter(|account| !account.name.is_empty()) {
        text += &format!(
            "\n[[accounts]]\nid = {}\nname = {}\n",
            quoted(account.id.as_str())?,
            quoted(&account.name)?
        );
    }
    let names = names(units);
    for (path, members) in units {
        text += &format!("\n# {}\n[[billing_groups]]\nname = {}\n", path.join("/"), quoted(&names[*path])?);
        if let Some(parent) = names.get(&path[..path.len() - 1]) {
            text += &format!("parent = {}\n", quoted(parent)?);
        }
        // Every unit has an account, in it or below.
        let primary = primary(units, path).map_or("", |account| account.id.as_str());
        text += &format!("primary_account_id = {}\n", quoted(primary)?);
        text += if members.is_empty() { "accounts = []\n" } else { "accounts = [\n" };
        for account in members {
            let status = account.status.as_ref().map(|status| format!(", {status}")).unwrap_or_default();
            let comment = format!("{}{status}", named(account));
            let comment = comment.trim_start_matches([' ', ',']);
            let comment = if comment.is_empty() { String::new() } else { format!(" # {comment}") };
            text += &format!("  {},{comment}\n", quoted(account.id.as_str())?);
        }
        text += if members.is_empty() { "" } else { "]\n" };
        text += &format!("pricing_plan = {}\n", quoted(&arguments.pricing_plan)?);
    }
    Ok(text)
}

/// An account's name behind its id in a comment, which holds no control character.
fn named(account: &Account) -> String {
    if account.name.is_empty() { String::new() } else { format!(" {}", excerpt(&account.name)) }
}

/// A text in quotes: what JSON writes is a basic string of TOML, but for one control character.
fn quoted(text: &str) -> anyhow::Result<String> {
    Ok(serde_json::to_string(text)?.replace('\u{7f}', "\\u007F"))
}
