//! The one error of the engine: shapes or options that do not fit together.

use std::fmt;

/// Shapes or options that an op cannot work with.
///
/// The text says what was got, what was expected, in which letters (N, H, W, C), and what to try:
/// `conv2d: kernel 7x7 does not fit the padded input 6x6 (input [1, 4, 4, 3] (N, H, W, C), padding 1x1); try padding >= 2x2`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{op}: {message}")]
pub struct ShapeError {
    op: &'static str,
    message: String,
}

impl ShapeError {
    /// An error of `op` (its public name, such as `conv2d`).
    pub fn new(op: &'static str, message: impl fmt::Display) -> Self {
        Self { op, message: message.to_string() }
    }

    /// The same, with the layer of a network in which it came up.
    pub(crate) fn in_layer(self, index: usize, label: &str) -> Self {
        Self { message: format!("{} (in layer {index}, {label})", self.message), ..self }
    }

    /// The op that refused.
    pub fn op(&self) -> &'static str {
        self.op
    }
}

/// `7x5`: how messages write a `[height, width]` pair.
pub(crate) struct Pair(pub [usize; 2]);

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.0[0], self.0[1])
    }
}

/// Unwraps in an op method: a wrong shape there is the programmer's mistake, so it panics with the error's text at the
/// caller's line.
pub(crate) trait OrPanic<T> {
    fn or_panic(self) -> T;
}

impl<T> OrPanic<T> for Result<T, ShapeError> {
    #[track_caller]
    fn or_panic(self) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }
}
