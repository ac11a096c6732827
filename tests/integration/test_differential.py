# SPDX-License-Identifier: BSD-2-Clause
"""Whatever the gate lets through, the engine's own account of the result shows nothing that the policy forbids.

Bodies are made at random (from a fixed seed) out of harmless and dangerous fields, spelt in every way that Go's decoder
takes: other cases, escapes, long s and Kelvin sign, twice, beside HostConfig. The oracle reads `docker inspect` of what
came to be and knows nothing of how requests are judged.
"""
import json
import os
import random

import pytest

from lab import wire
from lab.proxy import ROOT

POLICY = os.path.join(ROOT, "tests/vectors/policies/run.yaml")
ROUNDS = 400

HARMLESS = [
    ("Memory", 64 << 20), ("NetworkMode", "none"), ("CapDrop", ["ALL"]), ("ReadonlyRootfs", True), ("AutoRemove", False),
    ("Binds", ["/srv/app:/a:ro"]), ("Binds", ["cache:/c"]), ("CapAdd", ["CHOWN"]), ("SecurityOpt", ["no-new-privileges"]),
    ("Mounts", [{"Type": "bind", "Source": "/srv/app", "Target": "/m"}]), ("Privileged", False), ("PidMode", ""),
    ("Mounts", [{"Type": "tmpfs", "Target": "/t"}]), ("IpcMode", "private"), ("LogConfig", {"Type": "none", "Config": {}}),
    ("RestartPolicy", {"Name": "no", "MaximumRetryCount": 0}), ("Init", True), ("PidsLimit", 100), ("Devices", []),
]
DANGEROUS = [
    ("Privileged", True), ("Binds", ["/etc:/h"]), ("Binds", ["/srv/app/../../etc:/h"]), ("Binds", ["/:/h:ro"]),
    ("Mounts", [{"Type": "bind", "Source": "/root", "Target": "/m"}]), ("PidMode", "host"), ("IpcMode", "host"),
    ("UTSMode", "host"), ("UsernsMode", "host"), ("NetworkMode", "host"), ("CapAdd", ["SYS_ADMIN"]), ("CapAdd", ["all"]),
    ("Devices", [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}]),
    ("SecurityOpt", ["seccomp=unconfined"]), ("SecurityOpt", ["apparmor:unconfined"]), ("MaskedPaths", []),
    ("ReadonlyPaths", []), ("CgroupParent", "/evil"), ("VolumesFrom", ["web"]), ("DeviceCgroupRules", ["a *:* rwm"]),
    ("LogConfig", {"Type": "syslog", "Config": {"syslog-address": "unix:///run/x"}}), ("Sysctls", {"net.core.somaxconn": "9"}),
    ("Mounts", [{"Type": "volume", "Source": "w", "Target": "/m", "VolumeOptions": {"DriverConfig": {
        "Name": "local", "Options": {"type": "none", "o": "bind", "device": "/etc"}}}}]),
    ("PortBindings", {"80/tcp": [{"HostPort": "22"}]}), ("GroupAdd", ["docker"]), ("OomScoreAdj", -900),
]


def spell(dice, name):
    """A name as JSON text that Go's decoder takes for `name`, if it takes it for anything."""
    way = dice.randrange(8)
    if way == 0:
        name = name.lower()
    elif way == 1:
        name = name.upper()
    elif way == 2:
        name = name.replace("s", "\u017f", 1)
    elif way == 3:
        name = name.replace("k", "\u212a", 1)
    text = json.dumps(name, ensure_ascii=dice.random() < 0.5)
    if dice.randrange(8) == 0:
        text = '"' + f"\\u{ord(name[0]):04x}" + text[2 if ord(name[0]) < 128 else 7:]
    return text


def members(dice, fields):
    return ",".join(f"{spell(dice, name)}:{json.dumps(value)}" for name, value in fields)


def pick(dice):
    """A few fields, mostly harmless ones; a name may stand twice."""
    return [dice.choice(DANGEROUS if dice.random() < 0.15 else HARMLESS) for _ in range(dice.randrange(4))]


def body(dice):
    parts = ['"Image":"bb"', '"Cmd":["true"]']
    for _ in range(dice.choice((0, 1, 1, 1, 1, 2))):
        parts.append(f"{spell(dice, 'HostConfig')}:{{{members(dice, pick(dice))}}}")
    if dice.random() < 0.3:
        parts.append(members(dice, pick(dice)))
    if dice.random() < 0.1:
        parts.append('"HostConfig":null')
    dice.shuffle(parts)
    return "{" + ",".join(part for part in parts if part) + "}"


def forbidden(host):
    """What a container's HostConfig has that the policy does not allow."""
    sources = [bind.split(":")[0] for bind in host.get("Binds") or []]
    for mount in host.get("Mounts") or []:
        if mount["Type"] == "bind":
            sources.append(mount["Source"])
        if (mount.get("VolumeOptions") or {}).get("DriverConfig", {}).get("Options"):
            yield mount
    for source in sources:
        clean = os.path.normpath(source)
        if source.startswith("/") and clean != "/srv/app" and not clean.startswith("/srv/app/"):
            yield source
    for name, fine in (("PidMode", ("",)), ("UTSMode", ("",)), ("UsernsMode", ("",)), ("CgroupParent", ("",)),
                       ("IpcMode", ("", "none", "private", "shareable")), ("VolumeDriver", ("", "local")),
                       ("NetworkMode", ("default", "bridge", "none", "appnet")), ("Runtime", ("", "runc"))):
        if (host.get(name) or "") not in fine:
            yield name, host[name]
    for name in ("Privileged", "VolumesFrom", "Devices", "DeviceCgroupRules", "DeviceRequests", "GroupAdd", "Sysctls"):
        if host.get(name):
            yield name, host[name]
    for cap in host.get("CapAdd") or []:
        if cap.upper().removeprefix("CAP_") not in ("NET_BIND_SERVICE", "CHOWN", "SETUID", "SETGID"):
            yield cap
    for option in host.get("SecurityOpt") or []:
        if option not in ("no-new-privileges", "no-new-privileges=true", "no-new-privileges:true"):
            yield option
    if not host["MaskedPaths"] or not host["ReadonlyPaths"]:
        yield "uncovered paths"
    if host["LogConfig"]["Type"] not in ("json-file", "local", "none"):
        yield host["LogConfig"]
    if any(int(at["HostPort"] or 0) < 1024 for ports in (host["PortBindings"] or {}).values() for at in ports):
        yield host["PortBindings"]
    if host["OomScoreAdj"] < 0:
        yield host["OomScoreAdj"]


def call(path, method, target, text=""):
    response = wire.ask(path, method, target, text.encode(), ["Content-Type: application/json"] if text else [])
    return response.status, response.body


@pytest.fixture(scope="module")
def app():
    os.makedirs("/srv/app", exist_ok=True)


def test_what_is_let_through_is_what_the_policy_allows(engine, proxies, app):
    gate = proxies(engine.socket, policy=POLICY)
    dice = random.Random(20)
    made = refused = 0
    for _ in range(ROUNDS):
        text = body(dice)
        status, answer = call(gate.socket, "POST", "/containers/create", text)
        if status != 201:
            refused += status in (400, 403)
            continue
        made += 1
        name = json.loads(answer)["Id"]
        _, inspected = call(engine.socket, "GET", f"/containers/{name}/json")
        call(engine.socket, "DELETE", f"/containers/{name}?force=1")
        assert not list(forbidden(json.loads(inspected)["HostConfig"])), text
    # A gate that lets nothing through, or an engine that takes nothing, would prove nothing.
    assert made > ROUNDS / 10 and refused > ROUNDS / 10, (made, refused)


def test_the_oracle_sees_what_gets_through_without_a_gate(engine, app):
    dice = random.Random(20)
    seen = 0
    for _ in range(60):
        status, answer = call(engine.socket, "POST", "/containers/create", body(dice))
        if status != 201:
            continue
        name = json.loads(answer)["Id"]
        _, inspected = call(engine.socket, "GET", f"/containers/{name}/json")
        call(engine.socket, "DELETE", f"/containers/{name}?force=1")
        seen += bool(list(forbidden(json.loads(inspected)["HostConfig"])))
    assert seen >= 5
