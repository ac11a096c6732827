# SPDX-License-Identifier: BSD-2-Clause
"""The workloads: what loadgen is told to send, and to which of a peer's two sockets."""
import json
from dataclasses import dataclass, field

BULK_MIB = 256
LIST = "/v1.41/containers/json"


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    target: str
    options: list = field(hash=False)
    role: str = "read"
    bulk: bool = False
    without_proxy: bool = True  # makes sense with no proxy at all


def create_body(size=4096):
    """A container's configuration of exactly `size` bytes, as a deployment tool would send it."""
    body = {"Image": "nginx:latest", "Cmd": ["nginx", "-g", "daemon off;"], "Tty": False, "OpenStdin": False,
            "WorkingDir": "/srv", "Env": [f"SETTING_{i}=value-{i:04}" for i in range(40)],
            "Labels": {f"com.example.label-{i}": f"value-{i:04}" for i in range(40)},
            "ExposedPorts": {"80/tcp": {}},
            "HostConfig": {"Memory": 268435456, "NanoCpus": 500000000, "PidsLimit": 200,
                           "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
                           "Privileged": False, "ReadonlyRootfs": True}}
    text = json.dumps(body, separators=(",", ":"))
    body["Labels"]["com.example.note"] = ""
    text = json.dumps(body, separators=(",", ":"))
    if len(text) > size:
        raise ValueError(f"the body has {len(text)} bytes already")
    body["Labels"]["com.example.note"] = "x" * (size - len(text))
    return json.dumps(body, separators=(",", ":"))


def workloads(body_file):
    """All of them; `body_file` holds create_body()."""
    result = [Workload(f"get_keepalive_{n}", f"GET, keep-alive, {n} connections", LIST,
                       ["-c", str(n), "-w", str(2 * n)]) for n in (1, 16, 64, 256)]
    result += [
        Workload("get_close_16", "GET, a connection each, 16 at once", LIST, ["-c", "16", "-C", "-w", "32"]),
        Workload("refused_16", "refused GET, 16 connections", "/v1.41/secrets",
                 ["-c", "16", "-s", "403", "-w", "32"], without_proxy=False),
        Workload("create_4k_16", "POST create with 4 KiB, 16 connections", "/v1.41/containers/create?name=bench",
                 ["-c", "16", "-m", "POST", "-b", body_file, "-s", "201", "-w", "32"], role="write"),
    ]
    size = str(BULK_MIB << 20)
    upload = ["-m", "POST", "-u", size]
    result += [
        Workload("download_chunked", f"download {BULK_MIB} MiB, chunked", f"/v1.41/images/{size}/get", [], "write", True),
        Workload("download_length", f"download {BULK_MIB} MiB, with length", f"/v1.41/containers/{size}/export", [],
                 "write", True),
        Workload("upload_chunked", f"upload {BULK_MIB} MiB, chunked", "/v1.41/images/load", upload, "write", True),
        Workload("upload_length", f"upload {BULK_MIB} MiB, with length", "/v1.41/images/load", upload + ["-L"],
                 "write", True),
    ]
    return result
