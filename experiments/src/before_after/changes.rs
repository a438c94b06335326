//! What fine-tuning changes, over networks.

use super::{network::StateRow, variant::Variant};
use crate::statistics::{
    Bootstrap, CONFIDENCE, PERMUTATIONS, RESAMPLES, Settings, average_ranks, bootstrap, mean, paired_difference,
    partial_rank_relation,
};
use patchgrad::random::{Stream, stream};
use serde::Serialize;

/// A number of E4 about one set and variant: a row of `changes.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeRow {
    /// The set.
    pub data: String,
    /// Which networks.
    pub group: Group,
    /// How the networks were fine-tuned.
    pub variant: Variant,
    /// What it is about.
    pub quantity: Quantity,
    /// Networks that entered.
    pub networks: usize,
    /// The mean before; empty for what is not a change.
    pub before: Option<f64>,
    /// The mean after.
    pub after: Option<f64>,
    /// The mean change, or the quantity itself.
    pub estimate: f64,
    /// Lower end of its 95 % interval over networks.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided p of "no change" by flipping signs, of "no correlation" by permutation.
    pub p: Option<f64>,
}

/// Which networks a [`ChangeRow`] is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// All that did not fail.
    All,
    /// Those whose own decoder was better than the mean picture before fine-tuning.
    Living,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 2] = [Self::All, Self::Living];

    fn takes(self, ends: &Ends) -> bool {
        self == Self::All || ends.before.r2.is_none_or(|r2| r2 > 0.0)
    }
}

/// What a [`ChangeRow`] is about. Everything is of test pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Accuracy of a logistic probe on the code.
    Probe,
    /// Accuracy of the classifier after, against that of the probe before.
    Classifier,
    /// Mean squared error of the old decoder.
    MseOld,
    /// That of the decoders trained again on the code.
    MseRetrained,
    /// That of the best linear decoder.
    MseLinear,
    /// That of the best of these on validation pictures.
    MseBest,
    /// Mean squared error of the old decoder, its pictures clipped to the range of pixels, as they are shown.
    MseOldClipped,
    /// The same of the decoders trained again.
    MseRetrainedClipped,
    /// The same of the best linear decoder.
    MseLinearClipped,
    /// The share of the old decoder's additional error that the decoders trained again do not make, each decoder compared with
    /// itself before: ratio of means.
    RecoveredRetrained,
    /// The same for the best decoder.
    RecoveredBest,
    /// [`RecoveredRetrained`](Self::RecoveredRetrained) of clipped pictures.
    RecoveredRetrainedClipped,
    /// The share of clipped pictures for the best linear decoder.
    RecoveredLinearClipped,
    /// Linear CKA of the codes before and after.
    Cka,
    /// Spearman's rho of the changes of probe accuracy and of the old decoder's quality, which is the error with its sign
    /// turned.
    Correlation,
    /// The same with the ranks of accuracy and error before held fixed: what begins low has more to gain and what begins well more to lose, which
    /// makes a correlation of changes by itself.
    PartialCorrelation,
}

impl Quantity {
    /// Those that are measured before and after.
    pub const CHANGES: [Self; 6] =
        [Self::Probe, Self::Classifier, Self::MseOld, Self::MseRetrained, Self::MseLinear, Self::MseBest];

    /// Those of clipped pictures, which came later: they draw random numbers of their own.
    pub const CLIPPED: [Self; 3] = [Self::MseOldClipped, Self::MseRetrainedClipped, Self::MseLinearClipped];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Probe => "accuracy, logistic probe of the code",
            Self::Classifier => "accuracy, classifier against probe before",
            Self::MseOld => "error, old decoder",
            Self::MseRetrained => "error, decoders trained again",
            Self::MseLinear => "error, best linear decoder",
            Self::MseBest => "error, best of the three",
            Self::MseOldClipped => "error of clipped pictures, old decoder",
            Self::MseRetrainedClipped => "error of clipped pictures, decoders trained again",
            Self::MseLinearClipped => "error of clipped pictures, best linear decoder",
            Self::RecoveredRetrained => "share recovered by decoders trained again",
            Self::RecoveredBest => "share recovered by the best decoder",
            Self::RecoveredRetrainedClipped => "share of clipped pictures recovered by decoders trained again",
            Self::RecoveredLinearClipped => "share of clipped pictures recovered by the best linear decoder",
            Self::Cka => "CKA of the codes",
            Self::Correlation => "rho of both changes",
            Self::PartialCorrelation => "rho of both changes, values before held fixed",
        }
    }

    /// How numbers name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Classifier => "classifier",
            Self::MseOld => "mse-old",
            Self::MseRetrained => "mse-retrained",
            Self::MseLinear => "mse-linear",
            Self::MseBest => "mse-best",
            Self::MseOldClipped => "mse-old-clipped",
            Self::MseRetrainedClipped => "mse-retrained-clipped",
            Self::MseLinearClipped => "mse-linear-clipped",
            Self::RecoveredRetrained => "recovered-retrained",
            Self::RecoveredBest => "recovered-best",
            Self::RecoveredRetrainedClipped => "recovered-retrained-clipped",
            Self::RecoveredLinearClipped => "recovered-linear-clipped",
            Self::Cka => "cka",
            Self::Correlation => "rho",
            Self::PartialCorrelation => "partial-rho",
        }
    }

    /// Whether it is a share of pictures.
    pub fn is_accuracy(self) -> bool {
        matches!(self, Self::Probe | Self::Classifier)
    }

    /// Whether it is a part of the old decoder's additional error.
    pub fn is_recovered_share(self) -> bool {
        use Quantity::{RecoveredBest, RecoveredLinearClipped, RecoveredRetrained, RecoveredRetrainedClipped};
        matches!(self, RecoveredRetrained | RecoveredBest | RecoveredRetrainedClipped | RecoveredLinearClipped)
    }

    /// Its values before and after.
    fn pair(self, ends: &Ends) -> Option<[f64; 2]> {
        let [before, after] = [ends.before, ends.after];
        let both = |value: fn(&StateRow) -> Option<f64>| Some([value(before)?, value(after)?]);
        match self {
            Self::Probe => both(|row| row.logistic),
            Self::Classifier => Some([before.logistic?, after.classifier?]),
            Self::MseOld => both(|row| row.mse_old),
            Self::MseRetrained => both(|row| row.mse_retrained),
            Self::MseLinear => both(|row| row.mse_linear),
            Self::MseBest => both(|row| row.mse_best),
            Self::MseOldClipped => both(|row| row.mse_old_clipped),
            Self::MseRetrainedClipped => both(|row| row.mse_retrained_clipped),
            Self::MseLinearClipped => both(|row| row.mse_linear_clipped),
            _ => None,
        }
    }
}

/// One network before and after.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// Epoch 0.
    pub before: &'a StateRow,
    /// The last epoch.
    pub after: &'a StateRow,
}

/// The networks of a variant whose end is known, by number.
pub fn ends<'r>(rows: &'r [StateRow], variant: Variant) -> Vec<Ends<'r>> {
    let known: Vec<&StateRow> = rows.iter().filter(|row| row.variant == variant && row.logistic.is_some()).collect();
    let pair = |before: &&'r StateRow| {
        let later = known.iter().filter(|row| row.network == before.network && row.epoch > 0);
        Some(Ends { before, after: later.max_by_key(|row| row.epoch)? })
    };
    known.iter().filter(|row| row.epoch == 0).filter_map(pair).collect()
}

/// Every change of a group and what follows from them. What is undefined (too few networks, nothing that changed) is left out, and
/// so is what cannot change where the encoder is not trained.
pub fn changes(rows: &[StateRow], group: Group, seed: u64) -> Vec<ChangeRow> {
    let mut found = Vec::new();
    for (at, variant) in Variant::ALL.into_iter().enumerate() {
        let mut ends = ends(rows, variant);
        ends.retain(|ends| group.takes(ends));
        let Some(data) = ends.first().map(|ends| ends.before.data.clone()) else { continue };
        let random = &mut stream(seed, "changes", at as u64);
        let row = |quantity, networks, estimate, [low, high]: [f64; 2]| {
            let (data, before, after, p) = (data.clone(), None, None, None);
            ChangeRow { data, group, variant, quantity, networks, before, after, estimate, low, high, p }
        };
        let of_encoder = |quantity: &Quantity| variant.trains_encoder() || *quantity == Quantity::Classifier;
        let change_of = |quantity: Quantity, random: &mut Stream| {
            let pairs: Vec<[f64; 2]> = ends.iter().filter_map(|ends| quantity.pair(ends)).collect();
            let [before, after] = [0, 1].map(|at| pairs.iter().map(|pair| pair[at]).collect::<Vec<f64>>());
            let change = paired_difference(&before, &after, PERMUTATIONS, RESAMPLES, CONFIDENCE, random)?;
            Some(ChangeRow {
                before: mean(&before),
                after: mean(&after),
                p: Some(change.sign_flip_p),
                ..row(quantity, pairs.len(), change.mean.estimate, of(&change.mean))
            })
        };
        found.extend(
            Quantity::CHANGES.into_iter().filter(of_encoder).filter_map(|quantity| change_of(quantity, random)),
        );
        if !variant.trains_encoder() {
            continue;
        }
        let share_of = |quantity, errors, random: &mut Stream| {
            let (networks, share) = recovered(&ends, errors, random)?;
            Some(row(quantity, networks, share.estimate, of(&share)))
        };
        for (quantity, other) in
            [(Quantity::RecoveredRetrained, Quantity::MseRetrained), (Quantity::RecoveredBest, Quantity::MseBest)]
        {
            found.extend(share_of(quantity, [Quantity::MseOld, other], random));
        }
        let alignments: Vec<f64> = ends.iter().filter_map(|ends| ends.after.cka).collect();
        let mean_of = |rows: &[usize]| Some(rows.iter().map(|&row| alignments[row]).sum::<f64>() / rows.len() as f64);
        if alignments.len() > 1
            && let Some(alignment) = bootstrap(alignments.len(), mean_of, RESAMPLES, CONFIDENCE, random)
        {
            found.push(row(Quantity::Cka, alignments.len(), alignment.estimate, of(&alignment)));
        }
        let both: Vec<([f64; 2], [f64; 2])> =
            ends.iter().filter_map(|ends| Some((Quantity::Probe.pair(ends)?, Quantity::MseOld.pair(ends)?))).collect();
        let (gains, qualities): (Vec<f64>, Vec<f64>) =
            both.iter().map(|(accuracy, error)| (accuracy[1] - accuracy[0], error[0] - error[1])).unzip();
        let before = |of: fn(&([f64; 2], [f64; 2])) -> f64| both.iter().map(of).collect::<Vec<f64>>();
        // Ranks, as everything else: the error before of a dead network is far from all others.
        let fixed = [before(|(accuracy, _)| accuracy[0]), before(|(_, error)| error[0])];
        let fixed = fixed.map(|values| average_ranks(&values).unwrap_or(values));
        for (quantity, fixed) in [(Quantity::Correlation, &[][..]), (Quantity::PartialCorrelation, &fixed[..])] {
            let one_stratum = vec![0; gains.len()];
            let relation = partial_rank_relation(&qualities, &gains, fixed, &one_stratum, &Settings::default(), random);
            if let Some(relation) = relation {
                let interval = relation.interval();
                found.push(ChangeRow {
                    p: Some(relation.permutation_p),
                    ..row(quantity, relation.rows, relation.rho, [interval.low, interval.high])
                });
            }
        }
        let random = &mut stream(seed, "changes-clipped", at as u64);
        found.extend(Quantity::CLIPPED.into_iter().filter_map(|quantity| change_of(quantity, random)));
        for (quantity, other) in [
            (Quantity::RecoveredRetrainedClipped, Quantity::MseRetrainedClipped),
            (Quantity::RecoveredLinearClipped, Quantity::MseLinearClipped),
        ] {
            found.extend(share_of(quantity, [Quantity::MseOldClipped, other], random));
        }
    }
    found
}

/// `1 - sum(other after - other before) / sum(old after - old before)` over networks, resampled; `None` where the old decoder
/// did not become worse. With it the number of networks that have all four errors.
fn recovered(ends: &[Ends], [old, other]: [Quantity; 2], random: &mut Stream) -> Option<(usize, Bootstrap)> {
    let lost = |quantity: Quantity, ends: &Ends| quantity.pair(ends).map(|[before, after]| after - before);
    let parts: Vec<[f64; 2]> = ends.iter().filter_map(|ends| Some([lost(other, ends)?, lost(old, ends)?])).collect();
    let share = |rows: &[usize]| {
        let sum = |at: usize| rows.iter().map(|&row| parts[row][at]).sum::<f64>();
        (sum(1) > 0.0).then(|| 1.0 - sum(0) / sum(1))
    };
    if parts.len() < 2 {
        return None;
    }
    Some((parts.len(), bootstrap(parts.len(), share, RESAMPLES, CONFIDENCE, random)?))
}

fn of(bootstrap: &Bootstrap) -> [f64; 2] {
    let interval = bootstrap.interval();
    [interval.low, interval.high]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::correlation::population::Initialisation;

    /// A network with an accuracy, the errors of old, re-trained and linear decoder, and CKA; known on test pictures.
    pub(crate) fn state(network: usize, variant: Variant, epoch: usize, values: [f64; 5]) -> StateRow {
        let [accuracy, old, retrained, linear, cka] = values.map(Some);
        StateRow {
            data: "set".to_string(),
            network,
            initialisation: Initialisation::Random,
            regulariser: "none".to_string(),
            samples_per_layer: 1_000,
            lr: 1e-3,
            seed: 1,
            variant,
            epoch,
            reason: String::new(),
            loss: None,
            classifier_validation: accuracy,
            ridge_validation: accuracy,
            mse_old_validation: old,
            mse_linear_validation: linear,
            logistic_validation: accuracy,
            mse_retrained_validation: retrained,
            classifier: accuracy.map(|accuracy| accuracy + 0.01),
            logistic: accuracy,
            r2: None,
            mse_old: old,
            mse_old_clipped: None,
            mse_retrained: retrained,
            mse_retrained_clipped: None,
            mse_linear_clipped: None,
            mse_linear: linear,
            mse_best: linear,
            cka,
        }
    }

    /// Four networks: accuracy rises by 0.1, 0.2, 0.3, 0.4, the old error by 1, 2, 3, 4; of it half is recovered by decoders
    /// trained again, and three quarters by the best.
    pub(crate) fn four() -> Vec<StateRow> {
        let of_network = |network: usize| {
            let step = (network + 1) as f64;
            let before = state(network, Variant::MiniBatch, 0, [0.5, 0.1, 0.1, 0.1, 1.0]);
            let watched = StateRow { logistic: None, mse_old: None, ..before.clone() };
            let between = StateRow { epoch: 1, ..watched };
            let errors = [0.1 + step, 0.1 + 0.5 * step, 0.1 + 0.25 * step];
            let after = [0.5 + 0.1 * step, errors[0], errors[1], errors[2], 0.4];
            [before, between, state(network, Variant::MiniBatch, 2, after)]
        };
        (0..4).flat_map(of_network).collect()
    }

    fn find(found: &[ChangeRow], quantity: Quantity) -> &ChangeRow {
        found.iter().find(|row| row.quantity == quantity).unwrap()
    }

    #[test]
    fn changes_by_hand() {
        let found = changes(&four(), Group::All, 1);
        let close = |quantity, estimate: f64| {
            let row = find(&found, quantity);
            assert!((row.estimate - estimate).abs() < 1e-12, "{quantity:?}: {}", row.estimate);
            assert!(row.low <= row.estimate && row.estimate <= row.high && row.networks == 4, "{row:?}");
        };
        close(Quantity::Probe, 0.25);
        close(Quantity::Classifier, 0.26);
        close(Quantity::MseOld, 2.5);
        close(Quantity::MseLinear, 0.625);
        close(Quantity::RecoveredRetrained, 0.5);
        close(Quantity::RecoveredBest, 0.75);
        close(Quantity::Cka, 0.4);
        let probe = find(&found, Quantity::Probe);
        assert!(
            [(probe.before, 0.5), (probe.after, 0.75)].iter().all(|(got, mean)| (got.unwrap() - mean).abs() < 1e-12)
        );
        // Who gains most accuracy loses most quality.
        assert_eq!(find(&found, Quantity::Correlation).estimate, -1.0);
        assert_eq!(found, changes(&four(), Group::All, 1));
    }

    #[test]
    fn a_network_without_an_end_does_not_enter() {
        let mut rows = four();
        (rows[11].logistic, rows[11].reason) = (None, "diverged".to_string());
        assert_eq!(ends(&rows, Variant::MiniBatch).len(), 3);
        assert_eq!(find(&changes(&rows, Group::All, 1), Quantity::Probe).networks, 3);
        assert!(ends(&rows, Variant::Reference).is_empty());
        assert!(changes(&[], Group::All, 1).is_empty());
    }

    #[test]
    fn values_before_explain_changes_that_follow_from_them_alone() {
        // Accuracy always ends at 0.9 and the error at 1, but for noise of each: both changes are what was missing before.
        let of_network = |network: usize| {
            let noise = |factor: usize| 0.06 * ((network * factor) % 20) as f64 / 20.0;
            // One is far from all others: ranks are held fixed, not values.
            let error = if network == 0 { 50.0 } else { 0.9 - 0.02 * network as f64 - noise(13) };
            let accuracy = 0.3 + 0.02 * network as f64;
            let after = [0.9 + noise(7), 1.0 + noise(11), 0.5, 0.5, 0.5];
            let before = state(network, Variant::MiniBatch, 0, [accuracy, error, 0.1, 0.1, 1.0]);
            [before, state(network, Variant::MiniBatch, 1, after)]
        };
        let rows: Vec<StateRow> = (0..20).flat_map(of_network).collect();
        let found = changes(&rows, Group::All, 1);
        let rho = |quantity| find(&found, quantity);
        assert!(rho(Quantity::Correlation).low > 0.8);
        let partial = rho(Quantity::PartialCorrelation);
        assert!(partial.estimate.abs() < 0.4 && partial.low < 0.0 && partial.networks == 20, "{partial:?}");
    }

    #[test]
    fn clipped_pictures_have_changes_of_their_own() {
        let mut rows = four();
        let unclipped = changes(&rows, Group::All, 1);
        for row in &mut rows {
            let later = row.epoch > 0;
            row.mse_old_clipped = Some(if later { 0.5 } else { 0.1 });
            row.mse_retrained_clipped = Some(if later { 0.3 } else { 0.1 });
            row.mse_linear_clipped = Some(if later { 0.2 } else { 0.1 });
        }
        let found = changes(&rows, Group::All, 1);
        let close = |quantity, estimate: f64| assert!((find(&found, quantity).estimate - estimate).abs() < 1e-12);
        close(Quantity::MseOldClipped, 0.4);
        close(Quantity::MseLinearClipped, 0.1);
        close(Quantity::RecoveredRetrainedClipped, 0.5);
        close(Quantity::RecoveredLinearClipped, 0.75);
        assert_eq!(found[..unclipped.len()], unclipped, "the others are what they were");
    }

    #[test]
    fn the_dead_are_in_one_group_and_not_in_the_other() {
        let mut rows = four();
        for row in rows.iter_mut().filter(|row| row.epoch == 0) {
            row.r2 = Some(if row.network == 3 { -0.01 } else { 0.5 });
        }
        let of = |group| changes(&rows, group, 1).iter().map(|row| (row.group, row.networks)).collect::<Vec<_>>();
        assert!(of(Group::All).iter().all(|row| *row == (Group::All, 4)));
        let living = of(Group::Living);
        assert!(living.len() > 5 && living.iter().all(|row| *row == (Group::Living, 3)), "{living:?}");
    }

    #[test]
    fn an_encoder_that_stays_changes_nothing_but_the_classifier() {
        let rows: Vec<StateRow> =
            four().into_iter().map(|row| StateRow { variant: Variant::HeadOnly, ..row }).collect();
        let found = changes(&rows, Group::All, 1);
        assert_eq!(found.iter().map(|row| row.quantity).collect::<Vec<_>>(), [Quantity::Classifier]);
    }

    #[test]
    fn nothing_is_recovered_where_nothing_was_lost() {
        let mut rows = four();
        rows.iter_mut().for_each(|row| row.mse_old = Some(0.1));
        let found = changes(&rows, Group::All, 1);
        assert!(found.iter().all(|row| row.quantity != Quantity::RecoveredBest));
        assert!(found.iter().all(|row| row.quantity != Quantity::Correlation), "a constant has no ranks");
        assert_eq!(find(&found, Quantity::MseOld).estimate, 0.0);
    }
}
