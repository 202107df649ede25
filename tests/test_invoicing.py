"""AWS's service `invoicing` as boto3 and the AWS CLI meet it: invoice units, profiles, procurement portals, summaries of AWS's invoices and their documents."""
import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import botocore
import botocore.session
import pytest
from botocore.exceptions import ClientError

from desk import Desk, account, accounts, at_once, name, pages
from program import PROGRAM, ROOT
from server import PAYER, PREVIOUS, QUIET, SECONDS_NOW, Keys, Server, command

MODEL = botocore.session.get_session().get_service_model("invoicing")
OPERATIONS = sorted(MODEL.operation_names)
READS = {operation for operation in OPERATIONS if operation.startswith(("List", "Get", "BatchGet"))}
ROLES = ["payer-admin", "finance", "analyst", "group-viewer"]
COST = ROOT / "fixtures" / "demo" / "cost"
NOBODY = f"arn:aws:invoicing::{PAYER}:invoice-unit/nobody"
PDF = b"%PDF-1.7\n% an invoice that AWS has delivered\n%%EOF\n"


@pytest.fixture(scope="module")
def invoicing(server):
    return server.client(service="invoicing")


@contextmanager
def refused(code, reason=None, field=None):
    """Expects an error of the service, with its reason, and a member that is at fault."""
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response
    fields = [item["name"] for item in answer.get("fieldList", [])]
    assert (answer["Error"]["Code"], answer.get("reason")) == (code, reason), caught.value
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400 and answer["Error"]["Message"]
    if field:
        assert field in fields, answer


def invalid(reason, field=None):
    return refused("ValidationException", reason, field)


def ask(server, operation, given=None, keys=None, body=None):
    """A request byte by byte, as botocore would not send it."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"Invoicing.{operation}"}
    body = json.dumps(given or {}).encode() if body is None else body
    return server.ask("POST", "/", body, keys, headers=headers, service="invoicing")


def create(client, linked=(), receiver=None, **more):
    given = {"Name": name("unit"), "InvoiceReceiver": receiver or account(), "Rule": {"LinkedAccounts": list(linked)}} | more
    return client.create_invoice_unit(**given)["InvoiceUnitArn"]


def get(client, arn, **more):
    answer = client.get_invoice_unit(InvoiceUnitArn=arn, **more)
    answer.pop("ResponseMetadata")
    return answer


# ---- Roles and the wire

def test_every_operation_is_in_the_model():
    assert len(OPERATIONS) == 21 and len(READS) == 10


@pytest.mark.parametrize("role", ROLES)
def test_who_may(server, role):
    groups = [Desk(server.client()).group().arn] if role == "group-viewer" else []
    keys = server.keys(name(role), role, groups)
    for operation in OPERATIONS:
        # A customer has the documents that were issued to it, and nothing else of this service.
        may = role == "payer-admin" or operation in (READS if role != "group-viewer" else {"GetInvoicePDF"})
        answer = ask(server, operation, {}, keys)
        assert (answer.error == "AccessDeniedException") == (not may), (operation, answer.body)
        assert answer.status < 500, (operation, answer.body)


def test_errors_are_in_the_words_of_the_service(server):
    answer = ask(server, "CreateInvoiceUnit", {"Name": "", "InvoiceReceiver": "1"})
    assert answer.status == 400 and answer.headers["content-type"] == "application/x-amz-json-1.0"
    said = answer.json
    assert said["__type"] == "ValidationException" and said["reason"] == "fieldValidationFailed"
    assert [item["name"] for item in said["fieldList"]] == ["InvoiceReceiver", "Name", "Rule"] and said["message"] == said["Message"]
    answer = ask(server, "GetInvoiceUnit", {"InvoiceUnitArn": NOBODY})
    assert (answer.json["__type"], answer.json["resourceName"]) == ("ResourceNotFoundException", NOBODY)
    assert ask(server, "ListInvoiceUnits", body=b"{").json["reason"] == "cannotParse"
    assert ask(server, "ListEverything").error == "UnknownOperationException"
    assert ask(server, "CreateInvoiceUnit", {}, server.keys(name("analyst"), "analyst")).json["__type"] == "AccessDeniedException"


# ---- Invoice units

def test_a_unit_from_its_making_to_its_end(invoicing):
    first, second, third, receiver = accounts(4)
    arn = create(invoicing, [second, first], receiver, Name="Forschung 研究-1", Description="all of it", TaxInheritanceDisabled=True)
    assert re.fullmatch(rf"arn:aws:invoicing::{PAYER}:invoice-unit/[a-z0-9]{{10}}", arn)
    unit = get(invoicing, arn)
    assert unit == {"InvoiceUnitArn": arn, "InvoiceReceiver": receiver, "Name": "Forschung 研究-1", "Description": "all of it",
                    "TaxInheritanceDisabled": True, "Rule": {"LinkedAccounts": sorted([first, second])}, "LastModified": unit["LastModified"]}
    assert unit["LastModified"].timestamp() == SECONDS_NOW
    assert invoicing.update_invoice_unit(InvoiceUnitArn=arn, Rule={"LinkedAccounts": [third]}, Description="some of it")["InvoiceUnitArn"] == arn
    changed = get(invoicing, arn)
    assert changed["Rule"] == {"LinkedAccounts": [third]} and changed["Description"] == "some of it" and changed["TaxInheritanceDisabled"]
    # What was let go is free.
    other = create(invoicing, [first])
    assert invoicing.delete_invoice_unit(InvoiceUnitArn=arn)["InvoiceUnitArn"] == arn
    with refused("ResourceNotFoundException"):
        get(invoicing, arn)
    with refused("ResourceNotFoundException"):
        invoicing.delete_invoice_unit(InvoiceUnitArn=arn)
    with refused("ResourceNotFoundException"):
        invoicing.update_invoice_unit(InvoiceUnitArn=arn, Description="again")
    listed = [unit["InvoiceUnitArn"] for unit in pages(invoicing, "list_invoice_units", "InvoiceUnits")]
    assert other in listed and arn not in listed
    # The name is free again, and the id is another one.
    assert create(invoicing, [], receiver, Name="Forschung 研究-1") != arn


def test_name_and_receiver_are_for_good(server, invoicing):
    arn = create(invoicing, [])
    unit = get(invoicing, arn)
    # Members that the operation does not have are none of it, as AWS leaves them out, too.
    assert ask(server, "UpdateInvoiceUnit", {"InvoiceUnitArn": arn, "Name": "another", "InvoiceReceiver": account()}).status == 200
    assert get(invoicing, arn) == unit


def test_what_a_unit_may_not_be(invoicing):
    member, other, receiver, outsider = accounts(4)
    name_ = name("unit")
    first = create(invoicing, [member, other], receiver, Name=name_)
    with invalid("duplicateInvoiceUnit", "Name"):
        create(invoicing, Name=name_)
    with invalid("mutualExclusionError", "Rule.LinkedAccounts"):
        create(invoicing, [outsider, member])
    with invalid("accountMembershipError", "InvoiceReceiver"):
        create(invoicing, [outsider], member)
    with invalid("accountMembershipError", "Rule.LinkedAccounts"):
        create(invoicing, [receiver])
    for bad in ["R&D", "a.b", " a", "a "]:
        with invalid("fieldValidationFailed", "Name"):
            create(invoicing, Name=bad)
    with invalid("fieldValidationFailed", "Rule.LinkedAccounts"):
        create(invoicing, [outsider, outsider])
    with invalid("fieldValidationFailed", "ResourceTags"):
        create(invoicing, ResourceTags=[{"Key": "aws:mine", "Value": "1"}])
    second = create(invoicing, [outsider], receiver)
    with invalid("mutualExclusionError", "Rule.LinkedAccounts") as caught:
        invoicing.update_invoice_unit(InvoiceUnitArn=second, Rule={"LinkedAccounts": [other]})
    assert name_ in str(caught.value) and other in str(caught.value)
    assert get(invoicing, second)["Rule"]["LinkedAccounts"] == [outsider]
    # A receiver may serve several, and be a member of its own.
    create(invoicing, [receiver], receiver)
    for unit in (first, second):
        assert get(invoicing, unit)["InvoiceReceiver"] == receiver


def test_bill_sources_are_those_of_transfers(server, invoicing):
    source = "800000000003"
    arn = create(invoicing, Rule={"LinkedAccounts": [], "BillSourceAccounts": [source]})
    assert get(invoicing, arn)["Rule"] == {"BillSourceAccounts": [source]}
    with invalid("nonMemberPresent", "Rule.BillSourceAccounts"):
        create(invoicing, Rule={"BillSourceAccounts": [account()]})
    with invalid("mutualExclusionError", "Rule.BillSourceAccounts"):
        create(invoicing, Rule={"BillSourceAccounts": [source]})
    found = invoicing.list_invoice_units(Filters={"BillSourceAccounts": [source]})["InvoiceUnits"]
    assert [unit["InvoiceUnitArn"] for unit in found] == [arn]


def test_accounts_are_of_the_family(new_server, tmp_path):
    server = new_server(transfers=False)
    file = tmp_path / "accounts.csv"
    file.write_text(f"id,left\n{PAYER},\n111111111111,\n222222222222,2026-09\n")
    server.command("accounts", "import", "--file", file)
    client = server.client(service="invoicing")
    create(client, ["111111111111"], PAYER)
    for given, field in [({"linked": ["222222222222"], "receiver": PAYER}, "Rule.LinkedAccounts"),
                         ({"linked": [], "receiver": "333333333333"}, "InvoiceReceiver")]:
        with invalid("nonMemberPresent", field):
            create(client, **given)
    answer = server.own("PutInvoiceProfile", {"AccountId": "333333333333", "ReceiverName": "Nobody"})
    assert answer.status == 400 and "not of the payer's organization" in answer.json["Message"]


def test_history_is_what_it_was(new_server):
    server = new_server(transfers=False)
    client = server.client(service="invoicing")
    arn = create(client, ["111111111111"], PAYER, Name="history")
    at = {}
    for day, change in [(10, None), (12, {"Rule": {"LinkedAccounts": ["222222222222"]}}), (14, "delete"), (16, "again")]:
        server.now = f"2026-11-{day}T12:00:00Z"
        server.restart()
        client = server.client(service="invoicing")
        if change == "delete":
            client.delete_invoice_unit(InvoiceUnitArn=arn)
        elif change == "again":
            again = create(client, ["222222222222"], PAYER, Name="history")
        elif change:
            client.update_invoice_unit(InvoiceUnitArn=arn, **change)
        at[day] = datetime(2026, 11, day, 12, tzinfo=timezone.utc)
    hour = timedelta(hours=1)

    def listed(when):
        units = client.list_invoice_units(AsOf=when)["InvoiceUnits"]
        return [(unit["InvoiceUnitArn"], unit["Rule"]["LinkedAccounts"]) for unit in units]

    assert listed(at[10] - hour) == []
    assert listed(at[10]) == listed(at[12] - hour) == [(arn, ["111111111111"])]
    assert listed(at[12]) == [(arn, ["222222222222"])]
    assert listed(at[14]) == listed(at[16] - hour) == []
    assert listed(at[16]) == listed(at[16] + 1000 * hour) == [(again, ["222222222222"])]
    assert get(client, arn, AsOf=at[14] - hour)["LastModified"] == at[12]
    with refused("ResourceNotFoundException"):
        get(client, arn, AsOf=at[10] - hour)
    with refused("ResourceNotFoundException"):
        get(client, again, AsOf=at[14])


def test_filters_take_all_of_their_kinds(invoicing):
    receiver, *members = accounts(5)
    one, two = create(invoicing, members[:2], receiver), create(invoicing, members[2:3], members[3])
    first = get(invoicing, one)

    def found(**filters):
        return {unit["InvoiceUnitArn"] for unit in invoicing.list_invoice_units(Filters=filters)["InvoiceUnits"]}

    assert found(Names=[first["Name"], "no such"]) == {one}
    assert found(InvoiceReceivers=[receiver, members[3]]) == {one, two}
    assert found(Accounts=[members[1]]) == found(Accounts=[receiver]) == {one}
    assert found(Accounts=members, InvoiceReceivers=[members[3]]) == {two}
    assert found(InvoiceReceivers=[members[0]]) == set()


def test_a_token_makes_one_unit(invoicing):
    given = {"Name": name("unit"), "InvoiceReceiver": account(), "Rule": {"LinkedAccounts": []}, "ClientToken": name("token")}
    first = invoicing.create_invoice_unit(**given)["InvoiceUnitArn"]
    assert invoicing.create_invoice_unit(**given)["InvoiceUnitArn"] == first
    made = at_once([lambda: invoicing.create_invoice_unit(**given)["InvoiceUnitArn"]] * 4)
    assert made == [first] * 4
    with invalid("other"):
        invoicing.create_invoice_unit(**given | {"Name": name("unit")})
    token = name("token")
    for _ in range(2):
        assert invoicing.delete_invoice_unit(InvoiceUnitArn=first, ClientToken=token)["InvoiceUnitArn"] == first


def test_two_that_take_the_same_account(invoicing):
    one = account()
    made = at_once([lambda: create(invoicing, [one]) for _ in range(6)])
    errors = [result for result in made if isinstance(result, ClientError)]
    assert len(errors) == 5 and {error.response["reason"] for error in errors} == {"mutualExclusionError"}


def test_pages_and_the_most_units(new_server):
    server = new_server(transfers=False)
    client = server.client(service="invoicing")
    made = {create(client, Name=f"unit {number}") for number in range(500)}
    with invalid("maxInvoiceUnitsExceeded"):
        create(client)
    assert {unit["InvoiceUnitArn"] for unit in client.list_invoice_units()["InvoiceUnits"]} == made
    listed = pages(client, "list_invoice_units", "InvoiceUnits", PaginationConfig={"PageSize": 7})
    assert len(listed) == 500 and {unit["InvoiceUnitArn"] for unit in listed} == made
    page = client.list_invoice_units(MaxResults=10)
    with invalid("invalidNextToken", "NextToken"):
        client.list_invoice_units(MaxResults=10, NextToken=page["NextToken"] + "A")
    with invalid("invalidNextToken", "NextToken"):
        client.list_invoice_units(MaxResults=10, NextToken=page["NextToken"], Filters={"Names": ["unit 1"]})
    client.delete_invoice_unit(InvoiceUnitArn=made.pop())
    create(client)


def test_tags(invoicing):
    arn = create(invoicing, ResourceTags=[{"Key": "team", "Value": "blue"}])

    def tags():
        return {tag["Key"]: tag["Value"] for tag in invoicing.list_tags_for_resource(ResourceArn=arn)["ResourceTags"]}

    assert tags() == {"team": "blue"}
    invoicing.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "team", "Value": "red"}, {"Key": "cost", "Value": ""}])
    invoicing.untag_resource(ResourceArn=arn, ResourceTagKeys=["cost", "none"])
    assert tags() == {"team": "red"}
    with invalid("fieldValidationFailed", "ResourceTags"):
        invoicing.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "AWS:x", "Value": ""}])
    invoicing.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": f"k{number}", "Value": ""} for number in range(199)])
    with refused("ServiceQuotaExceededException"):
        invoicing.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "one more", "Value": ""}])
    for act in (lambda: invoicing.list_tags_for_resource(ResourceArn=NOBODY),
                lambda: invoicing.tag_resource(ResourceArn=NOBODY, ResourceTags=[]),
                lambda: invoicing.untag_resource(ResourceArn=NOBODY.replace(PAYER, "111111111111"), ResourceTagKeys=[])):
        with refused("ResourceNotFoundException"):
            act()


# ---- Profiles

def test_profiles_are_what_the_operator_says(server, invoicing, tmp_path):
    first, second, none = accounts(3)
    profile = {"AccountId": first, "ReceiverName": "Anna Ünal", "ReceiverAddress": {"AddressLine1": "Weg 1", "City": "Köln", "CountryCode": "DE"},
               "ReceiverEmail": "anna@example.com", "Issuer": "AWS_EUROPE", "TaxRegistrationNumber": "DE123456789"}
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps([profile, {"AccountId": second, "ReceiverName": "Second"}]))
    assert "2" in server.command("invoice", "profile", "put", file)
    got = invoicing.batch_get_invoice_profile(AccountIds=[second, none, first])["Profiles"]
    assert sorted(got, key=lambda of: of["AccountId"]) == [profile, {"AccountId": second, "ReceiverName": "Second"}]
    assert invoicing.batch_get_invoice_profile(AccountIds=[none])["Profiles"] == []
    table = server.command("invoice", "profile", "list")
    assert "Anna Ünal" in table and "Weg 1, Köln, DE" in table
    changed = profile | {"ReceiverName": "Berta"}
    assert server.own("PutInvoiceProfile", changed).status == 200
    assert invoicing.batch_get_invoice_profile(AccountIds=[first])["Profiles"] == [changed]
    # The audit says that it was done, and nothing of the person.
    events = server.own("ListAuditEvents").json["AuditEvents"]
    done = [event for event in events if event["Action"] == "proforma:PutInvoiceProfile"]
    assert len(done) == 3 and not any("anna@example.com" in event["Detail"] or "DE123456789" in event["Detail"] for event in done)
    assert server.own("PutInvoiceProfile", profile, server.keys(name("analyst"), "analyst")).error == "AccessDeniedException"


@pytest.mark.parametrize("operation", ["ImportInvoiceSummaries", "AttachInvoiceDocument", "PutInvoiceProfile"])
def test_what_is_known_of_awss_invoices_is_the_work_of_finance(server, operation):
    given = {"ImportInvoiceSummaries": {"Summaries": "[]"}, "PutInvoiceProfile": {"AccountId": account(), "ReceiverName": "Fin"},
             "AttachInvoiceDocument": {"InvoiceId": name("F"), "Document": base64.b64encode(PDF).decode()}}[operation]
    for role in ROLES:
        groups = [Desk(server.client()).group().arn] if role == "group-viewer" else []
        answer = server.own(operation, given, server.keys(name(role), role, groups))
        assert (answer.status == 403) == (role not in ("payer-admin", "finance")), (role, answer.body)
        assert answer.status < 500


# ---- Procurement portals

def preference(**more):
    given = {"ProcurementPortalName": "COUPA", "BuyerDomain": "NetworkID", "BuyerIdentifier": name("buyer"), "SupplierDomain": "NetworkID",
             "SupplierIdentifier": "AWS_INC", "ProcurementPortalSharedSecret": "open-sesame-1", "ProcurementPortalInstanceEndpoint": "https://portal.example/x",
             "TestEnvPreference": {"BuyerDomain": "NetworkID", "BuyerIdentifier": "b", "SupplierDomain": "NetworkID", "SupplierIdentifier": "s",
                                   "ProcurementPortalSharedSecret": "open-sesame-2"},
             "EinvoiceDeliveryEnabled": True, "PurchaseOrderRetrievalEnabled": False, "Contacts": [{"Name": "Cora", "Email": "cora@example.com"}],
             "EinvoiceDeliveryPreference": {
                 "EinvoiceDeliveryDocumentTypes": ["AWS_CLOUD_INVOICE"], "Protocol": "CXML", "ConnectionTestingMethod": "PROD_ENV_DOLLAR_TEST",
                 "PurchaseOrderDataSources": [{"EinvoiceDeliveryDocumentType": "AWS_CLOUD_INVOICE",
                                               "PurchaseOrderDataSourceType": "ASSOCIATED_PURCHASE_ORDER_REQUIRED"}],
                 "EinvoiceDeliveryActivationDate": datetime(2026, 12, 1, tzinfo=timezone.utc)}}
    return {key: value for key, value in (given | more).items() if value is not None}


def changes(given):
    """What of a preference a put takes."""
    fixed = {"ProcurementPortalName", "BuyerDomain", "BuyerIdentifier", "SupplierDomain", "SupplierIdentifier"}
    return {key: value for key, value in given.items() if key not in fixed}


def portal(client, arn):
    return client.get_procurement_portal_preference(ProcurementPortalPreferenceArn=arn)["ProcurementPortalPreference"]


def test_a_portal_preference_is_kept(invoicing):
    unit = create(invoicing)
    given = preference(Selector={"InvoiceUnitArns": [unit], "SellerOfRecords": ["AWS_INC"]})
    arn = invoicing.create_procurement_portal_preference(**given)["ProcurementPortalPreferenceArn"]
    kept = portal(invoicing, arn)
    assert kept["EinvoiceDeliveryPreferenceStatus"] == "PENDING_VERIFICATION" and "exchanges no documents" in kept["EinvoiceDeliveryPreferenceStatusReason"]
    assert "PurchaseOrderRetrievalPreferenceStatus" not in kept and kept["Version"] == 1 and kept["AwsAccountId"] == PAYER
    for key in ("BuyerIdentifier", "Selector", "EinvoiceDeliveryPreference", "Contacts", "ProcurementPortalInstanceEndpoint"):
        assert kept[key] == given[key], key
    assert "ProcurementPortalSharedSecret" not in kept and "ProcurementPortalSharedSecret" not in kept["TestEnvPreference"]
    with refused("ConflictException") as caught:
        invoicing.create_procurement_portal_preference(**given)
    assert caught.value.response["resourceId"] == arn
    listed = pages(invoicing, "list_procurement_portal_preferences", "ProcurementPortalPreferences", PaginationConfig={"PageSize": 1})
    mine = next(of for of in listed if of["ProcurementPortalPreferenceArn"] == arn)
    assert mine["Selector"] == given["Selector"] and "Contacts" not in mine and "TestEnvPreference" not in mine
    assert invoicing.delete_procurement_portal_preference(ProcurementPortalPreferenceArn=arn)["ProcurementPortalPreferenceArn"] == arn
    with refused("ResourceNotFoundException"):
        portal(invoicing, arn)


def test_what_a_portal_preference_may_not_be(invoicing):
    types = preference()["EinvoiceDeliveryPreference"]
    for change, field in [
            ({"ProcurementPortalInstanceEndpoint": "http://portal.example"}, "ProcurementPortalInstanceEndpoint"),
            ({"ProcurementPortalInstanceEndpoint": "https:portal"}, "ProcurementPortalInstanceEndpoint"),
            ({"EinvoiceDeliveryPreference": None}, "EinvoiceDeliveryPreference"),
            ({"MarketplacePunchOutEnabled": True}, "MarketplacePunchOutPreference"),
            ({"EinvoiceDeliveryPreference": types | {"EinvoiceDeliveryDocumentTypes": ["AWS_CLOUD_CREDIT_MEMO"]}},
             "EinvoiceDeliveryPreference.PurchaseOrderDataSources"),
            ({"Selector": {"InvoiceUnitArns": [NOBODY]}}, "Selector.InvoiceUnitArns"),
            ({"ResourceTags": [{"Key": "aws:x", "Value": ""}]}, "ResourceTags")]:
        with invalid("fieldValidationFailed", field):
            invoicing.create_procurement_portal_preference(**preference(**change))


def test_a_portal_is_validated_with_its_code(server, invoicing):
    given = preference(PurchaseOrderRetrievalEnabled=True)
    arn = invoicing.create_procurement_portal_preference(**given)["ProcurementPortalPreferenceArn"]
    of = {"ProcurementPortalPreferenceArn": arn}
    with refused("ConflictException"):
        invoicing.update_procurement_portal_preference_status(**of, EinvoiceDeliveryPreferenceStatus="ACTIVE")
    with invalid("invalidInput"):
        invoicing.verify_procurement_portal_validation(**of, Code="x")
    invoicing.send_procurement_portal_validation(**of)
    told = server.own("GetProcurementPortalCode", of).json
    assert told["ExpirationTime"] == SECONDS_NOW + 86400
    assert json.loads(server.command("invoice", "portal-code", arn, "--output", "json"))["Code"] == told["Code"]
    assert server.own("GetProcurementPortalCode", of, server.keys(name("analyst"), "analyst")).error == "AccessDeniedException"
    with invalid("invalidInput", "Code"):
        invoicing.verify_procurement_portal_validation(**of, Code="wrong")
    assert invoicing.verify_procurement_portal_validation(**of, Code=told["Code"])["ProcurementPortalPreferenceArn"] == arn
    kept = portal(invoicing, arn)
    assert kept["EinvoiceDeliveryPreferenceStatus"] == kept["PurchaseOrderRetrievalPreferenceStatus"] == "VALIDATED"
    invoicing.update_procurement_portal_preference_status(
        **of, EinvoiceDeliveryPreferenceStatus="ACTIVE", EinvoiceDeliveryPreferenceStatusReason="we do it by hand",
        PurchaseOrderRetrievalPreferenceStatus="SUSPENDED")
    kept = portal(invoicing, arn)
    assert (kept["EinvoiceDeliveryPreferenceStatus"], kept["EinvoiceDeliveryPreferenceStatusReason"]) == ("ACTIVE", "we do it by hand")
    with refused("ConflictException"):
        invoicing.update_procurement_portal_preference_status(**of, EinvoiceDeliveryPreferenceStatus="TEST_FAILED")
    # The same endpoint keeps what was shown of it; another one is verified again.
    put = changes(given) | of
    invoicing.put_procurement_portal_preference(**put)
    assert portal(invoicing, arn)["EinvoiceDeliveryPreferenceStatus"] == "ACTIVE"
    invoicing.put_procurement_portal_preference(**put | {"ProcurementPortalInstanceEndpoint": "https://other.example/"})
    kept = portal(invoicing, arn)
    assert kept["EinvoiceDeliveryPreferenceStatus"] == "PENDING_VERIFICATION" and kept["Version"] > 3
    with refused("ConflictException"):
        invoicing.update_procurement_portal_preference_status(**of, EinvoiceDeliveryPreferenceStatus="ACTIVE")


def test_a_code_that_is_guessed_at_ends(server, invoicing):
    arn = invoicing.create_procurement_portal_preference(**preference())["ProcurementPortalPreferenceArn"]
    of = {"ProcurementPortalPreferenceArn": arn}
    invoicing.send_procurement_portal_validation(**of)
    code = server.own("GetProcurementPortalCode", of).json["Code"]
    for number in range(5):
        with invalid("invalidInput", "Code"):
            invoicing.verify_procurement_portal_validation(**of, Code=f"guess{number}")
    with invalid("invalidInput", "Code") as caught:
        invoicing.verify_procurement_portal_validation(**of, Code=code)
    assert "too often" in str(caught.value)


def test_portals_and_suppliers(invoicing):
    portals = pages(invoicing, "list_procurement_portals", "ProcurementPortals", PaginationConfig={"PageSize": 1})
    assert [of["PortalName"] for of in portals] == ["COUPA", "SAP_BUSINESS_NETWORK"]
    suppliers = pages(invoicing, "list_procurement_portal_suppliers", "ProcurementPortalSuppliers", PortalIdentifier=portals[0]["PortalIdentifier"],
                      PaginationConfig={"PageSize": 4})
    assert len(suppliers) == 15 and {"AWS_INC", "AWS_EUROPE"} < {of["SellerOfRecord"] for of in suppliers}
    with refused("ResourceNotFoundException"):
        invoicing.list_procurement_portal_suppliers(PortalIdentifier="ARIBA")


def test_secrets_are_nowhere_in_the_clear(new_server, tmp_path):
    server = new_server(transfers=False)
    client = server.client(service="invoicing")
    arn = client.create_procurement_portal_preference(**preference())["ProcurementPortalPreferenceArn"]
    of = {"ProcurementPortalPreferenceArn": arn}
    client.send_procurement_portal_validation(**of)
    code = server.own("GetProcurementPortalCode", of).json["Code"]
    events = json.dumps(server.own("ListAuditEvents").json)
    assert "CreateProcurementPortalPreference" in events and "open-sesame" not in events and "cora@example.com" not in events and code not in events
    command("backup", tmp_path / "backup", *server.stored)
    rows = (tmp_path / "backup" / "rows.jsonl").read_text()
    assert "portal_secrets" in rows and "open-sesame" not in rows and code not in rows
    # A new master key seals them, too.
    server.stop()
    assert "4" in command("keys", "rotate-master", *server.stored)
    server.start()
    assert server.own("GetProcurementPortalCode", of).json["Code"] == code
    server.client(service="invoicing").delete_procurement_portal_preference(**of)
    command("backup", tmp_path / "after", *server.stored)
    assert '["portal_secrets"' not in (tmp_path / "after" / "rows.jsonl").read_text()


# ---- Summaries of AWS's invoices

def summary(invoice, of, issued, period=(2026, 10), **more):
    amount = {"TotalAmount": "119.00", "TotalAmountBeforeTax": "100.00", "CurrencyCode": "USD",
              "AmountBreakdown": {"SubTotalAmount": "100.00", "Taxes": {"TotalAmount": "19.00", "Breakdown": [
                  {"Description": "VAT", "Amount": "19.00", "Rate": "19"}]}}}
    return {"InvoiceId": invoice, "AccountId": of, "IssuedDate": issued, "DueDate": issued + timedelta(days=30), "BillType": "ANNIVERSARY",
            "InvoiceFrequency": "RECURRING", "InvoiceType": "INVOICE", "BillingPeriod": {"Year": period[0], "Month": period[1]},
            "Entity": {"InvoicingEntity": "Amazon Web Services, Inc.", "BillingEntity": "AWS"}, "BaseCurrencyAmount": amount} | more


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def bring(server, summaries, **more):
    """Imports summaries as AWS's clients print them."""
    text = json.dumps({"InvoiceSummaries": summaries}, default=lambda value: value.isoformat())
    return server.own("ImportInvoiceSummaries", {"Summaries": text} | more)


def listed(client, kind, value, **more):
    return pages(client, "list_invoice_summaries", "InvoiceSummaries", Selector={"ResourceType": kind, "Value": value}, **more)


def test_summaries_come_back_as_aws_told_them(server, invoicing, tmp_path):
    of = account()
    told = [summary(f"A{number}-{of}", of, day(f"2026-{9 + number:02}-02")) for number in range(3)]
    answer = bring(server, told, ClientToken=name("token"))
    assert answer.json == {"NewCount": 3, "ChangedCount": 0, "UnchangedCount": 0, "MatchedCount": 0, "Warnings": []}
    assert listed(invoicing, "ACCOUNT_ID", of) == told == listed(invoicing, "ACCOUNT_ID", of, PaginationConfig={"PageSize": 1})
    assert listed(invoicing, "INVOICE_ID", told[1]["InvoiceId"]) == [told[1]]
    # AWS says something else of one of them; through the command this time.
    told[2] |= {"PurchaseOrderNumber": "PO 7", "TaxAuthorityStatus": "ISSUED"}
    file = tmp_path / "again.json"
    file.write_text(json.dumps([{"InvoiceSummaries": told[:1]}, {"InvoiceSummaries": told[1:]}], default=str))
    row = json.loads(server.command("invoice", "import", file, "--output", "json"))["Files"][0]
    assert (row["NewCount"], row["ChangedCount"], row["UnchangedCount"]) == (0, 1, 2)
    assert listed(invoicing, "INVOICE_ID", told[2]["InvoiceId"]) == [told[2]]
    with refused("ResourceNotFoundException"):
        listed(invoicing, "INVOICE_ID", "no such invoice")
    assert listed(invoicing, "ACCOUNT_ID", account()) == []
    with invalid("fieldValidationFailed", "Selector.Value"):
        listed(invoicing, "ACCOUNT_ID", "12")


def test_a_table_of_summaries(server, invoicing, tmp_path):
    of = account()
    file = tmp_path / "summaries.csv"
    file.write_text("\ufeffInvoiceId,AccountId,IssuedDate,BillingPeriod,TotalAmount,CurrencyCode,InvoicingEntity,BillSourceAccounts\n"
                    f"\"C,1-{of}\",{of},2026-11-03,2026-10,12.34,EUR,\"Amazon Web Services EMEA SARL\",800000000001\n", encoding="utf-8")
    server.command("invoice", "import", file)
    assert listed(invoicing, "ACCOUNT_ID", of) == [{
        "InvoiceId": f"C,1-{of}", "AccountId": of, "IssuedDate": day("2026-11-03"), "BillingPeriod": {"Month": 10, "Year": 2026},
        "BaseCurrencyAmount": {"TotalAmount": "12.34", "CurrencyCode": "EUR"}, "Entity": {"InvoicingEntity": "Amazon Web Services EMEA SARL"},
        "BillSourceAccounts": ["800000000001"]}]


@pytest.mark.parametrize("text, problem", [
    ("{", "the file is no JSON"), ('{"Invoices": []}', "no `InvoiceSummaries`"), ('[{"InvoiceId": "A"}]', "[0]: AccountId is required"),
    ('[{"InvoiceId": "A", "AccountId": "111122223333", "BillType": "YEARLY"}]', "BillType must be one of"),
    ('[{"InvoiceId": "A", "AccountId": "111122223333", "IssuedDate": "yesterday"}]', "IssuedDate: `yesterday` is no date; write it as 2026-11-03"),
    ('[{"InvoiceId": "A", "AccountId": "111122223333", "BaseCurrencyAmount": {"TotalAmount": "1,00"}}]', "BaseCurrencyAmount.TotalAmount"),
    ("InvoiceId,AccountId,Amout\nA,111122223333,1\n", "there is no column `Amout`"), ("InvoiceId,AccountId\nA,1\n", "row 2: AccountId")])
def test_a_file_that_is_refused(server, text, problem):
    answer = server.own("ImportInvoiceSummaries", {"Summaries": text})
    assert answer.status == 400 and problem in answer.json["Message"], answer.body


def test_filters_and_intervals(server, invoicing):
    of = account()
    months = [(2025, 5), (2025, 6), (2026, 9), (2026, 10)]
    told = [summary(f"F{year}{month}-{of}", of, day(f"{year}-{month + 1:02}-02"), (year, month),
                    ReceiverRole="BUYER" if year == 2026 else "RESELLER") for year, month in months]
    told[3]["Entity"] = {"InvoicingEntity": "Amazon Web Services EMEA SARL"}
    bring(server, told)

    def found(**filters):
        return [of["InvoiceId"][1:7].rstrip("-") for of in listed(invoicing, "ACCOUNT_ID", of, Filter=filters)]

    def interval(start, end):
        return {"TimeInterval": {"StartDate": day(start), "EndDate": day(end)}}

    assert found(BillingPeriod={"Year": 2026, "Month": 9}) == ["20269"]
    assert found(InvoicingEntity="Amazon Web Services EMEA SARL") == ["202610"]
    assert found(ReceiverRole="BUYER") == ["20269", "202610"]
    assert found(**interval("2026-10-02", "2026-11-02")) == ["20269"], "the end is not in it"
    assert found(**interval("2025-06-01", "2026-11-03"), ReceiverRole="RESELLER") == ["20255", "20256"]
    assert found(**interval("2025-06-01", "2025-07-01")) == ["20255"]
    for filters in (interval("2026-10-01", "2026-11-02"), interval("2026-10-02", "2026-10-02"),
                    interval("2025-05-31", "2026-01-01") | {"ReceiverRole": "BUYER"},
                    interval("2025-06-01", "2030-06-03") | {"ReceiverRole": "BUYER"},
                    {"BillingPeriod": {"Year": 2025, "Month": 5}, "ReceiverRole": "BUYER"}):
        with invalid("invalidInput"):
            found(**filters)
    assert found(**interval("2025-06-01", "2030-05-31"), ReceiverRole="BUYER") == ["20269", "202610"]
    for most in (0, 101):
        assert ask(server, "ListInvoiceSummaries", {"Selector": {"ResourceType": "ACCOUNT_ID", "Value": of}, "MaxResults": most}).json["reason"] \
            == "fieldValidationFailed"


def test_invoices_of_the_cost_files_and_what_aws_says_of_them(new_server, tmp_path):
    server = new_server(transfers=False)
    server.load(COST)
    client = server.client(service="invoicing")
    found = listed(client, "ACCOUNT_ID", PAYER)
    [book] = server.data.glob("payers/*/runs/**/book.toml")
    told = json.loads(subprocess.run([PROGRAM, "invoice", "aws", "--run", book.parent, "--output", "json"], capture_output=True, check=True).stdout)
    told = {row["invoice_id"]: row for row in told if row["invoice_id"]}
    assert found and {of["InvoiceId"] for of in found} == set(told)
    for of in found:
        row, amount = told[of["InvoiceId"]], of["BaseCurrencyAmount"]
        assert (amount["TotalAmount"], amount["CurrencyCode"]) == (row["total"], row["currency"])
        assert Decimal(amount["TotalAmountBeforeTax"]) + Decimal(amount["AmountBreakdown"]["Taxes"]["TotalAmount"]) == Decimal(row["total"])
        assert of["BillingPeriod"] == {"Year": 2026, "Month": 10} and of["AccountId"] == PAYER and "IssuedDate" not in of
    # AWS's list has one of them otherwise, one that is nowhere else, and not the others.
    first = found[0]
    otherwise = first | {"BaseCurrencyAmount": first["BaseCurrencyAmount"] | {"TotalAmount": "1.00"}}
    bring(server, [otherwise, summary("ELSEWHERE", PAYER, day("2026-11-02"))])
    answer = json.loads(server.command("invoice", "reconcile", PREVIOUS, "--output", "json"))
    differences = {(of["InvoiceId"], of["Difference"]) for of in answer["Differences"]}
    assert {(first["InvoiceId"], "TOTAL"), ("ELSEWHERE", "MISSING_IN_COST_FILES")} <= differences
    assert {of["InvoiceId"] for of in found[1:]} == {invoice for invoice, what in differences if what == "MISSING_IN_LIST"}
    assert answer["InvoiceCount"] == 2
    # What AWS says stands in place of what the cost files tell.
    assert listed(client, "INVOICE_ID", first["InvoiceId"]) == [otherwise]
    bring(server, found)
    agreed = server.own("ReconcileInvoices", {"BillingPeriod": PREVIOUS}).json["Differences"]
    assert [of["InvoiceId"] for of in agreed] == ["ELSEWHERE"]
    assert "shows no run" in server.own("ReconcileInvoices", {"BillingPeriod": "2026-09"}).json["Message"]
    assert "no amount" in server.own("ReconcileInvoices", {"BillingPeriod": PREVIOUS, "Tolerance": "-1"}).json["Message"]


# ---- Documents

def fetched(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read(), answer.headers


def test_the_document_of_an_invoice_is_behind_its_link(server, invoicing, tmp_path):
    invoice = f"E/{account()}"
    with refused("ResourceNotFoundException") as caught:
        invoicing.get_invoice_pdf(InvoiceId=invoice)
    assert "there is no invoice" in str(caught.value)
    bring(server, [summary(invoice, account(), day("2026-11-02"))])
    with refused("ResourceNotFoundException") as caught:
        invoicing.get_invoice_pdf(InvoiceId=invoice)
    assert "proforma invoice attach" in str(caught.value)
    file, xml = tmp_path / "invoice.pdf", tmp_path / "e.xml"
    file.write_bytes(PDF)
    xml.write_text('<?xml version="1.0"?><Invoice/>')
    server.command("invoice", "attach", invoice, file)
    server.command("invoice", "attach", invoice, xml, "--type", "TAX_E_INVOICE", "--id", "E-1")
    got = invoicing.get_invoice_pdf(InvoiceId=invoice)["InvoicePDF"]
    assert got["InvoiceId"] == invoice and got["DocumentUrl"].startswith(f"{server.endpoint}/invoice-documents/")
    left = got["DocumentUrlExpirationDate"] - datetime.now(timezone.utc)
    assert timedelta(minutes=55) < left <= timedelta(hours=1)
    content, headers = fetched(got["DocumentUrl"])
    assert content == PDF and headers["Content-Type"] == "application/pdf" and headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r'attachment; filename="invoice-E_\d{12}\.pdf"', headers["Content-Disposition"])
    [more] = got["SupplementalDocuments"]
    assert (more["DocumentType"], more["DocumentId"]) == ("TAX_E_INVOICE", "E-1") and fetched(more["DocumentUrl"])[0] == xml.read_bytes()
    # AWS delivers a better one: the new link opens it, and the old one what it was made for.
    file.write_bytes(PDF + b"again")
    server.command("invoice", "attach", invoice, file)
    again = invoicing.get_invoice_pdf(InvoiceId=invoice)["InvoicePDF"]["DocumentUrl"]
    assert fetched(again)[0] == PDF + b"again" and fetched(got["DocumentUrl"])[0] == PDF


def test_a_link_that_opens_nothing(server, invoicing, tmp_path):
    invoice, file = f"L-{account()}", tmp_path / "invoice.pdf"
    file.write_bytes(PDF)
    server.command("invoice", "attach", invoice, file)
    url = invoicing.get_invoice_pdf(InvoiceId=invoice)["InvoicePDF"]["DocumentUrl"]
    token = url.rsplit("/", 1)[1]
    changed = ("A" if token[50] != "A" else "B").join([token[:50], token[51:]])
    page = invoicing.list_procurement_portals(MaxResults=1)["NextToken"]
    for bad in (changed, token[:-1], page, "x", "%00", "..%2f..%2fmaster.key"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetched(f"{server.endpoint}/invoice-documents/{bad}")
        assert caught.value.code == 403, bad
    assert server.send("POST", f"/invoice-documents/{token}", b"").status == 405
    keys = server.keys(name("viewer"), "group-viewer", [Desk(server.client()).group().arn])
    # To a customer, an invoice of AWS to the payer is as good as none.
    bring(server, [summary(f"{invoice}-S", account(), day("2026-11-02"))])
    for of in (invoice, f"{invoice}-S", "nowhere"):
        answer = ask(server, "GetInvoicePDF", {"InvoiceId": of}, keys)
        assert (answer.error, answer.json["message"]) == ("ResourceNotFoundException", f"there is no invoice `{of}`")


def test_documents_that_are_refused(server, tmp_path):
    file = tmp_path / "invoice.pdf"

    def told(content, *more):
        file.write_bytes(content)
        ended = subprocess.run([PROGRAM, "invoice", "attach", "X1", file, *more, "--endpoint", server.endpoint], capture_output=True, text=True,
                               env=dict(QUIET, **server.root.environment))
        assert ended.returncode != 0, ended.stdout
        return ended.stderr

    assert "is a PDF; this is none" in told(b"<html>")
    assert "Document" in told(b"")
    assert "--id" in told(PDF, "--type", "SUPPLEMENT")
    answer = server.own("AttachInvoiceDocument", {"InvoiceId": "X1", "Document": "JVBERi0=", "DocumentId": "a"})
    assert answer.status == 400 and "only a supplemental document has an id" in answer.json["Message"]


def test_the_public_url_begins_links(new_server, tmp_path):
    server = new_server(start=False)
    server.options = ["--public-url", "https://desk.example/"]
    server.start()
    (tmp_path / "a.pdf").write_bytes(PDF)
    server.command("invoice", "attach", "P1", tmp_path / "a.pdf")
    url = server.client(service="invoicing").get_invoice_pdf(InvoiceId="P1")["InvoicePDF"]["DocumentUrl"]
    assert url.startswith("https://desk.example/invoice-documents/")


def test_a_backup_has_all_of_it(new_server, tmp_path):
    server = new_server(transfers=False)
    client = server.client(service="invoicing")
    arn = create(client, ["111111111111"], PAYER, ResourceTags=[{"Key": "a", "Value": "b"}])
    portal_arn = client.create_procurement_portal_preference(**preference())["ProcurementPortalPreferenceArn"]
    told = summary("B1", PAYER, day("2026-11-02"))
    bring(server, [told])
    (tmp_path / "a.pdf").write_bytes(PDF)
    server.command("invoice", "attach", "B1", tmp_path / "a.pdf")
    command("backup", tmp_path / "backup", *server.stored)
    again = Server(tmp_path / "again", now=server.now, root=server.root)
    command("restore", tmp_path / "backup", *again.stored)
    shutil.copy(server.data / "master.key", again.data / "master.key")
    assert "Documents: 1" in command("verify", *again.stored)
    again.start()
    try:
        there = again.client(service="invoicing")
        assert get(there, arn) == get(client, arn)
        assert there.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == [{"Key": "a", "Value": "b"}]
        assert portal(there, portal_arn) == portal(client, portal_arn)
        assert listed(there, "ACCOUNT_ID", PAYER) == [told]
        assert fetched(there.get_invoice_pdf(InvoiceId="B1")["InvoicePDF"]["DocumentUrl"])[0] == PDF
    finally:
        again.stop()
    document = next((again.data / "payers" / PAYER / "documents").iterdir())
    document.write_bytes(b"%PDF-other")
    ended = subprocess.run([PROGRAM, "verify", *again.stored], capture_output=True, text=True)
    assert ended.returncode == 2 and "is not the file that its name says" in ended.stderr


def test_another_payer_sees_nothing_of_it(new_server):
    server = new_server(transfers=False)
    server.stop()
    made = json.loads(command("init", *server.stored, "--payer", "888888888888", "--output", "json"))
    server.start()
    arn = create(server.client(service="invoicing"), ["111111111111"], PAYER)
    other = server.client(Keys(made["AccessKeyId"], made["SecretAccessKey"]), service="invoicing")
    assert other.list_invoice_units()["InvoiceUnits"] == []
    with refused("ResourceNotFoundException"):
        get(other, arn)
    with refused("ResourceNotFoundException"):
        other.tag_resource(ResourceArn=arn, ResourceTags=[])
    assert create(other, ["111111111111"], "888888888888").startswith("arn:aws:invoicing::888888888888:")


# ---- The AWS CLI

def test_the_aws_cli(server, invoicing, tmp_path):
    shutil.copytree(pathlib.Path(botocore.__file__).parent / "data" / "invoicing", tmp_path / "invoicing")
    environment = QUIET | server.root.environment | {
        "AWS_DATA_PATH": str(tmp_path), "PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_ENDPOINT_URL_INVOICING": server.endpoint}
    arn = create(invoicing, Name=name("from the CLI"))

    def aws(*arguments):
        ended = subprocess.run([sys.executable, "-m", "awscli", "invoicing", *arguments], capture_output=True, text=True, timeout=60, env=environment)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    found = aws("list-invoice-units", "--filters", json.dumps({"Names": [get(invoicing, arn)["Name"]]}))
    assert [unit["InvoiceUnitArn"] for unit in found["InvoiceUnits"]] == [arn]
    of = account()
    bring(server, [summary(f"Z-{of}", of, day("2026-11-02"))])
    told = aws("list-invoice-summaries", "--selector", f"ResourceType=ACCOUNT_ID,Value={of}")
    # What the CLI prints is what is imported.
    answer = server.own("ImportInvoiceSummaries", {"Summaries": json.dumps(told)})
    assert answer.json == {"NewCount": 0, "ChangedCount": 0, "UnchangedCount": 1, "MatchedCount": 0, "Warnings": []}
