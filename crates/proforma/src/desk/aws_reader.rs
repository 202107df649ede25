//! The programs that read at AWS, which alone carry AWS's SDK: started as other processes, beside this one or from the path.

use crate::cli::desk::DeskArguments;
use crate::failure::Failure;
use anyhow::{Context, anyhow};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The exit status of a reader that says that the input is not right: no credentials, or AWS refuses what they ask for.
const REFUSED: i32 = 2;

/// Whose credentials a reader has.
#[derive(Debug, Clone, Copy)]
pub enum Credentials<'a> {
    /// Those of a profile.
    Profile(&'a str),
    /// Those that every AWS tool finds.
    Found,
    /// Those that every AWS tool finds, but for the keys of the environment: they are a desk's.
    FoundBesideDesk,
}

impl<'a> Credentials<'a> {
    /// Those of a command that asks a desk: a server is asked with the keys of the environment, and they are nobody else's to see.
    pub fn of(desk: &DeskArguments, profile: Option<&'a str>) -> Self {
        match (profile, &desk.endpoint) {
            (Some(profile), _) => Self::Profile(profile),
            (None, Some(_)) => Self::FoundBesideDesk,
            (None, None) => Self::Found,
        }
    }

    /// A failure with where credentials can come from, where that is less than is said.
    pub fn hinted(self, failure: Failure) -> Failure {
        match self {
            Self::FoundBesideDesk => failure.hint(
                "with --endpoint, AWS_ACCESS_KEY_ID is the desk's key, which AWS is not asked with: name AWS's credentials by --profile or AWS_PROFILE",
            ),
            Self::Profile(_) | Self::Found => failure,
        }
    }
}

/// A program that prints what it has read.
pub fn aws_reader(program: &str, of: Credentials<'_>, endpoint: Option<&str>) -> (PathBuf, Command) {
    let beside = std::env::current_exe().ok().map(|this| this.with_file_name(program));
    let program = beside.filter(|program| program.is_file()).unwrap_or_else(|| program.into());
    let mut command = Command::new(&program);
    if let Credentials::Profile(profile) = of {
        command.arg("--profile").arg(profile);
    }
    // A profile that is named goes before keys of the environment, which may be those of a desk.
    if !matches!(of, Credentials::Found) {
        for key in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env_remove(key);
        }
    }
    if let Some(endpoint) = endpoint {
        command.arg("--endpoint").arg(endpoint);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    (program, command)
}

/// Lets a reader print what it reads; how far it is goes to standard error. `None` where it has said there what is not right; `nothing` is what has come of
/// a reading that fails at AWS, or that a signal ends.
pub fn printed((program, mut command): (PathBuf, Command), nothing: &str) -> Result<Option<String>, Failure> {
    let child = command.spawn().with_context(|| not_started(&program))?;
    let shown = program.display();
    let ended = child.wait_with_output().with_context(|| format!("`{shown}` broke off"))?;
    match ended.status.code() {
        Some(0) => Ok(Some(String::from_utf8(ended.stdout).context("what was read is no text")?)),
        Some(REFUSED) => Ok(None),
        Some(_) => Err(anyhow!("AWS could not be read; {nothing}").into()),
        None => Err(anyhow!("`{shown}` was stopped by a signal; {nothing}").into()),
    }
}

/// That a reader cannot be started, and the way out; why comes from the system.
fn not_started(program: &Path) -> String {
    format!(
        "`{}` cannot be started; it is built with `cargo build -p adopt` and stands beside proforma",
        program.display()
    )
}
