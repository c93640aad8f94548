"""A region in which a day goes by in a minute, as the vendor's SDK sees it: it signs by its own clock all the same."""

import datetime
import time
from decimal import Decimal

import pytest

from cloud import Person, Program, refused
from orders import create

DAY_A_MINUTE = 24 * 60
BEIJING = datetime.timedelta(hours=8)


@pytest.fixture(scope="module")
def quick(built, tmp_path_factory):
    program = Program(built, tmp_path_factory.mktemp("quick"), 100, "--clock-speed", str(DAY_A_MINUTE))
    yield program
    program.stop()


@pytest.fixture(scope="module")
def visitor(quick, answers):
    return Person(quick, "ada", answers.see)


def now(program):
    """The time in the region, which only its control endpoint tells."""
    return datetime.datetime.fromisoformat(program.control("/health", None)["time"].replace("Z", "+00:00"))


def wait(program, moment):
    until = time.monotonic() + 30
    while now(program) < moment:
        assert time.monotonic() < until, "the region's clock stands"
        time.sleep(0.1)


def test_an_hours_lease_ends_in_seconds_and_the_bill_of_the_present_month_shows_the_hour(quick, visitor):
    began, start = time.monotonic(), now(quick)
    end = start + datetime.timedelta(minutes=61)
    server = create(visitor, "sdk-quick", auto_terminate_time=end.strftime("%Y-%m-%dT%H:%M:%SZ"))
    shown = visitor.call("ecs", "show_server", server_id=server).server
    assert shown.status == "ACTIVE", "it runs for its hour"
    launched = datetime.datetime.fromisoformat(shown.os_srv_us_glaunched_at).replace(tzinfo=datetime.timezone.utc)
    wait(quick, end + datetime.timedelta(minutes=30))
    gone = refused(visitor.call, "ecs", "show_server", server_id=server)
    assert (gone.status_code, gone.error_code) == (404, "Ecs.0114"), "its lease has ended"
    seen = now(quick)
    assert time.monotonic() - began < 30, "within seconds"

    # an hour is on the bill an hour after its end
    wait(quick, end + datetime.timedelta(hours=3))
    rows = []
    months = sorted({(moment + BEIJING).strftime("%Y-%m") for moment in (start, end)})
    for month in months:
        page = visitor.call(
            "bss", "list_customerself_resource_records", cycle=month, resource_id=server, statistic_type=3, limit=100
        )
        assert page.total_count == len(page.fee_records), "all of it is on one page"
        rows += page.fee_records
    assert rows, "it is on the bill"
    assert {row.resource_id for row in rows} == {server}, "and nothing else was asked for"
    assert {row.cloud_service_type for row in rows} == {"hws.service.type.ec2"}, "it is a server"
    hours = sum(Decimal(str(row.usage)) for row in rows)
    # a lease ends on the minute, and the next sweep takes the server
    least, most = (Decimal((moment - launched).total_seconds()) / 3600 for moment in (end, seen))
    assert least - Decimal("0.03") <= hours <= most, "from its boot until it was gone"
    assert least > Decimal("0.5"), "which is about an hour"
    paid = sum(Decimal(str(row.amount)) for row in rows)
    assert abs(paid - hours * Decimal("0.279")) < Decimal("0.001"), "at the discounted price of an hour"

    for month in months[-1:]:
        total = visitor.call("bss", "show_customer_monthly_sum", bill_cycle=month)
        assert total.bill_sums, "the present month has its sums"
        assert Decimal(str(total.consume_amount)) > 0, "and is not free"
        query = {"cycle": month, "statistic_type": 1, "limit": 1000}
        details = visitor.call("bss", "list_customerself_resource_record_details", query)
        kinds = {row.resource_type_code for row in details.monthly_records}
        assert {"hws.resource.type.vm", "hws.resource.type.volume"} <= kinds, "servers and disks have rows of their own"


def test_requests_are_judged_by_the_callers_clock(quick, visitor):
    wait(quick, datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))
    assert visitor.call("ecs", "list_servers_details").servers, "an hour ahead is no reason against a signature"


def test_a_lease_is_judged_by_the_regions_clock(quick, visitor):
    wait(quick, datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=45)
    body = {"auto_terminate_time": soon.strftime("%Y-%m-%dT%H:%M:00Z")}
    servers = visitor.call("ecs", "list_servers_details", name="gateway-01").servers
    late = refused(visitor.call, "ecs", "update_server_auto_terminate_time", body, server_id=servers[0].id)
    assert (late.status_code, late.error_code) == (403, "Ecs.0083"), "there it is past already"
