//! `pitfall run` as a user runs it.
#![forbid(unsafe_code)]

use assert_cmd::{Command, assert::Assert};
use std::{fs, path::Path};

fn validation(arguments: &[&str]) -> Assert {
    Command::new(env!("CARGO_BIN_EXE_pitfall")).args(["run", "validation"]).args(arguments).assert()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn the_table_is_printed_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("t0");
    let printed = stdout(&validation(&["--only", "score/", "--out", out.to_str().unwrap()]).success());
    let rows: Vec<&str> = printed.lines().filter(|line| line.starts_with("pass ")).collect();
    assert_eq!(rows.len(), 15, "{printed}");
    assert!(printed.starts_with("MNIST sample: 8000 training and 2000 test pictures\nverdict"), "{printed}");
    assert!(rows.iter().any(|row| row.contains("56.30") && row.contains("56.2996 +- 5e-5")), "{printed}");
    assert!(printed.contains("15 checks passed, 0 failed"), "{printed}");

    let mut table = csv::Reader::from_path(out.join("table-t0.csv")).unwrap();
    let head: Vec<String> = table.headers().unwrap().iter().map(String::from).collect();
    assert_eq!(head, ["check", "what", "how", "bar", "value", "number", "verdict", "seconds"]);
    let records: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 15);
    assert!(records.iter().all(|record| &record[6] == "pass" && record[5].parse::<f64>().is_ok()));
    let mahalanobis = records.iter().find(|record| &record[0] == "score/mahalanobis").unwrap();
    assert!((mahalanobis[5].parse::<f64>().unwrap() - 2.1948).abs() < 5e-5);

    let record: serde_json::Value = serde_json::from_str(&fs::read_to_string(out.join("run.json")).unwrap()).unwrap();
    assert_eq!((&record["passed"], &record["failed"]), (&15.into(), &0.into()));
    assert_eq!(record["command"], "cargo run --release -- run validation --only 'score/'");
    assert_eq!(record["crc32"][0].as_str().unwrap().len(), 8);

    // The folder is not written over unasked.
    let again = validation(&["--only", "score/", "--out", out.to_str().unwrap()]).code(2);
    assert!(stderr(&again).contains("is not empty"), "{}", stderr(&again));
    validation(&["--only", "score/", "--out", out.to_str().unwrap(), "--force", "--quiet"]).success();
}

#[test]
fn defects_are_listed_with_the_tests_that_would_catch_them() {
    let printed = stdout(&validation(&["--only", "D"]).success());
    let rows: Vec<&str> = printed.lines().filter(|line| line.starts_with("tested ")).collect();
    assert_eq!(rows.len(), 10, "{printed}");
    assert!(printed.contains("d3_patches_are_compared_with_those_at_the_same_place"), "{printed}");
    assert!(printed.contains("0 checks passed, 0 failed, 10 defects"), "{printed}");
}

#[test]
fn quiet_is_one_line_and_threads_change_nothing() {
    for threads in ["1", "2"] {
        let printed = stdout(&validation(&["--only", "geometry/", "--quiet", "--threads", threads]).success());
        assert!(printed.starts_with("3 checks passed, 0 failed, ") && printed.lines().count() == 1, "{printed}");
    }
}

#[test]
fn an_unknown_name_lists_the_names() {
    let message = stderr(&validation(&["--only", "gradeint"]).code(2));
    assert!(
        message.contains("no check's name contains \"gradeint\"") && message.contains("gradient/conv2d"),
        "{message}"
    );
}

#[test]
fn missing_data_is_an_error_that_names_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let message = stderr(&validation(&["--data-dir", folder.path().to_str().unwrap()]).code(1));
    assert!(message.contains("train-images-idx3-ubyte"), "{message}");
}

/// An MNIST of noise, from which nothing can be learnt.
fn write_noise(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut state = 1u32;
    let mut noise = |count: usize, below: u32| -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) % below) as u8
        };
        (0..count).map(|_| next()).collect()
    };
    for (name, count) in [("train", 100u32), ("t10k", 60)] {
        let size = count.to_be_bytes();
        let images =
            [&[0, 0, 8, 3][..], &size, &[0, 0, 0, 28, 0, 0, 0, 28], &noise(count as usize * 784, 256)].concat();
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
        let labels = [&[0, 0, 8, 1][..], &size, &noise(count as usize, 10)].concat();
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
    }
}

#[test]
fn a_check_that_fails_is_told_and_gives_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    write_noise(&folder.path().join("mnist"));
    let dir = folder.path().to_str().unwrap();
    let assert = validation(&["--only", "mnist/784", "--quiet", "--data-dir", dir]).code(1);
    let printed = stdout(&assert);
    assert!(printed.starts_with("FAIL ") && printed.contains("0 checks passed, 1 failed"), "{printed}");
    assert!(stderr(&assert).contains("1 of 1 checks failed: mnist/784-300-10"), "{}", stderr(&assert));
}
