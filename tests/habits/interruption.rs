//! Somebody ends a run before its end.

use super::running::{Running, until};
use super::*;

/// A relay to the token endpoint that lets so many connections through and then takes its time with each.
struct Slow {
    url: String,
    seen: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Slow {
    fn to(server: &Server, delay: Duration) -> Self {
        let upstream = server.issuer().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let count = seen.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, count) = (TcpStream::connect(&upstream).unwrap(), count.clone());
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    let mut octets = [0; 8192];
                    while let Ok(length @ 1..) = from.read(&mut octets) {
                        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        #[expect(
                            clippy::disallowed_methods,
                            reason = "a slow server needs real time"
                        )]
                        std::thread::sleep(delay);
                        if to.write_all(&octets[..length]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
                std::thread::spawn(move || {
                    let (mut server, mut client) = (server, client);
                    let _ = std::io::copy(&mut server, &mut client);
                    let _ = client.shutdown(std::net::Shutdown::Both);
                });
            }
        });
        Self { url, seen }
    }

    fn requests(&self) -> usize {
        self.seen.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// The line of a profile that leads through it.
    fn line(&self) -> String {
        format!("concurrency = 2\nendpoints = {{ token_endpoint = \"{}/token\" }}", self.url)
    }
}

/// Interrupts an audit of the token endpoint after some requests, so many times with that signal.
#[cfg(unix)]
fn interrupted(signal: &str, more: &[&str]) -> (tempfile::TempDir, Slow, Running) {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Policy::conformant()));
    let slow = Slow::to(&server, Duration::from_millis(150));
    let target = profile(&folder.path().join("slow.toml"), server.issuer(), &slow.line());
    let arguments =
        [&["run", "--target", &target, "--tags", "@token and not @dpop"], more].concat();
    let running = Running::start(command(folder.path(), &arguments));
    until("the audit", || slow.requests() > 6);
    running.signal(signal);
    // The server has to outlive the audit.
    std::mem::forget(server);
    (folder, slow, running)
}

#[cfg(unix)]
#[test]
fn the_first_interruption_ends_a_run_with_a_report_that_says_so() {
    for signal in ["-INT", "-TERM"] {
        let (folder, _slow, running) =
            interrupted(signal, &["--cleanup", "--prometheus", "metrics.prom"]);
        let output = running.end();
        assert_eq!(output.code, 130, "{}{}", output.stdout, output.stderr);
        for fragment in ["no further scenario begins", "interrupt again to end at once"] {
            assert!(output.stderr.contains(fragment), "{}", output.stderr);
        }
        assert!(output.stdout.contains("ended     interrupted"), "{}", output.stdout);
        let report = only_run(folder.path());
        assert!(report.interrupted && !report.gate.passed);
        let not_begun: Vec<_> = report
            .requirements
            .iter()
            .flat_map(|r| &r.scenarios)
            .filter(|s| s.reason.as_ref().is_some_and(|r| r.contains("the run was interrupted")))
            .collect();
        assert!(!not_begun.is_empty());
        for scenario in not_begun {
            assert_eq!((scenario.status, scenario.exchanges.len()), (Status::Inconclusive, 0));
        }
        assert!(
            report.with_status(Status::Fail).is_empty(),
            "{:?}",
            report.with_status(Status::Fail)
        );
        assert!(report.with_status(Status::Error).is_empty());
        let cleanup = report.cleanup.clone().unwrap();
        let left = cleanup.grants_left + cleanup.access_tokens_left;
        assert!(cleanup.revoked + left > 0, "{cleanup:?}");
        assert!(left == 0 || cleanup.obstacle.is_some(), "{cleanup:?}");
        assert!(output.stdout.contains("grants revoked at the end"), "{}", output.stdout);
        let metrics = std::fs::read_to_string(folder.path().join("metrics.prom")).unwrap();
        assert_eq!(sample(&metrics, "authspec_exit_code"), 130.0);
        assert_eq!(sample(&metrics, "authspec_gate_passed"), 0.0);
    }
}

#[cfg(unix)]
#[test]
fn the_second_interruption_ends_at_once_without_a_report() {
    let (folder, slow, mut running) = interrupted("-INT", &["--log", "json"]);
    let told = running.says("no further scenario begins");
    running.signal("-INT");
    let output = running.end();
    assert_eq!(output.code, 130, "{told}{}", output.stderr);
    assert!(
        output.stderr.contains("interrupted twice; no report was written"),
        "{}",
        output.stderr
    );
    assert!(runs(folder.path()).is_empty());
    assert!(slow.requests() > 0);
}

#[cfg(unix)]
#[test]
fn before_the_first_scenario_an_interruption_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let target = profile(&folder.path().join("mute.toml"), &issuer, "");
    let running = Running::start(command(folder.path(), &["run", "--target", &target]));
    let _mute = listener.accept().unwrap();
    running.signal("-INT");
    let output = running.end();
    assert_eq!(output.code, 130, "{}", output.stderr);
    assert!(output.stderr.contains("interrupted; no report was written"), "{}", output.stderr);
    assert!(runs(folder.path()).is_empty());
}
