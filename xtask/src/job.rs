//! Runs other programs, each with a limit on its time and an end that is sure.
use crate::{Res, guard};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The time of this machine's monotonic clock: chores are real, nothing of them is simulated.
#[expect(clippy::disallowed_methods, reason = "chores time real processes; no simulated run reaches this")]
pub fn now() -> Instant {
    Instant::now()
}

/// Nothing: the process group is killed, if it still is.
pub fn kill_group(pid: u32) {
    signal("-KILL", &format!("-{pid}"));
}

/// Nothing: the one process is asked to end, given five seconds, then killed.
pub fn stop_process(pid: u32) {
    let pid = pid.to_string();
    signal("-TERM", &pid);
    let deadline = now() + Duration::from_secs(5);
    while now() < deadline && signal("-0", &pid) {
        std::thread::sleep(Duration::from_millis(50));
    }
    signal("-KILL", &pid);
}

/// True where there was someone to hear it.
fn signal(name: &str, to: &str) -> bool {
    let sent = Command::new("kill").args([name, "--", to]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    sent.is_ok_and(|status| status.success())
}

/// A program about to run.
#[derive(Debug)]
pub struct Job {
    command: Command,
    name: String,
    limit: Duration,
    echo: bool,
    leave: bool,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none where a signal or our limit ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub late: bool,
}

impl Ended {
    /// True where it ended by itself with 0.
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// One sentence on how it ended, with the last lines it said.
    pub fn story(&self, name: &str) -> String {
        let end = match (self.late, self.code) {
            (true, _) => "was killed at its time limit".to_owned(),
            (false, Some(code)) => format!("ended with {code}"),
            (false, None) => "was ended by a signal".to_owned(),
        };
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<&str> = said.lines().collect();
        let tail = lines.iter().skip(lines.len().saturating_sub(12)).map(|line| format!("\n    {line}"));
        format!("`{name}` {end}{}", tail.collect::<String>())
    }
}

impl Job {
    pub fn new(program: impl AsRef<std::ffi::OsStr>) -> Self {
        let name = Path::new(&program).file_name().unwrap_or(program.as_ref()).to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, name, limit: Duration::from_secs(600), echo: false, leave: false }
    }

    /// One that leaves the processors to whatever else needs them.
    pub fn behind(program: impl AsRef<std::ffi::OsStr>) -> Self {
        Self::new("nice").args(["-n", "10"]).args([program.as_ref().to_string_lossy()])
    }

    pub fn args<S: AsRef<str>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        for arg in args {
            self.name = format!("{} {}", self.name, arg.as_ref());
            self.command.arg(arg.as_ref());
        }
        self
    }

    pub fn env(mut self, key: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn limit(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Its stderr is shown while it runs.
    pub fn echo(mut self) -> Self {
        self.echo = true;
        self
    }

    /// What it started may outlive it; the guard keeps its group until `guard::forget`.
    pub fn leave(mut self) -> Self {
        self.leave = true;
        self
    }

    /// The program, running.
    pub fn start(mut self) -> Res<Running> {
        let mut child = self.command.spawn().map_err(|e| format!("`{}` does not start: {e}", self.name))?;
        guard::add(child.id());
        let (first, lines) = mpsc::channel();
        let out = child.stdout.take().map(|pipe| collect(pipe, false, Some(first)));
        let err = child.stderr.take().map(|pipe| collect(pipe, self.echo, None));
        let deadline = now() + self.limit;
        Ok(Running { child, name: self.name, deadline, lines, out, err, leave: self.leave, ended: false })
    }

    /// How it ended; at the limit it is killed.
    pub fn run(self) -> Res<Ended> {
        self.start()?.wait()
    }

    /// What it printed, where it ended with one of these codes.
    pub fn expect(self, codes: &[i32]) -> Res<Ended> {
        let name = self.name.clone();
        let ended = self.run()?;
        match ended.code {
            Some(code) if codes.contains(&code) => Ok(ended),
            _ => Err(ended.story(&name)),
        }
    }
}

#[derive(Debug)]
struct Collected {
    text: Arc<Mutex<String>>,
    thread: JoinHandle<()>,
}

impl Collected {
    fn finish(self) -> String {
        // A grandchild may hold the pipe open; what came so far is what counts then.
        let deadline = now() + Duration::from_secs(5);
        while !self.thread.is_finished() && now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn collect(pipe: impl Read + Send + 'static, echo: bool, each: Option<mpsc::Sender<String>>) -> Collected {
    let text = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&text);
    let thread = std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            let said = String::from_utf8_lossy(&line).into_owned();
            line.clear();
            if echo {
                eprint!("{said}");
            }
            into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&said);
            if let Some(each) = &each {
                let _ = each.send(said);
            }
        }
    });
    Collected { text, thread }
}

/// A program that runs; dropped, it is killed with all it started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    name: String,
    deadline: Instant,
    lines: Receiver<String>,
    out: Option<Collected>,
    err: Option<Collected>,
    leave: bool,
    ended: bool,
}

impl Running {
    /// The number of its process group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line on its stdout.
    pub fn first_line(&mut self, limit: Duration) -> Res<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Ok(line.trim().to_owned()),
            Err(RecvTimeoutError::Timeout) => Err(format!("`{}` said nothing for {limit:?}", self.name)),
            Err(RecvTimeoutError::Disconnected) => {
                let err = self.err.take().map(Collected::finish).unwrap_or_default();
                Err(format!("`{}` ended without a line on stdout: {}", self.name, err.trim()))
            }
        }
    }

    /// True once it has ended.
    pub fn over(&mut self) -> Res<bool> {
        Ok(self.status()?.is_some())
    }

    /// True where it was still running and SIGKILL ended it.
    pub fn kill(mut self) -> Res<bool> {
        let running = self.status()?.is_none();
        self.end();
        Ok(running)
    }

    /// How it ended; at the limit it is killed.
    pub fn wait(mut self) -> Res<Ended> {
        let (code, late) = loop {
            if let Some(status) = self.status()? {
                break (status.code(), false);
            }
            if now() >= self.deadline {
                break (None, true);
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        if code.is_some() && self.leave {
            self.ended = true;
        }
        self.end();
        let stdout = self.out.take().map(Collected::finish).unwrap_or_default();
        let stderr = self.err.take().map(Collected::finish).unwrap_or_default();
        Ok(Ended { code, stdout, stderr, late })
    }

    fn status(&mut self) -> Res<Option<ExitStatus>> {
        self.child.try_wait().map_err(|e| format!("`{}` cannot be watched: {e}", self.name))
    }

    fn end(&mut self) {
        if !self.ended {
            self.ended = true;
            kill_group(self.child.id());
            let _ = self.child.wait();
            guard::forget(self.child.id());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
