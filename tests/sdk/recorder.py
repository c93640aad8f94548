"""What our own client sends, kept as it came, and the vendor's SDK's view of it."""

import importlib
import inspect
import json
import os
import re
import subprocess
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qsl, unquote, urlsplit

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdkcore.utils.http_utils import sanitize_for_serialization
from obs import ObsClient
from obs.auth import Authentication

from cloud import SERVICES

ROOT = Path(__file__).parents[2]
WAIT_S = 300
PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "decimal.Decimal": (int, float)}


class Recorder:
    """Keeps each request, and refuses it: what is answered does not matter."""

    def __init__(self):
        self.requests = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def keep(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorder.requests.append((self.command, self.path, list(self.headers.items()), body))
                self.send_response(400)
                self.send_header("Content-Length", "2")
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(b"{}")

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = keep

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def record():
    """Every case of the client's table with the request that it made."""
    recorder = Recorder()
    built = os.environ.get("WANGCHENG_RECORD")
    cargo = [os.environ.get("CARGO", "cargo"), "run", "-q", "-p", "huaweicloud", "--example", "record", "--"]
    command = [built] if built else cargo
    try:
        done = subprocess.run(
            [*command, recorder.address], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=WAIT_S
        )
    finally:
        recorder.server.shutdown()
        recorder.server.server_close()
    assert done.returncode == 0, done.stderr
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    assert cases and len(cases) == len(recorder.requests), "each case makes one request"
    return list(zip(cases, recorder.requests))


def required(model):
    """The attributes that a model always sets: those that it may lack stand behind a condition in its constructor."""
    source = inspect.getsource(model.__init__)
    return {name for name in model.openapi_types if f"if {name} is not None:" not in source}


def faults(package, kind, data, place):
    """Where plain data is no value of a type of the SDK's."""
    if kind == "object" or data is None:
        return []
    if inner := re.fullmatch(r"list\[(.+)\]", kind):
        if not isinstance(data, list):
            return [f"{place}: no list"]
        return [fault for i, row in enumerate(data) for fault in faults(package, inner[1], row, f"{place}[{i}]")]
    if inner := re.fullmatch(r"dict\(str, (.+)\)", kind):
        if not isinstance(data, dict):
            return [f"{place}: no object"]
        return [fault for key, row in data.items() for fault in faults(package, inner[1], row, f"{place}.{key}")]
    if kind in PLAIN:
        fits = isinstance(data, PLAIN[kind]) and (kind == "bool" or not isinstance(data, bool))
        return [] if fits else [f"{place}: {data!r} is no {kind}"]
    if kind in ("date", "datetime"):
        return [] if isinstance(data, str) else [f"{place}: {data!r} is no {kind}"]
    model = getattr(package, kind)
    if not model.openapi_types:
        words = {value for name, value in vars(model).items() if name.isupper()}
        return [] if data in words else [f"{place}: {data!r} is none of {sorted(words)}"]
    if not isinstance(data, dict):
        return [f"{place}: no object"]
    names = {model.attribute_map[name]: name for name in model.openapi_types}
    found = [f"{place}.{key}: unknown to {kind}" for key in data if key not in names]
    found += [
        f"{place}.{model.attribute_map[name]}: missing"
        for name in sorted(required(model))
        if data.get(model.attribute_map[name]) is None
    ]
    for key, value in data.items():
        if key in names:
            found += faults(package, model.openapi_types[names[key]], value, f"{place}.{key}")
    return found


def judge(case, request):
    """What the SDK finds wrong with a request: in its place, its parameters and its body."""
    method, target, headers, body = request
    module, name, _, _ = SERVICES[case["service"]]
    module = importlib.import_module(module)
    client = getattr(module, name)
    package = importlib.import_module(f"{module.__name__}.model")
    model = getattr(package, f"{case['operation']}Request")
    call = re.sub(r"(?<!^)(?=[A-Z])", "_", case["operation"]).lower()
    describe = getattr(client, f"_{call}_http_info")
    # what each attribute is: with its own name as its value, the SDK says where it goes
    probe = model(**{attribute: attribute for attribute in model.openapi_types})
    known = describe(probe)
    parts = urlsplit(target)
    found = []
    if method != known["method"]:
        found.append(f"{method} instead of {known['method']}")

    path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(known["resource_path"]))
    match = re.fullmatch(path, parts.path)
    if match is None:
        return [*found, f"{parts.path} is not {known['resource_path']}"]
    places = match.groupdict()
    places.pop("project_id", None)
    sent = {known["path_params"][key]: unquote(value) for key, value in places.items()}

    queries = dict(known["query_params"])
    for key, value in parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)):
        if key not in queries:
            found.append(f"query {key}: unknown")
            continue
        attribute = queries[key]
        kind = model.openapi_types[attribute]
        if kind == "int" and not value.lstrip("-").isdigit():
            found.append(f"query {key}: {value!r} is no {kind}")
        if kind == "bool" and value not in ("true", "false"):
            found.append(f"query {key}: {value!r} is no {kind}")
        sent[attribute] = value
    given = {key.lower(): value for key, value in headers}
    for key, attribute in known["header_params"].items():
        if attribute in model.openapi_types and key.lower() in given:
            sent[attribute] = given[key.lower()]

    if "body" in model.openapi_types:
        if not body:
            return [*found, "no body"]
        data = json.loads(body)
        sent["body"] = data
        wrong = faults(package, model.openapi_types["body"], data, "body")
        found += wrong
        if not wrong:
            loaded = client()._deserialize(data, model.openapi_types["body"])
            if sanitize_for_serialization(loaded) != data:
                found.append(f"the SDK reads the body as {sanitize_for_serialization(loaded)}")
    elif body:
        found.append("a body where none belongs")
    found += [f"{attribute}: missing" for attribute in sorted(required(model) - sent.keys())]
    return found


def signature(request, access_key, secret_key):
    """The header `Authorization` that the SDK's own signer gives to the same request."""
    method, target, headers, body = request
    given = {key.lower(): value for key, value in headers}
    signed = re.search(r"SignedHeaders=([^,]+)", given["authorization"])[1].split(";")
    assert {"host", "x-sdk-date"} <= set(signed), "without these a request could be sent again or elsewhere"
    parts = urlsplit(target)
    again = SdkRequest(
        method=method,
        schema="http",
        host=given["host"],
        resource_path=parts.path,
        query_params=parse_qsl(parts.query, keep_blank_values=True),
        header_params={key: given[key] for key in signed},
        body=body,
    )
    return Signer(BasicCredentials(access_key, secret_key)).sign(again).header_params["Authorization"]


def obs_client(access_key, secret_key, token):
    """The OBS SDK's client. It signs in OBS's own way only where the bucket is part of the host's name."""
    return ObsClient(
        access_key_id=access_key,
        secret_access_key=secret_key,
        security_token=token,
        server="http://localhost",
        signature="obs",
        is_signature_negotiation=False,
    )


def obs_object(target):
    """Bucket, key and query of a request to object storage on an address of digits."""
    parts = urlsplit(target)
    bucket, _, key = parts.path.lstrip("/").partition("/")
    return bucket, unquote(key), dict(parse_qsl(parts.query, keep_blank_values=True))


def obs_signature(request, access_key, secret_key, token):
    """What the OBS SDK's own signer gives to the same request: the header `Authorization`, or a part of the address."""
    method, target, headers, _ = request
    given = {key.lower(): value for key, value in headers}
    bucket, key, query = obs_object(target)
    client = obs_client(access_key, secret_key, token)
    signer = Authentication(access_key, secret_key, client.path_style, client.ha, client.server, client.is_cname)
    if "Signature" in query:
        return signer.getSignature(method, bucket, key, query, given, query["Expires"])["Signature"]
    return signer.doAuth(method, bucket, key, query, given)["Authorization"]


def obs_address(request, access_key, secret_key, token):
    """The address that the OBS SDK signs for the same object until the same moment: bucket, key and query."""
    bucket, key, query = obs_object(request[1])
    client = obs_client(access_key, secret_key, token)
    with mock.patch("time.time", return_value=0):
        signed = client.createSignedUrl("GET", bucket, key, expires=int(query["Expires"]))
    parts = urlsplit(signed.signedUrl)
    return obs_object(f"/{parts.hostname.removesuffix('.localhost')}{parts.path}?{parts.query}")


def seconds_from_now(moment):
    return moment - datetime.now(timezone.utc).timestamp()
