//! A shop that speaks three languages: the views for two more, and the catalogue told in them.

use jiff::Timestamp;

use super::Shop;
use crate::catalogue::{Item, LANGUAGES};

impl Shop {
    /// Adds the views `german` (as recorded) and `french`, so that texts stand in three languages.
    pub fn add_languages(&mut self) {
        self.add_store_view("german", "German", "de_DE");
        self.add_store_view("french", "French", "fr_FR");
    }

    /// Names the whole catalogue in the languages of those views, what is of a family after it; weights are in kilograms.
    pub fn tell_in_languages(&mut self, now: Timestamp) {
        self.add_languages();
        self.set_weight_unit("kgs");
        let items: Vec<Item> = self.products.all().cloned().collect();
        for (item, (language, view)) in items.iter().flat_map(|item| LANGUAGES.map(|of| (item, of))) {
            let family = items.iter().find(|other| other.has_child(&item.sku)).unwrap_or(item);
            self.edit_product(now, &item.sku, Some(view), "name", &family.named_in(language));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{catalogue, to_json};
    use crate::http::System;
    use crate::magento::Options;
    use crate::tryton;
    use serde_json::Value;

    #[test]
    fn shop_and_erp_call_everything_alike_in_both_languages() {
        let (seed, products, now) = (7, 60, "2026-03-02T12:00:00Z".parse().expect("a moment"));
        let mut shop = Shop::new(Options { seed, products, orders: 0, empty: true, now, token: "t".to_owned() });
        shop.quirks_mut().all_characters = true;
        shop.tell_in_languages(now);
        let (login, password) = ("sync".to_owned(), "p".to_owned());
        let mut erp =
            tryton::Erp::new(tryton::Options { seed, products, empty: true, web_shop: true, now, login, password });
        erp.tell_in_languages(now, &catalogue(seed, products));
        let (ours, theirs) = (shop.ledger(), erp.ledger());
        let rows = |ledger: &Value| ledger["products"].as_array().cloned().unwrap_or_default();
        let mut alike = 0;
        for row in rows(&ours) {
            let Some(there) = rows(&theirs).into_iter().find(|one| one["sku"] == row["sku"]) else { continue };
            for (language, view) in LANGUAGES {
                assert!(row["views"][view]["name"].is_string(), "{row}");
                assert_eq!(row["views"][view]["name"], there["texts"][language]["name"], "{}", row["sku"]);
                alike += 1;
            }
        }
        assert!(alike >= 80, "{alike}");
        assert!(to_json(&catalogue(seed, 10))[5]["names"]["de"].is_string());
    }

    #[test]
    fn people_sell_over_the_counter_and_buy_in_the_shop() {
        let now = "2026-03-02T12:00:00Z".parse().expect("a moment");
        let edit = |sku: &str, field: &str, value: &str| crate::http::Edit {
            sku: sku.to_owned(),
            place: None,
            field: field.to_owned(),
            value: value.to_owned(),
        };
        let (login, password) = ("sync".to_owned(), "p".to_owned());
        let options = tryton::Options { seed: 7, products: 12, empty: true, web_shop: true, now, login, password };
        let mut erp = tryton::Erp::new(options);
        let on_hand = |erp: &tryton::Erp| -> i64 {
            let rows = erp.ledger()["stock"].as_array().cloned().unwrap_or_default();
            let row = rows.into_iter().find(|row| row["sku"] == "MUG").expect("a mug");
            row["on_hand"].as_str().and_then(|text| text.parse().ok()).expect("a number")
        };
        let before = on_hand(&erp);
        assert!(erp.edit(now, &edit("MUG", "stock", "-3")) && erp.edit(now, &edit("MUG", "stock", "5")));
        assert_eq!(on_hand(&erp), before + 2);
        assert!(!erp.edit(now, &edit("MUG", "stock", "-99999")), "not so many are there");
        let mut shop = Shop::new(Options { seed: 7, products: 12, orders: 0, empty: true, now, token: "t".to_owned() });
        let orders = |shop: &Shop| shop.ledger()["orders"].as_array().map_or(0, Vec::len);
        let before = orders(&shop);
        assert!(shop.edit(now, &edit("MUG", "bought", "1")) && !shop.edit(now, &edit("MUG", "bought", "some")));
        assert_eq!(orders(&shop), before + 1);
    }
}
