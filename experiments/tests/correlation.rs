//! Experiment E1 as a user runs it: killed, resumed, split over machines, joined.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use std::{
    fs,
    io::Read,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

const SMOKE: [&str; 5] = ["run", "correlation", "--profile", "smoke", "--quiet"];

fn pitfall(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    command.current_dir(folder).args(arguments).env_remove("PATCHGRAD_DATA");
    command
}

fn smoke(more: &[&'static str]) -> Vec<&'static str> {
    SMOKE.iter().chain(more).copied().collect()
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = pitfall(folder, arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

fn refused(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = pitfall(folder, arguments).assert().code(code).get_output().stderr.clone();
    String::from_utf8(output).unwrap()
}

fn rows(folder: &Path, run: &str) -> String {
    fs::read_to_string(folder.join(run).join("mnist/correlation/rows.csv")).unwrap()
}

#[test]
fn any_number_of_jobs_kills_and_shards_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = printed(folder, &smoke(&["--out", "straight", "--jobs", "1"]));
    for line in ["MNIST sample: 14 networks", "P1, pooled", "P2, one architecture", "best linear decoder"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let expected = rows(folder, "straight");
    assert_eq!(expected.lines().count(), 15);
    assert!(!folder.join("straight/mnist/correlation/journal.csv").exists());

    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_pitfall"));
    child.current_dir(folder).args(smoke(&["--out", "killed"])).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let lines = || {
        fs::read_to_string(folder.join("killed/mnist/correlation/journal.csv")).map_or(0, |text| text.lines().count())
    };
    while lines() < 4 {
        assert!(Instant::now() < deadline, "no rows appear");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        refused(folder, &smoke(&["--out", "killed"]), 2).contains("killed/mnist/correlation exists and is not empty")
    );
    let message = refused(folder, &smoke(&["--out", "killed", "--resume", "--seed", "7"]), 2);
    assert!(message.contains("holds another sweep: its seed is 42, this one's is 7"), "{message}");
    printed(folder, &smoke(&["--out", "killed", "--resume"]));
    assert_eq!(rows(folder, "killed"), expected);
    let relations = |run: &str| fs::read(folder.join(run).join("mnist/correlation/relations.csv")).unwrap();
    assert!(relations("killed") == relations("straight"));

    printed(folder, &smoke(&["--out", "first", "--shard", "1/2"]));
    printed(folder, &smoke(&["--out", "second", "--shard", "2/2"]));
    let shards = ["first/mnist/correlation", "second/mnist/correlation"];
    printed(folder, &["merge", shards[0], shards[1], "--out", "merged/mnist/correlation"]);
    // Or all that there is below, and with what E6 and E7 make of the rows.
    printed(folder, &["merge", "first", "second", "--out", "all"]);
    for merged in ["merged", "all"] {
        assert_eq!(rows(folder, merged), expected);
        assert!(relations(merged) == relations("straight"));
    }
    assert!(folder.join("all/mnist/correlation/scores.csv").exists());
    let message = refused(folder, &["merge", shards[1], "--out", "half"], 1);
    assert!(message.contains("rows are missing: 7 of 14: 0, 2, 4"), "{message}");
    assert!(refused(folder, &["merge", ".", "--out", "none"], 2).contains("expected a folder OUT/SET/NAME"));
    // A shard is no sweep to give a verdict on, and the folder of a sweep is not that of all.
    assert!(refused(folder, &["report", "first"], 2).contains("first/mnist/correlation (7 of 14 rows)"));
    let message = refused(folder, &smoke(&["--out", "first/mnist/correlation", "--resume"]), 2);
    assert!(
        message.contains("is the folder of a set or an experiment") && message.trim().ends_with("/first"),
        "{message}"
    );
    let message = refused(folder, &smoke(&["--out", "first/./mnist", "--resume"]), 2);
    assert!(message.trim().ends_with("/first"), "{message}");
    let message = refused(folder, &["merge", shards[0], "second", "--out", "none"], 2);
    assert!(message.contains("first/mnist/correlation is the folder of an experiment, second is not"), "{message}");
    assert!(!folder.join("none").exists() && !folder.join("half").exists());
}

#[cfg(target_os = "linux")]
/// Products of these networks have more than four columns, and then the terms of every sum come in the same order on both.
#[test]
fn avx2_and_avx512_end_in_the_same_rows() {
    if !patchgrad::Isa::Avx512.is_available() {
        eprintln!("this processor has no AVX-512: not compared");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rows = ["avx2", "avx512"].map(|isa| {
        pitfall(folder.path(), &smoke(&["--out", isa])).env(patchgrad::ENVIRONMENT_VARIABLE, isa).assert().success();
        rows(folder.path(), isa)
    });
    assert!(rows[0] == rows[1]);
}

#[test]
fn an_interrupt_says_how_to_go_on_and_a_full_standard_error_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_pitfall"));
    run.current_dir(folder).args(["run", "correlation", "--profile", "smoke", "--jobs", "1", "--out", "run"]);
    let mut child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let journal = folder.join("run/mnist/correlation/journal.csv");
    let start = Instant::now();
    while fs::read_to_string(&journal).map_or(0, |text| text.lines().count()) < 3 {
        assert!(start.elapsed() < Duration::from_secs(120), "no two rows in two minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75), "{message}");
    assert!(
        message.contains("error: stopped; the same command with --out run --resume goes on: interrupted after"),
        "{message}"
    );

    let mut full = std::process::Command::new(env!("CARGO_BIN_EXE_pitfall"));
    full.current_dir(folder).args(["run", "correlation", "--profile", "smoke", "--out", "run", "--resume"]);
    let nowhere = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(full.stdout(Stdio::null()).stderr(nowhere).status().unwrap().success());
    assert_eq!(rows(folder, "run").lines().count(), 15);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(
        refused(folder, &smoke(&["--data", "mnits", "--out", "run"]), 2).contains("a similar value exists: 'mnist'")
    );
    let message = refused(folder, &smoke(&["--data", "cifar-10", "--data-dir", "nowhere", "--out", "run"]), 1);
    assert!(message.contains("`pitfall data fetch cifar-10` downloads it"), "{message}");
    refused(folder, &smoke(&["--data", "cifar-10", "--data-dir", "nowhere"]), 1);
    assert!(refused(folder, &smoke(&["--shard", "3/2"]), 2).contains("expected i/n with 1 <= i <= n"));
    assert!(
        refused(folder, &smoke(&["--data", "synthetic-s1", "--out", "run"]), 2).contains("[possible values: mnist,")
    );
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "neither run nor runs");
}

#[test]
fn a_full_disk_and_a_second_run_are_said_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    printed(folder, &smoke(&["--out", "straight"]));

    // No file may grow beyond eight blocks of 512 bytes: a few rows, and a part of one.
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let mut full = Command::new("sh");
    full.current_dir(folder).args(["-c", limited, env!("CARGO_BIN_EXE_pitfall")]).args(smoke(&["--out", "full"]));
    let message = String::from_utf8(full.assert().code(1).get_output().stderr.clone()).unwrap();
    assert!(message.contains("cannot write to full/mnist/correlation/journal.csv"), "{message}");
    assert!(message.contains("the rows before are kept"), "{message}");
    let kept = fs::read_to_string(folder.join("full/mnist/correlation/journal.csv")).unwrap();
    assert!(kept.lines().count() > 2, "{kept}");

    let held = fs::OpenOptions::new().append(true).open(folder.join("full/mnist/correlation/journal.csv")).unwrap();
    held.lock().unwrap();
    let message = refused(folder, &smoke(&["--out", "full", "--resume"]), 2);
    assert!(message.contains("another run is writing to full/mnist/correlation"), "{message}");
    drop(held);

    printed(folder, &smoke(&["--out", "full", "--resume"]));
    assert_eq!(rows(folder, "full"), rows(folder, "straight"));
    let message = refused(folder, &smoke(&["--out", "/proc/nowhere"]), 1);
    assert!(message.contains("cannot make the folder /proc/nowhere"), "{message}");
}
