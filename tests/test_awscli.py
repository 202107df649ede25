"""The AWS CLI, unmodified, asks each operation once: by `AWS_ENDPOINT_URL`, and by `--endpoint-url`.

The CLI carries a botocore of its own. Its model of the service is older than boto3's, so it is given that one in `AWS_DATA_PATH`, as AWS means it.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import botocore
import pytest
from botocore import xform_name

from desk import Desk, accounts, name, transfer
from server import QUIET
from test_constraints import examples
from wire_model import MODEL

DATA = pathlib.Path(botocore.__file__).parent / "data"
SECONDS = 60
# Starting the CLI takes most of a second, and what it sends is the same whatever stores it.
pytestmark = pytest.mark.parametrize("new_server", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def aws(server, tmp_path_factory):
    """Runs the CLI against the server."""
    models = tmp_path_factory.mktemp("models")
    shutil.copytree(DATA / "billingconductor", models / "billingconductor")

    def aws(*arguments, **environment):
        plain = QUIET | server.root.environment | {"AWS_DATA_PATH": str(models), "PATH": "/usr/bin:/bin", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
        return subprocess.run([sys.executable, "-m", "awscli", *arguments], capture_output=True, text=True, timeout=SECONDS, env=plain | environment)

    return aws


@pytest.fixture(scope="module")
def requests(client):
    """An input for each operation: the first of its examples."""
    desk = Desk(client)
    rule, relation = desk.rule(), transfer()
    group = desk.group(2, plan=desk.plan(rule))
    flat = desk.flat(group)
    first = {}
    for operation, given in examples(SimpleNamespace(
            rule=rule, group=group.arn, plan=group.plan, member=group.accounts[1], flat=flat, percentage=desk.percentage(group), spare=desk.group(),
            spare_item=desk.flat(group), spare_plan=desk.plan(), spare_rule=desk.rule(), transfer=relation, moved=group.arn, free=rule, tiered=rule)):
        first.setdefault(operation, given)
    return first | {"DisassociatePricingRules": {"Arn": desk.plan(other := desk.rule()), "PricingRuleArns": [other]},
                    "DisassociateAccounts": {"Arn": (left := desk.group(2)).arn, "AccountIds": left.accounts[1:]}}


def test_the_cli_has_every_operation(aws):
    # A wrong command makes it list the right ones.
    listed = aws("billingconductor", "no-such-command").stderr
    assert all(re.search(rf"\b{xform_name(operation, '-')}\b", listed) for operation in MODEL.operation_names), listed


@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
def test_an_operation(server, aws, requests, operation):
    given = dict(requests[operation])
    # The CLI makes a token of its own where there is none, and walks pages by itself.
    given.pop("ClientToken", None)
    if "Name" in given:
        given["Name"] = name("cli")
    if operation == "AssociateAccounts":
        given["AccountIds"] = accounts(2)
    # Half of the operations by the environment, half by the option.
    by_option = sorted(MODEL.operation_names).index(operation) % 2
    where = ["--endpoint-url", server.endpoint] if by_option else []
    ended = aws("billingconductor", xform_name(operation, "-"), "--cli-input-json", json.dumps(given), "--output", "json", *where,
                **({} if by_option else {"AWS_ENDPOINT_URL": server.endpoint}))
    assert ended.returncode == 0, ended.stderr
    if operation in ("TagResource", "UntagResource"):
        assert ended.stdout == ""
    else:
        assert set(json.loads(ended.stdout)) <= set(MODEL.operation_model(operation).output_shape.members)


def test_an_error_is_told(server, aws):
    ended = aws("billingconductor", "delete-pricing-plan", "--arn", "0000000000", "--endpoint-url", server.endpoint)
    assert ended.returncode in (254, 255)
    assert "(ValidationException) when calling the DeletePricingPlan operation" in ended.stderr


def test_pages_are_walked(server, aws, client):
    desk = Desk(client)
    rules = [desk.rule() for _ in range(5)]
    ended = aws("billingconductor", "list-pricing-rules", "--page-size", "2", "--query", "PricingRules[].Arn", "--output", "json",
                "--endpoint-url", server.endpoint)
    assert set(rules) <= set(json.loads(ended.stdout))
    ended = aws("billingconductor", "list-pricing-rules", "--max-items", "2", "--output", "json", "--endpoint-url", server.endpoint)
    assert len(json.loads(ended.stdout)["PricingRules"]) == 2


def test_options_of_the_command_line(server, aws, client):
    plan = Desk(client).plan()
    called = name("words")
    made = aws("billingconductor", "create-billing-group", "--name", called, "--primary-account-id", (one := accounts(1)[0]), "--account-grouping",
               f"LinkedAccountIds={one}", "--computation-preference", f"PricingPlanArn={plan}", "--tags", "team=blue,x=", "--query", "Arn", "--output", "text",
               "--endpoint-url", server.endpoint)
    assert made.returncode == 0, made.stderr
    tags = aws("billingconductor", "list-tags-for-resource", "--resource-arn", made.stdout.strip(), "--query", "Tags", "--output", "json",
               "--endpoint-url", server.endpoint)
    assert json.loads(tags.stdout) == {"team": "blue", "x": ""}
