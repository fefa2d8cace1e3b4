//! One folder per system.
