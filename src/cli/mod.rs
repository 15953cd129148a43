//! The shell: arguments, environment, printing, exit codes.
mod bundle;
mod config;
mod console;
mod doctor;
mod dry_run;
mod explain;
pub mod gate;
mod init;
mod list;
mod login;
mod person;
mod report;
mod run;
pub mod safety;
mod serve;
pub mod settings;
mod traceability;

use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::requirement::Profile;
use crate::plan::Filter;
use crate::report::Format;
use gate::GateOptions;
use settings::TargetOptions;

/// Exit codes, part of the contract.
pub mod exit {
    /// The gate passed.
    pub const PASSED: u8 = 0;
    /// The gate failed; of a bundle: something was changed.
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

const EXIT_CODES: &str = "\
Exit codes:
  0    the gate passed
  1    the gate failed: a finding, too little coverage, or a waiver that does not hold
  2    usage or configuration
  3    the target or the login is not usable
  4    an error of authspec's own
  5    what the gate asks for could not be judged
  6    the filter selects nothing
  130  interrupted";

/// Conformance and security tests for the OAuth 2.1 authorization code flow with PKCE, public clients.
///
/// Without arguments the embedded reference server is audited.
#[derive(Parser)]
#[command(name = "authspec", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
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
    /// Explain requirements: duty, attack, probe, a good and a bad exchange, and what to change.
    Explain(ExplainArgs),
    /// Write a commented target profile from what a server publishes.
    Init(InitArgs),
    /// Check what an audit rests on: name, TLS, clock, metadata, client, login, token, resource.
    Doctor(TargetOptions),
    /// Try the login that the target profile describes.
    Login(LoginArgs),
    /// Show what is configured, and from where.
    Config(ConfigArgs),
    /// Draw another form of a run that was recorded.
    Report(ReportArgs),
    /// Make the bundle of a run for an auditor: one archive that shows when an octet of it changes.
    Bundle(bundle::BundleArgs),
    /// Check a bundle offline, and say what was changed; exit code 1 where something was.
    Verify(bundle::VerifyArgs),
    /// Look after known findings that somebody answers for.
    Waivers(WaiversArgs),
    /// Start the reference server for people to look at.
    Serve(ServeArgs),
}

#[derive(Args)]
struct InitArgs {
    /// Issuer of the server.
    #[arg(value_name = "ISSUER")]
    issuer: String,
    /// File to write.
    #[arg(long, value_name = "FILE", default_value = "authspec.toml")]
    output: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
    /// Public client at the server.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Registered redirect URI of the client; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Do not verify certificates.
    #[arg(long)]
    insecure: bool,
}

#[derive(Args)]
struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// The values in force.
    Show {
        #[command(flatten)]
        target: TargetOptions,
        /// With each value, the file and line, variable or option that it came from.
        #[arg(long)]
        origin: bool,
    },
    /// Every key of a profile, with its environment variable and meaning.
    Keys,
    /// The JSON Schema of profiles.
    Schema,
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
    #[command(flatten)]
    gate: GateOptions,
    /// Folder for reports.
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    reports: PathBuf,
    /// Print what would be done, how many requests and sign-ins it takes, how long, and what it
    /// leaves behind; nothing is sent to the target.
    #[arg(long)]
    dry_run: bool,
    /// Write this form of the report beside run.json; may be repeated.
    #[arg(long = "format", value_name = "FORMAT", value_parser = report::format)]
    formats: Vec<Format>,
}

#[derive(Args)]
struct WaiversArgs {
    #[command(subcommand)]
    command: WaiversCommand,
}

#[derive(Subcommand)]
enum WaiversCommand {
    /// Check a file of waivers: ids, variants, owners, dates; exit code 1 where one does not hold.
    Lint {
        /// The file (TOML).
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Args)]
struct ReportArgs {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Subcommand)]
enum ReportCommand {
    /// Draw one form of a run.
    Render {
        /// Folder of the run, or its run.json.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// The form.
        #[arg(long, value_name = "FORMAT", value_parser = report::format)]
        format: Format,
        /// File to write; standard output when left out.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// The JSON Schema of run.json.
    Schema,
}

#[derive(Args, Clone)]
struct FilterArgs {
    /// Tag expression, for example '@must and not @slow'. Ids, groups, levels and severities are tags.
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// Requirement id; may be repeated.
    #[arg(long = "id", value_name = "REQUIREMENT")]
    ids: Vec<String>,
    /// Wait in real time for checks that need it, such as the end of a code or of a token.
    #[arg(long)]
    slow: bool,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// How to print; all but `table` also name the scenarios and the defects that prove them.
    #[arg(long, value_enum, default_value = "table")]
    format: ListFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// One line a requirement, with the number of requests on the reference server.
    Table,
    /// An array of objects.
    Json,
    /// Comma-separated values (RFC 4180) with a header.
    Csv,
    /// A Markdown table.
    Markdown,
    /// Counts by group, as a Markdown table.
    Coverage,
}

#[derive(Args)]
struct ExplainArgs {
    /// Requirement ids, or the beginning of one; authspec list shows them all.
    #[arg(value_name = "REQUIREMENT", required = true)]
    ids: Vec<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    format: ExplainFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExplainFormat {
    /// For a person at a terminal.
    Text,
    /// An array of objects.
    Json,
}

#[derive(Args)]
struct LoginArgs {
    #[command(subcommand)]
    command: LoginCommand,
}

#[derive(Subcommand)]
enum LoginCommand {
    /// Sign in once and show each page and step without any value; exit code 3 where it fails.
    Test(TargetOptions),
    /// Print a recording of Chrome's DevTools Recorder (JSON) as steps for a profile; what was typed
    /// is left out.
    Import {
        /// The recording.
        #[arg(value_name = "FILE")]
        recording: PathBuf,
    },
}

#[derive(Args)]
struct ServeArgs {
    /// Port on 127.0.0.1; a free one when left out.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How users sign in.
    #[arg(long, value_enum, default_value_t = ServeLogin::Password)]
    login: ServeLogin,
    /// A seeded defect by name; --list-defects shows them.
    #[arg(long, value_name = "NAME")]
    defect: Option<String>,
    /// List the seeded defects with the requirements that they violate.
    #[arg(long)]
    list_defects: bool,
}

/// How users of the reference server sign in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ServeLogin {
    /// With a password on a page.
    Password,
    /// With a credential from a wallet.
    Wallet,
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
        Err(e) => {
            complain(format!("cannot start the runtime: {e}"));
            return ExitCode::from(exit::OWN_ERROR);
        }
    };
    let code = match cli.command {
        None => runtime.block_on(interruptible(run::run(cli.run))),
        Some(Command::Run(args)) => runtime.block_on(interruptible(run::run(args))),
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
        Some(Command::Report(args)) => report::report(&args.command),
        Some(Command::Bundle(args)) => bundle::bundle(&args),
        Some(Command::Verify(args)) => bundle::check(&args),
        Some(Command::Waivers(WaiversArgs { command: WaiversCommand::Lint { file } })) => {
            gate::lint(&file)
        }
        Some(Command::Serve(args)) => serve::serve(&args),
    };
    ExitCode::from(code)
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
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a message to standard error.
fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "authspec: {text}");
}
