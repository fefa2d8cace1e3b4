//! Ends what this program started, even when it dies itself: a second process holds the list of process groups.
use crate::job::kill_group;
use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

#[derive(Debug)]
struct Watch {
    pipe: ChildStdin,
    _child: Child,
}

static WATCH: OnceLock<Option<Mutex<Watch>>> = OnceLock::new();

/// Nothing: from now on the group dies with this program.
pub fn add(pid: u32) {
    tell('+', pid);
}

/// Nothing: the group has ended, its number may belong to another soon.
pub fn forget(pid: u32) {
    tell('-', pid);
}

fn tell(sign: char, pid: u32) {
    if let Some(watch) = WATCH.get_or_init(start) {
        let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
        // A guard that is gone leaves us with our own `Drop`s; that is no reason to stop.
        let _ = writeln!(watch.pipe, "{sign}{pid}").and_then(|()| watch.pipe.flush());
    }
}

fn start() -> Option<Mutex<Watch>> {
    let exe = std::env::current_exe().ok()?;
    let mut command = Command::new(exe);
    // Its own group, so that Ctrl-C at the terminal ends us and not it.
    command.arg("guard").process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let pipe = child.stdin.take()?;
    Some(Mutex::new(Watch { pipe, _child: child }))
}

/// True, after the pipe has closed and every group still listed is dead.
pub fn chore() -> crate::Res<bool> {
    let mut alive = BTreeSet::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (sign, pid) = line.split_at(usize::from(!line.is_empty()));
        let Ok(pid) = pid.parse::<u32>() else { continue };
        match sign {
            "+" => alive.insert(pid),
            _ => alive.remove(&pid),
        };
    }
    for pid in alive {
        kill_group(pid);
    }
    Ok(true)
}
