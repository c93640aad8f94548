"""What can be read without an order: who one is, what is sold, what is owed."""

import pytest

READS = [
    ("ecs", "list_flavors"), ("ecs", "list_server_az_info"), ("ecs", "nova_list_availability_zones"),
    ("ecs", "show_server_limits"), ("ecs", "list_server_tags"), ("ecs", "list_servers_details"),
    ("evs", "list_volumes"), ("evs", "cinder_list_volume_types"), ("ims", "list_images"),
    ("vpc", "list_vpcs"), ("vpc", "list_subnets"), ("vpc", "list_security_groups"),
    ("vpc", "list_security_group_rules"), ("vpc", "list_ports"), ("vpc", "show_quota"),
    ("eip", "list_publicips"), ("eip", "list_quotas"), ("kps", "list_keypairs"),
    ("iam", "keystone_list_auth_projects"), ("iam", "keystone_list_auth_domains"),
    ("sts", "get_caller_identity"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "method"), READS, ids=lambda word: word)
def test_the_sdk_reads(ada, service, method):
    answer = ada.call(service, method)
    filled = [name for name in answer.openapi_types if getattr(answer, name) is not None]
    assert filled, "the SDK's model found something in the answer that it knows"


@pytest.mark.parametrize(
    ("service", "method"),
    [("bss", "show_customer_account_balances"), ("bss", "list_service_types"), ("iam", "keystone_list_projects")],
    ids=lambda word: word,
)
def test_the_administrator_reads(mia, service, method):
    answer = mia.call(service, method)
    assert any(getattr(answer, name) is not None for name in answer.openapi_types), "something that the SDK knows"
