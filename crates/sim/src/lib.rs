//! Pretends: a Magento shop and a Tryton ERP, in process and as HTTP servers.
//!
//! Written from recordings and vendor contracts. It takes no money, merge or record code from
//! `syncline-core` and never imports the connectors: it must be able to disagree with them.

mod base64;
pub mod books;
pub mod catalogue;
pub mod elsewhere;
pub mod http;
pub mod image;
pub mod json_api;
pub mod magento;
pub mod orders;
pub mod random;
pub mod serve;
pub mod tryton;
pub mod weather;
