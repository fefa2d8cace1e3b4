//! Rest: when every flow has said what it had to say, nothing more is written.

use super::*;
use crate::ring2::{desk, prices, trade};
use serde_json::json;
use syncline_core::kind::Flow;

const SKU: &str = "MUG";

/// Everything flows: orders with their customers, stock, products in three languages, prices in two lists.
async fn open_all(stage: &mut Stage) {
    of_products::tie(stage, &[]).await;
    stage.products = Some(desk::rules());
    stage.stock = Some(trade::rules());
    stage.prices = Some(prices::rules());
    prices::open_lists(stage);
    trade::open_the_doors(stage);
}

/// Each flow is given something to do.
fn a_busy_day(stage: &Stage) {
    for n in 0..4 {
        place(stage, n, |_| ());
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    assert!(world.shop.buy(now, SKU, 1) && world.erp.receive(now, SKU, 3));
    assert!(world.erp.edit_product(now, SKU, None, "name", &json!("Pot")));
    assert!(world.shop.edit_product(now, SKU, Some("german"), "description", "Ein Topf"));
    assert!(world.erp.set_list_price(now, SKU, "12.3456"));
    assert!(world.shop.set_price(now, SKU, "special", 1, Some("5")));
}

#[test]
fn s09_all_flows_are_silent_at_rest() {
    told(9, |mut stage| async move {
        open_all(&mut stage).await;
        passes(&stage, 120).await;
        a_busy_day(&stage);
        passes(&stage, 600).await;
        let engine = stage.boot().await.unwrap();
        desk::decide(&stage, &engine).await;
        prices::decide(&stage, &engine).await;
        passes(&stage, 1200).await;
        let before = open(&stage.world).writes;
        passes(&stage, 1000 * 30).await;
        assert_eq!(open(&stage.world).writes, before, "writes in 1,000 passes with nothing to do");
        let proof = engine.verify().await.unwrap();
        for flow in [Flow::Orders, Flow::Customers, Flow::Inventory, Flow::Products, Flow::Prices] {
            let flow = (flow, &proof.flows[&flow]);
            assert!(flow.1.compared > 2 && flow.1.drift() == 0 && flow.1.open == 0, "{flow:?}");
        }
        assert_eq!(differences(&stage), [""; 0]);
        let of_fields = desk::apart(&open(&stage.world));
        assert_eq!((of_fields, prices::apart(&stage)), (Vec::new(), Vec::new()));
        assert_eq!(broken(&stage), [""; 0]);
    });
}
