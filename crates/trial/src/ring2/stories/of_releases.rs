//! Releases: an order that is paid late, or never, is asked about once and never let go by time alone.

use super::{broken, differences, lane, passes, place, told};
use crate::ring2::boot::Stage;
use crate::ring2::world::open;
use std::time::Duration;
use syncline_core::id::EntityId;
use syncline_core::kind::Flow;
use syncline_core::rules::{Release, ReleaseRule};
use syncline_sim::http::System as _;
use syncline_store::Retry;
use tokio::time::sleep;

const DAY: u64 = 86_400;

/// The file's rows: cheques are waited for so many days, cards the usual time.
fn within(stage: &mut Stage, days: u64) {
    let within_s = u32::try_from(days * DAY).ok();
    let row = |method: &str, within_s| (method.to_string(), Release { when: ReleaseRule::Paid, within_s });
    stage.rules.release = vec![row("checkmo", within_s), row("*", None)];
}

/// An order to be paid by cheque. Returns its number.
fn by_cheque(stage: &Stage, n: u64) -> String {
    place(stage, n, |order| order["payment"]["method"] = "checkmo".into())
}

/// The id of the order with that number.
fn id_of(stage: &Stage, number: &str) -> u64 {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap();
    row["id"].as_u64().unwrap()
}

/// The money for an order comes to the shop.
fn pay(stage: &Stage, number: &str) {
    let (now, id) = (stage.clock.true_now(), id_of(stage, number));
    assert!(open(&stage.world).shop.invoice_by_hand(now, id, &[]).is_some());
}

/// How many orders the ERP has.
fn there(stage: &Stage) -> usize {
    open(&stage.world).erp.ledger()["orders"].as_array().unwrap().len()
}

/// The state of an order, with the code it is held for, and how often a person was told.
async fn stands(stage: &Stage, number: &str) -> (String, String, usize) {
    let engine = stage.boot().await.unwrap();
    let row = lane(&engine, number).await;
    let asked = engine.explain(row.entity).await.unwrap().journal;
    let asked = asked.iter().filter(|row| row.entry.event == "held").count();
    (row.state, row.why.map(|why| why.code).unwrap_or_default(), asked)
}

async fn entity(stage: &Stage, number: &str) -> EntityId {
    lane(&stage.boot().await.unwrap(), number).await.entity
}

#[test]
fn an_order_that_is_not_paid_by_its_deadline_is_asked_about_once_and_goes_on_when_it_is_paid() {
    told(2901, |mut stage| async move {
        within(&mut stage, 7);
        let (late, never) = (by_cheque(&stage, 1), by_cheque(&stage, 2));
        let by_card = place(&stage, 3, |order| order["payment"]["method"] = "klarna".into());
        passes(&stage, 120).await;
        let story = stage.boot().await.unwrap().explain(entity(&stage, &late).await).await.unwrap();
        let until = story.until.expect("it says until when it waits");
        assert!(story.summary.contains("by checkmo is not paid yet, waits until"), "{}", story.summary);
        let week = until.duration_since(stage.clock.true_now()).as_secs();
        assert!((604_800 - 240..=604_800).contains(&week), "{week} s");
        sleep(Duration::from_secs(7 * DAY - 600)).await;
        passes(&stage, 60).await;
        assert_eq!(stands(&stage, &late).await, ("awaiting".into(), String::new(), 0));
        sleep(Duration::from_secs(600)).await;
        passes(&stage, 600).await;
        for number in [&late, &never] {
            assert_eq!(stands(&stage, number).await, ("held".into(), "SYN-0101".into(), 1));
        }
        assert_eq!(stands(&stage, &by_card).await.0, "awaiting", "it has the usual days");
        let status = stage.boot().await.unwrap().status().await.unwrap()[&Flow::Orders];
        assert_eq!((status.held, status.awaiting, there(&stage)), (2, 1, 0));
        pay(&stage, &late);
        sleep(Duration::from_secs(3 * DAY)).await;
        passes(&stage, 300).await;
        assert_eq!((stands(&stage, &late).await.0.as_str(), there(&stage)), ("idle", 1));
        assert_eq!(stands(&stage, &never).await, ("held".into(), "SYN-0101".into(), 1), "one is enough");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn what_is_not_paid_is_cancelled_or_left_to_people_and_nobody_is_asked_again() {
    told(2902, |mut stage| async move {
        within(&mut stage, 2);
        let (gone, left) = (by_cheque(&stage, 1), by_cheque(&stage, 2));
        passes(&stage, 60).await;
        sleep(Duration::from_secs(2 * DAY)).await;
        passes(&stage, 300).await;
        let (now, id) = (stage.clock.true_now(), id_of(&stage, &gone));
        assert!(open(&stage.world).shop.cancel_order(now, id));
        let (engine, left_entity) = (stage.boot().await.unwrap(), entity(&stage, &left).await);
        assert!(engine.leave_unreleased(left_entity).await.unwrap());
        engine.store.retry(Retry::One { entity: left_entity, rebase: true }, now).await.unwrap();
        sleep(Duration::from_secs(20 * DAY)).await;
        passes(&stage, 300).await;
        for number in [&gone, &left] {
            assert_eq!(stands(&stage, number).await, ("outside".into(), String::new(), 1));
        }
        assert!(!engine.leave_unreleased(left_entity).await.unwrap(), "there is nothing to leave");
        assert_eq!((there(&stage), engine.anything_open().await.unwrap()), (0, false));
        pay(&stage, &left);
        passes(&stage, 300).await;
        assert_eq!((stands(&stage, &left).await.0.as_str(), there(&stage)), ("idle", 1));
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_draft_of_an_order_on_hold_is_not_let_go_by_time_alone() {
    told(2903, |stage| async move {
        let number = place(&stage, 1, |_| ());
        let engine = stage.boot().await.unwrap();
        let running = engine.clone();
        let task = tokio::spawn(async move { drop(running.sync(None).await) });
        while there(&stage) == 0 && !task.is_finished() {
            sleep(Duration::from_millis(1)).await;
        }
        task.abort();
        let (now, id) = (stage.clock.true_now(), id_of(&stage, &number));
        assert!(open(&stage.world).shop.set_state(now, id, "holded"));
        stage.boot().await.unwrap().recover().await.unwrap();
        passes(&stage, 600).await;
        assert_eq!(stands(&stage, &number).await.0, "awaiting");
        sleep(Duration::from_secs(15 * DAY)).await;
        passes(&stage, 300).await;
        assert_eq!(stands(&stage, &number).await.1, "SYN-0101");
        let state = open(&stage.world).erp.ledger()["orders"][0]["state"].clone();
        assert_eq!(state, "draft");
    });
}
