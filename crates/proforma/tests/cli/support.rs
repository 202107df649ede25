//! Running the program and reading what it wrote.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;
use tempfile::TempDir;
use testkit::line::PAYER;

/// A book with one group, `acme`, whose plan has a markup of 10 % and a rule with tiers; what follows is added.
macro_rules! book_of_acme {
    ($more:literal) => {
        concat!(
            r#"
payer_account_id = "999999999999"

[[pricing_rules]]
name = "up"
scope = "GLOBAL"
type = "MARKUP"
modifier_percentage = "10"

[[pricing_rules]]
name = "tiers"
scope = "SKU"
service = "AmazonS3"
usage_type = "TimedStorage"
type = "TIERING"
custom_tiers = [
  { begin_range_inclusive = "0", end_range_exclusive = "100", rate_value = "0.04" },
  { begin_range_inclusive = "100", rate_value = "0.03" },
]

[[pricing_plans]]
name = "plan"
pricing_rules = ["up", "tiers"]

[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111", "222222222222"]
pricing_plan = "plan"
"#,
            $more
        )
    };
}
pub(crate) use book_of_acme;

/// A book whose groups, by name and accounts, pay 10 % more; the first account of each is its primary one. What follows is added.
pub fn book_of_groups(groups: &[(&str, &[&str])], more: &str) -> String {
    let mut book = format!(
        r#"payer_account_id = "{PAYER}"

[[pricing_rules]]
name = "up"
scope = "GLOBAL"
type = "MARKUP"
modifier_percentage = 10

[[pricing_plans]]
name = "plan"
pricing_rules = ["up"]
"#
    );
    for (name, accounts) in groups {
        let (primary, accounts) = (accounts[0], accounts.join("\", \""));
        book += &format!(
            r#"
[[billing_groups]]
name = "{name}"
primary_account_id = "{primary}"
accounts = ["{accounts}"]
pricing_plan = "plan"
"#
        );
    }
    book + "\n" + more
}

/// A command line under construction: a folder of its own, the book, the cost files.
pub struct Run {
    pub folder: Rc<TempDir>,
    arguments: Vec<String>,
}

/// What a run left behind.
pub struct Done {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub out: PathBuf,
    /// Held, so that the result can be read when the run is gone.
    _folder: Option<Rc<TempDir>>,
}

impl Run {
    /// A run of `period` over what `write` puts into the cost folder, under a TOML book.
    pub fn new(period: &str, book: &str, write: impl FnOnce(&Path)) -> Self {
        Self::of_paths(period, book, |cost| {
            write(cost);
            vec![cost.to_owned()]
        })
    }

    /// The same over the paths that `write` gives. A book that begins with a brace is JSON.
    pub fn of_paths(period: &str, book: &str, write: impl FnOnce(&Path) -> Vec<PathBuf>) -> Self {
        let folder = Rc::new(tempfile::tempdir().expect("a temporary folder"));
        let cost = folder.path().join("cost");
        fs::create_dir(&cost).expect("a cost folder");
        let book_name = if book.starts_with('{') { "book.json" } else { "book.toml" };
        fs::write(folder.path().join(book_name), book).expect("a book");
        let paths = write(&cost);
        let run = Self { folder, arguments: Vec::new() };
        let path = |name: &str| run.folder.path().join(name).display().to_string();
        let (book, out) = (path(book_name), path("out"));
        let run = run.with(&["--book", &book, "--period", period, "--out", &out]);
        paths.iter().fold(run, |run, path| run.with(&["--cost", &path.display().to_string()]))
    }

    /// More arguments.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// The command, not yet started.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proforma"));
        command.arg("run").args(&self.arguments);
        command
    }

    /// Runs the program.
    pub fn go(&self) -> Done {
        let done =
            Done::of(self.command().output().expect("the program starts"), self.folder.path().join("out"));
        Done { _folder: Some(Rc::clone(&self.folder)), ..done }
    }
}

/// Runs the program with these arguments.
pub fn proforma(arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proforma"));
    Done::of(command.args(arguments).output().expect("the program starts"), PathBuf::new())
}

impl Done {
    /// The command, which must have been refused as bad input with these words in its message, and printed nothing.
    #[track_caller]
    pub fn says_no(self, words: &[&str]) -> Self {
        assert_eq!(self.status, 2, "{}", self.stderr);
        assert_eq!(self.stdout, "");
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in:\n{}", self.stderr);
        }
        self
    }

    /// What was printed, as JSON.
    #[track_caller]
    pub fn printed(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).expect("JSON on standard output")
    }

    /// The result folder as an argument.
    pub fn folder(&self) -> &str {
        self.out.to_str().expect("a path in UTF-8")
    }

    pub fn of(output: Output, out: PathBuf) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
            out,
            _folder: None,
        }
    }

    /// The run, which must have succeeded.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, 0, "{}", self.stderr);
        self
    }

    /// The run, which must have been refused as bad input, with nothing written and these words in its message.
    #[track_caller]
    pub fn refused(self, words: &[&str]) -> Self {
        assert_eq!(self.status, 2, "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in:\n{}", self.stderr);
        }
        assert!(!self.out.exists(), "something was written");
        let beside = fs::read_dir(self.out.parent().expect("a parent")).expect("a folder");
        let partial = beside.flatten().find(|entry| entry.file_name().to_string_lossy().contains("partial"));
        assert!(partial.is_none(), "a partial result was left");
        self
    }

    /// A JSON file of the result.
    #[track_caller]
    pub fn json(&self, name: &str) -> Value {
        let path = self.out.join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).expect("JSON")
    }
}
