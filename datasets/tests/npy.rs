//! npy against numpy itself (fixtures) and against the independent crate npyz, in both directions.

use std::path::Path;

use npyz::WriterBuilder;
use patchgrad_datasets::{NpyArray, Problem, npy};

#[test]
fn files_written_by_numpy_are_read() {
    let cases: &[(&str, &[usize])] = &[
        ("scalar_f8", &[]),
        ("vector_f4", &[5]),
        ("c_big_f4", &[2, 3, 4]),
        ("fortran_f8", &[2, 3, 4]),
        ("fortran_big_i2", &[3, 1, 2, 2]),
        ("c_i8", &[3, 2]),
        ("c_u1", &[2, 2]),
        ("bool", &[2]),
        ("empty_f4", &[0, 3]),
        ("version_2", &[3]),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/npy");
    for (name, shape) in cases {
        let array = npy::read(folder.join(format!("{name}.npy"))).unwrap();
        let count: usize = shape.iter().product();
        let data = (0..count).map(|value| value as f32).collect();
        assert_eq!(array, NpyArray { shape: shape.to_vec(), data }, "{name}");
    }
}

#[test]
fn our_bytes_are_those_of_numpy() {
    let vector = NpyArray { shape: vec![5], data: vec![0.0, 1.0, 2.0, 3.0, 4.0] };
    assert_eq!(npy::to_bytes(&vector), include_bytes!("fixtures/npy/vector_f4.npy"));
    let empty = NpyArray { shape: vec![0, 3], data: vec![] };
    assert_eq!(npy::to_bytes(&empty), include_bytes!("fixtures/npy/empty_f4.npy"));
}

#[test]
fn written_files_are_read_back_by_us_and_by_npyz() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    for shape in [vec![], vec![1], vec![4, 3], vec![2, 1, 5, 3], vec![3, 0, 2]] {
        let count: usize = shape.iter().product();
        let array = NpyArray { shape, data: (0..count).map(|i| (i as f32 - 2.5) * 0.3).collect() };
        npy::write(&path, &array).unwrap();
        assert_eq!(npy::read(&path).unwrap(), array);

        let judge = npyz::NpyFile::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert!(judge.shape().iter().map(|&dim| dim as usize).eq(array.shape.iter().copied()));
        assert_eq!(judge.into_vec::<f32>().unwrap(), array.data);
    }
}

/// A file as npyz writes it, in C order.
fn by_npyz<T: npyz::Serialize + Copy>(descr: &str, values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::new().dtype(npyz::DType::new_scalar(descr.parse().unwrap()));
    let mut writer = options.shape(&[values.len() as u64]).writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn every_element_type_of_npyz_is_converted() {
    let read = |bytes: Vec<u8>| npy::from_bytes("memory", &bytes).unwrap().data;
    assert_eq!(read(by_npyz("<f4", &[-1.5f32, f32::MAX])), [-1.5, f32::MAX]);
    assert_eq!(read(by_npyz(">f4", &[-1.5f32, 0.1])), [-1.5, 0.1]);
    assert_eq!(read(by_npyz("<f8", &[0.1f64, 1e300])), [0.1, f32::INFINITY]);
    assert_eq!(read(by_npyz(">f8", &[-0.1f64, 1e-300])), [-0.1, 0.0]);
    assert_eq!(read(by_npyz("|i1", &[-128i8, 127])), [-128.0, 127.0]);
    assert_eq!(read(by_npyz("<i2", &[-32768i16, 5])), [-32768.0, 5.0]);
    assert_eq!(read(by_npyz(">i4", &[-65536i32, i32::MIN])), [-65536.0, -2147483648.0]);
    assert_eq!(read(by_npyz("<i8", &[i64::MIN, 3])), [-9223372036854775808.0, 3.0]);
    assert_eq!(read(by_npyz("<u2", &[65535u16])), [65535.0]);
    assert_eq!(read(by_npyz(">u8", &[1u64 << 63])), [9223372036854775808.0]);
    assert!(read(by_npyz("<f4", &[f32::NAN]))[0].is_nan());
}

#[test]
fn integers_that_f32_cannot_hold_are_refused_with_position_and_value() {
    let problem = |bytes: Vec<u8>| npy::from_bytes("memory", &bytes).unwrap_err().problem;
    let too_fine = problem(by_npyz("<i4", &[1, 1 << 24, (1 << 24) + 1]));
    assert!(matches!(too_fine, Problem::InexactInteger { index: 2, value: 16_777_217 }), "{too_fine}");
    let too_large = problem(by_npyz("<u8", &[u64::MAX]));
    assert!(matches!(too_large, Problem::InexactInteger { index: 0, value: 18_446_744_073_709_551_615 }));
}

#[test]
fn a_file_that_is_not_npy_or_of_a_future_version_is_refused() {
    let problem = |bytes: &[u8]| npy::from_bytes("memory", bytes).unwrap_err().problem;
    assert!(matches!(problem(b"PK\x03\x04zip file"), Problem::NotNpy { .. }));
    assert!(matches!(problem(b"\x93NUMPY\x04\x00"), Problem::NpyVersion { major: 4, minor: 0 }));
    assert!(matches!(problem(b"\x93NUM"), Problem::TooShort { expected: 8, found: 4 }));
}

#[test]
#[should_panic(expected = "shape [2, 2] does not fit the data")]
fn writing_a_wrong_shape_is_a_mistake_of_the_program() {
    npy::to_bytes(&NpyArray { shape: vec![2, 2], data: vec![1.0] });
}
