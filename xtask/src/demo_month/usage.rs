//! The metered lines: what each account uses, how it goes over the month, and how it is bought.
//!
//! What commitments may cover is metered by the hour, so that they can be simulated; everything else by the day.

use super::accounts::account;
use super::commitments::{Reservation, SavingsPlan};
use super::lines::{self, DAYS, MARKETPLACE_SELLER, day_interval, hours_of, interval, text};
use super::price_list::{Price, Tier};
use billing::commitment::may_cover;
use std::collections::BTreeMap;
use std::ops::Range;
use testkit::Line;
use testkit::amount::{Amount, ONE, amount};
use testkit::random::Random;

/// How usage goes over the month.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// The same every day, to the hour.
    Even,
    /// Working days only.
    Workdays,
    /// Shops: more from Friday to Sunday.
    Shop,
    /// Games: evenings of the weekend.
    Play,
    /// Offices: little on the weekend.
    Office,
    /// A little more every day.
    Growing,
    /// Around the turn of the month.
    MonthEnd,
}

/// How usage is bought.
#[derive(Clone, Copy)]
enum Bought {
    OnDemand,
    Spot,
    Plan(&'static str),
    Reserved(&'static str),
}

use Bought::{OnDemand, Plan, Reserved, Spot};
use Course::{Even, Growing, MonthEnd, Office, Play, Shop, Workdays};

/// Account, price, course, the month's quantity in the unit of the price, purchase, project.
type Stream = (&'static str, &'static str, Course, &'static str, Bought, &'static str);

#[rustfmt::skip]
const STREAMS: &[Stream] = &[
    // Meadowlark Bikes: a web shop. Six of its eight servers and the containers' processors are under its own Savings Plan.
    ("meadowlark-prod",    "m7g.large",      Even,     "4464",      Plan("meadowlark"), "shop"),
    ("meadowlark-prod",    "m7g.large",      Shop,     "1310",      OnDemand,           "shop"),
    ("meadowlark-prod",    "gp3",            Even,     "1860",      OnDemand,           "shop"),
    ("meadowlark-prod",    "snapshot",       Growing,  "2400",      OnDemand,           "shop"),
    ("meadowlark-prod",    "nat-hours",      Even,     "1488",      OnDemand,           "network"),
    ("meadowlark-prod",    "nat-bytes",      Shop,     "3120",      OnDemand,           "network"),
    ("meadowlark-prod",    "address",        Even,     "2976",      OnDemand,           "network"),
    ("meadowlark-prod",    "transfer-out",   Shop,     "1850",      OnDemand,           "shop"),
    ("meadowlark-prod",    "transfer-zone",  Shop,     "4100",      OnDemand,           "shop"),
    ("meadowlark-prod",    "alb-hours",      Even,     "1488",      OnDemand,           "shop"),
    ("meadowlark-prod",    "alb-lcu",        Shop,     "5200",      OnDemand,           "shop"),
    ("meadowlark-prod",    "cache",          Even,     "1488",      OnDemand,           "shop"),
    ("meadowlark-prod",    "edge-us",        Shop,     "6400",      OnDemand,           "shop"),
    ("meadowlark-prod",    "edge-requests",  Shop,     "210000000", OnDemand,           "shop"),
    ("meadowlark-prod",    "lambda-time",    Shop,     "2400000",   OnDemand,           "orders"),
    ("meadowlark-prod",    "lambda-calls",   Shop,     "18000000",  OnDemand,           "orders"),
    ("meadowlark-prod",    "sqs",            Shop,     "31000000",  OnDemand,           "orders"),
    ("meadowlark-prod",    "logs",           Shop,     "390",       OnDemand,           "shop"),
    ("meadowlark-prod",    "metrics",        Even,     "620",       OnDemand,           "shop"),
    ("meadowlark-prod",    "keys",           Even,     "9",         OnDemand,           "shop"),
    ("meadowlark-prod",    "key-requests",   Shop,     "14000000",  OnDemand,           "shop"),
    ("meadowlark-prod",    "secrets",        Even,     "37",        OnDemand,           "shop"),
    ("meadowlark-prod",    "zone",           Even,     "6",         OnDemand,           "shop"),
    ("meadowlark-prod",    "dns",            Shop,     "88000000",  OnDemand,           "shop"),
    ("meadowlark-prod",    "fargate-cpu",    Even,     "2976",      Plan("meadowlark"), "shop"),
    ("meadowlark-staging", "fargate-memory", Even,     "5952",      OnDemand,           "shop"),
    ("meadowlark-staging", "nat-hours",      Even,     "744",       OnDemand,           "network"),
    ("meadowlark-staging", "t3.medium",      Workdays, "880",       OnDemand,           "shop"),
    ("meadowlark-staging", "gp3",            Even,     "310",       OnDemand,           "shop"),
    ("meadowlark-data",    "db.r6g.large",   Even,     "1488",      Reserved("meadowlark-db"), "orders"),
    ("meadowlark-data",    "db.m6g.large",   Even,     "744",       OnDemand,           "catalogue"),
    ("meadowlark-data",    "rds-gp3",        Even,     "930",       OnDemand,           "orders"),
    ("meadowlark-data",    "s3",             Growing,  "11200",     OnDemand,           "catalogue"),
    ("meadowlark-data",    "s3-get",         Shop,     "96000000",  OnDemand,           "catalogue"),
    ("meadowlark-data",    "s3-put",         Shop,     "5200000",   OnDemand,           "catalogue"),
    ("meadowlark-data",    "transfer-usw2",  Growing,  "900",       OnDemand,           "catalogue"),
    ("meadowlark-sandbox", "t3.large-win",   Workdays, "176",       OnDemand,           "training"),
    ("meadowlark-sandbox", "gp3",            Even,     "124",       OnDemand,           "training"),
    // Pinecone Games: servers under the reseller's own Savings Plan, much transfer, builds on spot.
    ("pinecone-live",      "c7g.xlarge",     Even,     "8928",      Plan("larkfield"),  "arena"),
    ("pinecone-live",      "c7g.xlarge",     Play,     "2600",      OnDemand,           "arena"),
    ("pinecone-live",      "gp3",            Even,     "2480",      OnDemand,           "arena"),
    ("pinecone-live",      "transfer-out",   Play,     "38400",     OnDemand,           "arena"),
    ("pinecone-live",      "transfer-zone",  Play,     "15600",     OnDemand,           "arena"),
    ("pinecone-live",      "alb-hours",      Even,     "2232",      OnDemand,           "arena"),
    ("pinecone-live",      "alb-lcu",        Play,     "11800",     OnDemand,           "arena"),
    ("pinecone-live",      "dynamo-read",    Play,     "940000000", OnDemand,           "players"),
    ("pinecone-live",      "dynamo-write",   Play,     "310000000", OnDemand,           "players"),
    ("pinecone-live",      "dynamo-storage", Growing,  "420",       OnDemand,           "players"),
    ("pinecone-live",      "cache",          Even,     "2976",      OnDemand,           "players"),
    ("pinecone-live",      "sqs",            Play,     "120000000", OnDemand,           "players"),
    ("pinecone-live",      "logs",           Play,     "860",       OnDemand,           "arena"),
    ("pinecone-live",      "metrics",        Even,     "1550",      OnDemand,           "arena"),
    ("pinecone-live",      "guard",          Play,     "21000000",  OnDemand,           "arena"),
    ("pinecone-live",      "dns",            Play,     "310000000", OnDemand,           "arena"),
    ("pinecone-build",     "c6i.4xlarge",    Workdays, "1980",      Spot,               "builds"),
    ("pinecone-build",     "s3",             Growing,  "6100",      OnDemand,           "builds"),
    ("pinecone-build",     "s3-put",         Workdays, "2900000",   OnDemand,           "builds"),
    ("pinecone-build",     "lambda-calls",   Workdays, "2100000",   OnDemand,           "builds"),
    ("pinecone-build",     "nat-bytes",      Workdays, "2700",      OnDemand,           "builds"),
    ("pinecone-insight",   "m7g.large",      Even,     "1488",      Plan("larkfield"),  "insight"),
    ("pinecone-insight",   "athena",         Play,     "46",        OnDemand,           "insight"),
    ("pinecone-insight",   "glue",           Even,     "620",       OnDemand,           "insight"),
    ("pinecone-insight",   "s3",             Growing,  "8700",      OnDemand,           "insight"),
    // Fernhollow Clinic: desktops and an archive in Frankfurt; the reseller's reservation covers two of three servers.
    ("fernhollow-clinic",  "eu-m6i.xlarge",  Even,     "1488",      Reserved("larkfield-m6i"), "records"),
    ("fernhollow-clinic",  "eu-m6i.xlarge",  Even,     "744",       OnDemand,           "records"),
    ("fernhollow-clinic",  "eu-gp3",         Even,     "2170",      OnDemand,           "records"),
    ("fernhollow-clinic",  "eu-workspace",   Even,     "48",        OnDemand,           "desktops"),
    ("fernhollow-clinic",  "eu-db",          Even,     "1488",      OnDemand,           "records"),
    ("fernhollow-clinic",  "eu-db-storage",  Even,     "620",       OnDemand,           "records"),
    ("fernhollow-clinic",  "eu-transfer",    Office,   "210",       OnDemand,           "records"),
    ("fernhollow-clinic",  "eu-guard",       Office,   "9200000",   OnDemand,           "records"),
    ("fernhollow-clinic",  "eu-backup",      Growing,  "3400",      OnDemand,           "records"),
    ("fernhollow-archive", "eu-s3-deep",     Growing,  "61000",     OnDemand,           "imaging"),
    ("fernhollow-archive", "eu-s3",          Office,   "4300",      OnDemand,           "imaging"),
    ("fernhollow-archive", "eu-s3-get",      Office,   "7600000",   OnDemand,           "imaging"),
    // Saltbox Analytics: a data lake and models; the anchor customer with the deep discount.
    ("saltbox-lake",       "ra3.xlplus",     Even,     "2976",      OnDemand,           "warehouse"),
    ("saltbox-lake",       "redshift-store", Growing,  "18500",     OnDemand,           "warehouse"),
    ("saltbox-lake",       "s3",             Growing,  "64000",     OnDemand,           "lake"),
    ("saltbox-lake",       "s3-instant",     Growing,  "120000",    OnDemand,           "lake"),
    ("saltbox-lake",       "s3-get",         Office,   "480000000", OnDemand,           "lake"),
    ("saltbox-lake",       "s3-put",         MonthEnd, "26000000",  OnDemand,           "lake"),
    ("saltbox-lake",       "athena",         Office,   "118",       OnDemand,           "lake"),
    ("saltbox-lake",       "glue",           MonthEnd, "3900",      OnDemand,           "lake"),
    ("saltbox-lake",       "r6i.2xlarge",    MonthEnd, "1240",      OnDemand,           "lake"),
    ("saltbox-lake",       "nat-bytes",      MonthEnd, "5400",      OnDemand,           "lake"),
    ("saltbox-lake",       "trail",          Office,   "96000000",  OnDemand,           "lake"),
    ("saltbox-models",     "tokens-in",      Growing,  "1450000",   OnDemand,           "models"),
    ("saltbox-models",     "tokens-out",     Growing,  "290000",    OnDemand,           "models"),
    ("saltbox-models",     "g5.xlarge",      Workdays, "1056",      OnDemand,           "models"),
    ("saltbox-models",     "eks",            Even,     "744",       OnDemand,           "models"),
    ("saltbox-models",     "transfer-out",   Growing,  "640",       OnDemand,           "models"),
    // Quill & Harbor: a publisher in Frankfurt with its own small Savings Plan, paid up front.
    ("quill-web",          "eu-t4g.medium",  Even,     "2232",      Plan("quill"),      "magazine"),
    ("quill-web",          "eu-t4g.medium",  Office,   "410",       OnDemand,           "magazine"),
    ("quill-web",          "eu-gp3",         Even,     "465",       OnDemand,           "magazine"),
    ("quill-web",          "eu-s3",          Growing,  "2900",      OnDemand,           "magazine"),
    ("quill-web",          "eu-s3-get",      Office,   "52000000",  OnDemand,           "magazine"),
    ("quill-web",          "edge-eu",        Office,   "3300",      OnDemand,           "magazine"),
    ("quill-editorial",    "eu-workspace",   Even,     "14",        OnDemand,           "editors"),
    ("quill-editorial",    "eu-s3",          Growing,  "5600",      OnDemand,           "editors"),
    ("quill-editorial",    "eu-db",          Even,     "744",       OnDemand,           "editors"),
    ("quill-editorial",    "eu-transfer",    Office,   "95",        OnDemand,           "editors"),
    // Old Mill Bakery: one small account.
    ("oldmill",            "t3.medium",      Even,     "744",       OnDemand,           "bakery"),
    ("oldmill",            "gp3",            Even,     "62",        OnDemand,           "bakery"),
    ("oldmill",            "s3",             Growing,  "41",        OnDemand,           "bakery"),
    ("oldmill",            "zone",           Even,     "1",         OnDemand,           "bakery"),
    // The reseller itself.
    ("larkfield-payer",    "config",         Office,   "8200",      OnDemand,           "landing-zone"),
    ("larkfield-shared",   "s3",             Growing,  "3300",      OnDemand,           "landing-zone"),
    ("larkfield-shared",   "trail",          Office,   "41000000",  OnDemand,           "landing-zone"),
    ("larkfield-shared",   "guard",          Office,   "16000000",  OnDemand,           "landing-zone"),
];

/// Units of what is never metered in fractions.
const BY_THE_PIECE: [&str; 6] =
    ["Requests", "Events", "Queries", "ReadRequestUnits", "WriteRequestUnits", "Lambda-GB-Second"];

/// Spot rates of c6i.4xlarge in ten-thousandths of a dollar, working day by working day.
const SPOT_RATES: [i128; 22] = [
    2312, 2298, 2305, 2331, 2360, 2384, 2371, 2346, 2350, 2402, 2455, 2471, 2439, 2418, 2390, 2377, 2362,
    2341, 2329, 2333, 2350, 2368,
];

/// A day's share of the month, in percent of an ordinary day.
fn weight(course: Course, day: i64) -> i128 {
    // October 2026 begins on a Thursday; Monday is 0.
    let weekday = usize::try_from((day + 3) % 7).expect("a weekday");
    let turn = [160, 90, 60, 50];
    match course {
        Even => 100,
        Workdays => [100, 100, 100, 100, 100, 0, 0][weekday],
        Shop => [92, 88, 90, 95, 110, 125, 120][weekday],
        Play => [85, 80, 82, 88, 115, 140, 135][weekday],
        Office => [110, 112, 111, 108, 100, 35, 30][weekday],
        Growing => 80 + i128::from(day) * 4 / 3,
        MonthEnd => {
            let from_turn = usize::try_from(day.min(DAYS - 1 - day)).expect("a day of the month");
            turn.get(from_turn).copied().unwrap_or(25)
        }
    }
}

/// Every day's quantity; together exactly the month's. All but even courses and
/// working hours waver by 4 %.
fn quantities(stream: usize) -> Vec<Amount> {
    let (_, key, course, month, ..) = STREAMS[stream];
    let mut random = Random::new(stream as u64);
    let steady = matches!(course, Even | Workdays);
    let waver = |random: &mut Random| if steady { 100 } else { random.between(96, 104) };
    let weights: Vec<i128> = (0..DAYS).map(|day| weight(course, day) * waver(&mut random)).collect();
    shared(amount(month), &weights, key)
}

/// A quantity shared by weights, to the thousandth or by the piece; together exactly the whole.
fn shared(whole: Amount, weights: &[i128], key: &str) -> Vec<Amount> {
    let total: i128 = weights.iter().sum();
    let step = if BY_THE_PIECE.contains(&Price::of(key).unit) { ONE } else { ONE / 1_000 };
    let (mut so_far, mut given) = (0, 0);
    let part = |weight: &i128| {
        so_far += weight;
        let until = if so_far == total { whole.0 } else { whole.0 * so_far / total / step * step };
        Amount(until - std::mem::replace(&mut given, until))
    };
    weights.iter().map(part).collect()
}

/// An hour's share of a day (in UTC), in percent of an ordinary hour.
const fn weight_of_hour(course: Course, hour: i64) -> i128 {
    let (low, high, is_high) = match course {
        Even | Growing => (100, 100, true),
        // In Virginia.
        Workdays => (0, 100, matches!(hour, 13..21)),
        // In Frankfurt.
        Office => (0, 100, matches!(hour, 6..18)),
        Shop => (40, 120, !matches!(hour, 4..13)),
        Play => (60, 180, !matches!(hour, 5..20)),
        // Jobs of the night.
        MonthEnd => (0, 100, hour < 8),
    };
    if is_high { high } else { low }
}

/// The hours of each line of a stream's day, and how much of the day's quantity is used in them.
fn metered_spans(stream: usize, day: i64, quantity: Amount) -> Vec<(Range<i64>, Amount)> {
    let (_, key, course, ..) = STREAMS[stream];
    if !may_cover(Price::of(key).usage_type) {
        return vec![(hours_of(day), quantity)];
    }
    let weights: Vec<i128> = (0..24).map(|hour| weight_of_hour(course, hour)).collect();
    let hours = hours_of(day).map(|hour| hour..hour + 1);
    hours.zip(shared(quantity, &weights, key)).filter(|(_, part)| *part != Amount::ZERO).collect()
}

/// All metered lines of AWS's own services, day by day.
pub fn lines() -> Vec<Line> {
    let quantities: Vec<Vec<Amount>> = (0..STREAMS.len()).map(quantities).collect();
    let mut used: BTreeMap<&str, Amount> = BTreeMap::new();
    let mut lines = Vec::new();
    for day in 0..DAYS {
        for (number, (_, key, _, _, bought, _)) in STREAMS.iter().enumerate() {
            let quantity = quantities[number][usize::try_from(day).expect("a day of the month")];
            if quantity == Amount::ZERO {
                continue;
            }
            for (hours, quantity) in &metered_spans(number, day, quantity) {
                match bought {
                    OnDemand => {
                        let used = used.entry(key).or_default();
                        for (tier, part) in Price::of(key).cut(*used, *quantity) {
                            lines.push(on_demand(number, hours, tier, part));
                        }
                        *used += *quantity;
                    }
                    Spot => lines.push(spot(number, day, *quantity)),
                    Plan(plan) => lines.extend(covered(number, hours, *quantity, SavingsPlan::of(plan))),
                    Reserved(name) => {
                        lines.push(discounted(number, hours, *quantity, Reservation::of(name)));
                    }
                }
            }
        }
    }
    lines
}

/// What every line of a stream has, whatever it costs.
fn metered(line_item_type: &str, stream: usize, hours: &Range<i64>, quantity: Amount, rate: Amount) -> Line {
    let (name, key, .., project) = STREAMS[stream];
    let price = Price::of(key);
    let mut line = lines::of_service(line_item_type, name, price.service);
    line = interval(line, hours);
    let mut codes = Random::new(1_000 + stream as u64);
    line.identity_line_item_id = Some(codes.code(26).to_lowercase());
    line.line_item_usage_type = text(price.usage_type);
    line.line_item_operation = text(price.operation);
    line.line_item_usage_amount = Some(quantity);
    line.line_item_unblended_rate = Some(rate.to_fixed());
    line.line_item_blended_rate = Some(rate.to_fixed());
    line = lines::costing(line, quantity.times(rate));
    line.product_sku = Some(price.sku());
    line.product_product_family = text(price.family);
    line.product_region_code = text(price.region);
    line.product.insert("region".to_owned(), price.region.to_owned());
    line.pricing_unit = text(price.unit);
    line.pricing_public_on_demand_rate = Some(price.public_rate().to_fixed());
    line.pricing_public_on_demand_cost = Some(quantity.times(price.public_rate()));
    line.line_item_normalization_factor = Some(Amount::ZERO);
    line.line_item_normalized_usage_amount = Some(Amount::ZERO);
    if let Some((instance, factor)) = price.instance() {
        line.product_instance_type = text(instance);
        line.line_item_availability_zone = Some(format!("{}b", price.region));
        line.line_item_normalization_factor = Some(factor);
        line.line_item_normalized_usage_amount = Some(quantity.times(factor));
    }
    line.line_item_resource_id = resource(price, account(name).0, &mut codes);
    line.resource_tags.insert("user_project".to_owned(), project.to_owned());
    line
}

/// An id of the form that the service gives its resources.
fn resource(price: &Price, account: &str, codes: &mut Random) -> Option<String> {
    let code = codes.code(16).to_lowercase();
    let region = price.region;
    match (price.service.product_code, price.family) {
        ("AmazonEC2", "Compute Instance") => Some(format!("i-0{code}")),
        ("AmazonEC2", "Storage") => Some(format!("vol-0{code}")),
        ("AmazonEC2", "NAT Gateway") => {
            Some(format!("arn:aws:ec2:{region}:{account}:natgateway/nat-0{code}"))
        }
        ("AmazonRDS", _) => Some(format!("arn:aws:rds:{region}:{account}:db:db-{}", &code[..8])),
        ("AmazonS3", _) => Some(format!("bucket-{}", &code[..8])),
        ("AWSLambda", _) => Some(format!("arn:aws:lambda:{region}:{account}:function:f-{}", &code[..8])),
        _ => None,
    }
}

fn on_demand(stream: usize, hours: &Range<i64>, tier: &Tier, quantity: Amount) -> Line {
    let price = Price::of(STREAMS[stream].1);
    let mut line = metered("Usage", stream, hours, quantity, amount(tier.rate));
    line.line_item_line_item_description = Some(tier.description());
    line.pricing_rate_code = Some(tier.rate_code(&price.sku()));
    // AWS leaves the term of usage that is free for everybody empty.
    line.pricing_term = (!tier.is_free()).then(|| "OnDemand".to_owned());
    line
}

fn spot(stream: usize, day: i64, quantity: Amount) -> Line {
    let workdays_before = (0..day).filter(|day| weight(Workdays, *day) > 0).count();
    let rate = Amount(SPOT_RATES[workdays_before] * ONE / 10_000);
    let mut line = metered("Usage", stream, &hours_of(day), quantity, rate);
    line.line_item_line_item_description =
        text("c6i.4xlarge Linux/UNIX Spot Instance-hour in US East (N. Virginia) in VPC Zone #4");
    line.pricing_term = text("Spot");
    line
}

/// The covered usage and what takes its On-Demand cost back.
fn covered(stream: usize, hours: &Range<i64>, quantity: Amount, plan: &SavingsPlan) -> [Line; 2] {
    let price = Price::of(STREAMS[stream].1);
    let rate = plan.rate(price);
    let mut line =
        plan.describe(metered("SavingsPlanCoveredUsage", stream, hours, quantity, price.public_rate()));
    line.line_item_line_item_description = Some(price.tiers[0].description());
    line.pricing_rate_code = Some(price.tiers[0].rate_code(&price.sku()));
    line.pricing_term = text("OnDemand");
    line.savings_plan_savings_plan_rate = Some(rate);
    line.savings_plan_savings_plan_effective_cost = Some(quantity.times(rate));
    let account = line.line_item_usage_account_id.clone().unwrap_or_default();
    let mut negation = lines::costing(line.clone(), -line.unblended_cost()).of_type("SavingsPlanNegation");
    negation.identity_line_item_id = Some(Random::new(2_000 + stream as u64).code(26).to_lowercase());
    negation.line_item_line_item_description =
        Some(format!("SavingsPlanNegation used by AccountId : {account} and UsageSku : {}", price.sku()));
    negation.line_item_resource_id = None;
    negation.pricing_public_on_demand_cost = Some(Amount::ZERO);
    negation.pricing_rate_code = None;
    negation.savings_plan_savings_plan_rate = Some(Amount::ZERO);
    negation.savings_plan_savings_plan_effective_cost = Some(Amount::ZERO);
    [line, negation]
}

fn discounted(stream: usize, hours: &Range<i64>, quantity: Amount, reservation: &Reservation) -> Line {
    let price = Price::of(STREAMS[stream].1);
    let mut line = reservation.describe(metered("DiscountedUsage", stream, hours, quantity, Amount::ZERO));
    let (recurring, upfront) = (amount(reservation.recurring_rate), amount(reservation.upfront_rate));
    let (instance, _) = price.instance().expect("reservations are for instances");
    line.line_item_line_item_description = Some(format!("{instance} reserved instance applied"));
    line.pricing_rate_code = Some(format!("{}.HU7G6KETJZ.6YS6EN2CT7", price.sku()));
    line.pricing_term = text("Reserved");
    line.reservation_recurring_fee_for_usage = Some(quantity.times(recurring));
    line.reservation_amortized_upfront_cost_for_usage = Some(quantity.times(upfront));
    line.reservation_effective_cost = Some(quantity.times(recurring) + quantity.times(upfront));
    line
}

/// Hourly software from the Marketplace, day by day: account, hours a day, rate.
const MARKETPLACE: &[(&str, i64, &str)] = &[("pinecone-live", 48, "0.0955"), ("quill-web", 24, "0.031")];

/// The metered lines of the Marketplace; no public price, an opaque product code.
pub fn marketplace_lines() -> Vec<Line> {
    let days = (0..DAYS).flat_map(|day| MARKETPLACE.iter().map(move |stream| (day, stream)));
    days.map(|(day, (name, hours, rate))| {
        let mut line = day_interval(lines::of_seller("Usage", name), day);
        let (quantity, rate) = (Amount::whole(i128::from(*hours)), amount(rate));
        line.identity_line_item_id = Some(format!("mp{}", account(name).0));
        line.line_item_usage_type = text("MP:LumenAgent-Hours");
        line.line_item_operation = text("Hourly");
        line.line_item_usage_amount = Some(quantity);
        line.line_item_unblended_rate = Some(rate.to_fixed());
        line.line_item_line_item_description =
            Some(format!("{MARKETPLACE_SELLER}: Lumen Watch agent, per host and hour"));
        line.pricing_unit = text("Hosts");
        lines::costing(line, quantity.times(rate))
    })
    .collect()
}
