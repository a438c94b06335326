//! Parameters and the optimiser, translated to PyTorch's layouts and back.

use super::{Checkpoint, CheckpointError, Data, Stored};
use crate::{
    ParamId, Params, Tensor,
    optim::{Optimizer, OptimizerState},
};

/// What the tensors and entries of the optimiser begin with.
const OPTIMIZER: &str = "optimizer.";

impl Checkpoint {
    /// Stores every parameter as `<prefix><name>`.
    ///
    /// # Panics
    /// If a name is taken.
    #[track_caller]
    pub fn put_params(&mut self, prefix: &str, params: &Params) {
        for (id, name, tensor) in params.iter() {
            self.put_tensor(format!("{prefix}{name}"), params, id, tensor);
        }
    }

    /// Takes out the tensor `<prefix><name>` of every parameter and overwrites the parameters with them.
    ///
    /// # Errors
    /// If one is missing, has another shape or type, or an element that is not finite; no parameter is changed then.
    pub fn take_params(&mut self, prefix: &str, params: &mut Params) -> Result<(), CheckpointError> {
        let mut read = Vec::with_capacity(params.len());
        for (id, name, _) in params.iter() {
            read.push((id, self.take_tensor(&format!("{prefix}{name}"), params, id)?));
        }
        for (id, tensor) in read {
            *params.get_mut(id) = tensor;
        }
        Ok(())
    }

    /// Stores what `optimizer` remembers of `params`: its moments as tensors, numbers and options as entries. A checkpoint holds
    /// one optimiser.
    ///
    /// # Panics
    /// If there is one already.
    #[track_caller]
    pub fn put_optimizer(&mut self, optimizer: &dyn Optimizer, params: &Params) {
        let taken = self.entries.keys().any(|key| key.starts_with(OPTIMIZER));
        assert!(!taken, "Checkpoint: there is an optimizer already; save a second one to a checkpoint of its own");
        let OptimizerState { kind, options, params: known } = optimizer.state(params);
        self.set(&format!("{OPTIMIZER}kind"), kind);
        for (name, value) in options {
            self.set(&format!("{OPTIMIZER}{name}"), value);
        }
        for (param, state) in known {
            let id = params.find(&param).expect("the state is of these parameters");
            for (moment, tensor) in state.moments {
                self.put_tensor(format!("{OPTIMIZER}{param}.{moment}"), params, id, &tensor);
            }
            for (name, value) in state.numbers {
                self.set(&format!("{OPTIMIZER}{param}.{name}"), value);
            }
        }
    }

    /// Takes out what [`put_optimizer`](Self::put_optimizer) stored; `optimizer` goes on from there.
    ///
    /// # Errors
    /// If anything is missing, too much, of another shape, or not finite; the optimiser is not changed then.
    pub fn take_optimizer(&mut self, optimizer: &mut dyn Optimizer, params: &Params) -> Result<(), CheckpointError> {
        let mut state = OptimizerState { kind: self.get(&format!("{OPTIMIZER}kind"))?, ..OptimizerState::default() };
        // `<parameter>.<what>`, where the parameter's own name may have dots.
        let of_param = |rest: &str| -> Option<(ParamId, String, String)> {
            let (param, what) = rest.rsplit_once('.')?;
            Some((params.find(param)?, param.to_string(), what.to_string()))
        };
        for key in self.entries.keys().filter(|key| key.starts_with(OPTIMIZER)) {
            let (rest, value) = (&key[OPTIMIZER.len()..], || self.get::<f64>(key));
            match of_param(rest) {
                Some((_, param, what)) => {
                    state.params.entry(param).or_default().numbers.insert(what, value()?);
                }
                None if rest == "kind" => {}
                None => {
                    state.options.insert(rest.to_string(), value()?);
                }
            }
        }
        let names: Vec<String> = self.tensors.keys().filter(|name| name.starts_with(OPTIMIZER)).cloned().collect();
        for name in names {
            let Some((id, param, what)) = of_param(&name[OPTIMIZER.len()..]) else {
                let dims = self.take(&name)?.dims;
                return Err(CheckpointError::Surplus { name, dims });
            };
            let tensor = self.take_tensor(&name, params, id)?;
            state.params.entry(param).or_default().moments.insert(what, tensor);
        }
        Ok(optimizer.load_state(params, state)?)
    }

    /// Stores a tensor that is laid out as the parameter `id`.
    #[track_caller]
    fn put_tensor(&mut self, name: String, params: &Params, id: ParamId, tensor: &Tensor) {
        let theirs = params.layout(id).to_pytorch(tensor);
        let data = Data::F32(theirs.as_slice().to_vec());
        self.put(name, Stored { dims: theirs.shape().dims().to_vec(), data });
    }

    /// Takes out a tensor that must be laid out as the parameter `id`, with finite elements.
    fn take_tensor(&mut self, name: &str, params: &Params, id: ParamId) -> Result<Tensor, CheckpointError> {
        let stored = self.take(name)?;
        let (shape, layout) = (params.get(id).shape(), params.layout(id));
        let theirs = layout.shape_in_pytorch(shape);
        if stored.dims != theirs.dims() {
            let expected = theirs.dims().to_vec();
            return Err(CheckpointError::Shape { name: name.to_string(), got: stored.dims, expected });
        }
        stored.check_finite(name)?;
        let Data::F32(values) = stored.data else {
            let got = stored.data.type_name().to_string();
            return Err(CheckpointError::Type { name: name.to_string(), got, expected: "F32" });
        };
        Ok(layout.from_pytorch(&Tensor::new(theirs, &values), shape))
    }
}
