//! One op from its files to its files: read, check, compute, write.

use super::{
    UsageError,
    arguments::OpCommand,
    files,
    layout::Role,
    operation::{OperandVars, Operands, Operation, explain, roles},
};
use crate::arrays::npy_array;
use patchgrad::{Tape, Tensor, Workspace, ops::max_pool2d::Indices};
use std::path::{Path, PathBuf};

/// Runs one op, with paths relative to `folder`, and gives its output as a file would hold it.
///
/// Files are written last, when nothing else can fail.
pub(super) fn run(command: &OpCommand, folder: &Path) -> Result<Tensor, UsageError> {
    let (names, layout) = (command.files(), command.files().layout);
    let [input_role, weight_role] = roles(command);
    let gradient_files = gradient_files(command)?;

    let mut operands = read_operands(command, folder)?;
    let operation = Operation::resolve(command, &operands).map_err(|error| UsageError(explain(&error, layout)))?;
    if gradient_files[BIAS].is_some() && operands.bias.is_none() {
        // No bias is a bias of zeros, and has the same gradient.
        let channels = operation.output.dims().last().copied().unwrap_or(1);
        operands.bias = Some(Tensor::zeros([channels]));
    }
    let grad_output = match &names.grad_output {
        Some(path) => Some(read_grad_output(&folder.join(path), &operation, command)?),
        None => None,
    };

    let wanted = gradient_files.map(|file| file.is_some());
    let results = compute(&operation, &operands, wanted, grad_output.as_ref());

    let mut to_write = Vec::new();
    let mut add = |path: &Path, tensor: &Tensor| to_write.push((folder.join(path), npy_array(tensor)));
    let output = operation.output_role.write(layout, results.output)?;
    if let Some(path) = &names.output {
        add(path, &output);
    }
    if let (OpCommand::MaxPool2d(args), Some(indices)) = (command, &results.indices)
        && let Some(path) = &args.indices
    {
        add(path, &Role::Image.write(layout, files::tensor_from_indices(indices)?)?);
    }
    let roles = [input_role, weight_role, Role::Plain];
    for ((path, gradient), role) in gradient_files.into_iter().zip(results.gradients).zip(roles) {
        if let (Some(path), Some(gradient)) = (path, gradient) {
            add(path, &role.write(layout, gradient)?);
        }
    }
    files::write_all(&to_write)?;
    Ok(output)
}

/// The place of the bias in what is listed as input, weight, bias.
const BIAS: usize = 2;

/// Where the gradients of input, weight and bias go.
fn gradient_files(command: &OpCommand) -> Result<[Option<&PathBuf>; 3], UsageError> {
    let weights = command.weights();
    let files = [
        command.files().grad_input.as_ref(),
        weights.and_then(|weights| weights.grad_weight.as_ref()),
        weights.and_then(|weights| weights.grad_bias.as_ref()),
    ];
    if files.iter().any(Option::is_some) && command.files().grad_output.is_none() {
        let message = "a gradient is asked for but grad_output is missing: the gradient of the loss with respect to the \
                       output, of the output's shape";
        return Err(UsageError(message.to_string()));
    }
    Ok(files)
}

fn read_operands(command: &OpCommand, folder: &Path) -> Result<Operands, UsageError> {
    let layout = command.files().layout;
    let [input_role, weight_role] = roles(command);
    let read = |name: &str, path: &PathBuf, role: Role| role.read(layout, name, files::read(&folder.join(path))?);
    let (weight, bias) = match command.weights() {
        Some(files) => (
            Some(read("weight", &files.weight, weight_role)?),
            files.bias.as_ref().map(|path| read("bias", path, Role::Plain)).transpose()?,
        ),
        None => (None, None),
    };
    let indices = match command {
        OpCommand::MaxUnpool2d(args) => {
            Some(files::indices_from_tensor(&read("indices", &args.indices, Role::Image)?)?)
        }
        _ => None,
    };
    Ok(Operands { input: read("input", &command.files().input, input_role)?, weight, bias, indices })
}

fn read_grad_output(path: &Path, operation: &Operation, command: &OpCommand) -> Result<Tensor, UsageError> {
    let (layout, role) = (command.files().layout, operation.output_role);
    let grad_output = role.read(layout, "grad_output", files::read(path)?)?;
    if grad_output.shape() == operation.output {
        return Ok(grad_output);
    }
    // Told in the file's order of axes.
    let (got, expected) = (role.write(layout, grad_output)?, role.write(layout, Tensor::zeros(operation.output))?);
    Err(UsageError(format!("grad_output has shape {}, the output has shape {}", got.shape(), expected.shape())))
}

/// What an op gives, in the engine's layout.
struct Results {
    output: Tensor,
    indices: Option<Indices>,
    /// Of input, weight and bias, where wanted.
    gradients: [Option<Tensor>; 3],
}

/// Runs a checked op on a tape, and backwards for the `wanted` gradients of input, weight and bias.
fn compute(operation: &Operation, operands: &Operands, wanted: [bool; 3], grad_output: Option<&Tensor>) -> Results {
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace);
    let mut leaf = |tensor, wanted| if wanted { tape.variable(tensor) } else { tape.input(tensor) };
    let input = leaf(&operands.input, wanted[0]);
    let weight = operands.weight.as_ref().map(|weight| leaf(weight, wanted[1]));
    let bias = operands.bias.as_ref().map(|bias| leaf(bias, wanted[BIAS]));
    let indices = operands.indices.as_ref().map(|indices| tape.record_indices(indices));

    let (output, places) = operation.record(&mut tape, OperandVars { input, weight, bias, indices });
    let (output_var, output) = (output, tape.value(output).to_tensor());
    let indices = places.map(|places| tape.indices(places).clone());
    let gradients = match grad_output {
        Some(grad_output) => {
            let gradients = tape.backward_from(output_var, grad_output);
            [Some(input), weight, bias].map(|var| var.and_then(|var| gradients.variable(var).cloned()))
        }
        None => [None, None, None],
    };
    Results { output, indices, gradients }
}
