//! Tables of the direct and Winograd convolutions, made once for a shape and kept in the workspace.

use super::{
    Conv2dDims, Pass,
    by_columns::ByColumns,
    by_weight_rows::ByWeightRows,
    direct::Correlation,
    direct_weight::WeightGradient,
    direct_weight_rows::WeightGradientByRows,
    winograd::{WinogradCorrelation, WinogradWeightGradient},
};
use std::{collections::HashMap, sync::Arc};

/// What a plan was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    dims: Conv2dDims,
    pass: Pass,
    pooled_source: bool,
    pooled_target: bool,
}

/// The plans made so far.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    correlations: HashMap<Key, Arc<Correlation>>,
    by_columns: HashMap<(Conv2dDims, Pass), Arc<ByColumns>>,
    by_weight_rows: HashMap<Conv2dDims, Arc<ByWeightRows>>,
    weight_gradients: HashMap<Key, Arc<WeightGradient>>,
    weight_gradients_by_rows: HashMap<Conv2dDims, Arc<WeightGradientByRows>>,
    winograd_correlations: HashMap<(Conv2dDims, Pass), Arc<WinogradCorrelation>>,
    winograd_weight_gradients: HashMap<Conv2dDims, Arc<WinogradWeightGradient>>,
}

impl Plans {
    pub(super) fn correlation(
        &mut self,
        dims: &Conv2dDims,
        pass: Pass,
        pooled_source: bool,
        pooled_target: bool,
    ) -> Arc<Correlation> {
        let key = Key { dims: *dims, pass, pooled_source, pooled_target };
        let make = || Arc::new(Correlation::new(dims, pass, pooled_source, pooled_target));
        self.correlations.entry(key).or_insert_with(make).clone()
    }

    pub(super) fn by_columns(&mut self, dims: &Conv2dDims, pass: Pass) -> Arc<ByColumns> {
        self.by_columns.entry((*dims, pass)).or_insert_with(|| Arc::new(ByColumns::new(dims, pass))).clone()
    }

    pub(super) fn by_weight_rows(&mut self, dims: &Conv2dDims) -> Arc<ByWeightRows> {
        self.by_weight_rows.entry(*dims).or_insert_with(|| Arc::new(ByWeightRows::new(dims))).clone()
    }

    pub(super) fn weight_gradient(&mut self, dims: &Conv2dDims, pooled_grad: bool) -> Arc<WeightGradient> {
        let key = Key { dims: *dims, pass: Pass::GradWeight, pooled_source: pooled_grad, pooled_target: false };
        self.weight_gradients.entry(key).or_insert_with(|| Arc::new(WeightGradient::new(dims, pooled_grad))).clone()
    }

    pub(super) fn weight_gradient_by_rows(&mut self, dims: &Conv2dDims) -> Arc<WeightGradientByRows> {
        let make = || Arc::new(WeightGradientByRows::new(dims));
        self.weight_gradients_by_rows.entry(*dims).or_insert_with(make).clone()
    }

    pub(super) fn winograd_correlation(&mut self, dims: &Conv2dDims, pass: Pass) -> Arc<WinogradCorrelation> {
        let make = || Arc::new(WinogradCorrelation::new(dims, pass));
        self.winograd_correlations.entry((*dims, pass)).or_insert_with(make).clone()
    }

    pub(super) fn winograd_weight_gradient(&mut self, dims: &Conv2dDims) -> Arc<WinogradWeightGradient> {
        let make = || Arc::new(WinogradWeightGradient::new(dims));
        self.winograd_weight_gradients.entry(*dims).or_insert_with(make).clone()
    }
}
