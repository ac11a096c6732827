# SPDX-License-Identifier: BSD-2-Clause
"""docker-py and dockerode: the libraries under most programs that talk to an engine."""
import io
import json
import os
import socket
import subprocess
import tarfile
import threading

import docker as docker_py
import pytest
from docker.utils.socket import frames_iter

from lab import wire

HERE = os.path.dirname(os.path.abspath(__file__))
DOCKERFILE = b"FROM bb\nRUN echo from-the-build\n"


@pytest.fixture
def library(same):
    """Runs a scenario with a docker-py client instead of the command line."""
    def run(scenario):
        def with_client(docker):
            client = docker_py.DockerClient(base_url=docker.host, timeout=30)
            try:
                return scenario(client)
            finally:
                client.close()
        return same(with_client)
    return run


def tar_of(name, data):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return tar.getvalue()


def web(client):
    return client.containers.run("bb", ["sleep", "1000"], name="web", detach=True)


def send_and_half_close(stream, data):
    raw = stream._sock if hasattr(stream, "_sock") else stream
    raw.sendall(data)
    raw.shutdown(socket.SHUT_WR)
    return b"".join(data for _, data in frames_iter(stream, tty=False))


def test_docker_py_runs_lists_and_sees_failures(library):
    def scenario(client):
        assert client.ping()
        out = client.containers.run("bb", ["echo", "hello"], remove=True)
        with pytest.raises(docker_py.errors.ContainerError) as failed:
            client.containers.run("bb", ["sh", "-c", "echo no >&2; exit 3"], remove=True)
        with pytest.raises(docker_py.errors.NotFound) as missing:
            client.containers.get("missing")
        web(client)
        return (out, failed.value.exit_status, failed.value.stderr, missing.value.explanation,
                [c.name for c in client.containers.list()], [i.tags for i in client.images.list()])
    seen = library(scenario)
    assert seen == (b"hello\n", 3, b"no\n", "No such container: missing", ["web"], [["bb:latest"]])


def test_docker_py_execs_plainly_as_a_stream_and_over_a_socket(library):
    def scenario(client):
        box = web(client)
        plain = box.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True)
        streamed = b"".join(box.exec_run(["sh", "-c", "echo 1; sleep 0.2; echo 2"], stream=True).output)
        stream = box.exec_run(["cat"], stdin=True, socket=True).output
        return tuple(plain), streamed, send_and_half_close(stream, b"through the socket\n")
    assert library(scenario) == ((4, (b"out\n", b"err\n")), b"1\n2\n", b"through the socket\n")


def test_docker_py_attaches_a_socket(library):
    def scenario(client):
        box = client.containers.create("bb", ["cat"], stdin_open=True)
        stream = box.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        box.start()
        got = send_and_half_close(stream, b"attached\n")
        return got
    assert library(scenario) == b"attached\n"


def test_docker_py_follows_logs_and_events(library):
    def scenario(client):
        events = client.events(decode=True, filters={"event": "die"})
        seen = []
        reader = threading.Thread(target=lambda: seen.append(next(events)), daemon=True)
        reader.start()
        box = client.containers.run("bb", ["sh", "-c", "echo a; sleep 0.3; echo b"], name="talk", detach=True)
        logs = b"".join(box.logs(stream=True, follow=True))
        reader.join(5)
        events.close()
        return logs, seen[0]["Actor"]["Attributes"]["name"], box.wait()["StatusCode"]
    assert library(scenario) == (b"a\nb\n", "talk", 0)


def test_docker_py_moves_archives_both_ways(library):
    data = bytes(range(256)) * 4096

    def scenario(client):
        box = web(client)
        put = box.put_archive("/tmp", tar_of("f", data))
        pieces, stat = box.get_archive("/tmp/f")
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
            return put, stat["size"], tar.extractfile("f").read() == data
    assert library(scenario) == (True, len(data), True)


def test_docker_py_builds_saves_and_reads_stats(library):
    def scenario(client):
        image, log = client.images.build(fileobj=io.BytesIO(tar_of("Dockerfile", DOCKERFILE)), custom_context=True,
                                         tag="built:1", network_mode="none", rm=True)
        saved = sum(len(piece) for piece in image.save())
        box = web(client)
        stats = box.stats(stream=True, decode=True)
        names = [next(stats)["name"] for _ in range(2)]
        return any("from-the-build" in line.get("stream", "") for line in log), saved > 1000000, names
    assert library(scenario) == (True, True, ["/web", "/web"])


def test_dockerode_does_all_that_it_does_directly(same, tmp_path):
    (tmp_path / "Dockerfile").write_bytes(DOCKERFILE)

    def scenario(docker):
        env = {**os.environ, "DOCKER_SOCKET": docker.socket, "DOCKER_CONTEXT": str(tmp_path),
               "NODE_PATH": os.path.join(os.environ["SOCKGATE_DOCKERODE"], "node_modules")}
        done = subprocess.run(["node", os.path.join(HERE, "clients/dockerode.js")], env=env, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)
    seen = same(scenario)
    assert seen == {
        "ping": "OK", "list": [["/web"]], "inspect": True, "attach": [["got word\n", ""], 3],
        "exec": [["input\n", "end\n"], 4], "execPlain": [["", "end\n"], 4], "run": [2, "ran\r\n"],
        "logs": ["1\n2\n", ""], "archive": True, "event": "evented", "build": True,
        "missing": [404, "no such container"]}


def test_idle_connections_are_kept_and_reused(same):
    def scenario(docker):
        client = wire.Client(docker.socket)
        seen = []
        for _ in range(5):
            client.request("GET", "/_ping")
            seen.append(client.getresponse().read())
            seen.append(client.sock.getsockname() is not None)
        client.close()
        return seen
    assert same(scenario) == [b"OK", True] * 5
