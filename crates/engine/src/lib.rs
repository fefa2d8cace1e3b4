//! Does: polls, accepts, plans, delivers, verifies, recovers.
