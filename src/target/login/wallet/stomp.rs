//! Frames of STOMP 1.2, as far as a page subscribes to one destination.

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// What it is.
    pub(super) command: String,
    /// Names and values; the first of a name counts.
    pub(super) headers: Vec<(String, String)>,
    /// What it carries.
    pub(super) body: String,
}

impl Frame {
    /// A frame without a body.
    pub(super) fn new<const N: usize>(command: &str, headers: [(&str, &str); N]) -> Self {
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { command: command.to_owned(), headers: headers.into(), body: String::new() }
    }

    /// The first value of that name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// As it is sent.
    pub(super) fn text(&self) -> String {
        // CONNECT and CONNECTED escape nothing, as they did not before.
        let escaped = |text: &str| match self.command.starts_with("CONNECT") {
            true => text.to_owned(),
            false => text
                .replace('\\', "\\\\")
                .replace('\r', "\\r")
                .replace('\n', "\\n")
                .replace(':', "\\c"),
        };
        let mut text = format!("{}\n", self.command);
        for (name, value) in &self.headers {
            text.push_str(&format!("{}:{}\n", escaped(name), escaped(value)));
        }
        text + "\n" + &self.body + "\0"
    }
}

/// The complete frames of a stream so far, and of what is none what can be read.
pub(super) fn frames(stream: &[u8]) -> Vec<Frame> {
    let (mut rest, mut frames) = (stream, Vec::new());
    while let Some((frame, after)) = frame(rest) {
        frames.push(frame);
        rest = after;
    }
    frames
}

/// The first frame, and what follows on it.
fn frame(stream: &[u8]) -> Option<(Frame, &[u8])> {
    // Between frames line ends are heartbeats.
    let start = stream.iter().position(|octet| !matches!(octet, b'\r' | b'\n'))?;
    let mut rest = &stream[start..];
    let mut line = || {
        let end = memchr::memchr(b'\n', rest)?;
        let line = String::from_utf8_lossy(&rest[..end]).trim_end_matches('\r').to_owned();
        rest = &rest[end + 1..];
        Some(line)
    };
    let command = line()?;
    let mut headers = Vec::new();
    loop {
        let field = line()?;
        if field.is_empty() {
            break;
        }
        let (name, value) = field.split_once(':').unwrap_or((&field, ""));
        headers.push((unescaped(name), unescaped(value)));
    }
    let mut frame = Frame { command, headers, body: String::new() };
    let told = frame.header("content-length").and_then(|length| length.trim().parse().ok());
    let length: usize = match told {
        Some(length) => length,
        None => memchr::memchr(0, rest)?,
    };
    let body = rest.get(..length).filter(|_| rest.get(length) == Some(&0))?;
    frame.body = String::from_utf8_lossy(body).into_owned();
    Some((frame, &rest[length + 1..]))
}

fn unescaped(text: &str) -> String {
    let (mut out, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('c') => out.push(':'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (char, false) => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_are_read_with_heartbeats_between_them_and_bodies_of_a_length() {
        let stream = b"\nCONNECTED\r\nversion:1.2\r\n\r\n\0\n\nMESSAGE\nid:a\\c1\nid:b\ncontent-length:3\n\n\0\0!\0\nMESS";
        let read = frames(stream);
        assert_eq!(read[0], Frame::new("CONNECTED", [("version", "1.2")]));
        assert_eq!((read[1].header("id"), read[1].body.as_str()), (Some("a:1"), "\0\0!"));
        assert_eq!(read.len(), 2, "the last is not complete");
        assert_eq!(frames(b"A\ncontent-length:9\n\nshort\0"), []);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            all in proptest::collection::vec(
                ("[A-Z]{1,9}", proptest::collection::vec(("[ -~\n\r]{1,8}", "[ -~\n\r]{0,12}"), 0..4), "[ -~\n]{0,20}"),
                0..5,
            ),
            ending in prop::sample::select(vec!["", "\n", "\r\n"]), cut in 0_usize..400,
        ) {
            let all: Vec<Frame> = all
                .into_iter()
                .filter(|(command, ..)| !command.starts_with("CONNECT"))
                .map(|(command, headers, body)| Frame { command, headers, body })
                .collect();
            let stream: String = all.iter().map(|frame| frame.text() + ending).collect();
            prop_assert_eq!(&frames(stream.as_bytes()), &all);
            let part = frames(&stream.as_bytes()[..cut.min(stream.len())]);
            prop_assert_eq!(&part[..], &all[..part.len()]);
        }

        #[test]
        fn whatever_comes_is_read_to_an_end(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = frames(&octets);
        }
    }
}
