"""What our own client sends is what the vendor's SDK knows, and signed as the SDK signs it."""

import pytest

from cloud import SERVICES
from recorder import judge, obs_address, obs_object, obs_signature, record, seconds_from_now, signature

ACCESS_KEY = "EXAMPLEAK00000000001"
SECRET_KEY = "ExampleSecretKey0000000000000000000000001"


@pytest.fixture(scope="module")
def everything():
    return record()


@pytest.fixture(scope="module")
def recorded(everything):
    # Object storage has no request models and another signature; its requests are judged by themselves.
    return [(case, request) for case, request in everything if case["service"] in SERVICES]


@pytest.fixture(scope="module")
def objects(everything):
    return [(case, request) for case, request in everything if case["service"] == "obs"]


def name(case):
    key = "by a key with a token" if case["token"] else ""
    return f"{case['service']} {case['operation']} {case['variant']} {key}".strip()


def header(request, wanted):
    return {key.lower(): value for key, value in request[2]}.get(wanted)


def test_every_request_fits_the_sdks_own_model(recorded):
    wrong = [f"{name(case)}: {fault}" for case, request in recorded for fault in judge(case, request)]
    assert not wrong, "\n".join(wrong)


def test_every_request_is_signed_as_the_sdk_signs_it(recorded):
    for case, request in recorded:
        wanted = signature(request, ACCESS_KEY, SECRET_KEY)
        assert header(request, "authorization") == wanted, f"{name(case)}: another signature"


def test_a_token_goes_along_and_is_signed(recorded):
    assert {bool(case["token"]) for case, _ in recorded} == {True, False}, "both kinds of keys are there"
    for case, request in recorded:
        assert header(request, "x-security-token") == case["token"], f"{name(case)}: another token"
        signed = "x-security-token" in header(request, "authorization")
        assert signed == bool(case["token"]), f"{name(case)}: the token is not signed"


def test_whose_resources_are_meant_is_said_and_signed_as_the_sdk_does(recorded):
    for case, request in recorded:
        _, _, _, account_wide = SERVICES[case["service"]]
        wanted = "x-domain-id" if account_wide else "x-project-id"
        # these two know it by the key; the SDK says it all the same
        spared = case["service"] in ("sts", "ims") or case["operation"] == "ShowNetworkIpAvailabilities"
        assert spared or header(request, wanted), f"{name(case)}: {wanted} is missing"
        for scope in ("x-domain-id", "x-project-id"):
            there = header(request, scope) is not None
            assert there == (scope in header(request, "authorization")), f"{name(case)}: {scope} is not signed"


def test_a_request_that_was_changed_is_noticed(recorded):
    case, (method, target, headers, body) = next(row for row in recorded if row[0]["operation"] == "DeleteServers")
    other = (method, target + "?limit=1", headers, body.replace(b"servers", b"machines"))
    assert judge(case, other) == ["query limit: unknown", "body.machines: unknown to DeleteServersRequestBody",
                                  "body.servers: missing"], "the SDK does not know it"  # fmt: skip
    assert header(other, "authorization") != signature(other, ACCESS_KEY, SECRET_KEY), "nor is it what was signed"


def test_every_request_to_object_storage_is_signed_as_its_sdk_signs_it(objects):
    by_header = [(case, request) for case, request in objects if "signed" not in case["variant"]]
    done = {(case["operation"], bool(case["token"])) for case, _ in by_header}
    wanted = {"GetObject", "PutObject", "HeadObject", "DeleteObject"}
    assert done == {(operation, token) for operation in wanted for token in (True, False)}, "nothing is left out"
    for case, request in by_header:
        assert header(request, "x-obs-security-token") == case["token"], f"{name(case)}: another token"
        signed = obs_signature(request, ACCESS_KEY, SECRET_KEY, case["token"])
        assert header(request, "authorization") == signed, f"{name(case)}: another signature"
    versions = [header(request, "if-none-match") for case, request in by_header if case["variant"] == "known version"]
    assert versions == ['"c225a1e5"'] * 2, "the version that one has is named, and does not disturb the signature"


def test_a_signed_address_is_the_one_that_the_sdk_makes(objects):
    by_address = [(case, request) for case, request in objects if "signed" in case["variant"]]
    assert len(by_address) == 4, "with and without a token, with and without a known version"
    for case, request in by_address:
        assert header(request, "authorization") is None, f"{name(case)}: an address needs no header"
        assert header(request, "x-obs-security-token") is None, f"{name(case)}: nor a token there"
        _, _, query = made = obs_object(request[1])
        assert query.get("x-obs-security-token") == case["token"], f"{name(case)}: another token"
        assert 3500 < seconds_from_now(int(query["Expires"])) <= 3600, f"{name(case)}: it holds for an hour"
        signed = obs_signature(request, ACCESS_KEY, SECRET_KEY, case["token"])
        assert query["Signature"] == signed, f"{name(case)}: another signature"
        wanted = obs_address(request, ACCESS_KEY, SECRET_KEY, case["token"])
        assert made == wanted, f"{name(case)}: another address"


def test_a_request_to_object_storage_that_was_changed_is_noticed(objects):
    case, (method, target, headers, body) = next(row for row in objects if row[0]["operation"] == "PutObject")
    assert header((method, target, headers, body), "content-md5"), "the content's digest is part of what is signed"
    longer = [(key, value + "x" if key.lower() == "content-type" else value) for key, value in headers]
    elsewhere = (method, target + "x", headers, body)
    for other in (elsewhere, ("GET", target, headers, body), (method, target, longer, body)):
        signed = obs_signature(other, ACCESS_KEY, SECRET_KEY, case["token"])
        assert header(other, "authorization") != signed, "it is not what was signed"
