//! Creates and updates: what is sent, what is read back, and what is known after each fault.

use super::world::{Fault, Held, connector, flat, leaves, nested, number, permit, shown, text, with, written};
use serde_json::json;
use syncline_connect::{Connector, Outcome};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_sim::json_api::{Api, Shape};

fn mug() -> Leaves {
    leaves(&[
        ("sku", text("MUG")),
        ("texts.en.name", text("Mug")),
        ("weight", number("0.35")),
        ("attributes.price", number("4.5")),
    ])
}

#[test]
fn what_is_made_is_sent_in_the_words_of_the_file_and_begins_disabled() {
    let held = Held::of(Api::new(Shape::Flat, "secret"));
    let (id, told) = shown(written(&connector(flat()), &held, permit(&held, Step::Create, None, mug())));
    let log = held.log();
    let sent: serde_json::Value = serde_json::from_str(log[0].rsplit_once("products ").unwrap().1).unwrap();
    let product = json!({"status": 2, "price": "4.50", "sku": "MUG", "name": "Mug", "weight": serde_json::from_str::<serde_json::Value>("0.35").unwrap()});
    assert_eq!(sent, json!({"product": product}));
    assert_eq!((id.as_str(), log[1].as_str(), log.len()), ("1", "GET /api/products/1", 2));
    assert_eq!(told.value(&Path::field("active")), Some(&Value::Bool(false)));
    assert_eq!(told.overlaid(&mug()), told, "all that was sent is shown");

    let held = Held::of(Api::new(Shape::Nested, "secret"));
    let (id, told) = shown(written(&connector(nested()), &held, permit(&held, Step::Create, None, mug())));
    let log = held.log();
    assert!(log[0].contains("\"measures\":{\"grams\":350}") && log[0].contains("\"cents\":450"), "{}", log[0]);
    assert_eq!((id.as_str(), told.overlaid(&mug()) == told), ("p-000001", true));
}

#[test]
fn an_update_sends_what_changes_or_the_whole_record_with_it() {
    let change = || leaves(&[("texts.en.name", text("Cup"))]);
    let held = Held::stocked(Shape::Flat, 1);
    shown(written(&connector(flat()), &held, permit(&held, Step::Update, Some("1"), change())));
    assert_eq!(held.log()[0], "write PATCH /api/products/1 {\"product\":{\"name\":\"Cup\"}}");

    let held = Held::stocked(Shape::Nested, 1);
    held.with(|world| world.api.alter(world.now, 1, |product| product.cents = Some(990)));
    let (_, told) =
        shown(written(&connector(nested()), &held, permit(&held, Step::Update, Some("p-000001"), change())));
    assert!(held.log()[1].starts_with("write PUT /v1/articles/p-000001 {"));
    assert_eq!(told.value(&Path::try_from("attributes.price".to_owned()).unwrap()), Some(&number("9.9")), "it is kept");
    assert_eq!(told.value(&Path::field("sku")), Some(&text("S001")));

    let mut nothing = Leaves::new();
    nothing.tell(Path::field("weight"), None);
    nothing.tell(Path::try_from("texts.en.name".to_owned()).unwrap(), None);
    let (_, told) = shown(written(&connector(nested()), &held, permit(&held, Step::Update, Some("p-000001"), nothing)));
    assert_eq!(told.get(&Path::field("weight")), syncline_core::leaf::Leaf::Empty);
}

/// What became of a create or an update that met `fault`: what is known, its kind, and how many products there are.
fn met(step: Step, fault: Fault) -> (String, usize, usize) {
    let held = Held::stocked(Shape::Flat, 1);
    let create = step == Step::Create;
    let permit = match create {
        true => permit(&held, step, None, mug()),
        false => permit(&held, step, Some("1"), leaves(&[("texts.en.name", text("Cup"))])),
    };
    held.meets([fault]);
    let known = match written(&connector(flat()), &held, permit) {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::Refused(error) => format!("refused {:?}", error.kind),
        Outcome::Unknown { learned, .. } => format!("unknown {}", learned.map_or("-".to_owned(), |id| id.id)),
    };
    let sent = held.log().iter().filter(|line| line.starts_with("write")).count();
    (known, sent, held.with(|world| world.api.products().len()))
}

#[test]
fn nothing_is_sent_twice_and_what_may_have_happened_is_said_so() {
    let answer = |status: u16, body: &str| Fault::Answer(status, vec![("retry-after", "3")], body.to_owned());
    for (fault, create, update, made) in [
        (Fault::None, "done", "done", 1),
        (Fault::NotSent, "refused Unreachable", "refused Unreachable", 0),
        (Fault::LostReply, "unknown -", "unknown 1", 1),
        (Fault::Cut, "unknown -", "unknown 1", 1),
        (Fault::Twice, "done", "done", 2),
        (Fault::After(500, "{}"), "unknown -", "unknown 1", 1),
        (Fault::After(502, "<html>bad gateway</html>"), "unknown -", "unknown 1", 1),
        (Fault::After(200, "<html>one moment</html>"), "unknown -", "unknown 1", 1),
        (Fault::After(201, ""), "unknown -", "done", 1),
        (Fault::After(201, "{\"data\":{}}"), "unknown -", "done", 1),
        (Fault::After(201, "{\"data\":{\"id\":[]}}"), "unknown -", "done", 1),
        (Fault::After(303, ""), "unknown -", "unknown 1", 1),
        (answer(409, "{}"), "unknown -", "unknown 1", 0),
        (answer(408, "{}"), "unknown -", "unknown 1", 0),
        (answer(503, "{}"), "unknown -", "unknown 1", 0),
        (answer(301, ""), "refused Config", "refused Config", 0),
        (answer(400, "{}"), "refused Invalid", "refused Invalid", 0),
        (answer(401, "{}"), "refused Denied", "refused Denied", 0),
        (answer(404, "{}"), "refused Config", "refused Gone", 0),
        (answer(405, "{}"), "refused Config", "refused Config", 0),
        (answer(412, "{}"), "refused Stale", "refused Stale", 0),
        (answer(422, "{\"error\":\"name\"}"), "refused Invalid", "refused Invalid", 0),
        (answer(429, "{}"), "refused Busy", "refused Busy", 0),
        (answer(200, "{\"error\":\"no\"}"), "refused Invalid", "refused Invalid", 0),
    ] {
        let shown = format!("{fault:?}");
        assert_eq!(met(Step::Create, fault.clone()), (create.to_owned(), 1, 1 + made), "create: {shown}");
        assert_eq!(met(Step::Update, fault), (update.to_owned(), 1, 1), "update: {shown}");
    }
}

#[test]
fn what_was_written_and_cannot_be_read_back_is_known_by_its_id() {
    let held = Held::of(Api::new(Shape::Flat, "secret"));
    held.meets([Fault::None, Fault::Answer(500, vec![], "{}".to_owned())]);
    let outcome = written(&connector(flat()), &held, permit(&held, Step::Create, None, mug()));
    let Outcome::Unknown { learned: Some(id), .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(id.id, "1");
}

#[test]
fn a_create_carries_one_key_each_time_it_is_sent() {
    let held = Held::of(Api::new(Shape::Flat, "secret").remembering());
    let key =
        |held: &Held| held.with(|world| world.headers.iter().find(|(name, _)| name == "idempotency-key").cloned());
    held.meets([Fault::LostReply]);
    let api = connector(flat());
    assert!(matches!(written(&api, &held, permit(&held, Step::Create, None, mug())), Outcome::Unknown { .. }));
    let first = key(&held);
    assert!(first.as_ref().is_some_and(|(_, key)| key.starts_with("SLTEST-")), "{first:?}");
    held.meets([Fault::None, Fault::Answer(500, vec![], "{}".to_owned())]);
    let second = written(&api, &held, permit(&held, Step::Create, None, mug()));
    assert!(matches!(second, Outcome::Unknown { learned: Some(_), .. }));
    assert_eq!(held.with(|world| world.api.products().len()), 1, "the API remembers it");
}

#[test]
fn what_the_file_does_not_describe_is_not_written() {
    let held = Held::stocked(Shape::Flat, 1);
    let reading = connector(with(flat(), json!({"create": null, "update": null})));
    let refused = |outcome: Outcome| match outcome {
        Outcome::Refused(error) => error.kind,
        other => panic!("{other:?}"),
    };
    let make = || permit(&held, Step::Create, None, mug());
    assert_eq!(refused(written(&reading, &held, make())), ErrorKind::Unsupported);
    assert!(reading.profile().kinds[&Kind::Variant].writes.is_empty());
    let api = connector(flat());
    for strange in [("texts.de.name", text("Becher")), ("form", text("goods")), ("weight", text("heavy"))] {
        let change = permit(&held, Step::Update, Some("1"), leaves(&[strange]));
        assert_eq!(refused(written(&api, &held, change)), ErrorKind::Invalid);
    }
    assert_eq!(
        refused(written(&api, &held, permit(&held, Step::Cancel, Some("1"), Leaves::new()))),
        ErrorKind::Unsupported
    );
    assert!(held.log().is_empty(), "nothing left");
}
