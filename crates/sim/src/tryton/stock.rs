//! How much of a product is where: the figures Tryton computes from moves, and the simulated people who move goods.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::drops;
use super::fail::Fail;
use super::read::{present, rec_name};
use super::schema::{Figure, Leg};
use super::store::{ADMINISTRATOR, Store};
use super::unit;
use super::value::{Val, day};
use super::write::create;

/// Where and until when a call looks, as its context says.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// The locations to sum over; without any every figure is zero.
    locations: Vec<u64>,
    /// Whether what lies below them counts; where nothing is said, only for a single one.
    with_children: Option<bool>,
    /// The last day; none for no end.
    end: Option<Date>,
    /// Whether the day was sent as text, which Python cannot compare.
    torn: bool,
}

impl Look {
    /// What a call's context says about stock.
    pub fn of(context: &Map<String, Value>) -> Self {
        let ids = |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let end = context.get("stock_date_end");
        Self {
            locations: context.get("locations").map(ids).unwrap_or_default(),
            with_children: context.get("with_childs").and_then(Value::as_bool),
            end: end.filter(|end| end.is_object()).and_then(|end| day(end).ok()),
            torn: end.is_some_and(Value::is_string),
        }
    }

    /// What lies in these locations and below them, without an end.
    fn at(locations: &[u64]) -> Self {
        Self { locations: locations.to_vec(), with_children: Some(true), end: None, torn: false }
    }
}

/// The company's day: that of its time zone, else of UTC.
pub fn today(store: &Store) -> Date {
    let zone = store.text("company.company", 1, "timezone");
    let zone = TimeZone::get(&zone).unwrap_or(TimeZone::UTC);
    store.moment().to_zoned(zone).date()
}

/// A figure of a product, as the running call looks at it.
pub fn figure(store: &Store, product: u64, figure: Figure) -> Result<Decimal, Fail> {
    counted(store, product, figure, &store.look)
}

fn counted(store: &Store, product: u64, figure: Figure, look: &Look) -> Result<Decimal, Fail> {
    if look.locations.is_empty() {
        return Ok(Decimal::ZERO);
    }
    if look.torn {
        return Err(Fail::other("'<' not supported between instances of 'str' and 'datetime.date'"));
    }
    present(store, "stock.location", &look.locations, "read")?;
    let inside = |location: u64| {
        look.locations.contains(&location)
            || (look.with_children.unwrap_or(look.locations.len() == 1)
                && parents(store, location).any(|parent| look.locations.contains(&parent)))
    };
    let (mut sum, today) = (Decimal::ZERO, today(store));
    for one in moves_with(store, "product", &Val::Ref(product))? {
        if !counts(store, one, figure, look.end, today) {
            continue;
        }
        let quantity = store.value("stock.move", one, "internal_quantity").number().unwrap_or_default();
        let place = |field: &str| store.value("stock.move", one, field).id().is_some_and(inside);
        match (place("from_location"), place("to_location")) {
            (true, false) => sum -= quantity,
            (false, true) => sum += quantity,
            _ => {}
        }
    }
    Ok(sum)
}

/// Whether a move counts. One that is planned for a day that has passed counts in no forecast: nobody expects it then.
fn counts(store: &Store, id: u64, figure: Figure, end: Option<Date>, today: Date) -> bool {
    let date = |field: &str| match store.value("stock.move", id, field) {
        Val::Date(day) => Some(day),
        _ => None,
    };
    let state = store.text("stock.move", id, "state");
    let planned = if state == "assigned" { Some(today) } else { date("planned_date") };
    let at = date("effective_date").or(planned);
    let end = end.unwrap_or(Date::MAX);
    let end = if figure == Figure::Quantity { end.min(today) } else { end };
    let looks_ahead = figure == Figure::Forecast && end >= today;
    match state.as_str() {
        "done" => at.is_some_and(|at| at <= end),
        "draft" | "assigned" => looks_ahead && (today..=end).contains(&at.unwrap_or(Date::MAX)),
        _ => false,
    }
}

/// Ids of the moves whose indexed field holds this value, ascending.
pub fn moves_with(store: &Store, field: &str, value: &Val) -> Result<Vec<u64>, Fail> {
    let moves = store.model("stock.move")?;
    Ok(store.having(moves, store.schema.models[moves].position(field)?, value))
}

fn parents(store: &Store, location: u64) -> impl Iterator<Item = u64> {
    let parent = |id: &u64| store.value("stock.location", *id, "parent").id();
    std::iter::successors(parent(&location), move |id| parent(id))
}

/// The warehouse a location is, or lies in.
pub fn warehouse_of(store: &Store, location: u64) -> Option<u64> {
    let is_one = |id: &u64| store.text("stock.location", *id, "type") == "warehouse";
    std::iter::once(location).chain(parents(store, location)).find(is_one)
}

/// The moves of a shipment.
pub fn moves_of(store: &Store, shipment: u64, leg: Leg) -> Result<Vec<u64>, Fail> {
    let model = if leg == Leg::Dropped { drops::MODEL } else { "stock.shipment.out" };
    let all = moves_with(store, "shipment", &Val::Text(format!("{model},{shipment}")))?;
    let is_outgoing = |id: &u64| {
        let to = store.value("stock.move", *id, "to_location").id();
        to.and_then(|to| warehouse_of(store, to)).is_none()
    };
    let (outgoing, inner): (Vec<u64>, Vec<u64>) = all.into_iter().partition(is_outgoing);
    Ok(match leg {
        Leg::Inventory => inner,
        Leg::Outgoing => outgoing,
        // In the order moves have by themselves.
        Leg::Both | Leg::Dropped => {
            let mut all: Vec<u64> = inner.into_iter().chain(outgoing).collect();
            all.sort_unstable_by(|one, other| other.cmp(one));
            all
        }
    })
}

/// What follows from a write on a place or a paper: a warehouse takes in its zones, moves follow their shipment's day.
pub fn written(store: &mut Store, model: &str, id: u64, sent: &Map<String, Value>) -> Result<(), Fail> {
    match model {
        "stock.location" if store.text(model, id, "type") == "warehouse" => {
            for zone in ["input_location", "output_location", "storage_location"] {
                if let Some(zone) = store.value(model, id, zone).id() {
                    store.put(model, zone, "parent", Val::Ref(id))?;
                }
            }
        }
        "stock.move"
            if sent.contains_key("quantity")
                && store.row(store.model(model)?, id).is_some_and(|row| row.written.is_some()) =>
        {
            let quantity = store.value(model, id, "quantity").number().unwrap_or_default();
            unit::set_quantity(store, id, quantity)?;
        }
        "stock.shipment.out" if sent.contains_key("planned_date") => {
            let (day, moves) = (store.value(model, id, "planned_date"), store.model("stock.move")?);
            for one in moves_of(store, id, Leg::Both)? {
                let open = !matches!(store.text("stock.move", one, "state").as_str(), "done" | "cancelled");
                if open && store.value("stock.move", one, "planned_date") != day {
                    store.put("stock.move", one, "planned_date", day.clone())?;
                    store.touch(moves, one);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Warns who takes goods out of use by the API that lie somewhere; people at the ERP go on all the same.
pub fn kept(store: &Store, model: &str, id: u64, sent: &Map<String, Value>) -> Result<(), Fail> {
    if sent.get("active") != Some(&Value::Bool(false)) || store.user == ADMINISTRATOR {
        return Ok(());
    }
    let products = match model {
        "product.product" => vec![id],
        "product.template" => store.children("product.product", "template", id)?,
        _ => return Ok(()),
    };
    let mut places = Vec::new();
    for place in store.ids(store.model("stock.location")?) {
        let held = |product: &u64| counted(store, *product, Figure::Quantity, &Look::at(&[place]));
        let sums = products.iter().map(held).collect::<Result<Vec<_>, _>>()?;
        if store.text("stock.location", place, "type") == "storage" && sums.iter().any(|sum| !sum.is_zero()) {
            let text = |field: &str| store.text("stock.location", place, field);
            places.push(format!("[{}] {}", text("code"), text("name")));
        }
    }
    if places.is_empty() {
        return Ok(());
    }
    let (name, company) = (rec_name(store, model, id), rec_name(store, "company.company", 1));
    Err(Fail::Warning {
        name: format!("{id:032x}.deactivate_product_with_stock"),
        message: format!(
            "The product \"{name}\" has still some quantities in locations \"{}\" for company \"{company}\".",
            places.join(",")
        ),
        description: "It is recommended to clear the stock from the storage locations before deactivating the product.",
    })
}

/// A location by its code, of that type.
fn located(store: &Store, kind: &str, code: Option<&str>) -> Result<u64, Fail> {
    let all = store.model("stock.location")?;
    let fits = |id: &u64| {
        store.text("stock.location", *id, "type") == kind
            && code.is_none_or(|code| store.text("stock.location", *id, "code") == code)
    };
    store.ids(all).find(fits).ok_or_else(|| Fail::other(format!("no {kind} {}", code.unwrap_or_default())))
}

/// The active product that stock is kept of, by its code.
fn product(store: &Store, code: &str) -> Result<u64, Fail> {
    let at = store.model("product.product")?;
    let all = store.having(at, store.schema.models[at].position("code")?, &Val::Text(code.to_owned()));
    let found = all.into_iter().find(|id| store.value("product.product", *id, "active") == Val::Bool(true));
    found.filter(|id| is_stocked(store, *id)).ok_or_else(|| Fail::other(format!("no goods {code}")))
}

/// Whether a product is counted at all: services are not.
pub fn is_stocked(store: &Store, product: u64) -> bool {
    let template = store.value("product.product", product, "template").id().unwrap_or_default();
    matches!(store.text("product.template", template, "type").as_str(), "goods" | "assets")
}

/// Goods that arrive at a warehouse (the first where none is named) or, where `quantity` is negative, are sold there
/// over the counter; refused where there are not so many.
pub fn carry(store: &mut Store, code: &str, warehouse: Option<&str>, quantity: Decimal) -> Result<(), Fail> {
    let product = product(store, code)?;
    let warehouse = located(store, "warehouse", warehouse)?;
    let storage = store.value("stock.location", warehouse, "storage_location").id().unwrap_or_default();
    let out = quantity.is_sign_negative();
    if out && counted(store, product, Figure::Quantity, &Look::at(&[storage]))? < -quantity {
        return Err(Fail::other(format!("not so many {code}")));
    }
    let other = located(store, if out { "customer" } else { "supplier" }, None)?;
    let (from, to) = if out { (storage, other) } else { (other, storage) };
    done(store, product, quantity.abs(), (from, to), None)
}

/// Makes a move that has happened today.
pub fn done(
    store: &mut Store,
    product: u64,
    quantity: Decimal,
    (from, to): (u64, u64),
    origin: Option<String>,
) -> Result<(), Fail> {
    let template = store.value("product.product", product, "template").id().unwrap_or_default();
    let unit = store.value("product.template", template, "default_uom").to_json(true);
    let row = json!({"product": product, "quantity": Val::Float(quantity).to_json(true), "unit": unit, "from_location": from,
        "to_location": to, "state": "done", "effective_date": Val::Date(today(store)).to_json(true), "origin": origin});
    let moves = store.model("stock.move")?;
    for id in create(store, "stock.move", &[row])? {
        store.touch(moves, id);
    }
    Ok(())
}

/// A further warehouse with its three zones; its id.
pub fn open_warehouse(store: &mut Store, code: &str) -> Result<u64, Fail> {
    let zones = ["Input", "Output", "Storage"].map(|name| json!({"name": format!("{code} {name}"), "type": "storage"}));
    let zones = create(store, "stock.location", &zones)?;
    let lost = located(store, "lost_found", None)?;
    let row = json!({"name": code, "code": code, "type": "warehouse", "input_location": zones.first(),
        "output_location": zones.get(1), "storage_location": zones.get(2), "lost_found_location": lost});
    Ok(create(store, "stock.location", &[row])?.first().copied().unwrap_or_default())
}

/// What really lies in each warehouse of each product, past the API: what is there, what the forecast without an end
/// says, and what should have left before today (`late`), which the forecast has forgotten.
pub fn ledger(store: &Store) -> Vec<Value> {
    let all = |model: &str| -> Vec<u64> { store.model(model).map(|at| store.ids(at).collect()).unwrap_or_default() };
    let is_warehouse = |id: &u64| store.text("stock.location", *id, "type") == "warehouse";
    let warehouses: Vec<u64> = all("stock.location").into_iter().filter(is_warehouse).collect();
    let mut rows = Vec::new();
    for product in all("product.product").into_iter().filter(|id| is_stocked(store, *id)) {
        for warehouse in &warehouses {
            let look = Look::at(&[*warehouse]);
            let shown = |figure: Figure| {
                counted(store, product, figure, &look).map(|number| number.normalize().to_string()).ok()
            };
            rows.push(json!({"sku": store.text("product.product", product, "code"),
                "warehouse": store.text("stock.location", *warehouse, "code"), "on_hand": shown(Figure::Quantity),
                "forecast": shown(Figure::Forecast),
                "late": late(store, product, *warehouse).normalize().to_string()}));
        }
    }
    rows
}

fn late(store: &Store, product: u64, warehouse: u64) -> Decimal {
    let today = Val::Date(today(store));
    let moves = moves_with(store, "product", &Val::Ref(product)).unwrap_or_default().into_iter();
    let is_late = |id: &u64| {
        let value = |field: &str| store.value("stock.move", *id, field);
        let house = |field: &str| value(field).id().and_then(|at| warehouse_of(store, at));
        value("state").text() == Some("draft")
            && value("planned_date").filled()
            && value("planned_date") < today
            && house("from_location") == Some(warehouse)
            && house("to_location") != Some(warehouse)
    };
    moves.filter(is_late).filter_map(|id| store.value("stock.move", id, "internal_quantity").number()).sum()
}
