//! `pitfall bench` as a user meets it: rows, names, messages. The numbers themselves depend on the machine.
#![forbid(unsafe_code)]

use assert_cmd::Command;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::Stdio,
};

fn bench(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitfall"));
    command.arg("bench").args(arguments.split_whitespace());
    command
}

/// Standard output and standard error of a run that succeeds.
fn ok(arguments: &str) -> (String, String) {
    let output = bench(arguments).assert().success().get_output().clone();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Standard error of a run that ends with exit code 2 and prints nothing else.
fn refused(arguments: &str) -> String {
    let output = bench(arguments).assert().code(2).get_output().clone();
    assert!(output.stdout.is_empty(), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

fn rows(arguments: &str) -> Vec<Value> {
    ok(arguments).0.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The list of shapes, read independently of the program.
fn workloads() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/workloads.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_names_are_those_of_the_list_of_shapes() {
    let mut expected = BTreeSet::new();
    for (op, shapes) in workloads().as_object().unwrap() {
        let passes: &[&str] = match op.as_str() {
            "conv2d" | "conv_transpose2d" => &["/forward", "/grad_input", "/grad_weight"],
            "max_pool2d" => &["/forward", "/grad_input"],
            "train_step" => &[""],
            other => panic!("an op that the benchmark does not know: {other}"),
        };
        for name in shapes.as_object().unwrap().keys() {
            expected.extend(passes.iter().map(|pass| format!("{op}/{name}{pass}")));
        }
    }
    let (listed, _) = ok("--list");
    assert_eq!(listed.lines().map(str::to_string).collect::<BTreeSet<_>>(), expected);
    assert_eq!(listed.lines().count(), expected.len());

    let (some, _) = ok("--list --only cifar-dec3");
    let passes = ["forward", "grad_input", "grad_weight"];
    assert_eq!(some.lines().collect::<Vec<_>>(), passes.map(|pass| format!("conv_transpose2d/cifar-dec3/{pass}")));
}

#[test]
fn json_rows_have_the_keys_and_their_numbers_agree() {
    let rows = rows("--json --only mnist-dec2 --seconds 0.001 --threads 2");
    assert_eq!(rows.len(), 3);
    for (row, pass) in rows.iter().zip(["forward", "grad_input", "grad_weight"]) {
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        let mut expected = ["workload", "algorithm", "isa", "threads", "median_ms", "gflop_per_s", "images_per_s"];
        expected.sort_unstable();
        assert_eq!(keys, expected);
        assert_eq!(row["workload"], format!("conv_transpose2d/mnist-dec2/{pass}"));
        assert_ne!(row["algorithm"], "auto", "the algorithm that ran, not the wish");
        assert_eq!(row["threads"], 2);
        let number = |key: &str| row[key].as_f64().unwrap();
        let seconds = number("median_ms") / 1e3;
        let flops = (2 * 128 * 14 * 14 * 16 * 4) as f64;
        assert!(seconds > 0.0);
        assert!((number("gflop_per_s") * seconds * 1e9 / flops - 1.0).abs() < 1e-9, "{row}");
        assert!((number("images_per_s") * seconds / 128.0 - 1.0).abs() < 1e-9, "{row}");
    }
}

#[test]
fn a_pooling_has_no_algorithm_and_a_training_step_has_the_one_asked_for() {
    let pooling = rows("--json --only pool28/forward --seconds 0.001");
    assert_eq!(pooling.len(), 1);
    assert!(pooling[0]["algorithm"].is_null() && pooling[0]["gflop_per_s"].is_null(), "{pooling:?}");
    assert!(pooling[0]["images_per_s"].as_f64().unwrap() > 0.0);

    let training = rows("--json --only train_step/scae-mnist --seconds 0.001");
    assert_eq!(training[0]["algorithm"], "auto");
    assert!(training[0]["gflop_per_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_table_says_what_it_refers_to() {
    let (table, _) = ok("--only train_step/scae-mnist --seconds 0.001 --algorithm im2col");
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("pitfall ") && lines[0].contains("1 thread, peak"), "{table}");
    assert!(lines[1].starts_with("workload") && lines[1].contains("% of peak"), "{table}");
    let cells: Vec<&str> = lines[2].split_whitespace().collect();
    assert_eq!((cells[0], cells[1], cells.len()), ("train_step/scae-mnist", "im2col", 6), "{table}");
    assert!(lines[3].contains("first step done"), "{table}");
    assert_eq!(lines[3].contains("peak resident memory"), cfg!(target_os = "linux"), "{table}");
}

#[test]
fn the_forced_naive_loops_leave_out_what_takes_too_long() {
    let (out, err) = ok("--json --only mnist-dec2 --seconds 0.001 --algorithm naive");
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3, "{out}");
    assert!(rows.iter().all(|row| row["algorithm"] == "naive"), "{out}");
    assert!(err.is_empty(), "{err}");

    let (listed, err) = ok("--list --algorithm naive --only conv2d/");
    assert!(err.starts_with("left out, with over 30 million operations") && err.contains("wide64"), "{err}");
    assert!(listed.contains("conv2d/patch28-l1/forward") && !listed.contains("wide64"), "{listed}");

    let message = refused("--algorithm naive --only wide64");
    assert!(message.contains("up to 30 million operations") && message.contains("whole name"), "{message}");
    let (listed, err) = ok("--list --algorithm naive --only conv2d/wide64/forward");
    assert_eq!((listed.trim(), err.as_str()), ("conv2d/wide64/forward", ""));
}

#[test]
fn errors_say_what_to_write() {
    let message = refused("--only resnet");
    assert!(message.contains("\"resnet\"") && message.contains("\n  train_step/scae-cifar"), "{message}");
    let message = refused("--algorithm fft");
    assert!(message.contains("\"fft\"") && message.contains("naive") && message.contains("im2col"), "{message}");
    for seconds in ["0", "-1", "inf", "nan", "soon"] {
        let message = refused(&format!("--seconds {seconds}"));
        assert!(message.contains("number of seconds above 0"), "{message}");
    }
    for threads in ["0", "1025", "many"] {
        let message = refused(&format!("--threads {threads}"));
        assert!(message.contains("--threads"), "{message}");
    }
    let message = refused("--threads 0");
    assert!(message.contains("1..=1024"), "{message}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_pitfall"))
        .args(["bench", "--json", "--only", "max_pool2d", "--seconds", "0.001"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // The reader is dropped, and with it the pipe, before the other rows are written.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "{line}");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
