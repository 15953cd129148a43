//! The shell: arguments, environment, printing, exit codes.
mod arguments;
mod bundle;
mod config;
mod console;
mod diff;
mod doctor;
mod dry_run;
mod explain;
pub mod gate;
mod init;
mod list;
mod log;
mod login;
mod manual;
mod many;
mod merge;
mod output;
mod person;
mod replay;
mod report;
mod run;
pub mod safety;
mod serve;
pub mod settings;
mod stop;
mod targets;
mod traceability;
mod visible;
mod watch;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{
    Cli, Command, ConfigArgs, ConfigCommand, ListFormat, LoginArgs, LoginCommand, RunArgs,
    WaiversArgs, WaiversCommand,
};
use stop::{Stop, stoppable};
use visible::visible;

use crate::report::terminal::Colour;

/// Exit codes, part of the contract.
pub mod exit {
    /// The gate passed.
    pub const PASSED: u8 = 0;
    /// The gate failed, or a comparison found something new.
    pub const FAILED: u8 = 1;
    /// Usage or configuration is wrong.
    pub const USAGE: u8 = 2;
    /// The target or the login is not usable.
    pub const PREFLIGHT: u8 = 3;
    /// Our own error.
    pub const OWN_ERROR: u8 = 4;
    /// The filter selects nothing.
    pub const NOTHING_SELECTED: u8 = 6;
    /// Interrupted.
    pub const INTERRUPTED: u8 = 130;
}

/// Runs the command line. Every error is printed before its exit code is returned.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            complain(format!("cannot start the runtime: {e}"));
            return ExitCode::from(exit::OWN_ERROR);
        }
    };
    let code = match cli.command {
        None => runtime.block_on(audited(cli.run)),
        Some(Command::Run(args)) => runtime.block_on(audited(*args)),
        Some(Command::List(args)) if args.format == ListFormat::Table => {
            runtime.block_on(interruptible(list::list(args.filter.into())))
        }
        Some(Command::List(args)) => traceability::print(&args.filter.into(), args.format),
        Some(Command::Login(LoginArgs { command: LoginCommand::Test(options) })) => {
            runtime.block_on(interruptible(login::test(&options)))
        }
        Some(Command::Login(LoginArgs { command: LoginCommand::Import { recording } })) => {
            login::import(&recording)
        }
        Some(Command::Explain(args)) => runtime.block_on(interruptible(explain::print(args))),
        Some(Command::Init(args)) => runtime.block_on(interruptible(init::init(args))),
        Some(Command::Doctor(target)) => runtime.block_on(interruptible(doctor::doctor(&target))),
        Some(Command::Config(ConfigArgs { command })) => match command {
            ConfigCommand::Show { target, origin } => config::show(&target, origin),
            ConfigCommand::Keys => config::keys(),
            ConfigCommand::Schema => config::print_schema(),
        },
        Some(Command::Diff(args)) => diff::diff(&args.before, &args.after, args.format),
        Some(Command::Merge(args)) => merge::merge(&args),
        Some(Command::Replay(args)) => runtime.block_on(interruptible(replay::replay(*args))),
        Some(Command::Report(args)) => report::report(&args.command),
        Some(Command::Bundle(args)) => bundle::bundle(&args),
        Some(Command::Verify(args)) => bundle::check(&args),
        Some(Command::Waivers(WaiversArgs { command: WaiversCommand::Lint { file } })) => {
            gate::lint(&file)
        }
        Some(Command::Serve(args)) => serve::serve(&args),
        Some(Command::Completions { shell }) => manual::completions(shell),
        Some(Command::Man { output }) => manual::pages(output.as_deref()),
    };
    ExitCode::from(code)
}

/// A run that ends with a report where somebody asks it to.
async fn audited(args: RunArgs) -> u8 {
    log::open(args.voice.log);
    let stop = Stop::default();
    stoppable(stop.clone(), run::run(args, stop)).await
}

async fn interruptible(work: impl Future<Output = u8>) -> u8 {
    tokio::select! {
        code = work => code,
        _ = tokio::signal::ctrl_c() => {
            complain("interrupted; no report was written");
            exit::INTERRUPTED
        }
    }
}

/// Prints a line to standard output. A reader that went away, such as `head`, is no error: the
/// report and the exit code still say everything.
fn say(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{}", visible(&text.to_string(), console::colour()));
}

/// Prints a message to standard error. What a target said in it cannot steer the terminal.
fn complain(text: impl Display) {
    let text = text.to_string();
    if log::message(&text) {
        return;
    }
    murmur(format!("authspec: {text}"));
}

/// Prints a line to standard error.
fn murmur(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", visible(&text.to_string(), Colour::Off));
}
