//! Pages of changes against a simulated shop: nothing twice in a pass, nothing left out, nothing that stops the rest.

use super::recorded;
use super::world::{Fault, Held, shop};
use crate::magento::Magento;
use serde_json::json;
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor, Request, Seen};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Record;
use syncline_core::totals::balanced;

/// One pass to its end; the cursor after it, and how many pages it took.
async fn pass(magento: &Magento, held: &Held, kind: Kind, since: &Cursor) -> (Vec<Seen>, Cursor, usize) {
    let (ctx, mut seen, mut cursor) = (held.ctx(), Vec::new(), since.clone());
    for pages in 1..500 {
        let page = magento.changes(&ctx, kind, &cursor).await.expect("a page");
        seen.extend(page.seen);
        cursor = page.next;
        if !page.more {
            return (seen, cursor, pages);
        }
    }
    panic!("the pass does not end");
}

fn ids(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(|one| one.id.id.clone()).collect()
}

/// Places `count` orders within the second that is now.
fn place(held: &Held, count: usize) {
    let mut order = recorded("order-get-guest");
    order.as_object_mut().unwrap().shift_remove("entity_id");
    for _ in 0..count {
        held.with(|world| world.shop.place(world.now, order.clone()).expect("an order"));
    }
}

#[tokio::test]
async fn every_seeded_order_is_read_once_and_adds_up() {
    let held = Held::new(350);
    let (seen, ..) = pass(&shop(), &held, Kind::Order, &Cursor::default()).await;
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    for one in &seen {
        *count.entry(one.id.to_string()).or_default() += 1;
        let snapshot = one.snapshot.as_ref().expect("a readable order");
        let Some((_, Record::Order(order))) = snapshot.records.first() else { panic!("an order first") };
        balanced(order).unwrap_or_else(|error| panic!("{}: {error}", one.id));
        assert_eq!(snapshot.records.len(), 2);
    }
    assert!(count.values().all(|times| *times == 1));
    let ledger = held.with(|world| syncline_sim::http::System::ledger(&world.shop));
    assert_eq!(count.len(), ledger["orders"].as_array().unwrap().len());
}

#[tokio::test]
async fn more_orders_in_one_second_than_a_page_holds() {
    let (held, magento) = (Held::new(0), shop());
    place(&held, 3);
    held.wait(5);
    place(&held, 257);
    held.wait(1);
    place(&held, 120);
    let (seen, cursor, _) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
    assert_eq!(seen.len(), 380);
    assert!(ids(&seen).is_sorted_by_key(|id| id.parse::<u64>().unwrap()), "oldest first");
    held.wait(30);
    place(&held, 1);
    let (again, ..) = pass(&magento, &held, Kind::Order, &cursor).await;
    assert_eq!(again.len(), 381, "all lie within the overlap");
}

#[tokio::test]
async fn a_pass_at_rest_reads_the_overlap_only() {
    let (held, magento) = (Held::new(0), shop());
    place(&held, 150);
    held.wait(3600);
    place(&held, 2);
    let (_, cursor, _) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
    held.wait(86_400);
    let (seen, after, pages) = pass(&magento, &held, Kind::Order, &cursor).await;
    assert_eq!((seen.len(), pages, &after), (2, 1, &cursor));
}

#[tokio::test]
async fn a_row_that_is_shown_late_is_not_lost() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| world.shop.quirks_mut().late_commit_s = 300);
    place(&held, 1);
    held.with(|world| world.shop.quirks_mut().late_commit_s = 0);
    held.wait(60);
    place(&held, 1);
    let (seen, cursor, _) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
    assert_eq!(ids(&seen), ["2"]);
    held.wait(400);
    let (seen, ..) = pass(&magento, &held, Kind::Order, &cursor).await;
    assert_eq!(ids(&seen), ["1", "2"].map(String::from).to_vec());
}

#[tokio::test]
async fn an_order_that_changes_during_a_pass_comes_again_at_its_end() {
    let (held, magento) = (Held::new(0), shop());
    for _ in 0..120 {
        place(&held, 1);
        held.wait(1);
    }
    let ctx = held.ctx();
    let first = magento.changes(&ctx, Kind::Order, &Cursor::default()).await.unwrap();
    assert!(held.with(|world| world.shop.set_state(world.now, 2, "processing")));
    let (rest, ..) = pass(&magento, &held, Kind::Order, &first.next).await;
    let all: Vec<String> = ids(&first.seen).into_iter().chain(ids(&rest)).collect();
    assert_eq!(all.len(), 121);
    assert_eq!(all.last().map(String::as_str), Some("2"));
}

#[tokio::test]
async fn an_order_stamped_in_the_future_hides_nothing() {
    let (held, magento) = (Held::new(0), shop());
    let rows = r#"{"items":[{"entity_id":1,"updated_at":"2026-11-23 11:59:59"},
        {"entity_id":2,"updated_at":"2031-01-01 00:00:00"}],"total_count":2}"#;
    held.with(|world| world.faults = [Fault::Answer(200, &[], rows)].into());
    let page = magento.changes(&held.ctx(), Kind::Order, &Cursor::default()).await.unwrap();
    assert_eq!((page.more, page.next.0.as_str()), (false, r#"{"high":"2026-11-23 12:00:00"}"#));
}

/// What the shop answers where one of its rows cannot be loaded.
const FAILS: Fault = Fault::Answer(500, &[], r#"{"message":"Internal Error. Report ID: webapi-1"}"#);

/// The number behind `[name]=` or `name]=` in an address.
fn asked(request: &Request, name: &str) -> u64 {
    let after = request.url.split(&format!("{name}]=")).nth(1).unwrap_or("0");
    after.split('&').next().unwrap_or("0").parse().unwrap_or(0)
}

/// Lets the shop fail whenever the row with this id is on the page asked for; its outline too where `outline`.
fn poison(held: &Held, victim: u64) {
    let fails = move |request: &Request| {
        if !request.url.contains("/orders?") || request.url.contains("fields=") {
            return false;
        }
        // Orders are placed one a second from id 1 on: the rows asked for follow from position and size.
        let from = request.url.split("[value]=").nth(1).unwrap_or("");
        let time = from.split('&').next().unwrap_or("").replace("%20", " ").replace("%3A", ":");
        let second = crate::magento::map::moment(&time).map_or(0, |t| t.as_second());
        let begin = "2026-11-23T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
        let of = |second: i64| u64::try_from(second - begin + 1).unwrap_or(1).max(1);
        let first = if request.url.contains("conditionType]=gteq") { of(second) } else { of(second) + 1 };
        let first = if request.url.contains("conditionType]=eq") { u64::MAX / 2 } else { first };
        let first = first + (asked(request, "currentPage").max(1) - 1) * asked(request, "pageSize");
        (first..first + asked(request, "pageSize")).contains(&victim)
    };
    held.with(|world| world.rule = Some(Box::new(move |request| if fails(request) { FAILS } else { Fault::None })));
}

#[tokio::test]
async fn one_order_the_shop_fails_on_is_named_and_stops_no_other() {
    let (held, magento) = (Held::new(0), shop());
    for _ in 0..140 {
        place(&held, 1);
        held.wait(1);
    }
    poison(&held, 77);
    let (seen, cursor, _) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
    assert_eq!(seen.len(), 140);
    let bad: Vec<&Seen> = seen.iter().filter(|one| one.snapshot.is_err()).collect();
    assert_eq!((bad.len(), bad[0].id.to_string()), (1, "1/77".to_owned()));
    assert!(cursor.0.contains("12:02:19"), "its id is known, so nothing keeps the mark back: {}", cursor.0);
}

#[tokio::test]
async fn an_order_the_shop_fails_on_even_in_outline_is_named_all_the_same() {
    for victim in [1, 77, 140] {
        let (held, magento) = (Held::new(0), shop());
        for n in 0..140 {
            place(&held, 1);
            // Some share their second.
            held.wait(i64::from(n % 3 == 0));
        }
        held.with(|world| world.shop.quirks_mut().damaged_order = Some(victim));
        let (seen, cursor, _) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
        let bad: Vec<String> = seen.iter().filter(|one| one.snapshot.is_err()).map(|one| one.id.to_string()).collect();
        assert_eq!((seen.len(), bad), (140, vec![format!("1/{victim}")]));
        held.with(|world| world.shop.quirks_mut().damaged_order = None);
        let (seen, _, _) = pass(&magento, &held, Kind::Order, &cursor).await;
        assert!(seen.iter().all(|one| one.snapshot.is_ok()));
    }
}

#[tokio::test]
async fn a_shop_that_only_fails_is_an_error_after_a_bounded_number_of_calls() {
    let (held, magento) = (Held::new(3), shop());
    held.with(|world| world.rule = Some(Box::new(|_| FAILS)));
    let error = magento.changes(&held.ctx(), Kind::Order, &Cursor::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(held.log().len() < 30);
}

#[tokio::test]
async fn a_shop_with_a_lower_limit_is_asked_for_less() {
    let (held, magento) = (Held::new(0), shop());
    place(&held, 90);
    let limit = r#"{"message":"Maximum SearchCriteria pageSize is %max","parameters":{"max":40}}"#;
    held.with(|world| {
        world.rule =
            Some(Box::new(
                move |request| {
                    if asked(request, "pageSize") > 40 { Fault::Answer(400, &[], limit) } else { Fault::None }
                },
            ));
    });
    let (seen, cursor, _) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
    assert_eq!(seen.len(), 90);
    held.log();
    pass(&magento, &held, Kind::Order, &cursor).await;
    assert!(held.log().iter().all(|line| !line.contains("pageSize]=100")));
}

#[tokio::test]
async fn a_shop_that_ignores_filters_is_found_out() {
    let (held, magento) = (Held::new(0), shop());
    place(&held, 120);
    let ctx = held.ctx();
    let first = magento.changes(&ctx, Kind::Order, &Cursor::default()).await.unwrap();
    let page = held.with(|world| world.log.last().cloned()).unwrap();
    assert!(page.contains("storeConfigs") && first.more);
    let same: &'static str = r#"{"items":[{"entity_id":1,"updated_at":"2026-11-23 12:00:00"}],"total_count":500}"#;
    held.with(|world| world.rule = Some(Box::new(move |_| Fault::Answer(200, &[], same))));
    let error = magento.changes(&ctx, Kind::Order, &first.next).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Broken);
    assert!(error.message.contains("page repeats"), "{}", error.message);
    let error = magento.keys(&ctx, Kind::Order, &Cursor("100".into())).await.unwrap_err();
    assert!(error.message.contains("page repeats"), "{}", error.message);
}

#[tokio::test]
async fn a_row_that_changes_while_it_is_read_stops_no_other_and_hides_none() {
    for at in [0, 40, 98, 99] {
        let (held, magento) = (Held::new(0), shop());
        for _ in 0..250 {
            place(&held, 1);
            held.wait(1);
        }
        held.wait(60);
        held.with(|world| {
            let mut answers = 0;
            world.rule = Some(Box::new(move |request| {
                if !request.url.contains("/orders") {
                    return Fault::None;
                }
                answers += 1;
                if answers == 1 { Fault::Restamped(at, "2026-11-23 12:02:00") } else { Fault::None }
            }));
        });
        let (seen, ..) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
        let distinct: std::collections::BTreeSet<String> = ids(&seen).into_iter().collect();
        assert!(seen.len() <= 251, "{} rows in all", seen.len());
        assert_eq!(distinct.len(), 250, "row {at} was changed");
    }
}

#[tokio::test]
async fn a_shop_that_does_not_sort_is_found_out() {
    let (held, magento) = (Held::new(0), shop());
    for _ in 0..150 {
        place(&held, 1);
        held.wait(1);
    }
    held.with(|world| world.rule = Some(Box::new(|_| Fault::Reversed)));
    let error = magento.changes(&held.ctx(), Kind::Order, &Cursor::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Broken);
    assert!(error.message.contains("not come in the order"), "{}", error.message);
}

#[tokio::test]
async fn a_malformed_order_stops_no_other() {
    let (held, magento) = (Held::new(0), shop());
    let mut broken = recorded("order-get-guest");
    broken["state"] = json!("teleported");
    let mut wrong = recorded("order-get-guest");
    wrong["items"][0]["row_total"] = serde_json::from_str("1234567890123456789012345678901234567890").unwrap();
    for order in [broken, wrong, recorded("order-get-guest")] {
        held.with(|world| world.shop.place(world.now, order).unwrap());
    }
    let (seen, ..) = pass(&magento, &held, Kind::Order, &Cursor::default()).await;
    let said: Vec<String> =
        seen.iter().map(|one| one.snapshot.as_ref().err().map_or(String::new(), |e| e.message.clone())).collect();
    assert!(said[0].contains("teleported") && said[1].contains("items[0].row_total") && said[2].is_empty(), "{said:?}");
    assert!(seen.iter().all(|one| one.id.scope == "1"));
    let evidence = seen[1].snapshot.as_ref().unwrap_err().evidence.as_ref().unwrap();
    assert!(evidence.received.contains("1234567890123456789012345678901234567890"), "the evidence keeps the token");
}

#[tokio::test]
async fn customers_and_products_are_read_page_by_page() {
    let (held, magento) = (Held::new(40), shop());
    let (customers, cursor, _) = pass(&magento, &held, Kind::Customer, &Cursor::default()).await;
    assert!(!customers.is_empty() && customers.iter().all(|one| one.snapshot.is_ok() && one.id.scope == "1"));
    assert!(cursor.0.contains("high"));
    let (products, cursor, _) = pass(&magento, &held, Kind::Variant, &Cursor::default()).await;
    let skus = ids(&products);
    assert!(skus.len() >= 60 && skus.contains(&"NUT/M8 ü".to_owned()), "{skus:?}");
    // All were made in one second, so all stand within the overlap, until something else changes.
    let (again, same, _) = pass(&magento, &held, Kind::Variant, &cursor).await;
    assert_eq!((again.len(), same), (products.len(), cursor.clone()));
    held.with(|world| assert!(world.shop.edit_product(world.now, "MUG", None, "name", "Cup")));
    let (_, cursor, _) = pass(&magento, &held, Kind::Variant, &cursor).await;
    let (changed, ..) = pass(&magento, &held, Kind::Variant, &cursor).await;
    assert_eq!(ids(&changed), ["MUG"]);
}

#[tokio::test]
async fn keys_come_in_the_order_of_their_ids() {
    let (held, magento) = (Held::new(230), shop());
    for kind in [Kind::Order, Kind::Customer, Kind::Variant] {
        let (mut keys, mut after) = (Vec::new(), Cursor::default());
        loop {
            let page = magento.keys(&held.ctx(), kind, &after).await.unwrap();
            keys.extend(page.keys);
            after = page.next;
            if !page.more {
                break;
            }
        }
        let (seen, ..) = pass(&magento, &held, kind, &Cursor::default()).await;
        let mut known: Vec<_> = seen.into_iter().map(|one| one.id).collect();
        let mut listed: Vec<_> = keys.iter().map(|(id, _)| id.clone()).collect();
        if kind != Kind::Variant {
            assert!(listed.is_sorted_by_key(|id| id.id.parse::<u64>().unwrap()));
            assert!(keys.iter().all(|(_, version)| version.is_some()));
        }
        known.sort();
        listed.sort();
        assert_eq!(known, listed, "{kind}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_system_is_refused() {
    let held = Held::new(0);
    for (kind, text) in [(Kind::Order, "abc"), (Kind::Order, r#"{"high":"soon"}"#), (Kind::Variant, "abc")] {
        let error = shop().changes(&held.ctx(), kind, &Cursor(text.into())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Broken, "{text}");
    }
}

#[tokio::test]
async fn a_shop_without_an_end_of_pages_is_refused() {
    let page = r#"{"items":[{"sku":"MUG","source_code":"default","quantity":1}],"total_count":18446744073709551615}"#;
    let held = Held::new(0);
    held.with(|world| {
        world.rule = Some(Box::new(move |request| match request.url.contains("inventory/source-items") {
            true => Fault::Answer(200, &[], page),
            false => Fault::None,
        }));
    });
    let id = RemoteId::new("", "MUG");
    let read = shop().read(&held.ctx(), Kind::Stock, std::slice::from_ref(&id)).await.remove(0);
    let error = read.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Broken);
    assert!(error.message.contains("page repeats"), "{error}");
    assert!(held.log().len() < 20);
}
