"""AWS's billing views as boto3 meets them: those that follow from billing groups, those that are made of others, and who sees which."""
import datetime
import json
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError

from desk import Desk, account, name
from server import CURRENT, PAYER, PREVIOUS, SECONDS_NOW, in_period

OPERATIONS = {"AssociateSourceViews", "CreateBillingView", "DeleteBillingView", "DisassociateSourceViews", "GetBillingView", "GetResourcePolicy",
              "ListBillingViews", "ListSourceViewsForBillingView", "ListTagsForResource", "TagResource", "UntagResource", "UpdateBillingView"}
CUSTOMERS = {"GetBillingView", "GetResourcePolicy", "ListBillingViews", "ListSourceViewsForBillingView"}
READS = CUSTOMERS | {"ListTagsForResource"}
PRIMARY = f"arn:aws:billing::{PAYER}:billingview/primary"
NOBODYS = f"arn:aws:billing::{PAYER}:billingview/custom-nobody0000"


def day(month, number, hour=0):
    return datetime.datetime(2026, month, number, hour, tzinfo=datetime.UTC)


@pytest.fixture
def views(server):
    """A client of the server as it now is: a test restarts it."""
    return server.client(service="billing")


@pytest.fixture
def desk(server):
    return Desk(server.client())


@contextmanager
def refused(code, reason=None, field=None):
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer.get("reason")) == (code, reason), caught.value
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400 and answer["Error"]["Message"]
    if field:
        assert field in [item["name"] for item in answer.get("fieldList", [])], answer


def invalid(field=None, reason="fieldValidationFailed"):
    return refused("ValidationException", reason, field)


def ask(server, operation, given=None, keys=None):
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AWSBilling.{operation}"}
    return server.ask("POST", "/", json.dumps(given or {}).encode(), keys, headers=headers, service="billing")


def view_of(group):
    return f"arn:aws:billing::{PAYER}:billingview/billing-group-{group.id}"


def create(views, *sources, **more):
    return views.create_billing_view(**({"name": name("view"), "sourceViews": list(sources)} | more))["arn"]


def get(views, arn):
    return views.get_billing_view(arn=arn)["billingView"]


def listed(views, **more):
    pages = views.get_paginator("list_billing_views").paginate(**more)
    return [view["arn"] for page in pages for view in page["billingViews"]]


# ---- What follows from the configuration

def test_the_primary_view_and_one_of_each_billing_group(views, desk):
    group = desk.group()
    arns = listed(views)
    assert arns[0] == PRIMARY and view_of(group) in arns and len(set(arns)) == len(arns)
    primary, of_group = get(views, PRIMARY), get(views, view_of(group))
    assert primary == {"arn": PRIMARY, "name": "Primary View", "billingViewType": "PRIMARY", "ownerAccountId": PAYER, "derivedViewCount": 0,
                       "sourceViewCount": 0, "healthStatus": {"statusCode": "HEALTHY"}} | {"derivedViewCount": primary["derivedViewCount"]}
    assert (of_group["name"], of_group["billingViewType"], of_group["createdAt"].timestamp()) == (group.name, "BILLING_GROUP", SECONDS_NOW)
    transferred = desk.transfer_group()
    assert get(views, view_of(transferred))["billingViewType"] == "BILLING_TRANSFER_SHOWBACK"


def test_a_view_of_a_group_is_listed_for_the_months_in_which_it_was_active(server, views):
    early = Desk(in_period(server.client(), PREVIOUS))
    group, late = early.group(), Desk(server.client()).group()
    october = {"activeAfterInclusive": day(10, 1), "activeBeforeInclusive": day(10, 31, 23)}
    november = {"activeAfterInclusive": day(11, 1), "activeBeforeInclusive": day(11, 1)}
    arns = listed(views, activeTimeRange=october)
    assert view_of(group) in arns and view_of(late) not in arns and PRIMARY in arns
    assert {view_of(group), view_of(late)} <= set(listed(views, activeTimeRange=november))
    server.client().delete_billing_group(Arn=group.arn)
    assert view_of(group) not in listed(views, activeTimeRange=november)
    # What it was billed stays: without a range, its view is listed, and it may be asked for.
    assert view_of(group) in listed(views) and view_of(group) in listed(views, activeTimeRange=october)
    assert get(views, view_of(group))["name"] == group.name
    for wrong in ({"activeAfterInclusive": day(10, 31), "activeBeforeInclusive": day(11, 1)},
                  {"activeAfterInclusive": day(10, 2), "activeBeforeInclusive": day(10, 1)}):
        with invalid("activeTimeRange"):
            views.list_billing_views(activeTimeRange=wrong)


def test_views_are_filtered_and_come_in_pages(views, desk):
    groups = [desk.group(Name=name("Zebra")) for _ in range(3)]
    arns = [view_of(group) for group in groups]
    custom = create(views, arns[0], name=name("Zebra"))
    found = lambda **more: set(listed(views, **more))  # noqa: E731
    assert found(names=[{"searchOption": "STARTS_WITH", "searchValue": "Zebra"}]) == {*arns, custom}
    assert found(arns=[arns[1], custom, NOBODYS]) == {arns[1], custom}
    assert found(billingViewTypes=["PRIMARY"]) == {PRIMARY}
    assert custom in found(billingViewTypes=["CUSTOM"]) and arns[0] not in found(billingViewTypes=["CUSTOM"])
    assert custom in found(sourceAccountId=PAYER) and PRIMARY not in found(sourceAccountId=PAYER)
    assert found(sourceAccountId=account()) == found(ownerAccountId=account()) == set()
    assert found(ownerAccountId=PAYER) == found()
    whole = listed(views)
    assert listed(views, PaginationConfig={"PageSize": 2}) == whole
    first = views.list_billing_views(maxResults=1)
    assert [view["arn"] for view in first["billingViews"]] == whole[:1]
    with invalid(reason="other"):
        views.list_billing_views(maxResults=1, billingViewTypes=["CUSTOM"], nextToken=first["nextToken"])


# ---- Custom views

def test_a_view_from_its_making_to_its_end(server, views, desk):
    group, other = desk.group(2), desk.group()
    by_account = {"dimensions": {"key": "LINKED_ACCOUNT", "values": group.accounts[:1]}}
    made = views.create_billing_view(name="EU only", description="what the office pays", sourceViews=[view_of(group)], dataFilterExpression=by_account,
                                     resourceTags=[{"key": "team", "value": "a"}, {"key": "bare"}])
    arn = made["arn"]
    assert made["createdAt"].timestamp() == SECONDS_NOW and arn.startswith(f"arn:aws:billing::{PAYER}:billingview/custom-")
    assert get(views, arn) == {
        "arn": arn, "name": "EU only", "description": "what the office pays", "billingViewType": "CUSTOM", "ownerAccountId": PAYER, "sourceAccountId": PAYER,
        "dataFilterExpression": by_account, "createdAt": made["createdAt"], "updatedAt": made["createdAt"], "derivedViewCount": 0, "sourceViewCount": 1,
        "healthStatus": {"statusCode": "HEALTHY"}}
    tags = lambda: {tag["key"]: tag["value"] for tag in views.list_tags_for_resource(resourceArn=arn)["resourceTags"]}  # noqa: E731
    assert tags() == {"team": "a", "bare": ""}
    views.tag_resource(resourceArn=arn, resourceTags=[{"key": "team", "value": "b"}])
    views.untag_resource(resourceArn=arn, resourceTagKeys=["bare", "unknown"])
    assert tags() == {"team": "b"}
    by_tag = {"tags": {"key": "user:team", "values": ["a", ""]}, "timeRange": {"beginDateInclusive": day(10, 1), "endDateInclusive": day(10, 31)}}
    assert views.update_billing_view(arn=arn, name="EU", dataFilterExpression=by_tag)["updatedAt"].timestamp() == SECONDS_NOW
    assert (get(views, arn)["name"], get(views, arn)["description"]) == ("EU", "what the office pays")
    assert get(views, arn)["dataFilterExpression"]["timeRange"] == by_tag["timeRange"]
    # An empty expression takes the filter away.
    views.update_billing_view(arn=arn, dataFilterExpression={}, description="")
    assert not {"dataFilterExpression", "description"} & set(get(views, arn))
    assert views.associate_source_views(arn=arn, sourceViews=[view_of(other), PRIMARY])["arn"] == arn
    sources = sorted([view_of(group), view_of(other), PRIMARY])
    assert sorted(views.list_source_views_for_billing_view(arn=arn)["sourceViews"]) == sources
    pages = views.get_paginator("list_source_views_for_billing_view").paginate(arn=arn, PaginationConfig={"PageSize": 1})
    assert sorted(source for page in pages for source in page["sourceViews"]) == sources
    assert get(views, view_of(other))["derivedViewCount"] == 1
    views.disassociate_source_views(arn=arn, sourceViews=[PRIMARY, view_of(group)])
    assert views.list_source_views_for_billing_view(arn=arn)["sourceViews"] == [view_of(other)]
    assert views.get_resource_policy(resourceArn=arn)["resourceArn"] == arn
    server.restart()
    again = server.client(service="billing")
    assert get(again, arn)["sourceViewCount"] == 1
    assert again.delete_billing_view(arn=arn)["arn"] == arn == again.delete_billing_view(arn=arn)["arn"]
    for act in (lambda: get(again, arn), lambda: again.update_billing_view(arn=arn, name="more"), lambda: again.list_tags_for_resource(resourceArn=arn)):
        with refused("ResourceNotFoundException") as caught:
            act()
        assert (caught.value.response["resourceId"], caught.value.response["resourceType"]) == (arn, "billing view")
    audit, token = "", None
    while token or not audit:
        page = server.own("ListAuditEvents", {"MaxResults": 1000} | ({"NextToken": token} if token else {})).json
        audit, token = audit + json.dumps(page), page.get("NextToken")
    assert all(f"billing:{operation}" in audit for operation in ("CreateBillingView", "AssociateSourceViews", "DeleteBillingView", "TagResource"))


def test_a_create_that_is_repeated_makes_one_view(views, desk):
    given = {"name": name("view"), "sourceViews": [view_of(desk.group())], "clientToken": name("token")}
    assert views.create_billing_view(**given)["arn"] == views.create_billing_view(**given)["arn"]
    with invalid(reason="other"):
        views.create_billing_view(**given | {"name": name("view")})


def test_what_a_view_may_not_be(views, desk):
    group = desk.group()
    of_group = view_of(group)
    arn = create(views, of_group)
    with refused("ConflictException") as caught:
        create(views, of_group, name=get(views, arn)["name"])
    assert (caught.value.response["resourceId"], caught.value.response["resourceType"]) == (arn, "billingview")
    for source in (NOBODYS, view_of(desk.group()).replace(PAYER, "888888888888"), f"arn:aws:billing::{PAYER}:billingview/billing-group-123456789012"):
        with refused("ResourceNotFoundException") as caught:
            create(views, source)
        assert caught.value.response["resourceId"] == source
    two = {"dimensions": {"key": "LINKED_ACCOUNT", "values": [group.primary]}, "tags": {"key": "a", "values": ["b"]}}
    for wrong in (two, {"dimensions": {"key": "LINKED_ACCOUNT", "values": ["12345"]}},
                  {"timeRange": {"beginDateInclusive": day(10, 2), "endDateInclusive": day(10, 1)}}):
        with invalid("dataFilterExpression"):
            create(views, of_group, dataFilterExpression=wrong)
    with invalid("resourceTags"):
        create(views, of_group, resourceTags=[{"key": "aws:x", "value": "y"}])
    with invalid("sourceViews"):
        views.disassociate_source_views(arn=arn, sourceViews=[of_group])
    with invalid("sourceViews"):
        views.disassociate_source_views(arn=arn, sourceViews=[PRIMARY])
    for act in (lambda arn: views.delete_billing_view(arn=arn), lambda arn: views.update_billing_view(arn=arn, name="mine"),
                lambda arn: views.tag_resource(resourceArn=arn, resourceTags=[{"key": "a", "value": "b"}])):
        for derived in (PRIMARY, of_group):
            with invalid("arn"):
                act(derived)


def test_views_stand_upon_each_other(views, desk):
    base = create(views, view_of(desk.group()))
    chain = [base]
    for _ in range(4):
        chain.append(create(views, chain[-1]))
    with invalid("sourceViews"):
        create(views, chain[-1])
    with invalid("sourceViews"):
        views.associate_source_views(arn=base, sourceViews=[chain[2]])
    with refused("ConflictException") as caught:
        views.delete_billing_view(arn=chain[1])
    assert caught.value.response["resourceId"] == chain[2]
    views.delete_billing_view(arn=chain[1], force=True)
    health = lambda arn: get(views, arn)["healthStatus"]  # noqa: E731
    assert health(chain[2]) == {"statusCode": "UNHEALTHY", "statusReasons": ["SOURCE_VIEW_NOT_FOUND"]}
    assert health(chain[3]) == {"statusCode": "UNHEALTHY", "statusReasons": ["SOURCE_VIEW_UNHEALTHY"]}
    for act in (lambda: views.update_billing_view(arn=chain[2], name="anew"), lambda: create(views, chain[3]),
                lambda: views.associate_source_views(arn=base, sourceViews=[chain[3]])):
        with refused("BillingViewHealthStatusException"):
            act()
    # It heals with another source in place of the one that is gone.
    views.associate_source_views(arn=chain[2], sourceViews=[PRIMARY])
    views.disassociate_source_views(arn=chain[2], sourceViews=[chain[1]])
    assert health(chain[2]) == health(chain[4]) == {"statusCode": "HEALTHY"}


def test_a_view_has_a_number_of_sources(views, desk):
    arn = create(views, view_of(desk.group()))
    groups = [view_of(desk.group()) for _ in range(20)]
    for begin in (0, 10):
        last = groups[begin:begin + 10] if begin == 0 else groups[10:19]
        views.associate_source_views(arn=arn, sourceViews=last)
    with refused("ServiceQuotaExceededException") as caught:
        views.associate_source_views(arn=arn, sourceViews=groups[19:])
    assert {"resourceId", "resourceType", "serviceCode", "quotaCode"} <= set(caught.value.response)
    assert caught.value.response["quotaCode"] == "MAX_SOURCE_VIEWS"


# ---- Who sees what

@pytest.mark.parametrize("role", ["payer-admin", "finance", "analyst", "group-viewer"])
def test_who_may(server, role):
    groups = [Desk(server.client()).group().arn] if role == "group-viewer" else []
    keys = server.keys(name(role), role, groups)
    for operation in OPERATIONS:
        may = role == "payer-admin" or operation in (CUSTOMERS if role == "group-viewer" else READS)
        answer = ask(server, operation, {}, keys)
        assert (answer.error == "AccessDeniedException") == (not may), (operation, answer.body)
        assert answer.status < 500, (operation, answer.body)


def test_errors_are_in_the_words_of_the_service(server):
    answer = ask(server, "CreateBillingView", {"name": ""})
    said = answer.json
    assert answer.status == 400 and answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert said["__type"] == "ValidationException" and said["reason"] == "fieldValidationFailed"
    assert {item["name"] for item in said["fieldList"]} == {"name", "sourceViews"}
    assert ask(server, "ListBillingViewSegments").error == "UnknownOperationException"
    assert ask(server, "CreateBillingView", {}, server.keys(name("analyst"), "analyst")).json["__type"] == "AccessDeniedException"


def test_a_customer_sees_what_is_made_of_its_own_group_alone(server, desk):
    admin = server.client(service="billing")
    ours, theirs = desk.group(2), desk.group()
    own, of_theirs, of_both = create(admin, view_of(ours), description="a secret of the operator"), create(admin, view_of(theirs)), create(admin, view_of(ours), view_of(theirs))
    upon = create(admin, own)
    of_all = create(admin, PRIMARY)
    first = create(admin, view_of(ours), dataFilterExpression={"dimensions": {"key": "LINKED_ACCOUNT", "values": ours.accounts[:1]}})
    upon_first = create(admin, first)
    keys = server.keys(name("viewer"), "group-viewer", [ours.arn])
    customer = server.client(keys, service="billing")
    assert set(listed(customer)) == {view_of(ours), own, upon, first, upon_first}
    assert listed(customer, billingViewTypes=["PRIMARY"]) == listed(customer, arns=[view_of(theirs), of_both]) == []
    assert "description" not in get(customer, own) and get(customer, view_of(ours))["derivedViewCount"] == 2
    assert b"secret" not in ask(server, "ListBillingViews", {}, keys).body
    told = set()
    for hidden in (PRIMARY, view_of(theirs), of_theirs, of_both, of_all, NOBODYS, NOBODYS.replace(PAYER, "888888888888")):
        for operation, member in (("GetBillingView", "arn"), ("ListSourceViewsForBillingView", "arn"), ("GetResourcePolicy", "resourceArn")):
            answer = ask(server, operation, {member: hidden}, keys)
            assert answer.error == "ResourceNotFoundException", answer.body
            told.add(answer.body.decode().replace(hidden, "ARN"))
    assert len(told) == 1, told
    # Whoever is narrowed to an account reads of no other one.
    narrow = server.client(server.keys(name("narrow"), "group-viewer", [ours.arn], ours.accounts[1:]), service="billing")
    assert set(listed(narrow)) == {view_of(ours), own, upon}
    # A part of a view that is gone could have been anybody's.
    admin.delete_billing_view(arn=own, force=True)
    assert set(listed(customer)) == {view_of(ours), first, upon_first}


def test_another_payer_sees_nothing(new_server, server, views, desk):
    arn = create(views, view_of(desk.group()))
    other = new_server(payer="888888888888", transfers=False).client(service="billing")
    assert listed(other) == ["arn:aws:billing::888888888888:billingview/primary"]
    with refused("ResourceNotFoundException"):
        get(other, arn)


def test_a_viewer_of_a_past_group_sees_its_view(server, desk):
    group = Desk(in_period(server.client(), PREVIOUS)).group()
    keys = server.keys(name("viewer"), "group-viewer", [group.arn])
    server.client().delete_billing_group(Arn=group.arn)
    assert listed(server.client(keys, service="billing")) == [view_of(group)]
    assert CURRENT == "2026-11"
