//! The programs that read at AWS, which alone carry AWS's SDK: started as other processes, beside this one or from the path.

use crate::failure::Failure;
use anyhow::{Context, anyhow};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that prints what it has read, with the credentials of a profile, or those that every AWS tool finds.
pub fn aws_reader(program: &str, profile: Option<&str>, endpoint: Option<&str>) -> (PathBuf, Command) {
    let beside = std::env::current_exe().ok().map(|this| this.with_file_name(program));
    let program = beside.filter(|program| program.is_file()).unwrap_or_else(|| program.into());
    let mut command = Command::new(&program);
    if let Some(profile) = profile {
        command.arg("--profile").arg(profile);
        // A profile that is named goes before keys of the environment, which may be those of a desk.
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

/// Lets a reader print what it reads; how far it is goes to standard error. `None` where it has said there why it has read nothing; `nothing` is what has come of
/// a reading that a signal ends.
pub fn printed((program, mut command): (PathBuf, Command), nothing: &str) -> Result<Option<String>, Failure> {
    let child = command.spawn().with_context(|| not_started(&program))?;
    let shown = program.display();
    let ended = child.wait_with_output().with_context(|| format!("`{shown}` broke off"))?;
    match ended.status.code() {
        Some(0) => Ok(Some(String::from_utf8(ended.stdout).context("what was read is no text")?)),
        Some(_) => Ok(None),
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
