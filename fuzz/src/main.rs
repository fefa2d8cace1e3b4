//! One reader of outside bytes, the one that `SYNCLINE_FUZZ` names, under libFuzzer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use syncline_trial::outside::{target, Target};

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("SYNCLINE_FUZZ").unwrap_or_default();
        target(&name).unwrap_or_else(|| panic!("SYNCLINE_FUZZ names no target: `{name}`"))
    })
}

fuzz_target!(|bytes: &[u8]| {
    (chosen().run)(bytes);
});
