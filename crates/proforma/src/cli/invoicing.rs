//! The commands about AWS's own invoices: what AWS has told and delivered, and to whom they go.

use super::desk::{DeskArguments, ListArguments};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum InvoicingCommand {
    /// Say to whom the invoices of accounts go, and list what was said.
    Profile(ProfileArguments),
    /// Take in what AWS says of its invoices: what `aws invoicing list-invoice-summaries` prints, or a CSV file of its members; and match them with purchase orders.
    Import(ImportSummariesArguments),
    /// Keep the document of an invoice that AWS has delivered, for GetInvoicePDF to hand out.
    Attach(AttachArguments),
    /// List what differs between what AWS says of its invoices of a month and what the month's cost files say.
    Reconcile(ReconcileArguments),
    /// Print the validation code of a procurement portal preference, to be handed to whoever looks after the portal.
    PortalCode(PortalCodeArguments),
}

#[derive(Debug, Args)]
pub struct ProfileArguments {
    #[command(subcommand)]
    pub command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Put profiles in: JSON in the shape of InvoiceProfile, or a list of them, or what `batch-get-invoice-profile` prints.
    Put(ProfileFileArguments),
    /// List the profiles.
    List(ListArguments),
}

#[derive(Debug, Args)]
pub struct ProfileFileArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The file.
    pub file: PathBuf,
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  aws invoicing list-invoice-summaries --selector ResourceType=ACCOUNT_ID,Value=999999999999 > summaries.json
  proforma invoice import --data ./desk summaries.json
  proforma invoice import --data ./desk summaries.csv

A column of a CSV file is a member by its path: InvoiceId, AccountId, IssuedDate, BillingPeriod (YYYY-MM), BaseCurrencyAmount.TotalAmount, …";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportSummariesArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The files, JSON or CSV.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AttachArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The invoice's id, as AWS writes it.
    pub invoice_id: String,
    /// The file; the invoice itself is a PDF.
    pub file: PathBuf,
    /// What the file is, where it is not the invoice itself.
    #[arg(long = "type", value_name = "TYPE", requires = "id", value_parser = ["GOVERNMENT_INVOICE", "TAX_E_INVOICE", "PAYMENT_RECEIPT", "SUPPLEMENT"])]
    pub kind: Option<String>,
    /// Which of its kind it is.
    #[arg(long, value_name = "ID", requires = "kind")]
    pub id: Option<String>,
}

#[derive(Debug, Args)]
pub struct PortalCodeArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The ARN of the preference.
    pub arn: String,
}

#[derive(Debug, Args)]
pub struct ReconcileArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing period.
    #[arg(value_name = "YYYY-MM")]
    pub period: String,
    /// How far two totals may be apart before they differ.
    #[arg(long, value_name = "AMOUNT")]
    pub tolerance: Option<String>,
}
