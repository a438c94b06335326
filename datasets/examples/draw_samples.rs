//! Draws the bundled samples from the full sets:
//!
//! ```text
//! cargo run --release -p patchgrad-datasets --example draw_samples -- --from DIR --to datasets/data [--seed N]
//! ```
//!
//! DIR holds `mnist/` and `fashion-mnist/` with the published files. The same seed gives the same files, byte for byte.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use patchgrad_datasets::{Checksum, SetName, catalog, samples};

const USAGE: &str = "usage: draw_samples --from DIR --to DIR [--seed N]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("draw_samples: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    println!("seed {}", arguments.seed);
    println!("| file | bytes | CRC-32 |\n|---|---|---|");
    for set in SetName::BUNDLED {
        let full = catalog::open(set, &arguments.from)?;
        let folder = arguments.to.join(set.folder());
        catalog::save(&samples::draw(&full, arguments.seed)?, &folder)?;
        print_files(set, &folder)?;
    }
    Ok(())
}

/// Prints the rows for `data/README.md`.
fn print_files(set: SetName, folder: &Path) -> std::io::Result<()> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    paths.sort();
    for path in paths {
        let bytes = fs::read(&path)?;
        let name = path.file_name().unwrap_or_default().display();
        println!("| {set}/{name} | {} | {} |", bytes.len(), Checksum::of(&[&bytes]));
    }
    Ok(())
}

struct Arguments {
    from: PathBuf,
    to: PathBuf,
    seed: u64,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let (mut from, mut to, mut seed) = (None, None, samples::SEED);
        while let Some(option) = words.next() {
            let value = words.next().ok_or_else(|| format!("{option} needs a value; {USAGE}"))?;
            match option.as_str() {
                "--from" => from = Some(PathBuf::from(value)),
                "--to" => to = Some(PathBuf::from(value)),
                "--seed" => seed = value.parse().map_err(|error| format!("--seed {value}: {error}"))?,
                _ => return Err(format!("unknown option {option}; {USAGE}").into()),
            }
        }
        match (from, to) {
            (Some(from), Some(to)) => Ok(Arguments { from, to, seed }),
            _ => Err(USAGE.into()),
        }
    }
}
