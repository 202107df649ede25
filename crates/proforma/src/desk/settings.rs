//! Settings: flags, then the environment, then a TOML file. What is wrong with them is said at once, all of it.

use super::secret_file::open_to_others;
use super::{instant::instant, tls};
use crate::cli::desk::{DataArguments, OutgoingArguments, ServeArguments};
use crate::failure::Failure;
use crate::invoice::InvoiceDesign;
use crate::outgoing::{Allowed, MailSettings, Outgoing};
use back_office::clock::Clock;
use back_office::cost_roots::CostRoot;
use back_office::data_directory;
use back_office::exports::ExportBucket;
use back_office::outbox::Retry;
use back_office::run_folders::SUPERSEDED_RUNS;
use back_office::vault::MasterKey;
use billing::account::AccountId;
use rustls::ServerConfig;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use toml::{Table, Value};

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const SIGNATURE_MINUTES: (u16, RangeInclusive<u16>) = (5, 1..=15);
const RATE: (u32, RangeInclusive<u32>) = (1_000, 1..=1_000_000);
const CONCURRENCY: (usize, RangeInclusive<usize>) = (256, 1..=100_000);
/// How long a reading of an organization may take: one of ten thousand accounts takes some half an hour.
const ORGANIZATION_SECONDS: (u64, RangeInclusive<u64>) = (7_200, 1..=604_800);
const ARRIVAL_SECONDS: (u64, RangeInclusive<u64>) = (60, 1..=3_600);
const LEASE_SECONDS: (u64, RangeInclusive<u64>) = (60, 2..=3_600);
/// A run folder has a file or two for every billing group: more than this of a period is an archive.
const SUPERSEDED: (usize, RangeInclusive<usize>) = (SUPERSEDED_RUNS, 0..=10_000);
/// In MiB.
const FACTS_MEMORY: (u64, RangeInclusive<u64>) = (1_024, 0..=1_048_576);
const OUTBOX_PAUSE_SECONDS: (u64, RangeInclusive<u64>) = (30, 1..=3_600);
const OUTBOX_ATTEMPTS: (u64, RangeInclusive<u64>) = (12, 1..=100);
/// The environment's master key: never a flag, which others on the machine could read.
const MASTER_KEY: &str = "PROFORMA_MASTER_KEY";
/// The environment's password of the mail server.
const SMTP_PASSWORD: &str = "PROFORMA_SMTP_PASSWORD";

/// What a settings file may hold.
const TEXTS: [&str; 12] = [
    "data",
    "database",
    "master_key_file",
    "listen",
    "tls_cert",
    "tls_key",
    "public_url",
    "smtp_url",
    "smtp_from",
    "smtp_password_file",
    "invoice_design",
    "organization_endpoint",
];
const NUMBERS: [&str; 10] = [
    "signature_minutes",
    "rate",
    "concurrency",
    "arrival_seconds",
    "lease_seconds",
    "superseded_runs",
    "outbox_pause_seconds",
    "outbox_attempts",
    "facts_memory",
    "organization_time_limit",
];
const LISTS: [&str; 4] = ["cost_roots", "export_buckets", "organization_profiles", "webhook_allow"];

/// Where the desk is.
#[derive(Debug)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// The PostgreSQL database, where it is not the one in the directory.
    pub database: Option<String>,
    /// The file of the master key.
    pub master_key_file: Option<PathBuf>,
    /// The master key itself, from the environment.
    pub master_key: Option<String>,
    /// Where cost files may be that a request names; `None` allows any place.
    pub cost_roots: Option<Vec<CostRoot>>,
    /// Where exports may be delivered to.
    pub export_buckets: Vec<ExportBucket>,
    /// How long a worker has a run before another may take it.
    pub lease: Duration,
    /// How many superseded runs of each period keep their files.
    pub superseded_runs: usize,
    /// How much memory the facts may take that questions about costs are answered from; 0 at the data directory itself.
    pub facts_bytes: u64,
    /// How documents of invoices look.
    pub invoice_design: InvoiceDesign,
}

/// How a server answers.
#[derive(Debug)]
pub struct Serving {
    /// A payer to begin with.
    pub payer: Option<AccountId>,
    /// The clock of billing decisions.
    pub clock: Clock,
    /// The address.
    pub listen: SocketAddr,
    /// Certificate and key, where it speaks HTTPS.
    pub tls: Option<Arc<ServerConfig>>,
    /// How far a signature's time may be off.
    pub signature_minutes: u16,
    /// Requests a second of a key.
    pub rate: u32,
    /// Requests at once.
    pub concurrency: usize,
    /// How long the headers of a request may take to arrive, and then its body.
    pub arrival: Duration,
    /// How what is in the outbox is sent; `None` where another server does.
    pub outgoing: Option<Outgoing>,
    /// How clients reach the server, where that is not what requests are sent to.
    pub public_url: Option<String>,
    /// The AWS profile that each payer's organization is read with.
    pub organization_profiles: BTreeMap<AccountId, String>,
    /// Another place that answers the API of AWS Organizations.
    pub organization_endpoint: Option<String>,
    /// How long one reading of an organization may take.
    pub organization_time_limit: Duration,
}

impl Settings {
    /// The settings of a command.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn of(arguments: &DataArguments) -> Result<Self, Failure> {
        let mut reader = Reader::of(arguments.config.as_deref());
        let settings = reader.place(arguments);
        reader.checked(settings)
    }

    /// The settings of a server.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn of_server(arguments: &ServeArguments) -> Result<(Self, Serving), Failure> {
        let mut reader = Reader::of(arguments.place.config.as_deref());
        let settings = reader.place(&arguments.place);
        let lease = reader.number("lease_seconds", arguments.lease_seconds.as_deref(), &LEASE_SECONDS);
        let cost_roots = reader.cost_roots(&arguments.cost_roots);
        let facts: u64 = reader.number("facts_memory", arguments.facts_memory.as_deref(), &FACTS_MEMORY);
        let facts_bytes = facts << 20;
        let export_buckets = reader.export_buckets(&arguments.export_buckets);
        let settings = settings.map(|settings| {
            reader.check_master_key(&settings);
            reader.problems.extend(settings.invoice_design.design().err());
            let (cost_roots, lease) = (Some(cost_roots), Duration::from_secs(lease));
            Self { cost_roots, export_buckets, lease, facts_bytes, ..settings }
        });
        let serving = reader.serving(arguments);
        reader.checked(settings.map(|settings| (settings, serving)))
    }
}

/// Takes settings together, and what is wrong with them.
struct Reader {
    /// How the settings file is called in a message.
    shown: String,
    file: Table,
    problems: Vec<String>,
}

impl Reader {
    fn of(path: Option<&Path>) -> Self {
        let mut reader = Self { shown: String::new(), file: Table::new(), problems: Vec::new() };
        let Some(path) = path else { return reader };
        reader.shown = path.display().to_string();
        match fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}")).and_then(|text| {
            text.parse::<Table>().map_err(|error| error.to_string().trim_end().replace('\n', "\n  "))
        }) {
            Ok(file) => reader.file = file,
            Err(problem) => reader.problems.push(format!("settings `{}`: {problem}", reader.shown)),
        }
        reader.check_file(path);
        reader
    }

    /// Names what the file has and should not have.
    fn check_file(&mut self, path: &Path) {
        let shown = &self.shown;
        for (name, value) in &self.file {
            let known = |names: &[&str]| names.contains(&name.as_str());
            let wanted = match value {
                Value::String(_) if known(&TEXTS) => continue,
                Value::Integer(_) if known(&NUMBERS) => continue,
                Value::Array(items) if known(&LISTS) && items.iter().all(Value::is_str) => continue,
                _ if known(&TEXTS) => "a text in quotation marks",
                _ if known(&NUMBERS) => "a whole number",
                _ if known(&LISTS) => "a list of texts",
                _ => {
                    let all: Vec<_> = TEXTS.iter().chain(&NUMBERS).chain(&LISTS).copied().collect();
                    self.problems.push(format!(
                        "settings `{shown}`: there is no setting `{name}`; settings are {}",
                        all.join(", ")
                    ));
                    continue;
                }
            };
            self.problems.push(format!("settings `{shown}`: `{name}` is `{value}`; give {wanted}"));
        }
        let has_password = |name: &str| {
            let text = self.file.get(name).and_then(Value::as_str);
            text.and_then(|text| reqwest::Url::parse(text).ok()).is_some_and(|url| url.password().is_some())
        };
        if has_password("database") || has_password("smtp_url") {
            self.problems.extend(open_to_others(path, 0o007));
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.file.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    fn path(&self, name: &str, flag: Option<&PathBuf>) -> Option<PathBuf> {
        flag.cloned().or_else(|| self.text(name).map(PathBuf::from))
    }

    fn list(&self, name: &str) -> Vec<String> {
        let items = self.file.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn cost_roots(&mut self, flag: &[String]) -> Vec<CostRoot> {
        let given = if flag.is_empty() { self.list("cost_roots") } else { flag.to_vec() };
        let parsed = given.iter().map(|text| CostRoot::parse(text));
        parsed.filter_map(|root| root.map_err(|problem| self.problems.push(problem)).ok()).collect()
    }

    fn export_buckets(&mut self, flag: &[String]) -> Vec<ExportBucket> {
        let given = if flag.is_empty() { self.list("export_buckets") } else { flag.to_vec() };
        let parsed = given.iter().map(|text| ExportBucket::parse(text));
        parsed.filter_map(|bucket| bucket.map_err(|problem| self.problems.push(problem)).ok()).collect()
    }

    /// A number within its bounds; what is not one is a problem, and its default until that is said.
    fn number<T: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        name: &str,
        flag: Option<&str>,
        (default, bounds): &(T, RangeInclusive<T>),
    ) -> T {
        let (from, text) = match (flag, self.file.get(name)) {
            (Some(text), _) => (flag_of(name), text.to_owned()),
            (None, Some(Value::Integer(number))) => {
                (format!("settings `{}`: `{name}`", self.shown), number.to_string())
            }
            _ => return *default,
        };
        match text.parse().ok().filter(|number| bounds.contains(number)) {
            Some(number) => number,
            None => {
                let (least, most) = (bounds.start(), bounds.end());
                self.problems.push(format!("{from} is `{text}`; give a whole number from {least} to {most}"));
                *default
            }
        }
    }

    fn place(&mut self, arguments: &DataArguments) -> Option<Settings> {
        let data = self.path("data", arguments.data.as_ref());
        if data.is_none() {
            self.problems
                .push("no data directory is given; give one with --data, or PROFORMA_DATA".to_owned());
        }
        let superseded_runs =
            self.number("superseded_runs", arguments.superseded_runs.as_deref(), &SUPERSEDED);
        Some(Settings {
            data: data?,
            database: arguments.database.clone().or_else(|| self.text("database")),
            master_key_file: self.path("master_key_file", arguments.master_key_file.as_ref()),
            master_key: std::env::var(MASTER_KEY).ok().filter(|key| !key.is_empty()),
            cost_roots: None,
            export_buckets: Vec::new(),
            lease: Duration::from_secs(LEASE_SECONDS.0),
            superseded_runs,
            facts_bytes: 0,
            invoice_design: InvoiceDesign::of(self.path("invoice_design", arguments.invoice_design.as_ref())),
        })
    }

    /// Names what is wrong with a master key that is there; where there is none yet, one is made.
    fn check_master_key(&mut self, settings: &Settings) {
        if let Some(text) = &settings.master_key {
            if MasterKey::parse(text).is_none() {
                self.problems.push(format!("{MASTER_KEY} is no key of 64 hexadecimal digits"));
            }
            return;
        }
        let in_data = settings.data.join(data_directory::MASTER_KEY);
        self.problems.extend(open_to_others(settings.master_key_file.as_ref().unwrap_or(&in_data), 0o077));
    }

    fn serving(&mut self, arguments: &ServeArguments) -> Serving {
        let payer = arguments.payer.as_deref().and_then(|text| {
            let payer = AccountId::parse(text).filter(AccountId::has_twelve_digits);
            if payer.is_none() {
                self.problems.push(format!("--payer is `{text}`; a payer account has twelve digits"));
            }
            payer
        });
        let clock = match arguments.now.as_deref().map(instant) {
            None => Clock::Machine,
            Some(Ok(now)) => Clock::Fixed(now),
            Some(Err(_)) => {
                self.problems
                    .push("--now is no instant; write it as 2026-11-10T12:00:00Z, in UTC".to_owned());
                Clock::Machine
            }
        };
        let arrival = self.number("arrival_seconds", arguments.arrival_seconds.as_deref(), &ARRIVAL_SECONDS);
        let limit = arguments.organization_time_limit.as_deref();
        let limit = self.number("organization_time_limit", limit, &ORGANIZATION_SECONDS);
        Serving {
            payer,
            clock,
            listen: self.listen(arguments.listen.as_deref()),
            tls: self.tls(arguments),
            signature_minutes: self.number(
                "signature_minutes",
                arguments.signature_minutes.as_deref(),
                &SIGNATURE_MINUTES,
            ),
            rate: self.number("rate", arguments.rate.as_deref(), &RATE),
            concurrency: self.number("concurrency", arguments.concurrency.as_deref(), &CONCURRENCY),
            arrival: Duration::from_secs(arrival),
            outgoing: self.outgoing(&arguments.outgoing),
            public_url: self.public_url(arguments.public_url.as_deref()),
            organization_profiles: self.organization_profiles(&arguments.organization_profiles),
            organization_endpoint: arguments
                .organization_endpoint
                .clone()
                .or_else(|| self.text("organization_endpoint")),
            organization_time_limit: Duration::from_secs(limit),
        }
    }

    fn organization_profiles(&mut self, flag: &[String]) -> BTreeMap<AccountId, String> {
        let given = if flag.is_empty() { self.list("organization_profiles") } else { flag.to_vec() };
        let mut profiles = BTreeMap::new();
        for text in given {
            let of = text.split_once('=').filter(|(_, profile)| !profile.is_empty());
            let of = of.and_then(|(payer, profile)| {
                let payer = AccountId::parse(payer).filter(AccountId::has_twelve_digits)?;
                Some((payer, profile.to_owned()))
            });
            match of {
                Some((payer, profile)) => drop(profiles.insert(payer, profile)),
                None => self.problems.push(format!(
                    "{} is `{text}`; give a payer account and a profile, as 999999999999=payer",
                    flag_of("organization_profiles")
                )),
            }
        }
        profiles
    }

    fn outgoing(&mut self, arguments: &OutgoingArguments) -> Option<Outgoing> {
        let pause = arguments.outbox_pause_seconds.as_deref();
        let pause = self.number("outbox_pause_seconds", pause, &OUTBOX_PAUSE_SECONDS);
        let attempts = arguments.outbox_attempts.as_deref();
        let attempts_max = self.number("outbox_attempts", attempts, &OUTBOX_ATTEMPTS);
        let given = match arguments.webhook_allow.is_empty() {
            true => self.list("webhook_allow"),
            false => arguments.webhook_allow.clone(),
        };
        let allowed = Allowed::parse(&given).map_err(|problems| self.problems.extend(problems));
        let retry = Retry { first_pause: Duration::from_secs(pause), attempts_max };
        let outgoing = Outgoing { mail: self.mail(arguments), allowed: allowed.unwrap_or_default(), retry };
        (!arguments.no_messages).then_some(outgoing)
    }

    fn mail(&mut self, arguments: &OutgoingArguments) -> Option<MailSettings> {
        let from = arguments.smtp_from.clone().or_else(|| self.text("smtp_from"));
        let file = self.path("smtp_password_file", arguments.smtp_password_file.as_ref());
        let password = match &file {
            Some(file) => self.secret_in(file),
            None => std::env::var(SMTP_PASSWORD).ok().filter(|password| !password.is_empty()),
        };
        match arguments.smtp_url.clone().or_else(|| self.text("smtp_url")) {
            Some(url) => {
                let settings = MailSettings::parse(&url, from.as_deref(), password);
                settings.map_err(|problems| self.problems.extend(problems)).ok()
            }
            None => {
                if from.is_some() || file.is_some() {
                    let what = "there is a sender or a password of mail, and no mail server";
                    self.problems.push(format!("{what}; give it with --smtp-url (or PROFORMA_SMTP_URL)"));
                }
                None
            }
        }
    }

    /// The first line of a file that only its owner may read.
    fn secret_in(&mut self, path: &Path) -> Option<String> {
        self.problems.extend(open_to_others(path, 0o077));
        match fs::read_to_string(path) {
            Ok(text) => Some(text.lines().next().unwrap_or_default().to_owned()),
            Err(error) => {
                self.problems.push(format!("password `{}` cannot be read: {error}", path.display()));
                None
            }
        }
    }

    /// An address without a path, and without the slash at its end.
    fn public_url(&mut self, flag: Option<&str>) -> Option<String> {
        let (from, text) = match (flag, self.text("public_url")) {
            (Some(text), _) => (flag_of("public_url"), text.to_owned()),
            (None, Some(text)) => (format!("settings `{}`: `public_url`", self.shown), text),
            (None, None) => return None,
        };
        let url = reqwest::Url::parse(&text).ok().filter(|url| {
            ["http", "https"].contains(&url.scheme())
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if url.is_none() {
            self.problems
                .push(format!("{from} is `{text}`; give an address without a path, as https://desk.example"));
        }
        url.map(|url| url.as_str().trim_end_matches('/').to_owned())
    }

    fn listen(&mut self, flag: Option<&str>) -> SocketAddr {
        let (from, text) = match (flag, self.text("listen")) {
            (Some(text), _) => (flag_of("listen"), text.to_owned()),
            (None, Some(text)) => (format!("settings `{}`: `listen`", self.shown), text),
            (None, None) => return LISTEN,
        };
        text.parse().unwrap_or_else(|_| {
            self.problems.push(format!("{from} is `{text}`; give an address and a port, as 127.0.0.1:8080"));
            LISTEN
        })
    }

    fn tls(&mut self, arguments: &ServeArguments) -> Option<Arc<ServerConfig>> {
        let cert = self.path("tls_cert", arguments.tls_cert.as_ref());
        let key = self.path("tls_key", arguments.tls_key.as_ref());
        match (cert, key) {
            (None, None) => None,
            (Some(cert), Some(key)) => {
                tls::read(&cert, &key).map_err(|problems| self.problems.extend(problems)).ok()
            }
            (Some(cert), None) => {
                self.problems
                    .push(format!("certificate `{}` has no key; give it with --tls-key", cert.display()));
                None
            }
            (None, Some(key)) => {
                self.problems
                    .push(format!("key `{}` has no certificate; give it with --tls-cert", key.display()));
                None
            }
        }
    }

    fn checked<T>(self, settings: Option<T>) -> Result<T, Failure> {
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(Failure::inputs(self.problems)),
        }
    }
}

/// How a setting is called that is no file's.
fn flag_of(name: &str) -> String {
    format!("--{} (or PROFORMA_{})", name.replace('_', "-"), name.to_uppercase())
}
