//! Whether the steps that the logistic probe is given are enough, on the bundled sample of MNIST, as
//! `cargo test --release --package pitfall --lib correlation::probe_steps -- --ignored --nocapture` prints it.

use super::{
    members,
    population::Population,
    store::{NetworkStore, Trainer},
};
use crate::{
    config::{DataConfig, Part},
    probe::{Features, FittedProbe, LogisticProbe, PENALTIES, lbfgs::Settings},
    statistics::{mean, spearman},
    suite::{Profile, Setup},
};
use patchgrad::{Tensor, Workspace};

/// Of codes and their classes, three parts: the accuracy on test pictures, and whether the search ended within its steps.
fn probe(codes: [&Tensor; 3], parts: [&Part; 3], iterations: usize, workspace: &mut Workspace) -> (f64, bool) {
    let [train, validation, test] = std::array::from_fn(|part| match parts[part] {
        Part::Classes(data) => Features { rows: codes[part], labels: &data.labels },
        _ => panic!("the sample has classes"),
    });
    let settings = Settings { iterations, ..Settings::default() };
    let fitted = LogisticProbe::fit_with(&settings, train, validation, 10, &PENALTIES, workspace).unwrap();
    let minimum = fitted.minimum();
    (fitted.accuracy(test, workspace).unwrap(), minimum.converged || minimum.iterations < iterations)
}

#[test]
#[ignore = "takes a quarter of an hour or more; prints what the deviations of E1 say"]
fn more_steps_hardly_change_the_accuracy() {
    let examples = DataConfig::named("--data", "mnist", [0; 3], None).unwrap().load(1).unwrap();
    let networks = NetworkStore::none();
    let setup = Setup { set: "mnist", examples: &examples, profile: Profile::Quick, seed: 1, networks: &networks };
    let trainer = Trainer::new(&setup);
    let parts = [&examples.train, &examples.validation, &examples.test];
    let mut workspace = Workspace::new();
    let [mut few, mut many]: [Vec<(f64, bool)>; 2] = Default::default();
    for member in members(&setup).iter().filter(|member| member.population == Population::P1) {
        let (scae, _) = trainer.train(member, &mut workspace).unwrap();
        let codes = parts.map(|part| scae.codes(part.pictures(), &mut workspace));
        few.push(probe(codes.each_ref(), parts, Settings::default().iterations, &mut workspace));
        many.push(probe(codes.each_ref(), parts, 1_000, &mut workspace));
        let (at, more) = (few[few.len() - 1], many[many.len() - 1]);
        println!("{:>6} code of {:>4}: {at:?}, {more:?}", member.name(), member.spec.code_size());
    }
    let accuracies = |of: &[(f64, bool)]| of.iter().map(|(accuracy, _)| *accuracy).collect::<Vec<f64>>();
    let [few_accuracies, many_accuracies] = [&few, &many].map(|of| accuracies(of));
    let changes: Vec<f64> = many_accuracies.iter().zip(&few_accuracies).map(|(many, few)| many - few).collect();
    let largest = changes.iter().fold(0.0_f64, |largest, change| largest.max(change.abs()));
    let cut_short = |of: &[(f64, bool)]| of.iter().filter(|(_, ended)| !ended).count();
    let agreement = spearman(&few_accuracies, &many_accuracies).unwrap();
    println!(
        "{} of {} end at the limit, of ten times the steps {}; these change the accuracy by {:.2} points in the mean, \
         {:.2} at most; rank correlation {agreement:.4}",
        cut_short(&few),
        few.len(),
        cut_short(&many),
        mean(&changes).unwrap() * 100.0,
        largest * 100.0,
    );
    assert!(cut_short(&few) <= 15 && cut_short(&many) == 0, "{few:?} {many:?}");
    assert!(largest < 0.02 && agreement > 0.99, "{changes:?}");
}
