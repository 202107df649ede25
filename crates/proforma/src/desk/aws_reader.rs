//! The programs that read at AWS, which alone carry AWS's SDK: started as other processes, beside this one or from the path.

use std::path::PathBuf;
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
