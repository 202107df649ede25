//! What holds from which billing period to which: spans that do not overlap.

use crate::period::BillingPeriod;

/// A value that holds in the periods `[from, to)`; without an end it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span<T> {
    /// The first period.
    pub from: BillingPeriod,
    /// The first period no more.
    pub to: Option<BillingPeriod>,
    /// What holds.
    pub value: T,
    /// When it was said, in seconds since 1970-01-01T00:00:00Z.
    pub recorded_at: i64,
}

impl<T> Span<T> {
    /// Whether the span has a period.
    #[must_use]
    pub fn holds(&self, period: BillingPeriod) -> bool {
        self.from <= period && self.to.is_none_or(|to| period < to)
    }
}

/// Values through time: spans in order, without overlap; gaps are months in which nothing holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T>(Vec<Span<T>>);

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + PartialEq> Timeline<T> {
    /// The timeline of spans that are in order and do not overlap; else `None`.
    #[must_use]
    pub fn of(spans: Vec<Span<T>>) -> Option<Self> {
        let whole = spans.iter().all(|span| span.to.is_none_or(|to| span.from < to));
        let apart = spans.windows(2).all(|pair| pair[0].to.is_some_and(|to| to <= pair[1].from));
        (whole && apart).then_some(Self(spans))
    }

    /// The spans, in order.
    #[must_use]
    pub fn spans(&self) -> &[Span<T>] {
        &self.0
    }

    /// Whether nothing ever holds.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What holds in a period.
    #[must_use]
    pub fn at(&self, period: BillingPeriod) -> Option<&T> {
        self.span_at(period).map(|span| &span.value)
    }

    /// The span that has a period.
    #[must_use]
    pub fn span_at(&self, period: BillingPeriod) -> Option<&Span<T>> {
        let after = self.0.partition_point(|span| span.from <= period);
        self.0[..after].last().filter(|span| span.holds(period))
    }

    /// Whether anything holds in a period or later.
    #[must_use]
    pub fn lasts_to(&self, period: BillingPeriod) -> bool {
        self.0.last().is_some_and(|span| span.to.is_none_or(|to| period < to))
    }

    /// Says what holds from a period on, up to what was said for later ones: the span that has the period is cut there. Where nothing holds in
    /// the period, the new span ends where the next one begins, or goes on.
    pub fn set_from(&mut self, from: BillingPeriod, value: T, recorded_at: i64) {
        let after = self.0.partition_point(|span| span.from < from);
        let mut to = self.0.get(after).map(|next| next.from);
        match self.0.get_mut(after) {
            // What began in the same period is replaced.
            Some(same) if same.from == from => {
                *same = Span { from, to: same.to, value, recorded_at };
                return;
            }
            _ => {}
        }
        if let Some(cut) = after.checked_sub(1).map(|at| &mut self.0[at]).filter(|span| span.holds(from)) {
            to = cut.to;
            cut.to = Some(from);
        }
        self.0.insert(after, Span { from, to, value, recorded_at });
    }

    /// Says what holds in `[from, to)` whatever was said for these periods; what was said for others stays.
    pub fn set(&mut self, from: BillingPeriod, to: Option<BillingPeriod>, value: T, recorded_at: i64) {
        self.clear(from, to);
        let at = self.0.partition_point(|span| span.from < from);
        self.0.insert(at, Span { from, to, value, recorded_at });
    }

    /// Says that nothing holds in `[from, to)`; what was said for other periods stays.
    pub fn clear(&mut self, from: BillingPeriod, to: Option<BillingPeriod>) {
        let mut spans = Vec::with_capacity(self.0.len() + 1);
        for span in std::mem::take(&mut self.0) {
            let before = Span { to: Some(span.to.map_or(from, |end| end.min(from))), ..span.clone() };
            let after = to.map(|to| Span { from: span.from.max(to), ..span });
            spans.extend(std::iter::once(before).chain(after).filter(|s| s.to.is_none_or(|to| s.from < to)));
        }
        self.0 = spans;
    }

    /// Makes one span of those that touch and say the same; what holds in each period stays.
    pub fn join(&mut self) {
        self.0.dedup_by(|next, span| {
            let joins = span.to == Some(next.from) && span.value == next.value;
            if joins {
                span.to = next.to;
            }
            joins
        });
    }

    /// The periods in which something else holds than in the month before, in order; one may come twice.
    pub fn changes(&self) -> impl Iterator<Item = BillingPeriod> {
        let mut joined = self.clone();
        joined.join();
        joined.0.into_iter().flat_map(|span| std::iter::once(span.from).chain(span.to))
    }

    /// Changes what holds in `[from, to)`, and neither what holds outside nor when something does: `None` of a value leaves a gap. What stays as
    /// it was is not cut.
    pub fn change(
        &mut self,
        from: BillingPeriod,
        to: Option<BillingPeriod>,
        recorded_at: i64,
        change: impl Fn(&T) -> Option<T>,
    ) {
        let mut spans = Vec::with_capacity(self.0.len() + 2);
        for span in std::mem::take(&mut self.0) {
            let begin = span.from.max(from);
            let end = match (span.to, to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let changed = change(&span.value);
            if end.is_some_and(|end| end <= begin) || changed.as_ref() == Some(&span.value) {
                spans.push(span);
                continue;
            }
            let before = (span.from < begin).then(|| Span { to: Some(begin), ..span.clone() });
            let after = end.filter(|_| end != span.to).map(|from| Span { from, ..span });
            let within = changed.map(|value| Span { from: begin, to: end, value, recorded_at });
            spans.extend(before.into_iter().chain(within).chain(after));
        }
        self.0 = spans;
    }

    /// Until when something is true of what holds, from a period on without a gap: the first period no more, where there is one. `None` where it
    /// is not true in the period.
    #[must_use]
    pub fn holds_until(
        &self,
        from: BillingPeriod,
        is_so: impl Fn(&T) -> bool,
    ) -> Option<Option<BillingPeriod>> {
        let mut reached = None;
        for span in &self.0[self.0.partition_point(|span| span.to.is_some_and(|to| to <= from))..] {
            if span.from > reached.unwrap_or(from) || !is_so(&span.value) {
                break;
            }
            let Some(to) = span.to else { return Some(None) };
            reached = Some(to);
        }
        reached.map(Some)
    }

    /// Ends everything at a period: nothing holds in it or later.
    pub fn end_at(&mut self, period: BillingPeriod) {
        self.0.retain(|span| span.from < period);
        if let Some(last) = self.0.last_mut().filter(|span| span.to.is_none_or(|to| period < to)) {
            last.to = Some(period);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Timelines against a list of months.

    use super::*;

    fn month(number: u8) -> BillingPeriod {
        BillingPeriod::new(2026, number).unwrap()
    }

    fn shown(timeline: &Timeline<char>) -> String {
        (1..=12).map(|number| timeline.at(month(number)).copied().unwrap_or('.')).collect()
    }

    #[test]
    fn what_is_said_from_a_period_on_leaves_the_past_alone() {
        let mut timeline = Timeline::default();
        for (from, value, expected) in [
            (3, 'a', "..aaaaaaaaaa"),
            (6, 'b', "..aaabbbbbbb"),
            (6, 'c', "..aaaccccccc"),
            (4, 'd', "..addccccccc"),
            (1, 'e', "eeaddccccccc"),
        ] {
            timeline.set_from(month(from), value, 0);
            assert_eq!(shown(&timeline), expected);
            assert!(Timeline::of(timeline.spans().to_vec()).is_some());
        }
        timeline.end_at(month(5));
        assert_eq!(shown(&timeline), "eead........");
        timeline.end_at(month(1));
        assert!(timeline.is_empty());
    }

    #[test]
    fn a_range_replaces_just_its_months() {
        let mut timeline = Timeline::default();
        timeline.set(month(2), Some(month(9)), 'a', 0);
        timeline.set(month(4), Some(month(6)), 'b', 0);
        assert_eq!(shown(&timeline), ".aabbaaa....");
        timeline.set(month(5), None, 'c', 0);
        assert_eq!(shown(&timeline), ".aabcccccccc");
        timeline.set(month(1), Some(month(3)), 'd', 0);
        assert_eq!(shown(&timeline), "ddabcccccccc");
        timeline.clear(month(4), Some(month(7)));
        assert_eq!(shown(&timeline), "dda...cccccc");
        assert!(Timeline::of(timeline.spans().to_vec()).is_some());
        assert!(timeline.lasts_to(month(12)));
        timeline.clear(month(2), Some(month(5)));
        assert_eq!(shown(&timeline), "d.....cccccc");
    }

    #[test]
    fn what_touches_and_says_the_same_is_one() {
        let mut timeline = Timeline::default();
        for (from, to, value) in [(1, 3, 'a'), (3, 5, 'a'), (6, 8, 'a'), (8, 9, 'b')] {
            timeline.set(month(from), Some(month(to)), value, 0);
        }
        let changes: Vec<u8> = timeline.changes().map(BillingPeriod::month).collect();
        assert_eq!(changes, [1, 5, 6, 8, 8, 9]);
        timeline.join();
        assert_eq!((shown(&timeline).as_str(), timeline.spans().len()), ("aaaa.aab....", 3));
    }

    #[test]
    fn a_change_keeps_within_its_months_and_what_is_there() {
        let mut timeline = Timeline::default();
        timeline.set(month(2), Some(month(5)), 'a', 0);
        timeline.set(month(7), None, 'b', 0);
        let mut checked = |from, to: Option<u8>, value: Option<char>, expected: &str| {
            timeline.change(month(from), to.map(month), 0, |_| value);
            assert_eq!(shown(&timeline), expected);
            assert!(Timeline::of(timeline.spans().to_vec()).is_some());
        };
        checked(4, Some(8), Some('c'), ".aac..cbbbbb");
        checked(1, Some(3), Some('d'), ".dac..cbbbbb");
        checked(9, Some(10), None, ".dac..cb.bbb");
        checked(3, None, Some('e'), ".dee..ee.eee");
        assert_eq!(timeline.spans().len(), 6);
        let until = |from, value| timeline.holds_until(month(from), |of| *of == value);
        assert_eq!(until(3, 'e'), Some(Some(month(5))));
        assert_eq!(until(7, 'e'), Some(Some(month(9))));
        assert_eq!(until(10, 'e'), Some(None));
        assert_eq!((until(3, 'd'), until(5, 'e'), until(1, 'd')), (None, None, None));
    }
}
