//! What an optimiser remembers, in a form that can be saved: PyTorch's `state_dict`.

use super::PerParam;
use crate::{ParamId, Params, Tensor};
use std::collections::BTreeMap;

/// Everything that decides the next steps of an optimiser, besides parameters and gradients.
///
/// The names are PyTorch's: options as `lr` and `weight_decay`; for each parameter that was stepped the moments
/// `momentum_buffer` of SGD, `exp_avg` and `exp_avg_sq` of Adam, and its number of steps as `step`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerState {
    /// Which optimiser: `sgd` or `adam`.
    pub kind: String,
    /// The options by name; switches are 0 or 1.
    pub options: BTreeMap<String, f64>,
    /// What is remembered of a parameter, by its name.
    pub params: BTreeMap<String, ParamState>,
}

/// What an optimiser remembers of one parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParamState {
    /// Moments, each of the parameter's shape.
    pub moments: BTreeMap<String, Tensor>,
    /// Numbers, such as `step`.
    pub numbers: BTreeMap<String, f64>,
}

/// A state that does not belong to this optimiser or these parameters. The text names what does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("optimizer: {0}")]
pub struct OptimizerStateError(String);

impl OptimizerStateError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl OptimizerState {
    /// The state of an optimiser with these options.
    pub(super) fn new<const N: usize>(kind: &str, options: [(&str, f64); N]) -> Self {
        let options = options.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Self { kind: kind.to_string(), options, params: BTreeMap::new() }
    }

    /// Adds what `of` makes of each parameter that has an entry in `per_param`.
    pub(super) fn with_params<T>(
        mut self,
        params: &Params,
        per_param: &PerParam<T>,
        of: impl Fn(&T) -> ParamState,
    ) -> Self {
        let known = params.iter().filter_map(|(id, name, _)| Some((name.to_string(), of(per_param.get(id)?))));
        self.params = known.collect();
        self
    }

    /// Checks that this is the state of a `kind` with exactly these options, all finite, and gives their values.
    pub(super) fn options<const N: usize>(
        &self,
        kind: &str,
        names: [&str; N],
    ) -> Result<[f64; N], OptimizerStateError> {
        let fail = |message: String| Err(OptimizerStateError(message));
        if self.kind != kind {
            return fail(format!("expected the state of `{kind}`, got that of `{}`", self.kind));
        }
        if let Some(unknown) = self.options.keys().find(|name| !names.contains(&name.as_str())) {
            return fail(format!("`{kind}` has no option `{unknown}`; it has {}", names.join(", ")));
        }
        let mut values = [0.0; N];
        for (value, name) in values.iter_mut().zip(names) {
            match self.options.get(name) {
                Some(given) if given.is_finite() => *value = *given,
                Some(given) => return fail(format!("option `{name}` is {given}, expected a finite number")),
                None => return fail(format!("option `{name}` is missing")),
            }
        }
        Ok(values)
    }

    /// Reads the entry of every parameter that has one; each must belong to a parameter and hold exactly these moments and
    /// numbers.
    pub(super) fn per_param<T, const M: usize, const N: usize>(
        mut self,
        params: &Params,
        (moments, numbers): ([&str; M], [&str; N]),
        read: impl Fn([Tensor; M], [f64; N]) -> Result<T, String>,
    ) -> Result<PerParam<T>, OptimizerStateError> {
        let mut result = PerParam::default();
        for (id, name, _) in params.iter() {
            let Some(entry) = self.params.remove(name) else { continue };
            let value = read_entry(entry, params.get(id), moments, numbers).and_then(|(m, n)| read(m, n));
            result.set(id, value.map_err(|message| OptimizerStateError(format!("{name}: {message}")))?);
        }
        match self.params.keys().next() {
            Some(surplus) => Err(OptimizerStateError(format!("there is no parameter `{surplus}`"))),
            None => Ok(result),
        }
    }
}

fn read_entry<const M: usize, const N: usize>(
    mut entry: ParamState,
    param: &Tensor,
    moments: [&str; M],
    numbers: [&str; N],
) -> Result<([Tensor; M], [f64; N]), String> {
    let mut tensors = moments.map(|_| Tensor::zeros([0]));
    for (to, name) in tensors.iter_mut().zip(moments) {
        let tensor = entry.moments.remove(name).ok_or_else(|| format!("`{name}` is missing"))?;
        if tensor.shape() != param.shape() {
            return Err(format!("`{name}` is {}, expected the parameter's {}", tensor.shape(), param.shape()));
        }
        if let Some(at) = tensor.as_slice().iter().position(|value| !value.is_finite()) {
            return Err(format!("element {at} of `{name}` is {}", tensor.as_slice()[at]));
        }
        *to = tensor;
    }
    let mut values = [0.0; N];
    for (to, name) in values.iter_mut().zip(numbers) {
        *to = entry.numbers.remove(name).ok_or_else(|| format!("`{name}` is missing"))?;
    }
    match entry.moments.keys().chain(entry.numbers.keys()).next() {
        Some(surplus) => Err(format!("`{surplus}` is not part of this optimizer's state")),
        None => Ok((tensors, values)),
    }
}

impl ParamState {
    pub(super) fn new<const M: usize, const N: usize>(
        moments: [(&str, &Tensor); M],
        numbers: [(&str, f64); N],
    ) -> Self {
        Self {
            moments: moments.into_iter().map(|(name, tensor)| (name.to_string(), tensor.clone())).collect(),
            numbers: numbers.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
        }
    }
}

impl<T> PerParam<T> {
    /// The value of `id`, if one was made.
    fn get(&self, id: ParamId) -> Option<&T> {
        self.0.get(id.0)?.as_ref()
    }

    fn set(&mut self, id: ParamId, value: T) {
        *self.entry(id) = Some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Tape, Workspace,
        layers::{Layer, Linear},
        optim::{Adam, AdamConfig, Optimizer, Sgd, SgdConfig},
        random::stream,
    };

    fn optimizers() -> Vec<Box<dyn Optimizer>> {
        let momentum = SgdConfig { momentum: 0.9, ..SgdConfig::new(0.1) };
        vec![
            Box::new(Sgd::new(SgdConfig::new(0.1))),
            Box::new(Sgd::new(momentum)),
            Box::new(Sgd::new(SgdConfig { nesterov: true, weight_decay: 0.01, ..momentum })),
            Box::new(Adam::new(AdamConfig::new(0.01))),
            Box::new(Adam::new(AdamConfig::adamw(0.01))),
        ]
    }

    fn network() -> (Params, Linear) {
        let mut params = Params::new();
        let layer = Linear::new(&mut params, "linear", [3, 2], &mut stream(0, "init", 0));
        // A parameter that is never stepped has no entry.
        params.add("unused", Tensor::zeros([4]));
        (params, layer)
    }

    fn train(params: &mut Params, layer: &Linear, optimizer: &mut dyn Optimizer, steps: usize) {
        let mut workspace = Workspace::new();
        let x = Tensor::from_fn([5, 3], |i| (i as f32).sin());
        let target = Tensor::from_fn([5, 2], |i| (i as f32).cos());
        for _ in 0..steps {
            let mut tape = Tape::with_params(params, &mut workspace);
            let (x, target) = (tape.input(&x), tape.input(&target));
            let y = layer.forward(&mut tape, x);
            let loss = tape.mse_loss(y, target);
            let gradients = tape.backward(loss);
            optimizer.step(params, &gradients);
        }
    }

    #[test]
    fn a_saved_optimizer_goes_on_bit_for_bit() {
        for (mut straight, mut resumed) in optimizers().into_iter().zip(optimizers()) {
            let (mut params, layer) = network();
            train(&mut params, &layer, straight.as_mut(), 3);
            straight.set_lr(0.03);
            let (mut copy, state) = (params.clone(), straight.state(&params));
            train(&mut params, &layer, straight.as_mut(), 3);
            resumed.load_state(&copy, state.clone()).unwrap();
            assert_eq!((resumed.lr(), resumed.state(&copy)), (0.03, state));
            train(&mut copy, &layer, resumed.as_mut(), 3);
            for (id, name, tensor) in params.iter() {
                assert_eq!(tensor, copy.get(id), "{name}");
            }
            assert_eq!(straight.state(&params), resumed.state(&copy));
        }
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
        let (mut params, layer) = network();
        let mut optimizer = Adam::new(AdamConfig::new(0.01));
        train(&mut params, &layer, &mut optimizer, 2);
        let good = optimizer.state(&params);
        let edit = |change: &dyn Fn(&mut OptimizerState)| {
            let mut state = good.clone();
            change(&mut state);
            state
        };
        let entry = |state: &mut OptimizerState| state.params.remove("linear.weight").unwrap();
        let cases = [
            (edit(&|s| s.kind = "sgd".into()), "expected the state of `adam`, got that of `sgd`"),
            (edit(&|s| _ = s.options.remove("eps")), "option `eps` is missing"),
            (edit(&|s| _ = s.options.insert("lr".into(), f64::NAN)), "option `lr` is NaN"),
            (edit(&|s| _ = s.options.insert("momentum".into(), 0.9)), "no option `momentum`"),
            (
                edit(&|s| {
                    let state = entry(s);
                    s.params.insert("conv.weight".into(), state);
                }),
                "there is no parameter `conv.weight`",
            ),
            (
                edit(&|s| {
                    s.params.get_mut("linear.bias").unwrap().moments.insert("exp_avg".into(), Tensor::zeros([3]));
                }),
                "linear.bias: `exp_avg` is [3], expected the parameter's [2]",
            ),
            (
                edit(&|s| {
                    s.params
                        .get_mut("linear.bias")
                        .unwrap()
                        .moments
                        .insert("exp_avg".into(), Tensor::full([2], f32::INFINITY));
                }),
                "linear.bias: element 0 of `exp_avg` is inf",
            ),
            (
                edit(&|s| drop(s.params.get_mut("linear.bias").unwrap().moments.remove("exp_avg_sq"))),
                "`exp_avg_sq` is missing",
            ),
            (
                edit(&|s| _ = s.params.get_mut("linear.bias").unwrap().numbers.insert("step".into(), 1.5)),
                "`step` is 1.5",
            ),
            (
                edit(&|s| {
                    s.params
                        .get_mut("linear.bias")
                        .unwrap()
                        .moments
                        .insert("momentum_buffer".into(), Tensor::zeros([2]));
                }),
                "`momentum_buffer` is not part",
            ),
        ];
        for (state, expected) in cases {
            let error = optimizer.load_state(&params, state).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}\nexpected {expected}");
            assert_eq!(optimizer.state(&params), good);
        }
        let nesterov = OptimizerState::new(
            "sgd",
            [("lr", 0.1), ("momentum", 0.0), ("dampening", 0.0), ("nesterov", 1.0), ("weight_decay", 0.0)],
        );
        let error = Sgd::new(SgdConfig::new(0.1)).load_state(&params, nesterov).unwrap_err();
        assert!(error.to_string().contains("nesterov needs momentum"), "{error}");
        let mut beta = good.clone();
        beta.options.insert("beta1".into(), 1.0);
        let error = optimizer.load_state(&params, beta).unwrap_err();
        assert!(error.to_string().contains("beta1 is 1, it must be at least 0 and below 1"), "{error}");
    }
}
