"""The whole life of a server, as the vendor's SDK asks for it."""

import time
import uuid

import pytest

from cloud import WAIT_S, refused
from orders import create, end, order, show


@pytest.fixture(scope="module")
def server(ada):
    return create(ada, "sdk-life", auto_terminate_time=end(90))


def test_a_server_is_made_and_shown_with_its_lease(ada, server):
    shown = show(ada, server)
    assert shown.status == "ACTIVE", "its job has succeeded"
    assert shown.auto_terminate_time, "the lease that was ordered is read back"
    assert shown.user_id == ada.user["id"], "it belongs to whoever made it"


def test_a_dry_run_makes_nothing(ada):
    answer = ada.call("ecs", "create_servers", {"dry_run": True, **order(ada, "sdk-dry")})
    assert answer.status_code == 202, "a dry run is only accepted"
    listed = ada.call("ecs", "list_servers_details", name="sdk-dry")
    assert listed.count == 0, "nothing was made"


def test_a_creation_repeated_with_its_token_is_answered_as_the_first_time(ada):
    token = str(uuid.uuid4())
    body = order(ada, "sdk-token")
    first = ada.call("ecs", "create_servers", body, x_client_token=token)
    again = ada.call("ecs", "create_servers", body, x_client_token=token)
    assert again.job_id == first.job_id and again.server_ids == first.server_ids, "one server, not two"
    other = refused(ada.call, "ecs", "create_servers", order(ada, "sdk-other"), x_client_token=token)
    assert (other.status_code, other.error_code) == (400, "Ecs.0122"), "a token belongs to one body"


def test_a_lease_moves_and_is_cancelled(ada, server):
    moved = end(180)
    ada.call("ecs", "update_server_auto_terminate_time", {"auto_terminate_time": moved}, server_id=server)
    assert show(ada, server).auto_terminate_time == moved, "it ends when it was told to"
    ada.call("ecs", "update_server_auto_terminate_time", {"auto_terminate_time": ""}, server_id=server)
    assert not show(ada, server).auto_terminate_time, "empty text means no lease"


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("batch_stop_servers", {"os-stop": {"type": "SOFT"}}, "SHUTOFF"),
        ("batch_start_servers", {"os-start": {}}, "ACTIVE"),
        ("batch_reboot_servers", {"reboot": {"type": "SOFT"}}, "ACTIVE"),
    ],
)
def test_power_is_switched_by_a_job(ada, server, method, body, status):
    word = next(iter(body))
    body = {word: {**body[word], "servers": [{"id": server}]}}
    ada.job(ada.call("ecs", method, body).job_id)
    assert show(ada, server).status == status, f"{word} leaves it so"


def test_tags_are_set_and_taken_away(ada, server):
    for action, wanted in (("create", True), ("delete", False)):
        body = {"action": action, "tags": [{"key": "purpose", "value": "proof"}]}
        ada.call("ecs", f"batch_{action}_server_tags", body, server_id=server)
        keys = [tag.key for tag in ada.call("ecs", "show_server_tags", server_id=server).tags]
        assert ("purpose" in keys) is wanted, f"after {action}"


def test_a_console_is_opened_by_an_address_with_a_token(ada, server):
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    console = ada.call("ecs", "show_server_remote_console", body, server_id=server).remote_console
    assert "token=" in console.url, "the address is good for one visit"


def test_a_password_is_reset_where_the_plug_in_is(ada, server):
    assert ada.call("ecs", "show_reset_password_flag", server_id=server).resetpwd_flag == "True"
    answer = ada.call(
        "ecs", "reset_server_password", {"reset-password": {"new_password": "Other-Pass-22"}}, server_id=server
    )
    assert answer.status_code == 204, "there is nothing to say"


def test_a_deleted_server_is_gone(ada):
    gone = create(ada, "sdk-gone")
    answer = ada.call("ecs", "delete_servers", {"servers": [{"id": gone}], "delete_volume": True})
    ada.job(answer.job_id)
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        listed = ada.call("ecs", "list_servers_details", name="sdk-gone")
        if listed.count == 0:
            break
    missing = refused(ada.call, "ecs", "show_server", server_id=gone)
    assert (missing.status_code, missing.error_code) == (404, "Ecs.0114"), "its id names nothing"


def test_traces_tell_who_made_the_server(ada, server):
    answer = ada.call("cts", "list_traces", trace_type="system", service_type="ECS", resource_id=server)
    made = [trace for trace in answer.traces if trace.trace_name == "createServer"]
    assert len(made) == 1, "it was made once"
    assert made[0].user.name == "ada", "by whoever asked for it"


def test_a_server_is_renamed(ada, server):
    ada.call("ecs", "update_server", {"server": {"name": "sdk-renamed"}}, server_id=server)
    assert show(ada, server).name == "sdk-renamed", "it is known by its new name"


def test_a_server_becomes_a_larger_one(ada, server):
    ada.job(ada.call("ecs", "batch_stop_servers", {"os-stop": {"servers": [{"id": server}]}}).job_id)
    flavors = ada.call("ecs", "list_resize_flavors", instance_uuid=server).flavors
    assert "s6.xlarge.2" in [flavor.id for flavor in flavors], "it can become that one"
    ada.job(ada.call("ecs", "resize_server", {"resize": {"flavorRef": "s6.xlarge.2"}}, server_id=server).job_id)
    assert show(ada, server).flavor.id == "s6.xlarge.2", "it is larger"
