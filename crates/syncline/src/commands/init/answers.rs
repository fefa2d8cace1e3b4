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
    pub(super) kind: SystemKind,
    pub(super) url: String,
    pub(super) uid: String,
}

/// How the shop is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// By an integration whose requests are signed.
    Keys,
    /// By an integration's token alone.
    Token,
    /// By a user.
    Login,
}

/// What an integration signs with: the name in the file and that of the variable.
pub(super) const KEYS: [(&str, &str); 4] = [
    ("consumer_key", "SYNCLINE_SHOP_CONSUMER_KEY"),
    ("consumer_secret", "SYNCLINE_SHOP_CONSUMER_SECRET"),
    ("access_token", "SYNCLINE_SHOP_ACCESS_TOKEN"),
    ("access_token_secret", "SYNCLINE_SHOP_ACCESS_TOKEN_SECRET"),
];

/// Everything the file is made from.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    pub(super) shop: Place,
    pub(super) erp: Place,
    /// How the shop is entered.
    pub(super) entry: Entry,
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
        let shop = given(args.shop.as_deref(), asks, out, "The shop (e.g. magento=https://shop.example)");
        let erp = given(args.erp.as_deref(), asks, out, "The ERP (e.g. tryton=https://erp.example/acme)");
        let mut missing = Vec::new();
        for (flag, value) in [("--shop KIND=URL", &shop), ("--erp KIND=URL", &erp)] {
            if value.is_none() {
                missing.push(flag);
            }
        }
        let entry = entry();
        if entry.is_none() {
            missing.push(
                "SYNCLINE_SHOP_TOKEN (or SYNCLINE_SHOP_CONSUMER_KEY, _CONSUMER_SECRET, _ACCESS_TOKEN and \
                 _ACCESS_TOKEN_SECRET; or SYNCLINE_SHOP_LOGIN and _PASSWORD)",
            );
        }
        for name in ["SYNCLINE_ERP_LOGIN", "SYNCLINE_ERP_PASSWORD"] {
            if !set(name) {
                missing.push(name);
            }
        }
        let (Some(shop), Some(erp), Some(entry), true) = (&shop, &erp, entry, missing.is_empty()) else {
            let what = format!("not told: {}", missing.join(", "));
            return Err(Failure::usage(what, "give the flags and set the variables, then run `syncline init` again"));
        };
        let (shop, mut erp) = (place(shop, true)?, place(erp, false)?);
        while erp.uid == shop.uid {
            erp.uid = clock::drawn_uid();
        }
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
        Ok(Self { shop, erp, entry, start, why, today })
    }
}

impl Answers {
    /// Leaves the uids of systems that are in the file already as they are.
    pub(super) fn keep_uids(&mut self, before: &Config) {
        for place in [&mut self.shop, &mut self.erp] {
            let same = |system: &&SystemConfig| system.kind == place.kind && system.url == place.url;
            if let Some(system) = before.systems.values().find(same) {
                place.uid = system.uid.to_string();
            }
        }
    }
}

/// How the shop is entered, by what is set; none where nothing is set whole. Signed requests come first: a bare token is
/// what shops since 2.4.4 refuse.
fn entry() -> Option<Entry> {
    let keys = KEYS.iter().all(|(_, name)| set(name));
    let login = set("SYNCLINE_SHOP_LOGIN") && set("SYNCLINE_SHOP_PASSWORD");
    match (keys, set("SYNCLINE_SHOP_TOKEN"), login) {
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

/// The system `text` names as `kind=url`.
fn place(text: &str, shop: bool) -> Result<Place, Failure> {
    let (flag, example) = match shop {
        true => ("--shop", "magento=https://shop.example"),
        false => ("--erp", "tryton=https://erp.example/acme"),
    };
    let known: Vec<&str> =
        SystemKind::ALL.into_iter().filter(|kind| kind.is_shop() == shop).map(SystemKind::word).collect();
    let wrong =
        |what: String| Failure::usage(what, format!("write it as `{flag} {example}`; known: {}", known.join(", ")));
    let (word, url) = text.split_once('=').ok_or_else(|| wrong(format!("{flag} `{text}` is not KIND=URL")))?;
    match SystemKind::of(word) {
        Some(kind) if kind.is_shop() == shop => {
            Ok(Place { kind, url: url.trim().to_string(), uid: clock::drawn_uid() })
        }
        Some(_) => Err(wrong(format!("{flag}: {word} is no {}", if shop { "shop" } else { "ERP" }))),
        None => Err(wrong(format!("{flag}: `{word}` is no system this version connects"))),
    }
}
