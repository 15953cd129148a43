//! The walk of somebody who has a server and no profile yet, with the command itself: `init`,
//! `config show`, `doctor`, `login test`, `run`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use authspec::model::report::Report;
use authspec::report::store;
use toml::{Table, Value};

use super::call::{self, Output, authspec};
use super::expected::Expected;
use super::secrets::Secrets;

/// Where `init` writes unless told otherwise.
const PROFILE: &str = "authspec.toml";

/// What `init` leaves for the operator to fill in.
const PLACEHOLDER: &str = "CHANGE-ME";

/// Lines of an answer that a failure shows; the whole of it is in the transcript.
const SHOWN_LINES: usize = 40;

/// A walk, as far as it went.
pub(crate) struct Walk<'a> {
    folder: &'a Path,
    secrets: &'a Secrets,
    /// What the operator's profile says.
    profile: Table,
    /// What the commands said, nothing secret.
    pub(crate) transcript: String,
    /// What an operator would wonder about, by command and item.
    pub(crate) remarks: BTreeMap<String, String>,
}

impl<'a> Walk<'a> {
    /// A walk in an empty folder, at the end of which the profile says what `profile` says.
    pub(crate) fn to(
        profile: &str,
        folder: &'a Path,
        secrets: &'a Secrets,
    ) -> Result<Self, String> {
        let profile = profile.parse().map_err(|e| format!("the profile does not parse: {e}"))?;
        let (transcript, remarks) = (String::new(), BTreeMap::new());
        Ok(Self { folder, secrets, profile, transcript, remarks })
    }

    /// All commands in order; the report is kept in `reports`.
    ///
    /// The error says what went wrong in a way that no expectation explains.
    pub(crate) fn all(&mut self, expected: &Expected, reports: &Path) -> Result<Report, String> {
        self.init()?;
        self.show()?;
        self.doctor()?;
        self.login()?;
        self.run(expected.only.as_deref(), reports)
    }

    fn call(&mut self, arguments: &[&str]) -> Result<Output, String> {
        self.call_with(arguments, &[])
    }

    fn call_with(&mut self, arguments: &[&str], more: &[(&str, &str)]) -> Result<Output, String> {
        let variables = [&self.secrets.variables(), more].concat();
        let output = authspec(self.folder, arguments, &variables);
        let Output { code, stdout, stderr } = &output;
        let said = format!("$ authspec {}\n{stdout}{stderr}[exit {code}]\n\n", arguments.join(" "));
        self.transcript.push_str(&self.secrets.hide(&said));
        match self.secrets.found_in(said.as_bytes()) {
            None => Ok(output),
            Some(name) => Err(self.wrong(&format!("{name} is shown"))),
        }
    }

    /// The complaint with the end of what the last command said.
    fn wrong(&self, complaint: &str) -> String {
        let last = self.transcript.rfind("$ authspec ").unwrap_or_default();
        let lines: Vec<&str> = self.transcript[last..].lines().collect();
        let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
        format!("\n{complaint}:\n{}\n{shown}", lines.first().unwrap_or(&""))
    }

    fn demand(&self, is_so: bool, complaint: &str) -> Result<(), String> {
        if is_so { Ok(()) } else { Err(self.wrong(complaint)) }
    }

    fn network(&self, key: &str) -> Option<&Value> {
        self.profile.get("network")?.get(key)
    }

    fn first_client(&self) -> Option<&Value> {
        self.profile.get("clients")?.get(0)
    }

    /// `init`, and the profile filled in. Where the server has no metadata it is the operator's own.
    fn init(&mut self) -> Result<(), String> {
        let init = self.begin()?;
        let path = self.folder.join(PROFILE);
        let mut begun = Table::new();
        if init.code == 0 {
            self.demand(init.stdout.contains(PROFILE), "init does not say what it wrote")?;
            if !init.stderr.is_empty() {
                self.remarks.insert("init".into(), one_line(&init.stderr));
            }
            let written = fs::read_to_string(&path).map_err(|e| format!("{PROFILE}: {e}"))?;
            begun = written.parse().map_err(|e| self.wrong(&format!("{PROFILE}: {e}")))?;
            let unfinished = self.call(&["doctor", "--target", PROFILE])?;
            self.demand(
                unfinished.code == 2 && unfinished.stderr.contains(PLACEHOLDER),
                "doctor does not say what is left to fill in",
            )?;
        } else {
            self.demand(init.stderr.contains("to change "), "init says no cure")?;
            self.remarks.insert("init".into(), line_after(&init.stderr, "came back "));
        }
        let mut filled_in = begun.clone();
        overlay(&mut filled_in, &self.profile);
        filled_in.retain(|_, value| !value.to_string().contains(PLACEHOLDER));
        for key in ["issuer", "environment", "pace_ms"] {
            let (found, meant) = (begun.get(key), filled_in.get(key));
            if let Some(found) = found.filter(|_| found != meant) {
                let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                self.remarks.insert(format!("init.{key}"), found);
            }
        }
        fs::write(path, filled_in.to_string()).map_err(|e| format!("{PROFILE}: {e}"))
    }

    /// `init` with what is known of the server beforehand. That its authority is private is found out
    /// on the way.
    fn begin(&mut self) -> Result<Output, String> {
        let text = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str).map(str::to_owned);
            text.ok_or("the profile lacks the issuer or the id of a client")
        };
        let issuer = text(self.profile.get("issuer"))?;
        let id = text(self.first_client().and_then(|client| client.get("id")))?;
        let (uris, hosts) = (self.redirect_uris(), self.network("resolve").map(Value::to_string));
        let authority = self.network("ca_file").and_then(Value::as_str).map(str::to_owned);
        let mut arguments = vec!["init", &issuer, "--client-id", &id];
        arguments.extend(uris.iter().flat_map(|uri| ["--redirect-uri", uri]));
        // The way to a name that no resolver knows.
        let variables: Vec<(&str, &str)> =
            hosts.iter().map(|hosts| ("AUTHSPEC_NETWORK__RESOLVE", hosts.as_str())).collect();
        if let Some(file) = &authority {
            let untrusted = self.call_with(&arguments, &variables)?;
            self.demand(
                untrusted.code == 3 && untrusted.stderr.contains("--ca-file FILE"),
                "init does not say how a certificate of a private authority is trusted",
            )?;
            arguments.extend(["--ca-file", file]);
        }
        self.call_with(&arguments, &variables)
    }

    fn redirect_uris(&self) -> Vec<String> {
        let uris = self.first_client().and_then(|client| client.get("redirect_uris"));
        let uris = uris.and_then(Value::as_array).into_iter().flatten();
        uris.filter_map(|uri| uri.as_str().map(str::to_owned)).collect()
    }

    /// `config show`: each value with the line where it stands.
    fn show(&mut self) -> Result<(), String> {
        let shown = self.call(&["config", "show", "--origin", "--target", PROFILE])?;
        self.demand(shown.code == 0, "the profile is not taken")?;
        let issuer = shown.stdout.lines().find(|line| line.starts_with("issuer = "));
        self.demand(
            issuer.is_some_and(|line| line.contains(&format!("# {PROFILE}:"))),
            "config show does not say where the issuer stands",
        )
    }

    /// `doctor`: an item that is not in order is a remark.
    fn doctor(&mut self) -> Result<(), String> {
        let doctor = self.call(&["doctor", "--target", PROFILE])?;
        let items = call::items(&doctor.stdout);
        let is_usable = !items.iter().any(|item| item.mark == "bad");
        self.demand(
            items.len() > 1 && is_usable == (doctor.code == 0) && matches!(doctor.code, 0 | 3),
            "the items of doctor do not go with its exit code",
        )?;
        let verdict = if is_usable { "\nready: " } else { "\nnot ready: " };
        self.demand(doctor.stdout.contains(verdict), "doctor does not conclude as its items do")?;
        for item in items.iter().filter(|item| item.mark != "ok") {
            self.remarks.insert(format!("doctor.{}", item.name), item.text.to_owned());
        }
        Ok(())
    }

    /// `login test`: each page, and what the user has was asked for.
    fn login(&mut self) -> Result<(), String> {
        let test = self.call(&["login", "test", "--target", PROFILE])?;
        let login = call::login(&test.stdout);
        self.demand(!login.steps.is_empty(), "login test shows no page")?;
        self.demand(
            login.arrived.is_some() == (test.code == 0) && matches!(test.code, 0 | 3),
            "the end of the login does not go with the exit code",
        )?;
        match login.arrived {
            Some(address) => self.demand(
                self.redirect_uris().first().is_some_and(|uri| uri == address),
                "the code arrived where nobody waits for it",
            )?,
            None => {
                self.remarks.insert("login".into(), line_after(&test.stdout, "came back "));
            }
        }
        for (key, kind) in [("password", "password"), ("totp", "one-time code")] {
            let has = self.profile.get("user").is_some_and(|user| user.get(key).is_some());
            if has && login.arrived.is_some() && !login.sent.contains(&kind) {
                let remark = format!("no page asks for the {kind}");
                self.remarks.insert(format!("login.{key}"), remark);
            }
        }
        Ok(())
    }

    /// `run`: the report that it names, read back.
    fn run(&mut self, only: Option<&str>, reports: &Path) -> Result<Report, String> {
        let folder = reports.display().to_string();
        let mut arguments = vec!["run", "--target", PROFILE, "--reports", &folder];
        arguments.extend(only.iter().flat_map(|tags| ["--tags", tags]));
        let run = self.call(&arguments)?;
        let named = run.stdout.lines().filter_map(|line| line.strip_prefix("report "));
        let files: Vec<&Path> = named.map(|path| Path::new(path.trim_start())).collect();
        let json = files.iter().find(|path| path.ends_with("run.json"));
        let Some(json) = json else { return Err(self.wrong("there is no report")) };
        for file in &files {
            let octets = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
            if let Some(name) = self.secrets.found_in(&octets) {
                return Err(format!("{name} is in {}", file.display()));
            }
        }
        let report = store::read(json)?;
        self.demand(
            run.code == i32::from(report.gate.exit_code),
            "the exit code is not that of the report",
        )?;
        Ok(report)
    }
}

/// Puts the values of `above` over those of `below`.
fn overlay(below: &mut Table, above: &Table) {
    for (key, value) in above {
        match (below.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            _ => {
                below.insert(key.clone(), value.clone());
            }
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// The rest of the first line that begins so.
fn line_after(text: &str, beginning: &str) -> String {
    let rest = text.lines().find_map(|line| line.trim_start().strip_prefix(beginning));
    one_line(rest.unwrap_or(text))
}
