//! The commands of the billing desk: the server, and what is done through it or at its data directory.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Where the desk's database is.
#[derive(Debug, Clone, Args)]
pub struct DataArguments {
    /// The data directory: database, cost files that are kept, runs, the master key.
    #[arg(long, env = "PROFORMA_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A PostgreSQL database in place of the one in the data directory: postgres://user@host/name.
    #[arg(long, env = "PROFORMA_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// The file of the master key, which opens secrets; by default master.key in the data directory, or PROFORMA_MASTER_KEY.
    #[arg(long, env = "PROFORMA_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// How many superseded runs of each period keep their files, to be compared with. By default 5.
    #[arg(long, env = "PROFORMA_SUPERSEDED_RUNS", value_name = "COUNT", hide_short_help = true)]
    pub superseded_runs: Option<String>,
    /// How documents of invoices look: a TOML file with logo, colour, fonts and words. By default plain.
    #[arg(long, env = "PROFORMA_INVOICE_DESIGN", value_name = "FILE", hide_short_help = true)]
    pub invoice_design: Option<PathBuf>,
    /// A TOML file with these settings; flags and the environment go before it.
    #[arg(long, env = "PROFORMA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// At which desk: the data directory itself, where no server holds it, or a server.
#[derive(Debug, Clone, Args)]
pub struct DeskArguments {
    #[command(flatten)]
    pub place: DataArguments,
    /// A server, as http://127.0.0.1:8080; the key is taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    #[arg(long, env = "PROFORMA_ENDPOINT", value_name = "URL")]
    pub endpoint: Option<String>,
    /// The payer account, where the data directory has several.
    #[arg(long, value_name = "ACCOUNT_ID")]
    pub payer: Option<String>,
    /// The desk's clock for this command, as 2026-11-10T12:00:00Z: for demos and tests. A server has its own.
    #[arg(long, value_name = "RFC3339", conflicts_with = "endpoint")]
    pub now: Option<String>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value = "table")]
    pub output: DeskOutput,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeskOutput {
    /// A table for people.
    Table,
    /// The operation's own answer.
    Json,
    /// What it lists, or its members, as comma-separated values.
    Csv,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  proforma serve --data ./desk --payer 999999999999
  proforma serve --data ./desk --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem
  proforma serve --data ./desk --database postgres://proforma@db/proforma

Settings come from flags, then from the environment (PROFORMA_…), then from --config.";

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct ServeArguments {
    #[command(flatten)]
    pub place: DataArguments,
    /// The address to answer at; port 0 takes a free one. By default 127.0.0.1:8080.
    #[arg(long, env = "PROFORMA_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// A payer account to begin with, where the data directory has none yet.
    #[arg(long, value_name = "ACCOUNT_ID")]
    pub payer: Option<String>,
    /// The billing clock, fixed: 2026-11-10T12:00:00Z. Signatures go by the machine's clock all the same.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<String>,
    /// The certificate chain, PEM; with --tls-key the server speaks HTTPS.
    #[arg(long, env = "PROFORMA_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, env = "PROFORMA_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Where cost files may be that a request names: folders below these, and s3://bucket/prefix; PAYER=PATH is for requests of one payer. By default nowhere.
    #[arg(long, env = "PROFORMA_COST_ROOTS", value_name = "PATH", value_delimiter = ',')]
    pub cost_roots: Vec<String>,
    /// Where buckets are that data exports name: BUCKET=PLACE, an absolute folder or s3://bucket/prefix; PAYER/BUCKET=PLACE is for exports of one payer. By default nowhere.
    #[arg(long, env = "PROFORMA_EXPORT_BUCKETS", value_name = "BUCKET=PLACE", value_delimiter = ',')]
    pub export_buckets: Vec<String>,
    /// How far a signature's time may be from the machine's clock, in minutes, at most 15. By default 5.
    #[arg(long, env = "PROFORMA_SIGNATURE_MINUTES", value_name = "MINUTES")]
    pub signature_minutes: Option<String>,
    /// Requests a second that a key may send in the long run. By default 1000.
    #[arg(long, env = "PROFORMA_RATE", value_name = "PER_SECOND")]
    pub rate: Option<String>,
    /// Requests that are answered at once. By default 256.
    #[arg(long, env = "PROFORMA_CONCURRENCY", value_name = "COUNT")]
    pub concurrency: Option<String>,
    /// How long the headers of a request may take to arrive, and then its body, in seconds; a connection without requests ends then, too. By default 60.
    #[arg(long, env = "PROFORMA_ARRIVAL_SECONDS", value_name = "SECONDS")]
    pub arrival_seconds: Option<String>,
    /// How clients reach the server, where it stands behind a proxy: links to documents begin with it, as https://desk.example. By default what a request was sent to.
    #[arg(long, env = "PROFORMA_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// How long a run may go without a sign of its worker until another server takes it over, in seconds. By default 60.
    #[arg(long, env = "PROFORMA_LEASE_SECONDS", value_name = "SECONDS")]
    pub lease_seconds: Option<String>,
    /// How much memory answers about costs may keep of the months that they are summed from, in MiB: a month of ten million lines takes some 60. By default 1024.
    #[arg(long, env = "PROFORMA_FACTS_MEMORY", value_name = "MIB", hide_short_help = true)]
    pub facts_memory: Option<String>,
    #[command(flatten)]
    pub outgoing: OutgoingArguments,
    /// The AWS profile that a payer's organization is read with, as 999999999999=payer. By default the credentials that every AWS tool finds.
    #[arg(long, env = "PROFORMA_ORGANIZATION_PROFILES", value_name = "PAYER=PROFILE", value_delimiter = ',')]
    pub organization_profiles: Vec<String>,
    /// Another place that answers the API of AWS Organizations.
    #[arg(long, env = "PROFORMA_ORGANIZATION_ENDPOINT", value_name = "URL", hide_short_help = true)]
    pub organization_endpoint: Option<String>,
    /// How long a reading of an organization may take, in seconds; the next one goes on where it was. By default 7200.
    #[arg(long, env = "PROFORMA_ORGANIZATION_TIME_LIMIT", value_name = "SECONDS", hide_short_help = true)]
    pub organization_time_limit: Option<String>,
    /// Price nothing here: another server on the same database does.
    #[arg(long, env = "PROFORMA_NO_RUNS")]
    pub no_runs: bool,
}

/// How what is in the outbox is sent.
#[derive(Debug, Args)]
pub struct OutgoingArguments {
    /// The mail server: smtps://user@host:465, or smtp://user@host:587, which asks for STARTTLS unless ?tls=opportunistic or ?tls=none says otherwise. By default no mail is sent here.
    #[arg(long, env = "PROFORMA_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// The address that mail is sent from, as billing@example.com.
    #[arg(long, env = "PROFORMA_SMTP_FROM", value_name = "ADDRESS")]
    pub smtp_from: Option<String>,
    /// A file with the password of the mail server's user; or PROFORMA_SMTP_PASSWORD has it.
    #[arg(long, env = "PROFORMA_SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// Receivers of webhooks that are not on the public internet, or not asked by https at port 443: hosts, addresses, networks as 10.1.0.0/16. By default none.
    #[arg(long, env = "PROFORMA_WEBHOOK_ALLOW", value_name = "HOST", value_delimiter = ',')]
    pub webhook_allow: Vec<String>,
    /// How long a message rests after its first attempt, in seconds; each pause is twice as long as the one before. By default 30.
    #[arg(long, env = "PROFORMA_OUTBOX_PAUSE_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    pub outbox_pause_seconds: Option<String>,
    /// After how many attempts a message is given up. By default 12, which is some seventeen hours.
    #[arg(long, env = "PROFORMA_OUTBOX_ATTEMPTS", value_name = "COUNT", hide_short_help = true)]
    pub outbox_attempts: Option<String>,
    /// Send nothing here: another server on the same database does.
    #[arg(long, env = "PROFORMA_NO_MESSAGES")]
    pub no_messages: bool,
}

#[derive(Debug, Args)]
pub struct InitArguments {
    #[command(flatten)]
    pub place: DataArguments,
    /// The payer (management) account whose bill is re-priced.
    #[arg(long, value_name = "ACCOUNT_ID")]
    pub payer: String,
    /// How to print the key.
    #[arg(long, value_enum, default_value = "table")]
    pub output: DeskOutput,
}

#[derive(Debug, Args)]
pub struct KeysArguments {
    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make an access key; its secret is printed once. The principal is made with the first of its at most two keys.
    Create(CreateKeyArguments),
    /// List principals and their keys, with when they were last used.
    List(ListArguments),
    /// Refuse a key from now on.
    Deactivate(OneKeyArguments),
    /// Take a key again that was deactivated.
    Activate(OneKeyArguments),
    /// Remove a key for good.
    Delete(OneKeyArguments),
    /// Seal all secrets under a new master key; no server may hold the data directory.
    RotateMaster(RotateMasterArguments),
}

#[derive(Debug, Args)]
pub struct CreateKeyArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// Whose key it is: a person, or a program.
    #[arg(long, value_name = "NAME")]
    pub principal: String,
    /// payer-admin: everything. analyst: reads everything. finance: reads everything, works on orders and documents. group-viewer: the pro forma and the purchase orders of its own billing groups.
    #[arg(long, value_name = "ROLE", value_parser = ["payer-admin", "finance", "analyst", "group-viewer"])]
    pub role: String,
    /// A billing group that a group-viewer sees: ARN, id or name.
    #[arg(long, value_name = "ARN")]
    pub billing_group: Vec<String>,
    /// Only these accounts of the groups.
    #[arg(long, value_name = "ACCOUNT_ID")]
    pub account: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
}

#[derive(Debug, Args)]
pub struct OneKeyArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The access key id.
    pub access_key_id: String,
}

#[derive(Debug, Args)]
pub struct RotateMasterArguments {
    #[command(flatten)]
    pub place: DataArguments,
    /// The file of the new master key; by default a new one is made and takes the place of the old file.
    #[arg(long, value_name = "FILE")]
    pub new_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AccountsArguments {
    #[command(subcommand)]
    pub command: AccountsCommand,
}

#[derive(Debug, Subcommand)]
pub enum AccountsCommand {
    /// Say which accounts the organization has: CSV with id, name, email, joined, left. Then no other account may be grouped.
    Import(AccountsImportArguments),
}

#[derive(Debug, Args)]
pub struct AccountsImportArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The CSV file.
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// The file has only some of the accounts.
    #[arg(long)]
    pub partial: bool,
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  proforma import --data ./desk --cost ./cur
  proforma import --data ./desk --cost s3://billing/cur --watch
  proforma import --endpoint http://127.0.0.1:8080 --cost s3://billing/cur --period 2026-10";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// Cost files as AWS delivers them: folders, files or manifests; paths, or s3://bucket/prefix.
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub cost: Vec<PathBuf>,
    /// Only this billing period; by default every one that the place has.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
    /// AWS's price list for these periods.
    #[arg(long, value_name = "PATH")]
    pub price_list: Option<PathBuf>,
    /// Go on looking: AWS rewrites the files of a month until it is invoiced. The server reads what has changed.
    #[arg(long)]
    pub watch: bool,
    /// The place never changes what it has, so the files that are read are not kept here.
    #[arg(long)]
    pub immutable: bool,
    /// Leave out rows that cannot be read, and list them.
    #[arg(long)]
    pub accept_rejects: bool,
    /// Do not wait until the periods are priced.
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Debug, Args)]
pub struct RunsArguments {
    #[command(subcommand)]
    pub command: RunsCommand,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs of the periods, the newest first.
    List(RunsListArguments),
    /// Wait until nothing is left to be priced; fails where a period's last run failed.
    Wait(RunsListArguments),
}

#[derive(Debug, Args)]
pub struct RunsListArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// Only this billing period.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
}

#[derive(Debug, Args)]
pub struct CloseArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing period to close; every earlier one is closed with it.
    #[arg(value_name = "YYYY-MM")]
    pub period: String,
    /// Close it as it is where the last run of one of the periods has failed.
    #[arg(long)]
    pub despite_failed_runs: bool,
}

#[derive(Debug, Args)]
pub struct BookArguments {
    #[command(subcommand)]
    pub command: BookCommand,
}

#[derive(Debug, Subcommand)]
pub enum BookCommand {
    /// Print the book of a period.
    Export(BookExportArguments),
    /// Put a book in where nothing is configured yet.
    Import(BookFileArguments),
    /// Print what a book would change, and its effect in money per billing group. Changes nothing.
    Plan(BookFileArguments),
    /// Make the configuration what a book says, in one transaction.
    Apply(BookFileArguments),
}

#[derive(Debug, Args)]
pub struct BookExportArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The billing period; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
}

#[derive(Debug, Args)]
pub struct BookFileArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The book, TOML or JSON; files that it names stand beside it.
    pub book: PathBuf,
    /// The period from which on it holds; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
}

const ADOPT_EXAMPLES: &str = "\
Reads billing groups, plans, rules, custom line items and accounts through the AWS SDK, with the credentials that it finds (profile, SSO, environment), and
writes a book. It changes nothing in AWS.

Examples:
  proforma adopt --out book.toml
  AWS_PROFILE=payer proforma adopt --period 2026-10 --out book.toml";

#[derive(Debug, Args)]
#[command(after_help = ADOPT_EXAMPLES)]
pub struct AdoptArguments {
    /// The book to write; must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The billing period; by default the current one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
    /// Another place that answers AWS's API.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
}

#[derive(Debug, Args)]
pub struct BackupArguments {
    #[command(flatten)]
    pub place: DataArguments,
    /// The folder to write; must be absent or empty. It holds secrets, sealed; the master key is not in it.
    pub to: PathBuf,
}

#[derive(Debug, Args)]
pub struct RestoreArguments {
    #[command(flatten)]
    pub place: DataArguments,
    /// The folder that a backup has written.
    pub from: PathBuf,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    pub place: DataArguments,
}
