//! The browser of a wallet's login hears of the outcome over a web socket, and by STOMP over one.

use std::collections::BTreeMap;

use authspec::model::verdict::Status;
use futures_util::{SinkExt as _, StreamExt as _};
use reference_server::{Config, Defect, Login, Policy};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::wallet::{issuing, signs_in, wallet_server};
use super::{audit, blocking, target, trial, verdicts};

const SOCKET: &str = "channel = \"web_socket\"\nevents = \"/api/login/socket?state={state}\"";

#[test]
fn a_web_socket_sends_the_browser_on() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    let trial = signs_in(target(server.issuer(), &issuing(&folder, SOCKET)));
    let heads: Vec<&str> = trial.steps.iter().map(|step| step.head.as_str()).collect();
    assert!(heads.iter().any(|head| head.contains("/api/login/socket?state -> 101")), "{heads:?}");
    let absolute =
        SOCKET.replace("\"/api", &format!("\"{}/api", server.issuer())).replace("http", "ws");
    signs_in(target(server.issuer(), &issuing(&folder, &absolute)));
}

#[test]
fn verdicts_do_not_depend_on_how_the_browser_hears() {
    let statuses = |defect: Option<Defect>, rest: &str| -> BTreeMap<String, Status> {
        let policy = defect.map_or(Policy::conformant(), Policy::with);
        let config = Config { login: Login::Wallet, policy, ..Config::default() };
        let (server, folder) =
            (authspec::embedded::start(config).unwrap(), tempfile::tempdir().unwrap());
        let report = audit(target(server.issuer(), &issuing(&folder, rest)), "@wallet");
        verdicts(&report).iter().map(|(id, (status, _))| ((*id).to_owned(), *status)).collect()
    };
    let conformant = statuses(None, SOCKET);
    assert_eq!(conformant, statuses(None, ""));
    assert!(conformant.values().all(|status| *status != Status::Fail), "{conformant:?}");
    for (defect, id, status) in [
        (Defect::WalletStreamShared, "wallet.stream-single-subscriber", Status::Warn),
        (Defect::WalletStreamOfAnyBrowser, "wallet.browser-binding", Status::Fail),
    ] {
        let found = statuses(Some(defect), SOCKET);
        assert_eq!(found[id], status, "{found:?}");
        assert_eq!(conformant[id], Status::Pass, "{conformant:?}");
    }
}

#[test]
fn what_opens_no_web_socket_is_named() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    for (place, came_back) in [("/nowhere", "404"), ("/api/login/events?state={state}", "200")] {
        let rest = format!("channel = \"web_socket\"\nevents = {place:?}");
        let outcome = blocking(trial(target(server.issuer(), &issuing(&folder, &rest)))).outcome;
        let (reason, obstacle) = outcome.unwrap_err();
        assert_eq!(reason, "callback not reached");
        assert!(obstacle.came_back.contains(came_back), "{obstacle}");
        assert!(obstacle.remedy.contains("channel and events"), "{obstacle}");
    }
}

/// A broker in front of the reference server: who subscribes to a destination is told what the
/// events of that login tell. Not every broker gives receipts.
async fn broker(issuer: String, greeting: &'static str, receipts: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, issuer.clone(), greeting, receipts));
        }
    });
    format!("ws://{address}/qr-socket/websocket")
}

async fn serve(stream: TcpStream, issuer: String, greeting: &'static str, receipts: bool) {
    let mut cookie = String::new();
    #[expect(clippy::result_large_err, reason = "the library has it so")]
    let look = |request: &Request, response: Response| {
        let of = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert!(of("Sec-WebSocket-Protocol").starts_with("v12.stomp"));
        cookie = of("Cookie");
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
    let said = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(said.starts_with("CONNECT\naccept-version:1.0,1.1,1.2\nhost:127.0.0.1\n"), "{said}");
    socket.send(Message::text(greeting)).await.unwrap();
    let Some(Ok(Message::Text(said))) = socket.next().await else { return };
    let prefix = "SUBSCRIBE\nid:0\ndestination:/oidc/redirection/";
    let state = said.strip_prefix(prefix).unwrap().split('\n').next().unwrap();
    let url = format!("{issuer}/api/login/events?state={state}");
    let events = reqwest::Client::new().get(url).header("Cookie", cookie).send();
    let events = events.await.unwrap();
    if receipts {
        socket.send(Message::text("RECEIPT\nreceipt-id:0\n\n\0")).await.unwrap();
    }
    let events = events.text().await.unwrap();
    let uri = events.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let message = format!("MESSAGE\nsubscription:0\nmessage-id:1\n\n{uri}\0");
    socket.send(Message::text(message)).await.unwrap();
    // Like a broker it stays; the listener has heard enough.
    while socket.next().await.is_some_and(|said| said.is_ok()) {}
}

#[test]
fn stomp_sends_the_browser_on_and_says_why_not() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    let signs_in = |greeting, receipts| {
        blocking(async {
            let events = broker(server.issuer().to_owned(), greeting, receipts).await;
            let rest = format!("channel = \"stomp\"\nevents = {events:?}");
            trial(target(server.issuer(), &issuing(&folder, &rest))).await.outcome
        })
    };
    let connected = "CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0";
    for receipts in [true, false] {
        let outcome = signs_in(connected, receipts);
        assert_eq!(outcome.as_deref(), Ok(reference_server::seeds::WEB_REDIRECT_URI));
    }
    let (reason, obstacle) = signs_in("ERROR\nmessage:no such user\n\n\0", false).unwrap_err();
    assert_eq!(reason, "callback not reached");
    assert!(obstacle.came_back.contains("no such user"), "{obstacle}");
}
