//! The commands about invoices.

use super::OutputFormat;
use super::documents::{RENDER_EXAMPLES, RenderArguments};
use super::invoicing::InvoicingCommand;
use super::issuing::IssuingCommand;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct InvoiceArguments {
    #[command(subcommand)]
    pub command: InvoiceCommand,
}

#[derive(Debug, Subcommand)]
pub enum InvoiceCommand {
    /// List AWS's own invoices of a run's month, as its cost files tell them, and what differs from AWS's list of them.
    #[command(after_help = AWS_EXAMPLES)]
    Aws(AwsInvoicesArguments),
    /// Make a document of an invoice's data: PDF, e-invoice, or its lines as a table.
    #[command(after_help = RENDER_EXAMPLES)]
    Render(RenderArguments),
    #[command(flatten)]
    OfAws(Box<InvoicingCommand>),
    #[command(flatten)]
    Own(Box<IssuingCommand>),
}

const AWS_EXAMPLES: &str = "\
Examples:
  proforma invoice aws --run ./october
  aws invoicing list-invoice-summaries --selector ResourceType=ACCOUNT_ID,Value=999999999999 > list.json
  proforma invoice aws --run ./october --against list.json --output csv

The list is JSON as the AWS CLI prints it, or CSV with the columns InvoiceId, TotalAmount and CurrencyCode, and where they are known
TotalAmountBeforeTax, BillingPeriod, BillingEntity, InvoicingEntity, BillType, InvoiceType, IssuedDate, DueDate, OriginalInvoiceId,
PurchaseOrderNumber, AccountId.

Exit status: 0 done and nothing differs, 3 something differs from the list, 2 the input is not right, 1 anything else.";

#[derive(Debug, Args)]
pub struct AwsInvoicesArguments {
    /// The run: a folder that `proforma run` has written.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// AWS's list of its invoices: what differs from it is printed in place of the invoices.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// How far two totals may be apart before they differ.
    #[arg(long, value_name = "AMOUNT", requires = "against", default_value = billing::invoice::aws::TOLERANCE)]
    pub tolerance: String,
    /// What to print on standard output.
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, value_name = "FORMAT")]
    pub output: OutputFormat,
}
