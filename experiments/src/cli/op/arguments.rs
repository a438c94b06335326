//! The options of `pitfall op`, one struct for each op. A case of a JSON file has the same names (see `cases`).

use clap::{Args, Subcommand, ValueEnum};
use patchgrad::ops::ConvAlgorithm;
use std::path::PathBuf;

/// Run one op of the engine on npy files.
///
/// Reads f4, f8, integer and bool arrays, writes f4. Pairs are HEIGHT,WIDTH or one number for both. Nothing is written
/// when anything fails; wrong shapes, options or files end with exit code 2.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(
    after_help = "Example:\n  pitfall op conv2d --input x.npy --weight w.npy --padding 1 --output y.npy \\\n    \
                        --grad-output g.npy --grad-input dx.npy --grad-weight dw.npy"
)]
pub struct OpArgs {
    /// Run many ops, one JSON object a line (see --help)
    ///
    /// For example {"op": "conv2d", "input": "x.npy", "weight": "w.npy", "stride": [2, 2], "output": "y.npy"}.
    /// The keys are the op's options with underscores for dashes; pairs are arrays or one number, switches are true or
    /// false, and null counts as absent. Paths are relative to FILE.
    ///
    /// Every case prints one line, {"case": n, "ok": true} or {"case": n, "ok": false, "error": "..."}, with n counted
    /// from 0 over the lines that are not blank. A case that fails does not stop the others. The exit code is 0 when all
    /// are ok, else 2.
    #[arg(long, value_name = "FILE")]
    pub(super) cases: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) op: Option<OpCommand>,
}

/// One op with its files and options. Names and defaults are PyTorch's.
#[derive(Debug, Subcommand)]
#[command(rename_all = "snake_case")]
pub(super) enum OpCommand {
    /// Convolution (cross-correlation) of an image batch
    Conv2d(Conv2dArgs),
    /// Transposed convolution: the adjoint of conv2d, not its inverse
    ConvTranspose2d(ConvTranspose2dArgs),
    /// The largest value of each window, and where it stood
    MaxPool2d(MaxPool2dArgs),
    /// The mean of each window
    AvgPool2d(AvgPool2dArgs),
    /// Every value back to where the maximum of a pooling stood, zero elsewhere
    MaxUnpool2d(MaxUnpool2dArgs),
    /// The linear (fully connected) layer over the last axis
    Linear(LinearArgs),
    /// The patches of an image batch (torch.nn.functional.unfold)
    Im2col(Im2colArgs),
    /// x / (1 + |x|)
    Softsign(Files),
    /// The hyperbolic tangent
    Tanh(Files),
    /// 1 / (1 + e^-x)
    Sigmoid(Files),
    /// max(x, 0)
    Relu(Files),
    /// x where it is positive, elsewhere x times the slope
    LeakyRelu(LeakyReluArgs),
    /// ln(1 + e^x)
    Softplus(Files),
}

impl OpCommand {
    /// The files that every op has.
    pub(super) fn files(&self) -> &Files {
        match self {
            Self::Conv2d(args) => &args.files,
            Self::ConvTranspose2d(args) => &args.files,
            Self::MaxPool2d(args) => &args.files,
            Self::AvgPool2d(args) => &args.files,
            Self::MaxUnpool2d(args) => &args.files,
            Self::Linear(args) => &args.files,
            Self::Im2col(args) => &args.files,
            Self::LeakyRelu(args) => &args.files,
            Self::Softsign(files) | Self::Tanh(files) | Self::Sigmoid(files) => files,
            Self::Relu(files) | Self::Softplus(files) => files,
        }
    }

    /// The files of an op with parameters.
    pub(super) fn weights(&self) -> Option<&WeightFiles> {
        match self {
            Self::Conv2d(args) => Some(&args.weights),
            Self::ConvTranspose2d(args) => Some(&args.weights),
            Self::Linear(args) => Some(&args.weights),
            _ => None,
        }
    }
}

/// Which axis holds the channels in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Layout {
    /// PyTorch: images [N, C, H, W]; weights [O, C/G, KH, KW], of a transposed convolution [C, O/G, KH, KW], of a linear
    /// layer [O, I]; patches [N, C*KH*KW, OH*OW]
    Nchw,
    /// The engine: images [N, H, W, C]; weights [KH, KW, C/G, O], of a transposed convolution [KH, KW, O/G, C], of a
    /// linear layer [I, O]; patches [N, OH, OW, KH*KW*C]
    Nhwc,
}

#[derive(Debug, Args)]
pub(super) struct Files {
    /// The input
    #[arg(long, value_name = "FILE")]
    pub(super) input: PathBuf,
    /// Where to write the output; without it the output is printed
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// The gradient of a loss with respect to the output
    #[arg(long, value_name = "FILE")]
    pub(super) grad_output: Option<PathBuf>,
    /// Where to write the loss's gradient with respect to the input
    #[arg(long, value_name = "FILE")]
    pub(super) grad_input: Option<PathBuf>,
    /// The order of the axes in all files
    #[arg(long, value_enum, default_value_t = Layout::Nchw)]
    pub(super) layout: Layout,
}

#[derive(Debug, Args)]
pub(super) struct WeightFiles {
    /// The weight
    #[arg(long, value_name = "FILE")]
    pub(super) weight: PathBuf,
    /// The bias [O]; none is the same as zeros
    #[arg(long, value_name = "FILE")]
    pub(super) bias: Option<PathBuf>,
    /// Where to write the loss's gradient with respect to the weight
    #[arg(long, value_name = "FILE")]
    pub(super) grad_weight: Option<PathBuf>,
    /// Where to write the loss's gradient with respect to the bias
    #[arg(long, value_name = "FILE")]
    pub(super) grad_bias: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Conv2dArgs {
    #[command(flatten)]
    pub(super) files: Files,
    #[command(flatten)]
    pub(super) weights: WeightFiles,
    /// Distance between output positions
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "1")]
    pub(super) stride: [usize; 2],
    /// Rows and columns of zeros on either side
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "0")]
    pub(super) padding: [usize; 2],
    /// Distance between the taps of the kernel
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "1")]
    pub(super) dilation: [usize; 2],
    /// Number of groups that the channels are cut into
    #[arg(long, default_value_t = 1)]
    pub(super) groups: usize,
    /// How to compute it: auto, auto-exact, naive, im2col, direct or winograd
    #[arg(long, default_value_t)]
    pub(super) algorithm: ConvAlgorithm,
}

#[derive(Debug, Args)]
pub(super) struct ConvTranspose2dArgs {
    #[command(flatten)]
    pub(super) files: Files,
    #[command(flatten)]
    pub(super) weights: WeightFiles,
    /// Distance in the output between neighbouring input pixels
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "1")]
    pub(super) stride: [usize; 2],
    /// Rows and columns cut off the output on either side
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "0")]
    pub(super) padding: [usize; 2],
    /// Rows and columns added to the output at the bottom and right
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "0")]
    pub(super) output_padding: [usize; 2],
    /// Distance between the taps of the kernel
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "1")]
    pub(super) dilation: [usize; 2],
    /// Number of groups that the channels are cut into
    #[arg(long, default_value_t = 1)]
    pub(super) groups: usize,
    /// How to compute it: auto, auto-exact, naive, im2col, direct or winograd
    #[arg(long, default_value_t)]
    pub(super) algorithm: ConvAlgorithm,
}

#[derive(Debug, Args)]
pub(super) struct MaxPool2dArgs {
    #[command(flatten)]
    pub(super) files: Files,
    /// Where to write the places of the maxima, h * W + w in the input plane
    #[arg(long, value_name = "FILE")]
    pub(super) indices: Option<PathBuf>,
    /// Size of the window
    #[arg(long, value_name = "H,W", value_parser = pair)]
    pub(super) kernel_size: [usize; 2],
    /// Distance between windows [default: the kernel size]
    #[arg(long, value_name = "H,W", value_parser = pair)]
    pub(super) stride: Option<[usize; 2]>,
    /// Rows and columns of minus infinity on either side
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "0")]
    pub(super) padding: [usize; 2],
    /// Distance between the taps of the window
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "1")]
    pub(super) dilation: [usize; 2],
    /// Round the number of windows up instead of down
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    #[arg(action = clap::ArgAction::Set)]
    pub(super) ceil_mode: bool,
}

#[derive(Debug, Args)]
pub(super) struct AvgPool2dArgs {
    #[command(flatten)]
    pub(super) files: Files,
    /// Size of the window
    #[arg(long, value_name = "H,W", value_parser = pair)]
    pub(super) kernel_size: [usize; 2],
    /// Distance between windows [default: the kernel size]
    #[arg(long, value_name = "H,W", value_parser = pair)]
    pub(super) stride: Option<[usize; 2]>,
    /// Rows and columns of zeros on either side
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "0")]
    pub(super) padding: [usize; 2],
    /// Round the number of windows up instead of down
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    #[arg(action = clap::ArgAction::Set)]
    pub(super) ceil_mode: bool,
    /// Whether the padding counts in the divisor
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = true, default_missing_value = "true")]
    #[arg(action = clap::ArgAction::Set)]
    pub(super) count_include_pad: bool,
}

#[derive(Debug, Args)]
pub(super) struct MaxUnpool2dArgs {
    #[command(flatten)]
    pub(super) files: Files,
    /// The places of the maxima that max_pool2d wrote
    #[arg(long, value_name = "FILE")]
    pub(super) indices: PathBuf,
    /// The output plane: that of the image that was pooled
    #[arg(long, value_name = "H,W", value_parser = pair)]
    pub(super) output_size: [usize; 2],
}

#[derive(Debug, Args)]
pub(super) struct LinearArgs {
    #[command(flatten)]
    pub(super) files: Files,
    #[command(flatten)]
    pub(super) weights: WeightFiles,
}

#[derive(Debug, Args)]
pub(super) struct Im2colArgs {
    #[command(flatten)]
    pub(super) files: Files,
    /// Size of a patch
    #[arg(long, value_name = "H,W", value_parser = pair)]
    pub(super) kernel_size: [usize; 2],
    /// Distance between patches
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "1")]
    pub(super) stride: [usize; 2],
    /// Rows and columns of zeros on either side
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "0")]
    pub(super) padding: [usize; 2],
    /// Distance between the pixels of a patch
    #[arg(long, value_name = "H,W", value_parser = pair, default_value = "1")]
    pub(super) dilation: [usize; 2],
}

#[derive(Debug, Args)]
pub(super) struct LeakyReluArgs {
    #[command(flatten)]
    pub(super) files: Files,
    /// The slope below zero, at least 0
    #[arg(long, default_value_t = 0.01)]
    pub(super) negative_slope: f32,
}

/// Reads `2,1`, or `2` for `2,2`.
fn pair(text: &str) -> Result<[usize; 2], &'static str> {
    let number = |text: &str| text.trim().parse().map_err(|_| "expected HEIGHT,WIDTH or one number, such as 2,1 or 2");
    match text.split_once(',') {
        Some((height, width)) => Ok([number(height)?, number(width)?]),
        None => number(text).map(|both| [both, both]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_two_numbers_or_one() {
        assert_eq!(pair("2,1"), Ok([2, 1]));
        assert_eq!(pair("3, 4"), Ok([3, 4]));
        assert_eq!(pair("2"), Ok([2, 2]));
        for wrong in ["", "2,", "1,2,3", "-1", "2.5", "2x2", "99999999999999999999"] {
            assert!(pair(wrong).is_err(), "{wrong:?}");
        }
    }
}
