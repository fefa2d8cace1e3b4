//! Many at once: one request, a note for each, and what is known of each after it.

use super::world::{Fault, Held, block, connector, described, leaves, nested, permit, text, with};
use serde_json::{Value as Json, json};
use syncline_connect::json_api::Resource;
use syncline_connect::{Connector, Outcome};
use syncline_core::kind::{Kind, Step};
use syncline_core::profile::Guard;
use syncline_sim::json_api::{Api, Shape};

/// The nested API, which takes many at once.
fn many() -> Json {
    let batch = json!({
        "path": "/v1/articles/batch", "most": 3, "items": "/articles", "results": "/results",
        "record": "/article", "status": "/status",
    });
    let create = json!({"path": "/v1/articles", "answer": "record", "batch": batch});
    let update = with(json!({"path": "/v1/articles/{id}", "body": "whole"}), json!({"batch": batch}));
    with(nested(), json!({"create": create, "update": update}))
}

/// What became of each: done by its SKU, or how it is not known, or refused.
fn told(outcomes: Vec<Outcome>) -> Vec<String> {
    let one = |outcome| match outcome {
        Outcome::Done(snapshot) => format!("done {}", snapshot.id.id),
        Outcome::Refused(error) => format!("refused {:?}", error.kind),
        Outcome::Unknown { learned, .. } => format!("unknown {}", learned.map_or("-".to_owned(), |id| id.id)),
    };
    outcomes.into_iter().map(one).collect()
}

/// What became of products of these SKUs that were made at once.
fn made(held: &Held, description: Json, skus: &[&str]) -> Vec<String> {
    let of = |sku: &&str| permit(held, Step::Create, None, leaves(&[("sku", text(sku)), ("texts.en.name", text("A"))]));
    let permits = skus.iter().map(of).collect();
    told(block(async { connector(description).write(&held.ctx(), permits).await }))
}

/// What became of new names of the products `ids`.
fn renamed(held: &Held, description: Json, ids: &[&str]) -> Vec<String> {
    let of = |id: &&str| permit(held, Step::Update, Some(id), leaves(&[("texts.en.name", text("B"))]));
    let permits = ids.iter().map(of).collect();
    told(block(async { connector(description).write(&held.ctx(), permits).await }))
}

#[test]
fn many_are_made_by_one_request_and_told_by_its_answer() {
    let held = Held::of(Api::new(Shape::Nested, "secret"));
    assert_eq!(made(&held, many(), &["A", "B", "C"]), ["done p-000001", "done p-000002", "done p-000003"]);
    let log = held.log();
    assert_eq!(log.len(), 1, "nothing is read back: {log:?}");
    assert!(log[0].starts_with("write POST /v1/articles/batch {\"articles\":[{"), "{}", log[0]);
    assert_eq!(held.with(|world| world.notes), 3, "a note for each");
    assert_eq!(made(&held, many(), &["D", "E", "F", "G"]).len(), 4);
    assert_eq!(held.log().len(), 2, "as many of one request as it takes");
    assert_eq!(made(&held, many(), &["H"]), ["done p-000008"]);
    assert!(held.log()[0].starts_with("write POST /v1/articles {"), "one goes alone");
}

#[test]
fn many_are_changed_by_one_request_that_says_which() {
    let held = Held::stocked(Shape::Nested, 2);
    assert_eq!(renamed(&held, many(), &["p-000001", "p-000002"]), ["done p-000001", "done p-000002"]);
    let log = held.log();
    let writes: Vec<&String> = log.iter().filter(|line| line.starts_with("write")).collect();
    assert_eq!((log.len(), writes.len()), (5, 1), "each is read before and after: {log:?}");
    assert!(writes[0].contains("\"uuid\":\"p-000002\"") && writes[0].contains("S002"), "{}", writes[0]);
    assert_eq!(renamed(&held, many(), &["p-000001", "p-9"]), ["done p-000001", "refused Gone"]);
}

#[test]
fn one_that_cannot_be_done_leaves_the_others_be() {
    let held = Held::of(Api::new(Shape::Nested, "secret").keeping_apart());
    made(&held, many(), &["A"]);
    assert_eq!(made(&held, many(), &["B", "A", "C"]), ["done p-000002", "unknown -", "done p-000003"], "409");
    let permits = vec![
        permit(&held, Step::Create, None, leaves(&[("sku", text("D"))])),
        permit(&held, Step::Create, None, leaves(&[("sku", text("E")), ("attributes.size", text("L"))])),
        permit(&held, Step::Create, None, leaves(&[("sku", text("F"))])),
    ];
    let outcomes = told(block(async { connector(many()).write(&held.ctx(), permits).await }));
    assert_eq!(outcomes, ["done p-000004", "refused Invalid", "done p-000005"], "it has no place for a size");
}

#[test]
fn after_a_fault_of_the_request_it_is_known_of_all_or_of_none() {
    let answer = |status: u16| Fault::Answer(status, vec![], "{}".to_owned());
    for (fault, create, update) in [
        (Fault::NotSent, "refused Unreachable", "refused Unreachable"),
        (Fault::LostReply, "unknown -", "unknown p-000001"),
        (Fault::Cut, "unknown -", "unknown p-000001"),
        (Fault::After(500, "{}"), "unknown -", "unknown p-000001"),
        (Fault::After(200, "{\"results\":{}}"), "unknown -", "unknown p-000001"),
        (Fault::After(200, "{}"), "unknown -", "unknown p-000001"),
        (answer(404), "refused Config", "refused Gone"),
        (answer(413), "refused Invalid", "refused Invalid"),
        (answer(422), "refused Invalid", "refused Invalid"),
        (answer(429), "refused Busy", "refused Busy"),
    ] {
        let held = Held::stocked(Shape::Nested, 2);
        held.meets([fault.clone()]);
        assert_eq!(made(&held, many(), &["A", "B"]), [create, create], "{fault:?}");
        let held = Held::stocked(Shape::Nested, 2);
        held.meets([Fault::None, Fault::None, fault.clone()]);
        assert_eq!(renamed(&held, many(), &["p-000001", "p-000002"])[0], update, "{fault:?}");
    }
}

#[test]
fn rows_are_believed_where_they_are_those_of_what_was_sent() {
    let row = |sku: &str, id: &str| json!({"status": 201, "article": {"uuid": id, "code": sku}});
    let of = |rows: Vec<Json>| {
        let held = Held::answering([json!({"results": rows})]);
        made(&held, many(), &["A", "B"])
    };
    assert_eq!(of(vec![row("A", "1"), row("B", "2")]), ["done 1", "done 2"]);
    assert_eq!(of(vec![row("B", "2"), row("A", "1")]), ["unknown -"; 2], "in another order");
    assert_eq!(of(vec![row("A", "1")]), ["unknown -"; 2], "one is missing");
    assert_eq!(of(vec![row("A", "1"), row("B", "2"), row("C", "3")]), ["unknown -"; 2], "one too many");
    for (strange, wanted) in [
        (json!(null), "unknown -"),
        (json!({"article": {"uuid": "2", "code": "B"}}), "unknown -"),
        (json!({"status": 201}), "unknown -"),
        (json!({"status": "201", "article": {"uuid": "2", "code": "B"}}), "done 2"),
        (json!({"status": true, "article": {"uuid": "2"}}), "unknown -"),
        (json!({"status": 99999, "article": {"uuid": "2"}}), "unknown -"),
        (json!({"status": 201, "article": {"uuid": ".."}}), "unknown -"),
        (json!({"status": 503, "article": {"uuid": "2"}}), "unknown -"),
        (json!({"status": 422}), "refused Invalid"),
        (json!({"status": 403}), "refused Denied"),
        (json!({"status": 429}), "refused Busy"),
    ] {
        assert_eq!(of(vec![row("A", "1"), strange.clone()])[1], wanted, "{strange}");
    }
}

#[test]
fn a_row_may_tell_by_an_error_that_it_failed() {
    let batch = json!({"path": "/b", "most": 9, "error": "/error", "record": "/item"});
    let description = with(nested(), json!({"create": {"path": "/v1/articles", "answer": "record", "batch": batch}}));
    let rows = json!([{"item": {"uuid": "1", "code": "A"}, "error": null}, {"error": {"message": "no"}}]);
    let held = Held::answering([rows]);
    assert_eq!(made(&held, description, &["A", "B"]), ["done 1", "refused Invalid"]);
    assert!(held.log()[0].starts_with("write POST /b [{"), "the records alone, as nothing else is said");
}

#[test]
fn what_tells_another_record_than_was_written_is_read() {
    let description = with(nested(), json!({"update": {"path": "/v1/articles/{id}", "answer": "record"}}));
    let held = Held::stocked(Shape::Nested, 2);
    held.meets([Fault::After(200, "{\"uuid\":\"p-000001\",\"code\":\"S002\"}")]);
    assert_eq!(renamed(&held, description, &["p-000002"]), ["done p-000002"]);
    assert_eq!(held.log().len(), 2, "it is read back");
}

#[test]
fn a_system_that_refuses_a_second_one_is_asked_for_none_before() {
    let unique = with(many(), json!({"create": {"path": "/v1/articles", "unique": true}}));
    for (description, guard, batch) in [
        (many(), Guard::Look { field: "sku".into(), settle_s: 300 }, 3),
        (unique, Guard::Unique { field: "sku".into() }, 3),
        (nested(), Guard::Look { field: "sku".into(), settle_s: 300 }, 4),
    ] {
        let api = connector(description);
        let kind = &api.profile().kinds[&Kind::Variant];
        assert_eq!((&kind.guards[0].guard, kind.batch), (&guard, batch));
    }
}

#[test]
fn a_description_of_many_at_once_goes_together() {
    let wrong = |call: &str, batch: Json, other: Json| {
        let path = if call == "create" { "/v1/articles" } else { "/v1/articles/{id}" };
        let description = with(nested(), json!({call: {"path": path, "batch": batch}}));
        let told: Resource = serde_json::from_value(with(description, other)).unwrap();
        told.checked().unwrap_err().what
    };
    let good = json!({"path": "/b", "most": 5, "status": "/s"});
    described(with(nested(), json!({"create": {"path": "/v1/articles", "batch": good}})));
    for most in [0, 1, 10_001] {
        assert!(wrong("create", with(good.clone(), json!({"most": most})), json!({})).contains("most"));
    }
    assert!(wrong("create", with(good.clone(), json!({"status": null})), json!({})).contains("how a row tells"));
    assert!(wrong("create", good.clone(), json!({"idempotency_header": "Key"})).contains("idempotency_header"));
    assert!(wrong("update", good.clone(), json!({"id": "/ids/0"})).contains("send ids"));
    assert!(wrong("update", with(good, json!({"path": "/b/{id}"})), json!({})).contains("batch.path"));
    let unique = json!({"update": {"path": "/v1/articles/{id}", "unique": true}});
    let told: Resource = serde_json::from_value(with(nested(), unique)).unwrap();
    assert!(told.checked().unwrap_err().what.contains("unique"));
}

#[test]
fn an_update_of_many_says_ids_as_they_are_told() {
    let batch = json!({"path": "/b", "most": 5, "status": "/s", "id_as": "number"});
    let description = with(nested(), json!({"update": {"path": "/v1/articles/{id}", "batch": batch}}));
    let held = Held::answering([json!([{"s": 500}, {"s": 500}])]);
    assert_eq!(renamed(&held, description.clone(), &["17", "18"]), ["unknown 17", "unknown 18"]);
    assert!(held.log()[0].contains("\"uuid\":17}"));
    let held = Held::answering([]);
    assert_eq!(renamed(&held, description, &["a", "b"]), ["refused Config"; 2], "nothing is sent");
    assert_eq!(held.log(), [""; 0]);
}
