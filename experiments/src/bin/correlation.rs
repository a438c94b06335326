//! Experiment E1 alone: `cargo run --release --bin correlation -- --data mnist --profile quick`.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("correlation")
}
