//! What becomes of all encoders under each decoder.

use super::{
    errors::{EncoderErrors, errors_under},
    row::Decoder,
};
use crate::statistics::{kendall_tau_b, median};
use serde::Serialize;

/// A decoder over all encoders: a row of `decoders.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecoderSummary {
    /// Who decodes.
    pub decoder: Decoder,
    /// Encoders.
    pub encoders: usize,
    /// Median of the mean squared error over encoders.
    pub median_mse: f64,
    /// Median over encoders of its error over that of the best decoder.
    pub median_ratio: f64,
    /// Encoders under which it is the best by validation error.
    pub best: usize,
    /// Kendall's tau of its ranking of the encoders and that of their own decoders.
    pub tau_own: Option<f64>,
    /// Kendall's tau of its ranking of the encoders and that by accuracy: positive when a smaller error goes with a better
    /// accuracy.
    pub tau_accuracy: Option<f64>,
}

/// Every decoder, in the order of tables.
pub fn summaries(encoders: &[EncoderErrors]) -> Vec<DecoderSummary> {
    let (own, accuracy) = (errors_under(encoders, Decoder::Own), encoders.iter().map(|encoder| encoder.accuracy));
    let accuracy: Vec<f64> = accuracy.collect();
    let summary = |decoder: Decoder| {
        let errors = errors_under(encoders, decoder);
        let ratios = encoders.iter().map(|encoder| encoder.mse(decoder) / encoder.mse(encoder.best()));
        let quality: Vec<f64> = errors.iter().map(|error| -error).collect();
        Some(DecoderSummary {
            decoder,
            encoders: encoders.len(),
            median_ratio: median(&ratios.collect::<Vec<f64>>())?,
            best: encoders.iter().filter(|encoder| encoder.best() == decoder).count(),
            tau_own: kendall_tau_b(&own, &errors),
            tau_accuracy: kendall_tau_b(&quality, &accuracy),
            median_mse: median(&errors)?,
        })
    };
    Decoder::ALL.into_iter().filter_map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{analysis::tests::rows, errors::encoder_errors, row::DecoderRow},
        *,
    };

    #[test]
    fn gaps_and_summaries_by_hand() {
        let rows: Vec<DecoderRow> = (0..2)
            .flat_map(|network| {
                rows(network, 0.5 + 0.1 * network as f64, move |kind, _| match kind {
                    Decoder::Own => 0.3 + 0.1 * network as f64,
                    Decoder::DeepMlp => 0.2,
                    _ => 0.5 - 0.1 * network as f64,
                })
            })
            .collect();
        let (encoders, _) = encoder_errors(&rows, |row| row.mse, &Decoder::ALL);
        assert_eq!(encoders[0].best(), Decoder::DeepMlp);
        assert!((encoders[0].gap() - 0.5).abs() < 1e-12 && (encoders[1].gap() - 1.0).abs() < 1e-12);
        let found = summaries(&encoders);
        let own = &found[Decoder::Own.place()];
        assert_eq!((own.encoders, own.best, own.tau_own, own.tau_accuracy), (2, 0, Some(1.0), Some(-1.0)));
        assert!((own.median_mse - 0.35).abs() < 1e-12 && (own.median_ratio - 1.75).abs() < 1e-12);
        let linear = &found[Decoder::Linear.place()];
        assert_eq!((linear.tau_own, linear.tau_accuracy), (Some(-1.0), Some(1.0)));
        let best = &found[Decoder::DeepMlp.place()];
        assert_eq!((best.best, best.tau_own, best.median_ratio), (2, None, 1.0));
    }
}
