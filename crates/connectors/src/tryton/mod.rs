//! Tryton.
