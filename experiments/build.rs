//! Tells the crate which commit its sources are of, where git knows it: results are kept with it.
#![forbid(unsafe_code)]

use std::process::Command;

/// What `git` prints for these words, without the end of its line; `None` where it fails or is not there.
fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
}

/// The commit, with a `+` where sources were changed since; empty outside of a clone of this repository.
fn commit() -> String {
    // A source archive inside of somebody else's clone has not this prefix, or is not in that clone's index.
    if git(&["rev-parse", "--show-prefix"]).as_deref() != Some("experiments/")
        || git(&["ls-files", "build.rs"]).as_deref() != Some("build.rs")
    {
        return String::new();
    }
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return String::new() };
    let sources = ["../crates", "../datasets/src", "../Cargo.lock", "src", "build.rs"];
    let changed = git(&[&["status", "--porcelain", "--"], &sources[..]].concat()).is_none_or(|files| !files.is_empty());
    if changed { commit + "+" } else { commit }
}

fn main() {
    // With the sources alone: a commit that changes none of them need not build anything again, and the one named then has the
    // same sources.
    for sources in ["../crates", "../datasets/src", "../Cargo.lock", "src", "build.rs"] {
        println!("cargo:rerun-if-changed={sources}");
    }
    let (version, commit) = (env!("CARGO_PKG_VERSION"), commit());
    let with_commit = if commit.is_empty() { version.to_string() } else { format!("{version} ({commit})") };
    println!("cargo:rustc-env=PITFALL_COMMIT={commit}");
    println!("cargo:rustc-env=PITFALL_VERSION={with_commit}");
}
