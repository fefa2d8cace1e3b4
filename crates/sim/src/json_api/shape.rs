//! How each of the two APIs tells a product, and what it takes for one.

use super::{Product, Query, Shape, answer};
use crate::http::Response;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Number, Value, json};
use std::str::FromStr;

/// Rows of a page at most, whatever is asked for.
const PAGE: usize = 50;

type Taken<T> = Result<T, String>;

impl Shape {
    /// Where its products lie.
    pub(super) fn root(self) -> &'static str {
        match self {
            Self::Flat => "/api/products",
            Self::Nested => "/v1/articles",
        }
    }

    /// What it calls the product `number`.
    pub(super) fn id(self, number: u64) -> Value {
        match self {
            Self::Flat => Value::from(number),
            Self::Nested => Value::from(format!("p-{number:06}")),
        }
    }

    /// The number of the product that it calls `id`.
    pub(super) fn number(self, id: &str) -> Option<u64> {
        match self {
            Self::Flat => id.parse().ok(),
            Self::Nested => id.strip_prefix("p-")?.parse().ok(),
        }
    }

    /// `product` as it tells it.
    pub(super) fn told(self, number: u64, product: &Product) -> Value {
        let name = |locale: &str| product.names.get(locale).cloned();
        let id = self.id(number);
        match self {
            Self::Flat => json!({
                "id": id, "sku": product.sku, "name": name("en"), "description": product.description,
                "status": if product.active { 1 } else { 2 },
                "weight": product.grams.map(|grams| as_number(grams / Decimal::from(1000))),
                "price": product.cents.map(|cents| Decimal::new(cents, 2).to_string()),
                "updated_at": format!("{:.0}", product.changed),
            }),
            Self::Nested => json!({
                "uuid": id, "code": product.sku,
                "title": {"en": name("en"), "de": name("de")}, "text": {"en": product.description},
                "enabled": product.active, "measures": {"grams": product.grams.map(as_number)},
                "price": {"cents": product.cents, "currency": "EUR"}, "modified": product.changed.as_second(),
            }),
        }
    }

    /// A record as an answer holds it.
    pub(super) fn enveloped(self, record: Value) -> Value {
        match self {
            Self::Flat => json!({"data": record}),
            Self::Nested => record,
        }
    }

    /// One page of `all`; a search is answered in one.
    pub(super) fn page(self, all: &[(u64, &Product)], query: &Query, search: bool) -> Response {
        let told = |rows: &[(u64, &Product)]| rows.iter().map(|(n, one)| self.told(*n, one)).collect::<Vec<_>>();
        if search {
            let rows = told(all);
            return answer(200, &if self == Self::Flat { json!({"data": rows}) } else { json!({"rows": rows}) });
        }
        match self {
            Self::Flat => {
                let size = query.count("limit", PAGE).clamp(1, PAGE);
                let from = query.count("page", 1).max(1).saturating_sub(1).saturating_mul(size).min(all.len());
                let to = (from + size).min(all.len());
                let rows = told(all.get(from..to).unwrap_or_default());
                answer(200, &json!({"data": rows, "meta": {"total": all.len(), "more": to < all.len()}}))
            }
            Self::Nested => {
                let size = query.count("count", PAGE).clamp(1, PAGE);
                let after = query.get("after").and_then(|id| self.number(&id)).unwrap_or(0);
                let rest: Vec<(u64, &Product)> = all.iter().filter(|(number, _)| *number > after).copied().collect();
                let rows = rest.get(..size.min(rest.len())).unwrap_or_default();
                let since = query.get("changed_after").map(|at| format!("&changed_after={at}")).unwrap_or_default();
                let link = |last: u64| format!("{}?count={size}&after=p-{last:06}{since}", self.root());
                let next = rows.last().filter(|_| rest.len() > rows.len()).map(|(last, _)| link(*last));
                answer(200, &json!({"rows": told(rows), "next": next}))
            }
        }
    }

    /// Takes what `body` tells into `product`; of a whole record, what it does not tell is gone.
    pub(super) fn take(self, product: &mut Product, body: &Value, whole: bool) -> Taken<()> {
        let record = match self {
            Self::Flat => body.get("product").ok_or("no product is told")?,
            Self::Nested => body,
        };
        let fields = record.as_object().ok_or("a product is an object")?;
        if whole {
            *product = Product { changed: product.changed, ..Product::default() };
        }
        match self {
            Self::Flat => flat(product, fields),
            Self::Nested => nested(product, fields),
        }
    }
}

fn flat(product: &mut Product, fields: &Map<String, Value>) -> Taken<()> {
    for (field, value) in fields {
        match field.as_str() {
            "sku" => product.sku = text(field, value)?.unwrap_or_default(),
            "name" => name(product, "en", text(field, value)?),
            "description" => product.description = text(field, value)?,
            "status" => {
                product.active = match value.as_u64() {
                    Some(1) => true,
                    Some(2) => false,
                    _ => return Err("status is 1 or 2".to_owned()),
                }
            }
            "weight" => product.grams = number(field, value)?.map(|kilograms| kilograms * Decimal::from(1000)),
            "price" => {
                let told = text(field, value)?.map(|told| Decimal::from_str(&told).map_err(|_| "price is no decimal"));
                product.cents = told.transpose()?.map(cents).transpose()?;
            }
            "id" | "updated_at" => {}
            other => return Err(format!("what is `{other}`?")),
        }
    }
    Ok(())
}

fn nested(product: &mut Product, fields: &Map<String, Value>) -> Taken<()> {
    for (field, value) in fields {
        match field.as_str() {
            "code" => product.sku = text(field, value)?.unwrap_or_default(),
            "title" => {
                for (locale, told) in value.as_object().into_iter().flatten() {
                    name(product, locale, text("title", told)?);
                }
            }
            "text" => product.description = value.get("en").map_or(Ok(None), |told| text("text", told))?,
            "enabled" => product.active = value.as_bool().ok_or("enabled is true or false")?,
            "measures" => {
                let grams = value.get("grams").map_or(Ok(None), |told| number("grams", told))?;
                if grams.is_some_and(|grams| !grams.is_integer()) {
                    return Err("grams are whole".to_owned());
                }
                product.grams = grams;
            }
            "price" => {
                let told = value.get("cents").filter(|told| !told.is_null());
                product.cents = told.map(|told| told.as_i64().ok_or("cents are whole")).transpose()?;
            }
            "uuid" | "modified" => {}
            other => return Err(format!("what is `{other}`?")),
        }
    }
    Ok(())
}

fn name(product: &mut Product, locale: &str, told: Option<String>) {
    match told {
        Some(told) => drop(product.names.insert(locale.to_owned(), told)),
        None => drop(product.names.remove(locale)),
    }
}

fn text(field: &str, value: &Value) -> Taken<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        _ => Err(format!("{field} is a text")),
    }
}

fn number(field: &str, value: &Value) -> Taken<Option<Decimal>> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => {
            Decimal::from_str(&number.to_string()).map(Some).map_err(|_| format!("{field} is a number"))
        }
        _ => Err(format!("{field} is a number")),
    }
}

fn cents(price: Decimal) -> Taken<i64> {
    let cents = price * Decimal::from(100);
    cents.to_i64().filter(|_| cents.is_integer()).ok_or_else(|| "price has two decimals".to_owned())
}

fn as_number(number: Decimal) -> Value {
    number.normalize().to_string().parse::<Number>().map_or(Value::Null, Value::Number)
}
