//! The MATLAB reader against files of MATLAB, Octave and scipy (fixtures), and against files of our own of every class.

mod common;

use std::path::{Path, PathBuf};

use common::{MAT_STYLES, MatStyle, MatWriter};
use patchgrad_datasets::matlab::{self, Class, Content, MatlabProblem, Values, Variable};
use patchgrad_datasets::{DataError, Problem};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/matlab").join(format!("{name}.mat"))
}

/// The only variable of a fixture.
fn only(name: &str) -> Variable {
    let mut variables = matlab::read(fixture(name)).unwrap();
    assert_eq!(variables.len(), 1, "{name}");
    variables.remove(0)
}

fn numbers(variable: Variable) -> Vec<f64> {
    variable.into_numbers().unwrap().to_f64()
}

fn problem(outcome: Result<Vec<Variable>, DataError>) -> MatlabProblem {
    match outcome.unwrap_err().problem {
        Problem::Matlab(problem) => *problem,
        other => panic!("{other}"),
    }
}

#[test]
fn files_of_matlab_hold_what_scipy_finds_in_them() {
    // The values are those scipy's tests expect.
    let eighths: Vec<f64> = (0..9).map(|step| f64::from(step) * std::f64::consts::FRAC_PI_4).collect();
    for name in ["testdouble_6.1_SOL2", "testdouble_7.1_GLNX86"] {
        let double = only(name);
        assert_eq!(
            (double.name.as_str(), double.class, double.dims.as_slice()),
            ("testdouble", Class::Double, &[1, 9][..])
        );
        for (found, expected) in numbers(double).iter().zip(&eighths) {
            assert!((found - expected).abs() < 1e-15, "{name}: {found} against {expected}");
        }
    }
    let Content::Numbers { real, imaginary: Some(imaginary) } = only("testcomplex_7.1_GLNX86").content else {
        panic!("complex")
    };
    for ((re, im), angle) in real.to_f64().iter().zip(imaginary.to_f64()).zip(&eighths) {
        assert!((re - angle.cos()).abs() < 1e-15 && (im - angle.sin()).abs() < 1e-15, "{angle}: {re} {im}");
    }
    let matrix = only("testmatrix_6.5.1_GLNX86");
    // [1 2 3 4 5; 2 0 0 0 0; 3 0 0 0 0], column by column.
    let columns = [1., 2., 3., 2., 0., 0., 3., 0., 0., 4., 0., 0., 5., 0., 0.];
    assert_eq!((matrix.dims.as_slice(), numbers(matrix.clone())), (&[3, 5][..], columns.to_vec()));
    assert_eq!(numbers(only("testminus_6.1_SOL2")), [-1.0]);
    let cube = only("test3dmatrix_7.1_GLNX86");
    // reshape(1:24, 2, 3, 4): MATLAB's order is the order of counting.
    assert_eq!((cube.dims.as_slice(), numbers(cube.clone())), (&[2, 3, 4][..], (1..25).map(f64::from).collect()));
    assert!(matlab::read(fixture("testmulti_7.1_GLNX86")).unwrap().iter().map(|v| v.name.as_str()).eq(["theta", "a"]));
    let truth = only("testbool_8_WIN64");
    assert!(truth.is_logical && truth.into_numbers().unwrap() == Values::U8(vec![1, 0]));
    // Octave, both byte orders.
    for name in ["big_endian", "little_endian"] {
        let variables = matlab::read(fixture(name)).unwrap();
        let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["floats", "strings"], "{name}");
        assert_eq!(variables[0].dims, [2, 2]);
        assert_eq!(variables[0].clone().into_numbers().unwrap(), Values::F32(vec![2.0, 3.0, 3.0, 4.0]), "{name}");
    }
}

#[test]
fn texts_of_matlab_are_read_column_by_column() {
    let text = |name: &str| match only(name) {
        Variable { content: Content::Text(characters), dims, .. } => (dims, String::from_iter(characters)),
        other => panic!("{other:?}"),
    };
    let words = "\"Do nine men interpret?\" \"Nine men,\" I nod.";
    assert_eq!(text("teststring_7.1_GLNX86"), (vec![1, words.len()], words.to_owned()));
    assert_eq!(text("teststringarray_6.1_SOL2"), (vec![3, 5], "ottnwheor  e  e".to_owned()));
    assert_eq!(text("one_by_zero_char"), (vec![1, 0], String::new()));
    let (dims, japanese) = text("testunicode_7.1_GLNX86");
    assert_eq!(dims, [1, japanese.chars().count()]);
    assert!(japanese.contains("すべての人間"), "{japanese}");
}

#[test]
fn classes_that_are_not_read_are_listed_by_name() {
    for (name, class) in [
        ("testcell_7.1_GLNX86", Class::Cell),
        ("teststruct_6.1_SOL2", Class::Struct),
        ("testsparse_7.1_GLNX86", Class::Sparse),
        ("testobject_7.1_GLNX86", Class::Object),
    ] {
        let variables = matlab::read(fixture(name)).unwrap();
        let variable = &variables[0];
        assert_eq!((variable.class, &variable.content), (class, &Content::NotRead), "{name}");
        let error = variable.clone().into_numbers().unwrap_err().to_string();
        assert!(error.contains(class.name()) && error.contains(&variable.name), "{error}");
    }
    assert_eq!(matlab::read(fixture("testfunc_7.4_GLNX86")).unwrap()[0].class, Class::Function);
}

#[test]
fn oddities_that_do_no_harm_are_accepted_and_damage_is_not() {
    assert!(matlab::read(fixture("miuint32_for_miint32")).is_ok());
    assert!(matlab::read(fixture("miutf8_array_name")).is_ok());
    let refused = |name: &str| problem(matlab::read(fixture(name)));
    assert!(matches!(refused("testdouble_4.2c_SOL2"), MatlabProblem::Level { level: "level 4" }));
    assert!(matches!(refused("testhdf5_7.4_GLNX86"), MatlabProblem::Level { level: "level 7.3 (HDF5)" }));
    assert!(matches!(refused("corrupted_zlib_checksum"), MatlabProblem::Zlib { .. }));
    assert!(matlab::read(fixture("corrupted_zlib_data")).is_err());
    assert!(matlab::read(fixture("malformed1")).is_err());
    assert!(matlab::read(fixture("bad_miuint32")).is_err());
}

/// The bytes of numbers in the order of `style`.
macro_rules! bytes {
    ($style:expr, $($value:expr),*) => {
        [$(if $style.big_endian { $value.to_be_bytes().to_vec() } else { $value.to_le_bytes().to_vec() }),*].concat()
    };
}

fn read_one(style: MatStyle, class: u32, flags: u32, dims: &[i32], parts: &[(u32, Vec<u8>)]) -> Variable {
    let bytes = MatWriter::new(style).variable("v", class, flags, dims, parts).finish();
    let mut variables = matlab::from_bytes("memory", &bytes).unwrap();
    assert_eq!(variables.len(), 1);
    variables.remove(0)
}

#[test]
fn every_class_is_read_in_every_style_from_every_type_it_may_be_stored_as() {
    for style in MAT_STYLES {
        let value = |class: u32, kind: u32, bytes: Vec<u8>| {
            read_one(style, class, 0, &[2, 1], &[(kind, bytes)]).into_numbers().unwrap()
        };
        let s = style;
        assert_eq!(value(6, 9, bytes!(s, 0.1f64, -1e300f64)), Values::F64(vec![0.1, -1e300]));
        assert_eq!(value(6, 1, bytes!(s, -1i8, 127i8)), Values::F64(vec![-1.0, 127.0]));
        assert_eq!(value(6, 4, bytes!(s, 1u16, 65_535u16)), Values::F64(vec![1.0, 65_535.0]));
        assert_eq!(value(7, 7, bytes!(s, 0.1f32, f32::MAX)), Values::F32(vec![0.1, f32::MAX]));
        assert_eq!(value(7, 3, bytes!(s, -2i16, 300i16)), Values::F32(vec![-2.0, 300.0]));
        assert_eq!(value(8, 1, bytes!(s, -128i8, 5i8)), Values::I8(vec![-128, 5]));
        assert_eq!(value(9, 2, bytes!(s, 0u8, 255u8)), Values::U8(vec![0, 255]));
        assert_eq!(value(9, 9, bytes!(s, 0.0f64, 255.0f64)), Values::U8(vec![0, 255]));
        assert_eq!(value(10, 3, bytes!(s, i16::MIN, 5i16)), Values::I16(vec![i16::MIN, 5]));
        assert_eq!(value(11, 4, bytes!(s, u16::MAX, 5u16)), Values::U16(vec![u16::MAX, 5]));
        assert_eq!(value(12, 5, bytes!(s, i32::MIN, 5i32)), Values::I32(vec![i32::MIN, 5]));
        assert_eq!(value(13, 6, bytes!(s, u32::MAX, 5u32)), Values::U32(vec![u32::MAX, 5]));
        assert_eq!(value(14, 12, bytes!(s, i64::MIN, 5i64)), Values::I64(vec![i64::MIN, 5]));
        assert_eq!(value(15, 13, bytes!(s, u64::MAX, 5u64)), Values::U64(vec![u64::MAX, 5]));
        assert!(value(6, 9, bytes!(s, f64::NAN, 0f64)).to_f64()[0].is_nan());

        let complex = read_one(s, 6, 0x0800, &[1, 1], &[(2, vec![3]), (9, bytes!(s, -0.5f64))]);
        let Content::Numbers { real, imaginary } = &complex.content else { panic!("{complex:?}") };
        assert_eq!((real, imaginary), (&Values::F64(vec![3.0]), &Some(Values::F64(vec![-0.5]))));
        assert!(complex.into_numbers().unwrap_err().to_string().contains("complex"));
        assert!(read_one(s, 9, 0x0200, &[1, 1], &[(2, vec![1])]).is_logical);
        assert!(read_one(s, 6, 0, &[0, 3], &[(9, vec![])]).into_numbers().unwrap().is_empty());

        for (kind, bytes) in
            [(4, bytes!(s, 'ä' as u16, 'b' as u16)), (16, "äb".into()), (18, bytes!(s, 'ä' as u32, 'b' as u32))]
        {
            assert_eq!(read_one(s, 4, 0, &[1, 2], &[(kind, bytes)]).content, Content::Text(vec!['ä', 'b']));
        }
    }
}

#[test]
fn several_variables_keep_their_order() {
    for style in MAT_STYLES {
        let bytes = MatWriter::new(style)
            .variable("first", 9, 0, &[1, 3], &[(2, vec![1, 2, 3])])
            .variable("cell", 1, 0, &[0, 0], &[])
            .variable("a_long_name", 9, 0, &[9, 1], &[(2, (0..9).collect())])
            .finish();
        let variables = matlab::from_bytes("memory", &bytes).unwrap();
        assert!(variables.iter().map(|variable| variable.name.as_str()).eq(["first", "cell", "a_long_name"]));
        assert_eq!(variables[2].clone().into_numbers().unwrap(), Values::U8((0..9).collect()));
    }
}

#[test]
fn each_kind_of_damage_has_its_own_error() {
    let style = MAT_STYLES[0];
    let of = |class, dims: &[i32], parts: &[(u32, Vec<u8>)]| {
        problem(matlab::from_bytes("memory", &MatWriter::new(style).variable("v", class, 0, dims, parts).finish()))
    };
    assert!(matches!(of(18, &[1, 1], &[]), MatlabProblem::Class { code: 18 }));
    assert!(matches!(of(6, &[1, -1], &[]), MatlabProblem::Dimensions { .. }));
    assert!(matches!(of(6, &[i32::MAX; 3], &[]), MatlabProblem::Dimensions { .. }));
    assert!(matches!(of(6, &[1; 33], &[]), MatlabProblem::ElementSize { .. }));
    assert!(matches!(of(6, &[1, 1], &[]), MatlabProblem::ElementSize { place: "the numbers of a variable", .. }));
    assert!(matches!(of(6, &[1, 2], &[(9, vec![0; 8])]), MatlabProblem::ElementSize { found: 8, .. }));
    assert!(matches!(of(6, &[1, 8], &[(14, vec![0; 8])]), MatlabProblem::ElementType { found: 14, .. }));
    let misfit = of(9, &[1, 2], &[(4, vec![7, 0, 0, 1])]);
    assert_eq!(
        misfit.to_string(),
        "element 1 of \"v\" is 256, which does not fit the class uint8; the file is damaged"
    );
    assert!(matches!(of(8, &[1, 1], &[(9, 0.5f64.to_le_bytes().to_vec())]), MatlabProblem::Value { index: 0, .. }));
    assert!(matches!(of(4, &[1, 3], &[(16, b"ab".to_vec())]), MatlabProblem::Text { found: 2, expected: 3, .. }));

    let from = |bytes: &[u8]| problem(matlab::from_bytes("memory", bytes));
    assert!(matches!(from(b"<html>"), MatlabProblem::NotMatlab { .. }));
    assert!(matches!(from(&[]), MatlabProblem::NotMatlab { .. }));
    assert!(matches!(from(&MatWriter::new(style).finish()), MatlabProblem::NoVariables));
    let whole = MatWriter::new(style).variable("v", 6, 0, &[1, 2], &[(9, vec![0; 16])]).finish();
    let cut = from(&whole[..whole.len() - 3]);
    assert!(matches!(cut, MatlabProblem::CutShort { expected: 2, found: 1, .. }), "{cut}");
}
