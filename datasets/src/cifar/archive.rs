//! CIFAR straight from the `.tar.gz` it is published as, without unpacking it to the disk.

use std::path::Path;

use super::{Cifar100Part, Failure, Records, TEST_10, TEST_100, TRAIN_10, TRAIN_100};
use crate::source::Source;
use crate::tar::{Tar, TarProblem};
use crate::{DataError, LabelledImages};

/// Reads training and test part of CIFAR-10 from `cifar-10-binary.tar.gz` (or the unpacked `.tar`).
///
/// # Errors
///
/// When the archive cannot be read or is damaged, when a batch is missing or there twice, or when one is wrong.
pub fn read_archive_10(path: impl AsRef<Path>) -> Result<[LabelledImages; 2], DataError> {
    parts_10(Source::open(path.as_ref())?)
}

/// The same as [`read_archive_10`] for an archive held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read_archive_10`].
pub fn archive_10_from_bytes(name: &str, bytes: &[u8]) -> Result<[LabelledImages; 2], DataError> {
    parts_10(Source::from_bytes(name, bytes)?)
}

/// Reads training and test part of CIFAR-100 from `cifar-100-binary.tar.gz` (or the unpacked `.tar`).
///
/// # Errors
///
/// As for [`read_archive_10`].
pub fn read_archive_100(path: impl AsRef<Path>) -> Result<[Cifar100Part; 2], DataError> {
    parts_100(Source::open(path.as_ref())?)
}

/// The same as [`read_archive_100`] for an archive held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read_archive_10`].
pub fn archive_100_from_bytes(name: &str, bytes: &[u8]) -> Result<[Cifar100Part; 2], DataError> {
    parts_100(Source::from_bytes(name, bytes)?)
}

fn parts_10(source: Source) -> Result<[LabelledImages; 2], DataError> {
    let names = [&TRAIN_10[..], &TEST_10].concat();
    let mut tar = Tar::new(source);
    let mut batches = read_files::<1>(&mut tar, &names)?;
    for batch in &batches {
        batch.check_10(0).map_err(|problem| tar.error(problem))?;
    }
    let test = batches.split_off(TRAIN_10.len());
    let train = batches.into_iter().reduce(|mut train, batch| {
        train.pixels.extend(batch.pixels);
        train.labels.extend(batch.labels);
        train
    });
    let parts = train.into_iter().chain(test).map(Records::into_10).collect::<Vec<_>>();
    Ok(parts.try_into().expect("a training and a test part"))
}

fn parts_100(source: Source) -> Result<[Cifar100Part; 2], DataError> {
    let mut tar = Tar::new(source);
    let mut parts = Vec::with_capacity(2);
    for part in read_files::<2>(&mut tar, &[TRAIN_100, TEST_100].concat())? {
        parts.push(part.into_100().map_err(|problem| tar.error(problem))?);
    }
    Ok(parts.try_into().expect("a training and a test part"))
}

/// Reads the files `names`, whatever their order and folder in the archive, and returns them in the order of `names`.
fn read_files<const L: usize>(tar: &mut Tar, names: &[&'static str]) -> Result<Vec<Records<L>>, DataError> {
    let mut files: Vec<Option<Records<L>>> = names.iter().map(|_| None).collect();
    while let Some(name) = tar.next()? {
        let Some(index) = names.iter().position(|wanted| *wanted == name) else { continue };
        if files[index].is_some() {
            return Err(tar.error(TarProblem::Twice { name: names[index] }));
        }
        let mut records = Records::default();
        let outcome = records.append(tar, Tar::known);
        // A batch that the archive cuts short is the archive's fault.
        match outcome {
            Err(Failure::Read(error)) => return Err(tar.explain(error)),
            outcome => {
                tar.check_complete()?;
                if let Err(Failure::Wrong(problem)) = outcome {
                    return Err(tar.error(problem));
                }
            }
        }
        files[index] = Some(records);
    }
    let missing: Vec<&'static str> =
        names.iter().zip(&files).filter(|(_, file)| file.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        Ok(files.into_iter().flatten().collect())
    } else {
        Err(tar.error(TarProblem::Missing { names: missing }))
    }
}
