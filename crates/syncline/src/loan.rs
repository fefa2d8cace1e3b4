//! The store goes from hand to hand: a daemon lends it to each command that asks at a socket beside it, for as long as the
//! command lives. Whoever dies, the system's lock on the store says who may write.

use crate::out::Out;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use syncline_store::Store;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// What is said to whoever asks while the step under way is finished.
const WAIT: &str = "wait\n";
/// What is said once nobody else has the store.
const YOURS: &str = "yours\n";
/// Between two words of a command that waits.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// Where a command keeps what says that it lives: it ends with the process.
static HELD: OnceLock<UnixStream> = OnceLock::new();

/// Where the daemon over the store in `store` is asked.
fn socket(store: &Path) -> PathBuf {
    // By whatever link somebody comes to a store, it has one socket, as it has one lock.
    std::fs::canonicalize(store).unwrap_or_else(|_| store.to_path_buf()).with_extension("sock")
}

/// Whether a daemon runs over `store`.
pub(crate) async fn is_served(store: &Path) -> bool {
    UnixStream::connect(socket(store)).await.is_ok()
}

/// Asks the daemon over `store`, if one runs, to lend it, and waits until it does. The loan ends with this process.
pub(crate) async fn asked_for(store: &Path, out: Out) {
    let Ok(stream) = UnixStream::connect(socket(store)).await else { return };
    let mut words = BufReader::new(stream.take(64)).lines();
    loop {
        tokio::select! {
            biased;
            word = words.next_line() => match word {
                Ok(Some(word)) if word == WAIT.trim_end() => {}
                Ok(Some(word)) if word == YOURS.trim_end() => break,
                // It ended: the store is free, or somebody else's.
                _ => return,
            },
            () = tokio::time::sleep(TOLD_EVERY) => out.say("the daemon finishes its step first; then it lends the store"),
        }
    }
    // A command asks once.
    drop(HELD.set(words.into_inner().into_inner().into_inner()));
}

/// Where a daemon is asked; the file goes with it.
#[derive(Debug)]
pub(crate) struct Lender {
    listener: Option<UnixListener>,
    path: PathBuf,
    /// Whose processes may ask, beside root's.
    owner: u32,
}

impl Drop for Lender {
    fn drop(&mut self) {
        if self.listener.is_some() {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

impl Lender {
    /// Over the store in `store`, which is held: what a daemon left that was killed is put away. Where no socket can be
    /// made, it is told why, and nobody is lent anything.
    pub(crate) fn over(store: &Path, out: Out) -> Self {
        let path = socket(store);
        drop(std::fs::remove_file(&path));
        let made = UnixListener::bind(&path).and_then(|listener| Ok((listener, owner(&path)?)));
        match made {
            Ok((listener, owner)) => Self { listener: Some(listener), path, owner },
            Err(error) => {
                let shown = path.display();
                out.say(format!("commands that write have to wait until this ends: no socket at {shown}: {error}"));
                Self { listener: None, path, owner: 0 }
            }
        }
    }

    /// The next process that asks for the store.
    pub(crate) async fn asked(&self) -> Loan {
        let Some(listener) = &self.listener else { return std::future::pending().await };
        loop {
            let Ok((mut stream, _)) = listener.accept().await else {
                // Too many files are open: whoever asks is heard a little later.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(peer) = stream.peer_cred() else { continue };
            if ![0, self.owner].contains(&peer.uid()) || stream.write_all(WAIT.as_bytes()).await.is_err() {
                continue;
            }
            return Loan { stream, process: peer.pid() };
        }
    }
}

fn owner(path: &Path) -> std::io::Result<u32> {
    Ok(std::fs::metadata(path)?.uid())
}

/// A process that asked for the store. Dropped, it is told that it gets nothing.
#[derive(Debug)]
pub(crate) struct Loan {
    stream: UnixStream,
    process: Option<i32>,
}

impl Loan {
    /// Who asked.
    pub(crate) fn who(&self) -> String {
        self.process.map_or_else(|| "another process".to_string(), |pid| format!("process {pid}"))
    }

    /// Says that the store is free; ready once the process has ended.
    pub(crate) async fn lasts(mut self) {
        if self.stream.write_all(YOURS.as_bytes()).await.is_err() {
            return;
        }
        let mut said = [0; 64];
        while self.stream.read(&mut said).await.is_ok_and(|read| read > 0) {}
    }
}

/// Waits until nobody else here uses `store`; false where somebody goes on for twenty seconds.
pub(crate) async fn is_let_go(store: &Arc<dyn Store>) -> bool {
    // A hint is kept within milliseconds.
    for _ in 0..1_000 {
        if Arc::strong_count(store) == 1 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
