//! A written account whose numbers come from the rows: RESULTS.md.
//!
//! The account is a template: prose, in which `{{ n["correlation.mnist.partial.own.rho"] }}` stands for a number of the report.
//! No digit is written by hand, so no number can be out of date: filling it in again gives the same file or a test fails.

use anyhow::{Result, anyhow};
use minijinja::{
    Environment, ErrorKind, UndefinedBehavior, Value, context,
    value::{Enumerator, Object},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// The numbers, which remember the last name that was asked for and is none.
#[derive(Debug)]
struct Numbers {
    known: BTreeMap<String, String>,
    unknown: Mutex<Option<String>>,
}

impl Object for Numbers {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let number = self.known.get(name).map(Value::from);
        if number.is_none() {
            *self.unknown.lock().expect("nothing panics while it holds the lock") = Some(name.to_string());
        }
        number
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.known.keys().map(Value::from).collect())
    }
}

/// The account with its numbers.
///
/// # Errors
/// If it names a number that the report does not have, or is no template.
pub fn fill(template: &str, numbers: &BTreeMap<String, String>) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let asked = Arc::new(Numbers { known: numbers.clone(), unknown: Mutex::new(None) });
    let filled = environment.render_str(template, context! { n => Value::from_dyn_object(Arc::clone(&asked)) });
    let mut filled = filled.map_err(|error| {
        let line = error.line().map_or(String::new(), |line| format!("line {line}: "));
        let unknown = asked.unknown.lock().expect("nothing panics while it holds the lock").take();
        // A name that is only asked for, as in `if ... in n`, is remembered too; what fails is a name that is used on that line.
        let at = error.line().and_then(|line| template.lines().nth(line - 1));
        let uses_one = error.kind() == ErrorKind::UndefinedError && at.is_none_or(|line| line.contains("n["));
        match unknown.filter(|_| uses_one) {
            Some(name) => anyhow!("{line}the report has no number {name}{}; --numbers lists all", near(&name, numbers)),
            None => anyhow::Error::from(error).context(format!("{line}the account is no template")),
        }
    })?;
    // The renderer drops the last line's end.
    if template.ends_with('\n') && !filled.ends_with('\n') {
        filled.push('\n');
    }
    Ok(filled)
}

/// The name that `name` may have been meant to be.
fn near(name: &str, numbers: &BTreeMap<String, String>) -> String {
    let nearest = numbers.keys().map(|known| (strsim::jaro_winkler(name, known), known));
    let nearest = nearest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(similarity, _)| *similarity > 0.8);
    nearest.map_or(String::new(), |(_, known)| format!("; did you mean {known}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_filled_in_and_unknown_ones_refused() {
        let numbers = BTreeMap::from([("correlation.mnist.n".to_string(), "200".to_string())]);
        assert_eq!(fill("Of {{ n['correlation.mnist.n'] }}.\n", &numbers).unwrap(), "Of 200.\n");
        let asked = "{% if 'other' in n %}{% endif %}\n{{ n['correlation.mnits.n'] }}";
        let message = fill(asked, &numbers).unwrap_err().to_string();
        assert!(
            message
                .starts_with("line 2: the report has no number correlation.mnits.n; did you mean correlation.mnist.n?"),
            "{message}"
        );
        let message = format!("{:#}", fill("{% if 'other' in n %}{% endif %}\n{{ foo }}", &numbers).unwrap_err());
        assert!(message.starts_with("line 2: the account is no template: undefined value"), "{message}");
        let message = format!("{:#}", fill("{% if %}", &numbers).unwrap_err());
        assert!(message.starts_with("line 1: the account is no template: "), "{message}");
        assert_eq!(fill("{% if 'other' in n %}1{% else %}0{% endif %}", &numbers).unwrap(), "0");
    }
}
