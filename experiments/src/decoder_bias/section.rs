//! What E3 has to say on the page: figures F4 and F5, table T3, the finding for C4.

use super::{
    analysis::{Analysis, analyse},
    errors::EncoderErrors,
    figures,
    pictures::SHOWN,
    row::{Decoder, DecoderRow},
    summary::{DecoderSummary, summaries},
};
use crate::{
    report::format::{NONE, error, interval, number, optional, p_value, percent},
    statistics::{Interval, RankRelation, ScoreComparison},
    suite::{
        Block, Image, Results, Section,
        claims::{Claim, Finding},
        columns,
    },
};

/// The part of one data set.
pub(super) fn add(section: &mut Section, of_set: &Results, rows: &[DecoderRow], pictures: Option<Image>) {
    let (set, seed) = (of_set.set, of_set.identity.seed);
    let Some(first) = rows.first() else { return };
    let data = first.data.clone();
    section.blocks.push(Block::Heading(data.clone()));
    let Some(found) = analyse(rows, seed) else {
        section.blocks.push(Block::Text(
            "Too few encoders have an error under the decoders that were trained to their end.".to_string(),
        ));
        return;
    };
    if !found.encoders.is_empty() {
        section.blocks.push(Block::Figure {
            id: "F4",
            caption: format!(
                "{data}. Every thread is an encoder, at the accuracy of a logistic probe on its code; the beads on it are its test \
                 errors under the decoders, means over repeats. Accuracy does not depend on the decoder."
            ),
            image: Image::Svg(figures::beads(&data, &found).leading_to_networks_of(of_set.networks()).to_svg()),
        });
    }
    if let Some(image) = pictures {
        let names: Vec<&str> = SHOWN.iter().map(|decoder| decoder.label()).collect();
        section.blocks.push(Block::Figure {
            id: "F5",
            caption: format!(
                "{data}. Test pictures (left) and what decoders make of the codes of one encoder, the first that did not fail; \
                 from the left: {}.",
                names.join("; ")
            ),
            image,
        });
    }
    section.blocks.push(Block::Table {
        id: "T3",
        caption: format!(
            "{data}. Decoders over {} encoders: median test error, median ratio to the error of the encoder's best decoder (by \
             validation), encoders for which it is the best, Kendall's tau of its ranking of the encoders with that by the own \
             decoders, and of its quality with accuracy.",
            found.encoders.len()
        ),
        columns: columns([
            "decoder",
            "#median MSE",
            "#over the best",
            "#best of",
            "#tau with own",
            "#tau with accuracy",
        ]),
        rows: summaries(&found.encoders).iter().map(summary_cells).collect(),
    });
    section.blocks.push(Block::Table {
        id: "T3b",
        caption: format!(
            "{data}. Shares of the variation of the logarithm of the test error (eta squared) over encoders and the decoders \
             trained for longest, and degrees of freedom. Repeats of decoders without randomness are equal, so there are no \
             F tests. Further lines look at the share of decoder and interaction in other ways: the verdict rests on none of \
             them. Kendall's W is how alike decoders rank the encoders, 1 for one order, 0 for none in common."
        ),
        columns: columns(["source", "#share, or W", "#degrees of freedom, interval or p"]),
        rows: variance_cells(&found),
    });
    section.blocks.push(Block::Table {
        id: "T3c",
        caption: format!(
            "{data}. Spearman's rho with the accuracy of the logistic probe over encoders, 95 % interval, permutation p. \
             Quality is the negative error. The gap is (MSE of the own - MSE of the best decoder) / MSE of the best. The difference \
             of both correlations is that over the same encoders, redrawn together, its p that of Steiger's test. With the code size held \
             fixed p is by permutation within code sizes."
        ),
        columns: columns(["accuracy and", "#n", "#rho", "#interval", "#p"]),
        rows: found.relations()
            .into_iter()
            .map(|(_, name, relation)| relation_cells(name, relation))
            .chain(found.best_over_own.map(difference_cells))
            .collect(),
    });
    section.findings.push(finding(&data, &found));
    for (key, value) in numbers(&found) {
        section.numbers.insert(format!("{set}.{key}"), value);
    }
}

fn finding(data: &str, found: &Analysis) -> Finding {
    let ends = found.interval.map_or("unknown".to_string(), interval);
    Finding {
        claim: Claim::C4,
        data: data.to_string(),
        verdict: found.verdict,
        numbers: format!(
            "over {} encoders, decoder and interaction carry {} of the variation of the log error (95 % interval of the share \
             {ends}), encoders {}",
            found.entered,
            percent(found.share),
            percent(found.table.first.eta_squared)
        ),
    }
}

/// Numbers by name, without the data set.
fn numbers(found: &Analysis) -> Vec<(String, String)> {
    let interaction = found.table.interaction.map_or(0.0, |interaction| interaction.eta_squared);
    let mut all = vec![
        ("encoders".to_string(), found.entered.to_string()),
        ("dropped".to_string(), found.dropped.to_string()),
        ("share".to_string(), number(found.share, 2)),
        ("interval".to_string(), found.interval.map_or(NONE.to_string(), interval)),
        ("eta.encoder".to_string(), number(found.table.first.eta_squared, 2)),
        ("eta.decoder".to_string(), number(found.table.second.eta_squared, 2)),
        ("eta.interaction".to_string(), number(interaction, 2)),
        ("concordance.trained".to_string(), optional(found.trained.map(|concordance| concordance.w), 2)),
        ("concordance.all".to_string(), optional(found.all.map(|concordance| concordance.w), 2)),
    ];
    let summaries = summaries(&found.encoders);
    // None of them has an error under every decoder: nothing is compared over all.
    if !summaries.is_empty() {
        let of = |decoder: Decoder| &summaries[decoder.place()];
        all.push(("own.over-best".to_string(), number(of(Decoder::Own).median_ratio, 2)));
        all.push(("linear.tau-own".to_string(), optional(of(Decoder::Linear).tau_own, 2)));
        let deeper_is_worse = |encoder: &&EncoderErrors| encoder.mse(Decoder::DeepMlp) > encoder.mse(Decoder::Mlp);
        all.push(("deep-mlp.worse".to_string(), found.encoders.iter().filter(deeper_is_worse).count().to_string()));
        all.push(("linear.best".to_string(), of(Decoder::Linear).best.to_string()));
        all.push(("mlp.best".to_string(), of(Decoder::Mlp).best.to_string()));
        let widest = found.encoders.iter().map(EncoderErrors::gap).fold(f64::NEG_INFINITY, f64::max);
        all.push(("gap.largest".to_string(), number(widest, 2)));
    }
    for other in &found.others {
        let key = other.of.name();
        all.push((format!("{key}.share"), number(other.share, 2)));
        all.push((format!("{key}.interval"), other.interval().map_or(NONE.to_string(), interval)));
        all.push((format!("{key}.encoders"), other.encoders.to_string()));
    }
    for (key, _, relation) in found.relations() {
        all.push((format!("{key}.rho"), optional(relation.map(|relation| relation.rho), 2)));
        let ends = relation.map_or(NONE.to_string(), |relation| interval(relation.interval()));
        all.push((format!("{key}.interval"), ends));
    }
    if let Some(compared) = found.best_over_own {
        all.push(("best-over-own".to_string(), number(compared.difference.estimate, 2)));
        all.push(("best-over-own.interval".to_string(), interval(compared.difference.interval())));
    }
    all
}

fn summary_cells(row: &DecoderSummary) -> Vec<String> {
    vec![
        row.decoder.label().to_string(),
        error(row.median_mse),
        number(row.median_ratio, 2),
        row.best.to_string(),
        optional(row.tau_own, 2),
        optional(row.tau_accuracy, 2),
    ]
}

fn variance_cells(found: &Analysis) -> Vec<Vec<String>> {
    let table = &found.table;
    let row = |name: &str, share: f64, freedom: String| vec![name.to_string(), number(share, 3), freedom];
    let mut rows = vec![
        row("encoder", table.first.eta_squared, table.first.freedom.to_string()),
        row("decoder", table.second.eta_squared, table.second.freedom.to_string()),
    ];
    if let Some(interaction) = table.interaction {
        rows.push(row("interaction", interaction.eta_squared, interaction.freedom.to_string()));
    }
    rows.push(row("repeats", found.residual(), table.residual_freedom.to_string()));
    let ends = |of: Option<Interval>| of.map_or(NONE.to_string(), interval);
    rows.push(row("decoder and interaction", found.share, ends(found.interval)));
    for other in &found.others {
        rows.push(row(other.of.label(), other.share, ends(other.interval())));
    }
    for (name, concordance) in [("the five decoders", found.trained), ("all decoders", found.all)] {
        let Some(concordance) = concordance else { continue };
        let p = p_value(concordance.p);
        rows.push(row(&format!("Kendall's W of {name}"), concordance.w, format!("p = {p}")));
    }
    rows
}

fn difference_cells(compared: ScoreComparison) -> Vec<String> {
    let difference = compared.difference;
    vec![
        "quality by the best minus by the own decoder".to_string(),
        NONE.to_string(),
        number(difference.estimate, 2),
        interval(difference.interval()),
        compared.steiger.map_or(NONE.to_string(), |test| p_value(test.p)),
    ]
}

fn relation_cells(name: &str, relation: Option<RankRelation>) -> Vec<String> {
    let cell = |of: &dyn Fn(RankRelation) -> String| relation.map_or(NONE.to_string(), of);
    vec![
        name.to_string(),
        cell(&|relation| relation.rows.to_string()),
        cell(&|relation| number(relation.rho, 2)),
        cell(&|relation| interval(relation.interval())),
        cell(&|relation| p_value(relation.permutation_p)),
    ]
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::analysis::tests::rows;
    use super::*;
    use crate::{
        figures::{Colour, Sheet},
        statistics::Verdict,
        sweep::Identity,
    };
    use std::path::Path;

    /// Five encoders whose own decoder is the best.
    pub(in crate::decoder_bias) fn five() -> Vec<DecoderRow> {
        let of = |network: usize| {
            rows(network, 0.5 + 0.1 * network as f64, move |decoder, replicate| {
                0.05 + 0.02 * decoder.place() as f64 + 0.001 * ((network * 3 + replicate) % 4) as f64
            })
        };
        (0..5).flat_map(of).collect()
    }

    #[test]
    fn a_set_has_its_figures_finding_and_numbers() {
        let mut section = Section::default();
        let identity = Identity::made_up("decoder-bias");
        let folder = Path::new("nowhere");
        let results = Results { set: "mnist", folder, identity: &identity, has_networks: true };
        let png = Sheet::mosaic(&[[0.0_f32; 4]], [2, 2], Colour::Grey, 1).to_png();
        add(&mut section, &results, &five(), Image::png(png, ""));
        let figures = section.blocks.iter().filter(|block| matches!(block, Block::Figure { .. }));
        assert_eq!((figures.count(), section.blocks.len()), (2, 6));
        let leads = |block: &Block| matches!(block, Block::Figure { image: Image::Svg(svg), .. } if svg.contains("#mnist-P1-4"));
        assert!(section.blocks.iter().any(leads), "beads lead to their networks");
        for block in &section.blocks {
            if let Block::Table { columns, rows, .. } = block {
                assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns.len()));
            }
        }
        assert_eq!((section.findings[0].claim, section.findings[0].verdict), (Claim::C4, Verdict::Supported));
        assert_eq!(section.numbers["mnist.encoders"], "5");
        // The own decoder has the smallest error and is the best of all.
        assert_eq!(section.numbers["mnist.own.over-best"], "1.00");
        assert!(section.numbers.contains_key("mnist.linear.tau-own"));
        // Without the transposed weights nothing is compared over all decoders; the claim does not look at them.
        let untied: Vec<DecoderRow> = five().into_iter().filter(|row| row.decoder != Decoder::Tied).collect();
        let mut of_untied = Section::default();
        add(&mut of_untied, &results, &untied, None);
        assert_eq!(of_untied.numbers["mnist.share"], section.numbers["mnist.share"]);
        assert!(!of_untied.numbers.contains_key("mnist.own.over-best"));
        let without = |rows: &[DecoderRow]| {
            let mut section = Section::default();
            add(&mut section, &results, rows, None);
            (section.blocks.len(), section.findings.len())
        };
        assert_eq!([without(&five()), without(&five()[..25]), without(&[])], [(5, 1), (2, 0), (0, 0)]);
    }
}
