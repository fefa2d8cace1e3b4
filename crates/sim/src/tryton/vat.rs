//! Which tax numbers Tryton takes: the European ones by their form, and by check digit where that is short to tell.

/// Identifier types this installation knows; null is a number nobody checks.
pub const TYPES: &[&str] = &[
    "eu_vat", "gb_vat", "ch_vat", "us_ein", "at_uid", "be_vat", "de_stnr", "es_nif", "fr_siren", "fr_siret", "it_iva",
    "nl_btw", "no_mva",
];

/// How an error text names a type.
pub fn title(kind: &str) -> &'static str {
    match kind {
        "gb_vat" => "United Kingdom (and Isle of Man) VAT Number",
        "ch_vat" => "Swiss VAT Number",
        _ => "European VAT Number",
    }
}

/// Whether a type counts as the tax identifier of a party.
pub fn is_tax(kind: &str) -> bool {
    !matches!(kind, "" | "de_stnr" | "fr_siren" | "fr_siret")
}

/// Whether a number of this type passes. Types other than the ones checked here pass always.
pub fn valid(kind: &str, code: &str) -> bool {
    let compact: String =
        code.chars().filter(|one| !matches!(one, ' ' | '-' | '.' | '/')).collect::<String>().to_uppercase();
    match kind {
        "eu_vat" => {
            compact.is_char_boundary(2.min(compact.len()))
                && compact.len() > 2
                && european(&compact[..2], &compact[2..])
        }
        "gb_vat" => british(compact.strip_prefix("GB").unwrap_or(&compact)),
        "ch_vat" => compact.strip_prefix("CHE").is_some_and(|rest| rest.len() >= 9 && digits(&rest[..9]).is_some()),
        _ => true,
    }
}

/// The digits of a text, or nothing if it holds anything else.
fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|one| one.to_digit(10)).collect()
}

fn european(country: &str, number: &str) -> bool {
    let numeric = |lengths: &[usize]| lengths.contains(&number.len()) && digits(number).is_some();
    match country {
        "DE" => numeric(&[9]) && digits(number).is_some_and(|all| mod_11_10(&all)),
        "AT" => number.strip_prefix('U').and_then(digits).is_some_and(|all| austrian(&all)),
        "BE" => number.len() == 10 && number.parse::<u64>().is_ok_and(|all| 97 - (all / 100) % 97 == all % 100),
        "IT" => numeric(&[11]) && digits(number).is_some_and(|all| luhn(&all)),
        "FR" => french(number),
        "NL" => number.len() == 12 && number.as_bytes()[9] == b'B' && digits(&number[..9]).is_some(),
        "ES" | "CY" => number.len() == 9 && number.is_ascii(),
        "IE" => matches!(number.len(), 8 | 9) && number.is_ascii(),
        "DK" | "FI" | "HU" | "LU" | "MT" | "SI" => numeric(&[8]),
        "EE" | "EL" | "PT" => numeric(&[9]),
        "PL" | "SK" => numeric(&[10]),
        "HR" | "LV" => numeric(&[11]),
        "SE" => numeric(&[12]),
        "BG" => numeric(&[9, 10]),
        "CZ" => numeric(&[8, 9, 10]),
        "LT" => numeric(&[9, 12]),
        "RO" => (2..=10).contains(&number.len()) && digits(number).is_some(),
        "XI" => british(number),
        _ => false,
    }
}

/// ISO 7064 Mod 11,10, as German numbers use it.
fn mod_11_10(all: &[u32]) -> bool {
    let Some((check, body)) = all.split_last() else { return false };
    let rest = body.iter().fold(10, |rest, digit| {
        let sum = (rest + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - rest) % 10 == *check
}

fn luhn(all: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        all.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

fn austrian(all: &[u32]) -> bool {
    let Some((check, body)) = all.split_last() else { return false };
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { (digit * 2) / 10 + (digit * 2) % 10 } else { *digit })
        .sum();
    body.len() == 7 && (96 - sum % 10) % 10 == *check
}

fn french(number: &str) -> bool {
    let Some(siren) = number.get(2..).filter(|rest| rest.len() == 9) else { return false };
    let Some(all) = digits(siren) else { return false };
    let Ok(key) = number[..2].parse::<u64>() else { return true };
    luhn(&all) && siren.parse::<u64>().is_ok_and(|siren| (siren * 100 + 12) % 97 == key)
}

fn british(number: &str) -> bool {
    let Some(all) = digits(number).filter(|all| matches!(all.len(), 9 | 12)) else { return false };
    let sum: u32 = all.iter().take(7).zip([8, 7, 6, 5, 4, 3, 2]).map(|(digit, weight)| digit * weight).sum();
    let check = all[7] * 10 + all[8];
    (sum + check).is_multiple_of(97) || (sum + 55 + check).is_multiple_of(97)
}

#[cfg(test)]
mod tests {
    use super::valid;

    #[test]
    fn numbers_tryton_took_and_refused_are_told_apart() {
        for good in ["DE136695976", "DE 136 695 976", "de136695976", "FR40303265045", "ATU13585627", "ESB58378431"] {
            assert!(valid("eu_vat", good), "{good}");
        }
        for bad in ["DE123", "HELLO", "ATU13585626", "DE136695977", "", "D", "US123456789"] {
            assert!(!valid("eu_vat", bad), "{bad}");
        }
        assert!(valid("gb_vat", "GB980780684") && !valid("gb_vat", "123") && valid("", "whatever"));
    }
}
