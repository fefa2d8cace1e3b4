//! One folder per system, the same file names in each.

pub mod http_json;
pub mod magento;
pub mod tryton;
mod wire;
