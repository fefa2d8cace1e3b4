//! What a person decides: orders let through by name, plans applied, products tied first, records mended.

use super::*;
use serde_json::json;
use syncline_core::id::EntityId;
use syncline_engine::preview::Plan;
use syncline_sim::http::Request;
use syncline_store::StoreError;

async fn entity(engine: &Engine, number: &str) -> EntityId {
    engine.named(Kind::Order, number).await.unwrap().remove(0)
}

/// The documents of ours in the ERP, by what they refer to.
fn documents(stage: &Stage) -> Vec<String> {
    let ledger = open(&stage.world).erp.ledger();
    let rows = ledger["orders"].as_array().unwrap().iter();
    rows.map(|row| row["reference"].as_str().unwrap_or_default().to_string()).collect()
}

#[test]
fn orders_from_before_the_first_day_are_listed_and_let_through_by_name() {
    told(101, |mut stage| async move {
        let today = stage.clock.true_now().to_zoned(jiff::tz::TimeZone::UTC).date();
        stage.rules.start = Some(today.checked_add(jiff::Span::new().days(3)).unwrap());
        let numbers: Vec<String> = (0..3).map(|n| place(&stage, n, |_| ())).collect();
        passes(&stage, 120).await;
        assert_eq!(documents(&stage), [""; 0]);
        let engine = stage.boot().await.unwrap();
        let early: Vec<String> = engine.early().await.unwrap().into_iter().map(|order| order.key).collect();
        assert_eq!(early, numbers);
        let status = engine.status().await.unwrap()[&syncline_core::kind::Flow::Orders];
        assert_eq!((status.early, status.done, status.open()), (3, 0, 0));

        let chosen = entity(&engine, &numbers[1]).await;
        assert!(engine.is_early(chosen).await.unwrap());
        let writes = open(&stage.world).writes;
        let plan = engine.plan_import(&[chosen]).await.unwrap();
        assert!(plan.rows.iter().any(|row| row.key == numbers[1] && row.step == "create"), "{plan:?}");
        assert!(engine.plan(None).await.unwrap().rows.is_empty(), "a plan alone lets nothing through");
        assert_eq!(open(&stage.world).writes, writes);

        assert_eq!(engine.import(vec![chosen]).await.unwrap(), 1);
        assert_eq!(engine.import(vec![chosen]).await.unwrap(), 0, "once is enough");
        assert_eq!(engine.verify().await.unwrap().drift, 0, "what is under way is open, not missing");
        assert!(!engine.plan(None).await.unwrap().rows.is_empty(), "the next plan has it");
        // The rules change before it is delivered: it stays let through, the others stay where they are.
        stage.rules.start = Some(today.checked_add(jiff::Span::new().days(30)).unwrap());
        stage.rules.release_days = 10;
        passes(&stage, 600).await;
        assert_eq!(documents(&stage), [numbers[1].as_str()]);
        let wrong = differences(&stage);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(!wrong.iter().any(|line| line.contains(&numbers[1])), "{wrong:?}");

        let engine = stage.boot().await.unwrap();
        assert_eq!(engine.early().await.unwrap().len(), 2);
        for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
            assert_eq!((proof.drift, proof.flows[&syncline_core::kind::Flow::Orders].compared), (0, 1), "{proof:?}");
        }
        let writes = open(&stage.world).writes;
        passes(&stage, 600).await;
        assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn an_order_let_through_is_compared_before_it_arrived() {
    told(102, |mut stage| async move {
        let today = stage.clock.true_now().to_zoned(jiff::tz::TimeZone::UTC).date();
        stage.rules.start = Some(today.checked_add(jiff::Span::new().days(3)).unwrap());
        let number = place(&stage, 1, |_| ());
        passes(&stage, 60).await;
        let engine = stage.boot().await.unwrap();
        engine.import(vec![entity(&engine, &number).await]).await.unwrap();
        let proof = engine.verify().await.unwrap();
        let orders = &proof.flows[&syncline_core::kind::Flow::Orders];
        assert_eq!((orders.compared, orders.open), (1, 1), "{proof:?}");
    });
}

#[test]
fn both_proofs_compare_the_same_records() {
    told(103, |stage| async move {
        for n in 0..6 {
            place(&stage, n, |_| ());
        }
        passes(&stage, 600).await;
        let engine = stage.boot().await.unwrap();
        let (read, stored) = (engine.verify().await.unwrap(), engine.verify_stored().await.unwrap());
        assert_eq!(read, stored);
        assert!(stored.flows[&syncline_core::kind::Flow::Customers].compared > 1, "{stored:?}");
    });
}

#[test]
fn a_plan_before_any_adoption_says_what_comes_first() {
    told(104, |mut stage| async move {
        stage.lose_the_store().unwrap();
        place(&stage, 1, |_| ());
        let engine = stage.boot().await.unwrap();
        let why = |plan: Plan| plan.open.into_iter().find(|row| row.kind == "order").unwrap().why;
        let told = why(engine.plan(None).await.unwrap());
        assert_eq!(told.code, "SYN-0104");
        assert!(
            told.what.contains("not adopted yet") && told.remedy.starts_with("run `syncline adopt` first"),
            "{told:?}"
        );
        engine.adopt_variants().await.unwrap();
        assert!(engine.plan(None).await.unwrap().open.is_empty());
        place(&stage, 2, |order| {
            order["items"][0]["sku"] = "GONE".into();
            order["items"][0]["product_id"] = 999_999.into();
        });
        let told = why(engine.plan(None).await.unwrap());
        assert!(told.remedy.starts_with("create `GONE` in erp"), "{told:?}");
    });
}

#[test]
fn a_plan_applied_twice_says_what_was_done_before() {
    told(105, |stage| async move {
        for n in 0..3 {
            place(&stage, n, |_| ());
        }
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(None).await.unwrap();
        let first = engine.apply(&plan, &[]).await.unwrap();
        assert_eq!((first.applied, first.done.len(), first.drifted.len()), (plan.rows.len(), 0, 0), "{first:?}");
        let writes = open(&stage.world).writes;
        let again = engine.apply(&plan, &[]).await.unwrap();
        assert_eq!((again.applied, again.done.len(), again.drifted.len()), (0, plan.rows.len(), 0), "{again:?}");
        assert_eq!(open(&stage.world).writes, writes, "nothing is sent again");
        assert_eq!(differences(&stage), [""; 0]);
    });
}

#[test]
fn a_row_that_is_refused_does_not_count_as_applied() {
    told(106, |stage| async move {
        place(&stage, 1, |_| ());
        let bad = place(&stage, 2, |order| order["order_currency_code"] = "CHF".into());
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(None).await.unwrap();
        let report = engine.apply(&plan, &[]).await.unwrap();
        let refused: Vec<&str> = report.refused.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(refused, [bad.as_str()], "{report:?}");
        assert!(report.refused[0].why.what.contains("CHF") && report.refused[0].state == "failed", "{report:?}");
        assert_eq!(report.applied, plan.rows.len() - 1, "{report:?}");
        // A row whose record changed since is another matter.
        let id = check::orders_in(&open(&stage.world).shop, "released").remove(1);
        open(&stage.world).shop.set_state(stage.clock.true_now(), id, "canceled");
        sleep(Duration::from_secs(60)).await;
        engine.look().await.unwrap();
        let row = plan.rows.iter().find(|row| row.key == bad && row.kind == "order").unwrap().id.clone();
        assert_eq!(engine.apply(&plan, &[bad]).await.unwrap().drifted, [row]);
    });
}

/// Sets one column of an order in the shop, as its own back office would.
fn mend(stage: &Stage, number: &str, column: &str, value: Value) {
    let mut world = open(&stage.world);
    let ledger = world.shop.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap();
    let body = json!({"entity": {"entity_id": row["id"], column: value}});
    let request = Request {
        method: "POST".to_string(),
        target: "/rest/default/V1/orders".to_string(),
        headers: vec![
            ("authorization".to_string(), "Bearer token".to_string()),
            ("content-type".to_string(), "application/json".to_string()),
        ],
        body: body.to_string().into_bytes(),
    };
    let answer = world.shop.handle(stage.clock.true_now(), &request);
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

#[test]
fn an_order_without_totals_is_named_kept_and_read_anew_once_it_is_mended() {
    told(107, |stage| async move {
        let mut total = Value::Null;
        let number = place(&stage, 1, |order| total = std::mem::take(&mut order["grand_total"]));
        passes(&stage, 60).await;
        let engine = stage.boot().await.unwrap();
        let filter = LaneFilter { states: vec!["failed"], ..LaneFilter::default() };
        let failed = async || engine.store.lanes(filter.clone()).await.map(|mut rows| rows.remove(0));
        let told = failed().await.unwrap();
        let why = told.why.clone().unwrap();
        assert!(why.what.contains("grand_total") && why.what.contains(&number), "{why:?}");
        assert!(why.remedy.starts_with("correct what it names in the system it was read from"), "{why:?}");
        for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
            let orders = &proof.flows[&syncline_core::kind::Flow::Orders];
            assert_eq!((orders.compared, orders.open, proof.drift), (1, 1, 0), "{proof:?}");
        }
        // Taken up again without having been mended, it is read anew and says the same.
        let retry = syncline_store::Retry::One { entity: told.entity, rebase: false };
        let retried: Result<usize, StoreError> = engine.store.retry(retry.clone(), engine.now()).await;
        assert_eq!(retried, Ok(1));
        engine.drain(&[]).await.unwrap();
        assert_eq!(failed().await.unwrap().why, Some(why));
        mend(&stage, &number, "grand_total", total);
        engine.store.retry(retry, engine.now()).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(lane(&engine, &number).await.state, "idle", "it is called by its number now");
    });
}
