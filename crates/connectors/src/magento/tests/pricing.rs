//! Prices written, against a simulated shop: what leaves, what is complained about, and what may go wrong on the way.

use super::prices::{by_hand, id, of, read, told, usd};
use super::world::{Fault, Held, TOKEN, shop};
use serde_json::Value as Json;
use syncline_connect::{Connector, Outcome};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::PriceKey;
use syncline_sim::http::{Request, System};

/// A wish: `quantity|from|list` with an amount, a last day (`until 2026-11-30`), no last day (`always`), or nothing.
fn leaves(rows: &[(&str, &str)]) -> Leaves {
    let mut leaves = Leaves::new();
    for (key, what) in rows {
        let path = key.parse::<PriceKey>().expect("a key").path();
        match *what {
            "" => leaves.tell(path, None),
            "always" => leaves.tell(path.dot("until"), None),
            day if day.starts_with("until ") => leaves.put(path.dot("until"), Value::Day(day[6..].parse().unwrap())),
            amount => leaves.put(path, Value::Money(usd(amount))),
        }
    }
    leaves
}

fn change(held: &Held, delivery: u64, sku: &str, step: Step, leaves: Leaves) -> Permit {
    let mark = Mark::new("SLTEST");
    let change = Change {
        kind: Kind::Price,
        step,
        mark,
        document: Some(id(sku)),
        expect: None,
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let deadline = held.now() + jiff::SignedDuration::from_secs(60);
    advance(Noted::committed(DeliveryId(delivery), Epoch(1), 1, deadline), change)
}

fn permit(held: &Held, sku: &str, rows: &[(&str, &str)]) -> Permit {
    change(held, 1, sku, Step::Update, leaves(rows))
}

async fn write(held: &Held, sku: &str, rows: &[(&str, &str)]) -> Outcome {
    shop().write(&held.ctx(), vec![permit(held, sku, rows)]).await.remove(0)
}

fn done(outcome: Outcome) -> Vec<String> {
    match outcome {
        Outcome::Done(snapshot) => told(&of(Ok(Some(*snapshot)))),
        other => panic!("done, not {other:?}"),
    }
}

fn refused(outcome: &Outcome) -> (ErrorKind, &str) {
    match outcome {
        Outcome::Refused(error) => (error.kind, &error.message),
        other => panic!("refused, not {other:?}"),
    }
}

/// The writes since the last time, by the last part of their address.
fn writes(held: &Held) -> Vec<String> {
    let log = held.log();
    let writes = log.iter().filter(|line| line.contains("as attempt"));
    writes.filter_map(|line| line.rsplit('/').next()?.split(' ').next().map(str::to_owned)).collect()
}

fn ledger(held: &Held, sku: &str) -> Vec<String> {
    let ledger = held.with(|world| world.shop.ledger());
    let text = |row: &Json, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let rows = ledger["prices"].as_array().expect("prices").iter().filter(|row| row["sku"] == sku);
    let row = |row: &Json| ["list", "quantity", "from", "until", "amount"].map(|key| text(row, key)).join(" ");
    rows.map(row).collect()
}

#[tokio::test]
async fn prices_of_a_sort_leave_in_one_request_and_what_counts_is_read_back() {
    let (held, magento) = (Held::new(0), shop());
    let permits = vec![
        permit(&held, "MUG", &[("1||base", "0.1234")]),
        permit(&held, "NUT/M8 ü", &[("1||base", "7.5")]),
        permit(&held, "PEN", &[("5||group:Wholesale", "2"), ("10||group:*", "1.9")]),
        permit(&held, "BOOK", &[("1|2026-11-27|special", "15"), ("1|2026-11-27|special", "until 2026-11-30")]),
    ];
    let outcomes = magento.write(&held.ctx(), permits).await;
    let told: Vec<Vec<String>> = outcomes.into_iter().map(done).collect();
    assert_eq!(told[0], ["1||base 0.1234"]);
    assert_eq!(told[1], ["1||base 7.5"]);
    assert_eq!(told[2], ["1||base 2.27", "10||group:* 1.9", "5||group:Wholesale 2"]);
    assert_eq!(told[3], ["1||base 19.95", "1|2026-11-27|special 15 2026-11-30"]);
    assert_eq!(writes(&held), ["base-prices", "special-price", "tier-prices"]);
    assert_eq!(ledger(&held, "BOOK")[1], "special 1 2026-11-27 2026-11-30 15");
}

#[tokio::test]
async fn equal_prices_are_not_written() {
    let held = Held::new(0);
    by_hand(&held, "MUG", "group:*", 5, Some("8"));
    for rows in [&[("1||base", "9.9900")][..], &[("5||group:*", "8")], &[("7||group:*", "")], &[("1||special", "")]] {
        let outcome = write(&held, "MUG", rows).await;
        assert_eq!(done(outcome), ["1||base 9.99", "5||group:* 8"]);
    }
    assert_eq!(writes(&held), Vec::<String>::new());
}

#[tokio::test]
async fn a_removed_tier_leaves_the_others() {
    let held = Held::new(0);
    for (quantity, amount) in [(5, "8.5"), (10, "8"), (20, "0")] {
        by_hand(&held, "MUG", "group:Wholesale", quantity, Some(amount));
    }
    let wish =
        leaves(&[("5||group:Wholesale", ""), ("10||group:Wholesale", "7.75"), ("10||group:Wholesale", "always")]);
    let parts = shop().split(Kind::Price, &wish);
    assert_eq!(parts.len(), 2);
    let mut wanted = Vec::new();
    for part in parts {
        let permit = change(&held, 1, "MUG", Step::Update, part);
        wanted = done(shop().write(&held.ctx(), vec![permit]).await.remove(0));
    }
    assert_eq!(wanted, ["1||base 9.99", "10||group:Wholesale 7.75", "20||group:Wholesale 0"]);
    assert_eq!(writes(&held), ["tier-prices", "tier-prices-delete"]);
    let outcome = write(&held, "MUG", &[("20||group:Wholesale", "")]).await;
    assert!(matches!(refused(&outcome), (ErrorKind::Invalid, why) if why.contains("back office")), "{outcome:?}");
    assert_eq!(writes(&held), Vec::<String>::new());
}

#[test]
fn parts_are_what_goes_in_one_request() {
    let wish = leaves(&[
        ("1||base", "1"),
        ("1|2026-11-27|special", "2"),
        ("1|2026-11-27|special", "always"),
        ("1|2026-10-01|special", ""),
        ("1|2026-10-01|special", "always"),
        ("5||group:A|B", ""),
        ("5||group:A|B", "always"),
        ("9||group:*", "3"),
        ("1||base", "always"),
    ]);
    let parts = shop().split(Kind::Price, &wish);
    let sizes: Vec<usize> = parts.iter().map(Leaves::len).collect();
    assert_eq!(sizes, [2, 2, 2, 1, 2]);
    assert!(parts[0].value(&PriceKey::plain("base").path()).is_some());
    let all: Leaves =
        parts.iter().flat_map(|part| part.iter().map(|(path, value)| (path.clone(), value.cloned()))).collect();
    assert_eq!(all, wish);
}

#[tokio::test]
async fn a_group_that_is_newer_than_the_list_of_them_has_its_prices() {
    let (held, magento) = (Held::new(0), shop());
    assert!(!read(&magento, &held, "MUG").await.lists.contains("group:Dealers"));
    held.with(|world| {
        let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
        let body = br#"{"group":{"code":"Dealers","tax_class_id":3}}"#.to_vec();
        let (method, target) = ("POST".into(), "/rest/all/V1/customerGroups".into());
        assert_eq!(world.shop.handle(world.now, &Request { method, target, headers, body }).status, 200);
    });
    let outcome = magento.write(&held.ctx(), vec![permit(&held, "MUG", &[("5||group:Dealers", "8")])]).await.remove(0);
    assert_eq!(done(outcome), ["1||base 9.99", "5||group:Dealers 8"]);
    held.wait(601);
    assert!(read(&magento, &held, "MUG").await.lists.contains("group:Dealers"));
}

#[tokio::test]
async fn a_special_price_moves_and_ends() {
    let held = Held::new(0);
    let old = [("1|2026-11-27|special", "8"), ("1|2026-11-27|special", "until 2026-11-30")];
    assert_eq!(done(write(&held, "MUG", &old).await)[1], "1|2026-11-27|special 8 2026-11-30");
    // Only what changes is told: the rest is what the shop shows.
    let amount = write(&held, "MUG", &[("1|2026-11-27|special", "7.5")]).await;
    assert_eq!(done(amount)[1], "1|2026-11-27|special 7.5 2026-11-30");
    let longer = write(&held, "MUG", &[("1|2026-11-27|special", "until 2026-12-02")]).await;
    assert_eq!(done(longer)[1], "1|2026-11-27|special 7.5 2026-12-02");
    let moved = [("1|2026-12-01|special", "7"), ("1|2026-12-01|special", "until 2026-12-24")];
    assert_eq!(done(write(&held, "MUG", &moved).await)[1], "1|2026-12-01|special 7 2026-12-24");
    assert_eq!(writes(&held), ["special-price"; 4]);
    let gone = [("1|2026-12-01|special", ""), ("1|2026-12-01|special", "always")];
    assert_eq!(done(write(&held, "MUG", &gone).await), ["1||base 9.99"]);
    assert_eq!(writes(&held), ["special-price-delete"]);
    let outcome = write(&held, "MUG", &[("1|2026-12-01|special", "until 2026-12-24")]).await;
    assert_eq!(refused(&outcome).0, ErrorKind::Stale);
    let two = [("1|2026-12-01|special", "7"), ("1|2027-12-01|special", "7")];
    assert_eq!(refused(&write(&held, "MUG", &two).await).0, ErrorKind::Invalid);
}

#[tokio::test]
async fn a_day_that_is_to_go_takes_the_special_price_with_it_first() {
    let held = Held::new(0);
    by_hand(&held, "MUG", "special", 1, Some("8"));
    held.with(|world| world.shop.set_special_days(world.now, "MUG", Some("2026-11-27"), Some("2026-11-30")));
    let wish = [("1|2026-11-27|special", "8"), ("1|2026-11-27|special", "always")];
    let outcome = write(&held, "MUG", &wish).await;
    assert!(
        matches!(&outcome, Outcome::Unknown { learned: Some(_), error } if error.kind == ErrorKind::Stale),
        "{outcome:?}"
    );
    assert_eq!(writes(&held), ["special-price-delete"], "one permit is one request");
    assert_eq!(done(write(&held, "MUG", &wish).await)[1], "1|2026-11-27|special 8");
    assert_eq!(writes(&held), ["special-price"]);
}

#[tokio::test]
async fn half_of_a_batch_is_refused_with_the_shops_words() {
    let (held, magento) = (Held::new(0), shop());
    let permits = vec![
        permit(&held, "mug", &[("0.5||group:Wholesale", "8")]),
        permit(&held, "PEN", &[("5||group:Wholesale", "2")]),
        permit(&held, "NOPE", &[("5||group:Wholesale", "2")]),
        permit(&held, "BOOK", &[("5||group:Nobody", "2")]),
        permit(&held, "BOLT-M8", &[("5||group:*", "0.1")]),
    ];
    let outcomes = magento.write(&held.ctx(), permits).await;
    let text = "`mug`: Invalid attribute Quantity = 0.5. Row ID: SKU = MUG, Website ID: 0, Customer Group: Wholesale, \
                Quantity: 0.5.";
    assert!(matches!(refused(&outcomes[0]), (ErrorKind::Invalid, why) if why.ends_with(text)), "{:?}", outcomes[0]);
    assert_eq!(refused(&outcomes[2]).0, ErrorKind::Gone);
    let text = "No such entity with Customer Group = Nobody.";
    assert!(matches!(refused(&outcomes[3]), (ErrorKind::Invalid, why) if why.contains(text)), "{:?}", outcomes[3]);
    assert!(matches!((&outcomes[1], &outcomes[4]), (Outcome::Done(_), Outcome::Done(_))));
    assert_eq!(writes(&held), ["tier-prices"], "a SKU nobody has would have refused them all");
}

#[tokio::test]
async fn a_complaint_without_a_sku_is_about_what_is_not_as_it_was_wanted() {
    let held = Held::new(0);
    let price = r#"[{"message":"Invalid attribute %fieldName = %fieldValue.","parameters":["Price","-1"]}]"#;
    held.with(|world| {
        by_rule(world, "/base-prices", Fault::Answer(200, &[], price));
    });
    let permits = vec![permit(&held, "MUG", &[("1||base", "5")]), permit(&held, "PEN", &[("1||base", "5")])];
    for outcome in shop().write(&held.ctx(), permits).await {
        assert!(matches!(refused(&outcome), (ErrorKind::Invalid, why) if why.contains("Price = -1")), "{outcome:?}");
    }
    assert_eq!(ledger(&held, "MUG")[0], "base 1 - - 9.99");
}

/// A fault for every write to addresses that end like this.
fn by_rule(world: &mut super::world::World, end: &'static str, fault: Fault) {
    world.rule = Some(Box::new(move |request| if request.url.ends_with(end) { fault } else { Fault::None }));
}

#[tokio::test]
async fn a_product_that_went_meanwhile_refuses_them_all_and_nothing_is_sent_twice() {
    let held = Held::new(0);
    let gone = r#"{"message":"The product that was requested doesn't exist. Verify the product and try again."}"#;
    held.with(|world| by_rule(world, "/tier-prices", Fault::Answer(404, &[], gone)));
    let permits = ["MUG", "PEN"].map(|sku| permit(&held, sku, &[("5||group:*", "1")]));
    let outcomes = shop().write(&held.ctx(), permits.into()).await;
    assert!(outcomes.iter().all(|outcome| refused(outcome).0 == ErrorKind::Gone), "{outcomes:?}");
    assert_eq!(writes(&held), ["tier-prices"]);
}

#[tokio::test]
async fn what_may_have_arrived_is_unknown_and_what_did_not_is_refused() {
    let html = Fault::Answer(502, &[("content-type", "text/html")], "<html>Bad Gateway</html>");
    for fault in [Fault::LostReply, html, Fault::Answer(500, &[], r#"{"message":"x"}"#), Fault::Cut(1)] {
        let held = Held::new(0);
        held.with(|world| by_rule(world, "/base-prices", fault));
        let permits = ["MUG", "PEN"].map(|sku| permit(&held, sku, &[("1||base", "5")]));
        for outcome in shop().write(&held.ctx(), permits.into()).await {
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault:?}: {outcome:?}");
        }
        assert_eq!(writes(&held), ["base-prices"], "a write is never sent twice");
    }
    let held = Held::new(0);
    held.with(|world| by_rule(world, "/base-prices", Fault::LostReply));
    assert!(matches!(write(&held, "MUG", &[("1||base", "5")]).await, Outcome::Unknown { .. }));
    assert_eq!(ledger(&held, "MUG")[0], "base 1 - - 5", "it had arrived");
    held.with(|world| world.rule = None);
    assert_eq!(done(write(&held, "MUG", &[("1||base", "5")]).await), ["1||base 5"]);
    assert_eq!(writes(&held), ["base-prices"], "the next look finds it there");
    for (fault, kind) in [
        (Fault::NotSent, ErrorKind::Unreachable),
        (Fault::Answer(429, &[("retry-after", "7")], "<html>"), ErrorKind::Busy),
        (Fault::Answer(400, &[], r#"{"message":"Maximum items of type \"x\" is 20"}"#), ErrorKind::Invalid),
    ] {
        held.with(|world| by_rule(world, "/base-prices", fault));
        assert_eq!(refused(&write(&held, "PEN", &[("1||base", "5")]).await).0, kind);
    }
}

#[tokio::test]
async fn a_read_back_that_fails_leaves_the_write_unknown() {
    let held = Held::new(0);
    let mut written = false;
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            written |= request.url.ends_with("/base-prices");
            let fails = written && request.url.ends_with("-information");
            if fails { Fault::Answer(502, &[("content-type", "text/html")], "<html>") } else { Fault::None }
        }));
    });
    let outcome = write(&held, "MUG", &[("1||base", "5")]).await;
    assert!(matches!(&outcome, Outcome::Unknown { learned: Some(one), .. } if *one == id("MUG")), "{outcome:?}");
    assert_eq!(ledger(&held, "MUG")[0], "base 1 - - 5");
}

#[tokio::test]
async fn what_cannot_be_written_does_not_leave_and_stops_no_other() {
    let (held, magento) = (Held::new(0), shop());
    by_hand(&held, "PEN", "group:Wholesale", 5, Some("5%"));
    let late = permit(&held, "PEN", &[("1||base", "1")]);
    held.wait(61);
    let mut euro = Leaves::new();
    euro.put(PriceKey::plain("base").path(), Value::Money(Money::new(1.into(), "EUR".parse().unwrap())));
    let mut other = Leaves::new();
    other.put(Path::field("variant"), Value::Bool(true));
    let update = |leaves| change(&held, 1, "MUG", Step::Update, leaves);
    let permits = vec![
        late,
        update(euro),
        permit(&held, "MUG", &[("1||base", "1.00001")]),
        permit(&held, "MUG", &[("1||base", "-1")]),
        permit(&held, "MUG", &[("2||special", "1")]),
        permit(&held, "MUG", &[("1||base", "")]),
        permit(&held, "PEN", &[("9||group:Wholesale", "1")]),
        permit(&held, "PEN", &[("9||group:Wholesale", "")]),
        permit(&held, "BOLT-CFG", &[("1||base", "1")]),
        permit(&held, "GIFTSET", &[("1||base", "1")]),
        permit(&held, "GIFTSET", &[("5||group:*", "1")]),
        update(Leaves::new()),
        update(other),
        permit(&held, "MUG", &[("1||base", "1"), ("5||group:*", "1")]),
        change(&held, 1, "MUG", Step::Create, leaves(&[("1||base", "1")])),
        permit(&held, "BOOK", &[("1||base", "1")]),
    ];
    let mut outcomes = magento.write(&held.ctx(), permits).await;
    assert!(matches!(outcomes.pop(), Some(Outcome::Done(_))));
    let kinds: Vec<ErrorKind> = outcomes.iter().map(|outcome| refused(outcome).0).collect();
    let (invalid, not) = (ErrorKind::Invalid, ErrorKind::Unsupported);
    let wanted =
        [ErrorKind::Stale, invalid, invalid, invalid, invalid, invalid, not, not, not, not, not, not, not, not, not];
    assert_eq!(kinds, wanted);
    assert_eq!(writes(&held), ["base-prices"]);
    assert_eq!(ledger(&held, "PEN")[1], "group:Wholesale 5 - - 5%");
    assert_eq!(told(&read(&magento, &held, "BOOK").await), ["1||base 1"]);
}
