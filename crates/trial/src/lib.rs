//! Tries: world, weather, invariants, planted bugs, the demo, bytes from outside.

pub mod demo;
#[cfg(test)]
mod described;
pub mod outside;
pub mod ring1;
pub mod ring2;
pub mod seed;
mod sent;
