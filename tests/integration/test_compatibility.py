# SPDX-License-Identifier: BSD-2-Clause
"""The compatibility levels, request by request: tests/vectors has what the real proxies do with each."""
import collections
import json
import os
import socket

import pytest
import stub_engine

from lab import wire
from lab.proxy import ROOT

FILES = {"tecnativa": "tecnativa_cases.jsonl", "linuxserver": "linuxserver_cases.jsonl",
         "tecnativa-next": "tecnativa_next_cases.jsonl"}


def cases(level):
    """The level's cases, by environment."""
    by_env = collections.defaultdict(list)
    with open(os.path.join(ROOT, "tests/vectors", FILES[level]), encoding="utf-8") as file:
        for line in file:
            case = json.loads(line)
            by_env[tuple(sorted(case["env"].items()))].append(case)
    return by_env


def verdict(stub, gate, case):
    """Sends the case's request; "allow" when it arrived at the engine."""
    before = len(stub.requests)
    with wire.connect(gate) as sock:
        head = f"{case['method']} {case['path']} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"
        sock.sendall(head.encode("latin-1"))
        sock.shutdown(socket.SHUT_WR)
        status = wire.read_all(sock).split(b" ", 2)[1]
    arrived = len(stub.requests) > before
    assert arrived == (status == b"200"), (case, status)
    return "allow" if arrived else "deny"


@pytest.mark.parametrize("level", FILES)
def test_every_served_request_gets_the_verdict_of_its_level(stub, proxies, level):
    stub.answer = stub_engine.length(200, b"{}")
    different, seen = [], 0
    for env, group in cases(level).items():
        proxy = proxies(stub.socket, policy=None, env={"SOCKGATE_COMPAT": level, **dict(env)})
        for case in group:
            got = verdict(stub, proxy.socket, case)
            seen += 1
            # What no engine serves may be refused, never allowed against the level's own word.
            if got != case["expect"] and (case["served"] or got == "allow"):
                different.append({"got": got, **case})
        proxy.stop()
    assert seen > 100 and different == []


def test_a_variable_that_does_nothing_is_warned_about(stub, proxies):
    proxy = proxies(stub.socket, policy=None, env={"LOGS": "1", "DELETE": "1"})
    for name in (b"LOGS", b"DELETE"):
        assert name in proxy.errors()


def test_socket_path_and_bind_config_are_understood(stub, folder, proxies):
    path = os.path.join(folder, "bound.sock")
    proxies(None, policy=None, bare=True, env={"SOCKET_PATH": stub.socket, "BIND_CONFIG": path, "CONTAINERS": "1"})
    assert wire.ask(path, "GET", "/containers/json").status == 200
    assert wire.ask(path, "GET", "/images/json").status == 403
