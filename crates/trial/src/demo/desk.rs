//! People who change products, prices and customers at both desks while the demo runs, and the flows beside orders switched on.

use super::process::post_json;
use super::{DemoError, root};
use serde_json::{Value, json};
use std::path::Path;

/// Seconds after which a write to the simulated shop can land no more; the file says so.
const SETTLE_S: u64 = 5;
/// Seconds after a pass until everything it wrote can be looked at once more.
pub(super) const SETTLED_S: u64 = 20 + SETTLE_S + 1;

/// The ERP's price list that the shop's group of that name is shown.
pub(super) const LIST: &str = "Wholesale";
/// What it says of everything.
const LINES: &str = "unit_price * 0.8 from 10; unit_price * 0.9";

/// A buyer of seeded orders, and the e-mail of that account.
const BUYER: &str = "4";
const BUYERS_EMAIL: &str = "customer.4@example.com";

/// Methods by which a gateway gives the money.
const GATEWAYS: [&str; 2] = ["braintree", "paypal_express"];

/// What there is little of.
const SCARCE: &str = "BOOK";

/// What is done at a desk, and is no text that somebody types.
const WORK: [&str; 6] = ["bought", "stock", "sent", "billed", "captured", "refunded"];

/// One change by a person.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    at_shop: bool,
    sku: &'static str,
    field: &'static str,
    /// The list, where it is a price in one.
    place: Option<&'static str>,
    text: String,
}

/// What people change after the kill of that number: names, descriptions and prices, at the desk that owns them and at
/// the other.
pub(super) fn edits(kill: u64, shop: &Value, erp: &Value) -> Vec<Edit> {
    let skus = ["MUG", "BOLT-M8", "PEN"];
    let edit =
        |at_shop, field, sku| Edit { at_shop, sku, field, place: None, text: format!("{field} as of kill {kill}") };
    let price = |at_shop, sku, place, amount: u64| Edit {
        at_shop,
        sku,
        field: "price",
        place,
        text: format!("{amount}.{kill}5"),
    };
    let at = |place, edit: Edit| Edit { place: Some(place), text: format!("{} ({place})", edit.text), ..edit };
    let sku = skus[usize::try_from(kill).unwrap_or(0) % skus.len()];
    let other = skus[usize::try_from(kill + 1).unwrap_or(0) % skus.len()];
    vec![
        edit(false, "name", sku),
        edit(true, "description", sku),
        edit(true, "name", other),
        edit(false, "description", other),
        // In the two other languages of both.
        at("de", edit(false, "name", sku)),
        at("german", edit(true, "name", other)),
        at("french", edit(true, "description", sku)),
        at("fr", edit(false, "description", other)),
        price(true, sku, Some("special"), 3),
        // Changed at both desks: the ERP's counts.
        price(true, other, Some("base"), 7),
        price(false, other, None, 8),
        // Buyers change their own accounts; what a clerk types into one of them in the ERP does not last.
        Edit { text: format!("Kill {kill}"), ..edit(true, "customer.lastname", BUYER) },
        Edit { text: format!("Stadt {kill}"), ..edit(true, "customer.address.city", BUYER) },
        edit(false, "customer.name", BUYERS_EMAIL),
        // The last of a few things are wanted on both sides at once; what comes in is there for everybody.
        goods(true, SCARCE, "bought", "2"),
        goods(false, SCARCE, "stock", "-3"),
        goods(true, sku, "bought", "1"),
        goods(false, other, "stock", "7"),
        // The warehouse sends what waits of some sales, in parts and parcels.
        goods(false, "", "sent", "12"),
        // Buyers' gateways give the money for some orders; the office posts what was sold, and takes the money for the others.
        goods(true, "", "captured", "12"),
        goods(false, "", "billed", &format!("10 {}", by_gateway(shop))),
        // Some of it is given back at the shop's own desk.
        goods(true, "", "refunded", &format!("1 {}", billed(shop, erp))),
        list(format!("unit_price * 0.6{kill} from {} of {sku}; {LINES}", kill + 1)),
    ]
}

/// What goods do at a desk: pieces that buyers take in the shop, or that leave or reach the ERP's warehouse.
fn goods(at_shop: bool, sku: &'static str, field: &'static str, pieces: &str) -> Edit {
    Edit { at_shop, sku, field, place: None, text: pieces.to_string() }
}

/// The numbers of the shop's orders that gateways pay, as one text.
fn by_gateway(shop: &Value) -> String {
    let orders = shop["orders"].as_array().into_iter().flatten().filter(|order| is_by_gateway(order));
    orders.filter_map(|order| order["number"].as_str()).collect::<Vec<_>>().join(" ")
}

/// Those of them that the ERP has billed.
fn billed(shop: &Value, erp: &Value) -> String {
    let rows = |list: &str| erp[list].as_array().into_iter().flatten();
    let bills = rows("invoices").filter(|bill| bill["state"] == "posted" || bill["state"] == "paid");
    let sales: Vec<&Value> = bills.flat_map(|bill| bill["sales"].as_array().into_iter().flatten()).collect();
    let sales = rows("orders").filter(|sale| sales.contains(&&sale["id"]));
    let billed: Vec<&Value> = sales.map(|sale| &sale["reference"]).collect();
    let orders = by_gateway(shop);
    orders.split(' ').filter(|number| billed.iter().any(|name| *name == number)).collect::<Vec<_>>().join(" ")
}

/// Whether an order was paid by a gateway.
pub(super) fn is_by_gateway(order: &Value) -> bool {
    GATEWAYS.iter().any(|gateway| order["method"] == *gateway)
}

/// The ERP's price list as it is before anything flows.
pub(super) fn first_list() -> Edit {
    list(LINES.to_string())
}

fn list(lines: String) -> Edit {
    Edit { at_shop: false, sku: "", field: "price_list", place: Some(LIST), text: lines }
}

impl Edit {
    /// Makes it where the person sits.
    pub(super) async fn make(&self, shop: &str, erp: &str) -> Result<(), DemoError> {
        let url = format!("{}/_sim/products", root(if self.at_shop { shop } else { erp }));
        let told = json!({"sku": self.sku, "place": self.place, "field": self.field, "value": self.text});
        let told = post_json(&url, &told).await?;
        match told["edited"].as_str() {
            Some(_) => Ok(()),
            // What is sold out cannot be had.
            None if WORK.contains(&self.field) => Ok(()),
            // Nobody types into an account that no order has brought to the ERP yet.
            None if self.field.starts_with("customer.") && !self.at_shop => Ok(()),
            None => Err(DemoError::System(url, format!("{} of {} cannot be changed: {told}", self.field, self.sku))),
        }
    }

    /// Whether the desk it was made at owns what was changed.
    fn is_owned(&self) -> bool {
        match self.field {
            "description" => self.at_shop,
            field if WORK.contains(&field) => false,
            "price" => self.at_shop == (self.place == Some("special")),
            field if field.starts_with("customer.") => self.at_shop,
            _ => !self.at_shop,
        }
    }

    /// Whether `ledger` shows it; a price list is counted price by price.
    fn is_shown(&self, ledger: &Value) -> bool {
        let of_sku =
            |list: &'static str| ledger[list].as_array().into_iter().flatten().filter(|row| row["sku"] == self.sku);
        let list = self.place.unwrap_or(if self.at_shop { "base" } else { "list" });
        match self.field {
            "price_list" => true,
            "price" => of_sku("prices").any(|row| row["list"] == list && row["amount"] == self.text.as_str()),
            field if field.starts_with("customer.") => {
                let mut all = ledger["customers"].as_array().into_iter().flatten();
                let account = all.find(|row| row["id"].as_u64().is_some_and(|id| self.sku.parse() == Ok(id)));
                account.is_some_and(|row| match field {
                    "customer.lastname" => row["name"].as_str().is_some_and(|name| name.ends_with(&self.text)),
                    _ => row["addresses"][0]["city"] == self.text.as_str(),
                })
            }
            field => of_sku("products").any(|row| {
                let shown = match (self.place, self.at_shop) {
                    (None, _) => &row[field],
                    (Some(view), true) => &row["views"][view][field],
                    (Some(language), false) => &row["texts"][language][field],
                };
                *shown == self.text.as_str()
            }),
        }
    }
}

/// How many fields show something else at the desk that owns them than what was typed there last.
pub(super) fn overwritten(typed: &[Edit], shop: &Value, erp: &Value) -> usize {
    let place = |edit: &Edit| (edit.at_shop, edit.sku, edit.field, edit.place);
    let last = |edit: &&Edit| {
        typed.iter().rev().find(|other| place(other) == place(edit)).is_some_and(|other| other.text == edit.text)
    };
    let lost = |edit: &&Edit| !edit.is_shown(if edit.at_shop { shop } else { erp });
    typed.iter().filter(|edit| edit.is_owned()).filter(last).filter(lost).count()
}

/// Switches products, stock and prices on in the file that `init` wrote; descriptions are the shop's.
pub(super) fn switch_on(file: &Path) -> Result<(), DemoError> {
    let failed = |error: std::io::Error| DemoError::Process(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(failed)?;
    let mut out = String::new();
    let mut table = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            line.split_whitespace().next().unwrap_or_default().clone_into(&mut table);
        }
        let flows =
            ["[flows.products]", "[flows.inventory]", "[flows.prices]", "[flows.papers]"].contains(&table.as_str());
        let switched = if flows && line.starts_with("mode =") { "mode = \"on\"" } else { line };
        out.push_str(switched);
        out.push('\n');
        match line {
            "[systems.shop]" => out.push_str(&format!("settle = \"{SETTLE_S}s\"\n")),
            "[flows.papers]" => {
                out.push_str(
                    "carriers = { DHL = \"dhl\" }\ninvoices = \"paid\"\ncredits = \"posted\"\nrefunds = \"carry\"\n",
                );
                let rows: Vec<String> = GATEWAYS.iter().map(|gateway| format!("{gateway} = \"Gateway\"")).collect();
                out.push_str(&format!("payments = {{ {}, \"*\" = \"off\" }}\n", rows.join(", ")));
            }
            "[flows.products]" => out.push_str("fields = { \"texts.*.description\" = \"shop\" }\n"),
            _ => {}
        }
    }
    std::fs::write(file, out).map_err(failed)
}
