//! What can be wrong with pictures and folders of them.

use std::path::PathBuf;

use crate::ImageShape;

/// What is wrong with a picture, or a folder of pictures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureProblem {
    /// The picture cannot be decoded.
    #[error("not a readable PNG or JPEG picture ({reason}); convert it or save it again")]
    Decode {
        /// What the decoder said.
        reason: String,
    },

    /// A JPEG file without its end.
    #[error("the JPEG file of {size} bytes has no end mark; it is cut short: fetch or copy it again")]
    CutShort {
        /// Its size.
        size: usize,
    },

    /// A picture that is larger than wanted.
    #[error("a picture of {width}x{height} pixels, accepted are up to {limit}; scale it down")]
    TooLarge {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// Most pixels accepted.
        limit: u64,
    },

    /// A picture that claims more pixels than a file of its size can hold.
    #[error(
        "claims {claimed} bytes of pixels, but {stored} bytes cannot hold more than {limit}; the header is damaged"
    )]
    ImpossibleClaim {
        /// Bytes after decoding.
        claimed: u64,
        /// Size of the file.
        stored: u64,
        /// What that many bytes can expand to.
        limit: u64,
    },

    /// A size of zero was asked for.
    #[error("pictures of {height}x{width} pixels were asked for; both have to be at least 1")]
    EmptySize {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },

    /// A size beyond what pictures are resized to was asked for.
    #[error("pictures of {height}x{width} pixels were asked for; both may be at most {}", super::decode::MAX_SIDE)]
    LargeSize {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },

    /// A picture of another shape than the first one.
    #[error(
        "the picture is {found}, but {} is {expected}; ask for one size (data.size) and for grey or colour (data.channels) to have \
         all pictures resized and converted",
        first.display()
    )]
    Shape {
        /// Its shape.
        found: ImageShape,
        /// The shape of the first picture.
        expected: ImageShape,
        /// The first picture.
        first: PathBuf,
    },

    /// There is nothing to read.
    #[error("no {wanted} here; put them there or give another folder")]
    Nothing {
        /// What was looked for.
        wanted: &'static str,
    },

    /// Labels are bytes.
    #[error("{found} classes, at most 256 are possible; give another folder or join classes")]
    TooManyClasses {
        /// Number of classes.
        found: usize,
    },

    /// A file name that does not begin with a character that can be read.
    #[error("the file name is not valid Unicode, so that it has no first character to take the class from; rename it")]
    Name,

    /// Not as many clean as noisy pictures.
    #[error("{noisy} noisy pictures for {clean} clean ones in {}; each needs its partner", clean_folder.display())]
    Pairs {
        /// Number of clean pictures.
        clean: usize,
        /// Number of noisy pictures.
        noisy: usize,
        /// Where the clean ones are.
        clean_folder: PathBuf,
    },

    /// The two pictures of a pair differ in shape.
    #[error("the picture is {noisy}, but its clean partner {} is {clean}; are the names in the same order?", partner.display())]
    PairShape {
        /// Shape of the noisy one.
        noisy: ImageShape,
        /// Shape of the clean one.
        clean: ImageShape,
        /// The clean one.
        partner: PathBuf,
    },
}
