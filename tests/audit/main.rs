//! Audits and logins end to end, on loopback. They share a program, since many of them wait, and
//! others compute meanwhile.

mod canary;
mod degenerate;
mod login;
mod safety;
