"""The models of AWS's services that the server routes and validates by, against botocore's own, fact by fact.

Written apart from the xtask that makes them: it walks botocore's model and asks for each operation, member, constraint, error and
binding in ours, and that ours says nothing else. Where they differ on purpose, the model itself records it with a reason.
"""
import copy
import gzip
import json
import pathlib

import botocore
import pytest

from program import ROOT

MODELS = sorted((ROOT / "crates" / "aws-api" / "models").glob("*.json"))
DATA = pathlib.Path(botocore.__file__).parent / "data"

# Of the shapes and members: what concerns documentation or clients.
FOR_CLIENTS = {"documentation", "box", "deprecated", "deprecatedMessage", "deprecatedSince", "exception", "fault", "retryable"}


def from_botocore(model):
    return model["source"].startswith("botocore ")


def ours(path):
    return json.loads(path.read_text(encoding="utf-8"))


# Services of which we serve some operations. What these refer to is in the model, and nothing else.
IN_PART = {"ce", "organizations", "billing", "cur", "bcm-data-exports", "budgets"}


def theirs(model):
    source = whole(model)
    if model["service"] not in IN_PART:
        return source
    operations = {name: row for name, row in source["operations"].items() if name in model["operations"]}
    return source | {"operations": operations, "shapes": referred(operations, source["shapes"])}


def referred(operations, shapes):
    """The shapes that operations are made of."""
    found, waiting = {}, [operations]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = part.get("shape")
            if isinstance(name, str) and name not in found:
                found[name] = shapes[name]
                waiting.append(shapes[name])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def whole(model):
    path = DATA / model["service"] / model["version"] / "service-2.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    return json.loads(gzip.open(f"{path}.gz").read())


def protocol(metadata):
    return f"aws-json-{metadata['jsonVersion']}" if metadata["protocol"] == "json" else metadata["protocol"]


def facts(source):
    """Every fact of a botocore model by its place in ours."""
    metadata = source["metadata"]
    found = {"protocol": protocol(metadata), "version": metadata["apiVersion"],
             "signing_name": metadata.get("signingName", metadata["endpointPrefix"])}
    if "targetPrefix" in metadata:
        found["target_prefix"] = metadata["targetPrefix"]
    for name, operation in source["operations"].items():
        at = f"operations.{name}"
        found[f"{at}.method"] = operation["http"]["method"]
        found[f"{at}.path"] = operation["http"]["requestUri"]
        found[f"{at}.status"] = operation["http"].get("responseCode", 200)
        for role in ("input", "output"):
            if role in operation:
                found[f"{at}.{role}"] = operation[role]["shape"]
        found |= {f"{at}.errors.{error['shape']}": True for error in operation.get("errors", [])}
        if operation.get("readonly"):
            found[f"{at}.readonly"] = True
    for name, shape in source["shapes"].items():
        at = f"shapes.{name}"
        for trait, value in shape.items():
            if trait in FOR_CLIENTS or trait == "required":
                continue
            if trait == "members":
                found |= members(at, value, shape.get("required", []))
            elif trait in ("member", "key", "value"):
                found[f"{at}.{trait}"] = value["shape"]
            elif trait == "enum":
                found |= {f"{at}.enum.{index}": item for index, item in enumerate(value)}
            elif trait == "error":
                found[f"{at}.error"] = value["httpStatusCode"]
            else:
                found[f"{at}.{trait}"] = value
    return found


def members(at, rows, required):
    renamed = {"locationName": "name", "idempotencyToken": "idempotency_token"}
    found = {}
    for name, traits in rows.items():
        kept = {renamed.get(trait, trait): value for trait, value in traits.items() if trait not in FOR_CLIENTS}
        if name in required:
            kept["required"] = True
        found |= {f"{at}.members.{name}.{trait}": value for trait, value in kept.items()}
    return found


def flat(value, at=""):
    """Every fact of one of our models by its place."""
    if isinstance(value, dict):
        return {place: fact for key, inner in value.items() for place, fact in flat(inner, f"{at}.{key}").items()}
    if isinstance(value, list):
        if at.endswith(".errors"):
            return {f"{at[1:]}.{name}": True for name in value}
        return {f"{at[1:]}.{index}": item for index, item in enumerate(value)}
    return {at[1:]: value}


def differences(model, source):
    """Places where a model differs from botocore's beyond what it records, each with both values."""
    said = {"format", "source", "service", "unknown_members", "overrides"}
    here = flat({key: value for key, value in model.items() if key not in said})
    there = facts(source)
    pairs = {place: (here.get(place), there.get(place)) for place in sorted(here.keys() | there.keys())}
    found = {place: (one, other) for place, (one, other) in pairs.items() if one != other}
    for override in model["overrides"]:
        assert override["reason"], override
        if found.get(override["at"]) == (override["is"], override["was"]):
            del found[override["at"]]
        else:
            found[f"override {override['at']}"] = (override["is"], there.get(override["at"]))
    return found


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_says_what_botocore_says(path):
    model = ours(path)
    if not from_botocore(model):
        pytest.skip("a service of our own")
    assert model["source"].split()[1] == botocore.__version__, "the model is of another botocore than the tests'"
    assert model["unknown_members"] == "ignored"
    assert differences(model, theirs(model)) == {}


def test_billing_conductor_is_whole():
    model = ours(ROOT / "crates" / "aws-api" / "models" / "billingconductor.json")
    structures = [shape for shape in model["shapes"].values() if shape["type"] == "structure"]
    assert (len(model["operations"]), len(structures)) == (34, 124)
    errors = {name: shape["error"] for name, shape in model["shapes"].items() if "error" in shape}
    assert errors == {"ValidationException": 400, "ServiceLimitExceededException": 402, "AccessDeniedException": 403,
                      "ResourceNotFoundException": 404, "ConflictException": 409, "ThrottlingException": 429,
                      "InternalServerException": 500}


def set_at(model, place, value):
    *steps, last = place
    for step in steps:
        model = model[step]
    if value is None:
        del model[last]
    else:
        model[last] = value


@pytest.mark.parametrize("place, value", [
    (["operations", "CreateBillingGroup", "path"], "/create-group"),
    (["operations", "CreateBillingGroup", "errors"], ["ConflictException"]),
    (["operations", "ListTagsForResource", "status"], 202),
    (["operations", "AssociateAccounts"], None),
    (["shapes", "AccountId", "pattern"], "[0-9]{13}"),
    (["shapes", "AccountIdList", "max"], 31),
    (["shapes", "BillingGroupStatus", "enum"], ["ACTIVE"]),
    (["shapes", "CreateBillingGroupInput", "members", "Name", "required"], None),
    (["shapes", "CreateBillingGroupInput", "members", "ClientToken", "location"], None),
    (["shapes", "UntagResourceRequest", "members", "TagKeys", "name"], "TagKeys"),
    (["shapes", "ConflictException", "error"], 400),
    (["shapes", "Invented"], {"type": "string"}),
    (["overrides"], []),
    (["signing_name"], "billing"),
])
def test_a_model_that_differs_is_found(place, value):
    model = copy.deepcopy(ours(ROOT / "crates" / "aws-api" / "models" / "billingconductor.json"))
    set_at(model, place, value)
    assert differences(model, theirs(model)) != {}
