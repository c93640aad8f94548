"""What goes wrong on the way and behind the services, as the vendor's SDK meets it: nothing is left half done."""

import time

import pytest
import requests
from huaweicloudsdkcore.exceptions.exceptions import SdkException

from cloud import WAIT_S, refused
from orders import create, order, show

COUNT = {"action": "count"}
# how the SDK and the HTTP library under it say that an answer did not come, or not whole, or is none
BROKEN = (SdkException, requests.exceptions.RequestException, ValueError)


@pytest.fixture(scope="module")
def pair(ada):
    return [create(ada, "sdk-left"), create(ada, "sdk-right")]


@pytest.fixture(autouse=True)
def healed(program):
    yield
    program.control("/faults", {"no_capacity": False, "half_batch_next": False})


def named(person, name):
    return person.call("ecs", "list_servers_details", name=name).servers


def mischief(program, do, **more):
    program.control("/mishaps", {"do": do, "service": "ecs", "count": 1, **more})


def test_without_room_a_creation_is_accepted_and_its_job_fails(program, ada):
    program.control("/faults", {"no_capacity": True})
    made = ada.call("ecs", "create_servers", order(ada, "sdk-no-room"))
    job = ada.job(made.job_id, wanted="FAIL")
    assert (job.error_code, job.entities.sub_jobs[0].status) == ("Ecs.0319", "FAIL"), "no host has room"
    assert "s6.large.2" in job.fail_reason, "for this flavor"
    assert named(ada, "sdk-no-room") == [], "nothing is left of it"


def test_without_room_a_server_is_not_started(program, ada, pair):
    body = {"os-stop": {"servers": [{"id": pair[0]}]}}
    ada.job(ada.call("ecs", "batch_stop_servers", body).job_id)
    program.control("/faults", {"no_capacity": True})
    body = {"os-start": {"servers": [{"id": pair[0]}]}}
    job = ada.job(ada.call("ecs", "batch_start_servers", body).job_id, wanted="FAIL")
    assert job.error_code == "Ecs.0226", "no host has room"
    assert show(ada, pair[0]).status == "SHUTOFF", "it stays off"
    program.control("/faults", {"no_capacity": False})
    ada.job(ada.call("ecs", "batch_start_servers", body).job_id)
    assert show(ada, pair[0]).status == "ACTIVE", "with room it starts"


def test_a_batch_can_fail_by_half(program, ada, pair):
    program.control("/faults", {"half_batch_next": True})
    body = {"os-stop": {"servers": [{"id": server} for server in pair]}}
    job = ada.job(ada.call("ecs", "batch_stop_servers", body).job_id, wanted="FAIL")
    parts = {part.entities.server_id: part for part in job.entities.sub_jobs}
    assert sorted(part.status for part in parts.values()) == ["FAIL", "SUCCESS"], "each part says how it went"
    for server, part in parts.items():
        assert bool(part.error_code) is (part.status == "FAIL"), "only the failed one has a code"
        expected = "SHUTOFF" if part.status == "SUCCESS" else "ACTIVE"
        assert show(ada, server).status == expected, "and the servers are as the parts say"
    body = {"os-start": {"servers": [{"id": s} for s in pair if parts[s].status == "SUCCESS"]}}
    ada.job(ada.call("ecs", "batch_start_servers", body).job_id)


def test_a_connection_that_is_cut_before_the_act_leaves_nothing(program, ada):
    body = order(ada, "sdk-cut-before")
    mischief(program, "cut_before", method="POST")
    with pytest.raises(BROKEN):
        ada.call("ecs", "create_servers", body)
    assert named(ada, "sdk-cut-before") == [], "it was not heard"


def test_a_connection_that_is_cut_after_the_act_has_done_it(program, ada):
    token = "0b9d7c1e-52a4-4c0f-9a55-2f6f0f5f3a77"
    body = order(ada, "sdk-cut-after")
    mischief(program, "cut_after", method="POST")
    with pytest.raises(BROKEN):
        ada.call("ecs", "create_servers", body, x_client_token=token)
    again = ada.call("ecs", "create_servers", body, x_client_token=token)
    ada.job(again.job_id)
    assert [server.id for server in named(ada, "sdk-cut-after")] == again.server_ids, "one server, told the second time"


@pytest.mark.parametrize("do", ["truncated", "malformed"])
def test_half_an_answer_is_none(program, ada, do):
    mischief(program, do, method="POST")
    with pytest.raises(BROKEN):
        ada.call("ecs", "list_servers_by_tag", COUNT)
    assert ada.call("ecs", "list_servers_by_tag", COUNT).total_count >= 1, "it was for once"


def test_a_page_of_a_proxy_is_no_answer(program, ada):
    mischief(program, "proxy", method="POST", status=502)
    error = refused(ada.call, "ecs", "list_servers_by_tag", COUNT)
    assert error.status_code == 502, "the SDK has at least the status"


def test_an_answer_that_comes_late_is_one(program, ada):
    mischief(program, "slow", method="POST", delay_ms=1200)
    began = time.monotonic()
    assert ada.call("ecs", "list_servers_by_tag", COUNT).total_count >= 1, "it came"
    assert 1.2 <= time.monotonic() - began < WAIT_S, "late"


def eip(person):
    body = {"publicip": {"type": "5_bgp"}, "bandwidth": {"share_type": "PER", "name": "sdk-many", "size": 1}}
    return person.call("eip", "create_publicip", body).publicip.id


def test_addresses_have_a_quota_with_a_code_in_each_service(ada):
    made = []
    try:
        while len(made) < 21:
            try:
                made.append(eip(ada))
            except SdkException as error:
                assert (error.status_code, error.error_code) == (409, "VPC.0521"), "the last one was too many"
                break
        assert len(made) < 21, "there is a quota"
        with_address = {"eip": {"iptype": "5_bgp", "bandwidth": {"size": 5, "sharetype": "PER"}}}
        error = refused(ada.call, "ecs", "create_servers", order(ada, "sdk-no-address", publicip=with_address))
        assert (error.status_code, error.error_code) == (400, "Ecs.0013"), "a server gets none either"
    finally:
        for address in made:
            ada.call("eip", "delete_publicip", publicip_id=address)
    ada.call("eip", "delete_publicip", publicip_id=eip(ada))


def test_security_groups_and_their_rules_have_a_quota(ada):
    groups, rules = [], 0
    try:
        while len(groups) < 21:
            try:
                body = {"security_group": {"name": f"sdk-many-{len(groups)}"}}
                groups.append(ada.call("vpc", "create_security_group", body).security_group.id)
            except SdkException as error:
                assert (error.status_code, error.error_code) == (409, "VPC.0604"), "the last one was too many"
                break
        assert 0 < len(groups) < 21, "there is a quota"
        while rules < 201:
            rule = {"security_group_id": groups[0], "direction": "ingress", "protocol": "tcp"}
            rule = {**rule, "port_range_min": 1000 + rules, "port_range_max": 1000 + rules}
            try:
                ada.call("vpc", "create_security_group_rule", {"security_group_rule": rule})
                rules += 1
            except SdkException as error:
                assert (error.status_code, error.error_code) == (409, "VPC.0602"), "the last one was too many"
                break
        assert 0 < rules < 201, "so have rules"
    finally:
        for group in groups:
            ada.call("vpc", "delete_security_group", security_group_id=group)


def test_a_spot_server_is_taken_back_and_its_disk_stays(program, ada):
    spot = {"chargingMode": "postPaid", "marketType": "spot"}
    disk = [{"volumetype": "SAS", "size": 20}]
    server = create(ada, "sdk-spot", extendparam=spot, data_volumes=disk)
    shown = show(ada, server)
    assert shown.metadata["charging_mode"] == "2", "it is paid as one"
    kept = next(disk.id for disk in shown.os_extended_volumesvolumes_attached if disk.boot_index != "0")
    program.control("/faults", {"reclaim": server})
    until = time.monotonic() + WAIT_S
    while named(ada, "sdk-spot"):
        assert time.monotonic() < until, "the notice is over some time"
        time.sleep(0.1)
    gone = refused(ada.call, "ecs", "show_server", server_id=server)
    assert (gone.status_code, gone.error_code) == (404, "Ecs.0114"), "its id names nothing"
    assert ada.call("evs", "show_volume", volume_id=kept).volume.status == "available", "the data disk stays"
    traces = ada.call("cts", "list_traces", trace_type="system", resource_id=server, trace_name="interruptServer").traces
    assert [trace.trace_type for trace in traces] == ["SystemAction"], "the audit says that nobody did it"
