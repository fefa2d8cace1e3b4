//! The project's own chores: `cargo x test`, `check`, `gen`, `stories`, `mutants`, `real`, `chaos`, `proof`, `bench`, `fuzz`.
mod bench;
mod check;
mod decimal;
mod expect;
mod files;
mod fuzz;
mod goods;
mod guard;
mod job;
mod ledger;
mod licences;
mod mutants;
mod papers;
mod proof;
mod proxy;
mod real;
mod reference;
mod rules;
mod stories;
mod test;
mod tools;
mod wire;

use std::process::ExitCode;

/// What a chore answers where something goes wrong: what, where, what to do.
pub type Res<T> = Result<T, String>;

const HELP: &str = "\
The project's own chores.

  cargo x test [--quick] [real|stories|contract] [--json]   everything that must hold, stage by stage
  cargo x check [--json]                                     house rules: sizes, layers, prose, generated pages
  cargo x gen [--check]                                      write (or compare) docs/reference
  cargo x stories [--planted] [--json]                       the 78 scenarios and their state; which of them a planted bug breaks
  cargo x mutants [--shard K/N] [--json]                     changes to the core's code that its own tests notice
  cargo x bench [W1] [sweep] [--records N] [--runs N] [--keys N] [--json]
                                                             workloads through the real binary beside the least work that does
                                                             the job: time, memory, and what arrived
  cargo x fuzz [TARGET] [--seconds 60] [--keep] [--again FILE] [--json]
                                                             bytes that break a parser, looked for by what they reach; --keep
                                                             adds what reached something new to the kept inputs
  cargo x real [--orders N] [--kills N] [--seed N] [--keep DIR] [--json]
                                                             a real ERP, people in it, a stormy shop, kill -9 (half of the first
                                                             200 kills while papers are under way), and a count in its database
  cargo x chaos [--orders N] [--kills N] [--seed N] [--keep DIR] [--json]
                                                             the same on a machine whose power goes, whose disk is full, whose
                                                             clock steps, and whose store is put back from an older copy
  cargo x proof [ROW..|all] [--night] [--told FILE --commit HASH]
                                                             runs rows of the table in docs/guarantees.md and writes the page;
                                                             `all --night` is a night's work
";

fn main() -> ExitCode {
    let mut args = Args::new(std::env::args().skip(1).collect());
    let chore = args.word();
    let done = match chore.as_deref() {
        Some("test") => test::chore(&mut args),
        Some("check") => check::chore(&mut args),
        Some("gen") => reference::chore(&mut args),
        Some("stories") => stories::chore(&mut args),
        Some("real") => real::chore(&mut args, false),
        Some("chaos") => real::chore(&mut args, true),
        Some("proof") => proof::chore(&mut args),
        Some("bench") => bench::chore(&mut args),
        Some("mutants") => mutants::chore(&mut args),
        Some("fuzz") => fuzz::chore(&mut args),
        Some("guard") => guard::chore(),
        Some("help") | None => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("no chore is called `{other}`\n\n{HELP}");
            return ExitCode::from(64);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("cargo x {}: {why}", chore.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

/// The words after the chore's name, taken out one by one; `finish` refuses what nobody asked for.
#[derive(Debug)]
pub struct Args(Vec<String>);

impl Args {
    fn new(words: Vec<String>) -> Self {
        Self(words)
    }

    /// True where the switch was given.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != name);
        self.0.len() < before
    }

    /// The value after an option, where it was given.
    pub fn option(&mut self, name: &str) -> Res<Option<String>> {
        let Some(at) = self.0.iter().position(|word| word == name) else { return Ok(None) };
        self.0.remove(at);
        if at < self.0.len() { Ok(Some(self.0.remove(at))) } else { Err(format!("{name} needs a value after it")) }
    }

    /// The number after an option, or the default.
    pub fn number(&mut self, name: &str, default: u64) -> Res<u64> {
        match self.option(name)? {
            Some(word) => word.parse().map_err(|_| format!("{name} needs a whole number, not `{word}`")),
            None => Ok(default),
        }
    }

    /// The next bare word.
    pub fn word(&mut self) -> Option<String> {
        let at = self.0.iter().position(|word| !word.starts_with("--"))?;
        Some(self.0.remove(at))
    }

    /// Nothing, or the word nobody asked for.
    pub fn finish(&self) -> Res<()> {
        match self.0.first() {
            Some(word) => Err(format!("`{word}` is not understood; see `cargo x help`")),
            None => Ok(()),
        }
    }
}
