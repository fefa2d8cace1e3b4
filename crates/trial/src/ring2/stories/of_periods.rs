//! Closed periods: what falls into one is held with its name, nothing is left half done, and it goes on once the books are open.

use super::of_invoices::{post, sale};
use super::of_payments::{amounts, lanes, ordered, paying, take, taken};
use super::of_refunds::{give_back, given, open_of, order, refunding, sold};
use super::{broken, killed, passes};
use crate::ring2::boot::Stage;
use crate::ring2::world::open;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::json;
use std::time::Duration;
use syncline_core::kind::Flow;
use syncline_core::rules::Refunds;
use syncline_sim::http::System as _;
use tokio::time::sleep;

const HOUR: u64 = 3_600;

fn today(stage: &Stage) -> Date {
    stage.clock.true_now().to_zoned(TimeZone::UTC).date()
}

/// The days that payments were booked on, each with what it is described by behind its mark.
fn booked_on(stage: &Stage) -> Vec<(serde_json::Value, String)> {
    let ledger = open(&stage.world).erp.ledger();
    let rows = ledger["payments"].as_array().unwrap().iter();
    let text = |row: &serde_json::Value| {
        let words = row["description"].as_str().unwrap().split_once(' ').unwrap().1.to_string();
        (row["day"].clone(), words)
    };
    rows.map(text).collect()
}

fn on(day: Date) -> serde_json::Value {
    json!({"__class__": "date", "year": day.year(), "month": day.month(), "day": day.day()})
}

/// The states of all credit notes of the ERP.
fn notes(stage: &Stage) -> Vec<String> {
    let ledger = open(&stage.world).erp.ledger();
    ledger["credits"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_string()).collect()
}

#[test]
fn s72_money_of_a_closed_period_is_held_and_booked_once_when_the_books_are_open() {
    for dies in [false, true] {
        paying(7201, None, |stage| async move {
            let number = ordered(&stage, 1, "braintree");
            passes(&stage, 120).await;
            post(&stage, &number);
            let day = today(&stage);
            open(&stage.world).erp.close_books(day);
            take(&stage, &number, &[]).unwrap();
            if dies {
                killed(&stage, [40, 90, 160, 260]).await;
            }
            passes(&stage, 120).await;
            let engine = stage.boot().await.unwrap();
            let states = lanes(&engine).await;
            let named = format!("reopen the period \"{:04}-{:02}\"", day.year(), day.month());
            assert!(
                states.len() == 1 && states[0].starts_with("held SYN-0133") && states[0].contains(&named),
                "{states:?}"
            );
            let writes = open(&stage.world).writes;
            passes(&stage, 1_500).await;
            assert_eq!((amounts(&stage), open(&stage.world).writes), (vec![], writes), "it is not asked for on and on");
            open(&stage.world).erp.open_books();
            sleep(Duration::from_secs(HOUR)).await;
            passes(&stage, 60).await;
            let states = lanes(&engine).await;
            assert!(
                states[0].starts_with("held SYN-0133") && states[0].contains("closed journal-period"),
                "{states:?}"
            );
            open(&stage.world).erp.open_journals();
            sleep(Duration::from_secs(HOUR)).await;
            passes(&stage, 120).await;
            assert_eq!((amounts(&stage), lanes(&engine).await), (taken(&stage), vec!["idle".to_string()]));
            assert_eq!(booked_on(&stage)[0].0, on(day), "the day of the document stays");
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn s72_money_of_a_closed_period_is_booked_today_where_the_file_says_so() {
    paying(7202, None, |mut stage| {
        stage.late_today = true;
        async move {
            let number = ordered(&stage, 1, "braintree");
            passes(&stage, 120).await;
            post(&stage, &number);
            let day = today(&stage);
            take(&stage, &number, &[]).unwrap();
            sleep(Duration::from_secs(24 * HOUR)).await;
            open(&stage.world).erp.close_books(day);
            passes(&stage, 120).await;
            let engine = stage.boot().await.unwrap();
            assert_eq!((amounts(&stage), lanes(&engine).await), (taken(&stage), vec!["idle".to_string()]));
            let booked = booked_on(&stage);
            assert_eq!(booked[0].0, on(day.tomorrow().unwrap()));
            assert!(booked[0].1.ends_with(&format!("of {day}")), "the description tells when it was taken: {booked:?}");
            let proof = engine.verify().await.unwrap();
            assert_eq!((proof.drift, proof.flows[&Flow::Papers].open), (0, 0), "{proof:?}");
            assert_eq!(broken(&stage), [""; 0]);
        }
    });
}

#[test]
fn s72_a_credit_note_of_a_closed_period_stays_one_draft_until_the_books_are_open() {
    refunding(7203, Refunds::Carry, |stage| async move {
        let reference = sold(&stage, 1, true).await;
        open(&stage.world).erp.close_books(today(&stage));
        let (_, lines) = order(&stage, &reference);
        let (first, ..) = lines.iter().find(|(.., quantity)| *quantity > 0).unwrap().clone();
        assert!(give_back(&stage, &reference, &[(first, 1)], Decimal::ZERO, Decimal::ZERO));
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        for _ in 0..3 {
            let (held, _) = open_of(&engine, &reference).await;
            assert!(held.len() == 1 && held[0].starts_with("SYN-0133"), "{held:?}");
            assert_eq!(notes(&stage), ["draft"]);
            sleep(Duration::from_secs(HOUR)).await;
            passes(&stage, 60).await;
        }
        open(&stage.world).erp.open_books();
        open(&stage.world).erp.open_journals();
        sleep(Duration::from_secs(HOUR)).await;
        passes(&stage, 120).await;
        let (memos, credits) = given(&stage, &reference);
        assert_eq!((memos.len(), &credits, open_of(&engine, &reference).await.0), (1, &memos, vec![]));
        assert_eq!(notes(&stage), ["posted"]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s72_an_invoice_nobody_can_post_is_waited_for_and_its_money_booked_after_it() {
    paying(7204, None, |stage| async move {
        let number = ordered(&stage, 1, "braintree");
        passes(&stage, 120).await;
        open(&stage.world).erp.close_books(today(&stage));
        let (id, ..) = sale(&stage, &number);
        let now = stage.clock.true_now();
        assert!(!open(&stage.world).erp.post_invoices(now, id), "Tryton refuses its people as well");
        take(&stage, &number, &[]).unwrap();
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let states = lanes(&engine).await;
        assert!(states.len() == 1 && states[0].starts_with("awaiting"), "{states:?}");
        open(&stage.world).erp.open_books();
        open(&stage.world).erp.open_journals();
        post(&stage, &number);
        passes(&stage, 120).await;
        assert_eq!((amounts(&stage), broken(&stage)), (taken(&stage), vec![]), "{:?}", lanes(&engine).await);
    });
}
