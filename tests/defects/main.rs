//! Every check is proven: the conformant server passes, and each seeded defect fails exactly the
//! requirements that it violates, with the weight and the side effects that `side_effects.toml`
//! names. One test a defect: `cargo test --test defects CodeReusable` runs
//! those whose name contains that word.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail at any line")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::embedded::seeded::{
    self, NEED_NONCES, NEED_OPTIONAL_PKCE, NEED_PAR_REQUIRED, NEED_TLS,
};
use authspec::model::requirement::Profile;
use authspec::model::verdict::{Deviation, Status, Weight};
use authspec::oauth::dcql::Format;
use authspec::plan::Filter;
use authspec::run::{Options, Verdicts, judge};
use libtest_mimic::{Arguments, Failed, Trial};
use reference_server::{Config, Defect, Login, Policy, Server, SigningAlgorithm};
use serde::Deserialize;

/// An audit without sockets spends much of its time on small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("the_conformant_server_passes_everything", passing(conformant)),
        Trial::test("the_conformant_server_passes_over_http_too", passing(conformant_over_http)),
        Trial::test("the_conformant_server_passes_with_rsa_signatures_too", passing(rsa)),
        Trial::test("a_server_that_leaves_pkce_to_the_token_endpoint_conforms", passing(no_pkce)),
        Trial::test("a_server_that_burns_codes_conforms", passing(burns_codes)),
        Trial::test("a_server_that_demands_pushed_requests_conforms", passing(pushed_only)),
        Trial::test("a_server_that_demands_nonces_conforms", passing(nonces)),
        Trial::test("a_server_with_wallet_login_conforms", passing(wallet)),
        Trial::test("a_server_with_wallet_login_takes_the_older_form_too", passing(older_wallet)),
        Trial::test("the_older_form_shows_defects_too", passing(older_wallet_defects)),
        Trial::test("a_server_with_opaque_access_tokens_conforms", passing(opaque)),
        Trial::test(
            "an_opaque_token_that_outlives_its_refresh_token_counts_in_full",
            passing(opaque_siblings),
        ),
        Trial::test("every_automated_requirement_has_a_defect", passing(all_proven)),
    ];
    trials.extend(Defect::ALL.iter().map(|&defect| {
        Trial::test(format!("defect::{defect}"), move || match difference(defect) {
            None => Ok(()),
            Some(difference) => Err(Failed::from(difference)),
        })
    }));
    let (filters, arguments) = several_filters(std::env::args().collect());
    if !filters.is_empty() {
        trials.retain(|trial| filters.iter().any(|filter| trial.name().contains(filter)));
    }
    let mut arguments = Arguments::from_iter(arguments);
    // Some audits wait, for a server that does: one more than there are cores keeps them all busy.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    arguments.test_threads.get_or_insert(cores + 1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The filters, where there are several, and all other arguments: `cargo test` passes on as many
/// as it gets, and libtest-mimic takes one.
fn several_filters(mut arguments: Vec<String>) -> (Vec<String>, Vec<String>) {
    let last_option = arguments.iter().rposition(|a| a.starts_with('-')).unwrap_or(0);
    let filters = arguments.split_off(last_option + 1);
    if filters.len() > 1 {
        return (filters, arguments);
    }
    arguments.extend(filters);
    (vec![], arguments)
}

/// A test that fails by panic.
fn passing(test: fn()) -> impl FnOnce() -> Result<(), Failed> {
    move || {
        test();
        Ok(())
    }
}

/// Audits a reference server with that configuration.
///
/// Client and server share one thread, and without TLS no socket lies between them.
fn audit_with(config: Config) -> Verdicts {
    audit_by(config, true, Format::SdJwtVc)
}

/// .. over sockets, or by a wallet that holds a credential of that format.
fn audit_by(config: Config, shortcut: bool, format: Format) -> Verdicts {
    let wallet = (config.login == Login::Wallet).then_some(format);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (server, serving) = embedded::bind(config).unwrap();
        let serving = tokio::spawn(serving);
        let verdicts = judge(options(&server, wallet, shortcut)).await;
        serving.abort();
        verdicts.unwrap_or_else(|failure| panic!("no verdicts: {failure:?}"))
    })
}

fn options(server: &Server, wallet: Option<Format>, shortcut: bool) -> Options {
    let target = seeded::audited(server, wallet, shortcut).unwrap();
    let clock = embedded::clock(server);
    Options { target, profile: Profile::Baseline, filter: Filter::default(), clock }
}

/// Statuses that a conforming server never has.
const BAD: [Status; 3] = [Status::Inconclusive, Status::Fail, Status::Error];

/// Fails, saying which duties have a status that a conforming server never has and why.
fn demand_good(verdicts: &Verdicts) {
    let bad: Vec<&str> = BAD.iter().flat_map(|status| verdicts.with_status(*status)).collect();
    assert!(bad.is_empty(), "{bad:?}{}", reasons(verdicts, bad.iter()));
}

/// [`demand_good`], without the least deviation, and with a pass for these duties.
fn demand_spotless(verdicts: &Verdicts, passes: &[&str]) {
    demand_good(verdicts);
    let deviating = verdicts.deviating();
    assert!(deviating.is_empty(), "{}", reasons(verdicts, deviating.iter()));
    let passed = verdicts.with_status(Status::Pass);
    assert!(passes.iter().all(|id| passed.contains(id)), "{passes:?}");
}

/// What the judges said of these requirements, a line each.
fn reasons<'a>(verdicts: &Verdicts, ids: impl Iterator<Item = &'a &'a str>) -> String {
    let said = ids.filter_map(|id| Some((*id, verdicts.deviations.get(*id)?)));
    said.flat_map(|(id, all)| all.iter().map(move |d| format!("\n  {id}: {d}"))).collect()
}

fn conformant() {
    let verdicts = audit_with(Config { tls: true, ..Config::default() });
    demand_spotless(&verdicts, &NEED_TLS);
    // Codes without a challenge cannot be had from a server that demands one.
    let (wallet, others): (Vec<&str>, Vec<&str>) = verdicts
        .with_status(Status::NotApplicable)
        .into_iter()
        .partition(|id| id.starts_with("wallet."));
    assert_eq!(wallet.len(), wallet_duties().len());
    assert_eq!(
        others,
        [
            "cors.exposed-headers",
            "dpop.nonce-challenge",
            "par.metadata-consistent",
            "par.required-enforced",
            "pkce.no-challenge-no-token",
            "pkce.verifier-without-challenge"
        ]
    );
}

/// A wallet shows no form: what is about forms does not apply, and everything else holds.
fn wallet() {
    let verdicts = audit_with(Config { login: Login::Wallet, ..Config::default() });
    demand_spotless(&verdicts, &wallet_duties());
}

/// What is about SD-JWT alone does not apply to a JWT VP; the events travel over sockets.
fn older_wallet() {
    let config = Config { login: Login::Wallet, ..Config::default() };
    let verdicts = audit_by(config, false, Format::JwtVp);
    demand_good(&verdicts);
    let passed = verdicts.with_status(Status::Pass);
    let other = ["wallet.presentation-integrity", "wallet.disclosures"];
    let others = verdicts.with_status(Status::NotApplicable);
    assert!(other.iter().all(|id| others.contains(id)), "{others:?}");
    assert!(wallet_duties().iter().all(|id| other.contains(id) || passed.contains(id)));
}

/// What is verified in both forms fails in the older one as well.
fn older_wallet_defects() {
    let audit = |defect| {
        let config =
            Config { login: Login::Wallet, policy: Policy::with(defect), ..Config::default() };
        audit_by(config, true, Format::JwtVp)
    };
    for defect in [
        Defect::WalletKeyBindingUnverified,
        Defect::WalletNonceUnchecked,
        Defect::WalletAudienceUnchecked,
        Defect::WalletPresentationOld,
        Defect::WalletIssuerUntrusted,
        Defect::WalletCredentialUnverified,
        Defect::WalletCredentialExpired,
        Defect::WalletCredentialTypeUnchecked,
    ] {
        let verdicts = audit(defect);
        assert_eq!(verdicts.with_status(Status::Fail), defect.violates(), "{defect}");
    }
    // Another key signs: under the name of the holder, and under one of its own.
    let verdicts = audit(Defect::WalletHolderUnchecked);
    let deviations = &verdicts.deviations["wallet.key-binding"];
    assert_eq!(deviations.len(), 2, "{deviations:?}");
}

fn wallet_duties() -> Vec<&'static str> {
    let catalogue = Catalogue::load().unwrap();
    let ids = catalogue.requirements.iter().map(|r| r.id.as_str());
    ids.filter(|id| id.starts_with("wallet.")).collect()
}

fn conformant_over_http() {
    let verdicts = audit_by(Config::default(), false, Format::SdJwtVc);
    demand_good(&verdicts);
    let not_applicable = verdicts.with_status(Status::NotApplicable);
    assert!(NEED_TLS.iter().all(|id| not_applicable.contains(id)), "{not_applicable:?}");
}

fn rsa() {
    let verdicts = audit_with(Config { signing: SigningAlgorithm::Rs256, ..Config::default() });
    demand_good(&verdicts);
}

fn no_pkce() {
    let verdicts = audit_with(Config { pkce_required: false, ..Config::default() });
    demand_good(&verdicts);
    let passed = verdicts.with_status(Status::Pass);
    assert!(NEED_OPTIONAL_PKCE.iter().all(|id| passed.contains(id)));
}

fn burns_codes() {
    let verdicts = audit_with(Config { wrong_verifier_burns_code: true, ..Config::default() });
    demand_good(&verdicts);
}

fn pushed_only() {
    let verdicts = audit_with(Config { par_required: true, ..Config::default() });
    demand_spotless(&verdicts, &NEED_PAR_REQUIRED);
}

fn nonces() {
    let verdicts = audit_with(Config { dpop_nonce: true, ..Config::default() });
    demand_spotless(&verdicts, &NEED_NONCES);
}

/// What the audit of a defect shows beside full failures of what it declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SideEffects {
    /// Declared requirements that are violated with no more weight than a warning.
    warning: BTreeSet<String>,
    /// .. a note.
    note: BTreeSet<String>,
    /// Requirements that rest on a broken twin.
    inconclusive: BTreeSet<String>,
    /// Requirements that apply to the conformant server and not to this one.
    not_applicable: BTreeSet<String>,
    /// .. the other way round.
    applicable: BTreeSet<String>,
}

impl SideEffects {
    /// Those that are written down, by defect.
    fn known() -> &'static BTreeMap<String, Self> {
        static ALL: LazyLock<BTreeMap<String, SideEffects>> =
            LazyLock::new(|| toml::from_str(include_str!("side_effects.toml")).unwrap());
        &ALL
    }

    fn of(verdicts: &Verdicts, conformant: &BTreeSet<String>) -> Self {
        let catalogue = Catalogue::load().unwrap();
        let lighter = |weight: Weight| {
            let is_lighter = |(id, deviations): &(&String, &Vec<Deviation>)| {
                let cap = catalogue.requirement(id).unwrap().cap(Profile::Baseline);
                let of = |d: &Deviation| d.weight.effective(cap, Profile::Baseline);
                let most = deviations.iter().map(of).max();
                most == Some(weight) && weight < cap
            };
            verdicts.deviations.iter().filter(is_lighter).map(|(id, _)| id.clone()).collect()
        };
        let not_applicable = with_status(verdicts, Status::NotApplicable);
        Self {
            warning: lighter(Weight::Warning),
            note: lighter(Weight::Note),
            inconclusive: with_status(verdicts, Status::Inconclusive),
            not_applicable: not_applicable.difference(conformant).cloned().collect(),
            applicable: conformant.difference(&not_applicable).cloned().collect(),
        }
    }
}

fn with_status(verdicts: &Verdicts, status: Status) -> BTreeSet<String> {
    verdicts.with_status(status).into_iter().map(str::to_owned).collect()
}

/// What does not apply to the conformant server under that configuration, found out once.
fn not_applicable(config: &Config) -> BTreeSet<String> {
    type Key = (bool, bool, bool, bool);
    type Known = Mutex<BTreeMap<Key, Arc<OnceLock<BTreeSet<String>>>>>;
    static KNOWN: Known = Mutex::new(BTreeMap::new());
    let is_wallet = config.login == Login::Wallet;
    let key = (config.tls, config.par_required, config.dpop_nonce, is_wallet);
    let cell = KNOWN.lock().unwrap().entry(key).or_default().clone();
    let conformant = || audit_with(seeded::conformant(config));
    cell.get_or_init(|| with_status(&conformant(), Status::NotApplicable)).clone()
}

/// How the audit of a server with that defect differs from what the defect declares.
fn difference(defect: Defect) -> Option<String> {
    let config = seeded::config(defect);
    let conformant = not_applicable(&config);
    let verdicts = audit_with(config);
    let declared: BTreeSet<&str> = defect.violates().iter().copied().collect();
    let caught = verdicts.deviating();
    let missed: Vec<_> = declared.difference(&caught).collect();
    let extra: Vec<_> = caught.difference(&declared).collect();
    let errors = verdicts.with_status(Status::Error);
    let known = SideEffects::known().get(&defect.to_string()).cloned().unwrap_or_default();
    let effects = SideEffects::of(&verdicts, &conformant);
    if missed.is_empty() && extra.is_empty() && errors.is_empty() && effects == known {
        return None;
    }
    let said = reasons(&verdicts, extra.iter().copied());
    Some(format!(
        "missed {missed:?}, extra {extra:?}, errors {errors:?}{said}\n  side effects: {effects:?}\n  \
         side_effects.toml: {known:?}"
    ))
}

/// A client that got an opaque access token cannot see that it is self-contained: what lives on
/// after its refresh token was revoked is a violation of full weight.
fn opaque_siblings() {
    let verdicts = audit_with(Config {
        policy: Policy::with(Defect::RevocationKeepsAccessToken),
        opaque_access_tokens: true,
        ..Config::default()
    });
    assert!(verdicts.with_status(Status::Warn).contains(&"revocation.cascade"));
}

fn opaque() {
    let verdicts = audit_with(Config { opaque_access_tokens: true, ..Config::default() });
    demand_good(&verdicts);
}

fn all_proven() {
    let catalogue = Catalogue::load().unwrap();
    let violated: BTreeSet<&str> = Defect::ALL.iter().flat_map(|d| d.violates()).copied().collect();
    let automated = catalogue.requirements.iter().filter(|r| r.untested.is_none());
    let unproven: Vec<&str> =
        automated.map(|r| r.id.as_str()).filter(|id| !violated.contains(id)).collect();
    assert_eq!(unproven, Vec::<&str>::new());
    let is_full = |defect: &Defect, id: &str| {
        let effects = SideEffects::known().get(&defect.to_string());
        !effects.is_some_and(|e| e.warning.contains(id) || e.note.contains(id))
    };
    let full: BTreeSet<&str> = Defect::ALL
        .iter()
        .flat_map(|d| d.violates().iter().copied().filter(|id| is_full(d, id)))
        .chain(["revocation.cascade"])
        .collect();
    assert_eq!(violated.difference(&full).collect::<Vec<_>>(), Vec::<&&str>::new());
    let defects: BTreeSet<String> = Defect::ALL.iter().map(ToString::to_string).collect();
    let named: BTreeSet<String> = SideEffects::known().keys().cloned().collect();
    assert!(named.is_subset(&defects), "{:?}", named.difference(&defects));
    let unknown: Vec<&&str> =
        violated.iter().filter(|id| catalogue.requirement(id).is_none()).collect();
    assert_eq!(unknown, Vec::<&&str>::new());
}
