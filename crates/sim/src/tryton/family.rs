//! Families: templates with several products, as the ledger tells them and as people at the ERP change them.

use serde_json::{Map, Value, json};

use super::Erp;
use super::fail::Fail;
use super::store::Store;
use super::value::Val;
use super::{translate, write};
use jiff::Timestamp;

/// The attribute that tells the products of the catalogue's families apart.
pub(super) const SIZE: &str = "size";
/// Its keys and labels in their order.
pub(super) const SIZES: [(&str, &str); 4] = [("s", "S"), ("m", "M"), ("l", "L"), ("xl", "XL")];

/// Every product of a template, those that are out of use too, by id.
pub(super) fn products(store: &Store, template: u64) -> Result<Vec<u64>, Fail> {
    let at = store.model("product.product")?;
    let position = store.schema.models[at].position("template")?;
    let mut found = store.having(at, position, &Val::Ref(template));
    found.sort_unstable();
    Ok(found)
}

/// The families, each with its texts by language and the codes of its products.
pub(super) fn ledger(store: &Store) -> Vec<Value> {
    let Ok(at) = store.model("product.template") else { return Vec::new() };
    store.ids(at).filter_map(|id| family(store, id)).collect()
}

fn family(store: &Store, id: u64) -> Option<Value> {
    let products = products(store, id).ok().filter(|all| all.len() > 1)?;
    let texts: Map<String, Value> = translate::all(store, "product.template", id, "name")
        .into_iter()
        .map(|(language, text)| (language, json!({"name": text})))
        .collect();
    let codes: Vec<String> = products.iter().map(|one| store.text("product.product", *one, "code")).collect();
    Some(json!({"id": id, "code": store.text("product.template", id, "code"),
        "name": store.text("product.template", id, "name"), "texts": texts, "products": codes,
        "active": store.value("product.template", id, "active") == Val::Bool(true)}))
}

fn with_code(store: &Store, code: &str) -> Result<u64, Fail> {
    let at = store.model("product.template")?;
    let found = store.ids(at).find(|id| store.text("product.template", *id, "code") == code);
    found.ok_or_else(|| Fail::other("no such template"))
}

impl Erp {
    /// Adds a product of this size to the template with that code, as a person at the ERP would; its code is the
    /// template's with the suffix behind it. False where there is no such template, or the code is taken.
    pub fn add_variant(&mut self, now: Timestamp, family: &str, suffix: &str, size: &str) -> bool {
        self.whole(now, |store| {
            let template = with_code(store, family)?;
            let mut row = json!({"template": template, "suffix_code": suffix});
            if store.schema.model("product.product")?.has("attributes") {
                row["attributes"] = json!({SIZE: size});
            }
            write::create(store, "product.product", &[row]).map(drop)
        })
    }

    /// Changes a field of the template with that code, in a language of theirs or else in the one everything falls back
    /// to, as a person at the ERP would; false where refused, or where there is no such template.
    pub fn edit_family(
        &mut self,
        now: Timestamp,
        code: &str,
        language: Option<&str>,
        field: &str,
        value: &Value,
    ) -> bool {
        self.whole(now, |store| {
            store.speech = translate::Speech::in_language(language);
            let template = with_code(store, code)?;
            write::write(store, "product.template", &[template], &json!({ field: value }))
        })
    }
}
