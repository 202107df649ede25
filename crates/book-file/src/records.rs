//! Where a CSV record stands in its file.

/// The line that a record is on, from 1: its position is before the empty lines in front of it.
pub fn line_of(text: &str, position: &csv::Position) -> u64 {
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let before =
        text.get(begin..).unwrap_or_default().bytes().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    position.line() + before.filter(|byte| *byte == b'\n').count() as u64
}
