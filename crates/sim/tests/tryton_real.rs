//! Holds the simulated Tryton against the answers of a real one, recorded by `xtask/real/record_tryton.py` and those beside
//! it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use syncline_sim::http::{Request, System};
use syncline_sim::tryton::{Erp, Options};

const RECORDED: &str = include_str!("../fixtures/tryton-8.0.json");
/// Of a database with a second company and module `product_image`.
const MORE: &str = include_str!("../fixtures/tryton-8.0-more.json");
/// Of a database with module `stock_package_shipping`.
const PAPERS: &str = include_str!("../fixtures/tryton-8.0-papers.json");
/// Of another one, about money that is given back.
const CREDITS: &str = include_str!("../fixtures/tryton-8.0-credits.json");

/// Of another one, about payments that are booked on invoices.
const PAYMENTS: &str = include_str!("../fixtures/tryton-8.0-payments.json");

/// Of a database with module `sale_supply_drop_shipment`.
const DROP: &str = include_str!("../fixtures/tryton-8.0-drop.json");

/// Of another one, about a sale whose goods leave from two warehouses.
const PLACES: &str = include_str!("../fixtures/tryton-8.0-places.json");

/// Of another one, about days whose books are closed.
const PERIODS: &str = include_str!("../fixtures/tryton-8.0-periods.json");

/// Of another one, about sales that are withdrawn or changed after they were taken over.
const AMEND: &str = include_str!("../fixtures/tryton-8.0-amend.json");

/// Of another one with module `sale_amendment`, about sales that go elsewhere or are cut down after they were processed.
const AMENDED: &str = include_str!("../fixtures/tryton-8.0-amended.json");

/// Of another one, about credit notes that are made by the API.
const REFUNDS: &str = include_str!("../fixtures/tryton-8.0-refunds.json");

/// Fields that hold record ids: only their shape must agree, for the two databases count differently.
const IDS: [&str; 60] = [
    "id",
    "account",
    "journal",
    "payment_term",
    "result",
    "party",
    "currency",
    "company",
    "guest_party",
    "warehouses",
    "lines",
    "line_lines",
    "addresses",
    "country",
    "subdivision",
    "unit",
    "product",
    "taxes",
    "default_uom",
    "sale_uom",
    "lang",
    "tax_identifier",
    "parent",
    "contact_mechanisms",
    "from_location",
    "to_location",
    "input_location",
    "output_location",
    "storage_location",
    "warehouse",
    "shipments",
    "moves",
    "inventory_moves",
    "outgoing_moves",
    "location",
    "template",
    "products",
    "res_id",
    "category",
    "weight_uom",
    "price_list",
    "invoice_address",
    "replaced_by",
    "invoices",
    "package",
    "sale",
    "packages",
    "moves_ignored",
    "invoices_ignored",
    "invoices_recreated",
    "shipment_address",
    "delivery_address",
    "invoice",
    "move",
    "cancel_move",
    "invoice_payment",
    "amendments",
    "line",
    "reconciliation",
    // A picture is converted; what comes of it, and how many bytes, is each converter's own.
    "image",
];

/// Values of the recorded names in our own run.
type Kept = BTreeMap<String, Value>;

#[test]
fn every_recorded_call_gets_the_answer_the_real_server_gave() {
    let ran = replayed(RECORDED, |_, _| ());
    assert!(ran > 200, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_companies_images_and_merged_parties_gets_the_answer_the_real_server_gave() {
    let ran = replayed(MORE, |erp, now| {
        assert!(erp.found_company(now, "Beta", "Beta shop"));
        erp.activate_images(now);
    });
    assert!(ran > 70, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_shipments_and_invoices_gets_the_answer_the_real_server_gave() {
    let ran = replayed(PAPERS, Erp::activate_parcels);
    assert!(ran > 90, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_money_given_back_gets_the_answer_the_real_server_gave() {
    let ran = replayed(CREDITS, Erp::activate_parcels);
    assert!(ran > 60, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_payments_gets_the_answer_the_real_server_gave() {
    let ran = replayed(PAYMENTS, |erp, now| {
        erp.activate_parcels(now);
        let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
        erp.close_books(jiff::civil::date(year - 1, 3, 31));
    });
    assert!(ran > 120, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_credit_notes_made_by_the_api_gets_the_answer_the_real_server_gave() {
    let ran = replayed(REFUNDS, Erp::activate_parcels);
    assert!(ran > 120, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_sales_that_are_withdrawn_gets_the_answer_the_real_server_gave() {
    let ran = replayed(AMEND, Erp::activate_parcels);
    assert!(ran > 90, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_closed_periods_gets_the_answer_the_real_server_gave() {
    let ran = replayed(PERIODS, Erp::activate_parcels);
    assert!(ran > 80, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_what_suppliers_send_gets_the_answer_the_real_server_gave() {
    let ran = replayed(DROP, |erp, now| {
        erp.activate_parcels(now);
        assert!(erp.supply_by_supplier(now, "LAMP-1"));
    });
    assert!(ran > 40, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_goods_of_two_warehouses_gets_the_answer_the_real_server_gave() {
    let ran = replayed(PLACES, |erp, now| {
        erp.activate_parcels(now);
        assert!(erp.open_warehouse(now, "NORTH"));
    });
    assert!(ran > 20, "only {ran} steps were compared");
}

#[test]
fn every_recorded_call_about_sales_that_are_amended_gets_the_answer_the_real_server_gave() {
    let ran = replayed(AMENDED, |erp, now| {
        erp.activate_parcels(now);
        erp.activate_amendments(now);
    });
    assert!(ran > 170, "only {ran} steps were compared");
}

/// How many recorded calls were replayed against a simulated server that `ready` was done to.
fn replayed(recorded: &str, ready: impl FnOnce(&mut Erp, Timestamp)) -> usize {
    let recorded: Value = serde_json::from_str(recorded).unwrap_or_default();
    let text = |key: &str| recorded[key].as_str().unwrap_or_default().to_owned();
    let mut now: Timestamp = format!("{}T08:00:00Z", text("day")).parse().unwrap_or_default();
    let mut erp = Erp::new(Options {
        seed: 7,
        products: 30,
        empty: true,
        web_shop: true,
        now,
        login: text("login"),
        password: text("password"),
    });
    ready(&mut erp, now);
    let (mut kept, mut wrong) = (Kept::new(), Vec::new());
    let steps = recorded["steps"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, step) in steps.iter().enumerate() {
        now = now.checked_add(SignedDuration::from_millis(40)).unwrap_or(now);
        let name = step["name"].as_str().unwrap_or_default();
        books(&mut erp, name);
        bought(&mut erp, now, name, &kept);
        if is_wizard(&mut erp, now, step, &kept) {
            continue;
        }
        let (status, answer) = ask(&mut erp, now, step, &recorded, &kept);
        let mut differences = Vec::new();
        if json!(status) == step["status"] {
            compare(&step["answer"], &answer, "", "", &mut differences);
        } else {
            differences.push(format!("status {status} instead of {}: {answer}", step["status"]));
        }
        for (name, pointer) in step["keep"].as_object().into_iter().flatten() {
            kept.insert(
                name.clone(),
                answer.pointer(pointer.as_str().unwrap_or_default()).cloned().unwrap_or(Value::Null),
            );
        }
        wrong.extend(differences.into_iter().map(|one| format!("step {at}, {}: {one}", step["name"])));
    }
    println!("contract: ran {}", steps.len());
    assert!(wrong.is_empty(), "{} of {} steps differ:\n{}", wrong.len(), steps.len(), wrong.join("\n"));
    steps.len()
}

/// What people bought before a step, and what the supplier had of it, by its name.
fn bought(erp: &mut Erp, now: Timestamp, name: &str, kept: &Kept) {
    let id = |name: &str| kept.get(name).and_then(Value::as_u64).unwrap_or_default();
    let two = rust_decimal::Decimal::TWO;
    match name {
        "shipments: two have left from the north" => {
            assert!(erp.send_from(now, id("sale"), "NORTH", ("MUG", two)).is_some());
        }
        "shipments: three have left from the south" => assert!(erp.ship(now, id("sale"))),
        "bought" => assert!(erp.buy_for(now, id("sale")).is_some()),
        "sent in part" => assert!(erp.supplier_has(now, id("drop"), rust_decimal::Decimal::from(3))),
        _ => {}
    }
}

/// What people did to the books before a step, by its name.
fn books(erp: &mut Erp, name: &str) {
    if let Some(until) = name.strip_prefix("closed until ").and_then(|day| day.parse().ok()) {
        erp.close_books(until);
    }
    match name {
        "the periods are open" => erp.open_books(),
        "all is open" => {
            erp.open_books();
            erp.open_journals();
        }
        _ => {}
    }
}

/// True for the steps of a wizard, which a person goes through at the desk of the simulated server.
fn is_wizard(erp: &mut Erp, now: Timestamp, step: &Value, kept: &Kept) -> bool {
    let asked = step["send"]["method"].as_str().unwrap_or_default();
    if asked == "wizard.party.replace.execute" {
        let told = filled(&step["send"]["params"][1]["ask"], kept);
        let id = |name: &str| told[name].as_u64().unwrap_or_default();
        assert!(erp.replace_party(now, id("source"), id("destination")));
    }
    let sale = kept.get("sale").and_then(Value::as_u64).unwrap_or_default();
    let params = &step["send"]["params"];
    // What is told how to pay beforehand is answered by the server itself.
    if asked.starts_with("wizard.account.invoice.pay.") && params[2] != "choice" {
        return false;
    }
    match asked {
        "wizard.account.invoice.pay.execute" if params[3]["active_id"] == "$credit" => {
            assert!(erp.pay_credit(now, sale));
        }
        "wizard.account.invoice.pay.execute" => assert!(erp.pay_invoices(now, sale)),
        "wizard.account.invoice.credit.execute" => {
            assert!(erp.credit_by_wizard(now, sale, params[1]["start"]["with_refund"] == true));
        }
        "wizard.sale.return_sale.execute" => assert!(erp.return_sale(now, sale).is_some()),
        "wizard.sale.handle.invoice.exception.execute" => assert!(erp.ignore_cancelled(now, sale)),
        _ => {}
    }
    asked.starts_with("wizard.")
}

fn ask(erp: &mut Erp, now: Timestamp, step: &Value, recorded: &Value, kept: &Kept) -> (u16, Value) {
    let word = match step["who"].as_str() {
        Some("sync") => recorded["password"].as_str(),
        Some("wrong") => Some("wrong"),
        _ => None,
    };
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if let Some(word) = word {
        let pair = format!("{}:{word}", recorded["login"].as_str().unwrap_or_default());
        headers.push(("authorization".to_owned(), format!("Basic {}", base64(pair.as_bytes()))));
    }
    let body = filled(&step["send"], kept).to_string().into_bytes();
    let target = step["path"].as_str().unwrap_or_default().to_owned();
    let response = erp.handle(now, &Request { method: "POST".to_owned(), target, headers, body });
    let text = if response.status == 200 { response.body.as_slice() } else { b"null" };
    let answer = serde_json::from_slice(text).unwrap_or_else(|why| json!(format!("no JSON: {why}")));
    (response.status, answer)
}

/// The call with our own values under the recorded names.
fn filled(value: &Value, kept: &Kept) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$').and_then(|name| kept.get(name)) {
            Some(known) => known.clone(),
            None => Value::String(named(text, kept)),
        },
        Value::Array(all) => all.iter().map(|one| filled(one, kept)).collect(),
        Value::Object(all) => {
            Value::Object(all.iter().map(|(key, one)| (named(key, kept), filled(one, kept))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn named(text: &str, kept: &Kept) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), &value.to_string()))
}

fn compare(real: &Value, ours: &Value, key: &str, place: &str, wrong: &mut Vec<String>) {
    match (real, ours) {
        (Value::Object(theirs), Value::Object(mine)) if theirs.contains_key("__class__") => {
            moneyed(theirs, mine, key, place, wrong);
        }
        (Value::Object(theirs), Value::Object(mine)) => {
            if key == "result" && theirs.contains_key("locale") {
                return; // preferences: who is asked about differs, that they came is enough
            }
            for (name, one) in theirs {
                match mine.get(name) {
                    Some(other) => compare(one, other, name, &format!("{place}.{name}"), wrong),
                    None => wrong.push(format!("{place}.{name} is missing")),
                }
            }
            let more = mine.keys().filter(|name| !theirs.contains_key(*name));
            wrong.extend(more.map(|name| format!("{place}.{name} is ours alone")));
        }
        (Value::Array(theirs), Value::Array(mine)) if key == "error" => refused(theirs, mine, place, wrong),
        (Value::Array(theirs), Value::Array(mine)) => {
            if theirs.len() != mine.len() {
                wrong.push(format!(
                    "{place}: {} instead of {} entries: {ours} instead of {real}",
                    mine.len(),
                    theirs.len()
                ));
            }
            for (at, (one, other)) in theirs.iter().zip(mine).enumerate() {
                compare(one, other, key, &format!("{place}[{at}]"), wrong);
            }
        }
        (Value::Number(one), Value::Number(other)) if IDS.contains(&key) && one.is_u64() == other.is_u64() => {}
        (Value::String(one), Value::String(other)) if like_it(key, one, other) => {}
        (one, other) if one != other => wrong.push(format!("{place}: {other} instead of {one}")),
        _ => {}
    }
}

/// Whether two texts that are never equal look alike: a `_timestamp`, a session token, a record named `model,id`.
fn like_it(key: &str, real: &str, ours: &str) -> bool {
    let model = |text: &str| text.split_once(',').map(|(model, _)| model.to_owned());
    if matches!(key, "origin" | "shipment") {
        return model(real).is_some() && model(real) == model(ours);
    }
    let seconds = |text: &str| text.split('.').map(str::len).collect::<Vec<_>>();
    matches!(
        (key, seconds(real).as_slice(), seconds(ours).as_slice()),
        ("_timestamp", [10, 1..=5], [10, 1..=5]) | ("result", [64], [64])
    )
}

/// Typed values: dates by the day, moments by being there, decimals by their value.
fn moneyed(real: &Map<String, Value>, ours: &Map<String, Value>, key: &str, place: &str, wrong: &mut Vec<String>) {
    let (one, other) = (real.get("__class__"), ours.get("__class__"));
    let number = |all: &Map<String, Value>| {
        all.get("decimal").and_then(Value::as_str).and_then(|text| text.parse::<rust_decimal::Decimal>().ok())
    };
    let moment = ["write_date", "create_date", "image"].contains(&key);
    let same =
        one == other && (moment || (one == Some(&json!("Decimal")) && number(real) == number(ours)) || real == ours);
    if !same {
        wrong.push(format!("{place}: {ours:?} instead of {real:?}"));
    }
}

/// Refusals: the same class, the same words apart from record ids, the same clause.
fn refused(real: &[Value], ours: &[Value], place: &str, wrong: &mut Vec<String>) {
    let words = |error: &[Value]| match error {
        [Value::String(class), Value::Array(said)] => {
            let clauses = said.get(2).and_then(|domain| domain.get(0)).cloned().unwrap_or(Value::Null);
            let names: Vec<Value> =
                clauses.as_array().into_iter().flatten().map(|clause| json!([clause[0], clause[1]])).collect();
            // A warning goes by a hash and a word.
            let name = said[0].as_str().unwrap_or_default();
            let name = name.split_once('.').filter(|_| class == "UserWarning").map_or(name, |(_, word)| word);
            let more = if class == "UserWarning" { json!(said[1..]).to_string() } else { String::new() };
            format!("{class}: {} {}{}", masked(name), json!(names), masked(&more))
        }
        other => json!(other).to_string(),
    };
    let (one, other) = (words(real), words(ours));
    if one != other {
        wrong.push(format!("{place}: refused with {other}\n    instead of {one}"));
    }
}

/// The text with every quoted bare number masked: ids differ.
fn masked(text: &str) -> String {
    let parts: Vec<&str> = text.split('"').collect();
    let bare = |part: &str| !part.is_empty() && part.trim_matches(['(', ')']).bytes().all(|one| one.is_ascii_digit());
    parts.iter().map(|part| if bare(part) { "#" } else { part }).collect::<Vec<_>>().join("\"")
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let held = three.iter().fold(0_usize, |held, one| held << 8 | usize::from(*one)) << (8 * (3 - three.len()));
        text.extend(
            (0..4).map(|at| if at <= three.len() { char::from(LETTERS[held >> (18 - 6 * at) & 63]) } else { '=' }),
        );
    }
    text
}
