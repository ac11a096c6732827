# SPDX-License-Identifier: BSD-2-Clause
"""What a policy changes in a request is what the engine gets, what the trail shows, and what a container has."""
import json
import os

from lab import wire

LABELS = {"sockgate.policy": "builder"}


def create(gate, host_config):
    body = json.dumps({"Image": "bb", "HostConfig": host_config}).encode()
    return wire.ask(gate, "POST", "/v1.41/containers/create", body, ("Content-Type: application/json",))


def rewritten(proxy):
    with open(proxy.audit, encoding="utf-8") as trail:
        records = [json.loads(line) for line in trail]
    return [record.get("sockgate.rewritten") for record in records if "sockgate.operation" in record]


def test_the_engine_gets_what_the_trail_shows(stub, proxies):
    proxy = proxies(stub.socket, policy="builder")
    create(proxy.socket, {"Binds": ["/var/run/docker.sock:/s:ro", stub.socket + ":/t"]})
    assert json.loads(stub.requests[0].body) == {
        "Image": "bb", "Labels": LABELS,
        "HostConfig": {"Binds": [proxy.socket + ":/s:ro", proxy.socket + ":/t"], "PidsLimit": 1024}}
    assert rewritten(proxy) == [
        f"HostConfig.Binds[0]: /var/run/docker.sock -> {proxy.socket}; "
        f"HostConfig.Binds[1]: {stub.socket} -> {proxy.socket}; "
        "HostConfig.PidsLimit: 1024 filled in; Labels.sockgate.policy: builder"]


def test_a_refusal_says_what_the_request_had_become(stub, proxies):
    proxy = proxies(stub.socket, policy="builder")
    response = create(proxy.socket, {"Privileged": True})
    assert response.status == 403 and "containers.privileged" in response.message
    assert stub.received == b"" and "PidsLimit: 1024" in rewritten(proxy)[0]


def test_the_socket_is_refused_where_the_policy_does_not_rewrite(stub, proxies):
    response = create(proxies(stub.socket, policy="worker").socket, {"Binds": ["/var/run/docker.sock:/s"]})
    assert response.status == 403 and "containers.socket_bind" in response.message
    assert stub.received == b""


def test_a_builder_has_our_socket_limits_and_labels(engine, proxies):
    proxy = proxies(engine.socket, policy="builder")
    docker = engine.docker(proxy.socket)
    docker.ok("create", "--name", "builder", "-v", "/var/run/docker.sock:/var/run/docker.sock", "bb", "test", "-S",
              "/var/run/docker.sock")
    docker.ok("start", "-a", "builder")  # judged once more, as the engine has stored it
    stored = json.loads(docker.ok("inspect", "builder"))[0]
    engine.clean()
    assert [mount["Source"] for mount in stored["Mounts"]] == [proxy.socket]
    assert stored["HostConfig"]["PidsLimit"] == 1024 and stored["Config"]["Labels"] == LABELS


def test_a_workspace_is_mounted_read_only_whatever_was_asked(engine, proxies, folder):
    workspace = os.path.join(folder, "workspace")
    os.makedirs(workspace, exist_ok=True)
    proxy = proxies(engine.socket, policy=None, env={"CONTAINERS": "1", "POST": "1", "WORKSPACE_DIR": workspace})
    done = engine.docker(proxy.socket).run("run", "--name", "work", "-v", f"{workspace}:/workspaces:rw", "bb",
                                           "touch", "/workspaces/new")
    mounts = json.loads(engine.docker().ok("inspect", "work"))[0]["Mounts"]
    engine.clean()
    assert done.code == 1 and "Read-only file system" in done.err
    assert [mount["RW"] for mount in mounts] == [False] and os.listdir(workspace) == []
