//! Sales: amounts and taxes as the real one rounds them, and the buttons that move a sale from state to state.

use rust_decimal::{Decimal, RoundingStrategy};

use super::fail::Fail;
use super::read::{present, rec_name};
use super::stock::{is_stocked, today};
use super::store::Store;
use super::validate;
use super::value::Val;
use super::{drops, invoice, shipping};

/// Net and tax of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Sum of the line amounts.
    pub untaxed: Decimal,
    /// Sum of the taxes.
    pub tax: Decimal,
}

impl Amounts {
    /// What is to pay.
    pub fn total(&self) -> Decimal {
        self.untaxed + self.tax
    }
}

/// A currency's smallest amount.
#[derive(Debug, Clone, Copy)]
pub struct Money {
    step: Decimal,
}

impl Money {
    fn of(store: &Store, sale: u64) -> Self {
        Self::by(store, "sale.sale", sale)
    }

    /// That of the currency a document is in.
    pub fn by(store: &Store, model: &str, id: u64) -> Self {
        let currency = store.value(model, id, "currency").id().unwrap_or_default();
        let step = store.value("currency.currency", currency, "rounding").number().filter(|step| !step.is_zero());
        Self { step: step.unwrap_or(Decimal::new(1, 2)) }
    }

    /// The nearest multiple of the step, halves to the even one.
    pub fn round(self, amount: Decimal) -> Result<Decimal, Fail> {
        let units = amount.checked_div(self.step).ok_or_else(overflow)?;
        let whole = units.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        let mut rounded = whole.checked_mul(self.step).ok_or_else(overflow)?;
        rounded.rescale(self.step.scale());
        Ok(rounded)
    }
}

fn overflow() -> Fail {
    Fail::other("[<class 'decimal.InvalidOperation'>]")
}

fn product(left: Decimal, right: Decimal) -> Result<Decimal, Fail> {
    left.checked_mul(right).ok_or_else(overflow)
}

/// One line that counts: quantity times price, and its taxes in order.
pub struct Counted {
    /// How many.
    pub quantity: Decimal,
    /// What one costs.
    pub price: Decimal,
    taxes: Vec<u64>,
}

impl Counted {
    /// What it comes to without tax, rounded.
    pub fn amount(&self, money: Money) -> Result<Decimal, Fail> {
        money.round(product(self.quantity, self.price)?)
    }
}

/// Ids of the lines of type `line`, in order.
pub fn amount_lines(store: &Store, sale: u64) -> Result<Vec<u64>, Fail> {
    let all = store.children("sale.line", "sale", sale)?;
    Ok(all.into_iter().filter(|line| store.text("sale.line", *line, "type") == "line").collect())
}

fn counted(store: &Store, line: u64) -> Counted {
    counted_in(store, "sale.line", line)
}

/// A line of a sale or an invoice as it counts.
pub fn counted_in(store: &Store, model: &str, line: u64) -> Counted {
    let value = |field: &str| store.value(model, line, field);
    let mut taxes = value("taxes").ids().to_vec();
    taxes.sort_by_key(|tax| (store.value("account.tax", *tax, "sequence"), *tax));
    Counted {
        quantity: value("quantity").number().unwrap_or_default(),
        price: value("unit_price").number().unwrap_or_default(),
        taxes,
    }
}

/// Net amount of a line; of a subtotal the lines since the last one; zero for texts.
pub fn line_amount(store: &Store, line: u64) -> Result<Decimal, Fail> {
    let Some(sale) = store.value("sale.line", line, "sale").id() else { return Ok(Decimal::ZERO) };
    let money = Money::of(store, sale);
    let own = |line: u64| counted(store, line).amount(money);
    match store.text("sale.line", line, "type").as_str() {
        "line" => own(line),
        "subtotal" => {
            let mut amount = Decimal::ZERO;
            for one in store.children("sale.line", "sale", sale)? {
                match store.text("sale.line", one, "type").as_str() {
                    "line" => amount += own(one)?,
                    "subtotal" if one == line => break,
                    "subtotal" => amount = Decimal::ZERO,
                    _ => {}
                }
            }
            Ok(amount)
        }
        _ => Ok(Decimal::ZERO),
    }
}

/// The amounts of a sale: kept ones from its confirmation on, else computed from the lines.
pub fn amounts(store: &Store, sale: u64) -> Result<Amounts, Fail> {
    let kept = |field: &str| store.value("sale.sale", sale, field).number();
    let state = store.text("sale.sale", sale, "state");
    if matches!(state.as_str(), "confirmed" | "processing" | "done" | "cancelled")
        && let (Some(untaxed), Some(tax)) = (kept("untaxed_amount_cache"), kept("tax_amount_cache"))
    {
        return Ok(Amounts { untaxed, tax });
    }
    computed(store, sale)
}

fn computed(store: &Store, sale: u64) -> Result<Amounts, Fail> {
    let mut untaxed = Decimal::ZERO;
    let mut lines = Vec::new();
    for line in amount_lines(store, sale)? {
        untaxed += line_amount(store, line)?;
        lines.push(counted(store, line));
    }
    Ok(Amounts { untaxed, tax: tax(store, Money::of(store, sale), &lines)? })
}

/// Lines with the same taxes and the same sign are summed unrounded, then rounded (per document, or per line).
pub fn tax(store: &Store, money: Money, lines: &[Counted]) -> Result<Decimal, Fail> {
    let document = store.text("account.configuration", 1, "tax_rounding") != "line";
    let mut groups: Vec<(&[u64], bool, Vec<Decimal>)> = Vec::new();
    for line in lines {
        let positive = product(line.price, line.quantity)? >= Decimal::ZERO;
        let mut parts = Vec::new();
        for tax in &line.taxes {
            parts.push(product(unit_tax(store, *tax, line.price)?, line.quantity)?);
        }
        if !document {
            round_all(money, &mut parts)?;
        }
        match groups.iter_mut().find(|(taxes, sign, _)| *taxes == line.taxes.as_slice() && *sign == positive) {
            Some((_, _, sums)) => sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part),
            None => groups.push((line.taxes.as_slice(), positive, parts)),
        }
    }
    let mut total = Decimal::ZERO;
    for (_, _, mut sums) in groups {
        if document {
            round_all(money, &mut sums)?;
        }
        total += sums.into_iter().sum::<Decimal>();
    }
    Ok(total)
}

fn unit_tax(store: &Store, tax: u64, price: Decimal) -> Result<Decimal, Fail> {
    let number = |field: &str| store.value("account.tax", tax, field).number().unwrap_or_default();
    match store.text("account.tax", tax, "type").as_str() {
        "percentage" => product(price, number("rate")),
        "fixed" => Ok(number("amount")),
        _ => Ok(Decimal::ZERO),
    }
}

/// Rounds each amount; where the roundings together make up a step, takes steps back from the first ones.
fn round_all(money: Money, amounts: &mut [Decimal]) -> Result<(), Fail> {
    let mut remainder = Decimal::ZERO;
    for amount in amounts.iter_mut() {
        let rounded = money.round(*amount)?;
        remainder += rounded - *amount;
        *amount = rounded;
    }
    remainder = money.round(remainder)?;
    let step = if remainder.is_sign_negative() { -money.step } else { money.step };
    while remainder.abs() >= money.step && amounts.iter().any(|amount| !amount.is_zero()) {
        for amount in amounts.iter_mut().filter(|amount| !amount.is_zero()) {
            *amount -= step;
            remainder -= step;
            if remainder.abs() < money.step {
                break;
            }
        }
    }
    Ok(())
}

/// Presses a button on sales: `quote`, `confirm`, `process`, `cancel` or `draft`. `queued` leaves processing to a worker.
pub fn press(store: &mut Store, button: &str, ids: &[u64], queued: bool) -> Result<(), Fail> {
    present(store, "sale.sale", ids, "read")?;
    for id in ids {
        if !offered(store, button, *id)? {
            let name = rec_name(store, "sale.sale", *id);
            return Err(Fail::user(format!("You can not call \"{button}\" on \"{name}\" of \"Sale\".")));
        }
    }
    for id in ids {
        match button {
            "quote" => quote(store, *id)?,
            "confirm" => confirm(store, *id, queued)?,
            "process" => process(store, *id)?,
            "cancel" => {
                keep_amounts(store, *id)?;
                enter(store, *id, "cancelled")?;
            }
            _ => {
                for field in ["untaxed_amount_cache", "tax_amount_cache", "total_amount_cache"] {
                    store.put("sale.sale", *id, field, Val::Null)?;
                }
                enter(store, *id, "draft")?;
            }
        }
    }
    Ok(())
}

/// Whether the button can be pressed in the sale's state.
fn offered(store: &Store, button: &str, id: u64) -> Result<bool, Fail> {
    let state = store.text("sale.sale", id, "state");
    Ok(match button {
        "quote" => state == "draft" && !store.children("sale.line", "sale", id)?.is_empty(),
        "confirm" => state == "quotation",
        "process" => matches!(state.as_str(), "confirmed" | "processing" | "done"),
        "cancel" => matches!(state.as_str(), "draft" | "quotation"),
        _ => matches!(state.as_str(), "cancelled" | "quotation" | "confirmed"),
    })
}

/// Writes the new state, guarded and validated as any write is.
fn enter(store: &mut Store, id: u64, state: &str) -> Result<(), Fail> {
    let model = store.model("sale.sale")?;
    store.guard(model, id)?;
    store.put("sale.sale", id, "state", Val::Text(state.to_owned()))?;
    store.touch(model, id);
    validate::record(store, "sale.sale", id)
}

fn quote(store: &mut Store, id: u64) -> Result<(), Fail> {
    let name = rec_name(store, "sale.sale", id);
    let filled = |field: &str| store.value("sale.sale", id, field).filled();
    let missing = |what: &str| Err(Fail::user(format!("To get a quote for sale \"{name}\" you must enter {what}.")));
    if !filled("invoice_address") {
        return missing("an invoice address");
    }
    for line in amount_lines(store, id)? {
        if !movable(store, line) {
            continue;
        }
        if counted(store, line).quantity >= Decimal::ZERO && !filled("shipment_address") {
            return missing("a shipment address");
        }
        if !filled("warehouse") {
            return missing(&format!("a warehouse for the line \"{}\"", rec_name(store, "sale.line", line)));
        }
    }
    let model = store.model("sale.sale")?;
    store.guard(model, id)?;
    if !store.value("sale.sale", id, "quotation_date").filled() {
        store.put("sale.sale", id, "quotation_date", Val::Date(today(store)))?;
    }
    if !store.value("sale.sale", id, "number").filled() {
        let number = store.next("sale").to_string();
        store.put("sale.sale", id, "number", Val::Text(number))?;
    }
    enter(store, id, "quotation")
}

/// Whether a line moves goods.
pub fn movable(store: &Store, line: u64) -> bool {
    is_stocked(store, store.value("sale.line", line, "product").id().unwrap_or_default())
}

fn confirm(store: &mut Store, id: u64, queued: bool) -> Result<(), Fail> {
    if !store.value("sale.sale", id, "sale_date").filled() {
        store.put("sale.sale", id, "sale_date", Val::Date(today(store)))?;
    }
    keep_amounts(store, id)?;
    enter(store, id, "confirmed")?;
    if queued { Ok(()) } else { process(store, id) }
}

pub(super) fn keep_amounts(store: &mut Store, id: u64) -> Result<(), Fail> {
    let model = store.model("sale.sale")?;
    store.guard(model, id)?;
    let now = computed(store, id)?;
    for (field, amount) in
        [("untaxed_amount_cache", now.untaxed), ("tax_amount_cache", now.tax), ("total_amount_cache", now.total())]
    {
        store.put("sale.sale", id, field, Val::Dec(amount))?;
    }
    Ok(())
}

/// Makes the invoice and the shipments of what has none yet, and says how far the sale has come; repeating it changes
/// nothing.
pub fn process(store: &mut Store, id: u64) -> Result<(), Fail> {
    let state = store.text("sale.sale", id, "state");
    if !matches!(state.as_str(), "confirmed" | "processing" | "done") {
        return Ok(());
    }
    let lines = amount_lines(store, id)?;
    if lines.is_empty() {
        return if state == "confirmed" { enter(store, id, "done") } else { Ok(()) };
    }
    invoice::ask(store, id, &lines)?;
    if state == "confirmed" {
        let returns = |line: &u64| movable(store, *line) && counted(store, *line).quantity < Decimal::ZERO;
        let back: Vec<u64> = lines.iter().copied().filter(returns).collect();
        shipping::back(store, id, &back)?;
    }
    let waiting: Vec<(u64, Decimal)> = lines
        .iter()
        .filter(|line| movable(store, **line) && counted(store, **line).quantity > Decimal::ZERO)
        .map(|line| Ok((*line, to_ship(store, id, *line)? - shipping::moved(store, *line, shipping::Told::All)?)))
        .collect::<Result<Vec<_>, Fail>>()?
        .into_iter()
        .filter(|(_, quantity)| *quantity > Decimal::ZERO)
        .collect();
    let (bought, own): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(line, _)| drops::is_bought(store, *line));
    drops::ask(store, id, &bought)?;
    if !own.is_empty() {
        shipping::of_sale(store, id, &own)?;
    }
    let told = [("invoice_state", invoice::state(store, id)?), ("shipment_state", shipment_state(store, &lines)?)];
    let mut moved = false;
    for (field, word) in told {
        if store.text("sale.sale", id, field) != word {
            store.put("sale.sale", id, field, Val::Text(word.to_owned()))?;
            moved = true;
        }
    }
    let next = if is_done(store, id, &lines)? { "done" } else { "processing" };
    if next != state {
        return enter(store, id, next);
    }
    if moved {
        store.touch(store.model("sale.sale")?, id);
    }
    Ok(())
}

/// How many of a line are to leave by now.
fn to_ship(store: &Store, sale: u64, line: u64) -> Result<Decimal, Fail> {
    match store.text("sale.sale", sale, "shipment_method").as_str() {
        "order" => Ok(counted(store, line).quantity),
        "invoice" => invoice::paid(store, line),
        // What was asked for by hand.
        _ => Ok(Decimal::ZERO),
    }
}

/// Whether each line of goods has left as a whole; none where there are no goods.
fn progress(store: &Store, lines: &[u64]) -> Result<Vec<Decimal>, Fail> {
    let mut all = Vec::new();
    for line in lines.iter().filter(|line| movable(store, **line)) {
        let ordered = counted(store, *line).quantity.abs();
        if !ordered.is_zero() {
            let gone = shipping::moved(store, *line, shipping::Told::Settled)?;
            all.push((gone / ordered).min(Decimal::ONE));
        }
    }
    Ok(all)
}

fn shipment_state(store: &Store, lines: &[u64]) -> Result<&'static str, Fail> {
    let (mut any, progress) = (false, progress(store, lines)?);
    for line in lines {
        let mut seen_to = store.value("sale.line", *line, "moves_recreated").ids().to_vec();
        seen_to.extend(store.value("sale.line", *line, "moves_ignored").ids());
        for one in shipping::moves_from(store, *line)? {
            match store.text("stock.move", one, "state").as_str() {
                "cancelled" if !seen_to.contains(&one) => return Ok("exception"),
                "cancelled" => {}
                _ => any = true,
            }
        }
    }
    Ok(match any {
        false => "none",
        true if progress.iter().all(|part| *part >= Decimal::ONE) => "sent",
        true if progress.iter().any(|part| !part.is_zero()) => "partially shipped",
        true => "waiting",
    })
}

fn is_done(store: &Store, id: u64, lines: &[u64]) -> Result<bool, Fail> {
    let gone = match store.text("sale.sale", id, "shipment_state").as_str() {
        "sent" => true,
        "none" => progress(store, lines)?.iter().all(|part| *part >= Decimal::ONE),
        _ => false,
    };
    let settled = match store.text("sale.sale", id, "invoice_state").as_str() {
        "paid" => true,
        "none" => {
            let is_settled = |line: &u64| {
                let asked = counted(store, *line).quantity;
                Ok(asked.is_zero() || (invoice::settled(store, id, *line)? / asked) >= Decimal::ONE)
            };
            lines.iter().map(is_settled).collect::<Result<Vec<bool>, Fail>>()?.into_iter().all(|one| one)
        }
        _ => false,
    };
    Ok(gone && settled)
}

/// Refuses a sale past its draft whose party is the guest of a web shop.
pub fn guests(store: &Store, id: u64) -> Result<(), Fail> {
    let Ok(shops) = store.model("web.shop") else { return Ok(()) };
    if matches!(store.text("sale.sale", id, "state").as_str(), "draft" | "cancelled") {
        return Ok(());
    }
    let party = store.value("sale.sale", id, "party");
    if party.filled() && store.ids(shops).any(|shop| store.value("web.shop", shop, "guest_party") == party) {
        let (sale, party) =
            (rec_name(store, "sale.sale", id), rec_name(store, "party.party", party.id().unwrap_or_default()));
        return Err(Fail::user(format!(
            "To process the sale \"{sale}\" you must select another party instead of the guest \"{party}\"."
        )));
    }
    Ok(())
}
