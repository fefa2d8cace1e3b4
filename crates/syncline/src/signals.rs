//! Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends at once.

use crate::out::Out;
use std::future::Future;
use syncline_engine::Engine;

/// From here on a file that grows beyond the limit of this process is an error to be told, and no longer its silent end.
pub(crate) fn outlive_file_limits() {
    #[cfg(target_os = "linux")]
    {
        use tokio::signal::unix::{SignalKind, signal};
        const FILE_TOO_LARGE: i32 = 25;
        // Once it is heard, it stays heard. Where it cannot be, all is as before.
        drop(signal(SignalKind::from_raw(FILE_TOO_LARGE)));
    }
}

/// Ready when the process is asked to stop.
pub(crate) async fn asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Where no signal can be heard, none is waited for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The result of `work`, and whether it was asked to stop meanwhile; `tick` runs while it works.
pub(crate) async fn stoppable<T>(
    engine: &Engine,
    out: Out,
    work: impl Future<Output = T>,
    tick: impl Future<Output = ()>,
) -> (T, bool) {
    tokio::pin!(work, tick);
    let mut stopped = false;
    let mut ticks = true;
    let mut signal = Box::pin(asked());
    loop {
        tokio::select! {
            biased;
            () = &mut signal => {
                if stopped {
                    out.say("stopped at once; what was under way is looked up at the next start");
                    std::process::exit(1);
                }
                stopped = true;
                engine.stop();
                out.say("stopping: the step under way is finished first; once more to end at once");
                signal = Box::pin(asked());
            }
            done = &mut work => return (done, stopped),
            () = &mut tick, if ticks => ticks = false,
        }
    }
}
