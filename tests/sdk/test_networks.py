"""Key pairs, security groups and EIPs, as the vendor's SDK asks for them."""

import pytest

from orders import create


def test_a_key_pair_is_made_with_its_private_half_and_deleted(ada):
    body = {"keypair": {"name": "sdk-key", "type": "ssh"}}
    made = ada.call("kps", "create_keypair", body).keypair
    assert "PRIVATE KEY" in made.private_key, "the private half is handed out this once"
    detail = ada.call("kps", "list_keypair_detail", keypair_name="sdk-key").keypair
    assert detail.fingerprint == made.fingerprint, "the same key"
    ada.call("kps", "delete_keypair", keypair_name="sdk-key")
    names = [row.keypair.name for row in ada.call("kps", "list_keypairs").keypairs]
    assert "sdk-key" not in names, "it is gone"


def test_a_security_group_gets_and_loses_a_rule_and_goes(ada):
    body = {"security_group": {"name": "sdk-group"}}
    group = ada.call("vpc", "create_security_group", body).security_group
    rule = {"security_group_id": group.id, "direction": "ingress", "protocol": "tcp"}
    rule = {**rule, "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "192.0.2.0/24"}
    made = ada.call("vpc", "create_security_group_rule", {"security_group_rule": rule}).security_group_rule
    kept = ada.call("vpc", "show_security_group", security_group_id=group.id).security_group
    assert made.id in [row.id for row in kept.security_group_rules], "the group has it"
    ada.call("vpc", "delete_security_group_rule", security_group_rule_id=made.id)
    rules = ada.call("vpc", "list_security_group_rules", security_group_id=group.id).security_group_rules
    assert made.id not in [row.id for row in rules], "the rule is gone"
    ada.call("vpc", "delete_security_group", security_group_id=group.id)
    groups = ada.call("vpc", "list_security_groups").security_groups
    assert group.id not in [row.id for row in groups], "and the group"


def test_a_subnet_tells_how_many_addresses_are_free(ada):
    subnet = ada.call("vpc", "list_subnets").subnets[0]
    free = ada.call("vpc", "show_network_ip_availabilities", network_id=subnet.neutron_network_id)
    numbers = free.network_ip_availability
    assert numbers.total_ips > numbers.used_ips, "there is room for a server"


@pytest.fixture(scope="module")
def address(ada):
    body = {
        "publicip": {"type": "5_bgp"},
        "bandwidth": {"share_type": "PER", "name": "sdk-bandwidth", "size": 5, "charge_mode": "traffic"},
    }
    return ada.call("eip", "create_publicip", body).publicip.id


def test_an_address_is_bound_to_a_servers_port_and_freed(ada, address):
    server = create(ada, "sdk-address")
    port = ada.call("vpc", "list_ports", device_id=server).ports[0].id
    ada.call("eip", "update_publicip", {"publicip": {"port_id": port}}, publicip_id=address)
    bound = ada.call("eip", "show_publicip", publicip_id=address).publicip
    assert (bound.status, bound.port_id) == ("ACTIVE", port), "it leads to the server"
    ada.call("eip", "update_publicip", {"publicip": {"port_id": ""}}, publicip_id=address)
    freed = ada.call("eip", "show_publicip", publicip_id=address).publicip
    assert freed.status == "DOWN", "it leads nowhere"


def test_an_addresss_tags_are_set_and_taken_away(ada, address):
    for action, wanted in (("create", True), ("delete", False)):
        body = {"action": action, "tags": [{"key": "purpose", "value": "proof"}]}
        ada.call("eip", f"batch_{action}_publicip_tags", body, publicip_id=address)
        keys = [tag.key for tag in ada.call("eip", "show_publicip_tags", publicip_id=address).tags]
        assert ("purpose" in keys) is wanted, f"after {action}"


def test_a_deleted_address_is_gone(ada, address):
    ada.call("eip", "delete_publicip", publicip_id=address)
    left = [row.id for row in ada.call("eip", "list_publicips").publicips]
    assert address not in left, "nobody is billed for it any more"
