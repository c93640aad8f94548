"""The life of a disk, alone and at a server, as the vendor's SDK asks for it."""

import pytest

from cloud import refused
from orders import create, show


def make(person, server=None, **more):
    volume = {"availability_zone": person.region["id"] + "a", "volume_type": "GPSSD", "size": 20, "name": "sdk-disk"}
    body = {"volume": {**volume, **more}}
    if server:
        body["server_id"] = server
    made = person.call("evs", "create_volume", body)
    job = person.job(made.job_id, "evs")
    return job.entities.volume_id


def marks(person, server):
    """Which disks of a server go with it, as its details tell."""
    attached = show(person, server).os_extended_volumesvolumes_attached
    return {disk.id: disk.delete_on_termination for disk in attached}


def shown(person, disk):
    return person.call("evs", "show_volume", volume_id=disk).volume


@pytest.fixture(scope="module")
def server(ada):
    return create(ada, "sdk-disks")


@pytest.fixture(scope="module")
def disk(ada, server):
    return make(ada, server)


def test_a_disk_made_for_a_server_is_attached_to_it(ada, server, disk):
    volume = shown(ada, disk)
    assert volume.status == "in-use", "it was made for a server"
    assert volume.attachments[0].server_id == server, "that one"
    devices = ada.call("ecs", "list_server_block_devices", server_id=server).volume_attachments
    assert disk in [device.volume_id for device in devices], "the server has it too"


def test_whether_a_disk_goes_with_its_server_is_set(ada, server, disk):
    body = {"block_device": {"delete_on_termination": True}}
    ada.call("ecs", "update_server_block_device", body, server_id=server, volume_id=disk)
    attached = ada.call("ecs", "show_server_block_device", server_id=server, volume_id=disk).volume_attachment
    assert attached.volume_id == disk and attached.size == 20, "this one is shown"
    assert marks(ada, server)[disk] == "true", "and its server says that it goes along"


def test_a_disk_grows_while_it_is_used(ada, disk):
    ada.job(ada.call("evs", "resize_volume", {"os-extend": {"new_size": 30}}, volume_id=disk).job_id, "evs")
    assert shown(ada, disk).size == 30, "it has grown"


def test_a_disk_is_taken_from_its_server_and_put_back(ada, server, disk):
    ada.job(ada.call("ecs", "detach_server_volume", server_id=server, volume_id=disk).job_id)
    assert shown(ada, disk).status == "available", "it is free"
    body = {"volumeAttachment": {"volumeId": disk, "device": "/dev/sdb"}}
    ada.job(ada.call("ecs", "attach_server_volume", body, server_id=server).job_id)
    assert shown(ada, disk).status == "in-use", "it is at work again"


def test_a_disk_is_renamed(ada, disk):
    answer = ada.call("evs", "update_volume", {"volume": {"name": "sdk-renamed"}}, volume_id=disk)
    assert answer.name == "sdk-renamed" == shown(ada, disk).name, "told at once and kept"


def test_a_disks_tags_are_set_and_taken_away(ada, disk):
    for action, wanted in (("create", True), ("delete", False)):
        body = {"action": action, "tags": [{"key": "purpose", "value": "proof"}]}
        ada.call("evs", f"batch_{action}_volume_tags", body, volume_id=disk)
        keys = [tag.key for tag in ada.call("evs", "show_volume_tags", volume_id=disk).tags]
        assert ("purpose" in keys) is wanted, f"after {action}"


def test_quotas_count_what_is_there(ada):
    quota = ada.call("evs", "cinder_list_quotas", target_project_id=ada.region["project_id"], usage="True").quota_set
    assert quota.volumes.in_use >= 1 and quota.gigabytes.limit > quota.gigabytes.in_use, "there is room for more"


def test_a_deleted_disk_is_gone(ada):
    disk = make(ada, name="sdk-free")
    ada.job(ada.call("evs", "delete_volume", volume_id=disk).job_id, "evs")
    left = ada.call("evs", "list_volumes", name="sdk-free")
    assert left.count == 0, "nobody is billed for it any more"


def test_a_marked_disk_goes_with_its_server_and_an_unmarked_one_stays(ada):
    server = create(ada, "sdk-marks")
    goes, stays = make(ada, server, name="sdk-goes"), make(ada, server, name="sdk-stays")
    for disk, mark in ((goes, True), (stays, False)):
        body = {"block_device": {"delete_on_termination": mark}}
        ada.call("ecs", "update_server_block_device", body, server_id=server, volume_id=disk)
    kept = marks(ada, server)
    assert (kept[goes], kept[stays]) == ("true", "false"), "both are read back"
    ada.job(ada.call("ecs", "delete_servers", {"servers": [{"id": server}]}).job_id)
    gone = refused(ada.call, "evs", "show_volume", volume_id=goes)
    assert gone.status_code == 404, "it went with its server"
    assert shown(ada, stays).status == "available", "it stayed, and costs"
    ada.job(ada.call("evs", "delete_volume", volume_id=stays).job_id, "evs")
