//! The ERP tried through its front door.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Erp, Options};
use crate::http::{Request, Response, System};

/// "sync:pw" as a Basic header.
const BASIC: &str = "Basic c3luYzpwdw==";

pub(super) struct Desk {
    pub(super) erp: Erp,
    pub(super) now: Timestamp,
}

impl Desk {
    pub(super) fn new(web_shop: bool) -> Self {
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let (login, password) = ("sync".to_owned(), "pw".to_owned());
        let erp = Erp::new(Options { seed: 1, products: 20, empty: true, web_shop, now, login, password });
        assert_eq!(erp.broken, None);
        Self { erp, now }
    }

    fn send(&mut self, headers: &[(&str, &str)], target: &str, body: &Value) -> Response {
        self.now = self.now.checked_add(SignedDuration::from_millis(500)).unwrap();
        let mut all = vec![("content-type".to_owned(), "application/json".to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = Request {
            method: "POST".to_owned(),
            target: target.to_owned(),
            headers: all,
            body: body.to_string().into_bytes(),
        };
        self.erp.handle(self.now, &request)
    }

    fn answer(&mut self, method: &str, params: Value) -> Value {
        let body = json!({"id": 1, "method": format!("model.{method}"), "params": params});
        let response = self.send(&[("authorization", BASIC)], "/erp/rpc/", &body);
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap()
    }

    pub(super) fn ok(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub(super) fn refused(&mut self, method: &str, params: Value) -> String {
        let answer = self.answer(method, params);
        match &answer["error"] {
            Value::Array(error) if error[0] == "UserError" => error[1][0].as_str().unwrap().to_owned(),
            Value::Array(error) => error[0].as_str().unwrap().to_owned(),
            _ => panic!("{method} was not refused: {answer}"),
        }
    }

    pub(super) fn product(&mut self, code: &str) -> Value {
        self.ok("product.product.search", json!([[["code", "=", code]], {}]))[0].clone()
    }

    pub(super) fn party(&mut self, code: &str) -> (Value, Value) {
        let row = json!({"name": "Jürgen 😀", "code": code, "addresses": [["create", [{"street": "A\nB", "city": " Berlin "}]]]});
        let party = self.ok("party.party.create", json!([[row], {}]))[0].clone();
        let address = self.ok("party.party.read", json!([[party], ["addresses"], {}]))[0]["addresses"][0].clone();
        (party, address)
    }

    pub(super) fn sale(&mut self, party: &(Value, Value), extra: &Value, lines: &[Value]) -> Value {
        let mut row = json!({"party": party.0, "invoice_address": party.1, "shipment_address": party.1,
            "reference": "1001", "lines": [["create", lines]]});
        row.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!([[row], {"company": 1}])
    }
}

pub(super) fn dec(text: &str) -> Value {
    json!({"__class__": "Decimal", "decimal": text})
}

pub(super) fn line(product: &Value, quantity: i64, price: &str, taxes: &[u64]) -> Value {
    json!({"type": "line", "product": product, "quantity": quantity, "unit": 1, "unit_price": dec(price), "taxes": [["add", taxes]]})
}

#[test]
fn an_order_goes_from_draft_to_processing_once() {
    let mut desk = Desk::new(true);
    let party = desk.party("C-1");
    let (fee, goods) = (
        desk.product("FEE"),
        desk.ok("product.product.search", json!([[["type", "=", "goods"]], 0, 1, null, {}]))[0].clone(),
    );
    let lines = [
        line(&goods, 2, "19.9000", &[1]),
        line(&fee, 1, "4.2017", &[1]),
        json!({"type": "comment", "description": "x"}),
    ];
    let row = desk.sale(&party, &json!({"web_shop": 1, "web_id": "M1"}), &lines);
    let sale = desk.ok("sale.sale.create", row.clone())[0].clone();
    assert_eq!(desk.refused("sale.sale.create", row), "The web ID on the sale must be unique per shop.");
    let fields = json!(["state", "number", "total_amount", "tax_amount", "write_date", "_timestamp", "rec_name"]);
    let before = desk.ok("sale.sale.read", json!([[sale], fields, {}]))[0].clone();
    assert_eq!((&before["total_amount"], &before["tax_amount"]), (&dec("52.36"), &dec("8.36")));
    assert_eq!(
        (&before["number"], &before["write_date"], &before["rec_name"]),
        (&Value::Null, &Value::Null, &json!("[1001]"))
    );

    let guard = json!({"_timestamp": {format!("sale.sale,{sale}"): before["_timestamp"]}});
    let more = json!([[sale], {"lines": [["create", [line(&fee, 1, "0.0100", &[])]]]}, guard]);
    desk.ok("sale.sale.write", more.clone());
    assert_eq!(desk.refused("sale.sale.write", more), "ConcurrencyException");
    assert!(desk.refused("sale.sale.confirm", json!([[sale], {}])).contains("can not call \"confirm\""));
    desk.ok("sale.sale.quote", json!([[sale], {}]));
    assert!(desk.refused("sale.sale.quote", json!([[sale], {}])).contains("\"quote\" on \"1 [1001]\""));
    desk.ok("sale.sale.confirm", json!([[sale], {}]));
    desk.ok("sale.sale.process", json!([[sale], {}]));
    let after = desk.ok("sale.sale.read", json!([[sale], fields, {}]))[0].clone();
    assert_eq!((&after["state"], &after["total_amount"]), (&json!("processing"), &dec("52.37")));

    let ledger = desk.erp.ledger();
    let order = &ledger["orders"][0];
    assert_eq!((&order["state"], &order["mark"], &order["total"]), (&json!("released"), &json!("M1"), &json!("52.37")));
    assert_eq!(order["lines"].as_array().unwrap().len(), 3);
    assert_eq!(ledger["customers"][0]["reference"], "C-1");
}

#[test]
fn refusals_leave_nothing_behind() {
    let mut desk = Desk::new(true);
    let party = desk.party("C-1");
    let fee = desk.product("FEE");
    let before = desk.erp.ledger();
    let bad = [
        (line(&fee, 1, "1.00005", &[1]), "exceeds the limit of \"(None, 4)\""),
        (line(&json!(999), 1, "1", &[1]), "for field \"Product\""),
        (line(&fee, 1, "1", &[77]), "The value \"77\" for field \"Taxes\""),
        (line(&fee, 1, "1", &[1, 1]), "only once"),
        (json!({"type": "comment", "colour": "red"}), "'colour'"),
    ];
    for (line, words) in bad {
        let row = desk.sale(&party, &json!({"web_shop": 1, "web_id": "M2"}), &[line]);
        let said = desk.refused("sale.sale.create", row);
        assert!(said.contains(words), "{said}");
    }
    for (extra, words) in [
        (json!({"web_shop": 1}), "A value is required for field \"Web ID\" in record \"[1001]\" of \"Sale\"."),
        (json!({"invoice_address": 1}), ""),
        (json!({"nope": 1}), "'nope'"),
    ] {
        let row = desk.sale(&party, &extra, &[]);
        if !words.is_empty() {
            assert_eq!(desk.refused("sale.sale.create", row), words);
        }
    }
    assert_eq!(
        desk.refused("party.party.create", json!([[{"name": "x", "code": "C-1"}], {}])),
        "The code on party must be unique."
    );
    let vat = json!([[{"name": "v", "identifiers": [["create", [{"type": "eu_vat", "code": "DE123"}]]]}], {}]);
    assert_eq!(
        desk.refused("party.party.create", vat),
        "The European VAT Number \"DE123\" for party \"v\" is not valid."
    );
    let count = |ledger: &Value, key: &str| ledger[key].as_array().unwrap().len();
    let after = desk.erp.ledger();
    assert_eq!(
        (count(&before, "orders"), count(&before, "customers")),
        (count(&after, "orders"), count(&after, "customers"))
    );
}

#[test]
fn the_guest_cannot_be_quoted_and_no_module_means_no_key() {
    let mut desk = Desk::new(true);
    let guest =
        desk.ok("web.shop.search_read", json!([[], 0, null, null, ["guest_party"], {}]))[0]["guest_party"].clone();
    let address = json!({"addresses": [["create", [{"city": "x"}]]]});
    desk.ok("party.party.write", json!([[guest], address, {}]));
    let at = desk.ok("party.party.read", json!([[guest], ["addresses"], {}]))[0]["addresses"][1].clone();
    let fee = desk.product("FEE");
    let row = desk.sale(&(guest, at), &json!({"web_shop": 1, "web_id": "G"}), &[line(&fee, 1, "1", &[1])]);
    let sale = desk.ok("sale.sale.create", row)[0].clone();
    let said = desk.refused("sale.sale.quote", json!([[sale], {}]));
    assert_eq!(
        said,
        "To process the sale \"1 [1001]\" you must select another party instead of the guest \"Webshop Guest\"."
    );

    let mut bare = Desk::new(false);
    assert_eq!(bare.refused("web.shop.search", json!([[], {}])), "'web.shop'");
    let party = bare.party("C");
    let row = bare.sale(&party, &json!({"web_id": "M"}), &[]);
    assert_eq!(bare.refused("sale.sale.create", row), "'web_id'");
    let row = bare.sale(&party, &json!({"description": "1001 MARK"}), &[]);
    let one = bare.ok("sale.sale.create", row.clone());
    let two = bare.ok("sale.sale.create", row);
    let found = bare.ok("sale.sale.search", json!([[["description", "=", "1001 MARK"]], 0, null, [["id", "ASC"]], {}]));
    assert_eq!(found, json!([one[0], two[0]]));
    bare.erp.quirks_mut().search_lag = SignedDuration::from_secs(60);
    assert_eq!(bare.ok("sale.sale.search", json!([[["description", "like", "1001%"]], {}])), json!([]));
    assert_eq!(bare.erp.ledger()["orders"][0]["mark"], "MARK");
}

#[test]
fn a_queue_leaves_a_sale_confirmed_for_a_while() {
    let mut desk = Desk::new(true);
    desk.erp.quirks_mut().queued = Some(SignedDuration::from_secs(2));
    let (party, fee) = (desk.party("C"), desk.product("FEE"));
    let row = desk.sale(&party, &json!({}), &[line(&fee, 1, "1", &[1])]);
    let sale = desk.ok("sale.sale.create", row)[0].clone();
    desk.ok("sale.sale.quote", json!([[sale], {}]));
    desk.ok("sale.sale.confirm", json!([[sale], {}]));
    assert_eq!(desk.ok("sale.sale.read", json!([[sale], ["state"], {}]))[0]["state"], "confirmed");
    desk.now = desk.now.checked_add(SignedDuration::from_secs(3)).unwrap();
    assert_eq!(desk.ok("sale.sale.read", json!([[sale], ["state"], {}]))[0]["state"], "processing");
    assert!(desk.erp.cancel_sale(desk.now, sale.as_u64().unwrap()));
    assert_eq!(desk.erp.ledger()["orders"][0]["state"], "cancelled");
}

#[test]
fn sessions_and_passwords_are_checked() {
    let mut desk = Desk::new(true);
    let login =
        |word: &str| json!({"id": 1, "method": "common.db.login", "params": ["sync", {"password": word}, "en"]});
    assert_eq!(desk.send(&[], "/erp/rpc/", &login("no")).status, 401);
    let body: Value = serde_json::from_slice(&desk.send(&[], "/erp/rpc/", &login("pw")).body).unwrap();
    let token = body["result"][1].as_str().unwrap().to_owned();
    assert_eq!((token.len(), &body["result"][0]), (64, &json!(2)));
    let probe = json!({"id": 1, "method": "model.res.user.get_preferences", "params": [true, {}]});
    let refused = desk.send(&[("authorization", "Basic c3luYzpubw==")], "/erp/rpc/", &probe);
    assert_eq!((refused.status, refused.body.len()), (401, 0));
    let held = format!("sync:2:{token}");
    let session = format!("Session {}", encoded(held.as_bytes()));
    assert_eq!(desk.send(&[("authorization", &session)], "/erp/rpc/", &probe).status, 200);
    desk.erp.end_sessions();
    assert_eq!(desk.send(&[("authorization", &session)], "/erp/rpc/", &probe).status, 401);
    let version = desk.send(&[], "/rpc/", &json!({"id": 0, "method": "common.server.version", "params": []}));
    assert_eq!(version.body, br#"{"id":0,"result":"8.0"}"#);
}

#[test]
fn long_answers_are_called_gzip_and_are_only_when_asked() {
    let mut desk = Desk::new(true);
    let body = json!({"id": 1, "method": "model.product.product.search_read",
        "params": [[], 0, null, null, ["code", "name", "list_price_used", "template.name"], {}]});
    let plain = desk.send(&[("authorization", BASIC)], "/erp/rpc/", &body);
    assert!(plain.headers.contains(&("content-encoding".to_owned(), "gzip".to_owned())));
    assert!(plain.body.starts_with(b"{\"id\":1"));
    let zipped = desk.send(&[("authorization", BASIC), ("accept-encoding", "gzip")], "/erp/rpc/", &body);
    assert!(zipped.body.starts_with(&[0x1f, 0x8b]));
}

fn encoded(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let held = three.iter().fold(0_usize, |held, one| held << 8 | usize::from(*one)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = if at <= three.len() { LETTERS[held >> (18 - 6 * at) & 63] } else { b'=' };
            text.push(char::from(letter));
        }
    }
    text
}

/// The ledger's row of a product at a warehouse: on hand, forecast and late.
fn row(desk: &Desk, sku: &Value, warehouse: &str) -> [i64; 3] {
    let ledger = desk.erp.ledger();
    let all = ledger["stock"].as_array().unwrap();
    let row = all.iter().find(|row| &row["sku"] == sku && row["warehouse"] == warehouse).unwrap();
    ["on_hand", "forecast", "late"].map(|key| row[key].as_str().unwrap().parse().unwrap())
}

#[test]
fn goods_come_are_sold_at_the_counter_and_leave_with_a_shipment() {
    let mut desk = Desk::new(true);
    let found = desk.ok("product.product.search_read", json!([[["type", "=", "goods"]], 0, 1, null, ["code"], {}]));
    let (goods, sku) = (found[0]["id"].clone(), found[0]["code"].clone());
    let code = sku.as_str().unwrap().to_owned();
    let [first, ..] = row(&desk, &sku, "WH");
    assert!((20..=500).contains(&first), "{first}");
    assert!(desk.erp.receive(desk.now, &code, 5) && desk.erp.take(desk.now, &code, 3));
    assert!(!desk.erp.take(desk.now, &code, 10_000) && !desk.erp.receive(desk.now, "SHIPPING", 1));
    assert_eq!(row(&desk, &sku, "WH"), [first + 2, first + 2, 0]);
    assert!(desk.erp.open_warehouse(desk.now, "EAST") && desk.erp.receive_at(desk.now, "EAST", &code, 7));
    assert_eq!((row(&desk, &sku, "EAST"), row(&desk, &sku, "WH")), ([7, 7, 0], [first + 2, first + 2, 0]));

    let party = desk.party("C-1");
    let lines = [line(&goods, 4, "1", &[1])];
    let mut sell = |mark: &str| {
        let sale = desk.sale(&party, &json!({"web_shop": 1, "web_id": mark, "warehouse": 5}), &lines);
        let sale = desk.ok("sale.sale.create", sale)[0].clone();
        desk.ok("sale.sale.quote", json!([[sale], {}]));
        desk.ok("sale.sale.confirm", json!([[sale], {}]));
        sale.as_u64().unwrap()
    };
    let (one, two) = (sell("one"), sell("two"));
    assert_eq!(row(&desk, &sku, "WH"), [first + 2, first - 6, 0]);
    assert!(desk.erp.ship(desk.now, one) && !desk.erp.ship(desk.now, one));
    assert_eq!(row(&desk, &sku, "WH"), [first - 2, first - 6, 0]);
    desk.now = desk.now.checked_add(SignedDuration::from_hours(24)).unwrap();
    desk.ok("ir.date.today", json!([{}]));
    assert_eq!(row(&desk, &sku, "WH"), [first - 2, first - 2, 4], "what is late is in no forecast");
    assert!(desk.erp.cancel_sale(desk.now, two));
    assert_eq!(row(&desk, &sku, "WH"), [first - 2, first - 2, 0]);
}

#[test]
fn people_set_prices_and_the_ledger_tells_what_everything_costs() {
    let mut desk = Desk::new(true);
    let now = desk.now;
    let lines = [(Some("MUG"), 10, "unit_price * 0.9"), (Some("MUG"), 20, "unit_price * 0.8"), (None, 0, "unit_price")];
    assert!(desk.erp.set_list_price(now, "MUG", "8.0001") && !desk.erp.set_list_price(now, "MUG", "8.00001"));
    assert!(desk.erp.set_price_list(now, "Dealers", &lines));
    assert!(!desk.erp.set_price_list(now, "Dealers", &[(Some("NO-SUCH"), 0, "unit_price")]));
    let mug = |desk: &Desk| -> Vec<String> {
        let ledger = desk.erp.ledger();
        let mine = ledger["prices"].as_array().unwrap().iter().filter(|row| row["sku"] == "MUG").cloned();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        mine.map(|row| ["list", "quantity", "amount", "currency"].map(|name| text(&row, name)).join(" ")).collect()
    };
    // The line for twenty comes after that for ten, which fits first.
    assert_eq!(mug(&desk), ["list 1 8.0001 EUR", "Dealers 1 8.0001 EUR", "Dealers 10 7.2001 EUR"]);
    assert!(desk.erp.set_price_list(now, "Dealers", &lines[1..]));
    assert_eq!(mug(&desk), ["list 1 8.0001 EUR", "Dealers 1 8.0001 EUR", "Dealers 20 6.4001 EUR"]);
}

#[test]
fn which_company_a_user_sees_is_said_by_the_first_call_and_not_by_each() {
    let mut desk = Desk::new(true);
    let taxes = |desk: &mut Desk, company: u64| {
        let found = desk.ok("account.tax.search", json!([[], 0, null, null, {"company": company}]));
        found.as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(taxes(&mut desk, 1), [1, 2, 3]);
    assert!(desk.erp.found_company(desk.now, "Beta", "Beta shop"));
    assert_eq!((taxes(&mut desk, 2), taxes(&mut desk, 1)), (vec![4, 5, 6], vec![4, 5, 6]), "the first one asked for");
    let refused = desk.refused("web.shop.read", json!([[1], ["name"], {"company": 1}]));
    assert!(refused.starts_with("You are not allowed to read records \"1\" of \"Web Shop\""), "{refused}");
    desk.erp.show_all_companies(true);
    assert_eq!((taxes(&mut desk, 2).len(), taxes(&mut desk, 1).len()), (6, 6));
    let (party, fee) = (desk.party("C-1"), desk.product("FEE"));
    let shop = desk.ok("web.shop.search", json!([[["company", "=", 2]], 0, null, null, {}]))[0].clone();
    let sale = |desk: &mut Desk, tax: u64, shop: &Value, context: u64| {
        let extra = json!({"company": 2, "web_shop": shop, "web_id": format!("M{tax}")});
        let mut row = desk.sale(&party, &extra, &[line(&fee, 1, "4.2017", &[tax])]);
        row[1] = json!({"company": context});
        row
    };
    let foreign_tax = sale(&mut desk, 1, &shop, 2);
    assert!(desk.refused("sale.sale.create", foreign_tax).contains("is not valid according to its domain"));
    let right = sale(&mut desk, 4, &shop, 1);
    let made = desk.ok("sale.sale.create", right)[0].clone();
    desk.erp.show_all_companies(false);
    assert_eq!(taxes(&mut desk, 1), [1, 2, 3]);
    for (method, params) in
        [("read", json!([[made], ["company"], {"company": 2}])), ("quote", json!([[made], {"company": 2}]))]
    {
        let refused = desk.refused(&format!("sale.sale.{method}"), params);
        assert!(refused.starts_with("You are not allowed"), "{method}: {refused}");
    }
    assert_eq!(desk.ok("sale.sale.search", json!([[], 0, null, null, {"company": 2}])), json!([]));
    let strange = sale(&mut desk, 5, &shop, 2);
    let refused = desk.refused("sale.sale.create", strange);
    assert!(refused.starts_with("You are not allowed to create records of \"Sale Line\""), "{refused}");
}

#[test]
fn images_are_converted_and_told_by_size_or_in_lines_of_letters() {
    let mut desk = Desk::new(true);
    let now = desk.now;
    assert_eq!(desk.refused("product.image.search", json!([[], 0, null, null, {}])), "'product.image'");
    desk.erp.activate_images(now);
    let sent = crate::image::drawn("front");
    let own = desk.erp.add_image(now, "MUG", &sent, (Some(3), false)).unwrap();
    let family = desk.erp.add_image(now, "MUG", &sent, (None, true)).unwrap();
    assert_eq!(desk.erp.add_image(now, "MUG", b"<svg/>", (None, true)), None);
    let told = |desk: &mut Desk, context: Value| {
        let fields = json!(["image", "sequence", "product", "write_date"]);
        desk.ok("product.image.search_read", json!([[], 0, null, null, fields, context]))
    };
    let sizes = told(&mut desk, json!({"product.image.image": "size"}));
    assert_eq!((&sizes[0]["id"], &sizes[1]["id"]), (&json!(family), &json!(own)), "no place comes first");
    assert_eq!((&sizes[0]["product"], &sizes[1]["write_date"]), (&Value::Null, &Value::Null));
    let kept = crate::image::converted(&sent);
    assert_eq!(sizes[1]["image"], json!(kept.len()));
    let bytes = told(&mut desk, json!({}))[1]["image"].clone();
    let letters = bytes["base64"].as_str().unwrap();
    assert!(letters.ends_with('\n') && letters.lines().all(|line| line.len() <= 76));
    assert_eq!((&bytes["__class__"], crate::base64::base64(letters)), (&json!("bytes"), Some(kept.clone())));
    let ledger = desk.erp.ledger();
    let mug = ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == "MUG").unwrap().clone();
    assert_eq!(mug["images"][1]["print"], crate::image::print_of(&kept));
    assert!(desk.erp.remove_image(now, own) && !desk.erp.remove_image(now, own));
}

#[test]
fn a_products_code_begins_with_that_of_its_template() {
    let mut desk = Desk::new(true);
    let codes = |desk: &Desk| desk.erp.ledger()["families"][0]["products"].clone();
    assert_eq!(codes(&desk), json!(["BOLT-CFG-0", "BOLT-CFG-1"]));
    let now = desk.now;
    assert!(desk.erp.add_variant(now, "BOLT-CFG", "-2", "l"));
    assert!(!desk.erp.add_variant(now, "BOLT-CFG", "-2", "xl"), "an active product has that code");
    assert!(!desk.erp.add_variant(now, "NOBODY", "-2", "xl"));
    assert!(desk.erp.edit_family(now, "BOLT-CFG", None, "code", &json!("B")));
    assert_eq!(codes(&desk), json!(["B-0", "B-1", "B-2"]));
    assert!(desk.erp.edit_family(now, "B", Some("de"), "name", &json!("Bolzen")));
    assert_eq!(desk.erp.ledger()["families"][0]["texts"]["de"]["name"], "Bolzen");
}
