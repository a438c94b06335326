//! The sweep on a few pictures.

use super::*;
use crate::{
    config::{DataConfig, Part},
    correlation::store::NetworkStore,
};

fn examples() -> Examples {
    DataConfig::named("--data", "mnist", [60, 30, 30], None).unwrap().load(1).unwrap()
}

const SIZES: Sizes = Sizes { labels: &[20, 10_000], seeds: 2, patches: 64, closed_form: 64, validation: 20, steps: 4 };

#[test]
fn every_start_ends_in_a_row_whatever_the_order() {
    let examples = examples();
    let networks = NetworkStore::none();
    let setup = Setup { set: "mnist", examples: &examples, profile: Profile::Smoke, seed: 3, networks: &networks };
    let sweep = Pretraining::with_sizes(&setup, SIZES);
    assert_eq!((sweep.len(), sweep.budgets.as_slice()), (36, &[20, 60][..]));
    let rows: Vec<PretrainingRow> = (0..sweep.len()).map(|index| sweep.row(index)).collect();
    for row in &rows {
        assert_eq!(row.reason, "", "{row:?}");
        let shares = [row.accuracy, row.validation_accuracy, row.probe].map(Option::unwrap);
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{row:?}");
        assert_eq!((row.mse.is_some(), row.linear_mse.is_some()), (row.start.has_own_decoders(), true), "{row:?}");
        assert!(row.ended_by_limit.is_some() && row.epochs_to_95 <= row.epochs && row.unlabelled == 60);
    }
    // Another order and a fresh sweep.
    let again = Pretraining::with_sizes(&setup, SIZES);
    for index in [35, 14, 9, 0] {
        assert_eq!(again.row(index), rows[index]);
    }
    let of = |start: Start, labels: usize, seed: usize| {
        rows.iter().find(|row| (row.start, row.labels, row.seed) == (start, labels, seed)).unwrap()
    };
    assert_eq!(
        of(Start::Scae, 20, 1).linear_mse,
        of(Start::Scae, 60, 1).linear_mse,
        "the same stack for all numbers of labels"
    );
    assert_ne!(of(Start::Scae, 20, 0).mse, of(Start::Scae, 20, 1).mse, "another seed");
    assert_ne!(of(Start::Lda, 20, 0).linear_mse, of(Start::Lda, 60, 0).linear_mse, "from the labelled pictures");
    let mut errors: Vec<f64> = Start::ALL.into_iter().filter_map(|start| of(start, 20, 0).linear_mse).collect();
    errors.sort_by(f64::total_cmp);
    errors.dedup();
    assert_eq!(errors.len(), Start::ALL.len(), "starts differ");
}

#[test]
fn a_control_keeps_what_each_feature_has_and_not_where() {
    let spec = architecture([28, 28, 1]);
    let scae = crate::scae::Scae::new(spec.clone(), &mut stream(1, "init", 0));
    let other = starts::shuffled(scae.clone(), 5);
    for (id, name, before) in scae.params().iter() {
        let after = other.params().get(id);
        if !name.ends_with("encoder.weight") {
            assert_eq!(before, after, "{name}");
            continue;
        }
        assert_ne!(before, after, "{name}");
        let features = before.shape().dims()[before.shape().rank() - 1];
        for feature in 0..features {
            let [mut before, mut after] = [before, after].map(|weight| -> Vec<f32> {
                weight.as_slice().iter().skip(feature).step_by(features).copied().collect()
            });
            before.sort_by(f32::total_cmp);
            after.sort_by(f32::total_cmp);
            assert_eq!(before, after, "{name}, feature {feature}");
        }
    }
    assert_eq!(
        starts::shuffled(scae.clone(), 5).params().get(other.params().find("layer0.encoder.weight").unwrap()),
        other.params().get(other.params().find("layer0.encoder.weight").unwrap())
    );
}

#[test]
fn fine_tuning_keeps_the_best_round_and_counts_epochs() {
    let examples = examples();
    let Part::Classes(train) = &examples.train else { panic!("MNIST has classes") };
    let training = starts::Training { patches: 64, closed_form: 64, seed: 1 };
    let mut workspace = Workspace::new();
    let spec = architecture([28, 28, 1]);
    let scae = starts::begin(Start::Random, &spec, train, &training, &mut workspace).unwrap();
    // Sixty pictures are two steps, so a round of fifty steps is 25 epochs.
    let tuned = tuning::fine_tune(scae, [train, train], 10, 200, 1, &mut workspace).unwrap();
    assert_eq!((tuned.epochs % 25, tuned.epochs_to_95 % 25), (0, 0));
    assert!(tuned.epochs <= 100 && tuned.epochs_to_95 <= tuned.epochs);
    assert!(tuned.validation_accuracy > 0.9, "sixty pictures are learnt by heart: {}", tuned.validation_accuracy);
    assert_eq!(tuned.classifier.accuracy(train, &mut workspace), tuned.validation_accuracy);
}
