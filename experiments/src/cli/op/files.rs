//! Arrays from and to npy files.

use super::UsageError;
use crate::files::{is_special, target};
use patchgrad::{Shape, Tensor, ops::max_pool2d::Indices};
use patchgrad_datasets::npy::{self, NpyArray};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Up to here every integer has its own f32.
const EXACT_INTEGERS: u32 = 1 << 24;

/// Reads a tensor of at most four axes.
pub(super) fn read(path: &Path) -> Result<Tensor, UsageError> {
    let NpyArray { shape, data } = npy::read(path)?;
    if shape.len() > 4 {
        let path = path.display();
        return Err(UsageError(format!("{path}: an array of shape {shape:?}; tensors have at most four axes")));
    }
    Ok(Tensor::try_new(Shape::new(&shape), &data)?)
}

/// Indices as numbers, for a file.
pub(super) fn tensor_from_indices(indices: &Indices) -> Result<Tensor, UsageError> {
    if let Some(&large) = indices.as_slice().iter().find(|&&index| index > EXACT_INTEGERS) {
        return Err(UsageError(format!("index {large} is more than f4 can hold exactly, {EXACT_INTEGERS}")));
    }
    Ok(Tensor::from_fn(indices.shape(), |i| indices.as_slice()[i] as f32))
}

/// Numbers of a file as indices.
pub(super) fn indices_from_tensor(tensor: &Tensor) -> Result<Indices, UsageError> {
    let index = |&value: &f32| {
        let index = value as u32;
        if index as f32 == value { Ok(index) } else { Err(UsageError(format!("indices: {value} is not an index"))) }
    };
    let values: Vec<u32> = tensor.as_slice().iter().map(index).collect::<Result<_, _>>()?;
    Ok(Indices::try_new(tensor.shape(), &values)?)
}

/// Writes all files or, as far as the file system lets us, none: each is complete under another name before the first
/// gets its own.
pub(super) fn write_all(files: &[(PathBuf, NpyArray)]) -> Result<(), UsageError> {
    for (i, (path, _)) in files.iter().enumerate() {
        if files[..i].iter().any(|(earlier, _)| whole(earlier) == whole(path)) {
            return Err(UsageError(format!("{}: two results would go to this file", path.display())));
        }
    }
    let result = write_and_rename(files);
    if result.is_err() {
        for (path, _) in files {
            // What was renamed, or never written, is not there.
            let _ = fs::remove_file(unfinished(path));
        }
    }
    result
}

/// The path by which two names of one file are the same.
fn whole(path: &Path) -> PathBuf {
    let path = target(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    folder.join(path.file_name().unwrap_or_default())
}

fn write_and_rename(files: &[(PathBuf, NpyArray)]) -> Result<(), UsageError> {
    let explain = |path: &Path, error| UsageError(format!("cannot write {}: {error}", path.display()));
    for (path, array) in files.iter().filter(|(path, _)| !is_special(path)) {
        fs::write(unfinished(path), npy::to_bytes(array)).map_err(|error| explain(path, error))?;
    }
    for (path, array) in files {
        let done = match is_special(path) {
            // A pipe, for example: nothing takes its place.
            true => fs::write(path, npy::to_bytes(array)),
            false => fs::rename(unfinished(path), target(path)),
        };
        done.map_err(|error| explain(path, error))?;
    }
    Ok(())
}

/// `.y.npy.1234` beside `y.npy`, with the number of this process; of a link, beside what it leads to.
fn unfinished(path: &Path) -> PathBuf {
    let path = target(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(value: f32) -> NpyArray {
        NpyArray { shape: vec![], data: vec![value] }
    }

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(&folder).unwrap().count();
        let (good, missing) = (folder.path().join("y.npy"), folder.path().join("no/such/folder.npy"));
        let error = write_all(&[(good.clone(), scalar(1.0)), (missing.clone(), scalar(2.0))]).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot write {}: ", missing.display())), "{error}");
        assert_eq!(count(), 0);

        let error = write_all(&[(good.clone(), scalar(1.0)), (good.clone(), scalar(2.0))]).unwrap_err();
        assert!(error.to_string().ends_with("two results would go to this file"), "{error}");
        assert_eq!(count(), 0);

        let other_name = folder.path().join(".").join("y.npy");
        let error = write_all(&[(good.clone(), scalar(1.0)), (other_name, scalar(2.0))]).unwrap_err();
        assert!(error.to_string().ends_with("two results would go to this file"), "{error}");

        write_all(&[(good.clone(), scalar(1.0)), (folder.path().join("z.npy"), scalar(2.0))]).unwrap();
        assert_eq!((npy::read(&good).unwrap(), count()), (scalar(1.0), 2));
    }

    #[test]
    fn indices_are_whole_numbers() {
        let tensor = Tensor::new([3], &[0.0, 7.0, 16_777_216.0]);
        let indices = indices_from_tensor(&tensor).unwrap();
        assert_eq!(indices.as_slice(), [0, 7, 1 << 24]);
        assert_eq!(tensor_from_indices(&indices).unwrap(), tensor);
        for wrong in [-1.0, 0.5, f32::NAN, f32::INFINITY, 1e12] {
            assert!(indices_from_tensor(&Tensor::new([1], &[wrong])).is_err(), "{wrong}");
        }
        let large = Indices::try_new([1], &[(1 << 24) + 1]).unwrap();
        assert!(tensor_from_indices(&large).is_err());
    }
}
