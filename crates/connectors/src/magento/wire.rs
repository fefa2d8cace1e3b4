//! The vendor's shapes and nothing else: what Magento's REST API answers, as far as it is read here.
//!
//! Only the columns in the order's own currency are declared. The `base_*` columns hold the same amounts in the
//! website's currency; a name that is not here cannot be mixed up. Source: the recordings of 2.4.7 and Adobe's
//! admin schema 2.4.9.

use crate::wire::Exact;
use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use syncline_core::text::shown;

pub(super) use super::wire_customer::{Customer, CustomerAddress};

/// A text, also where it comes as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            other => Err(de::Error::custom(format!("`{}` is no text", shown(&other.to_string(), 40)))),
        }
    }
}

/// A row's id: a whole number, also where it comes as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let id = match &value {
            Value::Number(number) => number.to_string().parse().ok(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        id.map(Self).ok_or_else(|| de::Error::custom(format!("`{}` is no id", shown(&value.to_string(), 45))))
    }
}

/// A yes or no, which Magento writes as 1 and 0, as text or as a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(yes) => Ok(Self(yes)),
            Value::Number(number) => Ok(Self(number.to_string() != "0")),
            Value::String(text) => Ok(Self(!matches!(text.as_str(), "" | "0" | "false"))),
            other => Err(de::Error::custom(format!("`{}` is neither yes nor no", shown(&other.to_string(), 40)))),
        }
    }
}

/// An object that PHP writes as `[]` when it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bag<T>(pub(super) T);

impl<T: Default> Default for Bag<T> {
    fn default() -> Self {
        Self(T::default())
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Bag<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Either<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or an empty list")
            }
            fn visit_unit<E: de::Error>(self) -> Result<T, E> {
                Ok(T::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
                match seq.next_element::<Value>()? {
                    None => Ok(T::default()),
                    Some(_) => Err(de::Error::custom("a list where an object was expected")),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Either(PhantomData)).map(Self)
    }
}

/// Lines of a street: a list, or one text where a module flattened it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Street(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Street {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = match Value::deserialize(deserializer)? {
            Value::Null => Vec::new(),
            Value::String(text) => text.lines().map(str::to_owned).collect(),
            Value::Array(rows) => rows.iter().filter_map(|row| row.as_str().map(str::to_owned)).collect(),
            other => return Err(de::Error::custom(format!("`{}` is no street", shown(&other.to_string(), 40)))),
        };
        Ok(Self(rows))
    }
}

/// The answer of a search; each item is read on its own, so that a bad one stops no other.
#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    /// `null` past the end (recorded: orders-past-the-end).
    #[serde(default)]
    pub(super) items: Option<Vec<Value>>,
    #[serde(default)]
    pub(super) total_count: Option<usize>,
}

/// An order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Order {
    pub(super) entity_id: Id,
    pub(super) increment_id: Text,
    pub(super) quote_id: Option<Id>,
    pub(super) ext_order_id: Option<Text>,
    pub(super) store_id: Option<Id>,
    pub(super) store_name: Option<Text>,
    pub(super) state: Text,
    pub(super) created_at: Text,
    pub(super) updated_at: Option<Text>,
    pub(super) is_virtual: Option<Flag>,
    pub(super) order_currency_code: Text,
    pub(super) grand_total: Exact,
    pub(super) tax_amount: Exact,
    pub(super) subtotal: Option<Exact>,
    pub(super) shipping_amount: Option<Exact>,
    pub(super) shipping_tax_amount: Option<Exact>,
    pub(super) shipping_discount_amount: Option<Exact>,
    pub(super) shipping_discount_tax_compensation_amount: Option<Exact>,
    pub(super) shipping_description: Option<Text>,
    pub(super) total_paid: Option<Exact>,
    pub(super) customer_id: Option<Id>,
    pub(super) customer_email: Option<Text>,
    pub(super) customer_firstname: Option<Text>,
    pub(super) customer_middlename: Option<Text>,
    pub(super) customer_lastname: Option<Text>,
    pub(super) customer_taxvat: Option<Text>,
    pub(super) items: Vec<Item>,
    pub(super) billing_address: Option<Bag<Address>>,
    pub(super) payment: Option<Bag<Payment>>,
    #[serde(default)]
    pub(super) extension_attributes: Bag<OrderExtension>,
}

/// What is said of a field, be it that there is nothing.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// One line of an order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Item {
    pub(super) item_id: Id,
    pub(super) parent_item_id: Option<Id>,
    pub(super) product_id: Option<Id>,
    pub(super) product_type: Option<Text>,
    /// That it has none is a word; none at all is an answer of another shape.
    #[serde(default, deserialize_with = "said")]
    pub(super) sku: Option<Option<Text>>,
    pub(super) name: Option<Text>,
    pub(super) qty_ordered: Option<Exact>,
    pub(super) qty_shipped: Option<Exact>,
    pub(super) qty_invoiced: Option<Exact>,
    pub(super) qty_refunded: Option<Exact>,
    pub(super) qty_canceled: Option<Exact>,
    pub(super) price: Option<Exact>,
    pub(super) row_total: Option<Exact>,
    pub(super) tax_amount: Option<Exact>,
    pub(super) tax_percent: Option<Exact>,
    pub(super) discount_amount: Option<Exact>,
    pub(super) discount_tax_compensation_amount: Option<Exact>,
    pub(super) weee_tax_applied_row_amount: Option<Exact>,
    #[serde(default)]
    pub(super) extension_attributes: Bag<ItemExtension>,
}

/// What modules add to a line.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ItemExtension {
    pub(super) itemized_taxes: Option<Vec<ItemizedTax>>,
}

/// One tax of one line or of the freight (2.4.7 and later).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ItemizedTax {
    pub(super) tax_code: Option<Text>,
    pub(super) tax_percent: Option<Exact>,
    pub(super) taxable_item_type: Option<Text>,
}

/// How an order is paid.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Payment {
    pub(super) method: Option<Text>,
    pub(super) amount_authorized: Option<Exact>,
    pub(super) po_number: Option<Text>,
}

/// An address of an order.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Address {
    pub(super) firstname: Option<Text>,
    pub(super) middlename: Option<Text>,
    pub(super) lastname: Option<Text>,
    pub(super) company: Option<Text>,
    #[serde(default)]
    pub(super) street: Street,
    pub(super) postcode: Option<Text>,
    pub(super) city: Option<Text>,
    pub(super) country_id: Option<Text>,
    pub(super) region: Option<Text>,
    pub(super) region_code: Option<Text>,
    pub(super) telephone: Option<Text>,
    pub(super) vat_id: Option<Text>,
    pub(super) email: Option<Text>,
}

/// What modules add to an order.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct OrderExtension {
    pub(super) shipping_assignments: Option<Vec<Assignment>>,
    pub(super) applied_taxes: Option<Vec<AppliedTax>>,
    pub(super) item_applied_taxes: Option<Vec<ItemTaxes>>,
    pub(super) additional_itemized_taxes: Option<Vec<ItemizedTax>>,
    pub(super) gift_cards_amount: Option<Exact>,
    pub(super) customer_balance_amount: Option<Exact>,
    pub(super) reward_currency_amount: Option<Exact>,
    pub(super) gw_price: Option<Exact>,
    pub(super) gw_items_price: Option<Exact>,
    pub(super) gw_card_price: Option<Exact>,
    pub(super) custom_fees: Option<Vec<Value>>,
}

/// One tax of an order or of a part of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AppliedTax {
    pub(super) code: Option<Text>,
    pub(super) percent: Option<Exact>,
}

/// The taxes of a line, or of the freight.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ItemTaxes {
    #[serde(rename = "type")]
    pub(super) sort: Option<Text>,
    pub(super) item_id: Option<Id>,
    pub(super) applied_taxes: Option<Vec<AppliedTax>>,
}

/// Where goods go.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Assignment {
    #[serde(default)]
    pub(super) shipping: Bag<Shipping>,
}

/// How goods go there.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Shipping {
    pub(super) address: Option<Bag<Address>>,
}

/// A region of a country.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Region {
    pub(super) region_code: Option<Text>,
    pub(super) region: Option<Text>,
}

/// A product.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Product {
    pub(super) id: Id,
    pub(super) sku: Text,
    pub(super) name: Option<Text>,
    pub(super) type_id: Option<Text>,
    pub(super) status: Option<Text>,
    pub(super) weight: Option<Exact>,
    pub(super) updated_at: Option<Text>,
    /// None where the answer does not tell of them at all.
    #[serde(default, deserialize_with = "listed")]
    pub(super) custom_attributes: Option<Vec<Attribute>>,
    #[serde(default)]
    pub(super) extension_attributes: Bag<ProductParts>,
}

/// What belongs to a configurable product; none where the answer does not tell of it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ProductParts {
    #[serde(default, deserialize_with = "listed")]
    pub(super) configurable_product_options: Option<Vec<ConfigurableOption>>,
    /// Its children by number.
    #[serde(default, deserialize_with = "listed")]
    pub(super) configurable_product_links: Option<Vec<Id>>,
    #[serde(default, deserialize_with = "listed")]
    pub(super) bundle_product_options: Option<Vec<super::wire_bundle::BundleOption>>,
}

/// An attribute that tells the children of a product apart.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct ConfigurableOption {
    pub(super) attribute_id: Id,
}

/// An attribute a product has; of several values as a list.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Attribute {
    pub(super) attribute_code: Text,
    #[serde(default)]
    pub(super) value: Value,
}

/// An entry of a product's media gallery.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) id: Id,
    pub(super) media_type: Option<Text>,
    pub(super) label: Option<Text>,
    pub(super) position: Option<Exact>,
    pub(super) disabled: Option<Flag>,
    /// The roles it plays.
    pub(super) types: Option<Vec<Text>>,
    file: Option<Text>,
    /// Its bytes; only where it is asked for by itself.
    pub(super) content: Option<EntryContent>,
}

impl Entry {
    /// Whether it is an image: videos stand in the gallery, too.
    pub(super) fn is_image(&self) -> bool {
        self.media_type.as_ref().is_none_or(|sort| sort.0 == "image")
    }

    /// Where its file stands.
    pub(super) fn path(&self) -> Option<&String> {
        self.file.as_ref().map(|file| &file.0)
    }
}

/// The file of an entry.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct EntryContent {
    pub(super) base64_encoded_data: Text,
}

/// An attribute products can have, with its choices.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ProductAttribute {
    pub(super) attribute_id: Option<Id>,
    pub(super) attribute_code: Text,
    pub(super) frontend_input: Option<Text>,
    pub(super) backend_type: Option<Text>,
    pub(super) source_model: Option<Text>,
    pub(super) default_frontend_label: Option<Text>,
    pub(super) scope: Option<Text>,
    pub(super) options: Option<Vec<AttributeOption>>,
}

/// A choice of an attribute; the one without a value stands for none.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AttributeOption {
    pub(super) label: Text,
    pub(super) value: Text,
}

/// A list that is told, also as `null`, which an empty one becomes where `fields` narrows its rows (recorded:
/// products-search-past-the-end).
pub(super) fn listed<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Ok(Some(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default()))
}

/// A store view.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StoreView {
    pub(super) id: Id,
    pub(super) code: Text,
    pub(super) website_id: Id,
    pub(super) is_active: Option<Flag>,
}

/// A website.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Website {
    pub(super) id: Id,
    pub(super) code: Text,
    pub(super) name: Text,
    pub(super) default_group_id: Option<Id>,
}

/// Store views of one website that share one tree of categories.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StoreGroup {
    pub(super) id: Id,
    pub(super) default_store_id: Option<Id>,
    pub(super) root_category_id: Option<Id>,
}

/// The settings of a store view.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StoreConfig {
    pub(super) id: Id,
    pub(super) code: Text,
    /// Language and region, e.g. `de_DE`.
    pub(super) locale: Option<Text>,
    /// `kgs` or `lbs`.
    pub(super) weight_unit: Option<Text>,
    pub(super) timezone: Option<Text>,
    pub(super) base_currency_code: Option<Text>,
    pub(super) default_display_currency_code: Option<Text>,
}

/// A tax rate.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TaxRate {
    pub(super) code: Text,
    pub(super) rate: Option<Exact>,
    pub(super) tax_country_id: Option<Text>,
}

/// A customer group.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Group {
    pub(super) id: Id,
    pub(super) code: Text,
}

/// A place goods lie at.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Source {
    pub(super) source_code: Text,
    pub(super) name: Option<Text>,
    pub(super) enabled: Option<Flag>,
}

/// Sources taken together, for some websites.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StockPool {
    pub(super) stock_id: Id,
    #[serde(default)]
    pub(super) extension_attributes: Bag<StockExtension>,
}

/// What modules add to a stock.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct StockExtension {
    pub(super) sales_channels: Option<Vec<SalesChannel>>,
}

/// Whom a stock sells to.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SalesChannel {
    #[serde(rename = "type")]
    pub(super) kind: Option<Text>,
    pub(super) code: Option<Text>,
}

/// A source that a stock takes in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StockLink {
    pub(super) stock_id: Id,
    pub(super) source_code: Text,
}

/// The quantity of a SKU at a source.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SourceItem {
    pub(super) source_code: Text,
    pub(super) quantity: Option<Exact>,
    pub(super) status: Option<Flag>,
}

/// The one quantity of a product, in a shop without sources.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StockItem {
    pub(super) item_id: Id,
    pub(super) qty: Option<Exact>,
    pub(super) min_qty: Option<Exact>,
    pub(super) is_in_stock: Option<Flag>,
    pub(super) manage_stock: Option<Flag>,
}

/// The price of a SKU in a store view; 0 for all of them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BasePrice {
    pub(super) store_id: Id,
    pub(super) price: Option<Exact>,
}

/// The price of a SKU for some days in a store view; 0 for all of them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SpecialPrice {
    pub(super) store_id: Id,
    pub(super) price: Option<Exact>,
    /// Date and time without a zone.
    pub(super) price_from: Option<Text>,
    pub(super) price_to: Option<Text>,
}

/// The price of a SKU from a quantity on, for a group of customers in a website; 0 for all of them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TierPrice {
    pub(super) website_id: Id,
    /// `fixed`, or `discount` for a percentage.
    pub(super) price_type: Text,
    pub(super) customer_group: Text,
    pub(super) quantity: Exact,
    pub(super) price: Option<Exact>,
}

/// A refusal, with `%name` or `%1` in the message where a parameter belongs.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Refusal {
    pub(super) message: Option<Text>,
    #[serde(default)]
    pub(super) parameters: Value,
}

impl Refusal {
    /// The message with its parameters in place.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = self.message.as_ref()?.0.clone();
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut pairs: BTreeMap<String, String> = BTreeMap::new();
        match &self.parameters {
            Value::Object(named) => pairs.extend(named.iter().map(|(name, value)| (name.clone(), plain(value)))),
            Value::Array(rows) => {
                pairs.extend((1..).zip(rows).map(|(at, value): (u32, _)| (at.to_string(), plain(value))));
            }
            _ => {}
        }
        // Longer names first: `%fieldNameX` must not lose its head to `%fieldName`.
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in pairs {
            text = text.replace(&format!("%{name}"), &value);
        }
        Some(text)
    }
}

/// `value` as `T`; the message names the field that is wrong and what stands there.
/// The bytes of a body; none at all for `null`, as where something is deleted.
pub(super) fn body(value: &Value) -> Vec<u8> {
    if value.is_null() { Vec::new() } else { value.to_string().into_bytes() }
}

pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    // Where it is as it should be nobody asks for the place of an error.
    if let Ok(read) = T::deserialize(value) {
        return Ok(read);
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        if path == "." { error.inner().to_string() } else { format!("`{path}`: {}", error.inner()) }
    })
}
