//! Tells the crate which commit its sources are of, where git knows it: results are kept with it.
#![forbid(unsafe_code)]

use std::process::Command;

/// What results depend on.
const SOURCES: [&str; 11] = [
    "build.rs",
    "Cargo.toml",
    "src",
    "../Cargo.lock",
    "../Cargo.toml",
    "../crates/kernels/Cargo.toml",
    "../crates/kernels/src",
    "../crates/patchgrad/Cargo.toml",
    "../crates/patchgrad/src",
    "../datasets/Cargo.toml",
    "../datasets/src",
];

/// What `git` prints for these words, without the end of its line; `None` where it fails or is not there.
fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
}

/// The commit, with a `+` where sources were changed since; `None` outside of a clone of this repository.
fn commit() -> Option<String> {
    // A source archive inside of somebody else's clone is not in that clone's index.
    git(&["ls-files", "build.rs"]).filter(|file| file == "build.rs")?;
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat())?;
    Some(if changed.is_empty() { commit } else { commit + "+" })
}

fn main() {
    // With the sources alone: a commit of something else need not build anything again, and the one that is named has the same
    // sources.
    SOURCES.iter().for_each(|source| println!("cargo:rerun-if-changed={source}"));
    let (version, commit) = (env!("CARGO_PKG_VERSION"), commit().unwrap_or_default());
    if commit.ends_with('+')
        && let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
    {
        // When the change is committed, the name of what was built is another one.
        println!("cargo:rerun-if-changed={log}");
    }
    let with_commit = if commit.is_empty() { version.to_string() } else { format!("{version} ({commit})") };
    println!("cargo:rustc-env=PITFALL_COMMIT={commit}");
    println!("cargo:rustc-env=PITFALL_VERSION={with_commit}");
}
