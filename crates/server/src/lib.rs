//! Listens: hints of systems come in over HTTP, and are kept before they are answered.

mod http;
mod intake;
#[cfg(test)]
mod tests;

pub use http::serve;
pub use intake::{Answer, Ear, Intake, Shelf};
