//! What a shop asks beside a product's own price: a special price for some days, and prices from a quantity on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::Shop;
use super::products::Products;
use super::value::{decimal_text, plain};
use crate::catalogue::Item;

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
    /// Id of the one website it holds in; 0 for all of them.
    pub(super) website: u64,
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
    /// Whether websites have prices of their own (`catalog/price/scope`).
    pub(super) by_website: bool,
    /// Base prices of single store views, by product and view.
    pub(super) of_views: BTreeMap<(u64, u64), Decimal>,
    /// By product and store view, 0 for all of them.
    pub(super) specials: BTreeMap<(u64, u64), Special>,
    pub(super) tiers: BTreeMap<Place, Tier>,
}

impl Default for Prices {
    fn default() -> Self {
        let groups = ["NOT LOGGED IN", "General", "Wholesale", "Retailer"];
        Self {
            groups: groups.map(str::to_owned).into(),
            by_website: false,
            of_views: BTreeMap::new(),
            specials: BTreeMap::new(),
            tiers: BTreeMap::new(),
        }
    }
}

/// An amount as a column keeps it.
pub(super) fn kept(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointAwayFromZero)
}

impl Prices {
    /// The place of a tier in all websites, or in one; none where there is no such group. Codes are told apart without
    /// regard to case.
    pub(super) fn place(&self, product: u64, group: &str, quantity: Decimal, website: u64) -> Option<Place> {
        let quantity = quantity.round_dp_with_strategy(QUANTITY_SCALE, RoundingStrategy::MidpointAwayFromZero);
        let quantity = quantity.normalize();
        if group.eq_ignore_ascii_case(ALL_GROUPS) {
            return Some(Place { product, all_groups: true, group: 0, quantity, website });
        }
        let group = self.groups.iter().position(|code| code.to_lowercase() == group.to_lowercase())?;
        Some(Place { product, all_groups: false, group, quantity, website })
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

    /// The special prices of a product, by store view.
    pub(super) fn specials_of(&self, product: u64) -> impl Iterator<Item = (u64, &Special)> {
        self.specials.range((product, 0)..=(product, u64::MAX)).map(|((_, view), special)| (*view, special))
    }

    /// The base prices a product has in single store views.
    pub(super) fn views_of(&self, product: u64) -> impl Iterator<Item = (u64, Decimal)> {
        self.of_views.range((product, 0)..=(product, u64::MAX)).map(|((_, view), amount)| (*view, *amount))
    }

    /// Every price the shop holds, for the ledger; a percentage stands with its sign. A price of one store view or website
    /// says so by its id.
    pub(super) fn ledger(&self, products: &Products) -> Vec<Value> {
        let mut rows = Vec::new();
        for item in products.all() {
            let id = item.product_id;
            let base = products.base(id).map(|base| (0, base));
            for (view, amount) in base.into_iter().chain(self.views_of(id)) {
                rows.push(row_of(item, ("base", Decimal::ONE), [None, None], (plain(amount), "view", view)));
            }
            for (view, special) in self.specials_of(id) {
                let days = [day(&special.from), day(&special.to)];
                rows.push(row_of(item, ("special", Decimal::ONE), days, (plain(special.amount), "view", view)));
            }
            for (place, tier) in self.tiers_of(id) {
                let list = if place.all_groups { "*" } else { self.group_of(place) };
                let amount = match tier {
                    Tier::Fixed(amount) => plain(amount),
                    Tier::Percent(percent) => format!("{}%", plain(percent)),
                };
                let list = format!("group:{list}");
                rows.push(row_of(item, (&list, place.quantity), [None, None], (amount, "website", place.website)));
            }
        }
        rows
    }
}

fn day(time: &Option<String>) -> Option<String> {
    time.as_deref().and_then(|time| time.split(' ').next()).map(str::to_owned)
}

/// One price in the ledger.
fn row_of(
    item: &Item,
    (list, quantity): (&str, Decimal),
    [from, until]: [Option<String>; 2],
    (amount, scope, of): (String, &str, u64),
) -> Value {
    let mut row = json!({
        "sku": item.sku, "list": list, "quantity": plain(quantity), "from": from, "until": until, "amount": amount,
    });
    if let (true, Some(row)) = (of != 0, row.as_object_mut()) {
        row.insert(scope.to_owned(), json!(of));
    }
    row
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
            ("special", None) => self.prices.specials.remove(&(id, 0)).is_some(),
            ("special", Some(amount)) if quantity == 1 && !percent => {
                self.prices.specials.entry((id, 0)).or_default().amount = amount;
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

    /// Lets websites have prices of their own, as the setting in the back office does.
    pub fn price_by_website(&mut self) {
        self.prices.by_website = true;
        self.products.attributes.priced_by_website = true;
    }

    /// Changes a base price in one website as a person in its back office does: it then stands in each of its store views.
    /// False where there is no such product or website, or prices are the same in all of them.
    pub fn set_website_price(&mut self, now: Timestamp, code: &str, sku: &str, amount: &str) -> bool {
        let id = self.products.find(sku).map(|item| item.product_id);
        let site = self.websites.iter().find(|site| site.code == code).map(|site| site.id);
        let (Some(id), Some(site), Some(amount)) = (id, site, decimal_text(amount)) else { return false };
        let views: Vec<u64> = self.views.iter().filter(|view| view.website == site).map(|view| view.id).collect();
        self.prices.of_views.extend(views.into_iter().map(|view| ((id, view), kept(amount))));
        self.prices.by_website && self.products.touch(now, sku)
    }

    fn set_tier(&mut self, product: u64, list: &str, quantity: u32, tier: Option<Tier>) -> bool {
        let Some(group) = list.strip_prefix("group:").filter(|_| quantity > 0) else { return false };
        let group = if group == "*" { ALL_GROUPS } else { group };
        let Some(place) = self.prices.place(product, group, quantity.into(), 0) else { return false };
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
        let Some(special) = self.prices.specials.get_mut(&(id, 0)) else { return false };
        let time = |day: &str| format!("{day} 00:00:00");
        (special.from, special.to) = (from.map(time), until.map(time));
        self.products.touch(now, sku)
    }
}
