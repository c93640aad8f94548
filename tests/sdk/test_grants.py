"""A grant that the product published, read back by the vendor's own SDK for object storage."""

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from obs import ObsClient

from test_product import Product

BUCKET, KEY = "example-team-policy", "grants/sdk.json"
PASSPHRASE = {"WANGCHENG_PASSPHRASE": "correct horse battery"}


@pytest.fixture(scope="module")
def office(program, tmp_path_factory):
    built = os.environ.get("WANGCHENG_CLI", Path(__file__).parents[2] / "target/debug/wangcheng")
    office = Product(built, program, tmp_path_factory.mktemp("office"))
    office.start[-1] = "mia"
    return office


@pytest.fixture
def objects(program, monkeypatch):
    """The SDK's client for a person; the bucket is part of the host's name, which nobody need resolve."""
    asked = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: asked("127.0.0.1" if host.endswith(".localhost") else host, *rest, **more)
    )
    port = urlsplit(program.announcement["regions"][0]["endpoints"]["obs"]).port

    def client(name):
        user = next(user for user in program.announcement["users"] if user["name"] == name)
        return ObsClient(
            access_key_id=user["access_key"],
            secret_access_key=user["secret_key"],
            server=f"http://localhost:{port}",
            signature="obs",
            is_signature_negotiation=False,
        )

    return client


def read(client, key):
    answer = client.getObject(BUCKET, key, loadStreamInMemory=True)
    assert answer.status == 200, answer.errorMessage
    return json.loads(answer.body.buffer)


def test_a_published_grant_is_there_with_its_numbered_copies(office, objects, tmp_path):
    backup = tmp_path / "backup.json"
    office.run("grant", "create", "例子公司", "--ask", "mia", "--run-only", backup, **PASSPHRASE)
    draft = office.run("grant", "draft")
    draft["roles"] = {"developer": {"servers": 2, "moneyMonth": "120.50"}}
    draft["others"] = "developer"
    file = tmp_path / "draft.json"
    file.write_text(json.dumps(draft), encoding="utf-8")
    office.run("grant", "edit", file)
    place = f"obs://{BUCKET}/{KEY}"
    for number in (1, 2):
        published = office.run("grant", "publish", place, "--backup", backup, **PASSPHRASE)
        assert published["published"]["number"] == number
    ada = objects("ada")
    newest = read(ada, KEY)
    assert newest["grant"]["number"] == 2
    assert newest["grant"]["roles"]["developer"] == {"servers": 2, "moneyMonth": "120.50"}
    assert [read(ada, f"{KEY}.{number}")["grant"]["number"] for number in (1, 2)] == [1, 2]
    assert len(newest["signatures"]) == 1
    refused = ada.putContent(BUCKET, KEY, "{}")
    assert refused.status == 403, "developers read only"
