//! A source and a target for `cargo x bench`, and floors: the least work that does the same job.

mod floor;
mod serve;
mod target;
mod world;

use std::collections::BTreeMap;
use std::str::FromStr;

const HELP: &str = "\
peer serve [--port 0] [--products N] [--bytes 1024] [--seed 42] [--changed N] [--known N] [--latency-ms N] [--at-once N]
    /src/products pages of products; /dst/items takes them, one by one or many at once, and tells them
    /ctl/told what the target was told, /ctl/expected what it has to hold, /ctl/change?n=N changes N products,
    /ctl/reset?known=N empties the target but for the first N products
peer floor --at HOST:PORT --crosswalk FILE [--mode batch|single] [--changed] [--page 250] [--batch 100] [--side-by-side 8]
    carries what the source has, or what changed, into the target; ids are kept in FILE
peer crosswalk --out FILE --products N
    such a FILE, as it is once N products were carried";

/// Options after the command, each with its value; a switch has none.
struct Options(BTreeMap<String, String>);

impl Options {
    fn of(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut told = BTreeMap::new();
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("`{word}` is no option\n{HELP}"))?;
            let value = words.next_if(|next| !next.starts_with("--")).unwrap_or_default();
            told.insert(name.to_owned(), value);
        }
        Ok(Self(told))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        self.0.get(name).cloned().ok_or_else(|| format!("--{name} is missing\n{HELP}"))
    }

    fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn number<N: FromStr>(&self, name: &str, usual: N) -> Result<N, String> {
        match self.0.get(name) {
            None => Ok(usual),
            Some(word) => word.parse().map_err(|_| format!("--{name} is no number: `{word}`")),
        }
    }
}

fn main() -> Result<(), String> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let options = Options::of(words)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    match command.as_str() {
        "serve" => {
            let world = world::World {
                seed: options.number("seed", 42)?,
                products: options.number("products", 100_000)?,
                bytes: options.number("bytes", 1024)?,
                changed: options.number("changed", 0)?,
            };
            let limits =
                serve::Limits { latency_ms: options.number("latency-ms", 0)?, at_once: options.number("at-once", 0)? };
            runtime.block_on(serve::serve(world, options.number("known", 0)?, limits, options.number("port", 0)?))
        }
        "floor" => runtime.block_on(floor::run(&floor::Wish {
            at: options.text("at")?,
            crosswalk: options.text("crosswalk")?,
            single: options.0.get("mode").is_some_and(|mode| mode == "single"),
            changed: options.is_set("changed"),
            page: options.number("page", 250)?,
            batch: options.number("batch", 100)?,
            side_by_side: options.number("side-by-side", 8)?,
        })),
        "crosswalk" => floor::crosswalk(&options.text("out")?, options.number("products", 1_000_000)?),
        _ => Err(HELP.to_owned()),
    }
}
