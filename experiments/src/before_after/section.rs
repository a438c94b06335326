//! What E4 has to say on the page: figures F6 and F7, table T4.

use super::{
    changes::{ChangeRow, Group, Quantity, changes, ends},
    network::StateRow,
    panel,
    state::WATCHED_PICTURES,
    variant::Variant,
};
use crate::{
    figures::{LinePlot, LinePoint, LineSeries, Scale},
    report::format::{NONE, count, error, networks, number, p_value, percent, points},
    suite::{Block, Image, Results, Section, columns},
};

/// The section over all sets.
///
/// # Errors
/// If rows or pictures cannot be read.
pub(super) fn section(results: &[Results]) -> anyhow::Result<Section> {
    let mut section = Section::default();
    for of_set in results {
        let rows: Vec<StateRow> = of_set.rows()?;
        let description = "Test pictures and their reconstructions before and after fine-tuning.";
        let picture = of_set.picture(panel::FILE, description);
        one_set(&mut section, of_set, &rows, picture);
    }
    section.deviations = vec![
        "N-light-N fine-tunes picture by picture; here 32 pictures make a step, with the rate that is equivalent, because it \
         takes a fraction of the time."
            .to_string(),
        "Decoders that are trained again begin anew and learn by Adam at 0.003, as in E3, before and after alike; the protocol's \
         rates of 0.01 to 0.03 are those of plain descent, which in as many steps would favour the state that old decoders fit. They \
         see the patches that the network was trained on, in the same order."
            .to_string(),
        "Correlations of the changes are those of the old decoder's error; that of the best linear decoder stands in the table."
            .to_string(),
        "The p of the changes are not corrected for their number; no verdict rests on them.".to_string(),
        "Decoders are trained again before and at the end, not after every epoch; there is no decoder with a hidden layer, so \
         what the best decoder does not recover is the more an upper bound."
            .to_string(),
        format!(
            "Within the epochs, probe and linear decoder learn from at most {} training pictures; the numbers of the table \
             come from all.",
            count(WATCHED_PICTURES)
        ),
    ];
    Ok(section)
}

fn one_set(section: &mut Section, of_set: &Results, rows: &[StateRow], picture: Option<Image>) {
    let (set, name) = (of_set.set, of_set.identity.data[0].as_str());
    section.blocks.push(Block::Heading(name.to_string()));
    let [found, living] = Group::ALL.map(|group| changes(rows, group, of_set.identity.seed));
    let failed = Variant::ALL.map(|variant| {
        let begun = rows.iter().filter(|row| row.variant == variant && row.epoch == 0).count();
        begun - ends(rows, variant).len()
    });
    let mut put = |key: String, value: String| drop(section.numbers.insert(format!("{set}.{key}"), value));
    put("epochs".to_string(), rows.iter().map(|row| row.epoch).max().unwrap_or(0).to_string());
    for (variant, failed) in Variant::ALL.into_iter().zip(failed) {
        put(format!("{}.failed", variant.name()), failed.to_string());
        let below = ends(rows, variant).iter().filter(|ends| ends.after.r2.is_some_and(|r2| r2 <= 0.0)).count();
        put(format!("{}.below-mean", variant.name()), below.to_string());
        let below =
            ends(rows, variant).iter().filter(|ends| ends.after.r2_clipped().is_some_and(|r2| r2 <= 0.0)).count();
        put(format!("{}.below-mean-clipped", variant.name()), below.to_string());
    }
    for row in found.iter().chain(&living) {
        let group = if row.group == Group::Living { "living." } else { "" };
        let key = format!("{group}{}.{}", row.variant.name(), row.quantity.name());
        let show = |value: f64| shown(row.quantity, value);
        if let (Some(before), Some(after)) = (row.before, row.after) {
            put(format!("{key}.before"), show(before));
            put(format!("{key}.after"), show(after));
        }
        put(key.clone(), change(row.quantity, row.estimate));
        put(format!("{key}.interval"), interval(row));
        put(format!("{key}.n"), row.networks.to_string());
    }
    if let Some(image) = picture {
        section.blocks.push(Block::Figure {
            id: "F6",
            caption: format!(
                "{name}: a test picture of each class. From the top: the picture; reconstructed before fine-tuning; after it by \
                 the old decoder; after it by decoders that were trained again. The network is the one that was shown the most \
                 patches, fine-tuned with momentum on the cross-entropy."
            ),
            image,
        });
    }
    section.blocks.push(Block::Figure {
        id: "F7",
        caption: format!(
            "{name}: the way of each network through fine-tuning, epoch by epoch, on validation pictures. A network that ends \
             above and to the right of its start gained accuracy while its old decoder lost."
        ),
        image: Image::Svg(trajectories(name, rows).leading_to_networks_of(of_set.networks()).to_svg()),
    });
    section.blocks.push(table(name, &found));
    let networks = |found: &[ChangeRow]| found.iter().map(|row| row.networks).max();
    if !living.is_empty() && networks(&living) < networks(&found) {
        section.blocks.push(table(name, &living));
    }
    section.blocks.push(Block::Text(sentences(&found, failed)));
}

/// F7: error of the old decoder against accuracy, a thread for each network and variant.
fn trajectories(name: &str, rows: &[StateRow]) -> LinePlot {
    let mut threads = Vec::new();
    let mut marks: Vec<LineSeries> = ["before", "after plain descent", "after momentum"]
        .into_iter()
        .enumerate()
        .map(|(style, name)| LineSeries {
            name: name.to_string(),
            style: Some(style),
            joined: false,
            points: Vec::new(),
        })
        .collect();
    let mut numbers: Vec<usize> = rows.iter().map(|row| row.network).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for (variant, mark) in [(Variant::Reference, 1), (Variant::MiniBatch, 2)] {
        for &network in &numbers {
            let of_network = rows.iter().filter(|row| row.variant == variant && row.network == network);
            let thread: Vec<LinePoint> = of_network.filter_map(point).collect();
            if let [first, .., last] = thread.as_slice() {
                if variant == Variant::Reference {
                    marks[0].points.push(first.clone());
                }
                marks[mark].points.push(last.clone());
            }
            let points = thread.into_iter().map(|point| LinePoint { title: String::new(), ..point }).collect();
            threads.push(LineSeries { name: String::new(), style: None, joined: true, points });
        }
    }
    LinePlot {
        title: format!("{name}: before and after fine-tuning"),
        description: format!(
            "{name}: error of the old decoder against the accuracy of the code, over {} epochs of fine-tuning.",
            rows.iter().map(|row| row.epoch).max().unwrap_or(0)
        ),
        x_title: "mean squared error of the old decoder".to_string(),
        y_title: "accuracy of a ridge probe on the code, %".to_string(),
        x_scale: Scale::Logarithmic,
        series_title: "Networks".to_string(),
        series: threads.into_iter().chain(marks).collect(),
        ..LinePlot::default()
    }
}

fn point(row: &StateRow) -> Option<LinePoint> {
    let (mse, accuracy) = (row.mse_old_validation?, row.ridge_validation?);
    let title =
        format!("P2-{}, epoch {}: error {}, accuracy {}", row.network, row.epoch, error(mse), percent(accuracy));
    Some(LinePoint { x: mse, y: 100.0 * accuracy, title, ..LinePoint::default() })
}

/// T4.
fn table(name: &str, found: &[ChangeRow]) -> Block {
    let row = |row: &ChangeRow| {
        let cell = |value: Option<f64>| value.map_or(NONE.to_string(), |value| shown(row.quantity, value));
        vec![
            format!("{}: {}", row.variant.label(), row.quantity.label()),
            row.networks.to_string(),
            cell(row.before),
            cell(row.after),
            change(row.quantity, row.estimate),
            interval(row),
            row.p.map_or(NONE.to_string(), p_value),
        ]
    };
    let living = found.iter().any(|row| row.group == Group::Living);
    Block::Table {
        id: if living { "T4b" } else { "T4" },
        caption: format!(
            "{name}{}: test pictures before and after fine-tuning, means over networks. Errors are mean squared errors, accuracies \
             per cent and their changes points; the share recovered is the part of the old decoder's additional error that \
             another decoder, compared with itself before, does not make; intervals are of the mean change, over networks; p is for no \
             change, by flipping signs, and for rho by permutation.",
            if living { ", without networks whose own decoder was no better than the mean picture before" } else { "" }
        ),
        columns: columns(["Fine-tuning: quantity", "#Networks", "#Before", "#After", "#Change", "#95 %", "#p"]),
        rows: found.iter().map(row).collect(),
    }
}

/// What the numbers say, in words.
fn sentences(found: &[ChangeRow], failed: [usize; 3]) -> String {
    let mut text = String::new();
    for variant in Variant::ALL.into_iter().filter(|variant| variant.trains_encoder()) {
        let of = |quantity: Quantity| found.iter().find(|row| row.variant == variant && row.quantity == quantity);
        if let (Some(probe), Some(old)) = (of(Quantity::Probe), of(Quantity::MseOld)) {
            text += &format!(
                "Fine-tuned by {}, the code's accuracy changes by {} ({}) and the old decoder's error by a factor of {}. ",
                variant.label(),
                points(probe.estimate),
                interval(probe),
                match (old.before, old.after) {
                    (Some(before), Some(after)) => number(after / before, 2),
                    _ => NONE.to_string(),
                }
            );
        }
        if let (Some(retrained), Some(best)) = (of(Quantity::RecoveredRetrained), of(Quantity::RecoveredBest)) {
            text += &format!(
                "Of the additional error, decoders trained again recover {} ({}), the best decoder {} ({}). ",
                percent(retrained.estimate),
                interval(retrained),
                percent(best.estimate),
                interval(best)
            );
        }
        if let (Some(rho), Some(cka)) = (of(Quantity::Correlation), of(Quantity::Cka)) {
            let partial = of(Quantity::PartialCorrelation).map_or(String::new(), |partial| {
                format!(", {} ({}) with the values before held fixed", number(partial.estimate, 2), interval(partial))
            });
            text += &format!(
                "Over {} the changes of accuracy and of reconstruction quality have ρ = {} ({}){partial}; the codes before and after \
                 align by {} (linear CKA). ",
                networks(rho.networks),
                number(rho.estimate, 2),
                interval(rho),
                number(cka.estimate, 2)
            );
        }
    }
    if failed.iter().any(|failed| *failed > 0) {
        let named = Variant::ALL.into_iter().zip(failed).filter(|(_, failed)| *failed > 0);
        let named: Vec<String> = named.map(|(variant, failed)| format!("{failed} ({})", variant.label())).collect();
        text += &format!("Networks that failed and do not enter: {}.", named.join(", "));
    }
    text.trim_end().to_string()
}

fn shown(quantity: Quantity, value: f64) -> String {
    if quantity.is_accuracy() { percent(value) } else { error(value) }
}

fn change(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Probe | Quantity::Classifier => points(value),
        share if share.is_recovered_share() => percent(value),
        Quantity::Cka | Quantity::Correlation | Quantity::PartialCorrelation => number(value, 2),
        _ => number(value, 4),
    }
}

fn interval(row: &ChangeRow) -> String {
    let end = |value: f64| match row.quantity {
        Quantity::Probe | Quantity::Classifier => number(100.0 * value, 1),
        share if share.is_recovered_share() => number(100.0 * value, 1),
        Quantity::Cka | Quantity::Correlation | Quantity::PartialCorrelation => number(value, 2),
        _ => number(value, 4),
    };
    format!("{} to {}", end(row.low), end(row.high))
}

#[cfg(test)]
mod tests {
    use super::super::changes::tests::four;
    use super::*;
    use crate::sweep::Identity;
    use std::path::Path;

    fn of(rows: &[StateRow], picture: Option<Image>) -> Section {
        let identity = Identity::made_up("before-after");
        let results = Results { set: "set", folder: Path::new("nowhere"), identity: &identity, has_networks: true };
        let mut section = Section::default();
        one_set(&mut section, &results, rows, picture);
        section
    }

    #[test]
    fn numbers_are_named_and_the_text_follows_them() {
        let mut rows = four();
        rows[2].r2 = Some(-0.5);
        let section = of(&rows, None);
        let number = |key: &str| section.numbers[key].replace('\u{a0}', " ");
        assert_eq!(number("set.mini-batch.probe"), "25.0 points");
        assert_eq!(number("set.mini-batch.recovered-best"), "75.0 %");
        assert_eq!(number("set.mini-batch.rho"), "−1.00");
        assert_eq!((number("set.epochs"), number("set.mini-batch.failed")), ("2".to_string(), "0".to_string()));
        let texts = section.blocks.iter().filter_map(|block| match block {
            Block::Text(text) => Some(text.replace('\u{a0}', " ")),
            _ => None,
        });
        let text: String = texts.collect();
        // 0.1 before, 2.6 after.
        assert!(text.contains("by a factor of 26.00"), "{text}");
        assert!(text.contains("recover 50.0 % (") && !text.contains("failed"), "{text}");
        assert_eq!(number("set.mini-batch.below-mean"), "1");
        assert!(section.findings.is_empty());
    }

    #[test]
    fn living_networks_have_a_table_of_their_own_where_others_are_dead() {
        let captions = |rows: &[StateRow]| -> Vec<(&'static str, bool)> {
            let of_tables = of(rows, None).blocks.into_iter().filter_map(|block| match block {
                Block::Table { id, caption, rows, .. } if !rows.is_empty() => {
                    Some((id, caption.contains("without networks whose own decoder")))
                }
                _ => None,
            });
            of_tables.collect()
        };
        let with = |r2: [f64; 4]| -> Vec<StateRow> {
            four().into_iter().map(|row| StateRow { r2: Some(r2[row.network]), ..row }).collect()
        };
        assert_eq!(captions(&with([0.5; 4])), [("T4", false)]);
        assert_eq!(captions(&with([0.5, 0.5, -0.1, 0.5])), [("T4", false), ("T4b", true)]);
        assert_eq!(captions(&with([-0.1; 4])), [("T4", false)], "nobody is alive");
    }

    #[test]
    fn a_panel_is_shown_where_there_is_one() {
        let figures =
            |section: &Section| section.blocks.iter().filter(|block| matches!(block, Block::Figure { .. })).count();
        let png = crate::figures::encode_png([2, 3], crate::figures::Colour::Grey, &[0; 6]);
        assert_eq!((figures(&of(&four(), None)), figures(&of(&four(), Image::png(png, "")))), (1, 2));
        assert_eq!(figures(&of(&[], None)), 1);
    }
}
