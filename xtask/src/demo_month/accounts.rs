//! The accounts of the demo's organisation: a reseller's own two, and those of six customers. Every name is invented.

/// The reseller's payer account; it is in no billing group.
pub const PAYER: &str = "larkfield-payer";

/// Account ids, names, and the tag `user_environment` of what runs there.
#[rustfmt::skip]
pub const ACCOUNTS: &[(&str, &str, &str)] = &[
    (testkit::line::PAYER, PAYER,                "management"),
    ("100000000001",       "larkfield-shared",   "shared"),
    ("210000000001",       "meadowlark-prod",    "production"),
    ("210000000002",       "meadowlark-staging", "staging"),
    ("210000000003",       "meadowlark-data",    "production"),
    ("210000000004",       "meadowlark-sandbox", "development"),
    ("220000000001",       "pinecone-live",      "production"),
    ("220000000002",       "pinecone-build",     "development"),
    ("220000000003",       "pinecone-insight",   "production"),
    ("230000000001",       "fernhollow-clinic",  "production"),
    ("230000000002",       "fernhollow-archive", "production"),
    ("240000000001",       "saltbox-lake",       "production"),
    ("240000000002",       "saltbox-models",     "production"),
    ("250000000001",       "quill-editorial",    "production"),
    ("250000000002",       "quill-web",          "production"),
    ("026000000001",       "oldmill",            "production"),
];

/// The id of an account and its environment.
///
/// # Panics
/// When no account has the name: a mistake in one of the demo's tables.
pub fn account(name: &str) -> (&'static str, &'static str) {
    let found = ACCOUNTS.iter().find(|(_, other, _)| *other == name);
    found.map_or_else(|| panic!("no account of the demo is named `{name}`"), |(id, _, tag)| (*id, *tag))
}
