"""Forecasts and comparisons of several months, and Savings Plans' utilization, through boto3."""
from datetime import datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

import family_months
from desk import NUMBERS, Desk, account
from policy_months import PolicyMonth
from program import units
from server import in_period

METRIC = {"Granularity": "MONTHLY", "Metric": "UNBLENDED_COST"}
AHEAD = {"Start": "2026-12-01", "End": "2027-02-01"}


def month_of(monkeypatch, text, days, line):
    """A month of one line a day."""
    monkeypatch.setattr(family_months, "FIRST", datetime.fromisoformat(f"{text}-01"))
    monkeypatch.setattr(family_months, "HOURS", 24 * days)
    month = PolicyMonth()
    for day in range(days):
        line(month, 24 * day)
    return month


@pytest.fixture(scope="module")
def world(new_server, tmp_path_factory):
    """Four months: ten dollars a day for storage of one customer, and computing for another that grows by ten dollars a month."""
    server = new_server(transfers=False)
    desk = Desk(in_period(server.client(), "2026-07"))
    ours, theirs = desk.group(1), desk.group(1)
    desk.flat(ours, 100, BillingPeriodRange={"InclusiveStartBillingPeriod": "2026-07"})
    folder = tmp_path_factory.mktemp("months")
    with pytest.MonkeyPatch.context() as patch:
        for number, (text, days) in enumerate([("2026-07", 31), ("2026-08", 31), ("2026-09", 30), ("2026-10", 31)]):
            def line(month, hour, number=number):
                month.line(ours.primary, cost="10", public="20", service="AmazonS3", hour=hour, unit="GB-Mo", usage_type="TimedStorage-ByteHrs")
                month.line(theirs.primary, cost=str(30 + 10 * number), service="AWSLambda", hour=hour, unit="Requests", usage_type="Requests")
            server.load(month_of(patch, text, days, line).write(folder / text), text)
    viewer = server.keys(f"forecaster-{next(NUMBERS)}", "group-viewer", [ours.arn])
    return SimpleNamespace(server=server, client=server.client(service="ce"), viewer=server.client(viewer, service="ce"), ours=ours, theirs=theirs)


def refused(act, code):
    with pytest.raises(ClientError) as raised:
        act()
    assert raised.value.response["Error"]["Code"] == code, raised.value
    return raised.value.response["Error"]["Message"]


def test_the_mean_is_that_of_the_last_three_months(world):
    storage = {"Dimensions": {"Key": "SERVICE", "Values": ["AmazonS3"]}}
    answer = world.client.get_cost_forecast(TimePeriod=AHEAD, Filter=storage, PredictionIntervalLevel=80, **METRIC)
    # What does not vary is forecast as it is, and as surely: 31 days of December and of January at ten dollars.
    assert answer["Total"] == {"Amount": "620", "Unit": "USD"}
    assert answer["ForecastResultsByTime"] == [
        {"TimePeriod": {"Start": start, "End": end}, "MeanValue": "310", "PredictionIntervalLowerBound": "310", "PredictionIntervalUpperBound": "310"}
        for start, end in [("2026-12-01", "2027-01-01"), ("2027-01-01", "2027-02-01")]]
    # Forty, fifty and sixty dollars a day, and the ten of storage.
    whole = world.client.get_cost_forecast(TimePeriod=AHEAD, PredictionIntervalLevel=80, **METRIC)["ForecastResultsByTime"]
    assert [of["MeanValue"] for of in whole] == ["1860", "1860"]
    widths = [units(of["PredictionIntervalUpperBound"]) - units(of["PredictionIntervalLowerBound"]) for of in whole]
    assert 0 < widths[0] < widths[1]


def test_days_are_forecast_and_usage(world):
    days = world.client.get_cost_forecast(TimePeriod={"Start": "2026-11-10", "End": "2026-11-13"}, Granularity="DAILY", Metric="AMORTIZED_COST")
    assert [of["MeanValue"] for of in days["ForecastResultsByTime"]] == ["60"] * 3
    assert "PredictionIntervalLowerBound" not in days["ForecastResultsByTime"][0]
    of_type = {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["Requests"]}}
    usage = {"TimePeriod": AHEAD, "Granularity": "MONTHLY", "Metric": "USAGE_QUANTITY"}
    assert world.client.get_usage_forecast(**usage, Filter=of_type)["Total"] == {"Amount": "62", "Unit": "Requests"}
    assert "USAGE_TYPE" in refused(lambda: world.client.get_usage_forecast(**usage), "UnresolvableUsageUnitException")


def test_a_viewer_forecasts_its_own_pro_forma(world):
    answer = world.viewer.get_cost_forecast(TimePeriod=AHEAD, **METRIC)
    assert answer["Total"]["Amount"] == "1440", "twenty dollars a day and the item twice: neither AWS's ten nor what the other customer has"
    # The custom line item is on the first days of months, and what is left of a begun month has none.
    rest = world.viewer.get_cost_forecast(TimePeriod={"Start": "2026-11-21", "End": "2026-12-11"}, **METRIC)
    assert [of["MeanValue"] for of in rest["ForecastResultsByTime"]] == ["200", "300"]
    of_theirs = f"arn:aws:billing::{world.server.payer}:billingview/billing-group-{world.theirs.primary}"
    refused(lambda: world.viewer.get_cost_forecast(TimePeriod=AHEAD, BillingViewArn=of_theirs, **METRIC), "AccessDeniedException")
    refused(lambda: world.viewer.get_cost_and_usage_comparisons(
        BaselineTimePeriod={"Start": "2026-09-01", "End": "2026-10-01"}, ComparisonTimePeriod={"Start": "2026-10-01", "End": "2026-11-01"},
        MetricForComparison="UnblendedCost", BillingViewArn=of_theirs), "AccessDeniedException")
    for act in (world.viewer.get_savings_plans_utilization, world.viewer.get_savings_plans_utilization_details, world.viewer.get_reservation_coverage):
        refused(lambda act=act: act(TimePeriod={"Start": "2026-10-01", "End": "2026-11-01"}), "AccessDeniedException")


def test_what_cannot_be_forecast(world, new_server, tmp_path_factory):
    ask = world.client.get_cost_forecast
    assert "in the past" in refused(lambda: ask(TimePeriod={"Start": "2026-11-09", "End": "2026-12-01"}, **METRIC), "ValidationException")
    assert "eighteen months" in refused(lambda: ask(TimePeriod={"Start": "2026-12-01", "End": "2029-01-01"}, **METRIC), "ValidationException")
    assert "GetUsageForecast" in refused(lambda: ask(TimePeriod=AHEAD, Granularity="MONTHLY", Metric="USAGE_QUANTITY"), "ValidationException")
    young = new_server(transfers=False)
    month = PolicyMonth()
    month.line(account(), cost="5")
    young.load(month.write(tmp_path_factory.mktemp("young") / "cost"))
    said = refused(lambda: young.client(service="ce").get_cost_forecast(TimePeriod=AHEAD, **METRIC), "DataUnavailableException")
    assert "needs 3 whole months with data, and there are 1" in said


def test_two_months_beside_each_other(world):
    given = {"BaselineTimePeriod": {"Start": "2026-09-01", "End": "2026-10-01"}, "ComparisonTimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"},
             "MetricForComparison": "UnblendedCost", "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}]}
    answer = world.client.get_cost_and_usage_comparisons(**given)
    compared = [(of["CostAndUsageSelector"]["Dimensions"]["Values"], *of["Metrics"]["UnblendedCost"].values()) for of in answer["CostAndUsageComparisons"]]
    assert compared == [(["AWSLambda"], "1500", "1860", "360", "USD"), (["AmazonS3"], "300", "310", "10", "USD")]
    assert answer["TotalCostAndUsage"]["UnblendedCost"] == {
        "BaselineTimePeriodAmount": "1800", "ComparisonTimePeriodAmount": "2170", "Difference": "370", "Unit": "USD"}
    first = world.client.get_cost_and_usage_comparisons(**given, MaxResults=1)
    second = world.client.get_cost_and_usage_comparisons(**given, MaxResults=1, NextPageToken=first["NextPageToken"])
    assert first["CostAndUsageComparisons"] + second["CostAndUsageComparisons"] == answer["CostAndUsageComparisons"]
    assert "NextPageToken" not in second
    part = given | {"ComparisonTimePeriod": {"Start": "2026-10-01", "End": "2026-10-15"}}
    assert "one whole month" in refused(lambda: world.client.get_cost_and_usage_comparisons(**part), "ValidationException")
