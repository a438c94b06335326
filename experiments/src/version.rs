//! Which state of the project this is, as results say it.

/// The version, followed by the [commit](COMMIT) in brackets where it is known.
pub const VERSION: &str = env!("PITFALL_VERSION");

/// The first twelve digits of the commit whose sources were compiled, with a `+` where they had been changed since; empty where git
/// did not know it, as in a source archive.
pub const COMMIT: &str = env!("PITFALL_COMMIT");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_commit_stands_behind_the_version() {
        let digits = COMMIT.trim_end_matches('+');
        assert!(
            digits.is_empty() || digits.len() >= 12 && digits.chars().all(|digit| digit.is_ascii_hexdigit()),
            "{COMMIT}"
        );
        let behind = VERSION.strip_prefix(env!("CARGO_PKG_VERSION")).unwrap();
        assert_eq!(behind, if COMMIT.is_empty() { String::new() } else { format!(" ({COMMIT})") });
    }
}
