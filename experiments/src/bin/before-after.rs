//! Experiment E4 alone: `cargo run --release --bin before-after -- --data mnist --profile quick`.

fn main() -> std::process::ExitCode {
    pitfall::cli::experiment("before-after")
}
