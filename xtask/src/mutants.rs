//! How many changes to the core's code its own tests notice: cargo-mutants over `syncline-core`.

use crate::job::Job;
use crate::{Args, Res, files, tools};
use serde_json::{Value, json};
use std::path::Path;

const VERSION: &str = "27.1.0";

/// `cargo x mutants`: true where the run came to its end. `--shard K/N` tries every N-th change.
pub fn chore(args: &mut Args) -> Res<bool> {
    let as_json = args.flag("--json");
    let shard = args.option("--shard")?;
    let taken = args.option("--taken")?;
    args.finish()?;
    let root = files::root()?;
    let told = match taken {
        Some(places) => places.split(',').map(|place| outcomes(Path::new(place))).collect::<Res<Vec<_>>>()?,
        None => vec![run(&root, shard.as_deref())?],
    };
    let told = summed(&told);
    if as_json {
        println!("{told}");
    } else {
        println!("{}", line(&told));
    }
    Ok(true)
}

fn run(root: &Path, shard: Option<&str>) -> Res<Value> {
    let program = tools::binary("cargo-mutants")?;
    if !program.is_file() {
        eprintln!("cargo-mutants {VERSION} is not here yet; it is built once, which takes minutes");
        tools::install(root, "cargo-mutants", VERSION)?;
    }
    let out = files::target()?.join("mutants");
    let words =
        ["mutants", "-p", "syncline-core", "--timeout", "60", "--no-shuffle", "--sharding", "round-robin", "-o"];
    let job = Job::new(program).args(words).args([out.to_string_lossy()]);
    let job = shard.iter().fold(job, |job, shard| job.args(["--shard", shard]));
    // 2: some were missed, 3: one never ended; both are what is counted.
    job.args(["--", "--lib"]).dir(root).limit(6 * 3600).echo().expect(&[0, 2, 3])?;
    outcomes(&out)
}

/// What the run in `place` came to.
fn outcomes(place: &Path) -> Res<Value> {
    let path = place.join("mutants.out/outcomes.json");
    let told: Value =
        serde_json::from_str(&files::text(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    if told["end_time"].is_null() {
        return Err(format!("{}: that run did not come to its end", path.display()));
    }
    Ok(told)
}

/// All runs together: those that do not compile count for nothing, those that never end were noticed.
fn summed(told: &[Value]) -> Value {
    let of = |name: &str| told.iter().filter_map(|one| one[name].as_u64()).sum::<u64>();
    let (caught, missed) = (of("caught") + of("timeout"), of("missed"));
    let tried = caught + missed;
    json!({"mutants": tried, "caught": caught, "missed": missed, "score_percent": (caught * 100).checked_div(tried)})
}

fn line(told: &Value) -> String {
    format!("{} of {} changes were noticed ({} %)", told["caught"], told["mutants"], told["score_percent"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_was_noticed_and_what_does_not_compile_was_not_tried() {
        let told = [json!({"caught": 5, "timeout": 1, "missed": 2, "unviable": 9}), json!({"caught": 2, "missed": 0})];
        let told = summed(&told);
        assert_eq!(told, json!({"mutants": 10, "caught": 8, "missed": 2, "score_percent": 80}));
        assert_eq!(line(&told), "8 of 10 changes were noticed (80 %)");
    }
}
