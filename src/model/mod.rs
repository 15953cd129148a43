//! Pure data: what a duty is, what went over the wire, what was judged, and the report drawn from it.
//!
//! Nothing here reads a file, a clock or a socket.

pub mod address;
pub mod exchange;
pub mod explanation;
pub mod hint;
pub mod html;
pub mod redact;
pub mod report;
pub mod requirement;
pub mod tls;
pub mod verdict;
