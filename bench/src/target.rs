//! What the target holds: items by number, each as it was told last, counted and summed.

use crate::world::{self, World};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

/// An item as it is told, field by field; what is not told stays as it is.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    number: Option<&'a RawValue>,
    #[serde(borrow, default)]
    display_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    unit_price: Option<&'a RawValue>,
    #[serde(borrow, default)]
    inventory: Option<&'a RawValue>,
    #[serde(borrow, default)]
    gtin: Option<&'a RawValue>,
    #[serde(borrow, default)]
    net_weight: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tax_group_code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    external_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    description: Option<&'a RawValue>,
}

fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    serde_json::from_str(raw?.get()).ok()
}

/// Cents of a price told as a number with two decimals at most.
fn cents(raw: &str) -> Option<u64> {
    let (whole, rest) = raw.split_once('.').unwrap_or((raw, ""));
    let rest = match rest.trim_end_matches('0').len() {
        0 => 0,
        1 => rest.get(..1)?.parse::<u64>().ok()? * 10,
        2 => rest.get(..2)?.parse().ok()?,
        _ => return None,
    };
    Some(whole.parse::<u64>().ok()? * 100 + rest)
}

impl<'a> Told<'a> {
    /// The index that its id names.
    pub fn index(&self) -> Option<usize> {
        index(&text(self.id)?)
    }

    pub fn number(&self) -> Option<Cow<'a, str>> {
        serde_json::from_str(self.number?.get()).ok()
    }

    /// What it counts; none where one of the four that count is not told, or has another form.
    fn sum(&self) -> Option<u64> {
        let (number, name) = (text(self.number)?, text(self.display_name)?);
        let quantity = self.inventory?.get().parse().ok()?;
        Some(world::sum(&number, &name, cents(self.unit_price?.get())?, quantity))
    }

    fn over(self, older: Self) -> Self {
        Self {
            id: None,
            number: self.number.or(older.number),
            display_name: self.display_name.or(older.display_name),
            unit_price: self.unit_price.or(older.unit_price),
            inventory: self.inventory.or(older.inventory),
            gtin: self.gtin.or(older.gtin),
            net_weight: self.net_weight.or(older.net_weight),
            tax_group_code: self.tax_group_code.or(older.tax_group_code),
            external_id: self.external_id.or(older.external_id),
            description: self.description.or(older.description),
        }
    }

    /// Its fields as they are kept: what stands between the braces.
    fn fields(&self) -> Box<str> {
        let all = [
            ("number", self.number),
            ("displayName", self.display_name),
            ("unitPrice", self.unit_price),
            ("inventory", self.inventory),
            ("gtin", self.gtin),
            ("netWeight", self.net_weight),
            ("taxGroupCode", self.tax_group_code),
            ("externalId", self.external_id),
            ("description", self.description),
        ];
        let mut fields = String::with_capacity(1024);
        for (name, value) in all {
            if let Some(value) = value {
                let comma = if fields.is_empty() { "" } else { "," };
                let _ = write!(fields, "{comma}\"{name}\":{}", value.get());
            }
        }
        fields.into_boxed_str()
    }
}

/// The index that an id names.
pub fn index(id: &str) -> Option<usize> {
    id.strip_prefix('i')?.parse().ok()
}

struct Item {
    sum: u64,
    /// Seconds since 1970.
    changed: u64,
    /// Its fields; none for one that was there from the beginning, which the world knows.
    fields: Option<Box<str>>,
}

/// All items.
pub struct Target {
    world: World,
    items: Vec<Item>,
    /// By the hash of the number: two numbers of one hash would count as one.
    by_number: HashMap<u64, usize>,
    pub creates: u64,
    pub updates: u64,
    pub refused: u64,
    sum: u64,
}

/// What became of a write.
pub type Done = Result<usize, (u16, usize)>;

impl Target {
    /// One that knows the first `known` products of the world as they were before any changed.
    pub fn new(world: World, known: u64) -> Self {
        let by_number = HashMap::new();
        let mut target = Self { world, items: Vec::new(), by_number, creates: 0, updates: 0, refused: 0, sum: 0 };
        for number in 0..known {
            let core = world.core(number, 1);
            target.put(world::hash(core.sku.as_bytes()), Item { sum: core.sum(), changed: 0, fields: None });
        }
        target
    }

    fn put(&mut self, number: u64, item: Item) -> usize {
        let index = self.items.len();
        self.by_number.insert(number, index);
        self.sum = self.sum.wrapping_add(item.sum);
        self.items.push(item);
        index
    }

    /// The index of a new item, or why there is none: 422, or 409 with the index of the one of that number.
    pub fn create(&mut self, told: &Told<'_>, now: u64) -> Done {
        let (Some(sum), Some(number)) = (told.sum(), told.number()) else { return Err((422, 0)) };
        let number = world::hash(number.as_bytes());
        if let Some(index) = self.by_number.get(&number) {
            self.refused += 1;
            return Err((409, *index));
        }
        self.creates += 1;
        Ok(self.put(number, Item { sum, changed: now, fields: Some(told.fields()) }))
    }

    /// The index of the item that was changed, or why none was: 404, 422.
    pub fn update(&mut self, index: usize, told: Told<'_>, now: u64) -> Done {
        let known = self.fields(index).ok_or((404, 0))?;
        let whole = format!("{{{known}}}");
        let older: Told<'_> = serde_json::from_str(&whole).map_err(|_| (422, index))?;
        let newer = told.over(older);
        let (Some(sum), Some(item)) = (newer.sum(), self.items.get_mut(index)) else { return Err((422, index)) };
        self.sum = self.sum.wrapping_sub(item.sum).wrapping_add(sum);
        *item = Item { sum, changed: now, fields: Some(newer.fields()) };
        self.updates += 1;
        Ok(index)
    }

    /// What one item tells between its braces.
    fn fields(&self, index: usize) -> Option<Cow<'_, str>> {
        let item = self.items.get(index)?;
        match &item.fields {
            Some(fields) => Some(Cow::Borrowed(fields)),
            None => {
                let core = self.world.core(u64::try_from(index).ok()?, 1);
                Some(Cow::Owned(format!(
                    "\"number\":\"{}\",\"displayName\":\"{}\",\"unitPrice\":{}.{:02},\"inventory\":{}",
                    core.sku,
                    core.name,
                    core.cents / 100,
                    core.cents % 100,
                    core.quantity
                )))
            }
        }
    }

    /// Tells the item at `index`; false where there is none.
    pub fn tell(&self, index: usize, into: &mut String) -> bool {
        let (Some(item), Some(fields)) = (self.items.get(index), self.fields(index)) else { return false };
        let _ = write!(into, "{{\"id\":\"i{index:010}\",\"modified\":{},{fields}}}", item.changed);
        true
    }

    /// The index of the item of that number.
    pub fn find(&self, number: &str) -> Option<usize> {
        self.by_number.get(&world::hash(number.as_bytes())).copied()
    }

    /// Indexes of those changed at `since` or later, from `skip` on, at most `limit`; whether there are more.
    pub fn page(&self, since: u64, skip: usize, limit: usize) -> (Vec<usize>, bool) {
        if since == 0 {
            let end = skip.saturating_add(limit).min(self.items.len());
            return ((skip.min(end)..end).collect(), end < self.items.len());
        }
        let mut all = self.items.iter().enumerate().filter(|(_, item)| item.changed >= since).map(|(index, _)| index);
        let page: Vec<usize> = all.by_ref().skip(skip).take(limit).collect();
        let more = page.len() == limit && all.next().is_some();
        (page, more)
    }

    pub fn told(&self) -> String {
        format!(
            "{{\"items\":{},\"creates\":{},\"updates\":{},\"refused\":{},\"sum\":\"{:016x}\"}}",
            self.items.len(),
            self.creates,
            self.updates,
            self.refused,
            self.sum
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_counts_as_the_world_counts_it() {
        let world = World { seed: 1, products: 10, bytes: 600, changed: 0 };
        let mut target = Target::new(world, 3);
        let mut told = String::new();
        assert!(target.tell(2, &mut told));
        let mut other = Target::new(world, 0);
        other.create(&serde_json::from_str(&told).unwrap(), 5).unwrap();
        assert_eq!(other.sum, world.core(2, 1).sum());
        assert_eq!(other.create(&serde_json::from_str(&told).unwrap(), 5), Err((409, 0)));
        assert_eq!(target.update(9, Told::default(), 5), Err((404, 0)));
        let cheaper: Told<'_> = serde_json::from_str("{\"unitPrice\":1.5}").unwrap();
        target.update(1, cheaper, 5).unwrap();
        let core = world.core(1, 1);
        let changed = world::sum(&core.sku, &core.name, 150, core.quantity);
        let before = world.sum_of(3);
        assert_eq!(target.sum, before.wrapping_sub(core.sum()).wrapping_add(changed));
        assert_eq!((target.page(1, 0, 9).0, target.page(0, 1, 2)), (vec![1], (vec![1, 2], false)));
    }

    #[test]
    fn prices_are_read_to_the_cent() {
        for (token, wanted) in [
            ("12", Some(1200)),
            ("12.3", Some(1230)),
            ("0.05", Some(5)),
            ("1.500", Some(150)),
            ("1.005", None),
            ("x", None),
        ] {
            assert_eq!(cents(token), wanted, "{token}");
        }
    }
}
