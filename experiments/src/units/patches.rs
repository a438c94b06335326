//! Where the patches come from that a unit learns from.

use patchgrad::{
    Params, Tensor, Workspace,
    checkpoint::{Checkpoint, CheckpointError},
};

/// Patches as the layers below see them.
#[derive(Debug)]
pub struct PatchBatch {
    /// `[B, k, k, d]`.
    pub maps: Tensor,
    /// The class of each patch, where it is known.
    pub labels: Option<Vec<u32>>,
}

/// An endless supply of patches for one layer.
pub trait PatchSource {
    /// The next `count` patches, in buffers of the workspace. `params` are those of the stack, for the layers below.
    fn next_batch(&mut self, params: &Params, count: usize, workspace: &mut Workspace) -> PatchBatch;

    /// Stores where the supply stands.
    fn put(&self, checkpoint: &mut Checkpoint);

    /// Goes on from where [`put`](Self::put) stood.
    ///
    /// # Errors
    /// If that is missing or of another supply.
    fn take(&mut self, checkpoint: &mut Checkpoint) -> Result<(), CheckpointError>;
}
