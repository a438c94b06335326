//! Experiment E8 alone: `cargo run --release --bin pretraining -- --data mnist --profile quick`.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("pretraining")
}
