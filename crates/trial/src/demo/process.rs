//! Child processes of the demo, always put down, and requests to the simulators' own pages.

use super::DemoError;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use syncline_connect::http::Http;
use syncline_connect::{Effect, Request, Transport};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// A running process of this program.
#[derive(Debug)]
pub(super) struct Child {
    child: tokio::process::Child,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

fn failed(what: &str, error: &std::io::Error) -> DemoError {
    DemoError::Process(format!("{what}: {error}"))
}

impl Child {
    /// `exe` with `arguments`, started in `folder`.
    pub(super) fn start(
        exe: &Path,
        arguments: &[&str],
        folder: &Path,
        secrets: &[(&'static str, String)],
    ) -> Result<Self, DemoError> {
        let child = Command::new(exe)
            .args(arguments)
            .current_dir(folder)
            .envs(secrets.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(if arguments.first() == Some(&"sim") || arguments.first() == Some(&"sync") {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&exe.display().to_string(), &error))?;
        Ok(Self { child })
    }

    /// The first line it prints, as JSON.
    pub(super) async fn first_line(&mut self) -> Result<Value, DemoError> {
        let nothing = || DemoError::Process("a simulated system did not say where it listens".to_string());
        let stdout = self.child.stdout.take().ok_or_else(nothing)?;
        let mut line = String::new();
        let mut reader = BufReader::new(stdout);
        let read = reader.read_line(&mut line);
        tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .map_err(|_| nothing())?
            .map_err(|error| failed("reading its first line", &error))?;
        serde_json::from_str(&line).map_err(|_| nothing())
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> Result<bool, DemoError> {
        Ok(self.child.try_wait().map_err(|error| failed("waiting", &error))?.is_some())
    }

    /// Kills it with SIGKILL. Returns whether it was still running.
    pub(super) async fn kill(&mut self) -> Result<bool, DemoError> {
        if self.has_ended()? {
            return Ok(false);
        }
        self.child.kill().await.map_err(|error| failed("SIGKILL", &error))?;
        let status = self.child.wait().await.map_err(|error| failed("waiting", &error))?;
        // A process that ended by itself has a code; one that was killed has none.
        Ok(status.code().is_none())
    }

    /// Waits for its end, at most `limit`.
    pub(super) async fn end(&mut self, limit: Duration) -> Result<Ended, DemoError> {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let read = async {
            if let Some(out) = &mut out {
                out.read_to_string(&mut stdout).await?;
            }
            if let Some(err) = &mut err {
                err.read_to_string(&mut stderr).await?;
            }
            self.child.wait().await
        };
        let status = match tokio::time::timeout(limit, read).await {
            Ok(status) => status.map_err(|error| failed("waiting", &error))?,
            Err(_) => return Err(DemoError::Process(format!("a command took longer than {} s", limit.as_secs()))),
        };
        Ok(Ended { code: status.code().unwrap_or(-1), stdout, stderr })
    }

    /// Ends it without waiting.
    pub(super) fn put_down(&mut self) {
        // It may have ended already; there is nothing else to do about it.
        drop(self.child.start_kill());
    }
}

/// The JSON behind a simulator's own page.
pub(super) async fn get_json(url: &str) -> Result<Value, DemoError> {
    ask("GET", url, Vec::new()).await
}

/// What a simulator's own page answers to `body`.
pub(super) async fn post_json(url: &str, body: &Value) -> Result<Value, DemoError> {
    ask("POST", url, body.to_string().into_bytes()).await
}

async fn ask(method: &'static str, url: &str, body: Vec<u8>) -> Result<Value, DemoError> {
    let failed = |why: String| DemoError::System(url.to_string(), why);
    let http = Http::new().map_err(|error| failed(error.to_string()))?;
    let effect = Effect::Read;
    let timeout = Duration::from_secs(30);
    let request = Request { method, url: url.to_string(), headers: Vec::new(), body, effect, timeout };
    let response = http.send(request).await.map_err(|error| failed(format!("{error:?}")))?;
    serde_json::from_slice(&response.body).map_err(|error| failed(error.to_string()))
}
