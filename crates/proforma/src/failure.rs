//! How a command ends that does not succeed.

use std::path::Path;
use std::process::ExitCode;

/// The exit status for input that is not right.
const INPUT: u8 = 2;

/// The way out where a run's folder cannot be used.
pub const HINT_AGAIN: &str = "price the month again with `proforma run`";

/// A run's folder is not what the run has written.
pub fn damaged(path: &Path, what: String) -> Failure {
    let shown = path.display();
    Failure::input(format!("`{shown}` is not as the run has written it: {what}")).hint(HINT_AGAIN)
}

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Failure {
    /// The input is not right.
    Input {
        /// The problems that are shown.
        problems: Vec<String>,
        /// How many there are in all.
        count: u64,
        /// The way out, where one fits all.
        hint: Option<String>,
    },
    /// Anything else.
    Other(anyhow::Error),
    /// What was asked for was done in part.
    Partly {
        /// Why not all of it.
        why: Box<Self>,
        /// What was done.
        done: String,
    },
    /// Why has been said: by a program that this one has started, or by what was printed. The exit status says the rest.
    Said(u8),
}

impl Failure {
    /// One problem with the input.
    pub fn input(problem: impl Into<String>) -> Self {
        Self::inputs(vec![problem.into()])
    }

    /// Problems with the input.
    pub fn inputs(problems: Vec<String>) -> Self {
        Self::Input { count: problems.len() as u64, problems, hint: None }
    }

    /// The same with a way out.
    pub fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Input { problems, count, .. } => Self::Input { problems, count, hint: Some(text.into()) },
            Self::Partly { why, done } => Self::Partly { why: Box::new(why.hint(text)), done },
            other => other,
        }
    }

    /// The same with each problem said otherwise.
    pub fn map_problems(self, say: impl Fn(String) -> String) -> Self {
        match self {
            Self::Input { problems, count, hint } => {
                Self::Input { problems: problems.into_iter().map(say).collect(), count, hint }
            }
            other => other,
        }
    }

    /// The same after something was done: `nothing was written` would not be true.
    pub fn after(self, done: String) -> Self {
        Self::Partly { why: Box::new(self), done }
    }

    /// The same, saying of what it is; nothing says nothing.
    pub fn about(self, what: &str) -> Self {
        match self {
            _ if what.is_empty() => self,
            Self::Input { problems, count, hint } => {
                let problems = problems.into_iter().map(|problem| format!("{what}: {problem}")).collect();
                Self::Input { problems, count, hint }
            }
            Self::Other(error) => Self::Other(error.context(what.to_owned())),
            Self::Partly { why, done } => Self::Partly { why: Box::new(why.about(what)), done },
            Self::Said(status) => Self::Said(status),
        }
    }

    /// Says why on standard error; gives the exit status.
    pub fn report(self) -> ExitCode {
        let wrote_nothing = matches!(self, Self::Input { .. });
        let status = self.say();
        if wrote_nothing {
            say!("nothing was written");
        }
        status
    }

    fn say(self) -> ExitCode {
        match self {
            Self::Input { problems, count, hint } => {
                let shown = problems.len() as u64;
                problems.iter().for_each(|problem| say!("error: {problem}"));
                if count > shown {
                    say!("… and {} more", count - shown);
                }
                hint.iter().for_each(|hint| say!("hint: {hint}"));
                ExitCode::from(INPUT)
            }
            Self::Other(error) => {
                say!("error: {error:#}");
                ExitCode::FAILURE
            }
            Self::Partly { why, done } => {
                let status = why.say();
                say!("{done}");
                status
            }
            Self::Said(status) => ExitCode::from(status),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}
