//! The command line: see `pitfall --help`.

fn main() -> std::process::ExitCode {
    pitfall::cli::main()
}
