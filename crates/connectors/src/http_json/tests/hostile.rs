//! Answers that nobody should give: each is an error of the kind the engine knows what to do with, and nothing panics.

use super::world::{Fault, Held, block, connector, flat, nested, walked, with};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use syncline_connect::{Connector, Cursor, Error, Lookup};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;

fn failing(description: Json, answers: impl IntoIterator<Item = Json>) -> Error {
    let held = Held::answering(answers);
    block(walked(&connector(description), &held.ctx(), &Cursor::default())).expect_err("a failure")
}

fn page(ids: &[u64], more: bool) -> Json {
    let rows: Vec<Json> = ids.iter().map(|id| json!({"id": id, "sku": format!("S{id}")})).collect();
    json!({"data": rows, "meta": {"more": more}})
}

#[test]
fn a_list_that_repeats_a_page_is_refused() {
    let error = failing(flat(), [page(&[1, 2], true), page(&[1, 2], true)]);
    assert!(error.kind == ErrorKind::Broken && error.message.contains("repeats"), "{error}");
    assert!(error.evidence.is_some_and(|evidence| evidence.status == 200), "it may be asked for again");
    let error = failing(flat(), [page(&[1], true), page(&[], true)]);
    assert!(error.message.contains("promises more"), "{error}");
}

#[test]
fn a_next_page_is_followed_below_our_own_address_only() {
    let linked = |next: &str| json!({"rows": [{"uuid": "p-1", "code": "A"}], "next": next});
    for strange in [
        "https://evil.example/v1/articles?after=1",
        "http://api.example.evil/v1/articles",
        "http://api.example@evil.example/",
        "//evil.example/x",
        "ftp://api.example/x",
        "v1/articles?after=1",
        "/v1/a b",
        "/v1\\evil",
        "\nx",
    ] {
        let error = failing(nested(), [linked(strange)]);
        assert!(error.kind == ErrorKind::Broken && error.message.contains("the next page is at"), "{strange}: {error}");
    }
    for fine in ["/v1/articles?after=p-1", "http://api.example/v1/articles?after=p-1", "?after=p-1"] {
        let held = Held::answering([linked(fine), json!({"rows": [], "next": null})]);
        block(walked(&connector(nested()), &held.ctx(), &Cursor::default())).unwrap();
        assert!(held.log()[1].ends_with("/v1/articles?after=p-1"), "{fine}");
    }
}

#[test]
fn a_row_that_cannot_be_read_stops_no_other() {
    let rows = json!([
        {"id": 1, "sku": "A"}, {"id": null, "sku": "B"}, {"sku": "C"}, {"id": 4}, {"id": 5, "sku": " "}, {"id": "..", "sku": "D"},
        {"id": 7, "sku": "E", "price": "cheap"}, {"id": 8, "sku": "F", "weight": [1]}, {"id": 9, "sku": "G", "status": 3},
        {"id": 10, "sku": 10, "weight": "1.5", "price": 4.5, "status": "1"}, {"id": 1, "sku": "A2"}, "row", null, 7, [],
        {"id": 11, "sku": "H", "weight": 1e300}, {"id": 12, "sku": {"a": 1}}, {"id": 13, "sku": "I", "status": true},
    ]);
    let held = Held::answering([json!({"data": rows, "meta": {"more": false}})]);
    let (pages, _) = block(walked(&connector(flat()), &held.ctx(), &Cursor::default())).unwrap();
    let read: Vec<&str> =
        pages[0].seen.iter().filter(|seen| seen.snapshot.is_ok()).map(|seen| seen.id.id.as_str()).collect();
    assert_eq!(read, ["10", "1"], "a number in a text is one, and of two rows of one id the last counts");
    let unread: Vec<&str> =
        pages[0].seen.iter().filter(|seen| seen.snapshot.is_err()).map(|seen| seen.id.id.as_str()).collect();
    for id in
        ["unknown:\"B\"", "unknown:\"C\"", "4", "5", "unknown:\"D\"", "7", "8", "9", "11", "12", "13", "unknown:7"]
    {
        assert!(unread.contains(&id), "{id} of {unread:?}");
    }
}

#[test]
fn each_status_means_what_the_engine_knows() {
    let html = "<html>one moment</html>";
    for (status, headers, body, kind, wait) in [
        (301, vec![("location", "https://evil.example/")], "", ErrorKind::Config, None),
        (400, vec![], "{\"error\":\"x\"}", ErrorKind::Config, None),
        (401, vec![], "{}", ErrorKind::Denied, None),
        (403, vec![], html, ErrorKind::Denied, None),
        (404, vec![], "{}", ErrorKind::Config, None),
        (404, vec![], html, ErrorKind::Config, None),
        (405, vec![], "{}", ErrorKind::Config, None),
        (429, vec![("retry-after", "17")], "{}", ErrorKind::Busy, Some(17)),
        (429, vec![("retry-after", "4000000000")], "{}", ErrorKind::Busy, Some(3_600)),
        (429, vec![("retry-after", "soon")], "{}", ErrorKind::Busy, None),
        (500, vec![], "{}", ErrorKind::Unreachable, None),
        (502, vec![], html, ErrorKind::Unreachable, None),
        (503, vec![], "", ErrorKind::Busy, None),
        (200, vec![], html, ErrorKind::Unreachable, None),
        (200, vec![], "{\"data\":[", ErrorKind::Unreachable, None),
        (200, vec![], "data", ErrorKind::Broken, None),
        (200, vec![], "[]", ErrorKind::Broken, None),
        (200, vec![], "{\"data\":{}}", ErrorKind::Broken, None),
        (200, vec![], "{\"data\":[],\"error\":\"no such shop\"}", ErrorKind::Broken, None),
        (200, vec![], "{\"data\":null,\"error\":{\"code\":7}}", ErrorKind::Broken, None),
    ] {
        let held = Held::answering([]);
        held.meets([Fault::Answer(status, headers, body.to_owned())]);
        let error = block(connector(flat()).changes(&held.ctx(), Kind::Variant, &Cursor::default())).unwrap_err();
        assert_eq!((error.kind, error.retry_after_s), (kind, wait), "{status} {body}: {error}");
        assert_eq!(held.log().len(), 1, "{status}: no other address is asked");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let held = Held::answering([]);
    held.meets([Fault::Answer(200, vec![], format!("{{\"data\":{deep}}}"))]);
    let error = block(connector(flat()).changes(&held.ctx(), Kind::Variant, &Cursor::default())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Broken, "{error}");
    let many: Vec<u64> = (0..10_001).collect();
    assert!(failing(flat(), [page(&many, false)]).message.contains("10001 rows"));
    let long = json!({"data": [{"id": 1, "sku": "A", "name": "x".repeat(200_001)}], "meta": {}});
    let held = Held::answering([long]);
    let (pages, _) = block(walked(&connector(flat()), &held.ctx(), &Cursor::default())).unwrap();
    let error = pages[0].seen[0].snapshot.as_ref().unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.len() < 300, "{error}");
}

#[test]
fn another_record_than_was_asked_for_is_refused() {
    let ask = |answer: Json| {
        let held = Held::answering([answer]);
        block(connector(flat()).read(&held.ctx(), Kind::Variant, &[RemoteId::new("", "7")])).remove(0)
    };
    assert!(ask(json!({"data": {"id": 7, "sku": "A"}})).unwrap().is_some());
    assert!(ask(json!({"data": null})).unwrap().is_none());
    for strange in [json!({"data": {"id": 8, "sku": "A"}}), json!({"data": [{"id": 7}]}), json!({"data": {"sku": "A"}})]
    {
        assert_eq!(ask(strange.clone()).unwrap_err().kind, ErrorKind::Broken, "{strange}");
    }
}

#[test]
fn a_change_from_the_far_future_does_not_stop_the_feed() {
    let far = json!({"data": [{"id": 1, "sku": "A", "updated_at": "9990-01-01T00:00:00Z"}], "meta": {}});
    let held = Held::answering([far]);
    let (_, at) = block(walked(&connector(flat()), &held.ctx(), &Cursor::default())).unwrap();
    assert!(at.0.contains("2026-11-23T11:55:00Z"), "{}", at.0);
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        prop_oneof![Just("1e400"), Just("-0"), Just("123456789012345678901234567890"), Just("0.1")]
            .prop_map(|token| serde_json::from_str(token).unwrap()),
    ];
    let names = prop_oneof![
        Just("data"),
        Just("meta"),
        Just("more"),
        Just("id"),
        Just("sku"),
        Just("status"),
        Just("weight"),
        Just("price"),
        Just("updated_at"),
        Just("rows"),
        Just("next"),
        Just("uuid"),
        Just("code"),
        Just("title"),
        Just("error"),
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_is_answered_panics(answers in proptest::collection::vec(any_json(), 1..4), flatly in any::<bool>()) {
        let api = connector(if flatly { flat() } else { with(nested(), json!({"error": "/error"})) });
        let held = Held::answering(answers.clone());
        drop(block(walked(&api, &held.ctx(), &Cursor::default())));
        let held = Held::answering(answers.clone());
        drop(block(api.find(&held.ctx(), Kind::Variant, &Lookup::Number("MUG".into()))));
        let held = Held::answering(answers);
        drop(block(api.read(&held.ctx(), Kind::Variant, &[RemoteId::new("", "7")])));
    }

    #[test]
    fn any_cursor_is_one(text in "\\PC{0,80}") {
        let held = Held::answering([page(&[1], false)]);
        drop(block(connector(flat()).changes(&held.ctx(), Kind::Variant, &Cursor(text))));
    }
}
