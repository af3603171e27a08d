//! The one binary.

/// A page of products is some ten thousand pieces of memory that live for milliseconds: measured, the system's own
/// allocator costs a fifth more.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    emporion::cli::main()
}
