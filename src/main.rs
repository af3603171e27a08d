//! The one binary.

fn main() -> std::process::ExitCode {
    emporion::cli::main()
}
