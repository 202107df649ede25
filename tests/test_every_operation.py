"""Every operation of every service, asked by whoever must not know or change: what is another customer's, the payer's, AWS's cost and the margin are in no answer.

The operations are those of the models that the server answers by; one without its requests in `every_operation` fails here. Who asks are a customer's viewer, one of an
account of it, a viewer and an administrator of another payer, the payer's own people who only read, somebody without a signature and somebody with a wrong key.
"""
import base64
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

import organizations
from desk import TRANSFERS, Desk, name, pages, transfers_book
from every_operation import ABOVE, PDF, SERVICES, budget_of, category_rules, every, export_of, mail, order_of, report_of, requests, saved_of
from policy_months import PolicyMonth
from program import ROOT
from purchasing import CLIENTS, summary
from server import CURRENT, PAYER, PREVIOUS, REGION, SECONDS_TO_ANSWER, Answer, Keys, command, in_period
from smtp import MailServer
from test_issued_invoices import ACME, ALL, done
from test_outbox import options

MODELS = {model["service"]: model for model in (json.loads(path.read_text()) for path in (ROOT / "crates" / "aws-api" / "models").glob("*.json"))}
OPERATIONS = {(service, operation) for service, model in MODELS.items() for operation in model["operations"]}
SECOND_PAYER = "888888888888"
# What AWS charges for each line of anybody; the margin on it follows from it.
CANARY = "31415926.5358979323"
# What a viewer writes: orders, budgets and reports of its own.
OWN_WORK = {
    ("budgets", operation) for operation in MODELS["budgets"]["operations"]} | {
    ("purchase-orders", operation) for operation in MODELS["purchase-orders"]["operations"]} | {
    ("proforma", operation) for operation in ("PutSavedReport", "DeleteSavedReport")}
# What a viewer reads; the rest of all operations is refused to it before anything is looked for.
OWN_READS = {
    ("billing", "GetBillingView"), ("billing", "GetResourcePolicy"), ("billing", "ListBillingViews"), ("billing", "ListSourceViewsForBillingView"),
    *(("billingconductor", operation) for operation in (
        "GetBillingGroupCostReport", "ListAccountAssociations", "ListBillingGroupCostReports", "ListBillingGroups", "ListCustomLineItemVersions", "ListCustomLineItems")),
    *(("ce", operation) for operation in (
        "GetCostAndUsage", "GetCostAndUsageComparisons", "GetCostAndUsageWithResources", "GetCostCategories", "GetCostForecast", "GetDimensionValues", "GetTags",
        "GetUsageForecast")),
    ("invoicing", "GetInvoicePDF"), ("organizations", "DescribeAccount"), ("organizations", "ListAccounts"), ("sts", "GetCallerIdentity"),
    *(("proforma", operation) for operation in (
        "GetInvoice", "GetInvoiceDocument", "GetInvoiceMatch", "GetPurchaseOrderForecast", "GetSavedReport", "ListInvoiceMatches", "ListInvoices",
        "ListPurchaseOrderRevisions", "ListSavedReports", "RunSavedReport"))}
READING = ("List", "Get", "Describe", "BatchGet", "Export", "Plan", "Preview", "Reconcile", "RunSaved")
# Of what a customer's people see, these have figures that are theirs.
OF_COSTS = {"GetBillingGroupCostReport", "ListBillingGroupCostReports", "GetCostAndUsage", "GetInvoice", "DescribeBudget", "DescribeBudgets", "GetPurchaseOrder",
            "RunSavedReport"}


# ---- Asking

class Asker:
    """Somebody with unmodified clients of boto3; the answers are looked at as they came."""

    def __init__(self, server, keys, **config):
        self.server, self.keys, self.clients, self.config, self.last = server, keys, {}, config, None

    def __call__(self, service, operation, given):
        if service == "proforma":
            return self.server.own(operation, given, self.keys) if not self.config else self.unsigned(operation, given)
        client, self.last = self.client(service), None
        methods = {of: method for method, of in client.meta.method_to_api_mapping.items()}
        try:
            getattr(client, methods[operation])(**given)
        except ClientError:
            pass
        return self.last

    def unsigned(self, operation, given):
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"Proforma.{operation}"}
        return self.server.send("POST", "/", json.dumps(given).encode(), headers)

    def client(self, service):
        if service not in self.clients:
            session = boto3.session.Session(self.keys.access_key_id, self.keys.secret_access_key, region_name=REGION)
            session._loader.search_paths.append(str(CLIENTS))
            config = Config(retries={"total_max_attempts": 1}, read_timeout=SECONDS_TO_ANSWER, **self.config)
            client = session.client(service, endpoint_url=self.server.endpoint, config=config)
            client.meta.events.register("after-call.*.*", self.keep)
            self.clients[service] = client
        return self.clients[service]

    def keep(self, http_response, **_):
        headers = {key.lower(): value for key, value in http_response.headers.items()}
        self.last = Answer(http_response.status_code, headers, http_response.content)


def text_of(answer):
    """All that an answer says: its headers, its body, and the documents within it."""
    body = answer.body.decode()
    documents = re.findall(r'"(?:Document|Content)":"([A-Za-z0-9+/=]{8,})"', body)
    return "\n".join([body, repr(answer.headers), *(base64.b64decode(of, validate=False).decode(errors="replace") for of in documents)])


def is_refused(answer):
    return answer.status in (400, 403, 404)


def code(answer):
    """The name of the error, wherever the protocol has it."""
    found = answer.error or answer.json.get("__type", "") if answer.body.startswith(b"{") else re.findall(rb"<Code>(.*?)</Code>", answer.body)[0].decode()
    return found.rsplit("#", 1)[-1]


# ---- The world

def customer(desk, name_, members, plan):
    group = desk.group(members, plan=plan, Name=name_, Description=f"what is known of {name_}", Tags={"secret": name_})
    flat = desk.flat(group, 1234.5, Name=f"{name_}-fee", Description=f"Care of {name_}", BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    share = desk.percentage(group, 3, [group.arn, flat], Name=f"{name_}-share", BillingPeriodRange={"InclusiveStartBillingPeriod": PREVIOUS})
    return SimpleNamespace(name=name_, of=group, group=group.arn, accounts=group.accounts, flat=flat, share=share, plan=plan, is_customer=True, payer=PAYER,
                           view=f"arn:aws:billing::{PAYER}:billingview/billing-group-{group.id}", service=f"{name_}Service", tag=f"{name_}-team",
                           email=f"{name_}@example.com", budget=f"{name_}-budget", budget_arn=f"arn:aws:budgets::{PAYER}:budget/{name_}-budget",
                           saved=f"{name_}-saved", report=f"{name_}-report", aws_invoice=f"INV-{name_}")


def things(world, of, keys):
    """What somebody keeps beside its groups: views, budgets, reports, orders, exports, invoice units; `keys` are of whoever keeps it."""
    server, root = world.server, world.server.root
    of.custom = server.client(service="billing").create_billing_view(
        name=f"{of.name}-custom", description=f"what is known of {of.name}", sourceViews=[of.view], resourceTags=[{"key": "secret", "value": of.name}])["arn"]
    of.category = server.client(service="ce").create_cost_category_definition(
        Name=f"{of.name}-kind", RuleVersion="CostCategoryExpression.v1", Rules=category_rules(of), EffectiveStart=f"{PREVIOUS}-01T00:00:00Z",
        ResourceTags=[{"Key": "secret", "Value": of.name}])["CostCategoryArn"]
    alert = {"Notification": ABOVE, "Subscribers": [mail(of.email)]}
    server.client(keys, service="budgets").create_budget(
        AccountId=PAYER, Budget=budget_of(of), NotificationsWithSubscribers=[alert], ResourceTags=[{"Key": "secret", "Value": of.name}])
    done(server.own("PutSavedReport", saved_of(of, Description=f"what is known of {of.name}"), keys))
    of.order = Asker(server, root).client("purchase-orders").add_purchase_order(**order_of(of, Description=f"of {of.name}", Tags={"secret": of.name}))["PurchaseOrderArn"]
    row = {"InvoiceId": of.aws_invoice, "Kind": "MONTHLY_USAGE", "BillFrom": "AWS_INC", "BillingPeriod": PREVIOUS, "TotalAmount": of.amount.replace("1", "2"),
           "Currency": "USD", "IssuedDate": "2026-11-03T00:00:00Z"}
    done(server.own("ImportInvoices", {"Invoices": [row | ({"BillingGroupArn": of.group} if of.is_customer else {})]}))
    # AWS's own list of its invoices is the payer's affair, whoever's account an invoice is of.
    of.summary = f"EU-{of.name}"
    done(server.own("ImportInvoiceSummaries", {"Summaries": json.dumps({"InvoiceSummaries": [summary(of.summary, AccountId=PAYER)]})}))
    done(server.own("AttachInvoiceDocument", {"InvoiceId": of.summary, "Document": PDF}))
    of.unit = server.client(service="invoicing").create_invoice_unit(
        Name=f"{of.name}-unit", InvoiceReceiver=of.accounts[0], Rule={"LinkedAccounts": of.accounts if of.is_customer else []}, Description=f"of {of.name}")["InvoiceUnitArn"]
    if of.is_customer:
        done(server.own("PutInvoiceProfile", {"AccountId": of.accounts[0], "ReceiverName": f"{of.name} Ltd", "ReceiverEmail": of.email}))
        of.export = server.client(service="bcm-data-exports").create_export(Export=export_of(of), ResourceTags=[{"Key": "secret", "Value": of.name}])["ExportArn"]
        server.client(service="cur").put_report_definition(ReportDefinition=report_of(of))


def invoiced(world, of):
    settings = {"buyer": ACME["buyer"] | {"legal_name": f"{of.name} Ltd"}}
    done(world.server.own("PutInvoiceSettings", {"BillingGroup": of.group, "Settings": json.dumps(settings)}))
    [of.draft] = done(world.server.own("DraftInvoice", {"BillingGroup": of.group, "BillingPeriod": PREVIOUS, "Notes": [f"for {of.name}"]}))["DraftIds"]


@pytest.fixture(scope="module")
def mails():
    server = MailServer().start()
    yield server
    server.stop()


def shared(world):
    """What is the payer's alone, as everybody's requests name it."""
    server = world.server
    portal = {"ProcurementPortalName": "COUPA", "BuyerDomain": "NetworkID", "BuyerIdentifier": "larkspur-buyer", "SupplierDomain": "NetworkID",
              "SupplierIdentifier": "AWS_INC", "ProcurementPortalSharedSecret": "larkspur-secret", "EinvoiceDeliveryEnabled": False,
              "ProcurementPortalInstanceEndpoint": "https://larkspur.example/x", "PurchaseOrderRetrievalEnabled": True,
              "Contacts": [{"Name": "larkspur", "Email": "larkspur@example.com"}]}
    organization = server.client(service="organizations")
    root = organization.list_roots()["Roots"][0]["Id"]
    units = {unit["Name"]: unit["Id"] for unit in pages(organization, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root)}
    done(server.own("SendTestNotification", {"Channel": "EMAIL", "Recipient": "globex@example.com"}))
    message = done(server.own("ListMessages"))["Messages"][0]["MessageId"]
    return {"portal": server.client(service="invoicing").create_procurement_portal_preference(**portal)["ProcurementPortalPreferenceArn"], "root": root,
            "organizational_unit": units["Globex"], "message": message, "source": done(server.own("ListSources"))["Sources"][0]["SourceId"],
            "transfer": TRANSFERS[0], "cost": str(world.cost), "rule": world.rule, "key": world.globex_keys.access_key_id, "principal": world.globex_keys.principal}


def settled_world(new_server, mails, folder):
    """Three customers, one of them ours, of a payer that shares its server with another one."""
    server = new_server(options=[*options(mails), "--export-buckets", f"reports={folder}"])
    server.apply(transfers_book() | {"reports": {"tags": ["user_team"]}}, "--period", PREVIOUS)
    desk = Desk(in_period(server.client(), PREVIOUS))
    rule = desk.rule(Name="larkspur-rule", ModifierPercentage=7.77)
    plan = desk.plan(rule, Name="larkspur-plan", Tags={"secret": "larkspur"})
    ours, theirs, third = (customer(desk, of, count, plan) for of, count in (("acme", 2), ("globex", 3), ("initech", 1)))
    month = PolicyMonth()
    for of, price in ((ours, "271.3"), (theirs, "816497.13"), (third, "577215.66")):
        for number, member in enumerate(of.accounts * 3):
            month.line(member, cost=CANARY, public=price, service=["AmazonEC2", of.service, "AWSLambda"][number % 3], hour=24 * 27 + number,
                       tags={"user_team": of.tag}, resource=f"i-{of.name}-{number}")
    cost = month.write(folder / "cost")
    server.load(cost)
    rows = [organizations.row(0, "Root", "larkspur-management", payer=PAYER)]
    for of, unit in ((ours, "Acme"), (theirs, "Globex"), (third, "Initech")):
        rows += [organizations.row(0, f"Root/{unit}", f"{of.name}-{number}", email=f"{of.name}-{number}@example.com", payer=member, Secret=of.name)
                 for number, member in enumerate(of.accounts)]
    rows.append(organizations.row(0, "Root/Globex", "globex-loose", email="globex-loose@example.com", payer="700000000007"))
    path = folder / "organization.csv"
    path.write_text(organizations.csv_of(rows))
    organizations.sync(server, "--file", path)
    return SimpleNamespace(server=server, desk=desk, rule=rule, ours=ours, theirs=theirs, third=third, cost=cost)


def second_payer(world):
    """Keys of an administrator and of a viewer of another payer on the same server."""
    server = world.server
    if server.database is None:
        server.stop()
    made = json.loads(command("init", *server.stored, "--payer", SECOND_PAYER, "--output", "json"))
    if server.database is None:
        server.start()
    admin = Keys(made["AccessKeyId"], made["SecretAccessKey"])
    group = Desk(server.client(admin)).group(1, Name="umbrella")
    made = json.loads(server.command("keys", "create", "--principal", "umbrella", "--role", "group-viewer", "--billing-group", group.arn, "--output", "json", keys=admin))
    return admin, Keys(made["AccessKeyId"], made["SecretAccessKey"], "umbrella")


@pytest.fixture(scope="module")
def world(new_server, mails, tmp_path_factory):
    world = settled_world(new_server, mails, tmp_path_factory.mktemp("every-operation"))
    server, ours, theirs, third = world.server, world.ours, world.theirs, world.third
    other_admin, other_viewer = second_payer(world)
    ours.amount, theirs.amount, third.amount = "4669.2", "1618033.98", "2502907.87"
    world.globex_keys = server.keys("globex-viewer", "group-viewer", [theirs.group])
    viewer = server.keys("acme-viewer", "group-viewer", [ours.group])
    payers = SimpleNamespace(**vars(theirs) | {
        "name": "larkspur", "view": f"arn:aws:billing::{PAYER}:billingview/primary", "is_customer": False, "amount": "1414213.56", "email": "larkspur@example.com",
        "budget": "larkspur-budget", "budget_arn": f"arn:aws:budgets::{PAYER}:budget/larkspur-budget", "saved": "larkspur-saved", "aws_invoice": "INV-larkspur"})
    for of, keys in ((ours, viewer), (theirs, world.globex_keys), (payers, server.root)):
        things(world, of, keys)
    server.command("close", PREVIOUS)
    done(server.own("PutInvoiceSettings", {"Settings": json.dumps(ALL)}))
    for of in (ours, theirs, third):
        invoiced(world, of)
    for of in (ours, theirs):
        of.invoice = done(server.own("IssueInvoice", {"DraftId": of.draft}))["InvoiceNumber"]
        of.draft = third.draft
    payers.invoice, payers.draft, payers.export = theirs.invoice, third.draft, theirs.export
    # Of our group, but narrowed by accounts of another one.
    server.client(service="billing").create_billing_view(name="larkspur-across", sourceViews=[ours.view],
                                                         dataFilterExpression={"dimensions": {"key": "LINKED_ACCOUNT", "values": theirs.accounts}})
    common = shared(world) | {"own_group": ours.group, "own_share": ours.share, "own_view": ours.view, "loose": "700000000007"}
    executions = server.client(service="bcm-data-exports").list_executions(ExportArn=theirs.export)["Executions"]
    common["execution"] = executions[0]["ExecutionId"] if executions else "none"
    for of in (ours, theirs, payers):
        vars(of).update(common)
    world.payers, world.nobody = payers, nobody(theirs)
    world.askers = {"viewer": viewer, "narrow": server.keys("acme-narrow", "group-viewer", [ours.group], [ours.accounts[1]]),
                    "other payer's viewer": other_viewer, "other payer's administrator": other_admin}
    world.second_payers = {"operator", f"root ({other_admin.access_key_id})", f"{other_viewer.principal} ({other_viewer.access_key_id})"}
    world.askers = {who: Asker(server, keys) for who, keys in world.askers.items()}
    world.payers_people = {role: Asker(server, server.keys(name(role), role)) for role in ("finance", "analyst")}
    world.admin, world.globex = Asker(server, server.root), Asker(server, world.globex_keys)
    # What the deliveries and messages of all this still change is over.
    server.settle()
    world.secrets = secrets(world)
    world.state = state(world)
    return world


def nobody(theirs):
    """Ids of the form of somebody's, and of the same length, that nobody has."""
    def other(text):
        if re.search(r"\d{12}$", text):
            return f"{text[:-12]}9{text[-11:]}"
        return text[:-1] + ("1" if text[-1] == "0" else "0")

    kept = {"payer", "own_group", "own_share", "own_view", "is_customer", "amount", "cost", "of", "name"}
    made = {key: value if key in kept else [other(of) for of in value] if isinstance(value, list) else other(value) for key, value in vars(theirs).items()}
    return SimpleNamespace(**made)


def secrets(world):
    """What no customer but its own may find: names, ids and amounts, AWS's cost and margins of all."""
    found = {"globex", "initech", "larkspur", "umbrella", *world.theirs.accounts, *world.third.accounts, "AWSCost", "MarginPercentage",
             *(identity(of) for of in (world.theirs.flat, world.theirs.share, world.theirs.plan, world.theirs.order, world.theirs.export, world.theirs.custom, world.theirs.category))}
    told = [text_of(asker(*asked)) for asker, worlds in ((world.admin, (world.ours, world.theirs, world.payers)), (world.globex, (world.theirs,)))
            for of in worlds for asked in requests(of) if asked[1] in OF_COSTS]
    own = {text for asked in requests(world.ours) if asked[1] in OF_COSTS for text in amounts(text_of(world.askers["viewer"](*asked)))}
    found |= {text for one in told for text in amounts(one)} - own
    # AWS's cost of a line, two and three of them, and of a customer's month.
    assert all([text for text in found if text.startswith(stem)] for stem in ("31415926", "62831853", "94247779", "188495559"))
    assert not [text for text in own if text.startswith(("3141592", "6283185", "9424777", "1884955"))]
    return found


def identity(arn):
    return arn.rsplit("/", 1)[1]


def amounts(text):
    """The amounts of an answer that are long enough to be nobody else's by chance."""
    return {of.lstrip("-") for of in re.findall(r"-?\d+\.\d{2,}", text) if len(of.strip("-0.")) > 5 and not of.startswith("179")}


# ---- Every operation has its requests

def test_every_operation_has_its_requests(world):
    assert {(service, operation) for service, operation, _ in requests(world.theirs)} == OPERATIONS
    assert (OWN_WORK | OWN_READS) <= OPERATIONS


# Members that are no thing of anybody's: what is made up by the caller, and what says which of a closed list is meant.
NAMES_NOTHING = {"NextToken", "ClientToken", "BuyerIdentifier", "SupplierIdentifier", "PortalIdentifier", "TaxRegistrationNumber", "ChargeId", "DocumentId"}


@pytest.mark.parametrize("service", sorted(MODELS))
def test_every_member_that_names_a_thing_is_sent(world, service):
    """So that a new member that names something has a request that names somebody else's."""
    model, cases = MODELS[service], SERVICES[service](world.theirs)
    for operation, inputs in cases.items():
        shape = model["operations"][operation].get("input")
        sent = set().union(*(paths(given) for given in inputs))
        missing = {place for place in identifiers(model["shapes"], shape) if place.rsplit(".", 1)[-1] not in NAMES_NOTHING} - sent if shape else set()
        assert not missing, (operation, missing)


def identifiers(shapes, shape, at="", within=()):
    """The places of members of an input that name a thing."""
    if shape in within:
        return set()
    of, found = shapes[shape], set()
    if of["type"] == "list":
        return identifiers(shapes, of["member"], at, (*within, shape))
    for member, traits in of.get("members", {}).items():
        place = f"{at}.{member}" if at else member
        inner = shapes[traits["shape"]]["type"]
        if inner == "string" or inner == "list" and shapes[shapes[traits["shape"]]["member"]]["type"] == "string":
            if re.search(r"(Arns?|ARN|arns?|Ids?|Identifier|AccountId|Accounts|BillingGroups?|sourceViews|InvoiceUnits)$", member):
                found.add(place)
        else:
            found |= identifiers(shapes, traits["shape"], place, (*within, shape))
    return found


def paths(given, at=""):
    if isinstance(given, list):
        return set().union(*(paths(of, at) for of in given)) | {at}
    if isinstance(given, dict):
        return set().union({at}, *(paths(value, f"{at}.{key}" if at else key) for key, value in given.items()))
    return {at}


# ---- Nobody finds what is not its own

@pytest.mark.parametrize("who", ["other payer's administrator", "other payer's viewer", "viewer", "narrow"])
def test_nobody_finds_what_is_not_its_own(world, who):
    """And whatever a request names, that what is somebody else's and what nobody has is answered alike."""
    ask, own = world.askers[who], {"umbrella"} if "other payer" in who else set()
    reads = [one for one in requests(world.theirs, world.payers, world.ours) if one[1].startswith(READING)]
    # An administrator writes at its own desk what it is told of there, with our words: what it finds of ours is asked before.
    for service, operation, given in reads + [one for one in requests(world.theirs, world.payers) if one not in reads]:
        answer, words = ask(service, operation, given), json.dumps(given)
        told = text_of(answer)
        if operation == "ListAuditEvents" and answer.status == 200:
            # The audit of a desk has what its own people have asked for, in their words: whose they are is what counts.
            told = json.dumps(sorted({event["Principal"] for event in answer.json["AuditEvents"]} - world.second_payers))
        # A request's own words may come back to whoever has said them.
        assert operation != "ListAuditEvents" or answer.status != 200 or told == "[]", told
        assert not [secret for secret in world.secrets - own if secret in told and secret not in words], (service, operation, given, told)
        if (service, operation) not in OWN_WORK | OWN_READS and "administrator" not in who:
            assert code(answer).startswith("AccessDenied"), (service, operation, told)
        assert answer.status < 500, (service, operation, told)
    assert done_so_far(world) == world.state["done"]


@pytest.mark.parametrize("who", ["viewer", "narrow"])
def test_foreign_and_unknown_are_answered_alike(world, who):
    ask = world.askers[who]
    for theirs, unknown in zip(every(world.theirs), every(world.nobody), strict=True):
        answers = [ask(*theirs), ask(*unknown)]
        told = [(answer.status, without(json.dumps(given), answer.body.decode())) for answer, (*_, given) in zip(answers, (theirs, unknown), strict=True)]
        assert told[0] == told[1], (theirs, told)


def without(asked, told):
    """An answer without the ids that the request has said, and without its own."""
    texts = set(re.findall(r'"((?:[^"\\]|\\.)*)"', asked))
    for text in sorted(texts | {identity(of) for of in texts if "/" in of}, key=len, reverse=True):
        # Words are as good as ids only where they are long enough to be no other word.
        told = told.replace(text, "…") if len(text) > 8 else told
    return without_ids(told)


def without_ids(told):
    """An answer without the id of its request."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "id", told)


def test_the_requests_have_teeth(world):
    """Whoever may is answered: what a customer is not told is there, and told to its owner or to the payer."""
    for service, operation, given in requests(world.theirs, world.payers):
        if operation.startswith(READING) and operation not in UNANSWERED:
            answers = [asker(service, operation, given) for asker in (world.admin, world.globex)]
            assert any(answer.status == 200 for answer in answers), (service, operation, given, [answer.body for answer in answers])


# What has no answer here, to nobody: too few months for a forecast or to compare; no Reserved Instances; an execution that is over by then; no code was sent.
UNANSWERED = {"GetCostForecast", "GetUsageForecast", "GetCostAndUsageComparisons", "GetReservationCoverage", "GetReservationUtilization", "GetSavingsPlansCoverage",
              "GetSavingsPlansUtilization", "GetSavingsPlansUtilizationDetails", "GetExecution", "GetProcurementPortalCode"}


# ---- Nobody changes what is not its own

def state(world):
    """All that the payer and the customers read, and what was ever done."""
    told = {}
    for ask, worlds in ((world.admin, (world.theirs, world.payers)), (world.globex, (world.theirs,)), (world.askers["viewer"], (world.ours,))):
        for service, operation, given in requests(*worlds):
            if operation.startswith(READING) and operation not in PASSING:
                told[f"{ask.keys.principal} {service}:{operation} {json.dumps(given)}"] = without_ids(ask(service, operation, given).body.decode())
    return told | {"done": done_so_far(world)}


# What says when a key was used, what is under way, and links that are made for each who asks.
PASSING = {"ListAuditEvents", "ListKeys", "ListMessages", "GetInvoicePDF", "GetCallerIdentity"}


def done_so_far(world):
    events, token = [], None
    while token or not events:
        page = done(world.server.own("ListAuditEvents", {"MaxResults": 1000} | ({"NextToken": token} if token else {})))
        events, token = events + page["AuditEvents"], page.get("NextToken")
    return [event for event in events if event["Decision"] == "done"]


@pytest.mark.parametrize("role", ["finance", "analyst"])
def test_who_only_reads_changes_nothing(world, role):
    ask = world.payers_people[role]
    for service, operation, given in requests(world.ours, world.theirs, world.payers):
        is_work = role == "finance" and works_for_finance(service, operation)
        if operation.startswith(READING) and operation not in ADMINISTRATION or is_work:
            continue
        answer = ask(service, operation, given)
        assert code(answer).startswith("AccessDenied"), (service, operation, answer.body)
    assert done_so_far(world) == world.state["done"]


# What reads, and is the administrator's alone.
ADMINISTRATION = {"ExportPersonalData", "GetRetention", "GetWebhookSecret", "ListAuditEvents", "ListKeys", "ListPurchaseOrderLimits", "GetProcurementPortalCode"}
# What finance does not do: decide who may what, and configure.
NOT_FOR_FINANCE = {"ApplyBook", "ApplyOrganization", "ClosePeriod", "CreateKey", "DeclareAccounts", "DeleteBillingGroupRule", "DeleteKey", "ErasePersonalData",
                   "ExportPersonalData", "GetProcurementPortalCode", "GetRetention", "GetWebhookSecret", "ImportCostData", "LimitPurchaseOrders", "ListAuditEvents",
                   "ListKeys", "ListPurchaseOrderLimits", "PutBillingGroupRule", "RemoveSource", "SendTestNotification", "UpdateKey", "UpdateOrganizationSync",
                   "UpdateRetention"}


def works_for_finance(service, operation):
    return (service, operation) in OWN_WORK or service == "proforma" and operation not in NOT_FOR_FINANCE


# ---- Nobody without a key

@pytest.mark.parametrize("who", ["unsigned", "wrong secret", "unknown key"])
def test_nobody_is_answered_without_a_key(world, who):
    root = world.server.root
    wrong = replace(root, secret_access_key=root.secret_access_key[::-1]) if who == "wrong secret" else replace(root, access_key_id="AKIANOBODYHASTHISKEY")
    ask = Asker(world.server, wrong, **({"signature_version": UNSIGNED} if who == "unsigned" else {}))
    said = set()
    for service, operation, given in requests(world.theirs):
        answer = ask(service, operation, given)
        assert answer.status == 403, (service, operation, answer.status, answer.body)
        told = text_of(answer)
        assert not [secret for secret in world.secrets if secret in told], (service, operation, told)
        said.add(code(answer))
    # One of the JSON protocols, and one of the query protocol.
    assert len(said) <= 2, said
    assert done_so_far(world) == world.state["done"]


# ---- And after all of it

def test_nothing_has_changed(world):
    """The last of these tests: whatever anybody has asked for, all that can be read is as it was."""
    assert [(asked, told, world.state[asked]) for asked, told in state(world).items() if told != world.state[asked]] == []
