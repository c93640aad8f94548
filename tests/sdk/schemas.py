"""The published schemas of the used calls, and which of them the sandbox's real answers were held against."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

FIXTURE = Path(__file__).parents[2] / "src-tauri/crates/huaweicloud/tests/fixtures/api.json"
API = json.loads(FIXTURE.read_text(encoding="utf-8"))
OPERATIONS = API["operations"]
# The notes say that nulls occur for what is absent, and these two kinds of numbers as text.
KINDS = {
    "string": ["string", "null"],
    "datetime": ["string", "null"],
    "integer": ["integer", "null"],
    "boolean": ["boolean", "null"],
    "decimal": ["number", "string", "null"],
    "number": ["number", "null"],
}


def converted(schema):
    """A schema of the fixture as a JSON schema."""
    if schema is None:
        return {}
    if "$ref" in schema:
        return converted(API["schemas"][schema["$ref"]])
    kind = schema["type"]
    if kind == "any":
        return {}
    if kind == "object":
        fields = schema.get("fields", {})
        return {
            "type": ["object", "null"],
            "properties": {name: converted(field) for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.get("required")],
        }
    if kind == "array":
        return {"type": ["array", "null"], "items": converted(schema.get("items", {"type": "any"}))}
    if kind == "map":
        return {"type": ["object", "null"], "additionalProperties": converted(schema.get("values", {"type": "any"}))}
    return {"type": KINDS[kind]}


def pattern(path):
    return re.compile("^" + re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(path)) + "$")


ROUTES = [
    (operation, operation["service"], operation["method"], pattern(operation["path"])) for operation in OPERATIONS
]
# a path with fewer parameters is the closer one: `cloudservers/detail` is no server's id
ROUTES.sort(key=lambda route: route[0]["path"].count("{"))
VALIDATORS = {
    (operation["service"], operation["operation"]): Draft202012Validator(converted(operation["response_body"]))
    for operation in OPERATIONS
}
# One path serves several operations; the body says which.
BY_BODY = {
    "BatchStartServers": "os-start",
    "BatchStopServers": "os-stop",
    "BatchRebootServers": "reboot",
    "BatchCreateServerTags": "create",
    "BatchDeleteServerTags": "delete",
    "BatchCreateVolumeTags": "create",
    "BatchDeleteVolumeTags": "delete",
    "BatchCreatePublicipTags": "create",
    "BatchDeletePublicipTags": "delete",
}


def operation_of(service, method, path, body):
    """The used call that a request is, or nothing."""
    for operation, of, with_method, like in ROUTES:
        if (of, with_method) != (service, method) or not like.match(path):
            continue
        word = BY_BODY.get(operation["operation"])
        if word is not None:
            sent = json.loads(body)
            if word not in sent and sent.get("action") != word:
                continue
        return operation
    return None


class Answers:
    """What was answered so far: which calls succeeded, and where an answer differs from its schema."""

    def __init__(self):
        self.seen = set()
        self.wrong = []

    def see(self, service, response):
        request = response.request
        operation = operation_of(service, request.method, urlsplit(request.url).path, request.body)
        if operation is None or not 200 <= response.status_code < 300:
            return
        text = response.text if service != "obs" else ""
        self.note(operation, response.status_code, text)

    def note(self, operation, status, text):
        key = (operation["service"], operation["operation"])
        if key == ("ecs", "CreateServers") and status == 202:
            # a dry run: it makes nothing and so names nothing
            if text:
                self.wrong.append(f"{key}: a dry run answers {text[:200]}")
            return
        self.seen.add(key)
        published = operation.get("success_codes_published")
        if published and status not in published:
            self.wrong.append(f"{key}: status {status}, published {published}")
        if operation["response_body"] is None:
            return
        for error in VALIDATORS[key].iter_errors(json.loads(text)):
            self.wrong.append(f"{key}: {error.json_path}: {error.message[:200]}")
