//! Convolutional auto-encoders that are trained end to end, the ones people use today.
//!
//! ```text
//! encoder   for each width: convolution 3x3 -> activation -> half the size; then a convolution as large as what is left:
//!           the code [N, 1, 1, h]
//! decoder   transposed convolution of the same size -> activation; then for each width, in reverse, double the size
//! ```
//!
//! | [`Downsampling`] | half the size | double the size |
//! |---|---|---|
//! | `MaxPool` | max-pooling 2x2 | transposed convolution 2x2, stride 2 |
//! | `Switches` | max-pooling 2x2 | un-pooling to where the maxima stood, convolution 3x3 |
//! | `Stride` | the convolution has stride 2 | transposed convolution 2x2, stride 2 |
//!
//! With [`Code::Variational`] the encoder gives a normal distribution (Kingma and Welling, "Auto-encoding variational Bayes",
//! 2013; beta as in Higgins et al., 2017) and the decoder is trained on draws from it; the code of a picture is its mean.

mod network;
mod spec;
mod variational;

pub use network::{ConvAutoencoder, Examples};
pub use spec::{CaeError, CaeSpec, CaeTraining, Code, Downsampling};
