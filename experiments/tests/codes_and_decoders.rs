//! Experiments E2 and E3 as a user runs them: the same bytes for any number of jobs, with their tables beside the rows.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use std::{collections::BTreeMap, fs, path::Path};

fn run(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    command.current_dir(folder).args(arguments).env_remove("PATCHGRAD_DATA");
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

fn smoke(folder: &Path, name: &str, more: &[&str]) -> String {
    let fixed = ["run", name, "--profile", "smoke", "--quiet"];
    run(folder, &fixed.iter().chain(more).copied().collect::<Vec<&str>>())
}

/// Every file of an experiment by name.
fn files(folder: &Path, run: &str, name: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder.join(run).join("mnist").join(name)).unwrap();
    let file = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    entries.map(|entry| file(entry.unwrap())).collect()
}

fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

fn lines(files: &BTreeMap<String, Vec<u8>>, name: &str) -> usize {
    files[name].iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn separability_gives_the_same_bytes_for_any_number_of_jobs_and_shards() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = smoke(folder, "separability", &["--out", "one", "--jobs", "1"]);
    for part in ["MNIST sample: 12 networks", "P1, living", "itself before training", "shuffled labels", "claim C3: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let one = files(folder, "one", "separability");
    assert_eq!(names(&one), ["comparisons.csv", "rows.csv", "sweep.json"]);
    // 12 networks; pixels, LDA, five sizes of PCA and of random projections, labels in random order, a supervised network.
    assert_eq!(lines(&one, "rows.csv"), 1 + 12 + 14);
    smoke(folder, "separability", &["--out", "first", "--shard", "1/2", "--jobs", "3"]);
    smoke(folder, "separability", &["--out", "second", "--shard", "2/2", "--jobs", "3"]);
    let shards = ["first/mnist/separability", "second/mnist/separability"];
    run(folder, &["merge", shards[0], shards[1], "--out", "merged/mnist/separability"]);
    assert!(files(folder, "merged", "separability") == one);
}

#[test]
fn networks_that_another_experiment_left_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    smoke(folder, "correlation", &["--out", "kept", "--networks", "networks"]);
    let sets: Vec<_> = fs::read_dir(folder.join("networks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(sets.len(), 1, "{sets:?}");
    let written = || -> BTreeMap<_, _> {
        let entries = fs::read_dir(&sets[0]).unwrap().map(Result::unwrap);
        entries.map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap())).collect()
    };
    let first = written();
    assert_eq!(first.len(), 14, "a network for each member of the three populations");
    for name in ["correlation", "separability", "decoder-bias", "before-after"] {
        smoke(folder, name, &["--out", "trained"]);
        if name != "correlation" {
            smoke(folder, name, &["--out", "kept", "--networks", "networks"]);
        }
        assert!(files(folder, "kept", name) == files(folder, "trained", name), "{name}");
    }
    assert!(written() == first, "no network was trained again");
    // A file in the place of the folder is said before anything is trained.
    fs::write(folder.join("taken"), "").unwrap();
    let fixed = ["run", "correlation", "--profile", "smoke", "--quiet", "--out", "none", "--networks", "taken"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    let output = command.current_dir(folder).args(fixed).assert().failure().get_output().stderr.clone();
    assert!(String::from_utf8(output).unwrap().contains("cannot make the folder taken for --networks"));
    assert!(!folder.join("none/mnist/correlation/journal.csv").exists());
}

#[test]
fn decoder_bias_gives_the_same_bytes_for_any_number_of_jobs_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = smoke(folder, "decoder-bias", &["--out", "one", "--jobs", "1"]);
    for part in ["MNIST sample: ", "optimal linear", "shares of the log error", "claim C4: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let one = files(folder, "one", "decoder-bias");
    assert_eq!(
        names(&one),
        ["decoder-shares.csv", "decoders.csv", "decomposition.csv", "pictures.png", "rows.csv", "sweep.json"]
    );
    // Three encoders under four decoders without randomness and seven with three repeats.
    assert_eq!(lines(&one, "rows.csv"), 1 + 3 * (4 + 7 * 3));
    assert!(one["pictures.png"].starts_with(b"\x89PNG"));
    smoke(folder, "decoder-bias", &["--out", "three", "--jobs", "3"]);
    assert!(files(folder, "three", "decoder-bias") == one);
}

/// What `--networks` keeps is taken by later versions that say that they train alike. When this fails the training has changed:
/// raise `TRAINED_AS` in `correlation/store.rs` and put the new number here.
#[test]
fn networks_are_trained_as_the_store_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    command.current_dir(folder.path()).env("PATCHGRAD_ISA", "portable").env_remove("PATCHGRAD_DATA");
    // Of this seed the few networks have every start.
    let fixed = ["run", "correlation", "--profile", "smoke", "--seed", "5", "--quiet", "--out", "one"];
    command.args(fixed).assert().success();
    let text = fs::read_to_string(folder.path().join("one/mnist/correlation/rows.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    // Decompositions are faer's, whose last digits depend on the processor.
    let others: Vec<_> = rows.iter().filter(|row| row["initialisation"] != "pca").collect();
    let starts: std::collections::BTreeSet<&str> = others.iter().map(|row| row["initialisation"].as_str()).collect();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in others.iter().flat_map(|row| [&row["train_error"], &row["mse"]]).flat_map(|text| text.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let seen = format!("{starts:?} {hash:016x}");
    // The matrix products of matrixmultiply have other bits without fused multiply-adds.
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("fma") {
        assert_eq!(seen, "{\"denoising\", \"oja\", \"random\", \"rbm\"} cd080c42a1b1e9a1");
    }
    assert!(starts.len() > 1, "{seen}");
}
