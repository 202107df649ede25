//! The commands of purchase orders.

use super::desk::DeskArguments;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  proforma po add --id PO-2026 --bill-from AWS_INC --effective 2026-11 --expiration 2027-10 --ship-to company=Larkfield,country=US \\
      --line number=1,type=ALL,start=2026-11,end=2027-10,amount=120000,track=yes
  proforma po import orders.csv
  proforma invoice import summaries.json
  proforma po explain EUINGB26-1234
  proforma po rematch --period 2026-10

An order is named by its ARN, or by its id alone where it is the payer's own.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PurchaseOrderArguments {
    #[command(subcommand)]
    pub command: PurchaseOrderCommand,
}

#[derive(Debug, Subcommand)]
pub enum PurchaseOrderCommand {
    /// Add an order.
    Add(Box<AddArguments>),
    /// Print an order with its lines and balances, or an earlier revision of it.
    Get(GetArguments),
    /// List orders.
    List(ListOrdersArguments),
    /// Change an order; what is not given stays.
    Update(Box<UpdateArguments>),
    /// List every revision of an order.
    History(OneOrderArguments),
    /// Suspend an order: no further invoice is charged to it.
    Suspend(OneOrderArguments),
    /// Take back that an order was suspended.
    Reactivate(OneOrderArguments),
    /// Delete an order that has no invoices. Its id is not given again.
    Delete(OneOrderArguments),
    /// Set tags of an order, or take some away.
    Tag(TagArguments),
    /// Take over orders from a file, or with --invoices the invoices of other systems that are matched with them; AWS's own list goes to `invoice import`.
    Import(ImportOrdersArguments),
    /// List the invoices of an order, or all that are known with where each is charged to.
    Invoices(InvoicesArguments),
    /// Say why an invoice is charged to its order, or to none.
    Explain(OneInvoiceArguments),
    /// Move an invoice to another line, or take it off its order; the history keeps both.
    Move(MoveArguments),
    /// Say what the rules would do now with invoices that were matched before; with --apply, do it.
    Rematch(RematchArguments),
    /// Print what is expected of an order: how fast it is used, when it runs out, what stays unused.
    Forecast(OneOrderArguments),
    /// Hold invoices against their orders and against cost files or statements, within tolerances.
    ThreeWay(ThreeWayArguments),
    /// Let an invoice pass that needs somebody's approval; who, when and why is kept.
    Approve(ApproveArguments),
    /// Print or change how invoices are matched.
    Settings(SettingsArguments),
    /// Narrow a principal to some operations, and to orders with some tags.
    Limit(LimitArguments),
    /// List the principals that are narrowed.
    Limits(LimitsArguments),
}

/// What an order says.
#[derive(Debug, Args)]
pub struct OrderArguments {
    /// Notes.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// A seller whose invoices it takes, as AWS_INC; * is every seller.
    #[arg(long, value_name = "SELLER")]
    pub bill_from: Vec<String>,
    /// A tax registration number that it is for; AWS_EUROPE only.
    #[arg(long, value_name = "NUMBER")]
    pub tax_registration_number: Vec<String>,
    /// An invoice unit that it is for.
    #[arg(long, value_name = "UNIT")]
    pub invoice_unit: Vec<String>,
    /// Where the goods would go: company=…,line=…,city=…,state=…,postal-code=…,country=DE.
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub ship_to: Option<String>,
    /// The terms that were agreed on, as "Net 30".
    #[arg(long, value_name = "TEXT")]
    pub payment_terms: Option<String>,
    /// The currency of its amounts; USD by default. It never changes.
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// The first billing period that it may be used for.
    #[arg(long, value_name = "YYYY-MM")]
    pub effective: Option<String>,
    /// The last one.
    #[arg(long, value_name = "YYYY-MM")]
    pub expiration: Option<String>,
    /// Who is told: an e-mail address, or "Name <address>", with a telephone behind it or not.
    #[arg(long, value_name = "CONTACT")]
    pub contact: Vec<String>,
    /// A line: number=1,type=ALL,start=2026-11,end=2027-10,amount=100,quantity=2,tax=19%,track=yes,description=…
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub line: Vec<String>,
    /// A JSON file with the members of the operation; flags go before it.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AddArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The buyer's own number of it.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// The billing group that orders from the operator, by ARN, id or name; by default the payer orders from AWS.
    #[arg(long, value_name = "ARN")]
    pub billing_group: Option<String>,
    /// A tag.
    #[arg(long, value_name = "KEY=VALUE")]
    pub tag: Vec<String>,
    #[command(flatten)]
    pub order: OrderArguments,
}

#[derive(Debug, Args)]
pub struct UpdateArguments {
    #[command(flatten)]
    pub of: OneOrderArguments,
    /// Only if it is at this revision still.
    #[arg(long, value_name = "NUMBER")]
    pub expected_revision: Option<u64>,
    #[command(flatten)]
    pub order: OrderArguments,
}

#[derive(Debug, Args)]
pub struct GetArguments {
    #[command(flatten)]
    pub of: OneOrderArguments,
    /// As this revision has it.
    #[arg(long, value_name = "NUMBER")]
    pub revision: Option<u64>,
}

#[derive(Debug, Args)]
pub struct OneOrderArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The order: ARN or id.
    pub id: String,
}

#[derive(Debug, Args)]
pub struct ListOrdersArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// Only with this status.
    #[arg(long, value_name = "STATUS", value_parser = ["ACTIVE", "SUSPENDED", "EXPIRED", "SUSPENDED_EXPIRED"])]
    pub status: Vec<String>,
    /// Only those that take this seller's invoices.
    #[arg(long, value_name = "SELLER")]
    pub bill_from: Option<String>,
    /// Only the payer's own, or only those of its customers.
    #[arg(long, value_name = "BUYER", value_parser = ["PAYER", "BILLING_GROUP"])]
    pub buyer: Option<String>,
    /// Only those of this billing group.
    #[arg(long, value_name = "ARN")]
    pub billing_group: Vec<String>,
    /// Only those that may be used for this billing period.
    #[arg(long, value_name = "YYYY-MM")]
    pub month: Option<String>,
}

#[derive(Debug, Args)]
pub struct TagArguments {
    #[command(flatten)]
    pub of: OneOrderArguments,
    /// A tag to set.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The key of a tag to take away.
    #[arg(long, value_name = "KEY")]
    pub remove: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ImportOrdersArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The file, CSV or JSON. Orders have an `updated_at`; a CSV file has a row for each line of an order. What it does not say of an order that is here stays.
    pub file: PathBuf,
    /// The file has invoices: answers of AWS's ListInvoiceSummaries as JSON, or CSV.
    #[arg(long)]
    pub invoices: bool,
}

#[derive(Debug, Args)]
pub struct InvoicesArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The order: ARN or id; all invoices without it.
    #[arg(conflicts_with_all = ["unmatched", "period", "billing_group"])]
    pub id: Option<String>,
    /// Only those without an order.
    #[arg(long)]
    pub unmatched: bool,
    #[command(flatten)]
    pub of: OfInvoices,
}

/// Which invoices are meant.
#[derive(Debug, Args)]
pub struct OfInvoices {
    /// Only invoices of this billing period.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
    /// Only invoices of this billing group.
    #[arg(long, value_name = "ARN")]
    pub billing_group: Option<String>,
}

#[derive(Debug, Args)]
pub struct OneInvoiceArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice's id.
    pub invoice: String,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("where").required(true).args(["to", "off"])))]
pub struct MoveArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice's id.
    pub invoice: String,
    /// The order: ARN or id.
    #[arg(long, value_name = "ORDER", requires = "line")]
    pub to: Option<String>,
    /// Its line.
    #[arg(long, value_name = "NUMBER", requires = "to")]
    pub line: Option<String>,
    /// Take it off its order.
    #[arg(long)]
    pub off: bool,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[derive(Debug, Args)]
pub struct RematchArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    #[command(flatten)]
    pub of: OfInvoices,
    /// Only invoices without an order.
    #[arg(long)]
    pub unmatched: bool,
    /// Do it.
    #[arg(long)]
    pub apply: bool,
    /// Do it for this invoice only.
    #[arg(long, value_name = "ID", requires = "apply")]
    pub invoice: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ThreeWayArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    #[command(flatten)]
    pub of: OfInvoices,
    /// For this once, how far an invoice may be from what it should come to: an amount, or with % a percentage; both hold where both are given.
    #[arg(long, value_name = "AMOUNT|PERCENT%|NONE")]
    pub cost_tolerance: Vec<String>,
    /// For this once, how far it may be above what its line has left.
    #[arg(long, value_name = "AMOUNT|PERCENT%|NONE")]
    pub line_tolerance: Vec<String>,
    /// For this once, an invoice without an order is an exception.
    #[arg(long)]
    pub require_order: bool,
    /// For this once, an invoice above this amount needs an approval.
    #[arg(long, value_name = "AMOUNT|NONE")]
    pub approval_above: Option<String>,
}

#[derive(Debug, Args)]
pub struct ApproveArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice's id.
    pub invoice: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[derive(Debug, Args)]
pub struct SettingsArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// An order that names the invoice's unit comes before orders without units.
    #[arg(long, value_name = "BOOL")]
    pub prefer_invoice_unit: Option<bool>,
    /// When an order counts as expired for an invoice.
    #[arg(long, value_name = "BASIS", value_parser = ["BILLING_PERIOD", "WALL_CLOCK"])]
    pub expiry_basis: Option<String>,
    /// What becomes of an invoice that no balance covers.
    #[arg(long, value_name = "WHAT", value_parser = ["ASSOCIATE", "HOLD", "LEAVE_UNMATCHED"])]
    pub on_insufficient_balance: Option<String>,
    /// Transaction lines take AWS Marketplace usage for which an order was given.
    #[arg(long, value_name = "BOOL")]
    pub marketplace_transaction_for_usage: Option<bool>,
    /// Ids may have a #.
    #[arg(long, value_name = "BOOL")]
    pub allow_number_sign: Option<bool>,
    /// The types that lines may have; the others go.
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
    pub line_types: Vec<String>,
    /// The sellers of a type of line: TYPE=SELLER,SELLER.
    #[arg(long, value_name = "TYPE=SELLER,…")]
    pub line_type_sellers: Vec<String>,
    /// How far an invoice may be from what it should come to: an amount, or with % a percentage; NONE takes both away.
    #[arg(long, value_name = "AMOUNT|PERCENT%|NONE")]
    pub cost_tolerance: Vec<String>,
    /// How far it may be above what its line has left.
    #[arg(long, value_name = "AMOUNT|PERCENT%|NONE")]
    pub line_tolerance: Vec<String>,
    /// An invoice without an order is an exception.
    #[arg(long, value_name = "BOOL")]
    pub require_order: Option<bool>,
    /// An invoice above this amount needs an approval; NONE: none does.
    #[arg(long, value_name = "AMOUNT|NONE")]
    pub approval_above: Option<String>,
}

#[derive(Debug, Args)]
pub struct LimitArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The principal.
    pub principal: String,
    /// An IAM action of purchase orders, also ViewPurchaseOrders and ModifyPurchaseOrders; * is every one.
    #[arg(long, value_name = "ACTION", required_unless_present = "none")]
    pub action: Vec<String>,
    /// A tag that an order has for it.
    #[arg(long, value_name = "KEY=VALUE")]
    pub tag: Vec<String>,
    /// A key that it may tag with; any by default.
    #[arg(long, value_name = "KEY")]
    pub tag_key: Vec<String>,
    /// Take its limits away: it may do again what its role may.
    #[arg(long, conflicts_with_all = ["action", "tag", "tag_key"])]
    pub none: bool,
}

#[derive(Debug, Args)]
pub struct LimitsArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
}
