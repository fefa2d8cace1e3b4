//! Products that are a pure function of seed, number and version: whoever knows them knows what has to arrive.

use std::fmt::Write as _;

const WORDS: [&str; 32] = [
    "steel", "cotton", "garden", "chair", "lamp", "bolt", "cable", "shirt", "paper", "glass", "wood", "frame", "valve",
    "pump", "filter", "brush", "panel", "wheel", "spring", "table", "mirror", "basket", "helmet", "jacket", "boot",
    "glove", "ladder", "drill", "hammer", "socket", "switch", "sensor",
];

/// What there is at the source.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub seed: u64,
    pub products: u64,
    /// Bytes of one product as it is told.
    pub bytes: usize,
    /// How many of them are in their second version, spread over all.
    pub changed: u64,
}

/// What both sides are compared by.
pub struct Core {
    pub sku: String,
    pub name: String,
    pub cents: u64,
    pub quantity: u64,
}

impl Core {
    /// The same number for the same content, whoever tells it.
    pub fn sum(&self) -> u64 {
        sum(&self.sku, &self.name, self.cents, self.quantity)
    }
}

/// What a product with this content counts in a checksum that does not depend on the order.
pub fn sum(sku: &str, name: &str, cents: u64, quantity: u64) -> u64 {
    mix(hash(sku.as_bytes()) ^ mix(hash(name.as_bytes()) ^ mix(cents ^ mix(quantity))))
}

/// FNV-1a, mixed once more.
pub fn hash(bytes: &[u8]) -> u64 {
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)))
}

/// `SplitMix64`'s last step.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn word(at: u64) -> &'static str {
    WORDS[usize::try_from(at % 32).unwrap_or(0)]
}

impl World {
    fn draw(&self, number: u64, part: u64) -> u64 {
        mix(mix(self.seed ^ number.wrapping_mul(0xA24B_AED4_963E_E407)) ^ part)
    }

    /// The number of the changed product at `place`.
    pub fn changed_one(&self, place: u64) -> u64 {
        let stride = (self.products / self.changed.max(1)).max(1);
        place * stride + mix(self.seed ^ place ^ 0x5151) % stride
    }

    pub fn version(&self, number: u64) -> u64 {
        if self.changed == 0 {
            return 1;
        }
        let place = number / (self.products / self.changed).max(1);
        if place < self.changed && self.changed_one(place) == number { 2 } else { 1 }
    }

    pub fn core(&self, number: u64, version: u64) -> Core {
        let (whole, versioned) = (self.draw(number, 0), self.draw(number, version));
        let name = format!("{} {} {} {}", word(whole), word(whole >> 6), word(versioned >> 12), (whole >> 40) % 1000);
        let (cents, quantity) = (100 + versioned % 100_000, (versioned >> 20) % 500);
        Core { sku: format!("SKU-{number:08}"), name, cents, quantity }
    }

    /// The product `number` as the source tells it.
    pub fn tell(&self, number: u64, into: &mut String) {
        let version = self.version(number);
        let (core, draw) = (self.core(number, version), self.draw(number, 7));
        let from = into.len();
        let _ = write!(
            into,
            "{{\"id\":{},\"sku\":\"{}\",\"name\":\"{}\",\"type\":\"simple\",\"status\":1,\"price\":\"{}.{:02}\",\"weight\":{}.{:02},\
             \"qty\":{},\"ean\":\"40{:011}\",\"tax_class\":\"standard\",\"brand\":\"{}\",\"category_ids\":[{},{}],\
             \"attributes\":{{\"color\":\"{}\",\"size\":\"{}\"}},\"created_at\":\"2024-03-11T08:00:00Z\",\
             \"updated_at\":\"2026-0{}-01T09:30:00Z\",\"version\":{version},\"description\":\"",
            1_000_001 + number,
            core.sku,
            core.name,
            core.cents / 100,
            core.cents % 100,
            draw % 40,
            (draw >> 8) % 100,
            core.quantity,
            (draw >> 3) % 100_000_000_000,
            word(draw >> 16),
            draw % 97,
            draw % 89,
            word(draw >> 22),
            draw % 60,
            4 + version,
        );
        let mut at = draw;
        while into.len() - from + 2 < self.bytes {
            into.push_str(word(at));
            into.push(' ');
            at = at.rotate_right(5).wrapping_add(1);
        }
        // A text that ends in a space would be another one where it is trimmed.
        into.truncate((from + self.bytes.max(2) - 2).min(into.len()));
        if into.ends_with(' ') {
            into.pop();
            into.push('x');
        }
        into.push_str("\"}");
    }

    /// The sum of the first `products` as they are now.
    pub fn sum_of(&self, products: u64) -> u64 {
        let one = |number| self.core(number, self.version(number)).sum();
        (0..products.min(self.products)).map(one).fold(0, u64::wrapping_add)
    }
}
