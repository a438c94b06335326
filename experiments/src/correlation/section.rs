//! What E1 has to say on the page: figures F1 and F2, table T1, findings for C1 and C2.

use super::{
    baselines::baselines,
    coexistence::Coexistence,
    group_page,
    network::{NetworkRow, Status},
    noise,
    population::Population,
    probe_page,
    relations::{Level, RelationRow, headline, relations_where},
    subset_page,
};
use crate::{
    figures::{Band, Baseline, Dot, DotPlot, DotRow, Reference, Scatter, ScatterPoint},
    report::format::{NONE, bayes_factor, count, error, interval, number, optional, p_value, percent, span},
    separability::{E2, SeparabilityRow},
    statistics::{EQUIVALENCE_MARGIN, Interval, holm},
    suite::{
        Block, Experiment, Image, Results, Section,
        claims::{Claim, Finding},
        columns,
    },
};

/// Points that reconstruct worse than this stand at the left edge of a scatter plot: a few that do far worse than the mean
/// picture would squeeze all others together.
const LOWEST_R2: f64 = -0.5;

/// The two errors that stand side by side: column, how tables name it, how numbers are named.
pub(super) const JUDGES: [(&str, &str, &str); 2] =
    [("mse", "own decoder", "own"), ("linear-decoder", "best linear decoder", "linear")];

/// The section over all sets.
///
/// # Errors
/// If rows cannot be read.
pub(super) fn section(results: &[Results]) -> anyhow::Result<Section> {
    let mut section = Section::default();
    let mut forest = Vec::new();
    for of_set in results {
        let rows: Vec<NetworkRow> = of_set.rows()?;
        let found = relations_where(&rows, of_set.identity.seed, |cell| {
            let judge = JUDGES.iter().any(|(quality, ..)| *quality == cell.quality.0);
            let of_matrix = cell.level == Level::Partial && !cell.without_dead;
            // Code size drives both quantities, so that what is held fixed stands beside what is not, for every probe; and without
            // dead networks at the level of the verdict.
            let of_probes = match cell.without_dead {
                false => cell.level != Level::PartialAndRegulariser,
                true => cell.level == Level::Partial,
            };
            of_matrix || (judge && (cell.probe.0 == "logistic" || of_probes))
        });
        let references = of_set.rows_beside::<SeparabilityRow>(E2.name())?.unwrap_or_default();
        one_set(&mut section, of_set, &rows, &found, &references);
        forest.extend(forest_rows(of_set, &found));
    }
    if !forest.is_empty() {
        section.blocks.insert(0, forest_plot(forest));
    }
    section.deviations = vec![
        "Adam takes the place of plain gradient descent in the populations, with the learning rates of the protocol: one rate \
         then suits every activation."
            .to_string(),
        "N-light-N's leaky gradient, decay and cost of ReLU are left out: relu is plain ReLU.".to_string(),
        "A layer that starts as PCA, Oja's rule, a Boltzmann machine or a denoising auto-encoder learns that start from as many \
         patches as it is trained on afterwards, which the number of patches shown does not count; both draw from one seed, so they are the \
         same patches, and denoising sees them with the same noise. Starts have rates of their own: 0.3 \
         for Oja's rule, at most 0.002 for the others. Boltzmann machines above the lowest layer are Bernoulli."
            .to_string(),
        "Of eight scores and four probes tables T1b, T1e and T5 have the correlations with intervals, T1 the tests of two errors \
         with the logistic probe; all tests of all pairs are in `relations.csv`, which a run writes beside its rows and `pitfall \
         merge RUNS --out DIR` writes again. Intervals of correlations are BCa; their percentile intervals are not shown."
            .to_string(),
        "Noise is told from replicates (P3) alone, of one architecture, and not from halves of the test pictures by an intraclass \
         correlation: rows keep the accuracy on all of them. It is taken to be as large, in ranks, for other networks."
            .to_string(),
        "The logistic probe takes at most 100 steps for each penalty. On the bundled sample of MNIST that ended it for 10 of 60 networks of P1; \
         with ten times as many steps its accuracy changes by 1.2 points for one of these and by at most 0.25 for the others, up for some \
         and down for others; over all 60 the accuracies correlate in rank at 0.999 (`cargo test \
         --release -p pitfall --lib correlation::probe_steps -- --ignored --nocapture`)."
            .to_string(),
        "Errors of clipped pictures are those of the own decoder: the best linear decoder is measured unclipped in E1. E3 and E4 have both \
         for every decoder."
            .to_string(),
        "Holm's correction is over the tests of table T1; those of the other tables and of `relations.csv` are not corrected, and no \
         verdict rests on them."
            .to_string(),
    ];
    Ok(section)
}

fn one_set(
    section: &mut Section,
    of_set: &Results,
    rows: &[NetworkRow],
    found: &[RelationRow],
    references: &[SeparabilityRow],
) {
    let (set, name) = (of_set.set, &of_set.identity.data[0]);
    section.blocks.push(Block::Heading(name.clone()));
    let p1: Vec<&NetworkRow> = rows.iter().filter(|row| row.population == Population::P1).collect();
    let p2: Vec<&NetworkRow> = rows.iter().filter(|row| row.population == Population::P2).collect();
    let status = |status: Status| rows.iter().filter(|row| row.status == status).count();
    let mut put = |key: &str, value: String| drop(section.numbers.insert(format!("{set}.{key}"), value));
    put("networks", rows.len().to_string());
    put("margin", EQUIVALENCE_MARGIN.to_string());
    put("dead", status(Status::Dead).to_string());
    put("failed", status(Status::Failed).to_string());
    let visible = |row: &&NetworkRow| row.status == Status::Dead && row.r2_clipped().is_some_and(|r2| r2 > 0.0);
    put("dead.visible", rows.iter().filter(visible).count().to_string());
    put("pictures.train", count(of_set.identity.pictures[0]));
    put("pictures.test", count(of_set.identity.pictures[2]));
    for row in found {
        let Some((_, _, judge)) = JUDGES.iter().find(|(quality, ..)| *quality == row.quality) else { continue };
        let dead = if row.without_dead { ".alive" } else { "" };
        let probe = if row.probe == "logistic" { String::new() } else { format!(".{}", row.probe) };
        let key = format!("{}{dead}.{judge}{probe}", level_key(row.level));
        put(&format!("{key}.rho"), number(row.rho, 2));
        put(&format!("{key}.interval"), span(row.low, row.high, 2));
        put(&format!("{key}.p"), p_value(row.permutation_p));
        put(&format!("{key}.n"), row.networks.to_string());
        put(&format!("{key}.bf01"), bayes_factor(row.bayes_factor_01));
        put(&format!("{key}.verdict"), row.verdict.to_string());
    }
    for (of, population, rows, size) in [(Population::P1, "P1", &p1, 64), (Population::P2, "P2", &p2, 128)] {
        let lines = baselines(references, of, size);
        let known = match lines.is_empty() {
            true => "",
            false => {
                " Dashed lines: the probe in E2, which learns from fewer pictures where there are many, on what is not the code of a \
                 trained auto-encoder."
            }
        };
        section.blocks.push(Block::Figure {
            id: "F1",
            caption: format!(
                "{name}, {population}: reconstruction of test pictures by the network's own decoder against the accuracy of a \
                 logistic probe on the code; a point leads to the row of its network. Networks with R² below {} stand at the \
                 left edge.{known}",
                number(LOWEST_R2, 1)
            ),
            image: Image::Svg(scatter(set, name, population, rows, lines)),
        });
    }
    section.blocks.push(correlation_table(name, found));
    section.blocks.push(probe_page::matrix(name, found));
    section.blocks.push(probe_page::every_level(name, found));
    group_page::add(section, set, name, rows, of_set.identity.seed);
    subset_page::add(section, of_set, rows);
    section.blocks.push(Block::Text(noise::paragraph(rows, found, set, &mut section.numbers)));

    if let Some(coexistence) = Coexistence::of(&p1, of_set.identity.pictures[2]) {
        let worst = coexistence.worst();
        let accuracy = worst.logistic.unwrap_or(f64::NAN);
        let mut put = |key: &str, value: String| drop(section.numbers.insert(format!("{set}.c1.{key}"), value));
        put("best", coexistence.best.len().to_string());
        put("poor", coexistence.poor().to_string());
        put("good", coexistence.good().to_string());
        if let Some(row) = coexistence.best_poor() {
            put("best-poor", row.name());
            put("best-poor.accuracy", percent(row.logistic.unwrap_or(f64::NAN)));
            put("best-poor.mse", error(row.mse.unwrap_or(f64::NAN)));
        }
        let places: Vec<String> = coexistence.places_of_poor().iter().map(usize::to_string).collect();
        put("poor.places", places.join(", "));
        put("dead-but-accurate", coexistence.dead_but_accurate.len().to_string());
        let visible = |row: &&NetworkRow| row.r2_clipped().is_some_and(|r2| r2 > 0.0);
        let dead = coexistence.dead_but_accurate.iter().map(|(_, row)| *row);
        put("dead-but-accurate.visible", dead.filter(visible).count().to_string());
        if let Some((place, row)) = coexistence.dead_but_accurate.first() {
            put("dead-but-accurate.place", place.to_string());
            put("dead-but-accurate.accuracy", percent(row.logistic.unwrap_or(f64::NAN)));
            put("dead-but-accurate.r2-clipped", optional(row.r2_clipped(), 2));
        }
        put("median", percent(coexistence.median));
        if let Some(ends) = coexistence.median_interval(of_set.identity.seed) {
            put("median.interval", interval(Interval { low: 100.0 * ends.low, high: 100.0 * ends.high }));
            put("poor.below-interval", coexistence.certainly_below(ends.low).to_string());
        }
        put("worst", worst.name());
        put("worst.accuracy", percent(accuracy));
        put("worst.mse", error(worst.mse.unwrap_or(f64::NAN)));
        section.findings.push(Finding {
            claim: Claim::C1,
            data: name.clone(),
            verdict: coexistence.verdict,
            numbers: format!(
                "of the {} networks with the lowest error, certainly less accurate than the median of {}: {}; the least \
                 accurate, {}, reaches {}",
                coexistence.best.len(),
                percent(coexistence.median),
                coexistence.poor(),
                worst.name(),
                percent(accuracy)
            ),
        });
    }
    if let Some(row) = headline(found, Level::Partial, "mse") {
        let linear = headline(found, Level::Partial, "linear-decoder").map_or(String::new(), |row| {
            format!("; by the best linear decoder ρ = {}, {}", number(row.rho, 2), row.verdict)
        });
        let others = other_levels(found);
        section.findings.push(Finding {
            claim: Claim::C2,
            data: name.clone(),
            verdict: row.verdict,
            numbers: format!(
                "ρ = {} ({} to {}), {} networks{linear}{others}",
                number(row.rho, 2),
                number(row.low, 2),
                number(row.high, 2),
                row.networks
            ),
        });
    }
}

/// The levels of control beside the one of the verdict, as one sentence: code size drives both quantities, so they stand together.
fn other_levels(found: &[RelationRow]) -> String {
    let of = |level: Level| {
        let rhos = JUDGES.map(|(quality, ..)| headline(found, level, quality).map(|row| number(row.rho, 2)));
        rhos.iter().any(Option::is_some).then(|| {
            let [own, linear] = rhos.map(|rho| rho.unwrap_or(NONE.to_string()));
            format!("{} {own} and {linear}", level.label())
        })
    };
    let levels = [Level::Pooled, Level::WithinCodeSize, Level::OneArchitecture, Level::Seeds];
    let others: Vec<String> = levels.into_iter().filter_map(of).collect();
    match others.is_empty() {
        true => String::new(),
        false => format!("; elsewhere, by own and best linear decoder: {}", others.join("; ")),
    }
}

fn level_key(level: Level) -> &'static str {
    match level {
        Level::Pooled => "pooled",
        Level::Partial => "partial",
        Level::WithinCodeSize => "within",
        Level::OneArchitecture => "p2",
        Level::Seeds => "p3",
        Level::PartialAndRegulariser => "partial-and-regulariser",
    }
}

/// F1: a point for each network.
fn scatter(set: &str, name: &str, population: &str, rows: &[&NetworkRow], baselines: Vec<Baseline>) -> String {
    let distinct = |key: &dyn Fn(&NetworkRow) -> String| {
        let mut names: Vec<String> = rows.iter().map(|row| key(row)).collect();
        names.sort_by_key(|name| (name.parse::<usize>().unwrap_or(0), name.clone()));
        names.dedup();
        names
    };
    let by_size = population == "P1";
    let colour = |row: &NetworkRow| match by_size {
        true => row.code_size.to_string(),
        false => format!("{:?}", row.initialisation).to_lowercase(),
    };
    let shape = |row: &NetworkRow| format!("{}/{}", row.encoder, row.decoder);
    let (series, markers) = (distinct(&colour), distinct(&shape));
    let position = |names: &[String], name: &str| names.iter().position(|known| known == name).unwrap_or(0);
    let point = |row: &&NetworkRow| {
        let (r2, accuracy) = (row.r2.unwrap_or(f64::NAN), row.logistic.unwrap_or(f64::NAN));
        ScatterPoint {
            x: if r2 < LOWEST_R2 { LOWEST_R2 } else { r2 },
            y: 100.0 * accuracy,
            series: position(&series, &colour(row)),
            marker: position(&markers, &shape(row)),
            title: format!("{}: R² {}, accuracy {}", row.title(), number(r2, 3), percent(accuracy)),
            link: Some(row.anchor(set)),
        }
    };
    Scatter {
        title: format!("{name}: {population}, reconstruction against accuracy"),
        description: format!(
            "{name}: a point for each of {} networks; the table below has their correlation.",
            rows.len()
        ),
        x_title: "R² of the reconstruction of test pictures".to_string(),
        y_title: "test accuracy of the logistic probe, %".to_string(),
        series_title: if by_size { "Code size" } else { "Start" }.to_string(),
        points: rows.iter().map(point).collect(),
        series,
        marker_title: if by_size { "Activations" } else { "" }.to_string(),
        markers: if by_size { markers } else { Vec::new() },
        baselines,
    }
    .to_svg()
}

/// The rows of F2 for one set.
fn forest_rows(of_set: &Results, found: &[RelationRow]) -> Vec<DotRow> {
    let row = |(level, without_dead): (Level, bool)| {
        let is_of_it =
            |row: &&RelationRow| row.level == level && row.without_dead == without_dead && row.probe == "logistic";
        let of_level: Vec<&RelationRow> = found.iter().filter(is_of_it).collect();
        let label = format!("{}{}", level.label(), if without_dead { ", living" } else { "" });
        let dots: Vec<Dot> = JUDGES
            .iter()
            .enumerate()
            .filter_map(|(series, (quality, judge, _))| {
                let row = of_level.iter().find(|row| row.quality == *quality)?;
                Some(Dot {
                    value: row.rho,
                    interval: Some([row.low, row.high]),
                    series,
                    title: format!(
                        "{}, {}, {judge}: ρ = {} ({} to {}), {} networks, {}",
                        row.data,
                        label,
                        number(row.rho, 2),
                        number(row.low, 2),
                        number(row.high, 2),
                        row.networks,
                        row.verdict
                    ),
                })
            })
            .collect();
        let label = format!("{}: {label}", of_set.identity.data[0]);
        (!dots.is_empty()).then_some(DotRow { label, note: String::new(), dots })
    };
    // With and without dead networks where the verdict is.
    let living = |level: Level| (level == Level::Partial).then_some((level, true));
    Level::ALL.into_iter().flat_map(|level| [Some((level, false)), living(level)]).flatten().filter_map(row).collect()
}

/// F2: every headline correlation.
fn forest_plot(rows: Vec<DotRow>) -> Block {
    let plot = DotPlot {
        title: "Do networks that reconstruct better classify better?".to_string(),
        description:
            "Rank correlations with intervals for every set and level of control; the tables below have the numbers."
                .to_string(),
        x_title: "Spearman's ρ of reconstruction quality and accuracy; right of 0 better goes with better".to_string(),
        series: JUDGES.map(|(_, judge, _)| judge.to_string()).into(),
        rows,
        references: vec![Reference { x: 0.0, label: String::new() }],
        band: Some(Band {
            low: -EQUIVALENCE_MARGIN,
            high: EQUIVALENCE_MARGIN,
            label: "no correlation to speak of".into(),
        }),
    };
    Block::Figure {
        id: "F2",
        caption: "Spearman's rank correlation over networks with 95 % intervals, by what is held fixed. Pooled: nothing; code \
                  size drives both quantities, so this alone says little. Partial: code size, depth and activation. Within code \
                  size: networks of one size are compared. P2: one architecture. P3: seeds alone, the noise. \
                  Regulariser too: asked for later. Living: without dead networks, here for the level of the verdict, in the tables \
                  for all."
            .to_string(),
        image: Image::Svg(plot.to_svg()),
    }
}

/// T1: the headline correlations of a set.
fn correlation_table(name: &str, found: &[RelationRow]) -> Block {
    let headline: Vec<&RelationRow> = found
        .iter()
        .filter(|row| row.probe == "logistic" && JUDGES.iter().any(|(quality, ..)| *quality == row.quality))
        .collect();
    // The family: what stands in this table, without the seeds, which are too few for a test, without what was asked later, and
    // without the repetition that leaves dead networks out.
    let registered = |level: Level| !matches!(level, Level::Seeds | Level::PartialAndRegulariser);
    let family: Vec<usize> =
        (0..headline.len()).filter(|&at| registered(headline[at].level) && !headline[at].without_dead).collect();
    let raw: Vec<f64> = family.iter().map(|&at| headline[at].permutation_p).collect();
    let corrected = holm(&raw).unwrap_or_default();
    let rows = headline.iter().enumerate().map(|(at, row)| {
        let judge = JUDGES.iter().find(|(quality, ..)| *quality == row.quality).map_or("", |(_, _, judge)| judge);
        let corrected =
            family.iter().position(|&member| member == at).and_then(|member| corrected.get(member).copied());
        let dead = if row.without_dead { ", living" } else { "" };
        vec![
            format!("{}{dead}", row.level.label()),
            judge.to_string(),
            row.networks.to_string(),
            number(row.rho, 2),
            span(row.low, row.high, 2),
            p_value(row.permutation_p),
            corrected.map_or("–".to_string(), p_value),
            number(row.pearson, 2),
            number(row.kendall, 2),
            p_value(row.equivalence_p),
            bayes_factor(row.bayes_factor_01),
            row.verdict.to_string(),
        ]
    });
    Block::Table {
        id: "T1",
        caption: format!(
            "{name}: correlation of reconstruction quality with the accuracy of the logistic probe. p: by permutation, and with Holm's \
             correction over levels and decoders (but for the level that was asked for later); equivalence p: of two one-sided tests of \
             |ρ| < 0.3; BF₀₁: Bayes factor for no relation. Pearson's r and Kendall's τ hold nothing fixed. Living: without dead \
             networks; decoder: the own one, or the best linear one."
        ),
        columns: columns([
            "Networks",
            "Decoder",
            "#n",
            "#ρ",
            "#95 % interval",
            "#p",
            "#p, Holm",
            "#r",
            "#τ",
            "#equivalence p",
            "#BF₀₁",
            "“Not correlated” is",
        ]),
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::tests::measured;
    use super::*;
    use crate::{statistics::Verdict, sweep::Identity};

    /// Networks whose accuracy falls with their error.
    fn networks(count: usize) -> Vec<NetworkRow> {
        (0..count).map(|at| measured(at, 0.01 + 0.002 * at as f64, 0.95 - 0.01 * at as f64)).collect()
    }

    fn of(rows: &[NetworkRow]) -> Section {
        let identity = Identity::made_up("correlation");
        let folder = std::path::Path::new("nowhere");
        let results = Results { set: "set", folder, identity: &identity, has_networks: true };
        let found = relations_where(rows, 1, |_| true);
        let mut section = Section::default();
        one_set(&mut section, &results, rows, &found, &[]);
        section
    }

    #[test]
    fn what_goes_together_contradicts_and_its_numbers_are_named() {
        let section = of(&networks(30));
        let pooled = &section.numbers["set.pooled.own.rho"];
        assert_eq!((pooled.as_str(), section.numbers["set.networks"].as_str()), ("1.00", "30"));
        assert_eq!(section.numbers["set.pooled.alive.linear.verdict"], "contradicted");
        let c1 = section.findings.iter().find(|finding| finding.claim == Claim::C1).unwrap();
        assert_ne!(c1.verdict, Verdict::Supported, "the best are the most accurate");
        let figures = section.blocks.iter().filter(|block| matches!(block, Block::Figure { .. })).count();
        assert_eq!(figures, 2);
    }

    #[test]
    fn points_lead_to_their_rows_and_bad_ones_stand_at_the_edge() {
        let mut rows = networks(5);
        rows[0].r2 = Some(-40.0);
        let svg = scatter(
            "set",
            "Set",
            "P1",
            &rows.iter().collect::<Vec<_>>(),
            vec![Baseline { y: 90.0, label: "pixels".into() }],
        );
        assert!(svg.contains("href=\"#set-P1-0\"") && svg.contains("R² −40.000") && svg.contains("pixels"));
    }
}
