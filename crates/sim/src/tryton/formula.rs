//! Formulas of price lists: names, decimals, the four operations and parentheses, where nothing stays nothing.

use rust_decimal::Decimal;

/// What a formula may name, each a number or nothing.
pub type Names<'a> = [(&'a str, Option<Decimal>)];

/// What a formula comes to; nothing where anything in it is nothing. The error is Python's text.
pub fn value(formula: &str, names: &Names<'_>) -> Result<Option<Decimal>, String> {
    let mut reader = Reader { formula, rest: formula, names };
    let sum = reader.sum()?;
    if reader.rest.trim().is_empty() { Ok(sum) } else { Err(reader.invalid()) }
}

struct Reader<'a> {
    formula: &'a str,
    rest: &'a str,
    names: &'a Names<'a>,
}

impl<'a> Reader<'a> {
    fn invalid(&self) -> String {
        format!("invalid syntax ({})", self.formula)
    }

    /// Takes one of these signs, if it comes next.
    fn sign(&mut self, signs: &[char]) -> Option<char> {
        let rest = self.rest.trim_start();
        let sign = rest.chars().next().filter(|sign| signs.contains(sign))?;
        self.rest = &rest[sign.len_utf8()..];
        Some(sign)
    }

    /// Takes what comes next of these letters.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start();
        let (word, after) = rest.split_at(rest.find(|one| !belongs(one)).unwrap_or(rest.len()));
        self.rest = after;
        word
    }

    fn sum(&mut self) -> Result<Option<Decimal>, String> {
        let mut sum = self.product()?;
        while let Some(sign) = self.sign(&['+', '-']) {
            let next = self.product()?;
            sum = both(sum, next, |a, b| if sign == '+' { a.checked_add(b) } else { a.checked_sub(b) })?;
        }
        Ok(sum)
    }

    fn product(&mut self) -> Result<Option<Decimal>, String> {
        let mut product = self.single()?;
        while let Some(sign) = self.sign(&['*', '/']) {
            let next = self.single()?;
            product = both(product, next, |a, b| if sign == '*' { a.checked_mul(b) } else { a.checked_div(b) })?;
        }
        Ok(product)
    }

    fn single(&mut self) -> Result<Option<Decimal>, String> {
        if self.sign(&['-']).is_some() {
            return Ok(self.single()?.map(|number| -number));
        }
        if self.sign(&['(']).is_some() {
            let inner = self.sum()?;
            return self.sign(&[')']).map(|_| inner).ok_or_else(|| self.invalid());
        }
        let number = self.word(|one| one.is_ascii_digit() || one == '.');
        if !number.is_empty() {
            return number.parse().map(Some).map_err(|_| self.invalid());
        }
        let name = self.word(|one| one.is_ascii_alphanumeric() || one == '_');
        if name.is_empty() {
            return Err(self.invalid());
        }
        let known = self.names.iter().find(|(known, _)| *known == name);
        known
            .map(|(_, value)| *value)
            .ok_or_else(|| format!("'{name}' is not defined for expression '{} '", self.formula))
    }
}

fn both(
    one: Option<Decimal>,
    other: Option<Decimal>,
    work: impl Fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<Option<Decimal>, String> {
    match (one, other) {
        (Some(one), Some(other)) => match work(one, other) {
            Some(number) => Ok(Some(number)),
            None => Err("[<class 'decimal.DivisionByZero'>]".to_owned()),
        },
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::value;
    use rust_decimal::Decimal;

    #[test]
    fn formulas_are_reckoned_as_python_does() {
        let names = [("unit_price", Some(Decimal::from(20))), ("cost_price", None)];
        for (formula, told) in
            [("unit_price * 0.9", Some("18")), ("(unit_price+1.5)/2 - -1", Some("11.75")), ("cost_price * 2", None)]
        {
            assert_eq!(value(formula, &names).unwrap(), told.map(|text| text.parse().unwrap()), "{formula}");
        }
        assert_eq!(value("foo", &names).unwrap_err(), "'foo' is not defined for expression 'foo '");
        for wrong in ["", "1 +", "(1", "1 1", "unit_price / 0"] {
            assert!(value(wrong, &names).is_err(), "{wrong}");
        }
    }
}
