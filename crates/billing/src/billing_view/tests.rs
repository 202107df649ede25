//! ARNs, and which views may stand upon which.

use super::*;

fn payer() -> AccountId {
    AccountId::parse("999999999999").unwrap()
}

fn group(number: u64) -> ViewName {
    ViewName::Group(BillingGroupId::parse(&format!("{number:012}")).unwrap())
}

fn custom(id: &str) -> ViewName {
    ViewName::Custom(id.to_owned())
}

fn view(id: &str, sources: &[ViewName]) -> CustomView {
    CustomView {
        id: id.to_owned(),
        name: format!("view {id}"),
        description: None,
        sources: sources.iter().cloned().collect(),
        filter: None,
    }
}

fn of(views: &[CustomView]) -> BTreeMap<String, CustomView> {
    views.iter().map(|view| (view.id.clone(), view.clone())).collect()
}

/// Asks the views of two billing groups, 1 and 2.
fn asked<T>(custom: &[CustomView], ask: impl FnOnce(Views<'_>) -> T) -> T {
    let (custom, has_group) =
        (of(custom), |id: &BillingGroupId| ["000000000001", "000000000002"].contains(&id.as_str()));
    ask(Views { custom: &custom, has_group: &has_group })
}

#[test]
fn an_arn_names_a_view_of_its_payer() {
    for (id, name) in [
        ("primary", ViewName::Primary),
        ("billing-group-000000000001", group(1)),
        ("custom-a1", custom("a1")),
    ] {
        let arn = format!("arn:aws:billing::999999999999:billingview/{id}");
        assert_eq!(ViewName::parse(&payer(), &arn), Some(name.clone()));
        assert_eq!(name.arn(&payer()), arn);
    }
    assert_eq!(
        ViewName::parse(&payer(), "arn:aws-cn:billing::999999999999:billingview/primary"),
        Some(ViewName::Primary)
    );
    for arn in [
        "arn:aws:billing::999999999998:billingview/primary",
        "arn:aws:billing::999999999999:billingview/secondary",
        "arn:aws:billing::999999999999:billingview/custom-",
        "arn:aws:billing::999999999999:billingview/billing-group-1",
        "arn:x:billing::999999999999:billingview/primary",
        "primary",
    ] {
        assert_eq!(ViewName::parse(&payer(), arn), None, "{arn}");
    }
}

#[test]
fn a_view_is_healthy_as_long_as_its_sources_are() {
    let views = [
        view("a", &[group(1)]),
        view("b", &[custom("a"), group(2)]),
        view("c", &[custom("gone")]),
        view("d", &[custom("c")]),
    ];
    asked(&views, |views| {
        assert!(views.unhealthy(&custom("b")).is_empty() && views.unhealthy(&ViewName::Primary).is_empty());
        assert_eq!(views.unhealthy(&custom("c")), [Unhealthy::SourceNotFound].into());
        assert_eq!(views.unhealthy(&custom("d")), [Unhealthy::SourceUnhealthy].into());
        assert_eq!(views.leaves(&custom("b")), Some([group(1), group(2)].into()));
        assert_eq!(views.leaves(&custom("d")), None);
        assert_eq!(
            views.derived(&custom("a")).iter().map(|view| view.id.as_str()).collect::<Vec<_>>(),
            ["b"]
        );
        assert_eq!(views.check_new(&view("e", &[custom("d")])), Err(Refusal::Unhealthy(custom("d"))));
        assert_eq!(views.check_changed(&view("c", &[custom("gone")])), Err(Refusal::Unhealthy(custom("c"))));
        assert_eq!(views.check_new(&view("e", &[group(3)])), Err(Refusal::NoSource(group(3))));
        assert_eq!(views.check_new(&view("e", &[ViewName::Primary])), Ok(()));
    });
}

#[test]
fn a_view_is_not_made_of_itself() {
    let views = [view("a", &[group(1)]), view("b", &[custom("a")]), view("c", &[custom("b")])];
    asked(&views, |views| {
        for source in ["a", "b", "c"] {
            let refused = views.check_sources(&views.custom["a"], &[custom(source)].into());
            assert!(
                matches!(refused, Err(Refusal::Invalid { field: "sourceViews", .. })),
                "{source}: {refused:?}"
            );
        }
        assert_eq!(views.check_sources(&views.custom["c"], &[custom("a")].into()), Ok(()));
    });
}

#[test]
fn views_stand_upon_each_other_to_a_depth() {
    let mut views = vec![view("1", &[group(1)])];
    for number in 2..=DEPTH_MAX {
        views.push(view(&number.to_string(), &[custom(&(number - 1).to_string())]));
    }
    views.push(view("apart", &[group(2)]));
    let deepest = custom(&DEPTH_MAX.to_string());
    asked(&views, |views| {
        assert!(matches!(
            views.check_new(&view("more", std::slice::from_ref(&deepest))),
            Err(Refusal::Invalid { .. })
        ));
        assert_eq!(views.check_new(&view("more", &[custom("4")])), Ok(()));
        // What stands upon a view counts as well.
        assert!(matches!(
            views.check_sources(&views.custom["1"], &[custom("apart")].into()),
            Err(Refusal::Invalid { .. })
        ));
    });
}

#[test]
fn names_filters_and_numbers_are_looked_at() {
    let filter = |lines, begin_s, end_s| CustomView {
        filter: Some(ViewFilter { lines, begin_s, end_s }),
        ..view("x", &[group(1)])
    };
    let accounts = |text: &str| Some(FilterLines::Accounts(vec![text.to_owned()]));
    asked(&[view("a", &[group(1)])], |views| {
        let twin = CustomView { name: "view a".to_owned(), ..view("b", &[group(1)]) };
        assert_eq!(views.check_new(&twin), Err(Refusal::NameTaken("a".to_owned())));
        for wrong in
            [filter(None, None, None), filter(None, Some(2), Some(1)), filter(accounts("12345"), None, None)]
        {
            assert!(
                matches!(
                    views.check_new(&wrong),
                    Err(Refusal::Invalid { field: "dataFilterExpression", .. })
                ),
                "{wrong:?}"
            );
        }
        assert_eq!(views.check_new(&filter(accounts("000000000001"), Some(1), Some(1))), Ok(()));
    });
    let many: Vec<_> = (0..=SOURCES_MAX).map(|number| view(&format!("m{number}"), &[group(1)])).collect();
    let names: BTreeSet<_> = many.iter().map(|view| custom(&view.id)).collect();
    asked(&many, |views| {
        let refused = views.check_sources(&view("all", &[]), &names);
        assert!(matches!(refused, Err(Refusal::Quota { code: "MAX_SOURCE_VIEWS", .. })), "{refused:?}");
    });
}

#[test]
fn views_that_lead_to_each_other_in_millions_of_ways_are_looked_at_once() {
    // Five levels of twenty views, each of which is made of all of the level below.
    let mut views: Vec<CustomView> = Vec::new();
    let mut below = vec![group(1), group(2)];
    for level in 0..DEPTH_MAX {
        let ids: Vec<String> = (0..SOURCES_MAX).map(|number| format!("{level}v{number}")).collect();
        views.extend(ids.iter().map(|id| view(id, &below)));
        below = ids.iter().map(|id| custom(id)).collect();
    }
    let top = custom("4v0");
    asked(&views, |views| {
        assert_eq!(views.ways(&top), 2 * 20_usize.pow(4));
        let within = views.within(&views.custom["4v0"]);
        assert_eq!(within.len(), 4 * SOURCES_MAX + 1);
        let place = |id: &str| within.iter().position(|view| view.id == id);
        assert!(place("0v7") < place("1v3") && place("3v19") < place("4v0"));
        assert_eq!(views.leaves(&top), Some([group(1), group(2)].into()));
        assert!(views.unhealthy(&top).is_empty());
        assert_eq!(views.whole().len(), DEPTH_MAX * SOURCES_MAX);
        assert_eq!(views.bottom_up().len(), DEPTH_MAX * SOURCES_MAX);
        assert_eq!((views.depth(&top), views.height(&custom("0v0"))), (DEPTH_MAX, DEPTH_MAX - 1));
    });
}
