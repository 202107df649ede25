//! From what the offer files say to what holds in the month: SKU by SKU, whatever files a price came in.

use super::needs::Needs;
use super::ranges::{Offered, Price, Quota};
use super::versions::{Effective, Span, in_force};
use crate::diagnostics::Refusal;
use crate::diagnostics::{Diagnostic, excerpt};
use billing::money::Currency;
use billing::period::{BillingPeriod, date_text};
use billing::price_list::{FreeQuota, ListPrice, OfferVersion, PriceList};
use std::collections::{BTreeMap, BTreeSet};

/// One price or quota, as one file says it.
struct Said<'a, T> {
    span: Span,
    offer: &'a OfferVersion,
    file: &'a str,
    what: &'a T,
}

impl<T> Clone for Said<'_, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

/// Makes one price list of what the files offer; also gives what the operator should know.
///
/// # Errors
/// Files of the same publication that contradict each other.
pub fn merge(
    offered: Vec<(String, Offered)>,
    effective: &Effective,
    needs: &Needs,
    period: BillingPeriod,
) -> Result<(PriceList, Vec<String>), Refusal> {
    let published: Vec<(OfferVersion, Span)> =
        offered.iter().map(|(_, of_file)| publication(of_file, effective)).collect();
    let mut prices: BTreeMap<(&str, Currency), Vec<Said<'_, Price>>> = BTreeMap::new();
    let mut quotas: BTreeMap<&str, Vec<Said<'_, Quota>>> = BTreeMap::new();
    for ((file, of_file), (offer, span)) in offered.iter().zip(&published) {
        for (sku, of_sku) in &of_file.prices {
            for what in of_sku {
                let said = Said { span: *span, offer, file, what };
                prices.entry((sku, what.currency)).or_default().push(said);
            }
        }
        for what in &of_file.quotas {
            quotas.entry(&what.sku).or_default().push(Said { span: *span, offer, file, what });
        }
    }
    let mut merged = Merged { period, problems: Vec::new(), used: BTreeSet::new(), notes: BTreeSet::new() };
    let mut kept: Vec<(&str, Said<'_, Price>)> = Vec::new();
    for ((sku, _), said) in prices {
        kept.extend(merged.prices(sku, said).into_iter().map(|said| (sku, said)));
    }
    let quotas: Vec<_> = quotas.into_values().flat_map(|said| merged.quotas(said)).collect();
    let trials: BTreeSet<&str> =
        offered.iter().flat_map(|(_, of_file)| &of_file.trials).map(String::as_str).collect();
    for rate_code in trials {
        let note =
            format!("the free quota `{rate_code}` is a trial's, which not everybody has; it is left out");
        merged.notes.insert(note);
    }
    if !merged.problems.is_empty() {
        return Err(merged.problems.into());
    }
    Ok((merged.list(kept, quotas, needs), merged.notes.into_iter().collect()))
}

/// What a file is a publication of, and since when that is in force.
fn publication(offered: &Offered, effective: &Effective) -> (OfferVersion, Span) {
    let header = &offered.header;
    let (service, version) = (header.service.clone(), header.version.clone());
    let span = effective.get(&(service.clone(), version.clone())).copied();
    let span = span.unwrap_or(Span { begin: header.seconds, end: None });
    (OfferVersion { service, published: header.published.clone(), version }, span)
}

struct Merged<'a> {
    period: BillingPeriod,
    problems: Vec<Diagnostic>,
    /// The publications that something is kept of.
    used: BTreeSet<&'a OfferVersion>,
    notes: BTreeSet<String>,
}

impl<'a> Merged<'a> {
    /// Of what is said, in the order of the publications, what is in force.
    fn in_force<T>(&mut self, mut said: Vec<Said<'a, T>>) -> Vec<Said<'a, T>> {
        said.sort_by_key(|said| (said.span.begin, said.offer, said.file));
        let begins: Vec<i64> = said.iter().map(|said| said.span.begin).collect();
        let range = in_force(&begins, self.period);
        // Of one publication, all that is said at its instant.
        let first = begins.get(range.start).copied();
        let start = begins.iter().position(|begin| Some(*begin) == first).unwrap_or(range.start);
        let end = range.end.max(begins.partition_point(|begin| Some(*begin) <= first));
        let chosen = said.drain(start..end).collect::<Vec<_>>();
        if let Some(first) = chosen.first() {
            self.note(first);
        }
        chosen
    }

    /// Notes where the earliest publication in force is of another time than the month.
    fn note<T>(&mut self, said: &Said<'_, T>) {
        let OfferVersion { service, published, version } = said.offer;
        let day = |seconds: i64| date_text(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(i32::MAX));
        let (start, end) = (self.period.start_seconds(), self.period.end_seconds());
        if said.span.begin >= end {
            self.notes.insert(format!(
                "{service}: no price list of before the end of {} was given; that in force since {} (version {version}, published \
                 {published}) is used in its place, and prices may have changed between",
                self.period,
                day(said.span.begin),
            ));
        } else if let Some(until) = said.span.end.filter(|until| *until <= start) {
            self.notes.insert(format!(
                "{service}: version {version} was in force until {}, and none was given of between then and {}",
                day(until),
                day(start),
            ));
        }
    }

    /// The prices of a SKU that are in force, each once.
    fn prices(&mut self, sku: &str, said: Vec<Said<'a, Price>>) -> Vec<Said<'a, Price>> {
        let mut kept: Vec<Said<'a, Price>> = Vec::new();
        for next in self.in_force(said) {
            match kept.last() {
                Some(last) if last.what == next.what => {}
                Some(last) if last.offer == next.offer => self.contradiction(sku, last, &next),
                _ => kept.push(next),
            }
        }
        self.used.extend(kept.iter().map(|said| said.offer));
        kept
    }

    /// The quotas of a product as its latest publication in force has them; region by region, files may name other members.
    fn quotas(&mut self, said: Vec<Said<'a, Quota>>) -> Vec<(&'a OfferVersion, Quota)> {
        let all = said.clone();
        let in_force = self.in_force(said);
        let Some(offer) = in_force.last().map(|said| said.offer) else { return Vec::new() };
        let mut kept: BTreeMap<&str, Said<'a, Quota>> = BTreeMap::new();
        for next in in_force.iter().filter(|said| said.offer == offer) {
            let first = kept.entry(&next.what.rate_code).or_insert_with(|| next.clone());
            if first.what.quantity != next.what.quantity {
                self.contradiction(&next.what.rate_code, first, next);
            }
        }
        let latest: BTreeSet<_> = kept.values().map(|said| said.what.quantity).collect();
        if let Some(earlier) = in_force.iter().find(|said| !latest.contains(&said.what.quantity)) {
            self.notes.insert(format!(
                "the free quota `{}` changes within {}, from {} to that of {}; the latter is taken",
                excerpt(&earlier.what.sku),
                self.period,
                earlier.what.quantity,
                offer.published
            ));
        }
        self.used.insert(offer);
        let with_members = |said: Said<'a, Quota>| {
            let same = all.iter().filter(|other| other.what.rate_code == said.what.rate_code);
            let members = same.flat_map(|other| other.what.members.iter().cloned()).collect();
            (offer, Quota { members, ..said.what.clone() })
        };
        kept.into_values().map(with_members).collect()
    }

    fn contradiction<T>(&mut self, code: &str, one: &Said<'_, T>, other: &Said<'_, T>) {
        let OfferVersion { service, version, .. } = one.offer;
        let reason =
            format!("said otherwise in `{}`, which is of the same version {version} of {service}", one.file);
        let problem = Diagnostic { value: Some(code.to_owned()), ..Diagnostic::file(other.file, reason) };
        self.problems.push(problem.hint("fetch both files again, or leave one out"));
    }

    /// The price list, its publications numbered.
    fn list(
        &self,
        prices: Vec<(&str, Said<'_, Price>)>,
        quotas: Vec<(&OfferVersion, Quota)>,
        needs: &Needs,
    ) -> PriceList {
        let numbers: BTreeMap<&OfferVersion, usize> = self.used.iter().copied().zip(0..).collect();
        let number = |offer: &OfferVersion| numbers.get(offer).copied().unwrap_or_default();
        let offers = self.used.iter().map(|offer| (*offer).clone()).collect();
        let mut list = PriceList { offers, ..PriceList::default() };
        for (sku, said) in prices {
            let Price { currency, unit, tiers, rate_codes } = said.what.clone();
            let price = ListPrice { offer: number(said.offer), currency, unit, tiers, rate_codes };
            list.prices.entry(sku.to_owned()).or_default().push(price);
        }
        for (offer, Quota { rate_code, quantity, members, .. }) in quotas {
            let skus = members.into_iter().filter(|sku| needs.skus.contains(sku)).collect();
            list.quotas.push(FreeQuota { offer: number(offer), rate_code, quantity, skus });
        }
        list.quotas.sort_by(|one, other| one.rate_code.cmp(&other.rate_code));
        list
    }
}
