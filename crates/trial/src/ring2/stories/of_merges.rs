//! Stories of customers that a clerk of the ERP merges: later orders go to the one that is left.

use super::*;
use serde_json::json;

const SEED: u64 = 56;

/// An order of the guest `email`. Returns its number.
fn ordered(stage: &Stage, n: u64, email: &str) -> String {
    place(stage, n, |order| {
        order.as_object_mut().unwrap().remove("customer_id");
        order["customer_is_guest"] = json!(1);
        order["customer_email"] = json!(email);
    })
}

/// The party the ERP's document of an order was sold to.
fn party(stage: &Stage, number: &str) -> u64 {
    let ledger = open(&stage.world).erp.ledger();
    let mut rows = ledger["orders"].as_array().unwrap().iter().filter(|row| row["reference"] == *number);
    let party = rows.next().unwrap()["party"].as_u64().unwrap();
    assert!(rows.next().is_none(), "{number} is there twice");
    party
}

/// How many parties the ERP has.
fn parties(stage: &Stage) -> usize {
    open(&stage.world).erp.ledger()["customers"].as_array().unwrap().len()
}

fn merged(stage: &Stage, replaced: u64, by: u64) {
    let now = stage.clock.true_now();
    assert!(open(&stage.world).erp.replace_party(now, replaced, by));
}

#[test]
fn s56_orders_of_two_customers_that_were_merged_go_to_the_party_that_is_left() {
    told(SEED, |stage| async move {
        let [one, other, third] = ["one@example.com", "other@example.com", "third@example.com"];
        let first = [ordered(&stage, 1, one), ordered(&stage, 2, other), ordered(&stage, 3, third)];
        passes(&stage, 300).await;
        let [a, b, c] = first.map(|number| party(&stage, &number));
        assert!(a != b && b != c);
        merged(&stage, a, b);
        passes(&stage, 120).await;
        let before = parties(&stage);
        let next = [ordered(&stage, 4, one), ordered(&stage, 5, other)];
        passes(&stage, 300).await;
        assert_eq!(next.map(|number| party(&stage, &number)), [b, b]);
        // What is left is merged in its turn.
        merged(&stage, b, c);
        passes(&stage, 120).await;
        let next = [ordered(&stage, 6, one), ordered(&stage, 7, other), ordered(&stage, 8, third)];
        passes(&stage, 300).await;
        assert_eq!(next.map(|number| party(&stage, &number)), [c, c, c]);
        assert_eq!(parties(&stage), before, "no party is made for anybody");
        assert_eq!(differences(&stage), [""; 0]);
        let writes = open(&stage.world).writes;
        passes(&stage, 900).await;
        assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        let proof = stage.boot().await.unwrap().verify().await.unwrap();
        assert_eq!(proof.drift, 0, "{proof:?}");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s56_two_that_were_merged_before_anybody_looked_are_followed_to_the_last_one() {
    told(SEED, |stage| async move {
        let [one, other] = ["one@example.com", "other@example.com"];
        let first = [ordered(&stage, 1, one), ordered(&stage, 2, other)];
        passes(&stage, 300).await;
        let [a, b] = first.map(|number| party(&stage, &number));
        let stranger = {
            let ledger = open(&stage.world).erp.ledger();
            let rows = ledger["customers"].as_array().unwrap();
            rows.iter().filter_map(|row| row["id"].as_u64()).find(|id| ![a, b].contains(id))
        };
        merged(&stage, a, b);
        if let Some(stranger) = stranger {
            merged(&stage, b, stranger);
        }
        let next = [ordered(&stage, 4, one), ordered(&stage, 5, other)];
        passes(&stage, 300).await;
        let left = stranger.unwrap_or(b);
        assert_eq!(next.map(|number| party(&stage, &number)), [left, left]);
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn where_nobody_looks_at_customers_an_order_goes_to_the_party_that_is_gone() {
    told(SEED, |stage| async move {
        let first = ordered(&stage, 1, "one@example.com");
        let second = ordered(&stage, 2, "other@example.com");
        passes(&stage, 300).await;
        let (a, b) = (party(&stage, &first), party(&stage, &second));
        merged(&stage, a, b);
        let booted = stage.boot().await.unwrap();
        let flows = Flows { customers: Vec::new(), ..booted.flows.clone() };
        let blind = Engine::new(
            booted.store.clone(),
            booted.systems.clone(),
            flows,
            booted.settings.clone(),
            stage.clock.clone(),
        );
        let next = ordered(&stage, 3, "one@example.com");
        for _ in 0..10 {
            drop(blind.sync(None).await);
            sleep(Duration::from_secs(30)).await;
        }
        let ledger = open(&stage.world).erp.ledger();
        let there = ledger["orders"].as_array().unwrap().iter().find(|row| row["reference"] == *next).cloned();
        assert!(there.is_none_or(|row| row["party"] == a), "the stories above can fail");
    });
}
