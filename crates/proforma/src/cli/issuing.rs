//! The commands about the operator's own invoices: what is settled, drafted, issued, credited and paid.

use super::desk::{DeskArguments, ListArguments};
use super::documents;
use back_office::document_format::DocumentFormat;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum IssuingCommand {
    /// Print what is settled about invoices, of all customers or of one; with --file, settle it from a month on.
    #[command(after_help = SETTINGS_EXAMPLES)]
    Settings(InvoiceSettingsArguments),
    /// Take in exchange rates: CSV with the columns from, to, rate, source, date.
    Rates(RatesArguments),
    /// Draft the invoices of a billing group for a closed period.
    #[command(after_help = DRAFT_EXAMPLES)]
    Draft(DraftArguments),
    /// List drafts and what became of them.
    Drafts(ListArguments),
    /// Give a draft up.
    Discard(OneDraftArguments),
    /// Print what a draft's document would come to, and what may be a mistake in it. Writes nothing.
    Preview(PreviewInvoiceArguments),
    /// Issue a draft's document under the next number of its series. It never changes then.
    Issue(IssueArguments),
    /// Issue a credit note of an invoice, in full or for some of its lines.
    #[command(after_help = CREDIT_EXAMPLES)]
    Credit(CreditArguments),
    /// Record a payment of an invoice.
    Pay(PayArguments),
    /// List invoices and credit notes in the order of issue, with where they stand.
    List(ListInvoicesArguments),
    /// Print an invoice with its payments and credit notes; with --document, write its data to a file.
    Get(GetInvoiceArguments),
    /// Make a document of an issued invoice or credit note: PDF, e-invoice, its lines as a table, or its data.
    #[command(after_help = DOCUMENT_EXAMPLES)]
    Document(InvoiceDocumentArguments),
}

const SETTINGS_EXAMPLES: &str = "\
Settings are JSON in the shape of docs/invoices.md. What a customer's do not say, those of all customers say.

Examples:
  proforma invoice settings --data ./desk --file all.json
  proforma invoice settings --data ./desk --group abcdefghij --file acme.json --from 2026-12
  proforma invoice settings --data ./desk --group abcdefghij";

const DRAFT_EXAMPLES: &str = "\
Examples:
  proforma close 2026-10 --data ./desk
  proforma invoice draft --data ./desk --group abcdefghij --period 2026-10 --purchase-order PO-4711
  proforma invoice preview DRAFT --data ./desk";

const CREDIT_EXAMPLES: &str = "\
Examples:
  proforma invoice credit INV-2026-00007 --data ./desk --reason 'wrong customer'
  proforma invoice credit INV-2026-00007 --data ./desk --line 2 --line 5=10.00";

const DOCUMENT_EXAMPLES: &str = "\
Examples:
  proforma invoice document INV-2026-00007 --data ./desk --format pdf --out invoice.pdf
  proforma invoice document INV-2026-00007 --endpoint https://desk.example --format ubl --out invoice.xml

A server makes them in its own design (serve --invoice-design); at --data the command's --invoice-design is taken.";

#[derive(Debug, Args)]
pub struct InvoiceDocumentArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice or credit note.
    pub number: String,
    /// What to make of it.
    #[arg(long, value_parser = documents::format())]
    pub format: DocumentFormat,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct InvoiceSettingsArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing group, by ARN, id or name; by default what holds for all.
    #[arg(long, value_name = "ARN")]
    pub group: Option<String>,
    /// The settings to put in.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The first month in which documents are issued under them; by default the current one.
    #[arg(long, value_name = "YYYY-MM", requires = "file")]
    pub from: Option<String>,
    /// The month whose settings are printed; by default the current one.
    #[arg(long, value_name = "YYYY-MM", conflicts_with = "file")]
    pub month: Option<String>,
}

#[derive(Debug, Args)]
pub struct RatesArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The CSV file.
    pub file: PathBuf,
    /// Correct rates that are known otherwise: those that no issued document has taken.
    #[arg(long)]
    pub correct: bool,
}

#[derive(Debug, Args)]
pub struct DraftArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing group, by ARN, id or name.
    #[arg(long, value_name = "ARN")]
    pub group: String,
    /// The closed billing period.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: String,
    /// The number of the customer's purchase order.
    #[arg(long, value_name = "NUMBER")]
    pub purchase_order: Option<String>,
    /// The line of the purchase order.
    #[arg(long, value_name = "LINE", requires = "purchase_order")]
    pub purchase_order_line: Option<String>,
    /// Text for the document; may be given several times.
    #[arg(long, value_name = "TEXT")]
    pub note: Vec<String>,
    /// An allowance on the whole document, as AMOUNT=REASON.
    #[arg(long, value_name = "AMOUNT=REASON")]
    pub allowance: Vec<String>,
    /// A charge on the whole document, as AMOUNT=REASON.
    #[arg(long, value_name = "AMOUNT=REASON")]
    pub charge: Vec<String>,
    /// What was paid before, in the document's currency.
    #[arg(long, value_name = "AMOUNT")]
    pub prepaid: Option<String>,
    /// Draft only what is charged in this currency; by default an invoice for each.
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
}

#[derive(Debug, Args)]
pub struct OneDraftArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The draft.
    pub draft: String,
}

#[derive(Debug, Args)]
pub struct PreviewInvoiceArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The draft.
    pub draft: String,
    /// The day of issue, as 2026-11-03; by default today.
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
    /// Write the document's data there, as JSON.
    #[arg(long, value_name = "FILE")]
    pub document: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct IssueArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The draft.
    pub draft: String,
    /// The day of issue, as 2026-11-03; by default today.
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
}

#[derive(Debug, Args)]
pub struct CreditArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice.
    pub number: String,
    /// A line to take back: its number for all that is left of it, or NUMBER=AMOUNT before tax. By default all that is left of the invoice.
    #[arg(long, value_name = "LINE")]
    pub line: Vec<String>,
    /// Why, for the customer.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The day of issue, as 2026-11-03; by default today.
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
}

#[derive(Debug, Args)]
pub struct PayArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice.
    pub number: String,
    /// How much, in the invoice's currency; below 0 for a payment that was returned.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub amount: String,
    /// The day, as 2026-11-03; by default today.
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
    /// What the bank says of it.
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<String>,
}

#[derive(Debug, Args)]
pub struct ListInvoicesArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// Only of this billing group, by ARN, id or name.
    #[arg(long, value_name = "ARN")]
    pub group: Option<String>,
    /// Only of this billing period.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
    /// Only in this state.
    #[arg(long, value_name = "STATUS", value_parser = ["OPEN", "PARTLY_PAID", "PAID", "CANCELLED", "CREDIT_NOTE"])]
    pub status: Option<String>,
}

#[derive(Debug, Args)]
pub struct GetInvoiceArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice or credit note.
    pub number: String,
    /// Write the document's data there, word for word as it was issued.
    #[arg(long, value_name = "FILE")]
    pub document: Option<PathBuf>,
}
