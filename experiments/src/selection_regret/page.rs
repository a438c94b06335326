//! What E7 shows on the page, and what follows for claim C5.

use super::{
    CRITERIA, RECONSTRUCTION,
    choice::ChoiceRow,
    regret::{POOLS, RegretRow, Scope},
};
use crate::{
    correlation::subset::{STRONG_MASKING, Subset},
    figures::{Baseline, LinePlot, LinePoint, LineSeries, Scale},
    report::format::{NONE, number, optional, span},
    statistics::{Bootstrap, Interval, Verdict},
    suite::{
        Block, Image, Section,
        claims::{Claim, Finding, POOL, REGRET, above},
        columns,
    },
};

/// Adds figure F11, table T6, their account and the finding of the data set `set`.
pub(super) fn add(section: &mut Section, set: &str, regrets: &[RegretRow], choices: &[ChoiceRow]) {
    let Some(first) = regrets.first() else { return };
    let data = &first.data;
    section.blocks.push(Block::Heading(data.clone()));
    for scope in Scope::ALL {
        section.blocks.extend(figure(data, scope, regrets));
    }
    section.blocks.push(table(data, regrets, choices));
    section.blocks.push(Block::Text(account(regrets, choices)));
    if let Some((verdict, numbers)) = verdict(regrets) {
        section.findings.push(Finding { claim: Claim::C5, data: data.clone(), verdict, numbers });
    }
    for row in regrets {
        let key = format!("{set}.{}.{}.{}", row.scope.name(), row.criterion, row.pool);
        section.numbers.insert(format!("{key}.regret"), number(100.0 * row.mean_regret, 2));
        section.numbers.insert(format!("{key}.interval"), span(100.0 * row.low, 100.0 * row.high, 2));
        section.numbers.insert(format!("{key}.difference"), difference(Some(row)));
    }
    for row in choices {
        let key = format!("{set}.{}", row.criterion);
        section.numbers.insert(format!("{key}.rank"), number(row.rank, 2));
        section.numbers.insert(format!("{key}.concordance"), optional(row.concordance, 2));
        section.numbers.insert(format!("{key}.top_overlap"), optional(row.top_overlap, 2));
    }
}

/// Adds what the registered rule would say over fewer networks: table T6b.
pub(super) fn add_fewer(section: &mut Section, set: &str, data: &str, found: &[(Subset, usize, Option<Bootstrap>)]) {
    let mut rows = Vec::new();
    for (subset, networks, regret) in found {
        let Some(regret) = regret else { continue };
        let ends = regret.interval();
        let (points, interval) = (number(100.0 * regret.estimate, 2), span(100.0 * ends.low, 100.0 * ends.high, 2));
        let verdict = above(ends, REGRET).name().to_string();
        let key = format!("{set}.claim{}", subset.key());
        section.numbers.insert(format!("{key}.regret"), points.clone());
        section.numbers.insert(format!("{key}.interval"), interval.clone());
        section.numbers.insert(format!("{key}.verdict"), verdict.clone());
        rows.push(vec![subset.label().to_string(), networks.to_string(), points, interval, verdict]);
    }
    if rows.is_empty() {
        return;
    }
    section.blocks.push(Block::Table {
        id: "T6b",
        caption: format!(
            "{data}: claim C5 over fewer networks of P1, asked after the runs: points of accuracy lost in pools of {POOL} by choosing \
             by the own decoder's error, and what the registered rule would say. {STRONG_MASKING}."
        ),
        columns: columns(["Networks", "#n", "#points lost", "#95 %", "C5 would be"]),
        rows,
    });
}

/// Where the experiment differs from the protocol.
pub(super) fn deviations() -> Vec<String> {
    vec![
        "Effective rank and participation ratio are those of the codes of the test pictures, as E1 has them; no label enters \
         either."
            .to_string(),
        "The mean regret is that over all pools, in closed form, instead of over drawn ones; its interval is the bootstrap's over \
         networks. In simulations with 200 networks and pools of twenty it holds the truth in 93 of 100 trials, not in 95, and lies above \
         it in 4."
            .to_string(),
    ]
}

/// C5 by the registered rule, and the numbers it follows from. `None` when there are too few networks for such a pool.
pub(super) fn verdict(regrets: &[RegretRow]) -> Option<(Verdict, String)> {
    let of_the_claim =
        |row: &&RegretRow| row.scope == Scope::All && row.criterion == RECONSTRUCTION && row.pool == POOL;
    let row = regrets.iter().find(of_the_claim)?;
    let numbers = format!(
        "choosing one of {POOL} of {} networks by its validation error costs {} points of accuracy (95 % interval {}; margin {})",
        row.networks,
        number(100.0 * row.mean_regret, 2),
        span(100.0 * row.low, 100.0 * row.high, 2),
        number(100.0 * REGRET, 0)
    );
    Some((above(Interval { low: row.low, high: row.high }, REGRET), numbers))
}

/// `1.23 (0.45 to 2.34)`, in points of accuracy.
pub(super) fn points_with_interval(row: &RegretRow) -> String {
    format!("{} ({})", number(100.0 * row.mean_regret, 2), span(100.0 * row.low, 100.0 * row.high, 2))
}

/// The same of the difference to the own decoder's error, where there is one.
fn difference(row: Option<&RegretRow>) -> String {
    let known = row.and_then(|row| Some([row.difference?, row.difference_low?, row.difference_high?]));
    known.map_or(NONE.to_string(), |[difference, low, high]| {
        format!("{} ({})", number(100.0 * difference, 2), span(100.0 * low, 100.0 * high, 2))
    })
}

fn figure(data: &str, scope: Scope, regrets: &[RegretRow]) -> Option<Block> {
    let series = CRITERIA.iter().enumerate().map(|(at, criterion)| {
        let own = regrets.iter().filter(|row| row.scope == scope && row.criterion == criterion.name);
        let point = |row: &RegretRow| LinePoint {
            // A little apart, so that intervals do not hide each other.
            x: row.pool as f64 * (1.0 + 0.025 * at as f64),
            y: 100.0 * row.mean_regret,
            interval: Some([100.0 * row.low, 100.0 * row.high]),
            title: format!("{}, pools of {}: {}", criterion.label, row.pool, points_with_interval(row)),
            link: None,
        };
        LineSeries {
            name: criterion.label.to_string(),
            style: Some(at),
            joined: true,
            points: own.map(point).collect(),
        }
    });
    let series: Vec<LineSeries> = series.filter(|series| !series.points.is_empty()).collect();
    if series.is_empty() {
        return None;
    }
    let among = match scope {
        Scope::All => "all networks of P1",
        Scope::OneCodeSize => "networks of one code size",
    };
    let last = regrets.iter().rfind(|row| row.scope == scope && row.criterion == RECONSTRUCTION);
    let description = last.map_or(String::new(), |row| {
        format!("Chosen by their own decoder's error, pools of {} lose {} points.", row.pool, points_with_interval(row))
    });
    let plot = LinePlot {
        title: format!("What a choice without labels costs, {among}: {data}"),
        description,
        x_title: "networks to choose from".to_string(),
        y_title: "points of accuracy lost".to_string(),
        x_scale: Scale::Logarithmic,
        series_title: "chosen by".to_string(),
        series,
        baselines: vec![Baseline { y: 100.0 * REGRET, label: "margin".to_string() }],
        ..LinePlot::default()
    };
    Some(Block::Figure {
        id: if scope == Scope::All { "F11" } else { "F11b" },
        caption: format!(
            "Test accuracy lost by choosing among {among} by a criterion without labels instead of by the validation accuracy \
             of a logistic probe: mean over all pools, with 95 % intervals over networks."
        ),
        image: Image::Svg(plot.to_svg()),
    })
}

fn table(data: &str, regrets: &[RegretRow], choices: &[ChoiceRow]) -> Block {
    let at = |scope: Scope, criterion: &str, pool: usize| {
        let wanted = |row: &&RegretRow| row.scope == scope && row.criterion == criterion && row.pool == pool;
        regrets.iter().find(wanted)
    };
    let rows = CRITERIA.map(|criterion| {
        let choice = choices.iter().find(|row| row.criterion == criterion.name);
        let of_pool = at(Scope::All, criterion.name, POOL);
        let single = of_pool.and_then(|row| Some(span(100.0 * row.single_low?, 100.0 * row.single_high?, 1)));
        let concordance = choice.and_then(|row| {
            let interval = span(row.concordance_low?, row.concordance_high?, 2);
            Some(format!("{} ({interval})", number(row.concordance?, 2)))
        });
        vec![
            criterion.label.to_string(),
            of_pool.map_or(String::new(), points_with_interval),
            difference(of_pool),
            single.unwrap_or_default(),
            optional(of_pool.and_then(|row| row.mean_rank), 2),
            at(Scope::OneCodeSize, criterion.name, POOLS[0]).map_or(String::new(), points_with_interval),
            concordance.unwrap_or_default(),
            optional(choice.and_then(|row| row.concordance_one_code_size), 2),
            optional(choice.and_then(|row| row.top_overlap), 2),
        ]
    });
    Block::Table {
        id: "T6",
        caption: format!(
            "{data}: choosing without labels. Points of accuracy lost in pools of {POOL}, mean (95 % interval over networks), its \
             difference to that of the own decoder's error, and middle 95 % of single pools; rank of the chosen network in its pool, 0.5 \
             for a blind choice; points lost in pools of {} of one code size; concordance with the test accuracy, over all pairs and over \
             those of one code size; share of the best tenth of the networks that is found.",
            POOLS[0]
        ),
        columns: columns([
            "chosen by",
            "#points lost",
            "#more than by the own decoder",
            "#a single pool",
            "#rank",
            "#points lost, one size",
            "#concordance",
            "#one size",
            "#top tenth",
        ]),
        rows: rows.into(),
    }
}

/// What the numbers say, in sentences.
fn account(regrets: &[RegretRow], choices: &[ChoiceRow]) -> String {
    let mut text = String::new();
    if let Some((verdict, numbers)) = verdict(regrets) {
        text += &format!("C5 is {}: {numbers}.", verdict.name());
    }
    let of_pool = regrets.iter().filter(|row| row.scope == Scope::All && row.pool == POOL);
    if let Some(best) = of_pool.min_by(|a, b| a.mean_regret.total_cmp(&b.mean_regret)) {
        let label = CRITERIA.iter().find(|known| known.name == best.criterion).map_or("", |known| known.label);
        text += &format!(" The least is lost by {label}: {} points.", points_with_interval(best));
    }
    if let Some(row) = choices.iter().find(|row| row.criterion == RECONSTRUCTION) {
        text += &format!(
            " Of all {} networks, the one with the lowest error of its own decoder loses {} points and is better than {} % of the \
             others.",
            row.networks,
            number(100.0 * row.regret, 2),
            number(100.0 * row.rank, 0)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(mean: f64, [low, high]: [f64; 2]) -> RegretRow {
        RegretRow {
            data: "hand-made".to_string(),
            scope: Scope::All,
            criterion: RECONSTRUCTION,
            pool: POOL,
            networks: 60,
            mean_regret: mean,
            low,
            high,
            difference: None,
            difference_low: None,
            difference_high: None,
            single_low: Some(0.0),
            single_high: Some(0.1),
            mean_rank: Some(0.6),
        }
    }

    #[test]
    fn the_registered_rule() {
        let verdict_of = |row: RegretRow| verdict(&[row]).map(|(verdict, _)| verdict);
        assert_eq!(verdict_of(row(0.03, [0.012, 0.05])), Some(Verdict::Supported));
        assert_eq!(verdict_of(row(0.004, [0.001, 0.008])), Some(Verdict::Contradicted));
        assert_eq!(verdict_of(row(0.02, [0.005, 0.05])), Some(Verdict::Inconclusive));
        assert_eq!(verdict_of(RegretRow { pool: 10, ..row(0.03, [0.012, 0.05]) }), None);
        assert_eq!(verdict_of(RegretRow { scope: Scope::OneCodeSize, ..row(0.03, [0.012, 0.05]) }), None);
    }

    #[test]
    fn the_page_has_figure_table_text_and_the_finding() {
        let mut section = Section::default();
        add(&mut section, "mnist", &[row(0.03, [0.012, 0.05])], &[]);
        let [
            Block::Heading(_),
            Block::Figure { id: "F11", .. },
            Block::Table { id: "T6", rows, .. },
            Block::Text(text),
        ] = &section.blocks[..]
        else {
            panic!("{:?}", section.blocks)
        };
        assert_eq!(rows[0][1], "3.00 (1.20 to 5.00)");
        assert!(text.starts_with("C5 is supported: choosing one of 20 of 60 networks"), "{text}");
        assert_eq!((section.findings.len(), section.findings[0].claim), (1, Claim::C5));
        assert_eq!(section.numbers["mnist.all.own-decoder.20.regret"], "3.00");
    }
}
