//! Money that is given back: credit memos, what they leave on their order, and what goes back to a source.
//!
//! Recorded: order-refund-partial, refund-shipping-only (a list without any line means all of them), refund-amount-only
//! (what is asked for is in the website's currency), creditmemos-of-it, order-final. What is refused is after Magento's own
//! code (`RefundOrder`, `Creditmemo\Validation`); what goes back to a source, and that what never left is only not kept back
//! any more, after `ProcessRefundItems` of module InventorySales.

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::Shop;
use super::book::each_line;
use super::invoices::{HEAD, grow, told};
use super::order_rows::{Asked, Row, Rows, asked, settle};
use super::paper_sums::{Carry, GIVEN_BACK, Line, PREFIXES, Piece, cents, portion, shared, sum};
use super::papers::{copied, goes_to, quantities, repeat_freight};
use super::reply::{Answer, Refusal};
use super::shipments::add;
use super::stock::DEFAULT_SOURCE;
use super::value::{column, decimal, id, number, plain, put};
use crate::http::Edit;

/// What a request gives beside its lines, in the website's currency; no freight said is all that is left of it.
#[derive(Debug, Clone, Copy, Default)]
struct Arguments {
    shipping: Option<Decimal>,
    more: Decimal,
    less: Decimal,
}

impl Arguments {
    fn read(body: &Value) -> Self {
        let told = |key: &str| body.get("arguments").and_then(|all| all.get(key)).and_then(decimal);
        Self {
            shipping: told("shipping_amount"),
            more: told("adjustment_positive").unwrap_or_default(),
            less: told("adjustment_negative").unwrap_or_default(),
        }
    }
}

impl Shop {
    /// The id of the credit memo a request makes, as a text (recorded: order-refund-partial).
    pub(super) fn refund_order(&mut self, now: Timestamp, entity_id: u64, body: &Value) -> Answer {
        let order = self.book.get(entity_id).ok_or_else(Refusal::no_order)?.clone();
        let together = self.together(&order);
        let rows = Rows::new(&order, &together);
        let given = given(&rows, asked(body).as_ref());
        let pieces: Vec<Piece<'_>> = rows
            .iter()
            .filter_map(|row| given.get(&row.id).filter(|quantity| !quantity.is_zero()).map(|some| (*row, *some)))
            .map(|(row, quantity)| {
                let of = row.of("qty_invoiced").saturating_sub(row.of("qty_refunded"));
                Piece { row, quantity, of, last: quantity == row.refundable() }
            })
            .collect();
        // Lines that stand aside are none that could be the last.
        let last = rows.iter().all(|row| row.refundable() == given.get(&row.id).copied().unwrap_or_default());
        let (lines, carries) = shared(&order, &pieces, &GIVEN_BACK);
        let head = head(&order, (&lines, last), carries, Arguments::read(body))?;
        let complaints = complaints(&order, &lines, &head);
        if !complaints.is_empty() {
            let text = format!("Creditmemo Document Validation Error(s):\n{}", complaints.join("\n"));
            return Err(Refusal::new(400, text));
        }
        self.put_back(now, entity_id, &lines, body);
        let comment = body.get("comment").filter(|comment| comment.is_object()).map(|comment| (comment, false));
        let told = lines.iter().map(given_back).collect();
        let made = self.papers.memos.make(now, head.clone(), told, comment);
        let amount = (text(&order, "base_currency_code"), column(&head, "base_grand_total"));
        self.book.change(now, entity_id, |order| {
            each_line(order, |item| add(item, "qty_refunded", &given));
            each_line(order, |item| note_line(item, &lines));
            note(order, &head);
            settle(order, &together);
        });
        self.tell_of_refund(now, entity_id, amount);
        Ok(json!(made.to_string()))
    }

    fn memos_of(&self, order: u64) -> impl Iterator<Item = &Map<String, Value>> {
        self.papers.memos.all().filter(move |paper| paper.get("order_id").and_then(id) == Some(order))
    }

    /// The comment the shop writes on the order by itself (recorded: order-final).
    fn tell_of_refund(&mut self, now: Timestamp, order: u64, (currency, amount): (String, Decimal)) {
        let mut cents = amount;
        cents.rescale(2);
        let shown = if currency == "USD" { format!("${cents}") } else { format!("{currency} {cents}") };
        let status = self.book.get(order).and_then(|order| order.get("status").cloned());
        let told = json!({
            "comment": format!("We refunded {shown} offline."), "entity_name": "creditmemo", "is_customer_notified": 0,
            "is_visible_on_front": 0, "status": status,
        });
        let entry = self.papers.history(now, order, told.as_object().cloned().unwrap_or_default());
        self.book.change(now, order, |order| {
            if let Some(Value::Array(entries)) = order.get_mut("status_histories") {
                entries.insert(0, entry);
            }
        });
    }

    /// Puts what left, and is named as coming back, on the shelf of the source it left from.
    fn put_back(&mut self, now: Timestamp, order: u64, lines: &[Line<'_>], body: &Value) {
        let named = body.pointer("/arguments/extension_attributes/return_to_stock_items").and_then(Value::as_array);
        let back: Vec<u64> = named.into_iter().flatten().filter_map(id).collect();
        self.stock.index_late_s = self.quirks.slow_stock_index_s;
        for (row, quantity, _) in lines.iter().filter(|(row, ..)| back.contains(&row.id)) {
            let shipped = row.of("qty_shipped");
            let unshipped = row.of("qty_invoiced").saturating_sub(row.of("qty_refunded")).saturating_sub(shipped);
            let returns = quantity.saturating_sub(unshipped.max(Decimal::ZERO)).min(shipped);
            let Some(sku) = self.on_shelf(row).filter(|_| returns > Decimal::ZERO) else { continue };
            let source = self.left_from(order, row.id);
            let held = self.stock.row(&sku, &source).map_or(Decimal::ZERO, |held| held.quantity);
            self.stock.set(now, &sku, &source, held.saturating_add(returns), true);
        }
    }

    /// The source a line left from first.
    fn left_from(&self, order: u64, line: u64) -> String {
        let of_line = |paper: &&Map<String, Value>| {
            paper.get("order_id").and_then(id) == Some(order) && quantities(paper).contains_key(&line.to_string())
        };
        let shipment = self.papers.shipments.all().find(of_line);
        let source = shipment.and_then(|paper| paper.get("extension_attributes")?.get("source_code")?.as_str());
        source.unwrap_or(DEFAULT_SOURCE).to_owned()
    }

    /// Gives money back by hand, as a clerk in the back office does, the goods back to their source: the id of the credit
    /// memo. No quantities mean all that was billed; `shipping` is in the website's currency, none of it all that is left.
    /// None where the shop refuses it.
    pub fn refund_by_hand(
        &mut self,
        now: Timestamp,
        order: u64,
        lines: &[(u64, u32)],
        shipping: Option<Decimal>,
    ) -> Option<u64> {
        let items: Vec<Value> =
            lines.iter().map(|(line, quantity)| json!({"order_item_id": line, "qty": quantity})).collect();
        let back: Vec<u64> = lines.iter().map(|(line, _)| *line).collect();
        let mut arguments = json!({"extension_attributes": {"return_to_stock_items": back}});
        if let Some(shipping) = shipping {
            put_in(&mut arguments, "shipping_amount", number(shipping));
        }
        self.book.late_commit_s = self.quirks.late_commit_s;
        let made = self.refund_order(now, order, &json!({"items": items, "arguments": arguments})).ok()?;
        id(&made)
    }

    /// The same where goods stay with the buyer: by lines, freight, and what is given back beside them less what is kept, in
    /// the website's currency. What is not named is not given back.
    pub fn give_back(
        &mut self,
        now: Timestamp,
        order: u64,
        lines: &[(u64, u32)],
        shipping: Decimal,
        (more, less): (Decimal, Decimal),
    ) -> Option<u64> {
        let known = self.book.get(order)?;
        let all: Vec<u64> =
            super::order_rows::items(known).filter_map(|item| item.get("item_id").and_then(id)).collect();
        let quantity = |line: &u64| lines.iter().find(|(own, _)| own == line).map_or(0, |(_, quantity)| *quantity);
        let items: Vec<Value> = all.iter().map(|line| json!({"order_item_id": line, "qty": quantity(line)})).collect();
        let mut arguments = json!({});
        for (key, amount) in
            [("shipping_amount", shipping), ("adjustment_positive", more), ("adjustment_negative", less)]
        {
            put_in(&mut arguments, key, number(amount));
        }
        self.book.late_commit_s = self.quirks.late_commit_s;
        let made = self.refund_order(now, order, &json!({"items": items, "arguments": arguments})).ok()?;
        id(&made)
    }

    /// Somebody gives one of the website's currency back of so many orders that a gateway paid, out of those that are named, each
    /// once; false where there is none.
    pub(super) fn goodwill(&mut self, now: Timestamp, edit: &Edit) -> bool {
        let mut words = edit.value.split_whitespace();
        let many = words.next().and_then(|many| many.parse().ok()).unwrap_or(0);
        let named: Vec<&str> = words.collect();
        let due = |order: &&Map<String, Value>| {
            let id = order.get("entity_id").and_then(id).unwrap_or_default();
            named.contains(&text(order, "increment_id").as_str())
                && self.captured(id) > Decimal::ONE
                && self.memos_of(id).next().is_none()
        };
        let orders: Vec<u64> =
            self.book.all().filter(due).filter_map(|order| order.get("entity_id").and_then(id)).take(many).collect();
        let nothing = (Decimal::ONE, Decimal::ZERO);
        orders.into_iter().filter(|order| self.give_back(now, *order, &[], Decimal::ZERO, nothing).is_some()).count()
            > 0
    }

    /// What was given back of an order, in its own currency.
    #[must_use]
    pub fn refunded(&self, order: u64) -> Decimal {
        self.memos_of(order).fold(Decimal::ZERO, |sum, paper| sum.saturating_add(column(paper, "grand_total")))
    }
}

fn put_in(value: &mut Value, key: &str, held: Value) {
    if let Value::Object(map) = value {
        map.insert(key.to_owned(), held);
    }
}

fn text(order: &Map<String, Value>, key: &str) -> String {
    order.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How much of each line is given back; more than was billed is kept, for it is refused. Lines that stand aside go with
/// their family.
fn given(rows: &Rows<'_>, named: Option<&Asked>) -> Asked {
    let mut given = Asked::new();
    for row in rows.iter().filter(|row| !row.aside_in_invoices()) {
        let quantity =
            named.map_or(row.refundable(), |named| row.whole(named.get(&row.id).copied().unwrap_or_default()));
        given.insert(row.id, quantity);
    }
    for row in rows.iter().filter(|row| row.aside_in_invoices()) {
        let family = rows.iter().filter(|other| row.parent == Some(other.id) || other.parent == Some(row.id));
        let with = family.filter_map(|other| Some(row.with(other, *given.get(&other.id)?))).max().unwrap_or_default();
        // A bundle priced by its parts goes with all of it that was billed (`CreditmemoFactory`).
        let all = row.heads && row.kind() == "bundle" && !with.is_zero();
        given.insert(row.id, if all { row.of("qty_invoiced") } else { row.whole(with) });
    }
    given
}

fn complaints(order: &Map<String, Value>, lines: &[Line<'_>], head: &Map<String, Value>) -> Vec<String> {
    let left = |prefix: &str| {
        column(order, &format!("{prefix}total_paid")).saturating_sub(column(order, &format!("{prefix}total_refunded")))
    };
    let mut complaints = Vec::new();
    if matches!(text(order, "state").as_str(), "payment_review" | "holded" | "canceled" | "closed") {
        complaints
            .push(format!("A creditmemo can not be created when an order has a status of {}", text(order, "status")));
    } else if left("") <= Decimal::ZERO {
        complaints.push("The order does not allow a creditmemo to be created.".to_owned());
    }
    let over = |row: &Row<'_>, quantity: Decimal| !row.aside_in_invoices() && quantity > row.refundable();
    for (row, ..) in lines.iter().filter(|(row, quantity, _)| over(row, *quantity)) {
        let sku = row.value.get("sku").and_then(Value::as_str).unwrap_or_default();
        let what = "The quantity to creditmemo must not be greater than the unrefunded quantity for product SKU";
        complaints.push(format!("{what} \"{sku}\"."));
    }
    let grand = column(head, "base_grand_total");
    if grand <= Decimal::ZERO {
        complaints.push("The credit memo's total must be positive.".to_owned());
    }
    if grand > left("base_") {
        complaints.push(format!("The most money available to refund is {}.", plain(left("base_"))));
    }
    complaints
}

/// An amount in the website's currency as one in the order's, for the columns without a prefix.
fn in_column(order: &Map<String, Value>, prefix: &str, base: Decimal) -> Decimal {
    if prefix.is_empty() { cents(cents(base).saturating_mul(column(order, "base_to_order_rate"))) } else { cents(base) }
}

/// The column of the tax that a discount of the freight took away; in the website's currency its name is cut.
pub(super) fn hidden_of_freight(prefix: &str) -> &'static str {
    if prefix.is_empty() {
        "shipping_discount_tax_compensation_amount"
    } else {
        "shipping_discount_tax_compensation_amnt"
    }
}

/// What is given back of the freight in one currency.
#[derive(Debug, Default)]
struct Freight {
    net: Decimal,
    discount: Decimal,
    tax: Decimal,
    /// Tax that its discount took away.
    hidden: Decimal,
    /// A part of it, so that this memo is not the last one.
    partial: bool,
}

impl Freight {
    /// # Errors
    /// 400 where more is asked for than is left.
    fn of(
        order: &Map<String, Value>,
        prefix: &str,
        asked: Option<Decimal>,
        carry: &mut Carry,
    ) -> Result<Self, Refusal> {
        let of = |name: &str| column(order, &format!("{prefix}{name}"));
        let base = |name: &str| column(order, &format!("base_{name}"));
        let hidden = hidden_of_freight(prefix);
        let (all, left) = (base("shipping_amount"), base("shipping_amount").saturating_sub(base("shipping_refunded")));
        let wanted = asked.map_or(left, cents);
        if wanted > left {
            let most = plain(left);
            return Err(Refusal::new(400, format!("Maximum shipping amount allowed to refund is: {most}")));
        }
        let whole = wanted == left;
        let net = match whole {
            true => of("shipping_amount").saturating_sub(of("shipping_refunded")),
            false => cents(portion(of("shipping_amount"), wanted, all)),
        };
        // 2.4.7 takes the whole discount of the freight where nothing is asked for of it (`Creditmemo\Total\Discount`).
        let reduced = if asked.is_none_or(|some| some.is_zero()) { all } else { wanted };
        let discount = portion(of("shipping_discount_amount"), reduced, all);
        if whole {
            let tax = of("shipping_tax_amount").saturating_sub(of("shipping_tax_refunded"));
            return Ok(Self { net, discount, tax, hidden: of(hidden), partial: false });
        }
        let part = |amount: Decimal| portion(amount, net, of("shipping_amount"));
        let tax = carry.added(part(of("shipping_tax_amount")));
        let given = carry.added(part(of(hidden)));
        let taxed = column(order, "shipping_tax_amount") > Decimal::ZERO
            || column(order, "shipping_discount_amount") >= column(order, "shipping_amount");
        Ok(Self { net, discount, tax, hidden: given, partial: taxed })
    }
}

fn head(
    order: &Map<String, Value>,
    (lines, last): (&[Line<'_>], bool),
    carries: [Carry; 2],
    arguments: Arguments,
) -> Result<Map<String, Value>, Refusal> {
    let mut head = copied(order, &HEAD);
    for (prefix, mut carry) in PREFIXES.into_iter().zip(carries) {
        let own = |name: &str| format!("{prefix}{name}");
        let freight = Freight::of(order, prefix, arguments.shipping, &mut carry)?;
        let (more, less) = (in_column(order, prefix, arguments.more), in_column(order, prefix, arguments.less));
        let of_lines = |name: &str| sum(lines, &own(name));
        let left = |all: Decimal, had: &str| all.saturating_sub(column(order, &own(had)));
        let at_most = |sum: Decimal, left: Decimal| if last && !freight.partial { left } else { sum.min(left) };
        let subtotal = of_lines("row_total");
        let discount = of_lines("discount_amount").saturating_add(freight.discount);
        let tax = of_lines("tax_amount").saturating_add(freight.tax);
        let tax = at_most(tax, left(column(order, &own("tax_invoiced")), "tax_refunded"));
        let hidden = hidden_of_freight(prefix);
        let compensation = of_lines("discount_tax_compensation_amount").saturating_add(freight.hidden);
        let invoiced =
            column(order, &own("discount_tax_compensation_invoiced")).saturating_add(column(order, &own(hidden)));
        let compensation = at_most(compensation, left(invoiced, "discount_tax_compensation_refunded"));
        let grand = [tax, compensation, freight.net, more]
            .into_iter()
            .fold(subtotal.saturating_sub(discount).saturating_sub(less), Decimal::saturating_add);
        for (name, value) in [
            ("adjustment", more.saturating_sub(less)),
            ("adjustment_negative", less),
            ("adjustment_positive", more),
            ("discount_amount", Decimal::ZERO.saturating_sub(discount)),
            ("discount_tax_compensation_amount", compensation),
            ("grand_total", grand),
            ("shipping_amount", freight.net),
            ("shipping_incl_tax", freight.net.saturating_add(freight.tax)),
            ("shipping_tax_amount", freight.tax),
            ("subtotal", subtotal),
            ("subtotal_incl_tax", of_lines("row_total_incl_tax")),
            ("tax_amount", tax),
        ] {
            // The table keeps four decimals.
            head.insert(own(name), number(value.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)));
        }
    }
    head.insert("order_id".to_owned(), order.get("entity_id").cloned().unwrap_or_default());
    head.extend(goes_to(order).map(|address| ("shipping_address_id".to_owned(), address)));
    // Given back (`RefundOrder` sets it).
    head.insert("state".to_owned(), json!(2));
    Ok(head)
}

/// A line as the credit memo tells it.
fn given_back(line: &Line<'_>) -> Map<String, Value> {
    let mut given = told(line);
    given.insert("base_cost".to_owned(), Value::Null);
    if !line.0.aside_in_invoices() {
        given.insert("weee_tax_applied".to_owned(), json!("[]"));
        for name in ["weee_tax_applied_row_amount", "weee_tax_row_disposition", "base_weee_tax_row_disposition"] {
            given.insert(name.to_owned(), json!(0));
        }
    }
    given
}

/// Notes on a line what was given back of it.
fn note_line(item: &mut Value, lines: &[Line<'_>]) {
    let line = item.get("item_id").and_then(id);
    let Some((_, _, shares)) = lines.iter().find(|(row, ..)| Some(row.id) == line) else { return };
    let Value::Object(item) = item else { return };
    for prefix in PREFIXES {
        for (total, share) in [
            ("amount_refunded", "row_total"),
            ("tax_refunded", "tax_amount"),
            ("discount_refunded", "discount_amount"),
            ("discount_tax_compensation_refunded", "discount_tax_compensation_amount"),
        ] {
            grow(item, &format!("{prefix}{total}"), column(shares, &format!("{prefix}{share}")));
        }
    }
}

/// Notes on an order what was given back.
fn note(order: &mut Map<String, Value>, memo: &Map<String, Value>) {
    for prefix in PREFIXES {
        let own = |name: &str| format!("{prefix}{name}");
        for (total, name) in [
            ("adjustment_negative", "adjustment_negative"),
            ("adjustment_positive", "adjustment_positive"),
            ("discount_refunded", "discount_amount"),
            ("discount_tax_compensation_refunded", "discount_tax_compensation_amount"),
            ("shipping_refunded", "shipping_amount"),
            ("shipping_tax_refunded", "shipping_tax_amount"),
            ("subtotal_refunded", "subtotal"),
            ("tax_refunded", "tax_amount"),
            ("total_offline_refunded", "grand_total"),
            ("total_refunded", "grand_total"),
        ] {
            grow(order, &own(total), column(memo, &own(name)));
        }
        if let Some(Value::Object(payment)) = order.get_mut("payment") {
            grow(payment, &own("amount_refunded"), column(memo, &own("grand_total")));
            grow(payment, &own("shipping_refunded"), column(memo, &own("shipping_amount")));
        }
    }
    put(order, "customer_note_notify", json!(0));
    repeat_freight(order);
}
