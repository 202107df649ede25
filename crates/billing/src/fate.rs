//! Fates: which policy of the book has a line, if one does.

use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn};
use crate::class_kind::{LeftOut, in_words, left_out_of_aws_cost, line_item_type};
use crate::cost_line::LineItemType;
use crate::line_filter::LineFilter;
use crate::membership::Membership;
use crate::policy::{CostAllocation, Distributed};
use crate::sharing::Sharing;

/// What a policy makes of the lines of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// No bill has them.
    Dropped,
    /// The account that has them on the real bill passes them on.
    Kept,
    /// They are source of an allocation.
    Source(Source),
}

/// How lines are source of an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The allocation, by number in the book.
    pub allocation: usize,
    /// Whether only what nobody has used of their commitment is.
    pub unused: bool,
}

/// The fates of a month's classes.
#[derive(Debug, Default)]
pub struct Fates(Vec<Option<Fate>>);

/// Two policies for one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{class}: {first} and {second} both have it; a line has one policy. Narrow one of them, or take the line out of it"
)]
pub struct TwoPolicies {
    /// The class, in words.
    pub class: String,
    /// A policy, in words.
    pub first: String,
    /// The other.
    pub second: String,
}

impl Fates {
    /// The fates of a month's classes under the policies in force.
    ///
    /// # Errors
    /// [`TwoPolicies`] for the first class, in cube order, that two of them have.
    pub fn of(cube: &Cube, book: &Book, membership: &Membership<'_>) -> Result<Self, TwoPolicies> {
        let claims = claims(cube, book);
        if claims.is_empty() {
            return Ok(Self::default());
        }
        let fate = |class: &ChargeClass| of_class(cube, book, membership, &claims, class);
        cube.classes.iter().map(fate).collect::<Result<_, _>>().map(Self)
    }

    /// Whether no policy claims any line.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fate of a class, by its number in the cube.
    #[must_use]
    pub fn of_class(&self, number: usize) -> Option<Fate> {
        self.0.get(number).copied().flatten()
    }

    /// Whether a class is source of an allocation: nobody's own.
    #[must_use]
    pub fn is_source(&self, number: usize) -> bool {
        matches!(self.of_class(number), Some(Fate::Source(_)))
    }
}

/// A policy's claim to lines.
struct Claim<'a> {
    lines: Lines<'a>,
    policy: Policy<'a>,
}

/// Which lines a claim is to.
#[derive(Clone, Copy)]
enum Lines<'a> {
    /// Those that a filter passes.
    Filter(&'a LineFilter),
    /// The payer's own usage.
    PayerUsage,
    /// What nobody has used of commitments.
    UnusedCommitments,
}

#[derive(Clone, Copy)]
struct Policy<'a> {
    table: &'static str,
    name: &'a str,
    fate: Fate,
}

impl Policy<'_> {
    fn in_words(&self) -> String {
        format!("{} `{}`", self.table, self.name)
    }

    fn is(&self, other: &Self) -> bool {
        (self.table, self.name) == (other.table, other.name)
    }
}

/// The claims of the policies in force, in no order that matters.
fn claims<'a>(cube: &Cube, book: &'a Book) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for of in book.policies.distributions.iter().filter(|of| of.in_force.contains(cube.period)) {
        let fate = match of.treatment {
            Distributed::Drop => Fate::Dropped,
            Distributed::Keep => Fate::Kept,
            Distributed::Allocate(allocation) => {
                let counts = book.policies.allocations[allocation].in_force.contains(cube.period);
                // Lines cannot be source of what is not made this month.
                if counts { Fate::Source(Source { allocation, unused: false }) } else { Fate::Dropped }
            }
        };
        let policy = Policy { table: "distribution", name: &of.name, fate };
        claims.extend(of.lines.iter().map(|filter| Claim { lines: Lines::Filter(filter), policy }));
    }
    for (allocation, of) in book.policies.allocations.iter().enumerate() {
        if !of.in_force.contains(cube.period) {
            continue;
        }
        let policy = |unused| Policy {
            table: "allocation",
            name: &of.name,
            fate: Fate::Source(Source { allocation, unused }),
        };
        claims.extend(own_lines(of).map(|lines| {
            let unused = matches!(lines, Lines::UnusedCommitments);
            Claim { lines, policy: policy(unused) }
        }));
    }
    claims
}

/// The lines that an allocation names as its source.
fn own_lines(of: &CostAllocation) -> impl Iterator<Item = Lines<'_>> {
    let payer = of.payer_usage.then_some(Lines::PayerUsage);
    let unused = of.unused_commitments.then_some(Lines::UnusedCommitments);
    of.source.iter().map(Lines::Filter).chain(payer).chain(unused)
}

fn of_class(
    cube: &Cube,
    book: &Book,
    membership: &Membership<'_>,
    claims: &[Claim<'_>],
    class: &ChargeClass,
) -> Result<Option<Fate>, TwoPolicies> {
    let kind = line_item_type(cube, class);
    let left_out = left_out_of_aws_cost(cube, class, kind);
    let passed_through = |group| book.passes_through(group);
    // A group that shows what the level above is invoiced has all of its lines as they are.
    if left_out == Some(LeftOut::SplitCostAllocation) || membership.group(class).is_some_and(passed_through) {
        return Ok(None);
    }
    let has = |claim: &&Claim<'_>| match claim.lines {
        Lines::Filter(filter) => {
            let named = !filter.line_item_types.is_empty();
            (named || !is_left_out(kind, left_out)) && filter.passes(cube, class)
        }
        Lines::PayerUsage => {
            let own = cube.value(class, KeyColumn::UsageAccount).unwrap_or_default() == book.payer.as_str();
            own && left_out.is_none() && (kind.is_metered() || kind == LineItemType::SavingsPlanNegation)
        }
        Lines::UnusedCommitments => {
            let at_cost = |group| book.sharing != Sharing::Real && membership.owns(class, group);
            kind.is_commitment_fee() && left_out.is_none() && !membership.group(class).is_some_and(at_cost)
        }
    };
    // Specific claims go before general ones, whatever their order in the book.
    for general in [false, true] {
        let of_rank = claims.iter().filter(|claim| claim.is_general() == general).filter(has);
        if let Some(claim) = one_of(cube, class, of_rank)? {
            return Ok(Some(claim.policy.fate));
        }
    }
    Ok(None)
}

/// The claim that has a class, of claims of one rank.
fn one_of<'a, 'b: 'a>(
    cube: &Cube,
    class: &ChargeClass,
    claims: impl Iterator<Item = &'a Claim<'b>>,
) -> Result<Option<&'a Claim<'b>>, TwoPolicies> {
    let mut found: Option<&Claim<'_>> = None;
    for claim in claims {
        match found {
            Some(first) if !first.policy.is(&claim.policy) => {
                let mut names = [first.policy.in_words(), claim.policy.in_words()];
                names.sort();
                let [first, second] = names;
                return Err(TwoPolicies { class: in_words(cube, class), first, second });
            }
            // Of a fee, an allocation that also deals out what is unused has that alone.
            Some(_) if !matches!(claim.lines, Lines::UnusedCommitments) => {}
            _ => found = Some(claim),
        }
    }
    Ok(found)
}

impl Claim<'_> {
    /// Whether the claim is to all lines of a type: one that says more goes before it.
    fn is_general(&self) -> bool {
        match self.lines {
            Lines::Filter(filter) => *filter == filter.of_types(),
            Lines::PayerUsage | Lines::UnusedCommitments => false,
        }
    }
}

/// Whether lines are of a type that AWS leaves out of pro forma bills.
#[must_use]
pub fn is_left_out(kind: LineItemType, left_out: Option<LeftOut>) -> bool {
    use LineItemType::{Credit, Discount, Refund};
    left_out.is_some() || matches!(kind, Credit | Refund | Discount)
}
