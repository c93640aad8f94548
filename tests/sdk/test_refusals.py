"""What is refused, with the status and the code that the vendor's SDK reads from it."""

from types import SimpleNamespace

import pytest

from cloud import Person, refused
from orders import create, end, order
from schemas import API

NOBODY = "00000000-0000-4000-8000-000000000000"
WRONG = "not-an-id"


@pytest.fixture(scope="module")
def world(program, ada, mia, guest, answers):
    liar = Person(program, "ada", answers.see, secret="not the secret key")
    server = create(ada, "sdk-refusals")
    devices = ada.call("ecs", "list_server_block_devices", server_id=server).volume_attachments
    groups = ada.call("vpc", "list_security_groups").security_groups
    return SimpleNamespace(
        ada=ada, mia=mia, guest=guest, liar=liar, server=server, disk=devices[0].volume_id,
        group=next(group.id for group in groups if group.name == "default"),
        zone=ada.region["id"], project=ada.region["project_id"],
    )  # fmt: skip


def ordered(**more):
    """An order with something wrong; a function gets the world to make it from."""

    def made(w):
        body = order(w.ada, "sdk-refused")
        body["server"].update({key: value(w) if callable(value) else value for key, value in more.items()})
        return w.ada, "ecs", "create_servers", body, {}

    return made


def volume(**more):
    def made(w):
        wanted = {"availability_zone": w.zone + "a", "volume_type": "GPSSD", "size": 20, **more}
        wanted["availability_zone"] = wanted["availability_zone"].format(w.zone)
        return w.ada, "evs", "create_volume", {"volume": wanted}, {}

    return made


def address(publicip=None, bandwidth=None):
    return lambda w: (
        w.ada, "eip", "create_publicip",
        {
            "publicip": {"type": "5_bgp", **(publicip or {})},
            "bandwidth": {"share_type": "PER", "name": "sdk", "size": 5, **(bandwidth or {})},
        }, {},
    )  # fmt: skip


def tags(*pairs):
    return [{"key": key, "value": value} for key, value in pairs]


def call(service, method, body=None, who="ada", **parameters):
    """Any other call; `{server}` and the like stand for what the world has."""

    def filled(value, w):
        if isinstance(value, dict):
            return {key: filled(inner, w) for key, inner in value.items()}
        if isinstance(value, list):
            return [filled(inner, w) for inner in value]
        return value.format(**vars(w)) if isinstance(value, str) else value

    return lambda w: (getattr(w, who), service, method, filled(body, w), filled(parameters, w))


def rating(**more):
    product = {
        "id": "1", "cloud_service_type": "hws.service.type.ec2", "resource_type": "hws.resource.type.vm",
        "resource_spec": "s6.large.2.linux", "region": "{zone}", "usage_factor": "Duration", "usage_value": 1,
        "usage_measure_id": 4, "subscription_num": 1, **more,
    }  # fmt: skip
    return {"project_id": "{project}", "product_infos": [product]}


def rule(**more):
    return {"security_group_rule": {"security_group_id": "{group}", "direction": "ingress", **more}}


TAGGED = {"resources": [{"resource_id": NOBODY, "resource_type": "ecs"}]}
REFUSALS = [
    ("no such flavor", 400, "Ecs.0029", ordered(flavorRef="none.1")),
    ("flavor sold out", 400, "Ecs.0018", ordered(flavorRef="c7.large.2")),
    ("flavor withdrawn", 400, "Ecs.0019", ordered(flavorRef="s3.large.2")),
    ("no such image", 400, "Ecs.0031", ordered(imageRef=NOBODY)),
    ("image of another processor", 400, "Ecs.0007", ordered(flavorRef="kc1.large.2")),
    ("by the month", 400, "Ecs.7000", ordered(extendparam={"chargingMode": "prePaid"})),
    ("too many servers", 400, "Ecs.0913", ordered(count=1001)),
    ("name too long", 400, "Ecs.0914", ordered(name="x" * 65)),
    ("name with a space", 400, "Ecs.0915", ordered(name="a b")),
    ("bad description", 400, "Ecs.0041", ordered(description="<b>")),
    ("lease that is no time", 400, "Ecs.0082", ordered(auto_terminate_time="tomorrow")),
    ("lease that is past", 403, "Ecs.0083", ordered(auto_terminate_time="2020-01-01T00:00:00Z")),
    ("lease where none is", 400, "Ecs.0081", ordered(flavorRef="d6.xlarge.4", auto_terminate_time=end(90))),
    ("no such VPC", 400, "Ecs.0014", ordered(vpcid=NOBODY)),
    ("no such subnet", 400, "Ecs.0038", ordered(nics=[{"subnet_id": NOBODY}])),
    ("no such security group", 400, "Ecs.0014", ordered(security_groups=[{"id": NOBODY}])),
    ("too many disks", 400, "Ecs.0042", ordered(data_volumes=[{"volumetype": "SAS", "size": 10}] * 24)),
    ("no such disk type", 400, "Ecs.0043", ordered(root_volume={"volumetype": "NONE", "size": 40})),
    ("disk type sold out", 400, "Ecs.0044",
     ordered(root_volume={"volumetype": "ESSD", "size": 40}, availability_zone=lambda w: w.zone + "c")),
    ("no such key pair", 400, "Ecs.0314", ordered(key_name="nobodys")),
    ("weak password", 400, "Ecs.0011", ordered(adminPass="weak")),
    ("too many tags", 400, "Ecs.0905", ordered(server_tags=tags(*((f"k{i}", "v") for i in range(11))))),
    ("tag too long", 400, "Ecs.0906", ordered(server_tags=tags(("k" * 37, "v")))),
    ("tag characters", 400, "Ecs.0907", ordered(server_tags=tags(("a*b", "v")))),
    ("tag key twice", 400, "Ecs.0908", ordered(server_tags=tags(("k", "v"), ("k", "w")))),
    ("more servers than the quota", 400, "Ecs.0001", ordered(count=19)),
    ("more cores than the quota", 400, "Ecs.0001", ordered(count=5, flavorRef="c6.4xlarge.2")),
    ("more disks than the quota", 400, "Ecs.0021",
     ordered(count=3, data_volumes=[{"volumetype": "SAS", "size": 10}] * 23)),
    ("more gigabytes than the quota", 400, "Ecs.0021",
     ordered(data_volumes=[{"volumetype": "SAS", "size": 32768}] * 2)),
    ("disk without its speed", 400, "Ecs.0005", ordered(data_volumes=[{"volumetype": "GPSSD2", "size": 40}])),
    ("bandwidth between steps", 400, "Ecs.0005",
     ordered(publicip={"eip": {"iptype": "5_bgp", "bandwidth": {"size": 301, "sharetype": "PER"}}})),
    ("bandwidth too large", 400, "Ecs.0045",
     ordered(publicip={"eip": {"iptype": "5_bgp", "bandwidth": {"size": 2001, "sharetype": "PER"}}})),
    ("too much metadata", 400, "Ecs.0005", ordered(metadata={f"k{i}": "v" for i in range(11)})),
    ("spot with a lease", 400, "Ecs.0081",
     ordered(auto_terminate_time=end(90), extendparam={"chargingMode": "postPaid", "marketType": "spot"})),
    ("more disks alone than the quota", 400, "EVS.1034", volume(count=61)),
    ("more gigabytes alone than the quota", 400, "EVS.1042", volume(count=2, size=32768)),
    ("token that is none", 400, "Ecs.0123",
     lambda w: (w.ada, "ecs", "create_servers", order(w.ada, "sdk-token"), {"x_client_token": "no-uuid"})),
    ("no such server", 404, "Ecs.0114", call("ecs", "show_server", server_id=NOBODY)),
    ("no such job", 400, "Common.0011", call("ecs", "show_job", job_id="f" * 32)),
    ("another project", 401, "APIGW.0301", call("ecs", "list_servers_details", project="0" * 32)),
    ("same flavor", 400, "Ecs.0009",
     call("ecs", "resize_server", {"resize": {"flavorRef": "s6.large.2"}}, server_id="{server}")),
    ("resize to no flavor", 400, "Ecs.0029",
     call("ecs", "resize_server", {"resize": {"flavorRef": "none.1"}}, server_id="{server}")),
    ("resize to another processor", 400, "Ecs.0804",
     call("ecs", "resize_server", {"resize": {"flavorRef": "kc1.large.2"}}, server_id="{server}")),
    ("disk is not there", 400, "Ecs.0111",
     call("ecs", "show_server_block_device", server_id="{server}", volume_id=NOBODY)),
    ("no such disk to attach", 400, "Ecs.0103",
     call("ecs", "attach_server_volume", {"volumeAttachment": {"volumeId": NOBODY}}, server_id="{server}")),
    ("attached twice", 400, "Ecs.0057",
     call("ecs", "attach_server_volume", {"volumeAttachment": {"volumeId": "{disk}"}}, server_id="{server}")),
    ("system disk at work", 400, "Ecs.0100",
     call("ecs", "detach_server_volume", server_id="{server}", volume_id="{disk}")),
    ("no rights to servers", 403, "Pdp.0001", call("ecs", "list_servers_details", who="guest")),
    ("wrong secret key", 401, "APIGW.0301", call("ecs", "list_servers_details", who="liar")),
    ("disk too small", 400, "EVS.1010", volume(size=5)),
    ("no such type of disk", 400, "EVS.1020", volume(volume_type="NONE")),
    ("no such zone", 400, "EVS.1036", volume(availability_zone="nowhere")),
    ("sold out in the zone", 400, "EVS.2072", volume(volume_type="ESSD", availability_zone="{}c")),
    ("disk name too long", 400, "EVS.1003", volume(name="x" * 256)),
    ("too many disks at once", 400, "EVS.1021", volume(count=101)),
    ("disk smaller than it is", 400, "EVS.1015",
     call("evs", "resize_volume", {"os-extend": {"new_size": 40}}, volume_id="{disk}")),
    ("disk in use", 400, "EVS.1046", call("evs", "delete_volume", volume_id="{disk}")),
    ("page too long", 400, "EVS.1023", call("evs", "list_volumes", limit=1001)),
    ("marker that is none", 400, "EVS.1024", call("evs", "list_volumes", marker=WRONG)),
    ("no rights to disks", 403, "EVS.2056", call("evs", "list_volumes", who="guest")),
    ("no such group", 404, "VPC.0603", call("vpc", "show_security_group", security_group_id=NOBODY)),
    ("group id that is none", 400, "VPC.0601", call("vpc", "show_security_group", security_group_id=WRONG)),
    ("default group", 409, "VPC.0602", call("vpc", "delete_security_group", security_group_id="{group}")),
    ("ports without protocol", 400, "VPC.0601",
     call("vpc", "create_security_group_rule", rule(port_range_min=22, port_range_max=22))),
    ("no such rule", 404, "VPC.0612",
     call("vpc", "delete_security_group_rule", security_group_rule_id=NOBODY)),
    ("no rights to networks", 403, "VPC.2201", call("vpc", "list_vpcs", who="guest")),
    ("no such address", 404, "VPC.0504", call("eip", "show_publicip", publicip_id=NOBODY)),
    ("no such pool", 400, "VPC.0501", address(publicip={"type": "none"})),
    ("no bandwidth", 400, "VPC.0301", address(bandwidth={"size": 2001})),
    ("no such pair", 400, "KPS.4016", call("kps", "list_keypair_detail", keypair_name="nobodys")),
    ("pair with a bad name", 400, "KPS.0002", call("kps", "create_keypair", {"keypair": {"name": "a b"}})),
    ("page of images too long", 400, "IMG.0001", call("ims", "list_images", limit=100000)),
    ("no such product", 400, "CBC.99006006",
     call("bss", "list_on_demand_resource_ratings", rating(resource_spec="none.linux"))),
    ("wrong unit", 400, "CBC.99006050", call("bss", "list_on_demand_resource_ratings", rating(usage_measure_id=10))),
    ("nothing to rate", 400, "CBC.0100",
     call("bss", "list_on_demand_resource_ratings", {"project_id": "{project}", "product_infos": []})),
    ("balance is the administrators'", 403, "CBC.0151", call("bss", "show_customer_account_balances")),
    ("no such key", 404, "IAM.0004",
     call("iam", "show_permanent_access_key", access_key="NOBODYS0000000000000", who="mia")),
    ("coded by nobody", 400, "STS.0001",
     call("sts", "decode_authorization_message", {"encoded_message": "bm90aGluZw=="})),
    ("tags without tags", 400, "TMS.0012", call("tms", "create_resource_tag", {**TAGGED, "tags": []})),
    ("tag without a key", 400, "TMS.0009", call("tms", "create_resource_tag", {**TAGGED, "tags": tags(("", "v"))})),
    ("tags of nobody", 404, "TMS.0005",
     call("tms", "show_resource_tag", resource_id=NOBODY, resource_type="ecs")),
    ("tags of a kind that is none", 400, "TMS.5027",
     call("tms", "show_resource_tag", resource_id=NOBODY, resource_type="none")),
    ("no rights to tags", 403, "TMS.0004",
     call("tms", "create_resource_tag", {**TAGGED, "tags": tags(("k", "v"))}, who="guest")),
    ("half a window of traces", 400, "CTS.0300", call("cts", "list_traces", trace_type="system", to=1767225600000)),
    ("no rights to traces", 403, "CTS.0002", call("cts", "list_traces", trace_type="system", who="guest")),
]  # fmt: skip


def refusal(question):
    person, service, method, body, parameters = question
    error = refused(person.call, service, method, body, **parameters)
    return error.status_code, error.error_code


@pytest.mark.parametrize(("status", "code", "ask"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_it_is_refused(world, status, code, ask):
    assert refusal(ask(world)) == (status, code), "so the SDK reads it"


@pytest.mark.parametrize(
    ("restriction", "status", "code", "ask"),
    [
        ("frozen", 403, "Ecs.0003", ordered()), ("suspended", 403, "Ecs.0071", ordered()),
        ("unverified", 403, "Ecs.0066", ordered()), ("balance", 403, "Ecs.0067", ordered()),
        ("payment_method", 403, "Ecs.0069", ordered()), ("budget", 403, "Ecs.0070", ordered()),
        ("balance", 403, "EVS.1027", volume()), ("balance", 403, "VPC.0502", address()),
    ],
)  # fmt: skip
def test_a_restricted_account_buys_nothing(program, world, request, restriction, status, code, ask):
    question = ask(world)
    program.control("/faults", {"restriction": restriction})
    request.addfinalizer(lambda: program.control("/faults", {"restriction": None}))
    assert refusal(question) == (status, code), "so the SDK reads it"


@pytest.mark.parametrize(
    ("mishap", "status", "code"),
    [
        ({"do": "throttle"}, 429, "APIGW.0308"),
        ({"do": "flow_control"}, 503, "Common.1503"),
        ({"do": "status", "status": 500, "code": "Ecs.1000"}, 500, "Ecs.1000"),
    ],
    ids=lambda value: value["do"] if isinstance(value, dict) else None,
)
def test_the_service_has_no_time(program, world, mishap, status, code):
    program.control("/mishaps", {**mishap, "service": "ecs", "count": 1})
    # a POST, which the SDK does not send again by itself
    ask = call("ecs", "list_servers_by_tag", {"action": "count"})
    assert refusal(ask(world)) == (status, code), "so the SDK reads it"
    assert world.ada.call("ecs", "list_servers_by_tag", {"action": "count"}).total_count >= 1, "it was for once"


def test_statuses_are_the_published_ones():
    published = API["error_codes"]
    wrong = [
        f"{name}: {status}, published {published[code][0]}"
        for name, status, code, _ in REFUSALS
        if code in published and published[code][0] != status
    ]
    assert not wrong, "\n".join(wrong)
    assert len(REFUSALS) >= 40, "enough to matter"
