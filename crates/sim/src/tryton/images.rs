//! Images of products, where module `product_image` 8.0 is activated.
//!
//! From that module's source (`trytond_product_image` 8.0.0, `product.py`) and recorded (`tryton-8.0-more.json`): every
//! upload is made a JPEG of 2048 points at most, so what is kept is never what was sent; an image belongs to a template and,
//! where one is named, to one variant of it; deleting either takes its images along. Like every row that no code is derived
//! for, it has no `write_date` until it is written again. Bytes come in lines of 76 letters (`trytond` 8.0.12,
//! `protocols/jsonrpc.py`).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::store::Store;
use super::value::Val;
use super::{Erp, write};
use crate::base64::letters;
use crate::image::{converted, print_of, sort_of};

const MODEL: &str = "product.image";

/// What is kept of an upload.
pub fn kept(sent: Val) -> Result<Val, Fail> {
    match sent {
        Val::Bytes(bytes) if sort_of(&bytes).is_some() => Ok(Val::Bytes(converted(&bytes))),
        Val::Bytes(_) => Err(Fail::user("Can not open or identify the image set for the product.")),
        other => Ok(other),
    }
}

/// Whether a call asks for sizes in the place of bytes.
pub fn asks_for_sizes(context: &Map<String, Value>) -> bool {
    context.get("product.image.image") == Some(&json!("size"))
}

/// The images a variant shows: its own, and those of its template that are no other variant's.
fn shown(store: &Store, product: u64, template: u64) -> Vec<u64> {
    let of_family = store.children(MODEL, "template", template).unwrap_or_default();
    let own = |one: &u64| store.value(MODEL, *one, "product").id().is_none_or(|variant| variant == product);
    of_family.into_iter().filter(own).collect()
}

/// What the ERP holds of the images of a variant, told by short prints of their bytes.
pub fn ledger(store: &Store, product: u64, template: u64) -> Value {
    let tell = |id: u64| {
        let Val::Bytes(bytes) = store.value(MODEL, id, "image") else { return Value::Null };
        json!({"id": id, "print": print_of(&bytes), "position": store.value(MODEL, id, "sequence").to_json(true),
            "own": store.value(MODEL, id, "product").filled()})
    };
    shown(store, product, template).into_iter().map(tell).collect()
}

impl Erp {
    /// Activates module `product_image`, which has products show images.
    pub fn activate_images(&mut self, now: Timestamp) {
        let row = json!({"name": "product_image", "state": "activated"});
        self.has_images =
            self.has_images || self.whole(now, |store| write::create(store, "ir.module", &[row]).map(drop));
    }

    /// Uploads an image for one variant or, where `family`, for all of its template, as a person at the ERP would; its id.
    /// None where no product has that code, or the file is no image.
    pub fn add_image(
        &mut self,
        now: Timestamp,
        code: &str,
        bytes: &[u8],
        (sequence, family): (Option<u32>, bool),
    ) -> Option<u64> {
        let mut made = None;
        self.whole(now, |store| {
            let product = super::price::coded(store, code)?;
            let template = store.value("product.product", product, "template").id();
            let row = json!({"template": template, "product": (!family).then_some(product), "sequence": sequence,
                "image": {"__class__": "bytes", "base64": letters(bytes)}});
            made = write::create(store, MODEL, &[row])?.pop();
            Ok(())
        });
        made
    }

    /// Takes an image away as a person does in the form of its product or template, which is written with it; false where
    /// there is none of that id. [`Erp::remove`] takes it away without a sign.
    pub fn remove_image(&mut self, now: Timestamp, id: u64) -> bool {
        self.whole(now, |store| {
            let (model, owner) = match store.value(MODEL, id, "product").id() {
                Some(product) => ("product.product", Some(product)),
                None => ("product.template", store.value(MODEL, id, "template").id()),
            };
            let owner = owner.ok_or_else(|| Fail::key(MODEL))?;
            write::write(store, model, &[owner], &json!({"images": [["delete", [id]]]}))
        })
    }
}
