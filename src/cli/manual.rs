//! `authspec completions` and `authspec man`: both are drawn from the grammar of the command line.

use std::io::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::arguments::Cli;
use super::{complain, exit};

/// Prints the completions of a shell.
pub(super) fn completions(shell: Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "authspec", &mut text);
    let _ = std::io::stdout().write_all(&text);
    exit::PASSED
}

/// Prints the page of the whole command, or writes a page a command to the folder.
pub(super) fn pages(folder: Option<&Path>) -> u8 {
    let written = match folder {
        Some(folder) => std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder)),
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut text).map(|()| {
                let _ = std::io::stdout().write_all(&text);
            })
        }
    };
    match written {
        Ok(()) => exit::PASSED,
        Err(e) => {
            let folder = folder.unwrap_or(Path::new("standard output")).display();
            complain(format!(
                "the manual could not be written to {folder}: {e}; choose another folder"
            ));
            exit::USAGE
        }
    }
}
