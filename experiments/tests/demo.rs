//! The demonstration as a user runs it, in its smoke profile.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use std::{fs, path::Path};

fn pitfall() -> Command {
    Command::new(env!("CARGO_BIN_EXE_pitfall"))
}

/// Runs the smoke profile into `out` and gives what it printed.
fn smoke(out: &Path, more: &[&str]) -> String {
    let assert = pitfall().args(["--profile", "smoke", "--out"]).arg(out).args(more).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn a_run_writes_its_folder_and_the_same_seed_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two, other] = ["one", "two", "other"].map(|name| folder.path().join(name));
    let printed = smoke(&one, &["--threads", "1"]);
    assert!(printed.contains("all code sizes") && printed.contains("fine-tuned"), "{printed}");

    // Without --out the demonstration is the same as with its name.
    let quiet =
        pitfall().arg("demo").args(["--profile", "smoke", "--threads", "2", "--quiet", "--out"]).arg(&two).assert();
    let quiet = String::from_utf8(quiet.success().get_output().stdout.clone()).unwrap();
    assert_eq!(quiet.trim(), two.join("report.html").to_str().unwrap());
    smoke(&other, &["--seed", "7", "--quiet"]);

    let read = |folder: &Path, file: &str| fs::read_to_string(folder.join(file)).unwrap();
    for file in ["results.csv", "baselines.csv", "correlations.csv", "decoders.csv"] {
        assert_eq!(read(&one, file), read(&two, file), "{file} for 1 and 2 threads");
    }
    assert_ne!(read(&one, "results.csv"), read(&other, "results.csv"));

    let results = read(&one, "results.csv");
    assert_eq!(results.lines().count(), 1 + 2 * 6, "a header and six networks for each of two sets");
    assert!(results.starts_with("data,network,geometry,depth,widths,code_size,encoder,decoder,"), "{results}");
    let record: serde_json::Value = serde_json::from_str(&read(&one, "run.json")).unwrap();
    assert_eq!(record["command"], "cargo run --release -- --seed 42 --profile smoke");
    assert_eq!(record["data"][0]["crc32"][0].as_str().unwrap().len(), 8);
    let report = read(&one, "report.html");
    assert!(report.contains("</html>") && report.contains("--seed 42"));
    let figures: Vec<_> = fs::read_dir(one.join("figures")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for kind in ["svg", "png"] {
        assert!(figures.iter().any(|path| path.extension().is_some_and(|e| e == kind)), "{kind} in {figures:?}");
    }
}

#[test]
fn a_folder_with_something_in_it_is_not_touched_without_force() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("results.csv"), "mine").unwrap();
    let assert = pitfall().args(["--profile", "smoke", "--out"]).arg(folder.path()).assert().code(2);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.contains("is not empty") && message.contains("--force"), "{message}");
    assert_eq!(fs::read_to_string(folder.path().join("results.csv")).unwrap(), "mine");
    smoke(folder.path(), &["--force", "--quiet"]);
    assert_ne!(fs::read_to_string(folder.path().join("results.csv")).unwrap(), "mine");
}

#[test]
fn missing_data_is_an_error_that_says_which_files_to_put_where() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let assert = pitfall().arg("--data-dir").arg(folder.path()).arg("--out").arg(&out).assert().code(1);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.contains("fashion-mnist") && message.contains("train-images-idx3-ubyte"), "{message}");
}

#[test]
fn an_unknown_instruction_set_is_refused_with_the_names_of_the_known_ones() {
    let assert = pitfall().arg("--quiet").env("PATCHGRAD_ISA", "sse9").assert().code(2);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.contains("sse9") && message.contains("portable"), "{message}");
}
