//! Files of weights: CSV that an allocation names, with the columns `target`, `weight` and, if there is one, `period`.

use crate::records::line_of;
use billing::book::WeightDraft;
use billing::money::Quantity;

/// The rows of a file, or what is wrong with it, with the line.
pub fn parse(text: &str) -> Result<Vec<WeightDraft>, Vec<String>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| vec![error.to_string()])?.clone();
    let column = |name: &str| header.iter().position(|column| column == name);
    let unknown = header.iter().find(|name| !["target", "weight", "period"].contains(name));
    if let Some(name) = unknown {
        return Err(vec![format!(
            "line 1: `{name}` is not a column here; use `target`, `weight` and `period`"
        )]);
    }
    let twice =
        header.iter().enumerate().find(|(at, name)| header.iter().take(*at).any(|other| other == *name));
    if let Some((_, name)) = twice {
        return Err(vec![format!("line 1: the column `{name}` comes twice; leave one")]);
    }
    let (Some(target), Some(weight)) = (column("target"), column("weight")) else {
        return Err(vec!["line 1: the columns `target` and `weight` are needed".to_owned()]);
    };
    let period = column("period");
    let mut rows = Vec::new();
    let mut mistakes = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                mistakes.push(error.to_string());
                continue;
            }
        };
        let line = record.position().map_or(0, |position| line_of(text, position));
        let field = |column: usize| record.get(column).unwrap_or_default();
        let number = Quantity::parse(field(weight));
        rows.push(WeightDraft {
            line,
            period: period.map(|column| field(column).to_owned()).filter(|text| !text.is_empty()),
            target: field(target).to_owned(),
            weight: number.map_err(|error| format!("weight `{}` is {error}", field(weight))),
        });
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

#[cfg(test)]
mod tests {
    //! Rows, and what is none.

    use super::*;

    #[test]
    fn rows_are_read_with_their_lines() {
        let rows = parse("target,weight,period\nacme, 7 ,2026-10\n\nglobex,11,\n").unwrap();
        let said: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.line,
                    row.target.as_str(),
                    row.weight.clone().unwrap().to_string(),
                    row.period.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            said,
            [(2, "acme", "7".to_owned(), Some("2026-10")), (4, "globex", "11".to_owned(), None)]
        );
    }

    #[test]
    fn mistakes_name_their_line() {
        let weights = |text| -> Vec<_> {
            parse(text).unwrap().into_iter().map(|row| row.weight.unwrap_err()).collect()
        };
        assert_eq!(
            weights("target,weight\na,x\nb,1.12345678901\n"),
            ["weight `x` is not a decimal number", "weight `1.12345678901` is more than 10 decimals"]
        );
        let of_header = |text| parse(text).unwrap_err().remove(0);
        assert!(of_header("target,wieght\n").contains("`wieght` is not a column here"));
        assert!(of_header("target\n").contains("are needed"));
        assert!(of_header("target,weight,weight\n").contains("`weight` comes twice"));
        assert!(of_header("target,weight\na,1,2\n").contains("line: 2"));
    }
}
