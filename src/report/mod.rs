//! Readers of a report. Each is a function of it alone and sees nothing else.

pub mod explanation;
pub mod json;
pub mod terminal;
