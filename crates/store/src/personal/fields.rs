//! In which columns somebody may be named.

use crate::replacement::Replacement;

/// How a column is written, and so where in it somebody is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// As a text: anywhere.
    Text,
    /// As JSON, at the paths to the strings that people write: members by name, `[]` for those of a list, `*` for any one, `**` for any number of these,
    /// `?Key=NAME` for an object whose member says so, `{}` into JSON that is kept as a text. Keys, words of the program, currencies and ids are at none.
    Json(&'static [&'static str]),
    /// As the key of a message: the recipient is a part of it, by a hash.
    Key,
}

/// A column in which somebody may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalField {
    /// The table; each has a column `payer`.
    pub table: &'static str,
    /// The columns by which a row is found, beside the payer. They name nobody.
    pub key: &'static [&'static str],
    /// The column. What of its text names somebody is replaced, the rest stays.
    pub column: &'static str,
    /// Which rows of the table, as SQL says it.
    pub only: &'static str,
    /// How it is written.
    pub written: Written,
    /// What the column is for, in words for whoever asks for its data.
    pub what: &'static str,
}

impl PersonalField {
    /// What the column says without names; `None` where it has none of them.
    pub(super) fn without(&self, names: &Replacement, text: &str) -> Option<String> {
        match self.written {
            Written::Text => names.of(text),
            Written::Json(paths) => names.of_json(text, paths),
            Written::Key => names.of_key(text),
        }
    }
}

const fn field(
    table: &'static str,
    key: &'static [&'static str],
    column: &'static str,
    what: &'static str,
) -> PersonalField {
    PersonalField { table, key, column, only: "1 = 1", written: Written::Text, what }
}

const fn json(
    table: &'static str,
    key: &'static [&'static str],
    column: &'static str,
    paths: &'static [&'static str],
    what: &'static str,
) -> PersonalField {
    PersonalField { written: Written::Json(paths), ..field(table, key, column, what) }
}

const SETTING: &[&str] = &["kind", "id", "from_period", "revision"];
const INVOICE_SETTING: &[&str] = &["billing_group", "from_period", "version"];
const RATE: &[&str] = &["from_currency", "to_currency", "day"];
const ORDER: &[&str] = &["buyer", "id", "revision"];
const ASSOCIATION: &[&str] = &["buyer", "invoice", "sequence"];
const DESK_SETTING: &[&str] = &["kind", "id", "revision"];
const DOCUMENT: &[&str] = &["kind", "id", "version"];
const UNIT: &[&str] = &["id", "version"];
const FILE: &[&str] = &["invoice_id", "kind", "document_id", "version"];
const PAYMENT: &[&str] = &["invoice", "number"];
const STEP: &[&str] = &["billing_group", "period"];
const EXECUTION: &[&str] = &["export", "id"];

/// Of all kinds of desk settings: whom news and invoices go to.
const RECIPIENTS: &[&str] = &["emails.[]", "webhooks.[]"];
const APPROVAL: &[&str] = &["by", "reason"];
// Names of accounts in filters are replaced as the names are, so that filters go on finding what they found.
const REPORT: &[&str] = &["name", "description", "filter.**.Dimensions.?Key=LINKED_ACCOUNT_NAME.Values.[]"];
const BUDGET: &[&str] = &[
    "name",
    "notifications.[].emails.[]",
    "tags.*",
    "filter.**.Dimensions.?Key=LINKED_ACCOUNT_NAME.Values.[]",
];
const ACCOUNT: &[&str] = &["name", "email", "details.tags.*"];
const INVOICE_TEXTS: &[&str] = &[
    "seller.legal_name",
    "seller.trading_name",
    "seller.legal_information",
    "seller.address.lines.[]",
    "seller.address.city",
    "seller.contact.*",
    "seller.electronic_address.id",
    "buyer.legal_name",
    "buyer.trading_name",
    "buyer.legal_information",
    "buyer.address.lines.[]",
    "buyer.address.city",
    "buyer.contact.*",
    "buyer.electronic_address.id",
    "buyer_reference",
    "line_name",
    "payment_terms",
    "payment.remittance",
    "payment.accounts.[].name",
    "notes.[]",
];
const DRAFT_TEXTS: &[&str] = &["notes.[]", "adjustments.[].reason"];
const ORDER_TEXTS: &[&str] = &[
    "description",
    "payment_terms",
    "contacts.[].name",
    "contacts.[].email",
    "contacts.[].phone",
    "ship_to.company",
    "ship_to.lines.[]",
    "ship_to.district",
    "ship_to.city",
    "ship_to.state",
    "bill_to.company",
    "bill_to.lines.[]",
    "bill_to.district",
    "bill_to.city",
    "bill_to.state",
    "tags.*",
    "lines.[].description",
];
const COST_CATEGORY_VALUES: &[&str] =
    &["Rules.[].Value", "Rules.[].Rule.**.Dimensions.?Key=LINKED_ACCOUNT_NAME.Values.[]", "DefaultValue"];
const PORTAL_AND_PROFILE_TEXTS: &[&str] = &[
    // A procurement portal's preference.
    "shown.{}.Contacts.[].Name",
    "shown.{}.Contacts.[].Email",
    // An account's invoice profile.
    "ReceiverName",
    "ReceiverEmail",
    "ReceiverAddress.AddressLine1",
    "ReceiverAddress.AddressLine2",
    "ReceiverAddress.AddressLine3",
    "ReceiverAddress.CompanyName",
    "ReceiverAddress.City",
    "ReceiverAddress.DistrictOrCounty",
];

/// Every column in which somebody may be named, but for the principals and the audit, whose rows are bound to others: see
/// [`Write::rename_principal`](crate::Write::rename_principal) and [`Write::redact_audit`](crate::Write::redact_audit).
pub const FIELDS: &[PersonalField] = &[
    field("outbox", &["id"], "recipient", "whom a message went to"),
    PersonalField {
        written: Written::Key,
        ..field("outbox", &["id"], "dedupe_key", "whom a message went to, as a hash")
    },
    field("outbox", &["id"], "subject", "what a message is about"),
    json("outbox", &["id"], "body", &["**"], "what a message says"),
    field("outbox", &["id"], "last_error", "what a mail server has said of a message"),
    json("desk_settings", DESK_SETTING, "body", RECIPIENTS, "whom news goes to, and what it was before"),
    PersonalField {
        only: "kind = 'invoice_approval'",
        ..json("desk_settings", DESK_SETTING, "body", APPROVAL, "who has approved of an invoice, and why")
    },
    PersonalField {
        only: "kind = 'budget'",
        ..json("desk_settings", DESK_SETTING, "body", BUDGET, "whom budgets tell, and what they are called")
    },
    PersonalField {
        only: "kind = 'saved-report'",
        ..json(
            "desk_settings",
            DESK_SETTING,
            "body",
            REPORT,
            "what saved reports are called and described by",
        )
    },
    PersonalField {
        only: "kind = 'family_account'",
        ..json(
            "settings",
            SETTING,
            "body",
            ACCOUNT,
            "names, addresses and tags of accounts, and what they were before",
        )
    },
    PersonalField {
        only: "kind = 'organization'",
        ..json(
            "settings",
            SETTING,
            "body",
            &["management_email"],
            "the address of the organization's management account",
        )
    },
    PersonalField {
        only: "kind = 'organizational_unit'",
        ..json("settings", SETTING, "body", &["name", "tags.*"], "names and tags of organizational units")
    },
    // As the names and tags are replaced, so that a rule goes on matching what it matched.
    PersonalField {
        only: "kind = 'billing_group_rule'",
        ..json(
            "settings",
            SETTING,
            "body",
            &["selectors.[].path.[]", "selectors.[].tag.values.[]", "selectors.[].name"],
            "the names and tags by which billing groups take accounts",
        )
    },
    PersonalField {
        only: "kind = 'placement'",
        ..json("settings", SETTING, "body", &["rule"], "what of a rule has put an account into its group")
    },
    // Their names are on what they have priced, and so are descriptions of custom line items.
    PersonalField {
        only: "kind IN ('billing_group', 'pricing_plan', 'pricing_rule')",
        ..json(
            "settings",
            SETTING,
            "body",
            &["description"],
            "descriptions of billing groups, plans and rules, and what they were before",
        )
    },
    json(
        "resources",
        &["kind", "id"],
        "tags",
        &["*"],
        "tags of billing groups, plans, rules and custom line items",
    ),
    json(
        "invoice_settings",
        INVOICE_SETTING,
        "body",
        INVOICE_TEXTS,
        "sellers, buyers and their contacts, for invoices to come",
    ),
    field("invoice_settings", INVOICE_SETTING, "recorded_by", "who has settled how invoices are made"),
    field("exchange_rates", RATE, "recorded_by", "who has imported a rate of exchange"),
    field("invoice_drafts", &["id"], "created_by", "who has drafted an invoice"),
    json("invoice_drafts", &["id"], "options", DRAFT_TEXTS, "what a draft says of its own"),
    // The documents themselves stay as they are: the law makes one keep them.
    field("issued_invoices", &["number"], "issued_by", "who has issued an invoice"),
    field("invoice_payments", PAYMENT, "recorded_by", "who has recorded a payment"),
    field("invoice_payments", PAYMENT, "reference", "what a bank says of a payment"),
    PersonalField {
        only: "step = 'failed'",
        ..field("schedule_steps", STEP, "detail", "why invoices could not go out")
    },
    field("closes", &["period"], "closed_by", "who has closed a period"),
    json(
        "purchase_order_revisions",
        ORDER,
        "body",
        ORDER_TEXTS,
        "contacts and addresses of purchase orders, and what they were before",
    ),
    field("purchase_order_revisions", ORDER, "recorded_by", "who has changed a purchase order"),
    field(
        "invoice_associations",
        ASSOCIATION,
        "recorded_by",
        "who has decided which purchase order an invoice is charged to",
    ),
    field("invoice_associations", ASSOCIATION, "reason", "why somebody has decided so"),
    field("matching_settings", &["revision"], "recorded_by", "who has said how invoices are matched"),
    field("purchase_order_grants", &["principal"], "recorded_by", "who has narrowed what somebody may order"),
    // As tags of orders are replaced, so that who may see an order with a tag still may.
    json(
        "purchase_order_grants",
        &["principal"],
        "tags",
        &["*"],
        "which tags orders have that somebody may see",
    ),
    field("invoice_units", UNIT, "name", "what an invoice unit is called"),
    field("invoice_units", UNIT, "description", "what is said of an invoice unit"),
    json("invoicing_tags", &["resource"], "tags", &["*"], "tags of invoice units and portals"),
    json(
        "invoicing_documents",
        DOCUMENT,
        "body",
        PORTAL_AND_PROFILE_TEXTS,
        "to whom AWS's invoices are addressed, and contacts of procurement portals",
    ),
    field("billing_views", UNIT, "name", "what a billing view is called"),
    field("billing_views", UNIT, "description", "what is said of a billing view"),
    json("billing_views", UNIT, "tags", &["*"], "tags of billing views"),
    field("cost_categories", UNIT, "name", "what a cost category is called"),
    json("cost_categories", UNIT, "body", COST_CATEGORY_VALUES, "values of cost categories"),
    json("cost_categories", UNIT, "tags", &["*"], "tags of cost categories"),
    json("data_exports", UNIT, "body", &["shown.Description"], "what is said of a data export"),
    json("data_exports", UNIT, "tags", &["*"], "tags of data exports"),
    json(
        "export_executions",
        EXECUTION,
        "body",
        &["shown.Description"],
        "what was said of a data export when it was delivered",
    ),
    field("invoice_files", FILE, "attached_by", "who has attached a file to an invoice"),
];

/// Filters by cost categories, in which somebody may be named: by what rules say, which is replaced in filters, too, so that they go on finding what they found; or
/// by what cost files say, which stays, as in [`TAG_FILTERS`].
pub const CATEGORY_FILTERS: &[PersonalField] = &[
    PersonalField {
        only: "kind = 'budget'",
        ..json(
            "desk_settings",
            DESK_SETTING,
            "body",
            &[
                "cost_filters.CostCategory.[]",
                "filter.**.CostCategories.Key",
                "filter.**.CostCategories.Values.[]",
            ],
            "cost categories that a budget counts",
        )
    },
    PersonalField {
        only: "kind = 'saved-report'",
        ..json(
            "desk_settings",
            DESK_SETTING,
            "body",
            &[
                "filter.**.CostCategories.Key",
                "filter.**.CostCategories.Values.[]",
                "group_by.[].?Type=COST_CATEGORY.Key",
            ],
            "cost categories that are in a saved report",
        )
    },
    json(
        "cost_categories",
        UNIT,
        "body",
        &[
            "Rules.[].Rule.**.CostCategories.Key",
            "Rules.[].Rule.**.CostCategories.Values.[]",
            "SplitChargeRules.[].Source",
            "SplitChargeRules.[].Targets.[]",
        ],
        "cost categories that another one takes, and values that split charges are of",
    ),
    json(
        "billing_views",
        UNIT,
        "filter",
        &["costCategories.key", "costCategories.values.[]"],
        "values of cost categories by which a billing view is narrowed",
    ),
];

/// Filters by the tags that cost files have, in which somebody may be named. They are found, and stay: the files stay, and a filter that no longer finds what
/// it found would change what a customer sees, or what a budget counts.
pub const TAG_FILTERS: &[PersonalField] = &[
    PersonalField {
        only: "kind = 'budget'",
        ..json(
            "desk_settings",
            DESK_SETTING,
            "body",
            &["cost_filters.TagKeyValue.[]", "filter.**.Tags.Values.[]"],
            "tags of costs that a budget counts",
        )
    },
    PersonalField {
        only: "kind = 'saved-report'",
        ..json(
            "desk_settings",
            DESK_SETTING,
            "body",
            &["filter.**.Tags.Values.[]"],
            "tags of costs that are in a saved report",
        )
    },
    json(
        "cost_categories",
        UNIT,
        "body",
        &["Rules.[].Rule.**.Tags.Values.[]"],
        "tags of costs that a cost category takes",
    ),
    json("billing_views", UNIT, "filter", &["tags.values.[]"], "tags by which a billing view is narrowed"),
    // A book in TOML: conditions of policies, and of what groups below an account have.
    PersonalField {
        only: "kind = 'other'",
        ..field("settings", SETTING, "body", "tags of costs in the conditions of a book")
    },
];
