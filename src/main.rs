//! The `authspec` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    authspec::cli::main()
}
