//! Texts that are numbers, names, marks and packed bytes, and the JSON of what is stored: whatever is taken comes back as it was.

use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use syncline_connect::{Response, base64, gzip};
use syncline_core::delivery::{Change, Delivery, Progress};
use syncline_core::id::{RemoteId, SystemUid};
use syncline_core::kind::{Flow, KINDS, Kind};
use syncline_core::leaf::Leaves;
use syncline_core::mark::{Origin, is_mark, mark};
use syncline_core::money::{Currency, Money, decimal, settled};
use syncline_core::path::Path;
use syncline_core::policy::Hold;
use syncline_core::record::{
    Composition, Image, Paper, PriceKey, Product, Record, Stock, Variant, paper_apart, paper_below,
};
use syncline_core::{text, totals};
use syncline_store::Basis;

/// The first byte says what the others are.
pub(super) fn words(told: &[u8]) {
    let Some((first, rest)) = told.split_first() else { return };
    let text = || String::from_utf8_lossy(rest);
    match first {
        b'g' => packed(rest),
        b'f' => fields(rest),
        b'j' => stored(rest),
        b'd' => number(&text()),
        b'p' => path(&text()),
        b'i' => id(&text()),
        b'b' => letters(&text()),
        _ => line(&text()),
    }
}

fn number(token: &str) {
    let (code, token) = token.split_at_checked(3).unwrap_or(("EUR", token));
    let currency = code.parse::<Currency>().or_else(|_| "EUR".parse());
    let (Ok(number), Ok(currency)) = (decimal(token), currency) else { return };
    assert_eq!(decimal(&number.to_string()), Ok(number), "{token}");
    assert!(number.checked_mul(Decimal::from(100_000_000)).is_some(), "{token} cannot be added up");
    let money = Money::new(number, currency);
    let written = serde_json::to_string(&money).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Money>(&written).ok(), Some(money), "{written}");
    assert_eq!(money.rounded(), money.rounded().rounded());
    for scale in [0, 2, 4, 6, 28] {
        drop((settled(number, scale), money.to_string(), money.plus(money), money.minus(money)));
    }
    let unit = currency.minor_unit();
    assert!(
        totals::slack(unit, Some(number), Some(4)) >= unit && totals::slack(unit, Some(number), Some(u32::MAX)) >= unit
    );
}

fn path(told: &str) {
    let (key, told) = told.split_once('\n').unwrap_or((told, told));
    let element = Path::element("lines", key).dot("sku");
    assert_eq!(element.within("lines"), Some((key.to_owned(), "sku")));
    assert!(Path::try_from(element.as_str().to_owned()).is_ok() && element.is_named_by("lines[*].sku"), "{element}");
    let Ok(path) = Path::try_from(told.to_owned()) else { return };
    assert!(path.matches(&path) && path.said_by(&path).is_some() && path.is_named_by(told), "{path}");
    drop((element.said_by(&path), path.matches(&element), Image::at(&path), Variant::text_of(&path)));
    drop((
        Variant::category_of(&path),
        Product::option_of(&path),
        Product::variant_of(&path),
        Composition::part_of(&path),
    ));
    drop((Paper::track_of(&path), Stock::on_hand_path(told), Variant::attribute_path(told)));
    if let Some(price) = PriceKey::of(&path) {
        assert_eq!(PriceKey::of(&price.path()), Some(price), "{path}");
    }
}

fn id(told: &str) {
    let mut parts = told.splitn(3, '\n').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let (id, paper) = (RemoteId::new(next(), next()), next());
    let below = paper_below(&id, &paper);
    if let Some((order, own)) = paper_apart(&below) {
        assert_eq!(paper_below(&order, own), below);
    }
    let (source, target) = (SystemUid::new(id.scope.clone()), SystemUid::new(paper));
    let kind = told.parse::<Kind>().unwrap_or(Kind::Order);
    if let Ok(flow) = told.parse::<Flow>() {
        assert_eq!(flow.word(), told);
    }
    let origin =
        Origin { source: &source, kind, id: &id, target: &target, target_scope: told, role: "main", generation: 0 };
    assert!(is_mark(mark(&origin).as_str()) && mark(&origin) == mark(&origin));
    drop((is_mark(told), id.to_string()));
}

fn line(told: &str) {
    for limit in [0, 1, 7, 35, 255] {
        if let Some(short) = text::cut(told, limit) {
            assert!(short.chars().count() <= limit && told.starts_with(&short), "{told:?} is cut to {short:?}");
            assert_eq!(text::cut(&short, limit), None);
        }
        assert!(text::shown(told, limit).chars().count() <= limit + 1);
    }
    assert_eq!(text::line(&text::line(told)), text::line(told));
    let key = text::folded(told);
    assert_eq!(text::folded(&key), key, "{told:?} is known by another key than its own key is");
    let (town, region) = told.split_once('\n').unwrap_or((told, "x"));
    drop((text::sku_key(told), text::email_key(told), text::town(town, region)));
    assert_eq!(text::phone(&text::phone(told)), text::phone(told), "{told:?}");
}

fn letters(told: &str) {
    let Some(bytes) = base64::decoded(told) else { return };
    assert_eq!(base64::decoded(&base64::base64(&bytes)).as_ref(), Some(&bytes), "{told}");
}

fn packed(told: &[u8]) {
    let answer = Response { status: 200, headers: Vec::new(), body: told.to_vec() };
    if let Ok(plain) = gzip::decoded(answer) {
        assert!(plain.body.len() <= gzip::BODY_LIMIT.max(told.len()), "{} bytes", plain.body.len());
    }
}

/// Fields as they stand in the store, read as a record of every kind.
fn fields(told: &[u8]) {
    let Ok(leaves) = serde_json::from_slice::<Leaves>(told) else { return };
    assert!(again(&leaves), "{leaves:?}");
    for (path, value) in leaves.iter() {
        drop((path.to_string(), value.map(ToString::to_string)));
    }
    for kind in KINDS {
        let Ok(record) = Record::from_leaves(kind, &leaves) else { continue };
        let own = record.to_leaves();
        let back = Record::from_leaves(kind, &own).map(|record| record.to_leaves());
        assert_eq!(back.as_ref(), Ok(&own), "a {kind} is not what its fields say");
        if let Record::Order(order) = &record {
            drop((totals::balanced(order), totals::wanted(order), totals::tolerance(order, 1), order.commits()));
        }
    }
}

/// Notes, holds and what a plan was made on, as they stand in the store.
fn stored(told: &[u8]) {
    read::<Change>(told);
    read::<Progress>(told);
    read::<Delivery>(told);
    read::<Hold>(told);
    read::<Basis>(told);
    if let Ok(delivery) = serde_json::from_slice::<Delivery>(told) {
        for at in [jiff::Timestamp::MIN, jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX] {
            drop((delivery.next_move(at), delivery.settled_at(), delivery.after_look(&[])));
        }
    }
}

fn read<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(told: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(told) {
        assert!(again(&value), "{value:?}");
    }
}

/// Whether a value comes back from what is written of it.
fn again<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> bool {
    let text = serde_json::to_string(value).unwrap_or_default();
    serde_json::from_str::<T>(&text).is_ok_and(|back| back == *value)
}
