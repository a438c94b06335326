//! Prints the variables of MATLAB files, so that another reader can be held against ours:
//!
//!     cargo run --release -p patchgrad-datasets --example list_matlab -- FILE.mat ...
//!
//! One line for each variable: file, name, class, dimensions, and the numbers (or code points) in MATLAB's order, with a
//! tab between fields. A file that is refused gets one line with the word `error` and the reason.
//! `tests/fixtures/matlab/compare_with_scipy.py` reads this.

use std::path::Path;

use patchgrad_datasets::matlab::{self, Content, Values, Variable};

fn main() {
    for path in std::env::args().skip(1) {
        let file = Path::new(&path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        match matlab::read(&path) {
            Ok(variables) => variables.iter().for_each(|variable| println!("{file}\t{}", line(variable))),
            Err(error) => println!("{file}\terror\t{error}"),
        }
    }
}

fn line(variable: &Variable) -> String {
    let dims: Vec<String> = variable.dims.iter().map(usize::to_string).collect();
    let content = match &variable.content {
        Content::Numbers { real, imaginary: None } => format!("real\t{}", join(real)),
        Content::Numbers { real, imaginary: Some(imaginary) } => {
            format!("complex\t{}\t{}", join(real), join(imaginary))
        }
        Content::Text(characters) => {
            let codes: Vec<String> = characters.iter().map(|&character| u32::from(character).to_string()).collect();
            format!("text\t{}", codes.join(" "))
        }
        Content::NotRead => "not read".to_owned(),
    };
    format!("{}\t{}\t{}\t{content}", variable.name.escape_default(), variable.class.name(), dims.join(" "))
}

/// 64-bit integers exactly, everything else as the shortest decimal that is the same number.
fn join(values: &Values) -> String {
    let words: Vec<String> = match values {
        Values::I64(values) => values.iter().map(i64::to_string).collect(),
        Values::U64(values) => values.iter().map(u64::to_string).collect(),
        other => other.to_f64().iter().map(f64::to_string).collect(),
    };
    words.join(" ")
}
