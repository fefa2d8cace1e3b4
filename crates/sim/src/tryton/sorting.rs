//! What people at the ERP do to the categories products are sorted by.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Erp;
use super::fail::Fail;
use super::schema::Kind;
use super::store::Store;
use super::translate::Speech;
use super::value::parse;
use super::write::{create, write};

const CATEGORY: &str = "product.category";

impl Erp {
    /// Makes a category below `parent`, at the top where none is named; its id, none where refused.
    pub fn make_category(&mut self, now: Timestamp, parent: Option<u64>, name: &str) -> Option<u64> {
        let mut made = None;
        self.whole(now, |store| {
            made = create(store, CATEGORY, &[json!({"name": name, "parent": parent})])?.first().copied();
            Ok(())
        });
        made
    }

    /// Changes the `name` of a category, in a language or else in the one everything falls back to, or its `parent`; false
    /// where refused, or where there is no such category.
    pub fn edit_category(
        &mut self,
        now: Timestamp,
        id: u64,
        language: Option<&str>,
        field: &str,
        value: &Value,
    ) -> bool {
        self.whole(now, |store| {
            store.speech = Speech::in_language(language);
            write(store, CATEGORY, &[id], &json!({ field: value }))?;
            in_a_tree(store, id)
        })
    }

    /// Puts what a product is a variant of into a category, or takes it out, with all its variants; false where refused, or
    /// where no product has that code.
    pub fn sort_product(&mut self, now: Timestamp, code: &str, category: u64, there: bool) -> bool {
        self.whole(now, |store| {
            let template = template_of(store, code)?;
            let command = if there { "add" } else { "remove" };
            write(store, "product.template", &[template], &json!({"categories": [[command, [category]]]}))
        })
    }
}

/// Refuses a category that stands below itself, as `trytond.model.tree` does.
fn in_a_tree(store: &Store, id: u64) -> Result<(), Fail> {
    let mut at = store.value(CATEGORY, id, "parent").id();
    while let Some(parent) = at {
        if parent == id {
            let name = store.text(CATEGORY, id, "name");
            return Err(Fail::user(format!("Record \"{name}\" was configured as ancestor of itself.")));
        }
        at = store.value(CATEGORY, parent, "parent").id();
    }
    Ok(())
}

/// The template of the product with this code.
fn template_of(store: &Store, code: &str) -> Result<u64, Fail> {
    let at = store.model("product.product")?;
    let position = store.schema.models[at].position("code")?;
    let found = store.having(at, position, &parse(&Kind::Text, &json!(code))?);
    let product = found.first().copied().ok_or_else(|| Fail::other("no such product"))?;
    store.value("product.product", product, "template").id().ok_or_else(|| Fail::other("no template"))
}

/// What the ledger tells of categories: those of accounts and taxes are none of a shop's.
pub fn ledger(store: &Store) -> Vec<Value> {
    let Ok(at) = store.model(CATEGORY) else { return Vec::new() };
    let shops = store.ids(at).filter(|id| store.value(CATEGORY, *id, "accounting") != super::value::Val::Bool(true));
    let tell = |id: u64| {
        let names: serde_json::Map<String, Value> = super::translate::all(store, CATEGORY, id, "name")
            .into_iter()
            .map(|(code, name)| (code, json!(name)))
            .collect();
        json!({"id": id, "parent": store.value(CATEGORY, id, "parent").id(), "name": store.text(CATEGORY, id, "name"), "texts": names})
    };
    shops.map(tell).collect()
}
