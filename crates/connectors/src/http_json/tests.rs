//! The connector against two simulated APIs, and against answers that nobody should give.

mod fields;
mod hostile;
mod reading;
mod together;
mod world;
mod writing;
