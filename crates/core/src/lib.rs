//! Decides: records, money, merge, planning, the life of a delivery.
