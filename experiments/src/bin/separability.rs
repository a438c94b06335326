//! Experiment E2 alone: `cargo run --release --bin separability -- --data mnist --profile quick`.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("separability")
}
