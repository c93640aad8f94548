"""What is ordered again and again: servers and their leases."""

import datetime


def order(person, name, **more):
    """What a creation needs, taken from what the sandbox offers."""
    subnet = person.call("vpc", "list_subnets").subnets[0]
    images = person.call("ims", "list_images", flavor_id="s6.large.2", imagetype="gold").images
    image = next(image for image in images if image.os_type == "Linux")
    server = {
        "name": name,
        "flavorRef": "s6.large.2",
        "imageRef": image.id,
        "vpcid": subnet.vpc_id,
        "nics": [{"subnet_id": subnet.id}],
        "adminPass": "Example-Pass-1",
        "availability_zone": person.region["id"] + "a",
        "root_volume": {"volumetype": "GPSSD", "size": 40},
        "extendparam": {"chargingMode": "postPaid"},
    }
    return {"server": {**server, **more}}


def create(person, name, **more):
    made = person.call("ecs", "create_servers", order(person, name, **more))
    person.job(made.job_id)
    return made.server_ids[0]


def end(minutes):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return when.strftime("%Y-%m-%dT%H:%M:00Z")


def show(person, server):
    return person.call("ecs", "show_server", server_id=server).server
