//! From text to a [`Config`], with overrides and errors that name the key.

use super::Config;
use serde::de::DeserializeOwned;
use std::{fs, path::Path};
use toml::{Table, Value};

/// A configuration that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// It is not TOML.
    #[error("{path} is not TOML: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// Where, and what was expected.
        reason: String,
    },
    /// An override is not `key=value`, or meets a value that has no keys.
    #[error("--set {text}: {reason}")]
    Override {
        /// As given.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such key, or its value is not one of those that it may have.
    #[error("{key}: {reason}")]
    Value {
        /// The key, from the root.
        key: String,
        /// What is wrong, and what may stand there.
        reason: String,
    },
}

impl ConfigError {
    pub(super) fn value(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Value { key: key.into(), reason: reason.into() }
    }
}

impl Config {
    /// Reads a file and applies `overrides`, each `key=value` with a key like `network.layers.0.features`.
    ///
    /// # Errors
    /// With the key that is wrong and what it may be.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| ConfigError::Read { path: name.clone(), reason: error.to_string() })?;
        Self::parse(&name, &text, overrides)
    }

    /// The same from a text; `name` stands for the path in messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(name: &str, text: &str, overrides: &[String]) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::Syntax { path: name.to_string(), reason: error.to_string() };
        let mut table: Table = text.parse().map_err(syntax)?;
        for text in overrides {
            apply(&mut table, text).map_err(|reason| ConfigError::Override { text: text.clone(), reason })?;
        }
        let mut config: Config = deserialize(Value::Table(table), name)?;
        config.check()?;
        config.network.fill_in_defaults();
        Ok(config)
    }
}

/// Reads a value; `whole` is what a message calls the value itself.
pub(super) fn deserialize<T: DeserializeOwned>(value: Value, whole: &str) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        // The lines that follow say where, as the path does.
        let reason = error.into_inner().to_string().lines().next().unwrap_or_default().to_string();
        ConfigError::value(if path == "." { whole } else { &path }, explained(reason.trim()))
    })
}

/// Sets one key.
fn apply(table: &mut Table, text: &str) -> Result<(), String> {
    let (key, value) = text.split_once('=').ok_or("expected key=value, such as training.lr=0.01")?;
    let value = value.trim();
    // A bare word is a string, so that nobody has to quote twice in a shell.
    let value = match format!("v = {value}").parse::<Table>() {
        Ok(mut parsed) => parsed.remove("v").expect("it was just parsed"),
        Err(_) => Value::String(value.to_string()),
    };
    let mut keys: Vec<&str> = key.trim().split('.').collect();
    let last = keys.pop().filter(|last| !last.is_empty()).ok_or("the key is empty")?;
    let mut place: Option<&mut Value> = None;
    let mut root = Some(table);
    for key in keys {
        let next = match (root.take(), place) {
            (Some(table), _) => table.entry(key).or_insert_with(|| Value::Table(Table::new())),
            (None, Some(value)) => step(value, key)?,
            (None, None) => unreachable!("a key starts at the root"),
        };
        place = Some(next);
    }
    match (root, place) {
        (Some(table), _) => drop(table.insert(last.to_string(), value)),
        (None, Some(Value::Table(table))) => drop(table.insert(last.to_string(), value)),
        (None, Some(Value::Array(items))) => *item(items, last)? = value,
        (None, _) => return Err(format!("{key} goes into a value that has no keys")),
    }
    Ok(())
}

fn step<'v>(value: &'v mut Value, key: &str) -> Result<&'v mut Value, String> {
    match value {
        Value::Table(table) => Ok(table.entry(key).or_insert_with(|| Value::Table(Table::new()))),
        Value::Array(items) => item(items, key),
        _ => Err(format!("{key} goes into a value that has no keys")),
    }
}

fn item<'v>(items: &'v mut [Value], key: &str) -> Result<&'v mut Value, String> {
    let count = items.len();
    let index: usize =
        key.parse().map_err(|_| format!("{key} should be a number below {count}, the place in a list"))?;
    items.get_mut(index).ok_or_else(|| format!("there is no element {index}; the list has {count}, counted from 0"))
}

/// What serde says, with a proposal where a name is unknown.
fn explained(reason: &str) -> String {
    let of_type = ["invalid type: ", "invalid value: "].iter().find_map(|start| reason.strip_prefix(start));
    if let Some((given, expected)) = of_type.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("is {given}; expected {}", in_words(expected));
    }
    let unknown = ["unknown field `", "unknown variant `"].iter().find_map(|start| reason.strip_prefix(start));
    let Some((given, rest)) = unknown.and_then(|rest| rest.split_once('`')) else {
        return reason.to_string();
    };
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let what = if reason.starts_with("unknown field") { "there is no key" } else { "there is no value" };
    let near = known.iter().map(|name| (strsim::damerau_levenshtein(given, name), *name)).min();
    let proposal = match near {
        // A typing error or two; a wholly different word is no proposal.
        Some((distance, name)) if distance <= 1 + given.len() / 4 => format!("did you mean `{name}`? Possible are"),
        _ => "possible are".to_string(),
    };
    format!("{what} `{given}`; {proposal} {}", known.join(", "))
}

/// A type of Rust as someone who writes TOML knows it.
fn in_words(expected: &str) -> &str {
    match expected {
        "usize" | "u64" | "u32" | "u16" => "a whole number of at least 0",
        "i64" | "i32" => "a whole number",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list, such as [1, 2]",
        of_struct if of_struct.starts_with("struct ") => "a table of keys",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"
        name = "first"
        [data]
        set = "mnist"
        [network]
        kind = "scae"
        [[network.layers]]
        kernel = 4
        offset = 4
        features = 32
        [[network.layers]]
        kernel = 7
        features = 64
    "#;

    fn parse(text: &str, overrides: &[&str]) -> Result<Config, String> {
        let overrides: Vec<String> = overrides.iter().map(|text| text.to_string()).collect();
        Config::parse("first.toml", text, &overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        let config = parse(FIRST, &[]).unwrap();
        let shown = config.to_toml();
        assert_eq!(parse(&shown, &[]).unwrap(), config, "{shown}");
        assert!(shown.contains("seed = 42") && shown.contains("batch_size = "), "{shown}");
    }

    #[test]
    fn what_an_end_to_end_network_leaves_out_is_filled_in() {
        const END_TO_END: &str = r#"
            name = "end-to-end"
            [data]
            set = "mnist"
            [network]
            kind = "cae"
            widths = [8, 16]
            code_size = 32
        "#;
        let config = parse(END_TO_END, &[]).unwrap();
        let shown = config.to_toml();
        assert_eq!(parse(&shown, &[]).unwrap(), config, "{shown}");
        assert!(shown.contains("downsampling = \"max-pool\"\nactivation = \"relu\""), "{shown}");
    }

    #[test]
    fn keys_are_changed_by_their_path() {
        let changes = [
            "network.layers.1.features=128",
            "training.lr = 0.5",
            "data.set=fashion-mnist",
            "network.layers.0.unit={ kind = \"tied\", encoder = \"tanh\", decoder = \"linear\" }",
            "evaluation.probes=[\"ridge\"]",
        ];
        let config = parse(FIRST, &changes).unwrap();
        assert_eq!((config.network.layers[1].features, config.training.lr), (128, 0.5));
        assert_eq!(config.network.layers[0].unit.kind(), "tied");
        assert_eq!(config.evaluation.probes.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_may_be() {
        let cases: [(&[&str], &str); 16] = [
            (&["training.patience=3"], "training.patience: is for kind = \"cae\""),
            (&["network.code_size=8"], "network.code_size: is for kind = \"cae\""),
            (&["training.learning_rate=1"], "there is no key `learning_rate`; possible are samples_per_layer, "),
            (
                &["network.layers.0.kernal=3"],
                "network.layers[0].kernal: there is no key `kernal`; did you mean `kernel`?",
            ),
            (&["data.set=mnits"], "data.set: there is no value `mnits`; did you mean `mnist`?"),
            (&["network.layers.5.features=3"], "there is no element 5; the list has 2, counted from 0"),
            (&["network.layers.0.kernel=0"], "network.layers[0].kernel: must be at least 1"),
            (&["network.layers.0.kernel=29"], "sees 53 pixels, but the picture has 28"),
            (&["training.lr=-1"], "training.lr: must be"),
            (&["training.batch_size=0"], "training.batch_size: must be at least 1"),
            (&["seed=-1"], "seed: is integer `-1`; expected a whole number of at least 0"),
            (
                &["network.layers.0.kernel=four"],
                "network.layers[0].kernel: is string \"four\"; expected a whole number",
            ),
            (&["training=3"], "training: is integer `3`; expected a table of keys"),
            (&["name=../up"], "name: must be letters"),
            (&["lr"], "--set lr: expected key=value"),
            (&["evaluation.probes=[\"svm\"]"], "evaluation.probes[0]: there is no probe \"svm\"; there are logistic, "),
        ];
        for (overrides, expected) in cases {
            let error = parse(FIRST, overrides).unwrap_err();
            assert!(error.contains(expected), "{overrides:?}: {error}");
        }
        let error = parse("name = \"a\"\n[data\n", &[]).unwrap_err();
        assert!(error.contains("first.toml is not TOML") && error.contains("line 2"), "{error}");
        let error = Config::read(Path::new("no/such.toml"), &[]).unwrap_err().to_string();
        assert!(error.contains("no/such.toml"), "{error}");
        let error = parse("name = \"a\"\n[network]\nkind = \"scae\"", &[]).unwrap_err();
        assert!(error.starts_with("first.toml: missing field `data`"), "{error}");
    }
}
