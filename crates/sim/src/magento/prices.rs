//! What a shop asks beside a product's own price: a special price for some days, and prices from a quantity on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::Shop;
use super::products::Products;
use super::value::{decimal_text, plain};

/// Decimals a price keeps (recorded: sku-rename, where a special price of 45 is `45.000000`).
const SCALE: u32 = 6;
/// Decimals the quantity of a tier keeps (`catalog_product_entity_tier_price.qty` is a `DECIMAL(12,4)`).
const QUANTITY_SCALE: u32 = 4;
/// What the shop calls all groups together (recorded: tier-price-after-put).
pub(super) const ALL_GROUPS: &str = "all groups";

/// A price that holds for some days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Special {
    pub(super) amount: Decimal,
    /// Date and time as they were sent.
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

/// What a tier holds for, in the order the shop lists tiers (recorded: tier-prices-info).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) product: u64,
    pub(super) all_groups: bool,
    /// Id of the group; 0 for all of them.
    pub(super) group: usize,
    pub(super) quantity: Decimal,
}

/// A price from a quantity on, or a part taken off the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Fixed(Decimal),
    Percent(Decimal),
}

impl Tier {
    /// The number and what it is called.
    pub(super) fn told(self) -> (Decimal, &'static str) {
        match self {
            Self::Fixed(amount) => (amount, "fixed"),
            Self::Percent(percent) => (percent, "discount"),
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Prices {
    /// Codes of the groups of customers; a group's id is its place.
    pub(super) groups: Vec<String>,
    pub(super) specials: BTreeMap<u64, Special>,
    pub(super) tiers: BTreeMap<Place, Tier>,
}

impl Default for Prices {
    fn default() -> Self {
        let groups = ["NOT LOGGED IN", "General", "Wholesale", "Retailer"];
        Self { groups: groups.map(str::to_owned).into(), specials: BTreeMap::new(), tiers: BTreeMap::new() }
    }
}

/// An amount as a column keeps it.
pub(super) fn kept(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointAwayFromZero)
}

impl Prices {
    /// The place of a tier; none where there is no such group. Codes are told apart without regard to case.
    pub(super) fn place(&self, product: u64, group: &str, quantity: Decimal) -> Option<Place> {
        let quantity = quantity.round_dp_with_strategy(QUANTITY_SCALE, RoundingStrategy::MidpointAwayFromZero);
        let quantity = quantity.normalize();
        if group.eq_ignore_ascii_case(ALL_GROUPS) {
            return Some(Place { product, all_groups: true, group: 0, quantity });
        }
        let group = self.groups.iter().position(|code| code.to_lowercase() == group.to_lowercase())?;
        Some(Place { product, all_groups: false, group, quantity })
    }

    /// What the shop calls the group of a tier.
    pub(super) fn group_of(&self, place: &Place) -> &str {
        if place.all_groups {
            return ALL_GROUPS;
        }
        self.groups.get(place.group).map_or("", String::as_str)
    }

    /// The tiers of a product.
    pub(super) fn tiers_of(&self, product: u64) -> impl Iterator<Item = (&Place, Tier)> {
        self.tiers.iter().filter(move |(place, _)| place.product == product).map(|(place, tier)| (place, *tier))
    }

    /// Every price the shop holds, for the ledger; a percentage stands with its sign.
    pub(super) fn ledger(&self, products: &Products) -> Vec<Value> {
        let day = |time: &Option<String>| time.as_deref().and_then(|time| time.split(' ').next()).map(str::to_owned);
        let mut rows = Vec::new();
        for item in products.all() {
            let id = item.product_id;
            let mut tell = |list: &str, quantity: Decimal, days: [Option<String>; 2], amount: String| {
                let [from, until] = days;
                let (sku, quantity) = (&item.sku, plain(quantity));
                rows.push(json!({
                    "sku": sku, "list": list, "quantity": quantity, "from": from, "until": until, "amount": amount,
                }));
            };
            if let Some(base) = products.base(id) {
                tell("base", Decimal::ONE, [None, None], plain(base));
            }
            if let Some(special) = self.specials.get(&id) {
                tell("special", Decimal::ONE, [day(&special.from), day(&special.to)], plain(special.amount));
            }
            for (place, tier) in self.tiers_of(id) {
                let list = if place.all_groups { "*" } else { self.group_of(place) };
                let amount = match tier {
                    Tier::Fixed(amount) => plain(amount),
                    Tier::Percent(percent) => format!("{}%", plain(percent)),
                };
                tell(&format!("group:{list}"), place.quantity, [None, None], amount);
            }
        }
        rows
    }
}

impl Shop {
    /// Changes a price as a person in the shop's back office does: in the list `base`, `special`, `group:*` or
    /// `group:<code>`, from a quantity on (always 1 for `base` and `special`). No amount takes the price away, which a
    /// base price does not allow; one with `%` behind it is taken off the price, in a group's list only. The days of a
    /// special price stay as they are, see [`Shop::set_special_days`]. False where there is no such product, list or
    /// number. Saving a product moves its `updated_at`.
    pub fn set_price(&mut self, now: Timestamp, sku: &str, list: &str, quantity: u32, amount: Option<&str>) -> bool {
        let Some(id) = self.products.find(sku).map(|item| item.product_id) else { return false };
        let (number, percent) = match amount.map(|text| text.strip_suffix('%').map_or((text, false), |n| (n, true))) {
            None => (None, false),
            Some((text, percent)) => match decimal_text(text).filter(|number| !number.is_sign_negative()) {
                Some(number) => (Some(kept(number)), percent),
                None => return false,
            },
        };
        let done = match (list, number) {
            ("base", Some(amount)) if quantity == 1 && !percent => self.products.set_base(sku, amount),
            ("special", None) => self.prices.specials.remove(&id).is_some(),
            ("special", Some(amount)) if quantity == 1 && !percent => {
                self.prices.specials.entry(id).or_default().amount = amount;
                true
            }
            _ => self.set_tier(
                id,
                list,
                quantity,
                number.map(|n| if percent { Tier::Percent(n) } else { Tier::Fixed(n) }),
            ),
        };
        done && self.products.touch(now, sku)
    }

    fn set_tier(&mut self, product: u64, list: &str, quantity: u32, tier: Option<Tier>) -> bool {
        let Some(group) = list.strip_prefix("group:").filter(|_| quantity > 0) else { return false };
        let group = if group == "*" { ALL_GROUPS } else { group };
        let Some(place) = self.prices.place(product, group, quantity.into()) else { return false };
        match tier {
            Some(tier) => drop(self.prices.tiers.insert(place, tier)),
            None => return self.prices.tiers.remove(&place).is_some(),
        }
        true
    }

    /// Changes the days of a special price that is there, each as `2026-11-27`; the back office stores the beginning of
    /// both. False where there is none.
    pub fn set_special_days(&mut self, now: Timestamp, sku: &str, from: Option<&str>, until: Option<&str>) -> bool {
        let Some(id) = self.products.find(sku).map(|item| item.product_id) else { return false };
        let Some(special) = self.prices.specials.get_mut(&id) else { return false };
        let time = |day: &str| format!("{day} 00:00:00");
        (special.from, special.to) = (from.map(time), until.map(time));
        self.products.touch(now, sku)
    }
}
