"""What the vendor's SDK calls the parts of our requests, as the table from which the product writes code for it.

    python tests/sdk/models.py

writes the table anew. A test holds it to the installed SDK.
"""

import importlib
import json
import pkgutil
import re
from pathlib import Path

from cloud import SERVICES
from schemas import OPERATIONS

TABLE = Path(__file__).parents[2] / "src-tauri/crates/huaweicloud/src/retold/operations.json"
# The services whose requests a person asks for. The others are only read.
TOLD = ("ecs", "eip", "evs", "kps", "vpc")


def models(package, kind, found):
    """Adds a model of the SDK and those inside it: attribute, name on the wire, kind."""
    name = re.search(r"[A-Z]\w*", kind)
    model = getattr(package, name[0], None) if name else None
    if model is None or not model.openapi_types or name[0] in found:
        return
    found[name[0]] = {
        model.attribute_map[attribute]: [attribute, of] for attribute, of in model.openapi_types.items()
    }
    for of in model.openapi_types.values():
        models(package, of, found)


def described(operation):
    """Everything that a line of code for an operation needs."""
    service, name = operation["service"], operation["operation"]
    module_name, client_name, _, _ = SERVICES[service]
    module = importlib.import_module(module_name)
    package = importlib.import_module(f"{module_name}.model")
    request = getattr(package, f"{name}Request")
    method = operation["sdk_method"].rpartition(".")[2]
    probe = request(**{attribute: attribute for attribute in request.openapi_types})
    known = getattr(getattr(module, client_name), f"_{method}_http_info")(probe)
    package_name, _, version = module_name.rpartition(".")
    beside = [found.name for found in pkgutil.iter_modules(importlib.import_module(package_name).__path__)]
    others = [importlib.import_module(f"{package_name}.{name}") for name in beside if re.fullmatch(r"v\d+", name)]
    several = [other for other in others if hasattr(getattr(other, client_name), method)]
    parameters = {"path": known["path_params"], "query": dict(known["query_params"]), "header": known["header_params"]}
    return {
        "module": module_name,
        "client": client_name,
        "method": method,
        "path": known["resource_path"],
        # The command line has to be told the version only where there are several.
        "version": version if len(several) > 1 else None,
        "parameters": {
            place: {name: attribute for name, attribute in of.items() if attribute in request.openapi_types}
            for place, of in parameters.items()
        },
        "body": request.openapi_types.get("body"),
    }


def table():
    operations, found = {}, {}
    for operation in OPERATIONS:
        service, name = operation["service"], operation["operation"]
        if service not in TOLD or operation["method"] == "GET":
            continue
        told = described(operation)
        operations.setdefault(service, {})[name] = told
        if told["body"]:
            package = importlib.import_module(f"{told['module']}.model")
            models(package, told["body"], found.setdefault(told["module"], {}))
    return {"operations": operations, "models": found}


def text():
    """One operation and one model a line, so that a change can be read."""
    made = table()

    def lines(group):
        rows = [
            f'    {json.dumps(name)}: {{\n'
            + ",\n".join(f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(of.items()))
            + "\n    }"
            for name, of in sorted(made[group].items())
        ]
        return f"  {json.dumps(group)}: {{\n" + ",\n".join(rows) + "\n  }"

    return "{\n" + ",\n".join(lines(group) for group in ("operations", "models")) + "\n}\n"


if __name__ == "__main__":
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text(), encoding="utf-8")
