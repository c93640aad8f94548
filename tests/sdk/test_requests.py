"""What our own client sends is what the vendor's SDK knows, and signed as the SDK signs it."""

import pytest

from cloud import SERVICES
from recorder import judge, record, signature

ACCESS_KEY = "EXAMPLEAK00000000001"
SECRET_KEY = "ExampleSecretKey0000000000000000000000001"


@pytest.fixture(scope="module")
def recorded():
    # Object storage has no request models and another signature; its requests are not judged here.
    return [(case, request) for case, request in record() if case["service"] in SERVICES]


def name(case):
    return f"{case['service']} {case['operation']} {case['variant']}".strip()


def test_every_request_fits_the_sdks_own_model(recorded):
    wrong = [f"{name(case)}: {fault}" for case, request in recorded for fault in judge(case, request)]
    assert not wrong, "\n".join(wrong)


def test_every_request_is_signed_as_the_sdk_signs_it(recorded):
    for case, request in recorded:
        header = dict((key.lower(), value) for key, value in request[2])["authorization"]
        assert header == signature(request, ACCESS_KEY, SECRET_KEY), f"{name(case)}: another signature"


def test_a_request_that_was_changed_is_noticed(recorded):
    case, (method, target, headers, body) = next(row for row in recorded if row[0]["operation"] == "DeleteServers")
    other = (method, target + "?limit=1", headers, body.replace(b"servers", b"machines"))
    assert judge(case, other) == ["query limit: unknown", "body.machines: unknown to DeleteServersRequestBody",
                                  "body.servers: missing"], "the SDK does not know it"  # fmt: skip
    header = dict((key.lower(), value) for key, value in headers)["authorization"]
    assert header != signature(other, ACCESS_KEY, SECRET_KEY), "nor is it what was signed"
