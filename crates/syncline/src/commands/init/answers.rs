//! What a person answers: by flags, by the environment, or line by line.

use super::Args;
use crate::clock;
use crate::failure::Failure;
use crate::out::Out;
use std::io::{BufRead, IsTerminal, Write};
use syncline_engine::config::{Config, SystemConfig, SystemKind};

/// One system as answered.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What the file calls it.
    pub(super) name: String,
    pub(super) kind: SystemKind,
    pub(super) url: String,
    /// The one website of a shop that is meant.
    pub(super) website: Option<String>,
    pub(super) uid: String,
}

/// One shop as answered.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) place: Place,
    /// How it is entered.
    pub(super) entry: Entry,
}

/// How a shop is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// By an integration whose requests are signed.
    Keys,
    /// By an integration's token alone.
    Token,
    /// By a user.
    Login,
}

/// What an integration signs with, as the file calls it.
pub(super) const KEYS: [&str; 4] = ["consumer_key", "consumer_secret", "access_token", "access_token_secret"];

/// The variable that holds `key` of the system called `name`.
pub(super) fn variable(name: &str, key: &str) -> String {
    format!("SYNCLINE_{}_{}", name.replace('-', "_").to_uppercase(), key.to_uppercase())
}

/// Everything the file is made from.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// The shops, at least one.
    pub(super) shops: Vec<Shop>,
    pub(super) erp: Place,
    /// The first day or `all`; today where nothing is said.
    pub(super) start: Option<String>,
    /// Which challenge it solves.
    pub(super) why: String,
    /// How it is handled today.
    pub(super) today: String,
}

impl Answers {
    /// The answers of flags and environment; what is missing is asked where somebody is there to answer.
    pub(super) fn gather(args: &Args, out: Out) -> Result<Self, Failure> {
        let asks = !args.yes && std::io::stdin().is_terminal();
        let mut shops = args.shop.clone();
        if shops.is_empty() && asks {
            shops.extend(ask(out, "The shop (e.g. magento=https://shop.example)"));
        }
        let erp = given(args.erp.as_deref(), asks, out, "The ERP (e.g. tryton=https://erp.example/acme)");
        let mut missing = Vec::new();
        for (flag, there) in [("--shop KIND=URL", !shops.is_empty()), ("--erp KIND=URL", erp.is_some())] {
            if !there {
                missing.push(flag.to_string());
            }
        }
        if shops.is_empty() {
            missing.extend(way_in("shop").err());
        }
        let places = shops.iter().map(|text| place(text, true)).collect::<Result<Vec<Place>, Failure>>()?;
        let mut entered = Vec::new();
        for place in places {
            match way_in(&place.name) {
                Ok(entry) => entered.push(Shop { place, entry }),
                Err(variables) => missing.push(variables),
            }
        }
        missing.extend(["login", "password"].map(|key| variable("erp", key)).into_iter().filter(|name| !set(name)));
        let (Some(erp), true) = (&erp, missing.is_empty()) else {
            let what = format!("not told: {}", missing.join(", "));
            return Err(Failure::usage(what, "give the flags and set the variables, then run `syncline init` again"));
        };
        let mut erp = place(erp, false)?;
        let shops = apart(entered, &mut erp)?;
        let start = match (&args.start, asks) {
            (Some(start), _) => Some(start.clone()),
            (None, true) => ask(out, "First day whose orders are carried over, or all (empty: today)"),
            (None, false) => None,
        };
        let why = if asks { ask(out, "Which challenge does it solve?") } else { None };
        let today =
            if asks { ask(out, "How is it handled today? (by hand, csv, connector:NAME, nothing)") } else { None };
        let why = why.unwrap_or_else(|| "orders are typed twice".to_string());
        let today = today.unwrap_or_else(|| "by hand".to_string());
        Ok(Self { shops, erp, start, why, today })
    }
}

impl Answers {
    /// Leaves the uids of systems that are in the file already as they are.
    pub(super) fn keep_uids(&mut self, before: &Config) {
        let mut kept = Vec::new();
        for place in self.shops.iter_mut().map(|shop| &mut shop.place).chain([&mut self.erp]) {
            let at = |system: &&SystemConfig| system.kind == place.kind && system.url == place.url;
            let same = |system: &&SystemConfig| at(system) && system.website == place.website;
            // The first website of a shop that was one system goes on as that system.
            let whole = |system: &&SystemConfig| at(system) && system.website.is_none() && !kept.contains(&system.uid);
            let systems = || before.systems.values();
            if let Some(system) = systems().find(same).or_else(|| systems().find(whole)) {
                place.uid = system.uid.to_string();
                kept.push(system.uid.clone());
            }
        }
    }
}

/// `shops` and `erp` with names and uids that no other has.
fn apart(mut shops: Vec<Shop>, erp: &mut Place) -> Result<Vec<Shop>, Failure> {
    let mut names = vec![erp.name.clone()];
    let mut uids = vec![erp.uid.clone()];
    for Shop { place, .. } in &mut shops {
        if names.contains(&place.name) {
            let what = format!("two systems are called `{}`", place.name);
            return Err(Failure::usage(what, "name the second shop: `--shop outlet=magento=https://outlet.example`"));
        }
        while uids.contains(&place.uid) {
            place.uid = clock::drawn_uid();
        }
        names.push(place.name.clone());
        uids.push(place.uid.clone());
    }
    Ok(shops)
}

/// How the shop called `name` is entered.
///
/// # Errors
/// The variables to set, where nothing is set whole.
fn way_in(name: &str) -> Result<Entry, String> {
    entry(name).ok_or_else(|| {
        let [token, key, login] = ["token", "consumer_key", "login"].map(|key| variable(name, key));
        format!(
            "{token} (or {key}, _CONSUMER_SECRET, _ACCESS_TOKEN and _ACCESS_TOKEN_SECRET; or {login} and _PASSWORD)"
        )
    })
}

/// How the shop called `name` is entered, by what is set; none where nothing is set whole. Signed requests come first: a
/// bare token is what shops since 2.4.4 refuse.
fn entry(name: &str) -> Option<Entry> {
    let set = |key: &str| set(&variable(name, key));
    let keys = KEYS.iter().all(|key| set(key));
    match (keys, set("token"), set("login") && set("password")) {
        (true, _, _) => Some(Entry::Keys),
        (false, true, _) => Some(Entry::Token),
        (false, false, true) => Some(Entry::Login),
        (false, false, false) => None,
    }
}

fn set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !value.trim().is_empty())
}

fn given(flag: Option<&str>, asks: bool, out: Out, question: &str) -> Option<String> {
    match flag {
        Some(text) => Some(text.to_string()),
        None if asks => ask(out, question),
        None => None,
    }
}

/// The line a person types; none where it is empty.
fn ask(out: Out, question: &str) -> Option<String> {
    let mut stderr = std::io::stderr().lock();
    drop(write!(stderr, "{question}: ").and_then(|()| stderr.flush()));
    drop(stderr);
    let mut line = String::new();
    if let Err(error) = std::io::stdin().lock().read_line(&mut line) {
        out.say(format!("the answer cannot be read: {error}"));
    }
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_string())
}

/// The system `text` names as `kind=url`; of several shops as `name=kind=url`.
fn place(text: &str, shop: bool) -> Result<Place, Failure> {
    let (flag, example) = match shop {
        true => ("--shop", "magento=https://shop.example"),
        false => ("--erp", "tryton=https://erp.example/acme"),
    };
    let asked_for = |kind: SystemKind| kind.is_shop() == shop && !kind.is_described();
    let known: Vec<&str> = SystemKind::ALL.into_iter().filter(|kind| asked_for(*kind)).map(SystemKind::word).collect();
    let wrong =
        |what: String| Failure::usage(what, format!("write it as `{flag} {example}`; known: {}", known.join(", ")));
    let (mut word, mut url) = text.split_once('=').ok_or_else(|| wrong(format!("{flag} `{text}` is not KIND=URL")))?;
    let mut name = if shop { "shop" } else { "erp" };
    if let Some((kind, rest)) = url.split_once('=').filter(|(kind, _)| shop && SystemKind::of(kind).is_some()) {
        (name, word, url) = (word, kind, rest);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(wrong(format!("{flag}: `{name}` is no name of small letters and digits")));
        }
    }
    match SystemKind::of(word) {
        Some(kind) if kind.is_described() => {
            let remedy = "add it to the file by hand: the README of its connector has an example";
            Err(Failure::usage(format!("{flag}: {word} is described in the file, which `init` cannot do"), remedy))
        }
        Some(kind) if kind.is_shop() == shop => {
            let (url, website) = match url.trim().split_once('#').filter(|_| shop) {
                Some((url, website)) => (url, Some(website.to_string())),
                None => (url.trim(), None),
            };
            Ok(Place { name: name.to_string(), kind, url: url.to_string(), website, uid: clock::drawn_uid() })
        }
        Some(_) => Err(wrong(format!("{flag}: {word} is no {}", if shop { "shop" } else { "ERP" }))),
        None => Err(wrong(format!("{flag}: `{word}` is no system this version connects"))),
    }
}
