//! Shipments: what leaves the warehouse reaches the shop once, in parts, with the numbers of its parcels.

use super::of_invoices::{billing, on_account, pay, post};
use super::{PRODUCTS, begun, broken, differences, killed, passes, place, troubled};
use crate::ring2::boot::Stage;
use crate::ring2::parcels;
use crate::ring2::weather::Fault;
use crate::ring2::world::open;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use syncline_core::kind::{Flow, Kind};
use syncline_core::rules::MoneyRule;
use syncline_engine::Engine;
use syncline_sim::http::System as _;
use syncline_store::{LaneFilter, LaneRow, Retry};
use tokio::time::sleep;

/// Plays `story` on a stage whose warehouse sends parcels.
pub(super) fn sending<F: Future<Output = ()>>(seed: u64, story: impl FnOnce(Stage) -> F) {
    begun((seed, PRODUCTS, None), |mut stage| {
        parcels::open_warehouse(&mut stage);
        stage.stock = None;
        story(stage)
    });
}

/// An order of these lines, SKU by SKU; nothing else of it matters.
pub(super) fn of_lines(stage: &Stage, n: u64, lines: &[(&str, u32)]) -> String {
    place(stage, n, |order| {
        let template = order["items"][0].clone();
        let mut items = Vec::new();
        for (at, (sku, quantity)) in lines.iter().enumerate() {
            let product = stage.catalogue.iter().find(|item| item.sku == *sku).unwrap();
            let mut item = template.clone();
            let id = 1_000 * (n + 1) + at as u64;
            item["item_id"] = id.into();
            item["sku"] = (*sku).into();
            item["product_id"] = product.product_id.into();
            item["product_type"] = "simple".into();
            item["qty_ordered"] = (*quantity).into();
            items.push(item);
        }
        order["items"] = json!(items);
        free_of_charge(order);
    })
}

/// Has an order cost nothing: it is about goods alone.
fn free_of_charge(order: &mut Value) {
    fn still(value: &mut Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(still),
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    let amount = ["amount", "total", "price", "subtotal", "_due", "_paid", "row_", "_tax", "percent"];
                    if value.is_number() && amount.iter().any(|part| key.contains(part)) {
                        *value = 0.into();
                    } else {
                        still(value);
                    }
                }
            }
            _ => {}
        }
    }
    still(order);
    for list in ["applied_taxes", "item_applied_taxes"] {
        order["extension_attributes"][list] = json!([]);
    }
}

/// The ERP's sale behind the shop's order of that number.
pub(super) fn sale(stage: &Stage, number: &str) -> u64 {
    let ledger = open(&stage.world).erp.ledger();
    let all = ledger["orders"].as_array().unwrap();
    all.iter().find(|row| row["reference"] == number).unwrap()["id"].as_u64().unwrap()
}

/// The shop's id of the order of that number, with its lines in order.
pub(super) fn order(stage: &Stage, number: &str) -> (u64, Vec<u64>) {
    let ledger = open(&stage.world).shop.ledger();
    let all = ledger["orders"].as_array().unwrap();
    let row = all.iter().find(|row| row["number"] == number).unwrap();
    let lines = row["lines"].as_array().unwrap().iter().map(|line| line["id"].as_u64().unwrap()).collect();
    (row["id"].as_u64().unwrap(), lines)
}

/// The shop's shipments: what each holds by line, and the numbers of its parcels.
pub(super) fn shipments(stage: &Stage) -> Vec<(BTreeMap<String, String>, Vec<String>)> {
    let ledger = open(&stage.world).shop.ledger();
    let of = |row: &Value| {
        let lines = row["lines"].as_object().unwrap();
        let lines = lines.iter().map(|(line, n)| (line.clone(), n.as_str().unwrap().to_string())).collect();
        let tracks = row["tracks"].as_array().unwrap();
        (lines, tracks.iter().map(|track| track["number"].as_str().unwrap().to_string()).collect())
    };
    ledger["shipments"].as_array().unwrap().iter().map(of).collect()
}

pub(super) fn ship(stage: &Stage, number: &str, goods: &[(&str, u32)]) -> u64 {
    let (sale, now) = (sale(stage, number), stage.clock.true_now());
    let goods: Vec<(&str, Decimal)> = goods.iter().map(|(sku, n)| (*sku, Decimal::from(*n))).collect();
    open(&stage.world).erp.ship_part(now, sale, &goods).expect("it waits")
}

fn apart(stage: &Stage) -> Vec<String> {
    parcels::apart(stage, &open(&stage.world))
}

async fn lanes(engine: &Engine) -> Vec<LaneRow> {
    let filter = LaneFilter { kind: Some(Kind::Shipment), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap()
}

/// The code and the state of the only paper that is held.
async fn held(engine: &Engine) -> (String, LaneRow) {
    let mut held = lanes(engine).await;
    held.retain(|lane| lane.state == "held");
    assert_eq!(held.len(), 1, "{held:?}");
    let lane = held.remove(0);
    (lane.why.clone().unwrap().code, lane)
}

#[test]
fn s36_two_lines_of_one_variant_go_by_their_own_ids() {
    sending(36, |stage| async move {
        let number = of_lines(&stage, 1, &[("MUG", 2), ("PEN", 3), ("MUG", 5)]);
        passes(&stage, 120).await;
        ship(&stage, &number, &[("MUG", 2), ("PEN", 1)]);
        passes(&stage, 120).await;
        let (_, lines) = order(&stage, &number);
        let [(first, _)] = shipments(&stage).try_into().unwrap();
        assert_eq!(first, [(lines[0].to_string(), "2".to_string()), (lines[1].to_string(), "1".to_string())].into());
        let sale = sale(&stage, &number);
        let now = stage.clock.true_now();
        open(&stage.world).erp.ship(now, sale);
        passes(&stage, 120).await;
        assert_eq!(shipments(&stage).len(), 2);
        assert_eq!((apart(&stage), broken(&stage)), (vec![], vec![]));
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap();
        let papers = &proof.flows[&Flow::Papers];
        assert_eq!((papers.compared, papers.equal, papers.drift(), papers.open), (2, 2, 0, 0), "{papers:?}");
        let writes = open(&stage.world).writes;
        passes(&stage, 1000 * 30).await;
        assert_eq!(open(&stage.world).writes, writes, "silence at rest");
    });
}

#[test]
fn s37_goods_of_one_line_that_leave_from_two_warehouses_are_two_shipments_each_from_its_own_source() {
    sending(37, |mut stage| {
        let place = |source: &str, house: &str| (source.to_string(), vec![house.to_string()]);
        for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
            target.places = vec![place("default", "WH"), place("north", "NORTH")];
        }
        async move {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).erp.open_warehouse(now, "NORTH"));
            open(&stage.world).shop.open_source(now, "north", &[("MUG", 2)]);
            let number = of_lines(&stage, 1, &[("MUG", 5)]);
            passes(&stage, 120).await;
            let (sale, now) = (sale(&stage, &number), stage.clock.true_now());
            assert!(open(&stage.world).erp.send_from(now, sale, "NORTH", ("MUG", Decimal::TWO)).is_some());
            passes(&stage, 120).await;
            assert!(open(&stage.world).erp.ship(now, sale));
            passes(&stage, 120).await;
            let (_, lines) = order(&stage, &number);
            let ledger = open(&stage.world).shop.ledger();
            let told: Vec<(Value, Value)> = ledger["shipments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| (row["source"].clone(), row["lines"][lines[0].to_string()].clone()))
                .collect();
            assert_eq!(told, [(json!("north"), json!("2")), (json!("default"), json!("3"))]);
            assert_eq!((apart(&stage), broken(&stage)), (vec![], vec![]));
            let engine = stage.boot().await.unwrap();
            let papers = engine.verify().await.unwrap().flows.remove(&Flow::Papers).unwrap();
            assert_eq!((papers.compared, papers.equal, papers.drift(), papers.open), (2, 2, 0, 0), "{papers:?}");
        }
    });
}

#[test]
fn s38_numbers_of_parcels_come_late_change_and_go_and_none_is_told_twice() {
    sending(38, |stage| async move {
        let number = of_lines(&stage, 1, &[("MUG", 2)]);
        passes(&stage, 120).await;
        let (sale, now) = (sale(&stage, &number), stage.clock.true_now());
        let shipment = open(&stage.world).erp.ship_in_parcels(now, sale, "DHL", &[(&[], None)]).unwrap();
        passes(&stage, 90).await;
        let told = |stage: &Stage| shipments(stage).remove(0).1;
        assert_eq!(told(&stage), [""; 0], "it left without a number");
        let parcel = open(&stage.world).erp.parcels(shipment)[0];
        for tracked in [Some("JJD1"), Some("JJD2"), None, Some("JJD3")] {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).erp.track(now, parcel, tracked));
            passes(&stage, 90).await;
            assert_eq!(told(&stage), Vec::from_iter(tracked), "exactly what is on the parcel");
        }
        assert_eq!((apart(&stage), broken(&stage)), (vec![], vec![]));
    });
}

#[test]
fn s43_telling_the_shop_fails_and_the_parcel_is_there_once() {
    for fault in [Fault::ErrorAfter, Fault::LostReply, Fault::Error, Fault::Truncated, Fault::Html] {
        sending(43, |stage| async move {
            let number = of_lines(&stage, 1, &[("MUG", 4)]);
            passes(&stage, 120).await;
            ship(&stage, &number, &[("MUG", 1)]);
            troubled(&stage, fault, 700);
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            assert_eq!((apart(&stage), broken(&stage)), (vec![], vec![]), "{fault:?}");
            assert_eq!(shipments(&stage).len(), 1, "{fault:?}");
        });
    }
}

#[test]
fn who_asks_about_a_write_in_doubt_is_told_when_it_is_looked_for() {
    sending(43, |stage| async move {
        let numbers: Vec<String> = (0..8).map(|n| of_lines(&stage, n, &[("MUG", 2)])).collect();
        passes(&stage, 240).await;
        for number in &numbers {
            ship(&stage, number, &[("MUG", 2)]);
        }
        troubled(&stage, Fault::LostReply, 400);
        let mut told = Vec::new();
        for _ in 0..20 {
            passes(&stage, 30).await;
            let engine = stage.boot().await.unwrap();
            for lane in lanes(&engine).await {
                let story = engine.explain(lane.entity).await.unwrap();
                let in_doubt = story.writes.into_iter().filter(|write| write.settled_at.is_some());
                told.extend(in_doubt.map(|write| (story.summary.clone(), write.progress)));
            }
        }
        let (summary, progress) = told.first().expect("a reply is lost");
        assert!(progress.starts_with("unknown after attempt 1, looked for at 20"), "{progress}");
        assert!(summary.contains("nobody knows yet whether the last write arrived"), "{summary}");
    });
}

#[test]
fn processes_that_die_one_after_the_other_leave_each_parcel_once() {
    for after_ms in [[200, 400, 600, 800], [1_000, 1_300, 1_700, 2_100], [2_500, 3_000, 3_600, 4_300]] {
        sending(2, |stage| async move {
            let number = of_lines(&stage, 1, &[("MUG", 4), ("PEN", 2)]);
            passes(&stage, 120).await;
            ship(&stage, &number, &[("MUG", 1)]);
            ship(&stage, &number, &[("MUG", 2), ("PEN", 1)]);
            killed(&stage, after_ms).await;
            passes(&stage, 900).await;
            assert_eq!((apart(&stage), broken(&stage)), (vec![], vec![]), "after {after_ms:?}");
            assert_eq!(shipments(&stage).len(), 2, "after {after_ms:?}");
        });
    }
}

#[test]
fn what_people_shipped_in_the_shop_is_held_and_left_to_them_once_they_say_so() {
    sending(6, |stage| async move {
        let number = of_lines(&stage, 1, &[("MUG", 5)]);
        passes(&stage, 120).await;
        let (id, lines) = order(&stage, &number);
        let now = stage.clock.true_now();
        open(&stage.world).shop.ship_by_hand(now, id, &[(lines[0], 2)], None).unwrap();
        ship(&stage, &number, &[("MUG", 2)]);
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let (code, lane) = held(&engine).await;
        assert_eq!((code.as_str(), shipments(&stage).len()), ("SYN-0192", 1), "nothing was shipped beside");
        engine.store.retry(Retry::One { entity: lane.entity, rebase: true }, engine.now()).await.unwrap();
        passes(&stage, 120).await;
        let state = lanes(&engine).await.remove(0);
        assert_eq!((state.state.as_str(), shipments(&stage).len()), ("outside", 1));
        assert_eq!(engine.verify().await.unwrap().flows[&Flow::Papers].drift(), 0, "it is left to people");
    });
}

#[test]
fn what_people_ship_by_hand_at_the_very_moment_is_seen_before_the_parcel_is_told() {
    sending(7, |stage| async move {
        let number = of_lines(&stage, 1, &[("MUG", 5)]);
        passes(&stage, 120).await;
        let (id, lines) = order(&stage, &number);
        // The feed does not tell of the change: only who asks for the order itself sees it.
        open(&stage.world).shop.quirks_mut().late_commit_s = 100_000;
        let now = stage.clock.true_now();
        open(&stage.world).shop.ship_by_hand(now, id, &[(lines[0], 2)], None).unwrap();
        ship(&stage, &number, &[("MUG", 2)]);
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!((held(&engine).await.0.as_str(), shipments(&stage).len()), ("SYN-0192", 1));
    });
}

#[test]
fn goods_the_order_does_not_have_and_an_order_on_hold_are_asked_about() {
    sending(8, |stage| async move {
        let number = of_lines(&stage, 1, &[("MUG", 5)]);
        passes(&stage, 120).await;
        let (id, _) = order(&stage, &number);
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.set_state(now, id, "holded"));
        ship(&stage, &number, &[("MUG", 2)]);
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!((held(&engine).await.0.as_str(), shipments(&stage).len()), ("SYN-0196", 0));
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.set_state(now, id, "processing"));
        passes(&stage, 1200).await;
        assert_eq!((apart(&stage), shipments(&stage).len()), (vec![], 1), "it is looked at again by itself");
    });
}

#[test]
fn a_flow_that_watches_shows_each_parcel_in_the_plan_and_sends_none() {
    sending(9, |mut stage| async move {
        stage.watched = vec![Flow::Papers];
        let number = of_lines(&stage, 1, &[("MUG", 5)]);
        passes(&stage, 120).await;
        ship(&stage, &number, &[("MUG", 2)]);
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(Some(Flow::Papers)).await.unwrap();
        let [row] = plan.rows.as_slice() else { panic!("{:?}", plan.rows) };
        assert_eq!((row.kind.as_str(), row.step.as_str(), row.guard.as_str()), ("shipment", "create", "look"));
        assert_eq!(shipments(&stage).len(), 0);
        stage.watched = Vec::new();
        passes(&stage, 120).await;
        assert_eq!((apart(&stage), differences(&stage), shipments(&stage).len()), (vec![], vec![], 1));
    });
}

#[test]
fn s70_a_bundle_leaves_in_two_parcels_or_in_one_piece_as_the_shop_has_it() {
    for together in [false, true] {
        sending(70, |stage| async move {
            let bundle =
                stage.catalogue.iter().find(|item| matches!(item.form, syncline_sim::catalogue::Form::Bundle { .. }));
            let bundle = bundle.expect("a bundle").sku.clone();
            if together {
                assert!(open(&stage.world).shop.ship_together(&bundle));
            }
            let mut number = None;
            for n in 0..200 {
                let now = stage.clock.true_now();
                let order = syncline_sim::orders::place_like(5, n, &stage.catalogue, now);
                let has = order["items"].as_array().unwrap().iter().any(|item| item["sku"] == bundle.as_str());
                if has && order["state"] == "processing" {
                    number = order["increment_id"].as_str().map(str::to_string);
                    open(&stage.world).shop.place(now, order).unwrap();
                    break;
                }
            }
            let number = number.expect("an order with a bundle");
            passes(&stage, 120).await;
            let (sale, now) = (sale(&stage, &number), stage.clock.true_now());
            let first = {
                let ledger = open(&stage.world).erp.ledger();
                let of = ledger["shipments"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|row| row["lines"][0]["sale"].as_u64() == Some(sale))
                    .unwrap()
                    .clone();
                (
                    of["lines"][0]["sku"].as_str().unwrap().to_string(),
                    of["lines"][0]["qty"].as_str().unwrap().parse::<Decimal>().unwrap(),
                )
            };
            if !together {
                open(&stage.world).erp.ship_part(now, sale, &[(first.0.as_str(), first.1)]).unwrap();
                passes(&stage, 120).await;
            }
            let now = stage.clock.true_now();
            open(&stage.world).erp.ship(now, sale);
            passes(&stage, 120).await;
            assert_eq!((apart(&stage), broken(&stage)), (vec![], vec![]), "together: {together}");
            sleep(Duration::from_secs(1)).await;
        });
    }
}

#[test]
fn s10_one_invoice_stands_for_what_left_in_several_shipments() {
    billing(10, MoneyRule::Paid, |stage| async move {
        let numbers: Vec<String> = (0..6).map(|n| on_account(&stage, n)).collect();
        passes(&stage, 240).await;
        // Each leaves piece by piece, and is billed whole.
        for number in &numbers {
            let now = stage.clock.true_now();
            let sold = sale(&stage, number);
            let lines = lines_of(&stage, sold);
            let first = lines.iter().find(|(_, quantity)| *quantity > Decimal::ONE);
            if let Some((sku, _)) = first {
                open(&stage.world).erp.ship_part(now, sold, &[(sku, Decimal::ONE)]);
            }
            passes(&stage, 60).await;
            open(&stage.world).erp.ship(stage.clock.true_now(), sold);
            post(&stage, number);
            pay(&stage, number);
        }
        passes(&stage, 300).await;
        let (shop, erp) = {
            let world = open(&stage.world);
            (world.shop.ledger(), world.erp.ledger())
        };
        let count = |ledger: &Value, list: &str| ledger[list].as_array().unwrap().len();
        assert_eq!((count(&shop, "invoices"), broken(&stage)), (numbers.len(), vec![]));
        assert!(count(&shop, "shipments") > numbers.len(), "{}", count(&shop, "shipments"));
        assert_eq!(apart(&stage), [""; 0]);
        let paid = |ledger: &Value, key: &str| -> Decimal {
            ledger["orders"].as_array().unwrap().iter().map(|row| number_in(&row[key])).sum()
        };
        assert_eq!(paid(&shop, "paid"), paid(&erp, "paid"));
        let engine = stage.boot().await.unwrap();
        assert_eq!(engine.verify().await.unwrap().flows[&Flow::Papers].drift(), 0);
    });
}

fn number_in(value: &Value) -> Decimal {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What a sale has of each SKU that money stands on.
fn lines_of(stage: &Stage, sale: u64) -> Vec<(String, Decimal)> {
    let ledger = open(&stage.world).erp.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["id"] == sale).unwrap().clone();
    let lines = row["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["sku"].as_str().unwrap_or_default().to_string(), number_in(&line["qty"]))).collect()
}

#[test]
fn s40_what_the_erp_shows_of_an_order_never_sets_the_shop_back() {
    sending(40, |stage| async move {
        let number = of_lines(&stage, 1, &[("MUG", 2)]);
        passes(&stage, 120).await;
        ship(&stage, &number, &[("MUG", 2)]);
        passes(&stage, 120).await;
        // The shop's people complete it, while somebody in the ERP touches the sale as it stood.
        let (id, _) = order(&stage, &number);
        let sold = sale(&stage, &number);
        let writes = {
            let mut world = open(&stage.world);
            let now = stage.clock.true_now();
            assert!(world.shop.set_state(now, id, "complete"));
            assert!(world.erp.directly(
                now,
                "sale.sale",
                sold,
                &json!({"comment": "call back", "state": "processing"})
            ));
            world.writes
        };
        passes(&stage, 900).await;
        let after = open(&stage.world).writes;
        assert_eq!((state(&stage, id), after, broken(&stage)), ("complete".to_string(), writes, vec![]));
        let engine = stage.boot().await.unwrap();
        assert_eq!(engine.verify().await.unwrap().drift, 0);
    });
}

/// What the shop says of where the order of that id stands.
fn state(stage: &Stage, id: u64) -> String {
    open(&stage.world).shop.state_of(id).unwrap_or_default()
}
