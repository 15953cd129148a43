//! Server-sent events (HTML §9.2), as far as a login sends them.

/// An event that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its type; `message` where none is named.
    pub name: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
}

/// The complete events of a stream so far (§9.2.6). A stream may end within one, which then does not
/// count.
pub fn events(stream: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(stream);
    let text =
        text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), Vec::new());
    // What follows the last line feed is no line yet.
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let data: Vec<String> = std::mem::take(&mut data);
                let name = std::mem::take(&mut name);
                if !data.is_empty() {
                    let name = if name.is_empty() { "message".to_owned() } else { name };
                    events.push(Event { name, data: data.join("\n") });
                }
            }
            "event" => value.clone_into(&mut name),
            "data" => data.push(value.to_owned()),
            _ => {}
        }
    }
    events
}

/// The address of the first event that redirects the browser.
pub fn redirect(stream: &[u8]) -> Option<String> {
    let events = events(stream).into_iter();
    events.filter(|event| event.name == "redirect").map(|event| event.data.trim().to_owned()).next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_event_that_redirects_is_found_when_it_is_complete() {
        let url = "https://app.test/cb?code=c&state=s";
        let stream =
            format!(": hello\n\nretry: 5\nevent: ping\ndata:\n\nevent:redirect\ndata: {url}\n\n");
        assert_eq!(redirect(stream.as_bytes()).as_deref(), Some(url));
        let unfinished = &stream.as_bytes()[..stream.len() - 1];
        assert_eq!(redirect(unfinished), None);
        assert_eq!(redirect(format!("data: {url}\n\n").as_bytes()), None, "of another type");
        assert_eq!(redirect(b"event: redirect\n\n"), None, "without data");
    }

    proptest! {
        #[test]
        fn events_survive_every_line_ending_and_cut(
            all in proptest::collection::vec(("[a-z]{1,8}", proptest::collection::vec("[ -~]{0,20}", 1..3)), 0..5),
            ending in prop::sample::select(vec!["\n", "\r\n", "\r"]), keep_alive: bool, cut in 0_usize..400,
        ) {
            let mut stream = String::new();
            for (name, lines) in &all {
                if keep_alive {
                    stream.push_str(&format!(":{ending}{ending}"));
                }
                stream.push_str(&format!("event: {name}{ending}id: 1{ending}"));
                for line in lines {
                    stream.push_str(&format!("data: {line}{ending}"));
                }
                stream.push_str(ending);
            }
            let wanted: Vec<Event> =
                all.iter().map(|(name, lines)| Event { name: name.clone(), data: lines.join("\n") }).collect();
            prop_assert_eq!(&events(stream.as_bytes()), &wanted);
            let part = events(&stream.as_bytes()[..cut.min(stream.len())]);
            prop_assert_eq!(&part[..], &wanted[..part.len()]);
        }

        #[test]
        fn whatever_comes_is_read(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = redirect(&octets);
        }
    }
}
