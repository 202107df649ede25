//! Lists and objects, what is written and read again, and mistakes with their places.

use super::*;

const CSV: &str = "\
account_id,account_name,organizational_unit,status,email,joined_timestamp,joined_method,left_timestamp,tag:Customer,noted
999999999999,management,Root,,root@example.com,2020-01-01,,,,x
111111111111,\"a, b\",Root/Customers/Harbor,ACTIVE,a@example.com,2026-10-05T12:00:00Z,INVITED,,harbor,
222222222222,,Root/Customers,CLOSED,,,,2026-11-05,,
";

fn csv(text: &str) -> Result<OrganizationDraft, Vec<String>> {
    read(Path::new("a.csv"), text).map_err(|found| found.iter().map(ToString::to_string).collect())
}

fn json(text: &str) -> Result<OrganizationDraft, Vec<String>> {
    read(Path::new("a.json"), text).map_err(|found| found.iter().map(ToString::to_string).collect())
}

#[test]
fn a_list_tells_units_by_their_paths() {
    let draft = csv(CSV).unwrap();
    let paths: Vec<_> = draft.accounts.values().map(|of| draft.path(&of.details.unit).join("/")).collect();
    assert_eq!(paths, ["Root/Customers/Harbor", "Root/Customers", "Root"]);
    assert_eq!(draft.units.len(), 3);
    let first = draft.accounts.values().next().unwrap();
    assert_eq!((first.name.as_deref(), first.details.tags["Customer"].as_str()), (Some("a, b"), "harbor"));
    assert_eq!(first.details.joined_at, printed_instant("2026-10-05T12:00:00Z"));
    assert_eq!(draft.transfers, None);
}

#[test]
fn what_is_written_is_read_again() {
    let mut draft = csv(CSV).unwrap();
    assert_eq!(json(&write(&draft)).unwrap(), draft);
    draft.id = Some("o-abcdefghij".to_owned());
    draft.management_account = AccountId::parse("999999999999");
    draft.management_email = Some("root@example.com".to_owned());
    let transfers = r#"{"accounts": [], "responsibility_transfers": [
        {"arn": "arn:aws:organizations::1:transfer/x", "source_account_id": "800000000000", "status": "ACCEPTED", "start": "2026-10", "end": null}]}"#;
    let mut mistakes = Mistakes::default();
    let rows = rows::of_json(transfers, &mut mistakes);
    draft.transfers = Some(units::transfers(rows.transfers.as_deref().unwrap_or_default(), &mut mistakes));
    assert_eq!(draft.transfers.as_ref().map(Vec::len), Some(1));
    assert_eq!(json(&write(&draft)).unwrap(), draft);
}

#[test]
fn mistakes_have_a_line_and_a_column() {
    let text = CSV
        .replace("2020-01-01", "long ago")
        .replace("INVITED", "BY_MAIL")
        .replace("222222222222", "999999999999");
    assert_eq!(
        csv(&text).unwrap_err(),
        [
            "2:6: `joined_timestamp`: `long ago` is no date; write it as 2026-11-05 or 2026-11-05T12:00:00Z",
            "3:7: `joined_method`: `BY_MAIL` is neither INVITED nor CREATED; or leave it empty",
            "4:1: account `999999999999` is listed twice, in line 2 first; an account is in one unit",
        ]
    );
    let units = r#"{"organization": {"id": "o-1"},
 "organizational_units": [{"id": "r-ab12", "name": "Root"}, {"id": "ou-ab12-abcd1234", "name": "A", "parent_id": "ou-ab12-nowhere1"},
  {"id": "r-cd34", "name": "Other"}],
 "accounts": [{"account_id": "111111111111", "organizational_unit_id": "ou-ab12-zzzzzzzz"},
  {"account_id": "222222222222", "organizational_unit": "Root/B", "tags": ["x"]}]}"#;
    assert_eq!(
        json(units).unwrap_err(),
        [
            "1:25: `id`: `o-1` is no id of an organization: it takes `o-` and 10 to 32 small letters and digits, or leave it out",
            "2:61: unit `ou-ab12-abcd1234` is in `ou-ab12-nowhere1`, which is not among the units",
            "3:3: unit `r-cd34` has no `parent_id`, and `r-ab12` is the root already; an organization has one root",
            "4:72: `organizational_unit_id`: `ou-ab12-zzzzzzzz` is not among the units",
            "5:75: `tags` is a list, expected an object of texts",
        ]
    );
    let circle = r#"{"organizational_units": [{"id": "r-ab12", "name": "Root"},
{"id": "ou-ab12-aaaaaaaa", "name": "A", "parent_id": "ou-ab12-bbbbbbbb"},
{"id": "ou-ab12-bbbbbbbb", "name": "B", "parent_id": "ou-ab12-aaaaaaaa"}], "accounts": []}"#;
    let found = json(circle).unwrap_err();
    assert!(found[0].starts_with("2:1: unit `ou-ab12-aaaaaaaa` is below itself"), "{found:?}");
}
