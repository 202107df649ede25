//! Settings: flags, then the environment, then a TOML file.

use crate::cli::desk::DataArguments;
use crate::failure::Failure;
use serde::Deserialize;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What a settings file may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub data: Option<PathBuf>,
    pub database: Option<String>,
    pub master_key_file: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    #[serde(default)]
    pub cost_roots: Vec<PathBuf>,
    pub signature_minutes: Option<u16>,
    pub rate: Option<u32>,
    pub concurrency: Option<usize>,
    pub superseded_runs: Option<usize>,
}

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
    /// How many superseded runs of each period keep their files.
    pub superseded_runs: Option<usize>,
    /// The rest of the settings file.
    pub file: File,
}

impl Settings {
    /// The settings of a command.
    pub fn of(arguments: &DataArguments) -> Result<Self, Failure> {
        let mut file = arguments.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let data = arguments.data.clone().or_else(|| file.data.take()).ok_or_else(|| {
            Failure::input("no data directory is given").hint("give one with --data, or PROFORMA_DATA")
        })?;
        Ok(Self {
            data,
            database: arguments.database.clone().or_else(|| file.database.take()),
            master_key_file: arguments.master_key_file.clone().or_else(|| file.master_key_file.take()),
            superseded_runs: arguments.superseded_runs.or(file.superseded_runs),
            master_key: std::env::var("PROFORMA_MASTER_KEY").ok().filter(|key| !key.is_empty()),
            file,
        })
    }
}

fn read(path: &Path) -> Result<File, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::input(format!("settings `{shown}` cannot be read: {error}")))?;
    toml::from_str(&text).map_err(|error| Failure::input(format!("settings `{shown}`: {error}")))
}
