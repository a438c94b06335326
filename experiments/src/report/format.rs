//! Numbers as the report writes them.

use crate::statistics::Interval;

/// What stands for a number that does not exist.
pub(crate) const NONE: &str = "–";

/// With `decimals` digits and a true minus sign; a rounded zero has none.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| matches!(c, '0' | '.')) => digits.to_string(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// [`number`], or [`NONE`].
pub(crate) fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or(NONE.to_string(), |value| number(value, decimals))
}

/// A share as a percentage without the sign, for columns and sentences that name the unit: `85.3`.
pub(crate) fn percentage(share: f64) -> String {
    number(100.0 * share, 1)
}

/// A share as `85.3 %`, on one line.
pub(crate) fn percent(share: f64) -> String {
    format!("{}\u{a0}%", percentage(share))
}

/// A difference of two shares as `7.4 points`.
pub(crate) fn points(difference: f64) -> String {
    format!("{} points", number(100.0 * difference, 1))
}

/// A mean squared error, to three significant digits below 1.
pub(crate) fn error(mse: f64) -> String {
    let decimals = if mse < 0.1 { 4 } else { 3 };
    number(mse, decimals)
}

/// A ratio of errors: `3.4 times`.
pub(crate) fn times(factor: f64) -> String {
    let decimals = if factor < 0.95 { 2 } else { usize::from(factor < 9.95) };
    format!("{} times", number(factor, decimals))
}

/// A p-value; a permutation test with 10,000 shuffles cannot tell values below 0.0001 apart.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 { "<\u{a0}0.001".to_string() } else { number(p, 3) }
}

/// A Bayes factor, which ranges over many powers of ten.
pub(crate) fn bayes_factor(factor: f64) -> String {
    if factor < 0.001 { "<\u{a0}0.001".to_string() } else { number(factor, if factor < 1.0 { 3 } else { 1 }) }
}

/// `0.45 to 0.86`.
pub(crate) fn interval(interval: Interval) -> String {
    span(interval.low, interval.high, 2)
}

/// `low to high`.
pub(crate) fn span(low: f64, high: f64, decimals: usize) -> String {
    format!("{} to {}", number(low, decimals), number(high, decimals))
}

/// How wide a column of labels has to be under its heading.
pub(crate) fn column_width<'a>(heading: &'a str, labels: impl IntoIterator<Item = &'a str>) -> usize {
    labels.into_iter().chain([heading]).map(|label| label.chars().count()).max().unwrap_or(0)
}

/// A count with its thousands apart: `20,000`.
pub(crate) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 network`, `2 networks`.
pub(crate) fn networks(count: usize) -> String {
    if count == 1 { "1 network".to_string() } else { format!("{count} networks") }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_string(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_label() {
        assert_eq!(column_width("score", ["R²", "no more", "ρ"]), 7);
        assert_eq!(column_width("score", []), 5);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([number(-0.514, 2), number(-0.001, 2), number(2.0, 0)], ["−0.51", "0.00", "2"]);
        assert_eq!([percent(0.8534), points(-0.0123)], ["85.3\u{a0}%", "−1.2 points"]);
        assert_eq!([error(0.04567), error(0.1234), error(2.5)], ["0.0457", "0.123", "2.500"]);
        assert_eq!([times(0.567), times(3.41), times(12.3)], ["0.57 times", "3.4 times", "12 times"]);
        assert_eq!([p_value(0.0001), p_value(0.0345)], ["<\u{a0}0.001", "0.035"]);
        assert_eq!([bayes_factor(1e-9), bayes_factor(0.25), bayes_factor(4.9)], ["<\u{a0}0.001", "0.250", "4.9"]);
        assert_eq!(interval(Interval { low: -0.2, high: 0.456 }), "−0.20 to 0.46");
        assert_eq!([count(7), count(400), count(20_000), count(1_234_567)], ["7", "400", "20,000", "1,234,567"]);
        assert_eq!(optional(None, 2), NONE);
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!([listed(&["a"]), listed(&["a", "b"]), listed(&["a", "b", "c"])], ["a", "a and b", "a, b and c"]);
        assert_eq!([networks(1), networks(3)], ["1 network", "3 networks"]);
    }
}
