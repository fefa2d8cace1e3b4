//! Laws of `fit` for products and prices: a fit of a fit is that fit, and what fits can be written.

use super::super::lists;
use super::super::products::{Keeping, fit};
use super::super::weight::Unit;
use proptest::prelude::*;
use rust_decimal::Decimal;
use syncline_core::leaf::Value;
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::profile::Fit;
use syncline_core::record::PriceKey;

fn keeping() -> impl Strategy<Value = Keeping> {
    (any::<bool>(), any::<bool>()).prop_map(|(pounds, all_characters)| Keeping {
        unit: if pounds { Unit::Pounds } else { Unit::Kilograms },
        all_characters,
        ..Keeping::default()
    })
}

/// Text with whole emoji, joiners and marks in it, short and long.
fn text() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        "\\PC{0,4}",
        Just("👨‍👩‍👧".to_owned()),
        Just("❤️‍🔥".to_owned()),
        Just("e\u{301}".to_owned()),
        "[ \u{200d}\u{fe0f}]"
    ];
    (proptest::collection::vec(letters, 0..12), 1usize..60).prop_map(|(parts, times)| parts.concat().repeat(times))
}

fn kept(path: &str, value: &Value, keeping: &Keeping) -> Option<Value> {
    let path = Path::try_from(path.to_owned()).expect("a path");
    match fit(&path, value, keeping) {
        Fit::Exact => Some(value.clone()),
        Fit::As(other, why) => {
            assert!(!why.is_empty() && other != *value, "{why}");
            Some(other)
        }
        Fit::Refused(why) => {
            assert!(!why.is_empty());
            None
        }
    }
}

proptest! {
    #[test]
    fn a_fit_of_a_texts_fit_is_that_fit(text in text(), keeping in keeping()) {
        for path in ["texts.de.name", "texts.de-AT.description"] {
            if let Some(once) = kept(path, &Value::Text(text.clone()), &keeping) {
                prop_assert_eq!(kept(path, &once, &keeping), Some(once.clone()));
                let Value::Text(once) = once else { panic!("a text") };
                prop_assert!(path != "texts.de.name" || once.chars().count() <= 255 && !once.trim().is_empty());
                prop_assert!(keeping.all_characters || once.chars().all(|letter| letter.len_utf8() < 4));
            }
        }
    }

    #[test]
    fn a_fit_of_a_weights_fit_is_that_fit(mantissa in any::<i64>(), scale in 0u32..20, keeping in keeping()) {
        let weight = Value::Number(Decimal::new(mantissa, scale));
        if let Some(once) = kept("weight", &weight, &keeping) {
            prop_assert_eq!(kept("weight", &once, &keeping), Some(once));
        }
    }

    #[test]
    fn a_fit_of_a_prices_fit_is_that_fit(mantissa in any::<i64>(), scale in 0u32..20, group in any::<bool>()) {
        let path = PriceKey::plain(if group { "group:A|B" } else { "base" }).path();
        let bases = ["EUR".to_owned()].into();
        let amount = Decimal::new(mantissa, scale);
        let price = Value::Money(Money::new(amount, "EUR".parse().expect("a currency")));
        match lists::fit(&path, &price, &bases) {
            Fit::Exact => prop_assert!(amount >= Decimal::ZERO && amount.normalize().scale() <= 4),
            Fit::As(kept, _) => prop_assert_eq!(lists::fit(&path, &kept, &bases), Fit::Exact),
            Fit::Refused(why) => prop_assert!(!why.is_empty()),
        }
    }

    #[test]
    fn other_fields_are_kept_as_they_are(yes in any::<bool>(), keeping in keeping()) {
        prop_assert_eq!(kept("active", &Value::Bool(yes), &keeping), Some(Value::Bool(yes)));
    }
}
