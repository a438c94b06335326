//! Where E3 differs from its protocol, as the page says it.

use super::{REPLICATES, effort, encoders};
use crate::{report::format::count as grouped, separability::PROBE_PICTURES, suite::Profile};

/// Where the experiment differs from the protocol.
pub(super) fn deviations() -> Vec<String> {
    let [quick, full] = [Profile::Quick, Profile::Full].map(effort);
    vec![
        format!(
            "E3 takes its {} encoders (quick: {}) at even distances of their index in P1, not spread over accuracy: networks \
             chosen by an outcome would bias what is said about that outcome.",
            encoders(Profile::Full),
            encoders(Profile::Quick)
        ),
        "The analysis of variance of E3 has five of its eleven decoders, those that were trained for longest: the others are worse on \
         purpose or by few patches, and how much worse is a choice of this experiment. Table T3b has the share over all eleven \
         beside it."
            .to_string(),
        format!(
            "E3 shows re-trained decoders at most {} patches a layer in the quick profile, {} in the full one; perceptrons \
             learn what the optimal linear decoder leaves over, for at most {} and {} epochs (more where pictures are few), along \
             which their learning rate falls to 0. A longer schedule might lower their error further; the share of the decoder is \
             given without them as well.",
            grouped(quick.patches[2]),
            grouped(full.patches[2]),
            quick.epochs,
            full.epochs
        ),
        "E3 trains decoders anew by Adam at 0.003, where the protocol has rates of 0.01 to 0.03 for plain descent; the p of its \
         correlations are not corrected for their number, and no verdict rests on them."
            .to_string(),
        format!(
            "In E3, probes and decoders that learn from whole pictures see at most {} training pictures.",
            grouped(PROBE_PICTURES)
        ),
        format!(
            "The analysis of variance of E3 has {REPLICATES} values in every cell; a decoder without randomness gives the same \
             one {REPLICATES} times."
        ),
    ]
}
