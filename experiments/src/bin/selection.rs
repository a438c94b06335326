//! Experiment E7 alone: `cargo run --release --bin selection -- --data mnist --profile quick`.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("selection")
}
