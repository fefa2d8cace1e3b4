//! Tryton's own shapes, as they stand on the wire, and nothing else.

use super::wire_stand::{AmendmentRow, StandRow};
use crate::wire::Exact;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use syncline_core::money;

/// An amount: `{"__class__":"Decimal","decimal":"1.10"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dec(pub(super) Decimal);

#[derive(Deserialize)]
struct TaggedDecimal {
    decimal: String,
}

impl<'de> Deserialize<'de> for Dec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tagged = TaggedDecimal::deserialize(deserializer)?;
        money::decimal(&tagged.decimal).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Dec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tagged = serializer.serialize_struct("Decimal", 2)?;
        tagged.serialize_field("__class__", "Decimal")?;
        tagged.serialize_field("decimal", &self.0.to_string())?;
        tagged.end()
    }
}

/// A quantity: a float on the wire, read and written by its exact digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Qty(pub(super) Exact);

impl Qty {
    pub(super) fn of(quantity: Decimal) -> Self {
        Self(Exact(quantity))
    }
}

impl Serialize for Qty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number: serde_json::Number = self.0.0.normalize().to_string().parse().map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day(pub(super) Date);

#[derive(Deserialize)]
struct TaggedDay {
    year: i16,
    month: i8,
    day: i8,
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let t = TaggedDay::deserialize(deserializer)?;
        Date::new(t.year, t.month, t.day).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tagged = serializer.serialize_struct("date", 4)?;
        tagged.serialize_field("__class__", "date")?;
        tagged.serialize_field("year", &self.0.year())?;
        tagged.serialize_field("month", &self.0.month())?;
        tagged.serialize_field("day", &self.0.day())?;
        tagged.end()
    }
}

/// A moment in UTC, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) Timestamp);

#[derive(Serialize, Deserialize)]
struct TaggedMoment {
    #[serde(rename = "__class__")]
    class: String,
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    microsecond: i32,
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let t = TaggedMoment::deserialize(deserializer)?;
        let nanos = t.microsecond.checked_mul(1000).unwrap_or(-1);
        DateTime::new(t.year, t.month, t.day, t.hour, t.minute, t.second, nanos)
            .and_then(|civil| civil.to_zoned(TimeZone::UTC))
            .map(|zoned| Self(zoned.timestamp()))
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let t = self.0.to_zoned(TimeZone::UTC);
        TaggedMoment {
            class: "datetime".to_string(),
            year: t.year(),
            month: t.month(),
            day: t.day(),
            hour: t.hour(),
            minute: t.minute(),
            second: t.second(),
            microsecond: t.subsec_nanosecond() / 1000,
        }
        .serialize(serializer)
    }
}

/// A flag: `true`/`false` on PostgreSQL, `1`/`0` on SQLite, `null` for never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(yes) => Ok(Self(yes)),
            serde_json::Value::Null => Ok(Self(false)),
            serde_json::Value::Number(number) => match number.to_string().as_str() {
                "0" => Ok(Self(false)),
                "1" => Ok(Self(true)),
                other => Err(serde::de::Error::custom(format!("`{other}` is neither yes nor no"))),
            },
            _ => Err(serde::de::Error::custom("neither yes nor no")),
        }
    }
}

/// A related record of which the code was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Coded {
    pub(super) id: i64,
    pub(super) code: Option<String>,
}

/// A related record of which the name was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Named {
    pub(super) id: i64,
    pub(super) name: Option<String>,
}

/// A row of which nothing but id and version was asked.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct KeyRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp")]
    pub(super) version: Option<String>,
    #[serde(rename = "template.", default)]
    pub(super) template: Option<Stamped>,
}

/// A related record of which the version was asked.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Stamped {
    #[serde(rename = "_timestamp")]
    pub(super) version: Option<String>,
}

/// When a row was made and last written; `write_date` is null until the first write.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TimesRow {
    #[serde(default)]
    pub(super) write_date: Option<Moment>,
    #[serde(default)]
    pub(super) create_date: Option<Moment>,
}

impl TimesRow {
    /// When it was last written, or made where it never was.
    pub(super) fn moment(&self) -> Option<Timestamp> {
        self.write_date.or(self.create_date).map(|Moment(at)| at)
    }
}

/// `sale.sale` with its lines.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SaleRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp")]
    pub(super) version: Option<String>,
    pub(super) number: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) state: String,
    #[serde(rename = "currency.")]
    pub(super) currency: Coded,
    pub(super) party: Option<i64>,
    #[serde(default)]
    pub(super) invoice_address: Option<i64>,
    #[serde(default)]
    pub(super) shipment_address: Option<i64>,
    pub(super) total_amount: Option<Dec>,
    pub(super) tax_amount: Option<Dec>,
    /// `none` where nothing of it is to leave.
    #[serde(default)]
    pub(super) shipment_state: Option<String>,
    /// `none` where no money is asked for.
    #[serde(default)]
    pub(super) invoice_state: Option<String>,
    /// Cancelled invoices that nobody waits for.
    #[serde(default)]
    pub(super) invoices_ignored: Vec<i64>,
    /// Cancelled invoices that were made anew.
    #[serde(default)]
    pub(super) invoices_recreated: Vec<i64>,
    /// What it is asked money with; told where one sale is read.
    #[serde(rename = "invoices.", default)]
    pub(super) invoices: Option<Vec<StandRow>>,
    /// What it leaves with; as above.
    #[serde(rename = "shipments.", default)]
    pub(super) shipments: Option<Vec<StandRow>>,
    /// What people or we are about to change in it; told where it is asked for.
    #[serde(rename = "amendments.", default)]
    pub(super) amendments: Option<Vec<AmendmentRow>>,
    #[serde(rename = "lines.")]
    pub(super) lines: Option<Vec<SaleLineRow>>,
}

/// Fields asked of a sale; `web_id` beside them where module `web_shop` is activated.
pub(super) const SALE_FIELDS: [&str; 23] = [
    "number",
    "reference",
    "state",
    "currency.code",
    "party",
    "invoice_address",
    "shipment_address",
    "total_amount",
    "tax_amount",
    "description",
    "write_date",
    "create_date",
    "_timestamp",
    "shipment_state",
    "invoice_state",
    "invoices_ignored",
    "lines.moves_ignored",
    "lines.sequence",
    "lines.type",
    "lines.product.code",
    "lines.quantity",
    "lines.amount",
    "lines.description",
];

/// `sale.line` within its sale.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SaleLineRow {
    pub(super) id: i64,
    pub(super) sequence: Option<i64>,
    #[serde(rename = "type")]
    pub(super) form: String,
    #[serde(rename = "product.", default)]
    pub(super) product_row: Option<Coded>,
    pub(super) quantity: Option<Qty>,
    pub(super) amount: Option<Dec>,
    #[serde(default)]
    pub(super) unit: Option<i64>,
    #[serde(default)]
    pub(super) unit_price: Option<Dec>,
    pub(super) description: Option<String>,
    /// Cancelled moves that nobody waits for.
    #[serde(default)]
    pub(super) moves_ignored: Vec<i64>,
    /// Cancelled moves that were made anew.
    #[serde(default)]
    pub(super) moves_recreated: Vec<i64>,
    /// What moves its goods; told where one sale is read.
    #[serde(rename = "moves.", default)]
    pub(super) moves: Vec<StandRow>,
}

/// `product.product` as lines of sales need it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ProductRow {
    pub(super) id: i64,
    #[serde(rename = "sale_uom.", default)]
    pub(super) sale_unit: Option<Unit>,
    #[serde(rename = "default_uom.", default)]
    pub(super) default_unit: Option<Unit>,
}

/// Fields asked of a product for a line.
pub(super) const PRODUCT_FIELDS: [&str; 2] = ["sale_uom.digits", "default_uom.digits"];

/// `product.product` as a record of its own.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct VariantRow {
    pub(super) id: i64,
    #[serde(flatten)]
    pub(super) edited: Edited,
    pub(super) code: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) active: Flag,
    #[serde(rename = "template.")]
    pub(super) template: TemplateRow,
    #[serde(default)]
    pub(super) weight: Option<Qty>,
    #[serde(rename = "weight_uom", default)]
    pub(super) weight_unit: Option<i64>,
    #[serde(rename = "sale_uom.", default)]
    pub(super) sale_unit: Option<Unit>,
    #[serde(rename = "default_uom.", default)]
    pub(super) default_unit: Option<Unit>,
    /// `goods`, `service` or `assets`.
    #[serde(rename = "type", default)]
    pub(super) form: Option<String>,
    /// Where they were asked, in Tryton's order.
    #[serde(rename = "identifiers.", default)]
    pub(super) identifiers: Vec<super::wire_product::ProductCodeRow>,
    /// By name; values as Tryton keeps them, of whatever form.
    #[serde(default)]
    pub(super) attributes: Option<serde_json::Map<String, serde_json::Value>>,
}

/// `product.template` behind a product.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TemplateRow {
    pub(super) id: i64,
    #[serde(flatten)]
    pub(super) edited: Edited,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) active: Flag,
    /// Its active variants; none where it is itself out of use.
    #[serde(default)]
    pub(super) products: Vec<i64>,
    /// The categories of all its variants.
    #[serde(default)]
    pub(super) categories: Option<Vec<i64>>,
    #[serde(default)]
    pub(super) attribute_set: Option<i64>,
    #[serde(rename = "account_category.", default)]
    pub(super) tax_category: Option<Named>,
}

/// The version of a row, when it was last written, and by whom.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Edited {
    #[serde(rename = "_timestamp")]
    pub(super) version: Option<String>,
    #[serde(flatten)]
    pub(super) times: TimesRow,
    #[serde(rename = "write_uid.", default)]
    pub(super) writer: Option<Called>,
    #[serde(rename = "create_uid.", default)]
    pub(super) maker: Option<Called>,
}

/// A related record of which was asked what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Called {
    pub(super) rec_name: Option<String>,
}

/// Fields asked of a product; its weight beside them where module `product_measurements` is activated.
pub(super) const VARIANT_FIELDS: [&str; 18] = [
    "type",
    "code",
    "description",
    "active",
    "_timestamp",
    "write_date",
    "create_date",
    "write_uid.rec_name",
    "create_uid.rec_name",
    "template.name",
    "template.active",
    "template.products",
    "template.categories",
    "template._timestamp",
    "template.write_date",
    "template.create_date",
    "template.write_uid.rec_name",
    "template.create_uid.rec_name",
];

/// Fields of a product's weight, which is that of one it is counted in.
pub(super) const WEIGHT_FIELDS: [&str; 5] = ["weight", "weight_uom", UNIT_FIELDS[0], UNIT_FIELDS[1], UNIT_FIELDS[2]];

/// `ir.translation`: one text of one record in one language. `fuzzy` ones, whose original was changed since, are told
/// like the others: the words are still there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct TextRow {
    /// Model and field, e.g. `product.template,name`.
    pub(super) name: String,
    #[serde(rename = "res_id")]
    pub(super) record: i64,
    #[serde(rename = "lang")]
    pub(super) language: Option<String>,
    pub(super) value: Option<String>,
}

/// Fields asked of a text.
pub(super) const TEXT_FIELDS: [&str; 4] = ["name", "res_id", "lang", "value"];

/// `product.product` with the figures of the locations and the period of the call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct FigureRow {
    /// `goods`, `assets` or `service`.
    #[serde(rename = "type")]
    pub(super) form: String,
    #[serde(default)]
    pub(super) active: Flag,
    pub(super) quantity: Qty,
    pub(super) forecast_quantity: Qty,
    #[serde(rename = "sale_uom.", default)]
    pub(super) sale_unit: Option<Unit>,
    #[serde(rename = "default_uom.", default)]
    pub(super) default_unit: Option<Unit>,
}

/// Fields asked of a product's stock. The stored ones make Tryton notice a product that is not there, which figures
/// alone show as zero.
pub(super) const FIGURE_FIELDS: [&str; 7] =
    ["type", "active", "quantity", "forecast_quantity", UNIT_FIELDS[0], UNIT_FIELDS[1], UNIT_FIELDS[2]];

/// `stock.move` that should have left before today.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LateRow {
    pub(super) product: i64,
    pub(super) internal_quantity: Option<Qty>,
    #[serde(rename = "from_location.", default)]
    pub(super) from: Option<Housed>,
    #[serde(rename = "to_location.", default)]
    pub(super) to: Option<Housed>,
}

/// Fields asked of such a move.
pub(super) const LATE_FIELDS: [&str; 4] =
    ["product", "internal_quantity", "from_location.warehouse", "to_location.warehouse"];

/// A location of which the warehouse was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Housed {
    #[serde(default)]
    pub(super) warehouse: Option<i64>,
}

/// `stock.move` in the feed.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MovedRow {
    pub(super) product: i64,
}

/// A unit with how many decimals a quantity in it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Unit {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) digits: u32,
    /// How much it is of its category's own unit, where that was asked.
    #[serde(default)]
    pub(super) factor: Option<Qty>,
}

/// Fields that tell how the unit a product is sold in compares with the one it is counted in.
pub(super) const UNIT_FIELDS: [&str; 3] = ["sale_uom.digits", "sale_uom.factor", "default_uom.factor"];

/// Nested writes of a one-to-many field: `[["create",[…]]]`.
pub(super) type Creates<T> = Vec<(&'static str, Vec<T>)>;

/// `items` as one nested create; nothing where there are none.
pub(super) fn creates<T>(items: Vec<T>) -> Creates<T> {
    if items.is_empty() { Vec::new() } else { vec![("create", items)] }
}

/// A sale to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewSale {
    pub(super) company: i64,
    pub(super) party: i64,
    pub(super) invoice_address: i64,
    pub(super) shipment_address: i64,
    pub(super) currency: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warehouse: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_term: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sale_date: Option<Day>,
    pub(super) reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) web_shop: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) web_id: Option<String>,
    /// Outer: whether the field exists. Inner: always null, for no shipping line of Tryton's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shipment_cost_method: Option<Option<&'static str>>,
    pub(super) lines: Creates<NewLine>,
}

/// A line of a sale to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewLine {
    #[serde(rename = "type")]
    pub(super) form: &'static str,
    pub(super) sequence: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) product: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quantity: Option<Qty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit_price: Option<Dec>,
    /// Added by id: `[["add",[1]]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) taxes: Vec<(&'static str, Vec<i64>)>,
    pub(super) description: String,
}
