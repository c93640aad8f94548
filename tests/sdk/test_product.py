"""What the product makes and changes, read back by the vendor's SDK: the claim does not rest on our own client."""

import base64
import datetime
import email
import json
import os
import subprocess
from pathlib import Path

import pytest

from cloud import refused
from orders import create, show

LONGEST_S = 120


class Product:
    """The command line over the sandbox, with a ledger of its own."""

    def __init__(self, path, program, directory):
        self.start = [path, "--data-dir", directory, "--sandbox", program.announce, "--as", "ada"]
        # nothing of the environment says whose key it is
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("HUAWEICLOUD_")}

    def run(self, *arguments, **environment):
        """What a command that must go well answers."""
        done = subprocess.run(
            [*self.start, "--language", "en", "--json", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=LONGEST_S,
            env={**self.environment, **environment},
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout)

    def act(self, *arguments, **environment):
        """An operation that must go well."""
        operation = self.run(*arguments, **environment)
        assert operation["outcome"] == "ok", operation
        return operation


@pytest.fixture(scope="module")
def product(program, tmp_path_factory):
    built = os.environ.get("WANGCHENG_CLI", Path(__file__).parents[2] / "target/debug/wangcheng")
    return Product(built, program, tmp_path_factory.mktemp("product"))


@pytest.fixture(scope="module")
def made(product):
    return product.act(
        *("server", "create", "made-01", "--template", "linux-large", "--for", "3h"),
        *("--purpose", "提测 one", "--public-mbps", "5"),
    )


@pytest.fixture(scope="module")
def server(made):
    return made["serverId"]


def tags(answer):
    return {tag.key: tag.value for tag in answer.tags}


def minute(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def attached(person, server):
    return show(person, server).os_extended_volumesvolumes_attached


def public_address(person, server):
    """The server's public address, as the address service lists it."""
    addresses = show(person, server).addresses
    floating = [one.addr for each in addresses.values() for one in each if one.os_ext_ip_stype == "floating"]
    assert len(floating) == 1, "it has one public address"
    listed = person.call("eip", "list_publicips").publicips
    return next(one for one in listed if one.public_ip_address == floating[0])


def test_a_server_has_what_was_ordered_and_is_marked_as_ones_own(ada, made, server):
    shown = show(ada, server)
    assert shown.name == "made-01" and shown.status == "ACTIVE", "it runs by the time the command ends"
    assert shown.user_id == ada.user["id"], "it was made with this person's key"
    assert shown.flavor.id == made["flavor"], "of the flavor that was told"
    found = tags(ada.call("ecs", "show_server_tags", server_id=server))
    installation = found.pop("wangcheng-installation")
    assert len(installation) == 36, "the installation is a random id"
    assert found == {"owner": "ada", "purpose": "提测 one", "wangcheng-operation": made["id"]}, "nothing else"


def test_a_lease_ends_at_the_minute_that_was_told(ada, made, server):
    assert minute(show(ada, server).auto_terminate_time) == minute(made["leaseEnd"]), "the cloud ends it then"


def test_disks_have_their_sizes_and_tags_and_go_with_the_server(ada, made, server):
    disks = attached(ada, server)
    assert [disk.delete_on_termination for disk in disks] == ["true", "true"], "each goes with it"
    sizes = []
    for disk in disks:
        volume = ada.call("evs", "show_volume", volume_id=disk.id).volume
        assert volume.status == "in-use" and volume.user_id == ada.user["id"], "it is at work, and this person's"
        sizes.append(volume.size)
        found = tags(ada.call("evs", "show_volume_tags", volume_id=disk.id))
        assert found["owner"] == "ada" and found["wangcheng-operation"] == made["id"], "whose it is"
        assert found["wangcheng-server"] == server, "it names its server"
    assert sorted(sizes) == [40, 100], "as the template says"


def test_a_public_address_has_its_bandwidth_and_names_its_server(ada, made, server):
    address = public_address(ada, server)
    assert address.bandwidth_size == 5 and address.status == "ACTIVE", "bound, as wide as asked for"
    found = tags(ada.call("eip", "show_publicip_tags", publicip_id=address.id))
    assert found["owner"] == "ada" and found["wangcheng-server"] == server, "whose it is"
    assert found["wangcheng-operation"] == made["id"], "and what made it"


def test_the_first_start_brings_the_owners_key_and_the_hosts_own(ada, server):
    shown = show(ada, server)
    assert not shown.key_name, "the key is made here, so the cloud keeps no pair"
    head, text = base64.b64decode(shown.os_ext_srv_att_ruser_data).decode().split("\n", 1)
    config = json.loads(text)
    assert head == "#cloud-config", "cloud-init takes it for what it is; JSON is YAML"
    assert [key.split()[0] for key in config["ssh_authorized_keys"]] == ["ssh-ed25519"], "its owner gets in, alone"
    assert config["ssh_keys"]["ed25519_public"].startswith("ssh-ed25519 "), "and it is known at the first login"
    assert "OPENSSH PRIVATE KEY" in config["ssh_keys"]["ed25519_private"], "by the key that it was given"


def test_a_key_pair_of_the_clouds_is_the_one_that_was_named(ada, product):
    operation = product.act("server", "create", "made-02", "--template", "linux-small", "--key-pair", "team-shared")
    name = show(ada, operation["serverId"]).key_name
    pair = ada.call("kps", "list_keypair_detail", keypair_name=name).keypair
    assert pair.name == "team-shared" and pair.public_key.startswith("ssh-ed25519 "), "the cloud knows it"
    product.act("server", "delete", "made-02", "--yes")


def test_a_text_of_ones_own_for_the_first_start_arrives_beside_the_keys(ada, product, tmp_path):
    template = {**product.run("template", "show", "linux-small"), "id": "own-text", "nameEn": "Own", "nameZh": "自带"}
    file = tmp_path / "template.json"
    file.write_text(json.dumps({**template, "userData": "#cloud-config\npackages: [git]\n"}), encoding="utf-8")
    product.run("template", "save", str(file))
    server = product.act("server", "create", "made-03", "--template", "own-text")["serverId"]
    text = base64.b64decode(show(ada, server).os_ext_srv_att_ruser_data).decode()
    parts = email.message_from_string(text).get_payload()
    assert [part.get_content_type() for part in parts] == ["text/cloud-config"] * 2, "as cloud-init takes several"
    bodies = [part.get_payload(decode=True).decode() for part in parts]
    assert sum("packages: [git]" in body for body in bodies) == 1, "one's own, as it was written"
    assert sum("ssh_authorized_keys" in body for body in bodies) == 1, "and ours"
    product.act("server", "delete", "made-03", "--yes")


def test_a_lease_is_moved_and_taken_off(ada, product, server):
    moved = product.act("server", "extend", server, "--by", "2h")
    assert minute(show(ada, server).auto_terminate_time) == minute(moved["leaseEnd"]), "it ends then"
    product.act("server", "cancel-lease", server, "--yes")
    assert not show(ada, server).auto_terminate_time, "nothing ends it any more"
    product.act("server", "extend", server, "--by", "4h")
    assert show(ada, server).auto_terminate_time, "and a new one can be set"


def test_a_server_is_stopped_resized_and_runs_again(ada, product, server):
    options = product.run("server", "resize", server)["options"]
    wanted = next(option["flavor"] for option in options if not option["problem"])
    assert show(ada, server).flavor.id != wanted, "it is another one"
    product.act("server", "resize", server, "--flavor", wanted, "--stop")
    shown = show(ada, server)
    assert shown.flavor.id == wanted and shown.status == "ACTIVE", "larger or smaller, and it runs"
    product.run("server", "stop", server)
    assert show(ada, server).status == "SHUTOFF", "stopped"
    product.run("server", "start", server)
    assert show(ada, server).status == "ACTIVE", "and started"


def test_a_disk_is_made_grown_taken_off_put_back_and_deleted(ada, product, server):
    before = {disk.id for disk in attached(ada, server)}
    added = product.act("disk", "add", server, "--type", "SSD", "--size", "20")
    [disk] = [disk for disk in attached(ada, server) if disk.id not in before]
    assert disk.delete_on_termination == "true", "it goes with the server, too"
    volume = ada.call("evs", "show_volume", volume_id=disk.id).volume
    assert (volume.size, volume.volume_type, volume.name) == (20, "SSD", added["part"]["name"]), "as ordered"
    found = tags(ada.call("evs", "show_volume_tags", volume_id=disk.id))
    assert found["owner"] == "ada" and found["wangcheng-operation"] == added["id"], "whose it is"
    assert found["wangcheng-server"] == server, "it names its server"
    product.act("disk", "grow", server, disk.id, "--to", "30")
    assert ada.call("evs", "show_volume", volume_id=disk.id).volume.size == 30, "it has grown"
    product.act("disk", "detach", server, disk.id, "--yes")
    assert ada.call("evs", "show_volume", volume_id=disk.id).volume.status == "available", "it is on nothing"
    product.act("disk", "attach", server, disk.id)
    again = [one.delete_on_termination for one in attached(ada, server) if one.id == disk.id]
    assert again == ["true"], "it is back, and goes with the server as before"
    product.act("disk", "detach", server, disk.id, "--yes")
    product.act("disk", "delete", server, disk.id, "--yes")
    assert refused(ada.call, "evs", "show_volume", volume_id=disk.id).status_code == 404, "nobody pays for it"


def test_what_a_server_left_is_removed(ada, product):
    server = product.act("server", "create", "made-04", "--template", "linux-small")["serverId"]
    disk = product.act("disk", "add", server, "--type", "SSD", "--size", "10")["part"]["id"]
    product.act("disk", "detach", server, disk, "--yes")
    product.act("server", "delete", server, "--yes")
    assert ada.call("evs", "show_volume", volume_id=disk).volume.status == "available", "it stayed, and costs"
    product.run("server", "leftovers", "--remove", "--yes")
    assert refused(ada.call, "evs", "show_volume", volume_id=disk).status_code == 404, "it is gone"


def test_a_name_and_tags_are_changed_and_what_says_whose_it_is_stays(ada, product, server):
    product.act("server", "rename", server, "made-renamed")
    assert show(ada, server).name == "made-renamed", "the cloud has the new name"
    before = tags(ada.call("ecs", "show_server_tags", server_id=server))
    product.act("server", "tags", server, "--set", "team=支付", "--remove", "purpose")
    after = tags(ada.call("ecs", "show_server_tags", server_id=server))
    del before["purpose"]
    assert after == {**before, "team": "支付"}, "one set, one gone, the others as they were"


def test_a_password_that_was_reset_is_in_no_trace(ada, product, server):
    product.act("server", "password", server, WANGCHENG_SERVER_PASSWORD="Other-Pass-22")
    traces = ada.call("cts", "list_traces", trace_type="system", service_type="ECS", resource_id=server, limit=200).traces
    names = [trace.trace_name for trace in traces]
    assert names.count("resetPassword") == 1 and names.count("createServer") == 1, "each was done once"
    assert {trace.user.name for trace in traces} == {"ada"}, "by whoever asked for it"
    assert "Other-Pass-22" not in str(traces), "and no trace repeats it"


def test_a_server_made_elsewhere_is_taken_over(ada, product):
    other = create(ada, "made-elsewhere")
    product.act("server", "adopt", other)
    found = tags(ada.call("ecs", "show_server_tags", server_id=other))
    assert found["owner"] == "ada" and found["wangcheng-adopted-by"] == ada.user["id"], "it says by whom"
    product.act("server", "delete", other, "--yes")
    assert refused(ada.call, "ecs", "show_server", server_id=other).status_code == 404, "and can be deleted"


def test_a_deletion_leaves_neither_disk_nor_address(ada, product, server):
    disks, address = [disk.id for disk in attached(ada, server)], public_address(ada, server)
    product.act("server", "delete", server, "--yes")
    assert refused(ada.call, "ecs", "show_server", server_id=server).status_code == 404, "it is gone"
    for disk in disks:
        assert refused(ada.call, "evs", "show_volume", volume_id=disk).status_code == 404, "with its disks"
    left = [one.id for one in ada.call("eip", "list_publicips").publicips]
    assert address.id not in left, "and with its address"
