//! How far a pass has come: a bar where a person looks on, else a line every few seconds.

use crate::out::Out;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;
use syncline_engine::Engine;
use tokio::time::Instant;

const BAR_EVERY: Duration = Duration::from_millis(200);
/// How often it is told, where nobody looks on, how far something has come.
pub(crate) const LINE_EVERY: Duration = Duration::from_secs(5);

/// Tells how far `engine` has come, until dropped.
pub(crate) async fn tell(engine: &Engine, out: Out) {
    let bar = std::io::stderr().is_terminal().then(bar);
    let began = Instant::now();
    let mut first = None;
    loop {
        tokio::time::sleep(if bar.is_some() { BAR_EVERY } else { LINE_EVERY }).await;
        let Ok(flows) = engine.status().await else { return };
        let done: u64 = flows.values().map(|flow| flow.done).sum();
        let left: u64 = flows.values().map(|flow| flow.ready + flow.waiting).sum();
        let before = *first.get_or_insert(done);
        let text = line(done, left, done.saturating_sub(before), began.elapsed());
        match &bar {
            Some(bar) => {
                bar.set_length(done + left);
                bar.set_position(done);
                bar.set_message(text);
            }
            None => out.say(text),
        }
    }
}

/// The result of `work`; `tick` runs while it works.
pub(crate) async fn beside<T>(work: impl Future<Output = T>, tick: impl Future<Output = ()>) -> T {
    tokio::pin!(work, tick);
    let mut ticks = true;
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = &mut tick, if ticks => ticks = false,
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    // The template is ours; should it not parse, the plain bar will do.
    let style = ProgressStyle::with_template("{bar:30} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_finish(indicatif::ProgressFinish::AndClear)
}

/// `120 of 300 done, 45/s, 4 s left`.
fn line(done: u64, left: u64, since: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let tenths = since.saturating_mul(10_000) / millis;
    let mut text = format!("{done} of {} done", done + left);
    if tenths > 0 {
        text.push_str(&format!(", {}.{}/s", tenths / 10, tenths % 10));
        if left > 0 {
            text.push_str(&format!(", {} s left", left.saturating_mul(10).div_ceil(tenths)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_rest_are_told_once_something_moved() {
        assert_eq!(line(10, 90, 0, Duration::from_secs(1)), "10 of 100 done");
        assert_eq!(line(20, 80, 10, Duration::from_secs(4)), "20 of 100 done, 2.5/s, 32 s left");
        assert_eq!(line(100, 0, 90, Duration::from_secs(4)), "100 of 100 done, 22.5/s");
    }
}
