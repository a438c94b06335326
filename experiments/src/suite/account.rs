//! A written account whose numbers come from the rows: RESULTS.md.
//!
//! The account is a template: prose, in which `{{ n["correlation.mnist.partial.own.rho"] }}` stands for a number of the report.
//! No digit is written by hand, so no number can be out of date: filling it in again gives the same file or a test fails.

use anyhow::{Context, Result};
use minijinja::{Environment, UndefinedBehavior, context};
use std::collections::BTreeMap;

/// The account with its numbers.
///
/// # Errors
/// If it names a number that the report does not have, or is no template.
pub fn fill(template: &str, numbers: &BTreeMap<String, String>) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let filled = environment.render_str(template, context! { n => numbers });
    let mut filled = filled.context("the account does not fit the numbers of the report")?;
    // The renderer drops the last line's end.
    if template.ends_with('\n') && !filled.ends_with('\n') {
        filled.push('\n');
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_filled_in_and_unknown_ones_refused() {
        let numbers = BTreeMap::from([("correlation.mnist.n".to_string(), "200".to_string())]);
        assert_eq!(fill("Of {{ n['correlation.mnist.n'] }}.\n", &numbers).unwrap(), "Of 200.\n");
        assert!(fill("{{ n['correlation.mnits.n'] }}", &numbers).is_err());
    }
}
