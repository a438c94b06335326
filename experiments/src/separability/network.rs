//! One network: trained, its layers and its code measured, and compared with baselines picture by picture.

use super::{
    baselines::Baselines,
    features::{Grid, LONGEST_MAP, Measured, measure, measure_common},
    row::{Against, Kind, SeparabilityRow},
};
use crate::{
    batches,
    correlation::{network::Status, population::Member, store::Trainer},
    finetune::Classifier,
    linear_algebra::Rows,
    measures,
    scae::{Scae, ScaeSpec},
    scores::Reconstruction,
    training::{Checkpoints, FitSpec},
};
use patchgrad::{
    Tape, Tensor, Workspace,
    optim::{Adam, AdamConfig},
    random::stream,
};

impl Baselines<'_> {
    /// The row of a network, of which nothing is known yet.
    pub(super) fn blank(&self, kind: Kind, spec: &ScaeSpec) -> SeparabilityRow {
        let [train, _, test] = self.parts.all();
        let unit = spec.layers[0].unit;
        SeparabilityRow {
            geometry: spec.geometry().to_string(),
            depth: spec.layers.len(),
            encoder: unit.encoder().to_string(),
            decoder: if kind == Kind::Network { unit.decoder().to_string() } else { String::new() },
            ..SeparabilityRow::new(self.data, kind, spec.code_size(), [train.count(), test.count()])
        }
    }

    /// The same of a member of a population.
    pub(super) fn blank_member(&self, member: &Member) -> SeparabilityRow {
        let (population, network) = (Some(member.population), Some(member.index));
        SeparabilityRow { population, network, ..self.blank(Kind::Network, &member.spec) }
    }

    /// Trains and measures a member of a population.
    pub fn network(&self, member: &Member, trainer: &Trainer) -> SeparabilityRow {
        let workspace = &mut Workspace::new();
        let mut row = self.blank_member(member);
        let scae = match trainer.train(member, workspace) {
            Ok((scae, _)) => scae,
            Err(error) => {
                row.reason = error.to_string();
                return row;
            }
        };
        self.fill(row.clone(), &scae, &Trainer::untrained(member), workspace).unwrap_or_else(|| {
            row.reason = "a code or a reconstruction is not finite".to_string();
            row
        })
    }

    /// Fills in the row of a trained network; `None` when a value is not finite.
    fn fill(
        &self,
        mut row: SeparabilityRow,
        scae: &Scae,
        untrained: &Scae,
        workspace: &mut Workspace,
    ) -> Option<SeparabilityRow> {
        let test = self.parts.test;
        // The pictures are gone before anything else is made: several networks are measured at once.
        let whole = Reconstruction::score(&test.pictures, scae.reconstruct(&test.pictures, workspace).as_slice());
        if !whole.mse.is_finite() {
            return None;
        }
        row.r2 = Some(whole.r2);
        let (code, test_code) = self.code(scae, workspace)?;
        row.fill(&code);
        self.layers(&mut row, scae, workspace)?;
        if let Some(pixels) = self.pixels() {
            row.compare(Against::Pixels, &code, pixels);
        }
        if let Some(pca) = self.pca(row.code_size) {
            row.compare(Against::Pca, &code, pca);
        }
        if let Some((before, _)) = self.code(untrained, workspace) {
            (row.untrained_logistic, row.untrained_knn) = (Some(before.logistic), Some(before.common.knn));
            row.compare(Against::Untrained, &code, &before);
        }
        let dead = measures::dead_units(Rows::new(test_code.as_slice(), row.code_size))?;
        row.status = Status::of(dead, row.code_size, whole.r2);
        Some(row)
    }

    /// Measures the code; gives the test codes too.
    fn code(&self, scae: &Scae, workspace: &mut Workspace) -> Option<(Measured, Tensor)> {
        let codes = self.parts.features(|pictures| scae.codes(pictures, workspace));
        let found = measure(&self.parts, codes.each_ref(), None, workspace)?;
        let [_, _, test] = codes;
        Some((found, test))
    }

    /// Measures the layers below the top.
    fn layers(&self, row: &mut SeparabilityRow, scae: &Scae, workspace: &mut Workspace) -> Option<()> {
        for layer in 0..scae.spec().layers.len() - 1 {
            let maps = self.parts.features(|pictures| maps_of_layer(scae, layer, pictures, workspace));
            let found = measure_common(&self.parts, maps.each_ref(), None, workspace)?;
            row.fill_layer(layer, maps[0].shape().dims()[1], &found);
        }
        Some(())
    }

    /// Trains the encoder of `spec` with a linear layer on top on the classes, from a random start, for at most `epochs`;
    /// of these the one with the lowest validation loss is kept. Then measures it as the others.
    pub fn supervised(&self, spec: &ScaeSpec, epochs: usize, seed: u64) -> SeparabilityRow {
        let workspace = &mut Workspace::new();
        let mut row = self.blank(Kind::Supervised, spec);
        let [train, validation, test] = self.parts.all();
        let start = Scae::new(spec.clone(), &mut stream(seed, "supervised-init", 0));
        let mut classifier = Classifier::new(start, self.parts.classes, seed);
        let fit = FitSpec { patience: Some(3), ..FitSpec::new(epochs, 32, 1e-3, seed) };
        let mut optimizer = Adam::new(AdamConfig::new(1e-3));
        let trained =
            classifier.fit(train, Some(validation), &fit, &mut optimizer, &mut Checkpoints::none(), workspace);
        if let Err(error) = trained {
            row.reason = error.to_string();
            return row;
        }
        row.classifier = Some(classifier.accuracy(test, workspace));
        let found = self.code(classifier.scae(), workspace);
        let done = found.and_then(|(code, _)| {
            row.fill(&code);
            self.layers(&mut row, classifier.scae(), workspace)
        });
        match done {
            Some(()) => row.status = Status::Ok,
            None => row.reason = "a code is not finite".to_string(),
        }
        row
    }
}

/// The maps of layer `layer` as rows of at most [`LONGEST_MAP`] values. Whole maps of all pictures would not fit into memory (those
/// of a lowest layer are a gigabyte and more), so each batch is meaned before the next one is encoded.
fn maps_of_layer(scae: &Scae, layer: usize, pictures: &Tensor, workspace: &mut Workspace) -> Tensor {
    let size = scae.spec().map_size(layer + 1);
    let grid = Grid::of(size, LONGEST_MAP);
    batches::gather_pictures(pictures, grid.values(), workspace, |batch, rows, workspace| {
        let mut tape = Tape::with_params(scae.params(), workspace);
        let input = tape.input(batch);
        let maps = scae.encode(&mut tape, input, layer + 1);
        grid.mean(tape.value(maps).as_slice(), rows);
    })
}
