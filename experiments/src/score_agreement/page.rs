//! What E6 shows on the page.

use super::{
    REFERENCE, SCORES,
    agreement::AgreementRow,
    scores::{LEVELS, ScoreRow, same_verdict},
};
use crate::{
    correlation::relations::Level,
    figures::HeatMap,
    report::format::{number, p_value, span},
    statistics::{Interval, SIGNIFICANCE_LEVEL},
    suite::{Block, Image, Section, columns},
};

/// Adds figure F10, tables T5 and T5b and their account of the data set `set`.
pub(super) fn add(section: &mut Section, set: &str, agreement: &[AgreementRow], scores: &[ScoreRow]) {
    let Some(first) = scores.first() else { return };
    section.blocks.push(Block::Heading(first.data.clone()));
    section.blocks.push(figure(&first.data, agreement));
    section.blocks.push(table(&first.data, scores));
    section.blocks.push(differences(&first.data, scores));
    section.blocks.push(Block::Text(account(agreement, scores)));
    for row in scores {
        let dead = if row.without_dead { ".alive" } else { "" };
        let key = format!("{set}.{}{dead}.{}", level_key(row.level), row.score);
        section.numbers.insert(format!("{key}.rho"), number(row.rho, 2));
        section.numbers.insert(format!("{key}.interval"), span(row.low, row.high, 2));
        section.numbers.insert(format!("{key}.verdict"), row.verdict.to_string());
        if let (Some(difference), Some(interval)) = (row.difference, row.difference_interval()) {
            section.numbers.insert(format!("{key}.difference"), number(difference, 2));
            section.numbers.insert(format!("{key}.difference_interval"), span(interval.low, interval.high, 2));
        }
        if let Some(p) = row.holm_p {
            section.numbers.insert(format!("{key}.difference_p"), p_value(p));
        }
    }
    for level in LEVELS {
        if let Some((same, of, verdict)) = same_verdict(scores, level) {
            let key = format!("{set}.{}", level_key(level));
            section.numbers.insert(format!("{key}.same_verdict"), format!("{same} of {of}"));
            section.numbers.insert(format!("{key}.verdict"), verdict.to_string());
        }
    }
}

fn level_key(level: Level) -> &'static str {
    match level {
        Level::Pooled => "pooled",
        Level::Partial => "partial",
        Level::WithinCodeSize => "within-code-size",
        Level::OneArchitecture => "one-architecture",
        Level::Seeds => "seeds",
        Level::PartialAndRegulariser => "partial-and-regulariser",
    }
}

fn label(score: &str) -> &'static str {
    SCORES.iter().find(|known| known.name == score).map_or("", |known| known.label)
}

fn figure(data: &str, agreement: &[AgreementRow]) -> Block {
    let names: Vec<String> = SCORES.iter().map(|score| score.label.to_string()).collect();
    let values = agreement.chunks(SCORES.len());
    let values = values.map(|row| row.iter().map(|cell| cell.kendall.unwrap_or(f64::NAN)).collect()).collect();
    let map = HeatMap {
        title: format!("Do scores rank networks alike? {data}"),
        description: least_alike(agreement).unwrap_or_else(|| "Kendall's tau between scores.".to_string()),
        rows: names.clone(),
        columns: names,
        values,
    };
    Block::Figure {
        id: "F10",
        caption:
            "Kendall's tau between reconstruction scores as qualities, over the networks of P1 that did not fail: 1 is \
                  the same order of networks, 0 none in common."
                .to_string(),
        image: Image::Svg(map.to_svg()),
    }
}

/// The pair of scores that agrees least.
fn least_alike(agreement: &[AgreementRow]) -> Option<String> {
    let known = agreement.iter().filter_map(|row| Some((row.kendall?, row)));
    let (tau, row) = known.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let [first, second] = [row.first, row.second].map(label);
    Some(format!("The scores that agree least are {first} and {second}, with a tau of {}.", number(tau, 2)))
}

fn table(data: &str, scores: &[ScoreRow]) -> Block {
    let at = |level: Level, score: &str| {
        scores.iter().find(|row| row.level == level && !row.without_dead && row.score == score)
    };
    let rho = |row: Option<&ScoreRow>| {
        row.map_or(String::new(), |row| format!("{} ({})", number(row.rho, 2), span(row.low, row.high, 2)))
    };
    let rows = SCORES.map(|score| {
        let [pooled, partial, within, one] = LEVELS.map(|level| at(level, score.name));
        let living =
            scores.iter().find(|row| row.level == Level::Partial && row.without_dead && row.score == score.name);
        vec![
            score.label.to_string(),
            rho(pooled),
            rho(partial),
            partial.map_or(String::new(), |row| row.verdict.to_string()),
            rho(living),
            living.map_or(String::new(), |row| row.verdict.to_string()),
            rho(within),
            rho(one),
        ]
    });
    Block::Table {
        id: "T5",
        caption: format!(
            "{data}: Spearman's rho of reconstruction quality and logistic accuracy by score, with 95 % intervals. The \
             verdict on \"no correlation\" is that with code size, depth and activation held fixed; living: without dead \
             networks."
        ),
        columns: columns([
            "score",
            "#P1, pooled",
            "#P1, partial",
            "verdict",
            "#P1, partial, living",
            "verdict",
            "#P1, within code size",
            "#P2",
        ]),
        rows: rows.into(),
    }
}

/// Two verdicts may differ where the correlations do not: each score against the mean squared error, on the same networks.
fn differences(data: &str, scores: &[ScoreRow]) -> Block {
    let cells = |score: &str, level: Level, without_dead: bool| {
        let of = |row: &&ScoreRow| row.level == level && row.without_dead == without_dead && row.score == score;
        let row = scores.iter().find(of);
        let difference = row.and_then(|row| {
            let Interval { low, high } = row.difference_interval()?;
            Some(format!("{} ({})", number(row.difference?, 2), span(low, high, 2)))
        });
        [difference.unwrap_or_default(), row.and_then(|row| row.holm_p).map_or(String::new(), p_value)]
    };
    let compared = SCORES.iter().filter(|score| score.name != REFERENCE);
    let rows = compared.map(|score| {
        let mut row = vec![score.label.to_string()];
        row.extend(cells(score.name, Level::Pooled, false));
        row.extend(cells(score.name, Level::Partial, false));
        row.extend(cells(score.name, Level::Partial, true));
        row.extend(cells(score.name, Level::WithinCodeSize, false));
        row.extend(cells(score.name, Level::OneArchitecture, false));
        row
    });
    Block::Table {
        id: "T5b",
        caption: format!(
            "{data}: rho of each score in T5 minus that of the MSE over the same networks, with the same held fixed: the \
             difference with its 95 % interval (networks redrawn), and p by Steiger's test, Holm-corrected over the scores of a \
             column. p is empty where both rank every network alike."
        ),
        columns: columns([
            "score",
            "#P1, pooled",
            "#p",
            "#P1, partial",
            "#p",
            "#P1, partial, living",
            "#p",
            "#P1, within code size",
            "#p",
            "#P2",
            "#p",
        ]),
        rows: rows.collect(),
    }
}

/// Where a score follows the accuracy otherwise than the mean squared error does.
fn unlike_the_error(scores: &[ScoreRow], level: Level) -> String {
    let certain = |row: &&ScoreRow| row.holm_p.is_some_and(|p| p < SIGNIFICANCE_LEVEL);
    let of_level = scores.iter().filter(|row| row.level == level && !row.without_dead);
    let names: Vec<&str> = of_level.filter(certain).map(|row| label(row.score)).collect();
    let level = level.label();
    match names.as_slice() {
        [] => format!(" {level}: no score follows the accuracy more or less closely than the MSE with certainty."),
        some => format!(" {level}: these follow the accuracy otherwise than the MSE does: {}.", some.join(", ")),
    }
}

/// What the numbers say, in sentences.
fn account(agreement: &[AgreementRow], scores: &[ScoreRow]) -> String {
    let mut text = least_alike(agreement).unwrap_or_default();
    for level in [Level::Pooled, Level::Partial] {
        text += &unlike_the_error(scores, level);
    }
    for level in LEVELS {
        let Some((same, of, verdict)) = same_verdict(scores, level) else { continue };
        let others: Vec<String> = scores
            .iter()
            .filter(|row| row.level == level && !row.without_dead && row.is_counted() && row.verdict != verdict)
            .map(|row| format!("{}: {}", label(row.score), row.verdict))
            .collect();
        let name = level.label();
        text += &match others.as_slice() {
            [] => format!(
                " {name}: all {of} other scores of the own decoder give the verdict of the {}, {verdict}.",
                label(REFERENCE)
            ),
            some => format!(
                " {name}: {same} of {of} other scores of the own decoder give the verdict of the {}, {verdict} ({}).",
                label(REFERENCE),
                some.join("; ")
            ),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{agreement::agreement, scores::scores, scores::tests::networks};
    use super::*;

    #[test]
    fn the_page_has_figure_table_and_the_verdicts_that_differ() {
        let rows = networks(30);
        let mut section = Section::default();
        add(&mut section, "mnist", &agreement(&rows), &scores(&rows, 1));
        let [
            Block::Heading(_),
            Block::Figure { id: "F10", .. },
            Block::Table { id: "T5", rows, .. },
            Block::Table { id: "T5b", rows: against, .. },
            Block::Text(text),
        ] = &section.blocks[..]
        else {
            panic!("{:?}", section.blocks)
        };
        assert_eq!((rows.len(), against.len()), (SCORES.len(), SCORES.len() - 1));
        let scrambled = against.iter().find(|row| row[0] == "misaligned (D3)").unwrap();
        assert!(scrambled[3].starts_with('−') && !scrambled[4].is_empty(), "{scrambled:?}");
        assert!(text.contains("P1, partial: these follow the accuracy otherwise than the MSE does: "), "{text}");
        assert!(section.numbers["mnist.partial.misaligned.difference"].starts_with('−'));
        assert!(
            text.contains("all 8 other scores of the own decoder give the verdict of the MSE, contradicted."),
            "{text}"
        );
        assert!(text.contains("a tau of −1.00"), "{text}");
        assert_eq!(section.numbers["mnist.pooled.same_verdict"], "8 of 8");
        add(&mut section, "none", &[], &[]);
        assert_eq!(section.blocks.len(), 5, "no rows, nothing to show");
    }
}
