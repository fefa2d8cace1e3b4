//! The connector against two simulated APIs, and against answers that nobody should give.

mod fields;
mod hostile;
mod reading;
mod world;
mod writing;
