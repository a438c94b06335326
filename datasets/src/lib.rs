//! Image sets for the Patchgrad experiments: readers that trust no file, fixed splits, and two small real samples.
//!
//! Images stay bytes, channels last ([N, H, W, C]), until they are scaled into the caller's buffer:
//!
//! ```
//! use patchgrad_datasets::{Scaling, SetName, bundled, fixed_split};
//!
//! let data = bundled(SetName::FashionMnist)?;
//! let images = data.train.images();
//! assert_eq!((images.count(), images.shape().to_string()), (10_000, "28x28x1".to_string()));
//!
//! let split = fixed_split(images.count());
//! assert_eq!(split.validation, 8_000..10_000);
//!
//! let mut batch = vec![0.0; 2 * images.shape().size()];
//! images.gather(&[0, 1], Scaling::MinusOneToOne, &mut batch);
//! assert!(batch.iter().all(|value| (-1.0..=1.0).contains(value)));
//!
//! let class = usize::from(data.train.labels()[0]);
//! println!("the first image shows: {}", data.class_names[class]);
//! # Ok::<(), patchgrad_datasets::DataError>(())
//! ```
//!
//! Where to look:
//! - [`bundled`] and [`open`]: a whole set, from the build or from a folder;
//! - [`idx`], [`npy`] and [`npz`]: one file format each, reader and writer;
//! - [`cifar`], [`svhn`] and [`matlab`]: formats that are only read;
//! - [`pictures`] and [`pairs`]: folders of PNG and JPEG files, with classes or as clean and noisy pairs;
//! - [`ColourSpace`]: other numbers for a pixel than red, green and blue;
//! - [`fixed_split`], [`class_balanced`], [`shuffled`]: which images to use;
//! - [`upstream`] and [`verify`]: what the publishers offer, and whether a folder holds it; `fetch` (a feature) downloads it;
//! - [`synthetic`]: sets that are computed, with everything known about them;
//! - [`DataError`]: what can be wrong, and what to do about it.
//!
//! A damaged or hostile file gives an error, never a panic, and never makes a reader allocate more than a small
//! multiple of what the file really holds.
#![forbid(unsafe_code)]

pub mod catalog;
pub mod cifar;
pub mod colour;
mod digest;
mod error;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod folder;
pub mod idx;
mod images;
mod labelled;
pub mod matlab;
pub mod npy;
pub mod npz;
pub mod pairs;
pub mod pictures;
pub mod samples;
mod scaling;
mod source;
mod splits;
mod standing;
pub mod svhn;
pub mod synthetic;
mod tar;
pub mod upstream;
pub mod verify;

pub use catalog::{SetName, UnknownSet, bundled, open};
pub use colour::{ColourSpace, InColourSpace, NoColours};
pub use error::{DataError, Problem};
pub use images::{ImageShape, Images};
pub use labelled::{Checksum, DataSet, LabelledImages};
pub use npy::NpyArray;
pub use scaling::Scaling;
pub use splits::{Split, class_balanced, fixed_split, shuffled};
pub use tar::TarProblem;
