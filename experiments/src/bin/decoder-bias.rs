//! Experiment E3 alone: `cargo run --release --bin decoder-bias -- --data mnist --profile quick`.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("decoder-bias")
}
