//! What the shop complains about in rows of prices, in an answer that is 200 all the same. Pure.

use super::wire::{self, Refusal};
use serde_json::Value;

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The text with its parameters in place.
    pub(super) text: String,
    parameters: Vec<String>,
}

impl Complaint {
    /// Whether it names this SKU. A SKU that looks like another parameter is told apart by the words before it.
    pub(super) fn is_about(&self, sku: &str) -> bool {
        let named = ["SKU = {}, ", "SKU = {}. "].map(|form| form.replace("{}", sku));
        let ends = self.text.strip_suffix('.').is_some_and(|text| text.ends_with(&format!("SKU = {sku}")));
        self.parameters.iter().any(|one| one == sku) && (ends || named.iter().any(|form| self.text.contains(form)))
    }
}

/// The complaints of an answer; an answer of another shape has none, and what is read back decides.
pub(super) fn complaints(answer: &Value) -> Vec<Complaint> {
    let told = answer.as_array().map_or(&[][..], Vec::as_slice).iter();
    told.filter_map(|row| wire::typed::<Refusal>(row).ok()).map(|refusal| complaint(&refusal)).collect()
}

fn complaint(told: &Refusal) -> Complaint {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let message = told.message.as_ref().map_or("", |text| text.0.as_str());
    match &told.parameters {
        Value::Array(list) => {
            let parameters: Vec<String> = list.iter().map(plain).collect();
            Complaint { text: filled(message, &parameters), parameters }
        }
        Value::Object(named) => {
            Complaint { text: told.text().unwrap_or_default(), parameters: named.values().map(plain).collect() }
        }
        _ => Complaint { text: message.to_owned(), parameters: Vec::new() },
    }
}

/// The message with its parameters in place. They come without names (recorded: base-price-row-errors), in an order the
/// shop always has for the names it uses; other names come before, as they stand in the text.
fn filled(message: &str, parameters: &[String]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (_, name) in placeholders(message) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() != parameters.len() {
        return if names.is_empty() { message.to_owned() } else { format!("{message} ({})", parameters.join(", ")) };
    }
    names.sort_by_key(|name| match *name {
        "SKU" => 1,
        "storeId" | "websiteId" => 2,
        "customerGroup" | "priceFrom" => 3,
        "qty" | "priceTo" => 4,
        _ => 0,
    });
    let (mut text, mut end) = (String::new(), 0);
    for (at, name) in placeholders(message) {
        let value = names.iter().position(|one| *one == name).and_then(|place| parameters.get(place));
        text += message.get(end..at).unwrap_or_default();
        text += value.map_or("", String::as_str);
        end = at + 1 + name.len();
    }
    text + message.get(end..).unwrap_or_default()
}

/// Every `%name`, with its place.
fn placeholders(message: &str) -> impl Iterator<Item = (usize, &str)> {
    message.match_indices('%').filter_map(|(at, _)| {
        let rest = message.get(at + 1..)?;
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest.get(..end).filter(|name| !name.is_empty())?;
        Some((at, name))
    })
}
