//! Trees by hand, and laws over random ones.

use super::*;

fn amount(units: i128) -> Cost {
    Cost::from_units(units).unwrap()
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

/// A small seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    /// Groups in any order of the book, of which none is above itself.
    fn parents(&mut self) -> Vec<Option<usize>> {
        let count = 1 + self.below(12);
        let mut numbers: Vec<usize> = (0..count).collect();
        for place in (1..count).rev() {
            numbers.swap(place, self.below(place + 1));
        }
        let mut parents = vec![None; count];
        for place in 1..count {
            // A group earlier in the shuffled order, or none.
            parents[numbers[place]] =
                numbers.get(self.below(place + 1)).copied().filter(|n| *n != numbers[place]);
        }
        parents
    }

    fn totals(&mut self, groups: usize) -> Totals<2> {
        let one = |random: &mut Self| amount(random.below(1_000) as i128 - 500);
        (0..groups)
            .map(|_| {
                let codes =
                    ["EUR", "USD"].into_iter().filter(|_| self.0.is_multiple_of(3) || self.below(2) == 0);
                let codes: Vec<&str> = codes.collect();
                codes.into_iter().map(|code| (currency(code), [one(self), one(self)])).collect()
            })
            .collect()
    }
}

#[test]
fn a_tree_is_in_the_order_of_the_book() {
    // 0: a; 1: its grandchild; 2: b; 3: a's second child in the book is 5.
    let hierarchy = Hierarchy::new(vec![None, Some(3), None, Some(0), Some(2), Some(0)]);
    assert_eq!(hierarchy.order(), [0, 3, 1, 5, 2, 4]);
    assert_eq!(hierarchy.children(0), [3, 5]);
    assert_eq!(hierarchy.subtree(3), [3, 1]);
    let of_each =
        |what: fn(&Hierarchy, usize) -> usize| (0..6).map(|g| what(&hierarchy, g)).collect::<Vec<_>>();
    assert_eq!(of_each(Hierarchy::depth), [0, 2, 0, 1, 1, 1]);
    assert_eq!(of_each(Hierarchy::root), [0, 0, 2, 0, 2, 0]);
    assert_eq!(hierarchy.parent(1), Some(3));
    assert_eq!(Vec::from_iter(hierarchy.with_all_below(&[3, 1, 4])), [1, 3, 4]);
    assert!(!hierarchy.is_flat() && Hierarchy::new(vec![None, None]).is_flat());
}

#[test]
fn totals_roll_up_by_currency() {
    let hierarchy = Hierarchy::new(vec![None, Some(0), Some(1)]);
    let of = |code: &str, units: i128| (currency(code), [amount(units)]);
    let totals = vec![
        BTreeMap::from([of("USD", 1)]),
        BTreeMap::from([of("USD", 2)]),
        BTreeMap::from([of("EUR", 5), of("USD", 4)]),
    ];
    let sums = hierarchy.roll_up(totals.clone()).unwrap();
    assert_eq!(sums[0], BTreeMap::from([of("EUR", 5), of("USD", 7)]));
    assert_eq!(sums[1], BTreeMap::from([of("EUR", 5), of("USD", 6)]));
    assert_eq!(sums[2], totals[2]);
}

#[test]
fn a_chain_of_thousands_is_walked_without_recursion() {
    let hierarchy = Hierarchy::new((0..20_000_usize).map(|group| group.checked_sub(1)).collect());
    assert_eq!((hierarchy.depth(19_999), hierarchy.root(19_999)), (19_999, 0));
    let totals = vec![BTreeMap::from([(currency("USD"), [amount(1)])]); 20_000];
    assert_eq!(hierarchy.roll_up(totals).unwrap()[0][&currency("USD")], [amount(20_000)]);
}

#[test]
fn the_trees_come_to_what_the_groups_come_to_and_every_group_counts_once() {
    for seed in 0..500 {
        let mut random = Random(seed);
        let hierarchy = Hierarchy::new(random.parents());
        let groups = hierarchy.order().len();
        let totals = random.totals(groups);
        let sums = hierarchy.roll_up(totals.clone()).unwrap();
        let mut of_groups = BTreeMap::new();
        let mut of_roots = BTreeMap::new();
        let mut counted = vec![0; groups];
        for group in 0..groups {
            totals[group].iter().for_each(|(code, of)| add(&mut of_groups, *code, *of).unwrap());
            let subtree = hierarchy.subtree(group);
            // By the definition, without passing on: the sum over the subtree.
            let mut sum = BTreeMap::new();
            for (code, of) in subtree.iter().flat_map(|below| &totals[*below]) {
                add(&mut sum, *code, *of).unwrap();
            }
            assert_eq!(sums[group], sum, "seed {seed}, group {group}");
            assert!(subtree.iter().all(|below| hierarchy.root(*below) == hierarchy.root(group)));
            if hierarchy.parent(group).is_none() {
                sums[group].iter().for_each(|(code, of)| add(&mut of_roots, *code, *of).unwrap());
                subtree.iter().for_each(|below| counted[*below] += 1);
            }
        }
        assert_eq!(of_roots, of_groups, "seed {seed}");
        assert_eq!(counted, vec![1; groups], "seed {seed}");
    }
}
