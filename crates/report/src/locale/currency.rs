//! How many decimals an amount has, after ISO 4217.

use iso_currency::Currency;
use market::Money;

/// Decimals of an amount whose currency is none of the list, or one without a unit below it such as gold.
const USUAL: u16 = 2;

/// Decimals that are shown at most; no currency has more.
const MOST: u16 = 4;

/// Returns the decimals of a currency.
pub(crate) fn decimals(currency: &str) -> usize {
    let listed = Currency::from_code(currency).and_then(Currency::exponent);
    listed.unwrap_or(USUAL).min(MOST).into()
}

/// Writes an amount in plain digits with its currency's decimals, halves away from zero; never a minus zero.
pub(crate) fn plain(amount: Money, currency: &str) -> String {
    let decimals = decimals(currency);
    let text = amount.round_to(decimals as u32).to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
    if decimals == 0 {
        return if whole == "-0" { "0".to_owned() } else { whole.to_owned() };
    }
    let cents: String = cents.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let is_zero = whole.trim_start_matches('-') == "0" && cents.trim_matches('0').is_empty();
    let whole = if is_zero { "0" } else { whole };
    format!("{whole}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_own_decimals() {
        let amount = |text: &str| text.parse::<Money>().unwrap();
        for (text, currency, shown) in [
            ("1234567.50", "JPY", "1234568"),
            ("-0.20", "JPY", "0"),
            ("-0.50", "KRW", "-1"),
            ("12.34", "KWD", "12.340"),
            ("12.34", "EUR", "12.34"),
            ("1500.49", "ISK", "1500"),
            ("12.34", "CLF", "12.3400"),
            ("12.34", "XAU", "12.34"),
            ("12.34", "ZZZ", "12.34"),
        ] {
            assert_eq!(plain(amount(text), currency), shown, "{currency}");
        }
    }
}
