//! Experiments E4 and E5, which follow networks through training, as a user runs them.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use std::{fs, path::Path};

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    command.current_dir(folder).args(arguments).args(["--quiet"]).env_remove("PATCHGRAD_DATA");
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

#[test]
fn before_and_after_fine_tuning() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |out: &str, more: &[&str]| {
        let arguments = [&["run", "before-after", "--profile", "smoke", "--out", out], more].concat();
        printed(folder, &arguments)
    };
    let text = run("straight", &["--jobs", "1"]);
    for line in ["accuracy, logistic probe of the code", "error, old decoder", "classification layer alone"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let file = |run: &str, name: &str| fs::read(folder.join(run).join("mnist/before-after").join(name)).unwrap();
    let rows = String::from_utf8(file("straight", "rows.csv")).unwrap();
    // Two networks, three variants, epochs 0 and 1.
    assert_eq!(rows.lines().count(), 1 + 2 * 3 * 2);
    run("beside", &["--jobs", "2"]);
    for name in ["rows.csv", "changes.csv", "before-after.png"] {
        assert!(file("beside", name) == file("straight", name), "{name}");
    }

    run("first", &["--shard", "1/2"]);
    run("second", &["--shard", "2/2"]);
    let mut merge = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    let shards = ["second/mnist/before-after", "first/mnist/before-after"];
    merge.current_dir(folder).args(["merge", shards[0], shards[1], "--out", "merged/mnist/before-after"]);
    merge.assert().success();
    for name in ["rows.csv", "before-after.png"] {
        assert!(file("merged", name) == file("straight", name), "{name}");
    }
}

#[test]
fn checkpoints_along_training_read_what_lies_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let alone = printed(folder, &["run", "dynamics", "--profile", "smoke", "--out", "alone"]);
    assert!(alone.contains("2 training runs") && !alone.contains("explained"), "{alone}");
    assert!(alone.contains("C7 and C8 need the networks of correlation"), "{alone}");
    let rows = |run: &str| fs::read_to_string(folder.join(run).join("mnist/dynamics/rows.csv")).unwrap();
    // Two networks at 64, 128, 256 and 512 patches.
    assert_eq!(rows("alone").lines().count(), 1 + 2 * 4);
    // A second experiment goes into the same folder, beside the first.
    printed(folder, &["run", "correlation", "--profile", "smoke", "--out", "both"]);
    let both = printed(folder, &["run", "dynamics", "--profile", "smoke", "--out", "both", "--jobs", "1"]);
    assert!(both.contains("accuracy by error and training error (C8)"), "{both}");
    assert_eq!(rows("both"), rows("alone"));
    // Networks of another seed say nothing about these runs.
    let file = folder.join("both/mnist/correlation/sweep.json");
    let json = fs::read_to_string(&file).unwrap();
    fs::write(&file, json.replace("\"seed\": 42", "\"seed\": 43")).unwrap();
    let strangers = printed(folder, &["run", "dynamics", "--profile", "smoke", "--out", "both", "--resume"]);
    assert!(
        !strangers.contains("(C8)") && strangers.contains("with the same profile, seed and pictures"),
        "{strangers}"
    );
}
