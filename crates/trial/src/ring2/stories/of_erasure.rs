//! Stories of people who ask to be forgotten: their text is gone from the store, the books and what follows stay right.

use super::of_invoices::post;
use super::of_refunds::{give_back, given, order, refunding};
use super::*;
use rust_decimal::Decimal;
use serde_json::json;
use syncline_core::id::EntityId;
use syncline_core::rules::Refunds;
use syncline_store::Erased;

/// What nobody else is called.
const WORDS: [&str; 6] =
    ["zukofsky@mail.test", "Adalbertine", "Zukofsky", "Erasure Lane", "0987654321", "customer.3@example.com"];
const MAIL: &str = "Ada.Zukofsky@mail.test";
/// What the shop has in the account of a registered buyer.
const ACCOUNT: (u64, &str) = (3, "Customer.3@example.com");

/// Places order `n` of that person: of a guest, or by the account of `buyer`.
fn bought(stage: &Stage, n: u64, buyer: Option<u64>) -> String {
    place(stage, n, |order| {
        order["customer_id"] = buyer.map_or(Value::Null, |buyer| json!(buyer));
        order["customer_is_guest"] = json!(i32::from(buyer.is_none()));
        let named = |person: &mut Value, prefix: &str| {
            for (field, text) in [("email", MAIL), ("firstname", WORDS[1]), ("lastname", WORDS[2])] {
                person[format!("{prefix}{field}")] = json!(text);
            }
        };
        named(order, "customer_");
        let lives = |address: &mut Value| {
            named(address, "");
            address["street"] = json!(["Erasure Lane 78"]);
            address["telephone"] = json!(WORDS[4]);
        };
        lives(&mut order["billing_address"]);
        order.pointer_mut("/extension_attributes/shipping_assignments/0/shipping/address").into_iter().for_each(lives);
    })
}

/// Which of that person's words stand in the store's file.
fn words_in(stage: &mut Stage, file: &File) -> Vec<&'static str> {
    let held = stage.copied(&file.0).unwrap();
    let stands = |word: &&str| held.windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()));
    WORDS.into_iter().filter(stands).collect()
}

async fn erased(stage: &Stage, buyer: Option<u64>, really: bool) -> (Vec<EntityId>, Erased) {
    let engine = stage.boot().await.unwrap();
    let mail = if buyer.is_some() { ACCOUNT.1.to_string() } else { MAIL.to_lowercase() };
    let people = engine.store.people_of(mail).await.unwrap();
    let told = engine.store.erase(people.clone(), really, engine.now()).await.unwrap();
    (people, told)
}

/// The ERP's documents of that number.
fn documents(stage: &Stage, number: &str) -> usize {
    let ledger = open(&stage.world).erp.ledger();
    ledger["orders"].as_array().unwrap().iter().filter(|row| row["reference"] == number).count()
}

/// Somebody bought and was billed, and asks to be forgotten with the invoice open.
fn forgotten<F: Future<Output = ()>>(seed: u64, buyer: Option<u64>, then: impl FnOnce(Stage, File, String) -> F) {
    refunding(seed, Refunds::Carry, |mut stage| async move {
        let file = File::of(seed);
        stage.keep_in_file(&file.0).unwrap();
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        let first = bought(&stage, 1, buyer);
        // While it is under way nothing is erased.
        stage.boot().await.unwrap().look().await.unwrap();
        let (people, told) = erased(&stage, buyer, true).await;
        assert_eq!((people.len(), told.done, told.open.is_empty()), (1, false, false), "{told:?}");
        passes(&stage, 240).await;
        let (id, _) = order(&stage, &first);
        let now = stage.clock.true_now();
        open(&stage.world).shop.invoice_by_hand(now, id, &[]);
        post(&stage, &first);
        passes(&stage, 600).await;
        assert!(!words_in(&mut stage, &file).is_empty(), "it knows them");
        let (_, told) = erased(&stage, buyer, false).await;
        assert_eq!((told.done, told.people, told.orders, told.open.len()), (false, 1, 1, 0), "{told:?}");
        let (_, told) = erased(&stage, buyer, true).await;
        assert!(told.done, "{told:?}");
        assert_eq!(words_in(&mut stage, &file), [""; 0], "everything that tells of them is gone");
        then(stage, file, first).await;
    });
}

#[test]
fn s78_a_person_is_erased_with_an_invoice_open_and_the_books_stay_as_they_are() {
    for (seed, buyer) in [(781, None), (782, Some(ACCOUNT.0))] {
        forgotten(seed, buyer, |mut stage, file, first| async move {
            // Neither a deep sweep, nor news of the order, nor what its papers bring is them again.
            let engine = stage.boot().await.unwrap();
            engine.store.retry(syncline_store::Retry::Rested(Kind::Order), engine.now()).await.unwrap();
            drop(engine);
            let (_, lines) = order(&stage, &first);
            assert!(give_back(&stage, &first, &[(lines[0].0, 1)], Decimal::ZERO, Decimal::ZERO));
            stage.sweep_s = Some(40);
            // What goes wrong with it meanwhile is kept as evidence of others; not of them.
            troubled(&stage, Fault::ErrorAfter, 300);
            passes(&stage, 600).await;
            calmed(&stage, Fault::ErrorAfter);
            passes(&stage, 1_800).await;
            assert_eq!(words_in(&mut stage, &file), [""; 0], "and nothing of them came back");
            let (memos, credits) = given(&stage, &first);
            assert_eq!((memos.len(), &memos), (1, &credits), "what was given back is credited");
            let engine = stage.boot().await.unwrap();
            let proof = engine.verify().await.unwrap();
            assert_eq!((proof.drift, broken(&stage)), (0, vec![]), "{proof:?}");
            assert_eq!((documents(&stage, &first), differences(&stage)), (1, vec![]));
            let writes = open(&stage.world).writes;
            passes(&stage, 3_600).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        });
    }
}

#[test]
fn who_was_erased_and_orders_again_is_a_customer_like_any_other() {
    for (seed, buyer) in [(783, None), (784, Some(ACCOUNT.0))] {
        forgotten(seed, buyer, |mut stage, file, first| async move {
            let second = bought(&stage, 2, buyer);
            passes(&stage, 600).await;
            assert_eq!([&first, &second].map(|number| documents(&stage, number)), [1, 1]);
            assert!(!words_in(&mut stage, &file).is_empty(), "a new order is a new reason to know them");
            let engine = stage.boot().await.unwrap();
            let proof = engine.verify().await.unwrap();
            assert_eq!((proof.drift, proof.flows[&Flow::Orders].open, broken(&stage)), (0, 0, vec![]), "{proof:?}");
            drop(engine);
            let (_, told) = erased(&stage, buyer, true).await;
            assert_eq!((told.done, told.people, told.orders), (true, 1, 2), "{told:?}");
            assert_eq!(words_in(&mut stage, &file), [""; 0], "as often as they ask");
        });
    }
}

#[test]
fn an_order_that_comes_to_need_somebody_who_was_erased_is_held_and_turns_in_no_circle() {
    told(785, |mut stage| async move {
        stage.rules.start = Some(jiff::civil::date(2027, 1, 1));
        let number = bought(&stage, 1, None);
        passes(&stage, 120).await;
        assert_eq!(lane(&stage.boot().await.unwrap(), &number).await.state, "early");
        let (_, told) = erased(&stage, None, true).await;
        assert!(told.done, "{told:?}");
        let engine = stage.boot().await.unwrap();
        let entity = lane(&engine, &number).await.entity;
        assert_eq!(engine.import(vec![entity]).await.unwrap(), 1);
        passes(&stage, 600).await;
        let held = lane(&engine, &number).await;
        assert_eq!((held.state.as_str(), held.why.unwrap().code.as_str()), ("held", "SYN-0181"));
        assert_eq!((documents(&stage, &number), broken(&stage)), (0, vec![]));
    });
}
