//! Decides: records, money, merge, planning, the life of a delivery, and the words all other crates share.
//!
//! No I/O, no async, no clock, no randomness and no floats, by construction: `#![no_std]` with `alloc`.
#![no_std]

extern crate alloc;

pub mod audit;
pub mod delivery;
pub mod id;
pub mod journal;
pub mod kind;
pub mod leaf;
pub mod mark;
pub mod merge;
pub mod money;
pub mod path;
pub mod planner;
pub mod policy;
pub mod profile;
pub mod record;
pub mod rules;
pub mod text;
pub mod totals;
