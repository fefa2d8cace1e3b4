//! The merchant's file, read as every command reads it.

use std::path::Path;
use syncline_engine::config::Config;

/// Bytes of what a person is told of one mistake: it is one line of the file, and a remedy.
const MESSAGE: usize = 4 * 1024;

/// A file gives a configuration, or says what is wrong with it.
pub(super) fn file(told: &[u8]) {
    // One that is no text is refused by its bytes, as it is read.
    let Ok(text) = std::str::from_utf8(told) else { return };
    match Config::parse(Path::new("syncline.toml"), text) {
        Ok(config) => {
            let uids: Vec<_> = config.systems.values().map(|system| system.uid.clone()).collect();
            drop((config.in_force(), config.sites(), config.renumbered(&config.sites()).len()));
            drop((config.carries_images(), config.shown(), format!("{config:?}"), uids));
            for (one, other) in config.systems.values().zip(config.systems.values().skip(1)) {
                assert_eq!(one.is_beside(other), other.is_beside(one), "{} and {}", one.name, other.name);
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() <= MESSAGE, "a message of {} bytes: {message:.300}", message.len());
        }
    }
}
