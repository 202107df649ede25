//! `proforma doctor`: holds what is here to what others say.

use super::desk::DeskArguments;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct DoctorArguments {
    #[command(subcommand)]
    pub command: DoctorCommand,
}

#[derive(Debug, Subcommand)]
pub enum DoctorCommand {
    /// Compare a month here with AWS's Cost Explorer and Billing Conductor, amount by amount, and say why what differs does.
    Aws(Box<DoctorAwsArguments>),
}

const AWS_EXAMPLES: &str = "\
Reads through the AWS SDK with the credentials that it finds (profile, SSO, environment), and changes nothing at AWS. AWS charges USD 0.01 for each request to
Cost Explorer: two of most months, a page more per 5,000 rows.

Examples:
  proforma doctor aws --data ./desk --period 2026-10
  proforma doctor aws --data ./desk --period 2026-10 --profile payer --output csv
  proforma doctor aws --endpoint http://127.0.0.1:8080 --profile payer --tolerance 0.01

Exit status: 0 everything agrees, 3 something differs, 2 the input is not right (also where AWS refuses the credentials, or what they ask for), 1 anything else.";

#[derive(Debug, Args)]
#[command(after_help = AWS_EXAMPLES)]
pub struct DoctorAwsArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing period; by default the newest that is priced here.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
    /// The AWS profile to read with; by default as AWS_PROFILE and the environment say.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Another place that answers the APIs of Cost Explorer, the Billing Conductor and STS.
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// By how much each amount may differ, and what all of them come to; by default the last digit that answers have.
    #[arg(long, value_name = "AMOUNT", default_value = "0.0000000001")]
    pub tolerance: String,
}
