//! The grammar of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::bundle::{BundleArgs, VerifyArgs};
use super::gate::GateOptions;
use super::many::ManyArgs;
use super::output::{OutputArgs, VoiceArgs};
use super::report;
use super::settings::TargetOptions;
use crate::model::requirement::Profile;
use crate::plan::Filter;
use crate::report::Format;
use crate::shard::Shard;

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
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Audit a server: the embedded reference server, or the one whose issuer is given.
    Run(Box<RunArgs>),
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
    /// Make one run of its parts; exit code 2 where one is missing, doubled or foreign.
    Merge(MergeArgs),
    /// Repeat one finding of a recorded run: fixed (exit code 0), still there (1) or not to be judged (5).
    Replay(Box<ReplayArgs>),
    /// Draw another form of a run that was recorded.
    Report(ReportArgs),
    /// Compare two runs: findings, what the target publishes, and how it behaves where both pass.
    ///
    /// Exit codes: 0 no new or worse finding, 1 one at least, 2 a run that cannot be read.
    Diff(DiffArgs),
    /// Make the bundle of a run for an auditor: one archive that shows when an octet of it changes.
    Bundle(BundleArgs),
    /// Check a bundle offline, and say what was changed; exit code 1 where something was.
    Verify(VerifyArgs),
    /// Look after known findings that somebody answers for.
    Waivers(WaiversArgs),
    /// Start the reference server for people to look at.
    Serve(ServeArgs),
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL", value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), or write that of every command.
    Man {
        /// Folder for authspec.1, authspec-run.1 and so on.
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(super) struct InitArgs {
    /// Issuer of the server.
    #[arg(value_name = "ISSUER")]
    pub(super) issuer: String,
    /// File to write.
    #[arg(long, value_name = "FILE", default_value = "authspec.toml")]
    pub(super) output: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    pub(super) force: bool,
    /// Public client at the server.
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,
    /// Registered redirect URI of the client; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub(super) redirect_uris: Vec<String>,
    /// Authorities that the certificate of the server may come from, as PEM.
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<String>,
    /// Do not verify certificates.
    #[arg(long)]
    pub(super) insecure: bool,
}

#[derive(Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    pub(super) command: ConfigCommand,
}

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// The values in force.
    Show {
        #[command(flatten)]
        target: Box<TargetOptions>,
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
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) target: TargetOptions,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// What the target is held to.
    #[arg(long, value_enum, default_value = "baseline")]
    pub(super) profile: ProfileArg,
    #[command(flatten)]
    pub(super) gate: GateOptions,
    /// Print what would be done, how many requests and sign-ins it takes, how long, and what it
    /// leaves behind; nothing is sent to the target.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Repeat what failed or could not be judged in that run: its folder, its run.json, or `last`.
    #[arg(short = 'R', long, value_name = "RUN")]
    pub(super) repeat: Option<PathBuf>,
    #[command(flatten)]
    pub(super) many: ManyArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) voice: VoiceArgs,
}

#[derive(Args)]
pub(super) struct WaiversArgs {
    #[command(subcommand)]
    pub(super) command: WaiversCommand,
}

#[derive(Subcommand)]
pub(super) enum WaiversCommand {
    /// Check a file of waivers: ids, variants, owners, dates; exit code 1 where one does not hold.
    Lint {
        /// The file (TOML).
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Args)]
pub(super) struct MergeArgs {
    /// Folders of the parts, or their run.json.
    #[arg(value_name = "PART", required = true)]
    pub(super) parts: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) gate: GateOptions,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args)]
pub(super) struct ReplayArgs {
    /// Requirement, or REQUIREMENT/N for its scenario of that number in the report.
    #[arg(value_name = "FINDING")]
    pub(super) finding: String,
    /// Folder of the run, or its run.json; the last one in the folder for reports when left out.
    #[arg(long, value_name = "RUN")]
    pub(super) run: Option<PathBuf>,
    /// Folder for reports.
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) reports: PathBuf,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Args)]
pub(super) struct ReportArgs {
    #[command(subcommand)]
    pub(super) command: ReportCommand,
}

#[derive(Subcommand)]
pub(super) enum ReportCommand {
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

#[derive(Args)]
pub(super) struct DiffArgs {
    /// Folder of the earlier run, or its run.json.
    #[arg(value_name = "BEFORE")]
    pub(super) before: PathBuf,
    /// Folder of the later run, or its run.json.
    #[arg(value_name = "AFTER")]
    pub(super) after: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: DiffFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DiffFormat {
    /// For a terminal.
    Text,
    /// For programs.
    Json,
    /// For a note on a change.
    Markdown,
}

#[derive(Args, Clone)]
pub(super) struct FilterArgs {
    /// Tag expression, for example '@must and not @slow'. Ids, groups, levels, severities and impacts are tags.
    #[arg(long, value_name = "EXPRESSION")]
    pub(super) tags: Option<String>,
    /// Requirement id; may be repeated.
    #[arg(long = "id", value_name = "REQUIREMENT")]
    pub(super) ids: Vec<String>,
    /// Wait in real time for checks that need it, such as the end of a code or of a token.
    #[arg(long)]
    pub(super) slow: bool,
    /// One part of the run, for example 2/5; authspec merge makes one run of all parts.
    #[arg(long, value_name = "I/N", env = "AUTHSPEC_SHARD")]
    pub(super) shard: Option<Shard>,
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// How to print; all but `table` also name the scenarios and the defects that prove them.
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: ListFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
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
pub(super) struct ExplainArgs {
    /// Requirement ids, or the beginning of one; authspec list shows them all.
    #[arg(value_name = "REQUIREMENT", required = true)]
    pub(super) ids: Vec<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub(super) format: ExplainFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainFormat {
    /// For a person at a terminal.
    Text,
    /// An array of objects.
    Json,
}

#[derive(Args)]
pub(super) struct LoginArgs {
    #[command(subcommand)]
    pub(super) command: LoginCommand,
}

#[derive(Subcommand)]
pub(super) enum LoginCommand {
    /// Sign in once and show each page and step without any value; exit code 3 where it fails.
    Test(Box<TargetOptions>),
    /// Print a recording of Chrome's DevTools Recorder (JSON) as steps for a profile; what was typed
    /// is left out.
    Import {
        /// The recording.
        #[arg(value_name = "FILE")]
        recording: PathBuf,
    },
}

#[derive(Args)]
pub(super) struct ServeArgs {
    /// Port on 127.0.0.1; a free one when left out.
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
    /// How users sign in.
    #[arg(long, value_enum, default_value_t = ServeLogin::Password)]
    pub(super) login: ServeLogin,
    /// A seeded defect by name; --list-defects shows them.
    #[arg(long, value_name = "NAME")]
    pub(super) defect: Option<String>,
    /// List the seeded defects with the requirements that they violate.
    #[arg(long)]
    pub(super) list_defects: bool,
}

/// How users of the reference server sign in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ServeLogin {
    /// With a password on a page.
    Password,
    /// With a credential from a wallet.
    Wallet,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ProfileArg {
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
            shard: args.shard,
            variant: None,
        }
    }
}
