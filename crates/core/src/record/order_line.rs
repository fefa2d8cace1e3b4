//! What an order is made of: its lines, and what is paid for beside them.

use super::fields::{Fields, Malformed};
use super::form::LineForm;
use crate::leaf::{Leaves, Ref, Value};
use crate::money::Money;
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// Taxes of a line or charge: table code of the system that tells it → rate in percent.
pub type Tax = BTreeMap<String, Decimal>;

/// How far a line has come: quantities in the unit of the line, each counted from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Had {
    /// How many have left.
    pub shipped: Option<Decimal>,
    /// How many were asked money for.
    pub invoiced: Option<Decimal>,
    /// How many were given back for money.
    pub refunded: Option<Decimal>,
    /// How many were withdrawn.
    pub cancelled: Option<Decimal>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Key of the line this one is part of.
    pub parent: Option<String>,
    /// What sort of line it is; told by the system where it was born.
    pub form: Option<LineForm>,
    /// SKU as printed on the line.
    pub sku: Option<String>,
    /// Name as printed on the line.
    pub name: Option<String>,
    /// What is sold.
    pub variant: Option<Ref>,
    /// How many, in the variant's sales unit.
    pub quantity: Option<Decimal>,
    /// How many of them have left, been asked money for, and been withdrawn so far; what a shop tells.
    pub had: Had,
    /// Total without tax, after discount.
    pub net: Option<Money>,
    /// Discount already taken off, as a positive amount, for information.
    pub discount: Option<Money>,
    /// Tax on it as the system computed it.
    pub tax: Option<Money>,
    /// Taxes that apply.
    pub taxes: Tax,
}

/// Something paid for that is no line: `shipping`, `rounding`, a fee.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Charge {
    /// Text printed for it.
    pub title: Option<String>,
    /// Total without tax, after discount.
    pub net: Option<Money>,
    /// Tax on it as the system computed it.
    pub tax: Option<Money>,
    /// Taxes that apply.
    pub taxes: Tax,
}

fn put_taxes(leaves: &mut Leaves, base: &Path, taxes: &Tax) {
    for (code, percent) in taxes {
        leaves.put(base.keyed("taxes", code), Value::Number(*percent));
    }
}

impl Line {
    pub(super) fn put(&self, leaves: &mut Leaves, base: &Path, at: usize) {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let code = |code: Option<&'static str>| code.map(|c| Value::Code(c.to_string()));
        let pairs = [
            ("position", Some(Value::Number(Decimal::from(at)))),
            ("parent", text(&self.parent)),
            ("form", code(self.form.map(LineForm::word))),
            ("sku", text(&self.sku)),
            ("name", text(&self.name)),
            ("variant", self.variant.clone().map(Value::Ref)),
            ("quantity", self.quantity.map(Value::Number)),
            ("shipped", self.had.shipped.map(Value::Number)),
            ("invoiced", self.had.invoiced.map(Value::Number)),
            ("refunded", self.had.refunded.map(Value::Number)),
            ("cancelled", self.had.cancelled.map(Value::Number)),
            ("net", self.net.map(Value::Money)),
            ("discount", self.discount.map(Value::Money)),
            ("tax", self.tax.map(Value::Money)),
        ];
        for (field, value) in pairs {
            if let Some(value) = value {
                leaves.put(base.dot(field), value);
            }
        }
        put_taxes(leaves, base, &self.taxes);
    }

    pub(super) fn read(leaves: &Leaves, base: Path) -> Result<(Decimal, Self), Malformed> {
        let taxes = read_taxes(leaves, &base)?;
        let fields = Fields::below(leaves, base);
        let form = match fields.code("form")? {
            None => None,
            Some(word) => {
                Some(LineForm::of(&word).ok_or(Malformed::Type { path: fields.path("form"), wanted: "a line form" })?)
            }
        };
        let line = Self {
            parent: fields.text("parent")?,
            form,
            sku: fields.text("sku")?,
            name: fields.text("name")?,
            variant: fields.reference("variant")?,
            quantity: fields.number("quantity")?,
            had: Had {
                shipped: fields.number("shipped")?,
                invoiced: fields.number("invoiced")?,
                refunded: fields.number("refunded")?,
                cancelled: fields.number("cancelled")?,
            },
            net: fields.money("net")?,
            discount: fields.money("discount")?,
            tax: fields.money("tax")?,
            taxes,
        };
        Ok((fields.number("position")?.unwrap_or_default(), line))
    }

    /// Whether money or tax stands on it.
    #[must_use]
    pub fn carries_money(&self) -> bool {
        self.net.is_some_and(|net| !net.amount.is_zero()) || self.tax.is_some_and(|tax| !tax.amount.is_zero())
    }
}

impl Charge {
    pub(super) fn put(&self, leaves: &mut Leaves, base: &Path) {
        let pairs = [
            ("title", self.title.clone().map(Value::Text)),
            ("net", self.net.map(Value::Money)),
            ("tax", self.tax.map(Value::Money)),
        ];
        for (field, value) in pairs {
            if let Some(value) = value {
                leaves.put(base.dot(field), value);
            }
        }
        put_taxes(leaves, base, &self.taxes);
    }

    pub(super) fn read(leaves: &Leaves, base: Path) -> Result<Self, Malformed> {
        let taxes = read_taxes(leaves, &base)?;
        let fields = Fields::below(leaves, base);
        Ok(Self { title: fields.text("title")?, net: fields.money("net")?, tax: fields.money("tax")?, taxes })
    }
}

fn read_taxes(leaves: &Leaves, base: &Path) -> Result<Tax, Malformed> {
    let collection = alloc::format!("{base}.taxes");
    let mut taxes = Tax::new();
    for (path, value) in leaves.of_element(base) {
        if let Some((code, "")) = path.within(&collection) {
            match value {
                Some(Value::Number(percent)) => {
                    taxes.insert(code, *percent);
                }
                Some(_) => return Err(Malformed::Type { path: path.clone(), wanted: "a number" }),
                None => {}
            }
        }
    }
    Ok(taxes)
}

pub(super) const LINE: [&str; 14] = [
    "position",
    "parent",
    "form",
    "sku",
    "name",
    "variant",
    "quantity",
    "shipped",
    "invoiced",
    "refunded",
    "cancelled",
    "net",
    "discount",
    "tax",
];
pub(super) const CHARGE: [&str; 3] = ["title", "net", "tax"];
