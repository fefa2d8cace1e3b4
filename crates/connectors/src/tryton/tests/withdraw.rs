//! Sales that are withdrawn at every stage, one call at a time, and those of which something was taken in hand.

use super::bench::{Bench, World, order_of, run};
use super::stock::sell;
use super::walk::product;
use jiff::SignedDuration;
use syncline_connect::{Connector, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::policy::ErrorKind;

/// A sale as it stands.
pub(super) async fn read(bench: &Bench, sale: u64) -> Snapshot {
    let ids = [RemoteId::new("", sale.to_string())];
    bench.erp.read(&bench.ctx, Kind::Order, &ids).await.remove(0).unwrap().unwrap()
}

fn stage(snapshot: &Snapshot) -> &str {
    order_of(snapshot).stage.as_deref().unwrap()
}

/// The stages a sale goes through while it is withdrawn, one call after the other.
async fn withdrawn(bench: &Bench, sale: u64) -> Vec<String> {
    let (mut at, mut stages) = (read(bench, sale).await, Vec::new());
    while stage(&at) != "cancelled" {
        assert!(stages.len() < 6, "{stages:?}");
        at = bench.done(bench.permit(Kind::Order, Step::Cancel, &bench.mark("w"), Some(&at), Leaves::new())).await;
        stages.push(stage(&at).to_string());
    }
    stages
}

#[test]
fn a_sale_that_is_processed_is_withdrawn_one_call_after_the_other_and_stays_so() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let sale = sell(&bench, &sku, "one").await;
        let told = read(&bench, sale).await;
        assert_eq!(order_of(&told).fixed.as_deref(), Some(""), "nothing stands in its way");
        // Its shipment, its invoice, that nobody waits for them, and what comes of that.
        assert_eq!(withdrawn(&bench, sale).await, ["process", "process", "process", "cancelled"]);
        let after = read(&bench, sale).await;
        let again = bench.permit(Kind::Order, Step::Cancel, &bench.mark("w"), Some(&after), Leaves::new());
        let version = after.version.clone();
        assert_eq!(bench.done(again).await.version, version, "nothing is left to do, and nothing is done");
    });
}

#[test]
fn what_is_confirmed_and_not_processed_yet_goes_back_to_its_draft_first() {
    let world = World::new(true);
    let bench = world.bench();
    world.with(|erp| erp.quirks_mut().queued = Some(SignedDuration::from_hours(1)));
    run(async {
        let sku = product(&bench).await;
        let sale = sell(&bench, &sku, "one").await;
        assert_eq!(stage(&read(&bench, sale).await), "confirm");
        assert_eq!(withdrawn(&bench, sale).await, ["draft", "cancelled"]);
    });
}

#[test]
fn what_somebody_has_taken_in_hand_is_named_and_nothing_is_withdrawn() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let (picked, posted) = (sell(&bench, &sku, "one").await, sell(&bench, &sku, "two").await);
        let before = (read(&bench, picked).await, read(&bench, posted).await);
        let now = bench.ctx.now();
        world.with(|erp| {
            let shipment = *erp.shipments(picked).first().unwrap();
            assert!(erp.press_shipment(now, shipment, "assign_force") && erp.press_shipment(now, shipment, "pick"));
            assert!(erp.post_invoices(now, posted));
        });
        for (sale, seen, named) in [(picked, before.0, "shipment 1 (picked)"), (posted, before.1, "invoice 1 (posted)")]
        {
            // Picking leaves the sale's own version as it was: what was read of it is not enough.
            let permit = bench.permit(Kind::Order, Step::Cancel, &bench.mark("w"), Some(&seen), Leaves::new());
            assert_eq!(bench.refused(permit).await, ErrorKind::Stale);
            let now = read(&bench, sale).await;
            assert_eq!((stage(&now), order_of(&now).fixed.as_deref()), ("process", Some(named)));
        }
    });
}
