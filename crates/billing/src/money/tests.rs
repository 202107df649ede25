//! Numbers in and out, the edges of every rounding, and the cap.

use super::*;

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

#[test]
fn text_goes_in_and_comes_out_unchanged() {
    for text in ["0", "1", "-1", "0.0000000001", "-12.34", "999999999999999", "225000.0000000001"] {
        assert_eq!(Cost::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Cost::parse("-0").unwrap().to_string(), "0");
    assert_eq!(Cost::parse("01.50000000000000").unwrap().to_string(), "1.5");
}

#[test]
fn what_is_not_a_plain_decimal_is_refused() {
    for text in ["", "-", ".", ".5", "5.", "+1", " 1", "1e3", "1_000", "1,000.00", "0x10", "NaN", "१", "--1"]
    {
        assert_eq!(Cost::parse(text), Err(DecimalError::NotANumber), "{text:?}");
    }
    assert_eq!(Cost::parse("0.00000000001"), Err(DecimalError::TooManyDecimals(10)));
    assert_eq!(Cost::parse("1000000000000001"), Err(DecimalError::TooLarge));
    assert_eq!(Cost::parse(&"9".repeat(400)), Err(DecimalError::TooLarge));
}

#[test]
fn sums_stop_at_the_cap() {
    let cap = amount("1000000000000000");
    assert_eq!(cap.plus(amount("0.00000000000000000001")), Err(DecimalError::TooLarge));
    assert_eq!(cap.minus(amount("1")).unwrap().to_string(), "999999999999999");
}

#[test]
fn products_are_exact() {
    let cost = Cost::parse("0.0000000123").unwrap();
    let factor = Factor::parse("1.1234").unwrap();
    assert_eq!(product(cost, factor).unwrap().to_string(), "0.00000001381782");
    let large = Cost::parse("999999999999999").unwrap();
    assert_eq!(product(large, Factor::parse("2").unwrap()), Err(DecimalError::TooLarge));
}

#[test]
fn a_percentage_rounds_only_what_twenty_decimals_cannot_hold() {
    let ten = Percentage::parse("10").unwrap();
    assert_eq!(percentage_of(amount("110"), ten).unwrap(), (amount("11"), false));
    let (rounded, was) = percentage_of(amount("0.00000000000000000005"), ten).unwrap();
    assert_eq!((rounded.to_string().as_str(), was), ("0.00000000000000000001", true));
    let (rounded, _) = percentage_of(amount("-0.00000000000000000005"), ten).unwrap();
    assert_eq!(rounded.to_string(), "-0.00000000000000000001");
}

#[test]
fn halves_go_away_from_zero() {
    for (dividend, divisor, expected) in
        [(5, 10, 1), (-5, 10, -1), (4, 10, 0), (15, 10, 2), (3, 3, 1), (1, 3, 0)]
    {
        assert_eq!(divide_half_away(dividend, divisor).0, expected, "{dividend}/{divisor}");
    }
}

#[test]
fn shown_parts_sum_to_the_shown_total() {
    let parts = [amount("0.00000000004"), amount("0.00000000004"), amount("0.00000000007"), amount("-1")];
    let (total, shown) = shown(&parts).unwrap();
    assert_eq!(total.to_string(), "-0.9999999999");
    assert_eq!(shown.iter().map(|p| p.units()).sum::<i128>(), total.units());
    assert_eq!(shown[2].to_string(), "0.0000000001");
}

#[test]
fn a_currency_is_three_capital_letters() {
    assert_eq!(Currency::parse("NOK").unwrap().to_string(), "NOK");
    for text in ["", "US", "usd", "USDX", "U$D"] {
        assert_eq!(Currency::parse(text), None);
    }
}

#[test]
fn a_shown_percentage_is_a_share_of_the_whole() {
    let percentage = |part: &str, whole: &str| {
        percentage_shown(Cost::parse(part).unwrap(), Cost::parse(whole).unwrap()).to_string()
    };
    for (part, whole, expected) in [
        ("20", "100", "20"),
        ("1", "3", "33.3333"),
        ("2", "3", "66.6667"),
        ("-2", "3", "-66.6667"),
        ("5", "-10", "-50"),
        ("5", "0", "0"),
        ("0.0000005", "1", "0.0001"),
        ("-20000", "0.0000000001", "-20000000000000000"),
    ] {
        assert_eq!(percentage(part, whole), expected, "{part} of {whole}");
    }
}
