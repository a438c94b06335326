//! What can be wrong with a MATLAB file.

use std::io;

/// What is wrong with a MATLAB file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MatlabProblem {
    /// The first bytes are not those of a MATLAB file of level 5.
    #[error(
        "starts with the bytes {found:02x?}, expected a MATLAB header of 128 bytes that ends in \"IM\" or \"MI\"; \
         is it another format, or a web page saved in place of the file?"
    )]
    NotMatlab {
        /// The first bytes, at most eight.
        found: Vec<u8>,
    },

    /// A MATLAB file of another level.
    #[error("a MATLAB file of {level}, expected level 5; save it in MATLAB with the option -v7 or -v6")]
    Level {
        /// Which one.
        level: &'static str,
    },

    /// The file ends, or its compressed data are damaged, before a variable is complete.
    #[error(
        "variable {name:?} {dims:?} is cut short: {found} of {expected} elements are there ({reason}); \
         fetch or copy the file again"
    )]
    CutShort {
        /// The variable.
        name: String,
        /// Its dimensions.
        dims: Vec<usize>,
        /// Elements announced.
        expected: u64,
        /// Elements that arrived whole.
        found: u64,
        /// What stopped the reading.
        reason: String,
    },

    /// The file ends before what a header announces.
    #[error("the file ends inside {place}; it is cut short: fetch or copy it again")]
    Ends {
        /// Where.
        place: &'static str,
    },

    /// The compressed data of a variable are damaged.
    #[error("the compressed data of variable {number} are damaged ({reason}); fetch or copy the file again")]
    Zlib {
        /// Position in the file, from 1.
        number: usize,
        /// What the decompressor said.
        reason: String,
    },

    /// An element is of another type than its place asks for.
    #[error("{place} is stored as element type {found}, expected {expected}; the file is damaged")]
    ElementType {
        /// What is read.
        place: &'static str,
        /// The type code.
        found: u32,
        /// What would have been right.
        expected: &'static str,
    },

    /// An element that is larger than what contains it, or of a size that its content cannot have.
    #[error("{place} takes up {found} bytes, expected {expected}; the file is damaged")]
    ElementSize {
        /// What is read.
        place: &'static str,
        /// Bytes announced.
        found: u64,
        /// What would have been right.
        expected: String,
    },

    /// A class code that MATLAB does not define.
    #[error("array class {code} is none of MATLAB's; the file is damaged")]
    Class {
        /// The code.
        code: u8,
    },

    /// Dimensions that no array has.
    #[error("variable {name:?} has the dimensions {dims:?}, expected 1 to {limit} of them, none negative")]
    Dimensions {
        /// The variable, if its name is known by then.
        name: String,
        /// What the file says.
        dims: Vec<i64>,
        /// Most dimensions that are read.
        limit: usize,
    },

    /// A name that is no text.
    #[error("the name of a variable is neither ASCII nor UTF-8; the file is damaged")]
    Name,

    /// A stored number that the class of its array does not hold.
    #[error("element {index} of {name:?} is {value}, which does not fit the class {class}; the file is damaged")]
    Value {
        /// The variable.
        name: String,
        /// Position in the file's order, from 0.
        index: usize,
        /// The number.
        value: String,
        /// The class of the array.
        class: &'static str,
    },

    /// A text whose length is not that of its array.
    #[error("the text {name:?} has {found} characters, expected {expected}; the file is damaged")]
    Text {
        /// The variable.
        name: String,
        /// Characters that are there.
        found: usize,
        /// Product of the dimensions.
        expected: usize,
    },

    /// There is no variable in the file.
    #[error("the file holds no variable; save it again")]
    NoVariables,

    /// A variable that was asked for is not in the file.
    #[error("there is no variable {name:?}, only {}; is it another file?", present.join(", "))]
    NoSuchVariable {
        /// What was asked for.
        name: &'static str,
        /// What there is.
        present: Vec<String>,
    },

    /// A variable whose content is not read.
    #[error("variable {name:?} is a {class} array, which is not read; save it as a numeric array")]
    NotRead {
        /// The variable.
        name: String,
        /// Its class.
        class: &'static str,
    },
}

/// Why reading stopped, before it is known where in the file that was.
#[derive(Debug)]
pub(super) enum Failure {
    Read(io::Error),
    Wrong(MatlabProblem),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Read(error)
    }
}

impl From<MatlabProblem> for Failure {
    fn from(problem: MatlabProblem) -> Self {
        Failure::Wrong(problem)
    }
}
