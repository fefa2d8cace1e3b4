//! Credits: invoices that give money back, tied to the sales and the lines they give back of.
//!
//! Recorded on a running Tryton 8.0: the lines of a credit note come from the lines of the invoice it is for
//! (`account.invoice.line,7`), and a return is a sale of its own whose origin is the sale (`sale.sale,3`), with negated
//! quantities and no word about which line is which.

use super::Tryton;
use super::map::Origin;
use super::papers::{Behind, below, is_told, origin_of};
use super::read::{id_of, typed};
use super::setup::Setup;
use super::wire_paper::{SOLD_FIELDS, SoldRow};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Result};
use syncline_core::kind::Kind;

/// Asked of a line of a sale beside what other papers ask: the price, and what its sale is a return of.
const PRICE: &str = "unit_price";
const RETURNED: &str = "sale.origin";

/// The sale that the sale of a line is a return of; none for a sale that is none.
fn returned(row: &Value) -> Option<i64> {
    let origin = row.pointer("/sale./origin").and_then(Value::as_str)?;
    origin.strip_prefix("sale.sale,")?.parse().ok().filter(|id| *id > 0)
}

/// The line of the original sale that a line of its return means: the only one of that product in that unit, or of several
/// the only one at that price; its own where nobody can say.
fn meant(own: Result<SoldRow>, original: &[SoldRow]) -> Result<SoldRow> {
    let own = own?;
    let goods = |row: &SoldRow| row.product.as_ref().map(|product| product.id).zip(row.unit.map(|unit| unit.id));
    let like: Vec<&SoldRow> =
        original.iter().filter(|line| goods(line).is_some() && goods(line) == goods(&own)).collect();
    let at_price: Vec<&SoldRow> = like.iter().copied().filter(|line| line.price == own.price).collect();
    match (like.as_slice(), at_price.as_slice()) {
        ([only], _) | (_, [only]) => Ok((*only).clone()),
        _ => Ok(own),
    }
}

/// The line of a sale that a line of an invoice comes from.
fn sold_by(row: &Value) -> Option<i64> {
    match row.get("origin").and_then(Value::as_str).and_then(Origin::of) {
        Some(Origin::Sold(line)) => Some(line),
        _ => None,
    }
}

/// What credits come from, out of lines of the invoices they are for, lines of sales, and those of the sales that returns
/// among these are of.
pub(super) fn tied(billed: &[Value], sold: &[Value], original: &[Value]) -> Result<Behind> {
    let mut lines: BTreeMap<i64, Vec<SoldRow>> = BTreeMap::new();
    for row in original {
        if let (Some(sale), Ok(line)) = (row.get("sale").and_then(Value::as_i64), typed(row, "line of a sale")) {
            lines.entry(sale).or_default().push(line);
        }
    }
    let mut behind = Behind::of(sold)?;
    for row in billed {
        let line = sold_by(row).and_then(|line| behind.lines.get(&Origin::Sold(line)));
        if let Some(line) = line.cloned() {
            behind.lines.insert(Origin::Billed(id_of(row)?), line);
        }
    }
    for row in sold {
        if let Some(sale) = returned(row) {
            let original = lines.get(&sale).map_or(&[][..], Vec::as_slice);
            let line = meant(typed(row, "line of a sale"), original);
            behind.lines.insert(Origin::Sold(id_of(row)?), (sale, line));
        }
    }
    Ok(behind)
}

impl Tryton {
    /// What the parts of the credits in `rows` come from.
    pub(super) async fn credited(&self, ctx: &Ctx, setup: &Setup, rows: &[Value]) -> Result<Behind> {
        let told = rows.iter().filter(|row| is_told(Kind::Credit, row)).flat_map(|row| below(row, "lines"));
        let (mut billed, mut sold) = (BTreeSet::new(), BTreeSet::new());
        for origin in told.filter_map(|part| origin_of(Kind::Credit, part)) {
            match origin {
                Origin::Billed(id) => billed.insert(id),
                Origin::Sold(id) => sold.insert(id),
            };
        }
        let billed = self.rows_with(ctx, setup, ("account.invoice.line", "id"), &billed, &["origin"]).await?;
        sold.extend(billed.iter().filter_map(sold_by));
        let fields: Vec<&str> = SOLD_FIELDS.into_iter().chain([PRICE, RETURNED]).collect();
        let sold = self.rows_with(ctx, setup, ("sale.line", "id"), &sold, &fields).await?;
        let sales: BTreeSet<i64> = sold.iter().filter_map(returned).collect();
        let fields: Vec<&str> = SOLD_FIELDS.into_iter().chain([PRICE]).collect();
        let original = self.rows_with(ctx, setup, ("sale.line", "sale"), &sales, &fields).await?;
        tied(&billed, &sold, &original)
    }

    /// Those of the invoices in `rows` that a credit note undid: the move that cancels each is the move of an invoice.
    pub(super) async fn undone(&self, ctx: &Ctx, setup: &Setup, rows: &[Value]) -> Result<BTreeSet<i64>> {
        let is_off = |row: &&Value| row.get("state").is_some_and(|state| state == "cancelled");
        let cancels = |row: &Value| row.get("cancel_move").and_then(Value::as_i64);
        let moves: BTreeSet<i64> = rows.iter().filter(is_off).filter_map(cancels).collect();
        let notes = self.rows_with(ctx, setup, ("account.invoice", "move"), &moves, &["move"]).await?;
        let by: BTreeSet<i64> = notes.iter().filter_map(|row| row.get("move").and_then(Value::as_i64)).collect();
        let undone = rows.iter().filter(is_off).filter(|row| cancels(row).is_some_and(|one| by.contains(&one)));
        undone.map(id_of).collect()
    }
}
