//! `run`: the daemon. Pass after pass, each told in one line, until it is asked to stop.

use crate::clock::{self, Wall};
use crate::failure::{Exit, Failure};
use crate::loan::{self, Lender, Loan};
use crate::out::Out;
use crate::{open, signals};
use serde_json::json;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use syncline_core::policy::ErrorKind;
use syncline_engine::config::Config;
use syncline_engine::{Engine, EngineError, Synced};
use syncline_server::{Intake, Shelf};
use syncline_store::{Store, StoreError};
use tokio::sync::Notify;

const AFTER: &str = "\
Examples:
  syncline run                 a pass every so often, as `every` in the file says; one line each on stderr
  syncline run --json          the same lines as JSON on stdout
Where the file says `listen`, systems may say where to look: POST /hooks/<system>, signed by Standard Webhooks with the
system's `hook_secret`. What is said is kept before it is answered, and looked at at once.
Commands that write work beside it: it finishes its step, lends them the store, and goes on with a pass when they are done.
SIGTERM or Ctrl-C ends it after the step under way, with exit code 0.";

/// Between two questions to a system that is left out.
const AGAIN: Duration = Duration::from_secs(30);

/// Nothing but the file.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {}

pub(crate) async fn carry_out(_: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    if loan::is_served(&config.store).await {
        return Err(StoreError::Held(config.store.display().to_string()).into());
    }
    let mut store = open::free(config)?;
    let daemon = Daemon {
        shelf: Shelf::holding(&store),
        lender: Lender::over(&config.store, out),
        bell: Arc::default(),
        config,
        out,
    };
    let _listening = daemon.listening().await?;
    loop {
        match daemon.goes_on(&store).await? {
            Until::Stopped => break,
            Until::Answered => {}
            Until::Asked(loan) => match daemon.lends(store, loan).await? {
                Some(back) => store = back,
                None => break,
            },
        }
    }
    out.say(format!("{:.0} stopped; nothing is under way", clock::now()));
    Ok(Exit::Agreed)
}

/// Until when it went on.
enum Until {
    /// It was asked to stop.
    Stopped,
    /// A system answers that was left out.
    Answered,
    /// A command wants the store.
    Asked(Loan),
}

/// What lasts from one pass to the next.
struct Daemon<'a> {
    config: &'a Config,
    /// Where hints are kept.
    shelf: Shelf,
    lender: Lender,
    /// Rung when a hint was kept.
    bell: Arc<Notify>,
    out: Out,
}

/// Ends with what it holds.
struct Listening(Option<tokio::task::JoinHandle<()>>);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Daemon<'_> {
    /// Listens for hints where the file says so, whether systems answer or not, until it is dropped.
    async fn listening(&self) -> Result<Listening, Failure> {
        let (config, out) = (self.config, self.out);
        let Some(at) = config.listen else { return Ok(Listening(None)) };
        let ears = open::ears(config)?;
        let remedy = "free that port, or name another after `listen`";
        let failed =
            |error: std::io::Error| Failure::new("SYN-0910", format!("{at} cannot be listened on: {error}"), remedy);
        let listener = tokio::net::TcpListener::bind(at).await.map_err(failed)?;
        let at = listener.local_addr().map_err(failed)?;
        out.say(format!("{:.0} listening for hints on {at}", clock::now()));
        let intake = Intake { shelf: self.shelf.clone(), clock: Arc::new(Wall), bell: Arc::clone(&self.bell), ears };
        let task = tokio::spawn(async move {
            if let Err(error) = syncline_server::serve(listener, intake).await {
                out.say(format!("{:.0} error: nothing is listened for any more: {error}", clock::now()));
            }
        });
        Ok(Listening(Some(task)))
    }

    /// Passes over `store`, once systems answer between which something flows.
    async fn goes_on(&self, store: &Arc<dyn Store>) -> Result<Until, Failure> {
        let mut asked = Box::pin(self.lender.asked());
        let opened = tokio::select! {
            biased;
            loan = &mut asked => return Ok(Until::Asked(loan)),
            opened = opened(self.config, store, self.out) => opened?,
        };
        let Some(mut engine) = opened else { return Ok(Until::Stopped) };
        engine.bell = Arc::clone(&self.bell);
        self.passes(&engine, asked).await
    }

    async fn passes(&self, engine: &Engine, asked: impl Future<Output = Loan>) -> Result<Until, Failure> {
        let out = self.out;
        let recovered = engine.recover().await?;
        let every = engine.flows.every_s;
        out.say(format!(
            "{:.0} running, a pass every {every} s, {recovered} writes to be looked up first",
            clock::now()
        ));
        for (name, error) in engine.absent() {
            out.say(format!("{:.0} {name} is left out until it answers: {}", clock::now(), error.message));
        }
        let mut before = 0;
        let tell = |result: &Result<Synced, EngineError>| {
            pass(result, &mut before, out);
            super::sync::unapproved(&engine.shut(), out);
        };
        let until = Cell::new(Until::Stopped);
        let called = async {
            tokio::select! {
                biased;
                loan = asked => until.set(Until::Asked(loan)),
                () = open::back(self.config, engine, AGAIN) => {
                    out.say(format!("{:.0} a system that was left out answers again", clock::now()));
                    until.set(Until::Answered);
                }
            }
            engine.stop();
        };
        let (result, stopped) = signals::stoppable(engine, out, engine.run(tell), called).await;
        result?;
        Ok(if stopped { Until::Stopped } else { until.into_inner() })
    }

    /// Lends `store` for as long as who asked lives; the store again, or nothing where it was asked to stop meanwhile.
    async fn lends(&self, store: Arc<dyn Store>, loan: Loan) -> Result<Option<Arc<dyn Store>>, Failure> {
        let out = self.out;
        self.shelf.clear();
        if !loan::is_let_go(&store).await {
            out.say(format!("{:.0} the store is still in use here, {} gets nothing", clock::now(), loan.who()));
            self.shelf.put(&store);
            return Ok(Some(store));
        }
        drop(store);
        out.say(format!("{:.0} the store is lent to {}", clock::now(), loan.who()));
        let back = async {
            loan.lasts().await;
            loop {
                match open::free(self.config) {
                    // A command that came without asking: it ends as well.
                    Err(failure) if failure.exit == Exit::Held => tokio::time::sleep(Duration::from_secs(1)).await,
                    store => return store,
                }
            }
        };
        tokio::select! {
            biased;
            () = signals::asked() => Ok(None),
            store = back => {
                let store = store?;
                out.say(format!("{:.0} the store is back", clock::now()));
                self.shelf.put(&store);
                Ok(Some(store))
            }
        }
    }
}

/// The engine once systems answer between which something flows; none where it was asked to stop before.
async fn opened(config: &Config, store: &Arc<dyn Store>, out: Out) -> Result<Option<Engine>, Failure> {
    let later = [ErrorKind::Unreachable, ErrorKind::Busy, ErrorKind::Broken].map(ErrorKind::code);
    let pause = Duration::from_secs(u64::from(config.in_force().every_s.min(30)));
    loop {
        let opening = async {
            let opened = open::working_on(config, Arc::clone(store)).await;
            match opened {
                Err(failure) if later.contains(&failure.code.as_str()) => {
                    let at = clock::now();
                    out.say(format!(
                        "{at:.0} error {}: {}; tried again in {} s",
                        failure.code,
                        failure.what,
                        pause.as_secs()
                    ));
                    tokio::time::sleep(pause).await;
                    None
                }
                other => Some(other),
            }
        };
        tokio::select! {
            biased;
            () = signals::asked() => return Ok(None),
            ended = opening => if let Some(opened) = ended { return opened.map(Some) },
        }
    }
}

/// Tells one pass; `before` is how many writes had been sent until then.
fn pass(result: &Result<Synced, EngineError>, before: &mut u64, out: Out) {
    let at = clock::now();
    match result {
        Ok(synced) => {
            let writes = synced.writes.saturating_sub(*before);
            *before = synced.writes;
            if out.json {
                out.data(&json!({"at": at, "new": synced.new, "changed": synced.changed, "writes": writes, "run": synced.run}));
            }
            let written = super::sync::writes(writes, synced.run);
            out.say(format!("{at:.0} {} new, {} changed, {written}", synced.new, synced.changed));
        }
        Err(error) => {
            let failure = Failure::from(error.clone());
            if out.json {
                out.data(&json!({"at": at, "error": failure.json()["error"]}));
            }
            out.say(format!("{at:.0} error {}: {}; {}", failure.code, failure.what, failure.remedy));
        }
    }
}
