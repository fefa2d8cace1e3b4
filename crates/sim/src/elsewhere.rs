//! What another connector would have made of a shop's order: the lines it sells, each with its money, and who bought.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::magento::ledger;

/// An order as another connector would book it in an ERP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Booked {
    /// Its number in the shop.
    pub number: String,
    /// What is written into the ERP's reference; nothing for none.
    pub reference: String,
    /// What is written as the web shop's id of it, where the ERP keeps one; nothing for none.
    pub web_id: String,
    /// ISO code of its currency.
    pub currency: String,
    /// What the buyer owes.
    pub total: Decimal,
    /// Goods sold: code, quantity, net of the line and percent of its tax.
    pub lines: Vec<(String, Decimal, Decimal, Decimal)>,
    /// Freight without tax, and percent of its tax.
    pub shipping: (Decimal, Decimal),
    /// Name and e-mail of the buyer.
    pub buyer: (String, String),
    /// Name, street, postal code, town and country of the invoice's and the parcel's address.
    pub addresses: Vec<[String; 5]>,
    /// Left as a draft, for somebody to look at.
    pub draft: bool,
}

impl Booked {
    /// The order that `GET /V1/orders/{id}` answers with, its number as the reference; none where it has no money in it.
    ///
    /// A configurable's parent is booked and its child is not; a bundle is booked by its parts, and by itself where it
    /// has a price of its own.
    #[must_use]
    pub fn of(order: &Value) -> Option<Self> {
        let order = order.as_object()?;
        let told = ledger::order(order, None);
        let number = text(&told["number"]);
        let items = order.get("items").and_then(Value::as_array)?;
        let mut lines = Vec::new();
        for (item, row) in items.iter().zip(told["lines"].as_array()?) {
            let net = decimal(&row["total"]);
            if is_left_out(items, item, net) {
                continue;
            }
            lines.push((text(&row["sku"]), decimal(&row["qty"]), net, decimal(&item["tax_percent"])));
        }
        let shipping = decimal(&told["shipping"]);
        let freight_tax = order.get("shipping_tax_amount").map(decimal).unwrap_or_default();
        let percent = if shipping.is_zero() { Decimal::ZERO } else { freight_tax / shipping * Decimal::ONE_HUNDRED };
        let field = |key: &str| order.get(key).map(text).unwrap_or_default();
        let name = format!("{} {}", field("customer_firstname"), field("customer_lastname"));
        Some(Self {
            reference: number.clone(),
            number,
            web_id: String::new(),
            currency: text(&told["currency"]),
            total: decimal(&told["total"]),
            lines,
            shipping: (shipping, percent),
            buyer: (name.trim().to_owned(), field("customer_email")),
            addresses: addresses(order),
            draft: false,
        })
    }
}

/// Whether a line is no line of its own in an ERP: what was chosen under a configurable, and a set that costs nothing by
/// itself.
fn is_left_out(items: &[Value], item: &Value, net: Decimal) -> bool {
    let sort = |item: &Value| item["product_type"].as_str().unwrap_or_default().to_owned();
    let parent = items.iter().find(|one| !item["parent_item_id"].is_null() && one["item_id"] == item["parent_item_id"]);
    parent.is_some_and(|parent| sort(parent) == "configurable") || (sort(item) == "bundle" && net.is_zero())
}

/// The billing address, then the parcel's where there is one.
fn addresses(order: &Map<String, Value>) -> Vec<[String; 5]> {
    let extension = order.get("extension_attributes");
    let parcel = extension.and_then(|part| part.pointer("/shipping_assignments/0/shipping/address"));
    order.get("billing_address").into_iter().chain(parcel).filter_map(Value::as_object).map(address).collect()
}

fn address(told: &Map<String, Value>) -> [String; 5] {
    let field = |key: &str| told.get(key).map(text).unwrap_or_default();
    let company = field("company");
    let person = format!("{} {}", field("firstname"), field("lastname"));
    let street: Vec<String> = told
        .get("street")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(text)
        .filter(|row| !row.is_empty())
        .collect();
    let name = if company.is_empty() { person.trim().to_owned() } else { company };
    [name, street.join("\n"), field("postcode"), field("city"), field("country_id")]
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn decimal(value: &Value) -> Decimal {
    let told = match value {
        Value::Number(number) => number.to_string(),
        other => text(other),
    };
    Decimal::from_str_exact(&told).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;
    use crate::orders::orders;
    use crate::tryton::{Erp, Options};
    use jiff::Timestamp;

    /// What the ERP of another connector holds of sixty orders says what the shop says, to the cent.
    #[test]
    fn what_another_connector_booked_has_the_total_of_its_order() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let options = Options {
            seed: 7,
            products: 40,
            empty: true,
            web_shop: true,
            now,
            login: "sync".to_owned(),
            password: "secret".to_owned(),
        };
        let mut erp = Erp::new(options);
        let shelf = catalogue(7, 40);
        let mut made = 0;
        for order in orders(7, 60, &shelf, now) {
            let booked = Booked::of(&order).unwrap();
            let Some(id) = erp.bring(now, &booked) else { continue };
            made += 1;
            let ledger = crate::http::System::ledger(&erp);
            let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
            assert_eq!(row["total"], booked.total.normalize().to_string(), "{booked:?}");
            assert_eq!((&row["reference"], &row["state"]), (&Value::from(booked.number), &Value::from("released")));
        }
        assert!(made > 40, "{made} of 60");
    }
}
