//! The trainable tensors of a model, by name.

use crate::{Tensor, layout::ParamLayout};

/// A handle to one tensor of a [`Params`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(pub(crate) usize);

/// The trainable tensors of one model, in the order in which its layers were made.
///
/// Layers hold [`ParamId`]s, the tape reads the tensors, the optimiser writes them: a model is this list and nothing else,
/// so copying it copies the model.
#[derive(Clone, Debug, Default)]
pub struct Params {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    tensor: Tensor,
    layout: ParamLayout,
}

impl Params {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor. Its [`layout`](Self::layout) follows from its rank: four axes are a kernel, two a linear layer.
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn add(&mut self, name: impl Into<String>, tensor: Tensor) -> ParamId {
        let name = name.into();
        assert!(self.find(&name).is_none(), "Params: there is already a parameter named {name}");
        let layout = ParamLayout::of_rank(tensor.shape().rank());
        self.entries.push(Entry { name, tensor, layout });
        ParamId(self.entries.len() - 1)
    }

    /// The tensor of `id`.
    pub fn get(&self, id: ParamId) -> &Tensor {
        &self.entries[id.0].tensor
    }

    /// The tensor of `id`, writable.
    pub fn get_mut(&mut self, id: ParamId) -> &mut Tensor {
        &mut self.entries[id.0].tensor
    }

    /// The name of `id`.
    pub fn name(&self, id: ParamId) -> &str {
        &self.entries[id.0].name
    }

    /// How PyTorch lays out the tensor of `id`: what a file with its names and layouts holds.
    pub fn layout(&self, id: ParamId) -> ParamLayout {
        self.entries[id.0].layout
    }

    /// Says how PyTorch lays out the tensor of `id`, where its rank does not tell.
    ///
    /// # Panics
    /// If the layout does not fit the shape.
    #[track_caller]
    pub fn set_layout(&mut self, id: ParamId, layout: ParamLayout) {
        let entry = &mut self.entries[id.0];
        let shape = entry.tensor.shape();
        assert!(layout.fits(shape), "Params: {layout:?} does not fit {} {shape}", entry.name);
        entry.layout = layout;
    }

    /// The handle of the parameter called `name`.
    pub fn find(&self, name: &str) -> Option<ParamId> {
        self.entries.iter().position(|entry| entry.name == name).map(ParamId)
    }

    /// The number of tensors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of trainable values in all tensors.
    pub fn values(&self) -> usize {
        self.entries.iter().map(|entry| entry.tensor.len()).sum()
    }

    /// Handle, name and tensor of every parameter, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ParamId, &str, &Tensor)> {
        self.entries.iter().enumerate().map(|(i, entry)| (ParamId(i), entry.name.as_str(), &entry.tensor))
    }
}
