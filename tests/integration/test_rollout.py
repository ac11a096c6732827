# SPDX-License-Identifier: BSD-2-Clause
"""Trying a policy out: mode warn and learn through a real proxy, and what learn and diff make of the trail."""
import json
import os
import subprocess

import pytest

from lab import wire
from lab.proxy import ROOT, Proxy
from stub_engine import length

SOCKGATE = os.path.join(os.environ["BUILD"], "sockgate")
JSON = ["Content-Type: application/json"]
PRIVILEGED = json.dumps({"Image": "a", "HostConfig": {"Privileged": True, "Binds": ["/etc:/x"]}}).encode()
PLAIN = b'{"Image":"a"}'


@pytest.fixture
def policy(folder):
    """Writes a policy: policy(name, text) gives its path."""
    def write(name, text):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path
    return write


def sockgate(*argv, expect=0):
    done = subprocess.run([SOCKGATE, *argv], capture_output=True, check=False, text=True,
                          env={**os.environ, "SOCKGATE_POLICY_DIR": os.path.join(ROOT, "policies")})
    assert done.returncode == expect, done
    return done


def requests(path):
    with open(path, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return [record for record in records if record["event.action"] == "request"]


def run(folder, stub, policy_file, asked):
    """Asks a proxy with that policy; gives (statuses, its trail, what it said)."""
    stub.answer = length(200, b"{}")
    proxy = Proxy(folder, stub.socket, policy=policy_file)
    statuses = [wire.ask(proxy.socket, *request).status for request in asked]
    proxy.stop()
    return statuses, proxy.audit, proxy.log.decode()


BASE = "version: 1\nallow: [containers.list, containers.create]\n"
ASKED = [("GET", "/containers/json"), ("POST", "/containers/web/start"),
         ("POST", "/containers/create", PLAIN, JSON), ("POST", "/containers/create", PRIVILEGED, JSON)]


@pytest.mark.parametrize("mode", ["warn", "learn"])
def test_what_enforce_refuses_passes_in_warn_and_learn_and_is_recorded(folder, stub, policy, mode):
    statuses, _, said = run(folder, stub, policy("enforced", "mode: enforce\n" + BASE), ASKED)
    assert statuses == [200, 403, 200, 403] and [r.method for r in stub.requests] == ["GET", "POST"]
    assert "PROTECTS NOTHING" not in said

    statuses, audit, said = run(folder, stub, policy("tried", f"mode: {mode}\n" + BASE), ASKED)
    assert statuses == [200] * 4
    assert [r.target for r in stub.requests if r.method == "POST"][1:] == [r[1] for r in ASKED[1:]]
    assert json.loads(stub.requests[-1].body)["HostConfig"]["Privileged"] is True
    assert f"mode: {mode}: THIS POLICY PROTECTS NOTHING" in said
    got = requests(audit)
    assert [r.get("sockgate.would_deny", False) for r in got] == [False, True, False, True]
    assert {r["event.outcome"] for r in got} == {"success"}
    assert "no rule of policy tried allows containers.start" in got[1]["event.reason"]
    assert got[3]["rule.name"] in ("containers.privileged", "containers.binds")
    assert sorted(got[3]["sockgate.limits"].split(", ")) == ["containers.binds", "containers.privileged"]
    assert "sockgate.limits" not in got[2] and "event.reason" not in got[2]


def test_a_deny_and_a_body_that_no_rule_allows_pass_too_with_all_their_limits(folder, stub, policy):
    path = policy("denying", "version: 1\nmode: warn\nallow: [\"*\"]\ndeny: [containers.create]\n")
    statuses, audit, _ = run(folder, stub, path, ASKED[3:])
    assert statuses == [200]
    assert requests(audit)[0]["rule.name"] == "deny containers.create"
    assert "containers.privileged" in requests(audit)[0]["sockgate.limits"]


@pytest.mark.parametrize("request_,status", [
    (("POST", "/containers/create", b"{", JSON), 400),
    (("POST", "/containers/create", b'{"Image":"a","image":"b"}', JSON), 400),
    (("POST", "/containers/create", b'{"Image":7}', JSON), 400),
    (("POST", "/containers/create", b'{"HostConfig":{"Privileged":true,"Binds":7}}', JSON), 400),
    (("POST", "/containers/create", b"Image=a", ["Content-Type: application/x-www-form-urlencoded"]), 415),
    (("POST", "/containers/create", b'"' + b"x" * 300000 + b'"', JSON), 413),
    (("POST", "/containers/create", PLAIN, [*JSON, "Content-Encoding: gzip"]), 415),
    (("POST", "/containers/web%2Fdb/start"), 400),
    (("GET", "/containers/json?all=1&all=2"), 400),
    (("GET", "/containers/../info"), 400),
    (("GET", "/no/such/operation"), 403),
], ids=lambda value: str(value)[:50])
def test_what_is_malformed_is_refused_in_every_mode(folder, stub, policy, request_, status):
    for allow in ("[]", '["*"]'):
        path = policy("lenient", f"version: 1\nmode: warn\nallow: {allow}\n")
        statuses, audit, _ = run(folder, stub, path, [request_])
        assert statuses == [status]
        assert stub.requests == []
        assert [r["event.outcome"] for r in requests(audit)] == ["failure"]
        assert "sockgate.would_deny" not in requests(audit)[0]


def test_extends_does_not_inherit_the_mode(folder, stub, policy):
    parent = policy("rollout-parent", "version: 1\nmode: warn\nallow: [containers.list]\n")
    child = policy("rollout-child", "version: 1\nextends: rollout-parent\n")
    statuses, _, said = run(folder, stub, child, ASKED[:2])
    assert statuses == [200, 403] and "PROTECTS" not in said
    assert "PROTECTS NOTHING" in sockgate("check", parent).stdout
    assert "PROTECTS NOTHING" not in sockgate("check", child).stdout


def test_events_show_what_would_have_been_denied(folder, stub, policy):
    _, audit, _ = run(folder, stub, policy("shown", "version: 1\nmode: warn\n"), ASKED)
    lines = [line for line in sockgate("events", audit).stdout.splitlines() if " /containers/" in line]
    assert len(lines) == 4 and all(" WOULD-DENY " in line for line in lines)
    assert "containers.privileged" in lines[3]


def test_learn_makes_a_policy_that_allows_what_was_done_and_nothing_else(folder, stub, policy):
    asked = [*ASKED[:3], ("DELETE", "/containers/web"), ("GET", "/containers/json")]
    statuses, audit, _ = run(folder, stub, policy("learning", "version: 1\nmode: learn\n"), asked)
    assert statuses == [200] * 5
    text = sockgate("learn", "--name", "mine", audit).stdout
    allowed = [line.split()[1] for line in text.splitlines() if line.startswith("  - ")]
    assert allowed == sorted(allowed) == ["containers.create", "containers.delete", "containers.list",
                                          "containers.start"]
    assert "containers.list  # 2 requests" in text and text.startswith("# mine.yaml")
    learned = policy("mine", text)
    sockgate("check", learned)
    statuses, _, _ = run(folder, stub, learned, [*asked, ("POST", "/containers/web/stop"), ASKED[3]])
    assert statuses == [200] * 5 + [403, 403]


def test_learn_names_the_limits_that_refused_bodies(folder, stub, policy):
    for mode in ("learn", "enforce"):
        _, audit, _ = run(folder, stub, policy("limits", f"mode: {mode}\n" + BASE), ASKED)
        text = sockgate("learn", audit).stdout
        assert "\n#   privileged: true  # 1 request" in text or mode == "enforce"
        assert "\n#   privileged: true" in text or "\n#   binds: [{source: /PATH" in text
        assert "containers.start" in text  # refused, or it would have been
        sockgate("check", policy("hinted", text))
        assert '"Privileged"' not in [line for line in text.splitlines() if not line.startswith("#")]


def test_learn_leaves_out_what_no_policy_could_allow_and_reads_standard_input(folder, stub, policy):
    _, audit, _ = run(folder, stub, policy("odd", BASE), [("GET", "/no/such"), ("GET", "/containers/../x"), ASKED[0]])
    with open(audit, "rb") as file:
        done = subprocess.run([SOCKGATE, "learn", "-"], stdin=file, capture_output=True, check=True, text=True)
    assert "2 requests left out" in done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("  - ")][0].startswith("  - containers.list")


def test_learn_puts_nothing_of_a_forged_trail_outside_a_comment(folder, policy):
    path = os.path.join(folder, "forged")
    record = {"@timestamp": "2026-01-01\nallow: [\"*\"]", "event.action": "request", "event.outcome": "failure",
              "sockgate.operation": "containers.create", "url.path": "/x\nallow: [\"*\"]",
              "http.response.status_code": 403, "rule.name": "containers.privileged",
              "event.reason": "x\nallow:\r- y\u0085- z\u2028- w\x1b"}
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\nnot a record\n" + json.dumps(record)[:30])
    done = sockgate("learn", path)
    assert "2 lines left out" in done.stderr and done.stdout.isascii()
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("#")]
    assert [line.split("  #")[0] for line in lines] == ["version: 1", "allow:", "  - containers.create"]
    sockgate("check", policy("forged", done.stdout))
    sockgate("learn", path + ".missing", expect=2)
    sockgate("learn", "--name", "a\nb", path, expect=2)
    sockgate("learn", expect=2)


def variables(text):
    return dict(line.split("=") for line in text.splitlines() if line and line[0] != "#")


@pytest.mark.parametrize("asked,expected", [
    ([ASKED[0]], {"CONTAINERS": "1"}),
    ([ASKED[1]], {"ALLOW_START": "1", "POST": "1"}),
    ([ASKED[1], ("POST", "/containers/a/stop")], {"ALLOW_START": "1", "ALLOW_STOP": "1", "POST": "1"}),
    ([("POST", "/containers/a/kill")], {"ALLOW_RESTARTS": "1", "POST": "1"}),
    (ASKED[:3], {"CONTAINERS": "1", "POST": "1"}),
    ([("GET", "/_ping"), ("GET", "/info")], {"PING": "1", "INFO": "1"}),
], ids=lambda value: str(value)[:40])
def test_learnt_variables_are_the_fewest_that_allow_it_all(folder, stub, policy, asked, expected):
    _, audit, _ = run(folder, stub, policy("varied", "version: 1\nmode: learn\n"), asked)
    text = sockgate("learn", "--variables", audit).stdout
    got = variables(text)
    defaults = {"EVENTS": "1", "PING": "1", "VERSION": "1"}
    assert {**defaults, **got} == {**{name: "0" for name in defaults}, **expected}
    proxy = Proxy(folder, stub.socket, policy=None, env=got)
    assert [wire.ask(proxy.socket, *request).status for request in asked] == [200] * len(asked)
    proxy.stop()
    if {"POST", "CONTAINERS"} <= set(got):
        assert "containers.delete" in text.split("# These open as well: ")[1]


def test_learnt_variables_know_the_level(folder, stub, policy):
    """linuxserver's ALLOW_START needs no POST, and its ALLOW_LOGS has to be said."""
    asked = [ASKED[0], ASKED[1], ("GET", "/containers/web/logs")]
    _, audit, _ = run(folder, stub, policy("leveled", "version: 1\nmode: learn\n"), asked)
    got = variables(sockgate("learn", "--variables", "--level", "linuxserver", audit).stdout)
    assert {k for k, v in got.items() if v == "1"} == {"CONTAINERS", "ALLOW_START", "ALLOW_LOGS"}
    env = {**got, "SOCKGATE_COMPAT": "linuxserver"}
    proxy = Proxy(folder, stub.socket, policy=None, env=env)
    asked.append(("POST", "/containers/create", PLAIN, JSON))
    assert [wire.ask(proxy.socket, *request).status for request in asked] == [200, 200, 200, 403]
    proxy.stop()
    sockgate("learn", "--variables", "--level", "other", audit, expect=2)


def test_learnt_variables_say_what_they_cannot_open(folder, stub, policy):
    _, audit, _ = run(folder, stub, policy("debug", "version: 1\nmode: learn\n"), [("GET", "/debug/vars"), ASKED[0]])
    text = sockgate("learn", "--variables", audit).stdout
    assert "# No variable opens: debug." in text and "CONTAINERS=1" in text


def test_diff_of_a_policy_and_itself_is_nothing(policy):
    assert sockgate("diff", "readonly", "readonly").stdout == ""
    path = policy("same", BASE)
    assert sockgate("diff", path, policy("same2", "version: 1\nallow: [containers.create, containers.list]\n")).stdout == ""


def test_diff_shows_operations_limits_mode_and_logged_requests(folder, stub, policy):
    _, audit, _ = run(folder, stub, policy("logged", "version: 1\nmode: learn\n"), [*ASKED, ASKED[1]])
    old = policy("old", BASE)
    new = policy("new", "version: 1\nmode: warn\nallow: [containers.list, containers.start, containers.logs]\n"
                        "deny: [\"GET /containers/db/logs\"]\ncontainers: {privileged: true}\n")
    lines = sockgate("diff", "--log", audit, old, new, expect=1).stdout.splitlines()
    assert lines == ["mode: enforce -> warn", *sorted(lines[1:4], key=lines.index),
                     "containers.privileged: false -> true",
                     "2 x POST /containers/create: allowed -> denied",
                     "2 x POST /containers/web/start: denied -> allowed",
                     "4 of 5 logged requests change (queries and bodies are not in the log)"]
    assert set(lines[1:4]) == {"containers.create: allowed -> denied", "containers.start: denied -> allowed",
                               "containers.logs: denied -> allowed but deny /containers/db/logs"}
    answer = json.loads(sockgate("diff", "--json", "--log", audit, old, new, expect=1).stdout)
    assert answer["changed"] and answer["mode"] == {"old": "enforce", "new": "warn"}
    assert answer["limits"] == [{"limit": "containers.privileged", "old": "false", "new": "true"}]
    assert {r["operation"]: (r["old"], r["new"], r["count"]) for r in answer["requests"]} == \
        {"containers.create": ("allowed", "denied", 2), "containers.start": ("denied", "allowed", 2)}
    assert len(answer["operations"]) == 3
    same = json.loads(sockgate("diff", "--json", "--log", audit, old, old).stdout)
    assert same["changed"] is False and same["requests"] == []


def test_diff_fails_loudly(policy):
    sockgate("diff", "readonly", "no-such-policy", expect=2)
    sockgate("diff", "readonly", expect=2)
    sockgate("diff", "--log", "/no/such/file", "readonly", "readonly", expect=2)
    sockgate("diff", "readonly", policy("broken", "version: 1\nmode: lax\n"), expect=2)
