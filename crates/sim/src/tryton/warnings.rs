//! What a person is asked before something odd is done, and that nobody minds it.
//!
//! From the sources of `trytond` 8.0.12 (`res.user.warning`) and `trytond_account_invoice` 8.0.2 (`Invoice._check_taxes`), and
//! recorded (`tryton-8.0-refunds.json`): an invoice whose lines have other taxes than their products by themselves is
//! posted only where that was said to be right, for that invoice and once.

use serde_json::{Value, json};

use super::fail::Fail;
use super::invoice::{LINE, MODEL as INVOICE};
use super::read::rec_name;
use super::store::Store;
use super::write::create;

pub(super) const MODEL: &str = "res.user.warning";
/// How many lines are named.
const NAMED: usize = 5;

/// Notes that the running user does not mind the warning of that name; the next time only, unless always.
pub fn skip(store: &mut Store, name: &Value, always: &Value) -> Result<(), Fail> {
    let user = store.user;
    create(store, MODEL, &[json!({"user": user, "name": name, "always": always})]).map(drop)
}

/// Refuses an invoice whose lines have other taxes than their products by themselves, unless nobody minds.
pub fn of_taxes(store: &mut Store, id: u64) -> Result<(), Fail> {
    let lines = store.children(LINE, "invoice", id)?;
    let odd: Vec<String> =
        lines.into_iter().filter(|line| is_odd(store, *line)).map(|line| rec_name(store, LINE, line)).collect();
    if odd.is_empty() {
        return Ok(());
    }
    // The real one goes by a hash of the record's name.
    let name = format!("{id:032x}.invoice_taxes");
    let at = store.model(MODEL)?;
    let unminded: Vec<u64> = store.ids(at).filter(|one| store.text(MODEL, *one, "name") == name).collect();
    if unminded.is_empty() {
        let invoice = rec_name(store, INVOICE, id);
        let more = if odd.len() > NAMED { "..." } else { "" };
        let named = odd.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
        let message = format!("The invoice \"{invoice}\" does not have the default taxes for {named}{more}.");
        return Err(Fail::Warning { name, message, description: "" });
    }
    unminded.into_iter().for_each(|one| store.remove(at, one));
    Ok(())
}

fn is_odd(store: &Store, line: u64) -> bool {
    let Some(product) = store.value(LINE, line, "product").id() else { return false };
    let template = store.value("product.product", product, "template").id().unwrap_or_default();
    let category = store.value("product.template", template, "account_category").id().unwrap_or_default();
    let mut own = store.value("product.category", category, "customer_taxes").ids().to_vec();
    let mut told = store.value(LINE, line, "taxes").ids().to_vec();
    own.sort_unstable();
    told.sort_unstable();
    store.text(LINE, line, "type") == "line" && own != told
}
