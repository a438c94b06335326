//! Claims C7 and C8, by their registered rules: how much of the training error does the configuration of a network explain,
//! and how much of its accuracy do its errors? Over the networks of P1, as E1 measured them; failed ones do not enter.

use crate::{
    correlation::{
        network::{NetworkRow, Status},
        population::Population,
        subset::Subset,
    },
    statistics::{CONFIDENCE, Interval, RESAMPLES, Ranking, Verdict, bootstrap, explained_variance, indicator_columns},
    suite::claims::{PREDICTABLE, below},
};
use patchgrad::random::{Stream, stream};
use serde::Serialize;

/// What is explained by what: a row of `prediction.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictionRow {
    /// The set.
    pub data: String,
    /// Which model.
    pub model: Model,
    /// Networks that entered.
    pub networks: usize,
    /// Independent columns.
    pub columns: usize,
    /// Share of the variance explained on the networks themselves.
    pub r_squared: f64,
    /// The same, adjusted for the number of columns.
    pub adjusted: f64,
    /// Lower end of the 95 % interval of the adjusted share, over networks.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The standard error by the same resamples. Repeated rows make a fit look better, which the interval takes for a bias of the
    /// share and corrects, though the adjusted share has next to none: with many columns it leans down. `adjusted` more or less
    /// 1.96 of these does not.
    pub standard_error: f64,
    /// The share predicted by the fit to all other networks, where it exists.
    pub predictive: Option<f64>,
}

impl PredictionRow {
    /// The share more or less 1.96 standard errors.
    pub fn symmetric(&self) -> Interval {
        let half = 1.96 * self.standard_error;
        Interval { low: self.adjusted - half, high: self.adjusted + half }
    }

    /// What follows for the claim that is judged by it.
    pub fn verdict(&self) -> Verdict {
        below(Interval { low: self.low, high: self.high }, PREDICTABLE)
    }
}

/// What explains what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Log training error by log code size and log parameters, depth and activation: C7.
    ErrorByConfiguration,
    /// By log code size and log parameters alone.
    ErrorBySize,
    /// By code size and parameters, activation, and the whole geometry in place of the depth.
    ErrorByGeometry,
    /// By the configuration and how it was trained, but for the regulariser: log rate, log patches, start.
    ErrorByTraining,
    /// By code size and parameters, activation, geometry and regulariser: what the two that tell most explain together.
    ErrorByGeometryAndRegulariser,
    /// By the configuration and all of how it was trained. Noise on the patches makes the task harder, and the error is that
    /// of the harder task.
    ErrorByEverything,
    /// Rank of the accuracy by the ranks of error and training error: C8.
    AccuracyByErrors,
    /// By the rank of the error alone.
    AccuracyByMse,
    /// By the rank of the training error alone.
    AccuracyByTrainError,
    /// By the ranks of the best linear decoder's error and of the training error.
    AccuracyByLinearDecoder,
    /// By the ranks of the error of clipped pictures and of the training error.
    AccuracyByClippedErrors,
}

impl Model {
    /// Every model. The last four came after the first full run: they are at the end, so that the others draw the same numbers.
    pub const ALL: [Self; 11] = [
        Self::ErrorByConfiguration,
        Self::ErrorBySize,
        Self::ErrorByEverything,
        Self::AccuracyByErrors,
        Self::AccuracyByMse,
        Self::AccuracyByTrainError,
        Self::AccuracyByLinearDecoder,
        Self::ErrorByGeometry,
        Self::ErrorByTraining,
        Self::ErrorByGeometryAndRegulariser,
        Self::AccuracyByClippedErrors,
    ];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ErrorByConfiguration => "training error by code size, parameters, depth, activation (C7)",
            Self::ErrorBySize => "training error by code size and parameters alone",
            Self::ErrorByGeometry => "training error by code size, parameters, geometry, activation",
            Self::ErrorByTraining => "training error by code size, parameters, depth, activation, rate, patches, start",
            Self::ErrorByGeometryAndRegulariser => {
                "training error by code size, parameters, geometry, activation, regulariser"
            }
            Self::ErrorByEverything => {
                "training error by code size, parameters, depth, activation, rate, patches, start, regulariser"
            }
            Self::AccuracyByErrors => "accuracy by error and training error (C8)",
            Self::AccuracyByMse => "accuracy by the error alone",
            Self::AccuracyByTrainError => "accuracy by the training error alone",
            Self::AccuracyByClippedErrors => "accuracy by the error of clipped pictures and the training error",
            Self::AccuracyByLinearDecoder => "accuracy by the best linear decoder's error and the training error",
        }
    }

    /// How numbers name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ErrorByConfiguration => "c7",
            Self::ErrorBySize => "c7.size",
            Self::ErrorByGeometry => "c7.geometry",
            Self::ErrorByTraining => "c7.training",
            Self::ErrorByGeometryAndRegulariser => "c7.geometry-and-regulariser",
            Self::ErrorByEverything => "c7.everything",
            Self::AccuracyByErrors => "c8",
            Self::AccuracyByMse => "c8.mse",
            Self::AccuracyByTrainError => "c8.train-error",
            Self::AccuracyByLinearDecoder => "c8.linear",
            Self::AccuracyByClippedErrors => "c8.clipped",
        }
    }

    /// What is explained: `None` where it is not known.
    fn explained(self, row: &NetworkRow) -> Option<f64> {
        if self.is_of_error() { row.train_error.map(f64::ln).filter(|log| log.is_finite()) } else { row.logistic }
    }

    fn is_of_error(self) -> bool {
        self.errors().is_empty()
    }

    /// The errors by which accuracy is explained.
    fn errors(self) -> &'static [fn(&NetworkRow) -> Option<f64>] {
        match self {
            Self::AccuracyByErrors => &[|row| row.mse, |row| row.train_error],
            Self::AccuracyByMse => &[|row| row.mse],
            Self::AccuracyByTrainError => &[|row| row.train_error],
            Self::AccuracyByLinearDecoder => &[|row| row.linear_decoder_mse, |row| row.train_error],
            Self::AccuracyByClippedErrors => &[|row| row.mse_clipped, |row| row.train_error],
            _ => &[],
        }
    }
}

/// How much of the spread of the training error seeds alone make: P3 against P1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Networks of P3.
    pub networks: usize,
    /// Standard deviation of the log training error over them.
    pub of_seeds: f64,
    /// That over P1.
    pub of_networks: f64,
}

/// Every model that can be fitted to the rows of E1.
pub fn predictions(rows: &[NetworkRow], seed: u64) -> Vec<PredictionRow> {
    let models = Model::ALL.into_iter().enumerate();
    models.filter_map(|(at, model)| predict(rows, model, &mut stream(seed, "prediction", at as u64))).collect()
}

/// The models that decide C7 and C8, over fewer networks; no verdict rests on them.
pub fn predictions_of_fewer(rows: &[NetworkRow], seed: u64) -> Vec<(Subset, PredictionRow)> {
    let models = [Model::ErrorByConfiguration, Model::AccuracyByErrors];
    let cells = Subset::FEWER.into_iter().flat_map(|subset| models.map(|model| (subset, model)));
    let predicted = cells.enumerate().map(|(at, (subset, model))| {
        let random = &mut stream(seed, "prediction-fewer", at as u64);
        Some((subset, predict(&subset.of(rows), model, random)?))
    });
    predicted.flatten().collect()
}

/// The noise of the training error; `None` with fewer than two networks in P1 or P3.
pub fn noise(rows: &[NetworkRow]) -> Option<Noise> {
    let spread = |population: Population| {
        let logs: Vec<f64> =
            not_failed(rows, population).iter().filter_map(|row| Model::ErrorBySize.explained(row)).collect();
        crate::statistics::mean_interval(&logs, CONFIDENCE).map(|mean| (logs.len(), mean.standard_deviation))
    };
    let ((networks, of_seeds), (_, of_networks)) = (spread(Population::P3)?, spread(Population::P1)?);
    Some(Noise { networks, of_seeds, of_networks })
}

fn not_failed(rows: &[NetworkRow], population: Population) -> Vec<&NetworkRow> {
    rows.iter().filter(|row| row.population == population && row.status != Status::Failed).collect()
}

/// A model, fitted to redrawn networks.
type Fit = Box<dyn Fn(&[usize]) -> Option<crate::statistics::Explained>>;

fn predict(rows: &[NetworkRow], model: Model, random: &mut Stream) -> Option<PredictionRow> {
    let mut chosen = Vec::new();
    let mut errors: Vec<Vec<f64>> = vec![Vec::new(); model.errors().len()];
    for row in not_failed(rows, Population::P1) {
        let values: Option<Vec<f64>> = model.errors().iter().map(|error| error(row)).collect();
        if let (Some(y), Some(values)) = (model.explained(row), values) {
            chosen.push((row, y));
            errors.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
    }
    let y: Vec<f64> = chosen.iter().map(|(_, y)| *y).collect();
    let networks: Vec<&NetworkRow> = chosen.iter().map(|(row, _)| *row).collect();
    let data = networks.first()?.data.clone();
    let fit: Fit = if model.is_of_error() {
        let columns = configuration(model, &networks);
        Box::new(move |drawn| {
            let pick = |column: &Vec<f64>| drawn.iter().map(|&row| column[row]).collect::<Vec<f64>>();
            explained_variance(&pick(&y), &columns.iter().map(pick).collect::<Vec<_>>())
        })
    } else {
        let ranked = Ranking::new(&y)?;
        let by: Vec<Ranking> = errors.iter().map(|column| Ranking::new(column)).collect::<Option<_>>()?;
        Box::new(move |drawn| {
            let columns: Vec<Vec<f64>> = by.iter().map(|ranking| ranking.of_rows(drawn)).collect();
            explained_variance(&ranked.of_rows(drawn), &columns)
        })
    };
    let all: Vec<usize> = (0..networks.len()).collect();
    let whole = fit(&all)?;
    let adjusted = |drawn: &[usize]| fit(drawn).map(|fit| fit.adjusted_r_squared);
    let spread = bootstrap(networks.len(), adjusted, RESAMPLES, CONFIDENCE, random)?;
    let interval = spread.interval();
    Some(PredictionRow {
        data,
        model,
        networks: networks.len(),
        columns: whole.parameters,
        r_squared: whole.r_squared,
        adjusted: whole.adjusted_r_squared,
        low: interval.low,
        high: interval.high,
        standard_error: spread.standard_error,
        predictive: whole.predictive_r_squared,
    })
}

/// The columns by which the training error is explained.
fn configuration(model: Model, networks: &[&NetworkRow]) -> Vec<Vec<f64>> {
    let logarithms = |value: fn(&NetworkRow) -> f64| networks.iter().map(|row| value(row).ln()).collect::<Vec<f64>>();
    let categories = |name: fn(&NetworkRow) -> String| {
        indicator_columns(&networks.iter().map(|row| name(row)).collect::<Vec<String>>())
    };
    let mut columns = vec![logarithms(|row| row.code_size as f64), logarithms(|row| row.parameters as f64)];
    if model != Model::ErrorBySize {
        columns.extend(match model {
            Model::ErrorByGeometry | Model::ErrorByGeometryAndRegulariser => categories(|row| row.geometry.clone()),
            _ => categories(|row| row.depth.to_string()),
        });
        columns.extend(categories(|row| format!("{}/{}", row.encoder, row.decoder)));
    }
    if matches!(model, Model::ErrorByTraining | Model::ErrorByEverything) {
        columns.extend([logarithms(|row| row.lr), logarithms(|row| row.samples_per_layer as f64)]);
        columns.extend(categories(|row| format!("{:?}", row.initialisation)));
    }
    if matches!(model, Model::ErrorByEverything | Model::ErrorByGeometryAndRegulariser) {
        columns.extend(categories(|row| row.regulariser.clone()));
    }
    columns
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rand::RngExt;

    /// A living network; columns that do not matter here are empty.
    pub(crate) fn network(population: &str, network: usize, code_size: usize, values: [f64; 3]) -> NetworkRow {
        let [train_error, mse, logistic] = values;
        let activations = [("relu", "linear"), ("softsign", "linear"), ("sigmoid", "linear")];
        let (encoder, decoder) = activations[network % 3];
        serde_json::from_value(serde_json::json!({
            "data": "set", "population": population, "network": network, "geometry": "k4/4-k7", "depth": 1 + network % 2,
            "widths": "8-32", "code_size": code_size, "encoder": encoder, "decoder": decoder, "initialisation": "random",
            "regulariser": "none", "samples_per_layer": 1000, "lr": 0.001, "seed": 1, "parameters": 7 * code_size + network,
            "status": "ok", "reason": "", "train_error": train_error, "mse": mse, "linear_decoder_mse": mse,
            "logistic": logistic,
        }))
        .expect("a row needs no more")
    }

    /// Sixty networks whose training error is their code size to the power of -1, times noise; accuracy is chance but where
    /// `follows` the error.
    fn sixty(noise: f64, follows: bool) -> Vec<NetworkRow> {
        let random = &mut stream(3, "networks", 0);
        let row = |at: usize| {
            let size = 16 << (at % 5);
            let error = (noise * (random.random::<f64>() - 0.5)).exp() / size as f64;
            let chance: f64 = random.random();
            let accuracy = if follows { 1.0 - error } else { chance };
            network("P1", at, size, [error, error * error, accuracy])
        };
        (0..60).map(row).collect()
    }

    fn find(rows: &[NetworkRow], model: Model) -> PredictionRow {
        predictions(rows, 1).into_iter().find(|row| row.model == model).unwrap()
    }

    #[test]
    fn an_error_that_follows_the_size_contradicts_c7_and_one_of_noise_supports_it() {
        let told = find(&sixty(0.1, false), Model::ErrorByConfiguration);
        assert!(
            told.adjusted > 0.95 && told.low < told.adjusted && told.verdict() == Verdict::Contradicted,
            "{told:?}"
        );
        // Code size, parameters, one depth beside the first, two activations beside the first.
        assert_eq!((told.networks, told.columns), (60, 5));
        assert_eq!(find(&sixty(0.1, false), Model::ErrorBySize).columns, 2);
        let noise = find(&sixty(60.0, false), Model::ErrorByConfiguration);
        assert!(noise.adjusted < 0.3 && noise.verdict() == Verdict::Supported, "{noise:?}");
    }

    #[test]
    fn accuracy_that_follows_both_errors_contradicts_c8() {
        let told = find(&sixty(1.0, true), Model::AccuracyByErrors);
        assert!((told.adjusted - 1.0).abs() < 1e-9 && told.verdict() == Verdict::Contradicted, "{told:?}");
        let chance = find(&sixty(1.0, false), Model::AccuracyByErrors);
        assert!(chance.high < 0.5 && chance.verdict() == Verdict::Supported, "{chance:?}");
    }

    #[test]
    fn failed_networks_and_other_populations_do_not_enter() {
        let mut rows = sixty(1.0, true);
        rows[0].status = Status::Failed;
        rows[1].population = Population::P2;
        rows[2].train_error = None;
        rows[3].status = Status::Dead;
        assert_eq!(find(&rows, Model::ErrorByConfiguration).networks, 57);
        assert_eq!(find(&rows, Model::AccuracyByMse).networks, 58);
        assert!(predictions(&rows[..2], 1).is_empty() && predictions(&[], 1).is_empty());
        assert_eq!(predictions(&rows, 1), predictions(&rows, 1));
    }

    #[test]
    fn fewer_networks_may_say_something_else() {
        // Accuracy follows the errors but in the dead half.
        let mut rows = sixty(1.0, true);
        let chance = sixty(1.0, false);
        for (row, chance) in rows.iter_mut().zip(&chance).skip(1).step_by(2) {
            (row.status, row.logistic) = (Status::Dead, chance.logistic);
        }
        let found = predictions_of_fewer(&rows, 1);
        let of = |subset: Subset| {
            let mut rows = found.iter().filter(|(of, row)| *of == subset && row.model == Model::AccuracyByErrors);
            rows.next().map(|(_, row)| (row.networks, row.verdict())).unwrap()
        };
        assert_eq!(of(Subset::Living), (30, Verdict::Contradicted));
        assert_eq!(of(Subset::LightlyMasked), (60, find(&rows, Model::AccuracyByErrors).verdict()));
        assert_ne!(of(Subset::LightlyMasked).1, Verdict::Contradicted);
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn noise_is_the_spread_of_the_seeds() {
        let mut rows = sixty(0.1, false);
        assert_eq!(noise(&rows), None);
        let error = |exponent: f64| exponent.exp();
        rows.extend([1.0, 3.0].map(|exponent| network("P3", 0, 64, [error(exponent), 0.1, 0.5])));
        let noise = noise(&rows).unwrap();
        assert!((noise.of_seeds - 2.0_f64.sqrt()).abs() < 1e-12 && noise.networks == 2);
        // Log sizes in five steps of log 2, about 1.0 in all.
        assert!((noise.of_networks - 0.99).abs() < 0.05, "{noise:?}");
    }
}
