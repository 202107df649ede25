//! What must hold of the whole program.

use super::*;

/// Beginnings of calls that write.
const WRITES: [&str; 14] = [
    "create_",
    "update_",
    "delete_",
    "batch_",
    "associate_",
    "disassociate_",
    "tag_",
    "untag_",
    "put_",
    "move_",
    "remove_",
    "close_",
    "invite_",
    "leave_",
];

const SOURCES: [(&str, &str); 16] = [
    ("main.rs", include_str!("main.rs")),
    ("aws_month.rs", include_str!("aws_month.rs")),
    ("book.rs", include_str!("book.rs")),
    ("connection.rs", include_str!("connection.rs")),
    ("draft.rs", include_str!("draft.rs")),
    ("draft/groups.rs", include_str!("draft/groups.rs")),
    ("draft/items.rs", include_str!("draft/items.rs")),
    ("draft/names.rs", include_str!("draft/names.rs")),
    ("draft/rules.rs", include_str!("draft/rules.rs")),
    ("failure.rs", include_str!("failure.rs")),
    ("journal.rs", include_str!("journal.rs")),
    ("lib.rs", include_str!("lib.rs")),
    ("month.rs", include_str!("month.rs")),
    ("organization.rs", include_str!("organization.rs")),
    ("set_up.rs", include_str!("set_up.rs")),
    ("walk.rs", include_str!("walk.rs")),
];

/// The methods that a text calls or names.
fn methods(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
    words
        .filter_map(|word| word.rsplit_once('.').map(|(_, method)| method))
        .filter(|method| !method.is_empty())
}

#[test]
fn nothing_at_aws_is_changed() {
    for (name, text) in SOURCES {
        for method in methods(text) {
            assert!(!WRITES.iter().any(|start| method.starts_with(start)), "{name} calls `{method}`");
        }
        for shape in ["Create", "Update", "Delete", "Batch", "TagResource"] {
            let names_it = text.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(shape));
            assert!(!names_it, "{name} names `{shape}`");
        }
    }
    assert!(methods("client.delete_billing_group()").any(|method| method == "delete_billing_group"));
}

#[test]
fn no_source_file_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("draft")] {
        for entry in std::fs::read_dir(folder).expect("a folder of sources") {
            files.push(entry.expect("an entry").path());
        }
    }
    for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == "rs")) {
        let name = file.strip_prefix(&folder).expect("below the sources").to_str().expect("a name");
        let without_calls = name == "number.rs" || name.ends_with("tests.rs");
        assert!(
            without_calls || SOURCES.iter().any(|(source, _)| *source == name),
            "{name} is not in SOURCES"
        );
    }
}

#[test]
fn the_payer_is_the_account_of_the_arns() {
    let payer = |arns: &[&str]| set_up::payer_of(arns.iter().copied());
    let arn = "arn:aws:billingconductor::999999999999:pricingrule/abcdefghij";
    assert_eq!(payer(&[arn, arn]).expect("one payer").as_deref(), Some("999999999999"));
    assert_eq!(payer(&[]).expect("none"), None);
    assert_eq!(payer(&["abcdefghij"]).expect("an id is no ARN"), None);
    let other = "arn:aws:billingconductor::888888888888:pricingrule/abcdefghij";
    let error = payer(&[arn, other]).expect_err("two payers");
    assert_eq!(error.to_string(), "the ARNs name several payer accounts: 888888888888, 999999999999");
}

#[test]
fn a_book_is_written_once_and_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("book.toml");
    book::save(&out, "one").expect("written");
    let error = book::save(&out, "two").expect_err("it is there");
    assert!(format!("{error:#}").starts_with("cannot write `"), "{error:#}");
    assert_eq!(std::fs::read_to_string(&out).expect("the first"), "one");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing is left over");
}

#[test]
fn an_existing_file_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("book.toml");
    book::save(&out, "one").expect("written");
    let error = adopt(Arguments { out, period: None, endpoint: None }).expect_err("it exists");
    assert!(
        error.to_string().ends_with("exists already; name another file with --out, or remove it"),
        "{error}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("absent").join("book.toml");
    let error = adopt(Arguments { out, period: None, endpoint: None }).expect_err("no folder");
    assert!(
        error.to_string().ends_with("absent` is not a folder; make it, or name another file with --out"),
        "{error}"
    );
}
