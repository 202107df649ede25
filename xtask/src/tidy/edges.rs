//! Who may depend on whom. A new edge is a decision record and a line in these tables, in the same commit.

use super::{assert_none, root};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// What a crate of ours may name of ours: `uses` as a dependency, `tests_with` as a dev-dependency.
struct Crate {
    name: &'static str,
    uses: &'static [&'static str],
    tests_with: &'static [&'static str],
}

const CRATES: &[Crate] = &[
    Crate { name: "billing", uses: &[], tests_with: &[] },
    Crate { name: "book-file", uses: &["billing"], tests_with: &[] },
    Crate { name: "invoice-file", uses: &["billing"], tests_with: &[] },
    Crate { name: "cost-data", uses: &["billing"], tests_with: &["testkit"] },
    Crate { name: "documents", uses: &["billing", "invoice-file"], tests_with: &[] },
    Crate { name: "query", uses: &["billing"], tests_with: &[] },
    Crate { name: "store", uses: &["billing"], tests_with: &[] },
    Crate { name: "aws-wire", uses: &[], tests_with: &[] },
    Crate {
        name: "back-office",
        uses: &["billing", "book-file", "invoice-file", "query", "store"],
        tests_with: &[],
    },
    Crate { name: "aws-api", uses: &["aws-wire", "back-office", "billing", "query"], tests_with: &[] },
    Crate {
        name: "proforma",
        uses: &[
            "aws-api",
            "aws-wire",
            "back-office",
            "billing",
            "book-file",
            "cost-data",
            "documents",
            "invoice-file",
            "query",
            "store",
        ],
        tests_with: &["testkit"],
    },
    Crate { name: "adopt", uses: &["billing", "book-file"], tests_with: &[] },
    Crate { name: "testkit", uses: &[], tests_with: &[] },
    Crate {
        name: "xtask",
        uses: &["aws-wire", "billing", "documents", "invoice-file", "testkit"],
        tests_with: &[],
    },
];

/// Dependencies that only some crates may name. A `*` at the end stands for any ending.
const HEAVY: &[(&str, &[&str])] = &[
    ("arrow*", &["cost-data", "testkit"]),
    ("parquet", &["cost-data", "testkit"]),
    ("object_store", &["cost-data"]),
    // To read object stores, and to ask a server as any other client does.
    ("reqwest", &["cost-data", "proforma"]),
    ("rustls", &["cost-data", "proforma"]),
    ("tokio", &["adopt", "aws-api", "back-office", "cost-data", "proforma", "store"]),
    ("sqlx", &["store"]),
    ("axum", &["aws-api"]),
    ("axum-server", &["proforma"]),
    ("aws-*", &["adopt", "aws-wire"]),
    // Of signatures: those that are checked here, and those by which receivers of webhooks know us.
    ("hmac", &["aws-wire", "proforma"]),
    ("lettre", &["proforma"]),
    ("krilla", &["documents"]),
    ("parley", &["documents"]),
    ("http", &["adopt", "aws-api", "aws-wire", "proforma", "xtask"]),
    ("clap", &["adopt", "proforma"]),
    ("anyhow", &["adopt", "proforma", "xtask"]),
    (
        "serde*",
        &[
            "aws-api",
            "aws-wire",
            "back-office",
            "book-file",
            "cost-data",
            "documents",
            "invoice-file",
            "proforma",
            "store",
            "testkit",
            "xtask",
        ],
    ),
];

/// What a crate's tests may name beyond that: the tests of the program make damaged cost files, byte by byte.
const HEAVY_IN_TESTS: &[(&str, &str)] = &[("proforma", "arrow*"), ("proforma", "parquet")];

struct Edge {
    from: String,
    to: String,
    ours: bool,
    dev: bool,
}

fn breach(edge: &Edge) -> Option<String> {
    let Edge { from, to, .. } = edge;
    let Some(row) = CRATES.iter().find(|row| row.name == from) else {
        return Some(format!("crate `{from}` is not in the table CRATES of xtask/src/tidy/edges.rs"));
    };
    if edge.ours {
        let to = to.as_str();
        let allowed = row.uses.contains(&to) || edge.dev && row.tests_with.contains(&to);
        let kind = if edge.dev { "dev-dependency" } else { "dependency" };
        return (!allowed).then(|| {
            format!("{from} -> {to} ({kind}) is not an edge of the table CRATES in xtask/src/tidy/edges.rs")
        });
    }
    let in_tests = |(crate_, pattern): &(&str, &str)| *crate_ == from && matches(pattern, to);
    if edge.dev && HEAVY_IN_TESTS.iter().any(in_tests) {
        return None;
    }
    let (pattern, allowed) = HEAVY.iter().find(|(pattern, _)| matches(pattern, to))?;
    (!allowed.contains(&from.as_str())).then(|| {
        format!(
            "{from} -> {to}: the table HEAVY in xtask/src/tidy/edges.rs leaves `{pattern}` to {allowed:?}"
        )
    })
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[test]
fn every_dependency_edge_is_in_the_tables() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata reads the workspace");
    let edges = metadata.packages.iter().flat_map(|package| {
        package.dependencies.iter().map(|dependency| Edge {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            ours: dependency.path.is_some(),
            dev: dependency.kind == DependencyKind::Development,
        })
    });
    let mut breaches: Vec<String> = edges.filter_map(|edge| breach(&edge)).collect();
    breaches.dedup();
    assert_none(&breaches);
}

#[test]
fn a_wrong_edge_is_named_with_its_table() {
    let edge = |from: &str, to: &str, ours, dev| Edge { from: from.into(), to: to.into(), ours, dev };
    let message = breach(&edge("billing", "cost-data", true, false)).expect("billing names nobody");
    assert!(message.contains("billing -> cost-data") && message.contains("CRATES"), "{message}");
    assert!(breach(&edge("cost-data", "testkit", true, false)).is_some(), "testkit is for tests only");
    assert!(breach(&edge("cost-data", "testkit", true, true)).is_none());
    let message = breach(&edge("billing", "serde_json", false, false)).expect("billing has no serde");
    assert!(message.contains("billing -> serde_json") && message.contains("HEAVY"), "{message}");
    assert!(breach(&edge("proforma", "arrow-array", false, false)).is_some());
    assert!(breach(&edge("proforma", "arrow-array", false, true)).is_none(), "its tests make damaged files");
    assert!(breach(&edge("billing", "arrow-array", false, true)).is_some(), "tests are no way round");
    assert!(breach(&edge("proforma", "csv", false, false)).is_none());
    assert!(breach(&edge("newcomer", "csv", false, false)).is_some());
}
