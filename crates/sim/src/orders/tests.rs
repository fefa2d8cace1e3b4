//! What every seeded order keeps to, and that all shapes are there.
