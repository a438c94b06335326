//! A row of the sweep.

use super::features::{Common, Measured};
use crate::{
    correlation::{network::Status, population::Population},
    statistics::Disagreement,
};
use serde::{Deserialize, Serialize};

/// Whose features a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The code of a trained network.
    Network,
    /// The pixels.
    Pixels,
    /// The leading principal components of the training pictures.
    Pca,
    /// The pixels projected on random orthonormal directions.
    RandomProjection,
    /// The directions along which the classes of the training pictures lie apart.
    Lda,
    /// The top layer of a network of P2's architecture that learnt the classes.
    Supervised,
    /// Principal components, probed with training and validation labels in random order: what chance gives.
    Shuffled,
}

impl Kind {
    /// How tables and figures name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Network => "auto-encoder",
            Self::Pixels => "pixels",
            Self::Pca => "PCA",
            Self::RandomProjection => "random projection",
            Self::Lda => "LDA",
            Self::Supervised => "supervised network",
            Self::Shuffled => "shuffled labels",
        }
    }
}

/// A row of the sweep: a network with its baselines, or a baseline that all share. What does not apply is empty. Accuracies
/// are shares of the test pictures; information is in nats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeparabilityRow {
    /// The set, such as `MNIST sample`.
    pub data: String,
    /// Whose features.
    pub kind: Kind,
    /// Population of a network.
    pub population: Option<Population>,
    /// Position of a network in it.
    pub network: Option<usize>,
    /// Geometry of a network, such as `k4/4-k3/2-k3`.
    pub geometry: String,
    /// Layers of a network; 0 for what has none.
    pub depth: usize,
    /// Length of the code; columns of the features.
    pub code_size: usize,
    /// Activation of the encoders.
    pub encoder: String,
    /// Activation of the decoders.
    pub decoder: String,
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    pub reason: String,
    /// Training pictures that probes learnt from.
    pub probe_pictures: usize,
    /// Test pictures.
    pub images: u64,
    /// Share of the variance around the mean picture that a network's own reconstruction explains.
    pub r2: Option<f64>,
    /// Test accuracy of the classifier itself, of the supervised network.
    pub classifier: Option<f64>,
    /// Logistic probe.
    pub logistic: Option<f64>,
    /// What the features tell about the class at least, by its probabilities.
    pub information: Option<f64>,
    /// Ridge probe.
    pub ridge: Option<f64>,
    /// What the features tell about the class at least, by a linear discriminant, as for the layers below.
    pub information_discriminant: Option<f64>,
    /// Five nearest neighbours.
    pub knn: Option<f64>,
    /// Thornton's index.
    pub thornton: Option<f64>,
    /// Fisher's criterion.
    pub fisher: Option<f64>,
    /// Logistic probe on the code of the same network before training.
    pub untrained_logistic: Option<f64>,
    /// Five nearest neighbours on the code of the same network before training.
    pub untrained_knn: Option<f64>,
    /// Pictures that the logistic probe gets right on the code and not on the pixels.
    pub logistic_over_pixels: Option<u64>,
    /// The other way round.
    pub logistic_under_pixels: Option<u64>,
    /// As before, of as many principal components.
    pub logistic_over_pca: Option<u64>,
    /// The other way round.
    pub logistic_under_pca: Option<u64>,
    /// As before, of the network before training.
    pub logistic_over_untrained: Option<u64>,
    /// The other way round.
    pub logistic_under_untrained: Option<u64>,
    /// As before, for five nearest neighbours: the pixels.
    pub knn_over_pixels: Option<u64>,
    /// The other way round.
    pub knn_under_pixels: Option<u64>,
    /// As many principal components.
    pub knn_over_pca: Option<u64>,
    /// The other way round.
    pub knn_under_pca: Option<u64>,
    /// The network before training.
    pub knn_over_untrained: Option<u64>,
    /// The other way round.
    pub knn_under_untrained: Option<u64>,
    /// Columns of the lowest layer's map as it was probed; only of stacks of two and three layers.
    pub layer1_columns: Option<usize>,
    /// Ridge probe on it.
    pub layer1_ridge: Option<f64>,
    /// What it tells about the class at least, by a linear discriminant.
    pub layer1_information: Option<f64>,
    /// Five nearest neighbours on it.
    pub layer1_knn: Option<f64>,
    /// Its Thornton index.
    pub layer1_thornton: Option<f64>,
    /// Its Fisher criterion.
    pub layer1_fisher: Option<f64>,
    /// The same of the middle layer; only of stacks of three layers.
    pub layer2_columns: Option<usize>,
    /// Ridge probe on it.
    pub layer2_ridge: Option<f64>,
    /// What it tells about the class at least, by a linear discriminant.
    pub layer2_information: Option<f64>,
    /// Five nearest neighbours on it.
    pub layer2_knn: Option<f64>,
    /// Its Thornton index.
    pub layer2_thornton: Option<f64>,
    /// Its Fisher criterion.
    pub layer2_fisher: Option<f64>,
}

/// What the code of a network is compared with, picture by picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The pixels.
    Pixels,
    /// As many principal components.
    Pca,
    /// The code of the same network before training.
    Untrained,
}

impl Against {
    /// All, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Pixels, Self::Pca, Self::Untrained];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Pca => "PCA of the same size",
            Self::Untrained => "itself before training",
        }
    }
}

/// By which probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The logistic one.
    Logistic,
    /// Five nearest neighbours.
    Knn,
}

impl By {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Logistic, Self::Knn];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Knn => "5 nearest neighbours",
        }
    }
}

impl SeparabilityRow {
    /// A row that knows what it is about and nothing else yet: failed, for a reason still to be said.
    pub fn new(data: &str, kind: Kind, code_size: usize, [probe_pictures, images]: [usize; 2]) -> Self {
        Self {
            data: data.to_string(),
            kind,
            population: None,
            network: None,
            geometry: String::new(),
            depth: 0,
            code_size,
            encoder: String::new(),
            decoder: String::new(),
            status: Status::Failed,
            reason: String::new(),
            probe_pictures,
            images: images as u64,
            r2: None,
            classifier: None,
            logistic: None,
            information: None,
            ridge: None,
            information_discriminant: None,
            knn: None,
            thornton: None,
            fisher: None,
            untrained_logistic: None,
            untrained_knn: None,
            logistic_over_pixels: None,
            logistic_under_pixels: None,
            logistic_over_pca: None,
            logistic_under_pca: None,
            logistic_over_untrained: None,
            logistic_under_untrained: None,
            knn_over_pixels: None,
            knn_under_pixels: None,
            knn_over_pca: None,
            knn_under_pca: None,
            knn_over_untrained: None,
            knn_under_untrained: None,
            layer1_columns: None,
            layer1_ridge: None,
            layer1_information: None,
            layer1_knn: None,
            layer1_thornton: None,
            layer1_fisher: None,
            layer2_columns: None,
            layer2_ridge: None,
            layer2_information: None,
            layer2_knn: None,
            layer2_thornton: None,
            layer2_fisher: None,
        }
    }

    /// Fills in what was measured of the features themselves.
    pub fn fill(&mut self, found: &Measured) {
        (self.logistic, self.information) = (Some(found.logistic), Some(found.information));
        let common = &found.common;
        (self.ridge, self.knn) = (Some(common.ridge), Some(common.knn));
        self.information_discriminant = common.information;
        (self.thornton, self.fisher) = (common.thornton, common.fisher);
    }

    /// Fills in what was measured of a layer below the top, counted from 0; of the lowest two.
    pub fn fill_layer(&mut self, layer: usize, columns: usize, found: &Common) {
        let (ridge, knn) = (Some(found.ridge), Some(found.knn));
        match layer {
            0 => {
                (self.layer1_columns, self.layer1_ridge) = (Some(columns), ridge);
                (self.layer1_information, self.layer1_knn) = (found.information, knn);
                (self.layer1_thornton, self.layer1_fisher) = (found.thornton, found.fisher);
            }
            1 => {
                (self.layer2_columns, self.layer2_ridge) = (Some(columns), ridge);
                (self.layer2_information, self.layer2_knn) = (found.information, knn);
                (self.layer2_thornton, self.layer2_fisher) = (found.thornton, found.fisher);
            }
            _ => {}
        }
    }

    /// Counts where the code and something else differ.
    pub fn compare(&mut self, against: Against, code: &Measured, other: &Measured) {
        let logistic = Disagreement::count(&code.logistic_right, &other.logistic_right);
        let knn = Disagreement::count(&code.common.knn_right, &other.common.knn_right);
        let (logistic_cells, knn_cells) = match against {
            Against::Pixels => (
                [&mut self.logistic_over_pixels, &mut self.logistic_under_pixels],
                [&mut self.knn_over_pixels, &mut self.knn_under_pixels],
            ),
            Against::Pca => (
                [&mut self.logistic_over_pca, &mut self.logistic_under_pca],
                [&mut self.knn_over_pca, &mut self.knn_under_pca],
            ),
            Against::Untrained => (
                [&mut self.logistic_over_untrained, &mut self.logistic_under_untrained],
                [&mut self.knn_over_untrained, &mut self.knn_under_untrained],
            ),
        };
        for ([over, under], counted) in [(logistic_cells, logistic), (knn_cells, knn)] {
            (*over, *under) = (Some(counted.only_first), Some(counted.only_second));
        }
    }

    /// Where code (first) and something else (second) differ; `None` for what was not compared.
    pub fn disagreement(&self, by: By, against: Against) -> Option<Disagreement> {
        let (over, under) = match (by, against) {
            (By::Logistic, Against::Pixels) => (self.logistic_over_pixels, self.logistic_under_pixels),
            (By::Logistic, Against::Pca) => (self.logistic_over_pca, self.logistic_under_pca),
            (By::Logistic, Against::Untrained) => (self.logistic_over_untrained, self.logistic_under_untrained),
            (By::Knn, Against::Pixels) => (self.knn_over_pixels, self.knn_under_pixels),
            (By::Knn, Against::Pca) => (self.knn_over_pca, self.knn_under_pca),
            (By::Knn, Against::Untrained) => (self.knn_over_untrained, self.knn_under_untrained),
        };
        Some(Disagreement { only_first: over?, only_second: under?, images: self.images })
    }

    /// Accuracy of the ridge probe by depth, from the lowest layer to the code; empty where it is not known throughout.
    pub fn ridge_by_layer(&self) -> Vec<f64> {
        let all = [self.layer1_ridge, self.layer2_ridge];
        let below = &all[..self.depth.saturating_sub(1).min(2)];
        let layers: Option<Vec<f64>> = below.iter().copied().chain([self.ridge]).collect();
        layers.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(right: [bool; 4]) -> Measured {
        let common = Common {
            ridge: 0.5,
            information: None,
            knn: 0.25,
            thornton: None,
            fisher: Some(2.0),
            knn_right: right.iter().map(|right| !right).collect(),
        };
        Measured { logistic: 0.6, information: 0.2, logistic_right: right.to_vec(), common }
    }

    #[test]
    fn a_comparison_is_read_as_it_was_counted() {
        let mut row = SeparabilityRow::new("set", Kind::Network, 16, [100, 4]);
        let (code, other) = (measured([true, true, false, true]), measured([false, false, true, true]));
        for against in Against::ALL {
            assert_eq!(row.disagreement(By::Logistic, against), None);
            row.compare(against, &code, &other);
            let counted = |by| {
                let found = row.disagreement(by, against).unwrap();
                [found.only_first, found.only_second, found.images]
            };
            assert_eq!((counted(By::Logistic), counted(By::Knn)), ([2, 1, 4], [1, 2, 4]));
        }
    }

    #[test]
    fn layers_are_in_order_and_all_or_none() {
        let mut row = SeparabilityRow { depth: 3, ..SeparabilityRow::new("set", Kind::Network, 16, [100, 4]) };
        let code = measured([true; 4]);
        for (layer, ridge) in [(0, 0.7), (1, 0.8)] {
            row.fill_layer(layer, 9, &Common { ridge, ..code.common.clone() });
        }
        assert!(row.ridge_by_layer().is_empty());
        row.fill(&code);
        assert_eq!(row.ridge_by_layer(), [0.7, 0.8, 0.5]);
        assert_eq!((row.layer1_columns, row.layer2_fisher), (Some(9), Some(2.0)));
        row.depth = 1;
        assert_eq!(row.ridge_by_layer(), [0.5]);
    }
}
