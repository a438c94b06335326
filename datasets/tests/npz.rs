//! npz against files of numpy (fixtures).

use std::path::Path;

use patchgrad_datasets::{NpyArray, npz};

#[test]
fn archives_of_numpy_are_read_stored_and_deflated() {
    let counted = |shape: Vec<usize>| {
        let count: usize = shape.iter().product();
        NpyArray { shape, data: (0..count).map(|value| value as f32).collect() }
    };
    for name in ["stored.npz", "deflated.npz"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/npz").join(name);
        let arrays = npz::read(path).unwrap();
        let expected = [("features".to_owned(), counted(vec![20, 30])), ("labels".to_owned(), counted(vec![20]))];
        assert_eq!(arrays, expected, "{name}");
    }
}
