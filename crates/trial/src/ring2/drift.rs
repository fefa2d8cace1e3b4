//! A schema that drifts: for a while the answers of one system go without a field, or tell it in another form, as after an
//! upgrade over night, until somebody there puts it right.

use super::boot::Stage;
use super::world::{Which, open};
use serde_json::{Value, json};
use syncline_sim::http::{Request, Response};
use syncline_sim::random::Random;
use tokio::time::{Duration, Instant};

/// Seconds of chaos for one drift, about.
const EVERY_S: u64 = 30;

/// Fields of Magento's answers, from identity to money. What hangs on an order tells the taxes of its freight: without that a draft is
/// made that a person mends (SYN-0113), as would have to be done here.
const OF_SHOP: [&str; 23] = [
    "sku",
    "name",
    "price",
    "status",
    "weight",
    "type_id",
    "updated_at",
    "custom_attributes",
    "media_gallery_entries",
    "quantity",
    "increment_id",
    "entity_id",
    "state",
    "grand_total",
    "tax_amount",
    "qty_ordered",
    "qty_canceled",
    "billing_address",
    "email",
    "telephone",
    "region",
    "addresses",
    "group_id",
];
/// Fields of Tryton's answers; what other records tell comes under their field with a dot behind it.
const OF_ERP: [&str; 22] = [
    "code",
    "name",
    "active",
    "write_date",
    "_timestamp",
    "quantity",
    "forecast_quantity",
    "list_price",
    "unit_price",
    "formula",
    "template.",
    "attributes",
    "state",
    "number",
    "total_amount",
    "lines.",
    "shipments.",
    "invoices.",
    "addresses.",
    "party_name",
    "street",
    "contact_mechanisms.",
];

/// Those that a shop may go without for a record that has none: told otherwise they are wrong, missing they are empty.
const OPTIONAL: [&str; 3] = ["telephone", "region", "weight"];

/// What answers do with a field. None tells it as nothing: that is how people leave a field empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It is not told.
    Gone,
    /// It is told as something else.
    Other,
}

/// One field of one system, for a while.
#[derive(Debug, Clone)]
pub struct Drift {
    which: Which,
    field: &'static str,
    form: Form,
    until: Instant,
}

impl Drift {
    /// That field of that system for so many seconds from now on.
    pub fn of(which: Which, field: &'static str, form: Form, seconds: u64) -> Self {
        Self { which, field, form, until: Instant::now() + Duration::from_secs(seconds) }
    }

    fn drawn(random: &mut Random, with_outlet: bool) -> Self {
        let which = match random.below(4) {
            0 | 1 => Which::Erp,
            2 if with_outlet => Which::Outlet,
            _ => Which::Shop,
        };
        let fields: &[&'static str] = if which == Which::Erp { &OF_ERP } else { &OF_SHOP };
        let field = fields.get(random.index(fields.len())).copied().unwrap_or("name");
        let form = if random.chance(1, 2) && !OPTIONAL.contains(&field) { Form::Gone } else { Form::Other };
        Self::of(which, field, form, random.between(5, 60))
    }

    /// Whether it is under way in that system.
    pub fn is_in(&self, which: Which) -> bool {
        self.which == which && Instant::now() < self.until
    }

    /// `request` as it is answered in plain text.
    pub fn plain(request: &Request) -> Request {
        let mut plain = request.clone();
        plain.headers.retain(|(name, _)| name != "accept-encoding");
        plain
    }

    /// The answer as the drifted system gives it. Whether anything of it is otherwise.
    pub fn touch(&self, answer: &mut Response) -> bool {
        let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return false };
        let touched = self.alter(&mut body);
        if touched {
            answer.body = body.to_string().into_bytes();
        }
        touched
    }

    fn alter_all<'v>(&self, values: impl Iterator<Item = &'v mut Value>) -> bool {
        values.map(|value| self.alter(value)).filter(|touched| *touched).count() > 0
    }

    fn alter(&self, value: &mut Value) -> bool {
        match value {
            Value::Array(items) => self.alter_all(items.iter_mut()),
            Value::Object(fields) => {
                let mut touched = self.alter_all(fields.values_mut());
                if let Some(found) = fields.get_mut(self.field) {
                    touched = true;
                    match self.form {
                        Form::Gone => drop(fields.remove(self.field)),
                        Form::Other => *found = otherwise(found),
                    }
                }
                touched
            }
            _ => false,
        }
    }
}

/// A value in another form: what is one becomes several, a text an object, a number a text and the other way round.
fn otherwise(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(yes) => json!(if *yes { "yes" } else { "no" }),
        Value::Number(number) => json!(format!("{number} pcs")),
        Value::String(text) => json!({"value": text}),
        Value::Array(items) => items.first().cloned().unwrap_or(Value::Null),
        Value::Object(_) => json!([value]),
    }
}

/// Whether schemas drift in the schedule of `seed`.
pub fn is_drawn(seed: u64) -> bool {
    Random::of(seed, 34, 0).chance(1, 6)
}

/// A drift begins where none is under way, at times.
pub fn each_second(stage: &Stage, second: u64) {
    let mut world = open(&stage.world);
    let mut random = Random::of(stage.seed(), 35, second);
    let is_on = world.drift.as_ref().is_some_and(|drift| drift.is_in(drift.which));
    if !world.weather.drifts || is_on || !random.chance(1, EVERY_S) {
        return;
    }
    let drift = Drift::drawn(&mut random, world.outlet.is_some());
    world.event(&format!("{:?} tells `{}` otherwise: {:?}", drift.which, drift.field, drift.form));
    world.count("drifts");
    world.drift = Some(drift);
}
