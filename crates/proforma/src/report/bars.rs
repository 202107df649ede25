//! Bars of unicode blocks beside the rows of a report.

use billing::money::Cost;
use rustix::termios::tcgetwinsize;
use std::io::stdout;

/// How wide a terminal is taken to be that does not say.
const COLUMNS_DEFAULT: usize = 100;
/// A bar is never wider than this: more tells nothing more.
const WIDTH_MAX: usize = 60;
/// Below this bars would tell nothing.
const WIDTH_MIN: usize = 10;
/// Blocks of one to seven eighths of a character.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// How wide bars are in a table whose other columns have these widths.
pub fn width_beside(columns: impl Iterator<Item = usize>) -> usize {
    // Every column has a blank on either side, and one beside the next.
    let taken: usize = columns.map(|width| width + 3).sum();
    terminal_columns().saturating_sub(taken + 2).clamp(WIDTH_MIN, WIDTH_MAX)
}

fn terminal_columns() -> usize {
    let asked =
        tcgetwinsize(stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    let told = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    asked.or_else(told).unwrap_or(COLUMNS_DEFAULT)
}

/// A bar for each total, all to one scale. Totals below 0 grow to the left of a line.
pub fn bars(totals: &[Cost], width: usize) -> Vec<String> {
    let units = || totals.iter().map(|total| total.units());
    let (most, least) = (units().max().unwrap_or(0).max(0), units().min().unwrap_or(0).min(0));
    let has_negative = least < 0;
    // A character for the line.
    let width = if has_negative { width.saturating_sub(1) } else { width };
    let eighths = |of: i128, whole: i128| {
        // Sums are below 10²⁵ units and a terminal has some hundred columns.
        usize::try_from(of * width as i128 * 8 / whole.max(1)).unwrap_or(0)
    };
    let span = most - least;
    let left = eighths(-least, span).div_ceil(8);
    units()
        .map(|units| match (has_negative, units < 0) {
            (false, _) => blocks(eighths(units, span)),
            (true, false) => format!("{}│{}", " ".repeat(left), blocks(eighths(units, span))),
            (true, true) => {
                // A loss is seen, be it ever so small.
                let length = eighths(-units, span).div_ceil(8).max(1);
                format!("{}{}│", " ".repeat(left.saturating_sub(length)), "█".repeat(length))
            }
        })
        .collect()
}

/// A bar of so many eighths of a character.
fn blocks(eighths: usize) -> String {
    let rest = (eighths % 8).checked_sub(1).map(|rest| EIGHTHS[rest]);
    "█".repeat(eighths / 8).chars().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    //! Bars are to scale.

    use super::*;

    fn check(totals: &[&str], width: usize, expected: &[&str]) {
        let totals: Vec<Cost> = totals.iter().map(|total| Cost::parse(total).unwrap()).collect();
        assert_eq!(bars(&totals, width), expected);
    }

    #[test]
    fn the_largest_fills_the_width() {
        check(&["4", "2", "1.0625", "0"], 4, &["████", "██", "█", ""]);
        check(&["8", "1", "7"], 1, &["█", "▏", "▉"]);
    }

    #[test]
    fn totals_below_zero_are_left_of_the_line() {
        check(&["2", "-1", "0", "-0.01"], 4, &[" │██", "█│", " │", "█│"]);
        check(&["-2", "-1"], 3, &["██│", " █│"]);
    }

    #[test]
    fn nothing_has_no_bar() {
        check(&["0", "0"], 10, &["", ""]);
        check(&[], 10, &[]);
    }
}
