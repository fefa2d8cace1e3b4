//! Tries: world, weather, invariants, planted bugs, the demo.

pub mod demo;
pub mod ring1;
pub mod ring2;
pub mod seed;
mod sent;
