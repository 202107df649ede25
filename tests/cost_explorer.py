"""Cost Explorer over again: questions about a month's cost files, answered by DuckDB.

The lines are a table `lines` with the dimensions as docs/cost-explorer.md names them, a day of the month, and the metrics in whole units of 10⁻¹⁰.
"""
import calendar
import datetime
import random

from decimal import Decimal

import duckdb
import pyarrow
import pyarrow.parquet

from cube import NET, money, or_none
from program import quoted

DAY = datetime.timedelta(days=1)
COMPUTE = ("BoxUsage|SpotUsage|DedicatedUsage|HostUsage|HostBoxUsage|ReservedHostUsage|SchedUsage|HeavyUsage|UnusedBox|UnusedDed|DedicatedRes"
           "|Reservation|EC2SP")
# A region before the mark of a usage type, as `USW2-` or `USW2-LAX1-`.
REGION = "^(([A-Z]{2,4}[0-9]{1,2}|EU|US)-)*"
COMMITTED = "line_item_line_item_type IN ('DiscountedUsage', 'SavingsPlanCoveredUsage', 'SavingsPlanRecurringFee', 'RIFee')"
METERED = "line_item_line_item_type IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')"


def or_no(column, absent):
    return f"coalesce(nullif({column}, ''), '{absent}')"


def service(names):
    """The service, by the names of product codes."""
    listed = " ".join(f"WHEN {quoted(code)} THEN {quoted(name)}" for code, name in names.items() if code != "AmazonEC2")
    product = "coalesce(nullif(line_item_product_code, ''), nullif(product_servicecode, ''))"
    return f"""CASE WHEN line_item_line_item_type = 'Tax' THEN 'Tax'
        WHEN {product} = 'AmazonEC2' AND regexp_matches(line_item_usage_type, '{REGION}({COMPUTE})') THEN 'Amazon Elastic Compute Cloud - Compute'
        WHEN {product} = 'AmazonEC2' THEN 'EC2 - Other'
        ELSE CASE {product} {listed} ELSE coalesce({product}, 'NoService') END END"""


PURCHASE = """CASE WHEN line_item_line_item_type LIKE 'SavingsPlan%' THEN 'Savings Plans'
    WHEN line_item_line_item_type IN ('DiscountedUsage', 'RIFee') THEN 'Standard Reserved Instances'
    WHEN line_item_line_item_type = 'Fee' AND coalesce(reservation_reservation_a_r_n, '') <> '' THEN 'Standard Reserved Instances'
    WHEN line_item_line_item_type <> 'Usage' THEN 'NoPurchaseType'
    WHEN pricing_term = 'Spot' OR line_item_usage_type LIKE '%SpotUsage%' OR (coalesce(pricing_term, '') = ''
        AND TRY_CAST(line_item_unblended_rate AS DECIMAL(38, 10)) > 0 AND line_item_usage_type LIKE '%BoxUsage%') THEN 'Spot Instances'
    ELSE 'On Demand Instances' END"""
INSTANCE = ("nullif(regexp_replace(regexp_extract(line_item_usage_type, '^[^:]*:((db\\.|cache\\.|ml\\.)?[a-z][^.]*\\.[^.].*)$', 1), "
            "'\\.(search|elasticsearch)$', ''), '')")
AMORTIZED = f"""CASE line_item_line_item_type WHEN 'DiscountedUsage' THEN {or_none('reservation_effective_cost')}
    WHEN 'SavingsPlanCoveredUsage' THEN {or_none('savings_plan_savings_plan_effective_cost')}
    WHEN 'SavingsPlanNegation' THEN 0 WHEN 'SavingsPlanUpfrontFee' THEN 0
    WHEN 'SavingsPlanRecurringFee' THEN {or_none('savings_plan_total_commitment_to_date')} - {or_none('savings_plan_used_commitment')}
    WHEN 'RIFee' THEN {or_none('reservation_unused_recurring_fee')}
        + {or_none('reservation_unused_amortized_upfront_fee_for_billing_period')}
    WHEN 'Fee' THEN CASE WHEN coalesce(reservation_reservation_a_r_n, '') <> '' THEN 0 ELSE {or_none('line_item_unblended_cost')} END
    WHEN 'Refund' THEN CASE WHEN coalesce(savings_plan_savings_plan_a_r_n, '') <> '' THEN 0 ELSE {or_none('line_item_unblended_cost')} END
    ELSE {or_none('line_item_unblended_cost')} END"""
# Made as they are documented: what is unused of a Savings Plan is discounted as its commitment is, half away from zero at ten decimals.
def net_or(net, gross):
    return f"coalesce({money(net)}, {or_none(gross)})"


WHOLE = f"({or_none('savings_plan_recurring_commitment_for_billing_period')} + {or_none('savings_plan_amortized_upfront_commitment_for_billing_period')})"
NET_OF_WHOLE = "({} + {})".format(*(
    net_or(f"savings_plan_net_{of}_commitment_for_billing_period", f"savings_plan_{of}_commitment_for_billing_period") for of in ("recurring", "amortized_upfront")))
UNUSED = f"({or_none('savings_plan_total_commitment_to_date')} - {or_none('savings_plan_used_commitment')})"
in_units = lambda value: f"CAST({value} * 10000000000 AS HUGEINT)"
NET_UNUSED = (f"CAST(sign({UNUSED}) AS HUGEINT) * ((2 * abs({in_units(UNUSED)}) * {in_units(NET_OF_WHOLE)} + {in_units(WHOLE)}) // (2 * {in_units(WHOLE)}))")
NET_AMORTIZED = f"""CASE line_item_line_item_type
    WHEN 'DiscountedUsage' THEN {net_or('reservation_net_effective_cost', 'reservation_effective_cost')}
    WHEN 'SavingsPlanCoveredUsage' THEN {net_or('savings_plan_net_savings_plan_effective_cost', 'savings_plan_savings_plan_effective_cost')}
    WHEN 'SavingsPlanNegation' THEN 0 WHEN 'SavingsPlanUpfrontFee' THEN 0
    WHEN 'SavingsPlanRecurringFee' THEN CAST({NET_UNUSED} AS DECIMAL(28, 0)) * CAST(0.0000000001 AS DECIMAL(10, 10))
    WHEN 'RIFee' THEN {net_or('reservation_net_unused_recurring_fee', 'reservation_unused_recurring_fee')}
        + {net_or('reservation_net_unused_amortized_upfront_fee_for_billing_period', 'reservation_unused_amortized_upfront_fee_for_billing_period')}
    WHEN 'Fee' THEN CASE WHEN coalesce(reservation_reservation_a_r_n, '') <> '' THEN 0 ELSE coalesce({NET}, 0) END
    WHEN 'Refund' THEN CASE WHEN coalesce(savings_plan_savings_plan_a_r_n, '') <> '' THEN 0 ELSE coalesce({NET}, 0) END
    ELSE coalesce({NET}, 0) END"""
METRICS = {"UnblendedCost": or_none("line_item_unblended_cost"), "BlendedCost": or_none("line_item_blended_cost"),
           "NetAmortizedCost": NET_AMORTIZED, "NetUnblendedCost": f"coalesce({NET}, 0)", "AmortizedCost": AMORTIZED,
           "UsageQuantity": f"CASE WHEN {METERED} THEN {or_none('line_item_usage_amount')} ELSE 0 END",
           "NormalizedUsageAmount": f"CASE WHEN {METERED} THEN {or_none('line_item_normalized_usage_amount')} ELSE 0 END"}
OF_COMMITMENTS = {
    "committed": "savings_plan_total_commitment_to_date", "used": "savings_plan_used_commitment", "bought": "line_item_usage_amount",
    "upfront": "reservation_amortized_upfront_fee_for_billing_period", "unused_recurring": "reservation_unused_recurring_fee",
    "unused_upfront": "reservation_unused_amortized_upfront_fee_for_billing_period", "listed": "pricing_public_on_demand_cost"}
DIMENSIONS = {
    "LINKED_ACCOUNT": or_no("line_item_usage_account_id", "NoLinkedAccount"), "REGION": or_no("product_region_code", "NoRegion"),
    "USAGE_TYPE": or_no("line_item_usage_type", "NoUsageType"), "OPERATION": or_no("line_item_operation", "NoOperation"),
    "RECORD_TYPE": "line_item_line_item_type", "INVOICING_ENTITY": or_no("bill_invoicing_entity", "NoInvoicingEntity"),
    "BILLING_ENTITY": or_no("bill_billing_entity", "NoBillingEntity"), "LEGAL_ENTITY_NAME": or_no("line_item_legal_entity", "NoLegalEntityName"),
    "INSTANCE_TYPE": f"coalesce({INSTANCE}, 'NoInstanceType')", "PURCHASE_TYPE": PURCHASE}


# By column of AWS's discounts: what it is a discount of, and the part that is left, in thousandths.
NET_COLUMNS = {
    "reservation_net_effective_cost": ("reservation_effective_cost", 913),
    "reservation_net_unused_recurring_fee": ("reservation_unused_recurring_fee", 913),
    "reservation_net_unused_amortized_upfront_fee_for_billing_period": ("reservation_unused_amortized_upfront_fee_for_billing_period", 877),
    "savings_plan_net_savings_plan_effective_cost": ("savings_plan_savings_plan_effective_cost", 941),
    "savings_plan_net_recurring_commitment_for_billing_period": ("savings_plan_recurring_commitment_for_billing_period", 941),
    "savings_plan_net_amortized_upfront_commitment_for_billing_period": ("savings_plan_amortized_upfront_commitment_for_billing_period", 877)}


def discount(data):
    """Gives the lines of a generated month blended costs that are not their unblended ones, and the net costs of commitments, null on every ninth line."""
    for path in data.glob("**/*.parquet"):
        table = pyarrow.parquet.read_table(path)
        at_scale = lambda column: [round(Decimal(repr(value or 0.0)) * 10**10) for value in table[column].to_pylist()]
        unblended, blended = at_scale("line_item_unblended_cost"), table["line_item_blended_cost"].to_pylist()
        averaged = [None if known is None else (units * (970 + row % 7 * 10) // 1000) / 10**10
                    for row, (units, known) in enumerate(zip(unblended, blended))]
        place = table.schema.get_field_index("line_item_blended_cost")
        table = table.set_column(place, "line_item_blended_cost", pyarrow.array(averaged, pyarrow.float64()))
        for name, (column, left) in NET_COLUMNS.items():
            net = [None] * table.num_rows
            if column in table.column_names:
                net = [None if row % 9 == 0 else units * left // 1000 / 10**10 for row, units in enumerate(at_scale(column))]
            table = table.append_column(name, pyarrow.array(net, pyarrow.float64()))
        pyarrow.parquet.write_table(table, path, compression="snappy")


class Lines:
    """The lines of a month; `tags` are the ones that its book names, by their keys at Cost Explorer."""

    def __init__(self, data, period, tags):
        self.connection = duckdb.connect()
        files = f"read_parquet({quoted(data / '**' / '*.parquet')})"
        names = dict(self.connection.execute(f"""
            SELECT coalesce(nullif(product_servicecode, ''), line_item_product_code), max(product['product_name']) FROM {files}
            WHERE product['product_name'] IS NOT NULL AND coalesce(nullif(product_servicecode, ''), line_item_product_code) = line_item_product_code
            GROUP BY 1""").fetchall())
        self.first = datetime.date.fromisoformat(f"{period}-01")
        self.days = calendar.monthrange(self.first.year, self.first.month)[1]
        last = self.first + (self.days - 1) * DAY
        self.dimensions = DIMENSIONS | {"SERVICE": service(names)}
        self.tags = tags
        day = f"least(greatest(CAST(line_item_usage_start_date AS DATE), DATE '{self.first}'), DATE '{last}')"
        columns = [f"{value} AS \"{name}\"" for name, value in self.dimensions.items()]
        columns += [f"coalesce(resource_tags['{column}'], '') AS \"tag {key}\"" for key, column in tags.items()]
        columns += [f"CAST(({value}) * 10000000000 AS HUGEINT) AS \"{name}\"" for name, value in METRICS.items()]
        columns += ["coalesce(savings_plan_savings_plan_a_r_n, '') AS plan"]
        columns += [f"CAST({or_none(column)} * 10000000000 AS HUGEINT) AS {name}"
                    for name, column in OF_COMMITMENTS.items()]
        columns += ["coalesce(reservation_reservation_a_r_n, '') AS reservation", f"{or_no('line_item_resource_id', 'NoResourceId')} AS \"RESOURCE_ID\""]
        columns += [f"date_trunc('hour', least(greatest(line_item_usage_start_date, TIMESTAMP '{self.first}'), TIMESTAMP '{last} 23:00:00')) AS hour"]
        self.connection.execute(f"CREATE TABLE lines AS SELECT {day} AS day, pricing_unit AS unit, {', '.join(columns)} FROM {files}")

    def sql(self, expression):
        """An expression as a condition."""
        if expression is None:
            return "TRUE"
        (root, of), = expression.items()
        if root in ("And", "Or"):
            return "(" + f" {root.upper()} ".join(self.sql(part) for part in of) + ")"
        if root == "Not":
            return f"(NOT {self.sql(of)})"
        column = f"\"{of['Key']}\"" if root == "Dimensions" else f"\"tag {of['Key']}\""
        if "ABSENT" in of.get("MatchOptions", []):
            return f"({column} = '')"
        return f"({column} IN ({', '.join(quoted(value) for value in of['Values'])}))"

    def answer(self, question):
        """What Cost Explorer should answer: by time and keys, the metrics in units and the units of usage."""
        start, end = question["TimePeriod"]["Start"], question["TimePeriod"]["End"]
        is_hourly = question["Granularity"] == "HOURLY"
        time = f"hour >= TIMESTAMP '{start}' AND hour < TIMESTAMP '{end}'" if is_hourly else f"day >= DATE '{start}' AND day < DATE '{end}'"
        keys = [f"\"{of['Key']}\"" if of["Type"] == "DIMENSION" else f"'{of['Key']}$' || \"tag {of['Key']}\"" for of in question.get("GroupBy", [])]
        begin = {"DAILY": "CAST(day AS VARCHAR)", "MONTHLY": f"greatest('{start}', '{self.first}')",
                 "HOURLY": "strftime(hour, '%Y-%m-%dT%H:00:00Z')"}[question["Granularity"]]
        selected = [begin, *keys, *(f"CAST(sum(\"{metric}\") AS VARCHAR)" for metric in question["Metrics"]), "list(DISTINCT unit)"]
        rows = self.connection.execute(
            f"SELECT {', '.join(selected)} FROM lines WHERE {time} AND {self.sql(question.get('Filter'))} "
            f"GROUP BY {', '.join(str(place + 1) for place in range(1 + len(keys)))}").fetchall()
        width = 1 + len(keys)
        return {(row[0], row[1:width]): (dict(zip(question["Metrics"], map(int, row[width:-1]))), {of for of in row[-1] if of}) for row in rows}

    def values(self, column):
        return [value for value, in self.connection.execute(f"SELECT DISTINCT \"{column}\" FROM lines ORDER BY 1").fetchall()]


class Questions:
    """Random questions about a month."""

    def __init__(self, lines, seed):
        self.lines, self.random = lines, random.Random(seed)
        self.known = {name: lines.values(name) for name in lines.dimensions} | {f"tag {key}": lines.values(f"tag {key}") for key in lines.tags}

    def question(self):
        begin = self.random.choice([0, 0, self.random.randrange(self.lines.days)])
        end = self.random.choice([self.lines.days, begin + self.random.randrange(1, self.lines.days - begin + 1)])
        period = {"Start": str(self.lines.first + begin * DAY), "End": str(self.lines.first + end * DAY)}
        question = {"TimePeriod": period, "Granularity": self.random.choice(["DAILY", "MONTHLY"]),
                    "Metrics": self.random.sample(list(METRICS), self.random.randrange(1, 4))}
        if groups := self.random.sample(self.keys(), self.random.choice([0, 1, 1, 2])):
            question["GroupBy"] = [{"Type": kind, "Key": key} for kind, key in groups]
        if self.random.random() < 0.7:
            question["Filter"] = self.expression(self.random.choice([0, 1, 2]))
        return question

    def question_of_lines(self, days):
        """A question about some of the last days of the month, by the hour or by resource; and the operation that answers it."""
        by_hour, resources = self.random.random() < 0.5, self.random.random() < 0.6
        hours = self.lines.days * 24
        begin = self.random.randrange(hours - days * 24, hours - 1)
        end = self.random.randrange(begin + 1, min(begin + 60, hours) + 1)
        first = datetime.datetime.combine(self.lines.first, datetime.time())
        instant = lambda hour: (first + hour * datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:00:00Z")
        question = {"TimePeriod": {"Start": instant(begin), "End": instant(end)}, "Granularity": "HOURLY"}
        if resources and not by_hour:
            period = {"Start": instant(begin)[:10], "End": instant(end + 24)[:10]}
            question = {"TimePeriod": period, "Granularity": self.random.choice(["DAILY", "MONTHLY"])}
        question["Metrics"] = self.random.sample(list(METRICS), self.random.randrange(1, 4))
        groups = self.random.sample(self.keys(), self.random.choice([0, 1]) if resources else self.random.choice([0, 1, 2]))
        tells = resources and self.random.random() < 0.7
        if groups or tells:
            question["GroupBy"] = [{"Type": kind, "Key": key} for kind, key in groups + [("DIMENSION", "RESOURCE_ID")] * tells]
        question["Filter"] = self.expression(self.random.choice([0, 1, 2]))
        if resources:
            known = self.lines.values("RESOURCE_ID")
            of_resources = {"Dimensions": {"Key": "RESOURCE_ID", "Values": self.random.sample(known, 20) + ["NoResourceId"] * self.random.randrange(2)}}
            if not tells or self.random.random() < 0.3:
                question["Filter"] = {self.random.choice(["And", "Or"]): [question["Filter"], self.random.choice([of_resources, {"Not": of_resources}])]}
        return question, "get_cost_and_usage_with_resources" if resources else "get_cost_and_usage"

    def keys(self):
        return [("DIMENSION", name) for name in self.lines.dimensions] + [("TAG", key) for key in self.lines.tags]

    def expression(self, depth):
        kind = self.random.choice(["And", "Or", "Not", "Is"]) if depth else "Is"
        if kind in ("And", "Or"):
            return {kind: [self.expression(depth - 1) for _ in range(self.random.choice([2, 2, 3]))]}
        if kind == "Not":
            return {"Not": self.expression(depth - 1)}
        kind, key = self.random.choice(self.keys())
        if kind == "TAG" and self.random.random() < 0.3:
            return {"Tags": {"Key": key, "MatchOptions": ["ABSENT"]}}
        known = self.known[key if kind == "DIMENSION" else f"tag {key}"]
        values = self.random.sample(known, min(len(known), self.random.choice([1, 1, 2, 5])))
        return {"Dimensions" if kind == "DIMENSION" else "Tags": {"Key": key, "Values": values}}


def answered(client, question, operation="get_cost_and_usage"):
    """What the server answers, page after page, in the form of `Lines.answer`."""
    from program import units
    found, given = {}, dict(question)
    while True:
        page = getattr(client, operation)(**given)
        for of in page["ResultsByTime"]:
            rows = [(tuple(group["Keys"]), group["Metrics"]) for group in of["Groups"]]
            if "GroupBy" not in question:
                assert of["Groups"] == []
                rows = [((), of["Total"])]
            else:
                assert of["Total"] == {}
            for keys, metrics in rows:
                assert list(metrics) == sorted(question["Metrics"])
                place = of["TimePeriod"]["Start"], keys
                assert place not in found
                found[place] = ({name: units(value["Amount"]) for name, value in metrics.items()}, {name: value["Unit"] for name, value in metrics.items()})
        if not (token := page.get("NextPageToken")):
            return found
        given["NextPageToken"] = token


def compare(client, lines, question, operation="get_cost_and_usage"):
    """Holds an answer to DuckDB's, to the last digit."""
    expected, found = lines.answer(question), answered(client, question, operation)
    if "GroupBy" not in question:
        # A time without lines is there, with nothing in it.
        found = {place: of for place, of in found.items() if place in expected or any(of[0].values())}
    assert found.keys() == expected.keys(), question
    for place, (amounts, units_of_usage) in expected.items():
        assert found[place][0] == amounts, (question, place)
        for metric in question["Metrics"]:
            of_usage = next(iter(units_of_usage)) if len(units_of_usage) == 1 else "N/A"
            unit = "USD" if metric.endswith("Cost") else of_usage
            assert found[place][1][metric] == unit, (question, place, metric)
