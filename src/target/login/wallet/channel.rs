//! How the browser hears where a login sends it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::events;
use super::stomp::{Frame, frames};
use crate::http::Turn;

/// Where events are, unless the profile says otherwise.
const EVENTS: &str = "/api/login/events?state={state}";
/// Where an older Verifier speaks STOMP, and under which destination.
const STOMP: (&str, &str) = ("/qr-socket/websocket", "/oidc/redirection/{state}");
/// The members of a message that name an address.
const MEMBERS: [&str; 6] =
    ["redirectUrl", "redirectUri", "redirect_url", "redirect_uri", "location", "url"];

/// What a profile calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Server-sent events: the data of an event `redirect` is the address.
    #[default]
    EventStream,
    /// A web socket: a message is the address, or a JSON object with it, such as `redirectUrl`.
    WebSocket,
    /// STOMP over a web socket: the body of a message to the destination is as for `web_socket`.
    Stomp,
}

/// What the browser of a login listens to; `{state}` stands for the state of the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// How.
    pub kind: Kind,
    /// Where; relative to the portal, where that is among the origins of target and login, and else
    /// to the authorization endpoint.
    pub url: String,
    /// The destination to which STOMP subscribes.
    pub destination: String,
}

impl Default for Channel {
    fn default() -> Self {
        Self { kind: Kind::EventStream, url: EVENTS.to_owned(), destination: String::new() }
    }
}

impl Channel {
    /// The channel that a profile describes. The error has the key and what is wrong.
    pub(super) fn read(
        kind: Kind,
        url: Option<String>,
        destination: Option<String>,
    ) -> Result<Self, (&'static str, &'static str)> {
        let (at, to) = match kind {
            Kind::EventStream => (Some(EVENTS), ""),
            Kind::WebSocket => (None, ""),
            Kind::Stomp => (Some(STOMP.0), STOMP.1),
        };
        if destination.is_some() && kind != Kind::Stomp {
            return Err(("destination", "it belongs to channel = \"stomp\""));
        }
        let Some(url) = url.or_else(|| at.map(str::to_owned)) else {
            return Err(("channel", "web_socket needs events: the address of the web socket"));
        };
        Ok(Self { kind, url, destination: destination.unwrap_or_else(|| to.to_owned()) })
    }

    /// It needs to be told the state of a login.
    pub fn needs_state(&self) -> bool {
        [&self.url, &self.destination].iter().any(|text| text.contains("{state}"))
    }

    /// The channel of the login with that state, its address as http.
    pub fn of(&self, state: &str) -> Self {
        let encoded: String = url::form_urlencoded::byte_serialize(state.as_bytes()).collect();
        let url = self.url.replace("{state}", &encoded);
        let url = match url.strip_prefix("ws") {
            Some(rest) if rest.starts_with(':') || rest.starts_with("s:") => format!("http{rest}"),
            _ => url,
        };
        let destination = self.destination.replace("{state}", state);
        Self { kind: self.kind, url, destination }
    }

    /// The subprotocols of its web socket.
    pub fn protocols(&self) -> Option<&'static str> {
        (self.kind == Kind::Stomp).then_some("v12.stomp, v11.stomp, v10.stomp")
    }

    /// What follows on what was heard so far, with so many texts sent.
    pub fn turn(&self, heard: &[u8], said: usize) -> Turn {
        if self.redirect(heard).is_some() || self.complaint(heard).is_some() {
            return Turn::Enough;
        }
        let is_connected =
            || frames(heard).first().is_some_and(|frame| frame.command == "CONNECTED");
        match (self.kind, said) {
            (Kind::Stomp, 0) => {
                let host = Url::parse(&self.url).ok();
                let host = host.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
                let versions = ("accept-version", "1.0,1.1,1.2");
                let fields = [versions, ("host", host), ("heart-beat", "0,0")];
                Turn::Say(Frame::new("CONNECT", fields).text())
            }
            (Kind::Stomp, 1) if is_connected() => {
                // Many brokers give receipts, which say that nothing will be missed.
                let destination = ("destination", self.destination.as_str());
                let fields = [("id", "0"), destination, ("receipt", "0")];
                Turn::Say(Frame::new("SUBSCRIBE", fields).text())
            }
            _ => Turn::Wait,
        }
    }

    /// What was heard so far proves that the browser will miss nothing.
    pub fn is_subscribed(&self, heard: &[u8]) -> bool {
        self.kind != Kind::Stomp || frames(heard).iter().any(|frame| frame.command == "RECEIPT")
    }

    /// The address to which the browser is sent.
    pub fn redirect(&self, heard: &[u8]) -> Option<String> {
        match self.kind {
            Kind::EventStream => events::redirect(heard),
            Kind::WebSocket => String::from_utf8_lossy(heard).lines().find_map(address),
            Kind::Stomp => {
                let all = frames(heard).into_iter().filter(|frame| frame.command == "MESSAGE");
                all.filter_map(|frame| address(&frame.body)).next()
            }
        }
    }

    /// Why the server refuses the subscription, where it says so.
    pub fn complaint(&self, heard: &[u8]) -> Option<String> {
        let mut all = (self.kind == Kind::Stomp).then(|| frames(heard)).into_iter().flatten();
        let error = all.rfind(|frame| frame.command == "ERROR")?;
        Some(error.header("message").unwrap_or("ERROR").to_owned())
    }
}

/// The address in a message: the message itself, or what a member of it says.
fn address(message: &str) -> Option<String> {
    let message = message.trim();
    let named = match serde_json::from_str(message) {
        Ok(Value::Object(members)) => {
            let mut named = MEMBERS.iter().filter_map(|name| members.get(*name)?.as_str());
            named.next().map(str::to_owned)
        }
        Ok(Value::String(text)) => Some(text),
        _ => Some(message.to_owned()),
    };
    let is_address = |text: &String| {
        let path = text.split_once(':').map_or(text.as_str(), |(_, path)| path);
        path.starts_with('/') && (path.len() == text.len() || Url::parse(text).is_ok())
    };
    named.filter(is_address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://app.test/cb?code=c&state=s";

    fn channel(kind: Kind) -> Channel {
        let url = (kind == Kind::WebSocket).then(|| "wss://as.test/ws?state={state}".to_owned());
        Channel::read(kind, url, None).unwrap()
    }

    #[test]
    fn a_message_names_the_address_itself_or_in_a_member() {
        let socket = channel(Kind::WebSocket);
        let session = r#"{"type": "session"}"#;
        for message in [
            URL.to_owned(),
            format!("\"{URL}\""),
            format!(r#"{{"type": "authenticated", "redirectUrl": "{URL}"}}"#),
        ] {
            let heard = format!("{session}\nping: 1\n{message}\n");
            assert_eq!(socket.redirect(heard.as_bytes()).as_deref(), Some(URL), "{message}");
            assert_eq!(socket.turn(heard.as_bytes(), 0), Turn::Enough);
        }
        assert_eq!(address("/next?x=1").as_deref(), Some("/next?x=1"));
        assert_eq!(
            address("com.example.app:/cb?code=c").as_deref(),
            Some("com.example.app:/cb?code=c")
        );
        for message in ["", "ping", "ping:1", "1", "null", session, r#"{"url": 1}"#, "a b:/c"] {
            assert_eq!(address(message), None, "{message}");
        }
        assert_eq!(socket.turn(session.as_bytes(), 0), Turn::Wait);
    }

    #[test]
    fn stomp_connects_then_subscribes_and_hears_the_message() {
        let stomp = channel(Kind::Stomp).of("a/b");
        let connect = Frame::new(
            "CONNECT",
            [("accept-version", "1.0,1.1,1.2"), ("host", ""), ("heart-beat", "0,0")],
        );
        assert_eq!(stomp.turn(b"", 0), Turn::Say(connect.text()));
        assert_eq!(stomp.turn(b"", 1), Turn::Wait);
        let connected = Frame::new("CONNECTED", [("version", "1.2")]).text() + "\n";
        let Turn::Say(text) = stomp.turn(connected.as_bytes(), 1) else { panic!("no SUBSCRIBE") };
        assert_eq!(frames(text.as_bytes())[0].header("destination"), Some("/oidc/redirection/a/b"));
        assert_eq!(stomp.turn(connected.as_bytes(), 2), Turn::Wait);
        assert!(!stomp.is_subscribed(connected.as_bytes()));
        let receipt = connected.clone() + &Frame::new("RECEIPT", [("receipt-id", "0")]).text();
        assert!(stomp.is_subscribed(receipt.as_bytes()));
        let message = Frame { body: URL.into(), ..Frame::new("MESSAGE", [("subscription", "0")]) };
        let heard = connected.clone() + &message.text();
        assert_eq!(stomp.redirect(heard.as_bytes()).as_deref(), Some(URL));
        assert_eq!(stomp.turn(heard.as_bytes(), 2), Turn::Enough);

        let refused = connected + &Frame::new("ERROR", [("message", "not yours")]).text();
        assert_eq!(stomp.complaint(refused.as_bytes()).as_deref(), Some("not yours"));
        assert_eq!(stomp.turn(refused.as_bytes(), 2), Turn::Enough);
    }

    #[test]
    fn a_channel_is_that_of_one_login() {
        let socket = channel(Kind::WebSocket).of("a+b");
        assert_eq!(socket.url, "https://as.test/ws?state=a%2Bb");
        assert_eq!(Channel::default().of("s").url, "/api/login/events?state=s");
        assert!(Channel::default().needs_state() && channel(Kind::Stomp).needs_state());
        let url = Some("/wsx".to_owned());
        assert_eq!(Channel::read(Kind::WebSocket, url, None).unwrap().of("").url, "/wsx");
    }

    #[test]
    fn what_does_not_belong_together_is_named() {
        let to = Some("/topic/x".to_owned());
        assert_eq!(Channel::read(Kind::EventStream, None, to).unwrap_err().0, "destination");
        assert_eq!(Channel::read(Kind::WebSocket, None, None).unwrap_err().0, "channel");
    }
}
