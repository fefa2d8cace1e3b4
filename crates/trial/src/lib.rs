//! Tries: world, weather, invariants, planted bugs, the demo.
