//! Status line and header fields.

/// Header fields that one answer may have.
const MOST_FIELDS: usize = 256;

/// An empty line, which ends the header fields, lies within these octets.
pub(super) fn ends_head(octets: &[u8]) -> bool {
    octets.windows(3).any(|w| w == b"\n\r\n") || octets.windows(2).any(|w| w == b"\n\n")
}

/// Status line and header fields of an answer.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) keep_alive: bool,
}

impl Head {
    /// The head with its length, as soon as it is complete.
    pub(super) fn parse(octets: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut fields);
        let length = match parsed.parse(octets) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(e) => return Err(format!("the answer is not HTTP/1.1: {e}")),
        };
        let headers: Vec<(String, String)> = parsed
            .headers
            .iter()
            .map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).into_owned()))
            .collect();
        let connection = |wanted: &str| {
            headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
                .any(|(_, value)| value.to_ascii_lowercase().contains(wanted))
        };
        let keep_alive =
            if parsed.version == Some(1) { !connection("close") } else { connection("keep-alive") };
        Ok(Some((Self { status: parsed.code.unwrap_or(0), headers, keep_alive }, length)))
    }
}
