//! The periods that a change holds in: every one of them is checked, not only the first.

use super::{Span, Timeline};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;

/// The periods `[from, to)`; without an end it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The first period.
    pub(super) from: BillingPeriod,
    /// The first period no more.
    pub(super) to: Option<BillingPeriod>,
}

impl Window {
    /// The periods of a span.
    pub(super) const fn of<T>(span: &Span<T>) -> Self {
        Self { from: span.from, to: span.to }
    }

    /// The part that is before a period, if there is any.
    pub(super) fn before(self, end: Option<BillingPeriod>) -> Option<Self> {
        let to = match (self.to, end) {
            (Some(to), Some(end)) => Some(to.min(end)),
            (to, end) => to.or(end),
        };
        to.is_none_or(|to| self.from < to).then_some(Self { to, ..self })
    }

    /// The periods that are in both, if there are any.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        Self { from: self.from.max(other.from), to: self.to }.before(other.to)
    }

    /// Whether some period is in both.
    pub(super) fn meets(self, other: Self) -> bool {
        self.common(other).is_some()
    }

    /// The first period of this one that no span of a timeline has.
    pub(super) fn first_gap<T: Clone + PartialEq>(self, timeline: &Timeline<T>) -> Option<BillingPeriod> {
        let mut reached = self.from;
        for span in timeline.spans() {
            if !span.holds(reached) {
                continue;
            }
            match span.to {
                Some(to) => reached = to,
                None => return None,
            }
        }
        self.to.is_none_or(|to| reached < to).then_some(reached)
    }
}

/// How many of some windows are there in one period at most.
pub(super) fn most_at_once(windows: impl IntoIterator<Item = Window>) -> usize {
    let mut steps: BTreeMap<BillingPeriod, (usize, usize)> = BTreeMap::new();
    for window in windows {
        steps.entry(window.from).or_default().0 += 1;
        if let Some(to) = window.to {
            steps.entry(to).or_default().1 += 1;
        }
    }
    let (mut now, mut most) = (0, 0);
    for (begin, end) in steps.into_values() {
        // What ends in a period began before it.
        now = now + begin - end;
        most = most.max(now);
    }
    most
}

/// From a period on as long as a timeline says something that fits, without a gap; `None` where it says nothing of the kind in the period.
pub(super) fn stay<T: Clone + PartialEq>(
    timeline: &Timeline<T>,
    from: BillingPeriod,
    fits: impl Fn(&T) -> bool,
) -> Option<Window> {
    let first = timeline.span_at(from).filter(|span| fits(&span.value))?;
    let mut to = first.to;
    for span in timeline.spans().iter().filter(|span| span.from > from && fits(&span.value)) {
        if Some(span.from) == to {
            to = span.to;
        }
    }
    Some(Window { from, to })
}

/// From a period on until a timeline says something; `None` where it already does.
pub(super) fn room<T: Clone + PartialEq>(timeline: &Timeline<T>, from: BillingPeriod) -> Option<Window> {
    let next = timeline.spans().iter().map(|span| span.from).find(|begin| *begin > from);
    timeline.at(from).is_none().then_some(Window { from, to: next })
}

#[cfg(test)]
mod tests {
    //! Windows on a year of months.

    use super::*;

    fn month(number: u8) -> BillingPeriod {
        BillingPeriod::new(2026, number).unwrap()
    }

    fn window(from: u8, to: u8) -> Window {
        Window { from: month(from), to: (to > 0).then(|| month(to)) }
    }

    #[test]
    fn windows_have_common_periods() {
        for (one, other, common) in [
            (window(3, 0), window(5, 0), Some(window(5, 0))),
            (window(3, 5), window(5, 0), None),
            (window(3, 6), window(1, 5), Some(window(3, 5))),
            (window(3, 6), window(4, 5), Some(window(4, 5))),
        ] {
            assert_eq!((one.common(other), other.common(one)), (common, common));
        }
        assert_eq!(most_at_once([window(1, 3), window(3, 5), window(2, 4), window(4, 0), window(9, 0)]), 2);
        assert_eq!(most_at_once([]), 0);
    }

    #[test]
    fn stays_go_on_without_gaps() {
        let mut timeline = Timeline::default();
        for (from, to, value) in [(2, 4, 'a'), (4, 6, 'a'), (6, 7, 'b'), (9, 0, 'a')] {
            timeline.set(month(from), (to > 0).then(|| month(to)), value, 0);
        }
        assert_eq!(stay(&timeline, month(3), |value| *value == 'a'), Some(window(3, 6)));
        assert_eq!(stay(&timeline, month(3), |_| true), Some(window(3, 7)));
        assert_eq!(stay(&timeline, month(7), |_| true), None);
        assert_eq!(room(&timeline, month(7)), Some(window(7, 9)));
        assert_eq!(room(&timeline, month(1)), Some(window(1, 2)));
        assert_eq!(room(&timeline, month(10)), None);
        assert_eq!(window(2, 7).first_gap(&timeline), None);
        assert_eq!(window(3, 0).first_gap(&timeline), Some(month(7)));
        assert_eq!(window(8, 9).first_gap(&timeline), Some(month(8)));
        assert_eq!(window(10, 0).first_gap(&timeline), None);
    }
}
