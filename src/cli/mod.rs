//! The shell: arguments, environment, printing, exit codes.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the shell is where text is printed"
)]

mod console;
mod list;
pub mod settings;

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use reference_server::{Config, Defect, Policy, seeds};

use crate::embedded;
use crate::model::report::Report;
use crate::model::requirement::Profile;
use crate::plan::Filter;
use crate::report::{json, terminal};
use crate::run::{Failure, Options, audit};
use crate::world::context::Clock;
use console::{Console, colour};
use settings::TargetOptions;

/// Exit codes, part of the contract.
pub mod exit {
    /// The gate passed.
    pub const PASSED: u8 = 0;
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

const EXIT_CODES: &str = "\
Exit codes:
  0    the gate passed
  1    the gate failed: a MUST is violated
  2    usage or configuration
  3    the target or the login is not usable
  4    an error of authspec's own
  5    a MUST could not be judged
  6    the filter selects nothing
  130  interrupted";

/// Conformance and security tests for the OAuth 2.1 authorization code flow with PKCE, public clients.
///
/// Without arguments the embedded reference server is audited.
#[derive(Parser)]
#[command(name = "authspec", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Audit a server: the embedded reference server, or the one whose issuer is given.
    Run(RunArgs),
    /// Show what would run, with level, severity and number of requests.
    List(ListArgs),
    /// Start the reference server for people to look at.
    Serve(ServeArgs),
}

#[derive(Args, Clone)]
struct RunArgs {
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    filter: FilterArgs,
    /// What the target is held to.
    #[arg(long, value_enum, default_value = "baseline")]
    profile: ProfileArg,
    /// Folder for reports.
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    reports: PathBuf,
}

#[derive(Args, Clone)]
struct FilterArgs {
    /// Tag expression, for example '@must and not @slow'. Ids, groups, levels and severities are tags.
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// Requirement id; may be repeated.
    #[arg(long = "id", value_name = "REQUIREMENT")]
    ids: Vec<String>,
    /// Wait in real time for checks that need it (ten minutes for the lifetime of a code).
    #[arg(long)]
    slow: bool,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
}

#[derive(Args)]
struct ServeArgs {
    /// Port on 127.0.0.1; a free one when left out.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A seeded defect by name; --list-defects shows them.
    #[arg(long, value_name = "NAME")]
    defect: Option<String>,
    /// List the seeded defects with the requirements that they violate.
    #[arg(long)]
    list_defects: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProfileArg {
    Baseline,
    Oauth21,
}

impl From<ProfileArg> for Profile {
    fn from(arg: ProfileArg) -> Self {
        match arg {
            ProfileArg::Baseline => Self::Baseline,
            ProfileArg::Oauth21 => Self::Oauth21,
        }
    }
}

impl From<FilterArgs> for Filter {
    fn from(args: FilterArgs) -> Self {
        Self {
            tags: args.tags,
            ids: args.ids.into_iter().map(|id| id.trim_start_matches('@').to_owned()).collect(),
            slow: args.slow,
        }
    }
}

/// Runs the command line. Every error is printed before its exit code is returned.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(exit::OWN_ERROR, &format!("cannot start the runtime: {e}")),
    };
    let code = match cli.command {
        None => runtime.block_on(interruptible(run(cli.run))),
        Some(Command::Run(args)) => runtime.block_on(interruptible(run(args))),
        Some(Command::List(args)) => {
            runtime.block_on(interruptible(list::list(args.filter.into())))
        }
        Some(Command::Serve(args)) => serve(&args),
    };
    ExitCode::from(code)
}

fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("authspec: {message}");
    ExitCode::from(code)
}

async fn interruptible(work: impl Future<Output = u8>) -> u8 {
    tokio::select! {
        code = work => code,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("authspec: interrupted; no report was written");
            exit::INTERRUPTED
        }
    }
}

/// Audits what the arguments name and writes the report.
async fn run(args: RunArgs) -> u8 {
    if let Err(e) = json::prepare(&args.reports) {
        eprintln!(
            "authspec: cannot write to the report folder {}: {e}; choose another one with --reports",
            args.reports.display()
        );
        return exit::USAGE;
    }
    let variable = |name: &str| std::env::var(name).ok();
    let target = match args.target.resolve(&variable) {
        Ok(target) => target,
        Err(message) => {
            eprintln!("authspec: {message}");
            return exit::USAGE;
        }
    };
    let (profile, filter) = (args.profile.into(), args.filter.into());
    let outcome = match target {
        Some(target) => {
            audit(
                Options { target, profile, filter, clock: Clock::default() },
                Rc::new(Console::new()),
            )
            .await
        }
        None => match embedded::start(Config::default()) {
            Ok(server) => {
                let (target, clock) = (embedded::target(&server), embedded::clock(&server));
                println!(
                    "no issuer is given: auditing the embedded reference server at {}\n",
                    server.issuer()
                );
                audit(Options { target, profile, filter, clock }, Rc::new(Console::new())).await
            }
            Err(e) => {
                eprintln!("authspec: cannot start the reference server: {e}");
                return exit::OWN_ERROR;
            }
        },
    };
    match outcome {
        Ok(report) => finish(&report, &args.reports),
        Err(failure) => explain(&failure),
    }
}

fn finish(report: &Report, folder: &std::path::Path) -> u8 {
    let (paths, code) = match json::write(report, folder) {
        Ok(path) => (vec![path.display().to_string()], report.gate.exit_code),
        Err(e) => {
            eprintln!("authspec: the report could not be written to {}: {e}", folder.display());
            (vec![], exit::OWN_ERROR)
        }
    };
    print!("{}", terminal::summary(report, &paths, colour()));
    code
}

/// Prints why there is no report.
fn explain(failure: &Failure) -> u8 {
    match failure {
        Failure::Preflight(obstacle, exchanges) => {
            eprintln!("authspec: the target cannot be audited yet");
            eprintln!("  tried     {}", obstacle.tried);
            eprintln!("  came back {}", obstacle.came_back);
            eprintln!("  to change {}", obstacle.remedy);
            let mut evidence = String::new();
            exchanges.iter().for_each(|exchange| terminal::of_exchange(&mut evidence, exchange));
            eprint!("{evidence}");
            exit::PREFLIGHT
        }
        Failure::NothingSelected(message) => {
            eprintln!("authspec: {message}");
            exit::NOTHING_SELECTED
        }
        Failure::Usage(message) => {
            eprintln!("authspec: {message}");
            exit::USAGE
        }
        Failure::Own(message) => {
            eprintln!("authspec: {message}; this is a defect of authspec, please report it");
            exit::OWN_ERROR
        }
    }
}

fn serve(args: &ServeArgs) -> u8 {
    if args.list_defects {
        for defect in Defect::ALL {
            println!("{:<44} {}", defect.name(), defect.violates().join(" "));
        }
        return exit::PASSED;
    }
    let policy = match &args.defect {
        None => Policy::conformant(),
        Some(name) => match name.parse::<Defect>() {
            Ok(defect) => Policy::with(defect),
            Err(_) => {
                eprintln!(
                    "authspec: no defect is called {name}; authspec serve --list-defects shows them all"
                );
                return exit::USAGE;
            }
        },
    };
    let bind = std::net::SocketAddr::from(([127, 0, 0, 1], args.port));
    match embedded::start(Config { policy, bind, logging: true, ..Config::default() }) {
        Ok(server) => {
            println!("{}", server.issuer());
            println!("user {} / {}", seeds::ALICE, seeds::ALICE_PASSWORD);
            println!("stop with Ctrl-C");
            server.wait();
            exit::PASSED
        }
        Err(e) => {
            eprintln!("authspec: cannot listen on {bind}: {e}; choose another --port");
            exit::USAGE
        }
    }
}
