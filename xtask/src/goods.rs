//! Holds two ledgers against each other beside orders: what buyers may have, what goods cost, what they are called, and
//! who buys them. Told by flow, with of how many.
use crate::decimal::Dec;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The shop's lists with the ERP's whose prices they show.
const LISTS: [(&str, &str); 2] = [("base", "list"), ("group:Wholesale", "Wholesale")];
/// Languages of the ERP with the shop's view that speaks them; the first stands in all views.
const LANGUAGES: [(&str, Option<&str>); 3] = [("en", None), ("de", Some("german")), ("fr", Some("french"))];
const TEXTS: [&str; 2] = ["name", "description"];
const OF_A_PERSON: [&str; 3] = ["name", "email", "tax_id"];

/// What was held against each other in one flow.
#[derive(Debug, Default)]
pub struct Held {
    /// The flow, as `verify` calls it.
    pub flow: &'static str,
    /// Records of it on both sides.
    pub records: BTreeSet<String>,
    /// Figures, amounts and texts held against each other.
    pub compared: usize,
    /// One sentence per difference.
    pub wrong: Vec<String>,
}

impl Held {
    fn of(flow: &'static str) -> Self {
        Self { flow, ..Self::default() }
    }

    /// Nothing: one value of `record` in both.
    fn pair(&mut self, record: &str, what: &str, shop: Option<&str>, erp: Option<&str>) {
        self.records.insert(record.to_owned());
        self.compared += 1;
        if shop != erp {
            let told = |side: Option<&str>| side.map_or("nothing".to_owned(), |text| format!("`{text}`"));
            self.wrong.push(format!("{record}: {what} is {} in the shop, {} in the ERP", told(shop), told(erp)));
        }
    }
}

/// Everything beside orders.
pub fn compare(shop: &Value, erp: &Value) -> Vec<Held> {
    vec![stock(shop, erp), prices(shop, erp), texts(shop, erp), customers(shop, erp)]
}

fn rows<'a>(ledger: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    ledger[list].as_array().into_iter().flatten()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

fn number(row: &Value, key: &str) -> Dec {
    Dec::from_json(&row[key]).unwrap_or_default()
}

/// Pieces that orders take which the shop has and the ERP does not, for they are not released yet. Of a family, the lines
/// are counted that go by SKUs of their own: a bundle's children, a configurable's parent.
fn waiting(shop: &Value) -> BTreeMap<String, Dec> {
    let mut taken: BTreeMap<String, Dec> = BTreeMap::new();
    for order in rows(shop, "orders").filter(|order| order["state"] == "draft") {
        let lines: Vec<&Value> = rows(order, "lines").collect();
        let same = |parent: &Value, child: &Value| parent["sku"] == child["sku"];
        for line in &lines {
            let parent = lines.iter().find(|one| !line["parent"].is_null() && one["id"] == line["parent"]);
            let children = || lines.iter().filter(|one| !one["parent"].is_null() && one["parent"] == line["id"]);
            let counts = match parent {
                Some(parent) => !same(parent, line),
                None => children().all(|child| same(line, child)),
            };
            if counts {
                let sum = taken.entry(text(line, "sku").to_owned()).or_default();
                *sum = *sum + number(line, "qty");
            }
        }
    }
    taken
}

/// What buyers may have against what may be promised: the least of what lies there and what will lie there, by today and
/// once everything planned is done, less what should have left before today, and less what waits in the shop.
fn stock(shop: &Value, erp: &Value) -> Held {
    let mut held = Held::of("inventory");
    let mut free: BTreeMap<&str, Dec> = BTreeMap::new();
    let waiting = waiting(shop);
    for row in rows(erp, "stock") {
        let least = number(row, "on_hand").min(number(row, "forecast")).min(number(row, "by_today"));
        let sum = free.entry(text(row, "sku")).or_default();
        *sum = *sum + (least - number(row, "late"));
    }
    for (sku, salable) in shop["salable"].as_object().into_iter().flatten() {
        let (Some(free), Some(salable)) = (free.get(sku.as_str()), Dec::from_json(salable)) else { continue };
        let free = *free - waiting.get(sku).copied().unwrap_or_default();
        // More reserved than there is: nobody can buy.
        let (salable, free) = (salable.max(Dec::default()), free.floor().max(Dec::default()));
        held.pair(sku, "what buyers may have", Some(&salable.to_string()), Some(&free.to_string()));
    }
    held
}

/// Amounts of one list by SKU and number of pieces.
fn list_of<'a>(ledger: &'a Value, list: &str) -> BTreeMap<(&'a str, Dec), Dec> {
    let mine = rows(ledger, "prices").filter(|row| row["list"] == list);
    mine.map(|row| ((text(row, "sku"), number(row, "quantity")), number(row, "amount"))).collect()
}

fn prices(shop: &Value, erp: &Value) -> Held {
    let mut held = Held::of("prices");
    let sold = |rows: BTreeMap<(&'_ str, Dec), Dec>| -> BTreeSet<String> {
        rows.into_keys().map(|(sku, _)| sku.to_owned()).collect()
    };
    let (base, list) = (sold(list_of(shop, "base")), sold(list_of(erp, "list")));
    for (ours, theirs) in LISTS {
        let (shown, said) = (list_of(shop, ours), list_of(erp, theirs));
        let places: BTreeSet<_> = shown.keys().chain(said.keys()).copied().collect();
        for (sku, pieces) in places.into_iter().filter(|(sku, _)| base.contains(*sku) && list.contains(*sku)) {
            let told = |rows: &BTreeMap<(&str, Dec), Dec>| rows.get(&(sku, pieces)).map(ToString::to_string);
            let what = format!("{ours} from {pieces} on");
            held.pair(sku, &what, told(&shown).as_deref(), told(&said).as_deref());
        }
    }
    held
}

/// Texts that the ERP has in a language, against what buyers of that view read.
fn texts(shop: &Value, erp: &Value) -> Held {
    let mut held = Held::of("products");
    let shown: BTreeMap<&str, &Value> = rows(shop, "products").map(|row| (text(row, "sku"), row)).collect();
    for said in rows(erp, "products") {
        let sku = text(said, "sku");
        let Some(row) = shown.get(sku) else { continue };
        for ((language, view), field) in LANGUAGES.iter().flat_map(|of| TEXTS.map(|field| (of, field))) {
            let Some(told) = said["texts"][language][field].as_str() else { continue };
            let in_view = view.and_then(|view| row["views"][view][field].as_str());
            held.pair(sku, &format!("{field} ({language})"), in_view.or_else(|| row[field].as_str()), Some(told));
        }
    }
    held
}

/// Accounts of the shop that have ordered, each against the one party that all its orders are booked for.
fn customers(shop: &Value, erp: &Value) -> Held {
    let mut held = Held::of("customers");
    let booked: BTreeMap<&str, &str> =
        rows(erp, "orders").map(|row| (text(row, "reference"), text(row, "party"))).collect();
    let mut parties: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for order in rows(shop, "orders").filter(|row| row["state"] == "released") {
        if let (Some(account), Some(party)) = (order["customer"].as_u64(), booked.get(text(order, "number"))) {
            parties.entry(account).or_default().insert(party);
        }
    }
    for account in rows(shop, "customers") {
        let Some(of) = account["id"].as_u64().and_then(|id| parties.get(&id)) else { continue };
        let record = format!("customer {}", account["id"]);
        held.pair(&record, "the number of its parties", Some("1"), Some(&of.len().to_string()));
        let party = rows(erp, "customers").find(|row| of.contains(text(row, "reference")));
        for field in OF_A_PERSON {
            held.pair(&record, field, account[field].as_str(), party.and_then(|party| party[field].as_str()));
        }
        // The shop owns telephones: that of the address the account is billed at. Where it has none, the ERP keeps its own.
        let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
        let billed = rows(account, "addresses").find(|address| address["billed"] == true);
        let ours = billed.map(|address| digits(text(address, "telephone"))).filter(|number| !number.is_empty());
        if ours.is_some() {
            let theirs = party.map(|party| digits(text(party, "phone")));
            held.pair(&record, "the telephone", ours.as_deref(), theirs.as_deref());
        }
    }
    held
}

/// One change that people made in the ERP: the sort, of what, and what it says now.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
pub struct Word {
    pub what: String,
    pub of: String,
}

/// How many of people's last words were looked for in the ERP's own database, and one sentence for each that is not there:
/// what both sides agree on now may not be what somebody said last.
pub fn kept(last: &BTreeMap<Word, String>, erp: &Value) -> Held {
    let mut held = Held::of("people");
    let products: BTreeMap<&str, &Value> = rows(erp, "products").map(|row| (text(row, "sku"), row)).collect();
    let list = list_of(erp, "list");
    let names: BTreeMap<String, &str> =
        rows(erp, "customers").map(|row| (row["id"].to_string(), text(row, "name"))).collect();
    for (Word { what, of }, said) in last {
        let mut place = of.rsplitn(3, ' ');
        let now = match what.as_str() {
            "list_price" => list.get(&(of.as_str(), Dec::whole(1))).map(ToString::to_string),
            "name" => names.get(of).map(|name| (*name).to_owned()),
            "text" => {
                let (field, language) = (place.next().unwrap_or_default(), place.next().unwrap_or_default());
                let row = place.next().and_then(|sku| products.get(sku));
                row.and_then(|row| row["texts"][language][field].as_str()).map(str::to_owned)
            }
            // Goods go on moving, lists are worked out, and telephones are the shop's.
            _ => continue,
        };
        let said =
            if what == "list_price" { Dec::parse(said).map(|said| said.to_string()) } else { Some(said.clone()) };
        held.records.insert(format!("{what} {of}"));
        held.compared += 1;
        if now != said {
            held.wrong.push(format!("{what} {of}: people said {said:?} last, the ERP has {now:?}"));
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shop() -> Value {
        json!({
            "salable": {"A": "7", "B": "-2", "KIT": null},
            "prices": [
                {"list": "base", "sku": "A", "quantity": "1", "amount": "10.0000"},
                {"list": "group:Wholesale", "sku": "A", "quantity": "10", "amount": 8}],
            "products": [{"sku": "A", "name": "Mug", "description": "A mug", "views": {"german": {"name": "Becher"}}}],
            "orders": [
                {"number": "101", "state": "released", "customer": 4, "lines": []},
                {"number": "100", "state": "released", "customer": 4, "lines": [{"id": 1, "parent": null, "sku": "A", "qty": "1"}]},
                {"state": "draft", "customer": 5, "lines": [
                    {"id": 2, "parent": null, "sku": "A", "qty": "2"},
                    {"id": 3, "parent": null, "sku": "A", "qty": "1"}, {"id": 4, "parent": 3, "sku": "A", "qty": "1"},
                    {"id": 5, "parent": null, "sku": "KIT", "qty": "1"}, {"id": 6, "parent": 5, "sku": "A", "qty": "1"}]}],
            "customers": [
                {"id": 4, "name": "Ada", "email": "Ada@example.com", "tax_id": "",
                    "addresses": [{"telephone": "9", "billed": false}, {"telephone": "+49 (30) 1", "billed": true}]},
                {"id": 5, "name": "Bo", "email": "bo@example.com", "tax_id": "", "addresses": []}],
        })
    }

    fn erp() -> Value {
        json!({
            "stock": [
                {"sku": "A", "on_hand": "13", "forecast": "12.5", "by_today": "12", "late": "1"},
                {"sku": "B", "on_hand": "0", "forecast": "-3", "by_today": "0", "late": "0"}],
            "prices": [
                {"list": "list", "sku": "A", "quantity": "1", "amount": "10"}, {"list": "list", "sku": "FEE", "quantity": "1", "amount": "1"},
                {"list": "Wholesale", "sku": "A", "quantity": "10", "amount": "8.0000"}],
            "products": [{"sku": "A", "texts": {"en": {"name": "Mug"}, "de": {"name": "Becher", "description": "A mug"}}}],
            "orders": [{"reference": "100", "party": "SL4"}, {"reference": "101", "party": "SL4"}],
            "customers": [
                {"id": 8, "reference": "SL3", "name": "Guest", "email": "Ada@example.com", "tax_id": "", "phone": ""},
                {"id": 9, "reference": "SL4", "name": "Ada", "email": "Ada@example.com", "tax_id": "", "phone": "+49 30 1"}],
        })
    }

    fn counts(shop: &Value, erp: &Value) -> Vec<(&'static str, usize, usize, usize)> {
        compare(shop, erp).iter().map(|held| (held.flow, held.records.len(), held.compared, held.wrong.len())).collect()
    }

    #[test]
    fn what_agrees_agrees_and_it_is_said_of_how_many() {
        let agreed = [("inventory", 2, 2, 0), ("prices", 1, 2, 0), ("products", 1, 3, 0), ("customers", 1, 5, 0)];
        assert_eq!(counts(&shop(), &erp()), agreed);
    }

    #[test]
    fn every_sort_of_difference_is_seen_once() {
        let changed = |path: &str, value: Value| {
            let mut told = shop();
            *told.pointer_mut(path).unwrap() = value;
            counts(&told, &erp()).iter().map(|(_, _, _, wrong)| *wrong).collect::<Vec<_>>()
        };
        assert_eq!(changed("/salable/A", json!("8")), [1, 0, 0, 0]);
        assert_eq!(changed("/prices/0/amount", json!("10.01")), [0, 1, 0, 0]);
        assert_eq!(changed("/prices/1/quantity", json!("11")), [0, 2, 0, 0], "one too many, one lacking");
        assert_eq!(changed("/products/0/views/german/name", json!("Tasse")), [0, 0, 1, 0]);
        assert_eq!(changed("/products/0/name", json!("Cup")), [0, 0, 1, 0]);
        assert_eq!(changed("/customers/0/name", json!("Bea")), [0, 0, 0, 1]);
        assert_eq!(changed("/customers/0/email", json!("eve@example.com")), [0, 0, 0, 1]);
        assert_eq!(changed("/customers/0/addresses/1/telephone", json!("+49 30 2")), [0, 0, 0, 1]);
        assert_eq!(changed("/customers/0/addresses/1/telephone", json!("")), [0, 0, 0, 0], "the shop says nothing");
        let mut twice = erp();
        twice["orders"][1]["party"] = json!("SL3");
        assert_eq!(
            counts(&shop(), &twice)[3],
            ("customers", 1, 5, 3),
            "two parties, and the first of them is another one"
        );
    }

    #[test]
    fn what_people_said_last_is_looked_for_in_the_erp() {
        let words = [
            ("list_price", "A", "10.00"),
            ("text", "A de name", "Becher"),
            ("name", "9", "Ada"),
            ("counted", "A", "3"),
        ];
        let of = |change: usize, to: &str| {
            let mut said =
                words.map(|(what, of, to)| (Word { what: what.to_owned(), of: of.to_owned() }, to.to_owned()));
            if let Some(word) = said.get_mut(change) {
                word.1 = to.to_owned();
            }
            let held = kept(&said.into_iter().collect(), &erp());
            (held.compared, held.wrong.len())
        };
        assert_eq!(of(9, ""), (3, 0));
        assert_eq!([of(0, "10.01"), of(1, "Tasse"), of(2, "Bea"), of(3, "4")], [(3, 1), (3, 1), (3, 1), (3, 0)]);
    }
}
