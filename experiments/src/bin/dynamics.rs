//! Experiment E5 alone: `cargo run --release --bin dynamics -- --data mnist --profile quick`. Claims C7 and C8 are judged on
//! the results of experiment E1, which must lie beside its own.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("dynamics")
}
