//! Money that is asked for: invoices, and what they leave on their order.
//!
//! Recorded: order-invoice-partial (the freight goes with the first invoice), order-invoice-rest, invoice-capture-false (the
//! money counts as paid all the same), order-get-complete. What is refused, and with which words, is after Magento's own code
//! (`InvoiceOrder`, `InvoiceService`, `InvoiceQuantityValidator`, `Order\Validation\CanInvoice`), and so is what it comes to
//! (`Order\Invoice\Total`).

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::Shop;
use super::book::each_line;
use super::ledger::PLACED_IS_ENOUGH;
use super::order_rows::{Asked, Rows, asked, settle};
use super::paper_sums::{BILLED, Line, PREFIXES, Piece, shared, sum};
use super::papers::{copied, goes_to, repeat_freight};
use super::refunds::hidden_of_freight;
use super::reply::{Answer, Refusal};
use super::shipments::add;
use super::value::{column, id, number, put};
use crate::http::Edit;

/// Columns of the freight.
const FREIGHT: [&str; 8] = [
    "base_shipping_amount",
    "base_shipping_discount_tax_compensation_amnt",
    "base_shipping_incl_tax",
    "base_shipping_tax_amount",
    "shipping_amount",
    "shipping_discount_tax_compensation_amount",
    "shipping_incl_tax",
    "shipping_tax_amount",
];
/// What all papers with money repeat of their order.
pub(super) const HEAD: [&str; 10] = [
    "base_currency_code",
    "base_to_global_rate",
    "base_to_order_rate",
    "billing_address_id",
    "global_currency_code",
    "order_currency_code",
    "store_currency_code",
    "store_id",
    "store_to_base_rate",
    "store_to_order_rate",
];

/// What is said where an invoice is rolled back: why stands in a log of the shop's.
const NOT_SAVED: &str = "Could not save an invoice, see error log for details";

/// Whether an order was paid by a gateway, which has promised the money and gives it when it is asked.
fn has_gateway(order: &Map<String, Value>) -> bool {
    let method = order.get("payment").and_then(|payment| payment.get("method")).and_then(Value::as_str);
    method.is_some_and(|method| !PLACED_IS_ENOUGH.contains(&method))
}

impl Shop {
    /// The id of the invoice a request makes, as a text (recorded: order-invoice-partial).
    pub(super) fn invoice_order(&mut self, now: Timestamp, entity_id: u64, body: &Value) -> Answer {
        let order = self.book.get(entity_id).ok_or_else(Refusal::no_order)?.clone();
        let together = self.together(&order);
        let rows = Rows::new(&order, &together);
        let named = asked(body);
        let quantities = billed(&rows, named.as_ref())?;
        let complaints = complaints(&order, &rows, &quantities);
        if !complaints.is_empty() {
            let text = format!("Invoice Document Validation Error(s):\n{}", complaints.join("\n"));
            return Err(Refusal::new(400, text));
        }
        let pieces: Vec<Piece<'_>> = rows
            .iter()
            .filter_map(|row| quantities.get(&row.id).map(|quantity| (*row, *quantity)))
            .map(|(row, quantity)| {
                let of = row.of("qty_ordered").saturating_sub(row.of("qty_invoiced"));
                Piece { row, quantity, of, last: quantity == row.invoiceable() }
            })
            .collect();
        // Lines that stand aside are none that could be the last.
        let last = rows.iter().all(|row| {
            let quantity = quantities.get(&row.id).copied().unwrap_or_default();
            row.invoiceable() == quantity
        });
        let (lines, _) = shared(&order, &pieces, &BILLED);
        let head = head(&order, &lines, last);
        // Without a capture the money counts as paid, and no gateway is asked (`PayOperation`).
        let captures = body.get("capture") == Some(&json!(true)) && has_gateway(&order);
        if captures && self.papers.declines {
            return Err(Refusal::new(400, NOT_SAVED));
        }
        self.take_virtual(now, &lines);
        let comment = body.get("comment").filter(|comment| comment.is_object()).map(|comment| (comment, false));
        let told = lines.iter().map(|line| told(line)).collect();
        let made = self.papers.invoices.make(now, head.clone(), told, comment);
        if captures {
            self.papers.captured.insert(made);
        }
        self.book.change(now, entity_id, |order| {
            each_line(order, |item| add(item, "qty_invoiced", &quantities));
            each_line(order, |item| note_line(item, &lines));
            note(order, &head);
            settle(order, &together);
        });
        Ok(json!(made.to_string()))
    }

    fn invoices_of(&self, order: u64) -> impl Iterator<Item = &Map<String, Value>> {
        self.papers.invoices.all().filter(move |paper| paper.get("order_id").and_then(id) == Some(order))
    }

    /// Takes what is never shipped from its sources: it leaves when it is paid.
    fn take_virtual(&mut self, now: Timestamp, lines: &[Line<'_>]) {
        let goods: Vec<(String, Decimal)> = lines
            .iter()
            .filter(|(row, ..)| row.is_virtual())
            .filter_map(|(row, quantity, _)| Some((self.on_shelf(row)?, *quantity)))
            .collect();
        if !goods.is_empty() && !self.stock.single {
            self.stock.index_late_s = self.quirks.slow_stock_index_s;
            self.stock.take(now, &goods);
        }
    }

    /// Asks money for lines by hand, as a clerk in the back office does: the id of the invoice. No quantities mean all that
    /// is open. None where the shop refuses it.
    pub fn invoice_by_hand(&mut self, now: Timestamp, order: u64, lines: &[(u64, u32)]) -> Option<u64> {
        let items: Vec<Value> =
            lines.iter().map(|(line, quantity)| json!({"order_item_id": line, "qty": quantity})).collect();
        self.book.late_commit_s = self.quirks.late_commit_s;
        let made = self.invoice_order(now, order, &json!({"items": items, "capture": true})).ok()?;
        id(&made)
    }

    /// Sells so many pieces, or has the gateways give the money for so many orders, of each all that is left.
    pub(super) fn sold(&mut self, now: Timestamp, edit: &Edit, many: u32) -> bool {
        if edit.field == "bought" {
            return self.buy(now, &edit.sku, many);
        }
        let waits = |order: &&Map<String, Value>| {
            has_gateway(order)
                && order.get("state") == Some(&json!("processing"))
                && column(order, "total_paid").is_zero()
        };
        let orders: Vec<u64> =
            self.book.all().filter(waits).filter_map(|order| order.get("entity_id").and_then(id)).collect();
        let given = |shop: &mut Self, order: u64| shop.invoice_by_hand(now, order, &[]).is_some();
        let most = usize::try_from(many).unwrap_or(usize::MAX);
        orders.into_iter().filter(|order| given(self, *order)).take(most).count() > 0
    }

    /// Has the gateways decline what they are asked for from now on, or give it again.
    pub fn decline_captures(&mut self, declines: bool) {
        self.papers.declines = declines;
    }

    /// What an order was paid by invoices, in its own currency.
    #[must_use]
    pub fn captured(&self, order: u64) -> Decimal {
        self.invoices_of(order).fold(Decimal::ZERO, |sum, paper| sum.saturating_add(column(paper, "grand_total")))
    }
}

/// How much of each line is billed. A line that stands aside for its family goes with it.
///
/// # Errors
/// 400 where more is asked for than is open.
fn billed(rows: &Rows<'_>, named: Option<&Asked>) -> Result<Asked, Refusal> {
    let mut billed = Asked::new();
    for row in rows.iter().filter(|row| !row.invoiceable().is_zero()) {
        let open = row.invoiceable();
        let quantity = named.map_or(open, |named| row.whole(named.get(&row.id).copied().unwrap_or_default()));
        if quantity > open {
            let name = row.value.get("name").cloned().unwrap_or_default();
            return Err(Refusal::listed(400, "We found an invalid quantity to invoice item \"%1\".", name));
        }
        if !quantity.is_zero() {
            billed.insert(row.id, quantity);
        }
    }
    for row in rows.iter().filter(|row| row.aside_in_invoices()) {
        let family = rows.iter().filter(|other| row.parent == Some(other.id) || other.parent == Some(row.id));
        let with = family.filter_map(|other| Some(row.with(other, *billed.get(&other.id)?))).max();
        let with = with.map(|quantity| row.whole(quantity)).filter(|quantity| !quantity.is_zero());
        if let Some(quantity) = with {
            billed.insert(row.id, quantity);
        }
    }
    Ok(billed)
}

fn complaints(order: &Map<String, Value>, rows: &Rows<'_>, quantities: &Asked) -> Vec<String> {
    let text = |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut complaints = Vec::new();
    if matches!(text("state"), "payment_review" | "holded" | "canceled" | "complete" | "closed") {
        complaints.push(format!("An invoice cannot be created when an order has a status of {}", text("status")));
    } else if !rows.can_invoice() {
        complaints.push("The order does not allow an invoice to be created.".to_owned());
    }
    if quantities.is_empty() {
        complaints.push("The invoice can't be created without products. Add products and try again.".to_owned());
    }
    complaints
}

fn head(order: &Map<String, Value>, lines: &[Line<'_>], last: bool) -> Map<String, Value> {
    let mut head = copied(order, &HEAD);
    let first = column(order, "shipping_invoiced").is_zero();
    if first {
        head.extend(copied(order, &FREIGHT));
    }
    for prefix in PREFIXES {
        let own = |name: &str| format!("{prefix}{name}");
        let freight = |name: &str| if first { column(order, &own(name)) } else { Decimal::ZERO };
        let of_lines = |name: &str| sum(lines, &own(name));
        let open = |all: Decimal, had: &str| all.saturating_sub(column(order, &own(had)));
        let at_most = |sum: Decimal, open: Decimal| if last { open } else { sum.min(open) };
        let subtotal = at_most(of_lines("row_total"), open(column(order, &own("subtotal")), "subtotal_invoiced"));
        // The discount of the freight goes with the first discount.
        let undiscounted = column(order, &own("discount_invoiced")).is_zero();
        let of_freight = if undiscounted { column(order, &own("shipping_discount_amount")) } else { Decimal::ZERO };
        let discount = of_lines("discount_amount").saturating_add(of_freight);
        let tax = of_lines("tax_amount").saturating_add(freight("shipping_tax_amount"));
        let tax = at_most(tax, open(column(order, &own("tax_amount")), "tax_invoiced"));
        let hidden = hidden_of_freight(prefix);
        let name = "discount_tax_compensation_amount";
        let compensation = of_lines(name).saturating_add(freight(hidden));
        let all = column(order, &own(name)).saturating_add(column(order, &own(hidden)));
        let compensation = at_most(compensation, open(all, "discount_tax_compensation_invoiced"));
        let grand = [tax, compensation, freight("shipping_amount")]
            .into_iter()
            .fold(subtotal.saturating_sub(discount), Decimal::saturating_add);
        for (name, value) in [
            ("subtotal", subtotal),
            ("subtotal_incl_tax", of_lines("row_total_incl_tax")),
            ("tax_amount", tax),
            ("discount_amount", Decimal::ZERO.saturating_sub(discount)),
            ("discount_tax_compensation_amount", compensation),
            ("grand_total", grand),
        ] {
            head.insert(own(name), number(value));
        }
    }
    let total = lines.iter().fold(Decimal::ZERO, |sum, (_, quantity, _)| sum.saturating_add(*quantity));
    head.insert("total_qty".to_owned(), number(total));
    head.insert("order_id".to_owned(), order.get("entity_id").cloned().unwrap_or_default());
    head.extend(goes_to(order).map(|address| ("shipping_address_id".to_owned(), address)));
    head.insert("can_void_flag".to_owned(), json!(0));
    // Paid, whatever `capture` said (recorded: invoice-capture-false; `InvoiceOrder` sets it).
    head.insert("state".to_owned(), json!(2));
    head
}

/// A line as the paper tells it.
pub(super) fn told((row, quantity, shares): &Line<'_>) -> Map<String, Value> {
    let prices: &[&str] = match row.aside_in_invoices() {
        true => &["base_price", "name", "price", "product_id", "sku"],
        false => &["base_price", "base_price_incl_tax", "name", "price", "price_incl_tax", "product_id", "sku"],
    };
    let mut line = row.value.as_object().map(|item| copied(item, prices)).unwrap_or_default();
    line.extend(shares.clone());
    line.insert("order_item_id".to_owned(), json!(row.id));
    line.insert("qty".to_owned(), number(*quantity));
    line
}

/// Notes on a line what was billed of it.
fn note_line(item: &mut Value, lines: &[Line<'_>]) {
    let line = item.get("item_id").and_then(id);
    let Some((row, _, shares)) = lines.iter().find(|(row, ..)| Some(row.id) == line) else { return };
    let Value::Object(item) = item else { return };
    for prefix in PREFIXES {
        for (total, share) in [
            ("row_invoiced", "row_total"),
            ("tax_invoiced", "tax_amount"),
            ("discount_invoiced", "discount_amount"),
            ("discount_tax_compensation_invoiced", "discount_tax_compensation_amount"),
        ] {
            grow(item, &format!("{prefix}{total}"), column(shares, &format!("{prefix}{share}")));
        }
    }
    if !row.aside_in_invoices() {
        put(item, "weee_tax_applied", json!("[]"));
    }
}

/// Notes on an order what was billed and paid.
fn note(order: &mut Map<String, Value>, invoice: &Map<String, Value>) {
    for prefix in PREFIXES {
        let own = |name: &str| format!("{prefix}{name}");
        for (total, name) in [
            ("discount_invoiced", "discount_amount"),
            ("discount_tax_compensation_invoiced", "discount_tax_compensation_amount"),
            ("shipping_invoiced", "shipping_amount"),
            ("subtotal_invoiced", "subtotal"),
            ("tax_invoiced", "tax_amount"),
            ("total_invoiced", "grand_total"),
            ("total_paid", "grand_total"),
        ] {
            grow(order, &own(total), column(invoice, &own(name)));
        }
        let due = column(order, &own("grand_total")).saturating_sub(column(order, &own("total_paid")));
        put(order, &own("total_due"), number(due));
        if let Some(Value::Object(payment)) = order.get_mut("payment") {
            grow(payment, &own("amount_paid"), column(invoice, &own("grand_total")));
            grow(payment, &own("shipping_captured"), column(invoice, &own("shipping_amount")));
        }
    }
    put(order, "base_total_invoiced_cost", json!(0));
    repeat_freight(order);
}

/// Adds to a column.
pub(super) fn grow(map: &mut Map<String, Value>, name: &str, more: Decimal) {
    let sum = column(map, name).saturating_add(more);
    put(map, name, number(sum));
}
