//! One line of an order answer: plain, head of a bundle, or the product chosen under a configurable.
//!
//! The recorded 2.4.7 answers row totals already reduced by the whole discount, hidden tax included, so the net of
//! a line is `row_total + discount_tax_compensation_amount`, and a coupon of 100 % makes `row_total` negative. In
//! the older convention it is `row_total - discount_amount + discount_tax_compensation_amount`.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::json::{Draft, Entry, Object, Role, Standing};
use super::sums::{Sums, round};

/// The figures of one line in one currency, as the answer shows them.
#[derive(Debug, Default)]
struct Cells {
    list: Decimal,
    price: Decimal,
    price_incl: Decimal,
    row: Decimal,
    row_incl: Decimal,
    /// The row before its discount, as the shop itself keeps it.
    full: Decimal,
    discount: Decimal,
    tax: Decimal,
    compensation: Decimal,
}

/// The line of an entry; a child carries its parent's line whole.
pub(super) fn line(draft: &Draft, entry: &Entry, parent: Option<Value>) -> Value {
    let base = cells(draft, entry, &draft.base, Decimal::ONE, 2);
    let order = cells(draft, entry, &draft.order, draft.factor, draft.scale);
    let mut object = Object::default();
    base_figures(draft, entry, &base, &mut object);
    order_figures(draft, entry, &order, parent.is_some(), &mut object);
    identity(draft, entry, &order, &mut object);
    object.put_some("parent_item", parent).put_some("product_option", entry.option.clone());
    object.put("extension_attributes", json!({"itemized_taxes": draft.taxes.of_item(entry.item_id)}));
    if entry.role == Role::Chosen {
        object.put("row_total_incl_tax", 0).put("base_row_total_incl_tax", 0);
    }
    object.done()
}

fn cells(draft: &Draft, entry: &Entry, sums: &Sums, factor: Decimal, scale: u32) -> Cells {
    match entry.role {
        Role::Chosen => Cells::default(),
        Role::Money(place) => {
            let row = sums.rows.get(place).cloned().unwrap_or_default();
            let shown = if draft.classic { Decimal::ZERO } else { row.discount };
            Cells {
                list: row.list,
                price: row.price,
                price_incl: row.price_incl,
                row: row.net - shown,
                row_incl: row.gross - shown,
                full: row.net,
                discount: row.discount,
                tax: row.tax,
                compensation: row.compensation,
            }
        }
        Role::Set(from, to) => {
            let parts = sums.rows.get(from..to).unwrap_or_default();
            let net: Decimal = parts.iter().map(|row| row.net).sum();
            let gross: Decimal = parts.iter().map(|row| row.gross).sum();
            let tax: Decimal = parts.iter().map(|row| row.tax).sum();
            Cells {
                list: round(entry.list * factor, if scale == 0 { 0 } else { 4 }),
                price: round(net / entry.qty, scale),
                price_incl: round(gross / entry.qty, scale),
                row: net,
                row_incl: net + tax,
                full: net,
                tax,
                ..Cells::default()
            }
        }
    }
}

/// What is invoiced of a figure: all or nothing.
fn invoiced(draft: &Draft, value: Decimal) -> Decimal {
    if matches!(draft.standing, Standing::Paid | Standing::Complete) { value } else { Decimal::ZERO }
}

/// Tells a column that is empty before anything is invoiced (recorded: order-get, order-get-complete).
fn tell_invoiced(draft: &Draft, cells: &Cells, name: &str, object: &mut Object) {
    if matches!(draft.standing, Standing::Paid | Standing::Complete) {
        object.amount(name, cells.compensation);
    }
}

fn base_figures(draft: &Draft, entry: &Entry, cells: &Cells, object: &mut Object) {
    let rules = draft.coupon.is_some() && entry.parent.is_none();
    object.put("amount_refunded", 0).put_some("applied_rule_ids", rules.then_some("2"));
    object.put("base_amount_refunded", 0).amount("base_discount_amount", cells.discount);
    object.amount("base_discount_invoiced", invoiced(draft, cells.discount));
    if matches!(entry.role, Role::Money(_)) {
        object.amount("base_discount_tax_compensation_amount", cells.compensation);
        tell_invoiced(draft, cells, "base_discount_tax_compensation_invoiced", object);
    }
    if entry.role != Role::Chosen {
        object.amount("base_original_price", cells.list);
    }
    object.amount("base_price", cells.price);
    if entry.role != Role::Chosen {
        object.amount("base_price_incl_tax", cells.price_incl);
    }
    object.amount("base_row_invoiced", invoiced(draft, cells.full)).amount("base_row_total", cells.row);
    if entry.role != Role::Chosen {
        object.amount("base_row_total_incl_tax", cells.row_incl);
    }
    object.amount("base_tax_amount", cells.tax).amount("base_tax_invoiced", invoiced(draft, cells.tax));
}

fn order_figures(draft: &Draft, entry: &Entry, cells: &Cells, child: bool, object: &mut Object) {
    let reduced = matches!(entry.role, Role::Money(_)) && !cells.discount.is_zero();
    object.put("created_at", draft.created.as_str()).amount("discount_amount", cells.discount);
    object.amount("discount_invoiced", invoiced(draft, cells.discount));
    object.amount("discount_percent", if reduced { draft.discount_percent } else { Decimal::ZERO });
    object.put("free_shipping", 0);
    if matches!(entry.role, Role::Money(_)) {
        object.amount("discount_tax_compensation_amount", cells.compensation);
        tell_invoiced(draft, cells, "discount_tax_compensation_invoiced", object);
    }
    object.put("is_qty_decimal", 0).put("is_virtual", u8::from(entry.kind == "virtual"));
    object.put("item_id", entry.item_id).put("name", entry.name.as_str()).put("no_discount", 0);
    object.put("order_id", draft.entity_id).amount("original_price", cells.list);
    let parent = entry.parent.filter(|_| child).and_then(|place| draft.entries.get(place));
    object.put_some("parent_item_id", parent.map(|parent| parent.item_id)).amount("price", cells.price);
    if entry.role != Role::Chosen {
        object.amount("price_incl_tax", cells.price_incl);
    }
}

fn identity(draft: &Draft, entry: &Entry, cells: &Cells, object: &mut Object) {
    let canceled = if draft.standing == Standing::Canceled { entry.qty } else { Decimal::ZERO };
    object.put("product_id", entry.product_id).put("product_type", entry.kind);
    object.amount("qty_canceled", canceled).amount("qty_invoiced", invoiced(draft, entry.qty));
    object.amount("qty_ordered", entry.qty).put("qty_refunded", 0).put("qty_shipped", 0);
    object.put("quote_item_id", entry.item_id).amount("row_invoiced", invoiced(draft, cells.full));
    object.amount("row_total", cells.row);
    if entry.role != Role::Chosen {
        object.amount("row_total_incl_tax", cells.row_incl);
    }
    let row_weight = entry.weight.filter(|_| entry.parent.is_none()).unwrap_or_default() * entry.qty;
    object.amount("row_weight", row_weight).put("sku", entry.sku.as_str()).put("store_id", 1);
    object.amount("tax_amount", cells.tax).amount("tax_invoiced", invoiced(draft, cells.tax));
    match entry.role {
        Role::Money(_) => object.amount("tax_percent", entry.percent),
        Role::Chosen => object.put("tax_percent", 0),
        Role::Set(..) => object,
    };
    object.put("updated_at", draft.created.as_str()).put_some("weight", entry.weight.map(crate::catalogue::number));
}
