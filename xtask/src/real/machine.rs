//! A machine that loses its power, its disk space, its time and its store while the product runs on it.
//!
//! The product is the binary as it is. What stands between it and the files of its store is a small library that notes every write
//! until it is synced: pulling the plug takes unsynced writes back, some of them, in whatever order a disk likes, some in part.
use super::product::Syncline;
use crate::job::Job;
use crate::proxy::Dice;
use crate::{Res, files};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Seconds the clock is off by from some moment on.
const STEPS: [i64; 5] = [-90, 90, -3_600, 15, 0];
/// Milliseconds that a disk stays full under a running pass, at most.
const FULL_MS: u64 = 6_000;
/// A disk writes so many bytes at once or not at all.
const SECTOR: usize = 512;
const LIBRARY: &str = include_str!("machine.c");

/// What happened to it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Happened {
    /// The power went, and of these times some writes were not on the disk yet.
    pub cuts: u64,
    pub cuts_that_lost: u64,
    /// Writes that were taken back.
    pub taken_back: u64,
    pub full: u64,
    pub steps: u64,
    pub copies: u64,
    pub restores: u64,
}

impl Happened {
    pub fn json(self) -> Value {
        json!({
            "power_cuts": self.cuts, "power_cuts_with_loss": self.cuts_that_lost, "writes_taken_back": self.taken_back,
            "full_disks": self.full, "clock_steps": self.steps, "backups": self.copies, "restores": self.restores,
        })
    }

    pub fn line(self) -> String {
        format!(
            "{} power cuts, {} of them took {} writes back; {} full disks, {} clock steps, {} restored backups",
            self.cuts, self.cuts_that_lost, self.taken_back, self.full, self.steps, self.restores
        )
    }

    /// Everything that did not happen; so many kills give each its chance.
    pub fn lacking(self) -> Vec<&'static str> {
        let all = [
            (self.cuts_that_lost, "power cut that lost a write"),
            (self.full, "full disk"),
            (self.steps, "step of the clock"),
            (self.restores, "restored backup"),
        ];
        all.into_iter().filter(|(times, _)| *times == 0).map(|(_, what)| what).collect()
    }
}

/// The machine under one product.
#[derive(Debug)]
pub struct Machine {
    library: PathBuf,
    /// While it is there the disk is full.
    full: PathBuf,
    /// How many seconds the clock is off.
    clock: PathBuf,
    /// A copy of the store is put back after one of so many kills, about.
    restored: u64,
    moments: RefCell<Moments>,
}

/// What decides over it, and has happened to it.
#[derive(Debug)]
struct Moments {
    dice: Dice,
    /// A copy of the store that may be put back.
    copy: Option<String>,
    happened: Happened,
}

impl Machine {
    /// One whose bad moments follow from `seed`, its files in `dir`.
    pub fn built(dir: &Path, (kills, seed): (u64, u64)) -> Res<Self> {
        let (source, library) = (dir.join("machine.c"), dir.join("machine.so"));
        files::write(&source, LIBRARY)?;
        let words = ["-shared", "-fPIC", "-O2", "-o"].map(str::to_owned).into_iter();
        let paths = [&library, &source].map(|path| path.display().to_string());
        Job::new("cc").args(words.chain(paths)).args(["-ldl", "-lpthread"]).expect(&[0])?;
        let (full, clock) = (dir.join("disk-is-full"), dir.join("clock-is-off"));
        files::write(&clock, "0")?;
        let moments = Moments { dice: Dice(seed), copy: None, happened: Happened::default() };
        Ok(Self { library, full, clock, restored: (kills / 12).clamp(12, 40), moments: RefCell::new(moments) })
    }

    pub fn happened(&self) -> Happened {
        self.moments.borrow().happened
    }

    /// A number below the bound.
    fn below(&self, bound: u64) -> u64 {
        self.moments.borrow_mut().dice.below(bound)
    }

    fn count(&self, more: impl FnOnce(&mut Happened)) {
        more(&mut self.moments.borrow_mut().happened);
    }

    /// `job`, run on it.
    pub fn under(&self, job: Job) -> Job {
        job.env("LD_PRELOAD", &self.library).env("MACHINE_FULL", &self.full).env("MACHINE_CLOCK", &self.clock)
    }

    /// What befalls it once the product was killed.
    pub fn after_kill(&self, syncline: &Syncline) -> Res<()> {
        match self.below(3) {
            0 => whole(&syncline.dir)?,
            _ => self.unplug(&syncline.dir)?,
        }
        if self.below(4) == 0 {
            let at = usize::try_from(self.below(STEPS.len() as u64)).unwrap_or(0);
            let (was, is) = (files::text(&self.clock)?, STEPS.get(at).unwrap_or(&0).to_string());
            files::write(&self.clock, &is)?;
            self.count(|happened| happened.steps += u64::from(was != is));
        }
        if self.below(8) == 0 {
            self.fill(syncline)?;
        }
        let copy = self.moments.borrow().copy.clone();
        match (self.below(self.restored), copy) {
            (0..=5, None) => {
                let name = format!("copy-{}.db", self.happened().copies);
                syncline.until(5, &["backup", &name], &[0], |_| ())?;
                self.count(|happened| happened.copies += 1);
                self.moments.borrow_mut().copy = Some(name);
            }
            (0, Some(name)) => {
                syncline.until(5, &["restore", &name, "--yes"], &[0], |_| ())?;
                syncline.until(5, &["adopt"], &[0, 2, 3], |_| ())?;
                // Whoever puts an old copy back lets it catch up; runs that are killed early would never.
                syncline.caught_up()?;
                self.count(|happened| happened.restores += 1);
                self.moments.borrow_mut().copy = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// A pass runs while nothing more can be written, and for a while after there is space again.
    fn fill(&self, syncline: &Syncline) -> Res<()> {
        files::write(&self.full, "")?;
        let pass = syncline.job(&["sync"], 120).start()?;
        std::thread::sleep(Duration::from_millis(1 + self.below(FULL_MS)));
        std::fs::remove_file(&self.full).map_err(|e| format!("{}: {e}", self.full.display()))?;
        if self.below(2) == 0 {
            std::thread::sleep(Duration::from_millis(FULL_MS));
        }
        pass.kill()?;
        self.count(|happened| happened.full += 1);
        Ok(())
    }

    /// The power goes: of what was written to the store's files and not synced, only some is on the disk.
    fn unplug(&self, dir: &Path) -> Res<()> {
        let mut lost = 0;
        for note in notes(dir)? {
            let told = std::fs::read(&note).map_err(|e| format!("{}: {e}", note.display()))?;
            let file = note.with_extension("");
            std::fs::remove_file(&note).map_err(|e| format!("{}: {e}", note.display()))?;
            let Ok(bytes) = std::fs::read(&file) else { continue };
            let writes = noted(&told);
            let left = left_of(bytes, &writes, &mut self.moments.borrow_mut().dice);
            lost += writes.len() as u64;
            std::fs::write(&file, left).map_err(|e| format!("{}: {e}", file.display()))?;
        }
        // The index of the log lies in memory.
        let _ = std::fs::remove_file(dir.join("syncline.db-shm"));
        self.count(|happened| {
            happened.cuts += 1;
            happened.taken_back += lost;
            happened.cuts_that_lost += u64::from(lost > 0);
        });
        Ok(())
    }
}

/// The notes of what was not synced, file by file.
fn notes(dir: &Path) -> Res<Vec<PathBuf>> {
    let listed = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut notes: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    notes.retain(|path| path.extension().is_some_and(|end| end == "unsynced"));
    notes.sort();
    Ok(notes)
}

/// Nothing: a note that a kill cut off in the middle goes, so that the next ones can be told.
fn whole(dir: &Path) -> Res<()> {
    for note in notes(dir)? {
        let told = std::fs::read(&note).map_err(|e| format!("{}: {e}", note.display()))?;
        let mut rest = told.as_slice();
        while let Some((_, next)) = first(rest) {
            rest = next;
        }
        let kept = told.get(..told.len().saturating_sub(rest.len())).unwrap_or_default();
        std::fs::write(&note, kept).map_err(|e| format!("{}: {e}", note.display()))?;
    }
    Ok(())
}

/// A write that was not synced.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Noted {
    /// So many bytes at a place, in a file of that length before, where this stood.
    Write { at: usize, before: usize, old: Vec<u8>, new: Vec<u8> },
    /// Another length, of a file of that length before, whose end was this.
    Length { to: usize, before: usize, old: Vec<u8> },
}

/// What the notes tell; one that was cut off in the middle tells of a write that never began.
fn noted(mut told: &[u8]) -> Vec<Noted> {
    let mut all = Vec::new();
    while let Some((one, rest)) = first(told) {
        all.push(one);
        told = rest;
    }
    all
}

fn first(told: &[u8]) -> Option<(Noted, &[u8])> {
    let number = |at: usize| {
        let bytes = told.get(at * 8..at * 8 + 8)?.try_into().ok()?;
        usize::try_from(u64::from_ne_bytes(bytes)).ok()
    };
    let (kind, at, n, before, kept) = (number(0)?, number(1)?, number(2)?, number(3)?, number(4)?);
    let (old, rest) = told.get(40..)?.split_at_checked(kept)?;
    if kind == 2 {
        return Some((Noted::Length { to: n, before, old: old.to_vec() }, rest));
    }
    let (new, rest) = rest.split_at_checked(n)?;
    Some((Noted::Write { at, before, old: old.to_vec(), new: new.to_vec() }, rest))
}

/// What is on the disk of a file that held `bytes` when the power went: what was synced, and some of `writes`.
fn left_of(mut bytes: Vec<u8>, writes: &[Noted], dice: &mut Dice) -> Vec<u8> {
    for one in writes.iter().rev() {
        match one {
            Noted::Write { at, before, old, .. } => {
                laid(&mut bytes, *at, old);
                bytes.resize(*before, 0);
            }
            Noted::Length { to, before, old } => {
                bytes.resize(*before, 0);
                laid(&mut bytes, *to, old);
            }
        }
    }
    for one in writes {
        if dice.below(2) == 0 {
            continue;
        }
        match one {
            Noted::Write { at, new, .. } => {
                let whole = dice.below(4) > 0;
                let part = if whole { new.len() } else { new.len() / 2 / SECTOR * SECTOR };
                laid(&mut bytes, *at, new.get(..part).unwrap_or(new));
            }
            Noted::Length { to, .. } => bytes.resize(*to, 0),
        }
    }
    bytes
}

/// `part` laid over `bytes` at a place, which grow where they end before it.
fn laid(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    let end = at.saturating_add(part.len());
    if bytes.len() < end && !part.is_empty() {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(at..end) {
        place.copy_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(head: [u64; 5], old: &[u8], new: &[u8]) -> Vec<u8> {
        let numbers: Vec<u8> = head.into_iter().flat_map(u64::to_ne_bytes).collect();
        [numbers.as_slice(), old, new].concat()
    }

    #[test]
    fn what_was_not_synced_is_taken_back_or_kept_in_whatever_order() {
        // `abcdef` was synced; `XY` went over `cd`, the file was cut to 3 and then grew by `zz`.
        let told = [
            note([1, 2, 2, 6, 2], b"cd", b"XY"),
            note([2, 3, 3, 6, 3], b"Yef", b""),
            note([1, 3, 2, 3, 0], b"", b"zz"),
        ]
        .concat();
        let writes = noted(&told);
        assert_eq!(writes.len(), 3);
        assert_eq!(noted(told.get(..told.len() - 1).unwrap()).len(), 2, "the last one never began");
        let mut seen: Vec<String> = (0..200)
            .map(|seed| String::from_utf8(left_of(b"abXzz".to_vec(), &writes, &mut Dice(seed))).unwrap())
            .collect();
        seen.sort();
        seen.dedup();
        for one in ["abcdef", "abXzz", "abXYef", "abc", "abczzf", "abX"] {
            assert!(seen.iter().any(|it| it == one), "{one} is not among {seen:?}");
        }
    }
}
