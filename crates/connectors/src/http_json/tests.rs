//! The connector against a simulated API.
