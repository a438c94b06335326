//! F4: strings of beads, an encoder on each.

use super::{analysis::Analysis, row::Decoder};
use crate::{
    figures::{LinePlot, LinePoint, LineSeries, Scale},
    report::format::{error, percent},
};

/// Accuracy against the error by every decoder; what belongs to one encoder hangs on a thread.
pub fn beads(data: &str, found: &Analysis) -> LinePlot {
    let threads = found.encoders.iter().map(|encoder| {
        let points = Decoder::ALL.map(|decoder| LinePoint {
            x: 100.0 * encoder.accuracy,
            y: encoder.mse(decoder),
            ..LinePoint::default()
        });
        LineSeries { joined: true, points: points.to_vec(), ..LineSeries::default() }
    });
    let beads = Decoder::ALL.into_iter().map(|decoder| {
        let points = found.encoders.iter().map(|encoder| LinePoint {
            x: 100.0 * encoder.accuracy,
            y: encoder.mse(decoder),
            title: format!(
                "{}, accuracy {}, {}: {}",
                encoder.name,
                percent(encoder.accuracy),
                decoder.label(),
                error(encoder.mse(decoder))
            ),
            ..LinePoint::default()
        });
        LineSeries {
            name: decoder.label().to_string(),
            style: Some(decoder.place()),
            joined: false,
            points: points.collect(),
        }
    });
    LinePlot {
        title: format!("{data}: the error of {} encoders under {} decoders", found.encoders.len(), Decoder::ALL.len()),
        description: format!(
            "Of the variation of the logarithm of the error, decoder and interaction carry {}.",
            percent(found.share)
        ),
        x_title: "accuracy of the logistic probe, %".to_string(),
        y_title: "mean squared error".to_string(),
        y_scale: Scale::Logarithmic,
        series_title: "decoder".to_string(),
        series: threads.chain(beads).collect(),
        ..LinePlot::default()
    }
}
