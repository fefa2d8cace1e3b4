//! What is bought: lines of the answer and the goods their money is computed from.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::json::{Entry, Role};
use super::shapes::Goods;
use super::sums::{Good, round};
use super::taxes::take;
use crate::catalogue::{Form, Item};
use crate::random::Random;

/// The lines of one order while they are put together.
#[derive(Debug)]
pub(super) struct Basket<'a> {
    items: &'a [Item],
    taxed: bool,
    next_id: &'a mut u64,
    pub(super) entries: Vec<Entry>,
    /// What carries money, in the order the sums are made.
    pub(super) goods: Vec<Good>,
    /// Line id and tax rate of each of the goods.
    pub(super) taxable: Vec<(u64, Decimal)>,
}

impl<'a> Basket<'a> {
    /// An empty basket over this catalogue; line ids come from the counter.
    pub(super) fn new(items: &'a [Item], taxed: bool, next_id: &'a mut u64) -> Self {
        Self { items, taxed, next_id, entries: Vec::new(), goods: Vec::new(), taxable: Vec::new() }
    }

    /// Puts in what the shape asks for; where the catalogue has no such thing, a simple product instead.
    pub(super) fn fill(&mut self, random: &mut Random, goods: Goods) {
        match goods {
            Goods::One => self.simple(random),
            Goods::Several => (0..random.between(2, 5)).for_each(|_| self.simple(random)),
            Goods::Twice => self.twice(random),
            Goods::Family => self.family(random),
            Goods::Set => self.set(random),
            Goods::Virtual => (0..random.between(1, 2)).for_each(|_| self.intangible(random)),
            Goods::Rates => self.rates(random),
            Goods::Exactly(quantity) => {
                if let Some(item) = self.items.first() {
                    self.single(item, u64::from(quantity), None);
                }
            }
            Goods::CentTrap => ["PEN", "MUG"].iter().for_each(|sku| self.named(random, sku)),
            Goods::Bulk => {
                if let Some(item) = self.any(random, |item| item.form == Form::Simple) {
                    self.single(item, 48, Some(Decimal::new(1234, 4)));
                }
                self.simple(random);
            }
            Goods::Cart => {
                self.family(random);
                self.set(random);
                self.simple(random);
                self.intangible(random);
            }
        }
    }

    /// Whether there is nothing to ship.
    pub(super) fn intangible_only(&self) -> bool {
        self.entries.iter().all(|entry| entry.kind == "virtual")
    }

    /// Pieces the customer put in, parts of sets not counted.
    pub(super) fn pieces(&self) -> Decimal {
        self.entries.iter().filter(|entry| entry.parent.is_none()).map(|entry| entry.qty).sum()
    }

    /// The first entry of this kind from a random place on.
    fn any(&self, random: &mut Random, wanted: impl Fn(&Item) -> bool) -> Option<&'a Item> {
        let start = random.index(self.items.len());
        let (before, after) = self.items.split_at_checked(start)?;
        after.iter().chain(before).find(|item| wanted(item))
    }

    fn find(&self, sku: &str) -> Option<&'a Item> {
        self.items.iter().find(|item| item.sku == sku)
    }

    fn simple(&mut self, random: &mut Random) {
        let qty = if random.chance(1, 12) { random.between(10, 30) } else { random.between(1, 5) };
        if let Some(item) = self.any(random, |item| item.form == Form::Simple) {
            self.single(item, qty, None);
        }
    }

    fn intangible(&mut self, random: &mut Random) {
        match self.any(random, |item| item.form == Form::Virtual) {
            Some(item) => self.single(item, random.between(1, 3), None),
            None => self.simple(random),
        }
    }

    fn named(&mut self, random: &mut Random, sku: &str) {
        match self.find(sku) {
            Some(item) => self.single(item, 4, None),
            None => self.simple(random),
        }
    }

    fn twice(&mut self, random: &mut Random) {
        if let Some(item) = self.any(random, |item| item.form == Form::Simple) {
            let special = round(item.net_price * Decimal::new(85, 2), 2).max(Decimal::new(1, 2));
            self.single(item, random.between(1, 4), None);
            self.single(item, random.between(1, 4), Some(special));
        }
    }

    fn rates(&mut self, random: &mut Random) {
        for rate in [19, 7, 0] {
            let rate = Decimal::from(rate);
            if let Some(item) = self.any(random, |item| item.form == Form::Simple && item.tax_percent == rate) {
                self.single(item, random.between(1, 6), None);
            }
        }
    }

    /// Puts in so many of one SKU, at a price of its own where one is said; nothing where the catalogue has no such thing.
    pub(super) fn pieces_of(&mut self, sku: &str, quantity: u32, price: Option<Decimal>) {
        if let Some(item) = self.find(sku) {
            self.single(item, u64::from(quantity), price);
        }
    }

    fn single(&mut self, item: &'a Item, qty: u64, price: Option<Decimal>) {
        let qty = Decimal::from(qty);
        let role = self.money(item, item, qty, price);
        self.push(item, &item.sku, role, None, qty, None);
    }

    /// A configurable line carries the money under the SKU of the product chosen, which follows with none.
    fn family(&mut self, random: &mut Random) {
        let Some(head) = self.any(random, |item| matches!(item.form, Form::Configurable { .. })) else {
            return self.simple(random);
        };
        let Form::Configurable { children } = &head.form else { return };
        let choice = random.index(children.len());
        let Some(chosen) = children.get(choice).and_then(|sku| self.find(sku)) else {
            return self.simple(random);
        };
        let qty = Decimal::from(random.between(1, 4));
        let role = self.money(chosen, head, qty, None);
        let option = json!({"extension_attributes": {"configurable_item_options": [
            {"option_id": "137", "option_value": choice + 4}
        ]}});
        let place = self.push(head, &chosen.sku, role, None, qty, Some(option));
        self.push(chosen, &chosen.sku, Role::Chosen, Some(place), qty, None);
    }

    /// A bundle's head shows the sums; its parts carry the money.
    fn set(&mut self, random: &mut Random) {
        let Some(head) = self.any(random, |item| matches!(item.form, Form::Bundle { .. })) else {
            return self.simple(random);
        };
        let Form::Bundle { parts } = &head.form else { return };
        let found: Vec<(&'a Item, u32)> =
            parts.iter().filter_map(|(sku, qty)| self.find(sku).map(|item| (item, *qty))).collect();
        let qty = Decimal::from(random.between(1, 3));
        let from = self.goods.len();
        let option = bundle_option(head.product_id, found.len());
        let place = self.push(head, &head.sku, Role::Set(from, from + found.len()), None, qty, Some(option));
        for (part, each) in found {
            let qty = qty * Decimal::from(each);
            let role = self.money(part, part, qty, None);
            self.push(part, &part.sku, role, Some(place), qty, None);
        }
    }

    /// Notes what a line costs: the price of one item, the tax rate of another (a family taxes by its head).
    fn money(&mut self, priced: &Item, taxed: &Item, qty: Decimal, price: Option<Decimal>) -> Role {
        let percent = if self.taxed { taxed.tax_percent } else { Decimal::ZERO };
        let list = priced.net_price;
        self.goods.push(Good { list, price: price.unwrap_or(list), qty, percent });
        self.taxable.push((*self.next_id, percent));
        Role::Money(self.goods.len() - 1)
    }

    /// Adds a line and says its place.
    fn push(
        &mut self,
        item: &Item,
        sku: &str,
        role: Role,
        parent: Option<usize>,
        qty: Decimal,
        option: Option<Value>,
    ) -> usize {
        let kind = match item.form {
            Form::Simple => "simple",
            Form::Virtual => "virtual",
            Form::Configurable { .. } => "configurable",
            Form::Bundle { .. } => "bundle",
        };
        self.entries.push(Entry {
            item_id: take(self.next_id),
            parent,
            role,
            product_id: item.product_id,
            sku: sku.to_owned(),
            name: item.name.clone(),
            kind,
            qty,
            weight: (kind != "virtual").then_some(item.weight),
            percent: if self.taxed { item.tax_percent } else { Decimal::ZERO },
            list: item.net_price,
            option,
        });
        self.entries.len() - 1
    }
}

fn bundle_option(product_id: u64, parts: usize) -> Value {
    let first = product_id * 4;
    let options: Vec<Value> =
        (first..).take(parts).map(|id| json!({"option_id": id, "option_qty": 1, "option_selections": [id]})).collect();
    json!({"extension_attributes": {"bundle_options": options}})
}
