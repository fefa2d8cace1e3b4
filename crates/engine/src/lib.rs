//! Does: polls, accepts, plans, delivers, verifies, recovers.

pub mod adopt;
pub mod apply;
pub mod approval;
mod aside;
mod beside;
mod catalogue;
pub mod config;
pub mod conflicts;
mod customers;
pub mod decide;
pub mod deliver;
pub mod explain;
mod families;
mod gone;
mod images;
pub mod import;
pub mod looks;
mod merged;
pub mod pages;
mod people;
pub mod poll;
pub mod preview;
mod prices;
mod reading;
pub mod run;
mod satellites;
mod shared;
pub mod status;
mod stock;
pub mod sweep;
pub mod system;
pub mod translate;
pub mod undo;
pub mod verify;

pub use run::{Engine, Flows, Settings, Synced};
pub use system::{EngineError, System};
