//! The project's own chores: cargo x test, check, gen, real.
fn main() {}
