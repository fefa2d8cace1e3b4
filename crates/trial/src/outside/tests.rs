//! What is kept is read again, and a little of what it can become.

use super::{TARGETS, Target};
use crate::seed::Seed;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// Bytes of all that is kept.
const KEPT: u64 = 300 * 1024;
/// Bytes of an input made of a kept one.
const LONGEST: usize = 64 * 1024;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The kept inputs of a target by name, in order.
fn kept(target: &Target) -> Vec<(String, Vec<u8>)> {
    let place = corpus().join(target.name);
    let files = std::fs::read_dir(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let mut kept: Vec<(String, Vec<u8>)> = files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).unwrap()))
        .collect();
    kept.sort();
    kept
}

thread_local! {
    /// What broke on this thread, also where somebody caught it.
    static BROKEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What breaks where `input` is read.
fn broken(target: &Target, input: &[u8]) -> Vec<String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            BROKEN.with_borrow_mut(|broken| broken.push(panic.to_string()));
            before(panic);
        }));
    });
    drop(catch_unwind(AssertUnwindSafe(|| (target.run)(input))));
    BROKEN.take()
}

/// One input made of others: a few bytes, numbers, marks of JSON or pieces put in, taken out, doubled or changed.
fn changed(input: &[u8], other: &[u8], seed: &mut Seed) -> Vec<u8> {
    const ODD: [&[u8]; 18] = [
        b"null",
        b"-1",
        b"1e400",
        b"99999999999999999999",
        b"0.0000000000000000000000000001",
        b"\"",
        b"[]",
        b"{}",
        b"\0",
        b"\xff",
        b"\xf0\x9f\x98\x80",
        b"\n",
        b"true",
        b"-9223372036854775808",
        b"\\u0000",
        b"[[[[[[[[",
        b"0000-00-00 00:00:00",
        b"9999-12-31T23:59:60Z",
    ];
    let at = |seed: &mut Seed, length: usize| usize::try_from(seed.below(length as u64 + 1)).unwrap();
    let mut made = input.to_vec();
    for _ in 0..seed.between(1, 4) {
        let (one, two) = (at(seed, made.len()), at(seed, made.len()));
        let (from, to) = (one.min(two), one.max(two).min(one.min(two) + 64));
        match seed.below(6) {
            0 => drop(made.splice(from..from, seed.pick(&ODD, b"").iter().copied())),
            1 => drop(made.splice(from..to, seed.pick(&ODD, b"").iter().copied())),
            2 => drop(made.drain(from..to)),
            3 => {
                let piece = made[from..to].to_vec();
                drop(made.splice(from..from, piece));
            }
            4 => {
                let (start, end) = (at(seed, other.len()), at(seed, other.len()));
                let piece = other[start.min(end)..start.max(end)].to_vec();
                drop(made.splice(from..to, piece));
            }
            _ => {
                if let Some(byte) = made.get_mut(from) {
                    *byte ^= 1 << seed.below(8);
                }
            }
        }
        made.truncate(LONGEST);
    }
    made
}

/// Reads what is kept for the target `name`, and so many inputs made of it.
fn read_again(name: &str, more: u64) {
    let target = super::target(name).unwrap();
    let kept = kept(&target);
    assert!(!kept.is_empty(), "nothing is kept for {name}");
    for (file, input) in &kept {
        assert_eq!(broken(&target, input), [""; 0], "corpus/{name}/{file}");
    }
    let mut seed = Seed::new(7).part(name);
    for n in 0..more {
        let mut one = || &kept[usize::try_from(seed.below(kept.len() as u64)).unwrap()].1;
        let (input, other) = (one(), one());
        let made = changed(input, other, &mut seed);
        let broken = broken(&target, &made);
        assert_eq!(broken, [""; 0], "input {n} made of corpus/{name}: {}", String::from_utf8_lossy(&made));
    }
}

macro_rules! read_again {
    ($($test:ident $name:literal $more:literal,)*) => {
        $(#[test] fn $test() { read_again($name, $more); })*

        #[test]
        fn every_target_is_read_again() {
            assert_eq!([$($name),*], TARGETS.map(|target| target.name));
        }
    };
}

read_again! {
    what_a_shop_tells_of_trade "shop_trade" 300,
    what_a_shop_tells_of_goods "shop_goods" 300,
    what_an_erp_tells_of_trade "erp_trade" 300,
    what_an_erp_tells_of_goods "erp_goods" 300,
    what_a_described_system_tells "described" 300,
    what_passes_through_the_product "pass" 6,
    what_knocks_at_the_door "hint" 300,
    what_a_merchant_writes "file" 500,
    what_stands_in_a_strange_store "store" 10,
    what_words_say "words" 500,
}

#[test]
fn what_is_kept_is_little_and_of_a_target() {
    let mut bytes = 0;
    for folder in std::fs::read_dir(corpus()).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().to_string_lossy().into_owned();
        assert!(super::target(&name).is_some(), "corpus/{name} is of no target");
        bytes +=
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>();
    }
    assert!(bytes <= KEPT, "{bytes} bytes are kept, {KEPT} are the most");
}
