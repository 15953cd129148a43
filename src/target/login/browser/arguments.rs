//! Which browser is started, and with which arguments.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::target::network::Network;

/// The usual names of the program.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where programs are where `PATH` says nothing.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

const FLAGS: [&str; 17] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--metrics-recording-only",
    "--password-store=basic",
    "--use-mock-keychain",
    // A frame of another site would be another target, whose requests nobody holds back.
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process,HttpsUpgrades,Translate,MediaRouter,OptimizationHints,SpareRendererForSitePerProcess",
];

/// The way to the target, as far as a browser can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Addresses of hosts.
    pub resolve: BTreeMap<String, IpAddr>,
    /// Certificates are not verified.
    pub insecure: bool,
    /// An HTTP proxy, `http://HOST:PORT`.
    pub proxy: Option<String>,
}

impl Route {
    /// What of `network` a browser takes. The error has a key that it cannot heed, and why.
    pub fn of(network: &Network) -> Result<Self, (&'static str, String)> {
        let unheeded = [
            ("client_certificate", network.client_certificate.is_some()),
            ("proxy_credentials", network.proxy_credentials.is_some()),
        ];
        if let Some((key, _)) = unheeded.into_iter().find(|(_, is_given)| *is_given) {
            return Err((key, format!("{key} cannot be given to driver = browser")));
        }
        let (resolve, proxy) = (network.resolve.clone(), network.proxy.clone());
        Ok(Self { resolve, insecure: network.insecure, proxy })
    }

    /// Everything but these hosts is unknown to the browser, whatever page, worker or prefetch asks.
    fn rules(&self, hosts: &[String]) -> String {
        let written = |address: &str| match address.contains(':') {
            true => format!("[{address}]"),
            false => address.to_owned(),
        };
        let is_known = |host: &&String| !self.resolve.contains_key(*host);
        let proxy = self.proxy.iter().filter_map(|url| {
            Some(url::Url::parse(url).ok()?.host_str()?.trim_matches(['[', ']']).to_owned())
        });
        let mapped = self.resolve.iter();
        mapped
            .map(|(host, address)| format!("MAP {host} {}", written(&address.to_string())))
            .chain(["MAP * ~NOTFOUND".to_owned()])
            .chain(hosts.iter().filter(is_known).map(|host| format!("EXCLUDE {}", written(host))))
            .chain(proxy.map(|host| format!("EXCLUDE {}", written(&host))))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The arguments of a browser that keeps its data in `folder` and reaches `hosts` alone.
pub fn arguments(folder: &Path, hosts: &[String], route: &Route, is_root: bool) -> Vec<String> {
    let mut all: Vec<String> = FLAGS.map(str::to_owned).into();
    all.push(format!("--user-data-dir={}", folder.display()));
    all.push(format!("--host-resolver-rules={}", route.rules(hosts)));
    match &route.proxy {
        Some(proxy) => all.push(format!("--proxy-server={proxy}")),
        None => all.push("--no-proxy-server".into()),
    }
    if route.insecure {
        all.push("--ignore-certificate-errors".into());
    }
    if is_root {
        all.push("--no-sandbox".into());
    }
    all.push("about:blank".into());
    all
}

/// Where the browser is: as the profile says, as the variable `CHROMIUM` says, or by its usual names
/// on `PATH`.
///
/// The error says what was looked for and where.
pub fn find(
    configured: Option<&str>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<PathBuf, String> {
    let given = |source: &str, path: &str| match Path::new(path).is_file() {
        true => Ok(PathBuf::from(path)),
        false => Err(format!("no browser: {source} names {path}, where no program is")),
    };
    if let Some(path) = configured {
        return given("browser under [login]", path);
    }
    if let Some(path) = variable("CHROMIUM").filter(|path| !path.is_empty()) {
        return given("CHROMIUM", &path);
    }
    let path = variable("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = NAMES.iter().find_map(|name| {
        folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file())
    });
    found.ok_or_else(|| format!("no browser: none of {} is on PATH", NAMES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(hosts: &[&str], route: &Route, is_root: bool) -> Vec<String> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        arguments(Path::new("/data"), &hosts, route, is_root)
    }

    #[test]
    fn a_browser_knows_its_hosts_and_nobody_else() {
        let resolve = BTreeMap::from([("as.test".to_owned(), IpAddr::from([127, 0, 0, 1]))]);
        let proxy = Some("http://proxy.test:3128".into());
        let route = Route { resolve, proxy, ..Route::default() };
        let all = of(&["as.test", "::1", "idp.test"], &route, false);
        let rules = "--host-resolver-rules=MAP as.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE [::1], \
                     EXCLUDE idp.test, EXCLUDE proxy.test";
        assert!(all.contains(&rules.to_owned()), "{all:?}");
        assert!(all.contains(&"--proxy-server=http://proxy.test:3128".to_owned()));
    }

    #[test]
    fn sandbox_and_certificates_are_given_up_on_demand_alone() {
        let loose = ["--no-sandbox", "--ignore-certificate-errors"];
        let has = |all: &[String]| loose.map(|flag| all.iter().any(|a| a == flag));
        assert_eq!(has(&of(&[], &Route::default(), false)), [false, false]);
        let route = Route { insecure: true, ..Route::default() };
        assert_eq!(has(&of(&[], &route, true)), [true, true]);
    }

    #[test]
    fn what_a_browser_cannot_heed_is_named() {
        let network = Network { client_certificate: Some("c.pem".into()), ..Network::default() };
        assert_eq!(Route::of(&network).unwrap_err().0, "client_certificate");
        assert!(Route::of(&Network::default()).is_ok());
    }

    #[test]
    fn a_browser_is_found_by_profile_variable_or_name_and_missed_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("chromium-browser");
        std::fs::write(&program, "").unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let on_path = |name: &str| (name == "PATH").then(|| path.clone());
        assert_eq!(find(None, &on_path), Ok(program.clone()));
        let named = |name: &str| (name == "CHROMIUM").then(|| "/nonexistent/b".to_owned());
        assert!(find(None, &named).unwrap_err().contains("CHROMIUM names /nonexistent/b"));
        assert_eq!(find(program.to_str(), &named), Ok(program));
        let nowhere = |name: &str| (name == "PATH").then(|| "/nonexistent".to_owned());
        assert!(find(None, &nowhere).unwrap_err().contains("none of chromium, chromium-browser"));
    }
}
