//! Stock as people meet it: sold twice, kept back by the shop, changed while it is written.

use super::*;
use crate::ring2::trade;
use rust_decimal::Decimal;

const SKU: &str = "MUG";

/// A stage whose stock flows, with so many pieces in the warehouse and the first pass behind it: once with a shop that
/// keeps back what it sold by itself, once with one that lowers its one figure.
fn stocked<F: Future<Output = ()>>(pieces: u32, story: impl Fn(Stage) -> F) {
    for lowers in [false, true] {
        told(45, async |mut stage| {
            stage.stock = Some(trade::rules());
            if lowers {
                stage.switch_off_sources();
            }
            {
                let now = stage.clock.true_now();
                let mut world = open(&stage.world);
                let there = trade::held(&world.erp.ledger())[SKU].free();
                let there = u32::try_from(there.normalize().mantissa()).unwrap();
                assert!(world.erp.take(now, SKU, there - pieces));
            }
            passes(&stage, 60).await;
            assert_eq!(for_sale(&stage), Decimal::from(pieces));
            story(stage).await;
        });
    }
}

fn for_sale(stage: &Stage) -> Decimal {
    trade::salable(&open(&stage.world).shop.ledger())[SKU]
}

/// Ids of the shop's orders, oldest first.
fn orders(stage: &Stage) -> Vec<u64> {
    let ledger = open(&stage.world).shop.ledger();
    ledger["orders"].as_array().unwrap().iter().filter_map(|row| row["id"].as_u64()).collect()
}

fn buys(stage: &Stage, pieces: u32) -> u64 {
    assert!(open(&stage.world).shop.buy(stage.clock.true_now(), SKU, pieces));
    *orders(stage).last().unwrap()
}

#[test]
fn s06_a_change_arrives_while_the_same_one_is_being_sent() {
    stocked(9, |stage| async move {
        assert!(open(&stage.world).erp.take(stage.clock.true_now(), SKU, 1));
        let engine = stage.boot().await.unwrap();
        let before = open(&stage.world).writes;
        let running = engine.clone();
        let task = tokio::spawn(async move { drop(running.sync(None).await) });
        while open(&stage.world).writes == before {
            sleep(Duration::from_millis(1)).await;
        }
        // The write is on its way; two more go meanwhile, one after the other.
        assert!(open(&stage.world).erp.take(stage.clock.true_now(), SKU, 1));
        assert!(open(&stage.world).erp.take(stage.clock.true_now(), SKU, 1));
        task.await.unwrap();
        passes(&stage, 60).await;
        assert_eq!(for_sale(&stage), Decimal::from(6));
        assert_eq!(open(&stage.world).writes, before + 2, "one follow-up with the newest figure");
    });
}

#[test]
fn s45_oversold_through_orders_the_erp_does_not_have() {
    stocked(5, |stage| async move {
        let kept = buys(&stage, 1);
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.set_state(now, kept, "holded"));
        buys(&stage, 1);
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::from(3), "one the ERP has reserved, one it has never heard of");
        let now = stage.clock.true_now();
        assert!(trade::ship_one(&mut open(&stage.world).erp, now));
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::from(3), "four are on the shelf, one of them is sold");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.set_state(now, kept, "canceled"));
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::from(4), "withdrawn, it is for sale again");
    });
}

#[test]
fn s46_a_shop_that_reserves_by_itself_can_ship_what_it_sold() {
    stocked(1, |stage| async move {
        let order = buys(&stage, 1);
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::ZERO);
        let now = stage.clock.true_now();
        assert!(trade::ship_one(&mut open(&stage.world).erp, now), "the ERP has nothing left now");
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::ZERO);
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.ship(now, order), "the shop still has the piece it sold");
    });
}

#[test]
fn s48_a_sale_between_our_read_and_our_write() {
    stocked(6, |stage| async move {
        assert!(open(&stage.world).erp.take(stage.clock.true_now(), SKU, 1));
        let engine = stage.boot().await.unwrap();
        let task = tokio::spawn(async move { drop(engine.sync(None).await) });
        // Somebody buys as soon as the figures were read.
        let reads = if stage.has_sources() { "salable-quantity/MUG" } else { "products/MUG" };
        let asked = |stage: &Stage| open(&stage.world).events().filter(|line| line.contains(reads)).count();
        let before = asked(&stage);
        while asked(&stage) == before {
            sleep(Duration::from_millis(1)).await;
        }
        buys(&stage, 2);
        task.await.unwrap();
        assert!(for_sale(&stage) <= Decimal::from(3), "{} for sale", for_sale(&stage));
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::from(3));
    });
}

#[test]
fn s63_a_small_change_writes_a_little() {
    stocked(9, |stage| async move {
        let before = open(&stage.world).writes;
        passes(&stage, 600).await;
        assert_eq!(open(&stage.world).writes, before, "nothing to do, nothing written");
        assert!(open(&stage.world).erp.take(stage.clock.true_now(), SKU, 1));
        passes(&stage, 600).await;
        assert_eq!(open(&stage.world).writes, before + 1);
        assert_eq!(for_sale(&stage), Decimal::from(8));
    });
}

#[test]
fn s69_a_pack_of_six_is_sold_as_one_and_counted_as_six() {
    stocked(20, |stage| async move {
        assert!(open(&stage.world).erp.sell_in_packs(stage.clock.true_now(), SKU, 6));
        assert!(open(&stage.world).erp.take(stage.clock.true_now(), SKU, 1));
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::from(3), "nineteen pieces are three packs");
        buys(&stage, 2);
        passes(&stage, 300).await;
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(for_sale(&stage), Decimal::ONE);
        let held = trade::held(&open(&stage.world).erp.ledger())[SKU];
        assert_eq!(held.free(), Decimal::from(7), "two packs are twelve pieces: {held:?}");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

/// A piece that was bought and billed is given back before it left, while the ERP goes on keeping it for its order.
async fn given_back_unshipped(stage: &Stage) {
    let order = buys(stage, 1);
    passes(stage, 900).await;
    assert_eq!(for_sale(stage), Decimal::from(4));
    let now = stage.clock.true_now();
    let line = {
        let ledger = open(&stage.world).shop.ledger();
        let order = ledger["orders"].as_array().unwrap().iter().find(|row| row["id"] == order).cloned().unwrap();
        order["lines"][0]["id"].as_u64().unwrap()
    };
    assert!(open(&stage.world).shop.invoice_by_hand(now, order, &[]).is_some());
    let nothing = (Decimal::ZERO, Decimal::ZERO);
    assert!(open(&stage.world).shop.give_back(now, order, &[(line, 1)], Decimal::ZERO, nothing).is_some());
}

#[test]
fn what_is_given_back_before_it_left_is_for_sale_once_the_erp_lets_go_of_it() {
    stocked(5, |stage| async move {
        given_back_unshipped(&stage).await;
        passes(&stage, 120).await;
        assert_eq!(for_sale(&stage), Decimal::from(4), "the ERP still keeps one for the order");
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap().flows[&Flow::Inventory].clone();
        assert_eq!((proof.drift(), proof.open), (0, 0), "{proof:?}");
    });
}

#[test]
fn a_figure_that_moved_in_the_shop_without_a_sign_is_put_right_by_a_deep_sweep() {
    stocked(5, |stage| async move {
        passes(&stage, 900).await;
        let now = stage.clock.true_now();
        open(&stage.world).shop.count_by_hand(now, SKU, Decimal::from(50));
        passes(&stage, 300).await;
        assert_ne!(for_sale(&stage), Decimal::from(5), "nobody says so");
        let engine = stage.boot().await.unwrap();
        let shop = engine.system(&SystemName::new("shop")).unwrap();
        let order = syncline_engine::sweep::SweepOrder { deep: true, ..Default::default() };
        engine.sweep(shop, Kind::Variant, order, &mut |_| ()).await.unwrap();
        passes(&stage, 60).await;
        assert_eq!(for_sale(&stage), Decimal::from(5));
    });
}
