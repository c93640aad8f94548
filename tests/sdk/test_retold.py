"""Our requests in the words of others: the code runs and sends the same, the command names only what there is."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

import models
from recorder import ROOT, WAIT_S, Recorder
from schemas import API, OPERATIONS

KEY = {
    "HUAWEICLOUD_SDK_AK": "EXAMPLEAK00000000001",
    "HUAWEICLOUD_SDK_SK": "ExampleSecretKey0000000000000000000000001",
}
# Requests that change nothing, although they are posts.
READING = {"ListServersByTag", "ListResourceInstances"}


@pytest.fixture(scope="module")
def recorder():
    recorder = Recorder()
    yield recorder
    recorder.server.shutdown()
    recorder.server.server_close()


@pytest.fixture(scope="module")
def told(recorder):
    built = os.environ.get("WANGCHENG_RETOLD")
    cargo = [os.environ.get("CARGO", "cargo"), "run", "-q", "-p", "huaweicloud", "--example", "retold", "--"]
    command = [built] if built else cargo
    done = subprocess.run(
        [*command, recorder.address], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=WAIT_S
    )
    assert done.returncode == 0, done.stderr
    # What reads was sent for real.
    recorder.requests.clear()
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row for row in rows if row["operation"] not in READING]


def name(row):
    return f"{row['service']} {row['operation']} {row['variant']}".strip()


def run(code, key=KEY):
    """Runs generated code as a person would: by itself, the key in the environment."""
    environment = {**os.environ, **key, "NO_PROXY": "127.0.0.1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-"],
        input=code,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=WAIT_S,
    )


def test_the_table_is_what_the_sdk_has():
    kept = models.TABLE.read_text(encoding="utf-8")
    assert kept == models.text(), "run python tests/sdk/models.py"


def test_every_request_that_changes_something_is_told(told):
    done = {(row["service"], row["operation"]) for row in told}
    wanted = {
        (operation["service"], operation["operation"])
        for operation in OPERATIONS
        if operation["service"] in models.TOLD and operation["method"] != "GET"
    } - {(service, operation) for service in models.TOLD for operation in READING}
    assert done == wanted
    silent = [name(row) for row in told if not row["koo"] or not row["python"]]
    assert not silent, silent


def test_the_code_sends_through_the_sdk_what_we_send(told, recorder):
    for row in told:
        recorder.requests.clear()
        done = run(row["python"])
        assert len(recorder.requests) == 1, f"{name(row)}: {done.stderr}\n{row['python']}"
        method, target, headers, body = recorder.requests[0]
        ours = urlsplit(row["url"])
        theirs = urlsplit(target)
        assert (method, unquote(theirs.path)) == (row["method"], unquote(ours.path)), name(row)
        assert sorted(parse_qsl(theirs.query)) == sorted(parse_qsl(ours.query)), name(row)
        sent = json.loads(body) if body and row["body"] else None
        assert sent == (json.loads(row["body"]) if row["body"] else None), name(row)
        given = {key.lower(): value for key, value in headers}
        token = dict(row["headers"]).get("x-client-token")
        assert given.get("x-client-token") == token, f"{name(row)}: done twice it would be done twice"


def field(schema, path):
    """The part of a published schema that a parameter's name leads to; nothing if there is none."""
    for part in path:
        while "$ref" in schema:
            schema = API["schemas"][schema["$ref"]]
        kind = schema.get("type")
        if kind == "array":
            if not re.fullmatch(r"[1-9]\d*", part):
                return None
            schema = schema.get("items", {"type": "any"})
        elif kind == "map":
            schema = schema["values"]
        elif kind == "object":
            schema = schema.get("fields", {}).get(part)
            if schema is None:
                return None
        else:
            return None
    return schema


def faults(row):
    """What a command names that the published description does not have, and what of the request it leaves out."""
    heredoc = re.fullmatch(r"cat > (\S+) <<'END'\n(.*)\nEND\n(.*)", row["koo"], re.DOTALL)
    file = json.loads(heredoc[2]) if heredoc else {}
    words = shlex.split((heredoc[3] if heredoc else row["koo"]).replace("\\\n", " "))
    program, service, operation, *parameters = words
    given = dict(word.removeprefix("--").split("=", 1) for word in parameters)
    operation, _, version = operation.partition("/")
    known = next(
        (o for o in OPERATIONS if (o["service"].upper(), o["operation"]) == (service, operation)),
        None,
    )
    if program != "hcloud" or known is None:
        return [f"{service} {operation}: unknown"]
    found = [] if known["sdk_method"].split(".")[1] == (version or known["sdk_method"].split(".")[1]) else ["version"]
    if given.pop("cli-region", None) != "cn-north-4":
        found.append("no region")
    if heredoc:
        if given.pop("cli-jsonInput", None) != heredoc[1]:
            found.append("the file is not the one that is read")
        given |= {key: value for place in ("path", "query", "header") for key, value in file.get(place, {}).items()}
    elsewhere = {**known.get("path_params", {}), **known.get("query_params", {}), **known.get("header_params", {})}
    for key in known.get("path_params", {}):
        if key not in given:
            found.append(f"{key}: missing")
    body = {key: value for key, value in given.items() if key not in elsewhere}
    for key in body:
        if field(known.get("request_body", {"type": "object"}), key.split(".")) is None:
            found.append(f"{key}: unknown")
    wanted = json.loads(row["body"]) if row["body"] else None
    if heredoc and file.get("body") != wanted:
        found.append("another body")
    if not heredoc and built(body) != flat(wanted):
        found.append(f"another body: {built(body)}")
    return found


def built(parameters):
    return dict(sorted(parameters.items()))


def flat(value, at=""):
    """The parameters that a body comes to, by the rules of the command line."""
    if isinstance(value, (dict, list)) and not value and at:
        return {at: "{}" if isinstance(value, dict) else "[]"}
    if isinstance(value, dict):
        rows = value.items()
    elif isinstance(value, list):
        rows = ((str(i), row) for i, row in enumerate(value, 1))
    else:
        return {} if value is None else {at: value if isinstance(value, str) else json.dumps(value)}
    made = {}
    for key, row in rows:
        made |= flat(row, f"{at}.{key}" if at else key)
    return dict(sorted(made.items()))


def test_the_command_names_what_is_published_and_leaves_nothing_out(told):
    wrong = [f"{name(row)}: {fault}" for row in told for fault in faults(row)]
    assert not wrong, "\n".join(wrong)


def test_a_command_that_names_something_else_is_noticed(told):
    row = next(row for row in told if row["operation"] == "BatchStopServers")
    changed = {
        "stop.type": ("--os-stop.type", "--stop.type"),
        "unknown": ("BatchStopServers", "BatchHaltServers"),
        "another body": ("HARD", "SOFT") if "HARD" in row["koo"] else ("SOFT", "HARD"),
    }
    for fault, (old, new) in changed.items():
        other = faults({**row, "koo": row["koo"].replace(old, new)})
        assert any(fault in found for found in other), f"{fault}: {other}"


class Terminal:
    """Our own command line over the sandbox, as ada, with a ledger of its own."""

    def __init__(self, program, directory):
        words = [str(word) for word in program.process.args]
        ada = next(user for user in program.announcement["users"] if user["name"] == "ada")
        self.key = {"HUAWEICLOUD_SDK_AK": ada["access_key"], "HUAWEICLOUD_SDK_SK": ada["secret_key"]}
        built = os.environ.get("WANGCHENG_CLI", Path(__file__).parents[2] / "target/debug/wangcheng")
        announce = words[words.index("--announce") + 1]
        region = program.announcement["regions"][0]["id"]
        self.start = [built, "--sandbox", announce, "--region", region, "--data-dir", directory, "--json"]

    def ask(self, *words):
        environment = {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
        done = subprocess.run(
            [*self.start, *words],
            env={**environment, **self.key},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=WAIT_S,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return json.loads(done.stdout)

    def by_sdk(self, *words):
        """Lets the SDK do what our command line would."""
        rehearsed = self.ask(*words, "--dry-run")
        for request in rehearsed["requests"]:
            done = run(request["python"], self.key)
            assert done.returncode == 0, f"{words}: {done.stderr}\n{request['python']}"

    def until(self, name, fits):
        until = time.monotonic() + 60
        while True:
            servers = self.ask("server", "list")["servers"]
            server = next((server for server in servers if server["name"] == name), None)
            if server is not None and fits(server):
                return server
            assert time.monotonic() < until, f"{name} stays {server}"
            time.sleep(0.2)


def test_what_the_code_does_in_the_region_is_the_act(program, tmp_path):
    terminal = Terminal(program, tmp_path)
    terminal.by_sdk("server", "create", "retold", "--template", "linux-small", "--purpose", "by the SDK")
    made = terminal.until("retold", lambda server: server["state"] == "running")
    assert (made["own"], made["purpose"]) == (True, "by the SDK"), "it is ours as if we had made it"
    assert made["leaseEnd"], "and ends by itself"
    terminal.by_sdk("server", "stop", "retold", "--hard")
    terminal.until("retold", lambda server: server["state"] == "stopped")
    terminal.by_sdk("server", "tags", "retold", "--set", "team=one")
    terminal.until("retold", lambda server: server["tags"].get("team") == "one")
    terminal.by_sdk("server", "cancel-lease", "retold")
    terminal.until("retold", lambda server: server["leaseEnd"] is None)
    terminal.by_sdk("server", "rename", "retold", "told-again")
    terminal.until("told-again", lambda server: server["id"] == made["id"])
    terminal.by_sdk("server", "start", "told-again")
    terminal.until("told-again", lambda server: server["state"] == "running")
    terminal.by_sdk("disk", "add", "told-again", "--type", "GPSSD", "--size", "20")
    until = time.monotonic() + 60
    while len(terminal.ask("disk", "list", "told-again")["disks"]) < 2:
        assert time.monotonic() < until, "no disk comes"
        time.sleep(0.2)
    terminal.by_sdk("server", "delete", "told-again")
    until = time.monotonic() + 60
    while any(server["id"] == made["id"] for server in terminal.ask("server", "list")["servers"]):
        assert time.monotonic() < until, "it stays"
        time.sleep(0.2)
