"""Money, people, tags across services and objects, as the vendor's SDK asks for them."""

import datetime
import hashlib
import json
import socket
from decimal import Decimal
from urllib.parse import urlsplit

from obs import ObsClient

from cloud import refused
from orders import create
from schemas import OPERATIONS

TODAY = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)
LAST_MONTH = (TODAY.replace(day=1) - datetime.timedelta(days=1)).strftime("%Y-%m")


def test_an_hours_price_is_the_list_price_less_the_discount(ada):
    product = {
        "id": "1",
        "cloud_service_type": "hws.service.type.ec2",
        "resource_type": "hws.resource.type.vm",
        "resource_spec": "s6.large.2.linux",
        "region": ada.region["id"],
        "usage_factor": "Duration",
        "usage_value": 1,
        "usage_measure_id": 4,
        "subscription_num": 1,
    }
    body = {"project_id": ada.region["project_id"], "inquiry_precision": 1, "product_infos": [product]}
    answer = ada.call("bss", "list_on_demand_resource_ratings", body)
    assert answer.official_website_amount > 0, "a server is not free"
    whole = Decimal(str(answer.amount)) + Decimal(str(answer.discount_amount))
    assert whole == Decimal(str(answer.official_website_amount)), "what is paid and what is not make the list price"


def pages(read, rows):
    """All rows of a bill, which comes in pages."""
    found = []
    while True:
        page = read(len(found))
        found += getattr(page, rows)
        assert getattr(page, rows) or len(found) == page.total_count, "a page before the end has rows"
        if len(found) >= page.total_count:
            return found


def test_bills_are_read_as_a_sum_and_as_records_that_agree(mia):
    # the present month has nothing before its first hour is settled; test_clock.py looks at that one
    total = mia.call("bss", "show_customer_monthly_sum", bill_cycle=LAST_MONTH)
    assert total.currency == "CNY", "the account pays in yuan"
    sums = {}
    for row in total.bill_sums:
        sums[row.resource_type_code] = sums.get(row.resource_type_code, 0) + Decimal(str(row.consume_amount))
    assert {"hws.resource.type.vm", "hws.resource.type.volume"} <= sums.keys(), "servers and disks ran"
    records = pages(
        lambda offset: mia.call(
            "bss", "list_customerself_resource_records", cycle=LAST_MONTH, statistic_type=1, limit=50, offset=offset
        ),
        "fee_records",
    )
    query = {"cycle": LAST_MONTH, "statistic_type": 1, "limit": 50}
    details = pages(
        lambda offset: mia.call("bss", "list_customerself_resource_record_details", {**query, "offset": offset}),
        "monthly_records",
    )
    for kind, amount in sums.items():
        of_records = sum(Decimal(str(row.amount)) for row in records if row.resource_type == kind)
        of_details = sum(Decimal(str(row.consume_amount)) for row in details if row.resource_type_code == kind)
        assert abs(of_records - of_details) < Decimal("0.000001"), f"{kind}: the same rows in two views"
        assert 0 <= of_records - amount < Decimal("0.03"), f"{kind}: the sum is that of its rows, less parts of a fen"


def test_the_present_month_has_a_row_for_what_has_run_for_long(mia):
    settled = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8 - 2)
    cycle = settled.strftime("%Y-%m")
    rows = mia.call(
        "bss", "list_customerself_resource_records", cycle=cycle, statistic_type=1, limit=100, charge_mode="3"
    ).fee_records
    assert "gateway-01" in [row.resource_name for row in rows], "it has run since before that month's last settled hour"


def test_one_reads_ones_own_key_and_user(ada):
    key = ada.call("iam", "show_permanent_access_key", access_key=ada.user["access_key"]).credential
    assert key.user_id == ada.user["id"], "the key is hers"
    user = ada.call("iam", "keystone_show_user", user_id=ada.user["id"]).user
    assert user.name == "ada", "and so is the user"


def test_a_coded_refusal_is_decoded(guest, mia):
    denied = refused(guest.call, "cts", "list_traces", trace_type="system")
    assert denied.status_code == 403, "a guest has no rights"
    assert denied.encoded_auth_msg, "the reason is coded"
    body = {"encoded_message": denied.encoded_auth_msg}
    answer = mia.call("sts", "decode_authorization_message", body)
    assert isinstance(json.loads(answer.decoded_message), dict), "it says what was missing"


def test_tags_are_managed_across_services(ada):
    server = create(ada, "sdk-tagged")
    project = ada.region["project_id"]
    change = {
        "project_id": project,
        "resources": [{"resource_id": server, "resource_type": "ecs"}],
        "tags": [{"key": "sdk", "value": "yes"}],
    }
    assert ada.call("tms", "create_resource_tag", change).failed_resources == [], "nothing failed"
    tags = ada.call("tms", "show_resource_tag", resource_id=server, resource_type="ecs", project_id=project).tags
    assert ("sdk", "yes") in [(tag.key, tag.value) for tag in tags], "it is on the server"
    wanted = {"project_id": project, "resource_types": ["ecs"], "tags": [{"key": "sdk", "values": ["yes"]}]}
    found = ada.call("tms", "list_resource", wanted).resources
    assert [row.resource_id for row in found] == [server], "only this one"
    query = {"action": "filter", "tags": [{"key": "sdk", "values": ["yes"]}]}
    same = ada.call("ecs", "list_servers_by_tag", query).resources
    assert [row.resource_id for row in same] == [server], "its own service finds the same"
    assert ada.call("tms", "delete_resource_tag", change).failed_resources == [], "nothing failed"
    assert ada.call("tms", "list_resource", wanted).resources == [], "it has the tag no more"


def test_objects_are_written_read_and_deleted(mia, answers, monkeypatch):
    # The SDK signs in OBS's own way only where the bucket is part of the host's name, and not every system resolves
    # names under localhost, which all mean this machine.
    place, resolve = urlsplit(mia.region["endpoints"]["obs"]), socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **named: resolve(
            place.hostname if str(host).endswith(".localhost") else host, *more, **named
        ),
    )
    client = ObsClient(
        access_key_id=mia.user["access_key"],
        secret_access_key=mia.secret,
        server=f"http://localhost:{place.port}",
        signature="obs",
        is_signature_negotiation=False,
        timeout=20,
    )
    operations = {row["operation"]: row for row in OPERATIONS if row["service"] == "obs"}

    def done(operation, answer, wanted):
        assert answer.status == wanted, f"{operation}: {answer.errorCode} {answer.errorMessage}"
        answers.note(operations[operation], answer.status, "")
        return answer

    bucket, key, text = "example-team-policy", "sdk/一 b+c.txt", "written by the vendor's SDK"
    etag = '"' + hashlib.md5(text.encode()).hexdigest() + '"'
    put = done("PutObject", client.putContent(bucket, key, text), 200)
    assert put.body.etag == etag, "the ETag is the digest of what was written"
    head = done("HeadObject", client.getObjectMetadata(bucket, key), 200)
    assert head.body.etag == etag, "it has not changed since"
    got = done("GetObject", client.getObject(bucket, key, loadStreamInMemory=True), 200)
    assert bytes(got.body.buffer) == text.encode(), "what was written is read"
    done("DeleteObject", client.deleteObject(bucket, key), 204)
    assert client.getObject(bucket, key).errorCode == "NoSuchKey", "it is gone"
    client.close()
