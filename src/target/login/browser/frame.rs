//! Messages of the DevTools protocol on a pipe: JSON objects, each ended by a NUL octet.

use serde_json::{Value, json};

/// Octets of one message; a longer one is given up.
const MOST_OCTETS: usize = 64 * 1024 * 1024;

/// A command as it goes over the pipe, to that session or to the browser itself.
pub fn command(id: u64, session: Option<&str>, method: &str, params: &Value) -> Vec<u8> {
    let mut message = json!({ "id": id, "method": method, "params": params });
    if let Some(session) = session {
        message["sessionId"] = session.into();
    }
    let mut octets = message.to_string().into_bytes();
    octets.push(0);
    octets
}

/// What arrived and was not read yet.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Octets at the beginning that hold no end of a message.
    seen: usize,
}

impl Frames {
    /// Takes what arrived. The error is a message beyond all bounds.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), String> {
        self.buffer.extend_from_slice(octets);
        match self.buffer.len() > MOST_OCTETS {
            true => Err(format!("a message of the browser exceeds {MOST_OCTETS} octets")),
            false => Ok(()),
        }
    }

    /// The next message that is complete; what is no JSON is skipped.
    pub fn pull(&mut self) -> Option<Value> {
        loop {
            let Some(at) = self.buffer[self.seen..].iter().position(|octet| *octet == 0) else {
                self.seen = self.buffer.len();
                return None;
            };
            let message: Vec<u8> = self.buffer.drain(..=self.seen + at).collect();
            self.seen = 0;
            if let Ok(message) = serde_json::from_slice(&message[..message.len() - 1]) {
                return Some(message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_names_its_session_and_ends_in_nul() {
        let octets = command(7, Some("s"), "Page.enable", &json!({}));
        let (end, text) = octets.split_last().unwrap();
        let message: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(*end, 0);
        let expected = json!({ "id": 7, "method": "Page.enable", "params": {}, "sessionId": "s" });
        assert_eq!(message, expected);
        assert!(!String::from_utf8(command(1, None, "m", &json!({}))).unwrap().contains("session"));
    }

    #[test]
    fn a_nul_within_a_text_is_escaped() {
        let octets = command(1, None, "m", &json!({ "text": "a\0b" }));
        assert_eq!(octets.iter().filter(|octet| **octet == 0).count(), 1);
    }

    #[test]
    fn what_is_no_json_is_skipped() {
        let mut frames = Frames::default();
        frames.push(b"noise\0{\"id\":1}\0{\"id\"").unwrap();
        assert_eq!(frames.pull(), Some(json!({ "id": 1 })));
        assert_eq!(frames.pull(), None);
        frames.push(b":2}\0").unwrap();
        assert_eq!(frames.pull(), Some(json!({ "id": 2 })));
    }

    proptest! {
        #[test]
        fn messages_survive_any_cut(texts in proptest::collection::vec("\\PC{0,12}", 0..6), cut in 1_usize..9) {
            let sent: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
            let octets: Vec<u8> =
                sent.iter().flat_map(|m| [m.to_string().into_bytes(), vec![0]].concat()).collect();
            let (mut frames, mut read) = (Frames::default(), Vec::new());
            for part in octets.chunks(cut) {
                frames.push(part).unwrap();
                read.extend(std::iter::from_fn(|| frames.pull()));
            }
            prop_assert_eq!(read, sent);
        }
    }
}
