//! A variant: what is sold under a SKU. This slice reads what adoption by SKU needs.

use super::fields::{Fields, Malformed};
use crate::leaf::{Leaves, Value};
use crate::path::Path;
use alloc::string::String;

/// What is sold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variant {
    /// Stock keeping unit as the system writes it.
    pub sku: Option<String>,
    /// Name in the system's default language.
    pub name: Option<String>,
    /// The system's word for its sort, e.g. `simple`, `bundle`.
    pub form: Option<String>,
    /// Whether it can be sold today.
    pub active: Option<bool>,
    /// The system's numeric id where its address is another key.
    pub serial: Option<String>,
}

impl Variant {
    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        let texts = [("sku", &self.sku), ("name", &self.name), ("form", &self.form), ("serial", &self.serial)];
        for (field, text) in texts {
            if let Some(text) = text {
                leaves.put(Path::field(field), Value::Text(text.clone()));
            }
        }
        if let Some(active) = self.active {
            leaves.put(Path::field("active"), Value::Bool(active));
        }
        leaves
    }

    pub(super) fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        let fields = Fields::of(leaves);
        for (path, _) in leaves.iter() {
            if !["sku", "name", "form", "serial", "active"].contains(&path.as_str()) {
                return Err(Malformed::Unknown(path.clone()));
            }
        }
        Ok(Self {
            sku: fields.text("sku")?,
            name: fields.text("name")?,
            form: fields.text("form")?,
            active: fields.flag("active")?,
            serial: fields.text("serial")?,
        })
    }
}
