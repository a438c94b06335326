//! `pitfall train` and the commands that work with a trained network, as a user calls them.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use patchgrad_datasets::npz;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

fn pitfall(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    command.current_dir(folder).args(arguments).env_remove("PATCHGRAD_DATA");
    command
}

/// What a command that succeeds prints.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = pitfall(folder, arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

/// The message of a command that ends with `code`.
fn refused(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = pitfall(folder, arguments).assert().code(code).get_output().stderr.clone();
    let message = String::from_utf8(output).unwrap();
    assert!(message.contains("error: "), "{message}");
    message
}

const SMALL: &str = r#"
    name = "small"
    [data]
    set = "mnist"
    train = 300
    validation = 100
    test = 50
    [network]
    kind = "scae"
    [[network.layers]]
    kernel = 4
    offset = 4
    features = 8
    [[network.layers]]
    kernel = 7
    features = 12
    unit = { kind = "denoising", encoder = "softsign", decoder = "linear", noise = { kind = "gaussian", sd = 0.1 } }
    [training]
    samples_per_layer = 3200
    [classifier]
    epochs = 2
    [evaluation]
    probes = ["ridge"]
"#;

/// A folder with a configuration in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), SMALL).unwrap();
    folder
}

fn configs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/configs");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[test]
fn every_example_can_be_shown_and_trained() {
    let folder = tempfile::tempdir().unwrap();
    let files = configs();
    assert_eq!(files.len(), 7);
    for file in &files {
        let shown = printed(folder.path(), &["config", "show", file.to_str().unwrap()]);
        fs::write(folder.path().join("shown.toml"), &shown).unwrap();
        assert_eq!(printed(folder.path(), &["config", "show", "shown.toml"]), shown, "{}", file.display());
        let name = file.file_stem().unwrap().to_str().unwrap();
        let path = file.to_str().unwrap();
        let mut arguments = vec!["train", path, "--out", name, "--quiet"];
        let sets: &[&str] = match name {
            // CIFAR-10 is not here; smaller pictures are.
            "paper-32" => &[
                "data.set=synthetic-s1",
                "network.layers.0.kernel=4",
                "network.layers.1.kernel=2",
                "network.layers.2.kernel=1",
            ],
            "pages" => &["data.page_size=[96,64]"],
            _ => &[],
        };
        sets.iter().for_each(|set| arguments.extend(["--set", set]));
        arguments.push("--fast-dev-run");
        assert_eq!(printed(folder.path(), &arguments).trim(), name);
        for written in [
            "config.toml",
            "run.json",
            "metrics.jsonl",
            "results.csv",
            "model.safetensors",
            "checkpoints/last.safetensors",
            "figures/reconstructions.png",
        ] {
            assert!(folder.path().join(name).join(written).is_file(), "{name}: {written}");
        }
    }
}

#[test]
fn killed_and_resumed_a_run_ends_in_the_same_bytes() {
    let folder = folder();
    // A checkpoint after every step.
    let set = ["--set", "training.checkpoint_seconds=0", "--quiet"];
    let straight: Vec<&str> = ["train", "small.toml", "--out", "straight"].iter().chain(&set).copied().collect();
    printed(folder.path(), &straight);
    let killed: Vec<&str> = ["train", "small.toml", "--out", "killed"].iter().chain(&set).copied().collect();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_pitfall"));
    child.current_dir(folder.path()).args(&killed).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !folder.path().join("killed/checkpoints/last.safetensors").exists() {
        assert!(Instant::now() < deadline, "no checkpoint appears");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let message = refused(folder.path(), &["probe", "killed"], 1);
    assert!(
        message.contains("the training did not come to its end; `pitfall train --resume killed` goes on"),
        "{message}"
    );
    assert_eq!(printed(folder.path(), &["train", "--resume", "killed", "--quiet"]).trim(), "killed");
    for file in [
        "config.toml",
        "metrics.jsonl",
        "results.csv",
        "model.safetensors",
        "checkpoints/last.safetensors",
        "figures/features-layer1.png",
    ] {
        let [a, b] = ["straight", "killed"].map(|run| fs::read(folder.path().join(run).join(file)).unwrap());
        assert!(a == b, "{file} differs");
    }
    // One that is done stays as it is; threads change nothing.
    printed(folder.path(), &["train", "--resume", "killed", "--quiet", "--threads", "1"]);
    let [a, b] = ["straight", "killed"].map(|run| fs::read(folder.path().join(run).join("model.safetensors")).unwrap());
    assert!(a == b);
}

#[test]
fn a_trained_network_is_looked_at_from_all_sides() {
    let folder = folder();
    let text = printed(folder.path(), &["train", "small.toml", "--out", "run"]);
    for line in [
        "Pictures 28x28x1, code 1x1x12 = 12",
        "layer 1: mean absolute error",
        "reconstruction mse",
        "code           ridge",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    printed(folder.path(), &["encode", "run"]);
    let arrays = npz::read(folder.path().join("run/codes.npz")).unwrap();
    let shapes: Vec<(&str, &[usize])> = arrays.iter().map(|(name, array)| (name.as_str(), &array.shape[..])).collect();
    assert_eq!(shapes[..2], [("train", &[300, 12][..]), ("train_labels", &[300][..])]);
    assert_eq!(shapes[4], ("test", &[50, 12][..]));
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    for part in [
        "<h1>small</h1>",
        "data:image/png;base64,",
        "code 1x1x12 = 12",
        "samples_per_layer = 3200",
        "<th scope=\"row\">ridge</th>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && !page.contains("http://"), "the page needs nothing else");
    assert!(refused(folder.path(), &["encode", "run"], 2).contains("codes.npz exists"));
    printed(folder.path(), &["encode", "run", "--central", "--force"]);
    let central = npz::read(folder.path().join("run/codes.npz")).unwrap();
    assert_eq!(central[0].1.shape, [300, 20]);
    let text = printed(folder.path(), &["reconstruct", "run", "--all-scores", "--npz", "decoded.npz"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("reconstruction")).count(), 12);
    assert_eq!(npz::read(folder.path().join("decoded.npz")).unwrap()[0].1.shape, [50, 28, 28, 1]);
    let text = printed(folder.path(), &["features", "run", "--picture", "3"]);
    assert!(text.contains("layer 0: 8 features at 7x7 positions"), "{text}");
    assert!(folder.path().join("run/figures/maps-layer0.png").is_file());
    let features = fs::read_to_string(folder.path().join("run/features.csv")).unwrap();
    assert_eq!((features.lines().count(), features.lines().next().unwrap().split(',').count()), (21, 8));
    let text = printed(folder.path(), &["probe", "run"]);
    assert!(text.contains("code           ridge") && text.contains("pixels         ridge"), "{text}");
    assert!(refused(folder.path(), &["probe", "run"], 2).contains("probes.csv exists; nothing was written"));
    printed(folder.path(), &["probe", "run", "--force"]);
    let text = printed(folder.path(), &["finetune", "run", "--quiet"]);
    assert!(text.contains("accuracy 0.") && text.contains("old decoder: mean squared error"), "{text}");
    assert!(folder.path().join("run/classifier/model.safetensors").is_file());
    assert!(refused(folder.path(), &["finetune", "run"], 2).contains("classifier exists and is not empty"));
    // Resumed at its end it is what it was.
    let before = fs::read(folder.path().join("run/classifier/model.safetensors")).unwrap();
    printed(folder.path(), &["finetune", "run", "--quiet", "--resume"]);
    assert!(before == fs::read(folder.path().join("run/classifier/model.safetensors")).unwrap());
    // With settings of its own, which it remembers; one that cannot be leaves nothing behind.
    let message = refused(folder.path(), &["finetune", "run", "--force", "--set", "classifier.trained_layers=9"], 2);
    assert!(message.contains("classifier: "), "{message}");
    assert!(before == fs::read(folder.path().join("run/classifier/model.safetensors")).unwrap());
    printed(folder.path(), &["finetune", "run", "--quiet", "--force", "--set", "classifier.epochs=2"]);
    let before = fs::read(folder.path().join("run/classifier/model.safetensors")).unwrap();
    printed(folder.path(), &["finetune", "run", "--quiet", "--resume"]);
    assert!(before == fs::read(folder.path().join("run/classifier/model.safetensors")).unwrap());
}

#[test]
fn features_are_deleted_and_the_smaller_stack_is_a_run_like_any_other() {
    let folder = folder();
    printed(folder.path(), &["train", "small.toml", "--out", "run"]);
    fn delete<'a>(which: &[&'a str], out: &'a str) -> Vec<&'a str> {
        [&["delete-features", "run"], which, &["--out", out]].concat()
    }
    let text = printed(folder.path(), &delete(&["--layer", "0", "--features", "5,1,5"], "smaller"));
    assert!(
        text.contains("layer 0: 2 of 8 features deleted") && text.matches("reconstruction mse").count() == 2,
        "{text}"
    );
    let text = printed(folder.path(), &["features", "smaller"]);
    assert!(text.contains("layer 0: 6 features") && text.contains("layer 1: 12 features"), "{text}");
    let record = fs::read_to_string(folder.path().join("smaller/run.json")).unwrap();
    assert!(record.contains("delete-features 'run' --layer 0 --features 1,5 --out 'smaller'"), "{record}");
    assert!(refused(folder.path(), &delete(&["--layer", "0", "--features", "1"], "smaller"), 2).contains("not empty"));

    for (which, reason) in [
        (&["--layer", "2", "--features", "0"][..], "--layer 2: the stack has layers 0 to 1"),
        (&["--layer", "1", "--features", "12"], "there is no feature 12 in layer 1; it has features 0 to 11"),
        (&["--dead"], "no feature is dead; nothing was written"),
        (&["--features", "1"], "--layer <N>"),
        (&["--layer", "1"], "--dead"),
    ] {
        let error = refused(folder.path(), &delete(which, "other"), 2);
        assert!(error.contains(reason), "{which:?}: {error}");
        assert!(!folder.path().join("other").exists());
    }

    // A feature whose weights are all 0 is dead.
    let path = folder.path().join("run/model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let header_len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header_len]).unwrap();
    let weight = &header["layer0.encoder.weight"];
    let begin = weight["data_offsets"][0].as_u64().unwrap() as usize + 8 + header_len;
    // PyTorch's layout begins with the features.
    assert_eq!(weight["shape"][0], 8, "{weight}");
    let feature =
        (weight["data_offsets"][1].as_u64().unwrap() - weight["data_offsets"][0].as_u64().unwrap()) as usize / 8;
    bytes[begin + 3 * feature..begin + 4 * feature].fill(0);
    fs::write(&path, bytes).unwrap();
    let text = printed(folder.path(), &delete(&["--dead"], "living"));
    assert!(text.contains("layer 0: 1 of 8 features deleted"), "{text}");
    let config = fs::read_to_string(folder.path().join("living/config.toml")).unwrap();
    assert!(config.contains("features = 7") && config.contains("features = 12"), "{config}");
}

/// The folder of one run becomes that of another: what the first left must not be taken for the second's.
#[test]
fn a_run_by_force_leaves_no_model_of_the_one_before() {
    let folder = folder();
    printed(folder.path(), &["train", "small.toml", "--out", "run", "--quiet"]);
    printed(folder.path(), &["encode", "run"]);
    printed(folder.path(), &["finetune", "run", "--quiet", "--set", "classifier.epochs=1"]);
    let of_it = ["results.csv", "codes.npz", "figures/reconstructions.png", "classifier/config.toml"];
    let is_there = |name: &&str| folder.path().join("run").join(name).is_file();
    assert!(of_it.iter().all(is_there));
    fs::write(folder.path().join("run/figures/mine.png"), "mine").unwrap();
    let wild = ["--set", "training.lr=1e9", "--set", "training.optimizer=sgd"];
    let again: Vec<&str> = ["train", "small.toml", "--out", "run", "--force"].iter().chain(&wild).copied().collect();
    assert!(refused(folder.path(), &again, 4).contains("diverged"));
    let message = refused(folder.path(), &["probe", "run"], 1);
    assert!(message.contains("the training did not come to its end"), "{message}");
    assert!(!of_it.iter().any(is_there) && is_there(&"figures/mine.png"));
}

#[test]
fn a_run_goes_on_only_where_it_ends_in_the_same_bytes() {
    let folder = folder();
    printed(folder.path(), &["train", "small.toml", "--out", "run", "--quiet"]);
    let file = folder.path().join("run/run.json");
    let record: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    for (key, value, message) in [
        ("instruction_set", serde_json::json!("other"), "was begun with the instruction set other"),
        ("crc32", serde_json::json!(["0", "1"]), "was begun on pictures with the checksums 0, 1"),
    ] {
        let mut changed = record.clone();
        changed[key] = value;
        fs::write(&file, changed.to_string()).unwrap();
        let got = refused(folder.path(), &["train", "--resume", "run"], 2);
        assert!(got.contains(message), "{got}");
    }
    fs::write(&file, record.to_string()).unwrap();
    printed(folder.path(), &["train", "--resume", "run", "--quiet"]);
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert!(page.contains(record["started"].as_str().unwrap()), "the run began when it began");
}

#[test]
fn pages_are_classified_pixel_by_pixel() {
    let folder = tempfile::tempdir().unwrap();
    let file = configs().into_iter().find(|file| file.ends_with("pages.toml")).unwrap();
    let mut train = vec!["train", file.to_str().unwrap(), "--out", "pages", "--quiet"];
    let sets = [
        "data.page_size=[96,96]",
        "data.train=3",
        "data.validation=1",
        "data.test=1",
        "training.samples_per_layer=3200",
    ];
    let more = ["classifier.pixels=3000", "classifier.epochs=3"];
    sets.iter().chain(&more).for_each(|set| train.extend(["--set", set]));
    printed(folder.path(), &train);
    let text = printed(folder.path(), &["finetune", "pages", "--quiet"]);
    assert!(text.contains("macro F1") && text.contains("pixels of 1 pages; classes: 0 background, 1 text"), "{text}");
    assert!(folder.path().join("pages/classifier/figures/page0-text.png").is_file());
}

#[test]
fn a_few_pictures_are_learnt_by_heart() {
    let folder = folder();
    let mut train = vec!["train", "small.toml", "--overfit", "8", "--out", "heart", "--json"];
    ["training.samples_per_layer=30000", "training.lr=0.003"].iter().for_each(|set| train.extend(["--set", set]));
    let text = printed(folder.path(), &train);
    let r2 = text.lines().find(|line| line.contains("\"r2\"")).unwrap();
    let r2: serde_json::Value = serde_json::from_str(r2).unwrap();
    assert!(r2["value"].as_f64().unwrap() > 0.7, "{r2}");
}

#[test]
fn units_are_compared_in_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let small = ["--limit-train", "200", "--limit-test", "50", "--samples", "640", "--quiet"];
    let units = ["units", "--sets", "mnist,synthetic-s1", "--units", "standard,pca,lda", "--out", "units"];
    let all: Vec<&str> = units.iter().chain(&small).copied().collect();
    let text = printed(folder.path(), &all);
    assert_eq!(text.lines().filter(|line| line.starts_with("pca ")).count(), 2, "{text}");
    let out = folder.path().join("units");
    let whole = fs::read_to_string(out.join("rows.csv")).unwrap();
    assert_eq!(whole.lines().count(), 1 + 2 * 4);
    let sheet = fs::read(out.join("figures/synthetic-s1.png")).unwrap();

    // Stopped after three rows it goes on: all but the seconds is the same.
    let journal: Vec<&str> = whole.lines().take(4).collect();
    fs::write(out.join("journal.csv"), format!("{}\n", journal.join("\n"))).unwrap();
    fs::remove_file(out.join("rows.csv")).unwrap();
    for kind in ["pca", "lda"] {
        fs::remove_file(out.join(format!("reconstructions/synthetic-s1-{kind}.npy"))).unwrap();
    }
    assert!(refused(folder.path(), &all, 2).contains("--resume to go on there"));
    printed(folder.path(), &[&all[..], &["--resume"]].concat());
    let resumed = fs::read_to_string(out.join("rows.csv")).unwrap();
    let without_seconds = |rows: &str| -> Vec<String> {
        let cells = rows.lines().map(|row| row.split(',').enumerate().filter(|(at, _)| *at != 9));
        cells.map(|row| row.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(without_seconds(&resumed), without_seconds(&whole));
    assert_eq!(resumed.lines().nth(3), whole.lines().nth(3), "a row that was there is not computed again");
    assert_eq!(fs::read(out.join("figures/synthetic-s1.png")).unwrap(), sheet);
    let message = refused(folder.path(), &["units", "--units", "rbm"], 2);
    assert!(message.contains("there is no kind \"rbm\"; there are standard, tied, "), "{message}");
    let message = refused(folder.path(), &["units", "--sets", "mnits"], 2);
    assert!(message.contains("did you mean `mnist`?"), "{message}");
}

#[test]
fn mistakes_are_named_and_nothing_is_overwritten() {
    let folder = folder();
    let with =
        |set: &str, code: i32| refused(folder.path(), &["train", "small.toml", "--out", "run", "--set", set], code);
    assert!(with("network.layers.0.kernal=3", 2).contains("did you mean `kernel`?"));
    assert!(with("network.layers.1.kernel=9", 2).contains("network.layers: "));
    assert!(with("network.layers.0.kernel=3", 2).contains("layer 0: patches of 3 every 4 leave 1 of 28 over"));
    assert!(with("network.activation=tanh", 2).contains("network.activation: is for kind"));
    let huge = with("network.layers.0.features=9000000000000000000", 2);
    assert!(huge.contains("network: would have ") && huge.contains("take fewer features"), "{huge}");
    assert!(with("training.batch_size=1000000000000", 2).contains("training.batch_size: must be at most 1048576"));
    assert!(with("training.samples_per_layer=9000000000000000000", 2).contains("training.samples_per_layer: must be"));
    let message = refused(folder.path(), &["train", "small.toml", "--out", "run", "--seed", "-1"], 2);
    assert!(message.contains("invalid value '-1' for '--seed <N>'"), "{message}");
    assert!(with("data.channels=grey", 2).contains("data.channels: is for the sets folders"));
    assert!(with("network.layers.1.unit.noise.sd=-1", 2).contains("network.layers[1].unit: "));
    assert!(!folder.path().join("run").exists(), "a request that is wrong leaves nothing behind");
    assert!(with("data.dir=nowhere", 1).contains("`pitfall data fetch mnist` downloads it"));
    let message = refused(
        folder.path(),
        &["train", "small.toml", "--out", "wild", "--set", "training.lr=1e9", "--set", "training.optimizer=sgd"],
        4,
    );
    assert!(message.contains("layer 0 diverged") && message.contains("smaller learning rate"), "{message}");
    fs::create_dir(folder.path().join("taken")).unwrap();
    fs::write(folder.path().join("taken/notes.txt"), "mine").unwrap();
    let message = refused(folder.path(), &["train", "small.toml", "--out", "taken"], 2);
    assert!(message.contains("taken exists and is not empty; nothing was written"), "{message}");
    if cfg!(target_os = "linux") {
        // As another run does that writes there.
        let writes = fs::File::open(folder.path().join("taken")).unwrap();
        writes.lock().unwrap();
        let message = refused(folder.path(), &["train", "small.toml", "--out", "taken", "--force"], 2);
        assert!(message.contains("another run is writing to taken"), "{message}");
        assert!(!folder.path().join("taken/config.toml").exists());
    }
    assert!(refused(folder.path(), &["train", "none.toml"], 2).contains("none.toml"));
    assert!(refused(folder.path(), &["encode", "taken"], 1).contains("there is no config.toml in it"));
}
