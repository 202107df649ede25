//! Columns of rows that are parts of lines, and of the fees of commitments that were simulated.

use super::pieces::{PartOfLine, Piece};
use super::prepare::{Prepared, whole_end};
use super::{Collector, Lines, Ordered, double};
use crate::export::output::Output;
use crate::export::source_rows::Values;
use crate::export::treatment::{Kind, UseOf};
use crate::number;
use billing::charge_class::Measure;
use billing::money::{Amount, Quantity};
use billing::rate_card::written_amount;

/// The column that tells a line from all others of its interval.
const LINE_ID: &str = "identity_line_item_id";
const USAGE_START: &str = "line_item_usage_start_date";
const USAGE_END: &str = "line_item_usage_end_date";

impl Collector<'_> {
    /// Changes an output on the rows that are parts of lines: quantities are the parts', and ids are their own.
    pub(super) fn of_pieces<'b>(
        &self,
        output: &Output,
        prepared: Prepared<'b>,
        ordered: &Ordered,
    ) -> Prepared<'b> {
        if output.source == LINE_ID {
            return self.ids(prepared, ordered);
        }
        let measure = match output.source.as_str() {
            "line_item_usage_amount" => Measure::Usage,
            "line_item_normalized_usage_amount" => Measure::NormalizedUsage,
            "pricing_public_on_demand_cost" => Measure::PublicOnDemand,
            _ => return prepared,
        };
        let Prepared::WordsOrNone(mut words) = prepared else { return prepared };
        for (place, word) in words.iter_mut().enumerate() {
            let Some(piece) = ordered.piece(place) else { continue };
            if measure == Measure::PublicOnDemand && matches!(piece.part, PartOfLine::Negation(_)) {
                *word = None;
            } else if !piece.whole && word.is_some() {
                *word = piece.measure(measure).and_then(quantity_bits);
            }
        }
        Prepared::WordsOrNone(words)
    }

    /// The ids of the rows: a line's first row keeps that of the line.
    fn ids<'b>(&self, prepared: Prepared<'b>, ordered: &Ordered) -> Prepared<'b> {
        self.row_texts(prepared, ordered, |text, place| match ordered.piece(place) {
            Some(piece) if place > 0 && ordered.rows[place - 1].0 == ordered.rows[place].0 => {
                piece.part.id(text)
            }
            _ => text.to_owned(),
        })
    }

    /// Texts by ordered row, each made from that of its line.
    fn row_texts<'b>(
        &self,
        prepared: Prepared<'b>,
        ordered: &Ordered,
        make: impl Fn(&str, usize) -> String,
    ) -> Prepared<'b> {
        match prepared {
            Prepared::Texts(codes) => {
                let text = |(place, (row, _)): (usize, &(usize, usize))| {
                    codes.text(*row).map(|text| make(text, place))
                };
                Prepared::RowTexts(ordered.rows.iter().enumerate().map(text).collect())
            }
            other => other,
        }
    }

    /// Says on covered rows what follows from the commitment that covers them.
    pub(super) fn of_commitments<'b>(
        &self,
        (number, output): (usize, &Output),
        prepared: Prepared<'b>,
        ordered: &Ordered,
    ) -> Prepared<'b> {
        if output.kind == Kind::Number {
            let mut words = match prepared {
                Prepared::WordsOrNone(words) => words,
                _ => vec![None; ordered.rows.len()],
            };
            for (place, word) in words.iter_mut().enumerate() {
                if let Some(piece) = ordered.piece(place) {
                    *word = self.amount_of_commitment(output, piece, ordered.rows[place].1);
                }
            }
            return Prepared::WordsOrNone(words);
        }
        let made = self.class_codes(number, ordered);
        match prepared {
            Prepared::Absent => Prepared::Codes(made),
            Prepared::Codes(mut codes) => {
                let of_pieces = codes.iter_mut().zip(made).enumerate();
                of_pieces
                    .filter(|(place, _)| ordered.piece(*place).is_some())
                    .for_each(|(_, (code, made))| *code = made);
                Prepared::Codes(codes)
            }
            Prepared::Texts(codes) => {
                let texts = self.texts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let text = |place: usize| match ordered.piece(place) {
                    Some(_) => Some(made[place]).filter(|code| *code != 0).map(|code| texts.text(code)),
                    None => codes.text(ordered.rows[place].0),
                };
                let owned = |place| text(place).map(ToOwned::to_owned);
                Prepared::RowTexts((0..ordered.rows.len()).map(owned).collect())
            }
            other => other,
        }
    }

    fn amount_of_commitment(&self, output: &Output, piece: &Piece, class: usize) -> Option<u64> {
        let covering = self.covering?;
        let made = covering.made(self.cube, class)?;
        let amount = covering.amount(made, piece.effective?, &output.key)?;
        Some(double(written_amount(amount)))
    }

    /// Whether a Savings Plan covers a row.
    pub(super) fn of_plan(&self, lines: &Lines<'_>, place: usize) -> bool {
        let made =
            self.covering.and_then(|of| Some(of.is_plan(of.made(self.cube, lines.ordered.rows[place].1)?)));
        made.unwrap_or_else(|| {
            lines.measures.units(Measure::SavingsPlanEffective, lines.ordered.rows[place].0) != 0
        })
    }

    /// What a covered row took of its commitment: as simulated, else as the line says.
    pub(super) fn effective_cost(&self, lines: &Lines<'_>, place: usize) -> Option<Amount> {
        if let Some(effective) = lines.ordered.piece(place).and_then(|piece| piece.effective) {
            return effective.recurring.plus(effective.upfront).ok();
        }
        let row = lines.ordered.rows[place].0;
        let units = |measure| lines.measures.units(measure, row);
        let units = units(Measure::SavingsPlanEffective) + units(Measure::ReservationEffective);
        Some(Amount::from_units(units * 10_000_000_000).unwrap_or_default())
    }

    /// How far the commitments of fees were used while these run.
    pub(super) fn uses(&self, of: UseOf, lines: &Lines<'_>) -> Prepared<'static> {
        let ordered = lines.ordered;
        let fee = |class: usize| self.classes[class].as_ref().and_then(|class| class.fee);
        let covering = self.covering.filter(|_| ordered.rows.iter().any(|(_, class)| fee(*class).is_some()));
        let instants = |name| match lines.values(name, Kind::Time)? {
            Values::Words(words, nulls) => Some((words, nulls)),
            Values::Text(_) => None,
        };
        let (Some(covering), Some(starts), Some(ends)) =
            (covering, instants(USAGE_START), instants(USAGE_END))
        else {
            return Prepared::Absent;
        };
        let word = |(row, class): &(usize, usize)| {
            let fee = fee(*class)?;
            let at = |(words, nulls): &(Vec<u64>, Option<arrow_buffer::NullBuffer>)| {
                nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)).then(|| words[*row])
            };
            let seconds = |milliseconds: u64| milliseconds.cast_signed().div_euclid(1_000);
            let interval = seconds(at(&starts)?)..seconds(whole_end(at(&ends))?);
            Some(double(written_amount(covering.use_of(fee, of, interval)?)))
        };
        Prepared::WordsOrNone(ordered.rows.iter().map(word).collect())
    }
}

/// The double of a quantity, by its bits.
fn quantity_bits(quantity: Quantity) -> Option<u64> {
    number::bits_of_text(&quantity.to_string())
}
