//! Experiment E0 alone: `cargo run --release --bin validation -- --only score/`.

fn main() -> std::process::ExitCode {
    pitfall::cli::validation()
}
