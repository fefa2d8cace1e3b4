//! The catalogue both simulated systems share for one seed.

use rust_decimal::Decimal;

/// What kind of thing is sold under a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// One thing, shipped.
    Simple,
    /// One thing, never shipped.
    Virtual,
    /// A family; what is sold is one of the children, by SKU.
    Configurable {
        /// SKUs of the simple products behind it.
        children: Vec<String>,
    },
    /// Several things sold together, priced by the parts.
    Bundle {
        /// SKU and quantity per bundle.
        parts: Vec<(String, u32)>,
    },
}

/// One catalogue entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The shop's numeric product id; the recorded SKUs keep their recorded ids.
    pub product_id: u64,
    /// Stock keeping unit, unique.
    pub sku: String,
    /// Name in the default language.
    pub name: String,
    /// What it is.
    pub form: Form,
    /// Price of one in US dollars, without tax, up to four decimals.
    pub net_price: Decimal,
    /// Tax rate in percent: 19, 7 or 0.
    pub tax_percent: Decimal,
    /// Weight of one in kilograms.
    pub weight: Decimal,
}
