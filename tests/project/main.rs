//! The project against itself: layers, catalogue, tables and CI integrations, as they lie in the tree.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]

mod architecture;
mod catalogue;
mod ci;
mod recipes;
mod tables;
mod traceability;
