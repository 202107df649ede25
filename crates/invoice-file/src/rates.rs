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
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| vec![error.to_string()])?;
    let header: Vec<String> = header.iter().map(str::to_ascii_lowercase).collect();
    let places = COLUMNS.map(|column| header.iter().position(|name| name == column));
    if places.contains(&None) || header.len() != COLUMNS.len() {
        return Err(vec![format!("row 1: the header is to be {}", COLUMNS.join(","))]);
    }
    let (mut rates, mut mistakes) = (Vec::new(), Vec::new());
    for row in reader.records() {
        let row = row.map_err(|error| vec![error.to_string()])?;
        if row.iter().all(str::is_empty) {
            continue;
        }
        let value = |column: usize| places[column].and_then(|place| row.get(place)).unwrap_or_default();
        match rate(&row, &value) {
            Ok(rate) => rates.push(rate),
            Err(mistake) => {
                let number = row.position().map_or(0, csv::Position::line);
                mistakes.push(format!("row {number}: {mistake}"));
            }
        }
    }
    if mistakes.is_empty() { Ok(rates) } else { Err(mistakes) }
}

fn rate<'a>(row: &csv::StringRecord, value: &dyn Fn(usize) -> &'a str) -> Result<Exchange, String> {
    // No value has a line break: where one is there, a quotation mark has taken in the rows after it.
    if row.iter().any(|value| value.contains(['\n', '\r'])) {
        return Err("a quotation mark is opened and not closed on this row".to_owned());
    }
    if row.len() != COLUMNS.len() {
        return Err(format!("it has {} values, not {}", row.len(), COLUMNS.len()));
    }
    for (column, name) in COLUMNS.iter().enumerate() {
        if let Some(c) = value(column).chars().find(|c| c.is_control()) {
            return Err(format!("{name}: it has the control character U+{:04X}; take it out", u32::from(c)));
        }
    }
    let currency = |column: usize| {
        let text = value(column);
        Currency::parse(text)
            .ok_or_else(|| format!("{}: `{text}` is not a currency; write it as EUR", COLUMNS[column]))
    };
    let (rate, source) = (value(2), value(3));
    if source.is_empty() {
        return Err("source: it is empty; say who has published the rate".to_owned());
    }
    Ok(Exchange {
        from: currency(0)?,
        to: currency(1)?,
        rate: Rate::parse(rate).map_err(|error| format!("rate: `{rate}` is {error}"))?,
        source: source.to_owned(),
        date: Date::parse(value(4)).map_err(|error| format!("date: {error}"))?,
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

    #[test]
    fn a_value_in_quotation_marks_may_have_a_comma() {
        let header = "from,to,rate,source,date";
        let rates =
            read(&format!("{header}\nUSD,EUR,0.9,\"Bank of England, \"\"spot\"\"\",2026-10-30\n")).unwrap();
        assert_eq!(rates[0].source, "Bank of England, \"spot\"");
        for (row, said) in [
            ("USD,EUR,\"0,9\",ECB,2026-10-30", "row 2: rate: `0,9` is not a decimal number"),
            (
                "USD,EUR,\"0.9,ECB,2026-10-30\nUSD,EUR,0.8,ECB,2026-10-31",
                "row 2: a quotation mark is opened and not closed on this row",
            ),
            (
                "USD,EUR,0.9,E\u{1b}[2JCB,2026-10-30",
                "row 2: source: it has the control character U+001B; take it out",
            ),
            (
                "USD,EUR,0.9,E\tCB,2026-10-30",
                "row 2: source: it has the control character U+0009; take it out",
            ),
        ] {
            assert_eq!(read(&format!("{header}\n{row}\n")).unwrap_err(), [said], "{row}");
        }
    }
}
