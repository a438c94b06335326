//! Experiment E6 alone: `cargo run --release --bin scores -- --data mnist --profile quick`.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("scores")
}
