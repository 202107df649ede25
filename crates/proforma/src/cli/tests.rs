//! Every command that the documentation or a `--help` shows is one that the program takes.

use super::Cli;
use clap::{Command, CommandFactory};
use std::fs;
use std::path::Path;

/// The command lines of a text: each begins with the program's name; a line that ends in `\` goes on with the next.
fn command_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.trim().trim_start_matches("$ "));
    lines.filter(|line| line.starts_with("proforma ")).map(ToOwned::to_owned).collect()
}

/// The blocks of a page: between fences that are of a shell or of nothing, and lines that are set in.
fn blocks(page: &str) -> String {
    let mut blocks = String::new();
    for (place, part) in page.split("```").enumerate() {
        let (language, text) = part.split_once('\n').unwrap_or_default();
        let is_shell = matches!(language, "" | "sh" | "bash");
        let is_block = |line: &&str| if place % 2 == 1 { is_shell } else { line.starts_with("    ") };
        text.lines().filter(is_block).for_each(|line| blocks.push_str(&format!("{line}\n")));
    }
    blocks
}

/// The words of a command line as a shell has them, up to a comment, a redirection or another command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(of), c) if c == of => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#' | '>' | '&' | '|' | ';') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What is wrong with the commands of a text.
fn mistakes(of: &str, text: &str) -> Vec<String> {
    let mistake = |line: String| {
        let error = Cli::command().try_get_matches_from(words(&line)).err()?;
        let first = error.to_string().lines().next().unwrap_or_default().to_owned();
        Some(format!("{of}: `{line}`: {first}"))
    };
    command_lines(text).into_iter().filter_map(mistake).collect()
}

fn helps(command: &Command, path: &str) -> Vec<(String, String)> {
    let here = format!("{path} {}", command.get_name());
    let help = command.get_after_help().map(ToString::to_string);
    let mut all: Vec<_> = help.into_iter().map(|help| (format!("{here} --help"), help)).collect();
    all.extend(command.get_subcommands().flat_map(|command| helps(command, &here)));
    all
}

#[test]
fn the_commands_of_the_documentation_are_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.chain([root.join("README.md")]);
    let (mut found, mut wrong) = (0, Vec::new());
    for page in pages.filter(|page| page.extension().is_some_and(|of| of == "md")) {
        let blocks = blocks(&fs::read_to_string(&page).unwrap());
        found += command_lines(&blocks).len();
        wrong.extend(mistakes(&page.display().to_string(), &blocks));
    }
    assert!(found > 50, "only {found} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_examples_of_every_help_are_taken() {
    let helps = helps(&Cli::command(), "");
    assert!(helps.iter().map(|(_, help)| command_lines(help).len()).sum::<usize>() > 30);
    let wrong: Vec<_> = helps.iter().flat_map(|(of, help)| mistakes(of, help)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_line_is_words_as_a_shell_has_them() {
    let line = "proforma privacy erase 'Ann Example' \"a b\" '' --data ./desk    # for good";
    assert_eq!(words(line), ["proforma", "privacy", "erase", "Ann Example", "a b", "", "--data", "./desk"]);
    assert_eq!(words("proforma book export > book.toml"), ["proforma", "book", "export"]);
    assert_eq!(command_lines("  proforma a \\\n    b\nx\n$ proforma c"), ["proforma a      b", "proforma c"]);
}
