//! Planted bugs of the network: what is sent again, sent otherwise, or comes back changed.

use super::{CANCELS_OVER, FORGETS_A_GROUP, LOSES_IDS, REDIRECTS, UNLOOKED};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use syncline_connect::gzip;
use syncline_connect::{Effect, Fut, Request, Response, Transport, TransportError};

/// A network with a bug.
#[derive(Debug)]
pub struct BadTransport {
    pub transport: Arc<dyn Transport>,
    pub plant: &'static str,
    /// Labels of choices that were asked for, where the bug is `choice-twice`.
    pub asked: Mutex<BTreeSet<String>>,
    /// The rate of each order to its own currency, where the bug is `base-currency-mixed`.
    pub rates: Mutex<BTreeMap<String, Decimal>>,
    /// Whether a booking was just answered, and how many were, where the bug is `payment-unlooked`.
    pub booked: Mutex<(bool, u64)>,
}

impl BadTransport {
    pub fn new(transport: Arc<dyn Transport>, plant: &'static str) -> Self {
        Self { transport, plant, asked: Mutex::default(), rates: Mutex::default(), booked: Mutex::default() }
    }
}

impl Transport for BadTransport {
    fn send(&self, mut request: Request) -> Fut<'_, Result<Response, TransportError>> {
        if self.plant == "choice-twice" && request.method == "POST" && request.url.ends_with("/options") {
            request.body = self.in_small_letters(request.body);
        }
        if request.method == "POST" && request.url.ends_with("/refund") {
            match self.plant {
                "refund-list-empty" => request.body = without_lines(request.body),
                "base-currency-mixed" => request.body = self.in_own_currency(&request.url, request.body),
                _ => {}
            }
        }
        if self.plant == UNLOOKED {
            request.body = without_stamp(request.body);
        }
        if request.method == "PUT" && request.url.contains("/customers/") {
            match self.plant {
                LOSES_IDS => request.body = without_ids(request.body),
                FORGETS_A_GROUP => request.body = without_group(request.body),
                _ => {}
            }
        }
        Box::pin(async move {
            let write = matches!(request.effect, Effect::Write { .. });
            let orders = request.url.contains("/orders");
            let answer = self.transport.send(request.clone()).await;
            match (self.plant, answer) {
                ("retry-write", Err(TransportError::Lost(_))) if write => self.transport.send(request).await,
                ("float-money" | "base-currency", Ok(mut response)) if orders => {
                    if let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&response.body) {
                        if self.plant == "float-money" {
                            through_floats(&mut body)
                        } else {
                            base_columns(&mut body)
                        }
                        response.body = body.to_string().into_bytes();
                    }
                    Ok(response)
                }
                ("base-currency-mixed", Ok(response)) if orders => {
                    self.note_rate(&response.body);
                    Ok(response)
                }
                (CANCELS_OVER | REDIRECTS, Ok(response)) => Ok(rewritten(response, still_to_do)),
                (UNLOOKED, Ok(response)) => self.unlooked(&request.body, response),
                (_, answer) => answer,
            }
        })
    }
}

impl BadTransport {
    /// The answer, in which what was booked shows once after a booking that was answered, and never else, not even in what is left
    /// to pay. The answer of every other booking is lost, or the bug would have to wait for bad weather.
    fn unlooked(&self, asked: &[u8], response: Response) -> Result<Response, TransportError> {
        let mut booked = self.booked.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = String::from_utf8_lossy(asked);
        if asked.contains(BOOKS) {
            booked.1 += 1;
            booked.0 = booked.1.is_multiple_of(2);
            return if booked.0 { Ok(response) } else { Err(TransportError::Lost("lost on the way back".to_string())) };
        }
        if asked.contains("\"model.account.move.line.search_read\"") && !std::mem::take(&mut booked.0) {
            let body = br#"{"id": 1, "result": []}"#.to_vec();
            return Ok(Response { status: 200, headers: Vec::new(), body });
        }
        Ok(rewritten(response, still_to_pay))
    }

    /// Notes the rate an order was placed at.
    fn note_rate(&self, body: &[u8]) {
        let Ok(told) = serde_json::from_slice::<serde_json::Value>(body) else { return };
        if let (Some(order), Ok(rate)) = (told["entity_id"].as_u64(), told["base_to_order_rate"].to_string().parse()) {
            self.rates.lock().unwrap_or_else(PoisonError::into_inner).insert(order.to_string(), rate);
        }
    }

    /// A refund whose amounts are in the order's own currency.
    fn in_own_currency(&self, url: &str, body: Vec<u8>) -> Vec<u8> {
        let order = url.rsplit('/').nth(1).unwrap_or_default();
        let rate = self.rates.lock().unwrap_or_else(PoisonError::into_inner).get(order).copied();
        let (Ok(mut told), Some(rate)) = (serde_json::from_slice::<serde_json::Value>(&body), rate) else {
            return body;
        };
        for name in ["shipping_amount", "adjustment_positive", "adjustment_negative"] {
            let own = told["arguments"][name]
                .to_string()
                .parse::<Decimal>()
                .map(|base| (base * rate).round_dp(2).normalize());
            if let Some(Ok(own)) = own.ok().map(|own| serde_json::from_str(&own.to_string())) {
                told["arguments"][name] = own;
            }
        }
        told.to_string().into_bytes()
    }

    /// The body that asks for a choice, its label in small letters the first time it is asked for.
    fn in_small_letters(&self, body: Vec<u8>) -> Vec<u8> {
        let Ok(mut told) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
        let Some(label) = told.pointer("/option/label").and_then(|label| label.as_str()).map(str::to_string) else {
            return body;
        };
        let first = self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(label.clone());
        if first {
            told["option"]["label"] = label.to_lowercase().into();
        }
        told.to_string().into_bytes()
    }
}

/// What books a payment.
const BOOKS: &str = "wizard.account.invoice.pay.execute";

/// A booking that names no stamp of the invoice.
fn without_stamp(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut told) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
    if told["method"] != BOOKS {
        return body;
    }
    told["params"][3].as_object_mut().map(|context| context.remove("_timestamp"));
    told.to_string().into_bytes()
}

/// A refund whose list of lines is empty, which means all of them.
fn without_lines(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut told) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
    told["items"] = serde_json::json!([]);
    told.to_string().into_bytes()
}

/// An answer, unpacked, its body changed by `change`.
fn rewritten(response: Response, change: impl Fn(&mut serde_json::Value)) -> Response {
    let Ok(mut response) = gzip::decoded(response) else {
        return Response { status: 500, headers: Vec::new(), body: Vec::new() };
    };
    if let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&response.body) {
        for row in body.get_mut("result").and_then(|rows| rows.as_array_mut()).into_iter().flatten() {
            change(row);
        }
        response.body = body.to_string().into_bytes();
    }
    response
}

/// A row of a sale whose shipments that were begun are all still waiting, and of which no goods have moved.
fn still_to_do(row: &mut serde_json::Value) {
    let waits = |one: &mut serde_json::Value, state: &str| {
        if one["state"] != "cancelled" && one["state"] != "draft" {
            one["state"] = state.into();
        }
    };
    if row.get("shipments.").is_some() {
        row["shipments."].as_array_mut().into_iter().flatten().for_each(|one| waits(one, "waiting"));
        for line in row["lines."].as_array_mut().into_iter().flatten() {
            line["moves."].as_array_mut().into_iter().flatten().for_each(|one| waits(one, "draft"));
        }
    }
}

/// A row of an invoice in force that nobody has paid anything of.
fn still_to_pay(row: &mut serde_json::Value) {
    if row["state"] == "posted" && row.get("amount_to_pay").is_some() && row.get("total_amount").is_some() {
        row["amount_to_pay"] = row["total_amount"].clone();
    }
}

/// A customer's document whose addresses are sent without their ids, so that each is a new one.
fn without_ids(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut told) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
    let rows = told.pointer_mut("/customer/addresses").and_then(|rows| rows.as_array_mut());
    for row in rows.into_iter().flatten().filter_map(|row| row.as_object_mut()) {
        row.remove("id");
    }
    told.to_string().into_bytes()
}

/// A customer's document that says nothing of the group.
fn without_group(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut told) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
    told["customer"].as_object_mut().map(|customer| customer.remove("group_id"));
    told.to_string().into_bytes()
}

/// Cuts every amount as binary floats do when they are multiplied by a hundred and cut.
#[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, reason = "this is the planted bug")]
fn through_floats(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(list) => list.iter_mut().for_each(through_floats),
        serde_json::Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let amount = key.ends_with("_amount")
                    || matches!(key.as_str(), "row_total" | "row_total_incl_tax" | "subtotal" | "grand_total");
                match value {
                    serde_json::Value::Number(number) if amount => {
                        let cents = (number.as_f64().unwrap_or(0.0) * 100.0) as i64;
                        let text = format!(
                            "{}{}.{:02}",
                            if cents < 0 { "-" } else { "" },
                            cents.abs() / 100,
                            cents.abs() % 100
                        );
                        if let Ok(exact) = serde_json::from_str(&text) {
                            *value = exact;
                        }
                    }
                    other => through_floats(other),
                }
            }
        }
        _ => {}
    }
}

/// Puts the base currency's columns where the order's belong.
fn base_columns(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(list) => list.iter_mut().for_each(base_columns),
        serde_json::Value::Object(map) => {
            let base: Vec<(String, serde_json::Value)> = map
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix("base_")?.to_string(), value.clone())))
                .collect();
            for (key, value) in base {
                if map.contains_key(&key) {
                    map.insert(key, value);
                }
            }
            if let Some(code) = map.get("base_currency_code").cloned() {
                map.insert("order_currency_code".to_string(), code);
            }
            map.values_mut().for_each(base_columns);
        }
        _ => {}
    }
}
