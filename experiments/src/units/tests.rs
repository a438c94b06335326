//! What holds for every unit.

use super::{
    HebbianRule, KMeansCode, Noise, Sparsity, UnitSpec, Unpooling, VisibleRange,
    testing::{Alone, Table, assert_param_gradients, config, dims, waves},
};
use crate::{
    scae::{Labels, LayerGeometry, LayerSpec, Scae, ScaeSpec, train_resumable},
    training::Checkpoints,
};
use patchgrad::{Tape, Tensor, Var, Workspace, gradcheck::gradcheck, ops::Activation, random::stream};

const SOFTSIGN: Activation = Activation::Softsign;
const LINEAR: Activation = Activation::Linear;

/// One of each kind, for codes of 6 numbers.
fn every_kind() -> Vec<UnitSpec> {
    let (encoder, decoder) = (SOFTSIGN, LINEAR);
    vec![
        UnitSpec::standard(encoder, decoder),
        UnitSpec::Tied { encoder, decoder },
        UnitSpec::Denoising { encoder, decoder, noise: Noise::Masking { probability: 0.3, block: 1 } },
        UnitSpec::Sparse { encoder, decoder, sparsity: Sparsity::L1 { weight: 0.01 } },
        UnitSpec::Sparse {
            encoder: Activation::Sigmoid,
            decoder,
            sparsity: Sparsity::KullbackLeibler { target: 0.2, weight: 0.01 },
        },
        UnitSpec::KSparse { encoder, decoder, k: 3 },
        UnitSpec::Contractive { encoder, decoder, weight: 0.01 },
        UnitSpec::Pca { encoder: LINEAR, decoder },
        UnitSpec::Lda { encoder: LINEAR },
        UnitSpec::Oja { rule: HebbianRule::Sanger, encoder: LINEAR, decoder },
        UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric },
        UnitSpec::GaussianRbm { steps: 1, sd: 0.3, learn_sd: false },
        UnitSpec::KMeans { code: KMeansCode::Triangle, iterations: 5, contrast: 6e-4, whitening: 0.1 },
    ]
}

/// Patches with the sign of their mean as label.
fn labelled(patches: &Tensor) -> Table {
    let [count, k, _, d] = patches.shape().nhwc().unwrap();
    let sums = patches.as_slice().chunks(k * k * d).map(|patch| patch.iter().sum::<f32>());
    let labels: Vec<u32> = sums.map(|sum| u32::from(sum > 0.0)).collect();
    assert_eq!(labels.len(), count);
    Table { labels: Some(labels), ..Table::new(patches.clone()) }
}

#[test]
fn training_lowers_the_error_of_every_kind() {
    let patches = waves(500, 4, 2);
    for spec in every_kind() {
        let mut alone = Alone::new(spec, dims(4, 2, 2, 6));
        let before = alone.mse(&patches);
        // The rate of a Hebbian rule is relative to the size of the patches.
        let lr = if spec.kind() == "oja" { 0.3 } else { 5e-3 };
        let trained = alone.fit(&mut labelled(&patches), &config(12_000, lr)).unwrap();
        let after = alone.mse(&patches);
        // Machines learn a distribution and centroids a partition; the reconstruction is not what they minimise.
        let most = match spec.kind() {
            "bernoulli-rbm" => 0.9,
            "gaussian-rbm" | "k-means" => 0.7,
            _ => 0.35,
        };
        assert!(after < most * before, "{}: {before} {after}", spec.kind());
        assert!(trained.final_error <= trained.mean_error && trained.final_error > 0.0, "{trained:?}");
    }
}

/// A layer of 4 x 4 pixels with 6 features and a layer on top of it.
fn stack(lowest: UnitSpec, top: UnitSpec) -> Scae {
    let layer = |kernel, unit| LayerSpec { geometry: LayerGeometry { kernel, offset: 2 }, features: 6, unit };
    let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, lowest), layer(3, top)] };
    spec.check().unwrap();
    Scae::new(spec, &mut stream(2, "init", 0))
}

#[test]
fn every_kind_is_trained_in_any_layer() {
    let pictures = waves(200, 8, 1);
    let labels: Vec<u32> = pictures.as_slice().chunks(64).map(|p| u32::from(p.iter().sum::<f32>() > 0.0)).collect();
    let mut workspace = Workspace::new();
    let standard = UnitSpec::standard(SOFTSIGN, LINEAR);
    let mut pooled = every_kind();
    pooled.push(UnitSpec::MaxPooling { unpooling: Unpooling::Switches });
    let upper = pooled.iter().map(|&top| (standard, top));
    for (lowest, top) in every_kind().into_iter().map(|lowest| (lowest, standard)).chain(upper) {
        let mut scae = stack(lowest, top);
        let what = format!("{} under {}", lowest.kind(), top.kind());
        let labels = Labels::Pictures(&labels);
        let trained = train_resumable(
            &mut scae,
            &pictures,
            labels,
            &config(3_200, 5e-3),
            &mut Checkpoints::none(),
            &mut workspace,
        );
        let trained = trained.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(trained.len(), 2);
        assert!(trained.iter().all(|layer| layer.final_error.is_finite()), "{what}: {trained:?}");
        let decoded = scae.reconstruct(&pictures, &mut workspace);
        assert_eq!(decoded.shape(), pictures.shape(), "{what}");
        assert!(decoded.as_slice().iter().all(|value| value.is_finite()), "{what}");
        let codes = scae.codes(&pictures, &mut workspace);
        let spread = codes.as_slice()[..6].iter().zip(&codes.as_slice()[6..12]).any(|(a, b)| a != b);
        assert!(spread, "{what}: two pictures have the same code");
    }
}

/// N-light-N looked at the limit once in each epoch.
#[test]
fn d8_a_unit_sees_as_many_patches_as_it_is_given() {
    let patches = waves(1_000, 3, 1);
    for spec in [UnitSpec::standard(SOFTSIGN, LINEAR), UnitSpec::Tied { encoder: SOFTSIGN, decoder: LINEAR }] {
        let mut table = Table::new(patches.clone());
        Alone::new(spec, dims(3, 1, 1, 4)).fit(&mut table, &config(320, 1e-3)).unwrap();
        assert_eq!(table.next, 320);
    }
    let mut table = Table::new(patches);
    let mut pca = Alone::new(UnitSpec::Pca { encoder: LINEAR, decoder: LINEAR }, dims(3, 1, 1, 4));
    pca.fit(&mut table, &config(320, 1e-3)).unwrap();
    // One mini-batch more measures the error of what was found.
    assert_eq!(table.next, 320 + 32);
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let patches = waves(300, 3, 1);
    for spec in every_kind() {
        let run = || {
            let mut alone = Alone::new(spec, dims(3, 1, 1, 6));
            alone.fit(&mut labelled(&patches), &config(640, 1e-2)).unwrap();
            alone.params.iter().map(|(_, _, tensor)| tensor.clone()).collect::<Vec<Tensor>>()
        };
        assert_eq!(run(), run(), "{}", spec.kind());
    }
}

/// A buffer for each step would be gigabytes at the end of a long training.
#[test]
fn training_keeps_no_buffer_for_each_step() {
    let patches = waves(300, 3, 1);
    for spec in every_kind() {
        let mut alone = Alone::new(spec, dims(3, 1, 1, 6));
        let mut buffers_after_training = || {
            alone.fit(&mut labelled(&patches), &config(640, 1e-2)).unwrap();
            alone.fit_decoder(&mut labelled(&patches), &config(640, 1e-2)).unwrap();
            alone.workspace.free_buffers()
        };
        assert_eq!(buffers_after_training(), buffers_after_training(), "{}", spec.kind());
    }
}

#[test]
fn d6_training_the_decoder_leaves_the_encoder_of_every_kind_as_it_is() {
    let patches = waves(300, 3, 1);
    for spec in every_kind() {
        let mut alone = Alone::new(spec, dims(3, 1, 1, 6));
        let before = alone.params.clone();
        let error = alone.mse(&patches);
        alone.fit_decoder(&mut labelled(&patches), &config(3_200, 1e-2)).unwrap();
        let decoder = alone.unit.decoder_params();
        for (id, name, tensor) in alone.params.iter() {
            assert_eq!(tensor != before.get(id), decoder.contains(&id), "{}: {name}", spec.kind());
        }
        let encoder = alone.unit.encoder_params();
        assert!(encoder.iter().all(|id| !decoder.contains(id)), "{}", spec.kind());
        if !decoder.is_empty() {
            assert!(alone.mse(&patches) < error, "{}", spec.kind());
        }
    }
}

/// A random number for each value, so that no two gradients cancel.
fn weigh(tape: &mut Tape, value: Var) -> Var {
    let weights = tape.constant(tape.shape(value), |weights| {
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = ((i as f32 + 1.0) * 1.618).sin());
    });
    let product = tape.mul(value, weights);
    tape.sum(product)
}

#[test]
fn gradients_of_every_kind_agree_with_differences() {
    let pairs = [(SOFTSIGN, LINEAR), (Activation::Tanh, SOFTSIGN), (Activation::Sigmoid, Activation::Softplus)];
    let mut checked = 0;
    for (encoder, decoder) in pairs {
        let kinds = [
            UnitSpec::standard(encoder, decoder),
            UnitSpec::Tied { encoder, decoder },
            UnitSpec::KSparse { encoder, decoder, k: 2 },
            UnitSpec::Pca { encoder, decoder },
            UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric },
            UnitSpec::GaussianRbm { steps: 1, sd: 0.8, learn_sd: true },
        ];
        for spec in kinds {
            let mut alone = Alone::new(spec, dims(3, 2, 2, 4));
            alone.shake();
            // Nine positions of overlapping patches.
            let map = waves(1, 7, 2);
            let what = spec.kind();
            checked += assert_param_gradients(what, &alone.params, |tape| {
                let x = tape.constant(map.shape(), |values| values.copy_from_slice(map.as_slice()));
                let (code, switches) = alone.unit.encode_with_switches(tape, x);
                let decoded = alone.unit.decode_patches(tape, code, switches);
                weigh(tape, decoded)
            });
        }
    }
    // Four parameters each, three of the tied unit and of the Bernoulli machine.
    assert_eq!(checked, 3 * (4 + 3 + 4 + 4 + 3 + 4));
}

#[test]
fn gradients_reach_the_layer_below() {
    // conv2d and linear are proved in the engine; here the same op chain is checked with respect to the map.
    let map = waves(2, 5, 1);
    let weight = Tensor::from_fn([3, 3, 1, 4], |i| ((i + 1) as f32 * 0.7).sin());
    gradcheck(&[map, weight], |tape, v| {
        let sums = tape.conv2d(v[0], v[1], None, &dims(3, 2, 1, 4).conv());
        let code = tape.softsign(sums);
        let rows = super::UnitDims::rows(tape, v[1]);
        let decoder = tape.transpose(rows);
        tape.linear(code, decoder, None)
    })
    .unwrap();
}

#[test]
fn specs_are_written_and_read_by_name() {
    for spec in every_kind() {
        let text = serde_json::to_string(&spec).unwrap();
        assert!(text.contains(&format!("\"kind\":\"{}\"", spec.kind())), "{text}");
        assert_eq!(serde_json::from_str::<UnitSpec>(&text).unwrap(), spec, "{text}");
    }
    let text = r#"{"kind":"standard","encoder":"softsign","decoder":"leaky_relu(0.2)"}"#;
    let spec: UnitSpec = serde_json::from_str(text).unwrap();
    assert_eq!(spec.decoder(), Activation::LeakyRelu { negative_slope: 0.2 });
    for wrong in [
        r#"{"kind":"standard","encoder":"softsign","decoder":"lineer"}"#,
        r#"{"kind":"standrad","encoder":"softsign","decoder":"linear"}"#,
        r#"{"kind":"standard","encoder":"softsign","decoder":"linear","k":3}"#,
        r#"{"kind":"k-sparse","encoder":"softsign","decoder":"linear"}"#,
    ] {
        assert!(serde_json::from_str::<UnitSpec>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn parameters_have_stable_names_and_shapes() {
    let alone = Alone::new(UnitSpec::standard(SOFTSIGN, LINEAR), dims(3, 2, 2, 4));
    let shapes: Vec<(String, Vec<usize>)> =
        alone.params.iter().map(|(_, name, tensor)| (name.to_string(), tensor.shape().dims().to_vec())).collect();
    let expected = [
        ("layer0.encoder.weight", vec![3, 3, 2, 4]),
        ("layer0.encoder.bias", vec![4]),
        ("layer0.decoder.weight", vec![4, 18]),
        ("layer0.decoder.bias", vec![18]),
    ];
    assert_eq!(shapes, expected.map(|(name, shape)| (name.to_string(), shape)));
    let tied = Alone::new(UnitSpec::Tied { encoder: SOFTSIGN, decoder: LINEAR }, dims(3, 2, 2, 4));
    assert!(tied.params.find("layer0.decoder.weight").is_none());
}

#[test]
fn a_tied_decoder_is_the_adjoint_of_its_encoder() {
    // <W' x, y> = <x, W y> for the linear maps, biases being 0 before training.
    let mut tied = Alone::new(UnitSpec::Tied { encoder: LINEAR, decoder: LINEAR }, dims(3, 3, 2, 4));
    let x = waves(1, 3, 2);
    let code = tied.encode(&x);
    let y = Tensor::new([1, 1, 1, 4], &[0.3, -1.0, 0.7, 2.0]);
    let mut tape = Tape::with_params(&tied.params, &mut tied.workspace);
    let v = tape.input(&y);
    let patch = tied.unit.decode_patches(&mut tape, v, None);
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let (left, right) = (dot(code.as_slice(), y.as_slice()), dot(x.as_slice(), tape.value(patch).as_slice()));
    assert!((left - right).abs() < 1e-5, "{left} {right}");
}

#[test]
fn a_linear_auto_encoder_reaches_the_error_of_principal_components() {
    let patches = waves(400, 4, 1);
    let mut pca = Alone::new(UnitSpec::Pca { encoder: LINEAR, decoder: LINEAR }, dims(4, 4, 1, 3));
    pca.fit(&mut labelled(&patches), &config(400, 1.0)).unwrap();
    let best = pca.mse(&patches);
    for spec in [UnitSpec::standard(LINEAR, LINEAR), UnitSpec::Tied { encoder: LINEAR, decoder: LINEAR }] {
        let mut linear = Alone::new(spec, dims(4, 4, 1, 3));
        linear.fit(&mut labelled(&patches), &config(60_000, 1e-2)).unwrap();
        let ratio = linear.mse(&patches) / best;
        assert!((1.0 - 1e-4..1.02).contains(&ratio), "{}: {ratio}", spec.kind());
    }
}

#[test]
fn d9_a_denoising_unit_restores_what_was_masked_better_than_a_standard_one() {
    let (patches, kept) = (waves(600, 4, 1), waves(700, 4, 1));
    let held_out = Tensor::new([100, 4, 4, 1], kept.samples(600..700));
    let noise = Noise::Masking { probability: 0.4, block: 1 };
    let mut corrupted = held_out.clone();
    noise.corrupt(&mut corrupted, &mut patchgrad::random::stream(1, "test", 0));
    let restored = |spec: UnitSpec| {
        let mut alone = Alone::new(spec, dims(4, 4, 1, 8));
        alone.fit(&mut labelled(&patches), &config(30_000, 5e-3)).unwrap();
        let decoded = alone.reconstruct(&corrupted);
        let pairs = decoded.as_slice().iter().zip(held_out.as_slice());
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    let standard = restored(UnitSpec::standard(SOFTSIGN, LINEAR));
    let denoising = restored(UnitSpec::Denoising { encoder: SOFTSIGN, decoder: LINEAR, noise });
    assert!(denoising < 0.6 * standard, "denoising {denoising}, standard {standard}");
}

#[test]
fn penalties_do_what_they_are_for() {
    let patches = waves(500, 4, 1);
    let trained = |spec: UnitSpec| {
        let mut alone = Alone::new(spec, dims(4, 4, 1, 12));
        alone.fit(&mut labelled(&patches), &config(20_000, 2e-2)).unwrap();
        alone
    };
    let mean = |values: &[f32]| values.iter().map(|x| f64::from(x.abs())).sum::<f64>() / values.len() as f64;
    let (encoder, decoder) = (Activation::Sigmoid, LINEAR);
    let plain = mean(trained(UnitSpec::standard(encoder, decoder)).encode(&patches).as_slice());
    let sparsity = Sparsity::KullbackLeibler { target: 0.05, weight: 2.0 };
    let sparse = mean(trained(UnitSpec::Sparse { encoder, decoder, sparsity }).encode(&patches).as_slice());
    assert!(sparse < 0.15 && plain > 0.3, "mean activity {sparse}, without penalty {plain}");
    let l1 = UnitSpec::Sparse { encoder: SOFTSIGN, decoder, sparsity: Sparsity::L1 { weight: 0.1 } };
    let l1 = mean(trained(l1).encode(&patches).as_slice());
    let without = mean(trained(UnitSpec::standard(SOFTSIGN, decoder)).encode(&patches).as_slice());
    assert!(l1 < 0.7 * without, "mean size {l1}, without penalty {without}");
    let k_sparse = UnitSpec::KSparse { encoder: SOFTSIGN, decoder, k: 3 };
    let codes = trained(k_sparse).encode(&patches);
    assert!(codes.as_slice().chunks(12).all(|code| code.iter().filter(|&&value| value != 0.0).count() == 3));
}

#[test]
fn what_cannot_be_is_refused_with_advice() {
    let message = |spec: UnitSpec| spec.check(&dims(2, 2, 1, 6)).unwrap_err().to_string();
    let (encoder, decoder) = (SOFTSIGN, LINEAR);
    assert_eq!(
        message(UnitSpec::Pca { encoder, decoder }),
        "pca: 6 features from patches of 4 values; there are at most as many directions"
    );
    assert_eq!(
        message(UnitSpec::KSparse { encoder, decoder, k: 7 }),
        "k-sparse: k is 7, but must be from 1 to the number of features, 6"
    );
    assert_eq!(
        message(UnitSpec::MaxPooling { unpooling: Unpooling::Copy }),
        "max-pooling: 6 features from 1 channels; pooling keeps their number"
    );
    assert!(message(UnitSpec::BernoulliRbm { steps: 0, range: VisibleRange::Unit }).contains("at least 1 step"));
    assert!(message(UnitSpec::GaussianRbm { steps: 1, sd: 0.0, learn_sd: true }).contains("above 0"));
    assert!(message(UnitSpec::Contractive { encoder, decoder, weight: f32::NAN }).contains("must be finite"));
    assert!(UnitSpec::standard(encoder, decoder).check(&dims(2, 2, 1, 0)).is_err());
}
