//! Whose error is it? Analysis of variance, rankings and gaps over encoders and decoders.

use super::{
    REPLICATES,
    errors::{EncoderErrors, encoder_errors, errors_under},
    row::{Decoder, DecoderRow},
    shares::{OtherShare, ShareOf, other_share},
};
use crate::{
    statistics::{
        CONFIDENCE, Concordance, Interval, RESAMPLES, RankRelation, ScoreComparison, Settings, TwoWayAnova, Verdict,
        bootstrap, compare_scores, kendall_w, partial_rank_relation, rank_relation, two_way_anova,
    },
    suite::claims::{DECODER_SHARE, above},
};
use patchgrad::random::{Stream, stream};

/// Log test errors over encoders and some decoders, [`REPLICATES`] values a cell; the value of a decoder without
/// randomness stands for all of them. Encoders count as different even where one is there twice. `None` where
/// [`two_way_anova`] is.
pub fn decomposition(encoders: &[&EncoderErrors], decoders: &[Decoder]) -> Option<TwoWayAnova> {
    let (mut values, mut encoder_levels, mut decoder_levels) = (Vec::new(), Vec::new(), Vec::new());
    for (encoder, of_encoder) in encoders.iter().enumerate() {
        for &decoder in decoders {
            let errors = &of_encoder.errors[decoder.place()];
            for replicate in 0..REPLICATES {
                values.push(errors[replicate % errors.len()].ln());
                encoder_levels.push(encoder);
                decoder_levels.push(decoder);
            }
        }
    }
    two_way_anova(&values, &encoder_levels, &decoder_levels)
}

/// The share of the variation that decoder and interaction carry.
pub fn decoder_share(table: &TwoWayAnova) -> f64 {
    table.second.eta_squared + table.interaction.map_or(0.0, |interaction| interaction.eta_squared)
}

/// What follows from the rows of one data set.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The encoders with an error under every decoder.
    pub encoders: Vec<EncoderErrors>,
    /// How many encoders entered the analysis of variance: those with an error under each of [`Decoder::TRAINED`].
    pub entered: usize,
    /// How many dropped out of it.
    pub dropped: usize,
    /// How many of those that entered are dead.
    pub dead: usize,
    /// The analysis of variance.
    pub table: TwoWayAnova,
    /// [`decoder_share`].
    pub share: f64,
    /// Its 95 % interval over resampled encoders.
    pub interval: Option<Interval>,
    /// Claim C4.
    pub verdict: Verdict,
    /// The share looked at in other ways, of which none decides: those that exist.
    pub others: Vec<OtherShare>,
    /// Do the decoders that were trained for longest rank the encoders alike?
    pub trained: Option<Concordance>,
    /// Do all decoders?
    pub all: Option<Concordance>,
    /// Quality by the own decoder against accuracy.
    pub own: Option<RankRelation>,
    /// Quality by the best decoder against accuracy.
    pub best: Option<RankRelation>,
    /// The gap between own and best decoder against accuracy.
    pub gap: Option<RankRelation>,
    /// How much more closely the best decoder follows the accuracy than the own one, over the same encoders.
    pub best_over_own: Option<ScoreComparison>,
    /// `own` with the logarithm of the code size held fixed.
    pub own_sized: Option<RankRelation>,
    /// `best` with the logarithm of the code size held fixed.
    pub best_sized: Option<RankRelation>,
}

impl Analysis {
    /// The share of the variation over repeats.
    pub fn residual(&self) -> f64 {
        self.table.residual_sum_of_squares / self.table.total_sum_of_squares
    }

    /// What goes with accuracy: how numbers and how tables name it.
    pub fn relations(&self) -> [(&'static str, &'static str, Option<RankRelation>); 5] {
        [
            ("own", "quality by the own decoder", self.own),
            ("best", "quality by the best decoder", self.best),
            ("gap", "gap of own and best decoder", self.gap),
            ("own.sized", "quality by the own decoder, code size held fixed", self.own_sized),
            ("best.sized", "quality by the best decoder, code size held fixed", self.best_sized),
        ]
    }
}

/// Analyses the rows of one data set; `None` when fewer than two encoders can be looked at.
pub fn analyse(rows: &[DecoderRow], seed: u64) -> Option<Analysis> {
    let (of_claim, dropped) = encoder_errors(rows, |row| row.mse, &Decoder::TRAINED);
    let table = decomposition(&of_claim.iter().collect::<Vec<_>>(), &Decoder::TRAINED)?;
    let interval = share_interval(&of_claim, &Decoder::TRAINED, &mut stream(seed, "decoder-share", 0));
    let (encoders, _) = encoder_errors(rows, |row| row.mse, &Decoder::ALL);
    let other = |(at, of)| other_share(rows, of, &mut stream(seed, "decoder-share", at));
    let others = (1..).zip(ShareOf::ALL).filter_map(other).collect();
    let rankings = |encoders: &[EncoderErrors], decoders: &[Decoder]| {
        let by_decoder: Vec<Vec<f64>> = decoders.iter().map(|&decoder| errors_under(encoders, decoder)).collect();
        kendall_w(&by_decoder)
    };
    let accuracy: Vec<f64> = encoders.iter().map(|encoder| encoder.accuracy).collect();
    let relation = |of: &dyn Fn(&EncoderErrors) -> f64, index: u64| {
        let x: Vec<f64> = encoders.iter().map(of).collect();
        rank_relation(&x, &accuracy, &Settings::default(), &mut stream(seed, "decoder-relation", index))
    };
    let size: Vec<f64> = encoders.iter().map(|encoder| (encoder.code_size as f64).ln()).collect();
    let strata: Vec<usize> = encoders.iter().map(|encoder| encoder.code_size).collect();
    let qualities = [
        encoders.iter().map(|encoder| -encoder.mse(Decoder::Own)).collect::<Vec<f64>>(),
        encoders.iter().map(|encoder| -encoder.mse(encoder.best())).collect(),
    ];
    let sized = |of: usize| {
        let random = &mut stream(seed, "decoder-relation", 4 + of as u64);
        partial_rank_relation(
            &qualities[of],
            &accuracy,
            std::slice::from_ref(&size),
            &strata,
            &Settings::default(),
            random,
        )
    };
    let random = &mut stream(seed, "decoder-relation", 3);
    Some(Analysis {
        best_over_own: compare_scores(&qualities[1], &qualities[0], &accuracy, RESAMPLES, CONFIDENCE, random),
        own_sized: sized(0),
        best_sized: sized(1),
        entered: of_claim.len(),
        dead: of_claim.iter().filter(|encoder| encoder.dead).count(),
        dropped,
        share: decoder_share(&table),
        interval,
        others,
        verdict: interval.map_or(Verdict::Inconclusive, |interval| above(interval, DECODER_SHARE)),
        trained: rankings(&of_claim, &Decoder::TRAINED),
        all: rankings(&encoders, &Decoder::ALL),
        own: relation(&|encoder| -encoder.mse(Decoder::Own), 0),
        best: relation(&|encoder| -encoder.mse(encoder.best()), 1),
        gap: relation(&EncoderErrors::gap, 2),
        table,
        encoders,
    })
}

/// The 95 % interval of [`decoder_share`] over resampled encoders.
pub(super) fn share_interval(
    encoders: &[EncoderErrors],
    decoders: &[Decoder],
    random: &mut Stream,
) -> Option<Interval> {
    let share = |drawn: &[usize]| {
        let drawn: Vec<&EncoderErrors> = drawn.iter().map(|&at| &encoders[at]).collect();
        decomposition(&drawn, decoders).map(|table| decoder_share(&table))
    };
    bootstrap(encoders.len(), share, RESAMPLES, CONFIDENCE, random).map(|resampled| resampled.interval())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::correlation::network::Status;

    /// The rows of an encoder under every decoder; `error` gives the test error of a repeat.
    pub(in crate::decoder_bias) fn rows(
        network: usize,
        logistic: f64,
        error: impl Fn(Decoder, usize) -> f64,
    ) -> Vec<DecoderRow> {
        let row = |decoder: Decoder, replicate: usize| DecoderRow {
            data: "set".to_string(),
            network,
            geometry: "k28".to_string(),
            depth: 1,
            code_size: 16,
            encoder: "relu".to_string(),
            own_decoder: "linear".to_string(),
            decoder,
            replicate,
            status: Status::Ok,
            reason: String::new(),
            patches: None,
            epochs: None,
            scale: None,
            logistic: Some(logistic),
            logistic_validation: Some(logistic),
            mse: Some(error(decoder, replicate)),
            mse_clipped: Some(error(decoder, replicate)),
            r2: Some(0.5),
            mse_validation: Some(error(decoder, replicate)),
        };
        let repeats = |decoder: Decoder| if decoder.is_random() { REPLICATES } else { 1 };
        Decoder::ALL.into_iter().flat_map(|decoder| (0..repeats(decoder)).map(move |at| row(decoder, at))).collect()
    }

    /// Six encoders whose log error is `encoder` times their number plus `decoder` times the place of the decoder, with a
    /// little noise over repeats.
    fn six(encoder: f64, decoder: f64) -> Vec<DecoderRow> {
        let of = |network: usize| {
            let error = move |kind: Decoder, replicate: usize| {
                let noise = 1e-3 * ((network * 7 + kind.place() * 3 + replicate * 5) % 11) as f64;
                (encoder * network as f64 + decoder * kind.place() as f64 + noise - 5.0).exp()
            };
            rows(network, 0.9 - 0.05 * network as f64, error)
        };
        (0..6).flat_map(of).collect()
    }

    #[test]
    fn an_error_that_follows_the_decoder_supports_the_claim() {
        let found = analyse(&six(0.01, 0.3), 1).unwrap();
        assert!(found.share > 0.99 && found.table.first.eta_squared < 0.01, "{:?}", found.table);
        assert_eq!((found.verdict, found.encoders.len(), found.dropped), (Verdict::Supported, 6, 0));
    }

    #[test]
    fn an_error_that_follows_the_encoder_contradicts_it() {
        let found = analyse(&six(0.5, 0.001), 1).unwrap();
        assert!(found.share < 0.01, "{:?}", found.table);
        assert_eq!(found.verdict, Verdict::Contradicted);
        assert!(found.interval.unwrap().high < DECODER_SHARE);
        assert!((found.trained.unwrap().w - 1.0).abs() < 1e-12 && (found.all.unwrap().w - 1.0).abs() < 1e-12);
        // The smaller the error, the better the accuracy.
        let rho = |relation: Option<RankRelation>| relation.unwrap().rho;
        assert_eq!((rho(found.own), rho(found.best)), (1.0, 1.0));
        assert_eq!(found.best_over_own.unwrap().difference.estimate, 0.0, "both follow it as closely");
        // All codes are of one size: nothing is held fixed.
        assert_eq!((rho(found.own_sized), rho(found.best_sized)), (1.0, 1.0));
    }

    #[test]
    fn what_the_best_decoder_adds_is_told_with_its_sign() {
        // The own decoder's error rises with the accuracy, the perceptron's, the best, falls.
        let of = |network: usize| {
            rows(network, 0.5 + 0.05 * network as f64, move |kind, _| match kind {
                Decoder::Own => 0.5 + 0.01 * network as f64,
                Decoder::Mlp => 0.2 - 0.01 * network as f64,
                _ => 0.9,
            })
        };
        let found = analyse(&(0..6).flat_map(of).collect::<Vec<_>>(), 1).unwrap();
        assert!((found.best_over_own.unwrap().difference.estimate - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_relation_of_code_sizes_is_not_one_within_them() {
        // Larger codes are better at both; within a size the smaller error has the lower accuracy.
        let of = |network: usize| {
            let (size, place) = (network / 4, (network % 4) as f64);
            let accuracy = 0.5 + 0.2 * size as f64 - 0.01 * place;
            let mut rows = rows(network, accuracy, move |_, _| 0.5 - 0.2 * size as f64 - 0.01 * place);
            rows.iter_mut().for_each(|row| row.code_size = [16, 64][size]);
            rows
        };
        let found = analyse(&(0..8).flat_map(of).collect::<Vec<_>>(), 1).unwrap();
        let rho = |relation: Option<RankRelation>| relation.unwrap().rho;
        assert!(rho(found.own) > 0.3 && rho(found.own_sized) < -0.9, "{:?} {:?}", found.own, found.own_sized);
        assert!(rho(found.best) > 0.3 && rho(found.best_sized) < -0.9);
    }

    #[test]
    fn rankings_that_turn_with_the_decoder_are_an_interaction() {
        let of = |network: usize| {
            rows(network, 0.5, move |kind, replicate| {
                let sign = if kind.place() % 2 == 0 { 1.0 } else { -1.0 };
                (sign * (network as f64 - 2.5) + 1e-3 * (replicate + 2 * network) as f64).exp()
            })
        };
        let rows: Vec<DecoderRow> = (0..6).flat_map(of).collect();
        let found = analyse(&rows, 1).unwrap();
        assert!(found.table.interaction.unwrap().eta_squared > 0.5);
        assert!(found.all.unwrap().w < 0.1);
        assert!(found.own.is_none(), "one accuracy for all has no correlation");
    }

    #[test]
    fn encoders_that_failed_or_have_holes_drop_out() {
        let mut rows = six(0.1, 0.1);
        for row in rows.iter_mut().filter(|row| row.network == 2) {
            (row.status, row.logistic, row.mse) = (Status::Failed, None, None);
        }
        for (network, decoder) in [(4, Decoder::Linear), (3, Decoder::Tied)] {
            rows.iter_mut().find(|row| row.network == network && row.decoder == decoder).unwrap().mse = None;
        }
        // One repeat of three may be missing.
        rows.iter_mut().find(|row| row.network == 5 && row.decoder == Decoder::Mlp).unwrap().mse = Some(f64::INFINITY);
        let of = |decoders: &[Decoder]| encoder_errors(&rows, |row| row.mse, decoders);
        let networks = |found: &[EncoderErrors]| found.iter().map(|encoder| encoder.network).collect::<Vec<_>>();
        let (found, dropped) = of(&Decoder::ALL);
        assert_eq!((networks(&found), dropped), (vec![0, 1, 5], 3));
        assert_eq!(found[2].errors[Decoder::Mlp.place()].len(), 2);
        // The claim looks at decoders that were trained to their end: the transposed weights are none of them.
        assert!(!Decoder::TRAINED.contains(&Decoder::Tied) && Decoder::TRAINED.contains(&Decoder::Linear));
        let (found, dropped) = of(&Decoder::TRAINED);
        assert_eq!((networks(&found), dropped), (vec![0, 1, 3, 5], 2));
        assert_eq!(found[2].validation[Decoder::Tied.place()], f64::INFINITY);
        let analysis = analyse(&rows, 1).unwrap();
        assert_eq!((analysis.entered, analysis.dropped, analysis.encoders.len()), (4, 2, 3));
        assert!(analyse(&[], 1).is_none());
        assert!(analyse(&six(0.1, 0.1)[..25], 1).is_none(), "one encoder");
    }

    #[test]
    fn the_share_of_the_decoder_is_given_without_perceptrons_too() {
        // Only perceptrons differ from the own decoder, and by much.
        let of = |network: usize| {
            rows(network, 0.5 + 0.01 * network as f64, move |kind, replicate| {
                let worse = if matches!(kind, Decoder::Mlp | Decoder::DeepMlp) { 2.0 } else { 0.0 };
                (0.3 * network as f64 + worse + 1e-3 * ((network + 2 * replicate) % 3) as f64).exp()
            })
        };
        let rows: Vec<DecoderRow> = (0..6).flat_map(of).collect();
        let found = analyse(&rows, 1).unwrap();
        let without = find(&found, ShareOf::WithoutPerceptrons);
        assert!(found.share > 0.5 && without.share < 0.01 && without.high.unwrap() < 0.05, "{without:?}");
    }

    fn find(found: &Analysis, of: ShareOf) -> &OtherShare {
        found.others.iter().find(|other| other.of == of).unwrap()
    }

    #[test]
    fn the_share_of_the_decoder_is_given_without_codes_that_hold_nothing_and_clipped() {
        // Five alike under each decoder, and one that no decoder can decode, far from them under all: it hides the
        // decoders' part. That the own decoder of another one is worse than the mean picture takes it out of nothing.
        let of = |network: usize| {
            rows(network, 0.5 + 0.01 * network as f64, move |kind, replicate| {
                let far = if network == 5 { 20.0 } else { 0.0 };
                (far + 0.3 * kind.place() as f64 + 1e-3 * ((network + 2 * replicate) % 3) as f64).exp()
            })
        };
        let mut rows: Vec<DecoderRow> = (0..6).flat_map(of).collect();
        for row in &mut rows {
            if row.network == 5 || row.network == 4 && row.decoder == Decoder::Own {
                (row.status, row.r2) = (Status::Dead, Some(-0.5));
            }
            row.mse_clipped = Some(0.1 + 0.1 * row.network as f64 + 1e-4 * row.replicate as f64);
        }
        let found = analyse(&rows, 1).unwrap();
        let (decodable, clipped) = (find(&found, ShareOf::Decodable), find(&found, ShareOf::Clipped));
        assert!(found.share < 0.05 && decodable.share > 0.99, "{} and {decodable:?}", found.share);
        assert_eq!((decodable.encoders, clipped.encoders), (5, 6));
        assert!(clipped.share < 0.01, "clipped errors do not depend on the decoder: {clipped:?}");
        // Of one encoder there is no table.
        let one = rows.iter().filter(|row| row.network >= 4).cloned().collect::<Vec<_>>();
        assert!(analyse(&one, 1).unwrap().others.iter().all(|other| other.of != ShareOf::Decodable));
    }
}
