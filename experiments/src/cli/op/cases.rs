//! Many ops in one process: `pitfall op --cases FILE.jsonl`.
//!
//! A case is translated into the command line that it stands for, so names, defaults and checks have one definition.

use super::{UsageError, arguments::OpCommand, run::run};
use clap::{
    Command, FromArgMatches, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// The line that is printed for a case.
#[derive(Serialize)]
struct Report {
    case: usize,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Runs every case of `path` and prints a line for each; see the help of `--cases`.
pub(super) fn run_cases(path: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let text = fs::read(path).map_err(|error| UsageError(format!("cannot read {}: {error}", path.display())))?;
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    let is_blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
    let (mut cases, mut failed) = (0, 0);
    for line in text.split(|&byte| byte == b'\n').filter(|line| !is_blank(line)) {
        let result = parse(line).and_then(|command| run(&command, &folder));
        let error = result.as_ref().err().map(UsageError::to_string);
        writeln!(out, "{}", serde_json::to_string(&Report { case: cases, ok: result.is_ok(), error })?)?;
        cases += 1;
        failed += usize::from(result.is_err());
    }
    match failed {
        0 => Ok(()),
        _ => Err(UsageError(format!("{failed} of {cases} cases failed")).into()),
    }
}

/// The op that one line stands for.
fn parse(line: &[u8]) -> Result<OpCommand, UsageError> {
    let mut case: Map<String, Value> =
        serde_json::from_slice(line).map_err(|error| UsageError(format!("not a JSON object: {error}")))?;
    let op = match case.remove("op") {
        Some(Value::String(op)) => op,
        Some(other) => return Err(UsageError(format!("key \"op\" is {other}; expected the name of an op"))),
        None => return Err(UsageError("key \"op\" is missing".to_string())),
    };
    let mut arguments = vec![op.clone()];
    for (key, value) in &case {
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(unknown_key(key, &op, None));
        }
        if let Some(value) = plain(value).map_err(|problem| UsageError(format!("key {key:?} is {value}; {problem}")))? {
            arguments.push(format!("--{}={value}", key.replace('_', "-")));
        }
    }
    let matches = command().try_get_matches_from(&arguments);
    matches.and_then(|matches| OpCommand::from_arg_matches(&matches)).map_err(|error| explain(&error, &op))
}

/// The parser of one op, without what is for people only.
fn command() -> Command {
    let command = Command::new("op").no_binary_name(true).subcommand_required(true);
    OpCommand::augment_subcommands(command).disable_help_flag(true).disable_help_subcommand(true)
}

/// A value as it would stand on the command line; none for null.
fn plain(value: &Value) -> Result<Option<String>, &'static str> {
    Ok(match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Array(values) if values.iter().all(Value::is_number) => {
            Some(values.iter().map(Value::to_string).collect::<Vec<_>>().join(","))
        }
        Value::Array(_) | Value::Object(_) => {
            return Err("expected text, a number, true, false or an array of numbers");
        }
    })
}

/// The parser's complaint in terms of keys.
fn explain(error: &clap::Error, op: &str) -> UsageError {
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let key = names(error, ContextKind::InvalidArg).join(", ");
            unknown_key(&key, op, names(error, ContextKind::SuggestedArg).first().map(String::as_str))
        }
        ErrorKind::InvalidSubcommand => {
            let known: Vec<String> = command().get_subcommands().map(|op| op.get_name().to_string()).collect();
            let guess = names(error, ContextKind::SuggestedSubcommand);
            UsageError(unknown("op", op, guess.first().map(String::as_str), &known))
        }
        ErrorKind::MissingRequiredArgument => {
            UsageError(format!("{op}: missing key {}", names(error, ContextKind::InvalidArg).join(", ")))
        }
        _ => {
            // The first paragraph says what is wrong; the rest is about usage.
            let text = error.to_string();
            let paragraph = text.split("\n\n").next().unwrap_or_default();
            UsageError(paragraph.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

/// The keys for the options that an error names.
fn names(error: &clap::Error, context: ContextKind) -> Vec<String> {
    let options = match error.get(context) {
        Some(ContextValue::String(option)) => vec![option.clone()],
        Some(ContextValue::Strings(options)) => options.clone(),
        _ => Vec::new(),
    };
    // `--grad-output <FILE>` is the key grad_output.
    let key =
        |option: &String| option.trim_start_matches('-').split([' ', '=']).next().map(|name| name.replace('-', "_"));
    options.iter().filter_map(key).collect()
}

fn unknown_key(key: &str, op: &str, guess: Option<&str>) -> UsageError {
    let known: Vec<String> = command()
        .find_subcommand(op)
        .map(|op| op.get_arguments().map(|argument| argument.get_id().to_string()).collect())
        .unwrap_or_default();
    UsageError(format!("{op}: {}", unknown("key", key, guess, &known)))
}

fn unknown(what: &str, name: &str, guess: Option<&str>, known: &[String]) -> String {
    match guess {
        Some(guess) => format!("unknown {what} {name:?}; did you mean {guess:?}?"),
        None => format!("unknown {what} {name:?}; expected one of {}", known.join(", ")),
    }
}
