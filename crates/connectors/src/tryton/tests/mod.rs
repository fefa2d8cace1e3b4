//! The connector against recorded answers, against the simulated Tryton, and, where one is named, against a live one.

mod live;
