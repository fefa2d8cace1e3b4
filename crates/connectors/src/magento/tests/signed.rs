//! Requests signed by OAuth 1.0a against a shop that checks them on its own.

use super::world::{Fault, Held, permit, shop};
use crate::magento::{Auth, Config, Keys, Magento};
use serde_json::json;
use syncline_connect::{Connector, Cursor, Lookup, Outcome};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::policy::ErrorKind;
use syncline_sim::http::{Request, System};
use syncline_sim::magento as sim;

fn demanding(orders: usize) -> Held {
    let held = Held::new(orders);
    held.with(|world| world.shop.demand_signatures(sim::Keys::of(5)));
    held
}

fn signed(change: impl FnOnce(&mut Keys)) -> Magento {
    let sim::Keys { consumer_key, consumer_secret, access_token, access_token_secret } = sim::Keys::of(5);
    let mut keys = Keys { consumer_key, consumer_secret, access_token, access_token_secret };
    change(&mut keys);
    Magento::new(Config { papers: true, ..Config::new("http://shop.example/", Auth::Signed(keys)) })
}

#[tokio::test]
async fn every_sort_of_address_is_signed_as_the_shop_reads_it() {
    let (held, magento) = (demanding(3), signed(|_| ()));
    let ctx = held.ctx();
    magento.probe(&ctx).await.expect("lists, settings and versions");
    assert_eq!(magento.changes(&ctx, Kind::Order, &Cursor::default()).await.unwrap().seen.len(), 3);
    let skus = ["NUT/M8 ü", "50% + é/[a]&b=c~'(*)!", "BOLT-M8"].map(|sku| RemoteId::new("", sku));
    let read = magento.read(&ctx, Kind::Variant, &skus).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Ok(None), Ok(Some(_))]), "{read:?}");
    let odd = Lookup::Number("50% + é/[a]&b=c~'(*)!".into());
    assert!(magento.find(&ctx, Kind::Order, &odd).await.unwrap().is_empty());
    assert!(magento.read(&ctx, Kind::Price, &skus).await.iter().all(Result::is_ok), "questions with a JSON body");
    let outcome = magento.write(&ctx, vec![permit(held.now(), "1", Step::Update, "SO-1 ü")]).await.remove(0);
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_read_sent_again_is_signed_again() {
    let (held, magento) = (demanding(1), signed(|_| ()));
    for fault in [Fault::LostReply, Fault::Twice] {
        held.with(|world| world.faults = [fault].into());
        let read = magento.read(&held.ctx(), Kind::Order, &[RemoteId::new("1", "1")]).await.remove(0);
        assert!(read.unwrap().is_some(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_write_whose_nonce_came_before_may_have_been_carried_out() {
    let (held, magento) = (demanding(1), signed(|_| ()));
    held.with(|world| world.faults = [Fault::Twice].into());
    let outcome = magento.write(&held.ctx(), vec![permit(held.now(), "1", Step::Update, "SO-7")]).await.remove(0);
    let Outcome::Unknown { error, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("sends requests twice"), "{error}");
    let stored = held.with(|world| world.shop.ledger());
    assert!(stored["orders"].to_string().contains("SO-7"), "it was: {stored}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_named() {
    let (held, magento) = (demanding(1), signed(|_| ()));
    let mut told = Vec::new();
    for ahead in [-86_400, 599, 601] {
        held.with(|world| world.ahead_s = ahead);
        told.push(magento.read(&held.ctx(), Kind::Order, &[RemoteId::new("1", "1")]).await.remove(0).err());
    }
    assert!(told[0].is_none() && told[1].is_none(), "{told:?}");
    let error = told[2].as_ref().expect("refused");
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("ten minutes ahead"), "{error}");
    let permit = permit(held.ctx().now(), "1", Step::Update, "SO-8");
    let outcome = magento.write(&held.ctx(), vec![permit]).await.remove(0);
    assert!(matches!(&outcome, Outcome::Refused(error) if error.kind == ErrorKind::Config), "{outcome:?}");
}

#[tokio::test]
async fn wrong_keys_are_told_apart_and_never_shown() {
    let held = demanding(0);
    let x = || "x".repeat(32);
    for (magento, part) in [
        (signed(|keys| keys.consumer_key = x()), "look at `consumer_key`"),
        (signed(|keys| keys.consumer_key.push('x')), "look at `consumer_key`"),
        (signed(|keys| keys.access_token = x()), "look at `consumer_key` and `access_token`"),
        (signed(|keys| keys.consumer_secret = "hush".into()), "look at `consumer_secret`"),
        (signed(|keys| keys.access_token_secret = "hush".into()), "proxy that ends TLS"),
        (shop(), "`consumer_key` and the others instead of `token`"),
    ] {
        let error = magento.probe(&held.ctx()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied, "{error}");
        assert!(error.message.contains(part), "{part}: {error}");
        assert!(!format!("{error:?} {magento:?}").contains("hush"));
    }
}

#[tokio::test]
async fn a_signature_holds_for_one_request_only() {
    let (held, magento) = (demanding(1), signed(|_| ()));
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = seen.clone();
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            keep.lock().unwrap().push(request.headers.clone());
            Fault::None
        }));
    });
    magento.read(&held.ctx(), Kind::Order, &[RemoteId::new("1", "1")]).await.remove(0).unwrap();
    let headers = seen.lock().unwrap()[0].clone();
    for (method, target) in [
        ("GET", "/rest/default/V1/orders/1"),
        ("GET", "/rest/default/V1/orders/2"),
        ("GET", "/rest/default/V1/orders/1?fields=state"),
    ] {
        let request =
            Request { method: method.into(), target: target.into(), headers: headers.clone(), body: Vec::new() };
        let answer = held.with(|world| world.shop.handle(world.now, &request));
        assert_eq!(answer.status, 401, "{target}");
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told["parameters"], json!([1]), "the nonce, before all else");
    }
    let fresh = |target: &str, nonce: &str| {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.replace(&format!("{:032x}", 1), nonce)));
        let headers = headers.collect();
        let request = Request { method: "GET".into(), target: target.into(), headers, body: Vec::new() };
        let answer = held.with(|world| world.shop.handle(world.now, &request));
        (answer.status, String::from_utf8_lossy(&answer.body).contains("signature is invalid"))
    };
    assert_eq!(fresh("/rest/default/V1/orders/1", "anew"), (401, true));
}
