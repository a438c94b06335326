//! Small made-up results for the tests of the report.

use crate::{
    data::{Labelled, Task},
    demo::{
        SetResults,
        baselines::{BaselineRow, Kind},
        network::{NetworkRow, Status},
        record::{DataRecord, RunRecord},
        reference::{Decoded, Decoder, Reference, Stage},
        relations::relations,
    },
    scores::Reconstruction,
};
use patchgrad::Tensor;
use patchgrad_datasets::SetName;

/// Pixels along a side of the pictures.
const SIDE: usize = 4;

/// A working network, or a dead one if `r2` is not positive. Every other one has the code size that half of them share.
pub(super) fn network(index: usize, r2: f64, accuracy: f64) -> NetworkRow {
    let code_size = if index.is_multiple_of(2) { 64 } else { 16 };
    NetworkRow {
        status: if r2 > 0.0 { Status::Ok } else { Status::Dead },
        train_error: Some(0.1),
        mse: Some(1.0 - r2),
        mse_clipped: Some(1.0 - r2),
        r2: Some(r2),
        psnr: Some(10.0),
        linear_decoder_mse: Some(0.9 - 0.9 * r2),
        probe_accuracy: Some(accuracy),
        probe_validation_accuracy: Some(accuracy),
        probe_cross_entropy: Some(1.0),
        probe_penalty: Some(0.0),
        dead_features: Some(0),
        ..diverged(index, code_size)
    }
}

/// A network without numbers.
pub(super) fn diverged(index: usize, code_size: usize) -> NetworkRow {
    NetworkRow {
        data: "mnist".to_string(),
        network: index,
        geometry: "k2/2-k2".to_string(),
        depth: 2,
        widths: format!("8-{code_size}"),
        code_size,
        encoder: ["softsign", "relu"][index / 2 % 2].to_string(),
        decoder: "linear".to_string(),
        samples_per_layer: 20_000 + index,
        lr: 0.001,
        weight_decay: 0.0,
        seed: 7,
        parameters: 100,
        status: Status::Diverged,
        train_error: None,
        mse: None,
        mse_clipped: None,
        r2: None,
        psnr: None,
        linear_decoder_mse: None,
        probe_accuracy: None,
        probe_validation_accuracy: None,
        probe_cross_entropy: None,
        probe_penalty: None,
        dead_features: None,
    }
}

/// `count` working networks whose R2 rises from just above 0 to 0.9, with the accuracy that `rank` in `0..count` gives
/// to each place: between 50 and 90 %.
pub(super) fn population(count: usize, rank: impl Fn(usize) -> usize) -> Vec<NetworkRow> {
    let share = |i: usize| (i + 1) as f64 / count as f64;
    (0..count).map(|i| network(i, 0.9 * share(i), 0.5 + 0.4 * share(rank(i)))).collect()
}

/// Places in an order without trend: every second one up, the others down.
pub(super) fn scrambled(count: usize) -> impl Fn(usize) -> usize {
    move |i| if i / 2 % 2 == 0 { i } else { count - 1 - i }
}

/// Results on `set` with these networks, whose correlations are computed. Baselines: raw pixels 80 %.
pub(super) fn results(set: SetName, mut networks: Vec<NetworkRow>) -> SetResults {
    for row in &mut networks {
        row.data = set.folder().to_string();
    }
    let baseline = |kind: Kind, size: usize, probe_accuracy: f64, r2: Option<f64>| BaselineRow {
        data: set.folder().to_string(),
        kind,
        size,
        probe_accuracy,
        probe_cross_entropy: 1.0,
        mse: r2.map(|r2| 1.0 - r2),
        r2,
    };
    let baselines = vec![
        baseline(Kind::RawPixels, SIDE * SIDE, 0.8, None),
        baseline(Kind::EndToEnd, 64, 0.85, Some(0.7)),
        baseline(Kind::Pca, 64, 0.79, Some(0.8)),
        baseline(Kind::UntrainedEncoder, 64, 0.7, None),
    ];
    let relations = relations(set.folder(), &networks, 3);
    SetResults { task: task(set), networks, baselines, relations, reference: reference() }
}

fn task(set: SetName) -> Task {
    let part = || {
        let pictures = Tensor::from_fn([2, SIDE, SIDE, 1], |i| (i % 7) as f32 / 3.0 - 1.0);
        Labelled { pictures: pictures.into(), labels: vec![0, 1] }
    };
    Task {
        set,
        name: format!("{} sample", set.title()),
        classes: 2,
        train: part(),
        validation: part(),
        test: part(),
        checksums: ["01234567".to_string(), "89abcdef".to_string()],
        licence: "terms & <owner>".to_string(),
    }
}

/// Probe accuracy 70 to 80 %, error of the old decoder 0.1 to 0.9, of the re-trained one 0.1 to 0.3.
fn reference() -> Reference {
    let decoded = |stage, decoder, mse: f64| Decoded {
        stage,
        decoder,
        scores: Reconstruction { mse, mse_clipped: mse, r2: 1.0 - mse, psnr: 10.0 * (4.0 / mse).log10() },
        pictures: vec![vec![mse as f32; SIDE * SIDE]; 2],
    };
    Reference {
        probe_accuracy: [0.7, 0.8],
        fine_tuned_accuracy: 0.82,
        losses: vec![1.0, 0.5],
        decoded: vec![
            decoded(Stage::Before, Decoder::Own, 0.1),
            decoded(Stage::Before, Decoder::Retrained, 0.1),
            decoded(Stage::Before, Decoder::OptimalLinear, 0.08),
            decoded(Stage::After, Decoder::Own, 0.9),
            decoded(Stage::After, Decoder::Retrained, 0.3),
            decoded(Stage::After, Decoder::OptimalLinear, 0.25),
        ],
        shown: vec![vec![0.5; SIDE * SIDE], vec![-0.5; SIDE * SIDE]],
        lowest_features: Tensor::from_fn([3, 2, 2, 1], |i| i as f32 / 6.0 - 1.0),
        top_features: Tensor::from_fn([5, SIDE, SIDE, 1], |i| (i % 5) as f32 / 2.0 - 1.0),
    }
}

/// The record of a run of `profile` on these results.
pub(super) fn record(profile: &str, results: &[SetResults]) -> RunRecord {
    let data = |set: &SetResults| DataRecord {
        name: set.task.name.clone(),
        train: 8_000,
        validation: 2_000,
        test: 2_000,
        crc32: set.task.checksums.clone(),
        licence: set.task.licence.clone(),
    };
    RunRecord {
        version: "1.2.3".to_string(),
        profile: profile.to_string(),
        seed: 42,
        threads: 2,
        instruction_set: "portable".to_string(),
        command: "cargo run --release -- --data-dir \"a <b> & c\"".to_string(),
        started: "2025-01-31T12:30:59.123Z".to_string(),
        seconds: 61.4,
        data: results.iter().map(data).collect(),
    }
}
