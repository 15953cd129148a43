//! A relay in front of a server that takes note of each request, delays it and injects faults.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the relay does with a request instead of passing it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 429 with `Retry-After` in seconds.
    TooMany(u64),
    /// 503 without more.
    Unavailable,
    /// 500.
    Broken,
    /// The connection is closed without an answer.
    Reset,
    /// The beginning of an answer whose body does not come.
    Slow,
}

/// A request as it arrived.
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) head: String,
    pub(crate) fault: Option<Fault>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Faults for the requests from the moment at which `on` is set.
pub(crate) struct Relay {
    pub(crate) url: String,
    pub(crate) on: Arc<AtomicBool>,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Relay {
    /// A relay to the server of that issuer. The first so many requests after it was switched on meet
    /// the fault.
    pub(crate) fn to(issuer: &str, fault: Fault, mut faults: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let next = move || {
            let strikes = faults > 0;
            faults -= usize::from(strikes);
            strikes.then_some(fault)
        };
        Self::on(listener, issuer.trim_start_matches("http://"), next, || Duration::ZERO)
    }

    /// A relay that listens there, to a server of that host and port. `next` says which fault the next
    /// request meets, once the relay is switched on; `delay` how long each one takes to arrive.
    pub(crate) fn on(
        listener: TcpListener,
        upstream: &str,
        mut next: impl FnMut() -> Option<Fault> + Send + 'static,
        delay: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        let (upstream, delay) = (upstream.to_owned(), Arc::new(delay));
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (on, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let relay = Self { url, on: on.clone(), seen: seen.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (on, seen, upstream) = (&on, &seen, upstream.clone());
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let Some((head, body)) = read(&mut reader) else { continue };
                let fault = if on.load(Ordering::Relaxed) { next() } else { None };
                let at = Instant::now();
                seen.lock().unwrap().push(Seen { at, head: head.clone(), fault });
                let delay = delay.clone();
                std::thread::spawn(move || {
                    pause(delay());
                    answer(stream, &upstream, &head, &body, fault);
                });
            }
        });
        relay
    }

    /// The requests since the relay was switched on.
    pub(crate) fn faults(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.fault.is_some()).count()
    }
}

fn pause(time: Duration) {
    if !time.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "a slow network needs real time")]
        std::thread::sleep(time);
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn answer(mut stream: TcpStream, upstream: &str, head: &str, body: &[u8], fault: Option<Fault>) {
    let empty = |status: &str, fields: &str| {
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{fields}Content-Length: 0\r\n\r\n")
    };
    let octets = match fault {
        None => forward(upstream, head, body),
        Some(Fault::TooMany(seconds)) => {
            empty("429 Too Many Requests", &format!("Retry-After: {seconds}\r\n")).into_bytes()
        }
        Some(Fault::Unavailable) => empty("503 Service Unavailable", "").into_bytes(),
        Some(Fault::Broken) => empty("500 Internal Server Error", "").into_bytes(),
        Some(Fault::Reset) => return,
        Some(Fault::Slow) => {
            let beginning = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{";
            let _ = stream.write_all(beginning.as_bytes());
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.read(&mut [0]);
            return;
        }
    };
    // The client may have left.
    let _ = stream.write_all(&octets);
}

/// The server's answer on a connection of its own.
fn forward(upstream: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut server = TcpStream::connect(upstream).unwrap();
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}
