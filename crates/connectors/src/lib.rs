//! One folder per system, the same file names in each.

mod base64;
pub mod magento;
pub mod tryton;
mod wire;
