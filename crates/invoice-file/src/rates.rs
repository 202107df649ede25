//! Exchange rates as CSV: `from,to,rate,source,date`, one rate a row.

use billing::invoice::{Date, Exchange};
use billing::money::{Currency, Rate};

/// The columns, in any order.
const COLUMNS: [&str; 5] = ["from", "to", "rate", "source", "date"];

/// Reads rates.
///
/// # Errors
/// Every mistake, with its row.
pub fn read(text: &str) -> Result<Vec<Exchange>, Vec<String>> {
    let mut rows =
        text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(|line| line.trim_end_matches('\r'));
    let header: Vec<String> =
        rows.next().unwrap_or_default().split(',').map(|name| plain(name).to_ascii_lowercase()).collect();
    let places = COLUMNS.map(|column| header.iter().position(|name| name == column));
    if places.contains(&None) || header.len() != COLUMNS.len() {
        return Err(vec![format!("row 1: the header is to be {}", COLUMNS.join(","))]);
    }
    let (mut rates, mut mistakes) = (Vec::new(), Vec::new());
    for (row, number) in rows.zip(2..).filter(|(row, _)| !row.trim().is_empty()) {
        let values: Vec<String> = row.split(',').map(plain).collect();
        let value =
            |column: usize| places[column].and_then(|place| values.get(place)).cloned().unwrap_or_default();
        match rate(values.len(), &value) {
            Ok(rate) => rates.push(rate),
            Err(mistake) => mistakes.push(format!("row {number}: {mistake}")),
        }
    }
    if mistakes.is_empty() { Ok(rates) } else { Err(mistakes) }
}

/// A value without blanks and quotes around it: none of these has a comma.
fn plain(value: &str) -> String {
    let value = value.trim();
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value).to_owned()
}

fn rate(values: usize, value: &dyn Fn(usize) -> String) -> Result<Exchange, String> {
    if values != COLUMNS.len() {
        return Err(format!("it has {values} values, not {}", COLUMNS.len()));
    }
    let currency = |column: usize| {
        let text = value(column);
        Currency::parse(&text)
            .ok_or_else(|| format!("{}: `{text}` is not a currency; write it as EUR", COLUMNS[column]))
    };
    let (rate, source) = (value(2), value(3));
    if source.is_empty() {
        return Err("source: it is empty; say who has published the rate".to_owned());
    }
    Ok(Exchange {
        from: currency(0)?,
        to: currency(1)?,
        rate: Rate::parse(&rate).map_err(|error| format!("rate: `{rate}` is {error}"))?,
        source,
        date: Date::parse(&value(4)).map_err(|error| format!("date: {error}"))?,
    })
}

#[cfg(test)]
mod tests {
    //! Rates in, and every mistake with its row.

    use super::read;

    #[test]
    fn rates_are_read() {
        let rates = read(
            "date,from,to,rate,source\n2026-10-30,USD,EUR,0.8543,ECB\n\n2026-10-31,USD,\"EUR\",0.86,ECB\r\n",
        )
        .unwrap();
        let shown: Vec<String> = rates
            .iter()
            .map(|of| format!("{} {} {} {} {}", of.from, of.to, of.rate, of.source, of.date))
            .collect();
        assert_eq!(shown, ["USD EUR 0.8543 ECB 2026-10-30", "USD EUR 0.86 ECB 2026-10-31"]);
    }

    #[test]
    fn every_mistake_is_said() {
        assert_eq!(read("from,to\n").unwrap_err(), ["row 1: the header is to be from,to,rate,source,date"]);
        let text = "from,to,rate,source,date\nUSD,euro,1,ECB,2026-10-30\nUSD,EUR,1.5e3,ECB,2026-10-30\nUSD,EUR,1,,2026-10-30\n\
                    USD,EUR,1,ECB,tomorrow\nUSD,EUR\n";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "row 2: to: `euro` is not a currency; write it as EUR",
                "row 3: rate: `1.5e3` is not a decimal number",
                "row 4: source: it is empty; say who has published the rate",
                "row 5: date: `tomorrow` is not a date; write it as YYYY-MM-DD, for example 2026-11-03",
                "row 6: it has 2 values, not 5",
            ]
        );
    }
}
