"""The sandbox as the program that it is, and the vendor's SDK pointed at it: only the endpoint is ours."""

import importlib
import json
import subprocess
import time
import urllib.request

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.http.http_handler import HttpHandler

# service of the fixture: module and client of the SDK, name of the endpoint, credentials of the account or of a project
SERVICES = {
    "ecs": ("huaweicloudsdkecs.v2", "EcsClient", "ecs", False),
    "evs": ("huaweicloudsdkevs.v2", "EvsClient", "evs", False),
    "ims": ("huaweicloudsdkims.v2", "ImsClient", "ims", False),
    "vpc": ("huaweicloudsdkvpc.v2", "VpcClient", "vpc", False),
    "eip": ("huaweicloudsdkeip.v2", "EipClient", "vpc", False),
    "kps": ("huaweicloudsdkkps.v3", "KpsClient", "kms", False),
    "cts": ("huaweicloudsdkcts.v3", "CtsClient", "cts", False),
    "bss": ("huaweicloudsdkbss.v2", "BssClient", "bss", True),
    "iam": ("huaweicloudsdkiam.v3", "IamClient", "iam", True),
    "sts": ("huaweicloudsdksts.v1", "StsClient", "sts", False),
    "tms": ("huaweicloudsdktms.v1", "TmsClient", "tms", True),
}
WAIT_S = 20


class Program:
    """A running `wangcheng-sandbox` in a directory of its own, with `more` of its options."""

    def __init__(self, path, directory, speed, *more):
        self.announce = announce = directory / "announce.json"
        self.process = subprocess.Popen(
            [path, "--announce", announce, "--receiver", directory / "receiver.sqlite", "--speed", str(speed), *more],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + WAIT_S
        while True:
            assert self.process.poll() is None, "the sandbox ended before it listened"
            assert time.monotonic() < until, "the sandbox announces nothing"
            try:
                self.announcement = json.loads(announce.read_text(encoding="utf-8"))
                break
            except (FileNotFoundError, ValueError):
                time.sleep(0.05)

    def control(self, path, body):
        """Asks something of the control endpoint."""
        url = self.announcement["control"] + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stop(self):
        self.process.terminate()
        self.process.wait(WAIT_S)


class Person:
    """One user of the sandbox with the SDK's client for each service. What is answered is shown to `see`."""

    def __init__(self, program, name, see, secret=None):
        announcement = program.announcement
        self.program = program
        self.region = announcement["regions"][0]
        self.user = next(user for user in announcement["users"] if user["name"] == name)
        self.secret = secret or self.user["secret_key"]
        self.account = announcement["account_id"]
        self.see = see
        self.clients = {}

    def client(self, service, project=None):
        key = (service, project)
        if key not in self.clients:
            module, client, endpoint, account_wide = SERVICES[service]
            module = importlib.import_module(module)
            if account_wide:
                credentials = GlobalCredentials(self.user["access_key"], self.secret, self.account)
            else:
                credentials = BasicCredentials(
                    self.user["access_key"], self.secret, project or self.region["project_id"]
                )
            config = HttpConfig.get_default_config()
            config.timeout = (5, 20)
            handler = HttpHandler().add_response_handler(lambda **seen: self.see(service, seen["response"]))
            address = self.region["endpoints"].get(endpoint) or self.program.announcement["global"].get(endpoint)
            assert address, f"the sandbox announces no {endpoint}"
            self.clients[key] = (
                getattr(module, client)
                .new_builder()
                .with_http_config(config)
                .with_credentials(credentials)
                .with_endpoint(address)
                .with_http_handler(handler)
                .build()
            )
        return self.clients[key]

    def call(self, service, method, body=None, project=None, **parameters):
        """Calls an operation through the SDK's request model; plain data is turned into the SDK's body model."""
        client = self.client(service, project)
        name = "".join(part.capitalize() for part in method.split("_"))
        model = getattr(client.model_package, f"{name}Request")
        if body is not None:
            kind = model.openapi_types["body"]
            parameters["body"] = client._deserialize(body, kind) if isinstance(body, dict) else body
        return getattr(client, method)(model(**parameters))

    def job(self, job_id, service="ecs", wanted="SUCCESS"):
        """Waits for the end of a job."""
        until = time.monotonic() + WAIT_S
        while True:
            job = self.call(service, "show_job", job_id=job_id)
            if job.status in ("SUCCESS", "FAIL"):
                assert job.status == wanted, f"{job.job_type} ended as {job.status}: {job.fail_reason}"
                return job
            assert time.monotonic() < until, f"the job {job.job_type} stays {job.status}"
            time.sleep(0.05)


def refused(call, *arguments, **parameters):
    """The refusal with which a call must end, as the SDK reads it: status, code, message."""
    try:
        answer = call(*arguments, **parameters)
    except ServiceResponseException as error:
        return error
    raise AssertionError(f"not refused, but answered {answer}")


__all__ = ["Person", "Program", "refused", "ClientRequestException", "SERVICES"]
