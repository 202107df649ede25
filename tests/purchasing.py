"""Purchase orders as tests make them: a client with the project's own service model, and orders with what a test does not care about filled in."""
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from desk import name
from program import ROOT
from server import REGION, SECONDS_TO_ANSWER

CLIENTS = ROOT / "clients" / "botocore"
SHIP_TO = {"Company": "Larkfield", "Lines": ["1 Mill Lane"], "City": "Dover", "Country": "GB"}
MONTHS = {"EffectiveMonth": "2026-01", "ExpirationMonth": "2026-12"}


def orders_client(server, keys=None):
    """An unmodified client of boto3 that was given the model, as `AWS_DATA_PATH` or `aws configure add-model` would."""
    keys = keys or server.root
    session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, region_name=REGION)
    session._loader.search_paths.append(str(CLIENTS))
    config = Config(retries={"total_max_attempts": 1}, read_timeout=SECONDS_TO_ANSWER)
    return session.client("purchase-orders", endpoint_url=server.endpoint, config=config)


def line(number="1", **more):
    return {"Number": number, "Type": "ALL", "StartMonth": "2026-01", "EndMonth": "2026-12", "Amount": "1000", "BalanceTracking": True} | more


def order(*lines, **more):
    given = {"PurchaseOrderId": name("PO"), "BillFrom": ["AWS_INC"], "ShipTo": SHIP_TO, "LineItems": list(lines) or [line()]} | MONTHS | more
    return {key: value for key, value in given.items() if value is not None}


def invoice(identity=None, **more):
    """A row of ImportInvoices."""
    given = {"InvoiceId": identity or name("INV"), "Kind": "MONTHLY_USAGE", "BillFrom": "AWS_INC", "BillingPeriod": "2026-10", "TotalAmount": "100",
             "Currency": "USD", "IssuedDate": "2026-11-03T00:00:00Z"} | more
    return {key: value for key, value in given.items() if value is not None}


def summary(identity, **more):
    """An entry of an answer of ListInvoiceSummaries, as the AWS CLI prints it."""
    return {"AccountId": "999999999999", "InvoiceId": identity, "IssuedDate": "2026-11-03T00:00:00+00:00", "DueDate": "2026-12-03T00:00:00+00:00",
            "Entity": {"InvoicingEntity": "Amazon Web Services, Inc.", "BillingEntity": "AWS"}, "BillingPeriod": {"Month": 10, "Year": 2026},
            "BillType": "ANNIVERSARY", "InvoiceType": "INVOICE",
            "BaseCurrencyAmount": {"TotalAmount": "119.00", "TotalAmountBeforeTax": "100.00", "CurrencyCode": "USD"},
            "PaymentCurrencyAmount": {"TotalAmount": "119.00", "TotalAmountBeforeTax": "100.00", "CurrencyCode": "USD"}} | more


def own(server, operation, keys=None, **given):
    """The answer of an operation of the desk's own, which must succeed."""
    answer = server.own(operation, given, keys)
    assert answer.status == 200, answer.body
    return answer.json


def refused(act, code, said):
    """The error that an act ends with: its code, and what its message has."""
    with pytest.raises(ClientError) as raised:
        act()
    answer = raised.value.response
    assert answer["Error"]["Code"] == code, answer
    assert said in answer["Error"]["Message"], answer["Error"]["Message"]
    return answer


def add(client, *lines, **more):
    return client.add_purchase_order(**order(*lines, **more))
