//! How long the full sets take to load, once their files are in the page cache:
//!
//!     cargo run --release -p patchgrad-datasets --example load_times -- DIR
//!
//! Every set whose files are in `DIR` is opened three times; printed is the fastest.

use std::time::Instant;

use patchgrad_datasets::{DataError, Problem, SetName, open};

const ROUNDS: usize = 3;

fn main() -> Result<(), DataError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "data".to_owned());
    println!("{:<14} {:>8} {:>8} {:>10} {:>10}", "set", "training", "test", "MB of u8", "seconds");
    for set in SetName::ALL {
        let mut fastest = f64::INFINITY;
        let mut loaded = None;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            match open(set, &folder) {
                Ok(data) => loaded = Some(data),
                Err(error) => match error.problem {
                    Problem::MissingFiles { .. } | Problem::NeitherFilesNorArchive { .. } => break,
                    _ => return Err(error),
                },
            }
            fastest = fastest.min(start.elapsed().as_secs_f64());
        }
        match loaded {
            None => println!("{:<14} not there", set.to_string()),
            Some(data) => {
                let bytes = data.train.images().pixels().len() + data.test.images().pixels().len();
                let (train, test) = (data.train.count(), data.test.count());
                println!("{:<14} {train:>8} {test:>8} {:>10.1} {fastest:>10.3}", set.to_string(), bytes as f64 / 1e6);
            }
        }
    }
    Ok(())
}
