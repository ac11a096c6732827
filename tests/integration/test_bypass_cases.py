# SPDX-License-Identifier: BSD-2-Clause
"""Every known way around a gate, as the bytes that worked against real engines (tests/vectors/bypass_cases.jsonl)."""
import base64
import json
import os
import re
import socket

import pytest
import stub_engine

from lab import wire
from lab.proxy import ROOT, Proxy

POLICIES = os.path.join(ROOT, "tests/vectors/policies")

# What the proxy itself may ask about the things that a request names, before it decides.
FACTS = re.compile(r"GET (/v1\.\d\d)?/((containers|exec)/[^/?]+/json|(volumes|networks)/[^/?]+|images/.+/json) ")

# In these, a harmless first request may pass; the one that hides behind it asks for a privileged container.
HIDDEN = {"D076", "D099", "D100", "D101", "D102", "D108"}

INSPECT = {  # the things that the cases name
    "web": {"Id": "a" * 64, "Name": "/web", "HostConfig": {}, "Config": {"Image": "bb"}},
    "gate": {"Id": "b" * 64, "Name": "/gate", "HostConfig": {}, "Config": {"Image": "bb"}},
    "db": {"Id": "c" * 64, "Name": "/db", "HostConfig": {}, "Config": {"Image": "bb"}},
    "hostile": {"Name": "hostile", "Driver": "local", "Options": {"type": "none", "o": "bind", "device": "/etc"}},
    "d" * 64: {"ID": "d" * 64, "ContainerID": "a" * 64, "ProcessConfig": {"privileged": False}},
    "e" * 64: {"ID": "e" * 64, "ContainerID": "b" * 64, "ProcessConfig": {"privileged": False}},
}


def all_cases():
    with open(os.path.join(ROOT, "tests/vectors/bypass_cases.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def raw_bytes(case):
    if gen := case.get("gen"):
        body = gen["prefix"] + gen["fill"] * gen["fill_len"] + gen.get("fill2", "") * gen["fill_len"] + gen["suffix"]
        return (f"{gen['method']} {gen['target']} HTTP/1.1\r\nHost: docker\r\nContent-Type: {gen['content_type']}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
    data = base64.b64decode(case["raw_b64"])
    for mark, value in ((b"{EXEC}", b"d" * 64), (b"{GATEEXEC}", b"e" * 64), (b"{WEBID12}", b"a" * 12),
                        (b"{GATEID12}", b"b" * 12)):
        data = data.replace(mark, value)
    return data


def answer(connection, request):
    """An engine that knows the containers and volumes of the cases, and says yes to everything else."""
    name = re.sub(r"/json$", "", request.target.split("?")[0]).rsplit("/", 1)[-1]
    known = INSPECT.get(name) or {"a": INSPECT["web"], "b": INSPECT["gate"]}.get(name[:1] * (len(set(name)) == 1))
    body = json.dumps(known if request.method == "GET" and known else {}).encode()
    return stub_engine.length(200, body, "Content-Type: application/json")(connection, request)


@pytest.fixture(scope="module")
def gates(folder):
    """A stub with one proxy for each of the cases' policies."""
    stub = stub_engine.StubEngine(folder)
    stub.answer = answer
    running = {}

    def gate(policy):
        if policy not in running:
            running[policy] = Proxy(folder, stub.socket, policy=os.path.join(POLICIES, policy + ".yaml"))
        return running[policy].socket
    gate.stub = stub
    yield gate
    for proxy in running.values():
        proxy.stop()
    stub.stop()


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['id']} {case['title']}") for case in all_cases()])
def test_a_case_gets_its_verdict_and_a_denied_one_never_reaches_the_engine(gates, case):
    gate, first = gates(case["policy"]), len(gates.stub.requests)
    with wire.connect(gate) as sock:
        try:
            sock.sendall(raw_bytes(case))
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was sent
        got = wire.read_all(sock)
    status = int(got.split(b" ", 2)[1])
    arrived = [r for r in gates.stub.requests[first:] if not FACTS.match(r.line)]
    if case["expect"] == "allow":
        own = [r for r in gates.stub.requests[first:] if r.method == case["method"]]
        assert own and status < 400, got[:500]
    elif case["id"] in HIDDEN:
        assert not [r for r in arrived if b"rivileged" in r.head + r.body or "create" in r.target]
        assert len(arrived) <= 1
    else:
        assert arrived == [] and (400 <= status < 500 or status == 505), got[:500]
