"""What botocore's model of `billingconductor` says of an answer, checked on the bytes: botocore itself checks no answer."""
import json
import re

import botocore.session

MODEL = botocore.session.get_session().get_service_model("billingconductor")
STATUS = {"ValidationException": 400, "ServiceLimitExceededException": 402, "AccessDeniedException": 403,
          "ResourceNotFoundException": 404, "ConflictException": 409, "ThrottlingException": 429,
          "InternalServerException": 500}
# ListTagsForResource answers 200: a client throws away the body of the model's 204.
SUCCESS = {"TagResource": 204, "UntagResource": 204}
# The model's minimum of 1 is wrong in answers: empty plans exist (AWS's own guide), and so do rules of no plan and things without tags.
UNBOUNDED = {"NumberOfAssociatedPricingRules", "PricingRuleArns", "PricingPlanArns", "TagMap"}
# Answers that AWS's front end gives before an operation is known to have been called.
FRONT_END = {"MissingAuthenticationTokenException", "IncompleteSignatureException", "InvalidSignatureException",
             "UnrecognizedClientException", "ExpiredTokenException"}


def problems(shape, value, at=""):
    """In what a JSON value is not of a shape, a line each."""
    kinds = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "double": (int, float),
             "integer": int, "long": int}
    kind = kinds[shape.type_name]
    if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
        return [f"{at or 'the body'}: {value!r} is no {shape.type_name}"]
    found = []
    if shape.type_name == "structure":
        found += [f"{at}.{name}: not a member" for name in value if name not in shape.members]
        found += [f"{at}.{name}: required, but absent" for name in shape.required_members if name not in value]
        for name, member in shape.members.items():
            if name in value:
                found += problems(member, value[name], f"{at}.{name}")
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            found += problems(shape.member, item, f"{at}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            found += problems(shape.key, key, f"{at} key") + problems(shape.value, item, f"{at}[{key}]")
    return found + [f"{at}: {value!r} {why}" for why in breaches(shape, value)]


def breaches(shape, value):
    """The constraints of a scalar, list or map that a value of the right type breaks."""
    of = shape.metadata
    size = value if shape.type_name in ("double", "integer", "long") else None if shape.type_name == "boolean" else len(value)
    if "min" in of and size < of["min"] and shape.name not in UNBOUNDED:
        yield f"is below {of['min']}"
    # A full page is a list of an answer, whatever the same shape may hold in a request.
    if "max" in of and size > of["max"]:
        yield f"is above {of['max']}"
    if "enum" in of and value not in of["enum"]:
        yield "is not in the enumeration"
    if (pattern := shape_pattern(shape)) and not pattern.fullmatch(value):
        yield f"does not match {pattern.pattern}"


def shape_pattern(shape):
    """The pattern of a shape. botocore keeps it out of `metadata`."""
    text = shape._shape_model.get("pattern")
    return re.compile(text) if text else None


def check_answer(operation, status, headers, body):
    """Fails where an answer of an operation is not what the model lets it be; `headers` have lower-case names."""
    assert headers.get("x-amzn-requestid"), f"{operation.name}: no x-amzn-requestid"
    if status < 300:
        assert status == SUCCESS.get(operation.name, 200), f"{operation.name}: {status}"
        if status == 204:
            assert body == b"", body
            return
        assert headers["content-type"] == "application/json", headers
        found = problems(operation.output_shape, json.loads(body), operation.name)
        assert not found, "\n".join(found)
    else:
        check_error(operation, status, headers, body)


def check_error(operation, status, headers, body):
    name = headers.get("x-amzn-errortype", "").split(":")[0]
    answer = json.loads(body)
    assert isinstance(answer.get("Message"), str) and answer["Message"], body
    if name in FRONT_END:
        return
    listed = {shape.name for shape in operation.error_shapes}
    assert name in listed, f"{operation.name} lists no {name}: {body}"
    assert status == STATUS[name], f"{name}: {status}"
    shape = MODEL.shape_for(name)
    known = {key: value for key, value in answer.items() if key not in ("__type", "message")}
    found = problems(shape, known, name)
    assert not found, "\n".join(found)
