//! Syncline: keeps shops and ERPs in agreement, and can prove it.
fn main() {}
